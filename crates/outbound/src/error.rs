//! Why a call has no answer.

use crate::address::AddressClass;
use crate::connector::ConnectError;
use http::StatusCode;
use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Why a call has no answer. What the other side answers, whatever its status, is no error here, save a redirect.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// The address is one that must not be called.
    #[error("{host} is {address}, {class}, which must not be called")]
    Address {
        /// The host, as the URL names it.
        host: String,
        /// Where it is.
        address: IpAddr,
        /// What that is.
        class: AddressClass,
    },
    /// No such name, nobody listens, no trust.
    #[error("no connection: {0}")]
    NoConnection(Cause),
    /// The answer was not there in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    NoAnswer(Duration),
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke: {0}")]
    Broken(Cause),
    /// The answer is larger than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The answer points elsewhere.
    #[error("the answer is {status}, a redirect{}: redirects are not followed; give the final URL", to_whom(.to))]
    Redirect {
        /// Its status.
        status: StatusCode,
        /// To whom, if it says so readably.
        to: Option<String>,
    },
}

fn to_whom(to: &Option<String>) -> String {
    to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default()
}

impl From<hyper_util::client::legacy::Error> for OutboundError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        let mut cause: Option<&dyn Error> = Some(&error);
        while let Some(reason) = cause {
            if let Some(ConnectError::Address { host, address, class }) = reason.downcast_ref() {
                return Self::Address { host: host.clone(), address: *address, class: *class };
            }
            cause = reason.source();
        }
        let connecting = error.is_connect();
        let cause = Cause(error.into());
        if connecting { Self::NoConnection(cause) } else { Self::Broken(cause) }
    }
}

/// What is behind an error, told by its last cause: the ones above name layers, not reasons.
#[derive(Debug)]
pub struct Cause(pub(crate) Box<dyn Error + Send + Sync>);

impl Cause {
    /// What is behind `error`.
    #[must_use]
    pub fn of(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last: &dyn Error = &*self.0;
        while let Some(source) = last.source() {
            last = source;
        }
        write!(f, "{last}")
    }
}

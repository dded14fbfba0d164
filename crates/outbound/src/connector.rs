//! Connecting, to addresses that were looked at.

use crate::address::AddressClass;
use crate::policy::Policy;
use crate::resolver::Resolve;
use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

/// How many of a name's addresses are tried.
const MOST_ADDRESSES: usize = 8;

/// Resolves, asks the policy about each address, and connects to the very address that it asked about.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) policy: Arc<Policy>,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) connect_time: Duration,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the address of {host} is not known: {source}")]
    Name { host: String, source: io::Error },
    #[error("{0} has no address")]
    NoAddress(String),
    #[error("{address}, {class}, must not be called")]
    Address { host: String, address: IpAddr, class: AddressClass },
    #[error("{address} cannot be reached: {reason}")]
    Tcp { address: IpAddr, reason: io::Error },
    #[error("{address} does not answer within {} s", .time.as_secs_f64())]
    Slow { address: IpAddr, time: Duration },
}

impl Connector {
    async fn connect(self, to: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        let host = to.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = to.port_u16().unwrap_or(if to.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
        let addresses = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = self.resolver.resolve(host.clone()).await;
                found.map_err(|source| ConnectError::Name { host: host.clone(), source })?
            }
        };
        let mut why = ConnectError::NoAddress(host.clone());
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            if let Err(class) = self.policy.check(address) {
                why = ConnectError::Address { host: host.clone(), address, class };
                continue;
            }
            match timeout(self.connect_time, TcpStream::connect((address, port))).await {
                Ok(Ok(stream)) => {
                    // Without it calls are slower, not wrong.
                    let _ = stream.set_nodelay(true);
                    return Ok(TokioIo::new(stream));
                }
                Ok(Err(reason)) => why = ConnectError::Tcp { address, reason },
                Err(_) => why = ConnectError::Slow { address, time: self.connect_time },
            }
        }
        Err(why)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().connect(to))
    }
}

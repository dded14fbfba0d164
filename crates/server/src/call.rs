//! A request on its way to its handler: authenticated, read whole, its path decoded.

use crate::authenticate::Sender;
use crate::fault::Fault;
use crate::native::RolloutStreams;
use crate::request_id::RequestId;
use crate::settings::ServerSettings;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Uri};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::sync::Arc;
use yardarm_node::{Cause, Node};
use yardarm_wire::body::read_body;
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::headers;

/// What a handler gets.
pub(crate) struct Call {
    /// Whom to ask.
    pub(crate) node: Node,
    /// What the server was told.
    pub(crate) settings: Arc<ServerSettings>,
    /// Streams of rollouts.
    pub(crate) streams: Arc<RolloutStreams>,
    /// The request's id.
    pub(crate) id: RequestId,
    /// Who asks.
    pub(crate) sender: Sender,
    /// Labels of the path, decoded once.
    pub(crate) labels: Vec<(Box<str>, String)>,
    /// Path and query as received.
    pub(crate) uri: Uri,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

/// A sender may say why; what is longer is cut off.
const REASON_CHARACTERS: usize = 1_024;

impl Call {
    /// Who asks, in which request, and why: for the log, so it is put together only where something changes.
    pub(crate) fn cause(&self) -> Cause {
        let reason = self.headers.get(headers::YARDARM_REASON).and_then(|reason| reason.to_str().ok());
        Cause {
            actor: self.sender.actor(),
            request_id: self.id.as_str().to_owned(),
            reason: reason.map(|reason| reason.chars().take(REASON_CHARACTERS).collect()),
        }
    }

    /// A label of the path. Empty if the path has none of that name, which no identifier is.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| &**label == name).map_or("", |(_, value)| value)
    }

    /// Refuses the bearer of a token that is not for this environment, also if there is no such one.
    pub(crate) fn ensure_place(&self, application: &str, environment: &str) -> Result<(), Fault> {
        let Sender::Bearer(token) = &self.sender else { return Ok(()) };
        let view = self.node.view();
        let is_it = view.world.find_application(application).is_ok_and(|found| {
            found.id == token.application
                && found.find_environment(environment).is_ok_and(|found| found.id == token.environment)
        });
        let other = || Fault::told(ErrorKind::AccessDenied, "The token is for another environment.");
        if is_it { Ok(()) } else { Err(other()) }
    }

    /// Refuses a credential that has been revoked or has expired since the request was admitted.
    pub(crate) fn ensure_credential(&self) -> Result<(), Fault> {
        let ended = || Fault::told(ErrorKind::Unauthorized, "The credential was revoked or has expired.");
        if self.sender.is_still_good(&self.node) { Ok(()) } else { Err(ended()) }
    }

    /// The JSON body as `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        read_body(&self.body).map_err(|error| Fault::bad_request(error.to_string()))
    }

    /// The values of a query parameter, decoded, in the order in which they came.
    pub(crate) fn queries<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
        self.uri.query().unwrap_or_default().split('&').filter_map(move |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key) == name).then(|| decoded(value))
        })
    }

    /// The first value of a query parameter, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.queries(name).next().map(Cow::into_owned)
    }

    /// A header's text. Bytes that are not UTF-8 are taken for Latin-1, which is what older clients send.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<String> {
        let bytes = self.headers.get(name)?.as_bytes();
        Some(match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        })
    }
}

/// Percent-decoding, with `+` for a space as in forms. What is not UTF-8 becomes the replacement character.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

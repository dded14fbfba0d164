//! Ids of requests: said in answers, in this server's own log, and with every change in the log of records.

use http::HeaderValue;
use uuid::fmt::Hyphenated;
use yardarm_node::Node;

/// The id of a request, in the form of those that AWS gives. Nothing of it lies elsewhere: most requests, polls, only
/// repeat it in their answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId([u8; Hyphenated::LENGTH]);

impl RequestId {
    /// A fresh one.
    pub(crate) fn draw(node: &Node) -> Self {
        let mut text = [0; Hyphenated::LENGTH];
        uuid::Builder::from_random_bytes(node.random()).into_uuid().hyphenated().encode_lower(&mut text);
        Self(text)
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// As the value of a header. `None` never happens: it is made of digits and hyphens.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(&self.0).ok()
    }
}

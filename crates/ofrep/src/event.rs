//! Change events: where a client listens, and what it hears. An event carries no values; it says that fetching again is
//! worth while.

use crate::freshness::revision_tag;
use crate::write;

/// A stream that a bulk answer offers.
#[derive(Clone, Copy, Debug)]
pub struct EventStream<'a> {
    /// Where it is.
    pub address: StreamAddress<'a>,
    /// After how many seconds of inactivity a client should leave, at least 1.
    pub inactivity_s: u32,
}

/// Where a stream is.
#[derive(Clone, Copy, Debug)]
pub enum StreamAddress<'a> {
    /// An absolute address.
    Url(&'a str),
    /// A path and query, on the host that the client has asked.
    RequestUri(&'a str),
}

/// Comment that keeps proxies from closing a quiet connection.
pub const HEARTBEAT: &str = ": hb\n\n";

/// The block of a bulk answer.
pub(crate) fn advertise(out: &mut Vec<u8>, streams: &[EventStream<'_>]) {
    if streams.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"eventStreams\":[");
    for (index, stream) in streams.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"type\":\"sse\",");
        match stream.address {
            StreamAddress::Url(url) => {
                out.extend_from_slice(b"\"url\":");
                write::text(out, url);
            }
            StreamAddress::RequestUri(uri) => {
                out.extend_from_slice(b"\"endpoint\":{\"requestUri\":");
                write::text(out, uri);
                out.push(b'}');
            }
        }
        out.extend_from_slice(b",\"inactivityDelaySec\":");
        out.extend_from_slice(stream.inactivity_s.max(1).to_string().as_bytes());
        out.push(b'}');
    }
    out.push(b']');
}

/// Says that what is served has changed: up to `revision` of the log, at `changed_s` seconds since the epoch.
#[must_use]
pub fn event(revision: u64, changed_s: i64) -> String {
    let tag = revision_tag(revision);
    let changed_s = changed_s.max(0);
    format!(
        "id: {revision}\nevent: message\ndata: {{\"type\":\"refetchEvaluation\",\"etag\":\"\\\"{tag}\\\"\",\"lastModified\":{changed_s}}}\n\n"
    )
}

/// How long a client waits before it connects again.
pub(crate) fn retry(milliseconds: u32) -> String {
    format!("retry: {milliseconds}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_what_to_come_back_with() {
        let expected = "id: 8841\nevent: message\n\
            data: {\"type\":\"refetchEvaluation\",\"etag\":\"\\\"r8841\\\"\",\"lastModified\":1771622898}\n\n";
        assert_eq!(event(8841, 1_771_622_898), expected);
        let data = expected.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["etag"], "\"r8841\"");
    }
}

//! Telling programs on this machine from web pages.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use std::net::Ipv4Addr;

/// Whether a web page may be behind a request with these headers: it says where it comes from, or it reached this machine
/// under a name that is not this machine's. Where nobody is asked who they are, any page that a browser here has open
/// could send requests.
#[must_use]
pub fn from_a_browser(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    headers.contains_key(ORIGIN) || !is_local_host(host)
}

/// Whether `host`, perhaps with a port, is this machine as it calls itself.
#[must_use]
pub fn is_local_host(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    matches!(name, "localhost" | "[::1]") || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(host: &'static str, origin: Option<&'static str>) -> HeaderMap {
        let origin = origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin)));
        [(HOST, HeaderValue::from_static(host))].into_iter().chain(origin).collect()
    }

    #[test]
    fn a_web_page_is_told_from_a_program_on_this_machine() {
        for host in ["127.0.0.1:4770", "127.0.0.1", "localhost:4770", "[::1]:4770", "[::1]", "127.1.2.3:1"] {
            assert!(!from_a_browser(&headers(host, None)), "{host}");
            assert!(from_a_browser(&headers(host, Some("https://example.com"))), "{host}");
        }
        for host in ["rebound.example.com:4770", "10.0.0.1:4770", "", "127.0.0.1.example.com"] {
            assert!(from_a_browser(&headers(host, None)), "{host}");
        }
    }
}

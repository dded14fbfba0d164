//! How the values of variables are written.

use crate::name::{ConfigurationName, NameError};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A number alone, or with one of `units` behind it.
pub(super) fn duration(
    text: &str,
    bare: Duration,
    units: &[(&str, Duration)],
    most: Duration,
) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    let unit_length = match units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
        Some((_, length)) => Some(*length),
        None => unit.is_empty().then_some(bare),
    };
    let count = number.parse::<u32>().ok().filter(|count| *count > 0);
    let length = count.zip(unit_length).and_then(|(count, unit)| unit.checked_mul(count));
    length.filter(|length| *length <= most).ok_or_else(|| {
        let units = units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        format!("a number above 0, alone or with a unit ({units}), of at most {} s", most.as_secs())
    })
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("true or false".into()),
    }
}

pub(super) fn number<T: std::str::FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    least: T,
    most: T,
) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (&least..=&most).contains(&number));
    number.ok_or_else(|| format!("a number from {least} to {most}"))
}

/// Where the agent listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// On this machine only, over both versions of IP.
    Loopback,
    /// On all interfaces.
    All,
    /// At one address.
    Address(IpAddr),
    /// At whatever addresses a name stands for.
    Name(String),
}

pub(super) fn host(text: &str) -> Result<Host, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Host::Loopback);
    }
    if text.eq_ignore_ascii_case("all") {
        return Ok(Host::All);
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse() {
        return Ok(Host::Address(address));
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.len() <= 253 && text.bytes().all(letters) {
        return Ok(Host::Name(text.into()));
    }
    Err("all, localhost, an IP address or a host name".into())
}

/// Which lines the agent writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything, with timings.
    Trace,
    /// What somebody needs who looks for a fault.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What somebody should know.
    Warn,
    /// What went wrong.
    Error,
    /// What ends the agent.
    Fatal,
    /// Nothing.
    None,
}

pub(super) fn log_level(text: &str) -> Result<LogLevel, String> {
    match text.to_ascii_lowercase().as_str() {
        "trace" => Ok(LogLevel::Trace),
        "debug" => Ok(LogLevel::Debug),
        "info" => Ok(LogLevel::Info),
        "warn" | "warning" => Ok(LogLevel::Warn),
        "error" => Ok(LogLevel::Error),
        "fatal" => Ok(LogLevel::Fatal),
        "none" => Ok(LogLevel::None),
        _ => Err("trace, debug, info, warn, error, fatal or none".into()),
    }
}

/// Where the manifest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestPlace {
    /// In a file.
    File(PathBuf),
    /// A configuration like others.
    Configuration(ConfigurationName),
}

pub(super) fn manifest(text: &str) -> Result<ManifestPlace, String> {
    match text.strip_prefix("file:") {
        Some("") => Err("file:/path/manifest.json".into()),
        Some(path) => Ok(ManifestPlace::File(path.into())),
        None => ConfigurationName::parse(text)
            .map(ManifestPlace::Configuration)
            .map_err(|error| format!("file:/path/manifest.json, or a configuration: {error}")),
    }
}

/// The most configurations that may be named ahead.
const MAX_NAMES: usize = 1_000;

pub(super) fn names(text: &str) -> Result<Vec<ConfigurationName>, String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names = names.map(ConfigurationName::parse).collect::<Result<Vec<_>, NameError>>();
    match names {
        Ok(names) if names.len() <= MAX_NAMES => Ok(names),
        Ok(_) => Err(format!("at most {MAX_NAMES} configurations")),
        Err(error) => Err(format!("a comma-separated list: {error}")),
    }
}

/// `h1: v1, h2: v2`.
pub(super) fn headers(text: &str) -> Result<HeaderMap, String> {
    let expected = || "header: value, header: value".to_owned();
    let mut headers = HeaderMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once(':').ok_or_else(expected)?;
        let name: HeaderName = name.trim().parse().map_err(|_| expected())?;
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| expected())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// An address of HTTP or HTTPS.
pub(super) fn url(text: &str) -> Result<http::Uri, String> {
    let uri = text.parse::<http::Uri>().ok();
    let good = |uri: &http::Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    };
    uri.filter(good).ok_or_else(|| "an http:// or https:// URL".into())
}

/// A region: a part of a host's name.
pub(super) fn region(text: &str) -> Result<String, String> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = (1..=64).contains(&text.len()) && text.bytes().all(letters);
    good.then(|| text.to_owned()).ok_or_else(|| "a region like us-east-1".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn interval(text: &str) -> Option<u64> {
        let units = [("s", SECOND), ("m", SECOND * 60), ("h", SECOND * 3_600)];
        duration(text, SECOND, &units, SECOND * 86_400).ok().map(|length| length.as_secs())
    }

    #[test]
    fn durations_are_numbers_with_or_without_a_unit() {
        assert_eq!(interval("45"), Some(45));
        assert_eq!(interval("90s"), Some(90));
        assert_eq!(interval("2 m"), Some(120));
        assert_eq!(interval("1H"), Some(3_600));
        for bad in ["", "s", "0", "-1", "1.5", "1d", "25h", "99999999999", "4294967295h", "1 s s", "1ms"] {
            assert_eq!(interval(bad), None, "{bad}");
        }
    }

    #[test]
    fn hosts_are_words_addresses_or_names() {
        assert_eq!(host("ALL"), Ok(Host::All));
        assert_eq!(host("localhost"), Ok(Host::Loopback));
        assert_eq!(host("10.1.2.3"), Ok(Host::Address("10.1.2.3".parse().unwrap())));
        assert_eq!(host("[::1]"), Ok(Host::Address("::1".parse().unwrap())));
        assert_eq!(host("agent.local"), Ok(Host::Name("agent.local".into())));
        assert!(host("a host").is_err() && host("a/b").is_err());
    }

    #[test]
    fn headers_are_pairs_and_are_not_printed() {
        let read = headers("Proxy-Authorization: Basic eDp5, X-Team: a:b").unwrap();
        assert_eq!(read.get("x-team").unwrap(), "a:b");
        assert!(!format!("{read:?}").contains("eDp5"));
        assert!(headers("no colon").is_err() && headers("bad name: x").is_err());
    }

    #[test]
    fn a_manifest_is_a_file_or_a_configuration() {
        assert_eq!(manifest("file:/etc/m.json"), Ok(ManifestPlace::File("/etc/m.json".into())));
        assert!(matches!(manifest("a:b:c"), Ok(ManifestPlace::Configuration(_))));
        assert!(manifest("file:").is_err() && manifest("/etc/m.json").is_err());
    }

    #[test]
    fn urls_say_how_to_connect_and_where() {
        for good in ["http://127.0.0.1:4770", "https://example.com/base", "http://[::1]:1"] {
            assert!(url(good).is_ok(), "{good}");
        }
        for bad in ["127.0.0.1:4770", "ftp://x", "http://", "http://x?y", "x y"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text: String) {
            let _ = (interval(&text), boolean(&text), host(&text), log_level(&text), manifest(&text));
            let _ = (names(&text), headers(&text), url(&text), region(&text), number(&text, 1_u16, 9));
        }
    }
}

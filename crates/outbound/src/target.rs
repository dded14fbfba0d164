//! URLs that can be called.

use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use std::fmt;
use std::str::FromStr;

/// A URL that can be called: `http` or `https`, with a host and without a user's name. Its path may be a secret: logs get
/// [`Target::origin`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target(Uri);

impl Target {
    /// The URL.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.0
    }

    /// Scheme, host and port: what may be told of it.
    #[must_use]
    pub fn origin(&self) -> String {
        let (scheme, authority) = (self.0.scheme_str().unwrap_or(""), self.0.authority());
        format!("{scheme}://{}", authority.map_or("", |authority| authority.as_str()))
    }

    /// The URL of `path_and_query`, which starts with a slash and is percent-encoded, below this one. What this one has
    /// of a query is left out.
    ///
    /// # Errors
    /// It cannot stand in a URL.
    pub fn below(&self, path_and_query: &str) -> Result<Self, InvalidTarget> {
        let text = format!("{}{path_and_query}", self.0.path().trim_end_matches('/'));
        let invalid = || InvalidTarget(format!("{}{text}", self.origin()).into());
        let mut parts = self.0.clone().into_parts();
        parts.path_and_query = Some(text.parse::<PathAndQuery>().map_err(|_| invalid())?);
        Uri::from_parts(parts).map(Self).map_err(|_| invalid())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Target {
    /// Hides what may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}/…)", self.origin())
    }
}

/// A text that is no URL that can be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be called: write http://HOST/PATH or https://HOST/PATH, without a user's name")]
pub struct InvalidTarget(pub Box<str>);

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget(text.into());
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let callable = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme());
        let named = uri.authority().is_some_and(|given| {
            // A port that is none is taken for no port by the URL's reader.
            let port = given.as_str().strip_prefix(given.host()).unwrap_or("@");
            !given.host().is_empty() && (port.is_empty() || given.port_u16().is_some())
        });
        if callable && named { Ok(Self(uri)) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_scheme_and_a_host_and_nobodys_name() {
        for text in [
            "http://127.0.0.1:9090",
            "https://hooks.example.com/a/b?c=d",
            "http://[::1]:80/",
            "HTTPS://EXAMPLE.COM/",
        ] {
            assert!(text.parse::<Target>().is_ok(), "{text}");
        }
        for text in [
            "",
            "/path",
            "example.com",
            "ftp://example.com",
            "http://",
            "http://:80/",
            "http://me@example.com/",
            "http://me:secret@example.com/",
            "http://example.com:99999/",
            "http://exa mple.com/",
            "arn:aws:lambda:us-east-1:000000000000:function:check",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }

    #[test]
    fn one_can_go_below_a_target() {
        let base: Target = "http://prometheus:9090/below/?x=y".parse().unwrap();
        let query = base.below("/api/v1/query?query=up%3D%3D1").unwrap();
        assert_eq!(query.to_string(), "http://prometheus:9090/below/api/v1/query?query=up%3D%3D1");
        assert!(base.below("/a b").is_err());
        assert_eq!(format!("{query:?}"), "Target(http://prometheus:9090/…)");
    }
}

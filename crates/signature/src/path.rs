//! The canonical URI: the path as received, normalised, and percent-encoded once more.
//!
//! Clients sign the path after encoding it for the wire and then encode it *again* (everywhere but in S3), so
//! `/tags/arn%3Aaws` is signed as `/tags/arn%253Aaws`. Decoding first would lose what was sent; nothing is decoded here.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Everything but the unreserved characters of RFC 3986 and the slash.
const SEGMENTS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What the canonical URI is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CanonicalPath {
    /// The path with dot segments removed and slashes collapsed, which is AWS's rule for every service but S3.
    ///
    /// One signature then fits several spellings of a path, so route by [`normalize_path`], or refuse a path that it
    /// changes: what was verified must be what is served.
    #[default]
    Normalized,
    /// The path as it is.
    AsReceived,
}

/// Removes dot segments (RFC 3986 §5.2.4) and empty ones. Percent-encoded dots are ordinary characters here.
#[must_use]
pub fn normalize_path(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') && !path.contains("/.") && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut kept = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let mut normal = String::with_capacity(path.len() + 1);
    for segment in kept {
        normal.push('/');
        normal.push_str(segment);
    }
    let is_directory = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    if normal.is_empty() || is_directory {
        normal.push('/');
    }
    Cow::Owned(normal)
}

/// Appends the canonical URI of `path`.
pub(crate) fn write(out: &mut Vec<u8>, path: &str, rule: CanonicalPath) {
    let path = match rule {
        CanonicalPath::Normalized => normalize_path(path),
        CanonicalPath::AsReceived if path.is_empty() => Cow::Borrowed("/"),
        CanonicalPath::AsReceived => Cow::Borrowed(path),
    };
    percent_encode(path.as_bytes(), SEGMENTS).for_each(|part| out.extend_from_slice(part.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_and_empty_segments_disappear() {
        for (path, normal) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/..", "/"),
            ("/../..", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("//a//b//", "/a/b/"),
            ("/./a", "/a"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/a/b/../..", "/"),
            ("/a/../b", "/b"),
            ("/.hidden/a..b/...", "/.hidden/a..b/..."),
            ("/%2e%2e/a", "/%2e%2e/a"),
            ("a/b", "/a/b"),
        ] {
            assert_eq!(normalize_path(path), normal, "{path:?}");
            assert_eq!(normalize_path(normal), normal, "twice: {path:?}");
        }
    }

    #[test]
    fn what_arrives_encoded_is_encoded_again() {
        let canonical = |path| {
            let mut out = Vec::new();
            write(&mut out, path, CanonicalPath::Normalized);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(canonical("/tags/arn%3Aaws%3aappconfig"), "/tags/arn%253Aaws%253aappconfig");
        assert_eq!(canonical("/a b/é/~x_y-z.!*'()"), "/a%20b/%C3%A9/~x_y-z.%21%2A%27%28%29");
    }
}

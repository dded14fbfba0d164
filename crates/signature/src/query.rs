//! The canonical query: every parameter decoded and encoded anew, sorted by encoded name, then value.
//!
//! `+` is a space, as in every query parser that might read the parameter later (ours, Go's, `form_urlencoded`): what
//! is signed must mean what is served. Bytes are kept as they are, UTF-8 or not. A parameter without `=` has an empty
//! value; empty parameters (`&&`) do not exist.

use std::borrow::Cow;

use percent_encoding::{percent_decode_str, percent_encode_byte};

use crate::{SignatureError, limits};

/// One parameter in canonical encoding. Orders by name, then value, both encoded, as signing wants it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Parameter<'r> {
    pub(crate) name: Cow<'r, str>,
    pub(crate) value: Cow<'r, str>,
}

impl Parameter<'_> {
    /// The value as the client meant it; `None` if that is not UTF-8.
    pub(crate) fn decoded_value(&self) -> Option<Cow<'_, str>> {
        percent_decode_str(&self.value).decode_utf8().ok()
    }
}

/// Splits a raw query into canonical parameters, in canonical order.
pub(crate) fn parse(raw: &str) -> Result<Vec<Parameter<'_>>, SignatureError> {
    if raw.len() > limits::MAX_QUERY_BYTES {
        return Err(SignatureError::TooLarge { what: "query bytes", limit: limits::MAX_QUERY_BYTES });
    }
    let mut parameters = Vec::new();
    for part in raw.split('&').filter(|part| !part.is_empty()) {
        if parameters.len() == limits::MAX_QUERY_PARAMETERS {
            return Err(SignatureError::TooLarge {
                what: "query parameters",
                limit: limits::MAX_QUERY_PARAMETERS,
            });
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        parameters.push(Parameter { name: canonical(name), value: canonical(value) });
    }
    parameters.sort_unstable();
    Ok(parameters)
}

/// Appends the parameters as a canonical query string.
pub(crate) fn write(out: &mut Vec<u8>, parameters: &[Parameter<'_>]) {
    for (index, Parameter { name, value }) in parameters.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
    }
}

/// Encodes a component canonically: unreserved characters plain, the rest as `%XX` in capitals. Borrows what already is.
fn canonical(raw: &str) -> Cow<'_, str> {
    // Names and tokens are made of such characters, and are most of what is ever signed.
    if raw.bytes().all(is_unreserved) {
        return Cow::Borrowed(raw);
    }
    let mut rest = raw.as_bytes();
    let mut as_is = true;
    while let Some((octet, tail)) = Octet::first(rest) {
        as_is &= octet.is_canonical;
        rest = tail;
    }
    if as_is {
        return Cow::Borrowed(raw);
    }
    let mut encoded = String::with_capacity(raw.len() + 16);
    rest = raw.as_bytes();
    while let Some((octet, tail)) = Octet::first(rest) {
        if is_unreserved(octet.value) {
            encoded.push(char::from(octet.value));
        } else {
            encoded.push_str(percent_encode_byte(octet.value));
        }
        rest = tail;
    }
    Cow::Owned(encoded)
}

/// One byte of a decoded component.
struct Octet {
    value: u8,
    /// Whether it was written the canonical way.
    is_canonical: bool,
}

impl Octet {
    /// Decodes the first byte of a component. A `%` without two hexadecimal digits is a `%`.
    fn first(raw: &[u8]) -> Option<(Self, &[u8])> {
        let (&byte, tail) = raw.split_first()?;
        if let (b'%', Some(([high, low], tail))) = (byte, tail.split_first_chunk::<2>())
            && let Some(value) = from_digits(*high, *low)
        {
            let is_canonical =
                !is_unreserved(value) && !high.is_ascii_lowercase() && !low.is_ascii_lowercase();
            return Some((Self { value, is_canonical }, tail));
        }
        let value = if byte == b'+' { b' ' } else { byte };
        Some((Self { value, is_canonical: is_unreserved(byte) }, tail))
    }
}

fn from_digits(high: u8, low: u8) -> Option<u8> {
    let digit = |c: u8| char::from(c).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(raw: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, &parse(raw).unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn parameters_are_encoded_anew_and_sorted_by_encoded_name_then_value() {
        for (raw, canonical) in [
            ("", ""),
            ("a", "a="),
            ("a=", "a="),
            ("&&a=1&", "a=1"),
            ("=", "="),
            ("b=2&a=2&a=1&A=0", "A=0&a=1&a=2&b=2"),
            ("Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "%E1%88%B4=Value1&Param=Value2&Param-3=Value3"),
            ("ሴ=bar", "%E1%88%B4=bar"),
            ("a=b=c", "a=b%3Dc"),
            ("a=x+y%20z%2B", "a=x%20y%20z%2B"),
            ("a=%7e%41%2f%zz%", "a=~A%2F%25zz%25"),
            ("a=%FF%00", "a=%FF%00"),
            ("a=it's(*)!/:@?", "a=it%27s%28%2A%29%21%2F%3A%40%3F"),
        ] {
            assert_eq!(rewritten(raw), canonical, "{raw:?}");
            assert_eq!(rewritten(canonical), canonical, "twice: {raw:?}");
        }
    }

    #[test]
    fn canonical_components_are_borrowed() {
        assert!(matches!(canonical("arn%3Aaws%3A-._~"), Cow::Borrowed(_)));
        assert!(matches!(canonical("arn%3aaws"), Cow::Owned(_)));
    }

    #[test]
    fn too_many_parameters_are_refused() {
        let raw = "a&".repeat(limits::MAX_QUERY_PARAMETERS);
        assert_eq!(parse(&raw).unwrap().len(), limits::MAX_QUERY_PARAMETERS);
        assert!(matches!(parse(&(raw + "a")), Err(SignatureError::TooLarge { .. })));
    }
}

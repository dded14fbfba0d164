//! The `Context` header: what a caller says about the one it asks for.
//!
//! `key=value` pairs, several of them separated by commas, or in several headers. The first `=` parts key from value, so
//! a value may hold more of them; white space around a pair is no part of it. There is no escape unless the caller asks
//! for one with `Context-Encoding: percent`: then `%2C` is a comma. Where a key is given twice the last value counts.
//!
//! **Invariant:** pure, and no bytes make it panic; what it answers borrows from the header.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use yardarm_flags::Value;

/// The most keys a caller may send: each costs a look at every evaluation.
pub const MAX_KEYS: usize = 256;

/// The context key under which rules see the `Entity-Id` header.
pub const ENTITY_KEY: &str = "entityId";

/// How keys and values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    #[default]
    Plain,
    /// With `%XX` for bytes that would be taken for something else. `+` is a plus.
    Percent,
}

impl Encoding {
    /// The meaning of a `Context-Encoding` header.
    ///
    /// # Errors
    /// It is not one we know.
    pub fn parse(header: Option<&[u8]>) -> Result<Self, ContextError> {
        match header.map(<[u8]>::trim_ascii) {
            None => Ok(Self::Plain),
            Some(name) if name.eq_ignore_ascii_case(b"plain") => Ok(Self::Plain),
            Some(name) if name.eq_ignore_ascii_case(b"percent") => Ok(Self::Percent),
            Some(_) => Err(ContextError::UnknownEncoding),
        }
    }
}

/// Why a `Context` header means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// Bytes that are no UTF-8.
    #[error("the Context header is not UTF-8")]
    NotUtf8,
    /// A pair without `=`.
    #[error("`{0}` in the Context header is no key=value pair")]
    NoEquals(String),
    /// A pair that begins with `=`.
    #[error("`{0}` in the Context header has no key before its `=`")]
    NoKey(String),
    /// More keys than are read.
    #[error("the Context header has more than {MAX_KEYS} keys")]
    TooMany,
    /// A `Context-Encoding` that we do not know.
    #[error("Context-Encoding is `percent`, or absent")]
    UnknownEncoding,
}

/// What a caller says, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerContext<'h> {
    pairs: Vec<(Cow<'h, str>, Cow<'h, str>)>,
}

impl<'h> CallerContext<'h> {
    /// Reads all `Context` headers of a request, in their order.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(
        headers: impl IntoIterator<Item = &'h [u8]>,
        encoding: Encoding,
    ) -> Result<Self, ContextError> {
        let mut context = Self::default();
        for header in headers {
            let header = std::str::from_utf8(header).map_err(|_| ContextError::NotUtf8)?;
            for pair in header.split(',').map(trim).filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').ok_or_else(|| ContextError::NoEquals(shown(pair)))?;
                if key.is_empty() {
                    return Err(ContextError::NoKey(shown(pair)));
                }
                context.set(decode(key, encoding)?, decode(value, encoding)?)?;
            }
        }
        Ok(context)
    }

    /// The same, for the entity that the `Entity-Id` header names. It comes before a pair of the same key.
    ///
    /// # Errors
    /// Too many keys.
    pub fn with_entity(mut self, entity: Option<&'h str>) -> Result<Self, ContextError> {
        if let Some(entity) = entity {
            self.set(Cow::Borrowed(ENTITY_KEY), Cow::Borrowed(entity))?;
        }
        Ok(self)
    }

    fn set(&mut self, key: Cow<'h, str>, value: Cow<'h, str>) -> Result<(), ContextError> {
        if let Some((_, old)) = self.pairs.iter_mut().find(|(known, _)| *known == key) {
            *old = value;
        } else if self.pairs.len() < MAX_KEYS {
            self.pairs.push((key, value));
        } else {
            return Err(ContextError::TooMany);
        }
        Ok(())
    }

    /// Keys and values as rules read them: all values are text.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&str, Value<'_>)> {
        self.pairs.iter().map(|(key, value)| (&**key, Value::Text(value))).collect()
    }
}

/// Without the white space that HTTP allows around a list's members.
fn trim(pair: &str) -> &str {
    pair.trim_matches([' ', '\t'])
}

fn decode(text: &str, encoding: Encoding) -> Result<Cow<'_, str>, ContextError> {
    match encoding {
        Encoding::Plain => Ok(Cow::Borrowed(text)),
        Encoding::Percent => percent_decode_str(text).decode_utf8().map_err(|_| ContextError::NotUtf8),
    }
}

/// The beginning of a pair, for a message.
fn shown(pair: &str) -> String {
    const LONGEST: usize = 64;
    match pair.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", pair.get(..end).unwrap_or_default()),
        None => pair.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(headers: &[&str]) -> Result<Vec<(String, String)>, ContextError> {
        read_as(headers, Encoding::Plain)
    }

    fn read_as(headers: &[&str], encoding: Encoding) -> Result<Vec<(String, String)>, ContextError> {
        let context = CallerContext::read(headers.iter().map(|header| header.as_bytes()), encoding)?;
        Ok(context.pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    #[test]
    fn pairs_come_from_commas_and_from_repeated_headers() {
        let expected = pairs(&[("country", "DE"), ("plan", "pro"), ("userId", "u-1")]);
        assert_eq!(read(&["country=DE, plan=pro", "userId=u-1"]), Ok(expected));
    }

    #[test]
    fn the_first_equals_sign_parts_key_from_value() {
        assert_eq!(read(&["query=a=b=c"]), Ok(pairs(&[("query", "a=b=c")])));
        assert_eq!(read(&["empty="]), Ok(pairs(&[("empty", "")])));
    }

    #[test]
    fn white_space_around_a_pair_is_no_part_of_it_but_inside_it_is() {
        assert_eq!(
            read(&["  city=New York ,\tname = x"]),
            Ok(pairs(&[("city", "New York"), ("name ", " x")]))
        );
    }

    #[test]
    fn the_last_of_two_values_counts() {
        assert_eq!(read(&["a=1,b=2,a=3", "b=4"]), Ok(pairs(&[("a", "3"), ("b", "4")])));
    }

    #[test]
    fn nothing_between_commas_is_nothing() {
        assert_eq!(read(&["", " , a=1,,", ","]), Ok(pairs(&[("a", "1")])));
    }

    #[test]
    fn what_is_no_pair_is_refused_and_shown() {
        assert_eq!(read(&["a=1,userId"]), Err(ContextError::NoEquals("userId".into())));
        assert_eq!(read(&["=1"]), Err(ContextError::NoKey("=1".into())));
        let long = "ü".repeat(100);
        assert_eq!(read(&[&long]), Err(ContextError::NoEquals(format!("{}…", "ü".repeat(64)))));
        assert_eq!(
            CallerContext::read([&[0xff, b'=', b'1'][..]], Encoding::Plain),
            Err(ContextError::NotUtf8)
        );
    }

    #[test]
    fn keys_are_counted_and_bounded() {
        let many = |count: usize| (0..count).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join(",");
        assert_eq!(read(&[&many(MAX_KEYS)]).map(|pairs| pairs.len()), Ok(MAX_KEYS));
        assert_eq!(read(&[&many(MAX_KEYS + 1)]), Err(ContextError::TooMany));
        let same = "k=1,".repeat(MAX_KEYS + 1);
        assert_eq!(read(&[&same]), Ok(pairs(&[("k", "1")])));
    }

    #[test]
    fn percent_encoding_is_read_when_it_is_asked_for_only() {
        assert_eq!(read(&["a=1%2C2"]), Ok(pairs(&[("a", "1%2C2")])));
        assert_eq!(read_as(&["a%3D=1%2C2+3%"], Encoding::Percent), Ok(pairs(&[("a=", "1,2+3%")])));
        assert_eq!(read_as(&["a=%ff"], Encoding::Percent), Err(ContextError::NotUtf8));
        assert_eq!(Encoding::parse(None), Ok(Encoding::Plain));
        assert_eq!(Encoding::parse(Some(b" Percent")), Ok(Encoding::Percent));
        assert_eq!(Encoding::parse(Some(b"base64")), Err(ContextError::UnknownEncoding));
    }

    #[test]
    fn the_entity_header_comes_before_a_pair_of_its_name() {
        let context = CallerContext::read([&b"entityId=pair,a=1"[..]], Encoding::Plain).unwrap();
        let context = context.with_entity(Some("header")).unwrap();
        assert_eq!(context.attributes(), [("entityId", Value::Text("header")), ("a", Value::Text("1"))]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(header: Vec<u8>, other: Vec<u8>, percent: bool) {
            let encoding = if percent { Encoding::Percent } else { Encoding::Plain };
            let _ = CallerContext::read([&header[..], &other[..]], encoding);
        }

        #[test]
        fn percent_encoded_pairs_come_back(pairs in proptest::collection::btree_map(".{1,8}", ".{0,8}", 0..8)) {
            use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let header = pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value)));
            let header = header.collect::<Vec<_>>().join(", ");
            let read = read_as(&[&header], Encoding::Percent).unwrap();
            prop_assert_eq!(read, pairs.into_iter().collect::<Vec<_>>());
        }
    }
}

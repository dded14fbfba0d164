//! JSON as it is stored and served: compact, members sorted by key, `<`, `>` and `&` escaped.
//!
//! One writer for all forms, so that the same content always has the same bytes; content is compared and addressed by
//! its bytes. The order does not depend on how `serde_json` was built (`preserve_order` changes its maps).

use std::collections::BTreeMap;
use std::io;

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Number;

/// A JSON value that borrows its texts from a document.
#[derive(Clone, Debug)]
pub(crate) enum Json<'a> {
    Bool(bool),
    Number(&'a Number),
    Text(&'a str),
    Owned(String),
    Array(Vec<Json<'a>>),
    Object(BTreeMap<&'a str, Json<'a>>),
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Owned(value) => serializer.serialize_str(value),
            Self::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// `value` as bytes.
pub(crate) fn write(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, HtmlSafe);
    // Writing to a `Vec` does not fail, and keys are strings, the two ways in which this could go wrong.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "{written:?}");
    out
}

struct HtmlSafe;

impl serde_json::ser::Formatter for HtmlSafe {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&']) {
            let (plain, special) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let (escape, after): (&[u8], _) = match special.split_at(1) {
                ("<", after) => (b"\\u003c", after),
                (">", after) => (b"\\u003e", after),
                (_, after) => (b"\\u0026", after),
            };
            writer.write_all(escape)?;
            rest = after;
        }
        writer.write_all(rest.as_bytes())
    }
}

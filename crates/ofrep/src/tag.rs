//! Entity tags: what the bulk operation answers, named before it is made.
//!
//! **Invariants:** everything that can change an answer is in its tag, above all the whole context: a client sends the tag
//! of its last answer even after its context has changed. Nothing else is, so a tag from long ago is still good, also on
//! another node and after a rollback.

use crate::flag_set::FlagSet;
use crate::request::Request;
use crate::write;
use sha2::{Digest, Sha256};

/// Raised whenever the same flags and context are answered in other words.
const FORMAT: &[u8] = b"yardarm ofrep 1";

/// What an answer depends on, gathered.
pub(crate) struct Identity(Vec<u8>);

impl Identity {
    /// Adds a part, marked off from the next one.
    pub(crate) fn part(&mut self, part: &[u8]) {
        self.0.extend_from_slice(&(part.len() as u64).to_be_bytes());
        self.0.extend_from_slice(part);
    }
}

/// The tag, with its quotes, of the answer to `request` that offers so many streams. Their addresses are not in it: the
/// tokens in them come and go.
#[must_use]
pub fn entity_tag(set: &FlagSet<'_>, request: &Request<'_>, streams: usize) -> String {
    let mut identity = Identity(Vec::with_capacity(512));
    identity.part(FORMAT);
    set.identify(&mut identity);
    identity.part(&streams.to_be_bytes());
    canonical(&mut identity.0, request);
    tag(&Sha256::digest(&identity.0))
}

/// The context as canonical JSON, objects in it flattened: the order of members does not count.
fn canonical(out: &mut Vec<u8>, request: &Request<'_>) {
    for (key, value) in request.sorted() {
        out.push(b',');
        write::text(out, key);
        out.push(b':');
        write::context_value(out, value);
    }
}

/// 128 bits, in quotes.
fn tag(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| DIGITS.get(usize::from(four)).copied().map_or('0', char::from);
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in digest.iter().take(16) {
        tag.push(digit(byte >> 4));
        tag.push(digit(byte & 15));
    }
    tag.push('"');
    tag
}

/// Whether an `If-None-Match` header names `tag`: in quotes or without, weak, in a list, or as `*`.
#[must_use]
pub fn is_current(if_none_match: &str, tag: &str) -> bool {
    let bare = |text: &str| text.trim_matches('"').to_owned();
    let tag = bare(tag);
    if_none_match.split(',').map(str::trim).any(|one| {
        let strong = one.strip_prefix("W/").or_else(|| one.strip_prefix("w/")).unwrap_or(one);
        one == "*" || bare(strong) == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_recognised_in_every_spelling() {
        let tag = "\"00112233\"";
        for spelling in [
            "\"00112233\"",
            "W/\"00112233\"",
            "w/\"00112233\"",
            "00112233",
            "W/00112233",
            "*",
            "\"a\", \"00112233\"",
            "a,00112233",
            " \"00112233\" ",
        ] {
            assert!(is_current(spelling, tag), "{spelling}");
        }
        for other in ["", "\"\"", "\"0011223\"", "\"a\", \"b\"", "00112233x", "W/", "**"] {
            assert!(!is_current(other, tag), "{other}");
        }
    }
}

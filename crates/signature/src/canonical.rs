//! The canonical request: the one spelling of a request that client and server both hash.
//!
//! Method, path, query, the signed headers with their values, their names, and the body's digest, line by line.

use http::HeaderMap;
use sha2::{Digest as _, Sha256};

use crate::{
    ALGORITHM, BodyDigest, CanonicalPath, Scope, SigningKey, TERMINATOR,
    amz_date::AmzDate,
    digest::to_hex,
    path,
    query::{self, Parameter},
};

/// A request, by the parts that are signed.
pub(crate) struct CanonicalRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) path_rule: CanonicalPath,
    pub(crate) query: &'a [Parameter<'a>],
    pub(crate) headers: &'a HeaderMap,
    /// Names in lower case and ascending order, separated by `;`.
    pub(crate) signed_headers: &'a str,
    pub(crate) body: &'a BodyDigest,
    pub(crate) white_space: WhiteSpace,
}

/// What counts as white space inside a header's value, where signers differ: those for Rust and Go collapse spaces, as
/// AWS's documentation words it; those for Python and JavaScript any white space, of which headers may hold tabs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WhiteSpace {
    Spaces,
    SpacesAndTabs,
}

impl CanonicalRequest<'_> {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        out.extend_from_slice(self.method.as_bytes());
        out.push(b'\n');
        path::write(&mut out, self.path, self.path_rule);
        out.push(b'\n');
        query::write(&mut out, self.query);
        out.push(b'\n');
        for name in self.signed_headers.split(';') {
            out.extend_from_slice(name.as_bytes());
            for (index, value) in self.headers.get_all(name).iter().enumerate() {
                out.push(if index == 0 { b':' } else { b',' });
                write_value(&mut out, value.as_bytes(), self.white_space);
            }
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(&self.body.to_hex());
        out
    }

    /// Signs the request: the HMAC of algorithm, date, scope and the canonical request's hash.
    pub(crate) fn signature(&self, key: &SigningKey, date: &AmzDate, scope: Scope<'_>) -> [u8; 32] {
        let digest = to_hex(&Sha256::digest(self.to_bytes()).into());
        key.sign(&[
            ALGORITHM.as_bytes(),
            b"\n",
            date.as_str().as_bytes(),
            b"\n",
            scope.day.as_bytes(),
            b"/",
            scope.region.as_bytes(),
            b"/",
            scope.service.as_bytes(),
            b"/",
            TERMINATOR.as_bytes(),
            b"\n",
            &digest,
        ])
    }
}

/// Appends a header's value without outer white space and with single spaces for inner.
fn write_value(out: &mut Vec<u8>, value: &[u8], white_space: WhiteSpace) {
    let is_white = |byte: &u8| match white_space {
        WhiteSpace::Spaces => *byte == b' ',
        WhiteSpace::SpacesAndTabs => matches!(*byte, b' ' | b'\t'),
    };
    let mut words = value.split(is_white).filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        out.extend_from_slice(first);
    }
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}

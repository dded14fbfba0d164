//! SHA-256 of request bodies, and lower-case hexadecimal, the only text form of hashes in Signature Version 4.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// SHA-256 of a request's body.
///
/// A type of its own so that no other 32 bytes are taken for it, and so that a body is hashed once however often it is
/// asked about.
#[derive(Clone, Copy, Debug)]
pub struct BodyDigest([u8; 32]);

impl BodyDigest {
    /// The digest of no body at all: what every `GET` carries, without hashing anything.
    pub const EMPTY: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// Hashes a body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        if body.is_empty() { Self::EMPTY } else { Self(Sha256::digest(body).into()) }
    }

    /// Takes a SHA-256 that was computed elsewhere, say while the body arrived.
    #[must_use]
    pub const fn from_sha256(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Reads what clients write into `x-amz-content-sha256`.
    pub(crate) fn from_hex(text: &[u8]) -> Option<Self> {
        from_hex(text).map(Self)
    }

    pub(crate) fn to_hex(self) -> [u8; 64] {
        to_hex(&self.0)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Lower-case hexadecimal.
pub(crate) fn to_hex(bytes: &[u8; 32]) -> [u8; 64] {
    let digit = |n: u8| if n < 10 { b'0' + n } else { b'a' + n - 10 };
    let mut text = [0; 64];
    for ([high, low], byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *high = digit(byte >> 4);
        *low = digit(byte & 0x0f);
    }
    text
}

/// Exactly 64 lower-case digits: accepting more spellings would make a signature malleable.
pub(crate) fn from_hex(text: &[u8]) -> Option<[u8; 32]> {
    const WRONG: u8 = 0xf0;
    // Without branches, which would be mispredicted all the time: digits and letters alternate at random.
    let digit = |c: u8| {
        let (number, letter) = (c.wrapping_sub(b'0'), c.wrapping_sub(b'a'));
        let letter = if letter < 6 { letter + 10 } else { WRONG };
        if number < 10 { number } else { letter }
    };
    let text: &[u8; 64] = text.try_into().ok()?;
    let mut bytes = [0; 32];
    let mut seen = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(text.as_chunks::<2>().0) {
        let (high, low) = (digit(*high), digit(*low));
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen & WRONG == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_digest_is_the_digest_of_nothing() {
        assert_eq!(<[u8; 32]>::from(Sha256::digest(b"")), BodyDigest::EMPTY.0);
        assert!(BodyDigest::of(b"").is(&BodyDigest::EMPTY));
        assert!(!BodyDigest::of(b"x").is(&BodyDigest::EMPTY));
    }

    #[test]
    fn hexadecimal_is_lower_case_and_exactly_as_long_as_a_hash() {
        let text = BodyDigest::of(b"Param1=value1").to_hex();
        assert_eq!(&text, b"9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e");
        assert!(
            BodyDigest::from_hex(&text).is_some_and(|digest| digest.is(&BodyDigest::of(b"Param1=value1")))
        );
        for wrong in [&text.to_ascii_uppercase()[..], &text[1..], &[b'g'; 64], &[b' '; 64], b""] {
            assert!(from_hex(wrong).is_none(), "{wrong:?}");
        }
    }
}

//! References to configuration bytes. The bytes themselves live in the content store, not in the world.

use serde::{Deserialize, Serialize};
use std::fmt;

/// SHA-256 of configuration bytes; 64 lower-case hexadecimal digits in events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ContentHash> for String {
    fn from(hash: ContentHash) -> Self {
        hash.to_string()
    }
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("not a SHA-256 in hexadecimal")]
pub struct InvalidHash;

impl TryFrom<String> for ContentHash {
    type Error = InvalidHash;

    fn try_from(text: String) -> Result<Self, InvalidHash> {
        let mut hash = [0; 32];
        // `from_str_radix` takes signs and capitals, which no event has.
        if text.len() != 64 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(InvalidHash);
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| InvalidHash)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidHash)?;
        }
        Ok(Self(hash))
    }
}

/// Bytes in the content store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentRef {
    /// What they are filed under.
    pub hash: ContentHash,
    /// How many there are.
    pub size_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling() {
        let good = "0f".repeat(32);
        assert_eq!(ContentHash::try_from(good.clone()).unwrap().to_string(), good);
        for bad in ["0F".repeat(32), "+f".repeat(32), "0f".repeat(31), "0g".repeat(32)] {
            assert!(ContentHash::try_from(bad.clone()).is_err(), "{bad}");
        }
    }
}

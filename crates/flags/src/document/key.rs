//! Keys of flags and of attributes: one pattern, two types, because swapping them must not compile.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a key must match, as the service writes it.
pub(crate) const KEY_PATTERN: &str = r"^[a-z][a-zA-Z\d_-]{0,63}$";

/// A text is not a key: not 1 to 64 letters, digits, `_` and `-` beginning with a lower-case letter, or reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a {kind} key: 1 to 64 letters, digits, `_` and `-`, the first a lower-case letter, and not reserved"
)]
pub struct InvalidKey {
    /// `flag` or `attribute`.
    pub kind: &'static str,
}

pub(crate) fn is_key(text: &str) -> bool {
    let well_formed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    text.len() <= 64
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && text.bytes().all(well_formed)
}

/// The member of a value that no attribute may be called.
pub(crate) const RESERVED_ATTRIBUTE: &str = "enabled";

macro_rules! key {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $legal:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The key as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidKey;

            fn from_str(text: &str) -> Result<Self, InvalidKey> {
                let legal: fn(&str) -> bool = $legal;
                if legal(text) { Ok(Self(text.into())) } else { Err(InvalidKey { kind: $kind }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidKey;

            fn try_from(text: String) -> Result<Self, InvalidKey> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// So that maps can be asked for a text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

key!(
    /// The key of a flag: 1 to 64 letters, digits, `_` and `-`, the first a lower-case letter.
    FlagKey,
    "flag",
    is_key
);
key!(
    /// The key of an attribute: like a flag's, but not `enabled`.
    AttributeKey,
    "attribute",
    |text| is_key(text) && text != RESERVED_ATTRIBUTE
);

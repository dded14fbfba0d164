//! Identifiers. Every call of this domain takes three or four of them, all short strings: swapping two must not compile.

use crate::text::Constraint;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// A text that is no identifier of the named kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind} identifier")]
pub struct InvalidId {
    /// With its article: `an application`.
    pub kind: &'static str,
    /// What was given.
    pub text: String,
}

/// The service's resource ids: four to seven lower-case letters and digits. Ours always have seven.
fn is_resource_id(text: &str) -> bool {
    (4..=7).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}

/// Predefined strategies are addressed by name.
fn is_strategy_id(text: &str) -> bool {
    is_resource_id(text)
        || text.strip_prefix("AppConfig.").is_some_and(|name| {
            (9..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

/// Access key ids as AWS writes them: 4 to 128 letters, digits and `_`, plus `-` for names chosen by people.
fn is_access_key_id(text: &str) -> bool {
    (4..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Twelve lower-case letters and digits: the part of a bearer token that may be known.
fn is_bearer_token_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $check:path;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The identifier's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if $check(text) { Ok(Self(text.into())) } else { Err(InvalidId { kind: $kind, text: text.into() }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        /// So that maps can be asked for a text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// Names an application.
    ApplicationId, "an application", is_resource_id;
    /// Names an environment within its application.
    EnvironmentId, "an environment", is_resource_id;
    /// Names a configuration profile within its application.
    ProfileId, "a configuration profile", is_resource_id;
    /// Names a deployment strategy, own or predefined (`AppConfig.AllAtOnce`).
    StrategyId, "a deployment strategy", is_strategy_id;
    /// Names an access key: the public half of what requests are signed with.
    AccessKeyId, "an access key", is_access_key_id;
    /// Names an extension, all its versions.
    ExtensionId, "an extension", is_resource_id;
    /// Names an extension's association with a resource.
    ExtensionAssociationId, "an extension association", is_resource_id;
    /// Names one run of an action.
    InvocationId, "an invocation", is_resource_id;
    /// Names a bearer token: the part of it that may be known.
    BearerTokenId, "a bearer token", is_bearer_token_id;
}

macro_rules! fresh {
    ($($name:ident)*) => {$(
        impl $name {
            /// An identifier drawn from `entropy` for which `taken` is false. The same arguments give the same answer.
            pub(crate) fn draw(entropy: u64, taken: impl Fn(&Self) -> bool) -> Self {
                let mut attempt = 0;
                loop {
                    let id = Self(resource_id(entropy, attempt).into());
                    if !taken(&id) {
                        return id;
                    }
                    attempt += 1;
                }
            }
        }
    )*};
}

fresh! { ApplicationId EnvironmentId ProfileId StrategyId ExtensionId ExtensionAssociationId }

impl InvocationId {
    /// The id of the `index`th run because of `cause`. The same arguments give the same id.
    #[must_use]
    pub fn of(cause: u64, index: u32) -> Self {
        Self(resource_id(cause, index.into()).into())
    }
}

/// Seven characters of `[a-z0-9]`: 36^7 is 78 thousand million, so a second attempt is rare.
fn resource_id(entropy: u64, attempt: u64) -> String {
    let mut hasher = Sha256::new();
    hasher.update(entropy.to_be_bytes());
    hasher.update(attempt.to_be_bytes());
    base36(&hasher.finalize())
}

/// The id under which the service lists its built-in flag checks among a deployment's applied extensions: stable for a
/// profile across environments and versions.
pub(crate) fn flag_helper_association(profile: &ProfileId) -> String {
    base36(&Sha256::digest(profile.as_str().as_bytes()))
}

fn base36(digest: &[u8]) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    digest
        .iter()
        .take(7)
        .filter_map(|byte| DIGITS.get(usize::from(*byte) % 36))
        .map(|digit| char::from(*digit))
        .collect()
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The number after this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Constraint;

            /// Decimal digits, 1 to 2,147,483,647 (the wire's integers are signed 32 bits).
            fn from_str(text: &str) -> Result<Self, Constraint> {
                text.parse::<i32>()
                    .ok()
                    .and_then(|number| u32::try_from(number).ok())
                    .filter(|number| *number > 0)
                    .map(Self)
                    .ok_or(Constraint::Integer)
            }
        }
    )*};
}

numbers! {
    /// Number of a hosted configuration version within its profile: from 1, never reused.
    VersionNumber;
    /// Number of a version within its extension: from 1.
    ExtensionVersionNumber;
    /// Number of a deployment within its environment: from 1, shared by all profiles.
    DeploymentNumber;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_ids_have_four_to_seven_lower_case_letters_and_digits() {
        for good in ["abcd", "3zgdtsk", "0000000"] {
            assert!(good.parse::<ApplicationId>().is_ok(), "{good}");
        }
        for bad in ["", "abc", "abcdefgh", "Abcdefg", "abc def", "äbcdef"] {
            assert!(bad.parse::<ApplicationId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn strategies_may_be_predefined() {
        assert!("AppConfig.AllAtOnce".parse::<StrategyId>().is_ok());
        assert!("AppConfig.Short".parse::<StrategyId>().is_err());
    }

    #[test]
    fn a_taken_id_is_not_drawn_again() {
        let first = ApplicationId::draw(7, |_| false);
        let second = ApplicationId::draw(7, |id| *id == first);
        assert_ne!(first, second);
        assert!(second.as_str().parse::<ApplicationId>().is_ok());
        assert_eq!(first, ApplicationId::draw(7, |_| false), "the same entropy gives the same id");
    }

    #[test]
    fn numbers_are_positive_and_fit_the_wire() {
        assert_eq!("1".parse(), Ok(VersionNumber(1)));
        for bad in ["0", "-1", "2147483648", "1.0", "", "x"] {
            assert!(bad.parse::<VersionNumber>().is_err(), "{bad}");
        }
    }
}

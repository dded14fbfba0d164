//! The flag document: definitions and values, checked once by being read.
//!
//! A [`FlagDocument`] exists only if every rule of the format holds, so nothing after [`FlagDocument::read`] asks
//! again. Fields are read through methods; there is no way to build an unchecked one. Its parts can be built, because
//! clients are served parts only.
//!
//! Reading follows the service rather than the published schema where the two differ: unknown members outside `values`
//! are dropped, inside `values` they are refused; an empty array is a legal attribute value; `enabled` may be a boolean
//! in a string, null or absent. A member that is `null` counts as absent. Of duplicate keys the last one wins.

mod check;
mod constraints;
mod key;
mod members;
mod pattern;
mod read;
mod stamp;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Number;

pub use constraints::{
    ArrayConstraints, AttributeConstraints, ElementConstraints, EnumEntry, NumberConstraints,
    StringConstraints, StringRule,
};
pub(crate) use key::RESERVED_ATTRIBUTE;
pub use key::{AttributeKey, FlagKey, InvalidKey};
pub(crate) use pattern::Pattern;
pub(crate) use stamp::{stamp_text, to_millisecond};

pub use crate::rule::Rule;
use crate::violation::ReadError;

/// Largest document, as submitted and as stored: the highest quota there is, 4000 KB.
pub const MAX_DOCUMENT_BYTES: usize = 4_000 * 1024;

/// Most attributes of one flag.
pub const MAX_ATTRIBUTES: usize = 25;

/// Most variants of one flag. The published schema means 32 and the service takes more; this is twice that.
pub const MAX_VARIANTS: usize = 64;

/// Longest rule, in characters.
pub const MAX_RULE_CHARS: usize = 16_384;

/// A legal flag document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagDocument {
    pub(crate) flags: BTreeMap<FlagKey, FlagDefinition>,
    pub(crate) values: BTreeMap<FlagKey, FlagValue>,
}

impl FlagDocument {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// [`ReadError`]: too large, not JSON, or everything that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        read::read(bytes)
    }

    /// What the flags are, by key.
    #[must_use]
    pub fn flags(&self) -> &BTreeMap<FlagKey, FlagDefinition> {
        &self.flags
    }

    /// What the flags are set to, by key. A value needs no definition unless it has attributes.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<FlagKey, FlagValue> {
        &self.values
    }
}

/// When an entry of `flags` or `values` was created and last changed; absent in a document that was never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// `_createdAt`, to the millisecond.
    pub created_at: Option<Timestamp>,
    /// `_updatedAt`, to the millisecond.
    pub updated_at: Option<Timestamp>,
}

/// An entry of `flags`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagDefinition {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) deprecation: Option<Deprecation>,
    pub(crate) attributes: BTreeMap<AttributeKey, AttributeDefinition>,
    pub(crate) stamps: Stamps,
}

impl FlagDefinition {
    /// The name for people, 1 to 64 characters on one line.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// At most 1024 characters.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Set when the flag is meant to be removed. It has no effect on serving.
    #[must_use]
    pub fn deprecation(&self) -> Option<Deprecation> {
        self.deprecation
    }

    /// The attributes a value may have, at most [`MAX_ATTRIBUTES`].
    #[must_use]
    pub fn attributes(&self) -> &BTreeMap<AttributeKey, AttributeDefinition> {
        &self.attributes
    }

    /// When the definition was created and last changed.
    #[must_use]
    pub fn stamps(&self) -> Stamps {
        self.stamps
    }
}

/// `_deprecation`; its only status is `planned`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// The day by which the flag should be gone.
    pub date: Option<jiff::civil::Date>,
}

/// An entry of a definition's `attributes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeDefinition {
    pub(crate) description: Option<String>,
    pub(crate) constraints: Option<AttributeConstraints>,
}

impl AttributeDefinition {
    /// At most 1024 characters.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What values the attribute takes; `None`: any legal attribute value.
    #[must_use]
    pub fn constraints(&self) -> Option<&AttributeConstraints> {
        self.constraints.as_ref()
    }
}

/// An entry of `values`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagValue {
    pub(crate) setting: Setting,
    pub(crate) stamps: Stamps,
}

impl FlagValue {
    /// What the flag is set to.
    #[must_use]
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// When the value was created and last changed.
    #[must_use]
    pub fn stamps(&self) -> Stamps {
        self.stamps
    }
}

/// What a flag is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The same for everybody.
    Basic(State),
    /// Depending on who asks.
    Variants(Variants),
    /// `_variants` was empty: disabled, and stored without saying so.
    Nothing,
}

impl Setting {
    /// What the flag can be, for whomever.
    pub(crate) fn states(&self) -> impl Iterator<Item = &State> {
        let (basic, variants) = match self {
            Self::Basic(state) => (Some(state), None),
            Self::Variants(variants) => (None, Some(variants)),
            Self::Nothing => (None, None),
        };
        let variants = variants.into_iter().flat_map(|variants| {
            let with_rule = variants.with_rule.iter().map(|(variant, _)| variant);
            with_rule.chain([&variants.default]).map(|variant| &variant.state)
        });
        basic.into_iter().chain(variants)
    }
}

/// On or off, with attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whether the flag is on.
    pub enabled: bool,
    /// Attribute values. They are kept while the flag is off, and not served.
    pub attributes: BTreeMap<AttributeKey, AttributeValue>,
}

/// The variants of a flag in the order in which they are tried; the last one is the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variants {
    pub(crate) with_rule: Vec<(Variant, Rule)>,
    pub(crate) default: Variant,
}

impl Variants {
    /// Variants as a client was served them. That names differ and how many there are was the server's to check.
    #[must_use]
    pub fn new(with_rule: Vec<(Variant, Rule)>, default: Variant) -> Self {
        Self { with_rule, default }
    }

    /// The variants that have a rule, in the order in which they are tried.
    #[must_use]
    pub fn with_rule(&self) -> &[(Variant, Rule)] {
        &self.with_rule
    }

    /// The variant of everybody whom no rule selects.
    #[must_use]
    pub fn default_variant(&self) -> &Variant {
        &self.default
    }
}

/// One variant, its rule apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// 1 to 64 characters on one line, unique within the flag.
    pub name: String,
    /// What the flag is for those who get this variant.
    pub state: State,
}

/// The value of an attribute. An empty array is [`AttributeValue::Strings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// At most 1024 characters.
    String(String),
    /// Any number.
    Number(Number),
    /// True or false.
    Boolean(bool),
    /// An array of strings, each at most 1024 characters.
    Strings(Vec<String>),
    /// An array of numbers.
    Numbers(Vec<Number>),
}

//! The retrieval form: flags as clients have them that know no rules, `{"flag":{"_variant":"…","enabled":true,…}}`.
//!
//! The data plane serves it to plain callers, the agent answers applications with it, and a string of it stands for
//! each flag and variant in the Ion form. What is served for a flag is called its *content* here.
//!
//! **Invariants:** attributes of what is off are withheld; members are sorted, `_variant` being the first. Reading is
//! for what a server checked: any attributes of a legal type are taken, and members that begin with `_` and are not
//! known are passed over, so that a service that grows does not cut its clients off.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Number, Value};

use crate::compiled::Evaluation;
use crate::document::{
    AttributeKey, AttributeValue, FlagKey, MAX_DOCUMENT_BYTES, RESERVED_ATTRIBUTE, Setting, State, Variant,
    Variants,
};
use crate::json_text;

const VARIANT: &str = "_variant";
const ENABLED: &str = RESERVED_ATTRIBUTE;

/// Longest piece of the text in an error, in characters.
const MAX_SHOWN_CHARS: usize = 100;

/// Why bytes are not flags in the retrieval form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// More bytes than any document may have.
    #[error("flags have at most {limit} bytes, these have {size}")]
    TooLarge {
        /// The most that is read, in bytes.
        limit: usize,
        /// What was given, in bytes.
        size: usize,
    },
    /// Not JSON, or not an object.
    #[error("malformed JSON: {0}")]
    Malformed(String),
    /// A key that no flag can have.
    #[error("no flag can have the key `{0}`")]
    FlagKey(String),
    /// What stands for a flag is wrong.
    #[error("the content of flag `{flag}` is wrong")]
    Flag {
        /// The flag.
        flag: FlagKey,
        /// What is wrong.
        #[source]
        fault: ContentError,
    },
}

/// Why a text is not the content of a flag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Not JSON.
    #[error("malformed JSON: {0}")]
    Malformed(String),
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// `enabled` is missing, or no boolean.
    #[error("`enabled` must be true or false")]
    Enabled,
    /// `_variant` is no string.
    #[error("`_variant` must be a string")]
    Variant,
    /// A member that no attribute can be called.
    #[error("no attribute can be called `{0}`")]
    AttributeKey(String),
    /// An attribute that is neither a string, a number, a boolean nor an array of strings or of numbers.
    #[error("attribute `{0}` must be a string, a number, a boolean, or an array of strings or of numbers")]
    AttributeValue(AttributeKey),
}

/// What a client has of a flag, or of one variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The name of the variant; `None` for a flag without variants.
    pub variant: Option<String>,
    /// On or off, with attributes.
    pub state: State,
}

impl Content {
    /// Reads the content of one flag.
    ///
    /// # Errors
    /// [`ContentError`]: the first thing that is wrong.
    pub fn read(text: &str) -> Result<Self, ContentError> {
        let value = serde_json::from_str(text).map_err(|error| ContentError::Malformed(shown(&error)))?;
        Self::of(value)
    }

    fn of(value: Value) -> Result<Self, ContentError> {
        let Value::Object(members) = value else { return Err(ContentError::NotAnObject) };
        let mut content =
            Self { variant: None, state: State { enabled: false, attributes: BTreeMap::new() } };
        let mut enabled = None;
        for (key, value) in members {
            match (key.as_str(), value) {
                (ENABLED, Value::Bool(is)) => enabled = Some(is),
                (ENABLED, _) => return Err(ContentError::Enabled),
                (VARIANT, Value::String(name)) => content.variant = Some(name),
                (VARIANT, _) => return Err(ContentError::Variant),
                (unknown, _) if unknown.starts_with('_') => {}
                (_, value) => {
                    let key: AttributeKey = match key.parse() {
                        Ok(key) => key,
                        Err(_) => return Err(ContentError::AttributeKey(shown(&key))),
                    };
                    match attribute_value(value) {
                        Some(value) => content.state.attributes.insert(key, value),
                        None => return Err(ContentError::AttributeValue(key)),
                    };
                }
            }
        }
        content.state.enabled = enabled.ok_or(ContentError::Enabled)?;
        Ok(content)
    }

    /// The setting of a flag that is this for everybody.
    #[must_use]
    pub fn into_setting(self) -> Setting {
        let Self { variant, state } = self;
        match variant {
            None => Setting::Basic(state),
            Some(name) => Setting::Variants(Variants::new(Vec::new(), Variant { name, state })),
        }
    }
}

fn attribute_value(value: Value) -> Option<AttributeValue> {
    Some(match value {
        Value::String(text) => AttributeValue::String(text),
        Value::Number(number) => AttributeValue::Number(number),
        Value::Bool(is) => AttributeValue::Boolean(is),
        Value::Array(items) if items.first().is_some_and(Value::is_number) => {
            let number = |item| match item {
                Value::Number(number) => Some(number),
                _ => None,
            };
            AttributeValue::Numbers(items.into_iter().map(number).collect::<Option<Vec<Number>>>()?)
        }
        Value::Array(items) => {
            let text = |item| match item {
                Value::String(text) => Some(text),
                _ => None,
            };
            AttributeValue::Strings(items.into_iter().map(text).collect::<Option<Vec<String>>>()?)
        }
        Value::Null | Value::Object(_) => return None,
    })
}

/// Reads all flags of a configuration, ready for [`CompiledFlags::from_settings`](crate::CompiledFlags::from_settings).
///
/// # Errors
/// [`ReadError`]: the first thing that is wrong.
pub fn read(bytes: &[u8]) -> Result<BTreeMap<FlagKey, Setting>, ReadError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(ReadError::TooLarge { limit: MAX_DOCUMENT_BYTES, size: bytes.len() });
    }
    let flags: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| ReadError::Malformed(shown(&error)))?;
    let setting = |(key, value): (String, Value)| {
        let flag: FlagKey = key.parse().map_err(|_| ReadError::FlagKey(shown(&key)))?;
        match Content::of(value) {
            Ok(content) => Ok((flag, content.into_setting())),
            Err(fault) => Err(ReadError::Flag { flag, fault }),
        }
    };
    flags.into_iter().map(setting).collect()
}

fn shown(text: &impl ToString) -> String {
    text.to_string().chars().take(MAX_SHOWN_CHARS).collect()
}

/// The content of one flag, as `application/json`.
#[must_use]
pub fn write(evaluation: &Evaluation<'_>) -> Vec<u8> {
    json_text::write(&Written::of(evaluation))
}

/// The content of several flags by key, as `application/json`.
#[must_use]
pub fn write_all<'f>(flags: impl Iterator<Item = (&'f FlagKey, Evaluation<'f>)>) -> Vec<u8> {
    let flags: BTreeMap<&str, Written<'_>> =
        flags.map(|(key, evaluation)| (key.as_str(), Written::of(&evaluation))).collect();
    json_text::write(&flags)
}

/// The content of a flag or a variant, for writing.
#[derive(Clone, Copy)]
pub(crate) struct Written<'f> {
    variant: Option<&'f str>,
    enabled: bool,
    attributes: Option<&'f BTreeMap<AttributeKey, AttributeValue>>,
}

impl<'f> Written<'f> {
    pub(crate) fn new(variant: Option<&'f str>, state: &'f State) -> Self {
        Self {
            variant,
            enabled: state.enabled,
            attributes: Some(&state.attributes).filter(|_| state.enabled),
        }
    }

    fn of(evaluation: &Evaluation<'f>) -> Self {
        let Evaluation { variant, enabled, attributes, reason: _ } = *evaluation;
        Self { variant, enabled, attributes: Some(attributes) }
    }
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(variant) = self.variant {
            map.serialize_entry(VARIANT, variant)?;
        }
        let mut enabled = Some(self.enabled);
        for (key, value) in self.attributes.into_iter().flatten() {
            if key.as_str() > ENABLED
                && let Some(enabled) = enabled.take()
            {
                map.serialize_entry(ENABLED, &enabled)?;
            }
            map.serialize_entry(key.as_str(), &WrittenValue(value))?;
        }
        if let Some(enabled) = enabled {
            map.serialize_entry(ENABLED, &enabled)?;
        }
        map.end()
    }
}

struct WrittenValue<'f>(&'f AttributeValue);

impl Serialize for WrittenValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            AttributeValue::String(text) => serializer.serialize_str(text),
            AttributeValue::Number(number) => number.serialize(serializer),
            AttributeValue::Boolean(is) => serializer.serialize_bool(*is),
            AttributeValue::Strings(texts) => serializer.collect_seq(texts),
            AttributeValue::Numbers(numbers) => serializer.collect_seq(numbers),
        }
    }
}

/// The content of `state`, which is that of the variant called `variant`, as text.
#[must_use]
pub fn content(variant: Option<&str>, state: &State) -> String {
    String::from_utf8(json_text::write(&Written::new(variant, state))).unwrap_or_default()
}

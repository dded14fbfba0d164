//! What the ways answer, in one form.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// By key.
pub(crate) type Answers = BTreeMap<String, Answer>;

/// The answer about one key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// It was evaluated.
    Told {
        /// `None`: the caller's default applies.
        value: Option<Value>,
        variant: Option<String>,
        /// Empty where a way gives none.
        reason: String,
        /// Of the configuration.
        version: String,
    },
    /// It cannot be, and this is OpenFeature's code for why.
    Error(String),
}

impl Answer {
    pub(crate) fn variant(&self) -> Option<&str> {
        match self {
            Self::Told { variant, .. } => variant.as_deref(),
            Self::Error(_) => None,
        }
    }

    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Told { reason, .. } => reason,
            Self::Error(code) => code,
        }
    }

    pub(crate) fn without_reason(&self) -> Self {
        match self.clone() {
            Self::Told { value, variant, version, .. } => {
                Self::Told { value, variant, reason: String::new(), version }
            }
            error @ Self::Error(_) => error,
        }
    }
}

/// What the flags of a retrieval form (`{"flag":{"_variant":…,"enabled":…,…}}`) say about the keys that `like` could
/// evaluate. The version is taken from there: it is compared elsewhere.
pub(crate) fn of_retrieval_form(flags: &BTreeMap<String, Value>, like: &Answers) -> Answers {
    let known: Vec<&str> = like.keys().filter(|key| !key.contains('.')).map(String::as_str).collect();
    let found: Vec<&str> = flags.keys().map(String::as_str).collect();
    assert_eq!(found, known, "the flags there are");
    let told = like.iter().filter_map(|(key, answer)| match answer {
        Answer::Told { version, .. } => Some((key, version)),
        Answer::Error(_) => None,
    });
    told.map(|(key, version)| {
        let (flag, part) =
            key.split_once('.').map_or((key.as_str(), None), |(flag, part)| (flag, Some(part)));
        let members = flags[flag].as_object().unwrap();
        let prefix = format!("{flag}.");
        let parts: Vec<&str> = like.keys().filter_map(|key| key.strip_prefix(&prefix)).collect();
        let value = match (part, &*parts) {
            (Some(part), _) => members.get(part).cloned().map(wrapped),
            (None, []) => members.get("enabled").cloned(),
            (None, ["enabled", "value"]) => members.get("value").cloned().map(wrapped),
            (None, _) => Some(object(members)),
        };
        // Some OpenFeature clients cannot do without one.
        let variant = members.get("_variant").map_or("default", |variant| variant.as_str().unwrap());
        (
            key.clone(),
            Answer::Told {
                value,
                variant: Some(variant.into()),
                reason: String::new(),
                version: version.clone(),
            },
        )
    })
    .collect()
}

/// OpenFeature has no arrays on their own.
fn wrapped(value: Value) -> Value {
    if value.is_array() { serde_json::json!({"value": value}) } else { value }
}

fn object(members: &Map<String, Value>) -> Value {
    let shown = members.iter().filter(|(name, _)| *name != "_variant");
    Value::Object(shown.map(|(name, value)| (name.clone(), value.clone())).collect())
}

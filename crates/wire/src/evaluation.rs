//! Shapes of the native API's answers to what a flag is for somebody, and why. Its conventions: [`crate::native`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::enums::wire_enum;

/// Body of `POST` [`crate::native::paths::EVALUATE`] and [`crate::native::paths::EVALUATE_VERSION`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Evaluate {
    /// Keys: a flag's, `flag.attribute` or `flag.enabled`; each is answered once. Without them all flags are evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
    /// What is known about who asks; see [`Explain::context`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
}

/// Body of `POST` [`crate::native::paths::EXPLAIN`] and [`crate::native::paths::EXPLAIN_VERSION`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Explain {
    /// A flag's key.
    pub flag: String,
    /// What is known about who asks, as OpenFeature sends it. `targetingKey` stands for the entity: rollouts draw by it,
    /// and rules see it as `$targetingKey` and as `$entityId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
}

/// Of which version an answer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluated {
    /// Its number.
    pub version: u32,
    /// Its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where the entity stands in the deployment on its way; left out when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Drawn>,
}

/// Where an entity stands in a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drawn {
    /// The deployment's number in the environment.
    pub deployment: u32,
    /// How many it has reached, in parts per million.
    pub exposure: u32,
    /// The entity's bucket, 0 to 999999: it is inside if that is below the exposure. Left out without an entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<u32>,
    /// Whether the new version is what it gets.
    pub inside: bool,
}

/// Answer to [`Evaluate`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// Of which version.
    #[serde(flatten)]
    pub evaluated: Evaluated,
    /// The keys that were asked for, or the key of every flag, in order.
    pub flags: Vec<EvaluatedFlag>,
}

/// What one key is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluatedFlag {
    /// The key.
    pub key: String,
    /// Its value; left out where the caller's default applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The variant; left out for a flag without variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Why, in OpenFeature's words.
    pub reason: String,
}

/// Answer to [`Explain`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Of which version.
    #[serde(flatten)]
    pub evaluated: Evaluated,
    /// What the flag is.
    #[serde(flatten)]
    pub flag: EvaluatedFlag,
    /// Whether it is on.
    pub enabled: bool,
    /// The variants in the order in which they were tried; empty for a flag without variants.
    pub variants: Vec<TriedVariant>,
}

wire_enum! {
    /// What became of a variant.
    VariantOutcome {
        /// Its rule is true, so it was chosen.
        Chosen = "chosen",
        /// Its rule is not true.
        PassedOver = "passedOver",
        /// A variant above was chosen.
        NotAsked = "notAsked",
        /// It is the last one, and no rule is true.
        ChosenAsDefault = "chosenAsDefault",
    }
}

/// What became of one variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedVariant {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: VariantOutcome,
    /// What became of its rule, if it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Clause>,
}

/// What became of one part of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Clause {
    /// The part as written.
    pub text: String,
    /// Whether it is true; left out if the parts before had decided, so that nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// Why, in words; left out where the parts say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// For a split that was asked and found its values: where they lie, from 0 up to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<f64>,
    /// For a split: it takes the buckets below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// The parts of `and`, `or` and `not`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Clause>,
}

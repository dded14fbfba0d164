//! The limits of the model's simple shapes, as data.
//!
//! Each rule carries the name of its shape in the published model, so that the two can be compared. Patterns are the
//! model's text, which messages quote; the model means them unanchored unless they say otherwise, and the service
//! judges the whole value. Nothing here matches anything: whoever checks a value brings the matcher.

use serde::Serialize;

use crate::constraints::Constraint;

/// What a rule's bounds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bounded {
    /// Characters of a text.
    Characters,
    /// Entries of a list or map.
    Entries,
    /// The number itself.
    Value,
}

/// Limits of a simple shape. Bounds are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Name of the shape in the model.
    pub shape: &'static str,
    /// What the bounds count.
    pub bounded: Bounded,
    /// Lower bound.
    pub min: Option<i64>,
    /// Upper bound.
    pub max: Option<i64>,
    /// Pattern of the text, as the model spells it.
    pub pattern: Option<&'static str>,
}

impl Rule {
    /// The constraint that a value below the lower bound breaks.
    pub fn at_least(&self) -> Option<Constraint<'static>> {
        self.min.map(|min| match self.bounded {
            Bounded::Characters | Bounded::Entries => Constraint::LengthAtLeast(min),
            Bounded::Value => Constraint::ValueAtLeast(min),
        })
    }

    /// The constraint that a value above the upper bound breaks.
    pub fn at_most(&self) -> Option<Constraint<'static>> {
        self.max.map(|max| match self.bounded {
            Bounded::Characters | Bounded::Entries => Constraint::LengthAtMost(max),
            Bounded::Value => Constraint::ValueAtMost(max),
        })
    }

    /// The constraint that a value of another pattern breaks.
    pub fn matches(&self) -> Option<Constraint<'static>> {
        self.pattern.map(Constraint::Pattern)
    }
}

const fn text(shape: &'static str, min: i64, max: i64) -> Rule {
    Rule { shape, bounded: Bounded::Characters, min: Some(min), max: Some(max), pattern: None }
}

const fn pattern(shape: &'static str, pattern: &'static str) -> Rule {
    Rule { shape, bounded: Bounded::Characters, min: None, max: None, pattern: Some(pattern) }
}

const fn matching(rule: Rule, pattern: &'static str) -> Rule {
    Rule { shape: rule.shape, bounded: rule.bounded, min: rule.min, max: rule.max, pattern: Some(pattern) }
}

const fn entries(shape: &'static str, min: i64, max: i64) -> Rule {
    Rule { shape, bounded: Bounded::Entries, min: Some(min), max: Some(max), pattern: None }
}

const fn number(shape: &'static str, min: i64, max: i64) -> Rule {
    Rule { shape, bounded: Bounded::Value, min: Some(min), max: Some(max), pattern: None }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $rule:expr;)+) => {
        $($(#[$doc])* pub const $name: Rule = $rule;)+

        /// Every rule of the control plane's model.
        pub const ALL: &[Rule] = &[$($name,)+];
    };
}

rules! {
    /// Names of applications, environments and strategies.
    NAME = text("Name", 1, 64);
    /// Names of profiles.
    LONG_NAME = text("LongName", 1, 128);
    /// Names of new extensions, and of extension parameters.
    EXTENSION_OR_PARAMETER_NAME = pattern("ExtensionOrParameterName", r"^[^\/#:\n]{1,64}$");
    /// Names of new experiment definitions.
    NAME_WITH_RESERVED_AWS_PREFIX = pattern("NameWithReservedAwsPrefix", r"^(?!AWS\.).{1,64}$");
    /// Names in queries.
    QUERY_NAME = text("QueryName", 1, 64);
    /// Names and ids in the path of GetConfiguration, and its client id.
    STRING_WITH_LENGTH_BETWEEN_1_AND_64 = text("StringWithLengthBetween1And64", 1, 64);
    /// Descriptions.
    DESCRIPTION = text("Description", 0, 1024);
    /// Ids.
    ID = pattern("Id", "[a-z0-9]{4,7}");
    /// Strategies: an id or the name of a predefined one.
    DEPLOYMENT_STRATEGY_ID =
        pattern("DeploymentStrategyId", r"(^[a-z0-9]{4,7}$|^AppConfig\.[A-Za-z0-9]{9,40}$)");
    /// Ids, names or ARNs.
    IDENTIFIER = text("Identifier", 1, 2048);
    /// ARNs.
    ARN = matching(
        text("Arn", 20, 2048),
        r"arn:(aws[a-zA-Z-]*)?:[a-z]+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:[a-zA-Z0-9-_/:.]+",
    );
    /// ARNs of roles.
    ROLE_ARN = matching(
        text("RoleArn", 20, 2048),
        r"^((arn):(aws|aws-cn|aws-iso|aws-iso-[a-z]{1}|aws-us-gov|aws-eusc):(iam)::\d{12}:role[/].*)$",
    );
    /// URIs of stores and actions.
    URI = text("Uri", 1, 2048);
    /// Configuration versions: a number, a label or another store's own version.
    VERSION = text("Version", 1, 1024);
    /// Labels of hosted versions.
    VERSION_LABEL = matching(text("VersionLabel", 1, 64), ".*[^0-9].*");
    /// Content types of hosted versions.
    STRING_WITH_LENGTH_BETWEEN_1_AND_255 = text("StringWithLengthBetween1And255", 1, 255);
    /// Alarms, and values of extension parameters.
    STRING_WITH_LENGTH_BETWEEN_1_AND_2048 = text("StringWithLengthBetween1And2048", 1, 2048);
    /// Content of validators.
    STRING_WITH_LENGTH_BETWEEN_0_AND_32768 = text("StringWithLengthBetween0And32768", 0, 32768);
    /// Types of profiles.
    CONFIGURATION_PROFILE_TYPE = pattern("ConfigurationProfileType", r"^[a-zA-Z0-9\.\-]+");
    /// Keys.
    KMS_KEY_IDENTIFIER = text("KmsKeyIdentifier", 1, 2048);
    /// Keys in updates, where the empty text removes the key.
    KMS_KEY_IDENTIFIER_OR_EMPTY = text("KmsKeyIdentifierOrEmpty", 0, 2048);
    /// Keys of tags.
    TAG_KEY = text("TagKey", 1, 128);
    /// Values of tags.
    TAG_VALUE = Rule { shape: "TagValue", bounded: Bounded::Characters, min: None, max: Some(256), pattern: None };
    /// Tags of a resource.
    TAG_MAP = entries("TagMap", 0, 50);
    /// Tags to remove.
    TAG_KEY_LIST = entries("TagKeyList", 0, 50);
    /// Entries of a page.
    MAX_RESULTS = number("MaxResults", 1, 50);
    /// Tokens of pages.
    NEXT_TOKEN = text("NextToken", 1, 2048);
    /// Duration and bake of a strategy.
    MINUTES_BETWEEN_0_AND_24_HOURS = number("MinutesBetween0And24Hours", 0, 1440);
    /// Growth factors, in percent.
    GROWTH_FACTOR = number("GrowthFactor", 1, 100);
    /// Percentages in answers. The live service sends 0 too.
    PERCENTAGE = number("Percentage", 1, 100);
    /// Monitors of an environment.
    MONITOR_LIST = entries("MonitorList", 0, 5);
    /// Validators of a profile.
    VALIDATOR_LIST = entries("ValidatorList", 0, 2);
    /// Period of deletion protection, in minutes.
    DELETION_PROTECTION_DURATION = number("DeletionProtectionDuration", 15, 1440);
    /// Action points of an extension.
    ACTIONS_MAP = entries("ActionsMap", 1, 5);
    /// Actions of an action point.
    ACTION_LIST = entries("ActionList", 1, 1);
    /// Parameters of an extension.
    PARAMETER_MAP = entries("ParameterMap", 1, 10);
    /// Parameter values of an association.
    PARAMETER_VALUE_MAP = entries("ParameterValueMap", 0, 10);
    /// Dynamic parameters of a deployment.
    DYNAMIC_PARAMETER_MAP = entries("DynamicParameterMap", 1, 10);
    /// Keys of dynamic parameters.
    DYNAMIC_PARAMETER_KEY = pattern("DynamicParameterKey", r"^([^#\n]{1,96})#([^\/#\n]{1,64})$");
    /// Flags of experiments.
    FLAG_KEY = pattern("FlagKey", "^[a-z][a-zA-Z0-9_-]{1,64}");
    /// Audience rules.
    RULE = text("Rule", 1, 16384);
    /// Attributes of flags.
    ATTRIBUTE_KEY = pattern("AttributeKey", "(?!enabled$)[a-z][a-zA-Z0-9_-]{0,63}");
    /// Text values of attributes.
    ATTRIBUTE_STRING = text("AttributeString", 0, 1024);
    /// Attributes of a treatment.
    ATTRIBUTE_VALUE_MAP = entries("AttributeValueMap", 0, 25);
    /// Text arrays of attributes.
    STRING_LIST = entries("StringList", 0, 25);
    /// Number arrays of attributes.
    NUMBER_LIST = entries("NumberList", 0, 25);
    /// Treatments of a new or changed definition.
    TREATMENT_INPUT_LIST = entries("TreatmentInputList", 1, 5);
    /// Keys of treatments.
    TREATMENT_KEY = pattern("TreatmentKey", "^[a-zA-Z0-9]{1,8}");
    /// Overrides of a run.
    TREATMENT_OVERRIDE_MAP = entries("TreatmentOverrideMap", 0, 32);
    /// Entities of overrides.
    ENTITY_ID = text("EntityId", 1, 2048);
    /// Exposure of a run, in percent.
    NULLABLE_PERCENTAGE = number("NullablePercentage", 0, 100);
    /// Weights of treatments.
    WEIGHT = Rule { shape: "Weight", bounded: Bounded::Value, min: Some(0), max: None, pattern: None };
    /// Numbers of runs.
    POSITIVE_INTEGER =
        Rule { shape: "PositiveInteger", bounded: Bounded::Value, min: Some(1), max: None, pattern: None };
}

/// Limits of the data plane's model, where two names mean something else than on the control plane.
pub mod data_plane {
    use super::{Rule, number, pattern, text};

    /// Ids and names in StartConfigurationSession.
    pub const IDENTIFIER: Rule = text("Identifier", 1, 128);
    /// The session's minimum interval, in seconds.
    pub const OPTIONAL_POLL_SECONDS: Rule = number("OptionalPollSeconds", 15, 86400);
    /// Tokens.
    pub const TOKEN: Rule = pattern("Token", r"\S{1,8192}");

    /// Every rule of the data plane's model.
    pub const ALL: &[Rule] = &[IDENTIFIER, OPTIONAL_POLL_SECONDS, TOKEN];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_worded_by_what_is_bounded() {
        assert_eq!(NAME.at_most(), Some(Constraint::LengthAtMost(64)));
        assert_eq!(MONITOR_LIST.at_most(), Some(Constraint::LengthAtMost(5)));
        assert_eq!(MAX_RESULTS.at_least(), Some(Constraint::ValueAtLeast(1)));
        assert_eq!(VERSION_LABEL.matches(), Some(Constraint::Pattern(".*[^0-9].*")));
        assert_eq!(WEIGHT.at_most(), None);
    }
}

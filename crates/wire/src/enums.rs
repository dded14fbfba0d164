//! The closed sets of words on the wire.
//!
//! Each enum knows its exact spellings, in the model's order, and serializes to them. Request members of these types
//! arrive as text and are read with `parse`, so that an unknown word can be answered with the set of known ones.

/// Declares an enum whose variants are words on the wire.
macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Every spelling, in the order of [`Self::ALL`].
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The exact spelling on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Reads the exact spelling; anything else, also another letter case, is `None`.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::unknown_variant(&text, Self::WORDS))
            }
        }
    };
}
pub(crate) use wire_enum;

wire_enum! {
    /// State of a deployment.
    DeploymentState {
        /// At 100 %, still watched by alarms.
        Baking = "BAKING",
        /// Declared by the protocol; when the service shows it is not known.
        Validating = "VALIDATING",
        /// Growing.
        Deploying = "DEPLOYING",
        /// Done; may still become [`Self::Reverted`].
        Complete = "COMPLETE",
        /// Going back.
        RollingBack = "ROLLING_BACK",
        /// Went back before completion. Final.
        RolledBack = "ROLLED_BACK",
        /// Taken back after completion. Final.
        Reverted = "REVERTED",
    }
}

wire_enum! {
    /// Who started a deployment. Not in the model of `Deployment`, but on its wire.
    DeploymentType {
        /// A caller.
        User = "USER",
        /// The service itself, for an experiment.
        Managed = "MANAGED",
    }
}

wire_enum! {
    /// State of an environment.
    ///
    /// The published model spells these `READY_FOR_DEPLOYMENT` and so on, but the live service and the official
    /// waiter use the spellings below; a waiter never ends on the model's.
    EnvironmentState {
        /// No deployment in progress, the last one completed.
        ReadyForDeployment = "ReadyForDeployment",
        /// A deployment is in progress.
        Deploying = "Deploying",
        /// A deployment is going back.
        RollingBack = "RollingBack",
        /// The last deployment went back.
        RolledBack = "RolledBack",
        /// The last deployment was taken back after completion.
        Reverted = "Reverted",
    }
}

wire_enum! {
    /// How exposure grows.
    GrowthType {
        /// By the growth factor at each step.
        Linear = "LINEAR",
        /// To the growth factor times a power of two.
        Exponential = "EXPONENTIAL",
    }
}

wire_enum! {
    /// Where else a strategy is stored.
    ReplicateTo {
        /// Nowhere else.
        None = "NONE",
        /// As a Systems Manager document too.
        SsmDocument = "SSM_DOCUMENT",
    }
}

wire_enum! {
    /// Kind of a validator.
    ValidatorType {
        /// The content is a JSON Schema.
        JsonSchema = "JSON_SCHEMA",
        /// The content is the ARN of a function.
        Lambda = "LAMBDA",
    }
}

wire_enum! {
    /// Kind of an entry in a deployment's event log.
    DeploymentEventType {
        /// Exposure grew.
        PercentageUpdated = "PERCENTAGE_UPDATED",
        /// Going back began.
        RollbackStarted = "ROLLBACK_STARTED",
        /// Going back ended.
        RollbackCompleted = "ROLLBACK_COMPLETED",
        /// Exposure is at 100 %, the watch after it began.
        BakeTimeStarted = "BAKE_TIME_STARTED",
        /// The deployment began.
        DeploymentStarted = "DEPLOYMENT_STARTED",
        /// The deployment completed.
        DeploymentCompleted = "DEPLOYMENT_COMPLETED",
        /// A completed deployment was taken back.
        RevertCompleted = "REVERT_COMPLETED",
    }
}

wire_enum! {
    /// Who or what caused an event.
    TriggeredBy {
        /// A caller.
        User = "USER",
        /// The deployment's own plan.
        AppConfig = "APPCONFIG",
        /// An alarm of the environment.
        CloudWatchAlarm = "CLOUDWATCH_ALARM",
        /// A failure inside the service.
        InternalError = "INTERNAL_ERROR",
    }
}

wire_enum! {
    /// How far a deletion respects recent reads, in the header `x-amzn-deletion-protection-check`.
    DeletionProtectionCheck {
        /// As the account settings say. The meaning of an absent header too.
        AccountDefault = "ACCOUNT_DEFAULT",
        /// Check, whatever the account settings say.
        Apply = "APPLY",
        /// Do not check.
        Bypass = "BYPASS",
    }
}

wire_enum! {
    /// When an extension's action runs.
    ActionPoint {
        /// Before a hosted version is stored; may change or refuse it.
        PreCreateHostedConfigurationVersion = "PRE_CREATE_HOSTED_CONFIGURATION_VERSION",
        /// Before a deployment starts; may change its content or refuse it.
        PreStartDeployment = "PRE_START_DEPLOYMENT",
        /// Repeatedly during a deployment; may roll it back.
        AtDeploymentTick = "AT_DEPLOYMENT_TICK",
        /// After a deployment started.
        OnDeploymentStart = "ON_DEPLOYMENT_START",
        /// After exposure grew.
        OnDeploymentStep = "ON_DEPLOYMENT_STEP",
        /// After the bake began.
        OnDeploymentBaking = "ON_DEPLOYMENT_BAKING",
        /// After completion.
        OnDeploymentComplete = "ON_DEPLOYMENT_COMPLETE",
        /// After going back.
        OnDeploymentRolledBack = "ON_DEPLOYMENT_ROLLED_BACK",
    }
}

wire_enum! {
    /// What happens to a deleted experiment definition.
    DeleteType {
        /// It is kept, out of use.
        Archive = "ARCHIVE",
        /// It is gone with all its runs.
        Destroy = "DESTROY",
    }
}

wire_enum! {
    /// State of an experiment definition.
    ExperimentDefinitionStatus {
        /// A run is in progress.
        Active = "ACTIVE",
        /// No run is in progress.
        Idle = "IDLE",
        /// Deleted, but kept.
        Archived = "ARCHIVED",
    }
}

wire_enum! {
    /// State of an experiment run.
    ExperimentRunStatus {
        /// In progress.
        Running = "RUNNING",
        /// Stopped. Final.
        Done = "DONE",
    }
}

wire_enum! {
    /// Kind of an entry in the event log of an experiment run.
    ExperimentRunEventType {
        /// The run began.
        RunStarted = "RUN_STARTED",
        /// A larger part of the audience takes part.
        ExposureUpdated = "EXPOSURE_UPDATED",
        /// The overrides changed.
        OverridesUpdated = "OVERRIDES_UPDATED",
        /// The run ended.
        RunStopped = "RUN_STOPPED",
    }
}

wire_enum! {
    /// `Reason` of a BadRequestException.
    BadRequestReason {
        /// Control plane: the configuration's content was refused.
        InvalidConfiguration = "InvalidConfiguration",
        /// Data plane: a parameter was refused.
        InvalidParameters = "InvalidParameters",
    }
}

wire_enum! {
    /// What is wrong with a data-plane parameter.
    InvalidParameterProblem {
        /// Not a token of this service, or altered.
        Corrupted = "Corrupted",
        /// Older than a token lives (24 hours).
        Expired = "Expired",
        /// Sent before the session's minimum interval was over.
        PollIntervalNotSatisfied = "PollIntervalNotSatisfied",
    }
}

wire_enum! {
    /// What a data-plane ResourceNotFoundException did not find.
    ResourceType {
        /// The application.
        Application = "Application",
        /// The profile.
        ConfigurationProfile = "ConfigurationProfile",
        /// Anything deployed.
        Deployment = "Deployment",
        /// The environment.
        Environment = "Environment",
        /// What a running session was reading.
        Configuration = "Configuration",
    }
}

wire_enum! {
    /// Unit of the sizes in a PayloadTooLargeException.
    BytesMeasure {
        /// 1024 bytes.
        Kilobytes = "KILOBYTES",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_spelling_is_read() {
        for &state in DeploymentState::ALL {
            assert_eq!(DeploymentState::parse(state.as_str()), Some(state));
        }
        assert_eq!(DeploymentState::parse("complete"), None);
        assert_eq!(EnvironmentState::parse("READY_FOR_DEPLOYMENT"), None);
        assert_eq!(GrowthType::parse(""), None);
    }

    #[test]
    fn json_is_the_word_in_quotes() {
        let json = serde_json::to_string(&TriggeredBy::CloudWatchAlarm).unwrap();
        assert_eq!(json, "\"CLOUDWATCH_ALARM\"");
        assert_eq!(serde_json::from_str::<TriggeredBy>(&json).unwrap(), TriggeredBy::CloudWatchAlarm);
        let error = serde_json::from_str::<GrowthType>("\"SQUARE\"").unwrap_err();
        assert!(
            error.to_string().starts_with("unknown variant `SQUARE`, expected `LINEAR` or `EXPONENTIAL`")
        );
    }
}

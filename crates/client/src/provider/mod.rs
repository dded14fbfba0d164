//! OpenFeature: flags evaluated in the process, from what [`LiveFlags`] keeps current.
//!
//! Values are mapped as over OFREP. A flag without attributes is a boolean; one with attributes a structure of them and
//! `enabled`; each attribute is also a key of its own, `flag.attribute`, beside `flag.enabled`; a flag whose only attribute
//! is `value` is that value. Where there is no value (the attribute of a flag that is off, or of a variant that lacks it)
//! the caller's default applies: the answer is an error whose code is the reason, such as `DISABLED`.

mod context;
mod value;

use crate::follower::Freshness;
use crate::live_flags::LiveFlags;
use crate::rollout::Version;
use async_trait::async_trait;
use context::Caller;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails};
use open_feature::{
    EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationReason, EvaluationResult,
    FlagMetadata, FlagMetadataValue, StructValue,
};
use std::sync::Arc;
use std::time::Duration;
use value::Wanted;
use yardarm_flags::{Context, Reason, Resolution};

/// How long [`FeatureProvider::initialize`] waits for a server by default.
const INITIAL_WAIT: Duration = Duration::from_secs(5);

/// Resolves the flags of one configuration or several. Where two have a flag of the same key the earlier one counts.
#[derive(Debug)]
pub struct Provider {
    flags: Vec<Arc<LiveFlags>>,
    initial_wait: Duration,
    metadata: ProviderMetadata,
}

impl Provider {
    /// Resolves what `flags` has.
    #[must_use]
    pub fn new(flags: impl IntoIterator<Item = Arc<LiveFlags>>) -> Self {
        Self {
            flags: flags.into_iter().collect(),
            initial_wait: INITIAL_WAIT,
            metadata: ProviderMetadata::new("yardarm"),
        }
    }

    /// Waits this long for a server when it is registered. What is there by then is served; the rest comes later.
    #[must_use]
    pub const fn with_initial_wait(mut self, wait: Duration) -> Self {
        self.initial_wait = wait;
        self
    }

    fn resolve<T: Wanted>(
        &self,
        key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        let caller = Caller::new(context);
        let name = key.split_once('.').map_or(key, |(flag, _)| flag);
        let mut waiting = self.flags.is_empty();
        for flags in &self.flags {
            let Some(version) = flags.version_for(caller.targeting_key()) else {
                waiting |= flags.rollout().is_none();
                continue;
            };
            let Some(flag) = version.flags().flag(name) else { continue };
            if caller.lacks_key_of(flag) {
                return Err(error(
                    EvaluationErrorCode::TargetingKeyMissing,
                    format!("flag `{name}` splits by the targeting key, and the context has none"),
                ));
            }
            let attributes = caller.attributes();
            let Some(resolution) = version.flags().resolve(key, &Context::new(&attributes)) else { break };
            return details(key, &resolution, metadata(&flags.place().profile, &version, &resolution));
        }
        Err(if waiting {
            error(EvaluationErrorCode::ProviderNotReady, "no flags have been received yet".into())
        } else {
            error(EvaluationErrorCode::FlagNotFound, format!("there is no flag `{key}`"))
        })
    }
}

fn details<T: Wanted>(
    key: &str,
    resolution: &Resolution<'_>,
    metadata: FlagMetadata,
) -> EvaluationResult<ResolutionDetails<T>> {
    let reason = resolution.reason;
    let Some(resolved) = &resolution.value else {
        let message = format!("`{key}` has no value ({reason}): the default of the caller applies");
        return Err(error(EvaluationErrorCode::General(reason.as_str().into()), message));
    };
    let Some(value) = T::from_resolved(resolved) else {
        let message = format!("`{key}` is {}, not {}", value::type_name(resolved), T::NAME);
        return Err(error(EvaluationErrorCode::TypeMismatch, message));
    };
    Ok(ResolutionDetails {
        value,
        variant: Some(resolution.variant_name().into()),
        reason: Some(reason_of(reason)),
        flag_metadata: Some(metadata),
    })
}

/// What OFREP says with every flag: the profile, the version with its label, and the variant.
fn metadata(profile: &str, version: &Version, resolution: &Resolution<'_>) -> FlagMetadata {
    let text = |text: &str| FlagMetadataValue::String(text.into());
    let mut values = vec![("profile", text(profile)), ("version", text(&version.number().to_string()))];
    values.push(("variant", text(resolution.variant_name())));
    values.extend(version.label().map(|label| ("versionLabel", text(label))));
    FlagMetadata { values: values.into_iter().map(|(name, value)| (name.into(), value)).collect() }
}

const fn reason_of(reason: Reason) -> EvaluationReason {
    match reason {
        Reason::Static => EvaluationReason::Static,
        Reason::TargetingMatch => EvaluationReason::TargetingMatch,
        Reason::Split => EvaluationReason::Split,
        Reason::Default => EvaluationReason::Default,
        Reason::Disabled => EvaluationReason::Disabled,
    }
}

const fn error(code: EvaluationErrorCode, message: String) -> EvaluationError {
    EvaluationError { code, message: Some(message) }
}

#[async_trait]
impl FeatureProvider for Provider {
    async fn initialize(&mut self, _: &EvaluationContext) {
        let settled = async {
            for flags in &self.flags {
                flags.settled(self.initial_wait).await;
            }
        };
        // Together they have the time that one has.
        let _ = tokio::time::timeout(self.initial_wait, settled).await;
    }

    /// Ready; stale while a server cannot be reached or has what cannot be read; in error while there is nothing to serve.
    fn status(&self) -> ProviderStatus {
        let worst = |one: ProviderStatus, other: ProviderStatus| {
            let rank = |status: &ProviderStatus| match status {
                ProviderStatus::Ready => 0,
                ProviderStatus::STALE => 1,
                ProviderStatus::NotReady => 2,
                ProviderStatus::Error => 3,
            };
            if rank(&one) >= rank(&other) { one } else { other }
        };
        let statuses = self.flags.iter().map(|flags| match (flags.freshness(), flags.rollout().is_some()) {
            (Freshness::Current, _) => ProviderStatus::Ready,
            (Freshness::Starting | Freshness::Stale(_), true) => ProviderStatus::STALE,
            (Freshness::Starting, false) => ProviderStatus::NotReady,
            (Freshness::Stale(_), false) => ProviderStatus::Error,
        });
        statuses.reduce(worst).unwrap_or(ProviderStatus::NotReady)
    }

    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve(flag_key, evaluation_context)
    }

    async fn resolve_int_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.resolve(flag_key, evaluation_context)
    }

    async fn resolve_float_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.resolve(flag_key, evaluation_context)
    }

    async fn resolve_string_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.resolve(flag_key, evaluation_context)
    }

    async fn resolve_struct_value(
        &self,
        flag_key: &str,
        evaluation_context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.resolve(flag_key, evaluation_context)
    }
}

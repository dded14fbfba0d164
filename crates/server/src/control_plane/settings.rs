//! The account's settings.

use crate::answer::Answer;
use crate::arguments::Arguments;
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use yardarm_domain::{AccountSettings, UpdateAccountSettings};
use yardarm_wire::accounts as wire;

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    Answer::json(&settings_body(call.node.view().world.settings()))
}

pub(crate) async fn update(call: Call) -> Result<Answer, Fault> {
    let body: wire::UpdateAccountSettingsRequest = call.json()?;
    let protection = body.deletion_protection.unwrap_or_default();
    let mut arguments = Arguments::default();
    let period = arguments.optional_number(
        "DeletionProtection.ProtectionPeriodInMinutes",
        protection.protection_period_in_minutes,
        15..=1_440,
    );
    let protection_period_min = arguments.finish(period)?;
    let command = UpdateAccountSettings {
        deletion_protection: protection.enabled,
        protection_period_min,
        vended_metrics: body.vended_metrics.and_then(|metrics| metrics.enabled),
    };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    Answer::json(&settings_body(committed.view.world.settings()))
}

fn settings_body(settings: &AccountSettings) -> wire::AccountSettings {
    wire::AccountSettings {
        deletion_protection: wire::DeletionProtectionSettings {
            enabled: Some(settings.deletion_protection),
            protection_period_in_minutes: Some(settings.protection_period_min.into()),
        },
        vended_metrics: wire::VendedMetricsSettings { enabled: settings.vended_metrics },
    }
}

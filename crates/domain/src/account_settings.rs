//! Settings of the account: deletion protection and vended metrics.

use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::refusal::Refusal;
use crate::world::World;
use serde::{Deserialize, Serialize};

/// The account's settings. Off by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountSettings {
    /// Whether environments and profiles that are in use are protected from deletion.
    pub deletion_protection: bool,
    /// How long after its last use something counts as in use, minutes: 15 to 1,440.
    pub protection_period_min: u32,
    /// Whether metrics of served variants are vended; absent until somebody says so.
    pub vended_metrics: Option<bool>,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self { deletion_protection: false, protection_period_min: 60, vended_metrics: None }
    }
}

/// Changes the settings that are given.
#[derive(Clone, Debug, Default)]
pub struct UpdateAccountSettings {
    /// New value, if any.
    pub deletion_protection: Option<bool>,
    /// New value, if any: 15 to 1,440, checked at the edge.
    pub protection_period_min: Option<u32>,
    /// New value, if any.
    pub vended_metrics: Option<bool>,
}

impl Command for UpdateAccountSettings {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let old = world.settings();
        let settings = AccountSettings {
            deletion_protection: self.deletion_protection.unwrap_or(old.deletion_protection),
            protection_period_min: self.protection_period_min.unwrap_or(old.protection_period_min),
            vended_metrics: self.vended_metrics.or(old.vended_metrics),
        };
        let events = if settings == *old { vec![] } else { vec![Event::AccountSettingsUpdated { settings }] };
        Decision::new((), events)
    }
}

//! Account settings.

use serde::{Deserialize, Serialize};

use crate::body;

/// Body of UpdateAccountSettings: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateAccountSettingsRequest {
    /// Protection of recently read configuration.
    #[serde(deserialize_with = "body::object")]
    pub deletion_protection: Option<DeletionProtectionSettings>,
    /// Metrics sent to the account.
    #[serde(deserialize_with = "body::object")]
    pub vended_metrics: Option<VendedMetricsSettings>,
}

/// Answer of GetAccountSettings and UpdateAccountSettings. Both members are present although they may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountSettings {
    /// Protection of recently read configuration.
    pub deletion_protection: DeletionProtectionSettings,
    /// Metrics sent to the account.
    pub vended_metrics: VendedMetricsSettings,
}

/// Protection of environments and profiles whose configuration was read lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeletionProtectionSettings {
    /// Whether deletions are checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How long a read protects; 15–1440 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection_period_in_minutes: Option<i64>,
}

/// Metrics sent to the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VendedMetricsSettings {
    /// Whether they are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

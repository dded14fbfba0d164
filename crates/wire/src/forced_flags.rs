//! Forced flags, in the native API: the kill switch.

use crate::times::WireTime;
use serde::{Deserialize, Serialize};

/// What a flag is forced to: `"off"`, or `{"variant": NAME}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ForceTo {
    /// Off, with all its variants.
    Off,
    /// A variant for everybody, whatever rules say.
    Variant(String),
}

/// Body of `PUT` [`crate::native::paths::FORCED_FLAG`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForceFlag {
    /// What it is to be.
    pub to: ForceTo,
    /// Why; 1–1024 characters. May be given in the header `Yardarm-Reason` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Seconds until everybody has it, not only a hundredth of the clients; 1–60, by default 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grow_seconds: Option<u32>,
    /// Seconds after that in which an alarm of the environment takes it back; 0–86400, by default 60; 0 for never, also
    /// while it grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_seconds: Option<u32>,
}

/// A flag that is forced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForcedFlag {
    /// Its key.
    pub flag: String,
    /// What it is.
    pub to: ForceTo,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub forced_at: WireTime,
    /// When everybody will have it. Left out once they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grows_until: Option<WireTime>,
    /// When everybody had it. Left out until they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grown_at: Option<WireTime>,
    /// Until when alarms take it back. Left out while it grows, and if they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_until: Option<WireTime>,
    /// Alarms that fired before it was forced, or of which nobody knew. They do not take it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms_disregarded: Vec<String>,
    /// What it was forced to before: those whom this has not reached have that, and an alarm brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ForceTo>,
}

/// A flag that is forced no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedFlag {
    /// How it was forced.
    #[serde(flatten)]
    pub forced: ForcedFlag,
    /// When it was released.
    pub released_at: WireTime,
    /// Who released it. Left out if an alarm did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_reason: Option<String>,
    /// The alarm that released it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
}

/// Answer of `GET` [`crate::native::paths::FORCED_FLAGS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForcedFlags {
    /// Those that are forced, by key.
    pub items: Vec<ForcedFlag>,
    /// The last ones that were released, at most ten, oldest first.
    pub released: Vec<ReleasedFlag>,
}

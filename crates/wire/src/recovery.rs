//! How long steps and ways back take, and which versions have proved good. Part of the native API.

use serde::{Deserialize, Serialize};

use crate::enums::wire_enum;
use crate::times::WireTime;

wire_enum! {
    /// What was measured.
    Measured {
        /// A step to more clients.
        Step = "step",
        /// A deployment was taken back before it was done.
        Rollback = "rollback",
        /// A deployment was taken back after it was done.
        Revert = "revert",
    }
}

wire_enum! {
    /// What a measurement came to.
    MeasureEnd {
        /// All clients have acknowledged it.
        Complete = "complete",
        /// Something newer was served before they had.
        Superseded = "superseded",
        /// They had ten minutes.
        GivenUp = "given-up",
        /// It goes on.
        Open = "open",
        /// No client was known that acknowledges anything and had something to take.
        NoClients = "no-clients",
    }
}

/// Answer of `GET` [`crate::native::paths::RECOVERY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryReport {
    /// The middle of the times of all ways back that were measured.
    pub medians: RecoveryTimes,
    /// How many ways back there were.
    pub rollbacks: u64,
    /// How many of them were measured.
    pub measured: u64,
    /// Each of them, the newest first; at most 1,000. With `steps=true` the steps too.
    pub items: Vec<Recovery>,
}

/// Times in milliseconds; what is not known is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryTimes {
    /// From the first evidence to the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_to_decided_ms: Option<u64>,
    /// From the decision until it was served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_ms: Option<u64>,
    /// From the decision until half of the clients had acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_ms: Option<u64>,
    /// From the decision until 99 percent had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearly_all_ms: Option<u64>,
    /// From the decision until all had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_ms: Option<u64>,
}

/// A step or a way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// The application's id.
    pub application_id: String,
    /// The environment's id.
    pub environment_id: String,
    /// The configuration's name.
    pub configuration_name: String,
    /// The deployment's number in the environment.
    pub deployment_number: u64,
    /// What it is.
    pub of: Measured,
    /// To how many a step led, in parts per million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<u32>,
    /// Who or what caused a rollback, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// From when on there was the evidence that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_at: Option<WireTime>,
    /// When it was decided.
    pub decided_at: WireTime,
    /// Clients that it was waited for.
    pub clients: u64,
    /// How long it took.
    #[serde(flatten)]
    pub times: RecoveryTimes,
    /// What the measurement came to.
    pub ended: MeasureEnd,
}

/// An entry of the answer of `GET` [`crate::native::paths::KNOWN_GOOD`]: a version whose bake passed, and that was not
/// reverted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownGood {
    /// The version's number.
    pub version: u64,
    /// Its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The latest deployment that it was completed by.
    pub deployment_number: u64,
    /// SHA-256 of its stored bytes.
    pub sha256: String,
    /// When that was completed.
    pub completed_at: WireTime,
}

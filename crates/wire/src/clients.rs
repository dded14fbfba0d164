//! What clients say of what they were given, and what is told of them. Part of the native API.

use serde::{Deserialize, Serialize};

use crate::enums::wire_enum;
use crate::times::WireTime;

wire_enum! {
    /// What a client has made of what it was given.
    AcknowledgedState {
        /// It uses it.
        Applied = "applied",
        /// It could not do with it.
        Refused = "refused",
    }
}

/// Body of `POST` [`crate::native::paths::ACKNOWLEDGEMENTS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acknowledgement {
    /// What the client is called, the same every time; 1–64 characters.
    pub client: String,
    /// What it runs, as in `shop/1.4`; 1–64 characters.
    pub software: String,
    /// Whether it decides for each entity by itself, and so holds both versions of a rollout; by default it does not, and is
    /// itself drawn by its name.
    #[serde(default)]
    pub per_entity: bool,
    /// The `ETag` of what it was given, with or without its quotes; 1–256 characters.
    pub tag: String,
    /// The deployment that was on its way in what it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<u32>,
    /// What it has made of it.
    pub state: AcknowledgedState,
    /// Why it could not do with it; up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

wire_enum! {
    /// Where a client stands towards what is served.
    ClientStanding {
        /// It has it.
        Applied = "applied",
        /// It could not do with it.
        Refused = "refused",
        /// It has not said that it has it.
        Lags = "lags",
        /// It need not have it: the rollout has not reached it.
        NotExposed = "not-exposed",
    }
}

/// What a deployment asks of its clients before its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// How many of the exposed clients must have applied it, in percent.
    pub applied_percent: u8,
    /// When more than this have refused it, it is rolled back; in percent.
    pub refused_percent: u8,
}

/// Answer of `GET` [`crate::native::paths::DEPLOYMENT_CLIENTS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentClients {
    /// The deployment's number in the environment.
    pub deployment_number: u64,
    /// How many have its version, in parts per million.
    pub exposure: u32,
    /// What it asks of them, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// Why it does not go on, if it waits for clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<String>,
    /// Clients that have its version, or would have it.
    pub exposed: u32,
    /// Those that have said that they have it.
    pub applied: u32,
    /// Those that could not do with it.
    pub refused: u32,
    /// Those that have said neither.
    pub lagging: u32,
    /// All clients of the configuration that were heard of lately, by name.
    pub items: Vec<Client>,
}

/// A client that acknowledges what it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// What it is called.
    pub client: String,
    /// What it runs.
    pub software: String,
    /// Whether it decides for each entity by itself.
    pub per_entity: bool,
    /// Where it stands.
    pub standing: ClientStanding,
    /// Why it could not do with what it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was heard of last.
    pub heard_at: WireTime,
    /// From when on it has said the same.
    pub since: WireTime,
}

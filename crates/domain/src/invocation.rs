//! Runs of extensions' actions, as they are kept in a deployment's log.

use crate::extension::ActionPoint;
use crate::ids::{ExtensionAssociationId, ExtensionId, InvocationId};
use crate::text::{ActionUri, Name, RoleArn};
use serde::{Deserialize, Serialize};

/// One run of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    /// Its id, as the action was told.
    pub id: InvocationId,
    /// When in the work it ran.
    pub point: ActionPoint,
    /// Because of which association.
    pub association: ExtensionAssociationId,
    /// Of which extension.
    pub extension: ExtensionId,
    /// The action's name.
    pub action: Name,
    /// What was called.
    pub uri: ActionUri,
    /// With which role.
    pub role: Option<RoleArn>,
    /// Why it did not succeed, if it did not.
    pub failure: Option<Failure>,
}

/// Why a run of an action did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// A word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// An invocation and the entry of the deployment's log during which it ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedInvocation {
    /// Index of the entry.
    pub entry: u32,
    /// What ran.
    pub invocation: Invocation,
}

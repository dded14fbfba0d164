//! Extensions: what is called before, during and after the work on a configuration.
//!
//! An extension names actions, at most one for each [`ActionPoint`], and the parameters they take. An association ties one
//! version of an extension, with values for the parameters, to an application, an environment or a configuration profile.
//! **Invariant:** a version that is associated with anything is not deleted.

mod applies;
mod association;
mod change;
mod tick;

pub use applies::{AppliedExtension, DynamicParameter, Place};
pub use association::{
    CreateExtensionAssociation, DeleteExtensionAssociation, ExtensionAssociation, UpdateExtensionAssociation,
};
pub use change::{CreateExtension, DeleteExtension, UpdateExtension};
pub use tick::{HeedTick, Tick, ticks_due};

use crate::ids::{ExtensionId, ExtensionVersionNumber};
use crate::refusal::{Missing, Refusal};
use crate::tags::Tags;
use crate::text::{ActionUri, Description, ExtensionName, Name, ParameterName, RoleArn};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// When an action is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionPoint {
    /// Before a hosted version is stored; may change or refuse it.
    PreCreateHostedConfigurationVersion,
    /// Before a deployment starts; may change its content or refuse it.
    PreStartDeployment,
    /// Again and again during a deployment; may roll it back.
    AtDeploymentTick,
    /// After a deployment started.
    OnDeploymentStart,
    /// After more clients have got the new version.
    OnDeploymentStep,
    /// After everybody has got it.
    OnDeploymentBaking,
    /// After a deployment is done.
    OnDeploymentComplete,
    /// After a deployment was taken back.
    OnDeploymentRolledBack,
}

impl ActionPoint {
    /// Whether the work waits for the action's answer.
    #[must_use]
    pub fn is_synchronous(self) -> bool {
        match self {
            Self::PreCreateHostedConfigurationVersion | Self::PreStartDeployment | Self::AtDeploymentTick => {
                true
            }
            Self::OnDeploymentStart
            | Self::OnDeploymentStep
            | Self::OnDeploymentBaking
            | Self::OnDeploymentComplete
            | Self::OnDeploymentRolledBack => false,
        }
    }

    /// Whether it is about a deployment that has started.
    #[must_use]
    pub fn is_during_deployment(self) -> bool {
        self == Self::AtDeploymentTick || !self.is_synchronous()
    }
}

/// What is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// A URL, or an ARN that the configuration maps to one.
    pub uri: ActionUri,
    /// Kept for clients of the original service; calls here take no role.
    pub role: Option<RoleArn>,
}

/// A parameter of an extension's actions. Required ones are given by the association, dynamic ones may be given by
/// whoever starts a deployment; none is both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// What it is for.
    pub description: Option<Description>,
    /// An association must give it.
    pub required: bool,
    /// Whoever starts a deployment may give it.
    pub dynamic: bool,
}

/// The actions of an extension: 1 to 5.
pub type Actions = BTreeMap<ActionPoint, Action>;

/// The parameters of an extension: up to 10.
pub type Parameters = BTreeMap<ParameterName, Parameter>;

/// An extension: a name and the versions of what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extension {
    /// Its id.
    pub id: ExtensionId,
    /// Its name, unique in the account.
    pub name: ExtensionName,
    /// Position in the log at which it was created: the order of listings.
    pub ordinal: u64,
    /// Its versions; never empty.
    pub versions: OrdMap<ExtensionVersionNumber, Arc<ExtensionVersion>>,
}

impl Extension {
    /// The most action points an extension may have.
    pub const MOST_ACTIONS: usize = 5;
    /// The most parameters an extension may have.
    pub const MOST_PARAMETERS: usize = 10;

    /// Its highest version number.
    #[must_use]
    pub fn latest(&self) -> ExtensionVersionNumber {
        self.versions.get_max().map_or(ExtensionVersionNumber(0), |(number, _)| *number)
    }

    /// A version, or the highest one.
    ///
    /// # Errors
    /// There is no such version.
    pub fn version(&self, number: Option<ExtensionVersionNumber>) -> Result<&Arc<ExtensionVersion>, Refusal> {
        let number = number.unwrap_or_else(|| self.latest());
        self.versions.get(&number).ok_or(Refusal::NotFound(Missing::Extension))
    }
}

/// One version of an extension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtensionVersion {
    /// Its number in the extension.
    pub number: ExtensionVersionNumber,
    /// What it is for.
    pub description: Option<Description>,
    /// What is called when.
    pub actions: Actions,
    /// What the actions want to be told.
    pub parameters: Parameters,
    /// Its owner's notes.
    pub tags: Tags,
}

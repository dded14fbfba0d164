//! Every operation of the two AWS planes: where it is, how it succeeds, how it fails, what goes in and out.
//!
//! The server registers its routes by walking [`OPERATIONS`] and matching exhaustively on [`Operation::name`], so an
//! operation cannot be forgotten and its path, method and status cannot drift from this table. Operations with
//! [`Operation::served`] `false` answer [`ErrorKind::UnsupportedOperation`]; serving one is flipping that field.
//!
//! The table is also kept as data, in `golden/operations.snap.json`, for comparison with the published model.
//! Its layout: an array with one object per operation, in the order of this table, with the members
//! - `name`, `plane` (`control` or `data`), `method`, `path`, `status` (a number), `served`;
//! - `alias`: a second path, or absent;
//! - `errors`: codes, in the model's order;
//! - `input`, `output`: arrays of `{name, place, wire, required, modelled}`, where `place` is `path`, `query`,
//!   `header`, `body` (a member of the JSON body) or `payload` (the raw body), `wire` is the name at that place, and
//!   `modelled` is `false` for what the published model does not have.

use http::StatusCode;
use serde::{Serialize, Serializer};

use crate::enums::wire_enum;
use crate::errors::ErrorKind;

mod table;

pub use table::OPERATIONS;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// Its name, also the last part of its IAM action.
    pub name: OperationName,
    /// The service it belongs to.
    pub plane: Plane,
    /// Its method.
    pub method: Method,
    /// Its path, with labels in braces.
    pub path: &'static str,
    /// A second path it is served at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<&'static str>,
    /// Status of success.
    #[serde(serialize_with = "number")]
    pub status: StatusCode,
    /// Whether it is served, or only known.
    pub served: bool,
    /// The errors the model declares. Those produced in front of an operation are not declared.
    pub errors: &'static [ErrorKind],
    /// Members of the request.
    pub input: &'static [Member],
    /// Members of the successful answer.
    pub output: &'static [Member],
}

impl Operation {
    /// The paths it is served at: its own, then the alias.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.path).chain(self.alias)
    }
}

fn number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

/// The service an operation belongs to. Both sign with the service name `appconfig` and share one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Plane {
    /// `appconfig`, API version 2019-10-09.
    Control,
    /// `appconfigdata`, API version 2021-11-11.
    Data,
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Creates and starts.
    Post,
    /// Changes what is sent.
    Patch,
    /// Deletes and stops.
    Delete,
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// Where a member travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A label of the path.
    Path,
    /// The query.
    Query,
    /// A header.
    Header,
    /// A member of the JSON body.
    Body,
    /// The raw body.
    Payload,
}

/// A member of a request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its name in the model.
    pub name: &'static str,
    /// Where it travels.
    pub place: Place,
    /// Its name at that place; meaningless for a payload.
    pub wire: &'static str,
    /// Whether a request must have it.
    pub required: bool,
    /// Whether the published model has it.
    pub modelled: bool,
}

impl Member {
    const fn new(name: &'static str, place: Place, wire: &'static str) -> Self {
        Self { name, place, wire, required: false, modelled: true }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn unmodelled(self) -> Self {
        Self { modelled: false, ..self }
    }
}

const fn path(name: &'static str) -> Member {
    Member::new(name, Place::Path, name).required()
}

const fn query(name: &'static str, wire: &'static str) -> Member {
    Member::new(name, Place::Query, wire)
}

const fn header(name: &'static str, wire: &'static str) -> Member {
    Member::new(name, Place::Header, wire)
}

const fn body(name: &'static str) -> Member {
    Member::new(name, Place::Body, name)
}

const fn payload(name: &'static str) -> Member {
    Member::new(name, Place::Payload, name)
}

wire_enum! {
    /// The name of an operation.
    OperationName {
        /// Creates an application.
        CreateApplication = "CreateApplication",
        /// Reads an application.
        GetApplication = "GetApplication",
        /// Changes an application.
        UpdateApplication = "UpdateApplication",
        /// Deletes an empty application.
        DeleteApplication = "DeleteApplication",
        /// Lists applications.
        ListApplications = "ListApplications",
        /// Creates an environment.
        CreateEnvironment = "CreateEnvironment",
        /// Reads an environment.
        GetEnvironment = "GetEnvironment",
        /// Changes an environment.
        UpdateEnvironment = "UpdateEnvironment",
        /// Deletes an environment.
        DeleteEnvironment = "DeleteEnvironment",
        /// Lists an application's environments.
        ListEnvironments = "ListEnvironments",
        /// Creates a profile.
        CreateConfigurationProfile = "CreateConfigurationProfile",
        /// Reads a profile.
        GetConfigurationProfile = "GetConfigurationProfile",
        /// Changes a profile.
        UpdateConfigurationProfile = "UpdateConfigurationProfile",
        /// Deletes a profile without hosted versions.
        DeleteConfigurationProfile = "DeleteConfigurationProfile",
        /// Lists an application's profiles.
        ListConfigurationProfiles = "ListConfigurationProfiles",
        /// Runs a profile's validators on a version.
        ValidateConfiguration = "ValidateConfiguration",
        /// Stores content as a new version.
        CreateHostedConfigurationVersion = "CreateHostedConfigurationVersion",
        /// Reads a version with its content.
        GetHostedConfigurationVersion = "GetHostedConfigurationVersion",
        /// Deletes a version; what is deployed stays.
        DeleteHostedConfigurationVersion = "DeleteHostedConfigurationVersion",
        /// Lists a profile's versions, newest first.
        ListHostedConfigurationVersions = "ListHostedConfigurationVersions",
        /// Creates a strategy.
        CreateDeploymentStrategy = "CreateDeploymentStrategy",
        /// Reads a strategy.
        GetDeploymentStrategy = "GetDeploymentStrategy",
        /// Changes a strategy.
        UpdateDeploymentStrategy = "UpdateDeploymentStrategy",
        /// Deletes a strategy.
        DeleteDeploymentStrategy = "DeleteDeploymentStrategy",
        /// Lists strategies, the predefined ones too.
        ListDeploymentStrategies = "ListDeploymentStrategies",
        /// Begins a deployment.
        StartDeployment = "StartDeployment",
        /// Reads a deployment.
        GetDeployment = "GetDeployment",
        /// Rolls a deployment back, or takes a completed one back.
        StopDeployment = "StopDeployment",
        /// Lists an environment's deployments, newest first.
        ListDeployments = "ListDeployments",
        /// Reads deployed configuration. Deprecated; not for feature flags.
        GetConfiguration = "GetConfiguration",
        /// Adds or replaces tags.
        TagResource = "TagResource",
        /// Removes tags.
        UntagResource = "UntagResource",
        /// Reads a resource's tags.
        ListTagsForResource = "ListTagsForResource",
        /// Reads the account's settings.
        GetAccountSettings = "GetAccountSettings",
        /// Changes the account's settings.
        UpdateAccountSettings = "UpdateAccountSettings",
        /// Creates an extension, or a new version of one.
        CreateExtension = "CreateExtension",
        /// Reads an extension.
        GetExtension = "GetExtension",
        /// Changes an extension.
        UpdateExtension = "UpdateExtension",
        /// Deletes a version of an extension.
        DeleteExtension = "DeleteExtension",
        /// Lists extensions.
        ListExtensions = "ListExtensions",
        /// Associates an extension with a resource.
        CreateExtensionAssociation = "CreateExtensionAssociation",
        /// Reads an association.
        GetExtensionAssociation = "GetExtensionAssociation",
        /// Changes an association's parameters.
        UpdateExtensionAssociation = "UpdateExtensionAssociation",
        /// Deletes an association.
        DeleteExtensionAssociation = "DeleteExtensionAssociation",
        /// Lists associations.
        ListExtensionAssociations = "ListExtensionAssociations",
        /// Creates an experiment definition.
        CreateExperimentDefinition = "CreateExperimentDefinition",
        /// Reads an experiment definition.
        GetExperimentDefinition = "GetExperimentDefinition",
        /// Changes an experiment definition.
        UpdateExperimentDefinition = "UpdateExperimentDefinition",
        /// Archives or destroys an experiment definition.
        DeleteExperimentDefinition = "DeleteExperimentDefinition",
        /// Lists the account's experiment definitions.
        ListExperimentDefinitions = "ListExperimentDefinitions",
        /// Begins a run.
        StartExperimentRun = "StartExperimentRun",
        /// Reads a run.
        GetExperimentRun = "GetExperimentRun",
        /// Changes a run.
        UpdateExperimentRun = "UpdateExperimentRun",
        /// Ends a run.
        StopExperimentRun = "StopExperimentRun",
        /// Lists a definition's runs.
        ListExperimentRuns = "ListExperimentRuns",
        /// Lists what happened in a run.
        ListExperimentRunEvents = "ListExperimentRunEvents",
        /// Begins a session of polling.
        StartConfigurationSession = "StartConfigurationSession",
        /// Reads configuration when it has changed.
        GetLatestConfiguration = "GetLatestConfiguration",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn labels(path: &str) -> Vec<&str> {
        path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    #[test]
    fn every_operation_is_in_the_table_once() {
        let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        assert_eq!(names, OperationName::ALL);
    }

    #[test]
    fn no_two_operations_share_a_route() {
        let mut routes = HashSet::new();
        for operation in OPERATIONS {
            for path in operation.paths() {
                let shape: Vec<_> =
                    path.split('/').map(|p| if p.starts_with('{') { "{}" } else { p }).collect();
                assert!(routes.insert((operation.method, shape)), "{} {path}", operation.name);
            }
        }
    }

    #[test]
    fn path_members_are_the_labels_of_every_path() {
        for operation in OPERATIONS {
            let mut members: Vec<_> =
                operation.input.iter().filter(|m| m.place == Place::Path).map(|m| m.wire).collect();
            members.sort_unstable();
            for path in operation.paths() {
                let mut labels = labels(path);
                labels.sort_unstable();
                assert_eq!(labels, members, "{path}");
            }
        }
    }

    #[test]
    fn an_answer_without_content_has_no_members() {
        for operation in OPERATIONS {
            assert_eq!(
                operation.status == StatusCode::NO_CONTENT,
                operation.output.is_empty(),
                "{}",
                operation.name
            );
        }
    }

    #[test]
    fn header_members_have_their_constant() {
        for operation in OPERATIONS {
            for member in operation.input.iter().chain(operation.output).filter(|m| m.place == Place::Header)
            {
                let name: http::HeaderName = member.wire.parse().unwrap();
                assert!(name == http::header::CONTENT_TYPE || crate::headers::ALL.contains(&name), "{name}");
            }
        }
    }

    #[test]
    fn the_misspelt_path_is_served_beside_the_right_one() {
        let delete = OPERATIONS.iter().find(|o| o.name == OperationName::DeleteDeploymentStrategy).unwrap();
        assert_eq!(
            delete.paths().collect::<Vec<_>>(),
            ["/deployementstrategies/{DeploymentStrategyId}", "/deploymentstrategies/{DeploymentStrategyId}"]
        );
    }
}

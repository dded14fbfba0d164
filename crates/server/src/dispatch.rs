//! From the name of an operation to its handler. The match is exhaustive: an operation cannot be forgotten.

use crate::answer::Answer;
use crate::call::Call;
use crate::control_plane::{
    applications, configuration_profiles, deployment_strategies, deployments, environments,
    extension_associations, extensions, hosted_versions, settings, tags,
};
use crate::data_plane;
use crate::fault::Fault;
use std::future::Future;
use std::pin::Pin;
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::operations::OperationName;

/// A handler's answer under way.
type Answering = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send>>;

/// Has `call` answered by the handler of `operation`.
pub(crate) fn dispatch(operation: OperationName, call: Call) -> Answering {
    use OperationName as Op;
    match operation {
        Op::CreateApplication => Box::pin(applications::create(call)),
        Op::GetApplication => Box::pin(applications::get(call)),
        Op::ListApplications => Box::pin(applications::list(call)),
        Op::UpdateApplication => Box::pin(applications::update(call)),
        Op::DeleteApplication => Box::pin(applications::delete(call)),
        Op::CreateEnvironment => Box::pin(environments::create(call)),
        Op::GetEnvironment => Box::pin(environments::get(call)),
        Op::ListEnvironments => Box::pin(environments::list(call)),
        Op::UpdateEnvironment => Box::pin(environments::update(call)),
        Op::DeleteEnvironment => Box::pin(environments::delete(call)),
        Op::CreateConfigurationProfile => Box::pin(configuration_profiles::create(call)),
        Op::GetConfigurationProfile => Box::pin(configuration_profiles::get(call)),
        Op::ListConfigurationProfiles => Box::pin(configuration_profiles::list(call)),
        Op::UpdateConfigurationProfile => Box::pin(configuration_profiles::update(call)),
        Op::DeleteConfigurationProfile => Box::pin(configuration_profiles::delete(call)),
        Op::ValidateConfiguration => Box::pin(configuration_profiles::validate(call)),
        Op::CreateHostedConfigurationVersion => Box::pin(hosted_versions::create(call)),
        Op::GetHostedConfigurationVersion => Box::pin(hosted_versions::get(call)),
        Op::ListHostedConfigurationVersions => Box::pin(hosted_versions::list(call)),
        Op::DeleteHostedConfigurationVersion => Box::pin(hosted_versions::delete(call)),
        Op::CreateDeploymentStrategy => Box::pin(deployment_strategies::create(call)),
        Op::GetDeploymentStrategy => Box::pin(deployment_strategies::get(call)),
        Op::ListDeploymentStrategies => Box::pin(deployment_strategies::list(call)),
        Op::UpdateDeploymentStrategy => Box::pin(deployment_strategies::update(call)),
        Op::DeleteDeploymentStrategy => Box::pin(deployment_strategies::delete(call)),
        Op::StartDeployment => Box::pin(deployments::start(call)),
        Op::GetDeployment => Box::pin(deployments::get(call)),
        Op::ListDeployments => Box::pin(deployments::list(call)),
        Op::StopDeployment => Box::pin(deployments::stop(call)),
        Op::TagResource => Box::pin(tags::tag(call)),
        Op::UntagResource => Box::pin(tags::untag(call)),
        Op::ListTagsForResource => Box::pin(tags::list(call)),
        Op::GetAccountSettings => Box::pin(settings::get(call)),
        Op::UpdateAccountSettings => Box::pin(settings::update(call)),
        Op::GetConfiguration => Box::pin(data_plane::get_configuration(call)),
        Op::StartConfigurationSession => Box::pin(data_plane::start_configuration_session(call)),
        Op::GetLatestConfiguration => Box::pin(data_plane::get_latest_configuration(call)),
        Op::CreateExtension => Box::pin(extensions::create(call)),
        Op::GetExtension => Box::pin(extensions::get(call)),
        Op::ListExtensions => Box::pin(extensions::list(call)),
        Op::UpdateExtension => Box::pin(extensions::update(call)),
        Op::DeleteExtension => Box::pin(extensions::delete(call)),
        Op::CreateExtensionAssociation => Box::pin(extension_associations::create(call)),
        Op::GetExtensionAssociation => Box::pin(extension_associations::get(call)),
        Op::ListExtensionAssociations => Box::pin(extension_associations::list(call)),
        Op::UpdateExtensionAssociation => Box::pin(extension_associations::update(call)),
        Op::DeleteExtensionAssociation => Box::pin(extension_associations::delete(call)),
        Op::CreateExperimentDefinition
        | Op::GetExperimentDefinition
        | Op::ListExperimentDefinitions
        | Op::UpdateExperimentDefinition
        | Op::DeleteExperimentDefinition
        | Op::StartExperimentRun
        | Op::GetExperimentRun
        | Op::ListExperimentRuns
        | Op::ListExperimentRunEvents
        | Op::UpdateExperimentRun
        | Op::StopExperimentRun => Box::pin(std::future::ready(Err(not_served(operation)))),
    }
}

fn not_served(operation: OperationName) -> Fault {
    let message = format!("Yardarm does not serve {} yet.", operation.as_str());
    Fault::told(ErrorKind::UnsupportedOperation, message)
}

//! Extensions.

use super::described;
use super::pages::{List, PageRequest};
use crate::answer::Answer;
use crate::arguments::{Arguments, Checked, MOST};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use std::collections::BTreeMap;
use yardarm_domain::{
    Account, Action, ActionPoint, Actions, Constraint as Limit, CreateExtension, DeleteExtension, Extension,
    ExtensionId, ExtensionVersion, ExtensionVersionNumber, Missing, Parameter, ParameterName, Parameters,
    Refusal, Resource, UpdateExtension,
};
use yardarm_node::View;
use yardarm_wire::constraints::Constraint;
use yardarm_wire::{enums, extensions as wire, headers};

pub(crate) async fn create(call: Call) -> Result<Answer, Fault> {
    let body: wire::CreateExtensionRequest = call.json()?;
    let latest = call.header(&headers::LATEST_VERSION_NUMBER);
    let mut arguments = Arguments::default();
    let name = arguments.required("Name", body.name.as_deref());
    let description = arguments.optional("Description", body.description.as_deref());
    let actions = match body.actions {
        Some(sent) => actions(&mut arguments, sent),
        None => arguments.missing("Actions"),
    };
    let parameters = parameters(&mut arguments, body.parameters);
    let tags = arguments.tags(body.tags);
    let latest = arguments.optional_number_text("LatestVersionNumber", latest.as_deref(), 0..=MOST);
    let (name, description, actions, parameters, tags, latest_version) =
        arguments.finish((name, description, actions, parameters, tags, latest))?;
    reachable(&call, &actions)?;
    let parameters = parameters.unwrap_or_default();
    let command = CreateExtension { name, description, actions, parameters, tags, latest_version };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    let (id, version) = committed.outcome;
    changed(&call, &committed.view, &id, version, body.description.as_deref())
}

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    let version = call.query("version_number");
    let view = call.node.view();
    let (extension, number) = named(&call, &view, version.as_deref())?;
    let version = extension.version(number).or_fault(&call)?;
    Answer::json(&extension_body(&call.node.config().account, extension, version))
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let name = call.query("name");
    let mut arguments = Arguments::default();
    let page = PageRequest::read(&mut arguments, &call);
    let name = arguments.optional_text("Name", name.as_deref(), 1..=64);
    let (page, name) = arguments.finish((page, name))?;
    let place = page.of(List::Extensions)?;
    let view = call.node.view();
    let account = &call.node.config().account;
    let wanted =
        |extension: &&std::sync::Arc<Extension>| name.is_none_or(|name| extension.name.as_str() == name);
    let found = view.world.extensions().values().filter(wanted);
    let latest = found.filter_map(|extension| {
        Some((extension.ordinal, (extension, extension.versions.get_max().map(|(_, version)| version)?)))
    });
    Answer::json(&place.sorted(latest, |(extension, version)| wire::ExtensionSummary {
        id: extension.id.to_string(),
        name: extension.name.to_string(),
        version_number: version.number.0.into(),
        arn: account.arn(&Resource::Extension(extension.id.clone(), version.number)),
        description: version.description.as_ref().map(ToString::to_string),
    }))
}

pub(crate) async fn update(call: Call) -> Result<Answer, Fault> {
    let body: wire::UpdateExtensionRequest = call.json()?;
    let mut arguments = Arguments::default();
    let description = arguments.optional("Description", body.description.as_deref());
    let actions = match body.actions {
        Some(sent) => actions(&mut arguments, sent).map(Some),
        None => Checked::fine(None),
    };
    let parameters = parameters(&mut arguments, body.parameters);
    let version = arguments.optional_number("VersionNumber", body.version_number, 1..=MOST);
    let (description, actions, parameters, version) =
        arguments.finish((description, actions, parameters, version))?;
    if let Some(actions) = &actions {
        reachable(&call, actions)?;
    }
    let version = version.map(|number| number.to_string());
    let (extension, version) = ids(&call, version.as_deref())?;
    let command = UpdateExtension { extension: extension.clone(), version, description, actions, parameters };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &extension, committed.outcome, body.description.as_deref())
}

pub(crate) async fn delete(call: Call) -> Result<Answer, Fault> {
    let version = call.query("version");
    let (extension, version) = ids(&call, version.as_deref())?;
    call.node.execute(DeleteExtension { extension, version }, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

/// The extension that the path names, and which version of it: by the query, or by an ARN.
fn named<'v>(
    call: &Call,
    view: &'v View,
    version: Option<&str>,
) -> Result<(&'v Extension, Option<ExtensionVersionNumber>), Fault> {
    let mut arguments = Arguments::default();
    let identifier =
        arguments.text("ExtensionIdentifier", Some(call.label("ExtensionIdentifier")), 1..=2_048);
    let version = arguments.optional_number_text("VersionNumber", version, 1..=MOST);
    let (identifier, version) = arguments.finish((identifier, version))?;
    find(call, view, identifier, version.map(ExtensionVersionNumber))
}

fn ids(call: &Call, version: Option<&str>) -> Result<(ExtensionId, Option<ExtensionVersionNumber>), Fault> {
    let view = call.node.view();
    let (extension, version) = named(call, &view, version)?;
    Ok((extension.id.clone(), version))
}

/// The extension that `identifier` names, by id, name or ARN, and which version of it.
pub(super) fn find<'v>(
    call: &Call,
    view: &'v View,
    identifier: &str,
    version: Option<ExtensionVersionNumber>,
) -> Result<(&'v Extension, Option<ExtensionVersionNumber>), Fault> {
    if !identifier.starts_with("arn:") {
        return Ok((view.world.find_extension(identifier).or_fault(call)?, version));
    }
    let Some(Resource::Extension(id, number)) = call.node.config().account.resource(identifier) else {
        return Err(Refusal::NotFound(Missing::Extension)).or_fault(call);
    };
    if version.is_some_and(|version| version != number) {
        return Err(Fault::bad_request(format!(
            "Version number in ExtensionIdentifier ARN {identifier} does not match request ExtensionVersionNumber \
             {number}."
        )));
    }
    Ok((view.world.extension(&id).or_fault(call)?, Some(number)))
}

/// What is called must be something that can be: a URL that is one, or an ARN, which may be mapped to one later.
fn reachable(call: &Call, actions: &Actions) -> Result<(), Fault> {
    let urls = actions.values().map(|action| &action.uri).filter(|uri| !uri.as_str().starts_with("arn:"));
    for uri in urls {
        if let Err(failure) = call.node.reaches(uri.as_str())
            && failure.code == "InvalidTarget"
        {
            return Err(Fault::bad_request(failure.message));
        }
    }
    Ok(())
}

fn actions(arguments: &mut Arguments, sent: BTreeMap<String, Vec<wire::ActionInput>>) -> Checked<Actions> {
    if sent.is_empty() {
        return arguments.refused("Actions", "{}", Constraint::LengthAtLeast(1));
    }
    if sent.len() > Extension::MOST_ACTIONS {
        return arguments.concealed("Actions", Limit::MaxLength(Extension::MOST_ACTIONS));
    }
    let mut all = Checked::fine(Actions::new());
    for (point, mut sent) in sent {
        let member = format!("Actions.{point}");
        let word = enums::ActionPoint::parse(&point).map(domain_point);
        let checked = match (word, sent.pop()) {
            (None, _) => {
                let words = enums::ActionPoint::WORDS.join(", ");
                let limit = format!(
                    "Map keys must satisfy constraint: [Member must satisfy enum value set: [{words}]]"
                );
                arguments.refused("Actions", &point, limit)
            }
            (Some(_), None) => arguments.refused(&member, "[]", Constraint::LengthAtLeast(1)),
            (Some(_), Some(_)) if !sent.is_empty() => {
                arguments.concealed(&member, Constraint::LengthAtMost(1))
            }
            (Some(point), Some(input)) => {
                let place = format!("{member}.1.member");
                let name = arguments.required(&format!("{place}.Name"), input.name.as_deref());
                let description =
                    arguments.optional(&format!("{place}.Description"), input.description.as_deref());
                let uri = arguments.required(&format!("{place}.Uri"), input.uri.as_deref());
                let role = arguments.optional(&format!("{place}.RoleArn"), input.role_arn.as_deref());
                Checked::all((name, description, uri, role))
                    .map(|(name, description, uri, role)| (point, Action { name, description, uri, role }))
            }
        };
        all = Checked::all((all, checked)).map(|(mut all, (point, action))| {
            all.insert(point, action);
            all
        });
    }
    all
}

fn parameters(
    arguments: &mut Arguments,
    sent: Option<BTreeMap<String, wire::ParameterInput>>,
) -> Checked<Option<Parameters>> {
    let Some(sent) = sent else { return Checked::fine(None) };
    if sent.is_empty() {
        return arguments.refused("Parameters", "{}", Constraint::LengthAtLeast(1));
    }
    if sent.len() > Extension::MOST_PARAMETERS {
        return arguments.concealed("Parameters", Limit::MaxLength(Extension::MOST_PARAMETERS));
    }
    let mut all = Checked::fine(Parameters::new());
    for (name, input) in sent {
        let key = parameter_name(arguments, "Parameters", &name);
        let place = format!("Parameters.{name}.Description");
        let description = arguments.optional(&place, input.description.as_deref());
        let (required, dynamic) = (input.required.unwrap_or(false), input.dynamic.unwrap_or(false));
        all = Checked::all((all, key, description)).map(|(mut all, name, description)| {
            all.insert(name, Parameter { description, required, dynamic });
            all
        });
    }
    all.map(Some)
}

/// A key of a map of parameters.
pub(super) fn parameter_name(arguments: &mut Arguments, member: &str, name: &str) -> Checked<ParameterName> {
    match name.parse() {
        Ok(name) => Checked::fine(name),
        Err(limit) => {
            let limit: Limit = limit;
            arguments.refused(member, name, format!("Map keys must satisfy constraint: [{limit}]"))
        }
    }
}

/// The answer to a change.
fn changed(
    call: &Call,
    view: &View,
    id: &ExtensionId,
    version: ExtensionVersionNumber,
    description: Option<&str>,
) -> Result<Answer, Fault> {
    let extension = view.world.extension(id).or_fault(call)?;
    let version = extension.version(Some(version)).or_fault(call)?;
    let description = described(version.description.as_ref(), description);
    let body = extension_body(&call.node.config().account, extension, version);
    Answer::json(&wire::Extension { description, ..body })
}

fn extension_body(account: &Account, extension: &Extension, version: &ExtensionVersion) -> wire::Extension {
    let action = |(point, action): (&ActionPoint, &Action)| {
        let body = wire::Action {
            name: action.name.to_string(),
            description: action.description.as_ref().map(ToString::to_string),
            uri: action.uri.to_string(),
            role_arn: action.role.as_ref().map(ToString::to_string),
        };
        (action_point_word(*point).to_string(), vec![body])
    };
    let parameter = |(name, parameter): (&ParameterName, &Parameter)| {
        let body = wire::Parameter {
            description: parameter.description.as_ref().map(ToString::to_string),
            required: parameter.required,
            dynamic: parameter.dynamic,
        };
        (name.to_string(), body)
    };
    wire::Extension {
        id: extension.id.to_string(),
        name: extension.name.to_string(),
        version_number: version.number.0.into(),
        arn: account.arn(&Resource::Extension(extension.id.clone(), version.number)),
        description: version.description.as_ref().map(ToString::to_string),
        actions: version.actions.iter().map(action).collect(),
        parameters: version.parameters.iter().map(parameter).collect(),
    }
}

fn domain_point(point: enums::ActionPoint) -> ActionPoint {
    match point {
        enums::ActionPoint::PreCreateHostedConfigurationVersion => {
            ActionPoint::PreCreateHostedConfigurationVersion
        }
        enums::ActionPoint::PreStartDeployment => ActionPoint::PreStartDeployment,
        enums::ActionPoint::AtDeploymentTick => ActionPoint::AtDeploymentTick,
        enums::ActionPoint::OnDeploymentStart => ActionPoint::OnDeploymentStart,
        enums::ActionPoint::OnDeploymentStep => ActionPoint::OnDeploymentStep,
        enums::ActionPoint::OnDeploymentBaking => ActionPoint::OnDeploymentBaking,
        enums::ActionPoint::OnDeploymentComplete => ActionPoint::OnDeploymentComplete,
        enums::ActionPoint::OnDeploymentRolledBack => ActionPoint::OnDeploymentRolledBack,
    }
}

/// An action point in the service's word.
pub(crate) fn action_point_word(point: ActionPoint) -> enums::ActionPoint {
    match point {
        ActionPoint::PreCreateHostedConfigurationVersion => {
            enums::ActionPoint::PreCreateHostedConfigurationVersion
        }
        ActionPoint::PreStartDeployment => enums::ActionPoint::PreStartDeployment,
        ActionPoint::AtDeploymentTick => enums::ActionPoint::AtDeploymentTick,
        ActionPoint::OnDeploymentStart => enums::ActionPoint::OnDeploymentStart,
        ActionPoint::OnDeploymentStep => enums::ActionPoint::OnDeploymentStep,
        ActionPoint::OnDeploymentBaking => enums::ActionPoint::OnDeploymentBaking,
        ActionPoint::OnDeploymentComplete => enums::ActionPoint::OnDeploymentComplete,
        ActionPoint::OnDeploymentRolledBack => enums::ActionPoint::OnDeploymentRolledBack,
    }
}

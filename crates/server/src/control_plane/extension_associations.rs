//! Associations of extensions with what they work on.

use super::extensions::{find, parameter_name};
use super::pages::{List, PageRequest};
use crate::answer::Answer;
use crate::arguments::{Arguments, Checked, MOST};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use std::collections::BTreeMap;
use yardarm_domain::{
    Account, Constraint as Limit, CreateExtensionAssociation, DeleteExtensionAssociation,
    ExtensionAssociation, ExtensionAssociationId, ExtensionVersionNumber, Missing, ParameterName,
    ParameterValue, Refusal, Resource, UpdateExtensionAssociation,
};
use yardarm_node::View;
use yardarm_wire::extensions as wire;

/// Values that an association may give.
const MOST_VALUES: usize = 10;

pub(crate) async fn create(call: Call) -> Result<Answer, Fault> {
    let body: wire::CreateExtensionAssociationRequest = call.json()?;
    let mut arguments = Arguments::default();
    let identifier = arguments.text("ExtensionIdentifier", body.extension_identifier.as_deref(), 1..=2_048);
    let version =
        arguments.optional_number("ExtensionVersionNumber", body.extension_version_number, 1..=MOST);
    let resource = arguments.text("ResourceIdentifier", body.resource_identifier.as_deref(), 1..=2_048);
    let parameters = values(&mut arguments, body.parameters.as_ref());
    let tags = arguments.tags(body.tags);
    let (identifier, version, resource, parameters, tags) =
        arguments.finish((identifier, version, resource, parameters, tags))?;
    let (extension, version) = {
        let view = call.node.view();
        let (extension, version) = find(&call, &view, identifier, version.map(ExtensionVersionNumber))?;
        (extension.id.clone(), version)
    };
    let missing = || Refusal::NotFound(Missing::Resource(resource.into()));
    let resource = call.node.config().account.resource(resource).ok_or_else(missing).or_fault(&call)?;
    let parameters = parameters.unwrap_or_default();
    let command = CreateExtensionAssociation { extension, version, resource, parameters, tags };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    answer(&call, &committed.view, &committed.outcome)
}

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    answer(&call, &call.node.view(), &id(&call)?)
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let (resource, extension) = (call.query("resource_identifier"), call.query("extension_identifier"));
    let version = call.query("extension_version_number");
    let mut arguments = Arguments::default();
    let page = PageRequest::read(&mut arguments, &call);
    let resource = arguments.optional_text("ResourceIdentifier", resource.as_deref(), 20..=2_048);
    let extension = arguments.optional_text("ExtensionIdentifier", extension.as_deref(), 1..=2_048);
    let version = arguments.optional_number_text("ExtensionVersionNumber", version.as_deref(), 1..=MOST);
    let (page, resource, extension, version) = arguments.finish((page, resource, extension, version))?;
    let place = page.of(List::ExtensionAssociations)?;
    let view = call.node.view();
    let account = &call.node.config().account;
    let mut version = version.map(ExtensionVersionNumber);
    // A filter that names nothing lets nothing through.
    let resource = resource.map(|arn| account.resource(arn));
    let extension = match extension {
        Some(identifier) => match find(&call, &view, identifier, version) {
            Ok((extension, of_arn)) => {
                version = of_arn;
                Some(Some(extension.id.clone()))
            }
            Err(fault) if fault.kind == yardarm_wire::errors::ErrorKind::ResourceNotFound => Some(None),
            Err(fault) => return Err(fault),
        },
        None => None,
    };
    let wanted = |association: &&std::sync::Arc<ExtensionAssociation>| {
        resource.as_ref().is_none_or(|resource| resource.as_ref() == Some(&association.resource))
            && extension.as_ref().is_none_or(|id| id.as_ref() == Some(&association.extension))
            && version.is_none_or(|version| version == association.version)
    };
    let found = view.world.associations().values().filter(wanted);
    let found = found.map(|association| (association.ordinal, association));
    Answer::json(&place.sorted(found, |association| wire::ExtensionAssociationSummary {
        id: association.id.to_string(),
        extension_arn: extension_arn(account, association),
        resource_arn: account.arn(&association.resource),
    }))
}

pub(crate) async fn update(call: Call) -> Result<Answer, Fault> {
    let body: wire::UpdateExtensionAssociationRequest = call.json()?;
    let mut arguments = Arguments::default();
    let parameters = values(&mut arguments, body.parameters.as_ref());
    let parameters = arguments.finish(parameters)?;
    let association = id(&call)?;
    let command = UpdateExtensionAssociation { association: association.clone(), parameters };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    answer(&call, &committed.view, &association)
}

pub(crate) async fn delete(call: Call) -> Result<Answer, Fault> {
    let command = DeleteExtensionAssociation { association: id(&call)? };
    call.node.execute(command, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

/// The id in the path.
fn id(call: &Call) -> Result<ExtensionAssociationId, Fault> {
    let text = call.label("ExtensionAssociationId");
    let missing = |_| Refusal::NotFound(Missing::ExtensionAssociation(text.into()));
    text.parse().map_err(missing).or_fault(call)
}

type Values = BTreeMap<ParameterName, ParameterValue>;

/// Values of parameters. They are not shown: they may be secrets.
fn values(arguments: &mut Arguments, sent: Option<&BTreeMap<String, String>>) -> Checked<Option<Values>> {
    let Some(sent) = sent else { return Checked::fine(None) };
    if sent.len() > MOST_VALUES {
        return arguments.concealed("Parameters", Limit::MaxLength(MOST_VALUES));
    }
    let mut all = Checked::fine(Values::new());
    for (name, value) in sent {
        let name = parameter_name(arguments, "Parameters", name);
        let value = match value.parse() {
            Ok(value) => Checked::fine(value),
            Err(limit) => {
                let limit: Limit = limit;
                arguments.concealed("Parameters", format!("Map value must satisfy constraint: [{limit}]"))
            }
        };
        all = Checked::all((all, name, value)).map(|(mut all, name, value)| {
            all.insert(name, value);
            all
        });
    }
    all.map(Some)
}

fn answer(call: &Call, view: &View, id: &ExtensionAssociationId) -> Result<Answer, Fault> {
    let account = &call.node.config().account;
    let association = view.world.association(id).or_fault(call)?;
    let values = association.parameters.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Answer::json(&wire::ExtensionAssociation {
        id: association.id.to_string(),
        extension_arn: extension_arn(account, association),
        resource_arn: account.arn(&association.resource),
        arn: account.arn(&Resource::ExtensionAssociation(association.id.clone())),
        parameters: values.collect(),
        extension_version_number: association.version.0.into(),
    })
}

fn extension_arn(account: &Account, association: &ExtensionAssociation) -> String {
    account.arn(&Resource::Extension(association.extension.clone(), association.version))
}

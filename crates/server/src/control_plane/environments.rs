//! Environments and the alarms that watch them.

use super::pages::{List, PageRequest};
use super::{applications, deletion_protection_check, described};
use crate::answer::Answer;
use crate::arguments::{Arguments, Checked};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use yardarm_domain::{
    AlarmArn, Application, ApplicationId, CreateEnvironment, DeleteEnvironment, Environment, EnvironmentId,
    EnvironmentState, Monitor, RoleArn, UpdateEnvironment,
};
use yardarm_node::View;
use yardarm_wire::{enums, environments as wire, patterns};

pub(crate) async fn create(call: Call) -> Result<Answer, Fault> {
    let body: wire::CreateEnvironmentRequest = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.required("Name", body.name.as_deref());
    let description = arguments.optional("Description", body.description.as_deref());
    let monitors = monitors(&mut arguments, body.monitors, &call);
    let tags = arguments.tags(body.tags);
    let (name, description, monitors, tags) = arguments.finish((name, description, monitors, tags))?;
    let application = applications::named(&call, &call.node.view())?.id.clone();
    let monitors = monitors.unwrap_or_default();
    let command = CreateEnvironment { application: application.clone(), name, description, monitors, tags };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &application, &committed.outcome, body.description.as_deref())
}

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    let view = call.node.view();
    let (application, environment) = named(&call, &view)?;
    Answer::json(&environment_body(application, environment))
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let page = PageRequest::read(&mut arguments, &call);
    let place = arguments.finish(page)?.of(List::Environments)?;
    let view = call.node.view();
    let application = applications::named(&call, &view)?;
    let environments = application.environments.values().map(|found| (found.ordinal, found));
    Answer::json(&place.sorted(environments, |environment| environment_body(application, environment)))
}

pub(crate) async fn update(call: Call) -> Result<Answer, Fault> {
    let body: wire::UpdateEnvironmentRequest = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.optional("Name", body.name.as_deref());
    let description = arguments.optional("Description", body.description.as_deref());
    let monitors = monitors(&mut arguments, body.monitors, &call);
    let (name, description, monitors) = arguments.finish((name, description, monitors))?;
    let (application, environment) = ids(&call)?;
    let command = UpdateEnvironment {
        application: application.clone(),
        environment: environment.clone(),
        name,
        description,
        monitors,
    };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &application, &environment, body.description.as_deref())
}

pub(crate) async fn delete(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let check = deletion_protection_check(&mut arguments, &call);
    let check = arguments.finish(check)?;
    let (application, environment) = ids(&call)?;
    let reads = call.node.last_reads(|address| {
        address.ids().is_some_and(|(app, env, _)| app == application && env == environment)
    });
    let last_read = reads.into_iter().map(|(_, at)| at).max();
    let command = DeleteEnvironment { application, environment, check, last_read };
    call.node.execute(command, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

/// The environment that the path names, and its application.
pub(super) fn named<'v>(call: &Call, view: &'v View) -> Result<(&'v Application, &'v Environment), Fault> {
    let application = applications::named(call, view)?;
    let environment = application.find_environment(call.label("EnvironmentId")).or_fault(call)?;
    Ok((application, environment))
}

/// The ids of the environment that the path names.
pub(super) fn ids(call: &Call) -> Result<(ApplicationId, EnvironmentId), Fault> {
    let view = call.node.view();
    let (application, environment) = named(call, &view)?;
    Ok((application.id.clone(), environment.id.clone()))
}

fn monitors(
    arguments: &mut Arguments,
    sent: Option<Vec<wire::MonitorInput>>,
    call: &Call,
) -> Checked<Option<Vec<Monitor>>> {
    let strict = call.settings.strict_alarm_role;
    arguments.each("Monitors", sent, Monitor::MOST, |arguments, place, monitor: wire::MonitorInput| {
        let alarm =
            arguments.required::<AlarmArn>(&format!("{place}.AlarmArn"), monitor.alarm_arn.as_deref());
        let role = match monitor.alarm_role_arn.as_deref() {
            Some(role) => role_arn(arguments, &format!("{place}.AlarmRoleArn"), role).map(Some),
            // The recorded error, whose member has no place and whose text ends in a full stop.
            None if strict => arguments.absent("AlarmRoleArn", "Member must not be null."),
            None => Checked::fine(None),
        };
        Checked::all((alarm, role)).map(|(alarm_arn, alarm_role_arn)| Monitor { alarm_arn, alarm_role_arn })
    })
}

fn role_arn(arguments: &mut Arguments, member: &str, text: &str) -> Checked<RoleArn> {
    let limited = arguments.required(member, Some(text));
    let formed = arguments.matching(member, text, &patterns::ROLE_ARN, is_role_arn);
    Checked::all((limited, formed)).map(|(role, _)| role)
}

/// Whether `text` matches the model's pattern of role ARNs.
fn is_role_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn, partition, service, region, account, role) = (next(), next(), next(), next(), next(), next());
    let isolated = |letter: &str| letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase());
    arn == "arn"
        && (matches!(partition, "aws" | "aws-cn" | "aws-iso" | "aws-us-gov" | "aws-eusc")
            || partition.strip_prefix("aws-iso-").is_some_and(isolated))
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && role.strip_prefix("role/").is_some_and(|name| !name.contains('\n'))
}

/// The answer to a change.
fn changed(
    call: &Call,
    view: &View,
    application: &ApplicationId,
    environment: &EnvironmentId,
    description: Option<&str>,
) -> Result<Answer, Fault> {
    let application = view.world.application(application).or_fault(call)?;
    let environment = view.world.environment(&application.id, environment).or_fault(call)?;
    let description = described(environment.description.as_ref(), description);
    Answer::json(&wire::Environment { description, ..environment_body(application, environment) })
}

fn environment_body(application: &Application, environment: &Environment) -> wire::Environment {
    wire::Environment {
        application_id: application.id.to_string(),
        id: environment.id.to_string(),
        name: environment.name.to_string(),
        description: environment.description.as_ref().map(ToString::to_string),
        state: environment_state(environment.state()),
        monitors: environment.monitors.iter().map(monitor_body).collect(),
    }
}

fn monitor_body(monitor: &Monitor) -> wire::Monitor {
    wire::Monitor {
        alarm_arn: monitor.alarm_arn.to_string(),
        alarm_role_arn: monitor.alarm_role_arn.as_ref().map(ToString::to_string),
    }
}

fn environment_state(state: EnvironmentState) -> enums::EnvironmentState {
    match state {
        EnvironmentState::ReadyForDeployment => enums::EnvironmentState::ReadyForDeployment,
        EnvironmentState::Deploying => enums::EnvironmentState::Deploying,
        EnvironmentState::RolledBack => enums::EnvironmentState::RolledBack,
        EnvironmentState::Reverted => enums::EnvironmentState::Reverted,
    }
}

#[cfg(test)]
mod tests {
    use super::is_role_arn;

    #[test]
    fn role_arns_are_told_from_other_texts() {
        for good in [
            "arn:aws:iam::123456789012:role/watcher",
            "arn:aws-us-gov:iam::123456789012:role/path/to:watcher",
            "arn:aws-iso-b:iam::123456789012:role/",
        ] {
            assert!(is_role_arn(good), "{good}");
        }
        for bad in [
            "",
            "arn:aws:iam::123456789012:user/watcher",
            "arn:aws:iam:us-east-1:123456789012:role/watcher",
            "arn:aws:iam::12345678901:role/watcher",
            "arn:aws-iso-bb:iam::123456789012:role/watcher",
            "arn:azure:iam::123456789012:role/watcher",
            "arn:aws:s3::123456789012:role/watcher",
        ] {
            assert!(!is_role_arn(bad), "{bad}");
        }
    }
}

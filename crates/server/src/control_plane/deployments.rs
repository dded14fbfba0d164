//! Deployments and their event log.

use super::configuration_profiles::{FEATURE_FLAGS, HOSTED, no_kms_key};
use super::deployment_strategies::{growth_word, minutes};
use super::pages::{List, PageRequest};
use super::{environments, extensions};
use crate::answer::Answer;
use crate::arguments::{Arguments, Checked, MOST};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::{OrFault, deployment_state};
use std::collections::BTreeMap;
use std::ops::Bound;
use yardarm_domain::rollout::TriggeredBy;
use yardarm_domain::{
    AlarmArn, AlarmOverride, Application, ApplicationId, ConfirmWithin, Confirmed, Deployment,
    DeploymentLogEntry, DeploymentLogKind, DeploymentNumber, DynamicParameter, Environment, EnvironmentId,
    Exposure, Gate, Invocation, ParameterName, ParameterValue, Percent, ProfileType, StopDeployment, Stopped,
};
use yardarm_node::{DeployConfiguration, View};
use yardarm_wire::constraints::Constraint;
use yardarm_wire::enums::{self, DeploymentEventType, DeploymentType};
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::floats::WireFloat;
use yardarm_wire::{deployments as wire, headers, patterns};

pub(crate) async fn start(call: Call) -> Result<Answer, Fault> {
    let body: wire::StartDeploymentRequest = call.json()?;
    let mut arguments = Arguments::default();
    let strategy = arguments.text("DeploymentStrategyId", body.deployment_strategy_id.as_deref(), 1..=64);
    let profile = arguments.text("ConfigurationProfileId", body.configuration_profile_id.as_deref(), 1..=128);
    let version = arguments.text("ConfigurationVersion", body.configuration_version.as_deref(), 1..=1_024);
    let description = arguments.optional("Description", body.description.as_deref());
    let tags = arguments.tags(body.tags);
    let key = arguments.optional_text("KmsKeyIdentifier", body.kms_key_identifier.as_deref(), 1..=2_048);
    let dynamic = dynamic_parameters(&mut arguments, body.dynamic_extension_parameters.as_ref());
    let latest = arguments.optional_number("LatestDeploymentNumber", body.latest_deployment_number, 0..=MOST);
    let (strategy, profile, version, description, tags, key, dynamic, latest_deployment_number) =
        arguments.finish((strategy, profile, version, description, tags, key, dynamic, latest))?;
    no_kms_key(key)?;
    let (override_alarms, gate) = (override_alarms(&call)?, gate(&call)?);
    let confirm_within = confirm_within(&call)?;
    let wanted = {
        let view = call.node.view();
        let (application, environment) = environments::named(&call, &view)?;
        DeployConfiguration {
            application: application.id.clone(),
            environment: environment.id.clone(),
            profile: application.find_profile(profile).or_fault(&call)?.id.clone(),
            version: version.into(),
            strategy: view.world.find_strategy(strategy).or_fault(&call)?.id,
            description,
            tags,
            latest_deployment_number,
            dynamic_parameters: identified(&call, &view, dynamic)?,
            override_alarms,
            confirm_within,
            gate,
        }
    };
    let (application, environment) = (wanted.application.clone(), wanted.environment.clone());
    let committed = call.node.deploy(wanted, call.cause()).await.or_fault(&call)?;
    let body = changed(&call, &committed.view, &application, &environment, committed.outcome)?;
    // Present in this answer though nothing took part.
    let applied_extensions = body.applied_extensions.or(Some(vec![]));
    Answer::json(&wire::Deployment { applied_extensions, ..body })
}

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let number = number(&mut arguments, &call);
    let number = arguments.finish(number)?;
    let view = call.node.view();
    let (application, environment) = environments::named(&call, &view)?;
    let deployment = environment.deployment(&application.id, number).or_fault(&call)?;
    Answer::json(&deployment_body(application, environment, deployment))
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let page = PageRequest::read(&mut arguments, &call);
    let place = arguments.finish(page)?.of(List::Deployments)?;
    let view = call.node.view();
    let (_, environment) = environments::named(&call, &view)?;
    let before = place.after.and_then(|after| u32::try_from(after).ok()).map(DeploymentNumber);
    let before = before.map_or(Bound::Unbounded, Bound::Excluded);
    let newest_first = environment.deployments.range((Bound::Unbounded, before)).rev();
    let deployments = newest_first.map(|(number, deployment)| (u64::from(number.0), deployment));
    Answer::json(&place.page(deployments, |deployment| deployment_summary(deployment)))
}

pub(crate) async fn stop(call: Call) -> Result<Answer, Fault> {
    let revert = call.header(&headers::ALLOW_REVERT);
    let mut arguments = Arguments::default();
    let number = number(&mut arguments, &call);
    let words = &["true", "false"];
    let revert = arguments.optional_word("AllowRevert", revert.as_deref(), words, |word| word.parse().ok());
    let (deployment, revert) = arguments.finish((number, revert))?;
    let (application, environment) = environments::ids(&call)?;
    let cause = call.cause();
    let command = StopDeployment {
        application: application.clone(),
        environment: environment.clone(),
        deployment,
        allow_revert: revert.unwrap_or(false),
        stopped: cause.reason.clone().map(|reason| Stopped { by: cause.actor.clone(), reason }),
    };
    let committed = call.node.execute(command, cause).await.or_fault(&call)?;
    Answer::json(&changed(&call, &committed.view, &application, &environment, deployment)?)
}

/// Why alarms that speak against the deployment are to be overridden, if they are.
fn override_alarms(call: &Call) -> Result<Option<String>, Fault> {
    let Some(reason) = call.header(&headers::YARDARM_OVERRIDE_ALARMS) else { return Ok(None) };
    let reason = reason.trim();
    match reason.chars().count() {
        0 => Err(Fault::bad_request("The header Yardarm-Override-Alarms needs a reason.")),
        1..=1_024 => Ok(Some(reason.to_owned())),
        1_025.. => {
            Err(Fault::bad_request("The header Yardarm-Override-Alarms has more than 1024 characters."))
        }
    }
}

/// In what time the deployment has to be confirmed, if it has to.
fn confirm_within(call: &Call) -> Result<Option<ConfirmWithin>, Fault> {
    let Some(seconds) = call.header(&headers::YARDARM_CONFIRM_WITHIN) else { return Ok(None) };
    let within = seconds.trim().parse::<u32>().ok().and_then(|seconds| ConfirmWithin::try_from(seconds).ok());
    let wrong = || Fault::bad_request("The header Yardarm-Confirm-Within has seconds, from 10 to 86400.");
    within.map(Some).ok_or_else(wrong)
}

/// What the deployment asks of clients before each step, if anything.
fn gate(call: &Call) -> Result<Option<Gate>, Fault> {
    let Some(text) = call.header(&headers::YARDARM_REQUIRE_ACKNOWLEDGEMENTS) else { return Ok(None) };
    let bad = || {
        Fault::bad_request(
            "The header Yardarm-Require-Acknowledgements is like `applied=95, refused=5`: whole percents, \
             applied 1 to 100, refused 0 to 100 (default 0).",
        )
    };
    let (mut applied, mut refused) = (None, None);
    for part in text.split(',') {
        let (name, percent) = part.split_once('=').ok_or_else(bad)?;
        let percent = percent.trim().parse::<u8>().ok().and_then(|percent| Percent::try_from(percent).ok());
        let slot = match name.trim() {
            "applied" => &mut applied,
            "refused" => &mut refused,
            _ => return Err(bad()),
        };
        if slot.replace(percent.ok_or_else(bad)?).is_some() {
            return Err(bad());
        }
    }
    let applied = applied.filter(|applied| *applied > Percent::NONE).ok_or_else(bad)?;
    Ok(Some(Gate { applied, refused: refused.unwrap_or(Percent::NONE) }))
}

/// The number in the path. Zero names no deployment, but is no wrong number either.
fn number(arguments: &mut Arguments, call: &Call) -> Checked<DeploymentNumber> {
    arguments.number_text("DeploymentNumber", call.label("DeploymentNumber"), 0..=MOST).map(DeploymentNumber)
}

/// The deployment after a change.
fn changed(
    call: &Call,
    view: &View,
    application: &ApplicationId,
    environment: &EnvironmentId,
    number: DeploymentNumber,
) -> Result<wire::Deployment, Fault> {
    let application = view.world.application(application).or_fault(call)?;
    let environment = view.world.environment(&application.id, environment).or_fault(call)?;
    let deployment = environment.deployment(&application.id, number).or_fault(call)?;
    Ok(deployment_body(application, environment, deployment))
}

/// A value for an extension's parameter, the extension as it was named.
struct SentParameter<'p> {
    extension: &'p str,
    parameter: ParameterName,
    value: ParameterValue,
}

/// Finds the extensions that parameters are given for.
fn identified(
    call: &Call,
    view: &View,
    sent: Vec<SentParameter<'_>>,
) -> Result<Vec<DynamicParameter>, Fault> {
    let one = |SentParameter { extension: named, parameter, value }| {
        let extension = match extensions::find(call, view, named, None) {
            Ok((extension, _)) => Some(extension.id.clone()),
            // That it takes no part is said in better words later.
            Err(fault) if fault.kind == ErrorKind::ResourceNotFound => None,
            Err(fault) => return Err(fault),
        };
        Ok(DynamicParameter { named: named.to_owned(), extension, parameter, value })
    };
    sent.into_iter().map(one).collect()
}

/// Checks the parameters for extensions. The values are not shown: they may be secrets.
fn dynamic_parameters<'p>(
    arguments: &mut Arguments,
    parameters: Option<&'p BTreeMap<String, String>>,
) -> Checked<Vec<SentParameter<'p>>> {
    const MEMBER: &str = "DynamicExtensionParameters";
    let Some(parameters) = parameters else { return Checked::fine(vec![]) };
    if !(1..=10).contains(&parameters.len()) {
        let empty = parameters.is_empty();
        let constraint = if empty { Constraint::LengthAtLeast(1) } else { Constraint::LengthAtMost(10) };
        return arguments.concealed(MEMBER, constraint);
    }
    let mut all = Checked::fine(vec![]);
    for (key, value) in parameters {
        let named = match parameter_key(key) {
            Some(named) => Checked::fine(named),
            None => {
                let pattern = patterns::DYNAMIC_PARAMETER_KEY.pattern.unwrap_or_default();
                let limit = Constraint::Pattern(pattern);
                arguments.refused(MEMBER, key, format!("Map keys must satisfy constraint: [{limit}]"))
            }
        };
        let value = match value.parse::<ParameterValue>() {
            Ok(value) => Checked::fine(value),
            Err(_) => {
                let [least, most] = [Constraint::LengthAtLeast(1), Constraint::LengthAtMost(2_048)];
                arguments.concealed(MEMBER, format!("Map value must satisfy constraint: [{most}, {least}]"))
            }
        };
        all = Checked::all((all, named, value)).map(|(mut all, (extension, parameter), value)| {
            all.push(SentParameter { extension, parameter, value });
            all
        });
    }
    all
}

/// Extension and parameter in a key, which is `{extension}#{parameter}`.
fn parameter_key(key: &str) -> Option<(&str, ParameterName)> {
    let (extension, parameter) = key.split_once('#')?;
    let named = (1..=96).contains(&extension.chars().count()) && !extension.contains('\n');
    Some((extension, parameter.parse().ok().filter(|_| named)?))
}

fn deployment_body(
    application: &Application,
    environment: &Environment,
    deployment: &Deployment,
) -> wire::Deployment {
    wire::Deployment {
        application_id: application.id.to_string(),
        environment_id: environment.id.to_string(),
        deployment_strategy_id: deployment.strategy.to_string(),
        configuration_profile_id: deployment.profile.to_string(),
        deployment_number: deployment.number.0.into(),
        configuration_name: deployment.configuration_name.to_string(),
        configuration_location_uri: HOSTED.into(),
        configuration_version: deployment.version.to_string(),
        description: deployment.description.as_ref().map(ToString::to_string),
        deployment_duration_in_minutes: minutes(deployment.plan.duration_s),
        growth_type: growth_word(deployment.plan.growth),
        growth_factor: WireFloat::from(deployment.plan.factor.percent()),
        final_bake_time_in_minutes: minutes(deployment.plan.bake_s),
        state: deployment_state(deployment.state()),
        event_log: event_log(deployment),
        percentage_complete: WireFloat::from(percent(deployment.exposure())),
        started_at: deployment.started_at.into(),
        completed_at: deployment.completed_at.map(Into::into),
        applied_extensions: applied_extensions(deployment),
        kms_key_arn: None,
        kms_key_identifier: None,
        version_label: deployment.label.as_ref().map(ToString::to_string),
        deployment_type: DeploymentType::User,
    }
}

fn deployment_summary(deployment: &Deployment) -> wire::DeploymentSummary {
    wire::DeploymentSummary {
        deployment_number: deployment.number.0.into(),
        configuration_profile_id: deployment.profile.to_string(),
        configuration_name: deployment.configuration_name.to_string(),
        configuration_version: deployment.version.to_string(),
        deployment_duration_in_minutes: minutes(deployment.plan.duration_s),
        growth_type: growth_word(deployment.plan.growth),
        growth_factor: WireFloat::from(deployment.plan.factor.percent()),
        final_bake_time_in_minutes: minutes(deployment.plan.bake_s),
        state: deployment_state(deployment.state()),
        percentage_complete: WireFloat::from(percent(deployment.exposure())),
        started_at: deployment.started_at.into(),
        completed_at: deployment.completed_at.map(Into::into),
        version_label: deployment.label.as_ref().map(ToString::to_string),
        deployment_type: DeploymentType::User,
    }
}

fn percent(exposure: Exposure) -> f64 {
    f64::from(exposure.parts_per_million()) / 10_000.0
}

/// Absent when there are none.
fn applied_extensions(deployment: &Deployment) -> Option<Vec<wire::AppliedExtension>> {
    let own = deployment.extensions.iter().map(|applied| wire::AppliedExtension {
        provided_identifier: None,
        extension_id: applied.extension.to_string(),
        extension_association_id: applied.association.to_string(),
        version_number: applied.version.0.into(),
        parameters: applied
            .parameters
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
    });
    let all: Vec<_> = flag_helper(deployment).into_iter().chain(own).collect();
    (!all.is_empty()).then_some(all)
}

/// The service's flag checks count as an extension of every flag profile.
fn flag_helper(deployment: &Deployment) -> Option<wire::AppliedExtension> {
    if deployment.kind != ProfileType::FeatureFlags {
        return None;
    }
    Some(wire::AppliedExtension {
        provided_identifier: Some(FEATURE_FLAGS.into()),
        extension_id: FEATURE_FLAGS.into(),
        extension_association_id: deployment.flag_helper_association(),
        version_number: 1,
        parameters: BTreeMap::new(),
    })
}

/// The event log, newest first, with the actions that ran during each event.
fn event_log(deployment: &Deployment) -> Vec<wire::DeploymentEvent> {
    let mut log = vec![];
    for (index, entry) in (0_u32..).zip(&deployment.log) {
        let mut told = events(deployment, entry);
        if let Some(event) = told.first_mut() {
            let ran = deployment.invocations.iter().filter(|ran| ran.entry == index);
            event.action_invocations = ran.map(|ran| invocation_body(&ran.invocation)).collect();
        }
        log.push(told);
    }
    log.into_iter().rev().flatten().collect()
}

fn invocation_body(invocation: &Invocation) -> wire::ActionInvocation {
    let failure = invocation.failure.as_ref();
    wire::ActionInvocation {
        extension_identifier: invocation.extension.to_string(),
        action_name: invocation.action.to_string(),
        uri: invocation.uri.to_string(),
        role_arn: invocation.role.as_ref().map(ToString::to_string),
        error_message: failure.map(|failure| failure.message.clone()),
        error_code: failure.map(|failure| failure.code.clone()),
        invocation_id: invocation.id.to_string(),
    }
}

/// What the service's event log says of an entry, newest first. A rollback that nobody asked for is told in two events.
fn events(deployment: &Deployment, entry: &DeploymentLogEntry) -> Vec<wire::DeploymentEvent> {
    use DeploymentEventType as Type;
    use enums::TriggeredBy::{AppConfig, CloudWatchAlarm, User};
    let event = |event_type, triggered_by, description: &str| wire::DeploymentEvent {
        event_type,
        triggered_by,
        description: description.into(),
        action_invocations: vec![],
        occurred_at: entry.at.into(),
    };
    let back = |triggered_by, why: &str| {
        vec![
            event(Type::RollbackCompleted, triggered_by, "Rollback completed"),
            event(Type::RollbackStarted, triggered_by, why),
        ]
    };
    match &entry.kind {
        DeploymentLogKind::Started => vec![event(Type::DeploymentStarted, User, &started(deployment))],
        DeploymentLogKind::Exposed(exposure) => {
            let description = format!("Configuration available to {:.2}% of clients", percent(*exposure));
            vec![event(Type::PercentageUpdated, AppConfig, &description)]
        }
        DeploymentLogKind::BakeStarted => {
            vec![event(Type::BakeTimeStarted, AppConfig, "Deployment bake time started")]
        }
        DeploymentLogKind::Completed { instantly: true } => {
            vec![event(Type::DeploymentCompleted, AppConfig, "Deployment completed instantly")]
        }
        DeploymentLogKind::Completed { instantly: false } => {
            vec![event(Type::DeploymentCompleted, AppConfig, &completed(deployment))]
        }
        DeploymentLogKind::RolledBack(TriggeredBy::User) => {
            let description = by_request("Deployment rolled back by user request", deployment);
            vec![event(Type::RollbackCompleted, User, &description)]
        }
        DeploymentLogKind::RolledBack(TriggeredBy::Unconfirmed) => {
            let within = deployment.confirmation.as_ref().map_or(0, |asked| asked.within.seconds());
            back(
                AppConfig,
                &format!("Rollback started: nobody has confirmed the deployment within {within} s"),
            )
        }
        DeploymentLogKind::RolledBack(TriggeredBy::Yardarm) => {
            let why = deployment.rolled_back_because.as_ref();
            back(AppConfig, why.map_or("Rollback started", |why| why.as_str()))
        }
        // Both in the service's words for an alarm; ours says also what the alarm said.
        DeploymentLogKind::RolledBack(TriggeredBy::Alarm { alarm, state }) => {
            let why = format!("Rollback initiated by alarm {alarm} in {}", state.as_str());
            back(CloudWatchAlarm, &bounded(why))
        }
        DeploymentLogKind::RolledBack(TriggeredBy::Refused { refused, exposed }) => {
            back(AppConfig, &format!("Rollback initiated because {refused} of {exposed} clients refused it"))
        }
        DeploymentLogKind::Reverted => {
            let description = by_request("Deployment reverted by user request", deployment);
            vec![event(Type::RevertCompleted, User, &description)]
        }
    }
}

/// In the service's words, and why if somebody said so.
fn by_request(words: &str, deployment: &Deployment) -> String {
    match &deployment.stopped {
        Some(Stopped { by, reason }) => bounded(format!("{words}: {reason} ({by})")),
        None => words.into(),
    }
}

/// In the service's words, and who has confirmed it if somebody had to.
fn completed(deployment: &Deployment) -> String {
    let words = "Deployment completed";
    let confirmed = deployment.confirmation.as_ref().and_then(|asked| asked.confirmed.as_ref());
    match confirmed {
        Some(Confirmed { by, reason: Some(reason), .. }) => {
            bounded(format!("{words}, confirmed by {by}: {reason}"))
        }
        Some(Confirmed { by, reason: None, .. }) => bounded(format!("{words}, confirmed by {by}")),
        None => words.into(),
    }
}

/// As long as a description may be.
fn bounded(text: String) -> String {
    text.chars().take(1_024).collect()
}

/// What is said of the start. What alarms have to do with it is not kept quiet.
fn started(deployment: &Deployment) -> String {
    let mut text = "Deployment started".to_owned();
    let listed = |alarms: &[AlarmArn]| alarms.iter().map(AlarmArn::as_str).collect::<Vec<_>>().join(", ");
    if let Some(AlarmOverride { alarms, by, reason }) = &deployment.alarms_overridden {
        text += &format!(" over alarm {} by {by}: {reason}", listed(alarms));
    }
    if let Some(Gate { applied, refused }) = deployment.gate {
        let (applied, refused) = (applied.get(), refused.get());
        text +=
            &format!("; {applied} % of clients must have applied each step, at most {refused} % refused it");
    }
    if !deployment.alarms_not_watched.is_empty() {
        text += &format!("; not registered, so not watched: {}", listed(&deployment.alarms_not_watched));
    }
    if let Some(asked) = &deployment.confirmation {
        text += &format!("; it is taken back unless it is confirmed within {} s", asked.within.seconds());
    }
    bounded(text)
}

#[cfg(test)]
mod tests {
    use super::parameter_key;

    #[test]
    fn a_parameter_key_names_extension_and_parameter() {
        let extension = |key| parameter_key(key).map(|(extension, _)| extension);
        assert_eq!(extension("jira#ticket"), Some("jira"));
        let arn = "arn:aws:appconfig:us-east-1:123456789012:extension/abcdefg/1#ticket";
        assert_eq!(extension(arn), arn.strip_suffix("#ticket"));
        for bad in [
            "",
            "jira",
            "#ticket",
            "jira#",
            "jira#a#b",
            "jira#a/b",
            "ji\nra#a",
            &format!("{}#a", "x".repeat(97)),
        ] {
            assert!(parameter_key(bad).is_none(), "{bad}");
        }
    }
}

//! A world as text that people can read, for golden files. Says everything that can be asked of a world, in words that do
//! not change when a type does.

use std::fmt::{self, Write};
use yardarm_domain::rollout::{Begin, GrowthFactor, GrowthType, Phase, Plan, TriggeredBy};
use yardarm_domain::{
    Alarm, AlarmArn, AlarmOverride, AlarmSource, Application, Confirmation, Confirmed, Deployment,
    DeploymentLogKind, Description, Environment, EnvironmentState, ForceTo, ForcedFlag, ForcedFlags, Gate,
    GrowingForce, Live, ProfileType, ReleasedFlag, ReplicateTo, Stopped, Tags, TokenScope, Validator, World,
    live,
};

/// Everything in `world`, one fact a line.
///
/// # Panics
/// Never: a text can always be written to.
#[must_use]
#[expect(clippy::expect_used, reason = "writing to a text does not fail")]
pub fn describe(world: &World) -> String {
    let mut text = String::new();
    write(&mut text, world).expect("text");
    text
}

fn write(out: &mut String, world: &World) -> fmt::Result {
    let settings = world.settings();
    let protection = if settings.deletion_protection { "on" } else { "off" };
    let metrics = settings.vended_metrics.map_or("unset", |on| if on { "on" } else { "off" });
    writeln!(
        out,
        "settings: protection {protection} for {} min, vended metrics {metrics}",
        settings.protection_period_min
    )?;
    writeln!(out, "hosted: {} bytes", world.hosted_bytes())?;
    writeln!(out, "token key: {}", if world.token_key().is_some() { "sealed" } else { "none" })?;
    for key in world.access_keys().values() {
        let state = if key.enabled { "enabled" } else { "disabled" };
        writeln!(
            out,
            "access key {} `{}` {state}, since {}{}",
            key.id,
            key.name,
            key.created_at,
            about(&key.description)
        )?;
    }
    for token in world.bearer_tokens().values() {
        let scope = match token.scope {
            TokenScope::Evaluate => "evaluate",
            TokenScope::Read => "read",
        };
        let expiry = token.expires_at.map_or_else(|| "for ever".to_owned(), |at| format!("until {at}"));
        let rest = about(&token.description);
        writeln!(
            out,
            "bearer token {} `{}` may {scope} in {}/{}, since {}, {expiry}{rest}",
            token.id, token.name, token.application, token.environment, token.created_at
        )?;
    }
    for strategy in world.own_strategies().values() {
        writeln!(
            out,
            "strategy {} `{}` #{}: {}, replicated {}{}{}",
            strategy.id,
            strategy.name,
            strategy.ordinal,
            figures(strategy.duration_s, strategy.bake_s, strategy.growth, strategy.factor),
            match strategy.replicate_to {
                ReplicateTo::None => "nowhere",
                ReplicateTo::SsmDocument => "as an SSM document",
            },
            about(&strategy.description),
            tags(&strategy.tags)
        )?;
    }
    write_extensions(out, world)?;
    world.alarms().values().try_for_each(|alarm| write_alarm(out, alarm))?;
    world.applications().values().try_for_each(|application| write_application(out, world, application))
}

/// Nothing for worlds from before there were extensions.
fn write_extensions(out: &mut String, world: &World) -> fmt::Result {
    if world.signing_key().is_some() {
        writeln!(out, "signing key: sealed")?;
    }
    for extension in world.extensions().values() {
        writeln!(out, "extension {} `{}` #{}", extension.id, extension.name, extension.ordinal)?;
        for version in extension.versions.values() {
            let rest = about(&version.description) + &tags(&version.tags);
            writeln!(out, "  version {}{rest}", version.number)?;
            for (point, action) in &version.actions {
                let rest = about(&action.description);
                let role = action.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
                writeln!(out, "    {point:?}: `{}` calls {}{role}{rest}", action.name, action.uri)?;
            }
            for (name, parameter) in &version.parameters {
                let how = match (parameter.required, parameter.dynamic) {
                    (true, _) => "required",
                    (_, true) => "dynamic",
                    _ => "optional",
                };
                writeln!(out, "    parameter `{name}` {how}{}", about(&parameter.description))?;
            }
        }
    }
    for association in world.associations().values() {
        let (id, extension, version) = (&association.id, &association.extension, association.version);
        let (resource, ordinal) = (&association.resource, association.ordinal);
        let rest = tags(&association.tags);
        writeln!(out, "association {id} #{ordinal}: {extension} version {version} on {resource}{rest}")?;
        for (name, value) in &association.parameters {
            writeln!(out, "  `{name}` is `{value}`")?;
        }
    }
    for delivery in world.deliveries().values() {
        let (association, point) = (&delivery.applied.association, delivery.invocation.point);
        writeln!(out, "delivery {} waits: {association} {point:?}", delivery.id)?;
    }
    for (id, given_up) in world.undelivered() {
        let (attempts, code) = (given_up.attempts, &given_up.failure.code);
        writeln!(out, "delivery {id} was given up after {attempts} attempts: {code}")?;
    }
    Ok(())
}

fn write_alarm(out: &mut String, alarm: &Alarm) -> fmt::Result {
    let Alarm { arn, fresh_for, revision, ordinal, created_at, changed_at, .. } = alarm;
    let source = match &alarm.source {
        AlarmSource::Prometheus(asked) => format!(
            "{} of {} {} {} for {} s, no data is {}",
            asked.query,
            asked.url,
            asked.comparison.as_str(),
            asked.threshold.number(),
            asked.for_s,
            asked.missing_data.as_str()
        ),
        AlarmSource::Pushed => "pushed".into(),
        AlarmSource::CloudWatch(asked) => {
            let endpoint = asked.endpoint.as_ref().map(|url| format!(" at {url}")).unwrap_or_default();
            format!("{} of CloudWatch in {}{endpoint}", asked.name, asked.region)
        }
    };
    let actions = if alarm.actions_enabled { "acts" } else { "does not act" };
    let secret = if alarm.secret.is_some() { "with" } else { "without" };
    writeln!(
        out,
        "alarm {arn} #{ordinal}, revision {revision}, since {created_at}, changed at {changed_at}: {source}, \
         fresh for {} s, {actions}, {secret} a secret{}",
        fresh_for.seconds(),
        about(&alarm.description)
    )?;
    let Some(evidence) = &alarm.evidence else { return Ok(()) };
    let reason = evidence.reason.as_ref().map(|reason| format!(", \"{reason}\"")).unwrap_or_default();
    let breach = evidence.breaching_since.map(|at| format!(", breaching since {at}")).unwrap_or_default();
    let (state, actions) = (evidence.state.as_str(), evidence.actions_enabled);
    let firing: Vec<_> = evidence.firing.iter().map(ToString::to_string).collect();
    writeln!(
        out,
        "  {state} at {}, since {}{breach}, actions {actions}, firing [{}]{reason}",
        evidence.at,
        evidence.since,
        firing.join(" ")
    )
}

fn write_application(out: &mut String, world: &World, application: &Application) -> fmt::Result {
    let Application { id, name, ordinal, created_at, .. } = application;
    let rest = about(&application.description) + &tags(&application.tags);
    writeln!(out, "application {id} `{name}` #{ordinal}, since {created_at}{rest}")?;
    for profile in application.profiles.values() {
        let rest = about(&profile.description) + &tags(&profile.tags);
        writeln!(
            out,
            "  profile {} `{}` #{}, {}, since {}, latest version {}{rest}",
            profile.id,
            profile.name,
            profile.ordinal,
            kind(profile.kind),
            profile.created_at,
            profile.latest_version
        )?;
        for validator in &profile.validators {
            match validator {
                Validator::JsonSchema(schema) => writeln!(out, "    validator {schema}")?,
                Validator::Lambda(function) => writeln!(out, "    validator function {function}")?,
            }
        }
        for version in profile.versions.values() {
            let label = version.label.as_ref().map(|label| format!(" `{label}`")).unwrap_or_default();
            let rest = about(&version.description) + &tags(&version.tags);
            writeln!(
                out,
                "    version {}{label}: {} {} bytes {}, since {}{rest}",
                version.number,
                version.content_type,
                version.content.size_bytes,
                version.content.hash,
                version.created_at
            )?;
        }
    }
    for environment in application.environments.values() {
        write_environment(out, environment)?;
        for profile in application.profiles.keys() {
            if let Some(live) = live(world, id, &environment.id, profile) {
                writeln!(out, "    serves {profile}: {}", serving(&live))?;
            }
            if let Some(forced) = environment.forced_flags(profile) {
                write_forced(out, forced)?;
            }
        }
    }
    Ok(())
}

fn write_environment(out: &mut String, environment: &Environment) -> fmt::Result {
    let Environment { id, name, ordinal, created_at, .. } = environment;
    let rest = about(&environment.description) + &tags(&environment.tags);
    let state = match environment.state() {
        EnvironmentState::ReadyForDeployment => "ready",
        EnvironmentState::Deploying => "deploying",
        EnvironmentState::RolledBack => "rolled back",
        EnvironmentState::Reverted => "reverted",
    };
    writeln!(out, "  environment {id} `{name}` #{ordinal}, {state}, since {created_at}{rest}")?;
    for monitor in &environment.monitors {
        let role = monitor.alarm_role_arn.as_ref().map(|role| format!(" by {role}")).unwrap_or_default();
        writeln!(out, "    monitor {}{role}", monitor.alarm_arn)?;
    }
    environment.deployments.values().try_for_each(|deployment| write_deployment(out, deployment))
}

fn write_forced(out: &mut String, forced: &ForcedFlags) -> fmt::Result {
    for (flag, ForcedFlag { to, by, reason, at, grown_at, watch_s, alarms_disregarded, before }) in
        &forced.flags
    {
        let grown = grown_at.map_or_else(|| "growing".into(), |at| format!("everywhere at {at}"));
        let before = before.as_ref().map(|before| format!(", before {}", forced_to(&before.to)));
        let before = before.unwrap_or_default();
        let over = match &**alarms_disregarded {
            [] => String::new(),
            alarms => format!(", over the alarms {}", listed(alarms)),
        };
        writeln!(
            out,
            "      forced {flag} {} by {by} at {at}, {grown}, watched {watch_s} s{over}{before}: {reason}",
            forced_to(to)
        )?;
    }
    if let Some(GrowingForce { number, since, until }) = forced.growing {
        writeln!(out, "      growing {number} from {since} to {until}")?;
    }
    for ReleasedFlag { flag, forced, at, triggered_by, by, reason } in &forced.released {
        let who = by.as_ref().map(|by| format!(" {by}")).unwrap_or_default();
        let to = forced_to(&forced.to);
        writeln!(
            out,
            "      released {flag} {to} at {at} by {}{who}{}",
            triggered(triggered_by),
            about(reason)
        )?;
    }
    Ok(())
}

fn forced_to(to: &ForceTo) -> String {
    match to {
        ForceTo::Off => "off".into(),
        ForceTo::Variant(name) => format!("to `{name}`"),
    }
}

fn triggered(by: &TriggeredBy) -> String {
    match by {
        TriggeredBy::User => "a user".into(),
        TriggeredBy::Yardarm => "the engine".into(),
        TriggeredBy::Unconfirmed => "nobody's confirmation".into(),
        TriggeredBy::Alarm { alarm, state } => format!("alarm {alarm} in {}", state.as_str()),
        TriggeredBy::Refused { refused, exposed } => format!("{refused} of {exposed} clients"),
    }
}

fn write_deployment(out: &mut String, deployment: &Deployment) -> fmt::Result {
    let label = deployment.label.as_ref().map(|label| format!(" `{label}`")).unwrap_or_default();
    let rest = about(&deployment.description) + &tags(&deployment.tags);
    writeln!(
        out,
        "    deployment {} of {} `{}`, {}, version {}{label}, {} {}{rest}",
        deployment.number,
        deployment.profile,
        deployment.configuration_name,
        kind(deployment.kind),
        deployment.version,
        deployment.content_type,
        deployment.content.hash,
    )?;
    let Plan { duration_s, bake_s, growth, factor, begin } = deployment.plan;
    let begin = match begin {
        Begin::AfterInterval => "from the first interval on",
        Begin::AtOnce => "from the start on",
    };
    let figures = figures(duration_s, bake_s, growth, factor);
    writeln!(out, "      with {}: {figures}, {begin}", deployment.strategy)?;
    let completed = deployment.completed_at.map(|at| format!(", completed at {at}")).unwrap_or_default();
    let phase = phase(deployment.phase);
    writeln!(
        out,
        "      asked for at {}{completed}, {phase}, {}",
        deployment.started_at,
        deployment.exposure()
    )?;
    if let Some(AlarmOverride { alarms, by, reason }) = &deployment.alarms_overridden {
        writeln!(out, "      over the alarms {} by {by}: {reason}", listed(alarms))?;
    }
    if !deployment.alarms_not_watched.is_empty() {
        writeln!(out, "      not watched by {}", listed(&deployment.alarms_not_watched))?;
    }
    if let Some(Confirmation { within, confirmed }) = &deployment.confirmation {
        writeln!(out, "      to be confirmed within {} s", within.seconds())?;
        if let Some(Confirmed { by, reason, at }) = confirmed {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            writeln!(out, "      confirmed at {at} by {by}{reason}")?;
        }
    }
    if let Some(Stopped { by, reason }) = &deployment.stopped {
        writeln!(out, "      stopped by {by}: {reason}")?;
    }
    for measure in &deployment.measures {
        writeln!(out, "      measured {measure:?}")?;
    }
    if let Some(Gate { applied, refused }) = deployment.gate {
        let (applied, refused) = (applied.get(), refused.get());
        writeln!(out, "      asks for {applied} % of clients, back if more than {refused} % refuse")?;
    }
    deployment.log.iter().try_for_each(|entry| writeln!(out, "      {} {}", entry.at, happened(&entry.kind)))
}

fn kind(kind: ProfileType) -> &'static str {
    match kind {
        ProfileType::Freeform => "free-form",
        ProfileType::FeatureFlags => "flags",
    }
}

fn figures(duration_s: u32, bake_s: u32, growth: GrowthType, factor: GrowthFactor) -> String {
    let growth = match growth {
        GrowthType::Linear => "linear",
        GrowthType::Exponential => "exponential",
    };
    format!("{duration_s} s, {growth} by {} %, bake {bake_s} s", factor.percent())
}

fn phase(phase: Phase) -> String {
    match phase {
        Phase::Queued => "queued".into(),
        Phase::Growing { step, since } => format!("growing, {step} steps, since {since}"),
        Phase::Baking { since } => format!("baking since {since}"),
        Phase::Complete { at } => format!("complete at {at}"),
        Phase::RolledBack => "rolled back".into(),
        Phase::Reverted => "reverted".into(),
    }
}

fn listed(alarms: &[AlarmArn]) -> String {
    alarms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn happened(kind: &DeploymentLogKind) -> String {
    match kind {
        DeploymentLogKind::Started => "started".into(),
        DeploymentLogKind::Exposed(exposure) => format!("exposed to {exposure}"),
        DeploymentLogKind::BakeStarted => "bake started".into(),
        DeploymentLogKind::Completed { instantly: true } => "completed instantly".into(),
        DeploymentLogKind::Completed { instantly: false } => "completed".into(),
        DeploymentLogKind::RolledBack(by) => format!("rolled back by {}", triggered(by)),
        DeploymentLogKind::Reverted => "reverted".into(),
    }
}

fn serving(live: &Live) -> String {
    let stable = live.stable.as_ref().map(|deployment| format!("deployment {}", deployment.number));
    let stable = stable.unwrap_or_else(|| "nothing".into());
    match &live.candidate {
        Some((candidate, exposure)) => format!("{stable}, and deployment {} to {exposure}", candidate.number),
        None => stable,
    }
}

fn about(description: &Option<Description>) -> String {
    description.as_ref().map(|text| format!(", \"{text}\"")).unwrap_or_default()
}

fn tags(tags: &Tags) -> String {
    tags.iter().map(|(key, value)| format!(", {key}={value}")).collect()
}

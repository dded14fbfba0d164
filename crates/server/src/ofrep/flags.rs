//! What one caller's flags are: of every flag profile of an environment, the version that the caller gets.

use super::environment::Place;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::sync::Arc;
use yardarm_domain::{
    ApplicationId, DeploymentLogKind, DeploymentNumber, Environment, EnvironmentId, Exposure, ForcedFlags,
    ProfileId, ProfileType, World,
};
use yardarm_node::{Address, Node, ServedVersion};
use yardarm_ofrep::Configuration;

/// A version, held while it is evaluated.
pub(super) struct Held<'w> {
    profile: &'w str,
    number: String,
    version: Arc<ServedVersion>,
}

/// The profiles that a query asks for, by id or name; none for all.
pub(super) fn wanted(query: &str) -> Vec<Cow<'_, str>> {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    query.split('&').filter_map(|pair| pair.strip_prefix("profile=")).map(decoded).collect()
}

/// What `entity` gets, in the order of the profiles' names: where two profiles have the same flag, the first has it.
///
/// # Errors
/// Why there is nothing to answer with yet.
pub(super) fn held<'w>(
    node: &Node,
    world: &'w World,
    place: &Place,
    entity: Option<&str>,
    wanted: &[Cow<'_, str>],
) -> Result<Vec<Held<'w>>, &'static str> {
    const NOTHING: &str = "no flags are deployed in this environment yet";
    let application = world.application(&place.application).map_err(|_| NOTHING)?;
    let mut held = vec![];
    let mut deployed = false;
    for profile in application.profiles.values().filter(|profile| profile.kind == ProfileType::FeatureFlags) {
        let is_meant = |one: &Cow<'_, str>| one == profile.id.as_str() || one == profile.name.as_str();
        if !wanted.is_empty() && !wanted.iter().any(is_meant) {
            continue;
        }
        let address = Address::new(&place.application, &place.environment, &profile.id);
        let Some(served) = node.served(&address) else { continue };
        deployed = true;
        let version = match entity {
            Some(entity) => served.for_entity(entity),
            None => served.for_anyone(),
        };
        // Outside a first rollout there is nothing yet, and that is as it should be.
        if let Some(version) = version {
            let number = version.version.to_string();
            held.push(Held { profile: profile.name.as_str(), number, version: version.clone() });
        }
    }
    if !deployed {
        return Err(NOTHING);
    }
    held.sort_unstable_by(|left, right| left.profile.cmp(right.profile));
    Ok(held)
}

/// What is held, to be evaluated.
pub(super) fn configurations<'h>(held: &'h [Held<'_>]) -> Vec<Configuration<'h>> {
    let configuration = |held: &'h Held<'_>| {
        Some(Configuration {
            profile: held.profile,
            version: &held.number,
            label: held.version.label.as_deref().and_then(|label| std::str::from_utf8(label).ok()),
            content: &held.version.content.0,
            flags: held.version.flags.as_deref()?,
        })
    };
    held.iter().filter_map(configuration).collect()
}

/// What clients are served, whoever they are. Equal fingerprints: nobody can tell a difference.
pub(super) type Fingerprint = Vec<Profile>;

/// One profile's versions, by their marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    id: ProfileId,
    stable: Option<u32>,
    candidate: Option<(u32, DeploymentNumber, Exposure)>,
    /// Who is to have forced flags that are on their way, and how both are for them.
    forced: Option<(Box<str>, Option<u32>, Option<u32>)>,
}

/// The fingerprint of an environment's flags, and the position of the log from which on they are served.
pub(super) fn fingerprint(
    node: &Node,
    world: &World,
    application_id: &ApplicationId,
    environment: &EnvironmentId,
) -> (Fingerprint, u64) {
    let (mut fingerprint, mut revision) = (vec![], 0);
    let Ok(application) = world.application(application_id) else { return (fingerprint, revision) };
    for profile in application.profiles.values().filter(|profile| profile.kind == ProfileType::FeatureFlags) {
        let address = Address::new(application_id, environment, &profile.id);
        let Some(served) = node.served(&address) else { continue };
        revision = revision.max(served.revision().0);
        let stable = served.stable().map(|version| version.mark());
        let (stable, candidate) = match served.candidate() {
            // Whether everybody's version is still being watched makes no difference to anybody.
            Some(new) if new.exposure == Exposure::ALL => (Some(new.version.mark()), None),
            Some(new) if new.exposure > Exposure::NONE => {
                (stable, Some((new.version.mark(), new.deployment, new.exposure)))
            }
            _ => (stable, None),
        };
        let forced = served.forced().map(|forced| {
            let [stable, candidate] =
                [&forced.stable, &forced.candidate].map(|it| it.as_ref().map(|version| version.mark()));
            (forced.key.clone(), stable, candidate)
        });
        fingerprint.push(Profile { id: profile.id.clone(), stable, candidate, forced });
    }
    (fingerprint, revision)
}

/// The last thing that happened to an environment's flags.
pub(super) struct Change {
    pub(super) at: Timestamp,
    /// Whether it must be heard of at once: something is taken back, or given to everybody in one step.
    pub(super) is_urgent: bool,
}

/// Older deployments do not change any more, but for one that is reverted soon after.
const LAST_DEPLOYMENTS: usize = 8;

/// The last thing that happened, as the newest deployments and the forced flags tell it.
pub(super) fn newest_change(
    world: &World,
    application: &ApplicationId,
    environment: &EnvironmentId,
) -> Option<Change> {
    let profiles = &world.application(application).ok()?.profiles;
    let environment = world.environment(application, environment).ok()?;
    let forced = profiles.keys().filter_map(|profile| forced(environment.forced_flags(profile)?));
    forced.chain(newest_deployed(environment)).max_by_key(|change| change.at)
}

/// The last thing that happened to a configuration's forced flags.
fn forced(flags: &ForcedFlags) -> Option<Change> {
    let urgent = |at| Change { at, is_urgent: true };
    let changes = flags.flags.values().map(|forced| match forced.grown_at {
        Some(at) => urgent(at),
        None => Change { at: forced.at, is_urgent: false },
    });
    let released = flags.released.last().map(|released| urgent(released.at));
    changes.chain(released).max_by_key(|change| change.at)
}

fn newest_deployed(environment: &Environment) -> Option<Change> {
    let newest = environment.deployments.values().rev().take(LAST_DEPLOYMENTS);
    let flags = newest.filter(|deployment| deployment.kind == ProfileType::FeatureFlags);
    let entries = flags.filter_map(|deployment| deployment.log.last().map(|entry| (entry, deployment)));
    let (entry, deployment) = entries.max_by_key(|(entry, deployment)| (entry.at, deployment.number))?;
    let taken_back = matches!(entry.kind, DeploymentLogKind::RolledBack(_) | DeploymentLogKind::Reverted);
    Some(Change { at: entry.at, is_urgent: taken_back || deployment.plan.duration_s == 0 })
}

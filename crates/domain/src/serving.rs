//! What a configuration's clients get at this moment.

use crate::deployment::Deployment;
use crate::ids::{ApplicationId, EnvironmentId, ProfileId};
use crate::world::World;
use std::sync::Arc;
use yardarm_flags::Exposure;

/// The versions of one configuration that are being served in one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// What clients outside a rollout get. `None`: nothing was ever completed.
    pub stable: Option<Arc<Deployment>>,
    /// What clients inside a rollout get, and how many are inside.
    pub candidate: Option<(Arc<Deployment>, Exposure)>,
}

/// What is served of `profile` in `environment`. `None`: it does not exist, or nothing is deployed.
#[must_use]
pub fn live(
    world: &World,
    application: &ApplicationId,
    environment: &EnvironmentId,
    profile: &ProfileId,
) -> Option<Live> {
    world.profile(application, profile).ok()?;
    let environment = world.environment(application, environment).ok()?;
    let stable = environment
        .completed
        .get(profile)
        .and_then(|numbers| numbers.last())
        .and_then(|number| environment.deployments.get(number))
        .cloned();
    let candidate = environment
        .open()
        .find(|open| open.profile == *profile && open.phase.is_active())
        .map(|open| (open.clone(), open.exposure()));
    (stable.is_some() || candidate.is_some()).then_some(Live { stable, candidate })
}

//! Reading what is served without a session: by those who evaluate, and by those who ask once.
//!
//! Nothing here takes a lock or touches the log.

use crate::address::Address;
use crate::node::Node;
use crate::served::{Served, ServedVersion};
use crate::session::SessionRefusal;
use std::sync::Arc;
use yardarm_domain::{Application, ApplicationId, EnvironmentId, ProfileType, Refusal, World};

/// What an address lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingPlace {
    /// There is no such application.
    Application,
    /// There is no such configuration profile.
    Profile,
    /// There is no such environment.
    Environment,
}

/// What a reader without a session gets.
#[derive(Clone, Debug)]
pub struct Reading {
    /// `None`: it is outside a first rollout and gets nothing yet.
    pub version: Option<Arc<ServedVersion>>,
}

impl Node {
    /// What is served there. `None`: nothing is deployed. Counts as a read where the use of an environment protects it
    /// from deletion.
    #[must_use]
    pub fn served(&self, address: &Address) -> Option<Arc<Served>> {
        let shared = self.shared();
        let slot = shared.slots.get(address)?;
        let served = slot.state.load_full()?;
        slot.touch(shared.clock.now());
        Some(served)
    }

    /// Where a configuration is served, if it is. Ids or names.
    ///
    /// # Errors
    /// The first of application, profile and environment that does not exist.
    pub fn address(
        &self,
        application: &str,
        environment: &str,
        profile: &str,
    ) -> Result<Address, MissingPlace> {
        find(&self.view().world, application, environment, profile)
    }

    /// Where the flags of an environment are served, if they are: one address for each profile of flags, in the order of
    /// their ids.
    #[must_use]
    pub fn flag_profiles(&self, application: &ApplicationId, environment: &EnvironmentId) -> Vec<Address> {
        let view = self.view();
        let Ok(application) = view.world.application(application) else { return vec![] };
        let flags = application.profiles.values().filter(|profile| profile.kind == ProfileType::FeatureFlags);
        flags.map(|profile| Address::new(&application.id, environment, &profile.id)).collect()
    }

    /// What the client known as `client` gets, without a session. Without a name it gets a new version only once
    /// everyone has it. Ids or names.
    ///
    /// # Errors
    /// The first of application, profile and environment that does not exist, or that nothing is deployed.
    pub fn read_configuration(
        &self,
        application: &str,
        environment: &str,
        profile: &str,
        client: Option<&str>,
    ) -> Result<Reading, SessionRefusal> {
        let address = self.address(application, environment, profile)?;
        let served = self.served(&address).ok_or(SessionRefusal::NoDeployment)?;
        let version = match client {
            Some(client) => served.for_entity(client),
            None => served.for_anyone(),
        };
        Ok(Reading { version: version.cloned() })
    }
}

/// Resolves ids or names in the order in which the service reports what is missing.
pub(crate) fn find(
    world: &World,
    application: &str,
    environment: &str,
    profile: &str,
) -> Result<Address, MissingPlace> {
    let application: &Application =
        world.find_application(application).map_err(|_: Refusal| MissingPlace::Application)?;
    let profile = application.find_profile(profile).map_err(|_| MissingPlace::Profile)?;
    let environment = application.find_environment(environment).map_err(|_| MissingPlace::Environment)?;
    Ok(Address::new(&application.id, &environment.id, &profile.id))
}

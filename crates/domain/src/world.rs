//! The world: everything the log says, in memory.
//!
//! Cloning is cheap (the maps share structure), so every reader holds an immutable world while the next one is made.
//! **Invariant:** a world is changed by [`World::apply`] only.

use crate::access_key::AccessKey;
use crate::account::Resource;
use crate::account_settings::AccountSettings;
use crate::alarm::Alarm;
use crate::application::Application;
use crate::bearer_token::BearerToken;
use crate::configuration_profile::ConfigurationProfile;
use crate::delivery::{Delivery, DeliveryId, Undelivered};
use crate::deployment_strategy::{DeploymentStrategy, PREDEFINED_STRATEGIES};
use crate::environment::Environment;
use crate::extension::{Extension, ExtensionAssociation};
use crate::forced_flag::watches;
use crate::ids::{
    AccessKeyId, ApplicationId, BearerTokenId, EnvironmentId, ExtensionAssociationId, ExtensionId, ProfileId,
    StrategyId,
};
use crate::refusal::{Missing, Refusal};
use crate::secret::SealedSecret;
use crate::tags::Tags;
use crate::text::AlarmArn;
use imbl::{OrdMap, OrdSet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Everything there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Shared one by one: changing one copies its neighbours' pointers, not them.
    pub(crate) applications: OrdMap<ApplicationId, Arc<Application>>,
    pub(crate) strategies: OrdMap<StrategyId, DeploymentStrategy>,
    pub(crate) settings: AccountSettings,
    pub(crate) access_keys: OrdMap<AccessKeyId, AccessKey>,
    pub(crate) bearer_tokens: OrdMap<BearerTokenId, Arc<BearerToken>>,
    pub(crate) extensions: OrdMap<ExtensionId, Arc<Extension>>,
    pub(crate) associations: OrdMap<ExtensionAssociationId, Arc<ExtensionAssociation>>,
    /// What extensions are still to be told.
    pub(crate) deliveries: OrdMap<DeliveryId, Arc<Delivery>>,
    /// What they could not be told.
    pub(crate) undelivered: OrdMap<DeliveryId, Undelivered>,
    pub(crate) token_key: Option<SealedSecret>,
    pub(crate) signing_key: Option<SealedSecret>,
    pub(crate) alarms: OrdMap<AlarmArn, Arc<Alarm>>,
    /// Environments with deployments that are not over.
    pub(crate) deploying: OrdSet<(ApplicationId, EnvironmentId)>,
    /// Environments in which a flag is forced.
    pub(crate) forcing: OrdSet<(ApplicationId, EnvironmentId)>,
    pub(crate) hosted_bytes: u64,
}

impl World {
    /// All applications.
    #[must_use]
    pub fn applications(&self) -> &OrdMap<ApplicationId, Arc<Application>> {
        &self.applications
    }

    /// An application by id.
    ///
    /// # Errors
    /// When there is none.
    pub fn application(&self, id: &ApplicationId) -> Result<&Application, Refusal> {
        let found = self.applications.get(id).map(|found| &**found);
        found.ok_or_else(|| Refusal::NotFound(Missing::Application(id.to_string())))
    }

    /// An application by id or, failing that, by name.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_application(&self, id_or_name: &str) -> Result<&Application, Refusal> {
        id_or_name
            .parse()
            .ok()
            .and_then(|id: ApplicationId| self.applications.get(&id))
            .or_else(|| {
                self.applications.values().find(|application| application.name.as_str() == id_or_name)
            })
            .map(|found| &**found)
            .ok_or_else(|| Refusal::NotFound(Missing::Application(id_or_name.into())))
    }

    /// An environment by id.
    ///
    /// # Errors
    /// When there is none, or no such application.
    pub fn environment(
        &self,
        application: &ApplicationId,
        id: &EnvironmentId,
    ) -> Result<&Environment, Refusal> {
        let missing = || Refusal::NotFound(Missing::Environment(application.clone(), id.to_string()));
        self.application(application)?.environments.get(id).ok_or_else(missing)
    }

    /// A configuration profile by id.
    ///
    /// # Errors
    /// When there is none, or no such application.
    pub fn profile(
        &self,
        application: &ApplicationId,
        id: &ProfileId,
    ) -> Result<&ConfigurationProfile, Refusal> {
        let missing =
            || Refusal::NotFound(Missing::ConfigurationProfile(application.clone(), id.to_string()));
        self.application(application)?.profiles.get(id).ok_or_else(missing)
    }

    /// Own deployment strategies, without the predefined ones.
    #[must_use]
    pub fn own_strategies(&self) -> &OrdMap<StrategyId, DeploymentStrategy> {
        &self.strategies
    }

    /// A deployment strategy by id, own or predefined.
    ///
    /// # Errors
    /// When there is none.
    pub fn strategy(&self, id: &StrategyId) -> Result<DeploymentStrategy, Refusal> {
        self.find_strategy(id.as_str())
    }

    /// A deployment strategy by id or, failing that, by name; own or predefined.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_strategy(&self, id_or_name: &str) -> Result<DeploymentStrategy, Refusal> {
        let predefined = PREDEFINED_STRATEGIES.iter().find(|strategy| strategy.name == id_or_name);
        let by_id = id_or_name.parse().ok().and_then(|id: StrategyId| self.strategies.get(&id));
        predefined
            .and_then(crate::deployment_strategy::PredefinedStrategy::strategy)
            .or_else(|| by_id.cloned())
            .or_else(|| {
                self.strategies.values().find(|strategy| strategy.name.as_str() == id_or_name).cloned()
            })
            .ok_or_else(|| Refusal::NotFound(Missing::Strategy(id_or_name.into())))
    }

    /// The account's settings.
    #[must_use]
    pub fn settings(&self) -> &AccountSettings {
        &self.settings
    }

    /// All access keys.
    #[must_use]
    pub fn access_keys(&self) -> &OrdMap<AccessKeyId, AccessKey> {
        &self.access_keys
    }

    /// All bearer tokens, expired ones too.
    #[must_use]
    pub fn bearer_tokens(&self) -> &OrdMap<BearerTokenId, Arc<BearerToken>> {
        &self.bearer_tokens
    }

    /// All alarms.
    #[must_use]
    pub fn alarms(&self) -> &OrdMap<AlarmArn, Arc<Alarm>> {
        &self.alarms
    }

    /// An alarm by ARN.
    ///
    /// # Errors
    /// When there is none.
    pub fn alarm(&self, arn: &AlarmArn) -> Result<&Arc<Alarm>, Refusal> {
        self.alarms.get(arn).ok_or_else(|| Refusal::NotFound(Missing::Alarm(arn.clone())))
    }

    /// The key that configuration tokens are sealed with, itself sealed. `None` in an empty log.
    #[must_use]
    pub fn token_key(&self) -> Option<&SealedSecret> {
        self.token_key.as_ref()
    }

    /// The key that the secrets of calls to the outside are derived from, sealed. `None` until the first call.
    #[must_use]
    pub fn signing_key(&self) -> Option<&SealedSecret> {
        self.signing_key.as_ref()
    }

    /// All extensions.
    #[must_use]
    pub fn extensions(&self) -> &OrdMap<ExtensionId, Arc<Extension>> {
        &self.extensions
    }

    /// An extension by id.
    ///
    /// # Errors
    /// When there is none.
    pub fn extension(&self, id: &ExtensionId) -> Result<&Extension, Refusal> {
        let found = self.extensions.get(id).map(|found| &**found);
        found.ok_or(Refusal::NotFound(Missing::Extension))
    }

    /// An extension by id or, failing that, by name.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_extension(&self, id_or_name: &str) -> Result<&Extension, Refusal> {
        let missing = || match id_or_name.starts_with("AWS.") {
            true => Refusal::NotFound(Missing::ServiceExtension(id_or_name.into())),
            false => Refusal::NotFound(Missing::Extension),
        };
        id_or_name
            .parse()
            .ok()
            .and_then(|id: ExtensionId| self.extensions.get(&id))
            .or_else(|| self.extensions.values().find(|extension| extension.name.as_str() == id_or_name))
            .map(|found| &**found)
            .ok_or_else(missing)
    }

    /// All associations of extensions.
    #[must_use]
    pub fn associations(&self) -> &OrdMap<ExtensionAssociationId, Arc<ExtensionAssociation>> {
        &self.associations
    }

    /// What extensions are still to be told, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> &OrdMap<DeliveryId, Arc<Delivery>> {
        &self.deliveries
    }

    /// What extensions could not be told, oldest first; the newest of it.
    #[must_use]
    pub fn undelivered(&self) -> &OrdMap<DeliveryId, Undelivered> {
        &self.undelivered
    }

    /// Bytes in all hosted configuration versions together.
    #[must_use]
    pub fn hosted_bytes(&self) -> u64 {
        self.hosted_bytes
    }

    /// Whether a deployment that is not over depends on the alarm, or a forced flag.
    #[must_use]
    pub fn needs_alarm(&self, arn: &AlarmArn, now: Timestamp) -> bool {
        self.deploying().any(|(_, environment)| environment.watches(arn)) || watches(self, arn, now)
    }

    /// Environments with deployments that are not over.
    pub fn deploying(&self) -> impl Iterator<Item = (&ApplicationId, &Environment)> {
        self.deploying.iter().filter_map(|(application, environment)| {
            self.environment(application, environment).ok().map(|found| (application, found))
        })
    }

    /// A resource's tags; `None` when it does not exist. Predefined strategies have none and can have none.
    #[must_use]
    pub fn tags(&self, resource: &Resource) -> Option<&Tags> {
        match resource {
            Resource::Application(app) => self.applications.get(app).map(|found| &found.tags),
            Resource::Environment(app, env) => self.environment(app, env).ok().map(|found| &found.tags),
            Resource::Profile(app, profile) => self.profile(app, profile).ok().map(|found| &found.tags),
            Resource::HostedVersion(app, profile, number) => {
                self.profile(app, profile).ok()?.version(*number).map(|found| &found.tags)
            }
            Resource::Deployment(app, env, number) => {
                self.environment(app, env).ok()?.deployments.get(number).map(|found| &found.tags)
            }
            Resource::Strategy(id) => self.strategies.get(id).map(|found| &found.tags),
            Resource::Extension(id, version) => {
                self.extensions.get(id)?.versions.get(version).map(|found| &found.tags)
            }
            Resource::ExtensionAssociation(id) => self.associations.get(id).map(|found| &found.tags),
        }
    }
}

impl Application {
    /// An environment by id or, failing that, by name.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_environment(&self, id_or_name: &str) -> Result<&Environment, Refusal> {
        id_or_name
            .parse()
            .ok()
            .and_then(|id: EnvironmentId| self.environments.get(&id))
            .or_else(|| self.environments.values().find(|found| found.name.as_str() == id_or_name))
            .ok_or_else(|| Refusal::NotFound(Missing::Environment(self.id.clone(), id_or_name.into())))
    }

    /// A configuration profile by id or, failing that, by name.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_profile(&self, id_or_name: &str) -> Result<&ConfigurationProfile, Refusal> {
        id_or_name
            .parse()
            .ok()
            .and_then(|id: ProfileId| self.profiles.get(&id))
            .or_else(|| self.profiles.values().find(|found| found.name.as_str() == id_or_name))
            .ok_or_else(|| {
                Refusal::NotFound(Missing::ConfigurationProfile(self.id.clone(), id_or_name.into()))
            })
    }
}

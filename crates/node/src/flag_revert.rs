//! One flag back to what it was, while the others stay: a way back that takes nobody else's change along.
//!
//! The document that everybody has gets the flag of an earlier one, is stored as a new version, and deployed. So it is undone
//! like any change, and by reverting the flag again. **Invariants:** what was stored and never deployed is not deployed on
//! the way; nothing is stored if another deployment is in the way; an alarm that fires does not keep anybody from going back.

use crate::configuration::{
    ConfigurationRefused, DeployConfiguration, StoreConfiguration, StoredConfiguration, read_flags,
};
use crate::error::Error;
use crate::node::{Cause, Node};
use bytes::Bytes;
use std::sync::Arc;
use yardarm_domain::{
    ApplicationId, ContentHash, Deployment, DeploymentNumber, Description, EnvironmentId, NotRevertible,
    ProfileId, ProfileType, Refusal, StrategyId, Tags, VersionNumber, live, must_wait,
};
use yardarm_flags::FlagDocument;
use yardarm_flags::document::FlagKey;
use yardarm_flags::edit::{means_the_same, revert_flag};

/// A flag to bring back to what it was.
#[derive(Clone, Debug)]
pub struct RevertFlag {
    /// Of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// In which configuration.
    pub profile: ProfileId,
    /// Which.
    pub flag: FlagKey,
    /// As in which version. `None`: as in the newest that was deployed there before and in which it was another.
    pub to: Option<VersionNumber>,
    /// How it is deployed.
    pub strategy: StrategyId,
    /// Why.
    pub reason: Option<String>,
}

/// A flag that is on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevertedFlag {
    /// It will be as in this version.
    pub as_in: VersionNumber,
    /// The new version: what everybody had, with that flag.
    pub version: VersionNumber,
    /// The deployment that brings it.
    pub deployment: DeploymentNumber,
}

impl Node {
    /// Brings a flag back to what it was.
    ///
    /// # Errors
    /// There is nothing to go back to, another deployment is in the way, or the log does not answer.
    pub async fn revert_flag(
        &self,
        wanted: RevertFlag,
        cause: Cause,
    ) -> Result<RevertedFlag, ConfigurationRefused> {
        let RevertFlag { application, environment, profile, flag, .. } = &wanted;
        let refused = |why| Refusal::FlagNotRevertible {
            environment: environment.clone(),
            flag: flag.to_string(),
            why,
        };
        let view = self.newest_view().await?;
        let place = view.world.environment(application, environment)?;
        let configuration = view.world.profile(application, profile)?;
        if configuration.kind != ProfileType::FeatureFlags {
            return Err(refused(NotRevertible::NoFlags).into());
        }
        must_wait(place, configuration, &self.config().policy, &self.config().quotas)?;
        let stable = live(&view.world, application, environment, profile).and_then(|live| live.stable);
        let stable = stable.ok_or_else(|| refused(NotRevertible::NotDeployed))?;
        let now = self.document(stable.content.hash).await?;
        let found = match wanted.to {
            Some(number) => {
                let version = configuration.named(&number.to_string())?;
                let document = self.document(version.content.hash).await?;
                (!means_the_same(&now, &document, flag)).then_some((number, document))
            }
            None => {
                let before: Vec<_> = place.completed(profile).skip(1).cloned().collect();
                self.last_other(&now, &before, flag).await?
            }
        };
        let (as_in, earlier) = found.ok_or_else(|| {
            let known = now.flags().contains_key(flag) || now.values().contains_key(flag);
            refused(if known { NotRevertible::Unchanged } else { NotRevertible::Unknown })
        })?;
        let reverted =
            revert_flag(&now, &earlier, flag).map_err(|error| Error::Unreadable(error.to_string()))?;
        let why = wanted.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let told: String = format!("flag {flag} as in version {as_in}{why}").chars().take(1_024).collect();
        let description = told.parse::<Description>().ok();
        let store = StoreConfiguration {
            application: application.clone(),
            profile: profile.clone(),
            description: description.clone(),
            content: Bytes::from(yardarm_flags::write(&reverted)),
            content_type: stable.content_type.clone(),
            label: None,
            latest_version: None,
        };
        let StoredConfiguration { version, .. } = self.store_configuration(store, cause.clone()).await?;
        let deploy = DeployConfiguration {
            application: application.clone(),
            environment: environment.clone(),
            profile: profile.clone(),
            version: version.number.to_string(),
            strategy: wanted.strategy.clone(),
            description,
            tags: Tags::default(),
            latest_deployment_number: None,
            dynamic_parameters: vec![],
            override_alarms: Some(told),
            confirm_within: None,
            gate: None,
        };
        let deployment = self.deploy(deploy, cause).await?.outcome;
        Ok(RevertedFlag { as_in, version: version.number, deployment })
    }

    /// The newest of `before`, newest first, in which the flag was another than in `now`.
    async fn last_other(
        &self,
        now: &FlagDocument,
        before: &[Arc<Deployment>],
        flag: &FlagKey,
    ) -> Result<Option<(VersionNumber, FlagDocument)>, Error> {
        for deployment in before.iter().take(MOST_LOOKED_AT) {
            let document = self.document(deployment.content.hash).await?;
            if !means_the_same(now, &document, flag) {
                return Ok(Some((deployment.version, document)));
            }
        }
        Ok(None)
    }

    async fn document(&self, content: ContentHash) -> Result<FlagDocument, Error> {
        read_flags(self.content(content).await?, |document| document).await
    }
}

/// Versions that are looked at for one in which the flag was another.
const MOST_LOOKED_AT: usize = 50;

//! The least that is needed to deploy something: an application with an environment and a configuration profile.

use crate::node::{TestNode, cause};
use bytes::Bytes;
use std::str::FromStr;
use yardarm_domain::rollout::{GrowthFactor, GrowthType};
use yardarm_domain::{
    ApplicationId, ConfirmWithin, CreateApplication, CreateConfigurationProfile, CreateDeploymentStrategy,
    CreateEnvironment, DeploymentNumber, EnvironmentId, Gate, ProfileId, ProfileType, ReplicateTo,
    StopDeployment, StrategyId, Tags, Validator, VersionNumber,
};
use yardarm_node::{
    ConfigurationRefused, DeployConfiguration, Error, Node, StartSession, StoreConfiguration,
};

/// An application with an environment `production` and a configuration profile `settings`.
#[derive(Clone)]
pub struct Shop {
    /// A handle to the node on which it was made.
    pub node: Node,
    /// `shop` unless it was given another name.
    pub application: ApplicationId,
    /// `production`
    pub environment: EnvironmentId,
    /// `settings`
    pub profile: ProfileId,
    kind: ProfileType,
}

#[expect(clippy::expect_used, reason = "constants of tests")]
fn it<T: FromStr>(text: &str) -> T {
    text.parse().ok().expect("a valid constant")
}

impl Shop {
    /// Makes them on `test`'s node.
    ///
    /// # Errors
    /// The log does not answer.
    pub async fn open(test: &TestNode, kind: ProfileType, validators: Vec<Validator>) -> Result<Self, Error> {
        Self::open_as("shop", test, kind, validators).await
    }

    /// As [`Shop::open`], with another name.
    ///
    /// # Errors
    /// The log does not answer.
    ///
    /// # Panics
    /// Not the name of an application.
    pub async fn open_as(
        name: &str,
        test: &TestNode,
        kind: ProfileType,
        validators: Vec<Validator>,
    ) -> Result<Self, Error> {
        let node = test.node.clone();
        let (description, tags) = (None, Tags::default());
        let command =
            CreateApplication { name: it(name), description: description.clone(), tags: tags.clone() };
        let application = node.execute(command, cause()).await?.outcome;
        let command = CreateEnvironment {
            application: application.clone(),
            name: it("production"),
            description: description.clone(),
            monitors: vec![],
            tags: tags.clone(),
        };
        let environment = node.execute(command, cause()).await?.outcome;
        let command = CreateConfigurationProfile {
            application: application.clone(),
            name: it("settings"),
            description,
            kind,
            validators,
            tags,
        };
        let profile = node.execute(command, cause()).await?.outcome;
        Ok(Self { node, application, environment, profile, kind })
    }

    /// Stores a version.
    ///
    /// # Errors
    /// See [`Node::store_configuration`].
    pub async fn store(
        &self,
        content: &str,
        label: Option<&str>,
    ) -> Result<VersionNumber, ConfigurationRefused> {
        let stored = self.node.store_configuration(self.version(content, label), cause()).await?;
        Ok(stored.version.number)
    }

    /// A version to store.
    #[must_use]
    pub fn version(&self, content: &str, label: Option<&str>) -> StoreConfiguration {
        let content_type = match self.kind {
            ProfileType::Freeform => "text/plain",
            ProfileType::FeatureFlags => "application/json",
        };
        StoreConfiguration {
            application: self.application.clone(),
            profile: self.profile.clone(),
            description: None,
            content: Bytes::copy_from_slice(content.as_bytes()),
            content_type: it(content_type),
            label: label.map(it),
            latest_version: None,
        }
    }

    /// A linear strategy.
    ///
    /// # Errors
    /// The log does not answer.
    pub async fn strategy(&self, duration_s: u32, bake_s: u32, percent: u32) -> Result<StrategyId, Error> {
        let command = CreateDeploymentStrategy {
            name: it("pace"),
            description: None,
            duration_s,
            bake_s,
            growth: GrowthType::Linear,
            factor: GrowthFactor::from_parts_per_million(percent * 10_000).unwrap_or(GrowthFactor::ALL),
            replicate_to: ReplicateTo::None,
            tags: Tags::default(),
        };
        Ok(self.node.execute(command, cause()).await?.outcome)
    }

    /// Starts a deployment of the newest version.
    ///
    /// # Errors
    /// See [`Node::deploy`].
    pub async fn deploy(&self, strategy: &StrategyId) -> Result<DeploymentNumber, ConfigurationRefused> {
        Ok(self.node.deploy(self.newest(strategy), cause()).await?.outcome)
    }

    /// Starts a deployment of the newest version that is taken back unless it is confirmed in so many seconds.
    ///
    /// # Errors
    /// See [`Node::deploy`].
    pub async fn deploy_to_be_confirmed(
        &self,
        strategy: &StrategyId,
        within_s: u32,
    ) -> Result<DeploymentNumber, ConfigurationRefused> {
        let confirm_within = ConfirmWithin::try_from(within_s).ok();
        let wanted = DeployConfiguration { confirm_within, ..self.newest(strategy) };
        Ok(self.node.deploy(wanted, cause()).await?.outcome)
    }

    /// Starts a deployment of the newest version that asks clients before each step.
    ///
    /// # Errors
    /// See [`Node::deploy`].
    pub async fn deploy_asking(
        &self,
        strategy: &StrategyId,
        gate: Option<Gate>,
    ) -> Result<DeploymentNumber, ConfigurationRefused> {
        let wanted = DeployConfiguration { gate, ..self.newest(strategy) };
        Ok(self.node.deploy(wanted, cause()).await?.outcome)
    }

    fn newest(&self, strategy: &StrategyId) -> DeployConfiguration {
        DeployConfiguration {
            application: self.application.clone(),
            environment: self.environment.clone(),
            profile: self.profile.clone(),
            version: "$LATEST".into(),
            strategy: strategy.clone(),
            description: None,
            tags: Tags::default(),
            latest_deployment_number: None,
            dynamic_parameters: vec![],
            override_alarms: None,
            confirm_within: None,
            gate: None,
        }
    }

    /// Stores `content` and has it deployed to everybody in an instant.
    ///
    /// # Errors
    /// See [`Node::store_configuration`] and [`Node::deploy`].
    pub async fn serve(&self, content: &str) -> Result<DeploymentNumber, ConfigurationRefused> {
        self.store(content, None).await?;
        let at_once = self.strategy(0, 0, 100).await?;
        self.deploy(&at_once).await
    }

    /// Stops a deployment, or reverts it.
    ///
    /// # Errors
    /// See [`StopDeployment`].
    pub async fn stop(&self, deployment: DeploymentNumber) -> Result<(), Error> {
        let command = StopDeployment {
            application: self.application.clone(),
            environment: self.environment.clone(),
            deployment,
            allow_revert: true,
            stopped: None,
        };
        self.node.execute(command, cause()).await.map(|_| ())
    }

    /// A session of a client without a name that asks for no interval.
    #[must_use]
    pub fn session(&self) -> StartSession<'static> {
        StartSession {
            application: "shop",
            environment: "production",
            profile: "settings",
            interval_s: None,
            client: None,
        }
    }

    /// What somebody without a session reads, as text.
    #[must_use]
    pub fn read(&self, node: &Node) -> Option<String> {
        let reading = node.read_configuration("shop", "production", "settings", None).ok()?;
        Some(String::from_utf8_lossy(&reading.version?.body).into_owned())
    }
}

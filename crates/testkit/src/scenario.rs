//! A scripted history with an event of every kind, the same in every run: what a release records as its golden log.

use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;
use crate::node::account;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use yardarm_domain::rollout::{GrowthFactor, GrowthType};
use yardarm_domain::{
    Action, ActionPoint, AlarmReport, AlarmSource, AlarmState, ApplicationId, CascadeDeleteApplication,
    ChangeAccessKey, ChangeAlarm, Concurrency, ConfirmDeployment, ConfirmWithin, CreateApplication,
    CreateConfigurationProfile, CreateDeploymentStrategy, CreateEnvironment, CreateExtension,
    CreateExtensionAssociation, DeleteAccessKey, DeleteAlarm, DeleteConfigurationProfile,
    DeleteDeploymentStrategy, DeleteEnvironment, DeleteExtension, DeleteExtensionAssociation,
    DeleteHostedVersion, DeletionProtectionCheck, DeliverAgain, DeploymentNumber, DeploymentState,
    EndDelivery, EnvironmentId, ExtensionVersionNumber, Failure, ForceTo, GrowFor, HeedTick, Measure,
    MeasureEnd, Measured, MeasuredDeployment, Monitor, Parameter, ProfileId, ProfileType, PutAlarm,
    RecordMeasures, ReleaseFlag, ReplicateTo, ReportAlarms, Resource, RevokeBearerToken, StopDeployment,
    StrategyId, TagResource, Tags, Tick, TokenScope, UnregisteredAlarms, UntagResource,
    UpdateAccountSettings, UpdateApplication, UpdateConfigurationProfile, UpdateDeploymentStrategy,
    UpdateEnvironment, UpdateExtension, UpdateExtensionAssociation, Validator, WantedBearerToken, WatchFor,
};
use yardarm_log::MemoryLog;
use yardarm_node::{
    Cause, ConfigurationRefused, DeployConfiguration, Error, MasterKeys, Node, NodeConfig,
    StoreConfiguration, WantedForce,
};
use zeroize::Zeroizing;

/// Plays the script on a new log.
///
/// # Errors
/// What the script asks for is refused: a defect of the node or of the script.
pub async fn play() -> Result<MemoryLog, ConfigurationRefused> {
    let script = Script { log: MemoryLog::new(), clock: ManualClock::default(), requests: AtomicU32::new(0) };
    let node = script.start(1, OLD_KEY).await?;
    let shop = script.resources(&node).await?;
    script.deployments(&node, &shop).await?;
    script.extensions(&node, &shop).await?;
    script.alarms(&node, &shop).await?;
    script.forced_flags(&node, &shop).await?;
    script.secrets(&node).await?;
    script.tokens(&node, &shop).await?;
    script.deletions(&node).await?;
    node.abort();
    // The master key was rotated: secrets are sealed anew.
    let node = script.start(2, &format!("{NEW_KEY}\n{OLD_KEY}")).await?;
    script.unfinished(&node, &shop).await?;
    node.abort();
    Ok(script.log)
}

const OLD_KEY: &str = "00000001:1111111111111111111111111111111111111111111111111111111111111111";
const NEW_KEY: &str = "00000002:2222222222222222222222222222222222222222222222222222222222222222";

struct Script {
    log: MemoryLog,
    clock: ManualClock,
    requests: AtomicU32,
}

struct Shop {
    application: ApplicationId,
    production: EnvironmentId,
    flags: ProfileId,
    limits: ProfileId,
    slowly: StrategyId,
}

#[expect(clippy::expect_used, reason = "constants, all of which are right")]
fn it<T: FromStr>(text: &str) -> T {
    text.parse().ok().expect("a valid constant")
}

#[expect(clippy::expect_used, reason = "a constant")]
fn tags(key: &str, value: &str) -> Tags {
    Tags::new(BTreeMap::from([(key.into(), value.into())])).expect("tags")
}

fn flags(enabled: bool) -> Bytes {
    Bytes::from(format!(
        r#"{{"version":"1","flags":{{"checkout":{{"name":"New checkout","attributes":{{"limit":{{"constraints":{{"type":"number"}}}}}}}}}},"values":{{"checkout":{{"enabled":{enabled},"limit":5}}}}}}"#
    ))
}

impl Script {
    async fn start(&self, seed: u64, keys: &str) -> Result<Node, Error> {
        let mut config = NodeConfig::new(account());
        config.policy.concurrency = Concurrency::Queue;
        config.policy.unregistered_alarms = UnregisteredAlarms::Ignore;
        let keys = MasterKeys::parse(keys).map_err(|error| Error::Internal(error.to_string()))?;
        let (log, clock) = (Arc::new(self.log.clone()), Arc::new(self.clock.clone()));
        Node::start(config, log, clock, Arc::new(SeededEntropy::new(seed)), keys).await
    }

    /// Somebody asks, a second later.
    fn cause(&self) -> Cause {
        self.clock.advance(SignedDuration::from_secs(1));
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let reason = number.is_multiple_of(7).then(|| "as agreed".to_owned());
        Cause { actor: "YDMADMIN".into(), request_id: format!("request-{number}"), reason }
    }

    async fn resources(&self, node: &Node) -> Result<Shop, ConfigurationRefused> {
        let application = CreateApplication {
            name: it("shop"),
            description: Some(it("Sells things")),
            tags: tags("team", "checkout"),
        };
        let application = node.execute(application, self.cause()).await?.outcome;
        let change = UpdateApplication {
            application: application.clone(),
            name: Some(it("store")),
            description: Some(it("")),
        };
        node.execute(change, self.cause()).await?;
        let monitors = vec![Monitor { alarm_arn: it("too many errors"), alarm_role_arn: None }];
        let environment = CreateEnvironment {
            application: application.clone(),
            name: it("production"),
            description: None,
            monitors,
            tags: Tags::default(),
        };
        let production = node.execute(environment, self.cause()).await?.outcome;
        let change = UpdateEnvironment {
            application: application.clone(),
            environment: production.clone(),
            name: None,
            description: Some(it("Live")),
            monitors: None,
        };
        node.execute(change, self.cause()).await?;
        let profile = |name: &str, kind| CreateConfigurationProfile {
            application: application.clone(),
            name: it(name),
            description: None,
            kind,
            validators: vec![Validator::JsonSchema(r#"{"type":"object"}"#.into())],
            tags: Tags::default(),
        };
        let limits = node.execute(profile("limits", ProfileType::Freeform), self.cause()).await?.outcome;
        let flags = node.execute(profile("flags", ProfileType::FeatureFlags), self.cause()).await?.outcome;
        let change = UpdateConfigurationProfile {
            application: application.clone(),
            profile: limits.clone(),
            name: None,
            description: Some(it("Numbers")),
            validators: Some(vec![]),
        };
        node.execute(change, self.cause()).await?;
        let strategy = CreateDeploymentStrategy {
            name: it("slowly"),
            description: None,
            duration_s: 600,
            bake_s: 300,
            growth: GrowthType::Linear,
            factor: GrowthFactor::ALL,
            replicate_to: ReplicateTo::None,
            tags: Tags::default(),
        };
        let slowly = node.execute(strategy, self.cause()).await?.outcome;
        let change = UpdateDeploymentStrategy {
            strategy: slowly.clone(),
            description: None,
            duration_s: None,
            bake_s: None,
            growth: None,
            factor: GrowthFactor::from_parts_per_million(500_000),
        };
        node.execute(change, self.cause()).await?;
        let settings =
            UpdateAccountSettings { vended_metrics: Some(true), ..UpdateAccountSettings::default() };
        node.execute(settings, self.cause()).await?;
        Ok(Shop { application, production, flags, limits, slowly })
    }

    async fn store(
        &self,
        node: &Node,
        shop: &Shop,
        profile: &ProfileId,
        content: Bytes,
        label: Option<&str>,
    ) -> Result<(), ConfigurationRefused> {
        let content_type = if *profile == shop.flags { "application/json" } else { "text/plain" };
        let wanted = StoreConfiguration {
            application: shop.application.clone(),
            profile: profile.clone(),
            description: None,
            content,
            content_type: it(content_type),
            label: label.map(it),
            latest_version: None,
        };
        node.store_configuration(wanted, self.cause()).await.map(|_| ())
    }

    async fn deploy(
        &self,
        node: &Node,
        shop: &Shop,
        profile: &ProfileId,
        strategy: &StrategyId,
    ) -> Result<DeploymentNumber, ConfigurationRefused> {
        self.deploy_to_be_confirmed(node, shop, profile, strategy, None).await
    }

    async fn deploy_to_be_confirmed(
        &self,
        node: &Node,
        shop: &Shop,
        profile: &ProfileId,
        strategy: &StrategyId,
        confirm_within: Option<ConfirmWithin>,
    ) -> Result<DeploymentNumber, ConfigurationRefused> {
        let wanted = DeployConfiguration {
            application: shop.application.clone(),
            environment: shop.production.clone(),
            profile: profile.clone(),
            version: "$LATEST".into(),
            strategy: strategy.clone(),
            description: None,
            tags: Tags::default(),
            latest_deployment_number: None,
            dynamic_parameters: vec![],
            override_alarms: None,
            confirm_within,
            gate: None,
        };
        Ok(node.deploy(wanted, self.cause()).await?.outcome)
    }

    async fn stop(&self, node: &Node, shop: &Shop, deployment: DeploymentNumber) -> Result<(), Error> {
        let command = StopDeployment {
            application: shop.application.clone(),
            environment: shop.production.clone(),
            deployment,
            allow_revert: true,
            stopped: None,
        };
        node.execute(command, self.cause()).await.map(|_| ())
    }

    /// Moves the clock and waits until the driver has brought the oldest open deployment, or the newest of all, there.
    async fn wait(
        &self,
        node: &Node,
        seconds: i64,
        shop: &Shop,
        done: impl Fn(DeploymentState, u32) -> bool,
    ) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        let mut changes = node.changes();
        let reached = |node: &Node| {
            let view = node.view();
            let environment = view.world.environment(&shop.application, &shop.production).ok()?;
            let newest =
                environment.open().next().or_else(|| environment.deployments.values().next_back())?;
            done(newest.state(), newest.exposure().parts_per_million()).then_some(())
        };
        while reached(node).is_none() && changes.changed().await.is_ok() {}
    }

    async fn deployments(&self, node: &Node, shop: &Shop) -> Result<(), ConfigurationRefused> {
        use DeploymentState::{Baking, Complete, Deploying};
        self.store(node, shop, &shop.flags, flags(false), None).await?;
        self.store(node, shop, &shop.flags, flags(true), Some("on")).await?;
        self.store(node, shop, &shop.limits, Bytes::from_static(b"limit = 5\n"), None).await?;
        self.store(node, shop, &shop.limits, Bytes::from_static(&[0, 159, 146, 150]), Some("binary")).await?;
        let all_at_once = it("AppConfig.AllAtOnce");
        let first = self.deploy(node, shop, &shop.flags, &all_at_once).await?;
        // The second one waits for the first.
        self.deploy(node, shop, &shop.limits, &shop.slowly).await?;
        self.wait(node, 1, shop, |state, _| state == Baking).await;
        self.wait(node, 600, shop, |state, ppm| state == Deploying && ppm == 0).await;
        self.wait(node, 300, shop, |_, ppm| ppm == 500_000).await;
        // The clock is set back by a day: the second half waits anew.
        self.clock.advance(SignedDuration::from_hours(-24));
        let mut changes = node.changes();
        let _ = changes.changed().await;
        self.wait(node, 300, shop, |state, _| state == Baking).await;
        self.wait(node, 300, shop, |state, _| state == Complete).await;
        self.stop(node, shop, first).await?;
        let within = ConfirmWithin::try_from(3_600).ok();
        let third = self.deploy_to_be_confirmed(node, shop, &shop.flags, &shop.slowly, within).await?;
        let (application, environment) = (shop.application.clone(), shop.production.clone());
        let (by, reason) = ("YDMADMIN".to_owned(), Some(it("Looks good")));
        let confirm = ConfirmDeployment { application, environment, deployment: third, by, reason };
        node.execute(confirm, self.cause()).await?;
        self.wait(node, 300, shop, |_, ppm| ppm == 500_000).await;
        self.stop(node, shop, third).await?;
        self.measure(node, shop, third).await?;
        let deployment = Resource::Deployment(shop.application.clone(), shop.production.clone(), third);
        let tag = TagResource { resource: deployment.clone(), tags: tags("incident", "17") };
        node.execute(tag, self.cause()).await?;
        let strategy = Resource::Strategy(shop.slowly.clone());
        node.execute(TagResource { resource: strategy.clone(), tags: tags("pace", "slow") }, self.cause())
            .await?;
        node.execute(UntagResource { resource: strategy, keys: vec!["pace".into()] }, self.cause()).await?;
        Ok(())
    }

    /// Clients have acknowledged the way back.
    async fn measure(&self, node: &Node, shop: &Shop, deployment: DeploymentNumber) -> Result<(), Error> {
        let measure = Measure {
            of: Measured::Rollback,
            evidence_at: None,
            decided_at: node.now(),
            served_ms: 2,
            clients: 3,
            half_ms: Some(20),
            nearly_all_ms: Some(31),
            all_ms: Some(31),
            ended: MeasureEnd::Complete,
        };
        let (application, environment) = (shop.application.clone(), shop.production.clone());
        let measured = MeasuredDeployment { application, environment, deployment, measure };
        node.execute(RecordMeasures { measures: vec![measured] }, self.cause()).await.map(|_| ())
    }

    async fn alarm(&self, node: &Node, arn: &str) -> Result<(), Error> {
        let command = PutAlarm {
            arn: it(arn),
            description: None,
            source: AlarmSource::Pushed,
            fresh_for: None,
            actions_enabled: true,
            secret: None,
        };
        node.execute(command, self.cause()).await.map(|_| ())
    }

    async fn report(&self, node: &Node, state: AlarmState) -> Result<(), Error> {
        let cause = self.cause();
        let report = AlarmReport {
            alarm: it("too many errors"),
            revision: None,
            state,
            at: node.now(),
            actions_enabled: true,
            reason: None,
            group: None,
        };
        node.execute(ReportAlarms { reports: vec![report] }, cause).await.map(|_| ())
    }

    /// An alarm takes a deployment back, and is switched off.
    async fn alarms(&self, node: &Node, shop: &Shop) -> Result<(), ConfigurationRefused> {
        self.alarm(node, "too many errors").await?;
        self.report(node, AlarmState::Ok).await?;
        self.deploy(node, shop, &shop.flags, &shop.slowly).await?;
        self.wait(node, 250, shop, |state, _| state == DeploymentState::Deploying).await;
        self.report(node, AlarmState::Ok).await?;
        self.wait(node, 50, shop, |_, ppm| ppm == 500_000).await;
        self.report(node, AlarmState::Alarm).await?;
        self.wait(node, 1, shop, |state, _| state == DeploymentState::RolledBack).await;
        node.execute(ChangeAlarm { arn: it("too many errors"), actions_enabled: false }, self.cause())
            .await?;
        self.alarm(node, "old").await?;
        node.execute(DeleteAlarm { arn: it("old") }, self.cause()).await?;
        Ok(())
    }

    /// A flag is forced, reaches everybody, and is released.
    async fn forced_flags(&self, node: &Node, shop: &Shop) -> Result<(), ConfigurationRefused> {
        let first = self.deploy(node, shop, &shop.flags, &it("AppConfig.AllAtOnce")).await?;
        self.wait(node, 1, shop, |state, _| state == DeploymentState::Baking).await;
        let wanted = WantedForce {
            application: shop.application.clone(),
            environment: shop.production.clone(),
            profile: shop.flags.clone(),
            flag: it("checkout"),
            to: ForceTo::Off,
            reason: it("It charges twice"),
            grow_for: GrowFor::DEFAULT,
            watch_for: WatchFor::DEFAULT,
        };
        node.force_flag(wanted, self.cause()).await?;
        self.clock.advance(SignedDuration::from_secs(5));
        let mut changes = node.changes();
        let growing = |node: &Node| {
            let view = node.view();
            let environment = view.world.environment(&shop.application, &shop.production).ok()?;
            environment.forced_flags(&shop.flags)?.growing
        };
        while growing(node).is_some() && changes.changed().await.is_ok() {}
        let release = ReleaseFlag {
            application: shop.application.clone(),
            environment: shop.production.clone(),
            profile: shop.flags.clone(),
            flag: it("checkout"),
            by: "YDMADMIN".into(),
            reason: Some(it("Mended")),
        };
        node.execute(release, self.cause()).await?;
        self.stop(node, shop, first).await?;
        Ok(())
    }

    async fn secrets(&self, node: &Node) -> Result<(), Error> {
        for (id, name) in [("YDMADMIN", "administrator"), ("YDMGONE", "gone")] {
            let secret = Some(Zeroizing::new(format!("secret of {name}")));
            node.create_access_key(Some(it(id)), secret, it(name), None, self.cause()).await?;
        }
        let change = ChangeAccessKey {
            id: it("YDMADMIN"),
            enabled: Some(false),
            name: None,
            description: Some(it("Away")),
        };
        node.execute(change, self.cause()).await?;
        node.execute(DeleteAccessKey { id: it("YDMGONE") }, self.cause()).await.map(|_| ())
    }

    async fn tokens(&self, node: &Node, shop: &Shop) -> Result<(), Error> {
        for (name, scope, expires_at) in [
            ("web shop", TokenScope::Evaluate, None),
            ("agent", TokenScope::Read, Timestamp::from_second(1_900_000_000).ok()),
        ] {
            let wanted = WantedBearerToken {
                name: it(name),
                description: None,
                application: shop.application.clone(),
                environment: shop.production.clone(),
                scope,
                expires_at,
            };
            let id = node.create_bearer_token(wanted, self.cause()).await?.id;
            if scope == TokenScope::Evaluate {
                node.execute(RevokeBearerToken { id }, self.cause()).await?;
            }
        }
        Ok(())
    }

    /// Something of everything is made and deleted again.
    async fn deletions(&self, node: &Node) -> Result<(), ConfigurationRefused> {
        let check = DeletionProtectionCheck::Bypass;
        let application = CreateApplication { name: it("old"), description: None, tags: Tags::default() };
        let application = node.execute(application, self.cause()).await?.outcome;
        let environment = CreateEnvironment {
            application: application.clone(),
            name: it("test"),
            description: None,
            monitors: vec![],
            tags: Tags::default(),
        };
        let environment = node.execute(environment, self.cause()).await?.outcome;
        let profile = CreateConfigurationProfile {
            application: application.clone(),
            name: it("settings"),
            description: None,
            kind: ProfileType::Freeform,
            validators: vec![],
            tags: Tags::default(),
        };
        let profile = node.execute(profile, self.cause()).await?.outcome;
        let wanted = StoreConfiguration {
            application: application.clone(),
            profile: profile.clone(),
            description: Some(it("Never deployed")),
            content: Bytes::from_static(b"a = 1"),
            content_type: it("application/toml"),
            label: None,
            latest_version: Some(0),
        };
        let version = node.store_configuration(wanted, self.cause()).await?.version.number;
        let (app, of) = (application.clone(), profile.clone());
        node.execute(DeleteHostedVersion { application: app, profile: of, version }, self.cause()).await?;
        let app = application.clone();
        let delete = DeleteConfigurationProfile { application: app, profile, check, last_read: None };
        node.execute(delete, self.cause()).await?;
        let app = application.clone();
        let delete = DeleteEnvironment { application: app, environment, check, last_read: None };
        node.execute(delete, self.cause()).await?;
        let delete = CascadeDeleteApplication { application, check, last_reads: vec![] };
        node.execute(delete, self.cause()).await?;
        let strategy = CreateDeploymentStrategy {
            name: it("once"),
            description: Some(it("For a day")),
            duration_s: 0,
            bake_s: 0,
            growth: GrowthType::Exponential,
            factor: GrowthFactor::ALL,
            replicate_to: ReplicateTo::SsmDocument,
            tags: Tags::default(),
        };
        let strategy = node.execute(strategy, self.cause()).await?.outcome;
        node.execute(DeleteDeploymentStrategy { strategy }, self.cause()).await?;
        Ok(())
    }

    /// An extension comes, is told something in vain, and goes; one stays.
    async fn extensions(&self, node: &Node, shop: &Shop) -> Result<(), ConfigurationRefused> {
        let action = |uri: &str| Action { name: it("tell"), description: None, uri: it(uri), role: None };
        let parameter = Parameter { description: None, required: false, dynamic: true };
        let create = CreateExtension {
            name: it("chat"),
            description: Some(it("Tells a channel")),
            actions: BTreeMap::from([(ActionPoint::OnDeploymentStart, action("https://chat.example/a"))]),
            parameters: BTreeMap::from([(it("channel"), parameter)]),
            tags: tags("team", "platform"),
            latest_version: None,
        };
        let (extension, _) = node.execute(create.clone(), self.cause()).await?.outcome;
        let second = CreateExtension { latest_version: Some(1), ..create };
        node.execute(second, self.cause()).await?;
        let update = UpdateExtension {
            extension: extension.clone(),
            version: None,
            description: Some(it("")),
            actions: Some(BTreeMap::from([(
                ActionPoint::OnDeploymentStart,
                action("https://chat.example/b"),
            )])),
            parameters: None,
        };
        node.execute(update, self.cause()).await?;
        let associate = CreateExtensionAssociation {
            extension: extension.clone(),
            version: Some(ExtensionVersionNumber(1)),
            resource: Resource::Application(shop.application.clone()),
            parameters: BTreeMap::from([(it("channel"), it("#shop"))]),
            tags: Tags::default(),
        };
        let association = node.execute(associate.clone(), self.cause()).await?.outcome;
        let parameters = Some(BTreeMap::from([(it("channel"), it("#store"))]));
        let update = UpdateExtensionAssociation { association: association.clone(), parameters };
        node.execute(update, self.cause()).await?;
        let deployment = self.deploy(node, shop, &shop.limits, &it("AppConfig.AllAtOnce")).await?;
        if let Some(delivery) = node.view().world.deliveries().keys().next().copied() {
            let failure = Some(Failure { code: "TimedOut".into(), message: "no answer within 15 s".into() });
            node.execute(EndDelivery { delivery, failure, attempts: 12 }, self.cause()).await?;
            node.execute(DeliverAgain { delivery }, self.cause()).await?;
            node.execute(EndDelivery { delivery, failure: None, attempts: 1 }, self.cause()).await?;
        }
        let (application, environment) = (shop.application.clone(), shop.production.clone());
        let tick = Tick { application, environment, deployment };
        let heed = HeedTick { tick, invocations: vec![], roll_back: Some(it("Too many errors")) };
        node.execute(heed, self.cause()).await?;
        node.execute(DeleteExtensionAssociation { association }, self.cause()).await?;
        let version = Some(ExtensionVersionNumber(1));
        node.execute(DeleteExtension { extension: extension.clone(), version }, self.cause()).await?;
        node.execute(CreateExtensionAssociation { version: None, ..associate }, self.cause()).await?;
        node.signing_secret(extension.as_str()).await?;
        Ok(())
    }

    /// The log ends in the middle of a rollout, with another one waiting.
    async fn unfinished(&self, node: &Node, shop: &Shop) -> Result<(), ConfigurationRefused> {
        self.deploy(node, shop, &shop.flags, &it("AppConfig.Linear20PercentEvery6Minutes")).await?;
        self.wait(node, 360, shop, |_, ppm| ppm == 200_000).await;
        self.deploy(node, shop, &shop.limits, &it("AppConfig.AllAtOnce")).await?;
        Ok(())
    }
}

//! Where the stories take place: a world, and what is done in it.

use jiff::{SignedDuration, Timestamp};
use std::str::FromStr;
use yardarm_domain::rollout::{GrowthFactor, GrowthType};
use yardarm_domain::{
    AdvanceDeployments, AlarmReport, AlarmSource, AlarmState, ApplicationId, ClientEvidence, Command,
    ContentHash, ContentRef, Context, CreateApplication, CreateConfigurationProfile,
    CreateDeploymentStrategy, CreateEnvironment, CreateHostedVersion, DeploymentNumber, EnvironmentId, Event,
    FreshFor, Monitor, Policy, ProfileId, ProfileType, PutAlarm, Quotas, Refusal, ReplicateTo, ReportAlarms,
    StartDeployment, StrategyId, Tags, Validated, VersionNumber, World,
};

pub(crate) const CONTENT: ContentRef = ContentRef { hash: ContentHash([1; 32]), size_bytes: 1 };

pub(crate) fn it<T: FromStr>(text: &str) -> T {
    text.parse().ok().unwrap()
}

/// An application whose environment is watched by the alarm `errors`, and a clock.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) quotas: Quotas,
    pub(crate) policy: Policy,
    pub(crate) now: Timestamp,
    /// What clients have said.
    pub(crate) clients: ClientEvidence,
    /// From when on the driver is there.
    pub(crate) attentive_since: Timestamp,
    pub(crate) application: ApplicationId,
    pub(crate) environment: EnvironmentId,
    pub(crate) profile: ProfileId,
    pub(crate) strategy: StrategyId,
    pub(crate) position: u64,
}

impl Stage {
    /// With a version that is not deployed: ten minutes to everyone in steps of a quarter, five minutes of bake.
    pub(crate) fn new(kind: ProfileType) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut stage = Self {
            world: World::default(),
            quotas: Quotas::default(),
            policy: Policy::default(),
            now,
            clients: ClientEvidence::default(),
            attentive_since: now,
            application: it("none"),
            environment: it("none"),
            profile: it("none"),
            strategy: it("none"),
            position: 0,
        };
        let create = CreateApplication { name: it("shop"), description: None, tags: Tags::default() };
        stage.application = stage.run(create).unwrap();
        stage.environment = stage
            .run(CreateEnvironment {
                application: stage.application.clone(),
                name: it("production"),
                description: None,
                monitors: vec![Monitor { alarm_arn: it("errors"), alarm_role_arn: None }],
                tags: Tags::default(),
            })
            .unwrap();
        stage.profile = stage
            .run(CreateConfigurationProfile {
                application: stage.application.clone(),
                name: it("settings"),
                description: None,
                kind,
                validators: vec![],
                tags: Tags::default(),
            })
            .unwrap();
        stage.strategy = stage.strategy(600, 300, 25);
        stage
            .run(CreateHostedVersion {
                application: stage.application.clone(),
                profile: stage.profile.clone(),
                description: None,
                content: CONTENT,
                content_type: it("application/json"),
                label: None,
                latest_version: None,
                normalised_against: None,
            })
            .unwrap();
        stage
    }

    pub(crate) fn strategy(&mut self, duration_s: u32, bake_s: u32, percent: u32) -> StrategyId {
        self.run(CreateDeploymentStrategy {
            name: it("pace"),
            description: None,
            duration_s,
            bake_s,
            growth: GrowthType::Linear,
            factor: GrowthFactor::from_percent(percent.into()).unwrap(),
            replicate_to: ReplicateTo::None,
            tags: Tags::default(),
        })
        .unwrap()
    }

    pub(crate) fn run<C: Command>(&mut self, command: C) -> Result<C::Outcome, Refusal> {
        let entropy = self.position.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 7;
        let context = Context { now: self.now, entropy, quotas: &self.quotas, policy: &self.policy };
        let decision = command.decide(&self.world, &context)?;
        for event in decision.events {
            let (kind, version, body) = event.write().unwrap();
            assert_eq!(Event::read(&kind, version, &body).unwrap(), event);
            self.position += 1;
            self.world.apply(self.position, self.now, event).unwrap();
        }
        Ok(decision.outcome)
    }

    pub(crate) fn put(&mut self, arn: &str, source: AlarmSource, fresh_s: u32) {
        self.run(PutAlarm {
            arn: it(arn),
            description: None,
            source,
            fresh_for: Some(FreshFor::try_from(fresh_s).unwrap()),
            actions_enabled: true,
            secret: None,
        })
        .unwrap();
    }

    pub(crate) fn report(&self, arn: &str, state: AlarmState) -> AlarmReport {
        AlarmReport {
            alarm: it(arn),
            revision: None,
            state,
            at: self.now,
            actions_enabled: true,
            reason: None,
            group: None,
        }
    }

    /// Answers how many records it took.
    pub(crate) fn tell(&mut self, state: AlarmState) -> u64 {
        let (before, report) = (self.position, self.report("errors", state));
        self.run(ReportAlarms { reports: vec![report] }).unwrap();
        self.position - before
    }

    pub(crate) fn advance(&self) -> AdvanceDeployments {
        AdvanceDeployments {
            only_clock: true,
            attentive_since: self.attentive_since,
            unregistered: self.policy.unregistered_alarms,
            ticks: self.policy.ticks,
            clients: self.clients.clone(),
        }
    }

    /// Lets time pass; the driver does what is due, and has nothing to do then.
    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        for _ in 0..10 {
            let (before, advance) = (self.position, self.advance());
            let due = advance.wake_at(&self.world, self.now).is_some_and(|at| at <= self.now);
            self.run(advance).unwrap();
            assert_eq!(due, self.position > before, "what is due is done, and nothing else");
            if !due {
                return;
            }
        }
        panic!("the driver does not come to rest");
    }

    pub(crate) fn deployment(&self, alarm_override: Option<(&str, &str)>) -> StartDeployment {
        StartDeployment {
            application: self.application.clone(),
            environment: self.environment.clone(),
            profile: self.profile.clone(),
            version: VersionNumber(1),
            strategy: self.strategy.clone(),
            description: None,
            tags: Tags::default(),
            latest_deployment_number: None,
            changed: None,
            dynamic_parameters: vec![],
            extensions: vec![],
            invocations: vec![],
            confirm_within: None,
            alarm_override: alarm_override.map(|(by, reason)| (by.into(), reason.into())),
            gate: None,
            validated: Validated { content: CONTENT.hash, validators: vec![] },
        }
    }

    pub(crate) fn deploy(&mut self) -> Result<DeploymentNumber, Refusal> {
        self.run(self.deployment(None))
    }
}

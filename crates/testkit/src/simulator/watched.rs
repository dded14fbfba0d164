//! A shop that two alarms watch, and how their sources behave while it deploys: they fire, flap, fall silent, and come back.

use super::commands::{ALARMS, pick};
use super::{Broken, Run};
use crate::fake_alarms::{FakeAlarms, Truth};
use bytes::Bytes;
use fastrand::Rng;
use jiff::SignedDuration;
use yardarm_domain::rollout::{GrowthFactor, GrowthType};
use yardarm_domain::{
    AlarmArn, AlarmState, Command, CreateApplication, CreateConfigurationProfile, CreateDeploymentStrategy,
    CreateEnvironment, FreshFor, Monitor, ProfileType, PutAlarm, ReplicateTo, Tags,
};
use yardarm_node::{Cause, Node, StoreConfiguration};

/// What sources do where alarms are one thing among many.
pub(super) const SELDOM_BAD: &[Truth] = &[
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Alarm),
    Truth::Says(AlarmState::InsufficientData),
    Truth::Silent,
    Truth::Garbage,
];

/// What they do in the shop. Half of the time all is well with one, so that deployments get somewhere.
pub(super) const OFTEN_BAD: &[Truth] = &[
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Ok),
    Truth::Says(AlarmState::Alarm),
    Truth::Says(AlarmState::InsufficientData),
    Truth::Flaps,
    Truth::Silent,
    Truth::Silent,
    Truth::Garbage,
];

/// Opens the shop, on a node that nothing troubles yet.
pub(super) async fn open(node: &Node, rng: &mut Rng) -> Result<(), Broken> {
    let mut monitors = vec![];
    for arn in ALARMS {
        let arn: AlarmArn = it(arn)?;
        let command = PutAlarm {
            source: FakeAlarms::source(&arn, pick(rng, [0, 0, 0, 120]).unwrap_or_default()),
            fresh_for: FreshFor::try_from(rng.u32(300..3_600)).ok(),
            arn: arn.clone(),
            description: None,
            actions_enabled: true,
            secret: None,
        };
        done(node, command).await?;
        monitors.push(Monitor { alarm_arn: arn, alarm_role_arn: None });
    }
    let tags = Tags::default();
    let command = CreateApplication { name: it("shop")?, description: None, tags: tags.clone() };
    let application = done(node, command).await?;
    let command = CreateEnvironment {
        application: application.clone(),
        name: it("stage")?,
        description: None,
        monitors,
        tags: tags.clone(),
    };
    done(node, command).await?;
    let command = CreateConfigurationProfile {
        application: application.clone(),
        name: it("settings")?,
        description: None,
        kind: ProfileType::Freeform,
        validators: vec![],
        tags: tags.clone(),
    };
    let profile = done(node, command).await?;
    for speed in 1..=3 {
        let wanted = StoreConfiguration {
            application: application.clone(),
            profile: profile.clone(),
            description: None,
            content: Bytes::from(format!("speed = {speed}")),
            content_type: it("application/toml")?,
            label: None,
            latest_version: None,
        };
        let stored = node.store_configuration(wanted, cause()).await;
        stored.map_err(|error| Broken(error.to_string()))?;
    }
    let command = CreateDeploymentStrategy {
        name: it("pace")?,
        description: None,
        duration_s: rng.u32(60..3_600),
        bake_s: rng.u32(0..1_800),
        growth: if rng.bool() { GrowthType::Linear } else { GrowthType::Exponential },
        factor: GrowthFactor::from_parts_per_million(rng.u32(50_000..300_000))
            .ok_or_else(|| Broken("a growth factor is none".into()))?,
        replicate_to: ReplicateTo::None,
        tags,
    };
    done(node, command).await.map(drop)
}

impl Run {
    /// One thing happens in the shop or to its servers.
    pub(super) async fn step_watched(&mut self) -> Result<(), Broken> {
        match self.rng.u32(0..100) {
            0..16 => self.deploy_or_stop(),
            16..30 => self.change_truth(),
            30..72 => self.let_time_pass(),
            72..82 => self.poll()?,
            82..86 => self.start_session()?,
            86..90 => self.crash(),
            90..95 => self.start_nodes().await?,
            95..97 => self.trouble(),
            _ => self.heal().await?,
        }
        Ok(())
    }

    fn deploy_or_stop(&mut self) {
        let Some((index, node)) = self.any_node() else { return };
        if let Some(what) = self.asker(&node).ask_of_deployments() {
            self.tell(format!("node {index}: {what}"));
        }
    }

    /// Mostly to when somebody wants to do something; now and then everybody sleeps, or the clock is set back.
    fn let_time_pass(&mut self) {
        let (clock, now) = (self.cluster.clock.clone(), self.now());
        let next = [self.wake_at(), self.cluster.watchers_wake_at()].into_iter().flatten().min();
        match (self.rng.u8(0..20), next) {
            (0..14, Some(next)) if next > now => clock.set(next),
            (0..18, _) => clock.advance(SignedDuration::from_secs(self.rng.i64(1..180))),
            (18, _) => clock.advance(SignedDuration::from_mins(self.rng.i64(5..300))),
            _ => clock.advance(SignedDuration::from_secs(self.rng.i64(-90..0))),
        }
        self.tell(format!("it is {}", self.now()));
    }
}

fn cause() -> Cause {
    Cause { actor: "simulator".into(), request_id: "-".into(), reason: None }
}

async fn done<C>(node: &Node, command: C) -> Result<C::Outcome, Broken>
where
    C: Command + Send + 'static,
    C::Outcome: Send + 'static,
{
    match node.execute(command, cause()).await {
        Ok(committed) => Ok(committed.outcome),
        Err(error) => Err(Broken(error.to_string())),
    }
}

fn it<T: std::str::FromStr>(text: &str) -> Result<T, Broken> {
    text.parse().map_err(|_| Broken(format!("`{text}` is no constant")))
}

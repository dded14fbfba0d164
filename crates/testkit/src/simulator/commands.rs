//! What people ask of the nodes, and what must be true of the answers they get.

use super::history::History;
use super::{Broken, ensure};
use crate::fake_alarms::FakeAlarms;
use bytes::Bytes;
use fastrand::Rng;
use std::collections::BTreeMap;
use tokio::task::JoinHandle;
use yardarm_domain::rollout::{GrowthFactor, GrowthType};
use yardarm_domain::{
    AccessKeyId, AlarmArn, AlarmReport, AlarmSource, AlarmState, Application, ApplicationId,
    CascadeDeleteApplication, ChangeAccessKey, ChangeAlarm, Command, ConfigurationProfile, ConfirmDeployment,
    ConfirmWithin, CreateApplication, CreateConfigurationProfile, CreateDeploymentStrategy,
    CreateEnvironment, DeleteAccessKey, DeleteAlarm, DeleteConfigurationProfile, DeleteDeploymentStrategy,
    DeleteEnvironment, DeleteHostedVersion, DeletionProtectionCheck, Environment, FreshFor, Gate, Monitor,
    PREDEFINED_STRATEGIES, Percent, ProfileType, PutAlarm, Refusal, ReplicateTo, ReportAlarms, Resource,
    StopDeployment, StrategyId, TagResource, Tags, UntagResource, UpdateAccountSettings, UpdateApplication,
    UpdateConfigurationProfile, UpdateDeploymentStrategy, UpdateEnvironment, World,
};
use yardarm_log::Seq;
use yardarm_node::{Cause, ConfigurationRefused, DeployConfiguration, Error, Node, StoreConfiguration};

/// How a request ended.
enum Answer {
    /// Done, and durable. The position of the log in which it had happened, if the answer says so.
    Done(Option<Seq>),
    /// Not done.
    Refused(Refusal),
    /// Nobody knows.
    Unknown,
    /// It must never end like this.
    Broken(String),
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::Refused(refusal),
            Error::Log(_) | Error::Busy(_) => Self::Unknown,
            Error::Unreadable(_) | Error::Sealed(_) | Error::Internal(_) => Self::Broken(error.to_string()),
        }
    }
}

impl From<ConfigurationRefused> for Answer {
    fn from(refused: ConfigurationRefused) -> Self {
        match refused {
            ConfigurationRefused::Node(error) => error.into(),
            other => Self::Broken(other.to_string()),
        }
    }
}

/// A request on its way.
struct Pending {
    id: String,
    /// What it refers to, all of which existed when it was sent.
    refers_to: Vec<Resource>,
    /// It may be done without anything to record.
    may_change_nothing: bool,
    answer: JoinHandle<Answer>,
}

/// All requests of a simulation.
#[derive(Default)]
pub(super) struct Requests {
    sent: u32,
    pending: Vec<Pending>,
    refused: Vec<String>,
}

impl Requests {
    /// Takes the answers of requests that have ended and holds them against `history`. With the nodes at rest all have.
    pub(super) async fn collect(&mut self, history: &History) -> Result<Vec<String>, Broken> {
        let mut told = vec![];
        for pending in std::mem::take(&mut self.pending) {
            let Pending { id, refers_to, may_change_nothing, answer } = pending;
            ensure(answer.is_finished(), || format!("{id} was never answered"))?;
            let records = history.of_request(&id);
            match answer.await.map_err(|error| Broken(format!("{id}: {error}")))? {
                Answer::Done(seq) => {
                    let there = match (records, seq) {
                        (Some((_, last)), Some(seq)) => last <= seq,
                        (Some(_), None) => true,
                        (None, _) => may_change_nothing,
                    };
                    ensure(there, || {
                        format!("{id} was acknowledged at {seq:?} but its records are {records:?}")
                    })?;
                    told.push(format!("{id} done"));
                }
                Answer::Refused(refusal) => {
                    let exists = |resource| history.world.tags(resource).is_some();
                    let wrong = matches!(refusal, Refusal::NotFound(_)) && refers_to.iter().all(exists);
                    ensure(!wrong, || format!("{id}: {refusal}, but it is there"))?;
                    told.push(format!("{id} refused: {refusal}"));
                    self.refused.push(id);
                }
                Answer::Unknown => told.push(format!("{id} unknown")),
                Answer::Broken(what) => return Err(Broken(format!("{id}: {what}"))),
            }
        }
        Ok(told)
    }

    /// What was refused left no record, then or later.
    pub(super) fn refused_left_nothing(&self, history: &History) -> Result<(), Broken> {
        match self.refused.iter().find(|id| history.of_request(id).is_some()) {
            Some(id) => Err(Broken(format!("{id} was refused and done"))),
            None => Ok(()),
        }
    }

    fn spawn<T>(
        &mut self,
        (refers_to, may_change_nothing): (Vec<Resource>, bool),
        cause: Cause,
        ask: impl Future<Output = T> + Send + 'static,
    ) where
        T: Into<Answer>,
    {
        let answer = tokio::spawn(async move { ask.await.into() });
        self.pending.push(Pending { id: cause.request_id, refers_to, may_change_nothing, answer });
    }

    fn cause(&mut self) -> Cause {
        self.sent += 1;
        Cause { actor: "simulator".into(), request_id: format!("request-{}", self.sent), reason: None }
    }
}

impl<E: Into<Answer>> From<Result<Option<Seq>, E>> for Answer {
    fn from(result: Result<Option<Seq>, E>) -> Self {
        match result {
            Ok(seq) => Self::Done(seq),
            Err(error) => error.into(),
        }
    }
}

/// Somebody about to ask for something, knowing `world`.
pub(super) struct Asker<'a> {
    pub(super) requests: &'a mut Requests,
    pub(super) node: &'a Node,
    pub(super) world: &'a World,
    pub(super) alarms: &'a FakeAlarms,
    pub(super) rng: &'a mut Rng,
}

/// How many there may be at most: few, so that commands meet.
const APPLICATIONS: usize = 2;
/// What the alarms are called.
pub(super) const ALARMS: [&str; 2] = ["too many errors", "too slow"];
const MEMBERS: usize = 2;

impl Asker<'_> {
    /// Sends one request and tells which. `None`: there is nothing yet to ask for.
    pub(super) fn ask(&mut self) -> Option<String> {
        let what = self.request()?;
        Some(format!("request-{} {what}", self.requests.sent))
    }

    /// As [`Asker::ask`], of deployments only.
    pub(super) fn ask_of_deployments(&mut self) -> Option<String> {
        let what = match self.rng.u8(0..10) {
            0 => self.stop(),
            1 => self.confirm(),
            _ => self.deploy(),
        }?;
        Some(format!("request-{} {what}", self.requests.sent))
    }

    fn request(&mut self) -> Option<&'static str> {
        match self.rng.u32(0..100) {
            0..6 => self.create_application(),
            6..13 => self.create_environment(),
            13..20 => self.create_profile(),
            20..36 => self.store(),
            36..60 => self.deploy(),
            60..63 => self.confirm(),
            63..66 => self.stop(),
            66..70 => self.strategy(),
            70..73 => self.tag(),
            73..86 => self.alarm(),
            86..89 => self.access_key(),
            89..95 => self.update(),
            _ => self.delete(),
        }
    }

    fn execute<C>(&mut self, refers_to: Vec<Resource>, may_change_nothing: bool, command: C)
    where
        C: Command + Send + 'static,
        C::Outcome: Send + 'static,
    {
        let (cause, node) = (self.requests.cause(), self.node.clone());
        let ask = cause.clone();
        self.requests.spawn((refers_to, may_change_nothing), cause, async move {
            node.execute(command, ask).await.map(|committed| Some(committed.view.seq))
        });
    }

    fn application(&mut self) -> Option<Application> {
        pick(self.rng, self.world.applications().values().map(|found| Application::clone(found)))
    }

    fn environment(&mut self) -> Option<(ApplicationId, Environment)> {
        let application = self.application()?;
        let environment = pick(self.rng, application.environments.values().cloned())?;
        Some((application.id, environment))
    }

    fn profile(&mut self) -> Option<(ApplicationId, ConfigurationProfile)> {
        let application = self.application()?;
        let profile = pick(self.rng, application.profiles.values().cloned())?;
        Some((application.id, profile))
    }

    fn name<T: std::str::FromStr>(&mut self, kind: &str) -> Option<T> {
        format!("{kind} {}", self.rng.u8(0..4)).parse().ok()
    }

    fn create_application(&mut self) -> Option<&'static str> {
        if self.world.applications().len() >= APPLICATIONS {
            return None;
        }
        let name = self.name("shop")?;
        self.execute(vec![], false, CreateApplication { name, description: None, tags: Tags::default() });
        Some("creates an application")
    }

    fn create_environment(&mut self) -> Option<&'static str> {
        let application = self.application().filter(|found| found.environments.len() < MEMBERS)?;
        let monitors = self.monitors();
        let name = self.name("stage")?;
        let refers_to = vec![Resource::Application(application.id.clone())];
        let (application, tags) = (application.id, Tags::default());
        self.execute(
            refers_to,
            false,
            CreateEnvironment { application, name, description: None, monitors, tags },
        );
        Some("creates an environment")
    }

    /// Half of the time none.
    fn monitors(&mut self) -> Vec<Monitor> {
        let watched = self.rng.bool();
        let mut arns = ALARMS.into_iter().filter(|_| watched && self.rng.bool());
        let mut monitors = vec![];
        while let Some(alarm_arn) = arns.next().and_then(|arn| arn.parse().ok()) {
            monitors.push(Monitor { alarm_arn, alarm_role_arn: None });
        }
        monitors
    }

    fn alarm(&mut self) -> Option<&'static str> {
        let arn: AlarmArn = pick(self.rng, ALARMS)?.parse().ok()?;
        match self.rng.u8(0..10) {
            0..5 => {
                let for_s = pick(self.rng, [0, 0, 3_000])?;
                let pushed = self.rng.u8(0..3) == 0;
                let source = if pushed { AlarmSource::Pushed } else { FakeAlarms::source(&arn, for_s) };
                let command = PutAlarm {
                    arn,
                    description: None,
                    source,
                    fresh_for: FreshFor::try_from(pick(self.rng, [3_600, 86_400, 86_400, 172_800])?).ok(),
                    actions_enabled: self.rng.u8(0..5) > 0,
                    secret: None,
                };
                self.execute(vec![], false, command);
                Some("puts an alarm")
            }
            5..8 => {
                let state = pick(
                    self.rng,
                    [AlarmState::Ok, AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData],
                )?;
                let at = self.node.now();
                self.alarms.note(arn.as_str(), at, state);
                let report = AlarmReport {
                    alarm: arn,
                    revision: None,
                    state,
                    at,
                    actions_enabled: true,
                    reason: None,
                    group: None,
                };
                self.execute_on_key(ReportAlarms { reports: vec![report] });
                Some("tells the state of an alarm")
            }
            8 => {
                let actions_enabled = self.rng.bool();
                self.execute_on_key(ChangeAlarm { arn, actions_enabled });
                Some("switches an alarm's actions")
            }
            _ => {
                self.execute_on_key(DeleteAlarm { arn });
                Some("deletes an alarm")
            }
        }
    }

    fn create_profile(&mut self) -> Option<&'static str> {
        let application = self.application().filter(|found| found.profiles.len() < MEMBERS)?;
        let kind = if self.rng.u8(0..4) == 0 { ProfileType::FeatureFlags } else { ProfileType::Freeform };
        let command = CreateConfigurationProfile {
            application: application.id.clone(),
            name: self.name("settings")?,
            description: None,
            kind,
            validators: vec![],
            tags: Tags::default(),
        };
        self.execute(vec![Resource::Application(application.id)], false, command);
        Some("creates a profile")
    }

    fn store(&mut self) -> Option<&'static str> {
        let (application, profile) = self.profile()?;
        let variant = self.rng.u8(0..6);
        let (content, content_type) = match profile.kind {
            ProfileType::Freeform => (format!("speed = {variant}"), "application/toml"),
            ProfileType::FeatureFlags => (flag_document(variant), "application/json"),
        };
        let label = if self.rng.u8(0..4) == 0 { self.name("release") } else { None };
        let latest = (self.rng.u8(0..4) == 0).then_some(profile.latest_version);
        let refers_to = vec![Resource::Profile(application.clone(), profile.id.clone())];
        let wanted = StoreConfiguration {
            application,
            profile: profile.id,
            description: None,
            content: Bytes::from(content),
            content_type: content_type.parse().ok()?,
            label,
            latest_version: latest,
        };
        let (cause, node) = (self.requests.cause(), self.node.clone());
        let ask = cause.clone();
        let may_change_nothing = profile.kind == ProfileType::FeatureFlags;
        self.requests.spawn((refers_to, may_change_nothing), cause, async move {
            node.store_configuration(wanted, ask).await.map(|_| None::<Seq>)
        });
        Some("stores a version")
    }

    fn deploy(&mut self) -> Option<&'static str> {
        let application = self.application()?;
        let environment = pick(self.rng, application.environments.values())?;
        let profile = pick(self.rng, application.profiles.values())?;
        let version = pick(self.rng, profile.versions.values())?;
        let strategy = self.any_strategy()?;
        let mut refers_to = vec![
            Resource::Environment(application.id.clone(), environment.id.clone()),
            Resource::HostedVersion(application.id.clone(), profile.id.clone(), version.number),
        ];
        if self.world.own_strategies().contains_key(&strategy) {
            refers_to.push(Resource::Strategy(strategy.clone()));
        }
        let wanted = DeployConfiguration {
            application: application.id.clone(),
            environment: environment.id.clone(),
            profile: profile.id.clone(),
            version: version.number.to_string(),
            strategy,
            description: None,
            tags: Tags::default(),
            latest_deployment_number: None,
            dynamic_parameters: vec![],
            override_alarms: (self.rng.u8(0..8) == 0).then(|| "it mends them".to_owned()),
            confirm_within: (self.rng.u8(0..4) == 0).then(|| self.confirm_within()).flatten(),
            gate: self.gate(),
        };
        let (cause, node) = (self.requests.cause(), self.node.clone());
        let ask = cause.clone();
        self.requests.spawn((refers_to, false), cause, async move {
            node.deploy(wanted, ask).await.map(|committed| Some(committed.view.seq))
        });
        Some("deploys")
    }

    fn confirm_within(&mut self) -> Option<ConfirmWithin> {
        ConfirmWithin::try_from(self.rng.u32(10..1_200)).ok()
    }

    fn confirm(&mut self) -> Option<&'static str> {
        let (application, environment) = self.environment()?;
        let deployment = environment.open().find(|open| open.confirm_by().is_some())?.number;
        let refers_to = vec![Resource::Deployment(application.clone(), environment.id.clone(), deployment)];
        let environment = environment.id.clone();
        let (by, reason) = ("somebody".to_owned(), None);
        let command = ConfirmDeployment { application, environment, deployment, by, reason };
        self.execute(refers_to, true, command);
        Some("confirms")
    }

    fn gate(&mut self) -> Option<Gate> {
        let percents = [Percent::NONE, Percent::try_from(50).ok()?, Percent::ALL];
        let (applied, refused) = (pick(self.rng, percents)?, pick(self.rng, percents)?);
        (self.rng.u8(0..4) == 0).then_some(Gate { applied, refused })
    }

    /// A predefined one, or one of its own, which may be deleted meanwhile.
    fn any_strategy(&mut self) -> Option<StrategyId> {
        let own = pick(self.rng, self.world.own_strategies().keys().cloned());
        match own.filter(|_| self.rng.bool()) {
            Some(own) => Some(own),
            None => pick(self.rng, PREDEFINED_STRATEGIES)?.name.parse().ok(),
        }
    }

    fn stop(&mut self) -> Option<&'static str> {
        let (application, environment) = self.environment()?;
        // Mostly the newest, which is the one that people stop.
        let newest = environment.deployments.keys().next_back().copied();
        let deployment = match newest.filter(|_| self.rng.u8(0..4) > 0) {
            Some(newest) => newest,
            None => pick(self.rng, environment.deployments.keys().copied())?,
        };
        let refers_to = vec![Resource::Deployment(application.clone(), environment.id.clone(), deployment)];
        let allow_revert = self.rng.bool();
        let command = StopDeployment {
            application,
            environment: environment.id,
            deployment,
            allow_revert,
            stopped: None,
        };
        self.execute(refers_to, false, command);
        Some(if allow_revert { "stops or reverts" } else { "stops" })
    }

    fn strategy(&mut self) -> Option<&'static str> {
        if self.world.own_strategies().len() >= MEMBERS {
            let strategy = pick(self.rng, self.world.own_strategies().keys().cloned())?;
            self.execute(
                vec![Resource::Strategy(strategy.clone())],
                false,
                DeleteDeploymentStrategy { strategy },
            );
            return Some("deletes a strategy");
        }
        let command = CreateDeploymentStrategy {
            name: self.name("pace")?,
            description: None,
            duration_s: pick(self.rng, [0, 1, 7, 60, 3_600, 86_400])?,
            bake_s: pick(self.rng, [0, 0, 1, 5, 60, 86_400])?,
            growth: if self.rng.bool() { GrowthType::Linear } else { GrowthType::Exponential },
            factor: GrowthFactor::from_parts_per_million(self.rng.u32(100_000..=1_000_000))?,
            replicate_to: ReplicateTo::None,
            tags: Tags::default(),
        };
        self.execute(vec![], false, command);
        Some("creates a strategy")
    }

    fn tag(&mut self) -> Option<&'static str> {
        let (application, environment) = self.environment()?;
        let deployment = pick(self.rng, environment.deployments.keys().copied());
        let resource = match deployment.filter(|_| self.rng.bool()) {
            Some(number) => Resource::Deployment(application, environment.id, number),
            None => Resource::Environment(application, environment.id),
        };
        let key = format!("key {}", self.rng.u8(0..3));
        let refers_to = vec![resource.clone()];
        if self.rng.bool() {
            let tags = Tags::new(BTreeMap::from([(key, "value".into())])).ok()?;
            self.execute(refers_to, false, TagResource { resource, tags });
            Some("tags")
        } else {
            self.execute(refers_to, true, UntagResource { resource, keys: vec![key] });
            Some("untags")
        }
    }

    fn access_key(&mut self) -> Option<&'static str> {
        let id: AccessKeyId = format!("KEY-{}", self.rng.u8(0..3)).parse().ok()?;
        match self.rng.u8(0..3) {
            0 => {
                let name = self.name("key")?;
                let (cause, node) = (self.requests.cause(), self.node.clone());
                let ask = cause.clone();
                self.requests.spawn((vec![], false), cause, async move {
                    node.create_access_key(Some(id), None, name, None, ask).await.map(|_| None::<Seq>)
                });
                Some("creates an access key")
            }
            1 => {
                let enabled = Some(self.rng.bool());
                self.execute_on_key(ChangeAccessKey { id, enabled, name: None, description: None });
                Some("changes an access key")
            }
            _ => {
                self.execute_on_key(DeleteAccessKey { id });
                Some("deletes an access key")
            }
        }
    }

    /// An access key is no resource, and may rightly be missing.
    fn execute_on_key<C: Command<Outcome = ()> + Send + 'static>(&mut self, command: C) {
        let (cause, node) = (self.requests.cause(), self.node.clone());
        let ask = cause.clone();
        self.requests.spawn((vec![], true), cause, async move {
            match node.execute(command, ask).await {
                Err(Error::Refused(Refusal::NotFound(_))) => Ok(None),
                other => other.map(|committed| Some(committed.view.seq)),
            }
        });
    }

    fn update(&mut self) -> Option<&'static str> {
        match self.rng.u8(0..5) {
            0 => {
                let application = self.application()?.id;
                let name = Some(self.name("shop")?);
                let refers_to = vec![Resource::Application(application.clone())];
                self.execute(refers_to, false, UpdateApplication { application, name, description: None });
                Some("renames an application")
            }
            1 => {
                let (application, environment) = self.environment()?;
                let environment = environment.id;
                let refers_to = vec![Resource::Environment(application.clone(), environment.clone())];
                let (name, monitors) = (None, Some(self.monitors()));
                let description = Some("changed".parse().ok()?);
                self.execute(
                    refers_to,
                    false,
                    UpdateEnvironment { application, environment, name, description, monitors },
                );
                Some("changes an environment")
            }
            2 => {
                let (application, profile) = self.profile()?;
                let profile = profile.id;
                let refers_to = vec![Resource::Profile(application.clone(), profile.clone())];
                let name = Some(self.name("settings")?);
                let (description, validators) = (None, None);
                self.execute(
                    refers_to,
                    false,
                    UpdateConfigurationProfile { application, profile, name, description, validators },
                );
                Some("renames a profile")
            }
            3 => {
                let strategy = pick(self.rng, self.world.own_strategies().keys().cloned())?;
                let command = UpdateDeploymentStrategy {
                    strategy: strategy.clone(),
                    description: None,
                    duration_s: Some(self.rng.u32(0..600)),
                    bake_s: None,
                    growth: None,
                    factor: None,
                };
                self.execute(vec![Resource::Strategy(strategy)], false, command);
                Some("changes a strategy")
            }
            _ => {
                let vended_metrics = Some(self.rng.bool());
                self.execute(vec![], true, UpdateAccountSettings { vended_metrics, ..Default::default() });
                Some("changes the settings")
            }
        }
    }

    fn delete(&mut self) -> Option<&'static str> {
        let check = DeletionProtectionCheck::Bypass;
        match self.rng.u8(0..12) {
            0..2 => {
                let (application, environment) = self.environment()?;
                let environment = environment.id;
                let refers_to = vec![Resource::Environment(application.clone(), environment.clone())];
                self.execute(
                    refers_to,
                    false,
                    DeleteEnvironment { application, environment, check, last_read: None },
                );
                Some("deletes an environment")
            }
            2..8 => {
                let (application, profile) = self.profile()?;
                let version = pick(self.rng, profile.versions.keys().copied())?;
                let profile = profile.id;
                let refers_to = vec![Resource::HostedVersion(application.clone(), profile.clone(), version)];
                self.execute(refers_to, false, DeleteHostedVersion { application, profile, version });
                Some("deletes a version")
            }
            8..11 => {
                let (application, profile) = self.profile()?;
                let profile = profile.id;
                let refers_to = vec![Resource::Profile(application.clone(), profile.clone())];
                self.execute(
                    refers_to,
                    false,
                    DeleteConfigurationProfile { application, profile, check, last_read: None },
                );
                Some("deletes a profile")
            }
            _ => {
                let application = self.application()?.id;
                let refers_to = vec![Resource::Application(application.clone())];
                self.execute(
                    refers_to,
                    false,
                    CascadeDeleteApplication { application, check, last_reads: vec![] },
                );
                Some("deletes an application with everything in it")
            }
        }
    }
}

/// One of `choices`, if there are any.
pub(super) fn pick<T>(rng: &mut Rng, choices: impl IntoIterator<Item = T>) -> Option<T> {
    let mut choices: Vec<T> = choices.into_iter().collect();
    if choices.is_empty() { None } else { Some(choices.swap_remove(rng.usize(0..choices.len()))) }
}

fn flag_document(variant: u8) -> String {
    let enabled = variant.is_multiple_of(2);
    format!(
        r#"{{"version":"1","flags":{{"f{variant}":{{"name":"f"}}}},"values":{{"f{variant}":{{"enabled":{enabled}}}}}}}"#
    )
}

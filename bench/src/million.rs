//! A log of a million records, as an installation of many years would have it.
//!
//! Made with the domain's own commands, so that every record is one that the server itself could have written, and kept
//! for the next run. The same every time, but for the master key.

use anyhow::Context as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;
use yardarm_domain::{
    AdvanceDeployments, ApplicationId, ClientEvidence, Command, ContentHash, ContentRef, Context,
    CreateApplication, CreateConfigurationProfile, CreateDeploymentStrategy, CreateEnvironment,
    CreateHostedVersion, EnvironmentId, Event, Policy, ProfileId, ProfileType, Quotas, ReplicateTo, Resource,
    StartDeployment, StopDeployment, StrategyId, TagResource, Tags, TickInterval, UnregisteredAlarms,
    UpdateConfigurationProfile, Validated, VersionNumber, World, rollout,
};
use yardarm_log::{Batch, Content, Draft, Log, Seq, SqliteLog};
use yardarm_node::{MasterKeys, OsEntropy};

const RECORDS: u64 = 1_000_000;
/// Records written together.
const TOGETHER: usize = 8_192;
const APPLICATIONS: usize = 100;
/// Nobody else sets the time of this history.
const ADVANCE: AdvanceDeployments = AdvanceDeployments {
    only_clock: true,
    attentive_since: Timestamp::MIN,
    unregistered: UnregisteredAlarms::Refuse,
    ticks: TickInterval::MINUTE,
    clients: ClientEvidence::NONE,
};
const ENVIRONMENTS: [&str; 3] = ["development", "staging", "production"];
const PROFILES: usize = 10;

/// Written last: the log is complete.
const COMPLETE: &str = "complete-1";

/// The folder of the log, made if it is not there yet, and its mix in words.
pub(crate) fn prepared(folder: &Path) -> anyhow::Result<(PathBuf, String)> {
    let folder = folder.join("million");
    let complete = folder.join(COMPLETE);
    if let Ok(mix) = fs::read_to_string(&complete) {
        return Ok((folder, mix));
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("master.key"), format!("{}\n", *MasterKeys::generate(&OsEntropy)))?;
    let mut history = History::begin(&folder.join("yardarm.db"))?;
    let places = history.foundations()?;
    while history.seq.0 < RECORDS {
        history.change(&places)?;
    }
    let mix = history.end()?;
    fs::write(complete, &mix)?;
    Ok((folder, mix))
}

/// What changes are made to.
struct Place {
    application: ApplicationId,
    environments: Vec<EnvironmentId>,
    profiles: Vec<(ProfileId, ProfileType)>,
}

/// A world and the log that leads to it.
struct History {
    runtime: Runtime,
    log: SqliteLog,
    world: World,
    seq: Seq,
    /// Where the log ends; the records after that wait in `batch`.
    written: Seq,
    batch: Batch,
    now: Timestamp,
    random: u64,
    quotas: Quotas,
    policy: Policy,
    kinds: BTreeMap<String, u64>,
    at_once: Option<StrategyId>,
}

impl History {
    fn begin(path: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            log: SqliteLog::open(path)?,
            world: World::default(),
            seq: Seq::ZERO,
            written: Seq::ZERO,
            batch: Batch::default(),
            now: "2019-01-01T00:00:00Z".parse()?,
            random: 0x5eed,
            quotas: Quotas::default(),
            policy: Policy::default(),
            kinds: BTreeMap::new(),
            at_once: None,
        })
    }

    /// SplitMix64: repeatable, and good enough to pick with.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.draw() % u64::try_from(bound.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn execute<C: Command>(&mut self, command: &C) -> anyhow::Result<C::Outcome> {
        let entropy = self.draw();
        let context = Context { now: self.now, entropy, quotas: &self.quotas, policy: &self.policy };
        let decision =
            command.decide(&self.world, &context).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        for event in decision.events {
            self.record(event)?;
        }
        Ok(decision.outcome)
    }

    fn record(&mut self, event: Event) -> anyhow::Result<()> {
        let (kind, version, body) = event.write()?;
        self.seq = self.seq.next();
        self.world.apply(self.seq.0, self.now, event).map_err(|error| anyhow::anyhow!("{error}"))?;
        *self.kinds.entry(kind.clone()).or_default() += 1;
        let request_id = format!("{:08x}-0000-4000-8000-{:012x}", self.random >> 32, self.seq.0);
        self.batch.drafts.push(Draft {
            time_ms: self.now.as_millisecond(),
            actor: "AKIAYARDARMBENCH0001".into(),
            request_id,
            reason: None,
            kind,
            version,
            body,
        });
        if self.batch.drafts.len() >= TOGETHER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.runtime.block_on(self.log.append(self.written, batch))?;
        self.written = self.seq;
        Ok(())
    }

    /// Applications, environments, profiles and a strategy.
    fn foundations(&mut self) -> anyhow::Result<Vec<Place>> {
        let at_once = self.execute(&CreateDeploymentStrategy {
            name: "at-once".parse()?,
            description: None,
            duration_s: 0,
            bake_s: 0,
            growth: rollout::GrowthType::Linear,
            factor: rollout::GrowthFactor::ALL,
            replicate_to: ReplicateTo::None,
            tags: Tags::default(),
        })?;
        self.at_once = Some(at_once);
        (0..APPLICATIONS).map(|number| self.place(number)).collect()
    }

    fn place(&mut self, number: usize) -> anyhow::Result<Place> {
        let tags = Tags::new(BTreeMap::from([("team".into(), format!("team-{}", number % 7))]))?;
        let application = self.execute(&CreateApplication {
            name: format!("service-{number}").parse()?,
            description: Some(format!("Settings and flags of service {number}").parse()?),
            tags,
        })?;
        let mut environments = vec![];
        for name in ENVIRONMENTS {
            environments.push(self.execute(&CreateEnvironment {
                application: application.clone(),
                name: name.parse()?,
                description: None,
                monitors: vec![],
                tags: Tags::default(),
            })?);
        }
        let mut profiles = vec![];
        for number in 0..PROFILES {
            let kind = if number % 2 == 0 { ProfileType::FeatureFlags } else { ProfileType::Freeform };
            let profile = self.execute(&CreateConfigurationProfile {
                application: application.clone(),
                name: format!("configuration-{number}").parse()?,
                description: None,
                kind,
                validators: vec![],
                tags: Tags::default(),
            })?;
            profiles.push((profile, kind));
        }
        Ok(Place { application, environments, profiles })
    }

    /// A new version on its way through the environments.
    fn change(&mut self, places: &[Place]) -> anyhow::Result<()> {
        let at = self.below(places.len());
        let place = places.get(at).context("no place")?;
        let at = self.below(place.profiles.len());
        let (profile, kind) = place.profiles.get(at).context("no profile")?;
        self.wait(60);
        if self.below(10) == 0 {
            let tags = Tags::new(BTreeMap::from([("release".into(), format!("r{}", self.seq))]))?;
            let resource = Resource::Profile(place.application.clone(), profile.clone());
            self.execute(&TagResource { resource, tags })?;
        }
        if self.below(50) == 0 {
            self.execute(&UpdateConfigurationProfile {
                application: place.application.clone(),
                profile: profile.clone(),
                name: None,
                description: Some(format!("As of record {}", self.seq).parse()?),
                validators: None,
            })?;
        }
        let (version, content) = self.version(&place.application, profile, *kind)?;
        let canary = self.below(2) == 0;
        let stopped = self.below(33) == 0;
        let at_once = self.at_once.clone().context("no strategy")?;
        let production = if canary {
            "AppConfig.Canary10Percent20Minutes"
        } else {
            "AppConfig.Linear20PercentEvery6Minutes"
        };
        let strategies = [at_once, "AppConfig.Linear50PercentEvery30Seconds".parse()?, production.parse()?];
        for (environment, strategy) in place.environments.iter().zip(strategies) {
            let deployment = self.execute(&StartDeployment {
                application: place.application.clone(),
                environment: environment.clone(),
                profile: profile.clone(),
                version,
                strategy,
                description: None,
                tags: Tags::default(),
                latest_deployment_number: None,
                changed: None,
                dynamic_parameters: vec![],
                extensions: vec![],
                invocations: vec![],
                alarm_override: None,
                gate: None,
                confirm_within: None,
                validated: Validated { content, validators: vec![] },
            })?;
            let mut steps = 0;
            while let Some(due) = ADVANCE.wake_at(&self.world, self.now) {
                self.now = due.max(self.now);
                self.execute(&ADVANCE)?;
                steps += 1;
                // Production, between the first steps: elsewhere it is over too soon.
                if stopped && steps == 2 && Some(environment) == place.environments.last() {
                    let (application, environment) = (place.application.clone(), environment.clone());
                    self.execute(&StopDeployment {
                        application,
                        environment,
                        deployment,
                        allow_revert: false,
                        stopped: None,
                    })?;
                }
            }
        }
        Ok(())
    }

    fn wait(&mut self, seconds: i64) {
        self.now = self.now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(self.now);
    }

    fn version(
        &mut self,
        application: &ApplicationId,
        profile: &ProfileId,
        kind: ProfileType,
    ) -> anyhow::Result<(VersionNumber, ContentHash)> {
        let text = match kind {
            ProfileType::FeatureFlags => self.flags()?,
            ProfileType::Freeform => self.settings()?,
        };
        let content = Content::new(Bytes::from(text));
        let hash = ContentHash(content.hash().0);
        let size_bytes = content.bytes().len() as u64;
        self.batch.contents.push(content);
        let version = self.execute(&CreateHostedVersion {
            application: application.clone(),
            profile: profile.clone(),
            description: None,
            content: ContentRef { hash, size_bytes },
            content_type: "application/json".parse()?,
            label: None,
            latest_version: None,
            normalised_against: None,
        })?;
        Ok((version, hash))
    }

    /// A document of ten flags.
    fn flags(&mut self) -> anyhow::Result<String> {
        let (mut flags, mut values) = (String::new(), String::new());
        for number in 0..10 {
            let comma = if number == 0 { "" } else { "," };
            write!(flags, "{comma}\"flag{number}\":{{\"name\":\"Flag {number}\"}}")?;
            write!(values, "{comma}\"flag{number}\":{{\"enabled\":{}}}", self.draw().is_multiple_of(2))?;
        }
        Ok(format!("{{\"version\":\"1\",\"flags\":{{{flags}}},\"values\":{{{values}}}}}"))
    }

    /// Settings of about a kilobyte.
    fn settings(&mut self) -> anyhow::Result<String> {
        let mut text = String::from("{");
        for number in 0..20 {
            let comma = if number == 0 { "" } else { "," };
            write!(text, "{comma}\"setting-{number}\":\"{:016x}{:016x}\"", self.draw(), self.draw())?;
        }
        text.push('}');
        Ok(text)
    }

    /// Writes what is left, and says in words what the log holds.
    fn end(mut self) -> anyhow::Result<String> {
        self.flush()?;
        self.runtime.block_on(self.log.close());
        let mut counts: Vec<(String, u64)> = self.kinds.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        Ok(format!(
            "{APPLICATIONS} applications with {} environments and {PROFILES} profiles each; every change is a version that \
             goes to development at once, to staging in two steps and to production in five, with a bake; 3 % of them are \
             rolled back on the way. {} records: {}.",
            ENVIRONMENTS.len(),
            self.seq,
            counts.join(", "),
        ))
    }
}

//! Forcing flags, and releasing them.

use super::{FIRING, ForcedFlag, ForcedFlags, GrowFor, WatchFor};
use crate::configuration_profile::ProfileType;
use crate::content::ContentHash;
use crate::context::{Command, Context, Decision};
use crate::environment::Environment;
use crate::event::Event;
use crate::ids::{ApplicationId, EnvironmentId, ProfileId};
use crate::refusal::{Missing, Quota, Refusal};
use crate::rollout::TriggeredBy;
use crate::serving::live;
use crate::text::{AlarmArn, Description};
use crate::world::World;
use jiff::Timestamp;
use yardarm_flags::ForceTo;
use yardarm_flags::document::FlagKey;

/// Forces a flag. One that is forced already is forced anew.
#[derive(Clone, Debug)]
pub struct ForceFlag {
    /// Of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// Of which configuration.
    pub profile: ProfileId,
    /// Which.
    pub flag: FlagKey,
    /// What it is to be.
    pub to: ForceTo,
    /// Who does it.
    pub by: String,
    /// Why.
    pub reason: Description,
    /// How long it has reached a hundredth of the clients only.
    pub grow_for: GrowFor,
    /// For how long after that alarms take it back.
    pub watch_for: WatchFor,
    /// What is served, as it was looked at. The world knows no documents, so somebody else has seen to it that one of them has
    /// the flag and the variant. Others by now: [`Refusal::Raced`].
    pub looked_at: Vec<ContentHash>,
}

impl ForceFlag {
    /// The documents that are served of a configuration, those that have the flag or not.
    ///
    /// # Errors
    /// One of the three does not exist, the profile is none of flags, or nothing of it is deployed there.
    pub fn documents(
        world: &World,
        application: &ApplicationId,
        environment: &EnvironmentId,
        profile: &ProfileId,
    ) -> Result<Vec<ContentHash>, Refusal> {
        world.environment(application, environment)?;
        if world.profile(application, profile)?.kind != ProfileType::FeatureFlags {
            return Err(Refusal::NoFlagProfile(profile.clone()));
        }
        let live = live(world, application, environment, profile)
            .ok_or_else(|| Refusal::NothingDeployed(environment.clone(), profile.clone()))?;
        let candidate = live.candidate.map(|(deployment, _)| deployment);
        Ok(candidate.iter().chain(live.stable.iter()).map(|deployment| deployment.content.hash).collect())
    }

    /// When everybody has it: with what is growing already, and never later than the longest growing takes.
    fn until(&self, before: Option<&ForcedFlags>, now: Timestamp) -> Timestamp {
        let after = |at: Timestamp, wait| at.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let until = after(now, self.grow_for.duration());
        match before.and_then(|forced| forced.growing).filter(|growing| !growing.is_over(now)) {
            Some(growing) => until.max(growing.until).min(after(growing.since, GrowFor::LONGEST)),
            None => until,
        }
    }
}

impl Command for ForceFlag {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let documents = Self::documents(world, &self.application, &self.environment, &self.profile)?;
        if documents != self.looked_at {
            return Err(Refusal::Raced);
        }
        let environment = world.environment(&self.application, &self.environment)?;
        let before = environment.forced_flags(&self.profile);
        let is_new = before.is_none_or(|forced| !forced.flags.contains_key(&self.flag));
        if is_new && before.is_some_and(|forced| forced.flags.len() >= ForcedFlags::MOST) {
            let limit = ForcedFlags::MOST as u64;
            return Err(Refusal::QuotaExceeded { quota: Quota::ForcedFlags, limit });
        }
        let event = Event::FlagForced {
            application: self.application.clone(),
            environment: self.environment.clone(),
            profile: self.profile.clone(),
            flag: self.flag.clone(),
            to: self.to.clone(),
            by: self.by.clone(),
            reason: self.reason.clone(),
            until: self.until(before, context.now),
            watch_s: self.watch_for.seconds(),
            alarms_disregarded: not_known_quiet(world, environment, context.now),
        };
        Decision::new((), vec![event])
    }
}

/// Alarms of the environment that fire, are about to, or may have done so for long without anybody having asked.
fn not_known_quiet(world: &World, environment: &Environment, now: Timestamp) -> Vec<AlarmArn> {
    let arns = environment.monitors.iter().map(|monitor| &monitor.alarm_arn);
    let disregarded = arns.filter(|arn| {
        world.alarms().get(*arn).is_some_and(|alarm| match &alarm.evidence {
            Some(evidence) if evidence.state == FIRING || evidence.breaching_since.is_some() => true,
            _ => alarm.source.is_polled() && alarm.fresh_evidence(now).is_none(),
        })
    });
    disregarded.cloned().collect()
}

/// Releases a flag: everybody gets at once what is deployed.
#[derive(Clone, Debug)]
pub struct ReleaseFlag {
    /// Of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// Of which configuration.
    pub profile: ProfileId,
    /// Which.
    pub flag: FlagKey,
    /// Who does it.
    pub by: String,
    /// Why.
    pub reason: Option<Description>,
}

impl Command for ReleaseFlag {
    type Outcome = ForcedFlag;

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<ForcedFlag>, Refusal> {
        world.profile(&self.application, &self.profile)?;
        let environment = world.environment(&self.application, &self.environment)?;
        let forced = environment.forced_flags(&self.profile).and_then(|forced| forced.flags.get(&self.flag));
        let missing = || Refusal::NotFound(Missing::ForcedFlag(self.flag.clone()));
        let forced = forced.ok_or_else(missing)?.clone();
        let event = Event::FlagReleased {
            application: self.application.clone(),
            environment: self.environment.clone(),
            profile: self.profile.clone(),
            flag: self.flag.clone(),
            triggered_by: TriggeredBy::User,
            by: Some(self.by.clone()),
            reason: self.reason.clone(),
        };
        Decision::new(forced, vec![event])
    }
}

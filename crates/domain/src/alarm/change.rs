//! Alarms made, replaced, switched and deleted.

use super::{AlarmSource, FreshFor};
use crate::bearer_token::TokenHash;
use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::refusal::{Missing, Quota, Refusal};
use crate::text::{AlarmArn, Description};
use crate::world::World;

/// Makes an alarm, or replaces its definition. Its evidence is kept if its source stays the same.
#[derive(Clone, Debug)]
pub struct PutAlarm {
    /// What monitors call it.
    pub arn: AlarmArn,
    /// What it watches.
    pub description: Option<Description>,
    /// Where its evidence comes from.
    pub source: AlarmSource,
    /// How old that may be. `None`: as old as is usual for the source.
    pub fresh_for: Option<FreshFor>,
    /// Whether deployments are to be rolled back because of it.
    pub actions_enabled: bool,
    /// What whoever pushes its state has to show from now on. `None`: what they had to show before.
    pub secret: Option<TokenHash>,
}

impl Command for PutAlarm {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let limit = context.quotas.alarms;
        if !world.alarms().contains_key(&self.arn) && world.alarms().len() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::Alarms, limit: limit as u64 });
        }
        let event = Event::AlarmPut {
            alarm: self.arn.clone(),
            description: self.description.clone().and_then(Description::none_if_empty),
            source: self.source.clone(),
            fresh_for: self.fresh_for.unwrap_or(self.source.usually_fresh_for()),
            actions_enabled: self.actions_enabled,
            secret: self.secret,
        };
        Decision::new((), vec![event])
    }
}

/// Switches whether deployments are rolled back because of an alarm.
#[derive(Clone, Debug)]
pub struct ChangeAlarm {
    /// Which.
    pub arn: AlarmArn,
    /// Whether they are.
    pub actions_enabled: bool,
}

impl Command for ChangeAlarm {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if world.alarm(&self.arn)?.actions_enabled == self.actions_enabled {
            return Decision::new((), vec![]);
        }
        let event =
            Event::AlarmUpdated { alarm: self.arn.clone(), actions_enabled: Some(self.actions_enabled) };
        Decision::new((), vec![event])
    }
}

/// Deletes an alarm that no deployment on its way depends on.
#[derive(Clone, Debug)]
pub struct DeleteAlarm {
    /// Which.
    pub arn: AlarmArn,
}

impl Command for DeleteAlarm {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if !world.alarms().contains_key(&self.arn) {
            return Err(Refusal::NotFound(Missing::Alarm(self.arn.clone())));
        }
        let user = world.deploying().find(|(_, environment)| environment.watches(&self.arn));
        if let Some((_, environment)) = user {
            return Err(Refusal::AlarmInUse { alarm: self.arn.clone(), environment: environment.id.clone() });
        }
        Decision::new((), vec![Event::AlarmDeleted { alarm: self.arn.clone() }])
    }
}

//! Unleash: the engine that its SDKs and Unleash Edge share.
//!
//! `is_enabled` says on or off and nothing else, which is less than the others do. For all flags there is `resolve_all`,
//! which adds variant and project.

use crate::contender::{Answer, Calls, Contender};
use crate::flags::{COMPANIES, COUNTRIES, Case, PERCENT, PLAN, PLATFORM, Shape};
use crate::population::User;
use anyhow::bail;
use std::hint::black_box;
use unleash_types::client_features::{ClientFeature, ClientFeatures, Constraint, Operator, Strategy};
use unleash_yggdrasil::{Context, EngineState, UpdateMessage};

struct Yggdrasil {
    contexts: Vec<Context>,
    engine: EngineState,
}

/// Makes Unleash's.
pub(crate) fn make(users: &[User]) -> anyhow::Result<Box<dyn Contender>> {
    let context = |user: &User| {
        let others = user.pairs().filter(|(name, _)| *name != "userId");
        Context {
            user_id: Some(user.get("userId").to_owned()),
            properties: Some(others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()),
            ..Context::default()
        }
    };
    Ok(Box::new(Yggdrasil { contexts: users.iter().map(context).collect(), engine: EngineState::default() }))
}

fn strategies(shape: Shape) -> Vec<Strategy> {
    let strategy = |name: &str, constraints, parameters| Strategy {
        name: name.into(),
        sort_order: None,
        segments: None,
        constraints,
        parameters,
        variants: None,
    };
    let within = |context_name: &str, values: &[&str]| {
        let constraint = Constraint {
            context_name: context_name.into(),
            operator: Operator::In,
            case_insensitive: false,
            inverted: false,
            values: Some(values.iter().map(|&value| value.into()).collect()),
            value: None,
        };
        strategy("default", Some(vec![constraint]), None)
    };
    let rollout = [("rollout", PERCENT.to_string()), ("stickiness", "userId".to_owned())];
    match shape {
        Shape::Plain => vec![],
        Shape::FiveRules => vec![
            within("country", &COUNTRIES),
            within("company", &COMPANIES),
            within("plan", &[PLAN]),
            within("platform", &[PLATFORM]),
            strategy("flexibleRollout", None, Some(rollout.map(|(name, value)| (name.into(), value)).into())),
        ],
    }
}

impl Contender for Yggdrasil {
    fn name(&self) -> &'static str {
        "unleash-yggdrasil"
    }

    fn gives(&self, case: &Case) -> &'static str {
        if case.all { "on or off, variant (`resolve_all`)" } else { "on or off (`is_enabled`)" }
    }

    fn load(&mut self, case: &Case) -> anyhow::Result<()> {
        let feature = |name| ClientFeature {
            name,
            enabled: true,
            strategies: Some(strategies(case.shape)),
            ..ClientFeature::default()
        };
        let features = case.names().into_iter().map(feature).collect();
        let state = ClientFeatures { version: 2, features, segments: None, query: None, meta: None };
        if let Some(warnings) = self.engine.take_state(UpdateMessage::FullResponse(state)) {
            bail!("{warnings:?}");
        }
        Ok(())
    }

    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>)) {
        if let Some(context) = self.contexts.get(user) {
            then(Answer::On(self.engine.is_enabled(flag, context, &None)));
        }
    }

    fn one(&self, calls: &Calls<'_>) -> usize {
        calls.each(&self.contexts, |flag, context| black_box(self.engine.is_enabled(flag, context, &None)))
    }

    fn all(&self, calls: &Calls<'_>) -> usize {
        calls.users(&self.contexts, |context| {
            let all = black_box(self.engine.resolve_all(context, &None)).unwrap_or_default();
            all.values().filter(|toggle| toggle.enabled).count()
        })
    }
}

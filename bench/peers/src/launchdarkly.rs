//! LaunchDarkly: the evaluator of its server SDK, without the store that clones a flag for every look.

use crate::contender::{Answer, Calls, Contender};
use crate::flags::{COMPANIES, COUNTRIES, Case, PERCENT, PLAN, PLATFORM, Shape, VARIANTS};
use crate::population::User;
use anyhow::anyhow;
use launchdarkly_server_sdk_evaluation::{
    Context, ContextBuilder, Flag, FlagValue, Segment, Store, evaluate,
};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::hint::black_box;

/// Flags here need no others.
struct NoStore;

impl Store for NoStore {
    fn flag(&self, _: &str) -> Option<Flag> {
        None
    }

    fn segment(&self, _: &str) -> Option<Segment> {
        None
    }
}

struct LaunchDarkly {
    contexts: Vec<Context>,
    flags: HashMap<String, Flag>,
}

/// Makes LaunchDarkly's.
pub(crate) fn make(users: &[User]) -> anyhow::Result<Box<dyn Contender>> {
    let context = |user: &User| {
        let mut builder = ContextBuilder::new(user.get("userId"));
        for (name, value) in user.pairs().filter(|(name, _)| *name != "userId") {
            builder.set_string(name, value);
        }
        builder.build().map_err(|wrong| anyhow!(wrong))
    };
    let contexts = users.iter().map(context).collect::<anyhow::Result<_>>()?;
    Ok(Box::new(LaunchDarkly { contexts, flags: HashMap::new() }))
}

fn flag(name: &str, shape: Shape) -> Json {
    let rule = |variation: usize, attribute: &str, values: &[&str]| {
        let clause = json!({ "attribute": attribute, "op": "in", "values": values, "negate": false });
        json!({ "id": format!("rule-{variation}"), "variation": variation, "clauses": [clause], "trackEvents": false })
    };
    let (variations, rules, fallthrough) = match shape {
        Shape::Plain => (json!([true, false]), json!([]), json!({ "variation": 0 })),
        Shape::FiveRules => (
            json!(VARIANTS),
            json!([
                rule(0, "country", &COUNTRIES),
                rule(1, "company", &COMPANIES),
                rule(2, "plan", &[PLAN]),
                rule(3, "platform", &[PLATFORM]),
            ]),
            json!({ "rollout": { "variations": [
                { "variation": 4, "weight": PERCENT * 1_000 },
                { "variation": 5, "weight": (100 - PERCENT) * 1_000 },
            ] } }),
        ),
    };
    json!({
        "key": name, "version": 1, "on": true, "targets": [], "contextTargets": [], "prerequisites": [],
        "rules": rules, "fallthrough": fallthrough, "offVariation": 0, "variations": variations, "salt": "bench",
        "clientSide": false,
    })
}

impl LaunchDarkly {
    fn evaluate<'a>(&'a self, flag: &str, context: &'a Context) -> Option<&'a FlagValue> {
        let flag = self.flags.get(flag)?;
        black_box(evaluate(&NoStore, flag, context, None)).value
    }

    fn is_treated(&self, flag: &str, context: &Context) -> bool {
        match self.evaluate(flag, context) {
            Some(FlagValue::Bool(is_on)) => *is_on,
            Some(FlagValue::Str(variant)) => variant.starts_with('t'),
            _ => false,
        }
    }
}

impl Contender for LaunchDarkly {
    fn name(&self) -> &'static str {
        "launchdarkly-server-sdk-evaluation"
    }

    fn gives(&self, _: &Case) -> &'static str {
        "value, variation, reason"
    }

    fn load(&mut self, case: &Case) -> anyhow::Result<()> {
        let read =
            |name: String| anyhow::Ok((name.clone(), serde_json::from_value(flag(&name, case.shape))?));
        self.flags = case.names().into_iter().map(read).collect::<anyhow::Result<_>>()?;
        Ok(())
    }

    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>)) {
        match self.contexts.get(user).and_then(|context| self.evaluate(flag, context)) {
            Some(FlagValue::Bool(is_on)) => then(Answer::On(*is_on)),
            Some(FlagValue::Str(variant)) => then(Answer::Variant(variant)),
            _ => {}
        }
    }

    fn one(&self, calls: &Calls<'_>) -> usize {
        calls.each(&self.contexts, |flag, context| self.is_treated(flag, context))
    }

    fn all(&self, calls: &Calls<'_>) -> usize {
        calls.each_of_all(&self.contexts, |flag, context| self.is_treated(flag, context))
    }
}

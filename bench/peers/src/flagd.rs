//! flagd: the in-process evaluator of its provider, called as the provider calls it, without the provider's lock, task
//! and clones around it.

use crate::contender::{Answer, Calls, Contender};
use crate::flags::{
    COMPANIES, CONTROL, COUNTRIES, Case, PERCENT, PLAN, PLATFORM, Shape, TREATMENT, VARIANTS,
};
use crate::population::User;
use anyhow::anyhow;
use flagd_evaluation_engine::{FeatureFlag, FlagParser, Operator};
use open_feature::EvaluationContext;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::hint::black_box;

struct Flagd {
    contexts: Vec<EvaluationContext>,
    flags: HashMap<String, FeatureFlag>,
    operator: Operator,
}

/// Makes flagd's.
pub(crate) fn make(users: &[User]) -> anyhow::Result<Box<dyn Contender>> {
    let context = |user: &User| {
        let bare = EvaluationContext::default().with_targeting_key(user.get("userId"));
        user.pairs().fold(bare, |context, (name, value)| context.with_custom_field(name, value.to_owned()))
    };
    let contexts = users.iter().map(context).collect();
    Ok(Box::new(Flagd { contexts, flags: HashMap::new(), operator: Operator::new() }))
}

fn flag(shape: Shape) -> Json {
    let within = |name: &str, values: &[&str]| json!({ "in": [{ "var": name }, values] });
    let equal = |name: &str, value: &str| json!({ "==": [{ "var": name }, value] });
    match shape {
        Shape::Plain => {
            json!({ "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" })
        }
        Shape::FiveRules => {
            let [by_country, by_company, by_plan, by_platform, ..] = VARIANTS;
            let variants: serde_json::Map<_, _> =
                VARIANTS.iter().map(|key| ((*key).into(), json!(key))).collect();
            let by = json!({ "cat": [{ "var": "$flagd.flagKey" }, { "var": "userId" }] });
            json!({ "state": "ENABLED", "variants": variants, "defaultVariant": CONTROL, "targeting": { "if": [
                within("country", &COUNTRIES), by_country,
                within("company", &COMPANIES), by_company,
                equal("plan", PLAN), by_plan,
                equal("platform", PLATFORM), by_platform,
                { "fractional": [by, [TREATMENT, PERCENT], [CONTROL, 100 - PERCENT]] },
            ] } })
        }
    }
}

impl Flagd {
    /// As `FileResolver::resolve_value` does it.
    fn resolve<'a>(&'a self, name: &str, context: &EvaluationContext) -> Option<(&'a Json, String)> {
        let flag = self.flags.get(name)?;
        let variant = if flag.get_targeting() == "{}" {
            flag.default_variant.clone()
        } else {
            let applied = self.operator.apply(name, &flag.get_targeting(), context).ok()?;
            applied.unwrap_or_else(|| flag.default_variant.clone())
        };
        flag.variants.get(&variant).map(|value| (value, variant))
    }

    fn is_treated(&self, flag: &str, context: &EvaluationContext) -> bool {
        black_box(self.resolve(flag, context))
            .is_some_and(|(_, variant)| variant == TREATMENT || variant == "on")
    }
}

impl Contender for Flagd {
    fn name(&self) -> &'static str {
        "open-feature-flagd"
    }

    fn gives(&self, _: &Case) -> &'static str {
        "value, variant"
    }

    fn load(&mut self, case: &Case) -> anyhow::Result<()> {
        let flags: serde_json::Map<_, _> =
            case.names().into_iter().map(|name| (name, flag(case.shape))).collect();
        let parsed = FlagParser::parse_string(&json!({ "flags": flags }).to_string());
        self.flags = parsed.map_err(|wrong| anyhow!("{wrong:?}"))?.flags;
        Ok(())
    }

    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>)) {
        match self.contexts.get(user).and_then(|context| self.resolve(flag, context)) {
            Some((Json::Bool(is_on), _)) => then(Answer::On(*is_on)),
            Some((_, variant)) => then(Answer::Variant(&variant)),
            None => {}
        }
    }

    fn one(&self, calls: &Calls<'_>) -> usize {
        calls.each(&self.contexts, |flag, context| self.is_treated(flag, context))
    }

    fn all(&self, calls: &Calls<'_>) -> usize {
        calls.each_of_all(&self.contexts, |flag, context| self.is_treated(flag, context))
    }
}

//! Yardarm: value, variant and reason of every flag, through the crate's public interface.

use crate::contender::{Answer, Calls, Contender};
use crate::flags::{COMPANIES, COUNTRIES, Case, PERCENT, PLAN, PLATFORM, Shape, VARIANTS};
use crate::population::User;
use anyhow::{Context as _, anyhow};
use serde_json::{Value as Json, json};
use std::hint::black_box;
use yardarm_flags::document::AttributeValue;
use yardarm_flags::{CompiledFlags, Context, FlagDocument, Reason, ResolvedValue, Value};

struct Yardarm {
    users: Vec<[(&'static str, Value<'static>); 8]>,
    flags: CompiledFlags,
}

/// Makes ours.
pub(crate) fn make(users: &[User]) -> anyhow::Result<Box<dyn Contender>> {
    let mut own = vec![];
    for user in users {
        // Contexts borrow. The users live as long as the program.
        let texts: &'static User = Box::leak(Box::new(user.clone()));
        let pairs: Vec<_> = texts.pairs().map(|(name, value)| (name, Value::Text(value))).collect();
        own.push(<[_; 8]>::try_from(pairs).map_err(|_| anyhow!("eight attributes"))?);
    }
    Ok(Box::new(Yardarm { users: own, flags: CompiledFlags::default() }))
}

/// The document of a case.
fn document(case: &Case) -> Json {
    let list = |members: &[&str]| json!(members).to_string();
    let rules = [
        format!("(in $country {})", list(&COUNTRIES)),
        format!("(in $company {})", list(&COMPANIES)),
        format!("(eq $plan {PLAN:?})"),
        format!("(eq $platform {PLATFORM:?})"),
        format!("(split pct::{PERCENT} by::$userId)"),
    ];
    let variants = VARIANTS.iter().enumerate().map(|(index, name)| {
        let mut variant = json!({ "name": name, "enabled": true, "attributeValues": { "value": name } });
        if let (Some(rule), Some(variant)) = (rules.get(index), variant.as_object_mut()) {
            variant.insert("rule".into(), json!(rule));
        }
        variant
    });
    let (definition, value) = match case.shape {
        Shape::Plain => (json!({ "name": "plain" }), json!({ "enabled": true })),
        Shape::FiveRules => (
            json!({ "name": "rules", "attributes": { "value": { "constraints": { "type": "string" } } } }),
            json!({ "_variants": variants.collect::<Vec<Json>>() }),
        ),
    };
    let every = |one: Json| {
        case.names().into_iter().map(|name| (name, one.clone())).collect::<serde_json::Map<_, _>>()
    };
    json!({ "version": "1", "flags": every(definition), "values": every(value) })
}

fn is_treated(reason: Reason) -> bool {
    matches!(reason, Reason::Split | Reason::Static)
}

impl Contender for Yardarm {
    fn name(&self) -> &'static str {
        "yardarm"
    }

    fn gives(&self, _: &Case) -> &'static str {
        "value, variant, reason"
    }

    fn load(&mut self, case: &Case) -> anyhow::Result<()> {
        let document = FlagDocument::read(document(case).to_string().as_bytes());
        self.flags = CompiledFlags::compile(&document.context("the document is not legal")?);
        Ok(())
    }

    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>)) {
        let Some(user) = self.users.get(user) else { return };
        match self.flags.resolve(flag, &Context::new(user)).and_then(|resolution| resolution.value) {
            Some(ResolvedValue::Boolean(is_on)) => then(Answer::On(is_on)),
            Some(ResolvedValue::Attribute(AttributeValue::String(variant))) => then(Answer::Variant(variant)),
            _ => {}
        }
    }

    fn one(&self, calls: &Calls<'_>) -> usize {
        calls.each(&self.users, |flag, user| {
            let resolution = black_box(self.flags.resolve(flag, &Context::new(user)));
            resolution.is_some_and(|resolution| is_treated(resolution.reason))
        })
    }

    fn all(&self, calls: &Calls<'_>) -> usize {
        calls.users(&self.users, |user| {
            let context = Context::new(user);
            let all = self.flags.evaluate_all(&context);
            all.filter(|(key, evaluation)| {
                black_box((key, evaluation));
                is_treated(evaluation.reason)
            })
            .count()
        })
    }
}

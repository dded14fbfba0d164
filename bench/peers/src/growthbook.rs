//! GrowthBook: the evaluator inside its SDK, with features that are given to it.

use crate::contender::{Answer, Calls, Contender};
use crate::flags::{
    COMPANIES, CONTROL, COUNTRIES, Case, PERCENT, PLAN, PLATFORM, Shape, TREATMENT, VARIANTS,
};
use crate::population::User;
use anyhow::anyhow;
use growthbook_rust::growthbook::GrowthBook;
use growthbook_rust::model_public::{FeatureResult, GrowthBookAttribute};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::hint::black_box;

struct Book {
    users: Vec<Option<Vec<GrowthBookAttribute>>>,
    book: GrowthBook,
}

/// Makes GrowthBook's.
pub(crate) fn make(users: &[User]) -> anyhow::Result<Box<dyn Contender>> {
    let attributes = |user: &User| {
        let pairs = user.pairs().map(|(name, value)| (name.to_owned(), json!(value)));
        let attributes = GrowthBookAttribute::from(Json::Object(pairs.collect()));
        attributes.map(Some).map_err(|wrong| anyhow!("{wrong:?}"))
    };
    let users = users.iter().map(attributes).collect::<anyhow::Result<_>>()?;
    let book = GrowthBook {
        forced_variations: None,
        features: HashMap::new(),
        attributes: None,
        sticky_bucket_service: None,
        saved_groups: HashMap::new(),
    };
    Ok(Box::new(Book { users, book }))
}

fn feature(shape: Shape) -> Json {
    match shape {
        Shape::Plain => json!({ "defaultValue": true, "rules": [] }),
        Shape::FiveRules => {
            let [by_country, by_company, by_plan, by_platform, ..] = VARIANTS;
            json!({ "defaultValue": CONTROL, "rules": [
                { "condition": { "country": { "$in": COUNTRIES } }, "force": by_country },
                { "condition": { "company": { "$in": COMPANIES } }, "force": by_company },
                { "condition": { "plan": PLAN }, "force": by_plan },
                { "condition": { "platform": PLATFORM }, "force": by_platform },
                { "force": TREATMENT, "coverage": f64::from(PERCENT) / 100.0, "hashAttribute": "userId", "hashVersion": 2 },
            ] })
        }
    }
}

fn is_treated(result: FeatureResult) -> bool {
    let result = black_box(result);
    result.value == Json::Bool(true) || result.value.as_str() == Some(TREATMENT)
}

impl Contender for Book {
    fn name(&self) -> &'static str {
        "growthbook-rust"
    }

    fn gives(&self, _: &Case) -> &'static str {
        "value, source"
    }

    fn load(&mut self, case: &Case) -> anyhow::Result<()> {
        let read = |name: String| anyhow::Ok((name, serde_json::from_value(feature(case.shape))?));
        self.book.features = case.names().into_iter().map(read).collect::<anyhow::Result<_>>()?;
        Ok(())
    }

    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>)) {
        let Some(user) = self.users.get(user) else { return };
        match self.book.check(flag, user).value {
            Json::Bool(is_on) => then(Answer::On(is_on)),
            Json::String(variant) => then(Answer::Variant(&variant)),
            _ => {}
        }
    }

    fn one(&self, calls: &Calls<'_>) -> usize {
        calls.each(&self.users, |flag, user| is_treated(self.book.check(flag, user)))
    }

    fn all(&self, calls: &Calls<'_>) -> usize {
        calls.each_of_all(&self.users, |flag, user| is_treated(self.book.check(flag, user)))
    }
}

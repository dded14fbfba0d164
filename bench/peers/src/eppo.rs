//! Eppo: the core that its SDKs share, with the features that its SDK for Rust builds it with.
//!
//! Its answer holds the value and the event that names variation and allocation; logging it is left to the caller.

use crate::contender::{Answer, Calls, Contender};
use crate::flags::{
    COMPANIES, CONTROL, COUNTRIES, Case, PERCENT, PLAN, PLATFORM, Shape, TREATMENT, VARIANTS,
};
use crate::population::User;
use chrono::{DateTime, Utc};
use eppo_core::eval::get_assignment;
use eppo_core::ufc::{Assignment, AssignmentValue, UniversalFlagConfig};
use eppo_core::{Attributes, Configuration, SdkMetadata, Str};
use serde_json::{Value as Json, json};
use std::hint::black_box;
use std::sync::Arc;

/// Shards of a flag, as its server makes them.
const SHARDS: u32 = 10_000;

struct Subject {
    key: Str,
    attributes: Arc<Attributes>,
}

struct Eppo {
    subjects: Vec<Subject>,
    configuration: Option<Configuration>,
    now: DateTime<Utc>,
}

/// Makes Eppo's.
pub(crate) fn make(users: &[User]) -> anyhow::Result<Box<dyn Contender>> {
    let subject = |user: &User| Subject {
        key: user.get("userId").into(),
        attributes: Arc::new(user.pairs().map(|(name, value)| (name.into(), value.into())).collect()),
    };
    let subjects = users.iter().map(subject).collect();
    Ok(Box::new(Eppo { subjects, configuration: None, now: Utc::now() }))
}

fn flag(name: &str, shape: Shape) -> Json {
    let rule = |attribute: &str, members: &[&str]| json!([{ "conditions": [{ "attribute": attribute, "operator": "ONE_OF", "value": members }] }]);
    let allocation = |key: &str, rules: Json, shards: Json| json!({ "key": key, "rules": rules, "doLog": true, "splits": [{ "variationKey": key, "shards": shards }] });
    let (kind, variations, allocations) = match shape {
        Shape::Plain => (
            "BOOLEAN",
            json!({ "on": { "key": "on", "value": true } }),
            json!([allocation("on", json!([]), json!([]))]),
        ),
        Shape::FiveRules => {
            let [by_country, by_company, by_plan, by_platform, ..] = VARIANTS;
            let ranges = json!([{ "start": 0, "end": SHARDS * PERCENT / 100 }]);
            let variations: serde_json::Map<_, _> =
                VARIANTS.iter().map(|key| ((*key).into(), json!({ "key": key, "value": key }))).collect();
            (
                "STRING",
                Json::Object(variations),
                json!([
                    allocation(by_country, rule("country", &COUNTRIES), json!([])),
                    allocation(by_company, rule("company", &COMPANIES), json!([])),
                    allocation(by_plan, rule("plan", &[PLAN]), json!([])),
                    allocation(by_platform, rule("platform", &[PLATFORM]), json!([])),
                    allocation(TREATMENT, json!([]), json!([{ "salt": name, "ranges": ranges }])),
                    allocation(CONTROL, json!([]), json!([])),
                ]),
            )
        }
    };
    json!({
        "key": name, "enabled": true, "variationType": kind, "variations": variations, "allocations": allocations,
        "totalShards": SHARDS,
    })
}

impl Eppo {
    fn assign(&self, flag: &str, subject: &Subject) -> Option<Assignment> {
        let configuration = self.configuration.as_ref();
        get_assignment(configuration, flag, &subject.key, &subject.attributes, None, self.now).ok().flatten()
    }

    fn is_treated(&self, flag: &str, subject: &Subject) -> bool {
        match black_box(self.assign(flag, subject)).map(|assignment| assignment.value) {
            Some(AssignmentValue::String(variant)) => variant.len() == TREATMENT.len(),
            Some(AssignmentValue::Boolean(is_on)) => is_on,
            _ => false,
        }
    }
}

impl Contender for Eppo {
    fn name(&self) -> &'static str {
        "eppo_core"
    }

    fn gives(&self, _: &Case) -> &'static str {
        "value, variation, allocation"
    }

    fn load(&mut self, case: &Case) -> anyhow::Result<()> {
        let flags: serde_json::Map<_, _> =
            case.names().into_iter().map(|name| (name.clone(), flag(&name, case.shape))).collect();
        let config = json!({
            "createdAt": "2026-01-01T00:00:00Z", "format": "SERVER", "environment": { "name": "production" },
            "flags": flags,
        });
        let sdk = SdkMetadata { name: "bench", version: "1" };
        let config = UniversalFlagConfig::from_json(sdk, config.to_string().into_bytes())?;
        self.configuration = Some(Configuration::from_server_response(config, None));
        Ok(())
    }

    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>)) {
        let Some(subject) = self.subjects.get(user) else { return };
        match self.assign(flag, subject).map(|assignment| assignment.value) {
            Some(AssignmentValue::String(variant)) => then(Answer::Variant(variant.as_str())),
            Some(AssignmentValue::Boolean(is_on)) => then(Answer::On(is_on)),
            _ => {}
        }
    }

    fn one(&self, calls: &Calls<'_>) -> usize {
        calls.each(&self.subjects, |flag, subject| self.is_treated(flag, subject))
    }

    fn all(&self, calls: &Calls<'_>) -> usize {
        calls.each_of_all(&self.subjects, |flag, subject| self.is_treated(flag, subject))
    }
}

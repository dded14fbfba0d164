//! Statsig: its server SDK with specs that are given to it, offline and with its event logging switched off.
//!
//! `check_gate` says on or off and nothing else.

use crate::contender::{Answer, Calls, Contender};
use crate::flags::{COMPANIES, COUNTRIES, Case, PERCENT, PLAN, PLATFORM, Shape};
use crate::population::User;
use anyhow::{Context, anyhow};
use serde_json::{Value as Json, json};
use statsig_rust::{
    DynamicValue, FeatureGateEvaluationOptions, Statsig, StatsigBootstrapSpecsAdapter, StatsigOptions,
    StatsigUser, StatsigUserBuilder,
};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use tokio::runtime::Runtime;

struct Gates {
    users: Vec<StatsigUser>,
    runtime: Runtime,
    statsig: Option<Statsig>,
}

/// Makes Statsig's.
pub(crate) fn make(users: &[User]) -> anyhow::Result<Box<dyn Contender>> {
    let user = |user: &User| {
        let others = user.pairs().filter(|(name, _)| *name != "userId");
        let custom: HashMap<String, DynamicValue> =
            others.map(|(name, value)| (name.to_owned(), DynamicValue::from(value.to_owned()))).collect();
        StatsigUserBuilder::new_with_user_id(user.get("userId").to_owned()).custom(Some(custom)).build()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    Ok(Box::new(Gates { users: users.iter().map(user).collect(), runtime, statsig: None }))
}

fn specs(case: &Case) -> Json {
    let condition = |field: &str, values: &[&str]| {
        json!({
            "type": "user_field", "targetValue": values, "operator": "any_case_sensitive", "field": field,
            "additionalValues": {}, "idType": "userID",
        })
    };
    let conditions = json!({
        "country": condition("country", &COUNTRIES),
        "company": condition("company", &COMPANIES),
        "plan": condition("plan", &[PLAN]),
        "platform": condition("platform", &[PLATFORM]),
        "everyone": {
            "type": "public", "targetValue": null, "operator": null, "field": null, "additionalValues": {},
            "idType": "userID",
        },
    });
    let rule = |condition: &str, percentage: u32| {
        json!({
            "name": condition, "groupName": condition, "passPercentage": percentage, "conditions": [condition],
            "returnValue": true, "id": condition, "salt": condition, "idType": "userID",
        })
    };
    let rules = match case.shape {
        Shape::Plain => json!([rule("everyone", 100)]),
        Shape::FiveRules => json!([
            rule("country", 100),
            rule("company", 100),
            rule("plan", 100),
            rule("platform", 100),
            rule("everyone", PERCENT),
        ]),
    };
    let gate = |name: String| {
        let gate = json!({
            "type": "feature_gate", "salt": name, "enabled": true, "defaultValue": false, "rules": rules,
            "idType": "userID", "entity": "feature_gate", "isActive": true, "version": 1,
        });
        (name, gate)
    };
    let gates: serde_json::Map<_, _> = case.names().into_iter().map(gate).collect();
    json!({
        "feature_gates": gates, "dynamic_configs": {}, "layer_configs": {}, "experiment_to_layer": {},
        "condition_map": conditions, "has_updates": true, "time": 1_760_000_000_000_u64, "company_id": "bench",
        "response_format": "dcs-v2", "id_lists": {}, "diagnostics": {}, "sdk_keys_to_app_ids": {},
    })
}

impl Gates {
    fn is_on(&self, gate: &str, user: &StatsigUser) -> bool {
        let quiet = FeatureGateEvaluationOptions { disable_exposure_logging: true };
        self.statsig.as_ref().is_some_and(|statsig| statsig.check_gate_with_options(user, gate, quiet))
    }
}

impl Contender for Gates {
    fn name(&self) -> &'static str {
        "statsig-rust"
    }

    fn gives(&self, _: &Case) -> &'static str {
        "on or off (`check_gate`)"
    }

    fn load(&mut self, case: &Case) -> anyhow::Result<()> {
        let options = StatsigOptions {
            specs_adapter: Some(Arc::new(StatsigBootstrapSpecsAdapter::new(specs(case).to_string()))),
            disable_network: Some(true),
            disable_all_logging: Some(true),
            disable_country_lookup: Some(true),
            disable_disk_access: Some(true),
            ..StatsigOptions::new()
        };
        let statsig = self.runtime.block_on(async {
            let statsig = Statsig::new("secret-bench", Some(Arc::new(options)));
            statsig.initialize().await.map(|()| statsig)
        });
        self.statsig = Some(statsig.map_err(|wrong| anyhow!("{wrong:?}")).context("no specs")?);
        Ok(())
    }

    fn answer(&self, flag: &str, user: usize, then: &mut dyn FnMut(Answer<'_>)) {
        if let Some(user) = self.users.get(user) {
            then(Answer::On(self.is_on(flag, user)));
        }
    }

    fn one(&self, calls: &Calls<'_>) -> usize {
        calls.each(&self.users, |flag, user| black_box(self.is_on(flag, user)))
    }

    fn all(&self, calls: &Calls<'_>) -> usize {
        calls.each_of_all(&self.users, |flag, user| black_box(self.is_on(flag, user)))
    }
}

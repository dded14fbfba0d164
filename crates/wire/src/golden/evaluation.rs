use serde_json::json;

use super::{golden, some};
use crate::evaluation::*;

fn evaluated() -> Evaluated {
    let drawn = Drawn { deployment: 12, exposure: 250_000, bucket: Some(114_023), inside: true };
    Evaluated { version: 7, label: some("v7"), rollout: Some(drawn) }
}

fn flag() -> EvaluatedFlag {
    EvaluatedFlag {
        key: "checkout".into(),
        value: Some(json!({"colour": "blue", "enabled": true})),
        variant: some("half"),
        reason: "SPLIT".into(),
    }
}

#[test]
fn requests() {
    let context = || json!({"targetingKey": "user-17", "age": 7}).as_object().cloned();
    golden("evaluation.explain", &Explain { flag: "checkout".into(), context: context() });
    golden(
        "evaluation.evaluate.full",
        &Evaluate { keys: Some(vec!["checkout.colour".into()]), context: context() },
    );
    golden("evaluation.evaluate.minimal", &Evaluate::default());
}

#[test]
fn evaluations() {
    let least =
        EvaluatedFlag { key: "old.colour".into(), value: None, variant: None, reason: "DISABLED".into() };
    golden("evaluation.full", &Evaluation { evaluated: evaluated(), flags: vec![flag(), least] });
    let evaluated = Evaluated { version: 7, label: None, rollout: None };
    golden("evaluation.minimal", &Evaluation { evaluated, flags: vec![] });
}

#[test]
fn explanations() {
    let clause = |text: &str| Clause {
        text: text.into(),
        holds: None,
        because: String::new(),
        bucket: None,
        percent: None,
        parts: vec![],
    };
    let split = Clause {
        holds: Some(true),
        because: "userId is \"u-17\", in bucket 11.4000 of 100".into(),
        bucket: Some(11.4),
        percent: Some(50.0),
        ..clause("(split pct::50 by::$userId)")
    };
    let both =
        Clause { holds: Some(true), parts: vec![split], ..clause("(and (split pct::50 by::$userId))") };
    let missing =
        Clause { holds: Some(false), because: "tier is missing".into(), ..clause("(eq $tier \"gold\")") };
    let tried = |name: &str, outcome, rule| TriedVariant { name: name.into(), outcome, rule };
    golden(
        "evaluation.explanation",
        &Explanation {
            evaluated: evaluated(),
            flag: flag(),
            enabled: true,
            variants: vec![
                tried("gold", VariantOutcome::PassedOver, Some(missing)),
                tried("half", VariantOutcome::Chosen, Some(both)),
                tried("rest", VariantOutcome::NotAsked, None),
            ],
        },
    );
}

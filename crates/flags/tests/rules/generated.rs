//! Rules and contexts for property tests. The tests of `yardarm-ion` include this file too.

use proptest::prelude::*;
use yardarm_flags::rule::Timestamp;
use yardarm_flags::{Context, Value};

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just("2024T"),
        Just("2024-01T"),
        Just("2024-01"),
        Just("2024-02-29"),
        Just("2024-02-29T12:30Z"),
        Just("2012-03-04T05:06:07.125-08:00"),
    ]
    .prop_map(|text| Timestamp::parse(text).unwrap())
}

/// A rule without errors.
pub(crate) fn rule() -> impl Strategy<Value = String> {
    let key = prop_oneof![Just("$a"), Just("$b"), Just("$c"), Just("'$d e'")];
    let constant = prop_oneof![
        "[a-c]{0,2}".prop_map(|text| format!("\"{text}\"")),
        (-3_i64..4).prop_map(|integer| integer.to_string()),
        (-3_i64..4).prop_map(|integer| format!("{integer}.5")),
        Just("2.0".to_owned()),
        any::<bool>().prop_map(|boolean| boolean.to_string()),
        timestamp().prop_map(|timestamp| timestamp.to_string()),
    ];
    let value = prop_oneof![3 => key.clone().prop_map(str::to_owned), 2 => constant.clone()];
    let compare = prop_oneof![Just("eq"), Just("ne"), Just("gt"), Just("gte"), Just("lt"), Just("lte")];
    let part = prop_oneof![Just("begins_with"), Just("ends_with"), Just("contains")];
    let by = prop_oneof![key.clone().prop_map(str::to_owned), Just("[$a, $b]".to_owned())];
    let leaf = prop_oneof![
        4 => (compare, value.clone(), value.clone()).prop_map(|(name, l, r)| format!("({name} {l} {r})")),
        1 => (part, value.clone(), value.clone()).prop_map(|(name, l, r)| format!("({name} {l} {r})")),
        1 => (value.clone(), prop::collection::vec(constant, 0..4))
            .prop_map(|(value, list)| format!("(in {value} [{}])", list.join(", "))),
        1 => (value, prop_oneof![Just("^a"), Just("b$"), Just("\\\\d")])
            .prop_map(|(value, pattern)| format!("(matches in::{value} pattern::\"{pattern}\")")),
        1 => prop_oneof![Just("a"), Just("b"), Just("d e")].prop_map(|key| format!("(exists key::\"{key}\")")),
        2 => (by, 0_u8..=100, prop_oneof![Just(""), Just("seed::\"s\""), Just("seed::\"t\"")])
            .prop_map(|(by, percent, seed)| format!("(split pct::{percent} by::{by} {seed})")),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let operand = prop_oneof![
            8 => inner.clone(),
            1 => any::<bool>().prop_map(|boolean| boolean.to_string()),
            1 => key.clone().prop_map(str::to_owned),
        ];
        prop_oneof![
            prop::collection::vec(operand.clone(), 2..5).prop_map(|all| format!("(and {})", all.join(" "))),
            prop::collection::vec(operand.clone(), 2..5).prop_map(|any| format!("(or {})", any.join(" "))),
            operand.prop_map(|one| format!("(not {one})")),
        ]
    })
}

/// The value of a context key.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

/// What a client says, keys given twice included.
pub(crate) fn context() -> impl Strategy<Value = Vec<(String, Given)>> {
    let key =
        prop_oneof![Just("a"), Just("b"), Just("c"), Just("d e"), Just("unread")].prop_map(str::to_owned);
    let value = prop_oneof![
        4 => "[a-c]{0,2}".prop_map(Given::Text),
        2 => (-3_i64..4).prop_map(|integer| Given::Text(integer.to_string())),
        2 => prop_oneof![Just("TRUE"), Just("false"), Just("2.50"), Just("2024-01"), Just("2012-03-04T13:06:07.125Z")]
            .prop_map(|text| Given::Text(text.to_owned())),
        1 => (-3_i64..4).prop_map(Given::Integer),
        1 => (-3_i64..4).prop_map(|integer| Given::Float(integer as f64 / 2.0)),
        1 => any::<bool>().prop_map(Given::Boolean),
    ];
    prop::collection::vec((key, value), 0..6)
}

pub(crate) fn with_context<R>(given: &[(String, Given)], then: impl FnOnce(&Context<'_>) -> R) -> R {
    let attributes: Vec<(&str, Value<'_>)> = given
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Given::Text(text) => Value::Text(text),
                Given::Integer(integer) => Value::Integer(*integer),
                Given::Float(float) => Value::Float(*float),
                Given::Boolean(boolean) => Value::Boolean(*boolean),
            };
            (key.as_str(), value)
        })
        .collect();
    then(&Context::new(&attributes))
}

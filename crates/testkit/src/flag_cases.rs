//! Flag documents and callers, generated: what every way of reading flags is asked about, so that all answer the same.
//!
//! Documents are legal and callers are from a small world, so that rules are true about as often as not.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use yardarm_flags::Value as Attribute;

/// Names of the flags there can be. A hyphen comes before the dot of `flag.attribute`, so that the order of keys is not
/// that of flags.
const FLAGS: &[&str] = &["a", "a-b", "banner", "checkout", "limit", "z"];

/// What a caller says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// Who it is, for splits and gradual deployments.
    pub targeting_key: Option<String>,
    /// Everything else, each name once.
    pub attributes: Vec<(&'static str, CallerValue)>,
}

/// A value of a caller's attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum CallerValue {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any finite number.
    Float(f64),
    /// True or false.
    Boolean(bool),
}

impl CallerValue {
    /// As rules read it.
    #[must_use]
    pub fn attribute(&self) -> Attribute<'_> {
        match self {
            Self::Text(text) => Attribute::Text(text),
            Self::Integer(integer) => Attribute::Integer(*integer),
            Self::Float(float) => Attribute::Float(*float),
            Self::Boolean(boolean) => Attribute::Boolean(*boolean),
        }
    }

    /// As JSON has it.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Integer(integer) => json!(integer),
            Self::Float(float) => json!(float),
            Self::Boolean(boolean) => json!(boolean),
        }
    }
}

/// A caller.
pub fn caller() -> impl Strategy<Value = Caller> {
    let targeting_key =
        prop::option::weighted(0.8, prop_oneof!["user-[0-9]{1,2}", Just("Ḽơ, ᶉ=%".to_owned())]);
    let attribute = |name: &'static str, value: BoxedStrategy<CallerValue>| {
        prop::option::weighted(0.7, value.prop_map(move |value| (name, value)))
    };
    let text = |texts: &'static [&'static str]| {
        prop::sample::select(texts).prop_map(|text| CallerValue::Text(text.into())).boxed()
    };
    let number = prop_oneof![
        (-3_i64..15).prop_map(CallerValue::Integer),
        (-3_i64..15)
            .prop_map(|halves| CallerValue::Float(f64::from(i32::try_from(halves).unwrap_or(0)) / 2.0)),
        Just(CallerValue::Text("10".into())),
        Just(CallerValue::Text("ten".into())),
        Just(CallerValue::Float(1e21)),
    ];
    let flag = prop_oneof![
        any::<bool>().prop_map(CallerValue::Boolean),
        Just(CallerValue::Text("TRUE".into())),
        Just(CallerValue::Text(String::new())),
    ];
    let instant = text(&["2024-01-01", "2025-06-01T00:00:00Z", "2025", "never"]);
    let attributes = (
        attribute("country", text(&["DE", "AT", "US", "de", ""])),
        attribute("email", text(&["qa@example.org", "a,b@example.com", "x = y%2C", "Ḽơ@example.org"])),
        attribute("orders", number.boxed()),
        attribute("beta", flag.boxed()),
        attribute("since", instant),
        attribute("user id", text(&["7", "user-3"])),
        attribute("entityId", text(&["entity-1", "entity-2"])),
    );
    (targeting_key, attributes).prop_map(|(targeting_key, given)| {
        let (country, email, orders, beta, since, user, entity) = given;
        // One of its own stands beside the targeting key over OFREP only.
        let entity = entity.filter(|_| targeting_key.is_none());
        let attributes = [country, email, orders, beta, since, user, entity].into_iter().flatten().collect();
        Caller { targeting_key, attributes }
    })
}

/// A rule without errors.
fn rule() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "(eq $country \"DE\")",
        "(ne $country \"DE\")",
        "(in $country [\"DE\", \"AT\"])",
        "(ends_with $email \"example.org\")",
        "(contains $email \",\")",
        "(matches in::$email pattern::\"^[a-z]+@\")",
        "(gt $orders 5)",
        "(lte $orders 2.5)",
        "(eq $orders 10)",
        "(eq $beta true)",
        "(exists key::\"beta\")",
        "(gte $since 2025-01-01T)",
        "(eq '$user id' \"7\")",
        "(exists key::\"entityId\")",
        "(eq $targetingKey \"user-7\")",
    ])
    .prop_map(str::to_owned);
    let by = prop::sample::select(vec!["$targetingKey", "$entityId", "$email", "[$country, $orders]"]);
    let seed = prop::sample::select(vec!["", " seed::\"s\""]);
    let split = (by, 0_u8..=100, seed)
        .prop_map(|(by, percent, seed)| format!("(split pct::{percent} by::{by}{seed})"));
    prop_oneof![3 => leaf, 1 => split].prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("(and {})", all.join(" "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|any| format!("(or {})", any.join(" "))),
            inner.prop_map(|one| format!("(not {one})")),
        ]
    })
}

/// The value of an attribute.
fn attribute() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec!["", "blue", "\"<&>\"\u{1}\n", "Ḽơᶉëᶆ"]).prop_map(|text| json!(text)),
        prop_oneof![Just(0), Just(-7), any::<i64>()].prop_map(|integer| json!(integer)),
        prop::sample::select(vec![0.5, -1.25, 1e21, 1e-7]).prop_map(|float| json!(float)),
        any::<bool>().prop_map(|boolean| json!(boolean)),
        prop::collection::vec(prop::sample::select(vec!["a", "b,c", ""]), 0..3)
            .prop_map(|texts| json!(texts)),
        prop::collection::vec(-9_i64..9, 1..3).prop_map(|numbers| json!(numbers)),
    ]
}

/// Attributes of a flag, of which a value has some.
fn attributes() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::select(vec![
        vec![],
        vec!["value"],
        vec!["colour"],
        vec!["a", "f", "value"],
        vec!["z_Z", "zz"],
    ])
}

fn values(names: Vec<&'static str>) -> impl Strategy<Value = Map<String, Value>> {
    let some = names.into_iter().map(|name| {
        prop::option::weighted(0.8, attribute()).prop_map(move |value| Some((name.to_owned(), value?)))
    });
    some.collect::<Vec<_>>().prop_map(|values| values.into_iter().flatten().collect())
}

/// A definition and a value.
fn flag() -> impl Strategy<Value = (Value, Option<Value>)> {
    let defined = |names: &[&str]| {
        let attributes: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        json!({"name": "any", "attributes": attributes})
    };
    attributes().prop_flat_map(move |names| {
        let definition = defined(&names);
        let basic = (any::<bool>(), values(names.clone())).prop_map(|(enabled, mut values)| {
            values.insert("enabled".into(), json!(enabled));
            Value::Object(values)
        });
        let variant = (prop::bool::weighted(0.8), values(names)).boxed();
        let variants = (prop::collection::vec((rule(), variant.clone()), 0..4), variant).prop_map(|(ruled, last)| {
            let mut variants: Vec<Value> = ruled
                .into_iter()
                .enumerate()
                .map(|(at, (rule, (enabled, values)))| {
                    json!({"name": format!("v {at}"), "enabled": enabled, "rule": rule, "attributeValues": values})
                })
                .collect();
            variants.push(json!({"name": "default", "enabled": last.0, "attributeValues": last.1}));
            json!({"_variants": variants})
        });
        let value = prop_oneof![
            4 => variants.prop_map(Some),
            3 => basic.prop_map(Some),
            1 => Just(Some(json!({"_variants": []}))),
            1 => Just(None),
        ];
        (Just(definition), value)
    })
}

/// A flag document, as somebody would store it.
pub fn document() -> impl Strategy<Value = String> {
    prop::sample::subsequence(FLAGS, 1..=FLAGS.len()).prop_flat_map(|keys| {
        let flags = keys.into_iter().map(|key| flag().prop_map(move |flag| (key, flag)));
        flags.collect::<Vec<_>>().prop_map(|flags| {
            let mut definitions = Map::new();
            let mut values = Map::new();
            for (key, (definition, value)) in flags {
                definitions.insert(key.into(), definition);
                values.extend(value.map(|value| (key.to_owned(), value)));
            }
            json!({"version": "1", "flags": definitions, "values": values}).to_string()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{caller, document};
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use yardarm_flags::{CompiledFlags, Context, FlagDocument, Reason};

    proptest! {
        #[test]
        fn documents_are_legal(document in document()) {
            let read = FlagDocument::read(document.as_bytes());
            prop_assert!(read.is_ok(), "{document}: {:?}", read.err());
        }
    }

    #[test]
    fn every_reason_is_met_often() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let mut met = std::collections::BTreeMap::<&str, usize>::new();
        for _ in 0..300 {
            let document = document().new_tree(&mut runner).unwrap().current();
            let flags = CompiledFlags::compile(&FlagDocument::read(document.as_bytes()).unwrap());
            let caller = caller().new_tree(&mut runner).unwrap().current();
            let attributes: Vec<_> =
                caller.attributes.iter().map(|(name, value)| (*name, value.attribute())).collect();
            for (_, evaluation) in flags.evaluate_all(&Context::new(&attributes)) {
                *met.entry(evaluation.reason.as_str()).or_default() += 1;
            }
        }
        let reasons =
            [Reason::Static, Reason::TargetingMatch, Reason::Split, Reason::Default, Reason::Disabled];
        for reason in reasons {
            assert!(met.get(reason.as_str()).is_some_and(|count| *count >= 20), "{reason}: {met:?}");
        }
    }
}

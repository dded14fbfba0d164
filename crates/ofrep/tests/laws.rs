//! What holds for every set of flags and every context.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use yardarm_flags::{CompiledFlags, FlagDocument};
use yardarm_ofrep::{Configuration, FlagSet, Request, entity_tag, evaluate_flag, evaluate_flags};

const RULES: [&str; 6] = [
    "(eq $plan \"pro\")",
    "(gt $age 17)",
    "(split pct::50 by::$targetingKey)",
    "(split pct::50 by::$entityId)",
    "(exists key::\"beta\")",
    "(contains $groups \"staff\")",
];

/// A flag: its key, what it is like, and whether it is on.
fn some_flag() -> impl Strategy<Value = (String, usize, bool)> {
    ("[a-d][a-c-]{0,2}", 0..9_usize, any::<bool>())
}

fn document(flags: &[(String, usize, bool)]) -> String {
    let (mut definitions, mut values) = (Map::new(), Map::new());
    for (key, kind, enabled) in flags {
        let attributes = match kind {
            0 => json!({}),
            1 => json!({"value": {}}),
            _ => json!({"text": {}, "size": {}}),
        };
        definitions.insert(key.clone(), json!({"name": key, "attributes": attributes}));
        let value = match kind {
            0 => json!({"enabled": enabled}),
            1 => json!({"enabled": enabled, "value": 7}),
            2 => json!({"enabled": enabled, "text": "x", "size": [1, 2]}),
            kind => json!({"_variants": [
                {"name": "one", "enabled": enabled, "rule": RULES.get(kind - 3), "attributeValues": {"text": "y"}},
                {"name": "rest", "enabled": true, "attributeValues": {"size": 0.5}},
            ]}),
        };
        values.insert(key.clone(), value);
    }
    json!({"version": "1", "flags": definitions, "values": values}).to_string()
}

fn some_context() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "\\PC{0,9}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c.]{1,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let names = "plan|age|beta|groups|x|a|a\\.b";
    (proptest::collection::btree_map(names, value, 0..6), proptest::option::of("[a-z0-9]{0,6}")).prop_map(
        |(members, targeting_key)| {
            let mut context: Map<String, Value> = members.into_iter().collect();
            if let Some(key) = targeting_key {
                context.insert("targetingKey".into(), key.into());
            }
            context
        },
    )
}

fn with_set<R>(documents: &[String], then: impl FnOnce(&FlagSet<'_>) -> R) -> R {
    let flags: Vec<CompiledFlags> = documents
        .iter()
        .map(|document| CompiledFlags::compile(&FlagDocument::read(document.as_bytes()).unwrap()))
        .collect();
    let configurations: Vec<Configuration<'_>> = documents
        .iter()
        .zip(&flags)
        .map(|(document, flags)| Configuration {
            profile: "p",
            version: "1",
            label: None,
            content: document.as_bytes(),
            flags,
        })
        .collect();
    then(&FlagSet { id: "id", scope: "", configurations: &configurations })
}

/// The context's text, its members in their order or the other way round.
fn body(context: &Map<String, Value>, reversed: bool) -> String {
    let mut members: Vec<String> =
        context.iter().map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))).collect();
    if reversed {
        members.reverse();
    }
    format!(" {{ \"context\" : {{{}}} }}", members.join(" , "))
}

proptest! {
    #[test]
    fn each_element_of_a_bulk_answer_is_the_single_answer(
        documents in proptest::collection::vec(proptest::collection::vec(some_flag(), 0..6), 0..4),
        context in some_context(),
    ) {
        let documents: Vec<String> = documents.iter().map(|flags| document(flags)).collect();
        let body = body(&context, false);
        let request = Request::parse(body.as_bytes()).unwrap();
        with_set(&documents, |set| {
            let mut returned: Vec<String> = vec![];
            let answer = evaluate_flags(set, &request, &[], "\"t\"".into(), |_, resolution| {
                returned.push(resolution.flag.to_string());
            });
            let bulk: Value = serde_json::from_slice(&answer.body).unwrap();
            let elements = bulk["flags"].as_array().unwrap();
            let keys: Vec<&str> = elements.iter().map(|element| element["key"].as_str().unwrap()).collect();
            prop_assert!(keys.is_sorted_by(|left, right| left < right), "{keys:?}");
            let evaluated = elements.iter().filter(|element| element.get("errorCode").is_none());
            let whole = evaluated.filter_map(|element| element["key"].as_str()).filter(|key| !key.contains('.'));
            prop_assert_eq!(whole.collect::<Vec<_>>(), returned, "each flag is told of once");
            for element in elements {
                let mut told = None;
                let single = evaluate_flag(set, element["key"].as_str().unwrap(), &request, |_, resolution| {
                    told = Some(resolution.flag.to_string());
                });
                prop_assert_eq!(told.is_some(), single.status.is_success());
                prop_assert_eq!(&serde_json::from_slice::<Value>(&single.body).unwrap(), element);
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_order_of_members_changes_neither_tag_nor_bytes(
        flags in proptest::collection::vec(some_flag(), 0..6),
        context in some_context(),
    ) {
        let documents = [document(&flags)];
        with_set(&documents, |set| {
            let answers = [false, true].map(|reversed| {
                let body = body(&context, reversed);
                let request = Request::parse(body.as_bytes()).unwrap();
                let tag = entity_tag(set, &request, 0);
                evaluate_flags(set, &request, &[], tag, |_, _| ())
            });
            // Where `a.b` and `a: {b}` both are there, their order says which counts.
            let ambiguous = context.contains_key("a") && context.contains_key("a.b");
            prop_assert!(ambiguous || answers[0] == answers[1]);
            Ok(())
        })?;
    }

    #[test]
    fn another_context_has_another_tag_if_it_has_another_answer(
        flags in proptest::collection::vec(some_flag(), 0..6),
        one in some_context(),
        other in some_context(),
    ) {
        let documents = [document(&flags)];
        with_set(&documents, |set| {
            let answers = [&one, &other].map(|context| {
                let body = body(context, false);
                let request = Request::parse(body.as_bytes()).unwrap();
                evaluate_flags(set, &request, &[], entity_tag(set, &request, 0), |_, _| ())
            });
            prop_assert!(answers[0].etag != answers[1].etag || answers[0].body == answers[1].body);
            Ok(())
        })?;
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = Request::parse(&bytes);
    }

    #[test]
    fn no_json_makes_the_reader_panic(context in some_context(), cut in 0..200_usize) {
        let body = body(&context, false);
        let _ = Request::parse(&body.as_bytes()[..cut.min(body.len())]);
        prop_assert!(Request::parse(body.as_bytes()).is_ok());
    }
}

//! What holds for every document and for every stream, judged by the vendor's library for Ion where one is needed.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test panics")]

#[path = "../../flags/tests/rules/generated.rs"]
mod generated;
mod judge;

use std::collections::BTreeMap;

use ion_rs::{Element, Sequence, v1_0};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use yardarm_flags::document::Setting;
use yardarm_flags::rule::{Node, NodeKind, Rule, Span, Timestamp, check, read as read_rule};
use yardarm_flags::{CompiledFlags, FlagDocument};
use yardarm_ion::{read, write};

use generated::{context, rule, with_context};
use judge::{checker_may_refuse, same};

fn attributes() -> impl Strategy<Value = BTreeMap<String, Json>> {
    let value = prop_oneof![
        ".{0,4}".prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        prop::collection::vec("[a-z]{0,3}", 0..3).prop_map(Json::from),
        prop::collection::vec(any::<i32>(), 1..3).prop_map(Json::from),
    ];
    prop::collection::btree_map("[a-c]", value, 0..3)
}

fn value() -> impl Strategy<Value = Json> {
    let basic = (any::<bool>(), attributes()).prop_map(|(enabled, attributes)| {
        let mut value = json!(attributes);
        value["enabled"] = json!(enabled);
        value
    });
    let variants =
        prop::collection::vec((".{0,3}", any::<bool>(), rule(), attributes()), 0..5).prop_map(|variants| {
            let last = variants.len().saturating_sub(1);
            let variant = |(index, (name, enabled, rule, attributes)): (usize, (String, bool, String, _))| {
                // The library writes control characters of symbols as they are, which is no Ion text.
                let name = format!("{index}{}", name.replace(char::is_control, ""));
                let mut variant =
                    json!({ "name": name, "enabled": enabled, "attributeValues": json!(attributes) });
                if index < last {
                    variant["rule"] = json!(rule);
                }
                variant
            };
            json!({ "_variants": variants.into_iter().enumerate().map(variant).collect::<Vec<Json>>() })
        });
    prop_oneof![1 => basic, 3 => variants]
}

fn document() -> impl Strategy<Value = FlagDocument> {
    prop::collection::btree_map("[a-d]", value(), 0..4).prop_map(|values| {
        let all = json!({ "attributes": { "a": {}, "b": {}, "c": {} } });
        let flags: BTreeMap<&String, &Json> = values.keys().map(|key| (key, &all)).collect();
        let text = json!({ "version": "1", "flags": flags, "values": values }).to_string();
        FlagDocument::read(text.as_bytes()).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"))
    })
}

/// A tree of one comparison with any constant at all.
fn comparison() -> impl Strategy<Value = Node> {
    let offset = prop_oneof![
        Just("Z".to_owned()),
        Just("-00:00".to_owned()),
        (prop::bool::ANY, 0..24, 0..60).prop_map(|(west, hours, minutes)| format!(
            "{}{hours:02}:{minutes:02}",
            if west { '-' } else { '+' }
        )),
    ];
    let day =
        (1..=9999, 1..=12, 1..=28).prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    let timestamp = prop_oneof![
        (1..=9999).prop_map(|year| format!("{year:04}T")),
        (1..=9999, 1..=12).prop_map(|(year, month)| format!("{year:04}-{month:02}T")),
        day.clone(),
        (day, 0..24, 0..60, prop::option::of((0..60, prop::option::of("[0-9]{1,12}"))), offset).prop_map(
            |(day, hour, minute, second, offset)| {
                let second = second.map_or_else(String::new, |(second, fraction)| {
                    format!(
                        ":{second:02}{}",
                        fraction.map_or_else(String::new, |digits| format!(".{digits}"))
                    )
                });
                format!("{day}T{hour:02}:{minute:02}{second}{offset}")
            }
        ),
    ];
    let constant = prop_oneof![
        timestamp
            .prop_filter_map("in the calendar", |text| Timestamp::parse(&text).ok())
            .prop_map(NodeKind::Timestamp),
        any::<i64>().prop_map(NodeKind::Integer),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(NodeKind::Float),
        (-1_000_000_i32..1_000_000, 0..6)
            .prop_map(|(number, places)| NodeKind::Float(f64::from(number) / 10_f64.powi(places))),
        any::<String>().prop_map(|text| NodeKind::Text(text.into())),
        any::<bool>().prop_map(NodeKind::Boolean),
    ];
    let node = |kind| Node { kind, span: Span::default() };
    ("[^\\pC]{1,4}", constant).prop_map(move |(key, constant)| {
        let operator = NodeKind::Symbol("eq".into());
        node(NodeKind::Expression(vec![node(operator), node(NodeKind::Context(key.into())), node(constant)]))
    })
}

/// The same stream as the vendor's library writes it.
fn rewritten(elements: &Sequence) -> Vec<u8> {
    elements.encode_as(v1_0::Binary).unwrap()
}

/// An s-expression of Ion: of what rules have, of what they have not, and sometimes of neither.
fn ion_text() -> impl Strategy<Value = String> {
    let pieces = [
        "eq",
        "and",
        "split",
        "in",
        "pct",
        "by",
        "_x",
        "$a",
        "$a$",
        "'$b c'",
        "'$1'",
        "'$a-b'",
        "'a b'",
        "'it''s'",
        r#""t""#,
        r#""""#,
        r#""\u00e9\x41\n\"""#,
        "\"a\\\nb\"",
        "'''long ''' '''text'''",
        "''''''",
        "true",
        "false",
        "5",
        "-7",
        "0",
        "-0",
        "0xFf",
        "-0b101",
        "1_000",
        "9223372036854775807",
        "-9223372036854775808",
        "1.5",
        "-0.0",
        "5.",
        "1d2",
        "1.5D-3",
        "1e0",
        "-2.5E+3",
        "1e308",
        "12345.678e-2",
        "2024T",
        "2024-01T",
        "2024-02-29",
        "2024-02-29T",
        "2024-02-29T12:30Z",
        "2024-02-29T12:30:59.123456789+01:30",
        "2024-02-29T00:00-00:00",
        "2023-02-29",
        "0001-01-01",
        "2024-01",
        "nan",
        "+inf",
        "null",
        "null.int",
        "+",
        "-",
        "<=",
        "$user-id",
        "us-east",
        "{}",
        "{a:1}",
        "{{}}",
        r#"{{"c"}}"#,
        "$10",
        "$",
        "99999999999999999999",
        "1e999",
        "a::b::1",
        "\"a",
        "'b",
        "é",
        "007",
        "1.2.3",
        "0x",
        "1__0",
        r#""\q""#,
    ];
    let piece = prop::sample::select(pieces.to_vec()).prop_map(str::to_owned);
    let space = prop::sample::select(vec!["", " ", "  ", "\n", "\t", "\u{b}", "/* c */", " // c\n"]);
    let inner = piece.prop_recursive(3, 16, 4, move |inner| {
        let parts = prop::collection::vec(inner.clone(), 0..4);
        let joined = |separator: &'static str| {
            (parts.clone(), space.clone())
                .prop_map(move |(parts, space)| parts.join(&format!("{separator}{space}")))
        };
        prop_oneof![
            4 => joined(" ").prop_map(|parts| format!("({parts})")),
            2 => joined(",").prop_map(|parts| format!("[{parts}]")),
            1 => joined(" ").prop_map(|parts| format!("[{parts},]")),
            2 => (prop::sample::select(vec!["a", "pct", "'b c'", "$k", "\"t\"", "1"]), space.clone(), inner)
                .prop_map(|(name, space, value)| format!("{name}{space}::{space}{value}")),
        ]
    });
    prop::collection::vec(inner, 0..4).prop_map(|parts| format!("({})", parts.join(" ")))
}

proptest! {
    #[test]
    fn what_is_written_evaluates_like_the_document(document in document(), given in context()) {
        let stream = write(&document);
        let settings = read(&stream).unwrap_or_else(|wrong| panic!("{wrong}: {stream:02x?}"));
        let (compiled, served) = (CompiledFlags::compile(&document), CompiledFlags::from_settings(settings.clone()));
        with_context(&given, |context| {
            let (one, other): (Vec<_>, Vec<_>) =
                (compiled.evaluate_all(context).collect(), served.evaluate_all(context).collect());
            assert_eq!(one, other);
        });

        // The vendor's library reads it, and what that writes is read to the same.
        let judged = Element::read_all(&stream).unwrap();
        prop_assert_eq!(judged.len(), document.values().len());
        prop_assert_eq!(read(&rewritten(&judged)).unwrap(), settings.clone());
        let text = judged.encode_as(v1_0::Text).unwrap();
        prop_assert_eq!(read(text.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong}: {text}")), settings);
    }

    #[test]
    fn a_rule_is_the_same_to_the_vendors_library(text in rule()) {
        let rule = Rule::read(&text).unwrap();
        // `2024-01` is the only thing the generator writes that is not Ion.
        let printed = rule.tree().to_string();
        let judged = Element::read_one(&printed).unwrap_or_else(|wrong| panic!("{wrong}: {printed}"));
        prop_assert!(same(&rule.tree(), &judged), "{} {}", printed, judged);
        if let Ok(judged) = Element::read_one(&text) {
            prop_assert!(same(&rule.tree(), &judged), "{} {}", text, judged);
        }
        prop_assert_eq!(Rule::of_tree(&rule.tree()).unwrap().tree(), rule.tree());
    }

    #[test]
    fn every_constant_travels(tree in comparison()) {
        let rule = Rule::of_tree(&tree).unwrap();
        let variants = json!([
            { "name": "a", "enabled": true, "rule": rule.as_str() },
            { "name": "b", "enabled": true },
        ]);
        let document = json!({ "version": "1", "values": { "f": { "_variants": variants } } }).to_string();
        let stream = write(&FlagDocument::read(document.as_bytes()).unwrap());
        let judged = Element::read_all(&stream).unwrap();
        for stream in [stream, rewritten(&judged)] {
            let settings = read(&stream).unwrap();
            let Some(Setting::Variants(variants)) = settings.get("f") else { panic!("{settings:?}") };
            let served = &variants.with_rule()[0].1;
            prop_assert_eq!(served.as_str(), tree.to_string());
            prop_assert_eq!(&served.tree(), &tree);
        }
    }

    #[test]
    fn whatever_both_read_is_the_same_and_the_rest_is_no_rule(text in ion_text()) {
        let ours = read_rule(&text);
        let judged = Element::read_one(&text).ok();
        match (ours.node.filter(|_| ours.diagnostics.is_empty()), judged) {
            (Some(node), Some(judged)) if same(&node, &judged) => {}
            (_, Some(judged)) => {
                prop_assert!(checker_may_refuse(&judged), "{} {} {:?}", text, judged, ours.diagnostics);
                prop_assert!(check(&text).rule.is_none(), "{} {}", text, judged);
            }
            // Bare months and lists without commas are no Ion; what they are rewritten to is.
            (Some(node), None) => {
                let printed = node.to_string();
                let judged = Element::read_one(&printed).unwrap_or_else(|wrong| panic!("{wrong}: {text} {printed}"));
                prop_assert!(same(&node, &judged), "{} {} {}", text, node, judged);
            }
            (None, None) => {}
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let _ = read(&[&[0xE0, 0x01, 0x00, 0xEA], &bytes[..]].concat());
    }

    #[test]
    fn a_damaged_stream_is_read_or_refused(
        document in document(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut stream = write(&document);
        for (at, byte) in damage {
            let at = at.index(stream.len());
            if let Some(place) = stream.get_mut(at) {
                *place = byte;
            }
        }
        let _ = read(&stream);
        stream.truncate(stream.len() / 2);
        let _ = read(&stream);
    }
}

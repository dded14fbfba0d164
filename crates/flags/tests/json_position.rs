//! Finding values in JSON texts.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use proptest::prelude::*;
use serde_json::Value;
use yardarm_flags::json_position::{
    Step, Target, TextPosition, locate, locate_nearest, locate_pointers, pointer, position_of_error,
};

fn at(line: u32, column: u32) -> Option<TextPosition> {
    Some(TextPosition { line, column })
}

#[test]
fn values_are_found_by_pointer() {
    let text = "{\n  \"a\": [1, {\"b/c\": true}],\n  \"~\": \"x\"\n}";
    assert_eq!(locate(text, ""), at(1, 1));
    assert_eq!(locate(text, "/a"), at(2, 8));
    assert_eq!(locate(text, "/a/0"), at(2, 9));
    assert_eq!(locate(text, "/a/1/b~1c"), at(2, 20));
    assert_eq!(locate(text, "/~0"), at(3, 8));
    for missing in ["/b", "/a/2", "/a/01", "/a/-", "/a/0/x", "a"] {
        assert_eq!(locate(text, missing), None, "{missing}");
    }
}

#[test]
fn columns_count_characters() {
    assert_eq!(locate("{\"é🚀\": 1, \"b\": 2}", "/b"), at(1, 16));
}

#[test]
fn keys_are_compared_unescaped() {
    assert_eq!(locate(r#"{"\u0061\"": 1}"#, "/a\""), at(1, 14));
}

#[test]
fn the_last_of_duplicate_keys_counts() {
    let text = r#"{"a": {"b": 1}, "a": {"c": 2}}"#;
    assert_eq!(locate(text, "/a"), at(1, 22));
    assert_eq!(locate(text, "/a/b"), None);
    assert_eq!(locate_pointers(text, &["/a/b", "/a/c"]), [at(1, 22), at(1, 28)]);
}

#[test]
fn what_is_missing_is_placed_at_its_nearest_ancestor() {
    assert_eq!(locate_pointers(r#"{"a": [{}]}"#, &["/a/0/x/y", "/q"]), [at(1, 8), at(1, 1)]);
}

#[test]
fn the_key_of_a_member_can_be_wanted() {
    let path = [Step::Member("a".into()), Step::Member("b".into())];
    let wanted = [(&path[..], Target::Key), (&path[..], Target::Value), (&path[..1], Target::Key)];
    assert_eq!(locate_nearest(r#"{"a": {"b" : 1}}"#, &wanted), [at(1, 8), at(1, 14), at(1, 2)]);
}

#[test]
fn the_position_of_a_parse_error_counts_characters() {
    let text = "{\n  \"é\": é}";
    let error = serde_json::from_str::<Value>(text).unwrap_err();
    assert_eq!(Some(position_of_error(text.as_bytes(), &error)), at(2, 8));
    let error = serde_json::from_str::<Value>("").unwrap_err();
    assert_eq!(Some(position_of_error(b"", &error)), at(1, 1));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn collect<'v>(value: &'v Value, path: &mut Vec<Step<'static>>, out: &mut Vec<(String, &'v Value)>) {
    out.push((pointer(path), value));
    let mut below = |step: Step<'static>, inner: &'v Value| {
        path.push(step);
        collect(inner, path, out);
        path.pop();
    };
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| below(Step::Index(i), item)),
        Value::Object(members) => {
            members.iter().for_each(|(key, item)| below(Step::Member(key.clone().into()), item));
        }
        _ => {}
    }
}

/// The first value of the text that begins at `position`.
fn value_at(text: &str, position: TextPosition) -> Value {
    let line_start: usize = text.split_inclusive('\n').take(position.line as usize - 1).map(str::len).sum();
    let rest: String = text[line_start..].chars().skip(position.column as usize - 1).collect();
    serde_json::Deserializer::from_str(&rest).into_iter().next().unwrap().unwrap()
}

proptest! {
    #[test]
    fn every_value_of_a_document_stands_where_it_is_found(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let mut places = Vec::new();
        collect(&value, &mut Vec::new(), &mut places);
        let pointers: Vec<&str> = places.iter().map(|(pointer, _)| pointer.as_str()).collect();
        for ((pointer, expected), found) in places.iter().zip(locate_pointers(&text, &pointers)) {
            prop_assert_eq!(found, locate(&text, pointer));
            prop_assert_eq!(&value_at(&text, found.unwrap()), *expected, "{} in {}", pointer, text);
            prop_assert_eq!(value.pointer(pointer), Some(*expected));
        }
    }

    #[test]
    fn no_text_makes_the_scanner_panic(text in r#"[\[\]{}",:0-9a\\ \n]{0,60}"#, pointer in "(/[a0-9~]{0,3}){0,4}") {
        let _ = locate(&text, &pointer);
        if let Err(error) = serde_json::from_str::<Value>(&text) {
            let _ = position_of_error(text.as_bytes(), &error);
        }
    }
}

#[test]
fn deep_nesting_is_given_up_not_overflowed() {
    let deep = "[".repeat(100_000);
    let path = "/0".repeat(100_000);
    assert_eq!(locate(&deep, &path), None);
    assert_eq!(locate(&deep, "/1"), None);
}

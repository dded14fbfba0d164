//! What documents differ in.

use yardarm_flags::{DifferenceKind, FlagDocument, diff, facts};

use super::document;

fn read(text: &str) -> FlagDocument {
    FlagDocument::read(text.as_bytes()).unwrap()
}

#[test]
fn a_document_does_not_differ_from_itself_whatever_its_stamps() {
    let stamped = super::DOCUMENT.replace(
        r#""plain": {"#,
        r#""plain": {"_createdAt": "2026-01-01T00:00:00Z", "_updatedAt": "2026-01-01T00:00:00Z", "#,
    );
    assert_eq!(diff(&document(), &read(&stamped)), []);
}

#[test]
fn flags_are_added_and_removed_in_the_order_of_their_keys() {
    let empty = read(r#"{"version":"1"}"#);
    let keys = |differences: Vec<yardarm_flags::FlagDifference>| {
        let keys = differences.iter().map(|flag| (flag.flag.to_string(), flag.kind));
        keys.collect::<Vec<_>>()
    };
    let all = ["banner", "checkout", "defined", "nothing", "plain"];
    let of = |kind| all.map(|key| (key.to_owned(), kind)).to_vec();
    assert_eq!(keys(diff(&empty, &document())), of(DifferenceKind::Added));
    assert_eq!(keys(diff(&document(), &empty)), of(DifferenceKind::Removed));
}

#[test]
fn facts_say_everything_about_a_flag_in_order() {
    let lines = facts(&document(), "checkout");
    let lines: Vec<String> = lines.iter().map(|fact| format!("{}: {}", fact.subject, fact.text)).collect();
    assert_eq!(
        lines,
        [
            "attribute colour: string of \"blue\" | \"green\"",
            "variants: beta, ten, default",
            "variant beta: rule: (eq $tier \"beta\")",
            "variant beta: enabled: true",
            "variant beta: value colour: \"green\"",
            "variant ten: rule: (split pct::10 by::$userId)",
            "variant ten: enabled: true",
            "variant default: enabled: false",
        ]
    );
    assert_eq!(facts(&document(), "unknown"), []);
}

#[test]
fn constraints_are_told_in_a_line() {
    let read = read(
        r#"{"version": "1", "flags": {"f": {"attributes": {
            "a": {}, "b": {"constraints": {"type": "boolean", "required": true}},
            "c": {"constraints": {"type": "array"}, "description": "of anything"},
            "d": {"constraints": {"type": "array", "elements": {"type": "number", "minimum": 1, "maximum": 9}}},
            "e": {"constraints": {"type": "string", "pattern": "^x"}},
            "f": {"constraints": {"type": "array", "required": true, "elements": {"type": "string", "enum": [1, "b"]}}}
        }}}}"#,
    );
    let lines = facts(&read, "f");
    let lines: Vec<String> = lines.iter().map(|fact| format!("{}: {}", fact.subject, fact.text)).collect();
    assert_eq!(
        lines,
        [
            "attribute a: anything",
            "attribute b: boolean, required",
            "attribute c: array",
            "attribute c: description: of anything",
            "attribute d: array of number from 1 to 9",
            "attribute e: string like ^x",
            "attribute f: array of string of \"1\" | \"b\", required",
        ]
    );
}

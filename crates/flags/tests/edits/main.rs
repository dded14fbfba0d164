//! Edits of one flag, and what documents differ in.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

mod differences;
mod laws;
mod making;
mod states;
mod variants;

use yardarm_flags::FlagDocument;
use yardarm_flags::edit::{Change, Edit, EditError, NewValue, Of};

/// A document with a flag of each kind.
const DOCUMENT: &str = r#"{
  "version": "1",
  "flags": {
    "banner": {"name": "Banner", "attributes": {
      "text": {"constraints": {"type": "string", "required": true}},
      "price": {"constraints": {"type": "number", "minimum": 0}}}},
    "checkout": {"attributes": {"colour": {"constraints": {"type": "string", "enum": ["blue", "green"]}}}},
    "defined": {}
  },
  "values": {
    "banner": {"enabled": true, "text": "Peppermint", "price": 4.5},
    "checkout": {"_variants": [
      {"name": "beta", "enabled": true, "rule": "(eq $tier \"beta\")", "attributeValues": {"colour": "green"}},
      {"name": "ten", "enabled": true, "rule": "(split pct::10 by::$userId)"},
      {"name": "default", "enabled": false}]},
    "nothing": {"_variants": []},
    "plain": {"enabled": false}
  }
}"#;

fn document() -> FlagDocument {
    FlagDocument::read(DOCUMENT.as_bytes()).unwrap()
}

fn edited(flag: &str, changes: impl IntoIterator<Item = Change>) -> Result<FlagDocument, EditError> {
    Edit { flag: flag.parse().unwrap(), changes: changes.into_iter().collect() }.apply(&document())
}

/// The difference that changes make, as lines.
fn lines(flag: &str, changes: impl IntoIterator<Item = Change>) -> Vec<String> {
    let after = edited(flag, changes).unwrap();
    let differences = yardarm_flags::diff(&document(), &after);
    let of_flag = differences.iter().flat_map(|flag| {
        let kind = flag.kind.as_str();
        flag.differences.iter().map(move |difference| format!("{} {kind} {difference}", flag.flag))
    });
    of_flag.collect()
}

/// Location and message of the refusal.
fn refused(flag: &str, changes: impl IntoIterator<Item = Change>) -> String {
    let error = edited(flag, changes).unwrap_err();
    match &error {
        EditError::Invalid(invalid) => invalid.to_string(),
        error => format!("{}: {error}", error.location()),
    }
}

fn text(text: &str) -> NewValue {
    NewValue::Text(text.to_owned())
}

fn set(of: Of, attribute: &str, value: &str) -> Change {
    Change::Set { of, attribute: attribute.parse().unwrap(), value: text(value) }
}

fn variant(name: &str) -> Of {
    Of::Variant(name.to_owned())
}

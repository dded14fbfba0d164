//! The stored form of a document.
//!
//! What is stored is not what was submitted: members are sorted, unknown ones dropped, booleans are booleans, and every
//! entry of `flags` and of `values` says when it was created and last changed. An entry that did not change keeps its
//! stamps, so a document submitted twice has the same bytes twice and needs no second version.
//!
//! **Invariants:** what [`normalise`] returns can be read, and normalising it again changes nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::document::{
    ArrayConstraints, AttributeConstraints, AttributeDefinition, AttributeKey, AttributeValue,
    ElementConstraints, EnumEntry, FlagDefinition, FlagDocument, FlagKey, FlagValue, MAX_DOCUMENT_BYTES,
    NumberConstraints, Setting, Stamps, State, StringConstraints, StringRule, Variant, Variants, stamp_text,
    to_millisecond,
};
use crate::json_text::{self, Json};

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised {
    /// The bytes to store.
    pub bytes: Vec<u8>,
    /// Whether the content is that of the previous version, so that no new version is needed.
    pub same_as_previous: bool,
}

/// The stored form is larger than a document may be: escapes and stamps take room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a flag document is stored in at most {limit} bytes, this one takes {size}")]
pub struct TooLarge {
    /// The most that is stored, in bytes.
    pub limit: usize,
    /// What it would take, in bytes.
    pub size: usize,
}

/// The stored form of `document`, which follows `previous`, the latest version there is.
///
/// `_createdAt` is the submitted one, else the previous version's for the same key, else `now`. `_updatedAt` is the
/// previous version's if the entry is the same apart from its stamps, else `now`; a submitted one is ignored.
///
/// # Errors
/// [`TooLarge`], when the stored form could not be read back.
pub fn normalise(
    document: &FlagDocument,
    previous: Option<&FlagDocument>,
    now: Timestamp,
) -> Result<Normalised, TooLarge> {
    let stamped = stamp(document, previous, to_millisecond(now));
    let bytes = write(&stamped);
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(TooLarge { limit: MAX_DOCUMENT_BYTES, size: bytes.len() });
    }
    Ok(Normalised { bytes, same_as_previous: previous == Some(&stamped) })
}

fn stamp(document: &FlagDocument, previous: Option<&FlagDocument>, now: Timestamp) -> FlagDocument {
    let mut stamped = document.clone();
    for (key, definition) in &mut stamped.flags {
        let before = previous.and_then(|previous| previous.flags.get(key));
        let same = before.is_some_and(|before| same_definition(definition, before));
        definition.stamps = next_stamps(definition.stamps, before.map(|before| before.stamps), same, now);
    }
    for (key, value) in &mut stamped.values {
        let before = previous.and_then(|previous| previous.values.get(key));
        let same = before.is_some_and(|before| value.setting == before.setting);
        value.stamps = next_stamps(value.stamps, before.map(|before| before.stamps), same, now);
    }
    stamped
}

fn same_definition(a: &FlagDefinition, b: &FlagDefinition) -> bool {
    // Taken apart so that a new field is not forgotten.
    let FlagDefinition { name, description, deprecation, attributes, stamps: _ } = a;
    (name, description, deprecation, attributes) == (&b.name, &b.description, &b.deprecation, &b.attributes)
}

fn next_stamps(submitted: Stamps, before: Option<Stamps>, same: bool, now: Timestamp) -> Stamps {
    let before = before.unwrap_or_default();
    Stamps {
        created_at: submitted.created_at.or(before.created_at).or(Some(now)),
        updated_at: before.updated_at.filter(|_| same).or(Some(now)),
    }
}

/// `document` in the stored form, with the stamps it has.
#[must_use]
pub fn write(document: &FlagDocument) -> Vec<u8> {
    let mut members = BTreeMap::from([("version", Json::Text("1"))]);
    insert_unless_empty(&mut members, "flags", by_key(&document.flags, FlagKey::as_str, definition));
    insert_unless_empty(&mut members, "values", by_key(&document.values, FlagKey::as_str, value));
    json_text::write(&Json::Object(members))
}

type Members<'a> = BTreeMap<&'a str, Json<'a>>;

fn by_key<'a, K, V>(
    map: &'a BTreeMap<K, V>,
    key: impl Fn(&'a K) -> &'a str,
    write: impl Fn(&'a V) -> Json<'a>,
) -> Members<'a> {
    map.iter().map(|(k, value)| (key(k), write(value))).collect()
}

fn insert_unless_empty<'a>(members: &mut Members<'a>, key: &'a str, inner: Members<'a>) {
    if !inner.is_empty() {
        members.insert(key, Json::Object(inner));
    }
}

fn insert_some<'a>(members: &mut Members<'a>, key: &'a str, value: Option<Json<'a>>) {
    if let Some(value) = value {
        members.insert(key, value);
    }
}

fn insert_stamps(members: &mut Members<'_>, stamps: Stamps) {
    insert_some(members, "_createdAt", stamps.created_at.map(|at| Json::Owned(stamp_text(at))));
    insert_some(members, "_updatedAt", stamps.updated_at.map(|at| Json::Owned(stamp_text(at))));
}

fn definition(definition: &FlagDefinition) -> Json<'_> {
    let mut members = Members::new();
    insert_some(&mut members, "name", definition.name.as_deref().map(Json::Text));
    insert_some(&mut members, "description", definition.description.as_deref().map(Json::Text));
    if let Some(deprecation) = definition.deprecation {
        let mut inner = Members::from([("status", Json::Text("planned"))]);
        insert_some(&mut inner, "date", deprecation.date.map(|date| Json::Owned(date.to_string())));
        members.insert("_deprecation", Json::Object(inner));
    }
    let attributes = by_key(&definition.attributes, AttributeKey::as_str, attribute);
    insert_unless_empty(&mut members, "attributes", attributes);
    insert_stamps(&mut members, definition.stamps);
    Json::Object(members)
}

fn attribute(attribute: &AttributeDefinition) -> Json<'_> {
    let mut members = Members::new();
    insert_some(&mut members, "description", attribute.description.as_deref().map(Json::Text));
    insert_some(&mut members, "constraints", attribute.constraints.as_ref().map(constraints));
    Json::Object(members)
}

fn constraints(constraints: &AttributeConstraints) -> Json<'_> {
    Json::Object(match constraints {
        AttributeConstraints::String(string) => string_constraints(string),
        AttributeConstraints::Number(number) => number_constraints(number),
        AttributeConstraints::Boolean { required } => of_type("boolean", *required),
        AttributeConstraints::Array(ArrayConstraints { required, elements }) => {
            let mut members = of_type("array", *required);
            let elements = elements.as_ref().map(|elements| match elements {
                ElementConstraints::String(string) => string_constraints(string),
                ElementConstraints::Number(number) => number_constraints(number),
            });
            insert_some(&mut members, "elements", elements.map(Json::Object));
            members
        }
    })
}

fn of_type(name: &'static str, required: Option<bool>) -> Members<'static> {
    let mut members = Members::from([("type", Json::Text(name))]);
    insert_some(&mut members, "required", required.map(Json::Bool));
    members
}

fn string_constraints(constraints: &StringConstraints) -> Members<'_> {
    let mut members = of_type("string", constraints.required);
    match &constraints.rule {
        None => {}
        Some(StringRule::Pattern(pattern)) => {
            members.insert("pattern", Json::Text(pattern));
        }
        Some(StringRule::Enum(entries)) => {
            members.insert("enum", Json::Array(entries.iter().map(enum_entry).collect()));
        }
    }
    members
}

fn enum_entry(entry: &EnumEntry) -> Json<'_> {
    match entry {
        EnumEntry::String(text) => Json::Text(text),
        EnumEntry::Integer(number) => Json::Number(number),
    }
}

fn number_constraints(constraints: &NumberConstraints) -> Members<'_> {
    let mut members: Members<'_> = of_type("number", constraints.required);
    insert_some(&mut members, "minimum", constraints.minimum.as_ref().map(Json::Number));
    insert_some(&mut members, "maximum", constraints.maximum.as_ref().map(Json::Number));
    members
}

fn value(value: &FlagValue) -> Json<'_> {
    let mut members = match &value.setting {
        Setting::Basic(state) => {
            let mut members = attribute_values(state);
            members.insert("enabled", Json::Bool(state.enabled));
            members
        }
        Setting::Variants(variants) => Members::from([("_variants", variants_list(variants))]),
        Setting::Nothing => Members::new(),
    };
    insert_stamps(&mut members, value.stamps);
    Json::Object(members)
}

fn variants_list(variants: &Variants) -> Json<'_> {
    let mut list: Vec<Json<'_>> =
        variants.with_rule.iter().map(|(variant, rule)| one_variant(variant, Some(rule.as_str()))).collect();
    list.push(one_variant(&variants.default, None));
    Json::Array(list)
}

fn one_variant<'a>(variant: &'a Variant, rule: Option<&'a str>) -> Json<'a> {
    let mut members = Members::from([
        ("name", Json::Text(variant.name.as_str())),
        ("enabled", Json::Bool(variant.state.enabled)),
    ]);
    insert_some(&mut members, "rule", rule.map(Json::Text));
    insert_unless_empty(&mut members, "attributeValues", attribute_values(&variant.state));
    Json::Object(members)
}

/// The attributes of a state, by key.
pub(crate) fn attribute_values(state: &State) -> Members<'_> {
    by_key(&state.attributes, AttributeKey::as_str, |value| match value {
        AttributeValue::String(text) => Json::Text(text),
        AttributeValue::Number(number) => Json::Number(number),
        AttributeValue::Boolean(value) => Json::Bool(*value),
        AttributeValue::Strings(texts) => Json::Array(texts.iter().map(|text| Json::Text(text)).collect()),
        AttributeValue::Numbers(numbers) => Json::Array(numbers.iter().map(Json::Number).collect()),
    })
}

//! From bytes to a [`FlagDocument`], or to all that is wrong with them.
//!
//! Reading goes on after a violation, because an author wants the whole list. What depends on something already
//! reported is not checked: a wrong definition does not make its flag's values wrong as well.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::check::Allowed;
use super::constraints::read_constraints;
use super::key::{KEY_PATTERN, RESERVED_ATTRIBUTE, is_key};
use super::members::{list, member, name, object, text};
use super::stamp::parse_stamp;
use super::{
    AttributeDefinition, Deprecation, FlagDefinition, FlagDocument, FlagKey, FlagValue, MAX_ATTRIBUTES,
    MAX_DOCUMENT_BYTES, MAX_RULE_CHARS, MAX_VARIANTS, Rule, Setting, Stamps, State, Variant, Variants,
};
use crate::json_position;
use crate::violation::{Place, ReadError, Report};

/// Longest description of a flag or an attribute, in characters.
const MAX_DESCRIPTION_CHARS: usize = 1024;

const CREATED_AT: &str = "_createdAt";
const UPDATED_AT: &str = "_updatedAt";
const VARIANTS: &str = "_variants";
const ENABLED: &str = RESERVED_ATTRIBUTE;

pub(super) fn read(bytes: &[u8]) -> Result<FlagDocument, ReadError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(ReadError::TooLarge { limit: MAX_DOCUMENT_BYTES, size: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
        let at = json_position::position_at(valid.unwrap_or_default(), error.valid_up_to());
        ReadError::Malformed { message: "not UTF-8".to_owned(), at }
    })?;
    let value: Value = serde_json::from_str(text).map_err(|error| ReadError::Malformed {
        message: json_position::message_of_error(&error),
        at: json_position::position_of_error(bytes, &error),
    })?;
    let mut report = Report::default();
    let document = read_document(&value, &mut report);
    match report.into_violations(text) {
        Some(violations) => Err(ReadError::Invalid(violations)),
        None => Ok(document),
    }
}

fn read_document(value: &Value, report: &mut Report) -> FlagDocument {
    let top = Place::TOP;
    let Some(members) = object(value, &top, report) else { return FlagDocument::default() };
    match member(members, "version") {
        None => report.add_missing(&top.named("version"), "Required"),
        Some(Value::String(version)) if version == "1" => {}
        Some(other) => report.add(&top.member("version"), "OneOf(1)", other),
    }
    let definitions = read_definitions(members, &top.member("flags"), report);
    let values = read_values(members, &definitions, &top.member("values"), report);
    let flags = definitions
        .into_iter()
        .filter_map(|(key, read)| Some((key.parse().ok()?, read?.definition)))
        .collect();
    FlagDocument { flags, values }
}

/// A definition as far as it could be read.
struct ReadDefinition<'v> {
    definition: FlagDefinition,
    /// Attributes that are defined, but wrongly.
    broken: Vec<&'v str>,
    /// The text of the attributes.
    attributes: Option<&'v Value>,
}

/// Definitions by key; `None` for one that could not be read at all.
type Definitions<'v> = BTreeMap<&'v str, Option<ReadDefinition<'v>>>;

fn read_definitions<'v>(
    document: &'v Map<String, Value>,
    place: &Place<'_>,
    report: &mut Report,
) -> Definitions<'v> {
    let Some(flags) = member(document, "flags").and_then(|flags| object(flags, place, report)) else {
        return Definitions::new();
    };
    let mut definitions = Definitions::new();
    for (key, value) in flags {
        let place = place.member(key);
        check_key(key, &place, report);
        definitions.insert(key, read_definition(value, &place, report));
    }
    definitions
}

fn check_key(key: &str, place: &Place<'_>, report: &mut Report) {
    if !is_key(key) {
        report.add_key(place, format_args!("Regexp({KEY_PATTERN})"), key);
    }
}

fn read_definition<'v>(
    value: &'v Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<ReadDefinition<'v>> {
    let members = object(value, place, report)?;
    let mut definition = FlagDefinition {
        name: member(members, "name").and_then(|value| name(value, &place.member("name"), report)),
        description: read_description(members, place, report),
        deprecation: member(members, "_deprecation")
            .and_then(|value| read_deprecation(value, &place.member("_deprecation"), report)),
        attributes: BTreeMap::new(),
        stamps: read_stamps(members, place, report),
    };
    let attributes = member(members, "attributes");
    let mut broken = Vec::new();
    if let Some(attributes) = attributes {
        let place = place.member("attributes");
        let attributes = object(attributes, &place, report)?;
        if attributes.len() > MAX_ATTRIBUTES {
            report.add_missing(&place, format_args!("MaxEntries({MAX_ATTRIBUTES})"));
        }
        for (key, value) in attributes {
            let place = place.member(key);
            if key == RESERVED_ATTRIBUTE {
                report.add_key(&place, format_args!("Not(OneOf({RESERVED_ATTRIBUTE}))"), key);
            }
            check_key(key, &place, report);
            match (key.parse(), read_attribute(value, &place, report)) {
                (Ok(key), Some(attribute)) => {
                    definition.attributes.insert(key, attribute);
                }
                _ => broken.push(key.as_str()),
            }
        }
    }
    Some(ReadDefinition { definition, broken, attributes })
}

fn read_attribute(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<AttributeDefinition> {
    let members = object(value, place, report)?;
    let description = read_description(members, place, report);
    let constraints = match member(members, "constraints") {
        None => None,
        Some(constraints) => Some(read_constraints(constraints, &place.member("constraints"), report)?),
    };
    Some(AttributeDefinition { description, constraints })
}

fn read_description(members: &Map<String, Value>, place: &Place<'_>, report: &mut Report) -> Option<String> {
    let description = member(members, "description")?;
    text(description, MAX_DESCRIPTION_CHARS, &place.member("description"), report)
}

fn read_deprecation(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<Deprecation> {
    let members = object(value, place, report)?;
    match member(members, "status") {
        None => report.add_missing(&place.named("status"), "Required"),
        Some(Value::String(status)) if status == "planned" => {}
        Some(other) => report.add(&place.member("status"), "OneOf(planned)", other),
    }
    let date = match member(members, "date") {
        None => None,
        Some(value) => {
            // `jiff` also reads other forms of a date.
            let date = value.as_str().filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
            if date.is_none() {
                report.add(&place.member("date"), "Format(date)", value);
            }
            date
        }
    };
    Some(Deprecation { date })
}

fn read_stamps(members: &Map<String, Value>, place: &Place<'_>, report: &mut Report) -> Stamps {
    let mut stamp = |key| {
        let value = member(members, key)?;
        let stamp = value.as_str().and_then(parse_stamp);
        if stamp.is_none() {
            report.add(&place.member(key), "Format(date-time)", value);
        }
        stamp
    };
    Stamps { created_at: stamp(CREATED_AT), updated_at: stamp(UPDATED_AT) }
}

fn read_values(
    document: &Map<String, Value>,
    definitions: &Definitions<'_>,
    place: &Place<'_>,
    report: &mut Report,
) -> BTreeMap<FlagKey, FlagValue> {
    let Some(members) = member(document, "values").and_then(|values| object(values, place, report)) else {
        return BTreeMap::new();
    };
    let mut values = BTreeMap::new();
    for (key, value) in members {
        let place = place.member(key);
        check_key(key, &place, report);
        let allowed = match definitions.get(key.as_str()) {
            // Values of a flag without a definition may not have attributes.
            None => Some(Allowed::nothing()),
            Some(None) => None,
            Some(Some(read)) => Some(Allowed::new(&read.definition, &read.broken, read.attributes)),
        };
        if let Some(value) = read_value(value, allowed.as_ref(), &place, report)
            && let Ok(key) = key.parse()
        {
            values.insert(key, value);
        }
    }
    values
}

/// `allowed` is `None` when the flag's definition could not be read; then its attributes are not checked.
fn read_value(
    value: &Value,
    allowed: Option<&Allowed<'_>>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<FlagValue> {
    let members = object(value, place, report)?;
    let stamps = read_stamps(members, place, report);
    let setting = if let Some(variants) = member(members, VARIANTS) {
        if members.keys().any(|key| ![VARIANTS, CREATED_AT, UPDATED_AT].contains(&key.as_str())) {
            report.add(place, "StrictVariants", value);
        }
        let place = place.member(VARIANTS);
        match list(variants, MAX_VARIANTS, &place, report)?.split_last() {
            None => Setting::Nothing,
            Some((default, others)) => {
                let reader = VariantReader { allowed, place, all: variants };
                Setting::Variants(reader.read(others, default, report)?)
            }
        }
    } else if members.len() == 2 && stamps.created_at.is_some() && stamps.updated_at.is_some() {
        // What `_variants: []` is stored as. Reading it back must not turn it into something else.
        Setting::Nothing
    } else {
        let enabled = read_enabled(members, place, report);
        let attributes = members
            .iter()
            .filter(|(key, _)| ![ENABLED, VARIANTS, CREATED_AT, UPDATED_AT].contains(&key.as_str()));
        let missing_at = place.named("attributes");
        let attributes = match allowed {
            Some(allowed) => allowed.read(attributes, place, &missing_at, report),
            None => BTreeMap::new(),
        };
        Setting::Basic(State { enabled, attributes })
    };
    Some(FlagValue { setting, stamps })
}

/// `enabled` as a boolean, as a boolean in a string, or absent, which means `false`.
fn read_enabled(members: &Map<String, Value>, place: &Place<'_>, report: &mut Report) -> bool {
    match member(members, ENABLED) {
        None => false,
        Some(Value::Bool(enabled)) => *enabled,
        Some(Value::String(text)) if ["1", "t", "T", "TRUE", "true", "True"].contains(&text.as_str()) => true,
        Some(Value::String(text)) if ["0", "f", "F", "FALSE", "false", "False"].contains(&text.as_str()) => {
            false
        }
        Some(other) => {
            report.add_invalid(&place.member(ENABLED), "AttributeType(boolean)", other);
            false
        }
    }
}

struct VariantReader<'a> {
    allowed: Option<&'a Allowed<'a>>,
    /// `values.{flag}._variants`.
    place: Place<'a>,
    all: &'a Value,
}

impl VariantReader<'_> {
    fn read(&self, others: &[Value], default: &Value, report: &mut Report) -> Option<Variants> {
        let mut names = BTreeSet::new();
        let mut unique = true;
        let mut with_rule = Some(Vec::with_capacity(others.len()));
        for (index, value) in others.iter().enumerate() {
            let read = self.variant(index, value, false, report);
            if let Some((variant, _)) = &read {
                unique &= names.insert(variant.name.clone());
            }
            match (with_rule.as_mut(), read) {
                (Some(with_rule), Some((variant, Some(rule)))) => with_rule.push((variant, rule)),
                _ => with_rule = None,
            }
        }
        let default = self.variant(others.len(), default, true, report).map(|(variant, _)| variant);
        if let Some(default) = &default {
            unique &= names.insert(default.name.clone());
        }
        if !unique {
            // The doubled segment is the service's.
            report.add(&self.place.named("variants").named("variants"), "UniqueVariantNames", self.all);
        }
        Some(Variants { with_rule: with_rule?, default: default? })
    }

    fn variant(
        &self,
        index: usize,
        value: &Value,
        is_default: bool,
        report: &mut Report,
    ) -> Option<(Variant, Option<Rule>)> {
        let by_index = self.place.index(index);
        let members = object(value, &by_index, report)?;
        let Some(name_value) = member(members, "name") else {
            report.add_missing(&by_index.named("name"), "Required");
            return None;
        };
        let name = name(name_value, &by_index.member("name"), report)?;
        let variants = self.place.named("variants");
        let place = variants.index_named(index, &name);
        for (key, value) in members {
            if !["name", ENABLED, "rule", "attributeValues"].contains(&key.as_str()) {
                report.add(&place.member(key), "KnownMember", value);
            }
        }
        let enabled = read_enabled(members, &place, report);
        let rule = read_rule(members, is_default, &place, &by_index, report);
        let attributes = match (member(members, "attributeValues"), self.allowed) {
            (_, None) => BTreeMap::new(),
            (Some(values), Some(allowed)) => {
                let place = place.member("attributeValues");
                let values = object(values, &place, report)?;
                allowed.read(values.iter(), &place, &place, report)
            }
            (None, Some(allowed)) => {
                let place = place.named("attributeValues");
                allowed.read([].into_iter(), &place, &place, report)
            }
        };
        Some((Variant { name, state: State { enabled, attributes } }, rule))
    }
}

/// The default variant has no rule, every other one must have one. The service calls a variant by its name when the rule
/// is or is not there, and by its index when the rule is wrong.
fn read_rule(
    members: &Map<String, Value>,
    is_default: bool,
    place: &Place<'_>,
    by_index: &Place<'_>,
    report: &mut Report,
) -> Option<Rule> {
    let Some(value) = member(members, "rule") else {
        if !is_default {
            report.add_missing(&place.named("rule"), "NonEmpty");
        }
        return None;
    };
    let place = place.member("rule");
    let rule = text(value, MAX_RULE_CHARS, &place, report)?;
    match (is_default, rule.trim().is_empty()) {
        (false, false) => {
            let read = Rule::read(&rule);
            read.map_err(|diagnostics| report.add_rule(&by_index.member("rule"), &rule, &diagnostics)).ok()
        }
        (false, true) => {
            report.add(&place, "NonEmpty", value);
            None
        }
        (true, _) => {
            if !rule.is_empty() {
                report.add(&place, "Empty", value);
            }
            None
        }
    }
}

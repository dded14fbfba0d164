//! What values an attribute takes: reading the `constraints` of a definition.

use serde_json::{Map, Number, Value};

use super::members::{boolean, list, object, text};
use super::pattern::compile;
use crate::violation::{Place, Report};

/// Longest string in an attribute, an enumeration or a pattern, in characters.
pub(super) const MAX_STRING_CHARS: usize = 1024;

/// Most entries of an enumeration.
const MAX_ENUM_ENTRIES: usize = 100;

/// The constraints of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeConstraints {
    /// The attribute is a string.
    String(StringConstraints),
    /// The attribute is a number.
    Number(NumberConstraints),
    /// The attribute is a boolean.
    Boolean {
        /// Whether every value of the flag must have it.
        required: Option<bool>,
    },
    /// The attribute is an array.
    Array(ArrayConstraints),
}

impl AttributeConstraints {
    /// Whether every value of the flag must have the attribute.
    #[must_use]
    pub fn required(&self) -> bool {
        match self {
            Self::String(string) => string.required,
            Self::Number(number) => number.required,
            Self::Boolean { required } => *required,
            Self::Array(array) => array.required,
        }
        .unwrap_or(false)
    }
}

/// Constraints of a string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringConstraints {
    /// Whether every value of the flag must have it.
    pub required: Option<bool>,
    /// Which strings are legal; `None`: any of at most 1024 characters.
    pub rule: Option<StringRule>,
}

/// Which strings are legal; a pattern and an enumeration exclude each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StringRule {
    /// A regular expression in RE2 syntax that must match somewhere in the string. It has been compiled once, so it is
    /// legal.
    Pattern(String),
    /// Strings of at most 1024 characters, or integers, which stand for their digits; at most 100.
    Enum(Vec<EnumEntry>),
}

/// An entry of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnumEntry {
    /// A string.
    String(String),
    /// An integer.
    Integer(Number),
}

impl EnumEntry {
    /// The string that the entry allows.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::String(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
        }
    }
}

/// Constraints of a number. The bounds are integers, and included; the number may be any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberConstraints {
    /// Whether every value of the flag must have it.
    pub required: Option<bool>,
    /// The least legal value.
    pub minimum: Option<Number>,
    /// The greatest legal value.
    pub maximum: Option<Number>,
}

/// Constraints of an array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayConstraints {
    /// Whether every value of the flag must have it.
    pub required: Option<bool>,
    /// What the elements must be; `None`: all strings or all numbers.
    pub elements: Option<ElementConstraints>,
}

/// Constraints of the elements of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementConstraints {
    /// All elements are strings.
    String(StringConstraints),
    /// All elements are numbers.
    Number(NumberConstraints),
}

/// Reads `constraints`; `None` after reporting what is wrong.
pub(super) fn read_constraints(
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<AttributeConstraints> {
    let members = object(value, place, report)?;
    let required = boolean(members, "required", place, report);
    match kind(members, &["string", "number", "boolean", "array"], place, report)? {
        "string" => {
            let rule = read_string_rule(members, place, report)?;
            Some(AttributeConstraints::String(StringConstraints { required, rule }))
        }
        "number" => {
            let (minimum, maximum) = read_bounds(members, place, report)?;
            Some(AttributeConstraints::Number(NumberConstraints { required, minimum, maximum }))
        }
        "boolean" => Some(AttributeConstraints::Boolean { required }),
        _ => {
            let elements = match members.get("elements") {
                None | Some(Value::Null) => None,
                Some(elements) => Some(read_elements(elements, &place.member("elements"), report)?),
            };
            Some(AttributeConstraints::Array(ArrayConstraints { required, elements }))
        }
    }
}

fn read_elements(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<ElementConstraints> {
    let members = object(value, place, report)?;
    let required = boolean(members, "required", place, report);
    if kind(members, &["string", "number"], place, report)? == "string" {
        let rule = read_string_rule(members, place, report)?;
        return Some(ElementConstraints::String(StringConstraints { required, rule }));
    }
    let (minimum, maximum) = read_bounds(members, place, report)?;
    Some(ElementConstraints::Number(NumberConstraints { required, minimum, maximum }))
}

fn kind<'m>(
    members: &'m Map<String, Value>,
    legal: &[&str],
    place: &Place<'_>,
    report: &mut Report,
) -> Option<&'m str> {
    let place = place.member("type");
    match members.get("type") {
        None | Some(Value::Null) => {
            report.add_missing(&place, "Required");
            None
        }
        Some(Value::String(kind)) if legal.contains(&kind.as_str()) => Some(kind),
        Some(other) => {
            report.add(&place, format_args!("OneOf({})", legal.join(", ")), other);
            None
        }
    }
}

/// `None` after reporting, `Some(None)` for no rule.
fn read_string_rule(
    members: &Map<String, Value>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Option<StringRule>> {
    let pattern = members.get("pattern").filter(|value| !value.is_null());
    let entries = members.get("enum").filter(|value| !value.is_null());
    match (pattern, entries) {
        (None, None) => Some(None),
        (Some(pattern), Some(_)) => {
            report.add(&place.member("pattern"), "Excludes(enum)", pattern);
            None
        }
        (Some(pattern), None) => {
            let place = place.member("pattern");
            let pattern = text(pattern, MAX_STRING_CHARS, &place, report)?;
            if compile(&pattern).is_none() {
                report.add(&place, "PatternIsValid", &Value::String(pattern));
                return None;
            }
            Some(Some(StringRule::Pattern(pattern)))
        }
        (None, Some(entries)) => {
            let place = place.member("enum");
            let entries = list(entries, MAX_ENUM_ENTRIES, &place, report)?;
            let read: Vec<Option<EnumEntry>> = entries
                .iter()
                .enumerate()
                .map(|(index, entry)| read_entry(entry, &place.index(index), report))
                .collect();
            read.into_iter().collect::<Option<Vec<_>>>().map(|entries| Some(StringRule::Enum(entries)))
        }
    }
}

fn read_entry(entry: &Value, place: &Place<'_>, report: &mut Report) -> Option<EnumEntry> {
    match entry {
        Value::Number(number) if is_integer(number) => Some(EnumEntry::Integer(number.clone())),
        Value::String(_) => text(entry, MAX_STRING_CHARS, place, report).map(EnumEntry::String),
        other => {
            report.add(place, "ElementType(string, integer)", other);
            None
        }
    }
}

fn read_bounds(
    members: &Map<String, Value>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<(Option<Number>, Option<Number>)> {
    let mut bound = |name| match members.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::Number(number)) if is_integer(number) => Some(Some(number.clone())),
        Some(other) => {
            report.add(&place.member(name), "JsonType(integer)", other);
            None
        }
    };
    let (minimum, maximum) = (bound("minimum"), bound("maximum"));
    Some((minimum?, maximum?))
}

fn is_integer(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

//! Whether an attribute value is legal: of a legal type, and within the attribute's constraints.
//!
//! Constraints are prepared once per flag ([`Allowed`]), so that a pattern is compiled once however many variants use
//! it. Disabled flags are checked like enabled ones.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use super::constraints::{
    ArrayConstraints, AttributeConstraints, ElementConstraints, MAX_STRING_CHARS, NumberConstraints,
    StringConstraints, StringRule,
};
use super::pattern::compile;
use super::{AttributeKey, AttributeValue, FlagDefinition};
use crate::violation::{Place, Report};

static NULL: Value = Value::Null;

/// What the attributes of one flag may be.
#[derive(Debug)]
pub(super) struct Allowed<'d> {
    attributes: BTreeMap<&'d str, Expected>,
    /// The text of the definitions, for messages.
    definitions: Option<&'d Value>,
}

#[derive(Debug)]
enum Expected {
    /// Any legal attribute value: no constraints, or broken ones that have been reported.
    Anything,
    String {
        required: bool,
        rule: Option<PreparedRule>,
    },
    Number {
        required: bool,
        bounds: NumberConstraints,
    },
    Boolean {
        required: bool,
    },
    Array {
        required: bool,
        elements: Elements,
    },
}

#[derive(Debug)]
enum Elements {
    StringsOrNumbers,
    Strings(Option<PreparedRule>),
    Numbers(NumberConstraints),
}

#[derive(Debug)]
enum PreparedRule {
    Pattern { text: String, compiled: Option<regex::Regex> },
    Enum { legal: BTreeSet<String>, constraint: String },
}

impl<'d> Allowed<'d> {
    /// No attributes at all.
    pub(super) fn nothing() -> Self {
        Self { attributes: BTreeMap::new(), definitions: None }
    }

    /// `broken` are attributes that are defined, but wrongly.
    pub(super) fn new(
        definition: &'d FlagDefinition,
        broken: &[&'d str],
        definitions: Option<&'d Value>,
    ) -> Self {
        let mut attributes: BTreeMap<&str, Expected> = definition
            .attributes
            .iter()
            .map(|(key, attribute)| (key.as_str(), Expected::new(attribute.constraints.as_ref())))
            .collect();
        attributes.extend(broken.iter().map(|key| (*key, Expected::Anything)));
        Self { attributes, definitions }
    }

    /// Reads the attribute values among `members`; what is wrong is reported. `missing_at` is where a required
    /// attribute is reported as missing.
    pub(super) fn read<'v>(
        &self,
        members: impl Iterator<Item = (&'v String, &'v Value)>,
        place: &Place<'_>,
        missing_at: &Place<'_>,
        report: &mut Report,
    ) -> BTreeMap<AttributeKey, AttributeValue> {
        let mut present = BTreeSet::new();
        let mut read = BTreeMap::new();
        for (key, value) in members {
            let place = place.member(key);
            let Some(expected) = self.attributes.get(key.as_str()) else {
                let names: Vec<&str> = self.attributes.keys().copied().collect();
                report_undefined(key, value, &names, &place, report);
                continue;
            };
            present.insert(key.as_str());
            let Some(value) = expected.read(value, &place, report) else { continue };
            if let Ok(key) = key.parse() {
                read.insert(key, value);
            }
        }
        let missing: Vec<&str> = self
            .attributes
            .iter()
            .filter(|(key, expected)| expected.required() && !present.contains(*key))
            .map(|(key, _)| *key)
            .collect();
        if !missing.is_empty() {
            report.add(missing_at, "Not(IsZero([]))", self.definitions.unwrap_or(&NULL));
        }
        for key in missing {
            let definition = self.definitions.and_then(|all| all.get(key)).unwrap_or(&NULL);
            report.add(&missing_at.named(key), "Entries", definition);
        }
        read
    }
}

/// Reports the attribute `key`, which the flag does not define.
fn report_undefined(key: &str, value: &Value, defined: &[&str], place: &Place<'_>, report: &mut Report) {
    let offending = serde_json::json!({ "Key": key, "Value": value });
    report.add(place, format_args!("Satisfies(map[{}])", defined.join(" ")), &offending);
}

impl Expected {
    fn new(constraints: Option<&AttributeConstraints>) -> Self {
        let required = constraints.is_some_and(AttributeConstraints::required);
        match constraints {
            None => Self::Anything,
            Some(AttributeConstraints::String(string)) => Self::String { required, rule: prepare(string) },
            Some(AttributeConstraints::Number(bounds)) => Self::Number { required, bounds: bounds.clone() },
            Some(AttributeConstraints::Boolean { .. }) => Self::Boolean { required },
            Some(AttributeConstraints::Array(ArrayConstraints { elements, .. })) => {
                let elements = match elements {
                    None => Elements::StringsOrNumbers,
                    Some(ElementConstraints::String(string)) => Elements::Strings(prepare(string)),
                    Some(ElementConstraints::Number(bounds)) => Elements::Numbers(bounds.clone()),
                };
                Self::Array { required, elements }
            }
        }
    }

    fn required(&self) -> bool {
        match self {
            Self::Anything => false,
            Self::String { required, .. }
            | Self::Number { required, .. }
            | Self::Boolean { required }
            | Self::Array { required, .. } => *required,
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Anything => "string, number, boolean, array",
            Self::String { .. } => "string",
            Self::Number { .. } => "number",
            Self::Boolean { .. } => "boolean",
            Self::Array { .. } => "array",
        }
    }

    fn read(&self, value: &Value, place: &Place<'_>, report: &mut Report) -> Option<AttributeValue> {
        match (self, value) {
            (Self::Anything, Value::String(text)) => read_string(text, None, place, report),
            (Self::String { rule, .. }, Value::String(text)) => {
                read_string(text, rule.as_ref(), place, report)
            }
            (Self::Anything, Value::Number(number)) => Some(AttributeValue::Number(number.clone())),
            (Self::Number { bounds, .. }, Value::Number(number)) => {
                check_bounds(number, bounds, place, report).then(|| AttributeValue::Number(number.clone()))
            }
            (Self::Anything | Self::Boolean { .. }, Value::Bool(value)) => {
                Some(AttributeValue::Boolean(*value))
            }
            (Self::Anything, Value::Array(items)) => Elements::StringsOrNumbers.read(items, place, report),
            (Self::Array { elements, .. }, Value::Array(items)) => elements.read(items, place, report),
            _ => {
                report.add(place, format_args!("AttributeType({})", self.type_name()), value);
                None
            }
        }
    }
}

impl Elements {
    fn read(&self, items: &[Value], place: &Place<'_>, report: &mut Report) -> Option<AttributeValue> {
        match self {
            Self::Strings(rule) => read_strings(items, rule.as_ref(), place, report),
            Self::Numbers(bounds) => read_numbers(items, bounds, place, report),
            // The first element says what the others must be.
            Self::StringsOrNumbers => match items.first() {
                Some(Value::Number(_)) => read_numbers(items, &NumberConstraints::default(), place, report),
                None | Some(Value::String(_)) => read_strings(items, None, place, report),
                Some(other) => {
                    report.add(&place.index(0), "ElementType(string, number)", other);
                    None
                }
            },
        }
    }
}

fn read_strings(
    items: &[Value],
    rule: Option<&PreparedRule>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<AttributeValue> {
    let mut read = Some(Vec::with_capacity(items.len()));
    for (index, item) in items.iter().enumerate() {
        let place = place.index(index);
        let text = match item {
            Value::String(text) => check_string(text, rule, &place, report).then(|| text.clone()),
            other => {
                report.add(&place, "ElementType(string)", other);
                None
            }
        };
        keep(&mut read, text);
    }
    read.map(AttributeValue::Strings)
}

fn read_numbers(
    items: &[Value],
    bounds: &NumberConstraints,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<AttributeValue> {
    let mut read = Some(Vec::with_capacity(items.len()));
    for (index, item) in items.iter().enumerate() {
        let place = place.index(index);
        let number = match item {
            Value::Number(number) => check_bounds(number, bounds, &place, report).then(|| number.clone()),
            other => {
                report.add(&place, "ElementType(number)", other);
                None
            }
        };
        keep(&mut read, number);
    }
    // An empty array has no element type; it is kept as one of strings, whatever the constraints, so that equal
    // contents are equal.
    read.map(|numbers| match numbers.is_empty() {
        true => AttributeValue::Strings(Vec::new()),
        false => AttributeValue::Numbers(numbers),
    })
}

/// Adds `item` unless it or one before it was refused.
fn keep<T>(read: &mut Option<Vec<T>>, item: Option<T>) {
    match (read.as_mut(), item) {
        (Some(kept), Some(item)) => kept.push(item),
        _ => *read = None,
    }
}

fn read_string(
    text: &str,
    rule: Option<&PreparedRule>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<AttributeValue> {
    check_string(text, rule, place, report).then(|| AttributeValue::String(text.to_owned()))
}

fn check_string(text: &str, rule: Option<&PreparedRule>, place: &Place<'_>, report: &mut Report) -> bool {
    let value = || Value::String(text.to_owned());
    if text.chars().count() > MAX_STRING_CHARS {
        report.add(place, format_args!("MaxLength({MAX_STRING_CHARS})"), &value());
        return false;
    }
    match rule {
        Some(PreparedRule::Enum { legal, constraint }) if !legal.contains(text) => {
            report.add(place, constraint, &value());
            false
        }
        Some(PreparedRule::Pattern { text: pattern, compiled: Some(compiled) })
            if !compiled.is_match(text) =>
        {
            report.add(place, format_args!("Regexp({pattern})"), &value());
            false
        }
        _ => true,
    }
}

fn check_bounds(number: &Number, bounds: &NumberConstraints, place: &Place<'_>, report: &mut Report) -> bool {
    let NumberConstraints { minimum, maximum, .. } = bounds;
    let mut legal = true;
    if let Some(minimum) = minimum
        && compare(number, minimum) == Ordering::Less
    {
        report.add(place, format_args!("FloatGTE({minimum})"), &Value::Number(number.clone()));
        legal = false;
    }
    if let Some(maximum) = maximum
        && compare(number, maximum) == Ordering::Greater
    {
        report.add(place, format_args!("FloatLTE({maximum})"), &Value::Number(number.clone()));
        legal = false;
    }
    legal
}

/// Integers exactly, anything else as 64-bit floats.
fn compare(a: &Number, b: &Number) -> Ordering {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => {
            let float = |n: &Number| n.as_f64().unwrap_or(f64::NAN);
            float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal)
        }
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn prepare(constraints: &StringConstraints) -> Option<PreparedRule> {
    match constraints.rule.as_ref()? {
        StringRule::Pattern(text) => {
            Some(PreparedRule::Pattern { text: text.clone(), compiled: compile(text) })
        }
        StringRule::Enum(entries) => {
            let texts: Vec<String> = entries.iter().map(super::constraints::EnumEntry::text).collect();
            let constraint = format!("OneOf({})", texts.join(", "));
            Some(PreparedRule::Enum { legal: texts.into_iter().collect(), constraint })
        }
    }
}

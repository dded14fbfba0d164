//! A flag's value as the type that a program asks for. What has another type is a mismatch, never a conversion: except
//! that a whole number is an integer and a float, whichever is asked for.

use open_feature::{StructValue, Value};
use serde_json::Number;
use yardarm_flags::document::AttributeValue;
use yardarm_flags::{Evaluation, ResolvedValue};

/// A type of OpenFeature.
pub(super) trait Wanted: Sized {
    /// What a person calls it.
    const NAME: &'static str;

    /// The value as this type; `None` if it is of another.
    fn from_resolved(value: &ResolvedValue<'_>) -> Option<Self>;
}

impl Wanted for bool {
    const NAME: &'static str = "a boolean";

    fn from_resolved(value: &ResolvedValue<'_>) -> Option<Self> {
        match value {
            ResolvedValue::Boolean(boolean) => Some(*boolean),
            ResolvedValue::Attribute(AttributeValue::Boolean(boolean)) => Some(*boolean),
            ResolvedValue::Attribute(_) | ResolvedValue::Object(_) => None,
        }
    }
}

impl Wanted for i64 {
    const NAME: &'static str = "an integer";

    fn from_resolved(value: &ResolvedValue<'_>) -> Option<Self> {
        match value {
            ResolvedValue::Attribute(AttributeValue::Number(number)) => whole(number),
            ResolvedValue::Boolean(_) | ResolvedValue::Attribute(_) | ResolvedValue::Object(_) => None,
        }
    }
}

impl Wanted for f64 {
    const NAME: &'static str = "a number";

    fn from_resolved(value: &ResolvedValue<'_>) -> Option<Self> {
        match value {
            ResolvedValue::Attribute(AttributeValue::Number(number)) => number.as_f64(),
            ResolvedValue::Boolean(_) | ResolvedValue::Attribute(_) | ResolvedValue::Object(_) => None,
        }
    }
}

impl Wanted for String {
    const NAME: &'static str = "a string";

    fn from_resolved(value: &ResolvedValue<'_>) -> Option<Self> {
        match value {
            ResolvedValue::Attribute(AttributeValue::String(text)) => Some(text.clone()),
            ResolvedValue::Boolean(_) | ResolvedValue::Attribute(_) | ResolvedValue::Object(_) => None,
        }
    }
}

impl Wanted for StructValue {
    const NAME: &'static str = "a structure";

    fn from_resolved(value: &ResolvedValue<'_>) -> Option<Self> {
        match value {
            ResolvedValue::Object(evaluation) => Some(object(evaluation)),
            // As over OFREP: OpenFeature has no arrays on their own.
            ResolvedValue::Attribute(array @ (AttributeValue::Strings(_) | AttributeValue::Numbers(_))) => {
                Some(Self { fields: [("value".into(), member(array))].into() })
            }
            ResolvedValue::Boolean(_) | ResolvedValue::Attribute(_) => None,
        }
    }
}

/// What a person calls the type that a value has.
pub(super) const fn type_name(value: &ResolvedValue<'_>) -> &'static str {
    match value {
        ResolvedValue::Boolean(_) | ResolvedValue::Attribute(AttributeValue::Boolean(_)) => bool::NAME,
        ResolvedValue::Attribute(AttributeValue::Number(_)) => f64::NAME,
        ResolvedValue::Attribute(AttributeValue::String(_)) => String::NAME,
        ResolvedValue::Attribute(AttributeValue::Strings(_) | AttributeValue::Numbers(_))
        | ResolvedValue::Object(_) => StructValue::NAME,
    }
}

fn object(evaluation: &Evaluation<'_>) -> StructValue {
    let attributes = evaluation.attributes.iter().map(|(name, value)| (name.as_str().into(), member(value)));
    let enabled = ("enabled".into(), Value::Bool(evaluation.enabled));
    StructValue { fields: attributes.chain([enabled]).collect() }
}

fn member(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::String(text) => Value::String(text.clone()),
        AttributeValue::Number(one) => number(one),
        AttributeValue::Boolean(boolean) => Value::Bool(*boolean),
        AttributeValue::Strings(items) => Value::Array(items.iter().cloned().map(Value::String).collect()),
        AttributeValue::Numbers(items) => Value::Array(items.iter().map(number).collect()),
    }
}

fn number(number: &Number) -> Value {
    number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Int)
}

/// A number without a fraction, however it is written, as far as it is exact.
fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within the exact range")]
        let whole = (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64);
        whole
    })
}

#[cfg(test)]
mod tests {
    use super::whole;
    use serde_json::Number;

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_written() {
        for (text, integer) in [
            ("5", Some(5)),
            ("5.0", Some(5)),
            ("-2e3", Some(-2_000)),
            ("5.5", None),
            ("1e300", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("18446744073709551615", None),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(whole(&number), integer, "{text}");
        }
    }
}

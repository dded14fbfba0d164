//! What a client says about itself: keys and values, borrowed from whoever has them.
//!
//! Values arrive as text or typed; a typed value means exactly what its text would. **Invariant:** nothing is copied
//! and nothing allocated, so a context can be made for every evaluation.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::rule::{Instant, Number};
use crate::text_table::same;

/// The value of a context key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text, as every header and query parameter is.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// Any number. Its text is the shortest that reads back as the same number, without an exponent.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<f64> for Value<'_> {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<bool> for Value<'_> {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

/// A value that is kept: its text may be somebody else's, or its own.
#[derive(Clone, Debug, PartialEq)]
pub enum KeptValue<'a> {
    /// As [`Value::Text`].
    Text(Cow<'a, str>),
    /// As [`Value::Integer`].
    Integer(i64),
    /// As [`Value::Float`].
    Float(f64),
    /// As [`Value::Boolean`].
    Boolean(bool),
}

impl KeptValue<'_> {
    /// The value, borrowed.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Integer(integer) => Value::Integer(*integer),
            Self::Float(float) => Value::Float(*float),
            Self::Boolean(boolean) => Value::Boolean(*boolean),
        }
    }
}

/// The value's text.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Float(float) => write!(f, "{float}"),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
        }
    }
}

impl Value<'_> {
    /// Does something with the text of the value.
    #[inline]
    pub(crate) fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        match self {
            Self::Text(text) => then(text),
            Self::Boolean(true) => then("true"),
            Self::Boolean(false) => then("false"),
            Self::Integer(_) | Self::Float(_) => self.with_number_text(then),
        }
    }

    /// Apart, so that texts do not pay for the room that a number's takes.
    #[inline(never)]
    fn with_number_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        let mut text = NumberText::new();
        // A number always fits.
        let _ = write!(text, "{self}");
        then(text.as_str())
    }

    /// The number it is; `None` for what is not one.
    #[inline]
    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Self::Text(text) => Number::parse(text),
            Self::Integer(integer) => Some(Number::Integer(*integer)),
            Self::Float(float) => Number::of_plain_float(*float).or_else(|| self.with_text(Number::parse)),
            Self::Boolean(_) => None,
        }
    }

    /// The instant it is: a date-time, or a year, which a number can be as well.
    pub(crate) fn instant(&self) -> Option<Instant> {
        self.with_text(Instant::parse)
    }

    /// The boolean it is, in capitals or not.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Self::Text(_) | Self::Integer(_) | Self::Float(_) => None,
        }
    }
}

/// The text of a number, on the stack.
struct NumberText {
    /// The longest is a sign, `0.`, 323 zeros and 17 digits.
    bytes: [u8; 352],
    length: usize,
}

impl NumberText {
    const fn new() -> Self {
        Self { bytes: [0; 352], length: 0 }
    }

    fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }
}

impl fmt::Write for NumberText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let free = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        free.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Keys and values, of which the first counts where a key is given twice. Keys are case-sensitive; an empty value is
/// a value.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    attributes: &'a [(&'a str, Value<'a>)],
}

impl<'a> Context<'a> {
    /// Nothing is known.
    pub const EMPTY: Context<'static> = Context { attributes: &[] };

    /// Borrows the keys and values of one client.
    #[must_use]
    pub const fn new(attributes: &'a [(&'a str, Value<'a>)]) -> Self {
        Self { attributes }
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.position(key).and_then(|at| self.at(at)).copied()
    }

    /// All keys and values.
    #[must_use]
    pub const fn attributes(&self) -> &'a [(&'a str, Value<'a>)] {
        self.attributes
    }

    #[inline]
    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        self.attributes.iter().position(|(name, _)| same(name.as_bytes(), key.as_bytes()))
    }

    #[inline]
    pub(crate) fn at(&self, position: usize) -> Option<&'a Value<'a>> {
        self.attributes.get(position).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Value};
    use crate::rule::Number;

    #[test]
    fn typed_values_read_like_their_text() {
        for (value, text) in [
            (Value::from("x y"), "x y"),
            (Value::from(-7), "-7"),
            (Value::from(5.0), "5"),
            (Value::from(0.1), "0.1"),
            (Value::from(1e21), "1000000000000000000000"),
            (Value::from(true), "true"),
        ] {
            assert_eq!(value.with_text(str::to_owned), text);
            assert_eq!(value.to_string(), text);
        }
        for extreme in
            [f64::MIN_POSITIVE, -5e-324, f64::MIN, f64::MAX, -1.797_693_134_862_315_7e-308, f64::NAN]
        {
            assert_eq!(Value::from(extreme).with_text(str::to_owned), extreme.to_string());
        }
    }

    #[test]
    fn a_float_is_the_number_its_text_is() {
        for float in [
            5.0,
            -0.0,
            0.1,
            9_007_199_254_740_994.0,
            1e18,
            9.3e18,
            -9_223_372_036_854_775_808.0,
            1e300,
            5e-324,
        ] {
            let by_text = Number::parse(&float.to_string());
            assert_eq!(format!("{:?}", Value::Float(float).number()), format!("{by_text:?}"), "{float}");
        }
        assert!(Value::Float(f64::NAN).number().is_none() && Value::Float(f64::INFINITY).number().is_none());
    }

    #[test]
    fn the_first_of_equal_keys_counts_and_case_matters() {
        let attributes = [("a", Value::from(1)), ("a", Value::from(2)), ("A", Value::from(3))];
        let context = Context::new(&attributes);
        assert_eq!(context.get("a"), Some(Value::Integer(1)));
        assert_eq!(context.get("A"), Some(Value::Integer(3)));
        assert_eq!(context.get("b"), None);
        assert_eq!(Context::EMPTY.get("a"), None);
    }
}

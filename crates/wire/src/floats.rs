//! Floats as the wire prints them.
//!
//! The model's floats (`GrowthFactor`, `PercentageComplete`, sizes in errors) have single precision and are printed
//! with a decimal point and the fewest digits that name the value: `100.0`, `33.3`. Widening 33.3 to double precision
//! by a cast would print `33.29999923706055`, hence this type. JSON has no word for a value that is not finite, and
//! `null` is never sent, so such values cannot be held.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A finite single-precision number, printed as `100.0` or `33.3`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct WireFloat(f32);

impl WireFloat {
    /// Zero, printed `0.0`.
    pub const ZERO: Self = Self(0.0);

    /// The value in the wire's precision.
    pub fn get(self) -> f32 {
        self.0
    }

    /// The double that has the same shortest decimal text: 33.3, not 33.29999923706055.
    pub fn to_f64(self) -> f64 {
        self.0.to_string().parse().unwrap_or_else(|_| f64::from(self.0))
    }
}

impl From<f32> for WireFloat {
    /// Infinities become the largest finite value of their sign, a NaN becomes zero.
    fn from(value: f32) -> Self {
        if value.is_nan() { Self::ZERO } else { Self(value.clamp(f32::MIN, f32::MAX)) }
    }
}

impl From<f64> for WireFloat {
    /// Rounds to the nearest single-precision value; infinities and NaN as for `f32`.
    fn from(value: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the wire's floats have single precision")]
        Self::from(value as f32)
    }
}

impl fmt::Display for WireFloat {
    /// As in JSON: always with a decimal point or an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Serialize for WireFloat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.to_f64())
    }
}

impl<'de> Deserialize<'de> for WireFloat {
    /// Any JSON number, whole ones too.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(value: impl Into<WireFloat>) -> String {
        serde_json::to_string(&value.into()).unwrap()
    }

    #[test]
    fn a_decimal_point_is_always_printed() {
        assert_eq!(json(100.0_f32), "100.0");
        assert_eq!(json(0.0_f32), "0.0");
        assert_eq!(WireFloat::from(20.0_f64).to_string(), "20.0");
    }

    #[test]
    fn the_fewest_digits_are_printed_also_by_way_of_a_json_value() {
        let value = serde_json::to_value(WireFloat::from(33.3_f32)).unwrap();
        assert_eq!(value.to_string(), "33.3");
        assert_eq!(json(33.3_f64), "33.3");
        assert_eq!(json(12.345_678_9_f64), "12.345679");
    }

    #[test]
    fn what_is_not_finite_never_becomes_null() {
        assert_eq!(json(f32::NAN), "0.0");
        assert_eq!(json(f64::NAN), "0.0");
        assert!(serde_json::from_str::<WireFloat>(&json(f64::INFINITY)).unwrap().get() > 1e38);
        assert!(json(f32::NEG_INFINITY).starts_with('-'));
    }

    #[test]
    fn a_whole_json_number_is_read_as_a_float() {
        assert_eq!(serde_json::from_str::<WireFloat>("100").unwrap(), WireFloat::from(100.0_f32));
    }

    proptest! {
        #[test]
        fn a_float_survives_the_wire(value in any::<f32>().prop_filter("finite", |v| v.is_finite())) {
            let back: WireFloat = serde_json::from_str(&json(value)).unwrap();
            prop_assert_eq!(back.get(), value);
        }
    }
}

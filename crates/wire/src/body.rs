//! Reading request bodies.
//!
//! The rules of the AWS planes' JSON: unknown members are ignored, `null` means absent, an empty body is `{}`, and an
//! object is an object. The last one needs care, because derived readers also take an array for a struct and fill the
//! members by position; `Object` and the `object*` functions close that door for the body and for nested structs.
//!
//! Reading is bounded: the caller bounds the bytes, the JSON reader bounds the nesting (128 levels).

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Why a request body could not be read as its shape.
#[derive(Debug)]
pub struct BodyError {
    member: Option<String>,
    cause: serde_json::Error,
}

impl BodyError {
    /// The member with the wrong type, as `Validators[1].Type`. `None` when the text is no JSON or no object.
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// Whether the text itself is no JSON, as opposed to JSON that does not fit the shape.
    pub fn is_malformed(&self) -> bool {
        !self.cause.is_data()
    }

    /// Line of the offending byte, counted from 1; 0 when unknown.
    pub fn line(&self) -> usize {
        self.cause.line()
    }

    /// Column of the offending byte within its line, counted from 1; 0 when unknown.
    pub fn column(&self) -> usize {
        self.cause.column()
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            _ if self.is_malformed() => write!(f, "the request body is not valid JSON: {}", self.cause),
            Some(member) => write!(f, "the request body has a wrong value at '{member}': {}", self.cause),
            None => write!(f, "the request body is not the expected object: {}", self.cause),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// Reads a JSON request body.
///
/// A body without a byte other than white space counts as `{}`, so that absent members are reported one by one.
pub fn read_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read: Object<T> = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let member = Some(error.path().to_string()).filter(|path| path != ".");
        BodyError { member, cause: error.into_inner() }
    })?;
    reader.end().map_err(|cause| BodyError { member: None, cause })?;
    Ok(read.0)
}

/// A struct that is only read from a JSON object, never from an array.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMaps<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMaps<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(OnlyMaps(PhantomData))
    }
}

/// Reads an optional nested struct. For use with `deserialize_with`, together with `default`.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

/// Reads an optional list of structs. For use with `deserialize_with`, together with `default`.
pub(crate) fn object_list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(|object| object.0).collect()))
}

/// Reads an optional map of structs. For use with `deserialize_with`, together with `default`.
pub(crate) fn object_map<'de, D, T>(deserializer: D) -> Result<Option<BTreeMap<String, T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let map = Option::<BTreeMap<String, Object<T>>>::deserialize(deserializer)?;
    Ok(map.map(|map| map.into_iter().map(|(key, object)| (key, object.0)).collect()))
}

/// Reads an optional map of lists of structs. For use with `deserialize_with`, together with `default`.
pub(crate) fn object_list_map<'de, D, T>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, Vec<T>>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let map = Option::<BTreeMap<String, Vec<Object<T>>>>::deserialize(deserializer)?;
    let unwrap = |list: Vec<Object<T>>| list.into_iter().map(|object| object.0).collect();
    Ok(map.map(|map| map.into_iter().map(|(key, list)| (key, unwrap(list))).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profiles::CreateConfigurationProfileRequest;
    use crate::strategies::CreateDeploymentStrategyRequest;

    fn refused(text: &str) -> BodyError {
        read_body::<CreateConfigurationProfileRequest>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn unknown_members_are_ignored_and_null_is_absent() {
        let body = br#"{"Name":"a","Description":null,"Tags":null,"SinceNextYear":{"x":[1]}}"#;
        let read: CreateConfigurationProfileRequest = read_body(body).unwrap();
        assert_eq!(read, CreateConfigurationProfileRequest { name: Some("a".into()), ..Default::default() });
    }

    #[test]
    fn an_empty_body_is_an_object_without_members() {
        for body in ["", " \n", "{}"] {
            let read: CreateConfigurationProfileRequest = read_body(body.as_bytes()).unwrap();
            assert_eq!(read, CreateConfigurationProfileRequest::default());
        }
    }

    #[test]
    fn a_wrong_type_names_the_member() {
        let error = refused(r#"{"Name":"a","Validators":[{"Type":"LAMBDA"},{"Type":7}]}"#);
        assert_eq!(error.member(), Some("Validators[1].Type"));
        assert!(!error.is_malformed());
        assert_eq!(
            error.to_string(),
            "the request body has a wrong value at 'Validators[1].Type': \
             invalid type: integer `7`, expected a string at line 1 column 53"
        );
        assert_eq!(refused(r#"{"Tags":{"team":1}}"#).member(), Some("Tags.team"));
    }

    #[test]
    fn an_integer_member_takes_no_fraction() {
        let body = br#"{"DeploymentDurationInMinutes":1.5}"#;
        let error = read_body::<CreateDeploymentStrategyRequest>(body).unwrap_err();
        assert_eq!(error.member(), Some("DeploymentDurationInMinutes"));
    }

    #[test]
    fn arrays_are_not_taken_for_objects() {
        assert_eq!(refused(r#"["name","description"]"#).member(), None);
        assert_eq!(refused(r#"{"Validators":[["LAMBDA","arn"]]}"#).member(), Some("Validators[0]"));
        assert_eq!(refused("null").member(), None);
        assert_eq!(refused("\"text\"").member(), None);
    }

    #[test]
    fn text_that_is_no_json_is_told_apart_and_located() {
        for text in ["{", "{]", "{} {}", "{\"Name\":\"\u{1}\"}"] {
            assert!(refused(text).is_malformed(), "{text}");
        }
        let error = refused("{\"Name\": \"a\",\n \"Tags\" }");
        assert_eq!((error.line(), error.column()), (2, 9));
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(refused(&format!("{{\"Unknown\":{}", "[".repeat(100_000))).is_malformed());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read_body::<CreateConfigurationProfileRequest>(&bytes);
        }

        #[test]
        fn no_almost_json_makes_the_reader_panic(text in r#"(\{"(Name|Tags|Validators)":|\[|\{|\}|"a"|,|1|null){0,12}"#) {
            let _ = read_body::<CreateConfigurationProfileRequest>(text.as_bytes());
        }
    }
}

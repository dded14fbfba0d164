//! What a client says about itself: the body of both operations.
//!
//! The members of `context` become the attributes that rules read, each with its JSON type. An object's members are
//! attributes of their own, named with dots (`{"user":{"plan":"pro"}}` is `$user.plan`, in a rule `'$user.plan'`); an array
//! is its compact JSON text, so that `contains` finds a member in it; `null` is as if the member were not there. Of a name
//! given twice the last counts, as everywhere in JSON.
//!
//! **Invariants:** texts are borrowed from the body where JSON allows it; a context has at most [`MAX_ATTRIBUTES`]
//! attributes; nothing is deeper than the JSON reader allows (128).

use crate::failure::ErrorCode;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::borrow::Cow;
use std::fmt;
use yardarm_flags::{KeptValue, Value};

/// Most attributes of a context, those of nested objects included.
pub const MAX_ATTRIBUTES: usize = 1_000;

/// The attribute that stands for the caller in splits and in gradual deployments.
pub(crate) const TARGETING_KEY: &str = "targetingKey";

/// What agents call the same; rules written for them read this one.
pub(crate) const ENTITY_ID: &str = "entityId";

/// The attribute that names the flags a bulk request is about.
const FLAGS: &str = "flags";

/// Why a request cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The protocol's word.
    pub code: ErrorCode,
    /// For people.
    pub details: String,
}

/// A request's body, read.
#[derive(Clone, Debug, Default)]
pub struct Request<'b> {
    /// The last one given comes first.
    attributes: Vec<(Cow<'b, str>, KeptValue<'b>)>,
    targeting_key: Option<Cow<'b, str>>,
    /// Keys of flags, sorted; empty for all.
    filter: Vec<Box<str>>,
}

impl<'b> Request<'b> {
    /// Reads a body. None at all, and one without a context, is the empty context.
    ///
    /// # Errors
    /// `PARSE_ERROR` for what is no JSON object, `INVALID_CONTEXT` for a context that cannot be one.
    pub fn parse(body: &'b [u8]) -> Result<Self, Malformed> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let mut reading = Reading { request: Self::default(), fault: None };
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = Body(&mut reading).deserialize(&mut json).and_then(|()| json.end());
        if let Err(error) = read {
            return Err(match reading.fault {
                Some(fault) => Malformed { code: ErrorCode::InvalidContext, details: fault.into() },
                None => Malformed { code: ErrorCode::ParseError, details: error.to_string() },
            });
        }
        let mut request = reading.request;
        request.attributes.reverse();
        request.filter.sort_unstable();
        Ok(request)
    }

    /// Who asks, as far as deployments and splits are concerned. Never empty.
    #[must_use]
    pub fn targeting_key(&self) -> Option<&str> {
        self.targeting_key.as_deref()
    }

    /// The attributes for [`yardarm_flags::Context::new`]: those of the context and, unless it has one of its own, the
    /// targeting key as `entityId`.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&str, Value<'_>)> {
        let mut attributes = Vec::with_capacity(self.attributes.len() + 1);
        attributes.extend(self.attributes.iter().map(|(key, value)| (&**key, value.value())));
        if let Some(key) = self.targeting_key()
            && !self.has(ENTITY_ID)
        {
            attributes.push((ENTITY_ID, Value::Text(key)));
        }
        attributes
    }

    /// Whether the context itself has the attribute.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(key, _)| key == name)
    }

    /// Whether the request is about the key of this flag.
    pub(crate) fn wants(&self, flag: &str, key: &str) -> bool {
        let named = |name: &str| self.filter.binary_search_by(|one| (**one).cmp(name)).is_ok();
        self.filter.is_empty() || named(flag) || named(key)
    }

    /// The attributes that count, sorted by name.
    pub(crate) fn sorted(&self) -> Vec<(&str, Value<'_>)> {
        let mut sorted: Vec<(&str, Value<'_>)> =
            self.attributes.iter().map(|(key, value)| (&**key, value.value())).collect();
        // Stable: of equal names the one that counts stays first.
        sorted.sort_by_key(|(key, _)| *key);
        sorted.dedup_by(|(later, _), (first, _)| later == first);
        sorted
    }
}

/// A request while it is being read.
struct Reading<'b> {
    request: Request<'b>,
    /// What makes the context none, once that is known.
    fault: Option<&'static str>,
}

const NOT_AN_OBJECT: &str = "the context is not a JSON object";
const NOT_A_TEXT: &str = "the context's targetingKey is not a string";
const TOO_MANY: &str = "the context has more than 1000 attributes";

impl<'b> Reading<'b> {
    /// Notes what is wrong with the context, and gives up.
    fn refuse<E: de::Error>(&mut self, fault: &'static str) -> E {
        self.fault = Some(fault);
        E::custom(fault)
    }

    fn attribute<E: de::Error>(&mut self, key: Cow<'b, str>, value: KeptValue<'b>) -> Result<(), E> {
        if self.request.attributes.len() >= MAX_ATTRIBUTES {
            return Err(self.refuse(TOO_MANY));
        }
        self.request.attributes.push((key, value));
        Ok(())
    }

    fn filter(&mut self, key: &str) {
        let key = key.trim();
        if !key.is_empty() {
            self.request.filter.push(key.into());
        }
    }
}

/// A text, borrowed if it has no escapes.
struct Text<'b>(Cow<'b, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Texts)
    }
}

/// The whole body.
struct Body<'r, 'b>(&'r mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Body<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with a context")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = members.next_key()? {
            if key == "context" {
                self.0.request = Request::default();
                members.next_value_seed(Context(self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The context.
struct Context<'r, 'b>(&'r mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Context<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// For the kinds of JSON value that make no context.
macro_rules! no_context {
    ($($visit:ident: $kind:ty),*) => {$(
        fn $visit<E: de::Error>(self, _: $kind) -> Result<(), E> {
            Err(self.0.refuse(NOT_AN_OBJECT))
        }
    )*};
}

impl<'de> Visitor<'de> for Context<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = members.next_key()? {
            let place = match &*key {
                TARGETING_KEY => Place::TargetingKey,
                FLAGS => Place::Filter,
                _ => Place::Attribute,
            };
            members.next_value_seed(Member { reading: self.0, key, place })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.refuse(NOT_AN_OBJECT))
    }

    no_context! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str }
}

/// What a member of the context is, besides an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    TargetingKey,
    Filter,
    Attribute,
}

/// A member of the context, or of an object in it.
struct Member<'r, 'b> {
    reading: &'r mut Reading<'b>,
    key: Cow<'b, str>,
    place: Place,
}

impl<'b> Member<'_, 'b> {
    fn scalar<E: de::Error>(self, value: KeptValue<'b>) -> Result<(), E> {
        if self.place == Place::TargetingKey {
            return Err(self.reading.refuse(NOT_A_TEXT));
        }
        self.reading.attribute(self.key, value)
    }

    fn text<E: de::Error>(self, text: Cow<'b, str>) -> Result<(), E> {
        match self.place {
            // Clients without one send the empty text.
            Place::TargetingKey if text.is_empty() => return Ok(()),
            Place::TargetingKey => self.reading.request.targeting_key = Some(text.clone()),
            Place::Filter => text.split(',').for_each(|key| self.reading.filter(key)),
            Place::Attribute => {}
        }
        self.reading.attribute(self.key, KeptValue::Text(text))
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.scalar(KeptValue::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.scalar(KeptValue::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        // A number means what its text means, however large.
        let large = |_| KeptValue::Text(value.to_string().into());
        self.scalar(i64::try_from(value).map_or_else(large, KeptValue::Integer))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.scalar(KeptValue::Float(value))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<(), E> {
        self.text(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.text(Cow::Owned(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if self.place == Place::TargetingKey {
            return Err(self.reading.refuse(NOT_A_TEXT));
        }
        while let Some(Text(name)) = members.next_key()? {
            let key = Cow::Owned(format!("{}.{name}", self.key));
            members.next_value_seed(Member { reading: self.reading, key, place: Place::Attribute })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        if self.place == Place::TargetingKey {
            return Err(self.reading.refuse(NOT_A_TEXT));
        }
        let items = Vec::<serde_json::Value>::deserialize(SeqAccessDeserializer::new(items))?;
        if self.place == Place::Filter {
            items.iter().filter_map(serde_json::Value::as_str).for_each(|key| self.reading.filter(key));
        }
        let text = serde_json::to_string(&items).map_err(A::Error::custom)?;
        self.reading.attribute(self.key, KeptValue::Text(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(String, String)> {
        let request = Request::parse(body.as_bytes()).unwrap();
        request.sorted().iter().map(|(key, value)| ((*key).into(), format!("{value:?}"))).collect()
    }

    fn refused(body: &str) -> (ErrorCode, String) {
        let malformed = Request::parse(body.as_bytes()).unwrap_err();
        (malformed.code, malformed.details)
    }

    #[test]
    fn attributes_keep_their_type_and_nested_ones_their_path() {
        let body = r#"{"context":{"a":"x","b":1,"c":1.5,"d":true,"e":null,"f":{"g":{"h":2},"i":[]},
            "j":["x",{"z":1,"y":2}],"k":18446744073709551615,"l":"q\"uote"}}"#;
        let expected = [
            ("a", r#"Text("x")"#),
            ("b", "Integer(1)"),
            ("c", "Float(1.5)"),
            ("d", "Boolean(true)"),
            ("f.g.h", "Integer(2)"),
            ("f.i", r#"Text("[]")"#),
            ("j", r#"Text("[\"x\",{\"y\":2,\"z\":1}]")"#),
            ("k", r#"Text("18446744073709551615")"#),
            ("l", r#"Text("q\"uote")"#),
        ];
        assert_eq!(read(body), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn nothing_at_all_is_the_empty_context() {
        for body in ["", "  \n", "{}", r#"{"context":null}"#, r#"{"context":{}}"#, r#"{"other":[1]}"#] {
            assert_eq!(read(body), [], "{body}");
        }
    }

    #[test]
    fn what_is_no_json_object_cannot_be_parsed() {
        for body in ["{", "[]", "1", "{}x", "null", r#"{"context":{"a":}}"#, "{\"a\":\"\u{1}\"}"] {
            assert_eq!(refused(body).0, ErrorCode::ParseError, "{body}");
        }
        let invalid = Request::parse(b"{\"context\":{\"a\":\"\xff\"}}").unwrap_err();
        assert_eq!(invalid.code, ErrorCode::ParseError);
        let deep = format!("{{\"context\":{}1{}}}", "{\"a\":".repeat(1_000), "}".repeat(1_000));
        assert_eq!(refused(&deep).0, ErrorCode::ParseError);
    }

    #[test]
    fn a_context_is_an_object_with_a_textual_targeting_key() {
        for context in ["[]", "[1]", "1", "-1", "1.5", "true", "\"x\""] {
            let body = format!("{{\"context\":{context}}}");
            assert_eq!(refused(&body), (ErrorCode::InvalidContext, NOT_AN_OBJECT.into()), "{body}");
        }
        for key in ["1", "true", "[]", "{\"a\":1}"] {
            let body = format!("{{\"context\":{{\"targetingKey\":{key}}}}}");
            assert_eq!(refused(&body), (ErrorCode::InvalidContext, NOT_A_TEXT.into()), "{body}");
        }
    }

    #[test]
    fn the_number_of_attributes_is_bounded() {
        let many = |count: usize| {
            let members: Vec<String> = (0..count).map(|at| format!("\"a{at}\":{at}")).collect();
            format!("{{\"context\":{{\"x\":{{{}}}}}}}", members.join(","))
        };
        assert_eq!(read(&many(MAX_ATTRIBUTES)).len(), MAX_ATTRIBUTES);
        assert_eq!(refused(&many(MAX_ATTRIBUTES + 1)), (ErrorCode::InvalidContext, TOO_MANY.into()));
        assert!(TOO_MANY.contains(&MAX_ATTRIBUTES.to_string()));
    }

    #[test]
    fn the_targeting_key_is_the_entity_unless_the_context_says_otherwise() {
        let entity = |body: &str| {
            let request = Request::parse(body.as_bytes()).unwrap();
            let attributes = request.attributes();
            yardarm_flags::Context::new(&attributes).get(ENTITY_ID).map(|value| value.to_string())
        };
        assert_eq!(entity(r#"{"context":{"targetingKey":"u"}}"#), Some("u".into()));
        assert_eq!(entity(r#"{"context":{"targetingKey":"u","entityId":"e"}}"#), Some("e".into()));
        assert_eq!(entity(r#"{"context":{"targetingKey":""}}"#), None);
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        let request = Request::parse(br#"{"context":{"a":1,"a":2}}"#).unwrap();
        assert_eq!(yardarm_flags::Context::new(&request.attributes()).get("a"), Some(Value::Integer(2)));
        assert_eq!(request.sorted(), [("a", Value::Integer(2))]);
        assert_eq!(read(r#"{"context":{"a":1},"context":{"b":2}}"#), [("b".into(), "Integer(2)".into())]);
    }

    #[test]
    fn a_filter_is_a_list_or_a_text() {
        for flags in [r#"["one","two.x",3]"#, r#"" two.x, one,,""#] {
            let body = format!("{{\"context\":{{\"flags\":{flags}}}}}");
            let request = Request::parse(body.as_bytes()).unwrap();
            for (flag, key, wanted) in [
                ("one", "one", true),
                ("one", "one.a", true),
                ("two", "two", false),
                ("two", "two.x", true),
                ("three", "three", false),
            ] {
                assert_eq!(request.wants(flag, key), wanted, "{flags} {key}");
            }
        }
        for flags in ["[]", "\"\"", "null", "7"] {
            let body = format!("{{\"context\":{{\"flags\":{flags}}}}}");
            assert!(Request::parse(body.as_bytes()).unwrap().wants("any", "any"), "{flags}");
        }
    }
}

//! An OpenFeature evaluation context as the attributes that rules read, the same as over OFREP.
//!
//! Values keep their type. A date-time is its text in UTC. A structure's members are attributes of their own, named with
//! dots (`'$user.plan'` in a rule); an array is its compact JSON text. The targeting key is `targetingKey`, and `entityId`
//! too unless the context has one of its own.

use jiff::Timestamp;
use open_feature::{EvaluationContext, EvaluationContextFieldValue, StructValue, Value as Member};
use std::borrow::Cow;
use yardarm_flags::{CompiledFlag, KeptValue, Value};

/// The attribute that stands for the caller in splits and in gradual deployments.
const TARGETING_KEY: &str = "targetingKey";

/// What agents call the same; rules written for them read this one.
const ENTITY_ID: &str = "entityId";

/// Most attributes of a context, those of structures included; what is beyond them is not seen.
const MAX_ATTRIBUTES: usize = 1_000;

/// How deep structures may lie in each other; what is deeper is not seen.
const MAX_DEPTH: usize = 64;

/// A context, read.
#[derive(Debug, Default)]
pub(super) struct Caller<'c> {
    attributes: Vec<(Cow<'c, str>, KeptValue<'c>)>,
    targeting_key: Option<&'c str>,
}

impl<'c> Caller<'c> {
    pub(super) fn new(context: &'c EvaluationContext) -> Self {
        let mut caller =
            Self { attributes: Vec::with_capacity(context.custom_fields.len() + 2), targeting_key: None };
        let named = context.custom_fields.get(TARGETING_KEY).and_then(EvaluationContextFieldValue::as_str);
        caller.targeting_key = context.targeting_key.as_deref().or(named).filter(|key| !key.is_empty());
        if let Some(key) = caller.targeting_key {
            caller.push(TARGETING_KEY.into(), KeptValue::Text(key.into()));
        }
        let others = context.custom_fields.iter().filter(|(name, _)| *name != TARGETING_KEY);
        for (name, value) in others {
            caller.field(name, value);
        }
        if let Some(key) = caller.targeting_key.filter(|_| !caller.has(ENTITY_ID)) {
            caller.push(ENTITY_ID.into(), KeptValue::Text(key.into()));
        }
        caller
    }

    /// Who asks, as far as deployments and splits are concerned. Never empty.
    pub(super) const fn targeting_key(&self) -> Option<&'c str> {
        self.targeting_key
    }

    /// For [`yardarm_flags::Context::new`].
    pub(super) fn attributes(&self) -> Vec<(&str, Value<'_>)> {
        self.attributes.iter().map(|(name, value)| (&**name, value.value())).collect()
    }

    /// Whether the flag splits by a targeting key that the caller lacks.
    pub(super) fn lacks_key_of(&self, flag: &CompiledFlag) -> bool {
        let lacks = |key: &str| key == TARGETING_KEY || (key == ENTITY_ID && !self.has(ENTITY_ID));
        self.targeting_key.is_none() && flag.split_keys().any(lacks)
    }

    fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(known, _)| known == name)
    }

    fn push(&mut self, name: Cow<'c, str>, value: KeptValue<'c>) {
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push((name, value));
        }
    }

    fn field(&mut self, name: &'c str, value: &'c EvaluationContextFieldValue) {
        match value {
            EvaluationContextFieldValue::Bool(boolean) => {
                self.push(name.into(), KeptValue::Boolean(*boolean))
            }
            EvaluationContextFieldValue::Int(integer) => self.push(name.into(), KeptValue::Integer(*integer)),
            EvaluationContextFieldValue::Float(float) => self.push(name.into(), KeptValue::Float(*float)),
            EvaluationContextFieldValue::String(text) => self.push(name.into(), KeptValue::Text(text.into())),
            EvaluationContextFieldValue::DateTime(instant) => {
                if let Ok(instant) = Timestamp::from_nanosecond(instant.unix_timestamp_nanos()) {
                    self.push(name.into(), KeptValue::Text(instant.to_string().into()));
                }
            }
            // The kind of a structure is the program's: two are known here.
            EvaluationContextFieldValue::Struct(any) => {
                if let Some(members) = any.downcast_ref::<StructValue>() {
                    self.members(name, members, MAX_DEPTH);
                } else if let Some(json) = any.downcast_ref::<serde_json::Value>() {
                    self.json(name.into(), json, MAX_DEPTH);
                } else {
                    tracing::debug!(name, "a structure of the context is of an unknown kind and not seen");
                }
            }
        }
    }

    fn members(&mut self, name: &str, members: &'c StructValue, depth: usize) {
        for (member, value) in &members.fields {
            self.member(format!("{name}.{member}").into(), value, depth);
        }
    }

    fn member(&mut self, name: Cow<'c, str>, value: &'c Member, depth: usize) {
        match value {
            Member::Bool(boolean) => self.push(name, KeptValue::Boolean(*boolean)),
            Member::Int(integer) => self.push(name, KeptValue::Integer(*integer)),
            Member::Float(float) => self.push(name, KeptValue::Float(*float)),
            Member::String(text) => self.push(name, KeptValue::Text(text.into())),
            Member::Array(items) => {
                let items = items.iter().map(|item| json(item, depth)).collect();
                self.push(name, KeptValue::Text(serde_json::Value::Array(items).to_string().into()));
            }
            Member::Struct(members) => {
                if let Some(depth) = depth.checked_sub(1) {
                    self.members(&name, members, depth);
                }
            }
        }
    }

    fn json(&mut self, name: Cow<'c, str>, value: &'c serde_json::Value, depth: usize) {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::Bool(boolean) => self.push(name, KeptValue::Boolean(*boolean)),
            serde_json::Value::Number(number) => {
                let float = || number.as_f64().filter(|_| number.is_f64());
                let value = number.as_i64().map(KeptValue::Integer).or_else(|| float().map(KeptValue::Float));
                self.push(name, value.unwrap_or_else(|| KeptValue::Text(number.to_string().into())));
            }
            serde_json::Value::String(text) => self.push(name, KeptValue::Text(text.into())),
            serde_json::Value::Array(_) => self.push(name, KeptValue::Text(value.to_string().into())),
            serde_json::Value::Object(members) => {
                let Some(depth) = depth.checked_sub(1) else { return };
                for (member, value) in members {
                    self.json(format!("{name}.{member}").into(), value, depth);
                }
            }
        }
    }
}

/// A member of an array as JSON; what is too deep is null.
fn json(value: &Member, depth: usize) -> serde_json::Value {
    let Some(depth) = depth.checked_sub(1) else { return serde_json::Value::Null };
    match value {
        Member::Bool(boolean) => (*boolean).into(),
        Member::Int(integer) => (*integer).into(),
        Member::Float(float) => (*float).into(),
        Member::String(text) => text.as_str().into(),
        Member::Array(items) => items.iter().map(|item| json(item, depth)).collect(),
        Member::Struct(members) => {
            let members = members.fields.iter().map(|(name, value)| (name.clone(), json(value, depth)));
            serde_json::Value::Object(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Caller;
    use open_feature::{EvaluationContext, EvaluationContextFieldValue, StructValue, Value as Member};
    use serde_json::json;
    use yardarm_flags::{Context, Value};

    fn read(context: &EvaluationContext) -> Vec<String> {
        let caller = Caller::new(context);
        let mut read: Vec<String> =
            caller.attributes().iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        read.sort();
        read
    }

    #[test]
    fn values_keep_their_type_and_members_their_path() {
        let members = StructValue {
            fields: [
                ("plan".into(), Member::String("pro".into())),
                ("tags".into(), Member::Array(vec![Member::Int(1), Member::String("x".into())])),
                (
                    "in".into(),
                    Member::Struct(StructValue { fields: [("n".into(), Member::Float(0.5))].into() }),
                ),
            ]
            .into(),
        };
        let json = json!({"a": {"b": 1}, "big": u64::MAX, "none": null, "list": [1, {"x": true}], "f": 1.5});
        let context = EvaluationContext::default()
            .with_custom_field("int", 5)
            .with_custom_field("float", 5.0)
            .with_custom_field("text", "5")
            .with_custom_field("on", true)
            .with_custom_field("user", EvaluationContextFieldValue::new_struct(members))
            .with_custom_field("json", EvaluationContextFieldValue::new_struct(json))
            .with_custom_field("other", EvaluationContextFieldValue::new_struct(7_u8));
        assert_eq!(
            read(&context),
            [
                "float=Float(5.0)",
                "int=Integer(5)",
                "json.a.b=Integer(1)",
                "json.big=Text(\"18446744073709551615\")",
                "json.f=Float(1.5)",
                "json.list=Text(\"[1,{\\\"x\\\":true}]\")",
                "on=Boolean(true)",
                "text=Text(\"5\")",
                "user.in.n=Float(0.5)",
                "user.plan=Text(\"pro\")",
                "user.tags=Text(\"[1,\\\"x\\\"]\")",
            ]
        );
    }

    #[test]
    fn the_targeting_key_is_the_entity_unless_the_context_says_otherwise() {
        let read = |context: &EvaluationContext| {
            let caller = Caller::new(context);
            let attributes = caller.attributes();
            let get = |name| Context::new(&attributes).get(name).map(|value| value.to_string());
            (caller.targeting_key().map(str::to_owned), get("targetingKey"), get("entityId"))
        };
        let text = |text: &str| Some(text.to_owned());
        let key = EvaluationContext::default().with_targeting_key("u");
        assert_eq!(read(&key), (text("u"), text("u"), text("u")));
        let both = key.with_custom_field("entityId", "e");
        assert_eq!(read(&both), (text("u"), text("u"), text("e")));
        let field = EvaluationContext::default().with_custom_field("targetingKey", "f");
        assert_eq!(read(&field), (text("f"), text("f"), text("f")));
        let empty = EvaluationContext::default().with_targeting_key("");
        assert_eq!(read(&empty), (None, None, None));
    }

    #[test]
    fn contexts_are_bounded() {
        let mut deep = Member::Int(1);
        for _ in 0..2_000 {
            deep = Member::Struct(StructValue { fields: [("a".into(), deep)].into() });
        }
        let many = StructValue { fields: (0..2_000).map(|at| (format!("m{at}"), Member::Int(at))).collect() };
        let fields = StructValue { fields: [("deep".into(), deep)].into() };
        let mut context = EvaluationContext::default()
            .with_custom_field("s", EvaluationContextFieldValue::new_struct(fields));
        assert_eq!(read(&context).len(), 0);
        context.add_custom_field("many", EvaluationContextFieldValue::new_struct(many));
        assert_eq!(read(&context).len(), 1_000);
    }

    #[test]
    fn a_date_is_its_text_in_utc() {
        let instant = time::OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let context = EvaluationContext::default()
            .with_custom_field("at", EvaluationContextFieldValue::DateTime(instant));
        let caller = Caller::new(&context);
        assert_eq!(caller.attributes(), [("at", Value::Text("2023-11-14T22:13:20Z"))]);
    }
}

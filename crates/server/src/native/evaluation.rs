//! What a flag is for somebody, and why: of what is deployed, or of any version that is stored.
//!
//! A context means what it means over OFREP, because the same code reads it.

use super::{json, waiting};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use yardarm_flags::bucketing::named_subject;
use yardarm_flags::document::AttributeValue;
use yardarm_flags::rule::Clause;
use yardarm_flags::{CompiledFlags, Context, Outcome, Resolution, ResolvedValue, TriedVariant};
use yardarm_node::Served;
use yardarm_ofrep::Request;
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::evaluation as wire;

pub(super) async fn evaluate(call: Call) -> Result<Response, Fault> {
    let asked: wire::Evaluate = call.json()?;
    let context = context(asked.context)?;
    let request = read(&context)?;
    json(StatusCode::OK, &deployed(&call, &request)?.evaluate(asked.keys, &request)?)
}

pub(super) async fn explain(call: Call) -> Result<Response, Fault> {
    let asked: wire::Explain = call.json()?;
    let context = context(asked.context)?;
    let request = read(&context)?;
    json(StatusCode::OK, &deployed(&call, &request)?.explain(asked.flag, &request)?)
}

pub(super) async fn evaluate_version(call: Call) -> Result<Response, Fault> {
    let asked: wire::Evaluate = call.json()?;
    let context = context(asked.context)?;
    let request = read(&context)?;
    json(StatusCode::OK, &stored(&call).await?.evaluate(asked.keys, &request)?)
}

pub(super) async fn explain_version(call: Call) -> Result<Response, Fault> {
    let asked: wire::Explain = call.json()?;
    let context = context(asked.context)?;
    let request = read(&context)?;
    json(StatusCode::OK, &stored(&call).await?.explain(asked.flag, &request)?)
}

/// The context as an OFREP request has it.
fn context(context: Option<Map<String, Value>>) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(&json!({"context": context})).map_err(Fault::internal)
}

fn read(body: &[u8]) -> Result<Request<'_>, Fault> {
    Request::parse(body).map_err(|malformed| Fault::bad_request(malformed.details))
}

/// The flags that are asked about, and of which version they are.
struct Flags {
    evaluated: wire::Evaluated,
    flags: Arc<CompiledFlags>,
}

/// What is deployed for the entity.
fn deployed(call: &Call, request: &Request<'_>) -> Result<Flags, Fault> {
    let served = call.node.served(&waiting::address(call)?).ok_or_else(waiting::nothing_deployed)?;
    let entity = request.targeting_key();
    let version = match entity {
        Some(entity) => served.for_entity(entity),
        None => served.for_anyone(),
    };
    let version = version.ok_or_else(|| {
        let text = "A first deployment is on its way, and has not reached whom you ask for.";
        Fault::told(ErrorKind::ResourceNotFound, text)
    })?;
    let evaluated = wire::Evaluated {
        version: version.version.0,
        label: version.label.as_deref().map(|label| String::from_utf8_lossy(label).into_owned()),
        rollout: drawn(&served, entity),
    };
    Ok(Flags { evaluated, flags: version.flags.clone().ok_or_else(no_flags)? })
}

fn drawn(served: &Served, entity: Option<&str>) -> Option<wire::Drawn> {
    let candidate = served.candidate()?;
    let bucket = entity.map(|entity| candidate.bucket(&named_subject(entity)));
    let exposure = candidate.exposure.parts_per_million();
    Some(wire::Drawn {
        deployment: candidate.deployment.0,
        exposure,
        bucket,
        inside: candidate.reaches_everyone() || bucket.is_some_and(|bucket| bucket < exposure),
    })
}

/// A version by its number, its label, or `$LATEST`.
async fn stored(call: &Call) -> Result<Flags, Fault> {
    let view = call.node.view();
    let application = view.world.find_application(call.label("application")).or_fault(call)?;
    let profile = application.find_profile(call.label("profile")).or_fault(call)?;
    let version = profile.named(call.label("version")).or_fault(call)?;
    let flags = call.node.stored_flags(profile, version).await.or_fault(call)?.ok_or_else(no_flags)?;
    let evaluated = wire::Evaluated {
        version: version.number.0,
        label: version.label.as_ref().map(ToString::to_string),
        rollout: None,
    };
    Ok(Flags { evaluated, flags: Arc::new(flags) })
}

fn no_flags() -> Fault {
    Fault::bad_request("This configuration profile holds no feature flags.")
}

impl Flags {
    fn evaluate(self, keys: Option<Vec<String>>, request: &Request<'_>) -> Result<wire::Evaluation, Fault> {
        let attributes = request.attributes();
        let context = Context::new(&attributes);
        let mut keys = keys.unwrap_or_else(|| self.flags.flags().map(|(key, _)| key.to_string()).collect());
        // Each is answered once, so that the answer is no larger than the document.
        let mut seen = BTreeSet::new();
        keys.retain(|key| seen.insert(key.clone()));
        let evaluated = |key: String| match self.flags.resolve(&key, &context) {
            Some(resolution) => Ok(flag(key, &resolution)),
            None => Err(self.unknown(&key)),
        };
        let flags = keys.into_iter().map(evaluated).collect::<Result<_, Fault>>()?;
        Ok(wire::Evaluation { evaluated: self.evaluated, flags })
    }

    fn explain(self, key: String, request: &Request<'_>) -> Result<wire::Explanation, Fault> {
        let attributes = request.attributes();
        let context = Context::new(&attributes);
        let found = self.flags.explain(&key, &context).zip(self.flags.resolve(&key, &context));
        let (explanation, resolution) = found.ok_or_else(|| self.unknown(&key))?;
        Ok(wire::Explanation {
            flag: flag(key, &resolution),
            enabled: explanation.enabled,
            variants: explanation.variants.into_iter().map(tried).collect(),
            evaluated: self.evaluated,
        })
    }

    fn unknown(&self, key: &str) -> Fault {
        let text = format!("Version {} has no flag `{key}`.", self.evaluated.version);
        Fault::told(ErrorKind::ResourceNotFound, text)
    }
}

fn flag(key: String, resolution: &Resolution<'_>) -> wire::EvaluatedFlag {
    wire::EvaluatedFlag {
        key,
        value: resolution.value.map(value),
        variant: resolution.variant.map(ToOwned::to_owned),
        reason: resolution.reason.to_string(),
    }
}

fn value(value: ResolvedValue<'_>) -> Value {
    match value {
        ResolvedValue::Boolean(boolean) => boolean.into(),
        ResolvedValue::Attribute(value) => attribute(value),
        ResolvedValue::Object(evaluation) => {
            let attributes = evaluation.attributes.iter();
            let mut members: Map<String, Value> =
                attributes.map(|(key, value)| (key.to_string(), attribute(value))).collect();
            members.insert("enabled".into(), evaluation.enabled.into());
            members.into()
        }
    }
}

fn attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::String(text) => text.as_str().into(),
        AttributeValue::Number(number) => number.clone().into(),
        AttributeValue::Boolean(boolean) => (*boolean).into(),
        AttributeValue::Strings(texts) => texts.iter().map(String::as_str).collect(),
        AttributeValue::Numbers(numbers) => numbers.iter().cloned().map(Value::Number).collect(),
    }
}

fn tried(variant: TriedVariant) -> wire::TriedVariant {
    let (outcome, rule) = match variant.outcome {
        Outcome::Chosen(rule) => (wire::VariantOutcome::Chosen, Some(rule)),
        Outcome::PassedOver(rule) => (wire::VariantOutcome::PassedOver, Some(rule)),
        Outcome::NotAsked => (wire::VariantOutcome::NotAsked, None),
        Outcome::ChosenAsDefault => (wire::VariantOutcome::ChosenAsDefault, None),
    };
    wire::TriedVariant { name: variant.name, outcome, rule: rule.map(clause) }
}

/// As deep as rules may be nested.
fn clause(clause: Clause) -> wire::Clause {
    wire::Clause {
        text: clause.text,
        holds: clause.holds,
        because: clause.because,
        bucket: clause.bucket,
        percent: clause.percent,
        parts: clause.parts.into_iter().map(self::clause).collect(),
    }
}

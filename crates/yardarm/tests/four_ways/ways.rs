//! The ways to ask, each as its clients do.

use crate::answers::{Answer, Answers};
use crate::house::{House, Shop};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use open_feature::provider::{FeatureProvider, ResolutionDetails};
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue, EvaluationErrorCode, EvaluationResult, FlagMetadataValue,
    StructValue, Value as Member,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use yardarm_client::{Provider, segment};
use yardarm_testkit::flag_cases::{Caller, CallerValue};

const TIME: Duration = Duration::from_secs(60);

/// Sends a request to the server or agent at `url`.
async fn send(
    house: &House,
    method: Method,
    url: &str,
    headers: &[(HeaderName, HeaderValue)],
    body: Option<Value>,
) -> Response<Bytes> {
    let mut request = Request::new(body.map_or_else(Bytes::new, |body| body.to_string().into()));
    *request.method_mut() = method;
    *request.uri_mut() = url.parse().unwrap();
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.headers_mut().extend(headers.iter().cloned());
    house.http.send(request, TIME).await.unwrap()
}

fn json(answer: &Response<Bytes>) -> Value {
    let body = answer.body();
    serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error}: {} {body:?}", answer.status()))
}

fn flags(answer: &Response<Bytes>) -> BTreeMap<String, Value> {
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.body());
    serde_json::from_value(json(answer)).unwrap()
}

/// The flags as a session of the data plane gives them.
pub(crate) async fn aws(house: &House, shop: &Shop) -> BTreeMap<String, Value> {
    let session = json!({
        "ApplicationIdentifier": shop.name,
        "EnvironmentIdentifier": "production",
        "ConfigurationProfileIdentifier": "settings",
    });
    let url = format!("{}/configurationsessions", house.server);
    let started = json(&send(house, Method::POST, &url, &[], Some(session)).await);
    let token = segment(started["InitialConfigurationToken"].as_str().unwrap());
    let url = format!("{}/configuration?configuration_token={token}", house.server);
    flags(&send(house, Method::GET, &url, &[], None).await)
}

/// The flags as the agent gives them.
pub(crate) async fn agent(house: &House, shop: &Shop, caller: &Caller) -> BTreeMap<String, Value> {
    let own = caller.targeting_key.iter().map(|key| format!("targetingKey={}", segment(key)));
    let others = caller.attributes.iter();
    let others =
        others.map(|(name, value)| format!("{}={}", segment(name), segment(&value.attribute().to_string())));
    let context = own.chain(others).collect::<Vec<_>>().join(",");
    let mut headers = vec![
        (HeaderName::from_static("context"), HeaderValue::from_str(&context).unwrap()),
        (HeaderName::from_static("context-encoding"), HeaderValue::from_static("percent")),
    ];
    if let Some(key) = &caller.targeting_key {
        headers
            .push((HeaderName::from_static("entity-id"), HeaderValue::from_bytes(key.as_bytes()).unwrap()));
    }
    let path = format!("/applications/{}/environments/production/configurations/settings", shop.name);
    flags(&send(house, Method::GET, &format!("{}{path}", house.agent), &headers, None).await)
}

/// Where an application's flags are evaluated.
fn ofrep_url(house: &House, shop: &Shop) -> String {
    format!("{}/{}/production/ofrep/v1/evaluate/flags", house.server, shop.name)
}

fn ofrep_body(caller: &Caller) -> Value {
    let attributes = caller.attributes.iter().map(|(name, value)| ((*name).to_owned(), value.json()));
    let own = caller.targeting_key.iter().map(|key| ("targetingKey".to_owned(), json!(key)));
    json!({"context": attributes.chain(own).collect::<serde_json::Map<_, _>>()})
}

/// Every key by OFREP.
pub(crate) async fn ofrep(house: &House, shop: &Shop, caller: &Caller) -> Answers {
    let answer = send(house, Method::POST, &ofrep_url(house, shop), &[], Some(ofrep_body(caller))).await;
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.body());
    let answer = json(&answer);
    let flags = answer["flags"].as_array().unwrap().iter();
    flags.map(|flag| (flag["key"].as_str().unwrap().to_owned(), ofrep_answer(flag))).collect()
}

/// One key by OFREP.
pub(crate) async fn ofrep_single(house: &House, shop: &Shop, caller: &Caller, key: &str) -> Answer {
    let url = format!("{}/{}", ofrep_url(house, shop), segment(key));
    ofrep_answer(&json(&send(house, Method::POST, &url, &[], Some(ofrep_body(caller))).await))
}

fn ofrep_answer(flag: &Value) -> Answer {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(code) = text(&flag["errorCode"]) {
        return Answer::Error(code);
    }
    assert_eq!(flag["metadata"]["variant"], flag["variant"]);
    Answer::Told {
        value: flag.get("value").cloned(),
        variant: text(&flag["variant"]),
        reason: text(&flag["reason"]).unwrap(),
        version: text(&flag["metadata"]["version"]).unwrap(),
    }
}

/// Every key of `like` by OpenFeature in this process, asked for as the type that it has there.
pub(crate) async fn openfeature(shop: &Shop, caller: &Caller, like: &Answers) -> Answers {
    let provider = Provider::new([shop.flags.clone()]);
    let mut context = EvaluationContext { targeting_key: caller.targeting_key.clone(), ..Default::default() };
    for (name, value) in &caller.attributes {
        context.add_custom_field(
            *name,
            match value {
                CallerValue::Text(text) => EvaluationContextFieldValue::String(text.clone()),
                CallerValue::Integer(integer) => EvaluationContextFieldValue::Int(*integer),
                CallerValue::Float(float) => EvaluationContextFieldValue::Float(*float),
                CallerValue::Boolean(boolean) => EvaluationContextFieldValue::Bool(*boolean),
            },
        );
    }
    let mut answers = Answers::new();
    for (key, answer) in like {
        let value = match answer {
            Answer::Told { value, .. } => value.as_ref(),
            Answer::Error(_) => None,
        };
        let told = match value {
            None | Some(Value::Bool(_)) => {
                told(provider.resolve_bool_value(key, &context).await, Value::from)
            }
            Some(Value::String(_)) => told(provider.resolve_string_value(key, &context).await, Value::from),
            Some(Value::Number(number)) if number.is_i64() => {
                told(provider.resolve_int_value(key, &context).await, Value::from)
            }
            Some(Value::Number(_)) => told(provider.resolve_float_value(key, &context).await, Value::from),
            Some(_) => told(provider.resolve_struct_value(key, &context).await, structure),
        };
        // The Rust SDK says as an error what has no value: the variant and the version are not told then.
        answers.insert(
            key.clone(),
            match (told, answer) {
                (Answer::Error(code), Answer::Told { value: None, variant, version, .. }) => Answer::Told {
                    value: None,
                    variant: variant.clone(),
                    reason: code,
                    version: version.clone(),
                },
                (told, _) => told,
            },
        );
    }
    answers
}

fn told<T>(resolved: EvaluationResult<ResolutionDetails<T>>, json: impl Fn(T) -> Value) -> Answer {
    match resolved {
        Ok(details) => {
            let metadata = details.flag_metadata.unwrap_or_default();
            let Some(FlagMetadataValue::String(version)) = metadata.values.get("version") else {
                panic!("no version in {metadata:?}")
            };
            Answer::Told {
                value: Some(json(details.value)),
                variant: details.variant,
                reason: details.reason.unwrap().to_string(),
                version: version.clone(),
            }
        }
        Err(error) => Answer::Error(match error.code {
            EvaluationErrorCode::General(code) => code,
            code => code.to_string(),
        }),
    }
}

fn structure(structure: StructValue) -> Value {
    Value::Object(structure.fields.into_iter().map(|(name, value)| (name, member(value))).collect())
}

fn member(value: Member) -> Value {
    match value {
        Member::Bool(boolean) => boolean.into(),
        Member::Int(integer) => integer.into(),
        Member::Float(float) => float.into(),
        Member::String(text) => text.into(),
        Member::Array(items) => items.into_iter().map(member).collect(),
        Member::Struct(members) => structure(members),
    }
}

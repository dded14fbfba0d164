//! How a node reaches extensions and functions: over HTTP, with the events that Lambda functions know, signed.
//!
//! A URL that a user gave is called as far as the policy for users goes; one to which the configuration maps an ARN is the
//! operator's word. **Invariants:** every call is bounded in time and size; what an answer says is read with bounds, and
//! what is not understood is an error.

use crate::control_plane::type_name;
use crate::refusal::deployment_state;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::time::Duration;
use yardarm_domain::{Account, ActionPoint, EventShape, Failure, Resource, shaped};
use yardarm_node::{
    About, ActionAnswer, ActionCall, FunctionCall, NoAnswer, Outside, Proof, RefusalDetail, VersionContent,
};
use yardarm_outbound::{Call, Outbound, OutboundError, Target, signed};
use yardarm_wire::invocations as wire;

/// Where ARNs are, and how long calls may take.
#[derive(Clone, Debug)]
pub struct OutsideSettings {
    /// What to call for an ARN.
    pub targets: BTreeMap<String, Target>,
    /// How long an action or a function may take to answer.
    pub time: Duration,
    /// Bytes of an answer at most.
    pub answer_bytes: usize,
}

impl Default for OutsideSettings {
    fn default() -> Self {
        Self { targets: BTreeMap::new(), time: Duration::from_secs(15), answer_bytes: 8 * 1024 * 1024 }
    }
}

/// Bytes of an answer that nobody reads.
const NOTICE_ANSWER_BYTES: usize = 64 * 1024;

/// Characters of a text that an answer holds, as far as it is told.
const MOST_TOLD: usize = 1_024;

/// Things wrong that are told of one answer.
const MOST_DETAILS: usize = 100;

/// Calls over HTTP.
pub struct HttpOutside {
    account: Account,
    settings: OutsideSettings,
    /// For URLs that users give.
    users: Outbound,
    /// For URLs that the operator gives.
    operators: Outbound,
}

impl HttpOutside {
    /// Calls what users name by `users`, and what the operator names by `operators`.
    #[must_use]
    pub fn new(account: Account, settings: OutsideSettings, users: Outbound, operators: Outbound) -> Self {
        Self { account, settings, users, operators }
    }

    /// What to call for `uri`, and by whom.
    fn target(&self, uri: &str) -> Result<(&Outbound, Target), Failure> {
        if let Some(target) = self.settings.targets.get(uri) {
            return Ok((&self.operators, target.clone()));
        }
        if uri.starts_with("arn:") {
            let message = format!("Yardarm calls URLs: set call-targets to map {uri} to one.");
            return Err(Failure { code: "TargetNotConfigured".into(), message });
        }
        let url = shaped(uri).map_or(uri, |(_, url)| url);
        let target = url.parse::<Target>().map_err(|error| failure("InvalidTarget", error.to_string()))?;
        Ok((&self.users, target))
    }

    async fn post(
        &self,
        uri: &str,
        content_type: &'static str,
        body: Vec<u8>,
        proof: &Proof,
        answer_bytes: usize,
    ) -> Result<Response<Bytes>, NoAnswer> {
        let (outbound, target) = self.target(uri).map_err(|failure| NoAnswer { failure, may_pass: false })?;
        let body = Bytes::from(body);
        let mut headers = signed(&*proof.secret, &proof.id, proof.at.as_second(), &body);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let (method, time) = (&Method::POST, self.settings.time);
        let call = Call { method, target: &target, headers: &headers, body: &body, time, answer_bytes };
        let answer = outbound.send(call).await.map_err(|error| not_sent(&error))?;
        told(answer)
    }
}

#[async_trait]
impl Outside for HttpOutside {
    fn reaches(&self, uri: &str) -> Result<(), Failure> {
        self.target(uri).map(|_| ())
    }

    async fn run(&self, call: &ActionCall) -> Result<ActionAnswer, NoAnswer> {
        let event = event(call);
        let uri = &call.invocation.uri;
        let (content_type, written) = match uri.shape() {
            EventShape::AppConfig => ("application/json", serde_json::to_vec(&event)),
            EventShape::EventBridge => {
                ("application/json", serde_json::to_vec(&self.event_bridge(call, event)))
            }
            EventShape::CloudEvent => {
                ("application/cloudevents+json", serde_json::to_vec(&self.cloud_event(call, event)))
            }
        };
        let body = written.map_err(|error| lasting(failure("NotSent", error.to_string())))?;
        let notice = matches!(call.about, About::Notice { .. });
        let answer_bytes = if notice { NOTICE_ANSWER_BYTES } else { self.settings.answer_bytes };
        let answer = self.post(uri.as_str(), content_type, body, &call.proof, answer_bytes).await?;
        match call.about {
            About::Notice { .. } => Ok(ActionAnswer::GoOn),
            About::Version { .. } | About::Start { .. } => changed(answer.body()),
            About::Tick { .. } => directed(answer.body()),
        }
    }

    async fn validate(&self, call: &FunctionCall) -> Result<(), NoAnswer> {
        let event = wire::ValidatorEvent {
            application_id: call.application.to_string(),
            configuration_profile_id: call.profile.to_string(),
            configuration_version: call.version.to_string(),
            content: STANDARD.encode(&call.content),
            uri: "hosted".into(),
        };
        let body =
            serde_json::to_vec(&event).map_err(|error| lasting(failure("NotSent", error.to_string())))?;
        let uri = call.function.as_str();
        self.post(uri, "application/json", body, &call.proof, NOTICE_ANSWER_BYTES).await.map(|_| ())
    }
}

impl HttpOutside {
    fn cloud_event(&self, call: &ActionCall, data: wire::ActionEvent) -> wire::CloudEvent {
        let application = call.application.0.clone();
        let source = match &call.environment {
            Some((environment, _)) => Resource::Environment(application, environment.clone()),
            None => Resource::Application(application),
        };
        wire::CloudEvent {
            specversion: "1.0",
            id: call.proof.id.clone(),
            source: self.account.arn(&source),
            event_type: format!("dev.yardarm.{}", data.event_type),
            subject: format!("deployment/{}", data.deployment_number.unwrap_or_default()),
            time: happened_at(call).to_string(),
            datacontenttype: "application/json",
            data,
        }
    }

    fn event_bridge(&self, call: &ActionCall, detail: wire::ActionEvent) -> wire::EventBridgeEvent {
        let at = happened_at(call);
        let association = Resource::ExtensionAssociation(call.invocation.association.clone());
        wire::EventBridgeEvent {
            version: "0",
            id: call.proof.id.clone(),
            detail_type: spaced(detail.event_type),
            source: "aws.appconfig",
            account: self.account.id.to_string(),
            time: jiff::Timestamp::from_second(at.as_second()).unwrap_or(at).to_string(),
            region: self.account.region.to_string(),
            resources: vec![self.account.arn(&association)],
            detail,
        }
    }
}

/// When what a call tells of happened.
fn happened_at(call: &ActionCall) -> jiff::Timestamp {
    match &call.about {
        About::Notice { at, .. } => *at,
        About::Version { .. } | About::Start { .. } | About::Tick { .. } => call.proof.at,
    }
}

/// `OnDeploymentStart` as `On Deployment Start`.
fn spaced(word: &str) -> String {
    let mut text = String::new();
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}

fn type_of(point: ActionPoint) -> &'static str {
    match point {
        ActionPoint::PreCreateHostedConfigurationVersion => "PreCreateHostedConfigurationVersion",
        ActionPoint::PreStartDeployment => "PreStartDeployment",
        ActionPoint::AtDeploymentTick => "AtDeploymentTick",
        ActionPoint::OnDeploymentStart => "OnDeploymentStart",
        ActionPoint::OnDeploymentStep => "OnDeploymentStep",
        ActionPoint::OnDeploymentBaking => "OnDeploymentBaking",
        ActionPoint::OnDeploymentComplete => "OnDeploymentComplete",
        ActionPoint::OnDeploymentRolledBack => "OnDeploymentRolledBack",
    }
}

/// What an action is sent.
fn event(call: &ActionCall) -> wire::ActionEvent {
    let named =
        |id: &dyn ToString, name: &dyn ToString| wire::Named { id: id.to_string(), name: name.to_string() };
    let text = |text: &Option<yardarm_domain::Description>| text.as_ref().map(ToString::to_string);
    let parameters = call.parameters.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    let whole = wire::ActionEvent {
        invocation_id: call.invocation.id.to_string(),
        parameters: parameters.collect(),
        event_type: type_of(call.invocation.point),
        application: named(&call.application.0, &call.application.1),
        environment: call.environment.as_ref().map(|(id, name)| named(id, name)),
        configuration_profile: named(&call.profile.0, &call.profile.1),
        ..wire::ActionEvent::default()
    };
    let content = |content: &VersionContent, whole: wire::ActionEvent| wire::ActionEvent {
        content: Some(STANDARD.encode(&content.bytes)),
        content_type: Some(content.content_type.to_string()),
        content_version: Some(content.version.to_string()),
        configuration_profile_type: Some(type_name(call.kind)),
        ..whole
    };
    match &call.about {
        About::Version { content: shown, description, previous } => wire::ActionEvent {
            description: text(description),
            previous_content: previous.as_ref().map(|previous| wire::PreviousContent {
                content_type: previous.content_type.to_string(),
                content_version: previous.version.to_string(),
                content: STANDARD.encode(&previous.bytes),
            }),
            ..content(shown, whole)
        },
        About::Start { content: shown, deployment, description } => wire::ActionEvent {
            deployment_number: Some(deployment.0.into()),
            description: text(description),
            ..content(shown, whole)
        },
        About::Tick { deployment, version, state, exposure } => wire::ActionEvent {
            deployment_number: Some(deployment.0.into()),
            configuration_version: Some(version.to_string()),
            deployment_state: Some(deployment_state(*state)),
            percentage_complete: Some(format!("{:?}", f64::from(exposure.parts_per_million()) / 10_000.0)),
            ..whole
        },
        About::Notice { deployment, version, description, .. } => wire::ActionEvent {
            deployment_number: Some(deployment.0.into()),
            description: text(description),
            configuration_version: Some(version.to_string()),
            ..whole
        },
    }
}

fn failure(code: &str, message: impl AsRef<str>) -> Failure {
    Failure { code: code.into(), message: cut(message.as_ref()) }
}

fn lasting(failure: Failure) -> NoAnswer {
    NoAnswer { failure, may_pass: false }
}

fn cut(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MOST_TOLD).collect()
}

/// Trying again might help with all of these: names, networks and receivers change.
fn not_sent(error: &OutboundError) -> NoAnswer {
    let code = match error {
        OutboundError::Tls(_) | OutboundError::NoConnection(_) => "NoConnection",
        OutboundError::Address { .. } => "AddressRefused",
        OutboundError::NoAnswer(_) => "TimedOut",
        OutboundError::Broken(_) => "BrokenAnswer",
        OutboundError::TooLarge(_) => "AnswerTooLarge",
        OutboundError::Redirect { .. } => "Redirected",
    };
    NoAnswer { failure: failure(code, error.to_string()), may_pass: true }
}

/// The answer, unless it says that something went wrong: by its status, or in the ways of Lambda functions.
fn told(answer: Response<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
    let status = answer.status();
    let error: wire::FunctionError = members(answer.body()).unwrap_or_default();
    let function_error = answer.headers().contains_key("x-amz-function-error")
        || (error.error_message.is_some() && error.error_type.is_some());
    if status.is_success() && !function_error {
        return Ok(answer);
    }
    if function_error {
        let code = error.error_type.unwrap_or_else(|| "FunctionError".into());
        let message = error.error_message.unwrap_or_else(|| "The function failed.".into());
        return Err(NoAnswer { failure: failure(&cut(&code), message), may_pass: true });
    }
    // What the receiver does not want it will not want the next time: but 404 and 410 may be a deployment of its own.
    let may_pass = status != StatusCode::GONE;
    Err(NoAnswer { failure: failure("RefusedByReceiver", format!("The answer was {status}.")), may_pass })
}

/// An answer's members. Nothing, and `null`, have none. A list is no answer, whatever it holds.
fn members<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, NoAnswer> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    let read =
        serde_json::from_slice::<Option<serde_json::Map<_, _>>>(body).and_then(|object| match object {
            Some(object) => serde_json::from_value(serde_json::Value::Object(object)),
            None => Ok(T::default()),
        });
    read.map_err(|error| {
        lasting(failure("UnreadableAnswer", format!("The answer is not understood: {error}")))
    })
}

/// What an action says that may change content.
fn changed(body: &[u8]) -> Result<ActionAnswer, NoAnswer> {
    let answer: wire::ActionAnswer = members(body)?;
    if let Some(error) = answer.error {
        return Ok(ActionAnswer::Refuse {
            message: cut(answer.message.as_deref().unwrap_or(&error)),
            details: answer.details.unwrap_or_default().into_iter().take(MOST_DETAILS).map(detail).collect(),
        });
    }
    let Some(content) = answer.content else { return Ok(ActionAnswer::GoOn) };
    let bytes = STANDARD.decode(content.as_bytes());
    let bytes =
        bytes.map_err(|_| lasting(failure("UnreadableAnswer", "The answer's Content is not base64.")))?;
    Ok(ActionAnswer::Content(bytes.into()))
}

/// What an action says that may take a deployment back.
fn directed(body: &[u8]) -> Result<ActionAnswer, NoAnswer> {
    let answer: wire::ActionAnswer = members(body)?;
    if let Some(error) = answer.error {
        let message = cut(answer.message.as_deref().unwrap_or(&error));
        return Ok(ActionAnswer::Refuse { message, details: vec![] });
    }
    match answer.directive.as_deref() {
        None | Some("CONTINUE") => Ok(ActionAnswer::GoOn),
        Some("ROLL_BACK") => Ok(ActionAnswer::RollBack(answer.description.map(|why| cut(&why)))),
        Some(other) => {
            let message = format!("The answer's Directive is CONTINUE or ROLL_BACK, not {}.", cut(other));
            Err(lasting(failure("UnreadableAnswer", message)))
        }
    }
}

fn detail(detail: wire::AnswerDetail) -> RefusalDetail {
    let short = |text: Option<String>| text.map(|text| cut(&text));
    RefusalDetail { kind: short(detail.detail_type), name: short(detail.name), reason: short(detail.reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn an_answer_may_be_empty_change_or_refuse() {
        for nothing in ["", " \n", "null", "{}", r#"{"statusCode":200}"#] {
            assert_eq!(changed(nothing.as_bytes()), Ok(ActionAnswer::GoOn), "{nothing}");
        }
        assert_eq!(
            changed(br#"{"Content":"aGk=","statusCode":200}"#),
            Ok(ActionAnswer::Content("hi".into()))
        );
        let refused =
            br#"{"Error":"BadRequestError","Message":"no","Details":[{"Type":"T","Name":"n","Reason":"r"}]}"#;
        let detail =
            RefusalDetail { kind: Some("T".into()), name: Some("n".into()), reason: Some("r".into()) };
        let expected = ActionAnswer::Refuse { message: "no".into(), details: vec![detail] };
        assert_eq!(changed(refused), Ok(expected));
        for garbage in ["[]", "7", "{", "<html>", r#"{"Content":7}"#, r#"{"Content":"%"}"#] {
            assert_eq!(
                changed(garbage.as_bytes()).unwrap_err().failure.code,
                "UnreadableAnswer",
                "{garbage}"
            );
        }
    }

    #[test]
    fn a_tick_goes_on_or_back_and_nothing_else() {
        for on in ["", "{}", r#"{"Directive":"CONTINUE"}"#] {
            assert_eq!(directed(on.as_bytes()), Ok(ActionAnswer::GoOn), "{on}");
        }
        let back = directed(br#"{"Directive":"ROLL_BACK","Description":"errors"}"#);
        assert_eq!(back, Ok(ActionAnswer::RollBack(Some("errors".into()))));
        assert!(directed(br#"{"Directive":"MAYBE"}"#).is_err());
        assert!(matches!(directed(br#"{"Error":"x"}"#), Ok(ActionAnswer::Refuse { .. })));
    }

    #[test]
    fn failures_are_known_by_status_header_and_body() {
        for fine in ["fine", "[\"a\",\"b\"]", "{}"] {
            assert!(told(answer(200, fine)).is_ok(), "{fine}");
        }
        let lambda = told(answer(200, r#"{"errorMessage":"boom","errorType":"ValueError"}"#)).unwrap_err();
        assert_eq!((&*lambda.failure.code, &*lambda.failure.message), ("ValueError", "boom"));
        let mut header = answer(200, r#"{"errorMessage":"boom"}"#);
        header.headers_mut().insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
        assert_eq!(told(header).unwrap_err().failure.message, "boom");
        assert_eq!(
            told(answer(500, "")).unwrap_err().failure.message,
            "The answer was 500 Internal Server Error."
        );
        assert!(told(answer(503, "")).unwrap_err().may_pass);
        assert!(!told(answer(410, "")).unwrap_err().may_pass);
    }

    #[test]
    fn event_bridge_has_blanks_between_words() {
        assert_eq!(spaced("OnDeploymentRolledBack"), "On Deployment Rolled Back");
    }
}

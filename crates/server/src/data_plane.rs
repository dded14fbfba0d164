//! The data plane: sessions, polls, and the deprecated read.

use crate::accept;
use crate::answer::Answer;
use crate::arguments::Arguments;
use crate::call::Call;
use crate::fault::Fault;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::sync::Arc;
use yardarm_domain::ProfileType;
use yardarm_node::{
    EntityRollout, Form, Latest, PollingClient, ServedVersion, SessionRefusal, StartSession, TokenProblem,
};
use yardarm_wire::data_plane::{
    ION_FLAGS, STORED_FLAGS, StartConfigurationSessionRequest, StartConfigurationSessionResponse,
};
use yardarm_wire::enums::{InvalidParameterProblem, ResourceType};
use yardarm_wire::errors::{ErrorBody, ErrorKind};
use yardarm_wire::headers;
use yardarm_wire::times::http_date;

/// Yardarm's addition: stands for the client in rollouts, so that a fleet of short sessions is not drawn anew all the
/// time. 1 to 256 characters.
const CLIENT_ID: HeaderName = HeaderName::from_static("yardarm-client-id");

/// What content of unknown type is.
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

const STORED: HeaderValue = HeaderValue::from_static(STORED_FLAGS);
const ION: HeaderValue = HeaderValue::from_static(ION_FLAGS);

pub(crate) async fn start_configuration_session(call: Call) -> Result<Answer, Fault> {
    let body: StartConfigurationSessionRequest = call.json()?;
    let client = call.header(&CLIENT_ID);
    let mut arguments = Arguments::default();
    let application =
        arguments.text("ApplicationIdentifier", body.application_identifier.as_deref(), 1..=128);
    let environment =
        arguments.text("EnvironmentIdentifier", body.environment_identifier.as_deref(), 1..=128);
    let profile = body.configuration_profile_identifier.as_deref();
    let profile = arguments.text("ConfigurationProfileIdentifier", profile, 1..=128);
    let interval_s = arguments.optional_number(
        "RequiredMinimumPollIntervalInSeconds",
        body.required_minimum_poll_interval_in_seconds,
        15..=86_400,
    );
    let client = arguments.optional_text("Yardarm-Client-Id", client.as_deref(), 1..=256);
    let (application, environment, profile, interval_s, client) =
        arguments.finish((application, environment, profile, interval_s, client))?;
    call.ensure_place(application, environment)?;
    let start = StartSession { application, environment, profile, interval_s, client };
    let token = call.node.start_session(&start).map_err(|refusal| session_fault(&refusal, &start))?;
    Answer::json(&StartConfigurationSessionResponse { initial_configuration_token: token })
}

fn session_fault(refusal: &SessionRefusal, start: &StartSession<'_>) -> Fault {
    let application = ("ApplicationIdentifier", start.application);
    let environment = ("EnvironmentIdentifier", start.environment);
    let profile = ("ConfigurationProfileIdentifier", start.profile);
    match refusal {
        SessionRefusal::NoApplication => {
            not_found("Application not found", ResourceType::Application, &[application])
        }
        SessionRefusal::NoProfile => {
            not_found("ConfigurationProfile not found", ResourceType::ConfigurationProfile, &[profile])
        }
        SessionRefusal::NoEnvironment => {
            not_found("Environment not found", ResourceType::Environment, &[environment])
        }
        SessionRefusal::NoDeployment | SessionRefusal::NoConfiguration => {
            not_found("Deployment not found", ResourceType::Deployment, &[environment, profile])
        }
        SessionRefusal::Token(problem) => token_fault(*problem),
        SessionRefusal::NotReady => Fault::internal("sessions cannot be sealed"),
    }
}

fn not_found(message: &str, kind: ResourceType, referenced_by: &[(&str, &str)]) -> Fault {
    let members: BTreeMap<String, String> =
        referenced_by.iter().map(|(member, value)| ((*member).into(), (*value).into())).collect();
    Fault::new(ErrorKind::ResourceNotFound, ErrorBody::not_referenced(message, kind, members))
}

fn token_fault(problem: TokenProblem) -> Fault {
    let (message, problem) = match problem {
        TokenProblem::Corrupted => ("Token not valid", InvalidParameterProblem::Corrupted),
        TokenProblem::Expired => ("Token expired", InvalidParameterProblem::Expired),
        // Clients match this text.
        TokenProblem::TooEarly => ("Request too early", InvalidParameterProblem::PollIntervalNotSatisfied),
    };
    Fault::new(ErrorKind::BadRequest, ErrorBody::invalid_parameter(message, "ConfigurationToken", problem))
}

pub(crate) async fn get_latest_configuration(call: Call) -> Result<Answer, Fault> {
    let token = call.queries("configuration_token").next();
    let mut arguments = Arguments::default();
    let token = arguments.text("ConfigurationToken", token.as_deref(), 1..=8_192);
    let token = arguments.finish(token)?;
    let client = polling_client(&call.headers);
    let latest = call.node.latest_for(client, token).map_err(|refusal| match refusal {
        SessionRefusal::Token(problem) => token_fault(problem),
        SessionRefusal::NotReady => Fault::internal("sessions cannot be sealed"),
        SessionRefusal::NoApplication
        | SessionRefusal::NoProfile
        | SessionRefusal::NoEnvironment
        | SessionRefusal::NoDeployment
        | SessionRefusal::NoConfiguration => {
            let referenced = [("ConfigurationToken", token)];
            not_found("Configuration not found", ResourceType::Configuration, &referenced)
        }
    })?;
    latest_answer(client, latest)
}

/// Agents say what they understand; everybody else gets what everybody understands.
fn polling_client(map: &HeaderMap) -> PollingClient {
    let is = |name: HeaderName, wanted: &[u8]| {
        map.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(wanted))
    };
    let decides = is(headers::X_YARDARM_ENTITY_ROLLOUT, b"1") && is(headers::IS_STICKY, b"true");
    PollingClient { form: accept::form(map), decides }
}

fn latest_answer(client: PollingClient, latest: Latest) -> Result<Answer, Fault> {
    let mut map = HeaderMap::with_capacity(8);
    map.insert(headers::NEXT_POLL_CONFIGURATION_TOKEN, value(latest.next_token.into())?);
    map.insert(headers::NEXT_POLL_INTERVAL_IN_SECONDS, HeaderValue::from(latest.poll_interval_s));
    if let Some(rollout) = latest.rollout {
        tell_rollout(&mut map, rollout)?;
    }
    let Some(version) = latest.version else {
        map.insert(CONTENT_TYPE, OCTETS);
        return Ok(Answer::raw(map, Bytes::new()));
    };
    let content_type = match latest.form {
        Form::Plain => value(version.content_type.clone())?,
        Form::Stored => STORED,
        Form::Ion => ION,
    };
    map.insert(CONTENT_TYPE, content_type);
    map.insert(headers::CONFIGURATION_VERSION, HeaderValue::from(version.version.0));
    if client.form != Form::Plain
        && let Some(at) = http_date(version.deployed_at)
    {
        map.insert(LAST_MODIFIED, at);
    }
    if !latest.changed {
        return Ok(Answer::raw(map, Bytes::new()));
    }
    if let Some(label) = &version.label {
        map.insert(headers::VERSION_LABEL, value(label.clone())?);
    }
    Ok(Answer::raw(map, version.bytes(latest.form).clone()))
}

/// Sent with unchanged answers too: the exposure may be what has changed.
fn tell_rollout(map: &mut HeaderMap, rollout: EntityRollout) -> Result<(), Fault> {
    let EntityRollout { application, environment, deployment, exposure, previous } = rollout;
    let name = format!("{application}/{environment}/{deployment}");
    map.insert(headers::X_YARDARM_DEPLOYMENT, value(name.into())?);
    map.insert(headers::X_YARDARM_EXPOSURE, HeaderValue::from(exposure.parts_per_million()));
    if let Some(previous) = previous {
        map.insert(headers::X_YARDARM_PREVIOUS, value(previous.into())?);
    }
    Ok(())
}

/// A header value without a copy.
fn value(bytes: Bytes) -> Result<HeaderValue, Fault> {
    HeaderValue::from_maybe_shared(bytes).map_err(Fault::internal)
}

/// The deprecated read: no session, no token; the client names itself and the version it has.
pub(crate) async fn get_configuration(call: Call) -> Result<Answer, Fault> {
    let client_id = call.query("client_id");
    let has = call.query("client_configuration_version");
    let mut arguments = Arguments::default();
    let client = arguments.text("ClientId", client_id.as_deref(), 1..=64);
    let has = arguments.optional_text("ClientConfigurationVersion", has.as_deref(), 1..=1_024);
    let (client, has) = arguments.finish((client, has))?;
    let start = StartSession {
        application: call.label("Application"),
        environment: call.label("Environment"),
        profile: call.label("Configuration"),
        interval_s: None,
        client: None,
    };
    call.ensure_place(start.application, start.environment)?;
    let reading = call
        .node
        .read_configuration(start.application, start.environment, start.profile, Some(client))
        .map_err(|refusal| session_fault(&refusal, &start))?;
    let Some(version) = reading.version else {
        return Ok(Answer::raw(HeaderMap::from_iter([(CONTENT_TYPE, OCTETS)]), Bytes::new()));
    };
    configuration_answer(&version, has)
}

fn configuration_answer(version: &Arc<ServedVersion>, has: Option<&str>) -> Result<Answer, Fault> {
    if version.kind == ProfileType::FeatureFlags {
        let message = "Feature flag configurations must be accessed via AWS AppConfig Data's GetLatestConfiguration API.";
        return Err(Fault::bad_request(message));
    }
    let mut map = HeaderMap::with_capacity(4);
    map.insert(CONTENT_TYPE, value(version.content_type.clone())?);
    map.insert(headers::CONFIGURATION_VERSION, HeaderValue::from(version.version.0));
    let current = has.is_some_and(|has| has == version.version.to_string());
    let body = if current { Bytes::new() } else { version.body.clone() };
    Ok(Answer::raw(map, body))
}

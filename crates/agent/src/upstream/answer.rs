//! What a data plane answers, taken apart. Pure: status, headers and body in, meaning out.

use crate::held::DeploymentName;
use crate::trouble::Trouble;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::time::Duration;
use yardarm_flags::Exposure;

/// An answer to a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Polled {
    /// What to poll with next.
    pub(super) next_token: String,
    /// How long upstream wants us to wait.
    pub(super) interval: Option<Duration>,
    /// What is new; `None` if nothing is.
    pub(super) content: Option<RawContent>,
    /// The deployment on its way.
    pub(super) rollout: Option<RawRollout>,
}

/// Content as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawContent {
    pub(super) body: Bytes,
    pub(super) content_type: String,
    pub(super) version: Option<String>,
    pub(super) label: Option<String>,
}

/// A deployment on its way, as a Yardarm server tells those who decide themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawRollout {
    pub(super) deployment: DeploymentName,
    pub(super) exposure: Exposure,
    /// The token that stands for the previous version, if there is one.
    pub(super) previous: Option<String>,
}

/// What an error says, in the shape of the AWS planes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ErrorBody {
    #[serde(alias = "message")]
    message: Option<String>,
    resource_type: Option<String>,
    details: Option<ErrorDetails>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ErrorDetails {
    invalid_parameters: std::collections::BTreeMap<String, ErrorDetail>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ErrorDetail {
    problem: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Started {
    initial_configuration_token: String,
}

/// The first token of a session.
pub(super) fn read_start(status: StatusCode, body: &[u8]) -> Result<String, Trouble> {
    if !status.is_success() {
        return Err(refusal(status, body));
    }
    let started: Started = serde_json::from_slice(body)
        .map_err(|_| Trouble::Unusable("no token in the answer of StartConfigurationSession".into()))?;
    Ok(started.initial_configuration_token)
}

/// The answer to a poll.
pub(super) fn read_poll(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Result<Polled, Trouble> {
    if !status.is_success() {
        return Err(match refusal(status, &body) {
            Trouble::BadRequest(message) => Trouble::SessionEnded(message),
            other => other,
        });
    }
    let text = |name: &str| headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let next_token = text("next-poll-configuration-token")
        .ok_or_else(|| Trouble::Unusable("the answer has no Next-Poll-Configuration-Token".into()))?;
    let interval = text("next-poll-interval-in-seconds").and_then(|seconds| seconds.parse().ok());
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content = (!body.is_empty()).then(|| RawContent {
        content_type: content_type.unwrap_or("application/octet-stream").into(),
        version: text("configuration-version").map(Into::into),
        label: text("version-label").map(Into::into),
        body,
    });
    Ok(Polled {
        next_token: next_token.into(),
        interval: interval.map(Duration::from_secs),
        content,
        rollout: rollout(text)?,
    })
}

fn rollout<'h>(text: impl Fn(&'static str) -> Option<&'h str>) -> Result<Option<RawRollout>, Trouble> {
    let Some(deployment) = text("x-yardarm-deployment") else { return Ok(None) };
    let unusable = || Trouble::Unusable("headers of a deployment that mean nothing".into());
    let exposure = text("x-yardarm-exposure").and_then(|exposure| exposure.parse().ok());
    Ok(Some(RawRollout {
        deployment: DeploymentName::parse(deployment).ok_or_else(unusable)?,
        exposure: exposure.and_then(Exposure::from_parts_per_million).ok_or_else(unusable)?,
        previous: text("x-yardarm-previous").map(Into::into),
    }))
}

fn refusal(status: StatusCode, body: &[u8]) -> Trouble {
    let error: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let told = error.message.filter(|message| !message.is_empty());
    let message = told.unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").into());
    let problems = error.details.unwrap_or_default().invalid_parameters;
    let early = problems.values().any(|detail| detail.problem.as_deref() == Some("PollIntervalNotSatisfied"));
    match status {
        StatusCode::NOT_FOUND => Trouble::NotFound { message, resource_type: error.resource_type },
        StatusCode::BAD_REQUEST if early => Trouble::TooEarly,
        StatusCode::BAD_REQUEST => Trouble::BadRequest(message),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble::Refused(message),
        _ => Trouble::Failed { status: status.as_u16(), message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    const TOKEN: (&str, &str) = ("next-poll-configuration-token", "t2");

    fn ok(more: &[(&'static str, &'static str)], body: &'static str) -> Result<Polled, Trouble> {
        let all = [&[TOKEN][..], more].concat();
        read_poll(StatusCode::OK, &headers(&all), Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn an_answer_of_aws_is_read() {
        let more = [
            ("next-poll-interval-in-seconds", "60"),
            ("content-type", "text/plain"),
            ("version-label", "v1"),
        ];
        let polled = ok(&more, "hello").unwrap();
        assert_eq!((polled.next_token.as_str(), polled.interval), ("t2", Some(Duration::from_secs(60))));
        let content = polled.content.unwrap();
        assert_eq!((content.content_type.as_str(), content.label.as_deref()), ("text/plain", Some("v1")));
        assert_eq!((content.version, polled.rollout), (None, None));
    }

    #[test]
    fn an_empty_body_is_nothing_new() {
        assert_eq!(ok(&[("content-type", "text/plain")], "").unwrap().content, None);
    }

    #[test]
    fn a_deployment_on_its_way_is_read() {
        let told = [
            ("x-yardarm-deployment", "a/b/3"),
            ("x-yardarm-exposure", "250000"),
            ("x-yardarm-previous", "p"),
        ];
        let rollout = ok(&told, "x").unwrap().rollout.unwrap();
        assert_eq!(rollout.deployment, DeploymentName::new("a", "b", 3));
        assert_eq!((rollout.exposure.parts_per_million(), rollout.previous.as_deref()), (250_000, Some("p")));
        for bad in ["1000001", "-1", "x", ""] {
            let headers = [("x-yardarm-deployment", "a/b/3"), ("x-yardarm-exposure", bad)];
            assert!(matches!(ok(&headers, "x"), Err(Trouble::Unusable(_))), "{bad}");
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let early = r#"{"Message":"Request too early","Details":{"InvalidParameters":{"ConfigurationToken":{"Problem":"PollIntervalNotSatisfied"}}}}"#;
        let corrupted = r#"{"Message":"Token not valid","Details":{"InvalidParameters":{"ConfigurationToken":{"Problem":"Corrupted"}}}}"#;
        let missing = r#"{"Message":"Deployment not found","ResourceType":"Deployment"}"#;
        let poll = |status, body: &'static str| {
            let body = Bytes::from_static(body.as_bytes());
            read_poll(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body).unwrap_err()
        };
        assert_eq!(poll(400, early), Trouble::TooEarly);
        assert_eq!(poll(400, corrupted), Trouble::SessionEnded("Token not valid".into()));
        assert_eq!(
            poll(404, missing),
            Trouble::NotFound {
                message: "Deployment not found".into(),
                resource_type: Some("Deployment".into())
            }
        );
        assert_eq!(poll(403, r#"{"message":"no"}"#), Trouble::Refused("no".into()));
        assert_eq!(
            poll(503, "<html>"),
            Trouble::Failed { status: 503, message: "Service Unavailable".into() }
        );
        assert_eq!(poll(429, "{}"), Trouble::Failed { status: 429, message: "Too Many Requests".into() });
        assert_eq!(
            read_start(StatusCode::BAD_REQUEST, b"{}"),
            Err(Trouble::BadRequest("Bad Request".into()))
        );
    }

    #[test]
    fn answers_without_a_token_cannot_be_used() {
        let read = read_poll(StatusCode::OK, &HeaderMap::new(), Bytes::new());
        assert!(matches!(read, Err(Trouble::Unusable(_))));
        assert!(matches!(read_start(StatusCode::CREATED, b"{}"), Err(Trouble::Unusable(_))));
        let started = read_start(StatusCode::CREATED, br#"{"InitialConfigurationToken":"t1"}"#);
        assert_eq!(started, Ok("t1".into()));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 100_u16..=999, body: Vec<u8>, value in "[ -~]{0,20}") {
            let status = StatusCode::from_u16(status).unwrap();
            let names = ["next-poll-configuration-token", "x-yardarm-deployment", "x-yardarm-exposure"];
            let all = names.iter().map(|name| (name.parse().unwrap(), value.parse().unwrap())).collect();
            let _ = (read_poll(status, &all, body.clone().into()), read_start(status, &body));
        }
    }
}

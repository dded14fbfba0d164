//! Prometheus and CloudWatch, asked over HTTP.

use crate::{Nonsense, cloudwatch, prometheus};
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use std::time::Duration;
use yardarm_domain::{AlarmSource, CloudWatchAlarm, PrometheusAlarm};
use yardarm_node::{AlarmSources, Clock, Heard, NotHeard};
use yardarm_outbound::{Call, Outbound, OutboundError, Policy, Settings, Target};
use yardarm_signature::{RequestToSign, SecretKey, Signer};
use zeroize::Zeroizing;

/// The longest answer that is read, bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// How long a question may take; the watcher has a bound of its own.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// What CloudWatch is asked with.
#[derive(Clone)]
pub struct CloudWatchKeys {
    /// The access key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Zeroizing<String>,
    /// The token of a temporary key.
    pub session_token: Option<Zeroizing<String>>,
}

/// Asks over HTTP.
pub struct HttpSources {
    outbound: Outbound,
    keys: Option<CloudWatchKeys>,
    cloudwatch: Option<String>,
    clock: Arc<dyn Clock>,
}

impl HttpSources {
    /// Sources that the operator names, so internal ones too. Without `keys`, CloudWatch is not asked; `cloudwatch` is
    /// where it is asked instead of AWS.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(
        keys: Option<CloudWatchKeys>,
        cloudwatch: Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OutboundError> {
        Ok(Self { outbound: Outbound::new(&Settings::new(Policy::internal()))?, keys, cloudwatch, clock })
    }

    async fn send(
        &self,
        method: Method,
        target: &Target,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Response<Bytes>, NotHeard> {
        let call =
            Call { method: &method, target, headers, body, time: ANSWER_TIME, answer_bytes: MOST_BYTES };
        self.outbound.send(call).await.map_err(|error| match error {
            OutboundError::TooLarge(_) => NotHeard::Garbage(error.to_string()),
            _ => NotHeard::NoAnswer(error.to_string()),
        })
    }

    async fn prometheus(&self, alarm: &PrometheusAlarm) -> Result<Heard, NotHeard> {
        let query = utf8_percent_encode(alarm.query.as_str(), NON_ALPHANUMERIC);
        let target = target(alarm.url.as_str())?
            .below(&format!("/api/v1/query?query={query}"))
            .map_err(|error| NotHeard::NoAnswer(error.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.send(Method::GET, &target, &headers, &Bytes::new()).await?;
        let told = prometheus::refusal(answer.body());
        expect_ok(answer.status(), told)?;
        prometheus::read(alarm, answer.body()).map_err(garbage)
    }

    async fn cloudwatch(&self, alarm: &CloudWatchAlarm) -> Result<Heard, NotHeard> {
        let Some(keys) = &self.keys else {
            let text = "the server has no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            return Err(NotHeard::NoAnswer(text.into()));
        };
        let endpoint = alarm.endpoint.as_ref().map(ToString::to_string);
        let url = match endpoint.or_else(|| self.cloudwatch.clone()) {
            Some(endpoint) => endpoint,
            None => format!("https://monitoring.{}.{}", alarm.region, domain_of(alarm.region.as_str())),
        };
        let target = target(&url)?.below("/").map_err(|error| NotHeard::NoAnswer(error.to_string()))?;
        let body = Bytes::from(cloudwatch::question(alarm));
        let headers = signed(keys, alarm.region.as_str(), &target, &body, self.clock.now())?;
        let answer = self.send(Method::POST, &target, &headers, &body).await?;
        let told = cloudwatch::refusal(answer.body()).filter(|_| !answer.status().is_success());
        expect_ok(answer.status(), told)?;
        cloudwatch::read(alarm, answer.body()).map_err(garbage)
    }
}

#[async_trait]
impl AlarmSources for HttpSources {
    async fn ask(&self, source: &AlarmSource) -> Result<Heard, NotHeard> {
        match source {
            AlarmSource::Prometheus(alarm) => self.prometheus(alarm).await,
            AlarmSource::CloudWatch(alarm) => self.cloudwatch(alarm).await,
            AlarmSource::Pushed => Err(NotHeard::NoAnswer("it is not asked: it tells by itself".into())),
        }
    }
}

fn garbage(nonsense: Nonsense) -> NotHeard {
    NotHeard::Garbage(nonsense.0)
}

fn target(url: &str) -> Result<Target, NotHeard> {
    url.parse().map_err(|error: yardarm_outbound::InvalidTarget| NotHeard::NoAnswer(error.to_string()))
}

/// The domain of a region's services.
fn domain_of(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

fn expect_ok(status: StatusCode, told: Option<String>) -> Result<(), NotHeard> {
    if status.is_success() {
        return Ok(());
    }
    let told = told.filter(|told| !told.is_empty()).map(|told| format!(": {told}")).unwrap_or_default();
    Err(NotHeard::NoAnswer(format!("it answers {status}{told}")))
}

fn signed(
    keys: &CloudWatchKeys,
    region: &str,
    target: &Target,
    body: &Bytes,
    now: Timestamp,
) -> Result<HeaderMap, NotHeard> {
    let host = target.uri().authority().map_or("", |authority| authority.as_str());
    let secret = SecretKey::new(&keys.secret_access_key);
    let mut signer = Signer::new(&keys.access_key_id, secret, region, "monitoring");
    if let Some(token) = &keys.session_token {
        signer = signer.with_session_token(token);
    }
    let request = RequestToSign { method: &Method::POST, host, path: "/", query: "", body };
    let added = signer.sign(&request, now).map_err(|error| NotHeard::NoAnswer(error.to_string()))?;
    let mut headers = HeaderMap::from_iter(added);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(cloudwatch::CONTENT_TYPE));
    headers.insert(HeaderName::from_static("x-amz-target"), HeaderValue::from_static(cloudwatch::TARGET));
    if let Ok(host) = HeaderValue::from_str(host) {
        headers.insert(HOST, host);
    }
    Ok(headers)
}

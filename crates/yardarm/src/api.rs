//! Talking to a running server from the command line: signed requests to the native API.

use crate::commands::Failure;
use crate::environment;
use http::Method;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use yardarm_node::{Clock, SystemClock};
use yardarm_signature::{RequestToSign, SecretKey, Signer};

/// A server, and whom to sign as.
pub(crate) struct Api {
    agent: ureq::Agent,
    url: http::Uri,
    signer: Signer,
}

/// What a server answers when it refuses.
#[derive(Deserialize)]
struct Refusal {
    #[serde(alias = "Message")]
    detail: Option<String>,
}

impl Api {
    /// From `YARDARM_URL` and the usual AWS credential variables. Towards a server on this machine the development key
    /// is tried when there are none.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        let url = environment::variable("YARDARM_URL").unwrap_or_else(|| "http://127.0.0.1:4770".into());
        let uri: http::Uri =
            url.parse().map_err(|_| Failure::usage(format!("YARDARM_URL `{url}` is no URL")))?;
        let host = uri.host().unwrap_or_default().to_owned();
        if host.is_empty() {
            return Err(Failure::usage(format!("YARDARM_URL `{url}` names no host")));
        }
        let id = environment::variable("AWS_ACCESS_KEY_ID");
        let secret = environment::secret("AWS_SECRET_ACCESS_KEY");
        let local = matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]");
        let (id, secret) = match (id, secret) {
            (Some(id), Some(secret)) => (id, SecretKey::new(&secret)),
            (None, None) if local => ("yardarm".into(), SecretKey::new("yardarm-dev-secret")),
            _ => {
                let text = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to an access key of the server";
                return Err(Failure::usage(text));
            }
        };
        let region = environment::variable("AWS_REGION")
            .or_else(|| environment::variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| "us-east-1".into());
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build();
        Ok(Self { agent: config.into(), url: uri, signer: Signer::new(&id, secret, &region, "appconfig") })
    }

    /// Sends a request and reads its JSON answer.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let text = self.send(method, path, body)?;
        serde_json::from_str(&text).map_err(|error| Failure::failed(format!("the server's answer: {error}")))
    }

    /// Sends a request whose answer has no body.
    pub(crate) fn tell(&self, method: Method, path: &str) -> Result<(), Failure> {
        self.send(method, path, None::<&()>).map(|_| ())
    }

    fn send(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<String, Failure> {
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| Failure::failed(error.to_string()))?,
            None => vec![],
        };
        let authority = self.url.authority().map(ToString::to_string).unwrap_or_default();
        let wanted = RequestToSign { method: &method, host: &authority, path, query: "", body: &body };
        let now: Timestamp = SystemClock.now();
        let signed = self.signer.sign(&wanted, now).map_err(|error| Failure::usage(error.to_string()))?;
        let scheme = self.url.scheme_str().unwrap_or("http");
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{scheme}://{authority}{path}"))
            .header("content-type", "application/json");
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let request = request.body(body).map_err(|error| Failure::usage(error.to_string()))?;
        let url = &self.url;
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| Failure::failed(format!("{url} does not answer: {error}")))?;
        let status = response.status();
        let text =
            response.body_mut().read_to_string().map_err(|error| Failure::failed(error.to_string()))?;
        if status.is_success() {
            return Ok(text);
        }
        let told = serde_json::from_str::<Refusal>(&text).ok().and_then(|refusal| refusal.detail);
        Err(Failure::failed(told.unwrap_or_else(|| format!("{url} answered {status}"))))
    }
}

//! Talking to a running server from the command line: signed requests.

use crate::commands::Failure;
use crate::environment;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::runtime::Runtime;
use yardarm_client::{ApiError, ApiRequest, Credentials, HttpClient, HttpSettings, Server, ServerUrl};
use yardarm_wire::headers;

/// How long a request may take.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// The header that says why, if somebody does.
///
/// # Errors
/// A header cannot carry it.
pub(crate) fn why(reason: Option<&str>) -> Result<Option<(HeaderName, HeaderValue)>, Failure> {
    let value = reason.map(|reason| HeaderValue::from_bytes(reason.as_bytes())).transpose();
    let bad = |_| Failure::usage("a reason is one line of text without control characters");
    Ok(value.map_err(bad)?.map(|value| (headers::YARDARM_REASON, value)))
}

/// A server, and whom to sign as.
pub(crate) struct Api {
    server: Server,
    signs: bool,
    runtime: Runtime,
}

impl Api {
    /// From `YARDARM_URL`, and the usual AWS credential variables or `YARDARM_TOKEN`. Towards a server on this machine the
    /// development key is tried when there are none.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        let url = environment::variable("YARDARM_URL").unwrap_or_else(|| "http://127.0.0.1:4770".into());
        let url: ServerUrl = url.parse().map_err(|error| Failure::usage(format!("YARDARM_URL: {error}")))?;
        let id = environment::variable("AWS_ACCESS_KEY_ID");
        let secret = environment::secret("AWS_SECRET_ACCESS_KEY");
        let region = environment::variable("AWS_REGION")
            .or_else(|| environment::variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| "us-east-1".into());
        let credentials = match (id, secret, environment::secret("YARDARM_TOKEN")) {
            (Some(id), Some(secret), _) => Credentials::signature(&id, &secret, &region),
            (None, None, Some(token)) => Credentials::token(&token)
                .ok_or_else(|| Failure::usage("YARDARM_TOKEN holds characters that no token has"))?,
            (None, None, None) if url.is_local() => {
                Credentials::signature("yardarm", "yardarm-dev-secret", &region)
            }
            _ => {
                let text = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to an access key of the server";
                return Err(Failure::usage(text));
            }
        };
        let signs = matches!(credentials, Credentials::Signature(_));
        let http =
            HttpClient::new(&HttpSettings::default()).map_err(|error| Failure::failed(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::failed(format!("the runtime cannot start: {error}")))?;
        Ok(Self { server: Server::new(http, url, credentials), signs, runtime })
    }

    /// Whether requests are signed. A token is good for reading what is deployed, and nothing else.
    pub(crate) fn signs(&self) -> bool {
        self.signs
    }

    /// Sends a request and reads its JSON answer.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        Ok(self.runtime.block_on(self.server.call(method, path, body))?)
    }

    /// As [`Self::call`], for those who look at why a request was refused.
    pub(crate) fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ApiError> {
        self.runtime.block_on(self.server.call(method, target, body))
    }

    /// Sends bytes, and answers bytes and headers.
    pub(crate) fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response<Bytes>, ApiError> {
        let request = ApiRequest { method: &method, target, headers, body: &body, time: REQUEST_TIME };
        self.runtime.block_on(self.server.send(&request))
    }

    /// As [`Self::ask`], with headers of its own beside the body, which is JSON already, or nothing.
    pub(crate) fn ask_about<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<T, ApiError> {
        let answer = self.send(method, target, headers, body)?;
        serde_json::from_slice(answer.body()).map_err(ApiError::Answer)
    }

    /// Sends a request whose answer has no body.
    pub(crate) fn tell(&self, method: Method, path: &str) -> Result<(), Failure> {
        Ok(self.runtime.block_on(self.server.tell(method, path))?)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Target(_) | ApiError::Sign(_) => Self::usage(error.to_string()),
            _ => Self::failed(error.to_string()),
        }
    }
}

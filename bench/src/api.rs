//! Calls that prepare a measurement: signed, one at a time, over one connection.

use crate::http::Head;
use anyhow::{Context, bail};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use yardarm_signature::{RequestToSign, SecretKey, Signer};

/// The key pair that every server under test is started with.
pub(crate) const ACCESS_KEY_ID: &str = "AKIAYARDARMBENCH0001";
/// Its secret half; it protects nothing.
pub(crate) const SECRET_ACCESS_KEY: &str = "bench/wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAM";
/// The region that requests are signed for.
pub(crate) const REGION: &str = "us-east-1";

/// Makes signed requests, as bytes.
#[derive(Debug)]
pub(crate) struct Maker {
    signer: Signer,
    host: String,
}

/// A request before it is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsigned<'a> {
    /// The method.
    pub(crate) method: &'a Method,
    /// The path.
    pub(crate) path: &'a str,
    /// The query; empty for none.
    pub(crate) query: &'a str,
    /// The body's type, for requests that have one.
    pub(crate) content_type: Option<&'a str>,
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Maker {
    /// For the server at `address`.
    pub(crate) fn new(address: SocketAddr) -> Self {
        let signer = Signer::new(ACCESS_KEY_ID, SecretKey::new(SECRET_ACCESS_KEY), REGION, "appconfig");
        Self { signer, host: address.to_string() }
    }

    /// The request with the headers that AWS's SDK for Python sends.
    pub(crate) fn bytes(&self, request: &Unsigned<'_>) -> anyhow::Result<Vec<u8>> {
        let Unsigned { method, path, query, content_type, body } = *request;
        #[expect(clippy::disallowed_methods, reason = "requests are signed when they are made")]
        let now = Timestamp::now();
        let signed = self.signer.sign(&RequestToSign { method, host: &self.host, path, query, body }, now)?;
        let mark = if query.is_empty() { "" } else { "?" };
        let mut bytes = vec![];
        write!(bytes, "{method} {path}{mark}{query} HTTP/1.1\r\nHost: {}\r\n", self.host)?;
        write!(bytes, "Accept-Encoding: identity\r\n")?;
        write!(
            bytes,
            "User-Agent: Boto3/1.41.2 md/Botocore#1.41.2 ua/2.1 os/linux#6.12 md/arch#x86_64 lang/python#3.13.5 \
             md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.41.2\r\n"
        )?;
        if let Some(content_type) = content_type {
            write!(bytes, "Content-Type: {content_type}\r\n")?;
        }
        for (name, value) in signed {
            write!(bytes, "{name}: ")?;
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        write!(bytes, "amz-sdk-invocation-id: 2f6d1b2e-3f0f-4a9b-8d0e-5a8a0c6d7e11\r\n")?;
        write!(bytes, "amz-sdk-request: attempt=1\r\n")?;
        if !body.is_empty() {
            write!(bytes, "Content-Length: {}\r\n", body.len())?;
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        Ok(bytes)
    }
}

/// A connection for preparations.
#[derive(Debug)]
pub(crate) struct Api {
    stream: TcpStream,
    maker: Maker,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its head.
    pub(crate) head: Head,
    /// All of its bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The body.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(self.head.body_at..).unwrap_or_default()
    }

    /// The next configuration token.
    pub(crate) fn token(&self) -> &str {
        let (at, length) = self.head.token;
        let token = self.bytes.get(at..at.saturating_add(length)).unwrap_or_default();
        std::str::from_utf8(token).unwrap_or_default()
    }

    /// A text of the JSON body.
    pub(crate) fn text(&self, member: &str) -> anyhow::Result<String> {
        let value: Value = serde_json::from_slice(self.body())?;
        Ok(value.get(member).and_then(Value::as_str).with_context(|| format!("no {member}"))?.to_owned())
    }
}

impl Api {
    /// Connects to a server.
    pub(crate) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self { stream, maker: Maker::new(address) })
    }

    /// Sends `request` and reads its answer, whatever that is.
    pub(crate) fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.write(request)?;
        self.read()
    }

    /// Sends `request`.
    pub(crate) fn write(&mut self, request: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(request)?)
    }

    /// Reads an answer.
    pub(crate) fn read(&mut self) -> anyhow::Result<Answer> {
        let mut bytes = vec![];
        let mut room = vec![0; 64 * 1024];
        loop {
            let read = self.stream.read(&mut room)?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            bytes.extend_from_slice(room.get(..read).unwrap_or_default());
            if let Some(head) = Head::read(&bytes)?.filter(|head| bytes.len() >= head.total()) {
                return Ok(Answer { head, bytes });
            }
        }
    }

    /// Makes a call that must succeed.
    pub(crate) fn call(&mut self, request: &Unsigned<'_>) -> anyhow::Result<Answer> {
        let answer = self.send(&self.maker.bytes(request)?)?;
        if answer.head.status >= 300 {
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            bail!("{} {}: {text}", request.method, request.path);
        }
        Ok(answer)
    }

    /// Posts JSON.
    pub(crate) fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let body = serde_json::to_vec(body)?;
        let content_type = Some("application/json");
        self.call(&Unsigned { method: &Method::POST, path, query: "", content_type, body: &body })
    }

    /// Makes an application, environment and profile, and deploys `content` there. Answers how to start a session.
    pub(crate) fn deploy(&mut self, content: &[u8]) -> anyhow::Result<Value> {
        self.deploy_as("AWS.Freeform", content)
    }

    /// The same, in a profile of this type.
    pub(crate) fn deploy_as(&mut self, kind: &str, content: &[u8]) -> anyhow::Result<Value> {
        let application = self.post("/applications", &json!({ "Name": "shop" }))?.text("Id")?;
        let inside = format!("/applications/{application}");
        let environment = self.post(&format!("{inside}/environments"), &json!({ "Name": "production" }))?;
        let environment = environment.text("Id")?;
        let profile = json!({ "Name": "settings", "LocationUri": "hosted", "Type": kind });
        let profile = self.post(&format!("{inside}/configurationprofiles"), &profile)?.text("Id")?;
        self.call(&Unsigned {
            method: &Method::POST,
            path: &format!("{inside}/configurationprofiles/{profile}/hostedconfigurationversions"),
            query: "",
            content_type: Some("application/json"),
            body: content,
        })?;
        let strategy = json!({
            "Name": "at-once",
            "DeploymentDurationInMinutes": 0,
            "FinalBakeTimeInMinutes": 0,
            "GrowthFactor": 100,
            "ReplicateTo": "NONE",
        });
        let strategy = self.post("/deploymentstrategies", &strategy)?.text("Id")?;
        let deployment = json!({
            "ConfigurationProfileId": profile,
            "ConfigurationVersion": "1",
            "DeploymentStrategyId": strategy,
        });
        self.post(&format!("{inside}/environments/{environment}/deployments"), &deployment)?;
        Ok(json!({
            "ApplicationIdentifier": application,
            "EnvironmentIdentifier": environment,
            "ConfigurationProfileIdentifier": profile,
        }))
    }

    /// Makes a bearer token for the environment that [`Api::deploy`] made. Answers its text.
    pub(crate) fn bearer_token(&mut self) -> anyhow::Result<String> {
        let token = json!({ "name": "bench", "application": "shop", "environment": "production" });
        self.post("/yardarm/v1/tokens", &token)?.text("token")
    }

    /// Starts a session. Answers its initial token.
    pub(crate) fn start_session(&mut self, session: &Value) -> anyhow::Result<String> {
        self.post("/configurationsessions", session)?.text("InitialConfigurationToken")
    }

    /// Polls with a token.
    pub(crate) fn poll(&mut self, token: &str) -> anyhow::Result<Answer> {
        let query = format!("configuration_token={token}");
        self.call(&poll_request(&query))
    }
}

/// `GetLatestConfiguration` with `query`.
pub(crate) fn poll_request(query: &str) -> Unsigned<'_> {
    Unsigned { method: &Method::GET, path: "/configuration", query, content_type: None, body: b"" }
}

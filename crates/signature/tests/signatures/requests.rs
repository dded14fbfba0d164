//! Requests, what they are judged under, and AWS's own signer.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
    },
    sign::v4,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use yardarm_signature::{
    BodyDigest, CanonicalPath, Credential, Expected, Form, SecretKey, SignatureError, SignedRequest,
};

pub(crate) const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const SESSION_TOKEN: &str = "a/session+token==";
pub(crate) const HOST: &str = "127.0.0.1:4770";

/// What a server is asked, as it arrives.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(path: &str, query: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static(HOST))]),
            body: Vec::new(),
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn parse(&self) -> Result<Option<SignedRequest<'_>>, SignatureError> {
        SignedRequest::parse(&self.method, &self.path, &self.query, &self.headers)
    }

    /// The request as AWS's signer for Rust sends it, signed under `context`.
    pub(crate) fn signed_by_aws(mut self, context: &Context, how: AwsSigner) -> Self {
        let token = how.session_token.then(|| SESSION_TOKEN.to_owned());
        let identity = Credentials::new(ACCESS_KEY_ID, &context.secret, token, None, "test").into();
        let mut settings = SigningSettings::default();
        if how.sends_body_digest {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if let Form::Presigned { expires_seconds } = how.form {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(expires_seconds.into()));
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&context.region)
            .name(&context.service)
            .time(SystemTime::from(context.now))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let separator = if self.query.is_empty() { "" } else { "?" };
        let uri = format!("http://{HOST}{}{separator}{}", self.path, self.query);
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let body = SignableBody::Bytes(&self.body);
        let signable = SignableRequest::new(self.method.as_str(), uri, headers, body).unwrap();
        let (headers, query) = sign(signable, &params).unwrap().into_parts().0.into_parts();
        for header in headers {
            self.headers.insert(HeaderName::from_static(header.name()), header.value().parse().unwrap());
        }
        for (name, value) in query {
            let separator = if self.query.is_empty() { "" } else { "&" };
            self.query
                .push_str(&format!("{separator}{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)));
        }
        self
    }
}

/// How AWS's signer is told to sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AwsSigner {
    pub(crate) form: Form,
    pub(crate) session_token: bool,
    pub(crate) sends_body_digest: bool,
}

impl AwsSigner {
    pub(crate) const HEADER: Self =
        Self { form: Form::Header, session_token: false, sends_body_digest: false };

    pub(crate) const fn presigned(expires_seconds: u32) -> Self {
        Self { form: Form::Presigned { expires_seconds }, ..Self::HEADER }
    }
}

/// The server's side: what it knows and what time it is.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) secret: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) now: Timestamp,
    pub(crate) path: CanonicalPath,
}

impl Context {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self {
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            region: "us-east-1".into(),
            service: "appconfig".into(),
            now,
            path: CanonicalPath::Normalized,
        }
    }

    pub(crate) fn verdict(&self, request: &Request) -> Result<(), SignatureError> {
        let signed = request.parse()?.expect("the request is signed");
        let credential = Credential::new(SecretKey::new(&self.secret));
        let expected = Expected { path: self.path, ..Expected::new(&self.region, &self.service) };
        signed.verify(&credential, &BodyDigest::of(&request.body), self.now, &expected)
    }
}

//! Who sent a request: AWS Signature Version 4, checked against the node's access keys.

use crate::fault::Fault;
use crate::pace::Payer;
use crate::settings::Authentication;
use bytes::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use std::sync::Arc;
use yardarm_domain::{AlarmArn, BearerToken, TokenScope};
use yardarm_node::{AccessSecret, Node};
use yardarm_signature::{
    BodyDigest, Credential, Expected, SecretKey, SignatureError, SignatureErrorKind, SignedRequest,
    normalize_path,
};
use yardarm_wire::errors::ErrorKind;

/// The signing name of both AWS planes.
const SERVICE: &str = "appconfig";

/// The key pair that works in development mode, and is stored nowhere.
pub(crate) const DEV_ACCESS_KEY_ID: &str = "yardarm";
pub(crate) const DEV_SECRET: &str = "yardarm-dev-secret";

/// Checks signatures.
pub(crate) struct Authenticator {
    mode: Authentication,
    dev: Option<Credential>,
}

/// What every bearer token begins with.
const TOKEN_PREFIX: &str = "ydm_";

/// What every alarm's secret begins with.
const SECRET_PREFIX: &str = "yda_";

/// What a credential has to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anything: only a signature is.
    Everything,
    /// Reading deployed configuration: a bearer token of that scope is, in its own environment.
    Reading,
    /// Telling what an alarm says: that alarm's secret is.
    Reporting,
}

/// A request whose sender has named a credential that exists, and may have yet to prove that it is theirs.
pub(crate) struct Claim<'r>(Who<'r>);

#[expect(
    clippy::large_enum_variant,
    reason = "nearly all requests are signed, and a box is one more allocation for each"
)]
enum Who<'r> {
    /// Nobody is asked.
    Anybody,
    Signer(SignedRequest<'r>, Key<'r>),
    Bearer(Arc<BearerToken>),
    Alarm(AlarmArn),
}

/// Who has sent a request.
pub(crate) enum Sender {
    /// Nobody was asked.
    Anybody,
    /// Somebody who knows the pair that works in development mode.
    Developer,
    /// The holder of an access key.
    AccessKey(Arc<AccessSecret>),
    /// The bearer of a token.
    Bearer(Arc<BearerToken>),
    /// Whoever shows the secret of this alarm.
    Alarm(AlarmArn),
}

impl Sender {
    /// For the log: an access key's id, or a token's.
    pub(crate) fn actor(&self) -> String {
        match self {
            Self::Anybody => "anonymous".into(),
            Self::Developer => DEV_ACCESS_KEY_ID.into(),
            Self::AccessKey(key) => key.id().to_string(),
            Self::Bearer(token) => format!("token:{}", token.id),
            Self::Alarm(alarm) => format!("alarm:{alarm}"),
        }
    }

    /// Whether what was shown is good at this moment: it may have been revoked, or have expired, since it was.
    pub(crate) fn is_still_good(&self, node: &Node) -> bool {
        match self {
            Self::Anybody | Self::Developer => true,
            Self::AccessKey(key) => node.access_secret(key.id().as_str()).is_some(),
            Self::Bearer(token) => {
                let view = node.view();
                let known = view.world.bearer_tokens().get(&token.id);
                known.is_some_and(|token| !token.is_expired(node.now()))
            }
            Self::Alarm(alarm) => node.view().world.alarms().contains_key(alarm),
        }
    }

    /// Whose requests this one is counted with. `None`: those of its address.
    pub(crate) fn payer(&self) -> Option<Payer<'_>> {
        match self {
            // Whoever reports alarms has no name of their own.
            Self::Anybody | Self::Alarm(_) => None,
            Self::Developer => Some(Payer::AccessKey(DEV_ACCESS_KEY_ID)),
            Self::AccessKey(key) => Some(Payer::AccessKey(key.id().as_str())),
            Self::Bearer(token) => Some(Payer::Token(token.id.as_str())),
        }
    }
}

/// What a signature is checked with.
enum Key<'a> {
    Dev(&'a Credential),
    Stored(Arc<AccessSecret>),
}

impl Authenticator {
    pub(crate) fn new(mode: Authentication, dev: bool) -> Self {
        Self { mode, dev: dev.then(|| Credential::new(SecretKey::new(DEV_SECRET))) }
    }

    /// Who says to have sent the request. Refuses strangers before their body is read.
    pub(crate) fn claim<'r>(
        &'r self,
        node: &Node,
        parts: &'r Parts,
        access: Access,
    ) -> Result<Claim<'r>, Fault> {
        let path = parts.uri.path();
        // One signature fits several spellings of a path: only the plain one is served.
        if (path.contains("//") || path.contains("/.")) && normalize_path(path) != path {
            return Err(Fault::told(ErrorKind::UnknownOperation, "The path is not in its plain form."));
        }
        // A bearer of something else is as good as nobody: AWS has no such credentials.
        if let Some(text) = bearer(&parts.headers).filter(|text| text.starts_with(TOKEN_PREFIX)) {
            return bearer_claim(node, text, access);
        }
        if access == Access::Reporting
            && let Some(text) = bearer(&parts.headers).filter(|text| text.starts_with(SECRET_PREFIX))
        {
            let unknown = || Fault::told(ErrorKind::Unauthorized, "The secret is that of no alarm.");
            return node.alarm_of_secret(text).map(|alarm| Claim(Who::Alarm(alarm))).ok_or_else(unknown);
        }
        if self.mode == Authentication::None {
            return if yardarm_listen::from_a_browser(&parts.headers) {
                Err(refused_browser())
            } else {
                Ok(Claim(Who::Anybody))
            };
        }
        let query = parts.uri.query().unwrap_or("");
        let signed =
            SignedRequest::parse(&parts.method, path, query, &parts.headers).map_err(|e| refused(&e))?;
        let signed = signed.ok_or_else(|| refused(&SignatureError::MissingAuthentication))?;
        let id = signed.access_key_id();
        let key = match &self.dev {
            Some(dev) if id == DEV_ACCESS_KEY_ID => Some(Key::Dev(dev)),
            _ => node.access_secret(id).map(Key::Stored),
        };
        let unknown = || refused(&SignatureError::UnknownAccessKey { access_key_id: id.into() });
        let key = key.ok_or_else(unknown)?;
        Ok(Claim(Who::Signer(signed, key)))
    }
}

impl Claim<'_> {
    /// Who has sent the request.
    pub(crate) fn prove(self, node: &Node, body: &Bytes) -> Result<Sender, Fault> {
        let (signed, key) = match self.0 {
            Who::Anybody => return Ok(Sender::Anybody),
            Who::Bearer(token) => return Ok(Sender::Bearer(token)),
            Who::Alarm(alarm) => return Ok(Sender::Alarm(alarm)),
            Who::Signer(signed, key) => (signed, key),
        };
        let credential = match &key {
            Key::Dev(credential) => credential,
            Key::Stored(secret) => secret.credential(),
        };
        let expected = Expected::new(node.config().account.region.as_str(), SERVICE);
        signed.verify(credential, &BodyDigest::of(body), node.now(), &expected).map_err(|e| refused(&e))?;
        Ok(match key {
            Key::Dev(_) => Sender::Developer,
            Key::Stored(secret) => Sender::AccessKey(secret),
        })
    }
}

/// The bearer token that a request shows, if it shows any.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn bearer_claim<'r>(node: &Node, text: &str, access: Access) -> Result<Claim<'r>, Fault> {
    let unknown = || Fault::told(ErrorKind::Unauthorized, "The token is unknown, revoked or expired.");
    let token = node.bearer_token(text).ok_or_else(unknown)?;
    match access {
        Access::Reading if token.scope.covers(TokenScope::Read) => Ok(Claim(Who::Bearer(token))),
        Access::Reading => {
            let message = "The token is not good for reading configuration: that takes the scope `read`.";
            Err(Fault::told(ErrorKind::AccessDenied, message))
        }
        Access::Everything | Access::Reporting => {
            let message =
                "A token is good for evaluating flags and reading configuration. Sign this request.";
            Err(Fault::told(ErrorKind::AccessDenied, message))
        }
    }
}

/// Whether the request claims to be signed, in a header or in its query.
pub(crate) fn has_signature(parts: &Parts) -> bool {
    let header = parts.headers.contains_key(AUTHORIZATION);
    header || parts.uri.query().is_some_and(|query| query.contains("X-Amz-"))
}

fn refused_browser() -> Fault {
    let message = "Without authentication, requests are answered to programs on this machine only: \
                   without an Origin, and with a loopback Host.";
    Fault::told(ErrorKind::AccessDenied, message)
}

fn refused(error: &SignatureError) -> Fault {
    let kind = match error.kind() {
        SignatureErrorKind::MissingAuthenticationToken => ErrorKind::MissingAuthenticationToken,
        SignatureErrorKind::IncompleteSignature => ErrorKind::IncompleteSignature,
        SignatureErrorKind::InvalidSignature => ErrorKind::InvalidSignature,
        SignatureErrorKind::UnrecognizedClient => ErrorKind::UnrecognizedClient,
    };
    Fault::told(kind, error.to_string())
}

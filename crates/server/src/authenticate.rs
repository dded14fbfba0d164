//! Who sent a request: AWS Signature Version 4, checked against the node's access keys.

use crate::fault::Fault;
use crate::settings::Authentication;
use bytes::Bytes;
use http::request::Parts;
use std::sync::Arc;
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

/// A request whose sender has named a key that exists, and has yet to prove that it is theirs. `None`: nobody is asked.
pub(crate) struct Claim<'r>(Option<(SignedRequest<'r>, Key<'r>)>);

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
    pub(crate) fn claim<'r>(&'r self, node: &Node, parts: &'r Parts) -> Result<Claim<'r>, Fault> {
        let path = parts.uri.path();
        // One signature fits several spellings of a path: only the plain one is served.
        if (path.contains("//") || path.contains("/.")) && normalize_path(path) != path {
            return Err(Fault::told(ErrorKind::UnknownOperation, "The path is not in its plain form."));
        }
        if self.mode == Authentication::None {
            return if yardarm_listen::from_a_browser(&parts.headers) {
                Err(refused_browser())
            } else {
                Ok(Claim(None))
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
        Ok(Claim(Some((signed, key))))
    }
}

impl Claim<'_> {
    /// Who has sent the request: an access key id.
    pub(crate) fn prove(self, node: &Node, body: &Bytes) -> Result<String, Fault> {
        let Some((signed, key)) = self.0 else { return Ok("anonymous".into()) };
        let credential = match &key {
            Key::Dev(credential) => credential,
            Key::Stored(secret) => secret.credential(),
        };
        let expected = Expected::new(node.config().account.region.as_str(), SERVICE);
        signed.verify(credential, &BodyDigest::of(body), node.now(), &expected).map_err(|e| refused(&e))?;
        Ok(signed.access_key_id().into())
    }
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

//! Who asks: the bearer of a token, whoever has signed, or in development anybody on this machine.

use super::environment::Place;
use crate::authenticate::{self, Access, Claim, has_signature};
use crate::pace::Payer;
use crate::router::App;
use crate::settings::Authentication;
use bytes::Bytes;
use http::header::{HeaderName, ORIGIN};
use http::request::Parts;
use http::{StatusCode, Uri};
use std::sync::Arc;
use yardarm_domain::{BearerToken, TokenScope};
use yardarm_listen::is_local_host;
use yardarm_node::Node;
use yardarm_ofrep::Answer;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who asks, as far as it is known before the body is.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack for one request")]
pub(super) enum Unproven<'r> {
    Known(Caller),
    Signed(Claim<'r>),
}

/// Who asks.
pub(super) enum Caller {
    /// Somebody who shows a token that is good for evaluating.
    Bearer(Arc<BearerToken>),
    /// The holder of this access key, who may ask for any environment.
    Signer(String),
    /// Anybody, who may ask for any environment too.
    Anybody,
}

impl Caller {
    /// Who says to ask. Refuses strangers before their body is read.
    pub(super) fn of<'r>(app: &'r App, parts: &'r Parts) -> Result<Unproven<'r>, Answer> {
        if let Some(text) = shown(parts) {
            let token = app.node.bearer_token(text).ok_or_else(|| {
                let details = "the token is unknown, revoked or expired";
                Answer::general(StatusCode::UNAUTHORIZED, details)
            })?;
            if !token.scope.covers(TokenScope::Evaluate) {
                return Err(Answer::general(
                    StatusCode::FORBIDDEN,
                    "the token is not good for evaluating flags",
                ));
            }
            return Ok(Unproven::Known(Self::Bearer(token)));
        }
        if has_signature(parts) {
            let claim = app
                .authenticator
                .claim(&app.node, parts, Access::Everything)
                .map_err(|fault| refused(&fault))?;
            return Ok(Unproven::Signed(claim));
        }
        if !app.settings.dev && app.settings.authentication != Authentication::None {
            let details = "send a token: Authorization: Bearer ydm_…";
            return Err(Answer::general(StatusCode::UNAUTHORIZED, details));
        }
        if !is_local(app, parts) {
            let details = "without a token, only programs and pages of this machine are answered";
            return Err(Answer::general(StatusCode::FORBIDDEN, details));
        }
        Ok(Unproven::Known(Self::Anybody))
    }

    /// What listens to the changes in `place`, without showing a token of its own. `None`: nothing can be sealed yet.
    pub(super) fn stream_token(&self, node: &Node, place: &Place) -> Option<String> {
        let bearer = match self {
            Self::Bearer(token) => Some(&token.id),
            Self::Signer(_) | Self::Anybody => None,
        };
        node.seal_stream(&place.application, &place.environment, bearer)
    }

    /// Whose requests this one is counted with. `None`: those of its address.
    pub(super) fn payer(&self) -> Option<Payer<'_>> {
        match self {
            Self::Bearer(token) => Some(Payer::Token(token.id.as_str())),
            Self::Signer(id) => Some(Payer::AccessKey(id)),
            Self::Anybody => None,
        }
    }
}

impl Unproven<'_> {
    /// Who asks, now that all of the request is there.
    pub(super) fn prove(self, app: &App, body: &Bytes) -> Result<Caller, Answer> {
        match self {
            Self::Known(caller) => Ok(caller),
            Self::Signed(claim) => {
                let sender = claim.prove(&app.node, body).map_err(|fault| refused(&fault))?;
                Ok(Caller::Signer(sender.actor()))
            }
        }
    }
}

/// The token that a request shows.
fn shown(parts: &Parts) -> Option<&str> {
    // A key that is no text is no token either, and must not pass for none.
    authenticate::bearer(&parts.headers)
        .or_else(|| parts.headers.get(API_KEY).map(|key| key.to_str().unwrap_or_default().trim()))
}

/// A signature's fault in this protocol's shape. What fails is the credential, so it is 401 whatever AWS calls it.
fn refused(fault: &crate::fault::Fault) -> Answer {
    let details = fault.body.message.as_deref().unwrap_or("the signature is not accepted");
    Answer::general(StatusCode::UNAUTHORIZED, details)
}

/// Whether the request comes from this machine, and not by way of somebody else's page in a browser here. Pages that are
/// served from this machine, as in development, are welcome.
fn is_local(app: &App, parts: &Parts) -> bool {
    let welcome = |origin: &str| {
        let host = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().map(|host| host.to_string()));
        host.is_some_and(|host| is_local_host(&host)) || app.settings.ofrep.names_origin(origin)
    };
    let origin = parts.headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    is_local_host(host) && origin.is_none_or(welcome)
}

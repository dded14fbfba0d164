//! Why a caller gets no configuration, and how that is said.

use crate::context_header::ContextError;
use crate::name::NameError;
use crate::trouble::Trouble;
use http::StatusCode;
use serde::Serialize;

/// Why a caller gets no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The path names no configuration.
    #[error("{0}")]
    Name(#[from] NameError),
    /// The context cannot be read.
    #[error("{0}")]
    Context(#[from] ContextError),
    /// The entity cannot be read.
    #[error("Entity-Id is a text of at most {MAX_ENTITY_BYTES} bytes")]
    Entity,
    /// What is asked for is no key of a flag.
    #[error("`{0}` is no key of a flag")]
    FlagKey(String),
    /// The configuration has no flags.
    #[error("the configuration has no flags, so none can be asked for by name")]
    NoFlags,
    /// The configuration has no such flag.
    #[error("no flag has the key `{0}`")]
    NoFlag(String),
    /// A deployment has not reached the entity, and there was nothing before it.
    #[error("no version has reached this entity yet")]
    NotReached,
    /// The caller does not say the access token.
    #[error("the access token is missing or wrong")]
    Unauthorized,
    /// A web page may be asking.
    #[error(
        "without an access token, requests are answered to programs on this machine only: \
         without an Origin, and with a loopback Host"
    )]
    FromABrowser,
    /// Nothing is there.
    #[error("nothing is served under this path")]
    NoPath,
    /// Only reading is possible.
    #[error("only GET and HEAD are answered")]
    Method,
    /// More configurations than an agent holds.
    #[error("this agent holds as many configurations as it can")]
    TooMany,
    /// What is held cannot be brought into a form that can be sent.
    #[error("internal error")]
    Internal,
    /// Nothing is held, and upstream gives nothing.
    #[error("{0}")]
    Upstream(#[from] Trouble),
}

/// The longest `Entity-Id`.
pub(crate) const MAX_ENTITY_BYTES: usize = 2_048;

/// The body of a refusal.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'r> {
    message: &'r str,
    code: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'r str>,
}

impl Refusal {
    /// Status and code, side by side so that they cannot drift apart.
    #[must_use]
    pub const fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Name(_)
            | Self::Context(_)
            | Self::Entity
            | Self::FlagKey(_)
            | Self::NoFlags
            | Self::Upstream(Trouble::BadRequest(_)) => (StatusCode::BAD_REQUEST, "BadRequestException"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "UnauthorizedException"),
            Self::FromABrowser => (StatusCode::FORBIDDEN, "AccessDeniedException"),
            Self::NoFlag(_) | Self::NotReached | Self::NoPath | Self::Upstream(Trouble::NotFound { .. }) => {
                (StatusCode::NOT_FOUND, "ResourceNotFoundException")
            }
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedException"),
            Self::TooMany | Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException"),
            Self::Upstream(
                Trouble::SessionEnded(_)
                | Trouble::TooEarly
                | Trouble::Refused(_)
                | Trouble::NoCredentials(_)
                | Trouble::Failed { .. }
                | Trouble::Unreachable(_)
                | Trouble::Unusable(_),
            ) => (StatusCode::BAD_GATEWAY, "BadGatewayException"),
            Self::Upstream(Trouble::TimedOut(_)) => (StatusCode::GATEWAY_TIMEOUT, "GatewayTimeoutException"),
        }
    }

    fn resource_type(&self) -> Option<&str> {
        match self {
            Self::NoFlag(_) => Some("Flag"),
            Self::NotReached => Some("Deployment"),
            Self::Upstream(Trouble::NotFound { resource_type, .. }) => resource_type.as_deref(),
            _ => None,
        }
    }

    /// The body that says it.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let (_, code) = self.status_and_code();
        let body = Body { message: &self.to_string(), code, resource_type: self.resource_type() };
        // Texts always serialise.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_a_body() {
        let missing = Trouble::NotFound {
            message: "Deployment not found".into(),
            resource_type: Some("Deployment".into()),
        };
        let refusal = Refusal::from(missing);
        assert_eq!(refusal.status_and_code().0, StatusCode::NOT_FOUND);
        assert_eq!(
            String::from_utf8(refusal.body()).unwrap(),
            r#"{"Message":"Deployment not found","Code":"ResourceNotFoundException","ResourceType":"Deployment"}"#
        );
        let timeout = Refusal::from(Trouble::TimedOut(std::time::Duration::from_secs(3)));
        assert_eq!(timeout.status_and_code().0, StatusCode::GATEWAY_TIMEOUT);
        let lost = Refusal::from(Trouble::Unreachable("no connection".into()));
        assert_eq!(lost.status_and_code().0, StatusCode::BAD_GATEWAY);
    }
}

//! Why a request was not answered, in the AWS shape.

use crate::answer::JSON;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use std::fmt;
use yardarm_wire::errors::{ErrorBody, ErrorKind};
use yardarm_wire::headers;

/// An error answer of the AWS planes.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) body: Box<ErrorBody>,
    /// When to try again, seconds.
    pub(crate) retry_after_s: Option<u32>,
}

impl Fault {
    /// An error with a body of its own.
    pub(crate) fn new(kind: ErrorKind, body: ErrorBody) -> Self {
        Self { kind, body: Box::new(body), retry_after_s: None }
    }

    /// An error that is told by its message alone.
    pub(crate) fn told(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(kind, ErrorBody::message(message))
    }

    /// The request breaks a rule.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::told(ErrorKind::BadRequest, message)
    }

    /// Our fault: logged in full, shown as nothing but that.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::told(ErrorKind::InternalServer, "internal error")
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        // The body is made of texts and numbers, which always serialise.
        let body = serde_json::to_vec(&self.body).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.kind.status();
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response.headers_mut().insert(headers::X_AMZN_ERRORTYPE, self.kind.error_type());
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

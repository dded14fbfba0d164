//! What a handler answers.

use crate::fault::Fault;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

/// The type of every JSON answer, and of answers without a body.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer of the AWS planes. Its status comes from the table of operations.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A JSON body.
    pub(crate) fn json<T: Serialize>(value: &T) -> Result<Self, Fault> {
        let body = serde_json::to_vec(value).map_err(Fault::internal)?;
        Ok(Self { headers: HeaderMap::from_iter([(CONTENT_TYPE, JSON)]), body: body.into() })
    }

    /// No body; for status 204.
    pub(crate) fn empty() -> Self {
        Self { headers: HeaderMap::from_iter([(CONTENT_TYPE, JSON)]), body: Bytes::new() }
    }

    /// Raw bytes under headers that name their type.
    pub(crate) fn raw(headers: HeaderMap, body: Bytes) -> Self {
        Self { headers, body }
    }
}

/// An answer under way: its status comes from the table of operations.
pub(crate) fn response(status: StatusCode, answer: Answer) -> http::Response<axum::body::Body> {
    let mut response = http::Response::new(axum::body::Body::from(answer.body));
    *response.status_mut() = status;
    *response.headers_mut() = answer.headers;
    response
}

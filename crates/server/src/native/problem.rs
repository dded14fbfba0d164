//! Errors of the native API: problem details.

use crate::fault::Fault;
use crate::request_id::RequestId;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use yardarm_wire::errors::{BadRequestDetails, ErrorKind};
use yardarm_wire::native::{PROBLEM_JSON, Problem, ProblemError};

/// The same fault, told in this API's shape.
pub(super) fn response(fault: &Fault, id: RequestId) -> Response {
    let errors = match &fault.body.details {
        Some(BadRequestDetails::InvalidConfiguration(details)) => details
            .iter()
            .map(|detail| ProblemError {
                detail: detail.reason.clone().or_else(|| detail.constraint.clone()).unwrap_or_default(),
                pointer: detail.pointer.clone(),
            })
            .collect(),
        Some(BadRequestDetails::InvalidParameters(_)) | None => vec![],
    };
    // Quotas have a status of their own on the AWS planes; here 409 says it.
    let status = if fault.kind == ErrorKind::ServiceQuotaExceeded {
        StatusCode::CONFLICT
    } else {
        fault.kind.status()
    };
    let problem = Problem { detail: fault.body.message.clone(), errors, ..Problem::of_status(status) };
    let mut response = render(problem, id);
    if let Some(seconds) = fault.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A problem that is told in a sentence.
pub(super) fn plain(status: StatusCode, detail: &str, id: RequestId) -> Response {
    render(Problem { detail: Some(detail.into()), ..Problem::of_status(status) }, id)
}

/// The same, with when to try again, in seconds.
pub(super) fn later(status: StatusCode, detail: &str, seconds: u32, id: RequestId) -> Response {
    let mut response = plain(status, detail, id);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn render(mut problem: Problem, id: RequestId) -> Response {
    problem.request_id = Some(id.as_str().into());
    let status = problem.status;
    let mut response = Response::new(Body::from(serde_json::to_vec(&problem).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    response
}

//! The only list of AWS error codes, and the body of their answers.
//!
//! An error answer is a status, the header `x-amzn-errortype` with the code and a colon, and an [`ErrorBody`]. SDKs
//! take the class of the exception from the header, so a code and its status stand on one line here and nowhere else.
//!
//! Three codes are choices. An operation that is not served yet answers `UnsupportedOperationException` with 400:
//! SDKs try again on 5xx, so 501 would make every such call slow, and a BadRequestException would be swallowed by
//! clients that expect one. An unknown route answers `UnknownOperationException` with 404, as services of this protocol
//! do, and a known path with another method `MethodNotAllowedException` with 405.
//! `IncompleteSignatureException` has 400 in some documents and 403 on the wire of REST services; 403 is used.

use std::collections::BTreeMap;

use http::{HeaderValue, StatusCode};
use serde::{Serialize, Serializer};

use crate::enums::{BadRequestReason, BytesMeasure, InvalidParameterProblem, ResourceType};
use crate::floats::WireFloat;

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:ident;)+) => {
        /// An error code with its status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorKind {
            $($(#[$doc])* $variant,)+
        }

        impl ErrorKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code, as `ConflictException`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The status.
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)+
                }
            }

            /// Value of the header `x-amzn-errortype`: the code and a colon, which the live service sends too.
            pub const fn error_type(self) -> HeaderValue {
                match self {
                    $(Self::$variant => HeaderValue::from_static(concat!($code, ":")),)+
                }
            }
        }
    };
}

error_kinds! {
    /// The request breaks a rule, or the state of things forbids it. Duplicate names are reported with it too.
    BadRequest = "BadRequestException", BAD_REQUEST;
    /// Something the request names does not exist.
    ResourceNotFound = "ResourceNotFoundException", NOT_FOUND;
    /// The request is behind the current state, or something is in progress or protected.
    Conflict = "ConflictException", CONFLICT;
    /// The content is larger than allowed.
    PayloadTooLarge = "PayloadTooLargeException", PAYLOAD_TOO_LARGE;
    /// There are as many of these as allowed.
    ServiceQuotaExceeded = "ServiceQuotaExceededException", PAYMENT_REQUIRED;
    /// The service failed. Says nothing about the cause.
    InternalServer = "InternalServerException", INTERNAL_SERVER_ERROR;
    /// Too many requests. SDKs wait and try again.
    Throttling = "ThrottlingException", TOO_MANY_REQUESTS;
    /// The caller is known and may not do this.
    AccessDenied = "AccessDeniedException", FORBIDDEN;
    /// The bearer token is unknown, revoked or expired.
    Unauthorized = "UnauthorizedException", UNAUTHORIZED;
    /// The request is not signed.
    MissingAuthenticationToken = "MissingAuthenticationTokenException", FORBIDDEN;
    /// The signature lacks a part or cannot be read.
    IncompleteSignature = "IncompleteSignatureException", FORBIDDEN;
    /// The signature is wrong, too old, or made for another service or region.
    InvalidSignature = "InvalidSignatureException", FORBIDDEN;
    /// The access key is unknown or out of use.
    UnrecognizedClient = "UnrecognizedClientException", FORBIDDEN;
    /// No operation has this path.
    UnknownOperation = "UnknownOperationException", NOT_FOUND;
    /// An operation has this path, but not with this method.
    MethodNotAllowed = "MethodNotAllowedException", METHOD_NOT_ALLOWED;
    /// An operation of the protocol that is not served yet.
    UnsupportedOperation = "UnsupportedOperationException", BAD_REQUEST;
}

impl Serialize for ErrorKind {
    /// The code.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// Body of an error answer. Which members go with which code is told by the constructors.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ErrorBody {
    /// What went wrong, for people; existing clients match some of these texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// BadRequestException: which kind of [`Self::details`] goes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<BadRequestReason>,
    /// BadRequestException: every violation found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<BadRequestDetails>,
    /// ResourceNotFoundException, control plane: often absent on the live service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// ResourceNotFoundException, data plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<ResourceType>,
    /// ResourceNotFoundException, data plane: the request members that name the missing thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referenced_by: Option<BTreeMap<String, String>>,
    /// PayloadTooLargeException: unit of the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<BytesMeasure>,
    /// PayloadTooLargeException: the largest size allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<WireFloat>,
    /// PayloadTooLargeException: the size sent, rounded up to whole kilobytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<WireFloat>,
}

impl ErrorBody {
    /// A body with a message only, which every code allows.
    pub fn message(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::default() }
    }

    /// BadRequestException: content was refused.
    pub fn invalid_configuration(
        message: impl Into<String>,
        details: Vec<InvalidConfigurationDetail>,
    ) -> Self {
        Self {
            reason: Some(BadRequestReason::InvalidConfiguration),
            details: Some(BadRequestDetails::InvalidConfiguration(details)),
            ..Self::message(message)
        }
    }

    /// BadRequestException of the data plane: a parameter was refused.
    pub fn invalid_parameter(
        message: impl Into<String>,
        parameter: impl Into<String>,
        problem: InvalidParameterProblem,
    ) -> Self {
        let parameters = BTreeMap::from([(parameter.into(), InvalidParameterDetail { problem })]);
        Self {
            reason: Some(BadRequestReason::InvalidParameters),
            details: Some(BadRequestDetails::InvalidParameters(parameters)),
            ..Self::message(message)
        }
    }

    /// ResourceNotFoundException of the data plane.
    pub fn not_referenced(
        message: impl Into<String>,
        resource_type: ResourceType,
        referenced_by: BTreeMap<String, String>,
    ) -> Self {
        Self {
            resource_type: Some(resource_type),
            referenced_by: Some(referenced_by),
            ..Self::message(message)
        }
    }

    /// PayloadTooLargeException, with sizes in kilobytes.
    pub fn payload_too_large(message: impl Into<String>, limit: WireFloat, size: WireFloat) -> Self {
        Self {
            measure: Some(BytesMeasure::Kilobytes),
            limit: Some(limit),
            size: Some(size),
            ..Self::message(message)
        }
    }
}

/// Every violation of a BadRequestException: an object with one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum BadRequestDetails {
    /// Control plane: violations in a configuration's content.
    InvalidConfiguration(Vec<InvalidConfigurationDetail>),
    /// Data plane: violations by parameter.
    InvalidParameters(BTreeMap<String, InvalidParameterDetail>),
}

/// One violation in a configuration's content.
///
/// `Pointer`, `Line` and `Column` are Yardarm's additions; clients of the protocol pass over them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvalidConfigurationDetail {
    /// The rule that is broken, as `OneOf(blue, green)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// Where: a dotted path, as `values.feature.color`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `NotSatisfied`, or `Invalid` for a wrong JSON type.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
    /// The offending value: a text as it is, anything else as JSON. Empty for a missing one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where: a JSON Pointer (RFC 6901) into the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Line of the content as sent, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column within the line, in characters from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

/// One refused parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvalidParameterDetail {
    /// What is wrong with it.
    pub problem: InvalidParameterProblem,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        let codes: HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn quotas_answer_payment_required() {
        assert_eq!(ErrorKind::ServiceQuotaExceeded.status().as_u16(), 402);
    }

    #[test]
    fn the_error_type_header_ends_with_a_colon() {
        assert_eq!(ErrorKind::BadRequest.error_type(), "BadRequestException:");
    }

    #[test]
    fn only_throttling_and_internal_errors_make_an_sdk_try_again() {
        for kind in ErrorKind::ALL {
            let again = kind.status() == StatusCode::TOO_MANY_REQUESTS || kind.status().is_server_error();
            assert_eq!(again, matches!(kind, ErrorKind::Throttling | ErrorKind::InternalServer), "{kind:?}");
        }
    }
}

//! The rules around the signature itself: times, scopes, what must be signed, and what each refusal says.

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use yardarm_signature::{
    Credential, SignatureError, SignatureErrorKind, SignedRequest, Signer, limits::CLOCK_SKEW,
};

use crate::requests::{AwsSigner, Context, HOST, Request};

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Signed at noon, in header form.
fn signed() -> Request {
    Request::get("/applications", "max_results=5").signed_by_aws(&Context::at(noon()), AwsSigner::HEADER)
}

/// Signed at noon, in query form, valid for ten minutes.
fn presigned() -> Request {
    Request::get("/applications", "").signed_by_aws(&Context::at(noon()), AwsSigner::presigned(600))
}

fn verdict(request: &Request) -> Result<(), SignatureError> {
    Context::at(noon()).verdict(request)
}

/// The header form with something in `Authorization` replaced.
fn reauthorized(from: &str, to: &str) -> Request {
    let request = signed();
    let authorization = request.headers["authorization"].to_str().unwrap().to_owned();
    assert!(authorization.contains(from), "{authorization}");
    request.with_header("authorization", &authorization.replace(from, to))
}

/// The query form with something in it replaced.
fn represigned(from: &str, to: &str) -> Request {
    let request = presigned();
    assert!(request.query.contains(from), "{}", request.query);
    Request { query: request.query.replace(from, to), ..request }
}

#[test]
fn a_header_signature_is_good_for_five_minutes_either_way() {
    let request = signed();
    let at = |age| Context::at(noon() + age).verdict(&request);
    for age in [seconds(0), seconds(300), seconds(-300), SignedDuration::from_millis(300_999)] {
        assert_eq!(at(age), Ok(()), "{age:?}");
    }
    let now = noon() + seconds(301);
    assert_eq!(
        at(seconds(301)),
        Err(SignatureError::Expired { signed_at: noon(), now, allowed: CLOCK_SKEW })
    );
    let now = noon() - seconds(301);
    assert_eq!(
        at(seconds(-301)),
        Err(SignatureError::NotYetCurrent { signed_at: noon(), now, allowed: CLOCK_SKEW })
    );
    assert_eq!(
        at(seconds(301)).unwrap_err().to_string(),
        "Signature expired: 20261123T120000Z is now earlier than 20261123T120001Z (20261123T120501Z - 5 min.)"
    );
}

#[test]
fn a_presigned_request_is_good_for_its_lifetime() {
    let request = presigned();
    let at = |age| Context::at(noon() + seconds(age)).verdict(&request);
    for age in [-300, 0, 301, 600] {
        assert_eq!(at(age), Ok(()), "{age}");
    }
    let now = noon() + seconds(601);
    assert_eq!(at(601), Err(SignatureError::Expired { signed_at: noon(), now, allowed: seconds(600) }));
    assert!(matches!(at(-301), Err(SignatureError::NotYetCurrent { .. })));
}

#[test]
fn a_lifetime_is_a_second_to_a_week() {
    for expires in [1, 604_800] {
        let request =
            Request::get("/", "").signed_by_aws(&Context::at(noon()), AwsSigner::presigned(expires));
        assert_eq!(verdict(&request), Ok(()));
    }
    for expires in ["0", "604801", "-1", "%2B60", "1.5", "", "4294967297", "sixty"] {
        let request = represigned("X-Amz-Expires=600", &format!("X-Amz-Expires={expires}"));
        let verdict = verdict(&request);
        assert!(matches!(verdict, Err(SignatureError::MalformedExpires { .. })), "{expires}: {verdict:?}");
    }
}

#[test]
fn a_credential_is_scoped_to_day_region_service_and_version() {
    let message = |request| verdict(&request).unwrap_err().to_string();
    assert_eq!(
        message(reauthorized("us-east-1", "mars-1")),
        "Credential should be scoped to a valid region, not 'mars-1'."
    );
    assert_eq!(
        message(reauthorized("/appconfig/", "/appconfigdata/")),
        "Credential should be scoped to correct service: 'appconfig'."
    );
    assert_eq!(
        message(reauthorized("aws4_request", "aws5_request")),
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
    );
    assert_eq!(
        message(reauthorized("/20261123/", "/20261122/")),
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261122' != \
         '20261123', from '20261123T120000Z'."
    );
    for wrong in [
        "AKIDEXAMPLE",
        "AKIDEXAMPLE/20261123/us-east-1/appconfig",
        "a/b/c/d/e/f",
        "/20261123/r/s/t",
        "////",
        "",
    ] {
        let request = reauthorized("AKIDEXAMPLE/20261123/us-east-1/appconfig/aws4_request", wrong);
        let verdict = verdict(&request);
        assert!(matches!(verdict, Err(SignatureError::MalformedCredential { .. })), "{wrong}: {verdict:?}");
    }
}

#[test]
fn host_and_every_amz_header_must_be_signed() {
    assert_eq!(verdict(&reauthorized("host;", "")), Err(SignatureError::HostNotSigned));
    for request in [signed(), presigned()] {
        let added = request.clone().with_header("x-amz-target", "elsewhere");
        assert_eq!(verdict(&added), Err(SignatureError::HeaderNotSigned { name: "x-amz-target".into() }));
        let marked =
            request.with_header("x-amz-cf-id", "cloudfront").with_header("x-amz-user-agent", "aws-sdk-js");
        assert_eq!(verdict(&marked), Ok(()));
    }
    let host = |request: Request| verdict(&request.with_header("host", "elsewhere"));
    assert_eq!(
        (host(signed()), host(presigned())),
        (Err(SignatureError::Mismatch), Err(SignatureError::Mismatch))
    );
}

#[test]
fn a_signed_header_must_have_arrived() {
    let request = Request::get("/", "").with_header("accept", "*/*");
    let request = request.signed_by_aws(&Context::at(noon()), AwsSigner::HEADER);
    assert_eq!(verdict(&request), Ok(()));
    let stripped = request.without_header("accept");
    assert_eq!(verdict(&stripped), Err(SignatureError::SignedHeaderAbsent { name: "accept".into() }));
}

#[test]
fn signed_headers_are_a_canonical_list() {
    for list in [
        "x-amz-date;host",
        "Host;x-amz-date",
        "host;host;x-amz-date",
        "host;;x-amz-date",
        "host;x-amz-date;",
        "",
    ] {
        let verdict = verdict(&reauthorized("host;x-amz-date", list));
        assert!(matches!(verdict, Err(SignatureError::MalformedSignedHeaders { .. })), "{list}: {verdict:?}");
    }
}

#[test]
fn a_body_is_signed_whole() {
    let context = Context::at(noon());
    let digested = AwsSigner { sends_body_digest: true, ..AwsSigner::HEADER };
    let request = Request { body: b"{}".to_vec(), ..Request::get("/applications", "") };
    let request = request.signed_by_aws(&context, digested);
    assert_eq!(verdict(&request), Ok(()));
    let swapped = Request { body: b"[]".to_vec(), ..request.clone() };
    assert_eq!(verdict(&swapped), Err(SignatureError::WrongBody));
    for claimed in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "", "E3B0C4"] {
        let refusal = Err(SignatureError::BodyNotSigned { claimed: claimed.into() });
        assert_eq!(verdict(&request.clone().with_header("x-amz-content-sha256", claimed)), refusal);
        let query = format!("{}&X-Amz-Content-Sha256={claimed}", presigned().query);
        assert_eq!(verdict(&Request { query, ..presigned() }), refusal);
    }
}

#[test]
fn a_tab_in_a_header_may_be_signed_as_itself_or_as_a_space() {
    let described = |description| Request::get("/", "").with_header("description", description);
    let sent = "two  spaces,\ta tab";
    for signed in [sent, "two spaces,\ta tab", "two spaces, a tab"] {
        let request = described(signed).signed_by_aws(&Context::at(noon()), AwsSigner::HEADER);
        assert_eq!(verdict(&request.clone().with_header("description", sent)), Ok(()), "{signed:?}");
        let other = request.with_header("description", "two spaces,\tno tab");
        assert_eq!(verdict(&other), Err(SignatureError::Mismatch), "{signed:?}");
    }
}

#[test]
fn a_session_token_is_tolerated_when_signed() {
    let with_token = AwsSigner { session_token: true, ..AwsSigner::HEADER };
    let request = Request::get("/", "").signed_by_aws(&Context::at(noon()), with_token);
    assert_eq!(verdict(&request), Ok(()));
    assert_eq!(verdict(&request.with_header("x-amz-security-token", "other")), Err(SignatureError::Mismatch));
}

#[test]
fn without_a_readable_date_nothing_is_verified() {
    let undated = reauthorized("host;x-amz-date", "host").without_header("x-amz-date");
    assert_eq!(verdict(&undated), Err(SignatureError::MissingDate));
    for date in ["noon", "2026-11-23T12:00:00Z", ""] {
        let malformed = Err(SignatureError::MalformedDate { date: date.into() });
        assert_eq!(verdict(&undated.clone().with_header("date", date)), malformed);
        assert_eq!(verdict(&signed().with_header("x-amz-date", date)), malformed);
    }
}

#[test]
fn an_incomplete_signature_says_what_is_missing() {
    let header = |from: &str, to: &str| verdict(&reauthorized(from, to)).unwrap_err();
    let all = signed().headers["authorization"].to_str().unwrap().to_owned();
    let (_, signature) = all.split_once(", Signature=").unwrap();
    let cases = [
        (
            header(", SignedHeaders=host;x-amz-date", ""),
            "Authorization header requires 'SignedHeaders' parameter.",
        ),
        (
            header(&format!(", Signature={signature}"), ""),
            "Authorization header requires 'Signature' parameter.",
        ),
        (header(&all, "AWS4-HMAC-SHA256"), "Authorization header requires 'Credential' parameter."),
        (
            header(", Signature=", ", Signature:"),
            &format!("'Signature:{signature}' not a valid key=value pair in Authorization header."),
        ),
        (
            header("SignedHeaders=", "signedheaders="),
            "'signedheaders=host;x-amz-date' not a valid key=value pair in Authorization header.",
        ),
        (
            header(", Signature=", ", Signature=, Signature="),
            "'Signature' must be given exactly once, as text.",
        ),
        (
            header("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now).",
        ),
        (
            header(&all, "AWS AKIDEXAMPLE:c2lnbmF0dXJl"),
            "Unsupported AWS 'algorithm': 'AWS' (only AWS4-HMAC-SHA256 for now).",
        ),
    ];
    for (error, message) in cases {
        assert_eq!(error.to_string(), message);
        assert_eq!(error.kind(), SignatureErrorKind::IncompleteSignature);
    }
    for name in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    ] {
        let missing = represigned(&format!("{name}="), "gone=");
        assert_eq!(verdict(&missing), Err(SignatureError::MissingQueryParameter { name }));
        let value = presigned()
            .query
            .split(&format!("{name}="))
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned();
        let twice = Request { query: format!("{}&{name}={value}", presigned().query), ..presigned() };
        assert_eq!(verdict(&twice), Err(SignatureError::NotSingle { name }));
    }
}

#[test]
fn a_request_is_authenticated_once() {
    let both = Request { query: presigned().query, ..signed() };
    assert_eq!(verdict(&both), Err(SignatureError::TwoAuthentications));
    let bearer = presigned().with_header("authorization", "Bearer ydm_1");
    assert_eq!(verdict(&bearer), Err(SignatureError::TwoAuthentications));
    let mut twice = signed();
    twice.headers.append("authorization", HeaderValue::from_static("Bearer ydm_1"));
    assert_eq!(verdict(&twice), Err(SignatureError::NotSingle { name: "Authorization" }));
}

#[test]
fn parameters_may_be_separated_by_a_bare_comma() {
    let request = reauthorized(", ", ",");
    assert_eq!(verdict(&request), Ok(()));
}

#[test]
fn a_signature_in_capitals_or_of_another_length_is_no_signature() {
    let authorization = signed().headers["authorization"].to_str().unwrap().to_owned();
    let (_, signature) = authorization.split_once("Signature=").unwrap();
    for wrong in [&signature.to_uppercase(), &signature[1..], &format!("{signature}0"), ""] {
        assert_eq!(verdict(&reauthorized(signature, wrong)), Err(SignatureError::Mismatch), "{wrong}");
    }
}

#[test]
fn printing_a_signed_request_does_not_show_its_signature() {
    let request = presigned();
    let printed = format!("{:?}", request.parse().unwrap().unwrap());
    let (_, signature) = request.query.split_once("X-Amz-Signature=").unwrap();
    assert!(
        printed.contains("AKIDEXAMPLE") && !printed.contains(signature) && !printed.contains(HOST),
        "{printed}"
    );
}

#[test]
fn requests_and_credentials_may_be_held_across_threads_and_await_points() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<SignedRequest<'static>>();
    is_shared::<Credential>();
    is_shared::<Signer>();
}

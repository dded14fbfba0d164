//! Whatever arrives, the parser answers: no panic, no unbounded work.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::{collection::vec, prelude::*, sample::select};
use yardarm_signature::{BodyDigest, Credential, Expected, SecretKey, SignatureError, SignedRequest, limits};

use crate::requests::{AwsSigner, Context, Request};

fn judge(method: &Method, path: &str, query: &str, headers: &HeaderMap) -> Result<bool, SignatureError> {
    let Some(signed) = SignedRequest::parse(method, path, query, headers)? else { return Ok(false) };
    let context = context();
    let credential = Credential::new(SecretKey::new(&context.secret));
    let expected = Expected::new(signed.scope().region, signed.scope().service);
    signed.verify(&credential, &BodyDigest::EMPTY, context.now, &expected).map(|()| true)
}

fn context() -> Context {
    Context::at("2026-11-23T10:00:00Z".parse().unwrap())
}

fn is_too_large(verdict: Result<bool, SignatureError>) -> bool {
    matches!(verdict, Err(SignatureError::TooLarge { .. }))
}

/// Bytes that may be in a header, many of them where a signature's parts are.
fn authorization() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        select(vec![
            "AWS4-HMAC-SHA256 ",
            "Credential=",
            "SignedHeaders=",
            "Signature=",
            ",",
            ", ",
            "/",
            "=",
            ";",
            "host",
            "a/20261123/us-east-1/appconfig/aws4_request",
            "host;x-amz-date",
            "20261123",
            "aws4_request",
            "0000000000000000000000000000000000000000000000000000000000000000",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        vec(any::<u8>(), 0..6),
    ];
    vec(piece, 0..16).prop_map(|pieces| [b"AWS4-HMAC-SHA256 ".to_vec(), pieces.concat()].concat())
}

proptest! {
    #[test]
    fn no_authorization_header_makes_it_panic(
        bytes in prop_oneof![authorization(), vec(any::<u8>(), 0..200)],
        date in prop_oneof![Just("20261123T100000Z".to_owned()), "\\PC{0,20}"],
        path in "\\PC{0,40}",
        query in "\\PC{0,40}",
    ) {
        let mut headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("h"))]);
        for (name, bytes) in [("authorization", &bytes[..]), ("x-amz-date", date.as_bytes())] {
            if let Ok(value) = HeaderValue::from_bytes(bytes) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        prop_assert!(!matches!(judge(&Method::GET, &path, &query, &headers), Ok(true)));
    }

    #[test]
    fn no_query_makes_it_panic(parts in vec(
        prop_oneof![
            select(vec![
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&", "X-Amz-Credential=a%2F20261123%2Fr%2Fs%2Faws4_request&",
                "X-Amz-Date=20261123T100000Z&", "X-Amz-Expires=60&", "X-Amz-SignedHeaders=host&", "X-Amz-Signature=00&",
                "X-Amz-Signature=0000000000000000000000000000000000000000000000000000000000000000&",
                "%", "%F", "%ff", "+", "=", "&",
            ]).prop_map(str::to_owned),
            "\\PC{0,8}",
        ],
        0..12,
    )) {
        let query = parts.concat();
        let headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("h"))]);
        prop_assert!(!matches!(judge(&Method::GET, "/", &query, &headers), Ok(true)));
    }
}

#[test]
fn requests_of_other_schemes_are_none_of_our_business() {
    let plain = Request::get("/applications", "max_results=5&X-Amz-Date=20261123T100000Z");
    for request in [plain.clone(), plain.with_header("authorization", "Bearer ydm_AWS4-HMAC-SHA256")] {
        let verdict = judge(&request.method, &request.path, &request.query, &request.headers);
        assert_eq!(verdict, Ok(false));
    }
}

#[test]
fn everything_has_a_bound() {
    let judged = |request: &Request| judge(&request.method, &request.path, &request.query, &request.headers);
    let signed =
        |path: &str, query: &str| Request::get(path, query).signed_by_aws(&context(), AwsSigner::HEADER);

    let path = format!("/{}", "a".repeat(limits::MAX_PATH_BYTES - 1));
    assert_eq!(judged(&signed(&path, "")), Ok(true));
    assert!(is_too_large(judged(&signed(&format!("{path}a"), ""))));

    let query = format!("a={}", "a".repeat(limits::MAX_QUERY_BYTES - 2));
    assert_eq!(judged(&signed("/", &query)), Ok(true));
    assert!(is_too_large(judged(&signed("/", &format!("{query}a")))));

    let query = vec!["a"; limits::MAX_QUERY_PARAMETERS].join("&");
    assert_eq!(judged(&signed("/", &query)), Ok(true));
    assert!(is_too_large(judged(&signed("/", &format!("{query}&a")))));

    let with_headers = |count: usize| {
        let mut request = Request::get("/", "");
        for index in 0..count - 2 {
            request
                .headers
                .insert(HeaderName::try_from(format!("a{index:03}")).unwrap(), HeaderValue::from_static(""));
        }
        request.signed_by_aws(&context(), AwsSigner::HEADER)
    };
    assert_eq!(judged(&with_headers(limits::MAX_SIGNED_HEADERS)), Ok(true));
    assert!(is_too_large(judged(&with_headers(limits::MAX_SIGNED_HEADERS + 1))));

    let request = signed("/", "");
    let authorization = request.headers["authorization"].to_str().unwrap().to_owned();
    let padding = " ".repeat(limits::MAX_AUTHORIZATION_BYTES - authorization.len());
    let padded = authorization.replace(", Signature", &format!(",{padding} Signature"));
    assert_eq!(judged(&request.clone().with_header("authorization", &padded)), Ok(true));
    let padded = authorization.replace(", Signature", &format!(",{padding}  Signature"));
    assert!(is_too_large(judged(&request.clone().with_header("authorization", &padded))));

    let long = authorization
        .replace("Credential=", &format!("Credential={}", "a".repeat(limits::MAX_CREDENTIAL_BYTES)));
    assert!(is_too_large(judged(&request.with_header("authorization", &long))));
}

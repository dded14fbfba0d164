//! AWS's signer for Rust signs generated requests: they verify, and do not after any change. Our own signer writes the
//! same bytes as AWS's.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*, sample::select};
use yardarm_signature::{Form, RequestToSign, SecretKey, Signer};

use crate::requests::{ACCESS_KEY_ID, AwsSigner, Context, HOST, Request, SESSION_TOKEN};

/// A character as some client may put it on the wire: as it is, or percent-encoded with either case of digits.
fn wire_character(plain: &'static str) -> impl Strategy<Value = String> {
    let encoded = |c: char, upper: bool| {
        let mut bytes = [0; 4];
        c.encode_utf8(&mut bytes)
            .bytes()
            .map(|b| if upper { format!("%{b:02X}") } else { format!("%{b:02x}") })
            .collect()
    };
    prop_oneof![
        4 => select(plain.chars().collect::<Vec<_>>()).prop_map(String::from),
        1 => (any::<char>(), any::<bool>()).prop_map(move |(c, upper)| encoded(c, upper)),
        1 => (proptest::char::range(' ', '~'), any::<bool>()).prop_map(move |(c, upper)| encoded(c, upper)),
    ]
}

fn wire_text(plain: &'static str, length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(wire_character(plain), length).prop_map(|characters| characters.concat())
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        6 => wire_text("abcXYZ019-._~!$&'()*+,;=:@", 0..8),
        1 => Just(".".to_owned()),
        1 => Just("..".to_owned()),
    ];
    vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn query() -> impl Strategy<Value = String> {
    let name = || wire_text("abcXYZ019-._~!$'()*,;:@/?", 0..6);
    let value = || wire_text("abcXYZ019-._~!$'()*+,;=:@/?", 0..8);
    let parameter = prop_oneof![
        8 => (name(), value()).prop_map(|(name, value)| format!("{name}={value}")),
        1 => name(),
        1 => select(vec!["tagKeys=b", "tagKeys=a", "max_results=5", "a", "a=", "A=a"]).prop_map(str::to_owned),
    ];
    vec(parameter, 0..6).prop_map(|parameters| parameters.join("&"))
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let names = vec![
        "content-type",
        "accept",
        "x-amz-user-agent",
        "amz-sdk-request",
        "label",
        "x-custom",
        "X-Amz-Extra",
    ];
    let value = "[ -~\t]{0,24}".prop_map(|text| HeaderValue::from_str(text.trim_matches('\t')).unwrap());
    vec((select(names), value), 0..6).prop_map(|fields| {
        let mut headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static(HOST))]);
        for (name, value) in fields {
            headers.append(HeaderName::try_from(name).unwrap(), value);
        }
        headers
    })
}

prop_compose! {
    fn request()(
        method in select(vec![Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]),
        path in path(),
        query in query(),
        headers in headers(),
        body in vec(any::<u8>(), 0..64),
    ) -> Request {
        Request { method, path, query, headers, body }
    }
}

prop_compose! {
    fn signer()(
        form in prop_oneof![
            Just(Form::Header),
            (1..=604_800_u32).prop_map(|expires_seconds| Form::Presigned { expires_seconds }),
        ],
        session_token: bool,
        sends_body_digest: bool,
    ) -> AwsSigner {
        AwsSigner { form, session_token, sends_body_digest }
    }
}

fn context() -> impl Strategy<Value = Context> {
    (0..4_000_000_000_i64, 0..1000_i32)
        .prop_map(|(second, milli)| Context::at(Timestamp::new(second, milli * 1_000_000).unwrap()))
}

proptest! {
    #[test]
    fn what_aws_signs_verifies(request in request(), signer in signer(), context in context()) {
        let signed = request.signed_by_aws(&context, signer);
        prop_assert_eq!(context.verdict(&signed), Ok(()), "{:?}", signed);
        let parsed = signed.parse().unwrap().unwrap();
        prop_assert_eq!(parsed.access_key_id(), ACCESS_KEY_ID);
        prop_assert_eq!(parsed.form(), signer.form);
        prop_assert_eq!(parsed.scope().region, &context.region);
    }

    #[test]
    fn what_was_changed_after_signing_does_not(
        request in request(), signer in signer(), context in context(), what in 0..8, at: prop::sample::Index,
    ) {
        let mut tampered = request.signed_by_aws(&context, signer);
        match what {
            0 => tampered.body.insert(at.index(tampered.body.len() + 1), b'x'),
            1 => tampered.method = Method::OPTIONS,
            2 => tampered.path.push_str("/x"),
            3 => tampered.query.push_str("&x="),
            4 => tampered.query.insert_str(0, "x&"),
            5 => {
                let name = at.get(&tampered.headers.keys().cloned().collect::<Vec<_>>()).clone();
                // Signers of presigned requests leave this one out.
                prop_assume!(name != "x-amz-user-agent");
                tampered.headers.append(name, HeaderValue::from_static("x"));
            }
            6 => {
                let name = at.get(&tampered.headers.keys().cloned().collect::<Vec<_>>()).clone();
                prop_assume!(name != "x-amz-user-agent" && name != "authorization");
                tampered.headers.remove(name);
            }
            _ => {
                tampered.headers.insert("x-amz-something", HeaderValue::from_static("new"));
            }
        }
        prop_assert!(context.verdict(&tampered).is_err(), "{:?}", tampered);
    }

    #[test]
    fn our_signer_writes_what_awss_writes(
        request in request(), context in context(), session_token: bool,
    ) {
        let request = Request {
            headers: HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static(HOST))]),
            ..request
        };
        let mut signer =
            Signer::new(ACCESS_KEY_ID, SecretKey::new(&context.secret), &context.region, &context.service);
        if session_token {
            signer = signer.with_session_token(SESSION_TOKEN);
        }
        let Request { method, path, query, body, .. } = &request;
        let ours = signer.sign(&RequestToSign { method, host: HOST, path, query, body }, context.now).unwrap();
        let mut signed = request.clone();
        signed.headers.extend(ours);
        prop_assert_eq!(context.verdict(&signed), Ok(()));
        prop_assert_eq!(&signed.headers, &request.signed_by_aws(&context, AwsSigner { session_token, ..AwsSigner::HEADER }).headers);
    }
}

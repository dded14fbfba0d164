//! AWS's own signing test suite, read from the source of the `aws-sigv4` crate: every signed request in it verifies,
//! and none does after any of its parts was changed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use yardarm_signature::{CanonicalPath, SignatureError, normalize_path};

use crate::requests::{Context, Request};

/// Vectors that are refused on purpose, with the reason.
const REFUSED: [(&str, &str); 1] = [(
    "post-sts-header-after",
    "adds the session token after signing: an unsigned x-amz-* header, or an unsigned query parameter",
)];

/// Vectors in header form only and without a context: they come from the Rust signer's own tests, which hold it.
const WITHOUT_CONTEXT: [&str; 2] = ["double-encode-path", "double-url-encode"];

/// How many vectors the suite has. Those with a context come in both forms.
const VECTORS: usize = 40;

#[test]
fn every_vector_verifies_and_no_tampered_one_does() {
    let mut verified = 0;
    for vector in vectors() {
        if !vector.join("context.json").exists() {
            continue;
        }
        let context = context(&vector);
        for form in ["header", "query"] {
            let label = format!("{} ({form})", name(&vector));
            let signed = request(&vector.join(format!("{form}-signed-request.txt")));
            if REFUSED.iter().any(|(refused, _)| *refused == name(&vector)) {
                let refusal = match form {
                    "header" => SignatureError::HeaderNotSigned { name: "x-amz-security-token".into() },
                    _ => SignatureError::Mismatch,
                };
                assert_eq!(context.verdict(&signed), Err(refusal), "{label}");
            } else {
                assert_eq!(context.verdict(&signed), Ok(()), "{label}");
                tampering_is_noticed(&context, &signed, &label);
                verified += 1;
            }
        }
    }
    assert_eq!(verified, 2 * (VECTORS - WITHOUT_CONTEXT.len() - REFUSED.len()));
}

#[test]
fn paths_that_arrive_encoded_are_signed_encoded_twice() {
    let contexts = [
        // (vector, secret, region, service, signed at)
        (
            "double-encode-path",
            "notrealrnrELgWzOk3IfjzDKtFBhDby",
            "us-east-1",
            "service",
            "2015-08-30T12:36:00Z",
        ),
        (
            "double-url-encode",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "us-east-2",
            "lambda",
            "2021-05-11T15:40:45Z",
        ),
    ];
    assert_eq!(contexts.map(|(vector, ..)| vector), WITHOUT_CONTEXT);
    for (vector, secret, region, service, signed_at) in contexts {
        let context = Context {
            secret: secret.into(),
            region: region.into(),
            service: service.into(),
            now: signed_at.parse().unwrap(),
            path: CanonicalPath::Normalized,
        };
        let signed = request(&suite().join(vector).join("header-signed-request.txt"));
        assert_eq!(context.verdict(&signed), Ok(()), "{vector}");
        tampering_is_noticed(&context, &signed, vector);
    }
}

#[test]
fn the_suite_is_the_one_we_know() {
    let names: Vec<_> = vectors().iter().map(|vector| name(vector).to_owned()).collect();
    assert_eq!(names.len(), VECTORS, "{names:?}");
    for known in REFUSED.iter().map(|(name, _)| *name).chain(WITHOUT_CONTEXT) {
        assert!(names.iter().any(|name| name == known), "{known}");
    }
}

/// Changes one thing at a time.
fn tampering_is_noticed(context: &Context, request: &Request, label: &str) {
    let refused = |what: &str, tampered: Request| {
        let verdict = context.verdict(&tampered);
        assert!(verdict.is_err(), "{label}: {what}");
        verdict.unwrap_err()
    };
    let mismatched = |what: &str, tampered: Request| {
        assert_eq!(refused(what, tampered), SignatureError::Mismatch, "{label}: {what}");
    };
    let is_presigned = !request.headers.contains_key("authorization");

    let method = if request.method == Method::GET { Method::DELETE } else { Method::PUT };
    mismatched("method", Request { method, ..request.clone() });
    mismatched("path", Request { path: format!("{}x", request.path), ..request.clone() });
    mismatched("query", Request { query: format!("{}&x=", request.query), ..request.clone() });

    let body = [&request.body[..], b"x"].concat();
    let body = refused("body", Request { body, ..request.clone() });
    let is_claimed = request.headers.contains_key("x-amz-content-sha256");
    assert_eq!(
        body,
        if is_claimed { SignatureError::WrongBody } else { SignatureError::Mismatch },
        "{label}: body"
    );

    for name in request.headers.keys().filter(|name| *name != "authorization") {
        let mut tampered = request.clone();
        let value = [tampered.headers[name].as_bytes(), b"x"].concat();
        tampered.headers.insert(name, HeaderValue::from_bytes(&value).unwrap());
        refused(name.as_str(), tampered);
        let mut tampered = request.clone();
        tampered.headers.remove(name);
        refused(name.as_str(), tampered);
    }

    let flip = |text: &str| {
        let at = text.rfind("Signature=").unwrap() + "Signature=".len();
        let digit = if &text[at..=at] == "0" { "1" } else { "0" };
        format!("{}{digit}{}", &text[..at], &text[at + 1..])
    };
    let mut tampered = request.clone();
    if is_presigned {
        tampered.query = flip(&request.query);
        let longer = request.query.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601");
        mismatched("lifetime", Request { query: longer, ..request.clone() });
    } else {
        let value = flip(request.headers["authorization"].to_str().unwrap());
        tampered.headers.insert("authorization", value.parse().unwrap());
    }
    mismatched("signature", tampered);

    let other_secret = Context { secret: format!("{}x", context.secret), ..context.clone() };
    assert_eq!(other_secret.verdict(request), Err(SignatureError::Mismatch), "{label}: secret");
    if normalize_path(&request.path) != request.path {
        let other_rule = match context.path {
            CanonicalPath::Normalized => CanonicalPath::AsReceived,
            CanonicalPath::AsReceived => CanonicalPath::Normalized,
        };
        let other_rule = Context { path: other_rule, ..context.clone() };
        assert_eq!(other_rule.verdict(request), Err(SignatureError::Mismatch), "{label}: path rule");
    }
}

/// Reads a vector's `context.json`.
fn context(vector: &Path) -> Context {
    let json: Value = serde_json::from_slice(&fs::read(vector.join("context.json")).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let path = match json["normalize"].as_bool().unwrap() {
        true => CanonicalPath::Normalized,
        false => CanonicalPath::AsReceived,
    };
    Context {
        secret: text(&json["credentials"]["secret_access_key"]),
        region: text(&json["region"]),
        service: text(&json["service"]),
        now: text(&json["timestamp"]).parse().unwrap(),
        path,
    }
}

/// Reads a request as the suite writes it: HTTP/1.1 with bare line feeds, folded headers and unencoded paths.
fn request(file: &Path) -> Request {
    let text = fs::read_to_string(file).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut lines = head.lines();
    let line = lines.next().unwrap();
    let line = line.strip_suffix(" HTTP/1.1").unwrap_or(line);
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in lines {
        if line.starts_with(' ') {
            fields.last_mut().unwrap().1.push_str(line);
        } else {
            let (name, value) = line.split_once(':').unwrap();
            fields.push((name, value.trim().to_owned()));
        }
    }
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    Request {
        method: method.parse().unwrap(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: body.as_bytes().to_vec(),
    }
}

fn name(vector: &Path) -> &str {
    vector.file_name().unwrap().to_str().unwrap()
}

fn vectors() -> Vec<PathBuf> {
    let mut vectors: Vec<_> = fs::read_dir(suite()).unwrap().map(|entry| entry.unwrap().path()).collect();
    vectors.sort();
    vectors
}

/// The suite's folder in the source of the dependency, wherever cargo keeps that.
fn suite() -> PathBuf {
    let cargo = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        let output = output.expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let version = cargo(&["-vV"]);
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo says what it runs on");
    // Offline and for this platform alone: whatever that needs was there to build this test.
    let metadata = cargo(&["metadata", "--format-version=1", "--offline", "--filter-platform", host]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let package =
        metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == "aws-sigv4");
    let manifest =
        package.and_then(|package| package["manifest_path"].as_str()).expect("a dependency of this test");
    Path::new(manifest).with_file_name("aws-signing-test-suite").join("v4")
}

//! Who may ask, and what browsers are told.

use super::{ALL, Desk, PLACED, dev};
use crate::settings::{Authentication, OfrepSettings, RateLimits, ServerSettings};
use jiff::SignedDuration;
use yardarm_domain::{RevokeBearerToken, TokenScope};
use yardarm_testkit::{Trouble, cause};

#[tokio::test(flavor = "current_thread")]
async fn a_token_names_its_environment() {
    let desk = Desk::serving(ServerSettings::default()).await;
    let token = desk.token(TokenScope::Evaluate, None).await;
    let bearer = format!("Bearer {}", *token.text);
    for header in [
        ("authorization", &*bearer),
        ("x-api-key", &token.text),
        ("authorization", &bearer.replacen('B', "b", 1)),
    ] {
        for path in [ALL, PLACED] {
            assert_eq!(desk.send("POST", path, &[header], "").await.status, 200, "{header:?} {path}");
        }
    }
    let read = desk.token(TokenScope::Read, None).await;
    assert_eq!(desk.send("POST", ALL, &[("x-api-key", &read.text)], "").await.status, 200);
    for elsewhere in ["/shop/test", "/other/production"] {
        let told = desk.send("POST", &format!("{elsewhere}{ALL}"), &[("x-api-key", &token.text)], "").await;
        assert_eq!(told.status, 403, "{elsewhere}");
        assert!(told.json()["errorDetails"].is_string());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_no_credential_is_refused_also_in_development() {
    for settings in [ServerSettings::default(), dev()] {
        let desk = Desk::serving(settings.clone()).await;
        let revoked = desk.token(TokenScope::Evaluate, None).await;
        desk.test.node.execute(RevokeBearerToken { id: revoked.id.clone() }, cause()).await.unwrap();
        let expired = desk.token(TokenScope::Evaluate, Some(10)).await;
        assert_eq!(desk.send("POST", ALL, &[("x-api-key", &expired.text)], "").await.status, 200);
        desk.test.advance(SignedDuration::from_secs(10)).await;
        for text in [&*revoked.text, &*expired.text, "ydm_abcdef234567_x", "", "ä"] {
            for (name, value) in [("authorization", format!("Bearer {text}")), ("x-api-key", text.to_owned())]
            {
                let told = desk.send("POST", ALL, &[(name, &value)], "").await;
                assert_eq!(
                    (told.status, told.header("www-authenticate")),
                    (401, Some("Bearer")),
                    "{name} {text}"
                );
                assert!(told.json()["errorDetails"].is_string());
            }
        }
        let bad_signature = [("authorization", "AWS4-HMAC-SHA256 nonsense")];
        assert_eq!(desk.send("POST", PLACED, &bad_signature, "").await.status, 401);
        let without = desk.send("POST", ALL, &[], "").await.status;
        assert_eq!(without, if settings.dev { 200 } else { 401 });
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_log_that_fails_makes_no_token_a_bad_one() {
    let desk = Desk::serving(ServerSettings::default()).await;
    let token = desk.token(TokenScope::Evaluate, None).await;
    desk.test.faults.set(Trouble::DOWN);
    let told = desk.send("POST", ALL, &[("x-api-key", &token.text)], "").await;
    assert_eq!(told.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn without_a_token_only_this_machine_is_answered() {
    let ofrep =
        OfrepSettings { allowed_origins: vec!["https://app.test".into()], ..OfrepSettings::default() };
    for settings in [
        ServerSettings { ofrep: ofrep.clone(), ..dev() },
        ServerSettings { authentication: Authentication::None, ofrep, ..ServerSettings::default() },
    ] {
        let desk = Desk::serving(settings).await;
        for (host, origin, status) in [
            ("localhost:4770", None, 200),
            ("127.0.0.1:4770", Some("http://localhost:5173"), 200),
            ("localhost", Some("https://app.test"), 200),
            ("localhost", Some("https://evil.test"), 403),
            ("localhost", Some("null"), 403),
            ("evil.test:4770", None, 403),
        ] {
            let mut headers = vec![("host", host)];
            headers.extend(origin.map(|origin| ("origin", origin)));
            assert_eq!(desk.send("POST", ALL, &headers, "").await.status, status, "{host} {origin:?}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn browsers_are_told_what_they_may_do() {
    let desk = Desk::serving(dev()).await;
    let ask = [("origin", "http://localhost:5173"), ("access-control-request-method", "POST")];
    let told = desk.send("OPTIONS", ALL, &ask, "").await;
    assert_eq!((told.status, told.header("access-control-allow-origin")), (204, Some("*")));
    assert_eq!(told.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    for name in ["Content-Type", "Authorization", "X-API-Key", "If-None-Match"] {
        assert!(told.header("access-control-allow-headers").unwrap().contains(name), "{name}");
    }
    assert!(told.header("access-control-max-age").unwrap().parse::<u32>().unwrap() >= 7_200);
    let told = desk.send("POST", ALL, &ask, "").await;
    assert_eq!(told.header("access-control-expose-headers"), Some("ETag, Retry-After"));
    // A refusal that the page cannot read would be a riddle.
    let told = desk.send("POST", ALL, &[("origin", "https://a.test"), ("x-api-key", "x")], "").await;
    assert_eq!((told.status, told.header("access-control-allow-origin")), (401, Some("*")));

    let ofrep = OfrepSettings {
        allowed_origins: vec!["https://a.test".into()],
        allowed_headers: vec![http::HeaderName::from_static("x-trace")],
        ..OfrepSettings::default()
    };
    let desk = Desk::serving(ServerSettings { ofrep, ..dev() }).await;
    let told = desk.send("OPTIONS", ALL, &[("origin", "https://a.test")], "").await;
    assert_eq!(told.header("access-control-allow-origin"), Some("https://a.test"));
    assert_eq!(told.header("vary"), Some("Origin"));
    assert!(told.header("access-control-allow-headers").unwrap().ends_with(", x-trace"));
    let told = desk.send("OPTIONS", ALL, &[("origin", "https://b.test")], "").await;
    assert_eq!((told.status, told.header("access-control-allow-origin")), (204, None));
}

#[tokio::test(flavor = "current_thread")]
async fn who_sends_too_many_requests_is_told_when_to_come_back() {
    let rates = RateLimits { token_per_s: 10, burst_s: 2, ..RateLimits::default() };
    let desk = Desk::serving(ServerSettings { rates, ..ServerSettings::default() }).await;
    let (one, other) =
        (desk.token(TokenScope::Evaluate, None).await, desk.token(TokenScope::Evaluate, None).await);
    let (one, other) = ([("x-api-key", &**one.text)], [("x-api-key", &**other.text)]);
    let flag = format!("{ALL}/plain");
    let first = desk.send("POST", ALL, &one, "").await;
    // All flags cost ten times one.
    for _ in 0..10 {
        assert_eq!(desk.send("POST", &flag, &one, "").await.status, 200);
    }
    for path in [ALL, &flag] {
        let refused = desk.send("POST", path, &one, "").await;
        assert_eq!(refused.status, 429, "{path}");
        assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
        assert!(refused.json()["errorDetails"].is_string());
    }
    assert_eq!(desk.send("POST", &flag, &other, "").await.status, 200);
    let unchanged = [one[0], ("if-none-match", first.etag())];
    assert_eq!(desk.send("POST", ALL, &unchanged, "").await.status, 304, "what has not changed is free");
    desk.test.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(desk.send("POST", ALL, &one, "").await.status, 200);
    let metrics = desk.send("GET", "/metrics", &[], "").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(metrics.contains("yardarm_rate_limited_requests_total{by=\"token\"} 2"), "{metrics}");
}

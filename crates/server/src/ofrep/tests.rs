//! OFREP as its clients see it: requests by method, path, headers and body.

use crate::settings::{Authentication, OfrepSettings, ServerSettings};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use yardarm_domain::{ProfileType, RevokeBearerToken, TokenScope};
use yardarm_log::MemoryLog;
use yardarm_node::{NewBearerToken, NodeConfig, WantedBearerToken};
use yardarm_ofrep::StreamSettings;
use yardarm_testkit::{ManualClock, Shop, TestNode, Trouble, account, cause};

const ALL: &str = "/ofrep/v1/evaluate/flags";
const PLACED: &str = "/shop/production/ofrep/v1/evaluate/flags";

/// Everything a flag can be, with the banner's text as given.
fn document(text: &str) -> String {
    json!({
        "version": "1",
        "flags": {
            "banner": {"name": "b", "attributes": {"text": {}, "price": {}, "count": {}}},
            "limit": {"name": "l", "attributes": {"value": {}}},
            "draw": {"name": "d"},
            "plain": {"name": "p"},
            "closed": {"name": "c", "attributes": {"text": {}}},
        },
        "values": {
            "banner": {"enabled": true, "text": text, "price": 4.5, "count": 9_007_199_254_740_991_i64},
            "limit": {"enabled": true, "value": 1},
            "plain": {"enabled": true},
            "closed": {"enabled": false, "text": "x"},
            "draw": {"_variants": [
                {"name": "in", "enabled": true, "rule": "(split pct::100 by::$targetingKey)"},
                {"name": "pro", "enabled": true, "rule": "(eq $plan \"pro\")"},
                {"name": "out", "enabled": false},
            ]},
        },
    })
    .to_string()
}

/// A server without a listener, and a shop with an environment.
struct Desk {
    test: TestNode,
    shop: Shop,
    router: Router,
}

struct Told {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Told {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn etag(&self) -> &str {
        self.header("etag").unwrap()
    }
}

fn dev() -> ServerSettings {
    ServerSettings { dev: true, ..ServerSettings::default() }
}

impl Desk {
    async fn open(settings: ServerSettings) -> Self {
        let test = TestNode::start().await.unwrap();
        let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
        let router = crate::router(test.node.clone(), settings);
        Self { test, shop, router }
    }

    /// With flags deployed.
    async fn serving(settings: ServerSettings) -> Self {
        let desk = Self::open(settings).await;
        desk.shop.serve(&document("one")).await.unwrap();
        desk.test.rest().await;
        desk
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let (parts, body) = self.call(method, path, headers, body).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Told { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:4770");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        TowerToHyperService::new(self.router.clone()).call(request).await.unwrap()
    }

    async fn post(&self, path: &str, context: Value) -> Told {
        self.send("POST", path, &[], &json!({"context": context}).to_string()).await
    }

    async fn token(&self, scope: TokenScope, lifetime_s: Option<i64>) -> NewBearerToken {
        let wanted = WantedBearerToken {
            name: "t".parse().unwrap(),
            description: None,
            application: self.shop.application.clone(),
            environment: self.shop.environment.clone(),
            scope,
            expires_at: lifetime_s.map(|seconds| self.test.node.now() + SignedDuration::from_secs(seconds)),
        };
        self.test.node.create_bearer_token(wanted, cause()).await.unwrap()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn both_operations_are_answered_where_they_should_be() {
    let ofrep = OfrepSettings { prefix: "/team-a".into(), ..OfrepSettings::default() };
    let desk = Desk::serving(ServerSettings { ofrep, ..dev() }).await;
    for path in
        [ALL, PLACED, "/team-a/ofrep/v1/evaluate/flags", "/team-a/shop/production/ofrep/v1/evaluate/flags"]
    {
        for end in ["", "/"] {
            let told = desk.post(&format!("{path}{end}"), json!({"targetingKey": "u"})).await;
            assert_eq!(told.status, 200, "{path}{end}");
            assert_eq!(told.json()["flags"].as_array().unwrap().len(), 13, "{path}");
        }
        let told = desk.post(&format!("{path}/plain"), json!({})).await;
        assert_eq!((told.status, &told.json()["value"]), (200, &json!(true)), "{path}");
        for method in ["GET", "PUT", "DELETE", "HEAD"] {
            let told = desk.send(method, path, &[], "").await;
            assert_eq!((told.status, told.header("allow")), (405, Some("POST, OPTIONS")), "{method} {path}");
        }
    }
    for path in ["/ofrep/v1/configuration", "/ofrep/v1", "/ofrep/v1/evaluate", "/ofrep/v2/evaluate/flags"] {
        assert_eq!(desk.post(path, json!({})).await.status, 404, "{path}");
    }
    let ids = format!("/{}/{}{ALL}", desk.shop.application, desk.shop.environment);
    assert_eq!(desk.post(&ids, json!({})).await.status, 200);
    for unknown in ["/shop/test", "/other/production"] {
        assert_eq!(desk.post(&format!("{unknown}{ALL}"), json!({})).await.status, 404, "{unknown}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_flag_has_the_value_it_has_in_its_own_type() {
    let desk = Desk::serving(dev()).await;
    for (key, value) in [
        ("plain", "true"),
        ("banner.text", "\"one\""),
        ("limit", "1"),
        ("banner.price", "4.5"),
        ("banner.count", "9007199254740991"),
        ("banner", r#"{"count":9007199254740991,"enabled":true,"price":4.5,"text":"one"}"#),
        ("closed", r#"{"enabled":false}"#),
    ] {
        let told = desk.post(&format!("{ALL}/{key}"), json!({})).await;
        let body = String::from_utf8(told.body.to_vec()).unwrap();
        assert!(body.contains(&format!("\"value\":{value},")), "{key}: {body}");
    }
    let disabled = desk.post(&format!("{ALL}/closed.text"), json!({})).await;
    assert_eq!((disabled.status, &disabled.json()["reason"]), (200, &json!("DISABLED")));
    assert!(disabled.json().get("value").is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn an_unknown_key_comes_back_as_it_was_meant() {
    let desk = Desk::serving(dev()).await;
    for (encoded, key) in [("nope", "nope"), ("a%2Fb%20c", "a/b c"), ("%C3%A4%22", "ä\"")] {
        let told = desk.post(&format!("{ALL}/{encoded}"), json!({})).await;
        let body = told.json();
        assert_eq!(
            (told.status, &body["errorCode"], &body["key"]),
            (404, &json!("FLAG_NOT_FOUND"), &json!(key))
        );
    }
    assert_eq!(desk.post(&format!("{ALL}/%FF"), json!({})).await.status, 400);
}

#[tokio::test(flavor = "current_thread")]
async fn only_a_flag_that_draws_needs_a_targeting_key() {
    let desk = Desk::serving(dev()).await;
    for context in [json!({}), json!({"targetingKey": ""}), json!({"plan": "pro"})] {
        let told = desk.post(&format!("{ALL}/draw"), context.clone()).await;
        assert_eq!((told.status, &told.json()["errorCode"]), (400, &json!("TARGETING_KEY_MISSING")));
        assert_eq!(desk.post(&format!("{ALL}/plain"), context).await.status, 200);
    }
    let told = desk.post(&format!("{ALL}/draw"), json!({"targetingKey": "u"})).await;
    assert_eq!((&told.json()["value"], &told.json()["reason"]), (&json!(true), &json!("SPLIT")));
    let bulk = desk.post(ALL, json!({})).await;
    assert_eq!(bulk.status, 200);
    let flags = bulk.json()["flags"].as_array().unwrap().clone();
    let failed: Vec<&Value> = flags.iter().filter(|flag| flag.get("errorCode").is_some()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["key"], "draw");
}

#[tokio::test(flavor = "current_thread")]
async fn requests_that_make_no_sense_are_told_what_is_wrong() {
    let desk = Desk::serving(dev()).await;
    for (body, code) in [
        ("{", "PARSE_ERROR"),
        ("[]", "PARSE_ERROR"),
        ("{\"context\":7}", "INVALID_CONTEXT"),
        ("{\"context\":{\"targetingKey\":7}}", "INVALID_CONTEXT"),
    ] {
        let one = desk.send("POST", &format!("{ALL}/plain"), &[], body).await;
        assert_eq!(
            (one.status, &one.json()["errorCode"], &one.json()["key"]),
            (400, &json!(code), &json!("plain"))
        );
        let all = desk.send("POST", ALL, &[], body).await;
        assert_eq!((all.status, &all.json()["errorCode"]), (400, &json!(code)));
        assert!(all.json().get("key").is_none());
    }
    for body in ["", "{}", "{\"context\":null}"] {
        assert_eq!(desk.send("POST", &format!("{ALL}/plain"), &[], body).await.status, 200, "{body}");
    }
    let large = format!("{{\"context\":{{\"a\":\"{}\"}}}}", "x".repeat(1024 * 1024));
    let told = desk.send("POST", ALL, &[], &large).await;
    assert_eq!(told.status, 413);
    assert!(told.json()["errorDetails"].is_string());
}

#[tokio::test(flavor = "current_thread")]
async fn an_unchanged_answer_is_named_and_not_sent_again() {
    let desk = Desk::serving(dev()).await;
    let context = json!({"targetingKey": "u", "plan": "free", "n": 1});
    let first = desk.post(ALL, context.clone()).await;
    let again = desk.post(ALL, context).await;
    assert_eq!((first.etag(), &first.body), (again.etag(), &again.body), "to the byte");
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let reordered = r#"{"context":{ "n" : 1.0, "plan":"free","targetingKey":"u"}}"#;
    let weak = format!("W/{}", first.etag());
    let bare = first.etag().trim_matches('"').to_owned();
    for known in [first.etag(), &weak, &bare, "*", &format!("\"other\", {}", first.etag())] {
        let told = desk.send("POST", ALL, &[("if-none-match", known)], reordered).await;
        assert_eq!((told.status, told.body.len(), told.etag()), (304, 0, first.etag()), "{known}");
    }
    for changed in [
        json!({"targetingKey": "u", "plan": "pro", "n": 1}),
        json!({"targetingKey": "v", "plan": "free", "n": 1}),
        json!({"targetingKey": "u", "plan": "free", "n": 2}),
        json!({"targetingKey": "u", "plan": "free", "n": 1, "flags": ["plain"]}),
    ] {
        let body = json!({"context": changed}).to_string();
        let told = desk.send("POST", ALL, &[("if-none-match", first.etag())], &body).await;
        assert_eq!(told.status, 200, "{changed}");
        assert_ne!(told.etag(), first.etag());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_tag_is_good_again_once_a_change_is_taken_back() {
    let desk = Desk::serving(dev()).await;
    let before = desk.post(ALL, json!({})).await;
    let second = desk.shop.serve(&document("two")).await.unwrap();
    desk.test.rest().await;
    let known = [("if-none-match", before.etag())];
    let changed = desk.send("POST", ALL, &known, "").await;
    assert_eq!(changed.status, 200);
    desk.shop.stop(second).await.unwrap();
    desk.test.rest().await;
    assert_eq!(desk.send("POST", ALL, &known, "").await.status, 304);
}

#[tokio::test(flavor = "current_thread")]
async fn a_gradual_deployment_reaches_targeting_keys_and_never_loses_one() {
    let desk = Desk::serving(dev()).await;
    desk.shop.store(&document("two"), None).await.unwrap();
    let slowly = desk.shop.strategy(400, 0, 25).await.unwrap();
    desk.shop.deploy(&slowly).await.unwrap();
    let mut reached: BTreeSet<u32> = BTreeSet::new();
    let keys = 0..80_u32;
    for step in 0..=4 {
        desk.test.advance(SignedDuration::from_secs(if step == 0 { 0 } else { 100 })).await;
        let mut now = BTreeSet::new();
        for key in keys.clone() {
            let told =
                desk.post(&format!("{ALL}/banner.text"), json!({"targetingKey": format!("u{key}")})).await;
            if told.json()["value"] == "two" {
                now.insert(key);
            }
        }
        assert!(now.is_superset(&reached), "step {step}");
        let anonymous = desk.post(&format!("{ALL}/banner.text"), json!({})).await;
        assert_eq!(anonymous.json()["value"] == "two", step == 4, "step {step}");
        reached = now;
    }
    assert_eq!(reached.len(), 80);
}

#[tokio::test(flavor = "current_thread")]
async fn a_scheduled_step_changes_the_answer_without_an_edit() {
    let desk = Desk::serving(dev()).await;
    desk.shop.store(&document("two"), None).await.unwrap();
    let slowly = desk.shop.strategy(100, 0, 100).await.unwrap();
    desk.shop.deploy(&slowly).await.unwrap();
    desk.test.rest().await;
    let body = r#"{"context":{"targetingKey":"u"}}"#;
    let before = desk.send("POST", ALL, &[], body).await;
    desk.test.advance(SignedDuration::from_secs(100)).await;
    let after = desk.send("POST", ALL, &[("if-none-match", before.etag())], body).await;
    assert_eq!(after.status, 200);
    assert!(String::from_utf8_lossy(&after.body).contains("\"two\""));
}

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
async fn where_several_environments_could_be_meant_one_must_be_named() {
    let desk = Desk::serving(dev()).await;
    let other = Shop::open_as("other", &desk.test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    assert_eq!(desk.post(ALL, json!({})).await.status, 200, "only one has flags");
    other.serve(&document("other")).await.unwrap();
    desk.test.rest().await;
    let told = desk.post(ALL, json!({})).await;
    assert_eq!(told.status, 400);
    assert!(told.json()["errorDetails"].as_str().unwrap().contains("which environment"));

    let ofrep = OfrepSettings {
        environment: Some(("other".into(), "production".into())),
        ..OfrepSettings::default()
    };
    let router = crate::router(desk.test.node.clone(), ServerSettings { ofrep, ..dev() });
    let desk = Desk { router, ..desk };
    assert_eq!(desk.post(&format!("{ALL}/banner.text"), json!({})).await.json()["value"], "other");
}

#[tokio::test(flavor = "current_thread")]
async fn before_anything_is_deployed_clients_are_asked_to_come_back() {
    let desk = Desk::open(dev()).await;
    for path in [ALL.to_owned(), format!("{ALL}/plain")] {
        let told = desk.post(&path, json!({})).await;
        assert_eq!(told.status, 503, "{path}");
        let seconds: u32 = told.header("retry-after").unwrap().parse().unwrap();
        assert!((5..10).contains(&seconds));
        assert!(told.json()["errorDetails"].is_string());
    }
    // A first rollout that has reached nobody is no reason to wait.
    desk.shop.store(&document("one"), None).await.unwrap();
    let slowly = desk.shop.strategy(100, 0, 50).await.unwrap();
    desk.shop.deploy(&slowly).await.unwrap();
    desk.test.rest().await;
    assert_eq!(desk.post(ALL, json!({})).await.json()["flags"], json!([]));
}

#[tokio::test(flavor = "current_thread")]
async fn a_profile_can_be_asked_for() {
    let desk = Desk::serving(dev()).await;
    for (query, flags) in [("?profile=settings", 13), ("?profile=nope&profile=settings", 13)] {
        let told = desk.post(&format!("{ALL}{query}"), json!({})).await;
        assert_eq!(told.json()["flags"].as_array().unwrap().len(), flags, "{query}");
    }
    assert_eq!(desk.post(&format!("{ALL}?profile=nope"), json!({})).await.status, 503);
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

/// A stream, as far as it has come.
struct Listening {
    headers: HeaderMap,
    body: Body,
}

impl Listening {
    /// The next piece. The limit is for a broken server only.
    async fn next(&mut self) -> Option<String> {
        let frame = tokio::time::timeout(Duration::from_secs(30), self.body.frame()).await.expect("an event");
        Some(String::from_utf8(frame?.unwrap().into_data().unwrap().to_vec()).unwrap())
    }
}

impl Desk {
    /// Where the bulk answer says that events are.
    async fn stream(&self, headers: &[(&str, &str)]) -> String {
        let told = self.send("POST", ALL, headers, "").await;
        told.json()["eventStreams"][0]["endpoint"]["requestUri"].as_str().unwrap().to_owned()
    }

    async fn listen(&self, uri: &str, headers: &[(&str, &str)]) -> Result<Listening, u16> {
        let (parts, body) = self.call("GET", uri, headers, "").await.into_parts();
        if parts.status == 200 {
            Ok(Listening { headers: parts.headers, body })
        } else {
            Err(parts.status.as_u16())
        }
    }
}

fn id(event: &str) -> u64 {
    event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_is_heard_of_and_says_what_to_ask_with() {
    let desk = Desk::serving(dev()).await;
    desk.test.advance(SignedDuration::from_mins(5)).await;
    let uri = desk.stream(&[]).await;
    assert_eq!(desk.stream(&[]).await, uri, "clients take another address for another stream");
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["cache-control"], "no-store");
    assert_eq!(stream.headers["x-accel-buffering"], "no");
    let greeting = stream.next().await.unwrap();
    let retry: u32 = greeting.strip_prefix("retry: ").unwrap().trim().parse().unwrap();
    assert!((2_000..4_000).contains(&retry), "{greeting}");

    desk.shop.serve(&document("two")).await.unwrap();
    let event = stream.next().await.unwrap();
    assert!(event.contains("event: message\ndata: {\"type\":\"refetchEvaluation\""), "{event}");
    let revision = id(&event);
    let query = format!("?flagConfigEtag=%22r{revision}%22&flagConfigLastModified=1790597100");
    let told = desk.post(&format!("{ALL}{query}"), json!({})).await;
    assert!(String::from_utf8_lossy(&told.body).contains("\"two\""));

    // Who comes back knowing it hears nothing; who knows less hears at once.
    let known = revision.to_string();
    let mut again = desk.listen(&uri, &[("last-event-id", &known)]).await.unwrap();
    assert!(!again.next().await.unwrap().contains("data:"));
    let older = (revision - 1).to_string();
    let mut again = desk.listen(&uri, &[("last-event-id", &older)]).await.unwrap();
    assert_eq!(id(again.next().await.unwrap().split_once("\n\n").unwrap().1), revision);
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_between_the_answer_and_the_connection_is_not_missed() {
    let desk = Desk::serving(dev()).await;
    desk.test.advance(SignedDuration::from_mins(5)).await;
    let uri = desk.stream(&[]).await;
    desk.shop.serve(&document("two")).await.unwrap();
    desk.test.rest().await;
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    assert!(stream.next().await.unwrap().contains("refetchEvaluation"));
}

#[tokio::test(flavor = "current_thread")]
async fn many_changes_are_heard_of_once_and_steps_in_turn() {
    let ofrep = OfrepSettings {
        streams: StreamSettings { refetches_per_s: 1, ..StreamSettings::default() },
        ..OfrepSettings::default()
    };
    let desk = Desk::serving(ServerSettings { ofrep, ..dev() }).await;
    desk.test.advance(SignedDuration::from_mins(5)).await;
    let uri = desk.stream(&[]).await;
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    stream.next().await.unwrap();
    desk.shop.store(&document("two"), None).await.unwrap();
    let slowly = desk.shop.strategy(1_000, 0, 10).await.unwrap();
    let deployment = desk.shop.deploy(&slowly).await.unwrap();
    {
        let hearing = stream.next();
        let mut hearing = std::pin::pin!(hearing);
        desk.test.advance(SignedDuration::from_secs(100)).await;
        let early = tokio::select! { biased; _ = &mut hearing => true, () = desk.test.rest() => false };
        assert!(!early, "a step waits for its turn");
        desk.test.advance(SignedDuration::from_secs(1)).await;
        assert!(hearing.await.unwrap().contains("refetchEvaluation"));
    }
    {
        let hearing = stream.next();
        let mut hearing = std::pin::pin!(hearing);
        desk.test.advance(SignedDuration::from_secs(99)).await;
        let early = tokio::select! { biased; _ = &mut hearing => true, () = desk.test.rest() => false };
        assert!(!early);
        // Going back cannot wait, and takes the step with it.
        desk.shop.stop(deployment).await.unwrap();
        assert!(hearing.await.unwrap().contains("refetchEvaluation"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn silence_is_broken_by_heartbeats() {
    let ofrep = OfrepSettings {
        streams: StreamSettings { heartbeat: Duration::from_millis(1), ..StreamSettings::default() },
        ..OfrepSettings::default()
    };
    let desk = Desk::serving(ServerSettings { ofrep, ..dev() }).await;
    let uri = desk.stream(&[]).await;
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    stream.next().await.unwrap();
    for _ in 0..3 {
        assert_eq!(stream.next().await.unwrap(), ": hb\n\n");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_stream_ends_with_its_token() {
    let ofrep = OfrepSettings {
        streams: StreamSettings { heartbeat: Duration::from_millis(1), ..StreamSettings::default() },
        ..OfrepSettings::default()
    };
    let desk = Desk::serving(ServerSettings { ofrep, ..ServerSettings::default() }).await;
    let token = desk.token(TokenScope::Evaluate, None).await;
    let uri = desk.stream(&[("x-api-key", &token.text)]).await;
    assert!(!uri.contains(&*token.text));
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    stream.next().await.unwrap();
    let stream_token = uri.split_once("?t=").unwrap().1;
    let bearer = format!("Bearer {stream_token}");
    let told = desk.send("POST", ALL, &[("authorization", &bearer)], "").await;
    assert_eq!(told.status, 401, "a stream's token is no token for evaluating");

    desk.test.node.execute(RevokeBearerToken { id: token.id.clone() }, cause()).await.unwrap();
    while let Some(piece) = stream.next().await {
        assert_eq!(piece, ": hb\n\n");
    }
    assert_eq!(desk.listen(&uri, &[]).await.err(), Some(401));
    for bad in ["/ofrep/v1/stream", "/ofrep/v1/stream?t=", "/ofrep/v1/stream?t=AAAA"] {
        assert_eq!(desk.listen(bad, &[]).await.err(), Some(401), "{bad}");
    }
    let wrong = desk.send("POST", &uri, &[], "").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, OPTIONS")));

    let token = desk.token(TokenScope::Evaluate, None).await;
    let uri = desk.stream(&[("x-api-key", &token.text)]).await;
    desk.test.advance(SignedDuration::from_hours(36)).await;
    assert_eq!(desk.listen(&uri, &[]).await.err(), Some(401), "expired");
}

#[tokio::test(flavor = "current_thread")]
async fn streams_are_bounded_and_their_places_come_back() {
    let ofrep = OfrepSettings {
        streams: StreamSettings { connections: 2, ..StreamSettings::default() },
        ..OfrepSettings::default()
    };
    let desk = Desk::serving(ServerSettings { ofrep, ..dev() }).await;
    let uri = desk.stream(&[]).await;
    let first = desk.listen(&uri, &[]).await.unwrap();
    let _second = desk.listen(&uri, &[]).await.unwrap();
    let told = desk.send("GET", &uri, &[], "").await;
    assert_eq!(told.status, 503);
    assert!(told.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    drop(first);
    assert!(desk.listen(&uri, &[]).await.is_ok());

    let ofrep = OfrepSettings {
        streams: StreamSettings { connections: 0, ..StreamSettings::default() },
        ..OfrepSettings::default()
    };
    let desk = Desk::serving(ServerSettings { ofrep, ..dev() }).await;
    assert!(desk.post(ALL, json!({})).await.json().get("eventStreams").is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn a_closing_server_lets_go_of_its_listeners() {
    let desk = Desk::serving(dev()).await;
    let uri = desk.stream(&[]).await;
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    stream.next().await.unwrap();
    desk.test.node.begin_closing();
    let ending = stream.next();
    let mut ending = std::pin::pin!(ending);
    tokio::select! { biased; _ = &mut ending => {}, () = desk.test.rest() => {} }
    desk.test.advance(SignedDuration::from_secs(10)).await;
    assert_eq!(ending.await, None);
}

#[tokio::test(flavor = "current_thread")]
async fn a_public_address_is_given_out_where_one_is_known() {
    let ofrep = OfrepSettings { public_url: "https://flags.test/a".into(), ..OfrepSettings::default() };
    let desk = Desk::serving(ServerSettings { ofrep, ..dev() }).await;
    let told = desk.post(ALL, json!({})).await;
    let stream = &told.json()["eventStreams"][0];
    assert!(stream["url"].as_str().unwrap().starts_with("https://flags.test/a/ofrep/v1/stream?t="));
    assert_eq!(
        (stream.get("endpoint"), &stream["type"], &stream["inactivityDelaySec"]),
        (None, &json!("sse"), &json!(120))
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_node_that_knows_less_than_the_event_reads_on_before_it_answers() {
    let (log, clock) = (MemoryLog::new(), ManualClock::default());
    let config = || NodeConfig { shared_log: true, ..NodeConfig::new(account()) };
    let writer = TestNode::start_with(config(), log.clone(), clock.clone(), 1).await.unwrap();
    let shop = Shop::open(&writer, ProfileType::FeatureFlags, vec![]).await.unwrap();
    shop.serve(&document("one")).await.unwrap();
    writer.rest().await;
    let reader = TestNode::start_with(config(), log, clock, 2).await.unwrap();
    let desk = Desk { router: crate::router(reader.node.clone(), dev()), test: reader, shop };
    desk.shop.serve(&document("two")).await.unwrap();
    let revision = writer.node.view().seq.0;
    let told = desk.post(&format!("{ALL}?flagConfigEtag=%22r{revision}%22"), json!({})).await;
    assert!(String::from_utf8_lossy(&told.body).contains("\"two\""));
}

#[tokio::test(flavor = "current_thread")]
async fn tokens_are_made_listed_and_revoked_through_the_native_api() {
    let settings = ServerSettings { authentication: Authentication::None, ..ServerSettings::default() };
    let desk = Desk::serving(settings).await;
    let tokens = "/yardarm/v1/tokens";
    let body = json!({"name": "web", "application": "shop", "environment": "production",
        "expiresAt": "2026-09-28T13:00:00Z", "description": "Browsers"});
    let made = desk.send("POST", tokens, &[], &body.to_string()).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let (id, text) = (made["tokenId"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert!(text.starts_with(&format!("ydm_{id}_")));
    assert_eq!((&made["scope"], &made["expired"]), (&json!("evaluate"), &json!(false)));
    assert_eq!(desk.send("POST", ALL, &[("x-api-key", text)], "").await.status, 200);

    let list = desk.send("GET", tokens, &[], "").await;
    assert!(!String::from_utf8_lossy(&list.body).contains(text));
    assert_eq!(list.json()["items"][0]["tokenId"], id);
    let one = format!("{tokens}/{id}");
    assert_eq!(desk.send("GET", &one, &[], "").await.json()["name"], "web");
    desk.test.advance(SignedDuration::from_hours(2)).await;
    assert_eq!(desk.send("GET", &one, &[], "").await.json()["expired"], true);
    assert_eq!(desk.send("DELETE", &one, &[], "").await.status, 204);
    assert_eq!(desk.send("GET", &one, &[], "").await.status, 404);
    assert_eq!(desk.send("DELETE", &one, &[], "").await.status, 404);

    for (change, status) in [
        (json!({"environment": "nope"}), 404),
        (json!({"application": "nope"}), 404),
        (json!({"name": ""}), 400),
        (json!({"scope": "everything"}), 400),
        (json!({"expiresAt": "2020-01-01T00:00:00Z"}), 400),
        (json!({"surprise": 1}), 400),
    ] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove("expiresAt");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let told = desk.send("POST", tokens, &[], &body.to_string()).await;
        assert_eq!(told.status, status, "{change} {:?}", told.body);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_token_reads_configuration_where_and_as_far_as_it_is_good() {
    let desk = Desk::serving(ServerSettings::default()).await;
    let (read, evaluate) =
        (desk.token(TokenScope::Read, None).await, desk.token(TokenScope::Evaluate, None).await);
    let (read, evaluate) = (format!("Bearer {}", *read.text), format!("Bearer {}", *evaluate.text));
    let place = |app: &str, env: &str| {
        format!("/yardarm/v1/applications/{app}/environments/{env}/configurations/settings")
    };
    let ours = place("shop", "production");
    let session = |app: &str| {
        json!({"ApplicationIdentifier": app, "EnvironmentIdentifier": "production", "ConfigurationProfileIdentifier": "settings"})
            .to_string()
    };
    for (bearer, method, path, body, status) in [
        (&read, "GET", ours.clone(), String::new(), 200),
        (&read, "GET", place("shop", "nope"), String::new(), 403),
        (&read, "GET", place("other", "production"), String::new(), 403),
        (&evaluate, "GET", ours.clone(), String::new(), 403),
        (&"Bearer ydm_x".to_owned(), "GET", ours, String::new(), 401),
        (&read, "GET", "/yardarm/v1/tokens".into(), String::new(), 403),
        (&read, "GET", "/applications".into(), String::new(), 403),
        (&read, "POST", "/configurationsessions".into(), session("shop"), 201),
        (&read, "POST", "/configurationsessions".into(), session("other"), 403),
        (&evaluate, "POST", "/configurationsessions".into(), session("shop"), 403),
    ] {
        let told = desk.send(method, &path, &[("authorization", bearer)], &body).await;
        assert_eq!(told.status, status, "{method} {path} {:?}", told.body);
        if status == 201 {
            let token = told.json()["InitialConfigurationToken"].as_str().unwrap().to_owned();
            let poll = format!("/configuration?configuration_token={token}");
            assert_eq!(desk.send("GET", &poll, &[("authorization", bearer)], "").await.status, 200);
            assert_eq!(desk.send("GET", &poll, &[("authorization", &evaluate)], "").await.status, 403);
        }
    }
}

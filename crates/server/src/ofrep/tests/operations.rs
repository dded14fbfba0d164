//! What is answered: values, keys that are unknown, requests that make no sense, places and profiles.

use super::{ALL, Desk, PLACED, dev, document};
use crate::settings::{OfrepSettings, ServerSettings};
use serde_json::{Value, json};
use yardarm_domain::ProfileType;
use yardarm_testkit::Shop;

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

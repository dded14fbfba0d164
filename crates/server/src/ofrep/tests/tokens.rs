//! Bearer tokens: made, listed, revoked, and good as far as they say, here and elsewhere.

use super::{ALL, Desk};
use crate::settings::{Authentication, ServerSettings};
use jiff::SignedDuration;
use serde_json::json;
use yardarm_domain::TokenScope;

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

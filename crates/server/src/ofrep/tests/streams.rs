//! Change events.

use super::{ALL, Desk, dev, document};
use crate::settings::{OfrepSettings, ServerSettings};
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;
use yardarm_domain::{RevokeBearerToken, TokenScope};
use yardarm_ofrep::StreamSettings;
use yardarm_testkit::cause;

impl Desk {
    /// Where the bulk answer says that events are.
    async fn stream(&self, headers: &[(&str, &str)]) -> String {
        let told = self.send("POST", ALL, headers, "").await;
        told.json()["eventStreams"][0]["endpoint"]["requestUri"].as_str().unwrap().to_owned()
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

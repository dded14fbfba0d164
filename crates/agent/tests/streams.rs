//! Change events of the agent, by requests that touch no network: what is offered, heard of, held back, bounded and ended.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test panics")]

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use yardarm_agent::content::{Content, STORED_FLAGS};
use yardarm_agent::settings::Role;
use yardarm_agent::{
    Agent, ConfigurationName, DeploymentName, Door, Draw, Feed, Held, KeepingSettings, News, Rollout, Router,
    Secret, Source, StreamSettings, Trouble, What,
};
use yardarm_flags::Exposure;

const ALL: &str = "/shop/prod/ofrep/v1/evaluate/flags?profile=flags";

/// A version whose only flag has this text.
fn content(text: &str) -> Content {
    let document = json!({"version": "1", "flags": {"banner": {"name": "b", "attributes": {"value": {}}}},
        "values": {"banner": {"enabled": true, "value": text}}});
    Content::read(document.to_string().into(), STORED_FLAGS, text, None).unwrap()
}

fn settled(text: &str) -> Option<Held> {
    Some(Held::settled(content(text)))
}

/// `new` on its way to some, after `old`.
fn rolling_out(old: &str, new: &str, parts_per_million: u32) -> Option<Held> {
    let rollout = Rollout {
        deployment: DeploymentName::new("abcd123", "efgh456", 2),
        exposure: Exposure::from_parts_per_million(parts_per_million).unwrap(),
        previous: Some(Arc::new(content(old))),
    };
    Some(Held { newest: Arc::new(content(new)), rollout: Some(rollout) })
}

/// A source that gives what it is told to give, the moment it is told.
struct Told(watch::Sender<Option<Held>>);

impl Source for Told {
    fn feed(&self, _name: &ConfigurationName, _role: Option<&Role>) -> Box<dyn Feed> {
        Box::new(Following(self.0.subscribe()))
    }
}

struct Following(watch::Receiver<Option<Held>>);

#[async_trait]
impl Feed for Following {
    async fn next(&mut self, _held: Option<&Held>) -> Result<News, Trouble> {
        let what = match self.0.borrow_and_update().clone() {
            Some(held) => What::Held(held),
            None => What::Nothing(Trouble::NotFound { message: "gone".into(), resource_type: None }),
        };
        Ok(News { what, wait: None })
    }

    async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

struct Desk {
    agent: Agent,
    router: Router,
    upstream: watch::Sender<Option<Held>>,
}

struct Answered {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A stream, as far as it has come.
struct Listening(Body);

impl Listening {
    async fn next(&mut self) -> Option<String> {
        let frame = self.0.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    }

    /// The next event and when it came. Heartbeats are passed over.
    async fn event(&mut self) -> (u64, Instant) {
        loop {
            let text = self.next().await.unwrap();
            if text.contains("refetchEvaluation") {
                return (id(&text), Instant::now());
            }
            assert!(text == ": hb\n\n" || text.starts_with("retry: "), "{text}");
        }
    }
}

fn id(event: &str) -> u64 {
    event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().parse().unwrap()
}

impl Desk {
    async fn open(access_token: Option<&str>, streams: StreamSettings) -> Self {
        let upstream = watch::Sender::new(settled("one"));
        let settings =
            KeepingSettings { poll_interval: Duration::from_secs(86_400), ..KeepingSettings::default() };
        let source = Box::new(Told(upstream.clone()));
        let agent = Agent::start(source, settings, now, Draw::new(|| u64::MAX)).await.unwrap();
        let access_token = access_token.map(|token| Secret::from(token.to_owned()));
        let router = yardarm_agent::router(&agent, Door { access_token, loopback: true }, streams);
        Self { agent, router, upstream }
    }

    async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:2772");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        TowerToHyperService::new(self.router.clone()).call(request).await.unwrap()
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answered {
        let (parts, body) = self.call(method, path, headers).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Where the bulk answer says that events are.
    async fn stream(&self, headers: &[(&str, &str)]) -> String {
        let told = self.send("POST", ALL, headers).await.json();
        told["eventStreams"][0]["endpoint"]["requestUri"].as_str().unwrap().to_owned()
    }

    async fn listen(&self, uri: &str, headers: &[(&str, &str)]) -> Result<Listening, u16> {
        let (parts, body) = self.call("GET", uri, headers).await.into_parts();
        if parts.status == 200 { Ok(Listening(body)) } else { Err(parts.status.as_u16()) }
    }
}

thread_local! {
    static BEGUN: Instant = Instant::now();
}

/// A clock that goes with the runtime's.
fn now() -> jiff::Timestamp {
    let begun: jiff::Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    begun + jiff::SignedDuration::try_from(BEGUN.with(Instant::elapsed)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_change_is_heard_of_and_fetched() {
    let desk = Desk::open(None, StreamSettings::default()).await;
    let first = desk.send("POST", ALL, &[]).await;
    assert_eq!(
        first.json()["eventStreams"],
        json!([{"type": "sse", "inactivityDelaySec": 120,
                "endpoint": {"requestUri": "/shop/prod/ofrep/v1/stream?profile=flags"}}])
    );
    let tag = first.headers["etag"].to_str().unwrap();
    assert_eq!(desk.send("POST", ALL, &[("if-none-match", tag)]).await.status, 304);
    let uri = desk.stream(&[]).await;
    let response = desk.call("GET", &uri, &[]).await;
    for (name, value) in
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
    {
        assert_eq!(response.headers()[name], value);
    }
    let mut stream = Listening(response.into_body());
    // What was fetched a moment ago could have come between the first answer and the connection.
    let (first_id, _) = (id(stream.next().await.unwrap().split_once("\n\n").unwrap().1), ());
    desk.upstream.send_replace(settled("two"));
    let (second_id, _) = stream.event().await;
    assert_ne!(first_id, second_id);
    let path = format!("{ALL}&flagConfigEtag=%22r{second_id}%22&flagConfigLastModified=1790597100");
    let changed = desk.send("POST", &path, &[("if-none-match", tag)]).await;
    assert_eq!((changed.status, &changed.json()["flags"][0]["value"]), (200, &json!("two")));

    // Who comes back knowing it hears nothing; who knows something else hears at once.
    let known = second_id.to_string();
    let mut again = desk.listen(&uri, &[("last-event-id", &known)]).await.unwrap();
    assert!(!again.next().await.unwrap().contains("data:"));
    let mut again = desk.listen(&uri, &[("last-event-id", &first_id.to_string())]).await.unwrap();
    assert_eq!(again.event().await.0, second_id);
    // The same as before is the same everywhere.
    desk.upstream.send_replace(settled("one"));
    assert_eq!(stream.event().await.0, first_id);
}

#[tokio::test(start_paused = true)]
async fn steps_wait_for_their_turn_and_going_back_does_not() {
    let streams = StreamSettings {
        refetches_per_s: 1,
        heartbeat: Duration::from_secs(600),
        ..StreamSettings::default()
    };
    let desk = Desk::open(None, streams).await;
    let uri = desk.stream(&[]).await;
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    stream.next().await.unwrap();
    for exposure in [250_000, 500_000] {
        let begun = Instant::now();
        desk.upstream.send_replace(rolling_out("one", "two", exposure));
        assert_eq!(stream.event().await.1 - begun, Duration::from_secs(1), "one client at one in a second");
    }
    let begun = Instant::now();
    desk.upstream.send_replace(settled("one"));
    assert_eq!(stream.event().await.1, begun);
    // A step that is taken back while it waits is told with what took it back: nothing has happened to this client.
    desk.upstream.send_replace(rolling_out("one", "two", 250_000));
    assert!(tokio::time::timeout(Duration::from_millis(500), stream.next()).await.is_err());
    desk.upstream.send_replace(settled("one"));
    assert_eq!(stream.next().await.unwrap(), ": hb\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_hears_of_many_changes_once() {
    let desk = Desk::open(None, StreamSettings::default()).await;
    let uri = desk.stream(&[]).await;
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    stream.next().await.unwrap();
    for number in 0..100 {
        desk.upstream.send_replace(settled(&number.to_string()));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stream.event().await;
    assert_eq!(stream.next().await.unwrap(), ": hb\n\n");
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_by_heartbeats_and_what_is_gone_is_told() {
    let desk = Desk::open(None, StreamSettings::default()).await;
    let uri = desk.stream(&[]).await;
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    stream.next().await.unwrap();
    for _ in 0..3 {
        let begun = Instant::now();
        assert_eq!(stream.next().await.unwrap(), ": hb\n\n");
        assert_eq!(begun.elapsed(), Duration::from_secs(20));
    }
    desk.upstream.send_replace(None);
    stream.event().await;
}

#[tokio::test(start_paused = true)]
async fn a_first_deployment_is_heard_of_although_nobody_asks() {
    let desk = Desk::open(None, StreamSettings::default()).await;
    desk.upstream.send_replace(None);
    assert_eq!(desk.send("POST", ALL, &[]).await.status, 404);
    let mut stream = desk.listen("/shop/prod/ofrep/v1/stream?profile=flags", &[]).await.unwrap();
    stream.next().await.unwrap();
    assert_eq!(stream.next().await.unwrap(), ": hb\n\n");
    desk.upstream.send_replace(settled("one"));
    let begun = Instant::now();
    let (_, heard) = stream.event().await;
    assert!(heard - begun <= Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn with_an_access_token_a_stream_has_one_of_its_own() {
    let desk = Desk::open(Some("let me in"), StreamSettings::default()).await;
    let bearer = [("authorization", "Bearer let me in")];
    let uri = desk.stream(&bearer).await;
    assert_eq!(desk.stream(&bearer).await, uri, "clients take another address for another stream");
    assert!(uri.contains("&t=") && !uri.contains("let"));
    // Pages cannot send the header, and say where they come from.
    assert!(desk.listen(&uri, &[("origin", "https://shop.test")]).await.is_ok());
    assert!(desk.listen(uri.split_once("&t=").unwrap().0, &bearer).await.is_ok());
    let elsewhere = uri.replace("/prod/", "/test/");
    for bad in [&elsewhere, "/shop/prod/ofrep/v1/stream", "/shop/prod/ofrep/v1/stream?t=1.x"] {
        assert_eq!(desk.listen(bad, &[]).await.err(), Some(401), "{bad}");
    }
    let token = format!("Bearer {}", uri.split_once("&t=").unwrap().1);
    assert_eq!(desk.send("POST", ALL, &[("authorization", &token)]).await.status, 401);
    let other = Desk::open(Some("let me in"), StreamSettings::default()).await;
    assert!(other.listen(&uri, &[]).await.is_ok(), "also after a restart");
}

#[tokio::test(start_paused = true)]
async fn streams_are_bounded_and_their_places_come_back() {
    let desk = Desk::open(None, StreamSettings { connections: 2, ..StreamSettings::default() }).await;
    let uri = desk.stream(&[]).await;
    let first = desk.listen(&uri, &[]).await.unwrap();
    let _second = desk.listen(&uri, &[]).await.unwrap();
    let told = desk.send("GET", &uri, &[]).await;
    assert_eq!(told.status, 503);
    assert!(told.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    let metrics = desk.send("GET", "/metrics", &[]).await;
    assert!(String::from_utf8_lossy(&metrics.body).contains("yardarm_agent_event_streams 2"));
    drop(first);
    assert!(desk.listen(&uri, &[]).await.is_ok());
    assert_eq!(desk.send("POST", &uri, &[]).await.headers["allow"], "GET");
    assert_eq!(desk.listen(&uri, &[("origin", "https://evil.test")]).await.err(), Some(403));

    let desk = Desk::open(None, StreamSettings { connections: 0, ..StreamSettings::default() }).await;
    assert!(desk.send("POST", ALL, &[]).await.json().get("eventStreams").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_closing_agent_lets_go_of_its_listeners() {
    let desk = Desk::open(None, StreamSettings::default()).await;
    let uri = desk.stream(&[]).await;
    let mut stream = desk.listen(&uri, &[]).await.unwrap();
    stream.next().await.unwrap();
    desk.agent.begin_closing();
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_returned_is_counted_once_a_flag() {
    let desk = Desk::open(None, StreamSettings::default()).await;
    let tag = desk.send("POST", ALL, &[]).await.headers["etag"].to_str().unwrap().to_owned();
    let one = "/shop/prod/ofrep/v1/evaluate/flags/banner.value?profile=flags";
    assert_eq!(desk.send("POST", one, &[]).await.status, 200);
    assert_eq!(desk.send("POST", ALL, &[("if-none-match", &tag)]).await.status, 304);
    let metrics = String::from_utf8(desk.send("GET", "/metrics", &[]).await.body.to_vec()).unwrap();
    let expected = "yardarm_agent_returned_count_total{application=\"shop\",environment=\"prod\",\
                    configuration=\"flags\",flag=\"banner\",variant=\"\"} 2";
    assert!(metrics.contains(expected), "{metrics}");
}

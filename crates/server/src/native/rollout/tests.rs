//! Streams of rollouts, as their clients hear them.

use crate::desk::{Desk, Listening};
use crate::settings::{Authentication, RolloutStreamSettings, ServerSettings};
use jiff::SignedDuration;
use serde_json::Value;
use std::time::Duration;
use yardarm_domain::{RevokeBearerToken, TokenScope};
use yardarm_testkit::cause;

const ROLLOUT: &str = "/yardarm/v1/applications/shop/environments/production/configurations/settings/rollout";
const EVENTS: (&str, &str) = ("accept", "text/event-stream");

fn document(text: &str) -> String {
    format!(
        r#"{{"version":"1","flags":{{"banner":{{"attributes":{{"text":{{}}}}}}}},"values":{{"banner":{{"enabled":true,"text":"{text}"}}}}}}"#
    )
}

fn settings(streams: RolloutStreamSettings) -> ServerSettings {
    let authentication = Authentication::None;
    ServerSettings { authentication, rollout_streams: streams, ..ServerSettings::default() }
}

async fn desk() -> Desk {
    Desk::open(settings(RolloutStreamSettings::default())).await
}

/// An event's id and data.
fn event(piece: &str) -> (String, Value) {
    let (id, data) = piece.strip_prefix("id: ").unwrap().split_once("\ndata: ").unwrap();
    (id.into(), serde_json::from_str(data.strip_suffix("\n\n").unwrap()).unwrap())
}

/// After how many milliseconds a client shall come back.
#[track_caller]
fn retry(piece: &str) -> u32 {
    piece.strip_prefix("retry: ").unwrap_or_else(|| panic!("{piece}")).trim_end().parse().unwrap()
}

impl Listening {
    /// Hears what there is, and that this is all.
    async fn start(&mut self) -> (String, Value) {
        let first = event(&self.next().await.unwrap());
        retry(&self.next().await.unwrap());
        first
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_first_event_is_the_answer_and_later_ones_leave_out_what_the_client_has() {
    let desk = desk().await;
    desk.shop.serve(&document("one")).await.unwrap();
    let mut stream = desk.listen(ROLLOUT, &[EVENTS]).await.unwrap();
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    let told = desk.send("GET", ROLLOUT, &[], "").await;
    let (id, first) = stream.start().await;
    assert_eq!((&*id, &first), (told.etag(), &told.json()));

    desk.shop.store(&document("two"), None).await.unwrap();
    let slowly = desk.shop.strategy(1_000, 0, 10).await.unwrap();
    let deployment = desk.shop.deploy(&slowly).await.unwrap();
    let (_, started) = event(&stream.next().await.unwrap());
    assert_eq!(started["stable"]["sha256"], first["stable"]["sha256"]);
    assert_eq!(started["stable"].get("content"), None, "{started}");
    assert!(started["candidate"]["content"].as_str().unwrap().contains("two"));
    assert_eq!(started["rollout"]["exposure"], 0);

    desk.test.advance(SignedDuration::from_secs(100)).await;
    let piece = stream.next().await.unwrap();
    let (id, step) = event(&piece);
    assert_eq!(step["rollout"]["exposure"], 100_000);
    assert_eq!((step["stable"].get("content"), step["candidate"].get("content")), (None, None));
    let told = desk.send("GET", ROLLOUT, &[], "").await;
    assert_eq!(id, told.etag());

    desk.shop.stop(deployment).await.unwrap();
    let (_, back) = event(&stream.next().await.unwrap());
    assert_eq!((back["stable"]["version"].as_u64(), back.get("candidate")), (Some(1), None));
    assert_eq!(back["stable"].get("content"), None);
}

#[tokio::test(flavor = "current_thread")]
async fn who_comes_back_hears_what_was_missed_and_nothing_else() {
    let desk = desk().await;
    desk.shop.serve(&document("one")).await.unwrap();
    let (id, _) = desk.listen(ROLLOUT, &[EVENTS]).await.unwrap().start().await;
    let known = ("last-event-id", &*id);
    let mut again = desk.listen(ROLLOUT, &[EVENTS, known]).await.unwrap();
    retry(&again.next().await.unwrap());

    desk.shop.store(&document("two"), None).await.unwrap();
    let slowly = desk.shop.strategy(1_000, 0, 10).await.unwrap();
    desk.shop.deploy(&slowly).await.unwrap();
    let mut late = desk.listen(ROLLOUT, &[EVENTS, known]).await.unwrap();
    let (_, missed) = late.start().await;
    assert_eq!(missed["stable"].get("content"), None, "it has that");
    assert!(missed["candidate"]["content"].is_string());
    for nonsense in ["\"9-0123456789abcdef\"", "x", "\u{e4}"] {
        let mut stranger = desk.listen(ROLLOUT, &[EVENTS, ("last-event-id", nonsense)]).await.unwrap();
        assert!(stranger.start().await.1["stable"]["content"].is_string(), "{nonsense}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_slow_client_hears_of_many_changes_once() {
    let desk = desk().await;
    desk.shop.serve(&document("one")).await.unwrap();
    let mut stream = desk.listen(ROLLOUT, &[EVENTS]).await.unwrap();
    stream.start().await;
    for text in ["two", "three", "four"] {
        desk.shop.serve(&document(text)).await.unwrap();
        desk.test.rest().await;
    }
    let (_, now) = event(&stream.next().await.unwrap());
    assert_eq!(now["stable"]["version"], 4);
}

#[tokio::test(flavor = "current_thread")]
async fn a_first_deployment_is_heard_of_and_so_is_the_end_of_a_place() {
    let desk = desk().await;
    let mut stream = desk.listen(ROLLOUT, &[EVENTS]).await.unwrap();
    let nothing = stream.next().await.unwrap();
    assert!(nothing.starts_with("event: not-deployed\nid\ndata: {"), "{nothing}");
    retry(&stream.next().await.unwrap());
    desk.shop.serve(&document("one")).await.unwrap();
    let (_, first) = event(&stream.next().await.unwrap());
    assert!(first["stable"]["content"].is_string());

    let place = "/yardarm/v1/applications/shop?cascade=true";
    let headers = [("x-amzn-deletion-protection-check", "BYPASS")];
    assert_eq!(desk.send("DELETE", place, &headers, "").await.status, 200);
    assert!(stream.next().await.unwrap().starts_with("event: not-deployed\n"));
    assert_eq!(stream.next().await, None);
    assert_eq!(desk.listen(ROLLOUT, &[EVENTS]).await.err(), Some(404));
}

#[tokio::test(flavor = "current_thread")]
async fn a_stream_ends_with_its_token() {
    let streams = RolloutStreamSettings { heartbeat: Duration::from_millis(1), ..Default::default() };
    let desk = Desk::open(ServerSettings { rollout_streams: streams, ..ServerSettings::default() }).await;
    desk.shop.serve(&document("one")).await.unwrap();
    for revoked in [true, false] {
        let token = desk.token(TokenScope::Read, Some(3_600)).await;
        let bearer = format!("Bearer {}", &*token.text);
        let headers = [EVENTS, ("authorization", &*bearer)];
        let mut stream = desk.listen(ROLLOUT, &headers).await.unwrap();
        stream.start().await;
        assert_eq!(stream.next().await.as_deref(), Some(":\n\n"), "silence is broken");
        if revoked {
            desk.test.node.execute(RevokeBearerToken { id: token.id.clone() }, cause()).await.unwrap();
        } else {
            desk.test.advance(SignedDuration::from_hours(1)).await;
        }
        while let Some(piece) = stream.next().await {
            assert_eq!(piece, ":\n\n");
        }
        assert_eq!(desk.listen(ROLLOUT, &headers).await.err(), Some(401));
    }
    assert_eq!(desk.listen(ROLLOUT, &[EVENTS]).await.err(), Some(403), "nobody in particular");
}

#[tokio::test(flavor = "current_thread")]
async fn streams_are_bounded_and_opened_at_a_bounded_rate() {
    let streams = RolloutStreamSettings { streams: 3, opened_per_s: 2, ..Default::default() };
    let desk = Desk::open(settings(streams)).await;
    let first = desk.listen(ROLLOUT, &[EVENTS]).await.unwrap();
    let _second = desk.listen(ROLLOUT, &[EVENTS]).await.unwrap();
    let early = desk.send("GET", ROLLOUT, &[EVENTS], "").await;
    assert_eq!((early.status, early.header("retry-after")), (429, Some("1")));
    assert_eq!(early.header("content-type"), Some("application/problem+json"));
    desk.test.advance(SignedDuration::from_secs(1)).await;
    let _third = desk.listen(ROLLOUT, &[EVENTS]).await.unwrap();
    let full = desk.send("GET", ROLLOUT, &[EVENTS], "").await;
    assert_eq!(full.status, 503);
    assert!((5..30).contains(&full.header("retry-after").unwrap().parse::<u32>().unwrap()));
    let metrics = desk.send("GET", "/metrics", &[], "").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    for line in [
        "yardarm_event_streams{kind=\"rollout\"} 3\n",
        "yardarm_event_streams_refused_total{kind=\"rollout\",reason=\"full\"} 1\n",
        "yardarm_event_streams_refused_total{kind=\"rollout\",reason=\"rate\"} 1\n",
        "yardarm_event_streams_dropped_total{kind=\"rollout\"} 0\n",
        "yardarm_event_streams{kind=\"ofrep\"} 0\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
    drop(first);
    assert!(desk.listen(ROLLOUT, &[EVENTS]).await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn without_streams_everybody_gets_the_answer() {
    let desk = Desk::open(settings(RolloutStreamSettings { streams: 0, ..Default::default() })).await;
    desk.shop.serve(&document("one")).await.unwrap();
    let told = desk.send("GET", ROLLOUT, &[EVENTS], "").await;
    assert_eq!(told.header("content-type"), Some("application/json"));
}

#[tokio::test(flavor = "current_thread")]
async fn those_who_listen_are_told_to_come_back_at_the_rate_at_which_they_are_let_in() {
    let streams = RolloutStreamSettings { opened_per_s: 10, ..Default::default() };
    let desk = Desk::open(settings(streams)).await;
    desk.shop.serve(&document("one")).await.unwrap();
    let mut open = vec![];
    for _ in 0..20 {
        for _ in 0..10 {
            let mut stream = desk.listen(ROLLOUT, &[EVENTS]).await.unwrap();
            stream.start().await;
            open.push(stream);
        }
        desk.test.advance(SignedDuration::from_secs(1)).await;
    }
    desk.test.node.begin_closing();
    let mut told = vec![];
    for stream in &mut open {
        told.push(retry(&stream.next().await.unwrap()));
        assert_eq!(stream.next().await, None);
    }
    assert!(told.iter().all(|ms| (500..=20_500).contains(ms)), "{told:?}");
    let early = told.iter().filter(|ms| **ms < 10_500).count();
    assert!((50..150).contains(&early), "{early} of 200 in the first half");
}

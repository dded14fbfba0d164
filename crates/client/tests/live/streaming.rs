//! Over a stream, and where there is none.

use crate::following::{OFF, ON};
use crate::server::{Rig, until, until_version, version};
use jiff::SignedDuration;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use yardarm_client::{Freshness, LiveSettings};
use yardarm_domain::ProfileType;
use yardarm_server::RolloutStreamSettings;

const PLENTY: Duration = Duration::from_secs(60);

/// A metric of the server.
async fn metric(rig: &Rig, name: &str) -> u64 {
    let mut tcp = TcpStream::connect(rig.address()).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    let line = answer.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

async fn open(rig: &Rig) -> u64 {
    metric(rig, "yardarm_event_streams{kind=\"rollout\"}").await
}

/// A document like no other.
fn numbered(number: u32) -> String {
    format!(r#"{{"version":"1","values":{{"banner-{number}":{{"enabled":true}}}}}}"#)
}

#[tokio::test]
async fn a_rollback_is_heard_of_over_the_stream_that_is_open() {
    let mut rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.serve(OFF).await.unwrap();
    let flags = rig.follow(None).await;
    assert!(flags.settled(PLENTY).await);
    assert_eq!(open(&rig).await, 1);
    for number in 2..5 {
        rig.shop.store(&numbered(number), None).await.unwrap();
        let slowly = rig.shop.strategy(600, 600, 20).await.unwrap();
        let deployment = rig.shop.deploy(&slowly).await.unwrap();
        let reached = || (0..100).any(|one| version(&flags, Some(&format!("user-{one}"))) == Some(number));
        rig.clock.advance(SignedDuration::from_secs(120));
        until(flags.watch_changes(), reached).await;
        rig.shop.stop(deployment).await.unwrap();
        until(flags.watch_changes(), || !reached()).await;
        if number == 3 {
            rig.kill().await;
            rig.restart().await;
            until(flags.watch_freshness(), || flags.freshness() != Freshness::Current).await;
            until(flags.watch_freshness(), || flags.freshness() == Freshness::Current).await;
        }
    }
    let requests = metric(&rig, "yardarm_requests_total{operation=\"read-rollout\",status=\"2xx\"}").await;
    assert_eq!((requests, open(&rig).await), (1, 1), "one stream since the server came back");
}

#[tokio::test]
async fn without_streams_changes_are_waited_for() {
    for (offered, wanted) in [(0, true), (10, false)] {
        let rig =
            Rig::start_streaming(RolloutStreamSettings { streams: offered, ..Default::default() }).await;
        rig.shop.serve(ON).await.unwrap();
        let flags = rig.follow_with(LiveSettings { streams: wanted, ..Rig::settings() }, rig.address()).await;
        assert!(flags.settled(PLENTY).await);
        for number in 2..4 {
            rig.shop.serve(if number == 2 { OFF } else { ON }).await.unwrap();
            until_version(&flags, number).await;
        }
        assert_eq!((flags.freshness(), open(&rig).await), (Freshness::Current, 0));
    }
}

#[tokio::test]
async fn who_finds_no_place_is_told_so() {
    let rig = Rig::start_streaming(RolloutStreamSettings { streams: 1, ..Default::default() }).await;
    rig.shop.serve(ON).await.unwrap();
    let first = rig.follow(None).await;
    assert!(first.settled(PLENTY).await);
    let second = rig.follow(None).await;
    let refused = || matches!(second.freshness(), Freshness::Stale(why) if why.contains("Too many streams"));
    until(second.watch_freshness(), refused).await;
    let full = "yardarm_event_streams_refused_total{kind=\"rollout\",reason=\"full\"}";
    assert_eq!(metric(&rig, full).await, 1);
}

/// A proxy that hands on an answer only once it has all of it.
async fn buffering(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![];
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(client.read_u8().await?);
                }
                let request =
                    String::from_utf8_lossy(&request).replace("\r\nhost:", "\r\nconnection: close\r\nhost:");
                let mut upstream = TcpStream::connect(server).await?;
                upstream.write_all(request.as_bytes()).await?;
                let mut answer = vec![];
                tokio::select! {
                    read = upstream.read_to_end(&mut answer) => read?,
                    // The client has had enough.
                    gone = client.read_u8() => return gone.map(|_| ()),
                };
                client.write_all(&answer).await
            });
        }
    });
    address
}

#[tokio::test]
async fn behind_a_proxy_that_holds_streams_back_changes_are_waited_for() {
    let rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.serve(ON).await.unwrap();
    let settings = LiveSettings { patience: Duration::from_millis(200), ..Rig::settings() };
    let flags = rig.follow_with(settings, buffering(rig.address()).await).await;
    let silent = || matches!(flags.freshness(), Freshness::Stale(why) if why.contains("no answer within"));
    until(flags.watch_freshness(), silent).await;
    until_version(&flags, 1).await;
    rig.shop.serve(OFF).await.unwrap();
    until_version(&flags, 2).await;
    until(flags.watch_freshness(), || flags.freshness() == Freshness::Current).await;
}

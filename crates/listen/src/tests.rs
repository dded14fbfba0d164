//! A whole listener, and clients that speak HTTP byte by byte.

use crate::{Bounds, Listener, SlowReaders, event_stream, serve};
use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// For a broken listener only.
const FOR_EVER: Duration = Duration::from_secs(60);

/// What a stream tells: whatever the test sends. Its owner hears when the stream has ended.
struct Telling {
    pieces: mpsc::Receiver<Bytes>,
    _ended: oneshot::Sender<()>,
}

struct Rig {
    address: SocketAddr,
    tell: mpsc::Sender<Bytes>,
    ended: oneshot::Receiver<()>,
    slow: SlowReaders,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<bool>,
}

/// A listener with a stream at `/stream`, for one client, and a short answer at `/`.
async fn rig() -> Rig {
    let (tell, pieces) = mpsc::channel(1);
    let (ending, ended) = oneshot::channel();
    let slow = SlowReaders::default();
    let stream = {
        let slow = slow.clone();
        let telling = std::sync::Mutex::new(Some(Telling { pieces, _ended: ending }));
        move || {
            let telling = telling.lock().unwrap().take().unwrap();
            let next = |mut telling: Telling| async { Some((telling.pieces.recv().await?, telling)) };
            std::future::ready(event_stream(Bytes::from_static(b"first"), telling, next, &slow))
        }
    };
    let stream = std::sync::Arc::new(stream);
    let router = Router::new().route("/", get(|| async { "short" })).route("/stream", get(move || stream()));
    let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.address().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(async move {
        let bounds = Bounds { connections: 1, drain_time: FOR_EVER, ..Bounds::default() };
        serve(listener, router, &bounds, async { stopped.await.unwrap() }).await
    });
    Rig { address, tell, ended, slow, stop, serving }
}

struct Client(TcpStream);

impl Client {
    async fn ask(rig: &Rig, request: &str) -> Self {
        let mut tcp = TcpStream::connect(rig.address).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        Self(tcp)
    }

    async fn listen(rig: &Rig) -> (Self, String) {
        let mut client = Self::ask(rig, "GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let head = client.read_to("\r\n\r\n").await;
        (client, head)
    }

    /// What comes, up to and with `end`.
    async fn read_to(&mut self, end: &str) -> String {
        let reading = async {
            let mut text = vec![];
            while !text.ends_with(end.as_bytes()) {
                text.push(self.0.read_u8().await.unwrap());
            }
            String::from_utf8(text).unwrap()
        };
        tokio::time::timeout(FOR_EVER, reading).await.expect("what was waited for never came")
    }

    async fn rest(&mut self) -> String {
        let mut text = String::new();
        tokio::time::timeout(FOR_EVER, self.0.read_to_string(&mut text)).await.unwrap().unwrap();
        text
    }
}

#[tokio::test]
async fn a_stream_is_chunks_until_its_end() {
    let rig = rig().await;
    let (mut client, head) = Client::listen(&rig).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    for line in ["transfer-encoding: chunked\r\n", "content-type: text/event-stream\r\n", "date: "] {
        assert!(head.contains(line), "{head}");
    }
    assert_eq!(client.read_to("first\r\n").await, "5\r\nfirst\r\n");
    let long = "x".repeat(1_000_000);
    for (piece, chunk) in [("a", "1\r\na\r\n".to_owned()), (&long, format!("f4240\r\n{long}\r\n"))] {
        rig.tell.send(piece.to_owned().into()).await.unwrap();
        assert_eq!(client.read_to(&format!("{piece}\r\n")).await, chunk);
    }
    drop(rig.tell);
    assert_eq!(client.rest().await, "0\r\n\r\n");
    assert!(rig.ended.await.is_err());
}

#[tokio::test]
async fn a_connection_that_was_used_before_can_become_a_stream() {
    let rig = rig().await;
    let mut client = Client::ask(&rig, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.read_to("short").await;
    client.0.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    client.read_to("5\r\nfirst\r\n").await;
    rig.tell.send("more".into()).await.unwrap();
    assert_eq!(client.read_to("more\r\n").await, "4\r\nmore\r\n");
}

#[tokio::test]
async fn streams_do_not_count_as_connections() {
    let rig = rig().await;
    let (mut client, _) = Client::listen(&rig).await;
    client.read_to("5\r\nfirst\r\n").await;
    let mut other = Client::ask(&rig, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    other.read_to("short").await;
}

#[tokio::test]
async fn what_cannot_be_chunks_is_a_stream_all_the_same() {
    let rig = rig().await;
    let mut client = Client::ask(&rig, "GET /stream HTTP/1.0\r\n\r\n").await;
    let head = client.read_to("\r\n\r\n").await;
    assert!(!head.contains("chunked"), "{head}");
    client.read_to("first").await;
    rig.tell.send("more".into()).await.unwrap();
    drop(rig.tell);
    assert_eq!(client.rest().await, "more");
}

#[tokio::test]
async fn a_client_that_goes_is_forgotten_at_once() {
    let rig = rig().await;
    let (mut client, _) = Client::listen(&rig).await;
    client.read_to("5\r\nfirst\r\n").await;
    // What it still says is nobody's business.
    client.0.write_all(&[b'x'; 10_000]).await.unwrap();
    drop(client);
    assert!(tokio::time::timeout(FOR_EVER, rig.ended).await.unwrap().is_err());
    assert_eq!(rig.slow.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_dropped_and_counted() {
    let rig = rig().await;
    let (client, _) = Client::listen(&rig).await;
    // More than any machine keeps for a client. Time moves on only when everybody waits.
    rig.tell.send(vec![b'x'; 64 * 1024 * 1024].into()).await.unwrap();
    assert!(rig.ended.await.is_err());
    assert_eq!(rig.slow.count(), 1);
    drop(client);
}

#[tokio::test]
async fn whoever_stops_waits_for_streams_to_end() {
    let rig = rig().await;
    let (mut client, _) = Client::listen(&rig).await;
    client.read_to("5\r\nfirst\r\n").await;
    rig.stop.send(()).unwrap();
    assert!(!rig.serving.is_finished());
    rig.tell.send("good-bye".into()).await.unwrap();
    drop(rig.tell);
    assert_eq!(client.rest().await, "8\r\ngood-bye\r\n0\r\n\r\n");
    assert!(rig.serving.await.unwrap(), "all was well");
}

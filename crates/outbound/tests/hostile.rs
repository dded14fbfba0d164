//! Calls to servers that mean no good. Each server is a socket that says what it is told.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use yardarm_outbound::{
    AddressClass, Call, Outbound, OutboundError, Policy, Resolve, Resolving, Settings, Target,
};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

/// Reads a head and a body of the length that it announces.
async fn request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(read).unwrap().to_lowercase();
    let length =
        head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Answers one request with `answer`, then with `more` again and again until nobody listens.
async fn server(answer: &'static str, more: &'static str) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let asked = request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        while !more.is_empty() && stream.write_all(more.as_bytes()).await.is_ok() {}
        asked
    });
    (address, asked)
}

fn outbound(policy: Policy) -> Outbound {
    Outbound::new(&Settings::new(policy)).unwrap()
}

async fn post(outbound: &Outbound, url: &str, time: Duration) -> Result<(StatusCode, Bytes), OutboundError> {
    let target: Target = url.parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
    let body = Bytes::from_static(b"{}");
    let call = Call {
        method: &Method::POST,
        target: &target,
        headers: &headers,
        body: &body,
        time,
        answer_bytes: 1_024,
    };
    outbound.send(call).await.map(|answer| (answer.status(), answer.into_body()))
}

async fn answered_by(answer: &'static str, more: &'static str, time: Duration) -> OutboundError {
    let (address, _asked) = server(answer, more).await;
    post(&outbound(Policy::internal()), &format!("http://{address}/"), time).await.unwrap_err()
}

/// A resolver that answers from a list, the last entry for ever.
struct Names(Mutex<VecDeque<Vec<IpAddr>>>);

impl Names {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let one = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(one).collect())))
    }
}

impl Resolve for Names {
    fn resolve(&self, _: String) -> Resolving {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}

#[tokio::test]
async fn a_call_carries_what_it_is_given() {
    let (address, asked) = server("HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nhi", "").await;
    let answer =
        post(&outbound(Policy::internal()), &format!("http://{address}/a%20b?c=d"), LONG).await.unwrap();
    assert_eq!(answer, (StatusCode::SERVICE_UNAVAILABLE, Bytes::from_static(b"hi")));
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("post /a%20b?c=d http/1.1\r\n"), "{asked}");
    for part in ["webhook-id: msg_1", &format!("host: {address}"), "user-agent: yardarm/", "\r\n\r\n{}"] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let chunked =
        answered_by("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\nmore\r\n", LONG).await;
    assert!(matches!(chunked, OutboundError::TooLarge(1_024)), "{chunked}");
    let announced = answered_by("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", "more", LONG).await;
    assert!(matches!(announced, OutboundError::TooLarge(1_024)), "{announced}");
    let open = answered_by("HTTP/1.1 200 OK\r\n\r\n", "more", LONG).await;
    assert!(matches!(open, OutboundError::TooLarge(1_024)), "{open}");
    let head = answered_by("HTTP/1.1 200 OK\r\n", "x: more\r\n", LONG).await;
    assert!(matches!(head, OutboundError::Broken(_)), "{head}");
    let name = answered_by("HTTP/1.1 200 OK\r\n", "more", LONG).await;
    assert!(matches!(name, OutboundError::Broken(_)), "{name}");
}

#[tokio::test]
async fn garbage_and_broken_answers_are_told_apart_from_silence() {
    for answer in
        ["SSH-2.0-OpenSSH\r\n\r\n", "\0\0\0\0\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123"]
    {
        let broken = answered_by(answer, "", LONG).await;
        assert!(matches!(broken, OutboundError::Broken(_)), "{broken}");
    }
    let silence = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silence.local_addr().unwrap());
    let silent = post(&outbound(Policy::internal()), &url, SHORT).await.unwrap_err();
    assert!(matches!(silent, OutboundError::NoAnswer(SHORT)), "{silent}");
    assert_eq!(silent.to_string(), "no answer within 0.1 s");
}

#[tokio::test]
async fn who_speaks_no_tls_and_who_does_not_listen_is_not_connected() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let outbound = outbound(Policy::internal());
    let error = post(&outbound, &format!("https://{plain}/"), LONG).await.unwrap_err();
    assert!(matches!(error, OutboundError::NoConnection(_)), "{error}");
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", gone.local_addr().unwrap());
    drop(gone);
    let error = post(&outbound, &url, LONG).await.unwrap_err();
    assert!(matches!(error, OutboundError::NoConnection(_)), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_told() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for answer in [
        "HTTP/1.1 302 F\r\nlocation: http://169.254.169.254/latest/meta-data\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 307 T\r\nlocation: http://169.254.169.254/\r\n\r\n",
    ] {
        let error = answered_by(answer, "", LONG).await;
        assert!(matches!(error, OutboundError::Redirect { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("a redirect to http://169.254.169.254: redirects are not followed"), "{text}");
    }
    let nobody_came = tokio::time::timeout(Duration::ZERO, elsewhere.accept()).await;
    assert!(nobody_came.is_err());
}

#[tokio::test]
async fn an_address_that_must_not_be_called_is_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "127.1", "0x7f000001", "2130706433"]
    {
        let error =
            post(&outbound(Policy::public()), &format!("http://{host}:{port}/"), LONG).await.unwrap_err();
        let loopback = AddressClass::Loopback;
        // Whether the odd spellings are addresses at all is the system's decision; connected to they are not.
        let odd = matches!(&error, OutboundError::NoConnection(_)) && host.starts_with(['0', '1', '2']);
        let refused = matches!(&error, OutboundError::Address { class, .. } if *class == loopback);
        assert!(refused || odd, "{host}: {error}");
    }
    for host in
        ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0", "[::]", "224.0.0.1", "[fe80::1]"]
    {
        let error =
            post(&outbound(Policy::internal()), &format!("http://{host}:{port}/"), LONG).await.unwrap_err();
        assert!(matches!(error, OutboundError::Address { .. }), "{host}: {error}");
        assert!(error.to_string().ends_with("which must not be called"), "{error}");
    }
    let nobody_came = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(nobody_came.is_err());
}

#[tokio::test]
async fn a_name_that_changes_its_address_does_not_get_round_the_policy() {
    let allowed = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = allowed.local_addr().unwrap().port();
    let inside = TcpListener::bind(("127.0.0.1", port)).await;
    tokio::spawn(async move {
        let (mut stream, _) = allowed.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    let names = Names::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let policy = Policy::public().and("127.0.0.2".parse().unwrap());
    let outbound = Outbound::with_resolver(&Settings::new(policy), names).unwrap();
    let url = format!("http://rebinding.example:{port}/");
    assert_eq!(post(&outbound, &url, LONG).await.unwrap().0, StatusCode::OK);
    let error = post(&outbound, &url, LONG).await.unwrap_err();
    assert_eq!(error.to_string(), "rebinding.example is 127.0.0.1, this machine, which must not be called");
    drop(inside);
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_ones_are_tried() {
    let (address, asked) = server("HTTP/1.1 204 No\r\n\r\n", "").await;
    let names = Names::new(&[&["169.254.169.254", "127.0.0.1", "10.0.0.1"]]);
    let policy = Policy::public().and("127.0.0.1".parse().unwrap());
    let outbound = Outbound::with_resolver(&Settings::new(policy), names).unwrap();
    let url = format!("http://several.example:{}/", address.port());
    assert_eq!(post(&outbound, &url, LONG).await.unwrap().0, StatusCode::NO_CONTENT);
    assert!(asked.await.unwrap().contains("host: several.example"));
    let nowhere = Outbound::with_resolver(&Settings::new(Policy::public()), Names::new(&[&[]])).unwrap();
    let error = post(&nowhere, &url, LONG).await.unwrap_err();
    assert_eq!(error.to_string(), "no connection: several.example has no address");
}

#[tokio::test]
async fn calls_at_the_same_time_are_bounded_and_waiting_counts_as_time() {
    let silence = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silence.local_addr().unwrap());
    let one = Outbound::new(&Settings { together: 1, ..Settings::new(Policy::internal()) }).unwrap();
    let first = tokio::spawn({
        let (one, url) = (one.clone(), url.clone());
        async move { post(&one, &url, LONG).await }
    });
    let (_held, _) = silence.accept().await.unwrap();
    let error = post(&one, &url, SHORT).await.unwrap_err();
    assert!(matches!(error, OutboundError::NoAnswer(SHORT)), "{error}");
    let nobody_came = tokio::time::timeout(Duration::ZERO, silence.accept()).await;
    assert!(nobody_came.is_err());
    first.abort();
}

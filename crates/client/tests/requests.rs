//! Requests as a server sees them, and what becomes of bad answers. The server is a socket that says what it is told.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{Method, StatusCode};
use jiff::Timestamp;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use yardarm_client::{ApiError, ApiRequest, Credentials, HttpClient, HttpError, HttpSettings, Server};
use yardarm_signature::{SecretKey, Signer};

const LONG: Duration = Duration::from_secs(30);

/// Reads a head; answers it in lower case, without the final empty line.
async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(read).unwrap().trim_end().to_lowercase()
}

/// Answers one request with `answer` and hands over the request's head.
async fn answering(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = head(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        head
    });
    (url, asked)
}

fn server(url: &str, credentials: Credentials) -> Server {
    let settings = HttpSettings { body_bytes: 16, ..HttpSettings::default() };
    Server::new(HttpClient::new(&settings).unwrap(), url.parse().unwrap(), credentials)
        .with_clock(|| Timestamp::UNIX_EPOCH)
}

async fn get(server: &Server, target: &str, time: Duration) -> Result<(StatusCode, Bytes), ApiError> {
    let headers = [(IF_NONE_MATCH, HeaderValue::from_static("\"1\""))];
    let request = ApiRequest { method: &Method::GET, target, headers: &headers, body: &Bytes::new(), time };
    server.send(&request).await.map(|answer| (answer.status(), answer.into_body()))
}

#[tokio::test]
async fn a_request_carries_what_it_is_given_and_a_proof() {
    let (url, asked) = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
    let below = format!("{url}/below/");
    let server = server(&below, Credentials::token("ydm_secret").unwrap());
    let (status, body) = get(&server, "/a%20b?wait=5", LONG).await.unwrap();
    assert_eq!((status, &*body), (StatusCode::OK, &b"hi"[..]));
    let head = asked.await.unwrap();
    assert!(head.starts_with("get /below/a%20b?wait=5 http/1.1\r\n"), "{head}");
    for line in
        ["authorization: bearer ydm_secret", "if-none-match: \"1\"", &url.replace("http://", "host: ")]
    {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert!(!format!("{server:?}").contains("secret"));
}

#[tokio::test]
async fn a_signature_is_for_the_host_and_path_that_are_sent() {
    let (url, asked) = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let signer = Signer::new("AKID", SecretKey::new("secret"), "us-east-1", "appconfig");
    let server = server(&url, Credentials::Signature(signer));
    server.tell(Method::DELETE, "/yardarm/v1/tokens/x").await.unwrap();
    let head = asked.await.unwrap();
    assert!(head.contains("x-amz-date: 19700101t000000z"), "{head}");
    assert!(
        head.contains(
            "credential=akid/19700101/us-east-1/appconfig/aws4_request, signedheaders=host;x-amz-date"
        ),
        "{head}"
    );
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words() {
    for (answer, status, detail, seconds) in [
        ("HTTP/1.1 404 N\r\ncontent-length: 15\r\n\r\n{\"detail\":\"no\"}", 404, "no", None),
        ("HTTP/1.1 409 C\r\ncontent-length: 15\r\n\r\n{\"Message\":\"x\"}", 409, "x", None),
        ("HTTP/1.1 503 U\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", 503, "answered 503", Some(7)),
    ] {
        let (url, _asked) = answering(answer).await;
        let refused = get(&server(&url, Credentials::None), "/", LONG).await.unwrap_err();
        let ApiError::Refused { status: told, detail: words, retry_after } = refused else {
            panic!("{refused}")
        };
        assert_eq!(told.as_u16(), status);
        assert!(words.contains(detail), "{words}");
        assert_eq!(retry_after, seconds.map(Duration::from_secs));
    }
}

#[tokio::test]
async fn nothing_waits_for_ever_and_nothing_grows_without_bound() {
    let silence = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silence.local_addr().unwrap());
    let silent = get(&server(&url, Credentials::None), "/", Duration::from_millis(50)).await;
    let cause = |error: Result<_, ApiError>| match error.unwrap_err() {
        ApiError::Unreachable { source, .. } => source,
        other => panic!("{other}"),
    };
    assert!(matches!(cause(silent), HttpError::NoAnswer(_)));

    let (url, _asked) = answering("HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n12345678901234567").await;
    let large = get(&server(&url, Credentials::None), "/", LONG).await;
    assert!(matches!(cause(large), HttpError::TooLarge(16)));

    let (url, _asked) = answering("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123").await;
    let short = get(&server(&url, Credentials::None), "/", LONG).await;
    assert!(matches!(cause(short), HttpError::Broken(_)));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = get(&server(&url, Credentials::None), "/", LONG).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("{url} does not answer: no connection: ")), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (url, _asked) =
        answering("HTTP/1.1 302 F\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n").await;
    let refused = get(&server(&url, Credentials::None), "/", LONG).await.unwrap_err();
    assert!(matches!(refused, ApiError::Refused { status: StatusCode::FOUND, .. }), "{refused}");
}

#[tokio::test]
async fn a_proxy_is_asked_to_connect() {
    use yardarm_client::HttpProxy;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = proxy.accept().await.unwrap();
        let connect = head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let inner = head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        (connect, inner)
    });
    let headers = [(HeaderName::from_static("x-who"), HeaderValue::from_static("me"))];
    let proxy = HttpProxy {
        url: format!("http://{address}").parse().unwrap(),
        headers: headers.into_iter().collect(),
    };
    let http = HttpClient::new(&HttpSettings { proxy: Some(proxy), ..HttpSettings::default() }).unwrap();
    let server = Server::new(http, "http://inside.example:4770".parse().unwrap(), Credentials::None);
    get(&server, "/x", LONG).await.unwrap();
    let (connect, inner) = asked.await.unwrap();
    assert!(connect.starts_with("connect inside.example:4770 http/1.1"), "{connect}");
    assert!(connect.contains("x-who: me"), "{connect}");
    assert!(inner.starts_with("get /x http/1.1"), "{inner}");
}

//! The yardstick: a bare axum handler that answers recorded bytes, for evaluations after parsing the JSON that was posted.
//!
//! Built of the same versions, on the same kind of runtime, with the same socket options as Yardarm. It knows nothing:
//! no token, no session, no signature, no metrics, no limits. **Invariant:** nothing is done per request that an axum
//! handler with constant headers and a constant body could leave out.

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Answers GET /configuration, POST /unparsed and POST /parsed with what it was given.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// A header of the answer, `name: value`; may be repeated.
    #[arg(long)]
    header: Vec<String>,
    /// File of the answer's body.
    #[arg(long)]
    body: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let body = Bytes::from(std::fs::read(&arguments.body)?);
    let mut headers = HeaderMap::new();
    for line in &arguments.header {
        let (name, value) = line.split_once(": ").context("a header is `name: value`")?;
        headers.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments.listen, headers, body))
}

async fn serve(address: SocketAddr, headers: HeaderMap, body: Bytes) -> anyhow::Result<()> {
    let ready = get(|| std::future::ready(StatusCode::OK));
    let (headers, body) = (std::sync::Arc::new(headers), body);
    let plain = {
        let (headers, body) = (headers.clone(), body.clone());
        move || std::future::ready(answer(&headers, &body))
    };
    let parsed = move |posted: Bytes| {
        // What any handler of this request has to do: read all of the JSON.
        let context = serde_json::from_slice::<serde_json::Value>(&posted);
        std::future::ready(match std::hint::black_box(context) {
            Ok(_) => answer(&headers, &body),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        })
    };
    let router = Router::new()
        .route("/configuration", get(plain.clone()))
        .route("/unparsed", post(plain))
        .route("/parsed", post(parsed))
        .route("/readyz", ready);
    // Answers must not wait for more: as Yardarm does it.
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

fn answer(headers: &HeaderMap, body: &Bytes) -> Response {
    let mut response = Response::new(Body::from(body.clone()));
    *response.headers_mut() = headers.clone();
    response
}

//! The yardstick of streams: an axum handler that answers with server-sent events, and sends everybody who listens the same
//! bytes whenever they are posted.
//!
//! It knows nothing: no token, no state, no heartbeat, no limits, and it notices nothing of clients that do not read.
//! **Invariant:** the bytes are shared, never copied, and nothing is done for a client that such a handler could leave out.

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use clap::Parser;
use futures_util::stream;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Answers GET /stream with events, and sends what is posted to /publish.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments.listen))
}

async fn serve(address: SocketAddr) -> anyhow::Result<()> {
    let events = Arc::new(watch::Sender::new(Bytes::new()));
    let told = events.clone();
    let publish = move |event: Bytes| {
        told.send_replace(event);
        std::future::ready(StatusCode::OK)
    };
    let listen = move || std::future::ready(answer(events.subscribe()));
    let router = Router::new()
        .route("/stream", get(listen))
        .route("/publish", post(publish))
        .route("/readyz", get(|| std::future::ready(StatusCode::OK)));
    // Answers must not wait for more: as Yardarm does it.
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

fn answer(mut events: watch::Receiver<Bytes>) -> Response {
    // What there is comes first.
    events.mark_changed();
    let pieces = stream::unfold(events, |mut events| async {
        events.changed().await.ok()?;
        let event = events.borrow_and_update().clone();
        Some((Ok::<_, Infallible>(event), events))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(pieces)).into_response()
}

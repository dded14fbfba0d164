//! The floor under durable writes: an axum handler that inserts a record into bare SQLite, commits, and answers.
//!
//! It checks nothing, decides nothing, hashes nothing and knows nothing. What it takes over HTTP on this machine is what
//! no server takes less than. By itself each request commits on the thread that has it, one after the other; with
//! `--together` a thread commits all that wait.

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, patch};
use axum::serve::ListenerExt;
use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use yardarm_bench::bare_sqlite::{BareSqlite, newest_record};

/// Answers PATCH /applications/… with what it was given, once a record is on the disk.
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
    /// The database that is made.
    #[arg(long)]
    database: PathBuf,
    /// The log whose last record is written.
    #[arg(long)]
    record_of: PathBuf,
    /// Commits what waits together.
    #[arg(long)]
    together: bool,
}

/// How a request gets its record onto the disk.
enum Store {
    /// Whoever has a request commits it.
    Inline(Box<Mutex<BareSqlite>>),
    /// A thread commits all that wait.
    Together(mpsc::Sender<oneshot::Sender<()>>),
}

impl Store {
    async fn write(&self) -> anyhow::Result<()> {
        match self {
            Self::Inline(sqlite) => sqlite.lock().unwrap_or_else(PoisonError::into_inner).write(),
            Self::Together(queue) => {
                let (reply, done) = oneshot::channel();
                queue.send(reply)?;
                Ok(done.await?)
            }
        }
    }
}

/// Commits until nobody can ask any more.
fn commit_together(
    mut sqlite: BareSqlite,
    waiting: &mpsc::Receiver<oneshot::Sender<()>>,
) -> anyhow::Result<()> {
    while let Ok(first) = waiting.recv() {
        let group: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
        sqlite.write_together(group.len())?;
        for reply in group {
            let _ = reply.send(());
        }
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let body = Bytes::from(std::fs::read(&arguments.body)?);
    let mut headers = HeaderMap::new();
    for line in &arguments.header {
        let (name, value) = line.split_once(": ").context("a header is `name: value`")?;
        headers.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
    }
    let sqlite = BareSqlite::create(&arguments.database, newest_record(&arguments.record_of)?)?;
    let store = if arguments.together {
        let (queue, waiting) = mpsc::channel();
        std::thread::spawn(move || commit_together(sqlite, &waiting));
        Store::Together(queue)
    } else {
        Store::Inline(Box::new(Mutex::new(sqlite)))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments.listen, headers, body, store))
}

async fn serve(address: SocketAddr, headers: HeaderMap, body: Bytes, store: Store) -> anyhow::Result<()> {
    let shared = Arc::new((headers, body, store));
    let write = patch(move |request: Request| answer(shared.clone(), request));
    let ready = get(|| std::future::ready(StatusCode::OK));
    let router = Router::new().route("/applications/{id}", write).route("/readyz", ready);
    // Answers must not wait for more: as Yardarm does it.
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

/// The body of the request is read, and that is all that is done with it.
async fn answer(shared: Arc<(HeaderMap, Bytes, Store)>, request: Request) -> Result<Response, StatusCode> {
    let (headers, body, store) = &*shared;
    axum::body::to_bytes(request.into_body(), 64 * 1024).await.map_err(|_| StatusCode::BAD_REQUEST)?;
    store.write().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let mut response = Response::new(Body::from(body.clone()));
    *response.headers_mut() = headers.clone();
    Ok(response)
}

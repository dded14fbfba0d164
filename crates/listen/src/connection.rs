//! One connection: its requests are answered by hyper, until an answer goes on for as long as the connection does. Once the
//! head of such an answer has been sent, the connection is taken back: hyper keeps a buffer for requests that will never
//! come, and its state, several times what it takes to send piece after piece.
//!
//! **Invariants:** nothing of an answer is lost or sent twice: the connection is taken back only after hyper has handed all
//! of the head to the socket, and before it has seen any of the body; what cannot be taken back is served as everything is.

use crate::Peer;
use crate::long_lived::{self, LongLived};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Method, Version};
use http_body::Frame;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// What a connection's requests are answered with.
pub(crate) struct Answering {
    pub(crate) http: Arc<http1::Builder>,
    pub(crate) router: Router,
    pub(crate) peer: Option<Peer>,
}

impl Answering {
    /// Answers requests until the connection ends. Once `stopping` says so, the one under way is the last. `place` is free
    /// when this is over: a stream that goes on has a task and a bound of its own.
    pub(crate) async fn serve<P>(self, tcp: TcpStream, mut stopping: watch::Receiver<()>, place: P) {
        let Self { http, router, peer } = self;
        let taking = Arc::new(Taking::default());
        let router = TowerToHyperService::new(router);
        let shared = taking.clone();
        let service = service_fn(move |mut request: Request<hyper::body::Incoming>| {
            if let Some(peer) = peer {
                request.extensions_mut().insert(peer);
            }
            // Only there the rest of the answer is chunks, whatever is in it.
            let in_chunks = request.version() == Version::HTTP_11 && request.method() == Method::GET;
            let (answering, taking) = (router.call(request), shared.clone());
            async move {
                let response = answering.await?;
                Ok::<_, Infallible>(if in_chunks { taking.hold_back(response) } else { response })
            }
        });
        let io = Io { tcp: TokioIo::new(tcp), taking: taking.clone() };
        let mut connection = http.serve_connection(io, service);
        let mut is_stopping = false;
        let ended = loop {
            let ended = poll_fn(|context| match Pin::new(&mut connection).poll(context) {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                Poll::Pending if taking.is_due() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            tokio::select! {
                biased;
                ended = ended => break ended,
                _ = stopping.changed(), if !is_stopping => {
                    is_stopping = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        match ended {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%error, "a connection ended badly"),
            None => {
                let tcp = connection.into_parts().io.tcp.into_inner();
                if let Some(held) = taking.held() {
                    tokio::spawn(long_lived::send(tcp, held.body, held.kind, stopping));
                }
            }
        }
        drop(place);
    }
}

/// How far a connection is on its way from hyper to us. All of it happens in one task.
#[derive(Debug, Default)]
struct Taking {
    /// The body of an answer whose head hyper sends.
    held: Mutex<Option<Held>>,
    /// Whether hyper has asked for the body, and so has written the head to its buffer.
    asked: AtomicBool,
    /// Whether its buffer has been empty since.
    flushed: AtomicBool,
}

#[derive(Debug)]
struct Held {
    body: Body,
    kind: LongLived,
}

impl Taking {
    /// Keeps the body of an answer that goes on, and leaves hyper the head.
    fn hold_back(self: Arc<Self>, response: Response) -> Response {
        let Some(kind) = response.extensions().get::<LongLived>().cloned() else { return response };
        let (mut head, body) = response.into_parts();
        // There is no next request.
        head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(Held { body, kind });
        Response::from_parts(head, Body::new(Silence(self)))
    }

    fn is_due(&self) -> bool {
        self.flushed.load(Ordering::Relaxed)
    }

    fn held(&self) -> Option<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The body that hyper sees of an answer that is held back: nothing, and no end.
struct Silence(Arc<Taking>);

impl http_body::Body for Silence {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.asked.store(true, Ordering::Relaxed);
        Poll::Pending
    }
}

/// The socket, as hyper sees it. It flushes the socket when it has written all that it had to write.
struct Io {
    tcp: TokioIo<TcpStream>,
    taking: Arc<Taking>,
}

impl Read for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_read(context, buffer)
    }
}

impl Write for Io {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { tcp, taking } = self.get_mut();
        if taking.asked.load(Ordering::Relaxed) {
            taking.flushed.store(true, Ordering::Relaxed);
        }
        Pin::new(tcp).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write_vectored(context, slices)
    }
}

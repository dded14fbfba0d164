//! Accepting HTTP connections: bounded in number, in head size and in time, and drained when told to stop. What server
//! and agent share of serving; they share no routes.

mod body;
mod browser;
mod connection;
mod long_lived;
mod pieces;
#[cfg(test)]
mod tests;

pub use body::{Unread, read_body};
pub use browser::{from_a_browser, is_local_host};
pub use long_lived::SlowReaders;
pub use pieces::event_stream;

pub use axum::Router;
use connection::Answering;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use socket2::{SockRef, TcpKeepalive};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Bounds on what connections can make a listener do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of a request's head: request line and headers.
    pub head_bytes: usize,
    /// Number of headers.
    pub headers: usize,
    /// From the first byte of a head, or from the connection, to its last byte.
    pub head_time: Duration,
    /// Connections open at a time; more wait to be accepted. Event streams do not count: whoever offers them bounds them.
    pub connections: usize,
    /// How long requests under way may go on after the listener was told to stop.
    pub drain_time: Duration,
    /// Whether each request is told who is at the other end, as a [`Peer`].
    pub tell_peers: bool,
}

/// Who is at the other end of a request's connection: a client, or a proxy in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            headers: 100,
            head_time: Duration::from_secs(15),
            connections: 10_000,
            drain_time: Duration::from_secs(20),
            tell_peers: false,
        }
    }
}

/// A bound address.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
}

impl Listener {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::bind(address).await? })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// How long to wait when the machine has no more sockets to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Serves `router` until `stop` is ready, then lets requests under way finish.
///
/// Answers whether all of them did.
pub async fn serve(
    listener: Listener,
    router: Router,
    bounds: &Bounds,
    stop: impl Future<Output = ()>,
) -> bool {
    let places = Arc::new(Semaphore::new(bounds.connections.clamp(1, Semaphore::MAX_PERMITS)));
    // Everybody who is still at work holds a receiver.
    let (stopping, at_work) = watch::channel(());
    // Makes services of all handlers now, rather than for every request.
    let router = router.with_state(());
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_buf_size(bounds.head_bytes.max(8_192))
        .max_headers(bounds.headers);
    let http = Arc::new(builder);
    let mut stop = std::pin::pin!(stop);
    loop {
        // Taking a place first leaves further connections in the kernel's queue.
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut stop => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.tcp.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, bounds.tell_peers.then(|| Peer(peer.ip()))),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(EXHAUSTED).await;
                continue;
            }
        };
        prepare(&stream);
        let answering = Answering { http: http.clone(), router: router.clone(), peer };
        tokio::spawn(answering.serve(stream, at_work.clone(), place));
    }
    drop(listener);
    drop(at_work);
    stopping.send_replace(());
    tokio::time::timeout(bounds.drain_time, stopping.closed()).await.is_ok()
}

/// After how long of silence a client is asked whether it is still there, and then how often.
const ASK_AFTER: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_secs(15);

/// How long a client may take to take what it is sent. Then it is gone, or does not read.
#[cfg(target_os = "linux")]
const TAKEN_WITHIN: Duration = Duration::from_secs(120);

/// Answers are small and complete: they must not wait for more. Clients that vanished without a word must not keep their
/// places, above all those who wait or listen.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    let socket = SockRef::from(stream);
    let asking = TcpKeepalive::new().with_time(ASK_AFTER).with_interval(ASK_EVERY);
    if let Err(error) = socket.set_tcp_keepalive(&asking) {
        tracing::debug!(%error, "a connection is not asked whether it is still there");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.set_tcp_user_timeout(Some(TAKEN_WITHIN)) {
        tracing::debug!(%error, "a connection may take its time");
    }
}

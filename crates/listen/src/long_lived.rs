//! The rest of an answer that goes on for as long as its connection does, sent by a small task of its own.
//!
//! **Invariants:** a piece is made only when the one before was taken; nobody waits for a client: one that does not take a
//! piece in time is dropped, and holds no more than that piece until then.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a client may take to take a piece, once the machine keeps no more for it.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// Counts clients that were dropped because they did not read. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct SlowReaders(Arc<AtomicU64>);

impl SlowReaders {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Marks an answer that goes on for as long as its connection does.
#[derive(Clone, Debug)]
pub(crate) struct LongLived {
    pub(crate) slow: SlowReaders,
}

/// Sends all of `body` as chunks, then ends the connection. `_stopping` keeps whoever stops waiting for it.
pub(crate) async fn send(
    mut tcp: TcpStream,
    mut body: Body,
    kind: LongLived,
    _stopping: watch::Receiver<()>,
) {
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = gone(&tcp) => return,
        };
        let Some(frame) = frame else { break };
        let Ok(Ok(data)) = frame.map(http_body::Frame::into_data) else { return };
        if data.is_empty() {
            continue;
        }
        if let Err(error) = Chunk::new(data).send(&tcp).await {
            if error.kind() == ErrorKind::TimedOut {
                kind.slow.0.fetch_add(1, Ordering::Relaxed);
            }
            tracing::debug!(%error, "an event stream ended badly");
            return;
        }
    }
    drop(body);
    // Whether the client hears of the end or not, it is the end.
    let _ = timeout(TAKEN_WITHIN, async {
        tcp.write_all(b"0\r\n\r\n").await?;
        tcp.shutdown().await
    })
    .await;
}

/// Ready when the client has gone. What it may still send is read and forgotten: it has been told that nobody listens.
async fn gone(tcp: &TcpStream) {
    poll_fn(|context| {
        loop {
            match tcp.poll_read_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            match tcp.try_read(&mut [0; 256]) {
                Ok(0) => return Poll::Ready(()),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Poll::Ready(()),
                Ok(_) | Err(_) => {}
            }
        }
    })
    .await;
}

/// A piece on its way, in the form of HTTP's chunked coding.
struct Chunk {
    /// Length in hexadecimal and the end of the line.
    size: String,
    data: Bytes,
    sent: usize,
}

const END: &[u8] = b"\r\n";

impl Chunk {
    fn new(data: Bytes) -> Self {
        Self { size: format!("{:x}\r\n", data.len()), data, sent: 0 }
    }

    /// Sends it: at once if the machine takes it, which it does unless the client has not read for long.
    async fn send(mut self, tcp: &TcpStream) -> io::Result<()> {
        if self.advance(tcp)? {
            return Ok(());
        }
        // In a box: few streams ever wait here, and all would have to keep room for it.
        let waiting = Box::pin(async {
            loop {
                tcp.writable().await?;
                if self.advance(tcp)? {
                    return Ok(());
                }
            }
        });
        timeout(TAKEN_WITHIN, waiting).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }

    /// Hands over as much as the machine takes. Answers whether that was all.
    fn advance(&mut self, tcp: &TcpStream) -> io::Result<bool> {
        loop {
            let mut skip = self.sent;
            let mut rest = |part| -> IoSlice<'_> { IoSlice::new(after(part, &mut skip)) };
            let slices = [rest(self.size.as_bytes()), rest(&self.data), rest(END)];
            if slices.iter().all(|slice| slice.is_empty()) {
                return Ok(true);
            }
            match tcp.try_write_vectored(&slices) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

/// What is left of `part` after `skip` bytes; takes its length off `skip`.
fn after<'p>(part: &'p [u8], skip: &mut usize) -> &'p [u8] {
    let skipped = (*skip).min(part.len());
    *skip -= skipped;
    part.get(skipped..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn what_was_sent_is_not_sent_again() {
        let whole = [b"3\r\n".as_slice(), b"abc", b"\r\n"];
        for sent in 0..=8 {
            let mut skip = sent;
            let left: Vec<u8> = whole.iter().flat_map(|part| after(part, &mut skip)).copied().collect();
            assert_eq!(left, b"3\r\nabc\r\n"[sent..]);
        }
    }
}

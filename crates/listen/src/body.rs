//! Reading a request's body, within limits of size and time.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It has at least so many bytes, more than are allowed.
    TooLarge(u64),
    /// It did not arrive in time. That is its sender's fault, and no reason for an SDK to try again.
    TooSlow,
    /// The connection broke, or what came is no body.
    Broken,
}

/// The whole body: of at most `most` bytes, all of them within `time`.
///
/// # Errors
/// Why it was not read.
pub async fn read_body(body: Body, most: usize, time: Duration) -> Result<Bytes, Unread> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced = body.size_hint().lower();
    if announced > most as u64 {
        return Err(Unread::TooLarge(announced));
    }
    let mut reading = pin!(collect(body, most));
    // A body that came along with the head is there when the connection is looked at for the second time. Most are, and
    // need no timer.
    let mut asked = false;
    let soon = poll_fn(|context| match reading.as_mut().poll(context) {
        Poll::Ready(read) => Poll::Ready(Some(read)),
        Poll::Pending if asked => Poll::Ready(None),
        Poll::Pending => {
            asked = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    });
    if let Some(read) = soon.await {
        return read;
    }
    tokio::time::timeout(time, reading).await.unwrap_or(Err(Unread::TooSlow))
}

/// All data of `body`; without a copy if it comes in one piece.
async fn collect(mut body: Body, most: usize) -> Result<Bytes, Unread> {
    let mut only = Bytes::new();
    let mut pieces = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        let size = only.len() + pieces.len() + data.len();
        if size > most {
            return Err(Unread::TooLarge(size as u64));
        }
        if only.is_empty() && pieces.is_empty() {
            only = data;
        } else {
            pieces.extend_from_slice(&std::mem::take(&mut only));
            pieces.extend_from_slice(&data);
        }
        if body.is_end_stream() {
            break;
        }
    }
    Ok(if pieces.is_empty() { only } else { pieces.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use std::collections::VecDeque;
    use std::io;
    use std::pin::Pin;
    use std::task::Context;

    const TIME: Duration = Duration::from_secs(10);

    /// What arrives of a body, and whether anything more ever would.
    struct Arriving {
        pieces: VecDeque<io::Result<&'static str>>,
        then: Then,
    }

    #[derive(Clone, Copy)]
    enum Then {
        End,
        Silence,
        TheSame,
    }

    impl http_body::Body for Arriving {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            let piece = match (self.pieces.pop_front(), self.then) {
                (Some(piece), _) => piece,
                (None, Then::End) => return Poll::Ready(None),
                (None, Then::Silence) => return Poll::Pending,
                (None, Then::TheSame) => Ok("abc"),
            };
            Poll::Ready(Some(piece.map(|piece| Frame::data(Bytes::from_static(piece.as_bytes())))))
        }
    }

    fn arriving(pieces: &[&'static str], then: Then) -> Body {
        Body::new(Arriving { pieces: pieces.iter().copied().map(Ok).collect(), then })
    }

    #[tokio::test]
    async fn pieces_make_the_whole() {
        for (sent, whole) in
            [(&["ab", "", "cd", "e"] as &[_], "abcde"), (&["abcde"], "abcde"), (&["", ""], ""), (&[], "")]
        {
            assert_eq!(
                read_body(arriving(sent, Then::End), 5, TIME).await,
                Ok(Bytes::from(whole)),
                "{sent:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_as_soon_as_that_is_known() {
        assert_eq!(read_body(Body::from("abcdef"), 5, TIME).await, Err(Unread::TooLarge(6)));
        assert_eq!(read_body(arriving(&[], Then::TheSame), 5, TIME).await, Err(Unread::TooLarge(6)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_sending_is_told_so_in_time() {
        let started = tokio::time::Instant::now();
        assert_eq!(read_body(arriving(&["abc"], Then::Silence), 5, TIME).await, Err(Unread::TooSlow));
        assert_eq!(started.elapsed(), TIME);
    }

    #[tokio::test]
    async fn a_broken_connection_is_not_the_end_of_a_body() {
        let pieces = [Ok("abc"), Err(io::Error::other("gone"))].into();
        assert_eq!(
            read_body(Body::new(Arriving { pieces, then: Then::End }), 5, TIME).await,
            Err(Unread::Broken)
        );
    }
}

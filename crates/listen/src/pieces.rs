//! A body that is made piece by piece, for answers that go on for as long as their connection does.
//!
//! **Invariants:** the next piece is begun only when the one before was taken, so a client that does not read costs what
//! one that reads costs; all of it is dropped with the connection.

use crate::long_lived::{LongLived, SlowReaders};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http_body::Frame;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body that begins with `first` and goes on with what `next` makes of `state`, until it makes nothing.
fn pieces<S, N>(first: Bytes, state: S, next: impl Fn(S) -> N + Send + Unpin + 'static) -> Body
where
    S: Send + Unpin + 'static,
    N: Future<Output = Option<(Bytes, S)>> + Send + 'static,
{
    Body::new(Pieces { stage: Stage::Made(first, state), next })
}

/// An answer of server-sent events: it begins with `first` and goes on with what `next` makes of `state`, until it makes
/// nothing. Nobody on the way keeps it or holds it back. [`serve`](crate::serve) drops clients that do not read it, and
/// counts them in `slow`.
pub fn event_stream<S, N>(
    first: Bytes,
    state: S,
    next: impl Fn(S) -> N + Send + Unpin + 'static,
    slow: &SlowReaders,
) -> Response
where
    S: Send + Unpin + 'static,
    N: Future<Output = Option<(Bytes, S)>> + Send + 'static,
{
    let mut response = Response::new(pieces(first, state, next));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    response.extensions_mut().insert(LongLived { slow: slow.clone() });
    response
}

/// Tells proxies to hand on what they get at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

struct Pieces<S, F, N> {
    stage: Stage<S, N>,
    next: F,
}

enum Stage<S, N> {
    /// A piece, and what the one after it is made of.
    Made(Bytes, S),
    /// The piece before was handed over.
    Making(Pin<Box<N>>),
    End,
}

impl<S, F, N> http_body::Body for Pieces<S, F, N>
where
    S: Unpin,
    F: Fn(S) -> N + Unpin,
    N: Future<Output = Option<(Bytes, S)>>,
{
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self { stage, next } = self.get_mut();
        if let Stage::Making(making) = stage {
            *stage = match std::task::ready!(making.as_mut().poll(context)) {
                Some((piece, state)) => Stage::Made(piece, state),
                None => Stage::End,
            };
        }
        Poll::Ready(match std::mem::replace(stage, Stage::End) {
            Stage::Made(piece, state) => {
                *stage = Stage::Making(Box::pin(next(state)));
                Some(Ok(Frame::data(piece)))
            }
            Stage::Making(_) | Stage::End => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use std::task::Waker;

    fn next(body: &mut Body) -> Option<Bytes> {
        let frame = match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame,
            Poll::Pending => panic!("nothing here waits"),
        };
        frame.map(|frame| frame.unwrap().into_data().unwrap())
    }

    #[test]
    fn pieces_come_one_by_one_and_end() {
        let mut body = pieces("0".into(), 0, |last| async move {
            (last < 2).then(|| (Bytes::from((last + 1).to_string()), last + 1))
        });
        let told: Vec<_> = std::iter::from_fn(|| next(&mut body)).collect();
        assert_eq!(told, ["0", "1", "2"]);
        assert_eq!(next(&mut body), None);
    }
}

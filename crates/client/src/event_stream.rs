//! A stream of events that a server has begun to send, heard one by one.

use crate::event_reader::{EventReader, Heard};
use crate::http_client::{HttpError, Opened};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::timeout;

/// A stream of which nothing is heard for so long has lost its connection: servers break the silence every 20 s.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// Why a stream has ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamEnd {
    /// The server has ended it.
    #[error("the server has ended its stream")]
    Closed,
    /// The connection has.
    #[error("the stream broke: {0}")]
    Broken(HttpError),
    /// Nothing was heard for too long.
    #[error("nothing was heard of the stream any more")]
    Silent,
    /// Nothing was heard at all: something on the way keeps what it gets until it has all of it.
    #[error("nothing was heard of the stream")]
    NeverSpoke,
    /// What was told makes no sense here: it builds on something that this client does not have, or is too large.
    #[error("the stream makes no sense: {0}")]
    Nonsense(String),
}

/// A stream.
#[derive(Debug)]
pub(crate) struct EventStream {
    opened: Opened,
    reader: EventReader,
    /// Read, and not yet asked for.
    heard: VecDeque<Heard>,
    /// How long nothing may come.
    patience: Duration,
    spoke: bool,
}

impl EventStream {
    /// `patience`: how long it may take until something comes.
    pub(crate) fn new(opened: Opened, patience: Duration) -> Self {
        let reader = EventReader::new(opened.limit);
        Self { opened, reader, heard: VecDeque::new(), patience, spoke: false }
    }

    /// What comes next. Who stops waiting for it misses nothing by that.
    ///
    /// # Errors
    /// The stream has ended.
    pub(crate) async fn next(&mut self) -> Result<Heard, StreamEnd> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            let bytes = match timeout(self.patience, self.opened.next()).await {
                Ok(Some(bytes)) => bytes.map_err(StreamEnd::Broken)?,
                Ok(None) => return Err(StreamEnd::Closed),
                Err(_) if self.spoke => return Err(StreamEnd::Silent),
                Err(_) => return Err(StreamEnd::NeverSpoke),
            };
            (self.patience, self.spoke) = (LONGEST_SILENCE, true);
            let heard = self.reader.read(&bytes);
            self.heard.extend(heard.map_err(|too_large| StreamEnd::Nonsense(too_large.to_string()))?);
        }
    }
}

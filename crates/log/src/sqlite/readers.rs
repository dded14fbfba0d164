//! The threads that read.
//!
//! Each has a connection of its own, which cannot write. A read is one statement, so it sees one moment of the log and
//! waits for no writer.

use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Threads, and so reads at the same time. The server reads from memory; these serve start-up, catching up and content.
pub(super) const READERS: usize = 2;

/// Reads that may wait at one time. Further callers wait before they enqueue.
pub(super) const QUEUE: usize = 256;

/// Something to be read. It answers by itself.
pub(super) type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Serves the shared `queue` until it is closed and empty.
pub(super) fn run(db: &Connection, queue: &Arc<Mutex<mpsc::Receiver<Read>>>) {
    loop {
        // The lock is held while waiting: whoever has it gets the next read, and lets go before doing it.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match next {
            Some(read) => read(db),
            None => return,
        }
    }
}

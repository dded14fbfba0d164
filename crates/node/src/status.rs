//! How a node is doing, for health checks and metrics.

use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use yardarm_log::Seq;

/// How a node is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The last record the node knows.
    pub seq: Seq,
    /// How old the node's knowledge is: how long ago the log was last known to end where the node thinks it does. Zero
    /// while the log answers.
    pub stale_for: SignedDuration,
    /// Whether the last append or read of the log succeeded.
    pub log_answers: bool,
    /// Whether the last append succeeded. A log that is read but takes nothing (a full disk) makes the node read-only.
    pub log_accepts: bool,
    /// Configurations whose newest state could not be loaded yet; the state before is served.
    pub behind: u64,
    /// Commands carried out since the start.
    pub commands: u64,
    /// Records appended since the start.
    pub records: u64,
    /// Appends since the start; fewer than commands when many are written together.
    pub appends: u64,
    /// Appends that lost the race against another node since the start.
    pub conflicts: u64,
    /// What extensions were told since the start.
    pub delivered: u64,
    /// Tries to tell an extension something that failed since the start.
    pub delivery_failures: u64,
    /// What extensions could not be told, and was given up since the start.
    pub given_up: u64,
}

/// Counters behind [`Status`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commands: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) appends: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    pub(crate) behind: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) delivery_failures: AtomicU64,
    pub(crate) given_up: AtomicU64,
    pub(crate) log_fails: AtomicBool,
    pub(crate) append_fails: AtomicBool,
}

impl Counters {
    pub(crate) fn status(&self, seq: Seq, as_of: Timestamp, now: Timestamp) -> Status {
        let log_answers = !self.log_fails.load(Ordering::Relaxed);
        let stale_for = if log_answers {
            SignedDuration::ZERO
        } else {
            now.duration_since(as_of).max(SignedDuration::ZERO)
        };
        Status {
            seq,
            stale_for,
            log_answers,
            log_accepts: !self.append_fails.load(Ordering::Relaxed),
            behind: self.behind.load(Ordering::Relaxed),
            commands: self.commands.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
            appends: self.appends.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
            delivery_failures: self.delivery_failures.load(Ordering::Relaxed),
            given_up: self.given_up.load(Ordering::Relaxed),
        }
    }
}

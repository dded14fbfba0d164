//! Flags kept current from a real server: one that changes, deploys step by step, dies and comes back.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failing test panics")]

mod acknowledging;
mod following;
mod offline;
mod openfeature;
mod server;
mod streaming;
mod token;

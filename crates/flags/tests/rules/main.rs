//! The rule language: the cases every implementation must answer alike, what authors are told, and the laws.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

mod answers;
mod blocks;
mod book;
mod diagnostics;
mod documents;
mod generated;
mod laws;
mod splits;
mod variants;

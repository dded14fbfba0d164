//! Stories: commands one after the other, seconds apart, and what becomes of a world by them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

mod alarms;
mod forced_flags;
mod stage;

//! `yardarm demo`: a coffee shop whose owner changes her mind, told from start to end against a real server.
//!
//! The shop is a small HTTP service with twenty branches. Each reads flags as any Rust program does, by [`yardarm_client`];
//! customers are its HTTP clients. The server is this very program, run beside it as a process of its own, so that it can be
//! killed. What is done to flags is done by the commands that a person would type, and shown as they are typed.
//!
//! The new checkout and the recommendations misbehave by a model ([`shop`]), not by chance: the same story ends the same way on a
//! fast machine and on a slow one. **Invariants:** the story fails if something does not happen that it tells; nothing
//! waits for ever; nothing is left behind, neither processes nor files.

mod alarm;
mod audience;
mod customers;
mod estate;
mod failure;
mod operator;
mod server_process;
pub mod shop;
mod story;
mod waiting;

pub use audience::Audience;
pub use failure::DemoError;
pub use story::{DemoSettings, run};

//! For tests only: a clock and an entropy that tests own, a log that fails when told, a node on a log in memory, logs and
//! worlds as text, generated flags and callers, and a simulator of whole nodes.

mod clock;
mod entropy;
pub mod events;
mod fake_alarms;
mod faulty_log;
pub mod flag_cases;
pub mod log_text;
mod node;
mod outside;
pub mod scenario;
mod shop;
pub mod simulator;
mod world_text;

pub use clock::ManualClock;
pub use entropy::SeededEntropy;
pub use fake_alarms::{FakeAlarms, Truth};
pub use faulty_log::{AppendFate, FaultyLog, Trouble};
pub use node::{TestNode, account, cause, master_keys};
pub use outside::{Asked, ScriptedOutside};
pub use shop::Shop;
pub use world_text::describe;

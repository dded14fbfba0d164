//! For tests only: a clock and an entropy that tests own, a log that fails when told, a node on a log in memory, and a
//! simulator of whole nodes.

mod clock;
mod entropy;
mod faulty_log;
mod node;
pub mod simulator;

pub use clock::ManualClock;
pub use entropy::SeededEntropy;
pub use faulty_log::{AppendFate, FaultyLog, Trouble};
pub use node::{TestNode, account, cause, master_keys};

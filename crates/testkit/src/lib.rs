//! For tests only: a clock and an entropy that tests own, and a node on a log in memory.

mod clock;
mod entropy;
mod node;

pub use clock::ManualClock;
pub use entropy::SeededEntropy;
pub use node::{TestNode, account, cause, master_keys};

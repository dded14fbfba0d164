//! Random bytes that are the same in every run.

use std::sync::{Mutex, PoisonError};
use yardarm_node::Entropy;

/// Draws from a seeded generator.
#[derive(Debug)]
pub struct SeededEntropy {
    generator: Mutex<fastrand::Rng>,
}

impl SeededEntropy {
    /// The same seed draws the same bytes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { generator: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}

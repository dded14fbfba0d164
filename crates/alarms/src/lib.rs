//! Sources of alarms.
//!
//! Prometheus and CloudWatch are asked ([`HttpSources`]); Alertmanager and Grafana tell by themselves ([`alerts`]). What is
//! read from their bytes is read by pure functions, one module for each.
//!
//! **Invariants:** no bytes make a reader panic, or need more memory than they have themselves; what cannot be understood
//! is said to be nonsense and never taken for quiet.

pub mod alerts;
pub mod cloudwatch;
pub mod prometheus;
mod sources;

pub use sources::{CloudWatchKeys, HttpSources};

/// What could not be understood, and why: short enough to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonsense(pub String);

impl Nonsense {
    fn because(why: impl std::fmt::Display) -> Self {
        Self(why.to_string().chars().take(200).collect())
    }
}

impl std::fmt::Display for Nonsense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

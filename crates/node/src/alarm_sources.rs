//! What the node asks alarms' sources, and what they answer. How a source is spoken to is not known here.

use async_trait::async_trait;
use yardarm_domain::{AlarmReason, AlarmSource, AlarmState};

/// Asks the sources of alarms.
#[async_trait]
pub trait AlarmSources: Send + Sync + 'static {
    /// What `source` says now.
    ///
    /// # Errors
    /// It does not answer, or not what was asked.
    async fn ask(&self, source: &AlarmSource) -> Result<Heard, NotHeard>;
}

/// What a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its state; of a source whose breaches must last, whether there is one.
    pub state: AlarmState,
    /// Whether it would act on it.
    pub actions_enabled: bool,
    /// Why, in its words.
    pub reason: Option<AlarmReason>,
}

/// Why nothing was heard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeard {
    /// It cannot be reached, or refuses to answer.
    #[error("{0}")]
    NoAnswer(String),
    /// It answers something else.
    #[error("its answer makes no sense: {0}")]
    Garbage(String),
}

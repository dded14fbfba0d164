//! Where configurations come from.

use crate::held::Held;
use crate::name::ConfigurationName;
use crate::settings::Role;
use crate::trouble::Trouble;
use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A place that configurations come from.
pub trait Source: Send + Sync + 'static {
    /// Begins to follow a configuration. `role`: as whom to ask for it, where a manifest says so.
    fn feed(&self, name: &ConfigurationName, role: Option<&Role>) -> Box<dyn Feed>;

    /// The profiles of flags in an environment, by name, as far as the source can list them.
    fn flag_profiles(&self, application: &str, environment: &str) -> Vec<String> {
        let _ = (application, environment);
        vec![]
    }
}

/// One configuration, followed.
#[async_trait]
pub trait Feed: Send {
    /// What there is now. `held`: what the agent has.
    ///
    /// # Errors
    /// It cannot be found out; what is held stays.
    async fn next(&mut self, held: Option<&Held>) -> Result<News, Trouble>;

    /// Ready when there is something new before the interval is over. A source that cannot know is never ready.
    async fn changed(&mut self) {
        std::future::pending().await
    }
}

/// What a feed has found out.
#[derive(Debug)]
pub struct News {
    /// What there is.
    pub what: What,
    /// How long the source wants to be left alone.
    pub wait: Option<Duration>,
}

/// What there is of a configuration.
#[derive(Debug)]
pub enum What {
    /// The same as before.
    Same,
    /// Something else.
    Held(Held),
    /// Nothing, and what is held is not to be served any longer.
    Nothing(Trouble),
}

/// Where random numbers come from. Injected, so that tests are reproducible.
#[derive(Clone)]
pub struct Draw(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Draw {
    /// Draws with `draw`.
    pub fn new(draw: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(draw))
    }

    /// A random number.
    #[must_use]
    pub fn number(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draw")
    }
}

//! The agent: a local HTTP server between applications and a data plane, in the manner of the AWS AppConfig agent.
//!
//! It keeps configurations in memory, asks for newer ones in the background, evaluates rules, and keeps an entity on one
//! version during a deployment. Whoever runs it brings the clock, the randomness, and the variables.
//!
//! - [`Settings::read`] turns variables into settings.
//! - A [`Source`] is where configurations come from: [`Upstream`], [`LocalDirectory`], or the server it is embedded in.
//! - [`Agent::start`] keeps them; [`router`] answers callers.
//!
//! What is decided is decided purely: what a request means ([`request`], [`context_header`]), what it is answered
//! ([`answer`]), who is on which version ([`Held`]), what a poll's outcome changes (`status`), and when to ask again
//! ([`Pace`]). `keeper` carries it out.
//!
//! **Invariants:** once anything is held, trouble upstream does not reach callers; everything is bounded; no bytes from
//! outside make it panic.

pub mod answer;
mod backup;
mod changes;
pub mod content;
pub mod context_header;
mod counts;
mod credentials;
mod door;
mod health;
mod held;
mod keeper;
mod local_directory;
pub mod manifest;
mod metrics;
mod name;
mod ofrep;
mod pace;
mod refusal;
pub mod request;
mod secret;
pub mod settings;
mod source;
mod status;
mod trouble;
mod upstream;
mod write_to;

pub use axum::Router;
pub use content::Content;
pub use counts::Counts;
pub use door::{Door, router};
pub use held::{DeploymentName, Held, OwnSubject, Rollout};
pub use keeper::StartError;
pub use local_directory::LocalDirectory;
pub use name::{ConfigurationName, NameError};
pub use pace::Pace;
pub use refusal::Refusal;
pub use secret::Secret;
pub use settings::{KeepingSettings, Settings};
pub use source::{Draw, Feed, News, Source, What};
pub use trouble::Trouble;
pub use upstream::{Upstream, UpstreamError};
pub use yardarm_ofrep::StreamSettings;

use keeper::Keeper;
use std::sync::Arc;
use yardarm_client::Now;

/// A running agent. It ends when it is dropped.
pub struct Agent {
    keeper: Arc<Keeper>,
}

impl Agent {
    /// Starts to keep configurations of `source`: loads copies from the disk, carries out the manifest, and begins to
    /// fetch what is named ahead.
    ///
    /// # Errors
    /// A manifest or a folder that cannot be used.
    pub async fn start(
        source: Box<dyn Source>,
        settings: KeepingSettings,
        now: Now,
        draw: Draw,
    ) -> Result<Self, StartError> {
        let agent = Self { keeper: Keeper::new(source, settings, now, draw) };
        agent.keeper.start().await?;
        Ok(agent)
    }

    /// Ends the event streams, so that their connections can be drained. Everything else goes on.
    pub fn begin_closing(&self) {
        self.keeper.begin_closing();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.keeper.close();
    }
}

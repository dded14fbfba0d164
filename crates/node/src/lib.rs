//! The running server without HTTP: sequencer, snapshots, deployment driver, secrets, sessions.
//!
//! A [`Node`] keeps the world of one log in memory, decides commands one after the other, appends what they yield and
//! publishes the result. Reading never waits for writing: the world and the served configurations stand behind atomic
//! pointers, and nothing on the way to an answer touches the log.
//!
//! **Invariants:** a command is answered only after its events are durable; what a reader sees was once the end of the
//! log; a node whose log fails goes on answering from what it knows, and says how old that is.

mod acknowledgements;
mod address;
mod alarm_secrets;
mod alarm_sources;
mod alarm_watcher;
mod bearer_tokens;
mod clock;
mod configuration;
mod credentials;
mod deliverer;
mod driver;
mod entropy;
mod error;
mod extensions;
mod flag_revert;
mod forcing;
mod form;
mod ledger;
mod master_key;
mod measures;
mod node;
mod outside;
mod overrule;
mod reading;
mod replay;
mod sequencer;
mod served;
mod session;
mod slots;
mod snapshot;
mod status;
mod stream_tokens;
mod subscription;
mod ticker;
mod tokens;
mod view;

pub use acknowledgements::{ClientStanding, DeploymentClients};
pub use address::Address;
pub use alarm_sources::{AlarmSources, Heard, NotHeard};
pub use alarm_watcher::{AlarmSettings, AlarmWatch, WatchedAlarm};
pub use bearer_tokens::NewBearerToken;
pub use clock::{Clock, SystemClock};
pub use configuration::{ConfigurationRefused, DeployConfiguration, StoreConfiguration, StoredConfiguration};
pub use credentials::{AccessSecret, NewAccessKey};
pub use entropy::{Entropy, OsEntropy};
pub use error::Error;
pub use extensions::ExtensionRefused;
pub use flag_revert::{RevertFlag, RevertedFlag};
pub use forcing::WantedForce;
pub use form::Form;
pub use ledger::{Acknowledgement, Standing};
pub use master_key::{InvalidMasterKey, MasterKeys};
pub use measures::{RECOVERY_BOUNDS, RecoveryTimes, Times};
pub use node::{Cause, Committed, Node, NodeConfig};
pub use outside::{
    About, ActionAnswer, ActionCall, FunctionCall, NoAnswer, Outside, Proof, RefusalDetail, VersionContent,
};
pub use reading::{MissingPlace, Reading};
pub use served::{Candidate, ForcedIn, ForcedPair, Served, ServedVersion};
pub use session::{
    EntityRollout, Latest, PollingClient, SessionRefusal, SessionSettings, StartSession, TokenProblem,
};
pub use status::Status;
pub use stream_tokens::StreamClaims;
pub use subscription::Subscription;
pub use view::View;

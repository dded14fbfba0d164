//! What a node asks of the world outside: extensions and functions that validate. How they are reached is not its
//! business; whoever starts it hands it somebody who knows.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;
use yardarm_domain::{
    ApplicationId, ContentType, DeploymentNumber, DeploymentState, Description, EnvironmentId, Exposure,
    Failure, FunctionUri, Invocation, Name, ParameterName, ParameterValue, ProfileId, ProfileName,
    ProfileType, VersionNumber,
};
use zeroize::Zeroizing;

/// Calls what is outside. Each call ends by itself, within a time of its own.
#[async_trait]
pub trait Outside: Send + Sync + 'static {
    /// Whether it is known what to call for `uri`, a URL or an ARN.
    ///
    /// # Errors
    /// Why nothing can be called.
    fn reaches(&self, uri: &str) -> Result<(), Failure>;

    /// Runs an action.
    ///
    /// # Errors
    /// It has not answered, or not as it should.
    async fn run(&self, call: &ActionCall) -> Result<ActionAnswer, NoAnswer>;

    /// Has a function judge content. An answer is a yes.
    ///
    /// # Errors
    /// It says no, or has not answered.
    async fn validate(&self, call: &FunctionCall) -> Result<(), NoAnswer>;
}

/// How a call proves whose it is, and how receivers know a call again that they have had before.
pub struct Proof {
    /// The same for the same call, however often it is made.
    pub id: String,
    /// When it is made.
    pub at: Timestamp,
    /// The key that is shared with the receiver.
    pub secret: Zeroizing<[u8; 32]>,
}

/// A run of an action.
pub struct ActionCall {
    /// What runs, because of what.
    pub invocation: Invocation,
    /// What it is told.
    pub parameters: BTreeMap<ParameterName, ParameterValue>,
    /// Whose it is.
    pub proof: Proof,
    /// About which application.
    pub application: (ApplicationId, Name),
    /// About which environment, once it is about one.
    pub environment: Option<(EnvironmentId, Name)>,
    /// About which configuration profile.
    pub profile: (ProfileId, ProfileName),
    /// What that profile's content is.
    pub kind: ProfileType,
    /// What it is about.
    pub about: About,
}

/// What an action is told, by when it runs.
pub enum About {
    /// A version is going to be stored.
    Version {
        /// Its content.
        content: VersionContent,
        /// Why.
        description: Option<Description>,
        /// The version before it.
        previous: Option<VersionContent>,
    },
    /// A deployment is going to start.
    Start {
        /// What is going to be deployed.
        content: VersionContent,
        /// The number that the deployment is going to have.
        deployment: DeploymentNumber,
        /// Why.
        description: Option<Description>,
    },
    /// A deployment is on its way.
    Tick {
        /// Which.
        deployment: DeploymentNumber,
        /// What is deployed.
        version: VersionNumber,
        /// What it is doing.
        state: DeploymentState,
        /// How many have it.
        exposure: Exposure,
    },
    /// Something has happened to a deployment.
    Notice {
        /// Which.
        deployment: DeploymentNumber,
        /// What is deployed.
        version: VersionNumber,
        /// Why.
        description: Option<Description>,
        /// When it happened.
        at: Timestamp,
    },
}

/// A version's content, as actions see it.
pub struct VersionContent {
    /// The version's number, also before it has it.
    pub version: VersionNumber,
    /// Its bytes.
    pub bytes: Bytes,
    /// What they are.
    pub content_type: ContentType,
}

/// What an action says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionAnswer {
    /// Go on.
    GoOn,
    /// Go on with this content.
    Content(Bytes),
    /// Do not do it.
    Refuse {
        /// Why.
        message: String,
        /// What exactly is wrong.
        details: Vec<RefusalDetail>,
    },
    /// Take it back.
    RollBack(Option<String>),
}

/// One thing that an action finds wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalDetail {
    /// What kind of thing it is.
    pub kind: Option<String>,
    /// Where.
    pub name: Option<String>,
    /// Why it is wrong.
    pub reason: Option<String>,
}

/// A function that is to judge content.
pub struct FunctionCall {
    /// Which.
    pub function: FunctionUri,
    /// Whose call it is.
    pub proof: Proof,
    /// Of which application.
    pub application: ApplicationId,
    /// Of which profile.
    pub profile: ProfileId,
    /// Of which version.
    pub version: VersionNumber,
    /// The content.
    pub content: Bytes,
}

/// Why a call has no answer that helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// What is wrong.
    pub failure: Failure,
    /// Whether calling again might help.
    pub may_pass: bool,
}

/// For as long as nobody was handed over.
pub(crate) struct Nobody;

fn nobody() -> Failure {
    Failure { code: "NotConfigured".into(), message: "This server makes no calls to the outside.".into() }
}

#[async_trait]
impl Outside for Nobody {
    fn reaches(&self, _: &str) -> Result<(), Failure> {
        Err(nobody())
    }

    async fn run(&self, _: &ActionCall) -> Result<ActionAnswer, NoAnswer> {
        Err(NoAnswer { failure: nobody(), may_pass: false })
    }

    async fn validate(&self, _: &FunctionCall) -> Result<(), NoAnswer> {
        Err(NoAnswer { failure: nobody(), may_pass: false })
    }
}

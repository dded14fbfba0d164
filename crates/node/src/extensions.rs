//! Extensions that are asked before work is done, and what all calls to extensions have in common.
//!
//! **Invariants:** what extensions make of content is checked as if the caller had sent it; an extension that does not
//! answer refuses.

use crate::configuration::ConfigurationRefused;
use crate::credentials::SigningKey;
use crate::error::Error;
use crate::node::Node;
use crate::outside::{
    About, ActionAnswer, ActionCall, FunctionCall, NoAnswer, Nobody, Outside, Proof, RefusalDetail,
    VersionContent,
};
use crate::{deliverer, ticker};
use bytes::Bytes;
use std::sync::Arc;
use yardarm_domain::{
    ActionPoint, AppliedExtension, DeploymentNumber, Description, Environment, Failure, FunctionUri,
    Invocation, InvocationId, Place, RetryPolicy, World,
};

/// An extension has kept something from being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionRefused {
    /// The extension's name.
    pub extension: String,
    /// What it says, or why it says nothing.
    pub message: String,
    /// What exactly it finds wrong.
    pub details: Vec<RefusalDetail>,
    /// Set when it was not asked, or has not answered.
    pub failure: Option<Failure>,
}

/// Work that extensions are asked about before it is done.
pub(crate) struct Work<'a> {
    pub(crate) world: &'a World,
    pub(crate) place: Place<'a>,
    pub(crate) content: VersionContent,
    pub(crate) description: Option<&'a Description>,
    pub(crate) kind: WorkKind,
}

/// What kind of work it is.
pub(crate) enum WorkKind {
    /// A version is going to be stored, after this one.
    Version { previous: Option<VersionContent> },
    /// A deployment with this number is going to start.
    Deployment { number: DeploymentNumber },
}

/// What extensions made of work.
pub(crate) struct Asked {
    /// The content, changed or not.
    pub(crate) content: Bytes,
    /// What was called.
    pub(crate) invocations: Vec<Invocation>,
}

impl Node {
    /// Lets the node call what is outside, from now on. What was to be called before is called now.
    pub fn call_outside(&self, outside: Arc<dyn Outside>, retries: RetryPolicy) {
        if self.shared().outside.set(outside).is_err() {
            tracing::error!("who calls the outside is known already");
            return;
        }
        self.keep(tokio::spawn(deliverer::run(self.clone(), retries)));
        self.keep(tokio::spawn(ticker::run(self.clone())));
    }

    pub(crate) fn outside(&self) -> Arc<dyn Outside> {
        self.shared().outside.get().cloned().unwrap_or_else(|| Arc::new(Nobody))
    }

    /// Whether it is known what to call for `uri`, a URL or an ARN.
    ///
    /// # Errors
    /// Why nothing can be called.
    pub fn reaches(&self, uri: &str) -> Result<(), Failure> {
        self.outside().reaches(uri)
    }

    /// Asks the extensions that are `applied` to `work` about it, one after the other: what one makes of the content, the
    /// next one is shown.
    pub(crate) async fn ask_extensions(
        &self,
        work: Work<'_>,
        applied: &[AppliedExtension],
    ) -> Result<Asked, ConfigurationRefused> {
        let point = match &work.kind {
            WorkKind::Version { .. } => ActionPoint::PreCreateHostedConfigurationVersion,
            WorkKind::Deployment { .. } => ActionPoint::PreStartDeployment,
        };
        let mut content = work.content.bytes.clone();
        let mut invocations = vec![];
        let cause = self.shared().entropy.number();
        for (index, applied) in (0..).zip(applied) {
            let Some(invocation) = work.world.invocation(applied, point, InvocationId::of(cause, index))
            else {
                continue;
            };
            let shown = VersionContent {
                version: work.content.version,
                bytes: content.clone(),
                content_type: work.content.content_type.clone(),
            };
            let description = work.description.cloned();
            let about = match &work.kind {
                WorkKind::Version { previous } => About::Version {
                    content: shown,
                    description,
                    previous: previous.as_ref().map(VersionContent::again),
                },
                WorkKind::Deployment { number } => {
                    About::Start { content: shown, deployment: *number, description }
                }
            };
            let id = format!("msg_{}", invocation.id);
            let call = self.action_call(work.world, work.place, invocation, applied, id, about).await?;
            let answer = self.outside().run(&call).await;
            let extension = name_of(work.world, applied);
            match answer {
                Ok(ActionAnswer::GoOn | ActionAnswer::RollBack(_)) => {}
                Ok(ActionAnswer::Content(changed)) => content = changed,
                Ok(ActionAnswer::Refuse { message, details }) => {
                    return Err(refused(ExtensionRefused { extension, message, details, failure: None }));
                }
                Err(NoAnswer { failure, .. }) => {
                    tracing::warn!(
                        extension,
                        code = failure.code,
                        "an extension did not answer: {}",
                        failure.message
                    );
                    let (message, details) = (failure.message.clone(), vec![]);
                    return Err(refused(ExtensionRefused {
                        extension,
                        message,
                        details,
                        failure: Some(failure),
                    }));
                }
            }
            invocations.push(call.invocation);
        }
        Ok(Asked { content, invocations })
    }

    /// Refuses a deployment whose extensions would have to be asked on its way, and cannot be.
    pub(crate) fn ensure_askable(
        &self,
        world: &World,
        applied: &[AppliedExtension],
    ) -> Result<(), ConfigurationRefused> {
        for applied in applied {
            let Some(action) = world.action_of(applied, ActionPoint::AtDeploymentTick) else { continue };
            if let Err(failure) = self.reaches(action.uri.as_str()) {
                let (extension, message) = (name_of(world, applied), failure.message.clone());
                let failure = Some(failure);
                return Err(refused(ExtensionRefused { extension, message, details: vec![], failure }));
            }
        }
        Ok(())
    }

    /// A run of an action of `applied`, about something at `place`.
    pub(crate) async fn action_call(
        &self,
        world: &World,
        place: Place<'_>,
        invocation: Invocation,
        applied: &AppliedExtension,
        id: String,
        about: About,
    ) -> Result<ActionCall, Error> {
        let application = world.application(place.application)?;
        let profile = world.profile(place.application, place.profile)?;
        let environment = match place.environment {
            Some(environment) => {
                let Environment { id, name, .. } = world.environment(place.application, environment)?;
                Some((id.clone(), name.clone()))
            }
            None => None,
        };
        let secret = self.signing_key().await?.secret_of(&receiver(applied.extension.as_str()));
        Ok(ActionCall {
            invocation,
            parameters: applied.parameters.clone(),
            proof: Proof { id, at: self.now(), secret },
            application: (application.id.clone(), application.name.clone()),
            environment,
            profile: (profile.id.clone(), profile.name.clone()),
            kind: profile.kind,
            about,
        })
    }

    /// Has a function judge content.
    pub(crate) async fn ask_function(
        &self,
        function: &FunctionUri,
        place: Place<'_>,
        content: VersionContent,
    ) -> Result<(), ConfigurationRefused> {
        let secret = self.signing_key().await?.secret_of(&receiver(function.as_str()));
        let id = format!("msg_{}", InvocationId::of(self.shared().entropy.number(), 0));
        let call = FunctionCall {
            function: function.clone(),
            proof: Proof { id, at: self.now(), secret },
            application: place.application.clone(),
            profile: place.profile.clone(),
            version: content.version,
            content: content.bytes,
        };
        self.outside().validate(&call).await.map_err(|NoAnswer { failure, .. }| {
            ConfigurationRefused::Function { function: function.clone(), failure }
        })
    }

    /// The secret that calls to an extension, by id, or to a function, by ARN, are signed with.
    ///
    /// # Errors
    /// The log does not answer, or the master key is another one.
    pub async fn signing_secret(&self, receiver_id: &str) -> Result<zeroize::Zeroizing<[u8; 32]>, Error> {
        let key: SigningKey = self.signing_key().await?;
        Ok(key.secret_of(&receiver(receiver_id)))
    }
}

fn refused(refused: ExtensionRefused) -> ConfigurationRefused {
    ConfigurationRefused::Extension(refused)
}

/// For whom a secret is: no two share one.
fn receiver(id: &str) -> String {
    format!("receiver:{id}")
}

fn name_of(world: &World, applied: &AppliedExtension) -> String {
    world
        .extension(&applied.extension)
        .map_or_else(|_| applied.extension.to_string(), |found| found.name.to_string())
}

impl VersionContent {
    /// The same once more: bytes are shared.
    pub(crate) fn again(&self) -> Self {
        Self { version: self.version, bytes: self.bytes.clone(), content_type: self.content_type.clone() }
    }
}

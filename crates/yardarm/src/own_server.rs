//! The server as the source of its own agent: configurations as they lie ready, and news the moment they are there.
//!
//! The agent decides for itself who is on which version, as any other agent of this server does: it is given both.

use async_trait::async_trait;
use std::sync::Arc;
use yardarm_agent::content::Form;
use yardarm_agent::settings::Role;
use yardarm_agent::{
    ConfigurationName, Content, DeploymentName, Feed, Held, News, Rollout, Source, Trouble, What,
};
use yardarm_domain::ProfileType;
use yardarm_node::{MissingPlace, Node, Served, ServedVersion, Subscription};

/// A node, asked in the process.
pub(crate) struct OwnServer(pub(crate) Node);

impl Source for OwnServer {
    fn flag_profiles(&self, application: &str, environment: &str) -> Vec<String> {
        let view = self.0.view();
        let Ok(application) = view.world.find_application(application) else { return vec![] };
        if application.find_environment(environment).is_err() {
            return vec![];
        }
        let profiles = application.profiles.values();
        let flags = profiles.filter(|profile| profile.kind == ProfileType::FeatureFlags);
        flags.map(|profile| profile.name.as_str().to_owned()).collect()
    }

    fn feed(&self, name: &ConfigurationName, _role: Option<&Role>) -> Box<dyn Feed> {
        Box::new(OwnFeed { node: self.0.clone(), name: name.clone(), served: None, subscription: None })
    }
}

struct OwnFeed {
    node: Node,
    name: ConfigurationName,
    /// What was served when it was last asked for.
    served: Option<Arc<Served>>,
    subscription: Option<Subscription>,
}

#[async_trait]
impl Feed for OwnFeed {
    async fn next(&mut self, held: Option<&Held>) -> Result<News, Trouble> {
        let name = &self.name;
        let address = self.node.address(name.application(), name.environment(), name.profile());
        let address = address.map_err(|place| not_found(missing(place)))?;
        let (application, environment, _) =
            address.ids().ok_or_else(|| Trouble::Unusable("an address without ids".into()))?;
        // Before it is read: a change in between is heard of.
        self.subscription = Some(self.node.subscribe(&address));
        let served = self.node.served(&address).ok_or_else(|| not_found("Deployment"))?;
        if held.is_some() && self.served.as_ref().is_some_and(|known| Arc::ptr_eq(known, &served)) {
            return Ok(News { what: What::Same, wait: None });
        }
        let stable = served.stable().map(|version| content(version)).transpose()?;
        let what = match served.candidate() {
            Some(candidate) => {
                let number = candidate.deployment.0;
                let deployment = DeploymentName::new(application.as_str(), environment.as_str(), number);
                let rollout = Rollout { deployment, exposure: candidate.exposure, previous: stable };
                Held { newest: content(&candidate.version)?, rollout: Some(rollout) }
            }
            None => Held { newest: stable.ok_or_else(|| not_found("Deployment"))?, rollout: None },
        };
        self.served = Some(served);
        Ok(News { what: What::Held(what), wait: None })
    }

    async fn changed(&mut self) {
        if let Some(subscription) = &mut self.subscription
            && subscription.changed().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

/// What a place is called that does not exist.
const fn missing(place: MissingPlace) -> &'static str {
    match place {
        MissingPlace::Application => "Application",
        MissingPlace::Environment => "Environment",
        MissingPlace::Profile => "ConfigurationProfile",
    }
}

/// As the data plane says it.
fn not_found(what: &str) -> Trouble {
    Trouble::NotFound { message: format!("{what} not found"), resource_type: Some(what.into()) }
}

/// A version as the agent answers with it. Flags were compiled when they were loaded.
fn content(version: &ServedVersion) -> Result<Arc<Content>, Trouble> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (content_type, number) = (text(&version.content_type), version.version.0.to_string());
    let label = version.label.as_deref().map(text);
    let content = match &version.flags {
        Some(flags) => {
            let form = Form::Flags(flags.clone());
            Content::new(version.stored.clone(), &content_type, &number, label.as_deref(), form)
        }
        None => Content::read(version.stored.clone(), &content_type, &number, label.as_deref())
            .map_err(|error| Trouble::Unusable(error.to_string()))?,
    };
    Ok(Arc::new(content))
}

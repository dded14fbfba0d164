//! What the commands about flags ask of a server, and what they say when the answer is no.
//!
//! Everything is asked by name or id. Whoever names something that does not exist is told what does.

use crate::api::{Api, why};
use crate::commands::Failure;
use crate::options::Target;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt;
use yardarm_client::{ApiError, Place, segment};
use yardarm_flags::document::FlagKey;
use yardarm_flags::{FlagDocument, ReadError};
use yardarm_wire::applications::Application;
use yardarm_wire::clients::Gate;
use yardarm_wire::deployments::{Deployment, StartDeploymentRequest};
use yardarm_wire::environments::Environment;
use yardarm_wire::forced_flags::{ForceFlag, ForcedFlag, ForcedFlags};
use yardarm_wire::headers;
use yardarm_wire::hosted_versions::HostedConfigurationVersionSummary;
use yardarm_wire::native::{
    DeploymentStrategy, Items, RevertFlag, RevertedFlag, RolloutState, RolloutVersion, paths,
};
use yardarm_wire::pages::Page;
use yardarm_wire::profiles::ConfigurationProfileSummary;

/// The type of profiles that hold flags.
const FEATURE_FLAGS: &str = "AWS.AppConfig.FeatureFlags";

/// Pages of a list that are read; nobody has more than the quotas allow.
const MAX_PAGES: usize = 200;

/// Names listed in a message.
const MAX_LISTED: usize = 20;

/// A server's control plane.
pub(crate) struct ControlPlane {
    api: Api,
}

/// A profile of flags.
#[derive(Clone, Debug)]
pub(crate) struct FlagProfile {
    pub(crate) application: Application,
    pub(crate) id: String,
    pub(crate) name: String,
}

/// As people call it: `shop/flags`.
impl fmt::Display for FlagProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.application.name, self.name)
    }
}

impl FlagProfile {
    fn path(&self) -> String {
        format!("/applications/{}/configurationprofiles/{}", segment(&self.application.id), segment(&self.id))
    }
}

/// A stored version of a profile's flags.
#[derive(Clone, Debug)]
pub(crate) struct StoredFlags {
    /// Its number; 0 stands for the empty document before the first version.
    pub(crate) number: u64,
    pub(crate) document: FlagDocument,
}

/// A deployment to start.
pub(crate) struct Starting<'a> {
    pub(crate) profile: &'a FlagProfile,
    pub(crate) environment: &'a Environment,
    pub(crate) strategy: &'a DeploymentStrategy,
    pub(crate) version: u64,
    /// Why.
    pub(crate) description: &'a str,
    /// Seconds within which it has to be confirmed.
    pub(crate) confirm_within: Option<u32>,
    /// What it asks of clients before it goes on.
    pub(crate) gate: Option<Gate>,
}

/// What became of a document that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is this version.
    Version(u64),
    /// Somebody else has stored a version meanwhile; the latest number, if it was told.
    Overtaken(Option<u64>),
}

impl ControlPlane {
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        Ok(Self { api: Api::from_environment()? })
    }

    /// The profile that is meant.
    pub(crate) fn profile(&self, target: &Target) -> Result<FlagProfile, Failure> {
        let application = self.application(target.application())?;
        let path = format!("/applications/{}/configurationprofiles", segment(&application.id));
        let all = || {
            let all: Vec<ConfigurationProfileSummary> =
                self.list(&path, &format!("&type={FEATURE_FLAGS}"))?;
            Ok::<Vec<String>, Failure>(all.into_iter().map(|profile| profile.name).collect())
        };
        let Some(wanted) = target.profile() else {
            let there_is = choice(&format!("`{}` has", application.name), all());
            let text = format!("say which profile: --profile NAME, or YARDARM_PROFILE{there_is}");
            return Err(Failure::usage(text));
        };
        let Some(found) = self.get::<ConfigurationProfileSummary>(&format!("{path}/{}", segment(wanted)))?
        else {
            let (name, there_are) = (&application.name, listed(&all()?));
            return Err(Failure::failed(format!(
                "application `{name}` has no configuration profile `{wanted}`; of flags it has {there_are}"
            )));
        };
        if found.profile_type != FEATURE_FLAGS {
            let (name, there_are) = (found.name, listed(&all()?));
            return Err(Failure::failed(format!(
                "profile `{name}` holds free-form configuration, not flags; of flags there are {there_are}"
            )));
        }
        Ok(FlagProfile { application, id: found.id, name: found.name })
    }

    fn application(&self, wanted: Option<&str>) -> Result<Application, Failure> {
        let all = || {
            let all: Vec<Application> = self.list("/applications", "")?;
            Ok::<Vec<String>, Failure>(all.into_iter().map(|application| application.name).collect())
        };
        let Some(wanted) = wanted else {
            let there_is = choice("there is", all());
            let text = format!("say which application: --application NAME, or YARDARM_APPLICATION{there_is}");
            return Err(Failure::usage(text));
        };
        match self.get(&format!("/applications/{}", segment(wanted)))? {
            Some(application) => Ok(application),
            None => Err(Failure::failed(format!(
                "there is no application `{wanted}`; there is {}",
                listed(&all()?)
            ))),
        }
    }

    /// The environment that is meant.
    pub(crate) fn environment(
        &self,
        profile: &FlagProfile,
        wanted: Option<&str>,
    ) -> Result<Environment, Failure> {
        let application = &profile.application;
        let there_are = || {
            let all = self.environments(profile)?;
            Ok::<String, Failure>(listed(
                &all.into_iter().map(|environment| environment.name).collect::<Vec<_>>(),
            ))
        };
        let Some(wanted) = wanted else {
            return Err(Failure::usage(format!(
                "say which environment: --environment NAME, or YARDARM_ENVIRONMENT; `{}` has {}",
                application.name,
                there_are()?
            )));
        };
        let path = format!("/applications/{}/environments/{}", segment(&application.id), segment(wanted));
        match self.get(&path)? {
            Some(environment) => Ok(environment),
            None => Err(Failure::failed(format!(
                "application `{}` has no environment `{wanted}`; it has {}",
                application.name,
                there_are()?
            ))),
        }
    }

    /// All environments of the application.
    pub(crate) fn environments(&self, profile: &FlagProfile) -> Result<Vec<Environment>, Failure> {
        self.list(&format!("/applications/{}/environments", segment(&profile.application.id)), "")
    }

    /// The strategy that is meant, by name or id.
    pub(crate) fn strategy(&self, wanted: Option<&str>) -> Result<DeploymentStrategy, Failure> {
        let all: Items<DeploymentStrategy> =
            self.api.call(Method::GET, paths::DEPLOYMENT_STRATEGIES, None::<&()>)?;
        let names: Vec<String> = all.items.iter().map(|strategy| strategy.name.clone()).collect();
        let Some(wanted) = wanted else {
            return Err(Failure::usage(format!(
                "say how to deploy: --strategy NAME, or YARDARM_STRATEGY; there is {}",
                listed(&names)
            )));
        };
        let by_id = all.items.iter().find(|strategy| strategy.id == wanted);
        let found = by_id.or_else(|| all.items.iter().find(|strategy| strategy.name == wanted));
        found.cloned().ok_or_else(|| {
            Failure::failed(format!(
                "there is no deployment strategy `{wanted}`; there is {}",
                listed(&names)
            ))
        })
    }

    /// The latest version.
    pub(crate) fn latest(&self, profile: &FlagProfile) -> Result<StoredFlags, Failure> {
        let target = format!("{}/hostedconfigurationversions?max_results=1", profile.path());
        let page: Page<HostedConfigurationVersionSummary> =
            self.api.call(Method::GET, &target, None::<&()>)?;
        match page.items.first() {
            Some(latest) => self.version(profile, latest.version_number),
            None => Ok(StoredFlags { number: 0, document: FlagDocument::default() }),
        }
    }

    /// A version by its number.
    pub(crate) fn version(&self, profile: &FlagProfile, number: u64) -> Result<StoredFlags, Failure> {
        let target = format!("{}/hostedconfigurationversions/{number}", profile.path());
        let answer = match self.api.send(Method::GET, &target, &[], Bytes::new()) {
            Err(ApiError::Refused { status: StatusCode::NOT_FOUND, .. }) => {
                return Err(Failure::failed(format!("there is no version {number} of {profile}")));
            }
            answer => answer?,
        };
        let document = FlagDocument::read(answer.body()).map_err(|error| damaged(profile, number, &error))?;
        Ok(StoredFlags { number, document })
    }

    /// Stores `document`, unless the latest version is no longer number `latest`.
    pub(crate) fn store(
        &self,
        profile: &FlagProfile,
        document: &FlagDocument,
        latest: u64,
        description: &str,
    ) -> Result<Stored, Failure> {
        let target = format!("{}/hostedconfigurationversions", profile.path());
        let description = HeaderValue::from_bytes(description.as_bytes())
            .map_err(|_| Failure::usage("a description is one line of text without control characters"))?;
        let about: [(HeaderName, HeaderValue); 3] = [
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (headers::LATEST_VERSION_NUMBER, latest.into()),
            (headers::DESCRIPTION, description),
        ];
        let body = Bytes::from(yardarm_flags::write(document));
        match self.api.send(Method::POST, &target, &about, body) {
            Ok(answer) => {
                let number = answer.headers().get(headers::VERSION_NUMBER);
                let number = number.and_then(|number| number.to_str().ok()?.parse().ok());
                let unnumbered = || Failure::failed("the server stored a version and did not say its number");
                number.map(Stored::Version).ok_or_else(unnumbered)
            }
            // `… does not match actual latest version 8`
            Err(ApiError::Refused { status: StatusCode::CONFLICT, detail, .. }) => {
                let actual = detail.split_whitespace().last();
                Ok(Stored::Overtaken(actual.and_then(|number| number.parse().ok())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Follows what an environment serves of a profile.
    pub(crate) fn watch(&self, profile: &FlagProfile, environment: &Environment) -> Watch<'_> {
        let path = place(profile, environment).within(paths::ROLLOUT);
        Watch { plane: self, path, tag: None }
    }

    /// What an environment serves; `None` if nothing was ever deployed there.
    pub(crate) fn rollout(
        &self,
        profile: &FlagProfile,
        environment: &Environment,
    ) -> Result<Option<RolloutState>, Failure> {
        self.served(&profile.application.id, &profile.id, &environment.id)
    }

    /// What an environment serves of a profile, by names or ids; `None` if that is nothing, or one of them does not exist.
    pub(crate) fn served(
        &self,
        application: &str,
        profile: &str,
        environment: &str,
    ) -> Result<Option<RolloutState>, Failure> {
        self.get(&Place::new(application, environment, profile).within(paths::ROLLOUT))
    }

    /// Whether it can be asked more than what is deployed.
    pub(crate) fn can_look_around(&self) -> bool {
        self.api.signs()
    }

    /// The flags of a profile that are forced in an environment.
    pub(crate) fn forced_flags(
        &self,
        profile: &FlagProfile,
        environment: &Environment,
    ) -> Result<ForcedFlags, Failure> {
        self.api.call(Method::GET, &place(profile, environment).within(paths::FORCED_FLAGS), None::<&()>)
    }

    /// Forces a flag in an environment.
    pub(crate) fn force(
        &self,
        profile: &FlagProfile,
        environment: &Environment,
        flag: &FlagKey,
        wanted: &ForceFlag,
    ) -> Result<ForcedFlag, Failure> {
        let target = flag_path(paths::FORCED_FLAG, profile, environment, flag);
        self.api.call(Method::PUT, &target, Some(wanted))
    }

    /// Releases a flag that is forced in an environment.
    pub(crate) fn release(
        &self,
        profile: &FlagProfile,
        environment: &Environment,
        flag: &FlagKey,
        reason: Option<&str>,
    ) -> Result<(), Failure> {
        let target = flag_path(paths::FORCED_FLAG, profile, environment, flag);
        self.api.send(Method::DELETE, &target, why(reason)?.as_slice(), Bytes::new())?;
        Ok(())
    }

    /// Starts the deployment of a version.
    pub(crate) fn start_deployment(&self, starting: &Starting<'_>) -> Result<Deployment, ApiError> {
        let body = StartDeploymentRequest {
            deployment_strategy_id: Some(starting.strategy.id.clone()),
            configuration_profile_id: Some(starting.profile.id.clone()),
            configuration_version: Some(starting.version.to_string()),
            description: Some(starting.description.to_owned()),
            ..StartDeploymentRequest::default()
        };
        let body = Bytes::from(serde_json::to_vec(&body).map_err(ApiError::Request)?);
        let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let confirm = starting.confirm_within.map(|s| (headers::YARDARM_CONFIRM_WITHIN, s.into()));
        let gate = starting.gate.map(|Gate { applied_percent, refused_percent }| {
            // Digits and letters always fit into a header.
            HeaderValue::try_from(format!("applied={applied_percent}, refused={refused_percent}"))
                .map(|asks| (headers::YARDARM_REQUIRE_ACKNOWLEDGEMENTS, asks))
        });
        let gate = gate.and_then(Result::ok);
        let about: Vec<(HeaderName, HeaderValue)> = [json].into_iter().chain(confirm).chain(gate).collect();
        self.api.ask_about(Method::POST, &deployments(starting.environment), &about, body)
    }

    /// Brings a flag back to what it was.
    pub(crate) fn revert_flag(
        &self,
        profile: &FlagProfile,
        environment: &Environment,
        flag: &FlagKey,
        wanted: &RevertFlag,
        reason: Option<&str>,
    ) -> Result<RevertedFlag, Failure> {
        let target = flag_path(paths::REVERT_FLAG, profile, environment, flag);
        let body = serde_json::to_vec(wanted).map_err(ApiError::Request)?;
        Ok(self.api.ask_about(Method::POST, &target, why(reason)?.as_slice(), Bytes::from(body))?)
    }

    /// A deployment as it is now.
    pub(crate) fn deployment(&self, environment: &Environment, number: u64) -> Result<Deployment, Failure> {
        self.api.call(Method::GET, &format!("{}/{number}", deployments(environment)), None::<&()>)
    }

    /// `None` for what does not exist.
    fn get<T: DeserializeOwned>(&self, target: &str) -> Result<Option<T>, Failure> {
        match self.api.ask(Method::GET, target, None::<&()>) {
            Ok(found) => Ok(Some(found)),
            Err(ApiError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All pages of a list. `filter`: `&name=value`, or nothing.
    fn list<T: DeserializeOwned>(&self, path: &str, filter: &str) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        let mut next = String::new();
        for _ in 0..MAX_PAGES {
            let target = format!("{path}?max_results=50{filter}{next}");
            let page: Page<T> = self.api.call(Method::GET, &target, None::<&()>)?;
            all.extend(page.items);
            match page.next_token {
                Some(token) => next = format!("&next_token={}", segment(&token)),
                None => break,
            }
        }
        Ok(all)
    }
}

/// Hears of every change of what an environment serves of a profile.
pub(crate) struct Watch<'p> {
    plane: &'p ControlPlane,
    path: String,
    /// Names what was served when the server last answered.
    tag: Option<HeaderValue>,
}

impl Watch<'_> {
    /// Waits until something else is served than at the last call, but no longer than [`LONGEST_WATCH_S`]: not everything
    /// that happens to a deployment changes what is served. The first time it does not wait.
    pub(crate) fn changed(&mut self) -> Result<(), ApiError> {
        let wait = if self.tag.is_some() { LONGEST_WATCH_S } else { 0 };
        let target = format!("{}?wait={wait}", self.path);
        let known: Vec<_> = self.tag.iter().map(|tag| (IF_NONE_MATCH, tag.clone())).collect();
        let answer = self.plane.api.send(Method::GET, &target, &known, Bytes::new())?;
        self.tag = answer.headers().get(ETAG).cloned();
        Ok(())
    }
}

/// How long the server is asked to hold an answer, seconds.
const LONGEST_WATCH_S: u32 = 10;

fn place(profile: &FlagProfile, environment: &Environment) -> Place {
    Place::new(&profile.application.id, &environment.id, &profile.id)
}

fn flag_path(path: &str, profile: &FlagProfile, environment: &Environment, flag: &FlagKey) -> String {
    place(profile, environment).within(path).replace("{flag}", &segment(flag.as_str()))
}

fn deployments(environment: &Environment) -> String {
    let (application, environment) = (segment(&environment.application_id), segment(&environment.id));
    format!("/applications/{application}/environments/{environment}/deployments")
}

/// Every stored document was checked, by this program or one that checks less.
fn damaged(profile: &FlagProfile, number: u64, error: &ReadError) -> Failure {
    Failure::failed(format!("version {number} of {profile} is no flag document: {error}"))
}

/// The flags of a deployed version.
pub(crate) fn flags_of(version: &RolloutVersion) -> Result<FlagDocument, Failure> {
    let content = version.content.as_deref().unwrap_or_default();
    FlagDocument::read(content.as_bytes())
        .map_err(|error| Failure::failed(format!("the deployed version {}: {error}", version.version)))
}

/// The keys of all flags of a document, in order.
pub(crate) fn flag_keys(document: &FlagDocument) -> Vec<String> {
    let keys: BTreeSet<&FlagKey> = document.flags().keys().chain(document.values().keys()).collect();
    keys.into_iter().map(ToString::to_string).collect()
}

/// What there is to choose from, if that can be found out, for the end of a message.
fn choice(there_is: &str, names: Result<Vec<String>, Failure>) -> String {
    names.map(|names| format!("; {there_is} {}", listed(&names))).unwrap_or_default()
}

/// Names for a message.
pub(crate) fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(MAX_LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

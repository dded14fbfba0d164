//! What the shop has on the server: application, environment, alarm, profile, strategies, and the flags it opens with.

use crate::failure::DemoError;
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::time::Duration;
use yardarm_client::{ApiRequest, Credentials, HttpClient, HttpSettings, Server, segment};
use yardarm_wire::alarms::{AlarmSource, PutAlarm, PutAlarmAnswer};
use yardarm_wire::applications::{Application, CreateApplicationRequest};
use yardarm_wire::deployments::{Deployment, DeploymentSummary, StartDeploymentRequest};
use yardarm_wire::environments::{CreateEnvironmentRequest, Environment, MonitorInput};
use yardarm_wire::native::{CreateDeploymentStrategy, DeploymentStrategy, paths};
use yardarm_wire::pages::Page;
use yardarm_wire::profiles::{ConfigurationProfile, CreateConfigurationProfileRequest};

/// Names, as they are typed.
pub(crate) const APPLICATION: &str = "lambda-latte";
pub(crate) const ENVIRONMENT: &str = "production";
pub(crate) const PROFILE: &str = "shop";
pub(crate) const INSTANT: &str = "at-once";
pub(crate) const GRADUAL: &str = "in-four-steps";
const ALARM: &str = "orders-unpaid";

/// Where the server believes to be.
pub(crate) const REGION: &str = "us-east-1";

/// The flags that the shop opens with.
pub(crate) const FLAGS: &str = include_str!("flags.json");

/// The seconds of the gradual strategy: from one step to the next, and of bake. The bake is long: what ends it is the alarm.
pub(crate) const STEP_SECONDS: u32 = 1;
const BAKE_SECONDS: u32 = 600;

/// What the shop has.
pub(crate) struct Estate {
    pub(crate) server: Server,
    application: String,
    environment: String,
}

/// The server at `url`, asked as its developer.
pub(crate) fn server(url: &str) -> Result<Server, DemoError> {
    let http = HttpClient::new(&HttpSettings::default())?;
    Ok(Server::new(http, url.parse()?, Credentials::signature("yardarm", "yardarm-dev-secret", REGION)))
}

/// Where the alarm's state is put.
pub(crate) fn alarm_state_path() -> String {
    paths::ALARM_STATE.replace("{alarm}", ALARM)
}

impl Estate {
    /// Makes all of it, and deploys the flags.
    pub(crate) async fn found(server: Server) -> Result<Self, DemoError> {
        let name = |name: &str| Some(name.to_owned());
        let alarm = PutAlarm {
            description: name("too many orders are unpaid"),
            source: AlarmSource::Pushed,
            fresh_for_seconds: None,
            actions_enabled: true,
            new_secret: false,
        };
        let _: PutAlarmAnswer =
            server.call(Method::PUT, &paths::ALARM.replace("{alarm}", ALARM), Some(&alarm)).await?;
        let wanted = CreateApplicationRequest { name: name(APPLICATION), ..Default::default() };
        let application: Application = server.call(Method::POST, "/applications", Some(&wanted)).await?;
        let below = format!("/applications/{}", segment(&application.id));
        let monitor = MonitorInput { alarm_arn: name(ALARM), ..Default::default() };
        let wanted = CreateEnvironmentRequest {
            name: name(ENVIRONMENT),
            monitors: Some(vec![monitor]),
            ..Default::default()
        };
        let environment: Environment =
            server.call(Method::POST, &format!("{below}/environments"), Some(&wanted)).await?;
        let wanted = CreateConfigurationProfileRequest {
            name: name(PROFILE),
            location_uri: name("hosted"),
            profile_type: name("AWS.AppConfig.FeatureFlags"),
            ..Default::default()
        };
        let profiles = format!("{below}/configurationprofiles");
        let profile: ConfigurationProfile = server.call(Method::POST, &profiles, Some(&wanted)).await?;
        let target = format!("{profiles}/{}/hostedconfigurationversions", segment(&profile.id));
        let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let body = Bytes::from_static(FLAGS.as_bytes());
        let time = Duration::from_secs(30);
        server
            .send(&ApiRequest { method: &Method::POST, target: &target, headers: &json, body: &body, time })
            .await?;
        let strategy = |name: &str, duration_seconds, bake_seconds, percent: u8| CreateDeploymentStrategy {
            name: name.into(),
            description: None,
            duration_seconds,
            bake_seconds,
            growth_factor: f64::from(percent).into(),
            growth_type: yardarm_wire::enums::GrowthType::Linear,
        };
        let strategies = paths::DEPLOYMENT_STRATEGIES;
        let _: DeploymentStrategy = server
            .call(Method::POST, strategies, Some(&strategy(GRADUAL, 4 * STEP_SECONDS, BAKE_SECONDS, 25)))
            .await?;
        let instant: DeploymentStrategy =
            server.call(Method::POST, strategies, Some(&strategy(INSTANT, 0, 0, 100))).await?;
        let estate = Self { server, application: application.id, environment: environment.id };
        let wanted = StartDeploymentRequest {
            deployment_strategy_id: Some(instant.id),
            configuration_profile_id: Some(profile.id),
            configuration_version: name("1"),
            description: name("The shop opens"),
            ..Default::default()
        };
        let _: Deployment = estate.server.call(Method::POST, &estate.deployments(), Some(&wanted)).await?;
        Ok(estate)
    }

    fn deployments(&self) -> String {
        let (application, environment) = (segment(&self.application), segment(&self.environment));
        format!("/applications/{application}/environments/{environment}/deployments")
    }

    /// The newest deployment.
    pub(crate) async fn latest_deployment(&self) -> Result<DeploymentSummary, DemoError> {
        let target = format!("{}?max_results=1", self.deployments());
        let page: Page<DeploymentSummary> = self.server.call(Method::GET, &target, None::<&()>).await?;
        let latest = page.items.into_iter().next();
        latest.ok_or_else(|| DemoError::Otherwise("nothing was ever deployed".into()))
    }

    /// A deployment as it is now.
    pub(crate) async fn deployment(&self, number: u64) -> Result<Deployment, DemoError> {
        let target = format!("{}/{number}", self.deployments());
        Ok(self.server.call(Method::GET, &target, None::<&()>).await?)
    }
}

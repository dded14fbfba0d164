//! The AWS SDK for Rust, as its users write it, against a server whose address is the only argument: a flag is
//! created, deployed, polled, flipped and polled again. Says `ok` at the end; anything else is a failure.

use aws_credential_types::Credentials;
use aws_sdk_appconfig::config::retry::RetryConfig;
use aws_sdk_appconfig::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_sdk_appconfig::primitives::Blob;
use aws_sdk_appconfig::types::{Action, ActionPoint, DeploymentState, EnvironmentState, GrowthType, ReplicateTo};
use aws_sdk_appconfig::{Client as Control, Config as ControlConfig};
use aws_sdk_appconfigdata::{Client as Data, Config as DataConfig};
use aws_smithy_http_client::Builder;
use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let url = std::env::args().nth(1).ok_or("usage: rust-sdk-smoke URL")?;
    let http: SharedHttpClient = Builder::new().build_http();
    let key = Credentials::new("yardarm", "yardarm-dev-secret", None, None, "acceptance");
    let region = Region::new("us-east-1");
    let control = Control::from_conf(
        ControlConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&url)
            .region(region.clone())
            .credentials_provider(key.clone())
            .http_client(http.clone())
            .retry_config(RetryConfig::disabled())
            .build(),
    );
    let data = Data::from_conf(
        DataConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&url)
            .region(region)
            .credentials_provider(key)
            .http_client(http)
            .retry_config(aws_sdk_appconfigdata::config::retry::RetryConfig::disabled())
            .build(),
    );
    walk(&control, &data).await?;
    errors_are_typed(&control, &data).await?;
    extend(&control).await?;
    println!("ok");
    Ok(())
}

async fn walk(control: &Control, data: &Data) -> Outcome<()> {
    let name = format!("rust-sdk-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
    let app = control.create_application().name(&name).tags("team", "web").send().await?;
    let app = app.id().ok_or("no application id")?;
    let env = control.create_environment().application_id(app).name("production").send().await?;
    println!("environment is {:?}", env.state());
    let env = env.id().ok_or("no environment id")?;
    let profile = control
        .create_configuration_profile()
        .application_id(app)
        .name("flags")
        .location_uri("hosted")
        .send()
        .await?;
    let profile = profile.id().ok_or("no profile id")?;
    let strategy = control
        .create_deployment_strategy()
        .name(&name)
        .deployment_duration_in_minutes(0)
        .growth_factor(100.0)
        .growth_type(GrowthType::Linear)
        .replicate_to(ReplicateTo::None)
        .send()
        .await?;
    let strategy = strategy.id().ok_or("no strategy id")?;

    let publish = async |content: &'static str| -> Outcome<i32> {
        let version = control
            .create_hosted_configuration_version()
            .application_id(app)
            .configuration_profile_id(profile)
            .content_type("application/json")
            .content(Blob::new(content))
            .send()
            .await?;
        expect(version.content().map(Blob::as_ref), Some(content.as_bytes()), "the echo")?;
        let deployment = control
            .start_deployment()
            .application_id(app)
            .environment_id(env)
            .configuration_profile_id(profile)
            .configuration_version(version.version_number().to_string())
            .deployment_strategy_id(strategy)
            .send()
            .await?;
        expect(deployment.state(), Some(&DeploymentState::Complete), "the deployment")?;
        expect(deployment.started_at().is_some(), true, "a time that can be read")?;
        Ok(deployment.deployment_number())
    };

    publish(r#"{"new-checkout":false}"#).await?;
    let session = data
        .start_configuration_session()
        .application_identifier(&name)
        .environment_identifier("production")
        .configuration_profile_identifier("flags")
        .send()
        .await?;
    let token = session.initial_configuration_token().ok_or("no token")?;
    let first = data.get_latest_configuration().configuration_token(token).send().await?;
    expect(text(&first), r#"{"new-checkout":false}"#, "the first poll")?;
    expect(first.content_type(), Some("application/json"), "its type")?;
    expect(first.next_poll_interval_in_seconds(), 60, "the interval")?;

    let token = first.next_poll_configuration_token().ok_or("no next token")?;
    let second = data.get_latest_configuration().configuration_token(token).send().await?;
    expect(text(&second), "", "an unchanged poll")?;

    let number = publish(r#"{"new-checkout":true}"#).await?;
    let token = second.next_poll_configuration_token().ok_or("no next token")?;
    let third = data.get_latest_configuration().configuration_token(token).send().await?;
    expect(text(&third), r#"{"new-checkout":true}"#, "the flipped flag")?;

    let stop = control.stop_deployment().application_id(app).environment_id(env).deployment_number(number);
    expect(stop.allow_revert(true).send().await?.state(), Some(&DeploymentState::Reverted), "the revert")?;
    let token = third.next_poll_configuration_token().ok_or("no next token")?;
    let fourth = data.get_latest_configuration().configuration_token(token).send().await?;
    expect(text(&fourth), r#"{"new-checkout":false}"#, "the reverted flag")?;

    let found = control.get_environment().application_id(app).environment_id(env).send().await?;
    // The wire's word is PascalCase, the model's is not: the SDK must at least carry it.
    expect(found.state().map(EnvironmentState::as_str), Some("Reverted"), "the environment's state")?;
    let arn = format!("arn:aws:appconfig:us-east-1:000000000000:application/{app}");
    let tags = control.list_tags_for_resource().resource_arn(arn).send().await?;
    expect(tags.tags().and_then(|tags| tags.get("team")).map(String::as_str), Some("web"), "the tags")?;
    let mut pages = control.list_deployments().application_id(app).environment_id(env).into_paginator().page_size(1).send();
    let mut numbers = vec![];
    while let Some(page) = pages.try_next().await? {
        numbers.extend(page.items().iter().map(|deployment| deployment.deployment_number()));
    }
    expect(numbers, vec![2, 1], "the paginator")
}

async fn errors_are_typed(control: &Control, data: &Data) -> Outcome<()> {
    let unknown = control.get_application().application_id("zzzz999").send().await;
    let error = unknown.err().ok_or("found what is not there")?.into_service_error();
    expect(error.is_resource_not_found_exception(), true, "an unknown application")?;
    let spoilt = data.get_latest_configuration().configuration_token("nonsense").send().await;
    let error = spoilt.err().ok_or("nonsense was taken for a token")?.into_service_error();
    expect(error.is_bad_request_exception(), true, "a spoilt token")?;
    expect(error.meta().message(), Some("Token not valid"), "its message")
}

/// Extensions, from creation to deletion. Nothing is called: nothing is associated.
async fn extend(control: &Control) -> Outcome<()> {
    let name = format!("rust-sdk-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
    let told = Action::builder().name("tell").uri("https://example.com/told").build();
    let made = control.create_extension().name(&name).actions(ActionPoint::OnDeploymentComplete, vec![told]);
    let made = made.send().await?;
    let id = made.id().ok_or("an extension without an id")?;
    let listed = control.list_extensions().name(&name).send().await?;
    let ids: Vec<_> = listed.items().iter().filter_map(|extension| extension.id()).collect();
    expect(ids, vec![id], "the extensions of that name")?;
    control.delete_extension().extension_identifier(id).version_number(1).send().await?;
    expect(control.list_extensions().name(&name).send().await?.items().len(), 0, "how many are left")
}

fn text(answer: &aws_sdk_appconfigdata::operation::get_latest_configuration::GetLatestConfigurationOutput) -> &str {
    let bytes = answer.configuration().map_or(&[][..], |blob| blob.as_ref());
    std::str::from_utf8(bytes).unwrap_or("no text")
}

fn expect<T: PartialEq + std::fmt::Debug>(found: T, expected: T, what: &str) -> Outcome<()> {
    if found == expected { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}").into()) }
}

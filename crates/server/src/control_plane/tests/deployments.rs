//! Deployments.

use super::*;
use yardarm_domain::{Concurrency, DeploymentState};

/// An application with two environments and a profile that has two versions, the second one labelled.
struct Place {
    bench: Bench,
    shop: String,
    prod: String,
    config: String,
}

impl Place {
    async fn new() -> Self {
        Self::on(Bench::start().await).await
    }

    async fn on(bench: Bench) -> Self {
        let shop = bench.application("shop").await;
        let prod = bench.environment(&shop, "prod").await;
        let config = bench.profile(&shop, "config", "AWS.Freeform").await;
        bench.store(&config, "one", &[]).await.succeeded();
        bench.store(&config, "two", &[("versionlabel", "v2")]).await.succeeded();
        Self { bench, shop, prod, config }
    }

    async fn deploy(&self, version: &str, strategy: &str) -> Told {
        self.bench.deploy(&self.prod, &self.config, version, strategy).await
    }

    /// Starts a deployment with whatever members.
    async fn start(&self, members: Value) -> Told {
        let mut body = json!({
            "ConfigurationProfileId": last(&self.config), "ConfigurationVersion": "1",
            "DeploymentStrategyId": "AppConfig.AllAtOnce",
        });
        for (member, value) in members.as_object().unwrap() {
            body[member] = value.clone();
        }
        self.bench.post(&format!("{}/deployments", self.prod), body).await
    }

    async fn get(&self, number: u32) -> Value {
        self.bench.get(&format!("{}/deployments/{number}", self.prod)).await.ok()
    }

    async fn stop(&self, number: u32, headers: &[(&str, &str)]) -> Told {
        let path = format!("{}/deployments/{number}", self.prod);
        self.bench.send(Method::Delete, &path, headers, Bytes::new()).await
    }

    async fn state(&self) -> Value {
        self.bench.get(&self.prod).await.ok()["State"].clone()
    }

    /// Waits until the newest deployment is in `state` and that many have its version.
    async fn until(&self, state: DeploymentState, percent: u32) {
        self.bench
            .until(|world| {
                let application = world.find_application(last(&self.shop)).unwrap();
                let environment = application.find_environment(last(&self.prod)).unwrap();
                let newest = &environment.deployments.get_max().unwrap().1;
                newest.state() == state && newest.exposure().parts_per_million() == percent * 10_000
            })
            .await;
    }
}

/// Types, triggers and texts of an event log, newest first.
fn events(deployment: &Value) -> Vec<[&str; 3]> {
    deployment["EventLog"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| ["EventType", "TriggeredBy", "Description"].map(|name| event[name].as_str().unwrap()))
        .collect()
}

const STARTED: [&str; 3] = ["DEPLOYMENT_STARTED", "USER", "Deployment started"];
const COMPLETED: [&str; 3] = ["DEPLOYMENT_COMPLETED", "APPCONFIG", "Deployment completed"];
const INSTANTLY: [&str; 3] = ["DEPLOYMENT_COMPLETED", "APPCONFIG", "Deployment completed instantly"];
const BAKING: [&str; 3] = ["BAKE_TIME_STARTED", "APPCONFIG", "Deployment bake time started"];
const ROLLED_BACK: [&str; 3] = ["ROLLBACK_COMPLETED", "USER", "Deployment rolled back by user request"];
const REVERTED: [&str; 3] = ["REVERT_COMPLETED", "USER", "Deployment reverted by user request"];

#[tokio::test]
async fn without_duration_and_bake_a_deployment_is_complete_in_its_first_answer() {
    let place = Place::new().await;
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    let told = place.start(json!({"DeploymentStrategyId": at_once, "ConfigurationVersion": "v2"})).await;
    assert_eq!(told.status, 201);
    let text = String::from_utf8_lossy(&told.body)
        .replace(last(&place.shop), "[application]")
        .replace(last(&place.prod), "[environment]")
        .replace(last(&place.config), "[profile]")
        .replace(&at_once, "[strategy]");
    insta::assert_snapshot!("an_instant_deployment", text);
    let mut read = told.json();
    read.as_object_mut().unwrap().remove("AppliedExtensions");
    assert_eq!(place.get(1).await, read, "later reads have no empty list of extensions");
    assert_eq!(place.state().await, "ReadyForDeployment");
}

#[tokio::test]
async fn deployments_of_flags_list_the_built_in_checks() {
    let place = Place::new().await;
    let flags = place.bench.profile(&place.shop, "flags", "AWS.AppConfig.FeatureFlags").await;
    place.bench.store(&flags, FLAGS, &[]).await.succeeded();
    let started = place.start(json!({"ConfigurationProfileId": "flags"})).await.ok();
    let listed = &started["AppliedExtensions"];
    let association = listed[0]["ExtensionAssociationId"].as_str().unwrap();
    assert_eq!(association.len(), 7);
    assert_eq!(
        *listed,
        json!([{
            "ProvidedIdentifier": "AWS.AppConfig.FeatureFlags", "ExtensionId": "AWS.AppConfig.FeatureFlags",
            "ExtensionAssociationId": association, "VersionNumber": 1, "Parameters": {},
        }])
    );
    assert_eq!(place.get(1).await["AppliedExtensions"], *listed);
    assert_eq!(place.stop(1, &[]).await.ok()["AppliedExtensions"], *listed);
}

#[tokio::test]
async fn a_deployment_grows_bakes_and_completes_as_time_passes() {
    let place = Place::new().await;
    let strategy = place.bench.strategy(20, 10, 50.0).await;
    let started = place.deploy("1", &strategy).await.ok();
    assert_eq!((&started["State"], &started["PercentageComplete"]), (&"DEPLOYING".into(), &json!(0.0)));
    assert_eq!(events(&started), [STARTED]);
    assert_eq!(started.get("CompletedAt"), None);
    assert_eq!(started["AppliedExtensions"], json!([]));
    assert_eq!(place.state().await, "Deploying");
    place.bench.advance(SignedDuration::from_mins(10));
    place.until(DeploymentState::Deploying, 50).await;
    let half = ["PERCENTAGE_UPDATED", "APPCONFIG", "Configuration available to 50.00% of clients"];
    let read = place.get(1).await;
    assert_eq!((events(&read), &read["PercentageComplete"]), (vec![half, STARTED], &json!(50.0)));
    place.bench.advance(SignedDuration::from_mins(10));
    place.until(DeploymentState::Baking, 100).await;
    let all = ["PERCENTAGE_UPDATED", "APPCONFIG", "Configuration available to 100.00% of clients"];
    let read = place.get(1).await;
    assert_eq!((events(&read), &read["State"]), (vec![BAKING, all, half, STARTED], &"BAKING".into()));
    assert_eq!(place.state().await, "Deploying");
    place.bench.advance(SignedDuration::from_mins(10));
    place.until(DeploymentState::Complete, 100).await;
    let read = place.get(1).await;
    assert_eq!(events(&read), [COMPLETED, BAKING, all, half, STARTED]);
    assert_eq!(read["EventLog"][0]["OccurredAt"], "2026-09-28T12:30:00.000Z");
    assert_eq!(read["EventLog"][0].get("ActionInvocations"), None);
    assert_eq!((&read["State"], &read["PercentageComplete"]), (&"COMPLETE".into(), &json!(100.0)));
    assert_eq!(read["CompletedAt"], "2026-09-28T12:30:00.000Z");
    assert_eq!(place.state().await, "ReadyForDeployment");
}

#[tokio::test]
async fn without_duration_but_with_bake_everyone_is_reached_by_the_driver() {
    let place = Place::new().await;
    let started = place.deploy("1", "AppConfig.AllAtOnce").await.ok();
    assert_eq!((&started["State"], events(&started)), (&"DEPLOYING".into(), vec![STARTED]));
    place.until(DeploymentState::Baking, 100).await;
    place.bench.advance(SignedDuration::from_mins(10));
    place.until(DeploymentState::Complete, 100).await;
}

#[tokio::test]
async fn a_deployment_on_its_way_is_rolled_back_by_stopping_it() {
    let place = Place::new().await;
    place.deploy("1", "AppConfig.Linear20PercentEvery6Minutes").await.ok();
    let told = place.stop(1, &[]).await;
    assert_eq!(told.status, 202);
    let stopped = told.ok();
    assert_eq!(events(&stopped), [ROLLED_BACK, STARTED], "no ROLLBACK_STARTED before it");
    assert_eq!((&stopped["State"], &stopped["PercentageComplete"]), (&"ROLLED_BACK".into(), &json!(0.0)));
    assert_eq!((stopped.get("CompletedAt"), stopped.get("AppliedExtensions")), (None, None));
    assert_eq!(place.state().await, "RolledBack");
    let (app, env) = (last(&place.shop), last(&place.prod));
    for headers in [&[][..], &[("allow-revert", "true")]] {
        assert_eq!(
            place.stop(1, headers).await.bad_request(),
            format!(
                "Deployment 1 for App {app} and Environment {env} cannot be stopped, it has a status of ROLLED_BACK."
            )
        );
    }
    place.deploy("1", "AppConfig.AllAtOnce").await.ok();
    place.until(DeploymentState::Baking, 100).await;
    place.stop(2, &[("allow-revert", "true")]).await.ok();
    assert_eq!(place.get(2).await["State"], "ROLLED_BACK", "a bake is no completion");
}

#[tokio::test]
async fn a_complete_deployment_is_reverted_on_request_for_three_days() {
    let place = Place::new().await;
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    let (app, env) = (last(&place.shop), last(&place.prod));
    let complete = |n| {
        format!(
            "Deployment {n} for App {app} and Environment {env} cannot be stopped, it has a status of COMPLETE."
        )
    };
    place.deploy("1", &at_once).await.ok();
    assert_eq!(place.stop(1, &[]).await.bad_request(), complete(1));
    assert_eq!(place.stop(1, &[("allow-revert", "false")]).await.bad_request(), complete(1));
    assert_eq!(
        place.stop(1, &[("allow-revert", "yes")]).await.bad_request(),
        one_violation("'yes'", "allowRevert", "Member must satisfy enum value set: [true, false]")
    );
    place.bench.advance(SignedDuration::from_hours(72));
    let reverted = place.stop(1, &[("allow-revert", "true")]).await.ok();
    assert_eq!(events(&reverted), [REVERTED, INSTANTLY, STARTED]);
    assert_eq!((&reverted["State"], &reverted["PercentageComplete"]), (&"REVERTED".into(), &json!(0.0)));
    assert_eq!(reverted["CompletedAt"], "2026-09-28T12:00:00.000Z", "stays");
    assert_eq!(place.state().await, "Reverted");
    place.deploy("1", &at_once).await.ok();
    place.bench.advance(SignedDuration::from_secs(72 * 3_600 + 1));
    assert_eq!(place.stop(2, &[("allow-revert", "true")]).await.bad_request(), complete(2));
}

#[tokio::test]
async fn only_the_newest_deployment_of_a_profile_is_reverted() {
    let place = Place::new().await;
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    place.deploy("1", &at_once).await.ok();
    place.deploy("2", &at_once).await.ok();
    assert_eq!(
        place.stop(1, &[("allow-revert", "true")]).await.bad_request(),
        "Deployment 1 cannot be reverted, because deployment 2 of the same configuration profile came after it."
    );
    place.stop(2, &[("allow-revert", "true")]).await.ok();
    place.stop(1, &[("allow-revert", "true")]).await.ok();
}

#[tokio::test]
async fn one_deployment_at_a_time_in_an_environment() {
    let place = Place::new().await;
    let other = place.bench.profile(&place.shop, "other", "AWS.Freeform").await;
    place.bench.store(&other, "x", &[]).await.succeeded();
    place.deploy("1", "AppConfig.AllAtOnce").await.ok();
    let told = place.bench.deploy(&place.prod, &other, "1", "AppConfig.AllAtOnce").await;
    let env = last(&place.prod);
    assert_eq!(told.conflict(), format!("Environment {env} already has a deployment in progress: 1"));
    let test = place.bench.environment(&place.shop, "test").await;
    place.bench.deploy(&test, &other, "1", "AppConfig.AllAtOnce").await.ok();
}

#[tokio::test]
async fn where_waiting_is_allowed_a_second_deployment_waits() {
    let queue = |config: &mut NodeConfig| config.policy.concurrency = Concurrency::Queue;
    let place = Place::on(Bench::with(queue, ServerSettings::default()).await).await;
    let slow = place.bench.strategy(10, 0, 100.0).await;
    place.deploy("1", &slow).await.ok();
    let waiting = place.deploy("2", &slow).await.ok();
    assert_eq!((&waiting["State"], &waiting["EventLog"]), (&"DEPLOYING".into(), &json!([])));
    place.stop(1, &[]).await.ok();
    let begun = |world: &World| {
        let shop = world.find_application("shop").unwrap();
        shop.find_environment("prod").unwrap().deployments.get_max().unwrap().1.log.len() == 1
    };
    place.bench.until(begun).await;
    assert_eq!(events(&place.get(2).await), [STARTED]);
    place.stop(2, &[]).await.ok();
}

#[tokio::test]
async fn what_a_start_names_must_exist() {
    let place = Place::new().await;
    let (app, env) = (last(&place.shop), last(&place.prod));
    for (members, message) in [
        (
            json!({"DeploymentStrategyId": "slow"}),
            "DeploymentStrategy with Id slow could not be found.".into(),
        ),
        (
            json!({"ConfigurationProfileId": "other"}),
            format!(
                "Configuration Profile with Application Id {app} and Configuration Profile Id other \
                 could not be found for account {ACCOUNT}."
            ),
        ),
        (
            json!({"ConfigurationVersion": "3"}),
            "Could not find configuration config with version number 3".into(),
        ),
        (
            json!({"ConfigurationVersion": "v3"}),
            "Could not find configuration config with version label v3".into(),
        ),
    ] {
        assert_eq!(place.start(members.clone()).await.not_found(), message, "{members}");
    }
    let missing = format!(
        "Environment with Application Id {app} and Environment Id test could not be found for account {ACCOUNT}."
    );
    let test = format!("{}/environments/test", place.shop);
    assert_eq!(
        place.bench.deploy(&test, &place.config, "1", "AppConfig.AllAtOnce").await.not_found(),
        missing
    );
    let missing = format!(
        "Deployment with Application Id {app}, Environment Id {env}, and Deployment Number 1 \
         could not be found for account {ACCOUNT}."
    );
    assert_eq!(place.bench.get(&format!("{}/deployments/1", place.prod)).await.not_found(), missing);
    assert_eq!(place.stop(1, &[]).await.not_found(), missing);
    let told = place.bench.get(&format!("{}/deployments/one", place.prod)).await.bad_request();
    assert_eq!(told, one_violation("'one'", "deploymentNumber", "Member must be an integer"));
}

#[tokio::test]
async fn the_members_of_a_start_are_judged_together() {
    let place = Place::new().await;
    let told = place.bench.post(&format!("{}/deployments", place.prod), json!({})).await.bad_request();
    assert_eq!(
        told,
        "3 validation errors detected: \
         Value null at 'deploymentStrategyId' failed to satisfy constraint: Member must not be null; \
         Value null at 'configurationProfileId' failed to satisfy constraint: Member must not be null; \
         Value null at 'configurationVersion' failed to satisfy constraint: Member must not be null"
    );
    let kms = place.start(json!({"KmsKeyIdentifier": "alias/key"})).await.bad_request();
    assert_eq!(kms, "Yardarm does not use AWS KMS: KmsKeyIdentifier is not supported.");
}

#[tokio::test]
async fn parameters_for_extensions_are_judged_and_never_shown() {
    let place = Place::new().await;
    let ask = async |parameters: Value| {
        place.start(json!({"DynamicExtensionParameters": parameters})).await.bad_request()
    };
    let member = "at 'dynamicExtensionParameters' failed to satisfy constraint:";
    assert!(
        ask(json!({}))
            .await
            .ends_with(&format!("{member} Member must have length greater than or equal to 1"))
    );
    let many: Value = (0..11).map(|n| (format!("jira#p{n}"), Value::from("x"))).collect();
    assert!(ask(many).await.ends_with(&format!("{member} Member must have length less than or equal to 10")));
    assert_eq!(
        ask(json!({"jira": "hunter2"})).await,
        one_violation(
            "'jira'",
            "dynamicExtensionParameters",
            r"Map keys must satisfy constraint: [Member must satisfy regular expression pattern: ^([^#\n]{1,96})#([^\/#\n]{1,64})$]"
        )
    );
    let long = ask(json!({"jira#token": "hunter2".repeat(300)})).await;
    assert!(long.contains("Map value must satisfy constraint") && !long.contains("hunter2"), "{long}");
    assert_eq!(
        ask(json!({"jira#token": "hunter2"})).await,
        "DynamicExtensionParameters has a parameter of extension jira, which is associated with none of application, \
         environment and configuration profile."
    );
}

#[tokio::test]
async fn a_stale_number_of_the_latest_deployment_is_refused_by_a_strict_server_only() {
    let place = Place::new().await;
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    let members = json!({"LatestDeploymentNumber": 0, "DeploymentStrategyId": at_once});
    place.start(members.clone()).await.ok();
    place.start(members).await.ok();
    let strict = |config: &mut NodeConfig| config.policy.strict_latest_deployment_number = true;
    let place = Place::on(Bench::with(strict, ServerSettings::default()).await).await;
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    let mut members = json!({"LatestDeploymentNumber": 0, "DeploymentStrategyId": at_once});
    place.start(members.clone()).await.ok();
    assert_eq!(
        place.start(members.clone()).await.conflict(),
        "Expected latest deployment number 0 does not match actual latest deployment number 1"
    );
    members["LatestDeploymentNumber"] = 1.into();
    place.start(members).await.ok();
}

#[tokio::test]
async fn content_that_its_validators_refuse_is_not_deployed_and_uses_no_number() {
    let place = Place::new().await;
    place.bench.store(&place.config, "{}", &[]).await.succeeded();
    let schema = json!([{"Type": "JSON_SCHEMA", "Content": r#"{"type":"object"}"#}]);
    place.bench.patch(&place.config, json!({"Validators": schema})).await.ok();
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    let told = place.deploy("1", &at_once).await.bad_request();
    assert!(
        told.starts_with("Could not build JSON schema from invalid input:\n {\"type\":\"object\"}."),
        "{told}"
    );
    assert_eq!(place.deploy("3", &at_once).await.ok()["DeploymentNumber"], 1);
}

#[tokio::test]
async fn a_list_has_summaries_of_all_deployments() {
    let place = Place::new().await;
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    place.deploy("v2", &at_once).await.ok();
    place.deploy("1", "AppConfig.Canary10Percent20Minutes").await.ok();
    place.stop(2, &[]).await.ok();
    let list = place.bench.get(&format!("{}/deployments", place.prod)).await.ok();
    let profile = last(&place.config);
    assert_eq!(
        list,
        json!({"Items": [
            {
                "DeploymentNumber": 2, "ConfigurationProfileId": profile, "ConfigurationName": "config",
                "ConfigurationVersion": "1", "DeploymentDurationInMinutes": 20, "GrowthType": "EXPONENTIAL",
                "GrowthFactor": 10.0, "FinalBakeTimeInMinutes": 10, "State": "ROLLED_BACK",
                "PercentageComplete": 0.0, "StartedAt": "2026-09-28T12:00:00.000Z", "Type": "USER",
            },
            {
                "DeploymentNumber": 1, "ConfigurationProfileId": profile, "ConfigurationName": "config",
                "ConfigurationVersion": "2", "DeploymentDurationInMinutes": 0, "GrowthType": "LINEAR",
                "GrowthFactor": 100.0, "FinalBakeTimeInMinutes": 0, "State": "COMPLETE",
                "PercentageComplete": 100.0, "StartedAt": "2026-09-28T12:00:00.000Z",
                "CompletedAt": "2026-09-28T12:00:00.000Z", "VersionLabel": "v2", "Type": "USER",
            },
        ]})
    );
}

#[tokio::test]
async fn a_deployment_outlives_its_version() {
    let place = Place::new().await;
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    place.deploy("2", &at_once).await.ok();
    let before = place.get(1).await;
    place.bench.delete(&format!("{}/hostedconfigurationversions/2", place.config)).await.ok();
    place.bench.delete(&format!("/deploymentstrategies/{at_once}")).await.ok();
    assert_eq!(place.get(1).await, before);
}

#[tokio::test]
async fn an_environment_with_alarms_is_never_done_in_an_instant() {
    let ignore = |config: &mut NodeConfig| {
        config.policy.unregistered_alarms = yardarm_domain::UnregisteredAlarms::Ignore;
    };
    let place = Place::on(Bench::with(ignore, ServerSettings::default()).await).await;
    let monitors = json!({"Monitors": [{"AlarmArn": "errors"}]});
    place.bench.patch(&place.prod, monitors).await.ok();
    let at_once = place.bench.strategy(0, 0, 100.0).await;
    let told = place.deploy("1", &at_once).await.ok();
    assert_eq!(told["State"], "DEPLOYING");
    let unwatched = "Deployment started; not registered, so not watched: errors";
    assert_eq!(events(&told), [["DEPLOYMENT_STARTED", "USER", unwatched]]);
    place.until(DeploymentState::Complete, 100).await;
}

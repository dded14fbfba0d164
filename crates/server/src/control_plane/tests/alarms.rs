//! What alarms do to deployments, as AWS clients see it.

use super::*;
use yardarm_domain::{AlarmReport, AlarmSource, AlarmState, DeploymentState, PutAlarm, ReportAlarms};

/// An application whose environment is watched by the alarm `errors`.
struct Place {
    bench: Bench,
    shop: String,
    prod: String,
    config: String,
    slowly: String,
}

impl Place {
    async fn new() -> Self {
        let bench = Bench::start().await;
        let shop = bench.application("shop").await;
        let prod = bench.environment(&shop, "prod").await;
        let config = bench.profile(&shop, "config", "AWS.Freeform").await;
        bench.store(&config, "one", &[]).await.succeeded();
        bench.patch(&prod, json!({"Monitors": [{"AlarmArn": "errors"}]})).await.ok();
        let slowly = bench.strategy(10, 10, 50.0).await;
        Self { bench, shop, prod, config, slowly }
    }

    async fn register(&self) {
        let command = PutAlarm {
            arn: "errors".parse().unwrap(),
            description: None,
            source: AlarmSource::Pushed,
            fresh_for: None,
            actions_enabled: true,
            secret: None,
        };
        self.bench.kit.node.execute(command, cause()).await.unwrap();
    }

    async fn tell(&self, state: AlarmState) {
        let report = AlarmReport {
            alarm: "errors".parse().unwrap(),
            revision: None,
            state,
            at: self.bench.kit.node.now(),
            actions_enabled: true,
            reason: None,
            group: None,
        };
        self.bench.kit.node.execute(ReportAlarms { reports: vec![report] }, cause()).await.unwrap();
    }

    async fn deploy(&self, headers: &[(&str, &str)]) -> Told {
        let body = json!({
            "ConfigurationProfileId": last(&self.config), "ConfigurationVersion": "1",
            "DeploymentStrategyId": self.slowly,
        });
        let path = format!("{}/deployments", self.prod);
        self.bench.send(Method::Post, &path, headers, body.to_string().into()).await
    }

    async fn until(&self, state: DeploymentState) {
        self.bench
            .until(|world| {
                let application = world.find_application(last(&self.shop)).unwrap();
                let environment = application.find_environment(last(&self.prod)).unwrap();
                environment.deployments.get_max().unwrap().1.state() == state
            })
            .await;
    }

    async fn events(&self) -> Vec<[String; 3]> {
        let deployment = self.bench.get(&format!("{}/deployments/1", self.prod)).await.ok();
        let events = deployment["EventLog"].as_array().unwrap().clone();
        let word = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        events
            .iter()
            .map(|event| ["EventType", "TriggeredBy", "Description"].map(|name| word(event, name)))
            .collect()
    }
}

#[tokio::test]
async fn the_event_log_says_which_alarm_took_a_deployment_back() {
    let place = Place::new().await;
    place.register().await;
    place.tell(AlarmState::Ok).await;
    place.deploy(&[]).await.ok();
    place.tell(AlarmState::Alarm).await;
    place.until(DeploymentState::RolledBack).await;
    let told = [
        ["ROLLBACK_COMPLETED", "CLOUDWATCH_ALARM", "Rollback completed"],
        ["ROLLBACK_STARTED", "CLOUDWATCH_ALARM", "Rollback initiated by alarm errors in ALARM"],
        ["DEPLOYMENT_STARTED", "USER", "Deployment started"],
    ];
    assert_eq!(place.events().await, told);
    let environment = place.bench.get(&place.prod).await.ok();
    assert_eq!(environment["State"], "RolledBack");
}

#[tokio::test]
async fn a_firing_alarm_refuses_a_deployment_unless_somebody_says_why() {
    let place = Place::new().await;
    place.register().await;
    place.tell(AlarmState::Alarm).await;
    let environment = last(&place.prod);
    assert_eq!(
        place.deploy(&[]).await.conflict(),
        format!(
            "Environment {environment} cannot be deployed to: alarm errors is in ALARM. \
             To deploy nevertheless, give the reason in the header Yardarm-Override-Alarms."
        )
    );
    let empty = place.deploy(&[("Yardarm-Override-Alarms", " ")]).await;
    assert_eq!(empty.bad_request(), "The header Yardarm-Override-Alarms needs a reason.");
    place.deploy(&[("Yardarm-Override-Alarms", "it mends the errors")]).await.ok();
    let started = "Deployment started over alarm errors by yardarm: it mends the errors";
    assert_eq!(place.events().await, [["DEPLOYMENT_STARTED", "USER", started]]);
}

#[tokio::test]
async fn an_alarm_that_nobody_would_watch_refuses_a_deployment() {
    let place = Place::new().await;
    let environment = last(&place.prod);
    let refused = place.deploy(&[]).await.bad_request();
    let what = format!("Environment {environment} has a monitor for alarm errors, which nobody would watch.");
    assert!(refused.starts_with(&what), "{refused}");
    place.register().await;
    place.deploy(&[]).await.ok();
}

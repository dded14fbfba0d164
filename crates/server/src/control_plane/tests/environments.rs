//! Environments.

use super::*;

const ALARM: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors";
const ROLE: &str = "arn:aws:iam::123456789012:role/watcher";

#[tokio::test]
async fn an_environment_is_created_read_updated_and_deleted() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let list = format!("{shop}/environments");
    let body = json!({"Name": "prod", "Description": "live", "Monitors": [{"AlarmArn": ALARM, "AlarmRoleArn": ROLE}]});
    let created = bench.post(&list, body).await;
    let (app, id) = (last(&shop), id(&created));
    let mut expected = json!({
        "ApplicationId": app, "Id": id, "Name": "prod", "Description": "live", "State": "ReadyForDeployment",
        "Monitors": [{"AlarmArn": ALARM, "AlarmRoleArn": ROLE}],
    });
    assert_eq!((created.status, created.json()), (201, expected.clone()));
    let path = format!("{list}/{id}");
    assert_eq!(bench.get(&path).await.ok(), expected);
    assert_eq!(bench.get(&format!("{list}/prod")).await.ok(), expected);
    expected["Name"] = "live".into();
    assert_eq!(bench.patch(&path, json!({"Name": "live"})).await.ok(), expected, "what is not sent stays");
    let told = bench.patch(&path, json!({"Monitors": [], "Description": ""})).await.ok();
    let rest = json!({"ApplicationId": app, "Id": id, "Name": "live", "State": "ReadyForDeployment"});
    let mut echoed = rest.clone();
    echoed["Description"] = "".into();
    assert_eq!(told, echoed);
    assert_eq!(bench.get(&path).await.ok(), rest);
    assert_eq!(bench.delete(&path).await.status, 204);
    assert_eq!(
        bench.get(&path).await.not_found(),
        format!(
            "Environment with Application Id {app} and Environment Id {id} could not be found for account {ACCOUNT}."
        )
    );
}

#[tokio::test]
async fn a_name_is_taken_once_in_an_application() {
    let bench = Bench::start().await;
    let (shop, other) = (bench.application("shop").await, bench.application("other").await);
    let prod = bench.environment(&shop, "prod").await;
    let test = bench.environment(&shop, "test").await;
    bench.environment(&other, "prod").await;
    let taken = format!(
        "Environment with name prod already exists with id {} in application {} and account {ACCOUNT}",
        last(&prod),
        last(&shop)
    );
    let told = bench.post(&format!("{shop}/environments"), json!({"Name": "prod"})).await;
    assert_eq!(told.bad_request(), taken);
    assert_eq!(bench.patch(&test, json!({"Name": "prod"})).await.bad_request(), taken);
}

#[tokio::test]
async fn a_monitor_needs_an_alarm_and_a_well_formed_role_if_any() {
    let bench = Bench::start().await;
    let list = format!("{}/environments", bench.application("shop").await);
    let ask = async |monitors: Value| bench.post(&list, json!({"Name": "prod", "Monitors": monitors})).await;
    assert_eq!(
        ask(json!([{"AlarmArn": ALARM}, {"AlarmRoleArn": ROLE}])).await.bad_request(),
        one_violation("null", "monitors.2.member.alarmArn", NOT_NULL)
    );
    let user = "arn:aws:iam::123456789012:user/watcher";
    assert_eq!(
        ask(json!([{"AlarmArn": ALARM, "AlarmRoleArn": user}])).await.bad_request(),
        one_violation(
            &format!("'{user}'"),
            "monitors.1.member.alarmRoleArn",
            "Member must satisfy regular expression pattern: \
             ^((arn):(aws|aws-cn|aws-iso|aws-iso-[a-z]{1}|aws-us-gov|aws-eusc):(iam)::\\d{12}:role[/].*)$"
        )
    );
    assert_eq!(
        ask(json!(vec![json!({"AlarmArn": ALARM}); 6])).await.bad_request(),
        "1 validation error detected: Value at 'monitors' failed to satisfy constraint: \
         Member must have length less than or equal to 5"
    );
    let made = ask(json!([{"AlarmArn": ALARM}])).await.ok();
    assert_eq!(made["Monitors"], json!([{"AlarmArn": ALARM}]), "a role is not needed here");
}

#[tokio::test]
async fn a_strict_server_asks_for_the_role_as_the_service_does() {
    let settings = ServerSettings { strict_alarm_role: true, ..ServerSettings::default() };
    let bench = Bench::with(|_| {}, settings).await;
    let list = format!("{}/environments", bench.application("shop").await);
    let told = bench.post(&list, json!({"Name": "prod", "Monitors": [{"AlarmArn": ALARM}]})).await;
    assert_eq!(
        told.bad_request(),
        "1 validation error detected: Value null at 'alarmRoleArn' failed to satisfy constraint: Member must not be null."
    );
}

#[tokio::test]
async fn what_served_a_configuration_lately_is_protected() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let prod = bench.environment(&shop, "prod").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    bench.store(&config, "{}", &[]).await.succeeded();
    let at_once = bench.strategy(0, 0, 100.0).await;
    bench.deploy(&prod, &config, "1", &at_once).await.ok();
    bench.kit.node.read_configuration("shop", "prod", "config", Some("client")).unwrap();
    let delete = async |path: &str, check: &str| {
        bench.send(Method::Delete, path, &[("x-amzn-deletion-protection-check", check)], Bytes::new()).await
    };
    assert_eq!(
        delete(&prod, "MAYBE").await.bad_request(),
        one_violation(
            "'MAYBE'",
            "deletionProtectionCheck",
            "Member must satisfy enum value set: [ACCOUNT_DEFAULT, APPLY, BYPASS]"
        )
    );
    let told = delete(&prod, "APPLY").await.conflict();
    assert!(told.contains(last(&prod)) && told.contains("60 minutes"), "{told}");
    let has_versions = delete(&config, "APPLY").await.bad_request();
    assert!(
        has_versions.contains("still hosted configuration versions"),
        "versions come first: {has_versions}"
    );
    bench.delete(&format!("{config}/hostedconfigurationversions/1")).await.ok();
    let told = delete(&config, "APPLY").await.conflict();
    assert!(told.contains(last(&config)), "{told}");
    bench.patch("/settings", json!({"DeletionProtection": {"Enabled": true}})).await.ok();
    bench.advance(SignedDuration::from_mins(59));
    bench.kit.node.read_configuration("shop", "prod", "config", Some("client")).unwrap();
    bench.advance(SignedDuration::from_mins(1));
    bench.delete(&prod).await.conflict();
    delete(&config, "ACCOUNT_DEFAULT").await.conflict();
    assert_eq!(delete(&prod, "BYPASS").await.status, 204);
    assert_eq!(delete(&config, "BYPASS").await.status, 204);
}

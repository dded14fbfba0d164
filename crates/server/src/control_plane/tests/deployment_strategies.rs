//! Deployment strategies.

use super::*;

fn body() -> Value {
    json!({"Name": "slow", "DeploymentDurationInMinutes": 30, "GrowthFactor": 33.3})
}

#[tokio::test]
async fn a_strategy_is_created_read_updated_and_deleted() {
    let bench = Bench::start().await;
    let mut sent = body();
    sent["Tags"] = json!({"a": "b"});
    let created = bench.post("/deploymentstrategies", sent).await;
    let id = id(&created);
    assert_eq!(created.status, 201);
    assert_eq!(
        String::from_utf8_lossy(&created.body),
        format!(
            r#"{{"Id":"{id}","Name":"slow","DeploymentDurationInMinutes":30,"GrowthType":"LINEAR","GrowthFactor":33.3,"FinalBakeTimeInMinutes":0,"ReplicateTo":"NONE"}}"#
        )
    );
    let path = format!("/deploymentstrategies/{id}");
    assert_eq!(bench.get(&path).await.body, created.body);
    assert_eq!(bench.get("/deploymentstrategies/slow").await.body, created.body, "by name");
    let change = json!({
        "Description": "", "FinalBakeTimeInMinutes": 1440, "GrowthType": "EXPONENTIAL", "GrowthFactor": 2,
    });
    let mut expected = created.json();
    expected["FinalBakeTimeInMinutes"] = 1440.into();
    expected["GrowthType"] = "EXPONENTIAL".into();
    expected["GrowthFactor"] = json!(2.0);
    assert_eq!(bench.patch(&path, change).await.ok()["Description"], "");
    assert_eq!(bench.get(&path).await.ok(), expected, "what is not sent stays");
    assert_eq!(bench.delete(&format!("/deployementstrategies/{id}")).await.status, 204);
    assert_eq!(
        bench.get(&path).await.not_found(),
        format!("DeploymentStrategy with Id {id} could not be found.")
    );
}

#[tokio::test]
async fn limits_of_every_member_are_told_at_once() {
    let bench = Bench::start().await;
    let told = bench.post("/deploymentstrategies", json!({})).await.bad_request();
    assert!(told.starts_with("3 validation errors detected"), "{told}");
    let wrong = json!({
        "Name": "x", "DeploymentDurationInMinutes": 1441, "FinalBakeTimeInMinutes": -1, "GrowthFactor": 0.5,
        "GrowthType": "SQUARE", "ReplicateTo": "S3",
    });
    assert_eq!(
        bench.post("/deploymentstrategies", wrong).await.bad_request(),
        "5 validation errors detected: \
         Value '1441' at 'deploymentDurationInMinutes' failed to satisfy constraint: \
         Member must have value less than or equal to 1440; \
         Value '-1' at 'finalBakeTimeInMinutes' failed to satisfy constraint: \
         Member must have value greater than or equal to 0; \
         Value '0.5' at 'growthFactor' failed to satisfy constraint: \
         Member must have value greater than or equal to 1; \
         Value 'SQUARE' at 'growthType' failed to satisfy constraint: \
         Member must satisfy enum value set: [LINEAR, EXPONENTIAL]; \
         Value 'S3' at 'replicateTo' failed to satisfy constraint: \
         Member must satisfy enum value set: [NONE, SSM_DOCUMENT]"
    );
}

#[tokio::test]
async fn where_to_replicate_is_kept_and_names_need_not_differ() {
    let bench = Bench::start().await;
    let mut body = body();
    body["ReplicateTo"] = "SSM_DOCUMENT".into();
    for _ in 0..2 {
        assert_eq!(
            bench.post("/deploymentstrategies", body.clone()).await.ok()["ReplicateTo"],
            "SSM_DOCUMENT"
        );
    }
}

#[tokio::test]
async fn predefined_strategies_are_there_first_and_for_ever() {
    let bench = Bench::start().await;
    bench.post("/deploymentstrategies", body()).await.ok();
    let predefined = [
        "AppConfig.AllAtOnce",
        "AppConfig.Linear50PercentEvery30Seconds",
        "AppConfig.Canary10Percent20Minutes",
        "AppConfig.Linear20PercentEvery6Minutes",
    ];
    let list = bench.get("/deploymentstrategies").await.ok();
    assert_eq!(names(&list), [&predefined[..], &["slow"]].concat());
    assert_eq!(
        list["Items"][2],
        json!({
            "Id": "AppConfig.Canary10Percent20Minutes", "Name": "AppConfig.Canary10Percent20Minutes",
            "Description": "AWS Recommended", "DeploymentDurationInMinutes": 20, "GrowthType": "EXPONENTIAL",
            "GrowthFactor": 10.0, "FinalBakeTimeInMinutes": 10, "ReplicateTo": "NONE",
        })
    );
    for id in predefined {
        let path = format!("/deploymentstrategies/{id}");
        assert_eq!(bench.get(&path).await.ok()["Id"], id);
        assert_eq!(
            bench.patch(&path, json!({"Description": "mine"})).await.bad_request(),
            format!("Cannot update predefined Deployment Strategy {id}")
        );
        assert_eq!(
            bench.delete(&path).await.bad_request(),
            format!("Cannot delete predefined Deployment Strategy {id}.")
        );
    }
}

#[tokio::test]
async fn a_quota_counts_own_strategies_only() {
    let bench =
        Bench::with(|config| config.quotas.deployment_strategies = 1, ServerSettings::default()).await;
    bench.post("/deploymentstrategies", body()).await.ok();
    assert_eq!(bench.post("/deploymentstrategies", body()).await.refusal().0, 402);
}

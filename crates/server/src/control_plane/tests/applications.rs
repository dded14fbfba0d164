//! Applications.

use super::*;

#[tokio::test]
async fn an_application_is_created_read_updated_and_deleted() {
    let bench = Bench::start().await;
    let body = json!({"Name": "shop", "Description": "sells", "Tags": {"team": "a"}});
    let created = bench.post("/applications", body).await;
    let id = id(&created);
    assert_eq!(created.status, 201);
    assert_eq!(created.json(), json!({"Id": id, "Name": "shop", "Description": "sells"}));
    let path = format!("/applications/{id}");
    let told = bench.get(&path).await;
    assert_eq!((told.status, told.json()), (200, created.json()));
    let told = bench.patch(&path, json!({"Name": "store"})).await;
    assert_eq!((told.status, told.json()), (200, json!({"Id": id, "Name": "store", "Description": "sells"})));
    let told = bench.delete(&path).await;
    assert_eq!(
        (told.status, told.ok(), told.header("content-type")),
        (204, Value::Null, Some("application/json"))
    );
    let missing = format!("Application with Id {id} could not be found for account {ACCOUNT}.");
    assert_eq!(bench.get(&path).await.not_found(), missing);
    assert_eq!(bench.patch(&path, json!({})).await.not_found(), missing);
    assert_eq!(bench.delete(&path).await.not_found(), missing);
    for below in ["environments", "configurationprofiles"] {
        assert_eq!(bench.get(&format!("{path}/{below}")).await.not_found(), missing, "{below}");
    }
}

#[tokio::test]
async fn a_path_names_things_by_id_or_by_name_and_the_id_comes_first() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    assert_eq!(bench.get("/applications/shop").await.ok()["Id"], last(&shop));
    bench.application(last(&shop)).await;
    assert_eq!(bench.get(&shop).await.ok()["Name"], "shop");
}

#[tokio::test]
async fn an_empty_description_is_echoed_once_and_then_absent() {
    let bench = Bench::start().await;
    let created = bench.post("/applications", json!({"Name": "shop", "Description": ""})).await;
    assert_eq!(created.ok()["Description"], "");
    let path = format!("/applications/{}", id(&created));
    assert_eq!(bench.get(&path).await.ok().get("Description"), None);
    bench.patch(&path, json!({"Description": "sells"})).await.ok();
    assert_eq!(bench.patch(&path, json!({"Name": "store"})).await.ok()["Description"], "sells");
    assert_eq!(bench.patch(&path, json!({"Description": ""})).await.ok()["Description"], "");
    assert_eq!(bench.patch(&path, json!({"Name": "shop"})).await.ok().get("Description"), None);
}

#[tokio::test]
async fn a_name_is_taken_once_also_by_renaming() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let other = bench.application("other").await;
    let taken =
        format!("Application with name shop already exists with id {} in account {ACCOUNT}", last(&shop));
    assert_eq!(bench.post("/applications", json!({"Name": "shop"})).await.bad_request(), taken);
    assert_eq!(bench.patch(&other, json!({"Name": "shop"})).await.bad_request(), taken);
    bench.patch(&shop, json!({"Name": "shop"})).await.ok();
}

#[tokio::test]
async fn an_application_that_holds_something_is_not_deleted() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let environment = bench.environment(&shop, "prod").await;
    bench.profile(&shop, "config", "AWS.Freeform").await;
    let id = last(&shop);
    assert_eq!(
        bench.delete(&shop).await.bad_request(),
        format!("Cannot delete application {id}, because there are still environments existing under it.")
    );
    bench.delete(&environment).await.ok();
    assert_eq!(
        bench.delete(&shop).await.bad_request(),
        format!(
            "Cannot delete application {id}, because there are still configuration profiles existing under it."
        )
    );
}

#[tokio::test]
async fn every_broken_constraint_is_told() {
    let bench = Bench::start().await;
    assert_eq!(
        bench.post("/applications", json!({})).await.bad_request(),
        one_violation("null", "name", NOT_NULL)
    );
    let body = json!({"Name": "", "Description": "x".repeat(1025), "Tags": {"aws:x": "y"}});
    let told = bench.post("/applications", body).await.bad_request();
    assert!(told.starts_with("3 validation errors detected: Value '' at 'name' failed"), "{told}");
    let long = bench.post("/applications", json!({"Name": "x".repeat(65)})).await.bad_request();
    assert!(long.ends_with("Member must have length less than or equal to 64"), "{long}");
    let told = bench.post("/applications", json!({"Name": 1})).await.bad_request();
    assert!(told.contains("Name"), "{told}");
}

#[tokio::test]
async fn a_quota_answers_402() {
    let bench = Bench::with(|config| config.quotas.applications = 1, ServerSettings::default()).await;
    bench.application("shop").await;
    let (status, code, message) = bench.post("/applications", json!({"Name": "other"})).await.refusal();
    assert_eq!((status, code), (402, "ServiceQuotaExceededException"));
    assert_eq!(message, "The account has 1 applications, which is its quota.");
}

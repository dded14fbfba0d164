//! Tags.

use super::*;

/// The path of a resource's tags, as clients encode its ARN.
fn tags(resource: &str) -> String {
    let arn = format!("arn:aws:appconfig:us-east-1:{ACCOUNT}:{resource}");
    format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"))
}

#[tokio::test]
async fn whatever_has_an_arn_has_tags() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let prod = bench.environment(&shop, "prod").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    bench.store(&config, "x", &[]).await.succeeded();
    let strategy = bench.strategy(0, 0, 100.0).await;
    bench.deploy(&prod, &config, "1", &strategy).await.ok();
    let application = format!("application/{}", last(&shop));
    let profile = format!("{application}/configurationprofile/{}", last(&config));
    let environment = format!("{application}/environment/{}", last(&prod));
    for resource in [
        application,
        environment.clone(),
        format!("{environment}/deployment/1"),
        profile.clone(),
        format!("{profile}/hostedconfigurationversion/1"),
        format!("deploymentstrategy/{strategy}"),
    ] {
        let path = tags(&resource);
        assert_eq!(bench.get(&path).await.ok(), json!({"Tags": {}}), "{resource}");
        let told = bench.post(&path, json!({"Tags": {"a": "1", "b": "2", "c d": ""}})).await;
        assert_eq!((told.status, told.ok()), (204, Value::Null));
        bench.post(&path, json!({"Tags": {"b": "3"}})).await.ok();
        assert_eq!(bench.get(&path).await.ok(), json!({"Tags": {"a": "1", "b": "3", "c d": ""}}));
        let told = bench.delete(&format!("{path}?tagKeys=a&tagKeys=c%20d&tagKeys=never")).await;
        assert_eq!((told.status, told.ok()), (204, Value::Null));
        assert_eq!(bench.get(&path).await.ok(), json!({"Tags": {"b": "3"}}));
    }
}

#[tokio::test]
async fn tags_given_at_creation_are_kept_and_not_echoed() {
    let bench = Bench::start().await;
    let told = bench.post("/applications", json!({"Name": "shop", "Tags": {"team": "a"}})).await;
    assert_eq!(told.ok().get("Tags"), None);
    let path = tags(&format!("application/{}", id(&told)));
    assert_eq!(bench.get(&path).await.ok(), json!({"Tags": {"team": "a"}}));
}

#[tokio::test]
async fn an_arn_that_names_nothing_here_is_not_found() {
    let bench = Bench::start().await;
    for resource in
        ["application/abcdefg", "application/abcdefg/other/x", "deploymentstrategy/AppConfig.AllAtOnce"]
    {
        let missing =
            format!("Resource arn:aws:appconfig:us-east-1:{ACCOUNT}:{resource} could not be found.");
        assert_eq!(bench.get(&tags(resource)).await.not_found(), missing);
        assert_eq!(bench.post(&tags(resource), json!({"Tags": {"a": "b"}})).await.not_found(), missing);
        assert_eq!(bench.delete(&format!("{}?tagKeys=a", tags(resource))).await.not_found(), missing);
    }
    let other = "arn:aws:appconfig:us-east-1:999999999999:application%2Fabcdefg";
    let told = bench.get(&format!("/tags/{other}")).await.not_found();
    assert_eq!(
        told,
        "Resource arn:aws:appconfig:us-east-1:999999999999:application/abcdefg could not be found."
    );
    let told = bench.get("/tags/application-abcdefg-is-no-arn").await.bad_request();
    assert!(
        told.contains("at 'resourceArn' failed to satisfy constraint: Member must satisfy regular"),
        "{told}"
    );
}

#[tokio::test]
async fn limits_hold_for_one_request_and_for_all_together() {
    let bench = Bench::start().await;
    let path = tags(&format!("application/{}", last(&bench.application("shop").await)));
    assert_eq!(bench.post(&path, json!({})).await.bad_request(), one_violation("null", "tags", NOT_NULL));
    assert_eq!(bench.delete(&path).await.bad_request(), one_violation("null", "tagKeys", NOT_NULL));
    assert_eq!(
        bench.delete(&format!("{path}?tagKeys=a&tagKeys=")).await.bad_request(),
        one_violation("''", "tagKeys.2.member", "Member must have length greater than or equal to 1")
    );
    let many =
        |from: usize, to: usize| -> Value { (from..to).map(|n| (n.to_string(), Value::from("x"))).collect() };
    let too_many = "1 validation error detected: Value at 'tags' failed to satisfy constraint: \
                    Member must have length less than or equal to 50";
    assert_eq!(bench.post(&path, json!({"Tags": many(0, 51)})).await.bad_request(), too_many);
    bench.post(&path, json!({"Tags": many(0, 40)})).await.ok();
    assert_eq!(bench.post(&path, json!({"Tags": many(40, 51)})).await.bad_request(), too_many);
    let keys: Vec<String> = (0..51).map(|n| format!("tagKeys={n}")).collect();
    let told = bench.delete(&format!("{path}?{}", keys.join("&"))).await.bad_request();
    assert!(told.ends_with("Member must have length less than or equal to 50"), "{told}");
}

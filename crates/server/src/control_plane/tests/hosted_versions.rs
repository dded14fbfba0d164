//! Hosted configuration versions.

use super::*;

async fn bench() -> (Bench, String, String) {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    (bench, shop, config)
}

#[tokio::test]
async fn content_comes_back_as_it_was_sent_under_headers_that_describe_it() {
    let (bench, shop, config) = bench().await;
    let sent = [("description", "first"), ("versionlabel", "v1"), ("latest-version-number", "0")];
    let created = bench.store(&config, " {\"a\": 1} ", &sent).await;
    assert_eq!(created.status, 201);
    let read = bench.get(&format!("{config}/hostedconfigurationversions/1")).await;
    assert_eq!(read.status, 200);
    for told in [created, read] {
        for (name, value) in [
            ("application-id", last(&shop)),
            ("configuration-profile-id", last(&config)),
            ("version-number", "1"),
            ("description", "first"),
            ("content-type", "application/json"),
            ("versionlabel", "v1"),
        ] {
            assert_eq!(told.header(name), Some(value), "{name}");
        }
        assert_eq!((told.headers.len(), &told.body[..]), (6, &b" {\"a\": 1} "[..]));
    }
}

#[tokio::test]
async fn an_empty_description_is_echoed_once_and_then_absent() {
    let (bench, _, config) = bench().await;
    let created = bench.store(&config, "x", &[("description", "")]).await;
    assert_eq!(created.header("description"), Some(""));
    let read = bench.get(&format!("{config}/hostedconfigurationversions/1")).await;
    assert_eq!(read.header("description"), None);
}

#[tokio::test]
async fn numbers_count_up_and_are_never_used_again() {
    let (bench, _, config) = bench().await;
    for number in ["1", "2"] {
        assert_eq!(bench.store(&config, "same", &[]).await.header("version-number"), Some(number));
    }
    assert_eq!(bench.delete(&format!("{config}/hostedconfigurationversions/2")).await.status, 204);
    assert_eq!(
        bench.store(&config, "x", &[("latest-version-number", "1")]).await.conflict(),
        "Expected latest version 1 does not match actual latest version 2"
    );
    let told = bench.store(&config, "x", &[("latest-version-number", "2")]).await;
    assert_eq!(told.header("version-number"), Some("3"));
}

#[tokio::test]
async fn a_label_is_taken_once_and_is_no_number() {
    let (bench, _, config) = bench().await;
    bench.store(&config, "x", &[("versionlabel", "v1")]).await.succeeded();
    assert_eq!(
        bench.store(&config, "y", &[("versionlabel", "v1")]).await.bad_request(),
        "The version label 'v1' has already been assigned to hosted configuration version 1. \
         Please provide a different version label to create your hosted configuration version."
    );
    assert_eq!(
        bench.store(&config, "y", &[("versionlabel", "12")]).await.bad_request(),
        one_violation("'12'", "versionLabel", "Member must satisfy regular expression pattern: .*[^0-9].*")
    );
}

#[tokio::test]
async fn content_and_its_type_must_be_there() {
    let (bench, _, config) = bench().await;
    assert_eq!(
        bench.store(&config, "", &[]).await.bad_request(),
        "1 validation error detected: Value at 'content' failed to satisfy constraint: Member must not be null"
    );
    let path = format!("{config}/hostedconfigurationversions");
    let told = bench.send(Method::Post, &path, &[], Bytes::from_static(b"x")).await;
    assert_eq!(told.bad_request(), one_violation("null", "contentType", NOT_NULL));
    let told = bench.store(&config, "x", &[("latest-version-number", "one")]).await;
    assert_eq!(
        told.bad_request(),
        one_violation("'one'", "latestVersionNumber", "Member must be an integer")
    );
}

#[tokio::test]
async fn an_unknown_version_is_not_found() {
    let (bench, shop, config) = bench().await;
    for number in ["0", "7"] {
        let path = format!("{config}/hostedconfigurationversions/{number}");
        let missing = format!(
            "Hosted Configuration Version with Application Id {}, Configuration Profile Id {}, and Version {number} \
             could not be found for account {ACCOUNT}",
            last(&shop),
            last(&config)
        );
        assert_eq!(bench.get(&path).await.not_found(), missing);
        assert_eq!(bench.delete(&path).await.not_found(), missing);
    }
    let told = bench.get(&format!("{config}/hostedconfigurationversions/one")).await;
    assert_eq!(told.bad_request(), one_violation("'one'", "versionNumber", "Member must be an integer"));
}

#[tokio::test]
async fn content_that_is_too_large_is_told_in_whole_kilobytes() {
    let (bench, _, config) = bench().await;
    let limit = 2_048 * 1_024;
    bench.store(&config, &"x".repeat(limit), &[]).await.succeeded();
    let told = bench.store(&config, &"x".repeat(limit + 1), &[]).await;
    assert_eq!(told.refusal().0, 413);
    assert_eq!(
        String::from_utf8_lossy(&told.body),
        r#"{"Message":"Content size limit exceeded.","Measure":"KILOBYTES","Limit":2048.0,"Size":2049.0}"#
    );
}

#[tokio::test]
async fn a_full_store_answers_402() {
    let bench =
        Bench::with(|config| config.quotas.hosted_store_bytes = 1_024, ServerSettings::default()).await;
    let shop = bench.application("shop").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    let told = bench.store(&config, &"x".repeat(1_025), &[]).await;
    let message = "All hosted configuration versions together have at most 1 KB.".to_owned();
    assert_eq!(told.refusal(), (402, "ServiceQuotaExceededException", message));
}

#[tokio::test]
async fn a_list_is_newest_first_and_can_be_narrowed_to_labels() {
    let (bench, shop, config) = bench().await;
    for label in ["v1.0", "v1.1", "v2.0", "*"] {
        bench.store(&config, "x", &[("versionlabel", label), ("description", "d")]).await.succeeded();
    }
    bench.store(&config, "x", &[]).await.succeeded();
    let list = async |query: &str| -> Vec<u64> {
        let told = bench.get(&format!("{config}/hostedconfigurationversions?{query}")).await.ok();
        told["Items"].as_array().unwrap().iter().map(|item| item["VersionNumber"].as_u64().unwrap()).collect()
    };
    assert_eq!(list("").await, [5, 4, 3, 2, 1]);
    assert_eq!(list("version_label=v1.0").await, [1]);
    assert_eq!(list("version_label=v1.*").await, [2, 1]);
    assert_eq!(list("version_label=*").await, [4, 3, 2, 1], "all that are labelled");
    assert_eq!(list("version_label=v").await, [0; 0]);
    let told = bench.get(&format!("{config}/hostedconfigurationversions?version_label=v1.0")).await.ok();
    assert_eq!(
        told["Items"][0],
        json!({
            "ApplicationId": last(&shop), "ConfigurationProfileId": last(&config), "VersionNumber": 1,
            "Description": "d", "ContentType": "application/json", "VersionLabel": "v1.0",
        })
    );
}

#[tokio::test]
async fn flag_documents_are_normalised_and_the_same_document_makes_no_new_version() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let flags = bench.profile(&shop, "flags", "AWS.AppConfig.FeatureFlags").await;
    let created = bench.store(&flags, FLAGS, &[]).await;
    let stored: Value = created.json();
    assert_eq!(stored["flags"]["dark"]["_createdAt"], "2026-09-28T12:00:00Z");
    assert_eq!(created.header("version-number"), Some("1"));
    let again = bench.store(&flags, FLAGS, &[]).await;
    assert_eq!((again.header("version-number"), &again.body), (Some("1"), &created.body));
}

#[tokio::test]
async fn a_wrong_flag_document_is_told_with_every_violation_and_its_place() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let flags = bench.profile(&shop, "flags", "AWS.AppConfig.FeatureFlags").await;
    let told = bench.store(&flags, "{\n  \"version\": \"2\",\n  \"flags\": {}\n}", &[]).await;
    assert_eq!(
        told.bad_request(),
        "Error invoking extension AppConfig Feature Flags Helper: Invalid 'Content' data"
    );
    let body = told.json();
    assert_eq!(body["Reason"], "InvalidConfiguration");
    assert_eq!(
        body["Details"]["InvalidConfiguration"][0],
        json!({
            "Constraint": "OneOf(1)", "Location": "version", "Type": "NotSatisfied", "Value": "2",
            "Pointer": "/version", "Line": 2, "Column": 14,
        })
    );
    let told = bench.store(&flags, "{\n  \"version\": }", &[]).await;
    assert_eq!(
        told.bad_request(),
        "Error invoking extension AppConfig Feature Flags Helper: Malformed 'Content' provided"
    );
    let body = told.json();
    assert_eq!(body["Reason"], "InvalidConfiguration");
    assert_eq!(body["Details"]["InvalidConfiguration"][0]["Line"], 2);
    let path = format!("{flags}/hostedconfigurationversions");
    let yaml = [("content-type", "application/x-yaml")];
    let told = bench.send(Method::Post, &path, &yaml, Bytes::from_static(FLAGS.as_bytes())).await;
    assert_eq!(
        told.bad_request(),
        "The content of a feature flag configuration profile must have the content type application/json, \
         not application/x-yaml."
    );
}

//! Configuration profiles.

use super::*;

const LAMBDA: &str = "arn:aws:lambda:us-east-1:123456789012:function:check";

async fn create(bench: &Bench, application: &str, members: Value) -> Told {
    let mut body = json!({"Name": "config", "LocationUri": "hosted"});
    for (member, value) in members.as_object().unwrap() {
        body[member] = value.clone();
    }
    bench.post(&format!("{application}/configurationprofiles"), body).await
}

#[tokio::test]
async fn a_profile_is_created_read_updated_and_deleted() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let list = format!("{shop}/configurationprofiles");
    let schema = json!([{"Type": "JSON_SCHEMA", "Content": "{not json"}]);
    let created = create(&bench, &shop, json!({"Description": "what", "Validators": schema})).await;
    let (app, id) = (last(&shop), id(&created));
    let mut expected = json!({
        "ApplicationId": app, "Id": id, "Name": "config", "Description": "what", "LocationUri": "hosted",
        "Validators": schema, "Type": "AWS.Freeform",
    });
    assert_eq!((created.status, created.json()), (201, expected.clone()));
    let path = format!("{list}/{id}");
    assert_eq!(bench.get(&path).await.ok(), expected);
    assert_eq!(
        bench.get(&list).await.ok(),
        json!({"Items": [{
            "ApplicationId": app, "Id": id, "Name": "config", "LocationUri": "hosted",
            "ValidatorTypes": ["JSON_SCHEMA"], "Type": "AWS.Freeform",
        }]})
    );
    expected["Name"] = "settings".into();
    let told = bench.patch(&path, json!({"Name": "settings", "KmsKeyIdentifier": ""})).await.ok();
    assert_eq!(told, expected, "what is not sent stays; taking away a key that is not there is fine");
    let told = bench.patch(&path, json!({"Validators": [], "Description": ""})).await.ok();
    assert_eq!((told.get("Validators"), &told["Description"]), (None, &json!("")));
    assert_eq!(bench.get(&path).await.ok().get("Description"), None);
    assert_eq!(bench.delete(&path).await.status, 204);
    assert_eq!(
        bench.get(&path).await.not_found(),
        format!(
            "Configuration Profile with Application Id {app} and Configuration Profile Id {id} \
             could not be found for account {ACCOUNT}."
        )
    );
}

#[tokio::test]
async fn a_name_is_taken_once_in_an_application() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    let other = bench.profile(&shop, "other", "AWS.Freeform").await;
    let taken = format!(
        "ConfigurationProfile with name config already exists with id {} in application {} account {ACCOUNT}",
        last(&config),
        last(&shop)
    );
    assert_eq!(create(&bench, &shop, json!({})).await.bad_request(), taken);
    assert_eq!(bench.patch(&other, json!({"Name": "config"})).await.bad_request(), taken);
}

#[tokio::test]
async fn an_unknown_type_is_not_found() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let told = create(&bench, &shop, json!({"Type": "AWS.Other"})).await;
    assert_eq!(told.not_found(), "Invalid type, must be one of: AWS.Freeform, AWS.AppConfig.FeatureFlags");
    assert_eq!(told.json()["ResourceName"], "ConfigurationProfileType");
    assert_eq!(
        create(&bench, &shop, json!({"Type": "a b"})).await.bad_request(),
        one_violation("'a b'", "type", r"Member must satisfy regular expression pattern: ^[a-zA-Z0-9\.\-]+")
    );
}

#[tokio::test]
async fn a_list_can_be_narrowed_to_a_type() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    bench.profile(&shop, "config", "AWS.Freeform").await;
    bench.profile(&shop, "flags", "AWS.AppConfig.FeatureFlags").await;
    let list = async |query: &str| bench.get(&format!("{shop}/configurationprofiles{query}")).await.ok();
    assert_eq!(names(&list("").await), ["config", "flags"]);
    assert_eq!(names(&list("?type=AWS.AppConfig.FeatureFlags").await), ["flags"]);
    assert_eq!(names(&list("?type=AWS.AppConfig").await), [""; 0], "exactly this type");
}

#[tokio::test]
async fn only_the_hosted_store_is_served_and_others_are_told_apart() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let flags = "AWS.AppConfig.FeatureFlags";
    let own = "Yardarm stores configuration itself: the only supported LocationUri is hosted, not";
    let parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/x";
    for (members, message) in [
        (json!({"LocationUri": "s3://bucket/key"}), format!("{own} s3://bucket/key.")),
        (json!({"LocationUri": parameter}), format!("{own} {parameter}.")),
        (json!({"LocationUri": "s3://bucket"}), "Invalid locationUri s3://bucket".into()),
        (json!({"LocationUri": "ftp://x"}), "The Uri: ftp://x is of an unsupported type".into()),
        (
            json!({"LocationUri": "ssm-parameter://x", "Type": flags}),
            format!("ConfigurationProfiles of type '{flags}' can only have a locationUri of 'hosted'"),
        ),
        (
            json!({"LocationUri": "ssm-document://x", "KmsKeyIdentifier": "alias/key"}),
            "KmsKeyIdentifier applies only to AppConfig hosted configuration data. For non-hosted configuration \
             sources, configure encryption in the corresponding service."
                .into(),
        ),
    ] {
        assert_eq!(create(&bench, &shop, members.clone()).await.bad_request(), message, "{members}");
    }
    let body = json!({"Name": "config"});
    let told = bench.post(&format!("{shop}/configurationprofiles"), body).await;
    assert_eq!(told.bad_request(), one_violation("null", "locationUri", NOT_NULL));
}

#[tokio::test]
async fn a_role_or_a_key_would_be_a_promise_that_is_not_kept() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let config = bench.profile(&shop, "other", "AWS.Freeform").await;
    let role = "arn:aws:iam::123456789012:role/reader";
    let unwanted = one_violation(
        role,
        "retrievalRoleArn",
        "Member must be null if the request has the following uri: hosted",
    );
    let members = json!({"RetrievalRoleArn": role});
    assert_eq!(create(&bench, &shop, members.clone()).await.bad_request(), unwanted);
    assert_eq!(bench.patch(&config, members).await.bad_request(), unwanted);
    let members = json!({"KmsKeyIdentifier": "alias/key"});
    let told = "Yardarm does not use AWS KMS: KmsKeyIdentifier is not supported.";
    assert_eq!(create(&bench, &shop, members.clone()).await.bad_request(), told);
    assert_eq!(bench.patch(&config, members).await.bad_request(), told);
    assert_eq!(
        create(&bench, &shop, json!({"KmsKeyIdentifier": ""})).await.bad_request(),
        one_violation("''", "kmsKeyIdentifier", "Member must have length greater than or equal to 1")
    );
}

#[tokio::test]
async fn validators_are_schemas_or_functions() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let functions = json!([{"Type": "LAMBDA", "Content": LAMBDA}, {"Type": "LAMBDA", "Content": "https://check.example/"}]);
    let made = create(&bench, &shop, json!({"Name": "functions", "Validators": functions})).await.ok();
    assert_eq!(made["Validators"], functions);
    let ask = async |validators: Value| {
        create(&bench, &shop, json!({"Validators": validators})).await.bad_request()
    };
    assert_eq!(
        ask(json!([{"Type": "LAMBDA", "Content": "check"}])).await,
        "ARN check is invalid due to not containing an account ID."
    );
    assert_eq!(
        ask(json!([{"Type": "XSD", "Content": ""}])).await,
        one_violation(
            "'XSD'",
            "validators.1.member.type",
            "Member must satisfy enum value set: [JSON_SCHEMA, LAMBDA]"
        )
    );
    assert_eq!(
        ask(json!([{"Type": "JSON_SCHEMA"}])).await,
        one_violation("null", "validators.1.member.content", NOT_NULL)
    );
    let long = ask(json!([{"Type": "JSON_SCHEMA", "Content": "x".repeat(32_769)}])).await;
    assert!(long.ends_with("Member must have length less than or equal to 32768"), "{long}");
    assert!(long.len() < 2_000, "what is shown is cut short");
    let schema = json!({"Type": "JSON_SCHEMA", "Content": "{}"});
    assert_eq!(
        ask(json!([schema, schema, schema])).await,
        "1 validation error detected: Value at 'validators' failed to satisfy constraint: \
         Member must have length less than or equal to 2"
    );
}

#[tokio::test]
async fn a_profile_with_versions_is_not_deleted() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    bench.store(&config, "{}", &[]).await.ok();
    assert_eq!(
        bench.delete(&config).await.bad_request(),
        format!(
            "Cannot delete configuration profile {} because there are still hosted configuration versions \
             existing under it.",
            last(&config)
        )
    );
}

#[tokio::test]
async fn validation_is_asked_for_by_number_or_label() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let schema = r#"{"type":"object","properties":{"count":{"minimum":1}}}"#;
    let created =
        create(&bench, &shop, json!({"Validators": [{"Type": "JSON_SCHEMA", "Content": schema}]})).await;
    let config = format!("{shop}/configurationprofiles/{}", id(&created));
    bench.store(&config, r#"{"count":1}"#, &[("versionlabel", "good")]).await.ok();
    bench.store(&config, r#"{"count":0}"#, &[("versionlabel", "bad")]).await.ok();
    let ask = async |version: &str| {
        bench.post(&format!("{config}/validators?configuration_version={version}"), json!({})).await
    };
    for version in ["1", "good"] {
        let told = ask(version).await;
        assert_eq!((told.status, told.ok()), (204, Value::Null));
    }
    for version in ["2", "bad"] {
        let told = ask(version).await;
        let message = told.bad_request();
        let beginning = format!(
            "Could not build JSON schema from invalid input:\n {schema}.\n Original error message:\n"
        );
        assert!(message.starts_with(&beginning), "{message}");
        assert!(message.contains("/count"), "{message}");
        let body = told.json();
        assert_eq!(body["Reason"], "InvalidConfiguration");
        let detail = &body["Details"]["InvalidConfiguration"][0];
        assert_eq!((&detail["Constraint"], &detail["Pointer"]), (&json!("minimum"), &json!("/count")));
        assert_eq!(
            (&detail["Line"], &detail["Column"], &detail["Value"]),
            (&json!(1), &json!(10), &json!("0"))
        );
    }
    assert_eq!(ask("3").await.not_found(), "Could not find configuration config with version number 3");
    assert_eq!(ask("best").await.not_found(), "Could not find configuration config with version label best");
    let told = bench.post(&format!("{config}/validators"), json!({})).await;
    assert_eq!(told.bad_request(), one_violation("null", "configurationVersion", NOT_NULL));
}

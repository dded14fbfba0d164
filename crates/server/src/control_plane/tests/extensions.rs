//! Extensions and their associations.

use super::*;
use yardarm_node::{ActionAnswer, RefusalDetail};
use yardarm_testkit::ScriptedOutside;

const ARN: &str = "arn:aws:appconfig:us-east-1:123456789012";

fn action() -> Value {
    json!([{"Name": "tell", "Uri": "https://chat.example/hook"}])
}

fn chat() -> Value {
    json!({
        "Name": "chat", "Description": "Tells a channel",
        "Actions": {"ON_DEPLOYMENT_START": action()},
        "Parameters": {"channel": {"Required": true}, "mention": {"Dynamic": true, "Description": "Whom"}},
        "Tags": {"team": "platform"},
    })
}

impl Bench {
    async fn create(&self, body: Value, latest: Option<&str>) -> Told {
        let headers: Vec<_> = latest.map(|number| ("latest-version-number", number)).into_iter().collect();
        self.send(Method::Post, "/extensions", &headers, body.to_string().into()).await
    }

    async fn associate(&self, extension: &str, resource: &str, parameters: Value) -> Told {
        let resource = resource.trim_start_matches("/applications/").replace("environments", "environment");
        let resource = resource.replace("configurationprofiles", "configurationprofile");
        let body = json!({
            "ExtensionIdentifier": extension, "Parameters": parameters,
            "ResourceIdentifier": format!("{ARN}:application/{resource}"),
        });
        self.post("/extensionassociations", body).await
    }

    fn outside(
        &self,
        script: impl FnMut(&yardarm_testkit::Asked) -> Result<ActionAnswer, yardarm_node::NoAnswer>
        + Send
        + 'static,
    ) -> ScriptedOutside {
        let outside = ScriptedOutside::new(script);
        self.kit.node.call_outside(Arc::new(outside.clone()), yardarm_domain::RetryPolicy::default());
        outside
    }
}

#[tokio::test]
async fn an_extension_is_created_read_changed_and_deleted() {
    let bench = Bench::start().await;
    let created = bench.create(chat(), None).await;
    let id = id(&created);
    assert_eq!(created.status, 201);
    let expected = json!({
        "Id": id, "Name": "chat", "VersionNumber": 1, "Arn": format!("{ARN}:extension/{id}/1"),
        "Description": "Tells a channel",
        "Actions": {"ON_DEPLOYMENT_START": action()},
        "Parameters": {
            "channel": {"Required": true, "Dynamic": false},
            "mention": {"Description": "Whom", "Required": false, "Dynamic": true},
        },
    });
    assert_eq!(created.json(), expected);
    let arn = format!("{ARN}:extension/{id}/1").replace(':', "%3A").replace('/', "%2F");
    for path in [&id, "chat", &arn] {
        assert_eq!(bench.get(&format!("/extensions/{path}")).await.ok(), expected, "{path}");
    }
    let tags = bench.get(&format!("/tags/{arn}")).await.ok();
    assert_eq!(tags, json!({"Tags": {"team": "platform"}}));
    let actions = json!({"AT_DEPLOYMENT_TICK": action()});
    let changed = bench.patch("/extensions/chat", json!({"Description": "", "Actions": actions})).await.ok();
    assert_eq!((&changed["Description"], &changed["VersionNumber"]), (&json!(""), &json!(1)));
    assert_eq!(changed["Actions"], actions);
    assert_eq!(changed["Parameters"], expected["Parameters"], "what is not sent stays");
    assert_eq!(bench.delete("/extensions/chat").await.status, 204);
    let gone = "Extension could not be found for account 123456789012.";
    assert_eq!(bench.get(&format!("/extensions/{id}")).await.not_found(), gone);
    assert_eq!(bench.create(chat(), None).await.ok()["VersionNumber"], 1, "the name is free");
}

#[tokio::test]
async fn a_new_version_needs_the_number_of_the_latest_one() {
    let bench = Bench::start().await;
    let first = bench.create(chat(), None).await.ok();
    assert_eq!(bench.create(chat(), None).await.ok(), first, "the very same is no new version");
    let mut other = chat();
    other["Description"] = "Tells another".into();
    assert_eq!(
        bench.create(other.clone(), None).await.bad_request(),
        "LatestVersionNumber not populated and an extension with name chat already exists."
    );
    assert_eq!(
        bench.create(other.clone(), Some("7")).await.conflict(),
        "LatestVersionNumber supplied in request 7 does not match latest version 1."
    );
    let second = bench.create(other, Some("1")).await.ok();
    assert_eq!((&second["Id"], &second["VersionNumber"]), (&first["Id"], &json!(2)));
    assert_eq!(bench.get("/extensions/chat?version_number=1").await.ok(), first);
    assert_eq!(bench.get("/extensions/chat").await.ok(), second);
    let arn = first["Arn"].as_str().unwrap();
    assert_eq!(
        bench.get(&format!("/extensions/{}?version_number=2", arn.replace('/', "%2F"))).await.bad_request(),
        format!(
            "Version number in ExtensionIdentifier ARN {arn} does not match request ExtensionVersionNumber 1."
        )
    );
    let list = bench.get("/extensions?name=chat").await.ok();
    assert_eq!(list["Items"].as_array().unwrap().len(), 1);
    assert_eq!(list["Items"][0]["VersionNumber"], 2);
    assert_eq!(bench.get("/extensions?name=cha").await.ok()["Items"], json!([]));
    assert_eq!(bench.delete("/extensions/chat").await.status, 204);
    assert_eq!(bench.get("/extensions/chat").await.ok(), first, "only the highest was deleted");
    assert_eq!(bench.delete("/extensions/chat?version=1").await.status, 204);
}

#[tokio::test]
async fn what_cannot_be_an_extension_is_told_at_once() {
    let bench = Bench::start().await;
    assert_eq!(
        bench.create(json!({"Name": "x", "Actions": {}}), None).await.bad_request(),
        one_violation("'{}'", "actions", "Member must have length greater than or equal to 1")
    );
    let all = bench.create(json!({}), None).await.bad_request();
    assert!(all.starts_with("2 validation errors detected"), "{all}");
    let wrong = json!({
        "Name": "a/b",
        "Actions": {"ON_DEPLOYMENT_START": [{"Uri": "ftp://x"}], "NEVER": action(), "ON_DEPLOYMENT_STEP": []},
        "Parameters": {"a:b": {}},
    });
    let told = bench.create(wrong, None).await.bad_request();
    assert!(told.starts_with("6 validation errors detected"), "{told}");
    let mut both = chat();
    both["Parameters"]["channel"]["Dynamic"] = true.into();
    assert_eq!(
        bench.create(both, None).await.bad_request(),
        "Extension parameters channel can not be both required and dynamic"
    );
    let topic = json!([{"Name": "tell", "Uri": "arn:aws:sns:us-east-1:123456789012:topic"}]);
    let told = bench.create(json!({"Name": "x", "Actions": {"AT_DEPLOYMENT_TICK": topic}}), None).await;
    assert!(told.bad_request().contains("only ON_* actions can use it"));
    bench.create(json!({"Name": "x", "Actions": {"ON_DEPLOYMENT_STEP": topic}}), None).await.ok();
    assert!(
        bench
            .create(json!({"Name": "AWS.mine", "Actions": {"ON_DEPLOYMENT_STEP": topic}}), None)
            .await
            .status
            == 400
    );
    let known = bench.get("/extensions/AWS.AppConfig.Jira").await.not_found();
    assert!(known.contains("Yardarm has no AWS authored extension AWS.AppConfig.Jira"), "{known}");
}

#[tokio::test]
async fn an_association_holds_one_version_and_its_parameters() {
    let bench = Bench::start().await;
    let extension = id(&bench.create(chat(), None).await);
    let shop = bench.application("shop").await;
    assert_eq!(
        bench.associate("chat", &shop, json!({})).await.bad_request(),
        "Extension chat version 1 has required parameters, but no parameters have been supplied"
    );
    assert_eq!(
        bench.associate("chat", &shop, json!({"mention": "me"})).await.bad_request(),
        format!(
            "Parameter channel  is required for extension {extension} version 1, but a value has not been supplied."
        )
    );
    assert!(
        bench
            .associate("chat", &shop, json!({"channel": "a", "x": "b"}))
            .await
            .bad_request()
            .contains("no parameter x")
    );
    let made = bench.associate("chat", &shop, json!({"channel": "#a"})).await;
    assert_eq!(made.status, 201);
    let association = id(&made);
    let expected = json!({
        "Id": association, "ExtensionArn": format!("{ARN}:extension/{extension}/1"),
        "ResourceArn": format!("{ARN}:application/{}", last(&shop)),
        "Arn": format!("{ARN}:extensionassociation/{association}"),
        "Parameters": {"channel": "#a"}, "ExtensionVersionNumber": 1,
    });
    assert_eq!(made.json(), expected);
    let path = format!("/extensionassociations/{association}");
    assert_eq!(bench.get(&path).await.ok(), expected);
    let mut second = chat();
    second["Description"] = "2".into();
    bench.create(second, Some("1")).await.ok();
    let changed = bench.patch(&path, json!({"Parameters": {"channel": "#b"}})).await.ok();
    assert_eq!(
        (&changed["Parameters"]["channel"], &changed["ExtensionVersionNumber"]),
        (&json!("#b"), &json!(1))
    );
    assert_eq!(bench.patch(&path, json!({"Parameters": {}})).await.status, 400);
    let twin = id(&bench.associate(&extension, &shop, json!({"channel": "#a"})).await);
    assert_ne!(twin, association, "the same may be associated twice");
    assert_eq!(
        bench.delete("/extensions/chat?version=1").await.bad_request(),
        format!(
            "Cannot delete extension {extension}, version 1, for account 123456789012, as there are 1 associations of \
             the extension still existing."
        )
    );
    assert_eq!(bench.delete(&path).await.status, 204);
    bench.get(&path).await.not_found();
}

#[tokio::test]
async fn associations_are_listed_by_what_they_are_of() {
    let bench = Bench::start().await;
    bench.create(chat(), None).await.ok();
    let other = json!({"Name": "other", "Actions": {"ON_DEPLOYMENT_STEP": action()}});
    bench.create(other, None).await.ok();
    let shop = bench.application("shop").await;
    let prod = bench.environment(&shop, "prod").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    let mut made = vec![];
    for resource in [&shop, &prod, &config] {
        made.push(id(&bench.associate("chat", resource, json!({"channel": "a"})).await));
    }
    made.push(id(&bench.associate("other", &shop, json!({})).await));
    let ids = async |query: &str| -> Vec<String> {
        let list = bench.get(&format!("/extensionassociations?{query}")).await.ok();
        list["Items"].as_array().unwrap().iter().map(|item| item["Id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("").await, made);
    let app = format!("{ARN}:application/{}", last(&shop));
    assert_eq!(ids(&format!("resource_identifier={app}")).await, [made[0].clone(), made[3].clone()]);
    assert_eq!(ids("extension_identifier=other").await, [made[3].clone()]);
    assert_eq!(ids("extension_identifier=chat&extension_version_number=2").await, Vec::<String>::new());
    assert_eq!(ids("extension_identifier=none").await, Vec::<String>::new());
    assert_eq!(ids("max_results=2").await, made[..2]);
    for (path, noun) in [(&config, "configuration profile"), (&prod, "environment"), (&shop, "application")] {
        let told = bench.delete(path).await.bad_request();
        assert!(told.starts_with(&format!("Cannot delete {noun} {ARN}:application/")), "{told}");
        let end = format!("Please remove the extension associations to this {noun} first.");
        assert!(told.ends_with(&end), "{told}");
    }
    let strategy = json!({"ExtensionIdentifier": "other", "ResourceIdentifier": format!("{ARN}:deploymentstrategy/abcdefg")});
    assert!(bench.post("/extensionassociations", strategy).await.bad_request().contains("not with"));
}

#[tokio::test]
async fn a_refusal_of_an_extension_is_told_with_its_details() {
    let bench = Bench::start().await;
    bench.outside(|_| {
        let detail =
            RefusalDetail { kind: Some("T".into()), name: Some("a.b".into()), reason: Some("bad".into()) };
        Ok(ActionAnswer::Refuse { message: "Not on Fridays".into(), details: vec![detail] })
    });
    bench
        .create(
            json!({"Name": "friday", "Actions": {"PRE_CREATE_HOSTED_CONFIGURATION_VERSION": action()}}),
            None,
        )
        .await
        .ok();
    let shop = bench.application("shop").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    bench.associate("friday", &config, json!({})).await.ok();
    let told = bench.store(&config, "{}", &[]).await;
    assert_eq!(told.bad_request(), "Error invoking extension friday: Not on Fridays");
    let body = told.json();
    assert_eq!(body["Reason"], "InvalidConfiguration");
    assert_eq!(
        body["Details"]["InvalidConfiguration"],
        json!([{"Type": "T", "Location": "a.b", "Reason": "bad"}])
    );
}

#[tokio::test]
async fn what_ran_stands_in_the_deployments_event_log() {
    let bench = Bench::start().await;
    bench.outside(|asked| match asked.point {
        Some(yardarm_domain::ActionPoint::PreStartDeployment) => Ok(ActionAnswer::GoOn),
        _ => Err(ScriptedOutside::failure("Boom", false)),
    });
    let both = json!({"PRE_START_DEPLOYMENT": action(), "ON_DEPLOYMENT_START": action()});
    let extension = id(&bench.create(json!({"Name": "both", "Actions": both}), None).await);
    let shop = bench.application("shop").await;
    let prod = bench.environment(&shop, "prod").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    bench.store(&config, "{}", &[]).await.succeeded();
    let association = id(&bench.associate("both", &prod, json!({})).await);
    let started = bench.deploy(&prod, &config, "1", "AppConfig.AllAtOnce").await.ok();
    let applied = json!([{
        "ExtensionId": extension, "ExtensionAssociationId": association, "VersionNumber": 1, "Parameters": {},
    }]);
    assert_eq!(started["AppliedExtensions"], applied);
    bench.until(|world| !world.undelivered().is_empty()).await;
    let log = bench.get(&format!("{prod}/deployments/1")).await.ok()["EventLog"].clone();
    let ran = log.as_array().unwrap().last().unwrap()["ActionInvocations"].clone();
    assert_eq!(ran.as_array().unwrap().len(), 2);
    assert_eq!(
        (&ran[0]["ActionName"], &ran[0]["Uri"]),
        (&json!("tell"), &json!("https://chat.example/hook"))
    );
    assert_eq!((&ran[1]["ErrorCode"], &ran[1]["ErrorMessage"]), (&json!("Boom"), &json!("Boom happened")));
    assert_eq!(ran[1]["ExtensionIdentifier"], extension);
}

#[tokio::test]
async fn a_quota_counts_versions_and_one_associations() {
    let bench = Bench::with(
        |config| {
            config.quotas.extensions = 1;
            config.quotas.extension_associations = 1;
        },
        ServerSettings::default(),
    )
    .await;
    bench.create(chat(), None).await.ok();
    let mut second = chat();
    second["Description"] = "2".into();
    assert_eq!(bench.create(second, Some("1")).await.refusal().0, 402);
    let shop = bench.application("shop").await;
    bench.associate("chat", &shop, json!({"channel": "a"})).await.ok();
    assert_eq!(bench.associate("chat", &shop, json!({"channel": "a"})).await.refusal().0, 402);
}

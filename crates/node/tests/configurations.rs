//! Storing versions and deploying them: what must look at the bytes before a command can be decided.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::SignedDuration;
use serde_json::Value;
use yardarm_domain::{ProfileType, Refusal, Validator, VersionNumber};
use yardarm_node::{ConfigurationRefused, Error};
use yardarm_testkit::{Shop, TestNode, cause};

const ON: &str = r#"{"version":"1","flags":{"a":{"name":"A"}},"values":{"a":{"enabled":true}}}"#;
const OFF: &str = r#"{"version":"1","flags":{"a":{"name":"A"}},"values":{"a":{"enabled":false}}}"#;

async fn open(kind: ProfileType, validators: Vec<Validator>) -> (TestNode, Shop) {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, kind, validators).await.unwrap();
    (test, shop)
}

async fn stored(shop: &Shop, content: &str) -> Value {
    let stored = shop.node.store_configuration(shop.version(content, None), cause()).await.unwrap();
    assert_eq!(shop.node.content(stored.version.content.hash).await.unwrap(), stored.content);
    serde_json::from_slice(&stored.content).unwrap()
}

#[tokio::test]
async fn a_flag_document_is_stamped_and_what_did_not_change_keeps_its_stamps() {
    let (test, shop) = open(ProfileType::FeatureFlags, vec![]).await;
    let first = stored(&shop, ON).await;
    test.clock.advance(SignedDuration::from_hours(1));
    let two = r#"{"version":"1","flags":{"a":{"name":"A"},"b":{"name":"B"}},
        "values":{"a":{"enabled":false},"b":{"enabled":true}}}"#;
    let second = stored(&shop, two).await;
    assert_eq!(first["flags"]["a"]["_createdAt"], "2026-09-28T12:00:00Z");
    assert_eq!(second["flags"]["a"]["_createdAt"], first["flags"]["a"]["_createdAt"]);
    assert_eq!(second["flags"]["b"]["_createdAt"], "2026-09-28T13:00:00Z");
    assert_eq!(second["values"]["a"]["_updatedAt"], "2026-09-28T13:00:00Z");
}

#[tokio::test]
async fn a_flag_document_that_changes_nothing_is_the_version_before() {
    let (test, shop) = open(ProfileType::FeatureFlags, vec![]).await;
    assert_eq!(shop.store(ON, None).await.unwrap(), VersionNumber(1));
    test.clock.advance(SignedDuration::from_hours(1));
    let seq = test.node.view().seq;
    assert_eq!(shop.store(ON, None).await.unwrap(), VersionNumber(1));
    assert_eq!(test.node.view().seq, seq, "nothing was recorded");
    assert_eq!(shop.store(OFF, None).await.unwrap(), VersionNumber(2));
    assert_eq!(shop.store(ON, None).await.unwrap(), VersionNumber(3));
}

#[tokio::test]
async fn free_form_bytes_are_stored_as_given_and_anew_each_time() {
    let (test, shop) = open(ProfileType::Freeform, vec![]).await;
    assert_eq!(shop.store("{ }", None).await.unwrap(), VersionNumber(1));
    assert_eq!(shop.store("{ }", None).await.unwrap(), VersionNumber(2));
    let profile = test.node.view();
    let profile = profile.world.profile(&shop.application, &shop.profile).unwrap();
    assert_eq!(test.node.content(profile.newest().unwrap().content.hash).await.unwrap(), "{ }");
}

#[tokio::test]
async fn flag_documents_stored_at_the_same_time_are_each_stamped_against_the_one_before() {
    let (test, shop) = open(ProfileType::FeatureFlags, vec![]).await;
    let mut asked = vec![];
    for n in 0..8 {
        let shop = shop.clone();
        let document = if n % 2 == 0 { ON } else { OFF };
        asked.push(tokio::spawn(async move { shop.store(document, None).await }));
    }
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
    let view = test.node.view();
    let profile = view.world.profile(&shop.application, &shop.profile).unwrap();
    let hashes: Vec<_> = profile.versions.values().map(|version| version.content).collect();
    assert!(hashes.windows(2).all(|pair| pair[0] != pair[1]), "no version repeats the one before");
    assert_eq!(profile.latest_version as usize, hashes.len());
}

#[tokio::test]
async fn what_is_no_flag_document_is_refused() {
    let (test, shop) = open(ProfileType::FeatureFlags, vec![]).await;
    let seq = test.node.view().seq;
    let refused = shop.store("{", None).await.unwrap_err();
    assert!(matches!(refused, ConfigurationRefused::FlagDocument(_)), "{refused}");
    let mut wanted = shop.version(ON, None);
    wanted.content_type = "text/plain".parse().unwrap();
    let refused = test.node.store_configuration(wanted, cause()).await.unwrap_err();
    assert!(matches!(refused, ConfigurationRefused::FlagContentType(_)), "{refused}");
    assert_eq!(test.node.view().seq, seq);
}

#[tokio::test]
async fn a_version_stored_and_deleted_in_one_append_is_still_answered() {
    let (test, shop) = open(ProfileType::Freeform, vec![]).await;
    let storing = tokio::spawn({
        let shop = shop.clone();
        async move { shop.store("short-lived", None).await }
    });
    let deleting = tokio::spawn({
        let shop = shop.clone();
        let (application, profile, version) = (shop.application, shop.profile, VersionNumber(1));
        let delete = yardarm_domain::DeleteHostedVersion { application, profile, version };
        async move { shop.node.execute(delete, cause()).await.map(|_| ()) }
    });
    assert_eq!(storing.await.unwrap().unwrap(), VersionNumber(1));
    deleting.await.unwrap().unwrap();
    assert_eq!(test.node.status().appends, 5, "both in one append, or this test tests nothing");
}

#[tokio::test]
async fn a_deployment_that_its_validators_refuse_uses_no_number() {
    let schema = r#"{"type":"object","required":["speed"]}"#;
    let (test, shop) = open(ProfileType::Freeform, vec![Validator::JsonSchema(schema.into())]).await;
    shop.store("{}", None).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    let seq = test.node.view().seq;
    let refused = shop.deploy(&at_once).await.unwrap_err();
    assert!(matches!(refused, ConfigurationRefused::Content(_)), "{refused}");
    assert_eq!(test.node.view().seq, seq, "nothing was recorded");
    shop.store(r#"{"speed":1}"#, None).await.unwrap();
    assert_eq!(shop.deploy(&at_once).await.unwrap().0, 1);
    let view = test.node.view();
    let profile = view.world.profile(&shop.application, &shop.profile).unwrap();
    assert!(test.node.validate_configuration(&shop.application, &profile.id, "1").await.is_err());
    assert!(test.node.validate_configuration(&shop.application, &profile.id, "$LATEST").await.is_ok());
}

#[tokio::test]
async fn a_schema_that_is_none_is_told_when_it_is_used() {
    let (_test, shop) = open(ProfileType::Freeform, vec![Validator::JsonSchema("{".into())]).await;
    shop.store("{}", None).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    let refused = shop.deploy(&at_once).await.unwrap_err();
    assert!(matches!(refused, ConfigurationRefused::Schema(_)), "{refused}");
}

#[tokio::test]
async fn a_version_that_does_not_exist_is_not_deployed() {
    let (_test, shop) = open(ProfileType::Freeform, vec![]).await;
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    let refused = shop.deploy(&at_once).await.unwrap_err();
    let ConfigurationRefused::Node(Error::Refused(Refusal::NotFound(_))) = refused else {
        panic!("{refused}")
    };
}

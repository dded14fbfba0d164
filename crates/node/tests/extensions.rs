//! Extensions: asked before work, while a deployment is on its way, and told of what has happened.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use yardarm_domain::{
    Action, ActionPoint, CreateExtension, CreateExtensionAssociation, DeleteExtensionAssociation,
    DeliverAgain, DeploymentNumber, DeploymentState, DynamicParameter, ExtensionAssociationId, ExtensionId,
    Parameter, ProfileType, Refusal, Resource, RetryPolicy, Tags, Validator,
};
use yardarm_node::{ActionAnswer, ConfigurationRefused, DeployConfiguration, Error, NoAnswer, RefusalDetail};
use yardarm_testkit::{Asked, ScriptedOutside, Shop, TestNode, cause, master_keys};

fn it<T: FromStr>(text: &str) -> T {
    text.parse().ok().unwrap()
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

async fn shop(kind: ProfileType, validators: Vec<Validator>) -> (TestNode, Shop) {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, kind, validators).await.unwrap();
    (test, shop)
}

fn outside(
    test: &TestNode,
    script: impl FnMut(&Asked) -> Result<ActionAnswer, NoAnswer> + Send + 'static,
) -> ScriptedOutside {
    let outside = ScriptedOutside::new(script);
    test.node.call_outside(Arc::new(outside.clone()), RetryPolicy::default());
    outside
}

/// Makes an extension with one parameter `level`, which is dynamic, and associates it with the application.
async fn extend(shop: &Shop, name: &str, points: &[ActionPoint]) -> (ExtensionId, ExtensionAssociationId) {
    let action = Action {
        name: it("act"),
        description: None,
        uri: it(&format!("https://{name}.example/")),
        role: None,
    };
    let parameter = Parameter { description: None, required: false, dynamic: true };
    let create = CreateExtension {
        name: it(name),
        description: None,
        actions: points.iter().map(|point| (*point, action.clone())).collect(),
        parameters: BTreeMap::from([(it("level"), parameter)]),
        tags: Tags::default(),
        latest_version: None,
    };
    let (extension, _) = shop.node.execute(create, cause()).await.unwrap().outcome;
    let associate = CreateExtensionAssociation {
        extension: extension.clone(),
        version: None,
        resource: Resource::Application(shop.application.clone()),
        parameters: BTreeMap::from([(it("level"), it("normal"))]),
        tags: Tags::default(),
    };
    let association = shop.node.execute(associate, cause()).await.unwrap().outcome;
    (extension, association)
}

fn refused(error: ConfigurationRefused) -> yardarm_node::ExtensionRefused {
    match error {
        ConfigurationRefused::Extension(refused) => refused,
        other => panic!("{other}"),
    }
}

fn deployment(test: &TestNode, shop: &Shop, number: DeploymentNumber) -> yardarm_domain::Deployment {
    let view = test.node.view();
    let environment = view.world.environment(&shop.application, &shop.environment).unwrap();
    environment.deployment(&shop.application, number).unwrap().as_ref().clone()
}

const VERSION: &[ActionPoint] = &[ActionPoint::PreCreateHostedConfigurationVersion];
const START: &[ActionPoint] = &[ActionPoint::PreStartDeployment];
const TICK: &[ActionPoint] = &[ActionPoint::AtDeploymentTick];
const NOTICES: &[ActionPoint] = &[
    ActionPoint::OnDeploymentStart,
    ActionPoint::OnDeploymentStep,
    ActionPoint::OnDeploymentBaking,
    ActionPoint::OnDeploymentComplete,
    ActionPoint::OnDeploymentRolledBack,
];

#[tokio::test]
async fn what_one_extension_makes_of_a_version_the_next_one_is_shown() {
    let (test, shop) = shop(ProfileType::Freeform, vec![]).await;
    let outside = outside(&test, |asked| {
        Ok(ActionAnswer::Content(format!("{}+", asked.content.clone().unwrap_or_default()).into()))
    });
    extend(&shop, "first", VERSION).await;
    extend(&shop, "second", VERSION).await;
    shop.store("a", None).await.unwrap();
    let shown: Vec<_> =
        outside.asked().into_iter().map(|asked| (asked.uri, asked.content.unwrap())).collect();
    let expected = [("https://first.example/", "a"), ("https://second.example/", "a+")]
        .map(|(u, c)| (u.into(), c.into()));
    assert_eq!(shown, expected);
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    shop.deploy(&at_once).await.unwrap();
    assert_eq!(shop.read(&test.node).unwrap(), "a++");
}

#[tokio::test]
async fn an_extension_that_refuses_or_does_not_answer_keeps_a_version_from_being_made() {
    let (test, shop) = shop(ProfileType::Freeform, vec![]).await;
    let detail = RefusalDetail { kind: None, name: Some("a".into()), reason: Some("bad".into()) };
    let mut answers = vec![
        Err(ScriptedOutside::failure("TimedOut", true)),
        Ok(ActionAnswer::Refuse { message: "no".into(), details: vec![detail.clone()] }),
    ];
    let outside = outside(&test, move |_| answers.pop().unwrap());
    extend(&shop, "check", VERSION).await;
    let no = refused(shop.store("a", None).await.unwrap_err());
    assert_eq!((&*no.extension, &*no.message, no.details, no.failure), ("check", "no", vec![detail], None));
    let silent = refused(shop.store("a", None).await.unwrap_err());
    assert_eq!(silent.failure.unwrap().code, "TimedOut");
    assert_eq!(test.node.view().world.hosted_bytes(), 0);
    // What would be refused anyway is not shown to anybody.
    let stale = yardarm_node::StoreConfiguration { latest_version: Some(7), ..shop.version("a", None) };
    assert!(test.node.store_configuration(stale, cause()).await.is_err());
    assert_eq!(outside.asked().len(), 2);
}

#[tokio::test]
async fn what_an_extension_makes_of_flags_must_be_flags() {
    let (test, shop) = shop(ProfileType::FeatureFlags, vec![]).await;
    outside(&test, |_| Ok(ActionAnswer::Content("{\"flags\":1}".into())));
    extend(&shop, "check", VERSION).await;
    let flags = r#"{"version":"1","flags":{"dark":{"name":"dark"}},"values":{"dark":{"enabled":true}}}"#;
    let error = shop.store(flags, None).await.unwrap_err();
    assert!(matches!(error, ConfigurationRefused::FlagDocument(_)), "{error}");
}

#[tokio::test]
async fn content_is_changed_for_one_deployment_and_judged_as_changed() {
    let schema = Validator::JsonSchema(r#"{"type":"object"}"#.into());
    let (test, shop) = shop(ProfileType::Freeform, vec![schema, Validator::Lambda(it(FUNCTION))]).await;
    let mut made = vec!["[]", "{\"a\":2}"];
    let outside = outside(&test, move |asked| {
        Ok(if asked.point.is_some() {
            ActionAnswer::Content(made.pop().unwrap().into())
        } else {
            ActionAnswer::GoOn
        })
    });
    extend(&shop, "change", START).await;
    shop.store("{\"a\":1}", None).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    let number = shop.deploy(&at_once).await.unwrap();
    assert_eq!(shop.read(&test.node).unwrap(), "{\"a\":2}");
    let asked = outside.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!((&*asked[1].uri, asked[1].content.as_deref()), (FUNCTION, Some("{\"a\":2}")));
    let deployed = deployment(&test, &shop, number);
    assert_eq!(deployed.invocations.len(), 1);
    assert_eq!(deployed.state(), DeploymentState::Complete);
    let error = shop.deploy(&at_once).await.unwrap_err();
    assert!(matches!(error, ConfigurationRefused::Content(_)), "{error}");
    let view = test.node.view();
    let environment = view.world.environment(&shop.application, &shop.environment).unwrap();
    assert_eq!(environment.latest_deployment(), 1, "no number is used");
}

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:check";

#[tokio::test]
async fn a_function_that_says_no_keeps_content_from_being_deployed() {
    let (test, shop) = shop(ProfileType::Freeform, vec![Validator::Lambda(it(FUNCTION))]).await;
    shop.store("a", None).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    let nobody = shop.deploy(&at_once).await.unwrap_err();
    assert!(
        matches!(&nobody, ConfigurationRefused::Function { failure, .. } if failure.code == "NotConfigured")
    );
    outside(&test, |_| Err(ScriptedOutside::failure("ValueError", true)));
    let error = shop.deploy(&at_once).await.unwrap_err();
    assert_eq!(error.to_string(), format!("validator {FUNCTION}: ValueError happened"));
    let error = test.node.validate_configuration(&shop.application, &shop.profile, "1").await.unwrap_err();
    assert!(matches!(error, ConfigurationRefused::Function { .. }));
}

#[tokio::test]
async fn dynamic_parameters_are_for_one_deployment() {
    let (test, shop) = shop(ProfileType::Freeform, vec![]).await;
    let outside = outside(&test, |_| Ok(ActionAnswer::GoOn));
    let (extension, _) = extend(&shop, "check", START).await;
    shop.store("a", None).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    let wanted = |parameter: &str, extension: Option<ExtensionId>| DeployConfiguration {
        override_alarms: None,
        confirm_within: None,
        gate: None,
        application: shop.application.clone(),
        environment: shop.environment.clone(),
        profile: shop.profile.clone(),
        version: "1".into(),
        strategy: at_once.clone(),
        description: None,
        tags: Tags::default(),
        latest_deployment_number: None,
        dynamic_parameters: vec![DynamicParameter {
            named: "check".into(),
            extension,
            parameter: it(parameter),
            value: it("loud"),
        }],
    };
    test.node.deploy(wanted("level", Some(extension.clone())), cause()).await.unwrap();
    shop.deploy(&at_once).await.unwrap();
    let told: Vec<_> = outside.asked().into_iter().flat_map(|asked| asked.parameters).collect();
    assert_eq!(told, ["level=loud", "level=normal"]);
    for (parameter, extension, why) in
        [("volume", Some(extension), "no dynamic parameter"), ("level", None, "takes no part")]
    {
        let error = test.node.deploy(wanted(parameter, extension), cause()).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn no_step_is_taken_before_extensions_were_asked_and_one_of_them_can_take_all_back() {
    let (test, shop) = shop(ProfileType::Freeform, vec![]).await;
    shop.store("a", None).await.unwrap();
    let (say, heard) = std::sync::mpsc::channel();
    let outside = outside(&test, move |_| heard.try_recv().unwrap_or(Ok(ActionAnswer::GoOn)));
    extend(&shop, "watch", TICK).await;
    let slow = shop.strategy(600, 600, 50).await.unwrap();
    let number = shop.deploy(&slow).await.unwrap();
    test.rest().await;
    assert_eq!(outside.asked().len(), 1, "asked at once");
    for _ in 0..5 {
        test.advance(MINUTE).await;
    }
    assert_eq!(deployment(&test, &shop, number).exposure().parts_per_million(), 500_000);
    let asked = outside.asked().len();
    assert!(asked >= 6, "asked every minute and after the step: {asked}");
    say.send(Ok(ActionAnswer::RollBack(Some("Too many errors".into())))).unwrap();
    test.advance(MINUTE).await;
    let back = deployment(&test, &shop, number);
    assert_eq!(back.state(), DeploymentState::RolledBack);
    assert_eq!(back.rolled_back_because.unwrap().as_str(), "Too many errors");
    let now = outside.asked().len();
    test.advance(MINUTE).await;
    assert_eq!(outside.asked().len(), now, "nobody is asked about what is over");
}

#[tokio::test]
async fn an_extension_that_cannot_answer_a_tick_takes_all_back_and_one_that_cannot_be_reached_starts_nothing()
{
    let (test, shop) = shop(ProfileType::Freeform, vec![]).await;
    shop.store("a", None).await.unwrap();
    outside(&test, |_| Err(ScriptedOutside::failure("TimedOut", true)));
    let (_, association) = extend(&shop, "watch", TICK).await;
    let slow = shop.strategy(600, 600, 50).await.unwrap();
    let number = shop.deploy(&slow).await.unwrap();
    test.rest().await;
    let back = deployment(&test, &shop, number);
    assert_eq!(back.state(), DeploymentState::RolledBack);
    assert_eq!(back.invocations[0].invocation.failure.as_ref().unwrap().code, "TimedOut");
    test.node.execute(DeleteExtensionAssociation { association }, cause()).await.unwrap();
    let action = Action { name: it("act"), description: None, uri: it(FUNCTION), role: None };
    let create = CreateExtension {
        name: it("unmapped"),
        description: None,
        actions: BTreeMap::from([(ActionPoint::AtDeploymentTick, action)]),
        parameters: BTreeMap::new(),
        tags: Tags::default(),
        latest_version: None,
    };
    let (extension, _) = test.node.execute(create, cause()).await.unwrap().outcome;
    let associate = CreateExtensionAssociation {
        extension,
        version: None,
        resource: Resource::Environment(shop.application.clone(), shop.environment.clone()),
        parameters: BTreeMap::new(),
        tags: Tags::default(),
    };
    test.node.execute(associate, cause()).await.unwrap();
    let error = refused(shop.deploy(&slow).await.unwrap_err());
    assert_eq!(error.failure.unwrap().code, "TargetNotConfigured");
}

#[tokio::test]
async fn extensions_are_told_of_every_turn_in_order_with_ids_of_their_own() {
    let (test, shop) = shop(ProfileType::Freeform, vec![]).await;
    let outside = outside(&test, |_| Ok(ActionAnswer::GoOn));
    extend(&shop, "chat", NOTICES).await;
    shop.store("a", None).await.unwrap();
    let slow = shop.strategy(120, 60, 50).await.unwrap();
    let number = shop.deploy(&slow).await.unwrap();
    for _ in 0..4 {
        test.advance(MINUTE).await;
    }
    let points: Vec<_> = outside.asked().iter().map(|asked| asked.point.unwrap()).collect();
    let [start, step, baking, complete, back] = NOTICES.try_into().unwrap();
    assert_eq!(points, [start, step, step, baking, complete]);
    let ids: std::collections::BTreeSet<_> = outside.asked().into_iter().map(|asked| asked.id).collect();
    assert_eq!(ids.len(), 5);
    assert!(test.node.view().world.deliveries().is_empty());
    let logged = deployment(&test, &shop, number).invocations;
    assert_eq!(logged.iter().map(|one| one.entry).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    shop.stop(number).await.unwrap();
    test.rest().await;
    assert_eq!(outside.asked().last().unwrap().point, Some(back));
}

#[tokio::test]
async fn a_delivery_survives_a_restart_keeps_its_id_and_is_tried_until_it_is_given_up() {
    let (test, shop) = shop(ProfileType::Freeform, vec![]).await;
    let down = outside(&test, |_| Err(ScriptedOutside::failure("NoConnection", true)));
    extend(&shop, "chat", &[ActionPoint::OnDeploymentStart]).await;
    shop.store("a", None).await.unwrap();
    let number = shop.deploy(&shop.strategy(600, 0, 100).await.unwrap()).await.unwrap();
    test.rest().await;
    test.advance(SignedDuration::from_secs(5)).await;
    let tried = down.asked();
    assert_eq!(tried.len(), 2);
    assert_eq!(tried[0].id, tried[1].id);
    let test = test.restart(master_keys()).await.unwrap();
    assert_eq!(test.node.view().world.deliveries().len(), 1);
    let mut left = 12;
    let flaky = outside(&test, move |_| {
        left -= 1;
        if left >= 0 { Err(ScriptedOutside::failure("NoConnection", true)) } else { Ok(ActionAnswer::GoOn) }
    });
    test.rest().await;
    assert_eq!(flaky.asked()[0].id, tried[0].id, "the same message");
    for _ in 0..12 {
        test.advance(SignedDuration::from_hours(1)).await;
    }
    assert_eq!(flaky.asked().len(), 12);
    let world = test.node.view().world.clone();
    assert!(world.deliveries().is_empty());
    let (id, given_up) = world.undelivered().iter().next().unwrap();
    assert_eq!((given_up.attempts, &*given_up.failure.code), (12, "NoConnection"));
    let status = test.node.status();
    assert_eq!(
        (status.delivered, status.delivery_failures, status.given_up),
        (0, 12, 1),
        "since the restart"
    );
    let failure = deployment(&test, &shop, number).invocations[0].invocation.failure.clone();
    assert_eq!(failure.unwrap().code, "NoConnection");
    test.node.execute(DeliverAgain { delivery: *id }, cause()).await.unwrap();
    test.rest().await;
    assert_eq!(flaky.asked().len(), 13);
    assert_eq!(test.node.status().delivered, 1);
    assert!(test.node.view().world.undelivered().is_empty());
    assert_eq!(deployment(&test, &shop, number).invocations[0].invocation.failure, None);
    let again = test.node.execute(DeliverAgain { delivery: *id }, cause()).await.unwrap_err();
    assert!(matches!(again, Error::Refused(Refusal::NotFound(_))));
}

#[tokio::test]
async fn what_cannot_succeed_is_not_tried_again_and_an_ended_association_is_told_nothing() {
    let (test, shop) = shop(ProfileType::Freeform, vec![]).await;
    let outside = outside(&test, |_| Err(ScriptedOutside::failure("TargetNotConfigured", false)));
    let (_, association) = extend(&shop, "chat", NOTICES).await;
    shop.store("a", None).await.unwrap();
    let number = shop.deploy(&shop.strategy(600, 0, 100).await.unwrap()).await.unwrap();
    test.rest().await;
    assert_eq!(test.node.view().world.undelivered().len(), 1);
    test.node.execute(DeleteExtensionAssociation { association }, cause()).await.unwrap();
    shop.stop(number).await.unwrap();
    test.advance(SignedDuration::from_hours(1)).await;
    assert_eq!(outside.asked().len(), 1);
    assert!(test.node.view().world.undelivered().is_empty());
}

//! Walking lists page by page.

use super::*;
use proptest::prelude::*;

/// Every page of the list at `path`, each at most `size` long; between two pages `meanwhile` happens.
async fn walk(bench: &Bench, path: &str, size: usize, mut meanwhile: impl AsyncFnMut()) -> Vec<Value> {
    let mut items = vec![];
    let mut query = format!("max_results={size}");
    loop {
        let page = bench.get(&format!("{path}?{query}")).await.ok();
        let found = page["Items"].as_array().unwrap();
        assert!(found.len() <= size, "{page}");
        items.extend(found.iter().cloned());
        let Some(token) = page.get("NextToken") else { return items };
        assert!(!found.is_empty(), "a page that leads on has entries");
        query = format!("max_results={size}&next_token={}", token.as_str().unwrap());
        meanwhile().await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_any_size_yield_everything_once_in_order(size in 1usize..=12, count in 0usize..25) {
        runtime().block_on(async {
            let bench = Bench::start().await;
            let shop = bench.application("shop").await;
            let config = bench.profile(&shop, "config", "AWS.Freeform").await;
            let prod = bench.environment(&shop, "prod").await;
            let at_once = bench.strategy(0, 0, 100.0).await;
            bench.store(&config, "0", &[]).await.succeeded();
            for n in 0..count {
                bench.profile(&shop, &format!("p{n}"), "AWS.Freeform").await;
                bench.store(&config, "x", &[]).await.succeeded();
                bench.deploy(&prod, &config, "1", &at_once).await.ok();
            }
            let profiles = walk(&bench, &format!("{shop}/configurationprofiles"), size, async || {}).await;
            let names: Vec<_> = profiles.iter().map(|item| item["Name"].as_str().unwrap().to_owned()).collect();
            let wanted: Vec<_> = std::iter::once("config".into()).chain((0..count).map(|n| format!("p{n}"))).collect();
            assert_eq!(names, wanted, "in the order of creation");
            let numbers = |items: &[Value], member: &str| -> Vec<u64> {
                items.iter().map(|item| item[member].as_u64().unwrap()).collect()
            };
            let versions = walk(&bench, &format!("{config}/hostedconfigurationversions"), size, async || {}).await;
            let all = count as u64 + 1;
            assert_eq!(numbers(&versions, "VersionNumber"), (1..=all).rev().collect::<Vec<_>>());
            let deployments = walk(&bench, &format!("{prod}/deployments"), size, async || {}).await;
            assert_eq!(numbers(&deployments, "DeploymentNumber"), (1..all).rev().collect::<Vec<_>>());
        });
    }

    // One entry is added for each page that is read, so a page must take more than one for the walk to end.
    #[test]
    fn what_is_there_throughout_is_listed_once_whatever_comes_and_goes(
        size in 2usize..6,
        fates in prop::collection::vec(any::<bool>(), 1..16),
        gone_at in 0usize..4,
    ) {
        runtime().block_on(async {
            let quota = |config: &mut NodeConfig| config.quotas.environments_per_application = 100;
            let bench = Bench::with(quota, ServerSettings::default()).await;
            let shop = bench.application("shop").await;
            let mut doomed = vec![];
            let mut staying = vec![];
            for (n, stays) in fates.iter().enumerate() {
                let path = bench.environment(&shop, &format!("e{n}")).await;
                if *stays { staying.push(last(&path).to_owned()) } else { doomed.push(path) }
            }
            let mut pages = 0;
            let list = format!("{shop}/environments");
            let items = walk(&bench, &list, size, async || {
                bench.environment(&shop, &format!("new{pages}")).await;
                if pages == gone_at {
                    for path in &doomed {
                        bench.delete(path).await.ok();
                    }
                }
                pages += 1;
            })
            .await;
            let mut ids: Vec<_> = items.iter().map(|item| item["Id"].as_str().unwrap().to_owned()).collect();
            ids.sort_unstable();
            for id in &staying {
                assert_eq!(ids.iter().filter(|listed| *listed == id).count(), 1, "{id}");
            }
            ids.dedup();
            assert_eq!(ids.len(), items.len(), "nothing is listed twice");
        });
    }
}

#[tokio::test]
async fn a_page_has_fifty_entries_unless_fewer_are_wanted() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    for _ in 0..51 {
        bench.store(&config, "x", &[]).await.succeeded();
    }
    let path = format!("{config}/hostedconfigurationversions");
    let page = bench.get(&path).await.ok();
    assert_eq!(page["Items"].as_array().unwrap().len(), 50);
    let rest = bench.get(&format!("{path}?next_token={}", page["NextToken"].as_str().unwrap())).await.ok();
    assert_eq!((rest["Items"].as_array().unwrap().len(), rest.get("NextToken")), (1, None));
    let page = bench.get(&format!("{path}?max_results=50")).await.ok();
    assert_eq!(page["Items"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn an_empty_list_has_items() {
    let bench = Bench::start().await;
    assert_eq!(bench.get("/applications").await.body, r#"{"Items":[]}"#);
}

#[tokio::test]
async fn every_list_judges_its_page_members() {
    let bench = Bench::start().await;
    let shop = bench.application("shop").await;
    let config = bench.profile(&shop, "config", "AWS.Freeform").await;
    let prod = bench.environment(&shop, "prod").await;
    for list in [
        "/applications".into(),
        format!("{shop}/environments"),
        format!("{shop}/configurationprofiles"),
        format!("{config}/hostedconfigurationversions"),
        "/deploymentstrategies".into(),
        format!("{prod}/deployments"),
    ] {
        for (sent, text) in [
            ("0", "Member must have value greater than or equal to 1"),
            ("51", "Member must have value less than or equal to 50"),
            ("x", "Member must be an integer"),
        ] {
            let told = bench.get(&format!("{list}?max_results={sent}")).await.bad_request();
            assert_eq!(told, one_violation(&format!("'{sent}'"), "maxResults", text), "{list}");
        }
        for token in ["x", "AQE", "AQEAAAAAAAAAAAA=", "AAAAAAAAAAAAAA", &"A".repeat(2_048)] {
            let told = bench.get(&format!("{list}?next_token={token}")).await.bad_request();
            assert_eq!(told, format!("Invalid nextToken parameter {token}."), "{list}");
        }
        let told = bench.get(&format!("{list}?next_token=")).await.bad_request();
        assert_eq!(
            told,
            one_violation("''", "nextToken", "Member must have length greater than or equal to 1"),
            "{list}"
        );
        let told = bench.get(&format!("{list}?next_token={}", "A".repeat(2_049))).await.bad_request();
        assert!(told.ends_with("Member must have length less than or equal to 2048"), "{told}");
    }
}

#[tokio::test]
async fn a_token_of_one_list_is_none_of_another() {
    let bench = Bench::start().await;
    bench.application("shop").await;
    bench.application("other").await;
    let page = bench.get("/applications?max_results=1").await.ok();
    let token = page["NextToken"].as_str().unwrap();
    let told = bench.get(&format!("/deploymentstrategies?next_token={token}")).await.bad_request();
    assert_eq!(told, format!("Invalid nextToken parameter {token}."));
}

#[tokio::test]
async fn own_strategies_follow_predefined_ones_across_pages() {
    let bench = Bench::start().await;
    for _ in 0..3 {
        bench.strategy(1, 0, 50.0).await;
    }
    let whole = bench.get("/deploymentstrategies").await.ok();
    for size in 1..=8 {
        let items = walk(&bench, "/deploymentstrategies", size, async || {}).await;
        assert_eq!(Value::from(items), whole["Items"], "{size}");
    }
}

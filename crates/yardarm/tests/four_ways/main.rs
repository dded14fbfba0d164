//! One flag, one caller, one version: the same answer by every way there is.
//!
//! Documents and callers are generated and asked about through an AWS session, the agent's HTTP, OFREP, and
//! OpenFeature's client in this process, against one server. What the data plane gives plain callers is the
//! default variant, so it is compared where nothing but the default is meant.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test panics")]

mod answers;
mod house;
mod ways;

use answers::{Answer, Answers, of_retrieval_form};
use house::House;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use yardarm_testkit::flag_cases::{Caller, caller, document};

/// How many documents are deployed, each an application of its own.
const DOCUMENTS: usize = 60;
/// How many callers ask about each.
const CALLERS: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_gives_the_same_answer() {
    let house = House::open().await;
    let mut runner = TestRunner::deterministic();
    let mut count = 0;
    for number in 0..DOCUMENTS {
        let content = document().new_tree(&mut runner).unwrap().current();
        // Every third one is on its way: who has a name is told both versions apart, everybody alike.
        let before = (number % 3 == 0).then(|| document().new_tree(&mut runner).unwrap().current());
        let shop = house.shop(&format!("shop-{number}"), before.as_deref(), &content).await;
        let plain = ways::aws(&house, &shop).await;
        for _ in 0..CALLERS {
            let caller = caller().new_tree(&mut runner).unwrap().current();
            let about = format!("{}\n{before:?}\n{content}\n{caller:?}", shop.name);
            count += compare(&house, &shop, shop.settled.then_some(&plain), &caller, &about).await;
        }
        shop.close().await;
    }
    house.close().await;
    assert!(count > 5_000, "only {count} cases");
}

/// Asks every way, and compares. Answers how many keys that were.
async fn compare(
    house: &House,
    shop: &house::Shop,
    plain: Option<&BTreeMap<String, serde_json::Value>>,
    caller: &Caller,
    about: &str,
) -> usize {
    let ofrep = ways::ofrep(house, shop, caller).await;
    assert_eq!(ways::openfeature(shop, caller, &ofrep).await, ofrep, "OpenFeature in process\n{about}");
    let one = caller.attributes.len() % ofrep.len().max(1);
    if let Some((key, answer)) = ofrep.iter().nth(one) {
        assert_eq!(&ways::ofrep_single(house, shop, caller, key).await, answer, "{key} alone\n{about}");
    }

    // Without a name the agent is itself an entity, and others are nobody in particular.
    if shop.settled || caller.targeting_key.is_some() {
        let agent = ways::agent(house, shop, caller).await;
        let form = of_retrieval_form(&agent, &ofrep);
        assert_eq!(form, without_reasons(&ofrep), "the agent\n{about}");
    }

    if let Some(plain) = plain {
        let form = of_retrieval_form(plain, &ofrep);
        for ((key, wanted), found) in without_reasons(&ofrep).iter().zip(form.values()) {
            let reason = ofrep[key].reason();
            // A rule has chosen, or a rule has chosen something that is off: plain callers know no rules.
            if found.variant() == wanted.variant() {
                assert_eq!(found, wanted, "{key} by an AWS session\n{about}");
            } else {
                assert!(!["STATIC", "DEFAULT"].contains(&reason), "{key} by an AWS session\n{about}");
            }
        }
    }
    ofrep.len()
}

/// Agent and AWS sessions give no reasons, and know no flag that cannot be evaluated.
fn without_reasons(answers: &Answers) -> Answers {
    let told = answers.iter().filter(|(_, answer)| matches!(answer, Answer::Told { .. }));
    told.map(|(key, answer)| (key.clone(), answer.without_reason())).collect()
}

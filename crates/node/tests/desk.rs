//! Commands handed in from many threads at once: each is answered, and none is lost when nobody waits for it.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use yardarm_domain::{ApplicationId, CreateApplication, Tags, UpdateApplication};
use yardarm_testkit::{TestNode, Trouble, cause};

const TASKS: usize = 8;
const COMMANDS: usize = 100;

async fn application(test: &TestNode) -> ApplicationId {
    let create =
        CreateApplication { name: "shop".parse().unwrap(), description: None, tags: Tags::default() };
    test.node.execute(create, cause()).await.unwrap().outcome
}

fn update(application: &ApplicationId, description: &str) -> UpdateApplication {
    let description = Some(description.parse().unwrap());
    UpdateApplication { application: application.clone(), name: None, description }
}

/// A command that is seen by nobody would leave its task waiting for ever.
async fn everybody_is_answered(trouble: Trouble) {
    let test = TestNode::start().await.unwrap();
    let application = application(&test).await;
    test.faults.set(trouble);
    let before = test.node.view().seq.0;
    let mut asking = vec![];
    for task in 0..TASKS {
        let (node, application) = (test.node.clone(), application.clone());
        asking.push(tokio::spawn(async move {
            for n in 0..COMMANDS {
                let text = format!("{task} {n}");
                let committed = node.execute(update(&application, &text), cause()).await.unwrap();
                let own = committed.view.world.application(&application).unwrap();
                assert_eq!(own.description.as_ref().unwrap().to_string(), text, "the world right after it");
            }
        }));
    }
    for task in asking {
        task.await.unwrap();
    }
    assert_eq!(test.node.view().seq.0 - before, (TASKS * COMMANDS) as u64);
    test.node.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_from_many_threads_are_all_answered() {
    everybody_is_answered(Trouble::NONE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_from_many_threads_are_all_answered_by_a_log_that_takes_its_time() {
    everybody_is_answered(Trouble { most_yields: 3, ..Trouble::NONE }).await;
}

#[tokio::test]
async fn a_request_that_is_dropped_takes_nothing_back() {
    let test = TestNode::start().await.unwrap();
    let application = application(&test).await;
    test.faults.set(Trouble { most_yields: 100, ..Trouble::NONE });
    for text in ["on its way", "waiting"] {
        // Polled once, and given up.
        let asked = test.node.execute(update(&application, text), cause());
        assert!(tokio::time::timeout(std::time::Duration::ZERO, asked).await.is_err());
    }
    test.rest().await;
    let view = test.node.view();
    let described = view.world.application(&application).unwrap().description.clone();
    assert_eq!(described.unwrap().to_string(), "waiting");
}

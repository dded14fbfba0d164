//! Without a server: what was good stays, and a copy on disk is a start.

use crate::following::{OFF, ON};
use crate::server::{Rig, until, until_version, version};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use yardarm_client::Freshness;
use yardarm_domain::ProfileType;

const PLENTY: Duration = Duration::from_secs(60);

fn stale(freshness: &Freshness) -> bool {
    matches!(freshness, Freshness::Stale(_))
}

#[tokio::test]
async fn flags_outlive_their_server_and_catch_up_when_it_returns() {
    let mut rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.serve(ON).await.unwrap();
    let flags = rig.follow(None).await;
    assert!(flags.settled(PLENTY).await);
    for number in [2, 3] {
        rig.kill().await;
        until(flags.watch_freshness(), || stale(&flags.freshness())).await;
        assert_eq!(version(&flags, None), Some(number - 1));
        rig.restart().await;
        until(flags.watch_freshness(), || flags.freshness() == Freshness::Current).await;
        rig.shop.serve(if number == 2 { OFF } else { ON }).await.unwrap();
        until_version(&flags, number).await;
    }
}

#[tokio::test]
async fn a_start_without_a_server_serves_the_copy_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.serve(ON).await.unwrap();
    let flags = rig.follow(Some(folder.path())).await;
    assert!(flags.settled(PLENTY).await);
    rig.shop.serve(OFF).await.unwrap();
    until_version(&flags, 2).await;
    flags.close().await;
    let copy = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    rig.shop.serve(ON).await.unwrap();

    rig.kill().await;
    let flags = rig.follow(Some(folder.path())).await;
    assert_eq!(version(&flags, None), Some(2), "the copy is served before anybody is asked");
    assert!(flags.settled(PLENTY).await);
    assert!(stale(&flags.freshness()), "{:?}", flags.freshness());
    assert_eq!(version(&flags, None), Some(2));

    rig.restart().await;
    until(flags.watch_freshness(), || flags.freshness() == Freshness::Current).await;
    until_version(&flags, 3).await;
    rig.shop.serve(OFF).await.unwrap();
    until_version(&flags, 4).await;
}

#[tokio::test]
async fn a_damaged_copy_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.serve(ON).await.unwrap();
    let flags = rig.follow(Some(folder.path())).await;
    assert!(flags.settled(PLENTY).await);
    flags.close().await;
    rig.kill().await;
    for copy in fs::read_dir(folder.path()).unwrap() {
        let path = copy.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("enabled", "enabler")).unwrap();
    }
    let flags = rig.follow(Some(folder.path())).await;
    assert!(!flags.settled(PLENTY).await);
    assert_eq!(version(&flags, None), None);
}

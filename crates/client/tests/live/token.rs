//! With a bearer token, against a server that asks who its callers are.

use crate::following::{OFF, ON};
use crate::server::{Rig, until, until_version, version};
use jiff::SignedDuration;
use std::time::Duration;
use yardarm_client::{Credentials, Freshness, LiveFlags};
use yardarm_domain::{ProfileType, RevokeBearerToken, TokenScope, WantedBearerToken};
use yardarm_node::NewBearerToken;
use yardarm_server::Authentication;
use yardarm_testkit::cause;

const PLENTY: Duration = Duration::from_secs(60);

async fn rig() -> Rig {
    let rig = Rig::start_with(ProfileType::FeatureFlags, Authentication::Signature).await;
    rig.shop.serve(ON).await.unwrap();
    rig
}

async fn token(rig: &Rig, scope: TokenScope, lifetime: Option<SignedDuration>) -> NewBearerToken {
    let wanted = WantedBearerToken {
        name: "sdk".parse().unwrap(),
        description: None,
        application: rig.shop.application.clone(),
        environment: rig.shop.environment.clone(),
        scope,
        expires_at: lifetime.map(|lifetime| rig.shop.node.now() + lifetime),
    };
    rig.shop.node.create_bearer_token(wanted, cause()).await.unwrap()
}

async fn follow(rig: &Rig, token: &str) -> LiveFlags {
    rig.follow_as(Credentials::token(token).unwrap(), None).await
}

/// Waits until the flags are stale because of `why`.
async fn until_refused(flags: &LiveFlags, why: &str) {
    let refused = || matches!(flags.freshness(), Freshness::Stale(told) if told.contains(why));
    until(flags.watch_freshness(), refused).await;
}

#[tokio::test]
async fn a_token_that_reads_is_enough_until_it_is_revoked() {
    let rig = rig().await;
    let token = token(&rig, TokenScope::Read, None).await;
    let flags = follow(&rig, &token.text).await;
    assert!(flags.settled(PLENTY).await);
    rig.shop.serve(OFF).await.unwrap();
    until_version(&flags, 2).await;

    rig.shop.node.execute(RevokeBearerToken { id: token.id.clone() }, cause()).await.unwrap();
    // A request may be waiting with the token that it was let in with: it hears of nothing any more.
    rig.shop.serve(ON).await.unwrap();
    until_refused(&flags, "revoked").await;
    assert_eq!(version(&flags, None), Some(2), "what was good stays");
    let late = follow(&rig, &token.text).await;
    assert!(!late.settled(PLENTY).await);
}

#[tokio::test]
async fn a_token_that_has_expired_is_refused() {
    let rig = rig().await;
    let token = token(&rig, TokenScope::Read, Some(SignedDuration::from_secs(60))).await;
    let flags = follow(&rig, &token.text).await;
    assert!(flags.settled(PLENTY).await);
    rig.clock.advance(SignedDuration::from_secs(61));
    rig.shop.serve(OFF).await.unwrap();
    until_refused(&flags, "expired").await;
    assert_eq!(version(&flags, None), Some(1));
}

#[tokio::test]
async fn a_token_for_evaluating_or_none_at_all_reads_nothing() {
    let rig = rig().await;
    let evaluate = token(&rig, TokenScope::Evaluate, None).await;
    for (credentials, why) in [
        (Credentials::token(&evaluate.text).unwrap(), "scope"),
        (Credentials::token("ydm_abcdef234567_nonsense").unwrap(), "unknown"),
        (Credentials::None, ""),
    ] {
        let flags = rig.follow_as(credentials, None).await;
        assert!(!flags.settled(PLENTY).await);
        until_refused(&flags, why).await;
    }
}

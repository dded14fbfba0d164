//! Account settings.

use super::*;

#[tokio::test]
async fn settings_start_switched_off_and_change_member_by_member() {
    let bench = Bench::start().await;
    let told = bench.get("/settings").await;
    assert_eq!(
        String::from_utf8_lossy(&told.body),
        r#"{"DeletionProtection":{"Enabled":false,"ProtectionPeriodInMinutes":60},"VendedMetrics":{}}"#
    );
    let told = bench.patch("/settings", json!({"DeletionProtection": {"Enabled": true}})).await;
    let on = json!({"DeletionProtection": {"Enabled": true, "ProtectionPeriodInMinutes": 60}, "VendedMetrics": {}});
    assert_eq!((told.status, told.json()), (200, on));
    let change = json!({"DeletionProtection": {"ProtectionPeriodInMinutes": 1440}, "VendedMetrics": {"Enabled": false}});
    let changed = json!({
        "DeletionProtection": {"Enabled": true, "ProtectionPeriodInMinutes": 1440}, "VendedMetrics": {"Enabled": false},
    });
    assert_eq!(bench.patch("/settings", change).await.ok(), changed);
    assert_eq!(bench.patch("/settings", json!({})).await.ok(), changed);
    assert_eq!(bench.get("/settings").await.ok(), changed);
}

#[tokio::test]
async fn the_protection_period_has_bounds() {
    let bench = Bench::start().await;
    for (minutes, text) in [(14, "greater than or equal to 15"), (1441, "less than or equal to 1440")] {
        let body = json!({"DeletionProtection": {"ProtectionPeriodInMinutes": minutes}});
        assert_eq!(
            bench.patch("/settings", body).await.bad_request(),
            one_violation(
                &format!("'{minutes}'"),
                "deletionProtection.protectionPeriodInMinutes",
                &format!("Member must have value {text}")
            )
        );
    }
}

//! OFREP as its clients see it: requests by method, path, headers and body.

mod callers;
mod changes;
mod operations;
mod streams;
mod tokens;

use crate::desk::{Desk, Told};
use crate::settings::ServerSettings;
use serde_json::{Value, json};

const ALL: &str = "/ofrep/v1/evaluate/flags";
const PLACED: &str = "/shop/production/ofrep/v1/evaluate/flags";

/// Everything a flag can be, with the banner's text as given.
fn document(text: &str) -> String {
    json!({
        "version": "1",
        "flags": {
            "banner": {"name": "b", "attributes": {"text": {}, "price": {}, "count": {}}},
            "limit": {"name": "l", "attributes": {"value": {}}},
            "draw": {"name": "d"},
            "plain": {"name": "p"},
            "closed": {"name": "c", "attributes": {"text": {}}},
        },
        "values": {
            "banner": {"enabled": true, "text": text, "price": 4.5, "count": 9_007_199_254_740_991_i64},
            "limit": {"enabled": true, "value": 1},
            "plain": {"enabled": true},
            "closed": {"enabled": false, "text": "x"},
            "draw": {"_variants": [
                {"name": "in", "enabled": true, "rule": "(split pct::100 by::$targetingKey)"},
                {"name": "pro", "enabled": true, "rule": "(eq $plan \"pro\")"},
                {"name": "out", "enabled": false},
            ]},
        },
    })
    .to_string()
}

fn dev() -> ServerSettings {
    ServerSettings { dev: true, ..ServerSettings::default() }
}

impl Desk {
    /// With flags deployed.
    async fn serving(settings: ServerSettings) -> Self {
        let desk = Self::open(settings).await;
        desk.shop.serve(&document("one")).await.unwrap();
        desk.test.rest().await;
        desk
    }

    async fn post(&self, path: &str, context: Value) -> Told {
        self.send("POST", path, &[], &json!({"context": context}).to_string()).await
    }
}

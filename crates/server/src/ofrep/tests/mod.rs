//! OFREP as its clients see it: requests by method, path, headers and body.

mod callers;
mod changes;
mod operations;
mod streams;
mod tokens;

use crate::settings::ServerSettings;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use serde_json::{Value, json};
use yardarm_domain::{ProfileType, TokenScope, WantedBearerToken};
use yardarm_node::NewBearerToken;
use yardarm_testkit::{Shop, TestNode, cause};

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

/// A server without a listener, and a shop with an environment.
struct Desk {
    test: TestNode,
    shop: Shop,
    router: Router,
}

struct Told {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Told {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn etag(&self) -> &str {
        self.header("etag").unwrap()
    }
}

fn dev() -> ServerSettings {
    ServerSettings { dev: true, ..ServerSettings::default() }
}

impl Desk {
    async fn open(settings: ServerSettings) -> Self {
        let test = TestNode::start().await.unwrap();
        let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
        let router = crate::router(test.node.clone(), settings);
        Self { test, shop, router }
    }

    /// With flags deployed.
    async fn serving(settings: ServerSettings) -> Self {
        let desk = Self::open(settings).await;
        desk.shop.serve(&document("one")).await.unwrap();
        desk.test.rest().await;
        desk
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let (parts, body) = self.call(method, path, headers, body).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Told { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:4770");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        TowerToHyperService::new(self.router.clone()).call(request).await.unwrap()
    }

    async fn post(&self, path: &str, context: Value) -> Told {
        self.send("POST", path, &[], &json!({"context": context}).to_string()).await
    }

    async fn token(&self, scope: TokenScope, lifetime_s: Option<i64>) -> NewBearerToken {
        let wanted = WantedBearerToken {
            name: "t".parse().unwrap(),
            description: None,
            application: self.shop.application.clone(),
            environment: self.shop.environment.clone(),
            scope,
            expires_at: lifetime_s.map(|seconds| self.test.node.now() + SignedDuration::from_secs(seconds)),
        };
        self.test.node.create_bearer_token(wanted, cause()).await.unwrap()
    }
}

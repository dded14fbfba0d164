//! For tests: a server as its clients see it, without a listener. Requests by method, path, headers and body.

use crate::settings::ServerSettings;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use serde_json::Value;
use std::time::Duration;
use yardarm_domain::{ProfileType, TokenScope, WantedBearerToken};
use yardarm_node::NewBearerToken;
use yardarm_testkit::{Shop, TestNode, cause};

/// A server, and a shop with an environment.
pub(crate) struct Desk {
    pub(crate) test: TestNode,
    pub(crate) shop: Shop,
    pub(crate) router: Router,
}

/// An answer, whole.
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Told {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn etag(&self) -> &str {
        self.header("etag").unwrap()
    }
}

/// A stream, as far as it has come.
pub(crate) struct Listening {
    pub(crate) headers: HeaderMap,
    body: Body,
}

impl Listening {
    /// The next piece. The limit is for a broken server only.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let frame = tokio::time::timeout(Duration::from_secs(30), self.body.frame()).await.expect("an event");
        Some(String::from_utf8(frame?.unwrap().into_data().unwrap().to_vec()).unwrap())
    }
}

impl Desk {
    /// A profile of flags, of which nothing is deployed.
    pub(crate) async fn open(settings: ServerSettings) -> Self {
        let test = TestNode::start().await.unwrap();
        let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
        let router = crate::router(test.node.clone(), settings);
        Self { test, shop, router }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let (parts, body) = self.call(method, path, headers, body).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Told { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// A stream, or the status that it is refused with.
    pub(crate) async fn listen(&self, uri: &str, headers: &[(&str, &str)]) -> Result<Listening, u16> {
        let (parts, body) = self.call("GET", uri, headers, "").await.into_parts();
        if parts.status == 200 {
            Ok(Listening { headers: parts.headers, body })
        } else {
            Err(parts.status.as_u16())
        }
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

    /// A token for the shop's environment.
    pub(crate) async fn token(&self, scope: TokenScope, lifetime_s: Option<i64>) -> NewBearerToken {
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

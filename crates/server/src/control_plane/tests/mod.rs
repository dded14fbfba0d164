//! The control plane as its callers see it: requests by method and path, answers by status, headers and body.

mod alarms;
mod applications;
mod configuration_profiles;
mod deployment_strategies;
mod deployments;
mod environments;
mod extensions;
mod hosted_versions;
mod lists;
mod settings;
mod tags;

use crate::authenticate::Sender;
use crate::call::Call;
use crate::dispatch::dispatch;
use crate::native::RolloutStreams;
use crate::request_id::RequestId;
use crate::settings::{RolloutStreamSettings, ServerSettings};
use crate::stream_places::StreamPlaces;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use yardarm_domain::World;
use yardarm_log::MemoryLog;
use yardarm_node::NodeConfig;
use yardarm_testkit::{ManualClock, TestNode, account, cause};
use yardarm_wire::operations::{Method, OPERATIONS, Operation};

/// The account of the test node.
const ACCOUNT: &str = "123456789012";

/// Accepted by whatever needs a flag document.
const FLAGS: &str = r#"{"version":"1","flags":{"dark":{"name":"dark"}},"values":{"dark":{"enabled":true}}}"#;

/// A server without a listener.
struct Bench {
    kit: TestNode,
    settings: Arc<ServerSettings>,
}

/// What was answered.
struct Told {
    status: u16,
    code: Option<&'static str>,
    headers: HeaderMap,
    body: Bytes,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    fn succeeded(&self) {
        assert!(self.code.is_none(), "{} {}", self.status, String::from_utf8_lossy(&self.body));
    }

    /// The JSON body of a success.
    #[track_caller]
    fn ok(&self) -> Value {
        self.succeeded();
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Status, code and message of a refusal.
    #[track_caller]
    fn refusal(&self) -> (u16, &'static str, String) {
        let code = self.code.unwrap_or_else(|| panic!("answered {}", self.status));
        (self.status, code, self.json()["Message"].as_str().unwrap_or_default().into())
    }

    /// The message of a BadRequestException.
    #[track_caller]
    fn bad_request(&self) -> String {
        let (status, code, message) = self.refusal();
        assert_eq!((status, code), (400, "BadRequestException"), "{message}");
        message
    }

    /// The message of a ResourceNotFoundException.
    #[track_caller]
    fn not_found(&self) -> String {
        let (status, code, message) = self.refusal();
        assert_eq!((status, code), (404, "ResourceNotFoundException"), "{message}");
        message
    }

    /// The message of a ConflictException.
    #[track_caller]
    fn conflict(&self) -> String {
        let (status, code, message) = self.refusal();
        assert_eq!((status, code), (409, "ConflictException"), "{message}");
        message
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A constraint that one member breaks, as it is told.
fn one_violation(value: &str, member: &str, constraint: &str) -> String {
    format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {constraint}"
    )
}

const NOT_NULL: &str = "Member must not be null";

impl Bench {
    async fn start() -> Self {
        Self::with(|_| {}, ServerSettings::default()).await
    }

    async fn with(change: impl FnOnce(&mut NodeConfig), settings: ServerSettings) -> Self {
        let mut config = NodeConfig::new(account());
        change(&mut config);
        let kit = TestNode::start_with(config, MemoryLog::new(), ManualClock::default(), 1).await.unwrap();
        Self { kit, settings: Arc::new(settings) }
    }

    /// Asks as a client would: by method, path with query, headers and body.
    async fn send(&self, method: Method, target: &str, headers: &[(&str, &str)], body: Bytes) -> Told {
        let path = target.split('?').next().unwrap_or_default();
        let (operation, labels) = route(method, path);
        let headers = headers.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        });
        let call = Call {
            node: self.kit.node.clone(),
            settings: self.settings.clone(),
            streams: RolloutStreams::new(
                RolloutStreamSettings::default(),
                Arc::new(StreamPlaces::new("rollout", 0)),
            ),
            id: RequestId::draw(&self.kit.node),
            sender: Sender::Developer,
            labels,
            uri: target.parse().unwrap(),
            headers: headers.collect(),
            body,
        };
        match dispatch(operation.name, call).await {
            Ok(answer) => Told {
                status: operation.status.as_u16(),
                code: None,
                headers: answer.headers,
                body: answer.body,
            },
            Err(fault) => Told {
                status: fault.kind.status().as_u16(),
                code: Some(fault.kind.code()),
                headers: HeaderMap::new(),
                body: serde_json::to_vec(&fault.body).unwrap().into(),
            },
        }
    }

    async fn get(&self, target: &str) -> Told {
        self.send(Method::Get, target, &[], Bytes::new()).await
    }

    async fn post(&self, target: &str, body: Value) -> Told {
        self.send(Method::Post, target, &[], body.to_string().into()).await
    }

    async fn patch(&self, target: &str, body: Value) -> Told {
        self.send(Method::Patch, target, &[], body.to_string().into()).await
    }

    async fn delete(&self, target: &str) -> Told {
        self.send(Method::Delete, target, &[], Bytes::new()).await
    }

    /// Makes an application and answers its path.
    async fn application(&self, name: &str) -> String {
        format!("/applications/{}", id(&self.post("/applications", json!({"Name": name})).await))
    }

    /// Makes an environment and answers its path.
    async fn environment(&self, application: &str, name: &str) -> String {
        let path = format!("{application}/environments");
        format!("{path}/{}", id(&self.post(&path, json!({"Name": name})).await))
    }

    /// Makes a hosted profile and answers its path.
    async fn profile(&self, application: &str, name: &str, kind: &str) -> String {
        let path = format!("{application}/configurationprofiles");
        let body = json!({"Name": name, "LocationUri": "hosted", "Type": kind});
        format!("{path}/{}", id(&self.post(&path, body).await))
    }

    /// Stores a version.
    async fn store(&self, profile: &str, content: &str, headers: &[(&str, &str)]) -> Told {
        let path = format!("{profile}/hostedconfigurationversions");
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(Method::Post, &path, &all, Bytes::copy_from_slice(content.as_bytes())).await
    }

    /// Makes a strategy and answers its id.
    async fn strategy(&self, minutes: u32, bake: u32, factor: f64) -> String {
        let body = json!({
            "Name": "any", "DeploymentDurationInMinutes": minutes, "FinalBakeTimeInMinutes": bake,
            "GrowthFactor": factor,
        });
        id(&self.post("/deploymentstrategies", body).await)
    }

    /// Starts a deployment.
    async fn deploy(&self, environment: &str, profile: &str, version: &str, strategy: &str) -> Told {
        let body = json!({
            "ConfigurationProfileId": last(profile), "ConfigurationVersion": version, "DeploymentStrategyId": strategy,
        });
        self.post(&format!("{environment}/deployments"), body).await
    }

    fn advance(&self, by: SignedDuration) {
        self.kit.clock.advance(by);
    }

    /// Waits until the world is as wanted. The limit is for a broken driver only.
    async fn until(&self, wanted: impl Fn(&World) -> bool) {
        let mut changes = self.kit.node.changes();
        let waiting = async {
            while !wanted(&self.kit.node.view().world) {
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting)
            .await
            .expect("the world never came to be as wanted");
    }
}

/// The operation at `path`, and the labels of the path, decoded.
fn route(method: Method, path: &str) -> (&'static Operation, Vec<(Box<str>, String)>) {
    let parts: Vec<&str> = path.split('/').collect();
    for operation in OPERATIONS.iter().filter(|operation| operation.method == method) {
        for template in operation.paths() {
            let template: Vec<&str> = template.split('/').collect();
            if let Some(labels) = labels(&template, &parts) {
                return (operation, labels);
            }
        }
    }
    panic!("no operation at {path}");
}

fn labels(template: &[&str], parts: &[&str]) -> Option<Vec<(Box<str>, String)>> {
    let mut labels = vec![];
    for (wanted, part) in template.iter().zip(parts) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                let text = percent_decode_str(part).decode_utf8().unwrap();
                labels.push((name.into(), text.into_owned()));
            }
            None if wanted == part => {}
            None => return None,
        }
    }
    (template.len() == parts.len()).then_some(labels)
}

#[track_caller]
fn id(told: &Told) -> String {
    told.ok()["Id"].as_str().unwrap().to_owned()
}

/// The last segment of a path.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// The names of a list's items.
fn names(list: &Value) -> Vec<&str> {
    list["Items"].as_array().unwrap().iter().map(|item| item["Name"].as_str().unwrap()).collect()
}

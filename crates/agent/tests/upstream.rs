//! The agent against a data plane that behaves as it is told: what is sent, what is tried again, what is served meanwhile.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use yardarm_agent::settings::Origin;
use yardarm_agent::{Agent, Door, Draw, Settings, StreamSettings, Upstream};
use yardarm_client::{HttpClient, HttpSettings};
use yardarm_flags::bucketing::{RolloutKey, named_subject};
use yardarm_listen::{Bounds, Listener};
use yardarm_signature::{BodyDigest, Credential, Expected, SecretKey, SignedRequest};

/// What a data plane was asked.
struct Call {
    parts: Parts,
    body: Bytes,
}

impl Call {
    fn is_start(&self) -> bool {
        self.parts.uri.path() == "/configurationsessions"
    }

    fn header(&self, name: &str) -> &str {
        self.parts.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn token(&self) -> &str {
        self.parts.uri.query().unwrap().strip_prefix("configuration_token=").unwrap()
    }
}

#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    fn count(&self, wanted: impl Fn(&Call) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|call| wanted(call)).count()
    }

    fn each<T>(&self, take: impl Fn(&Call) -> T) -> Vec<T> {
        self.0.lock().unwrap().iter().map(take).collect()
    }
}

/// Listens on a free port, for as long as the test runs.
async fn serve(router: Router) -> String {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.address().unwrap();
    tokio::spawn(async move {
        yardarm_listen::serve(listener, router, &Bounds::default(), std::future::pending()).await
    });
    format!("http://{address}")
}

/// A data plane that answers what `answer` says. `None`: never.
async fn data_plane(
    answer: impl Fn(&Call, usize) -> Option<Response<Body>> + Clone + Send + Sync + 'static,
) -> (String, Calls) {
    let calls = Calls::default();
    let noted = calls.clone();
    let router = Router::new().fallback(move |request: Request<Body>| {
        let (answer, noted) = (answer.clone(), noted.clone());
        async move {
            let (parts, body) = request.into_parts();
            let call = Call { parts, body: body.collect().await.unwrap().to_bytes() };
            let earlier = noted.0.lock().unwrap().len();
            let answered = answer(&call, earlier);
            noted.0.lock().unwrap().push(call);
            match answered {
                Some(response) => response,
                None => std::future::pending().await,
            }
        }
    });
    (serve(router).await, calls)
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Option<Response<Body>> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Some(response.body(Body::from(body.to_owned())).unwrap())
}

fn started(token: &str) -> Option<Response<Body>> {
    reply(201, &[], &format!(r#"{{"InitialConfigurationToken":"{token}"}}"#))
}

fn text(next: &str, body: &str) -> Option<Response<Body>> {
    reply(200, &[("next-poll-configuration-token", next), ("content-type", "text/plain")], body)
}

fn now() -> jiff::Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// An agent that is told these variables, and where it serves.
async fn agent(variables: &[(&str, &str)]) -> (Agent, String) {
    let map: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let lookup = |name: &str| match name {
        "AWS_EC2_METADATA_DISABLED" => Some("true".into()),
        _ => map.get(name).cloned(),
    };
    let settings = Settings::read(&lookup).unwrap();
    let Origin::Upstream(upstream) = settings.origin else { panic!("no upstream") };
    let draw = Draw::new(|| 0);
    let upstream = Upstream::connect(*upstream, now, draw.clone()).await.unwrap();
    let agent = Agent::start(Box::new(upstream), settings.keeping, now, draw).await.unwrap();
    let router =
        yardarm_agent::router(&agent, Door { access_token: None, loopback: true }, StreamSettings::default());
    let url = serve(router).await;
    (agent, url)
}

fn keys<'v>(url: &'v str, more: &[(&'v str, &'v str)]) -> Vec<(&'v str, &'v str)> {
    let mut variables = vec![
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
        ("SERVICE_REGION", "eu-west-1"),
        ("POLL_INTERVAL", "1s"),
    ];
    variables.extend(more);
    variables
}

const PATH: &str = "/applications/app/environments/env/configurations/profile";

async fn ask(url: &str, path: &str, headers: &[(&'static str, &str)]) -> (StatusCode, HeaderMap, String) {
    let http = HttpClient::new(&HttpSettings::default()).unwrap();
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = format!("{url}{path}").parse().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let (head, body) = http.send(request, Duration::from_secs(20)).await.unwrap().into_parts();
    (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
}

/// Asks until `body` is the answer.
async fn comes_to(url: &str, headers: &[(&'static str, &str)], body: &str) {
    let looking = async {
        while ask(url, PATH, headers).await.2 != body {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap_or_else(|_| panic!("never {body}"));
}

#[tokio::test]
async fn calls_are_those_of_an_ordinary_client_and_signed() {
    let (url, calls) =
        data_plane(|call, _| if call.is_start() { started("t/1+=") } else { text("t2", "hello") }).await;
    let (_agent, agent_url) = agent(&keys(&url, &[("AWS_SESSION_TOKEN", "session")])).await;
    let (status, headers, body) = ask(&agent_url, PATH, &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "hello"));
    assert_eq!(headers["configuration-version"], "1", "upstream does not say, so the agent counts");

    let calls = calls.0.lock().unwrap();
    let [start, poll, ..] = calls.as_slice() else { panic!("two calls") };
    assert_eq!(start.parts.method, Method::POST);
    let wanted: serde_json::Value = serde_json::from_slice(&start.body).unwrap();
    assert_eq!(
        wanted,
        serde_json::json!({"ApplicationIdentifier": "app", "EnvironmentIdentifier": "env",
                           "ConfigurationProfileIdentifier": "profile"})
    );
    assert_eq!((poll.parts.uri.path(), poll.token()), ("/configuration", "t%2F1%2B%3D"));
    assert_eq!((poll.header("is-sticky"), poll.header("x-yardarm-entity-rollout")), ("true", "1"));
    assert_eq!(
        poll.header("accept"),
        "application/vnd.yardarm.flags+json;q=1.0, application/ion;type=AWS.AppConfig.FeatureFlags;q=0.9, */*;q=0.1"
    );
    assert!(poll.header("user-agent").starts_with("yardarm-agent/"));
    for call in [start, poll] {
        assert_eq!(call.header("x-amz-security-token"), "session");
        let (method, uri) = (&call.parts.method, &call.parts.uri);
        let query = uri.query().unwrap_or_default();
        let signed = SignedRequest::parse(method, uri.path(), query, &call.parts.headers).unwrap().unwrap();
        assert_eq!(signed.access_key_id(), "AKID");
        let credential = Credential::new(SecretKey::new("hush"));
        let expected = Expected::new("eu-west-1", "appconfig");
        signed.verify(&credential, &BodyDigest::of(&call.body), now(), &expected).unwrap();
    }
}

#[tokio::test]
async fn callers_who_come_together_share_one_fetch() {
    let (url, calls) =
        data_plane(|call, _| if call.is_start() { started("t1") } else { text("t2", "hello") }).await;
    let (_agent, agent_url) = agent(&keys(&url, &[("POLL_INTERVAL", "1h")])).await;
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let url = agent_url.clone();
            tokio::spawn(async move { ask(&url, PATH, &[]).await.2 })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "hello");
    }
    assert_eq!(calls.count(|_| true), 2);
}

#[tokio::test]
async fn tokens_are_chained_and_an_empty_answer_changes_nothing() {
    let (url, calls) = data_plane(|call, _| match call.is_start() {
        true => started("t0"),
        false if call.token() == "t0" => text("t1", "one"),
        false if call.token() == "t1" => text("t2", ""),
        false => text("t3", "two"),
    })
    .await;
    let (_agent, agent_url) = agent(&keys(&url, &[])).await;
    assert_eq!(ask(&agent_url, PATH, &[]).await.2, "one");
    comes_to(&agent_url, &[], "two").await;
    assert_eq!(ask(&agent_url, PATH, &[]).await.1["configuration-version"], "2");
    assert_eq!(calls.count(Call::is_start), 1);
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_three_times_and_others_once() {
    let (url, calls) =
        data_plane(|_, earlier| if earlier < 2 { reply(503, &[], "") } else { started("t") }).await;
    let (_agent, agent_url) =
        agent(&keys(&url, &[("REQUEST_TIMEOUT", "20s"), ("POLL_INTERVAL", "1h")])).await;
    // The third attempt starts the session; its poll then makes no sense, and is not tried again.
    let (status, _, body) = ask(&agent_url, PATH, &[]).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{body}");
    let attempts = calls.each(|call| call.header("amz-sdk-request").to_owned());
    assert_eq!(attempts, ["attempt=1; max=3", "attempt=2; max=3", "attempt=3; max=3", "attempt=1; max=3"]);

    let (url, calls) = data_plane(|_, _| reply(503, &[], r#"{"Message":"busy"}"#)).await;
    let (_agent, agent_url) =
        agent(&keys(&url, &[("REQUEST_TIMEOUT", "20s"), ("POLL_INTERVAL", "1h")])).await;
    let (status, _, body) = ask(&agent_url, PATH, &[]).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(body, r#"{"Message":"answered 503: busy","Code":"BadGatewayException"}"#);
    assert_eq!(calls.count(|_| true), 3);

    let (url, calls) = data_plane(|_, _| reply(403, &[], r#"{"Message":"no"}"#)).await;
    let (_agent, agent_url) = agent(&keys(&url, &[("POLL_INTERVAL", "1h")])).await;
    assert_eq!(ask(&agent_url, PATH, &[]).await.0, StatusCode::BAD_GATEWAY);
    assert_eq!(calls.count(|_| true), 1);
}

#[tokio::test]
async fn upstream_that_does_not_answer_is_a_timeout() {
    let (url, _) = data_plane(|_, _| None).await;
    let (_agent, agent_url) = agent(&keys(&url, &[("REQUEST_TIMEOUT", "50ms")])).await;
    let (status, headers, _) = ask(&agent_url, PATH, &[]).await;
    assert_eq!(
        (status, &headers["x-amzn-errortype"]),
        (StatusCode::GATEWAY_TIMEOUT, &"GatewayTimeoutException".parse().unwrap())
    );
}

#[tokio::test]
async fn a_session_that_has_ended_is_begun_anew_and_nobody_notices() {
    const ENDED: &str = r#"{"Message":"Token not valid","Details":{"InvalidParameters":{"ConfigurationToken":{"Problem":"Expired"}}}}"#;
    let (url, calls) = data_plane(|call, earlier| match call.is_start() {
        true => started(&format!("s{earlier}")),
        false if call.token() == "s0" => text("old", "one"),
        false if call.token() == "old" => reply(400, &[], ENDED),
        false => text("new", "two"),
    })
    .await;
    let (_agent, agent_url) = agent(&keys(&url, &[])).await;
    assert_eq!(ask(&agent_url, PATH, &[]).await.2, "one");
    comes_to(&agent_url, &[], "two").await;
    assert_eq!(calls.count(Call::is_start), 2);
}

#[tokio::test]
async fn what_is_held_is_served_when_content_makes_no_sense() {
    let ion = "application/ion; type=AWS.AppConfig.FeatureFlags";
    let flag = r#"'a'::'''{"enabled":true}'''"#;
    let (url, _) = data_plane(move |call, earlier| match call.is_start() {
        true => started("s"),
        false if earlier == 1 => {
            reply(200, &[("next-poll-configuration-token", "t"), ("content-type", ion)], flag)
        }
        false => reply(200, &[("next-poll-configuration-token", "t"), ("content-type", ion)], "]"),
    })
    .await;
    let (_agent, agent_url) = agent(&keys(&url, &[])).await;
    let expected = r#"{"a":{"enabled":true}}"#;
    assert_eq!(ask(&agent_url, PATH, &[]).await.2, expected);
    let stale = async {
        while !ask(&agent_url, "/health", &[]).await.2.contains(r#""stale":true"#) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), stale).await.unwrap();
    let (_, headers, body) = ask(&agent_url, PATH, &[]).await;
    assert_eq!((headers["content-type"].to_str().unwrap(), body.as_str()), ("application/json", expected));
}

#[tokio::test]
async fn during_a_deployment_an_entity_falls_where_arithmetic_puts_it() {
    let (url, calls) = data_plane(|call, _| match call.is_start() {
        true => started("s"),
        false if call.token() == "previous" => text("x", "old"),
        false => reply(
            200,
            &[
                ("next-poll-configuration-token", "t"),
                ("content-type", "text/plain"),
                ("x-yardarm-deployment", "abcd123/efgh456/7"),
                ("x-yardarm-exposure", "400000"),
                ("x-yardarm-previous", "previous"),
            ],
            if call.token() == "s" { "new" } else { "" },
        ),
    })
    .await;
    let (_agent, agent_url) = agent(&keys(&url, &[])).await;
    let key = RolloutKey::new("abcd123", "efgh456", 7);
    let mut seen = (0, 0);
    for number in 0..40 {
        let entity = format!("user-{number}");
        let expected = if key.bucket(&named_subject(&entity)) < 400_000 { "new" } else { "old" };
        if expected == "new" {
            seen.0 += 1
        } else {
            seen.1 += 1
        }
        assert_eq!(ask(&agent_url, PATH, &[("entity-id", &entity)]).await.2, expected, "{entity}");
    }
    assert!(seen.0 > 0 && seen.1 > 0);
    assert_eq!(calls.count(|call| !call.is_start() && call.token() == "previous"), 1, "fetched once");
}

#[tokio::test]
async fn a_role_is_assumed_and_its_credentials_sign() {
    let (sts, asked) = data_plane(|_, _| {
        reply(
            200,
            &[],
            "<R><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>tok</SessionToken>\
             <Expiration>2026-11-24T13:00:00Z</Expiration></R>",
        )
    })
    .await;
    let (url, calls) =
        data_plane(|call, _| if call.is_start() { started("t1") } else { text("t2", "hello") }).await;
    let role = [("AWS_ENDPOINT_URL_STS", sts.as_str()), ("ROLE_ARN", "arn:aws:iam::1:role/r")];
    let (_agent, agent_url) = agent(&keys(&url, &role)).await;
    assert_eq!(ask(&agent_url, PATH, &[]).await.2, "hello");
    assert_eq!(asked.count(|_| true), 1, "credentials are kept");
    let form = asked.each(|call| String::from_utf8(call.body.to_vec()).unwrap()).remove(0);
    assert!(
        form.contains("Action=AssumeRole&") && form.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr")
    );
    assert!(asked.each(|call| call.header("authorization").contains("/eu-west-1/sts/aws4_request"))[0]);
    let signed = calls.each(|call| call.header("authorization").contains("Credential=ASIA/"));
    assert!(signed.iter().all(|signed| *signed));
}

#[tokio::test]
async fn a_token_of_a_yardarm_server_is_sent_as_it_is() {
    let (url, calls) =
        data_plane(|call, _| if call.is_start() { started("t1") } else { text("t2", "hello") }).await;
    let (_agent, agent_url) = agent(&[("YARDARM_URL", &url), ("YARDARM_TOKEN", "ydm_secret")]).await;
    assert_eq!(ask(&agent_url, PATH, &[]).await.2, "hello");
    assert!(calls.each(|call| call.header("authorization") == "Bearer ydm_secret").iter().all(|sent| *sent));
}

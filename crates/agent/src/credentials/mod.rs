//! AWS credentials: the places where AWS SDKs look for them, in their order.
//!
//! The environment's key; a web identity's token; a profile of the shared files with its keys, roles and processes; the
//! container's endpoint; the machine's metadata. Temporary ones are renewed before they end, by one caller for all;
//! when renewing fails the old ones are used as long as they are good.

mod profile;
mod sts;

use crate::secret::Secret;
use crate::settings::{AwsSettings, Container, Role, StaticKeys, WebIdentity};
use crate::upstream::aws_endpoint;
use crate::upstream::{host_header, target};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Uri};
use jiff::{SignedDuration, Timestamp};
use profile::{File, Profiles};
use serde::Deserialize;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use yardarm_client::Now;
use yardarm_client::{HttpClient, private_file};
use yardarm_signature::{RequestToSign, SecretKey, Signer};

/// An access key, perhaps a temporary one.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) secret: Secret,
    pub(crate) session_token: Option<Secret>,
    pub(crate) expires: Option<Timestamp>,
}

impl From<StaticKeys> for Keys {
    fn from(keys: StaticKeys) -> Self {
        let StaticKeys { access_key_id, secret, session_token } = keys;
        Self { access_key_id, secret, session_token, expires: None }
    }
}

impl Keys {
    /// What signs with them.
    pub(crate) fn signer(&self, region: &str, service: &str) -> Signer {
        let signer = Signer::new(&self.access_key_id, SecretKey::new(self.secret.expose()), region, service);
        match &self.session_token {
            Some(token) => signer.with_session_token(token.expose()),
            None => signer,
        }
    }
}

/// A way to credentials.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// They are known.
    Keys(StaticKeys),
    /// A role, by a token in a file.
    WebIdentity(WebIdentity),
    /// The container is asked.
    Container(Container),
    /// The machine is asked.
    Instance(Uri),
    /// A program is asked.
    Process(String),
    /// A role, by other credentials.
    Assume {
        /// The others.
        base: Box<Plan>,
        /// The role.
        role: Role,
    },
}

/// What is needed to go any of the ways.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// To this machine and its metadata: never through a proxy.
    pub(crate) near: HttpClient,
    /// To AWS.
    pub(crate) far: HttpClient,
    pub(crate) region: String,
    pub(crate) sts: Option<Uri>,
    pub(crate) now: Now,
    pub(crate) timeout: Duration,
}

/// Temporary credentials are renewed this long before they end.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// The machine's metadata is near, or not there.
const NEAR: Duration = Duration::from_secs(2);
/// A program that asks a person takes its time.
const PROCESS: Duration = Duration::from_secs(60);
/// Bytes of shared files and tokens.
const FILE_BYTES: usize = 1024 * 1024;

/// Credentials that stay good.
#[derive(Debug)]
pub(crate) struct Credentials {
    plan: Plan,
    paths: Arc<Paths>,
    newest: Mutex<Option<Keys>>,
}

impl Credentials {
    pub(crate) fn new(plan: Plan, paths: Arc<Paths>) -> Self {
        Self { plan, paths, newest: Mutex::new(None) }
    }

    /// The same, as a role.
    pub(crate) fn assuming(&self, role: &Role) -> Self {
        let base = Box::new(self.plan.clone());
        Self::new(Plan::Assume { base, role: role.clone() }, self.paths.clone())
    }

    /// Good credentials.
    ///
    /// # Errors
    /// Why there are none.
    pub(crate) async fn keys(&self) -> Result<Keys, String> {
        let mut newest = self.newest.lock().await;
        let now = (self.paths.now)();
        if let Some(keys) = newest.as_ref().filter(|keys| good_for(keys, now, AHEAD)) {
            return Ok(keys.clone());
        }
        match self.paths.go(&self.plan).await {
            Ok(keys) => {
                *newest = Some(keys.clone());
                Ok(keys)
            }
            Err(error) => match newest.as_ref().filter(|keys| good_for(keys, now, SignedDuration::ZERO)) {
                Some(keys) => {
                    tracing::warn!("credentials could not be renewed: {error}");
                    Ok(keys.clone())
                }
                None => Err(error),
            },
        }
    }
}

fn good_for(keys: &Keys, now: Timestamp, rest: SignedDuration) -> bool {
    keys.expires.is_none_or(|expires| now.duration_until(expires) > rest)
}

/// What is known at the start: a way, or why there is none, and the region that the shared files name.
pub(crate) struct Found {
    pub(crate) plan: Result<Plan, String>,
    pub(crate) region: Option<String>,
}

/// Reads the shared files.
pub(crate) fn find(aws: &AwsSettings) -> Found {
    let mut profiles = Profiles::default();
    for (path, file) in [(&aws.credentials_file, File::Credentials), (&aws.config_file, File::Config)] {
        if let Some(Ok(text)) = path.as_ref().map(|path| read_text(path)) {
            profiles.add(&text, file);
        }
    }
    let region = profiles.region(aws.profile.as_deref().unwrap_or("default"));
    Found { plan: profile::plan(aws, &profiles), region }
}

fn read_text(path: &std::path::Path) -> Result<String, String> {
    let bytes =
        private_file::read(path, FILE_BYTES).map_err(|error| format!("{}: {error}", path.display()))?;
    let bytes = bytes.ok_or_else(|| format!("{} does not exist", path.display()))?;
    String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))
}

async fn read_text_apart(path: PathBuf) -> Result<String, String> {
    let read = tokio::task::spawn_blocking(move || read_text(&path)).await;
    read.map_err(|error| error.to_string())?
}

/// Credentials as container, machine and programs write them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeysBody {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<Timestamp>,
}

fn read_keys(json: &[u8]) -> Result<Keys, String> {
    // The error would show what it has read.
    let body: KeysBody =
        serde_json::from_slice(json).map_err(|_| "the answer is no credentials".to_owned())?;
    Ok(Keys {
        access_key_id: body.access_key_id,
        secret: body.secret_access_key.into(),
        session_token: body.token.map(Secret::from),
        expires: body.expiration,
    })
}

type Going<'p> = Pin<Box<dyn Future<Output = Result<Keys, String>> + Send + 'p>>;

impl Paths {
    fn go<'p>(&'p self, plan: &'p Plan) -> Going<'p> {
        Box::pin(async move {
            match plan {
                Plan::Keys(keys) => Ok(keys.clone().into()),
                Plan::WebIdentity(identity) => self.web_identity(identity).await,
                Plan::Container(container) => self.container(container).await,
                Plan::Instance(url) => self.instance(url).await,
                Plan::Process(command) => process(command).await,
                Plan::Assume { base, role } => {
                    let keys = self.go(base).await?;
                    self.sts(sts::assume_role(role), Some(&keys)).await
                }
            }
        })
    }

    async fn web_identity(&self, identity: &WebIdentity) -> Result<Keys, String> {
        let token = read_text_apart(identity.token_file.clone()).await?;
        self.sts(sts::assume_role_with_web_identity(identity, &token), None).await
    }

    async fn sts(&self, form: String, keys: Option<&Keys>) -> Result<Keys, String> {
        let url = match &self.sts {
            Some(url) => url.clone(),
            None => aws_endpoint("sts", &self.region).ok_or("the region is no part of a host")?,
        };
        let host = host_header(&url);
        let body = Bytes::from(form);
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target(&url, "/").ok_or("STS has no address")?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(HOST, HeaderValue::from_str(&host).map_err(|error| error.to_string())?);
        if let Some(keys) = keys {
            let method = Method::POST;
            let path = request.uri().path().to_owned();
            let wanted = RequestToSign { method: &method, host: &host, path: &path, query: "", body: &body };
            let signed = keys.signer(&self.region, "sts").sign(&wanted, (self.now)());
            request.headers_mut().extend(signed.map_err(|error| error.to_string())?);
        }
        let answer = self.far.send(request, self.timeout).await;
        let answer = answer.map_err(|error| format!("STS does not answer: {error}"))?;
        let text = String::from_utf8_lossy(answer.body());
        let status = answer.status();
        sts::read(&text).filter(|_| status.is_success()).ok_or_else(|| {
            sts::read_error(&text)
                .map_or_else(|| format!("STS answered {status}"), |error| format!("STS: {error}"))
        })
    }

    async fn container(&self, container: &Container) -> Result<Keys, String> {
        let token = match &container.token_file {
            Some(path) => Some(Secret::from(read_text_apart(path.clone()).await?)),
            None => container.token.clone(),
        };
        let mut request = get(container.url.clone());
        if let Some(token) = token {
            let mut value =
                HeaderValue::from_str(token.expose().trim()).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        read_keys(&self.ask(request, "the container's credentials").await?)
    }

    async fn instance(&self, url: &Uri) -> Result<Keys, String> {
        let token = self.instance_token(url).await?;
        let path = "/latest/meta-data/iam/security-credentials/";
        let role = self.ask(self.with_token(url, path, &token)?, "the machine's role").await?;
        let role = String::from_utf8_lossy(&role);
        let role = role.lines().next().unwrap_or_default().trim();
        let path = format!("{path}{}", yardarm_client::segment(role));
        read_keys(&self.ask(self.with_token(url, &path, &token)?, "the machine's credentials").await?)
    }

    /// The region of the machine, by its metadata.
    pub(crate) async fn instance_region(&self, url: &Uri) -> Result<String, String> {
        let token = self.instance_token(url).await?;
        let request = self.with_token(url, "/latest/meta-data/placement/region", &token)?;
        let region = self.ask(request, "the machine's region").await?;
        Ok(String::from_utf8_lossy(&region).trim().to_owned())
    }

    /// The region of the container, by the ARN of its task.
    pub(crate) async fn container_region(&self, url: &Uri) -> Option<String> {
        #[derive(Deserialize)]
        struct Task {
            #[serde(rename = "TaskARN")]
            arn: String,
        }
        let task = self.ask(get(target(url, "/task")?), "the container's task").await.ok()?;
        let task: Task = serde_json::from_slice(&task).ok()?;
        task.arn.split(':').nth(3).map(ToOwned::to_owned)
    }

    async fn instance_token(&self, url: &Uri) -> Result<HeaderValue, String> {
        let mut request =
            get(target(url, "/latest/api/token").ok_or("the machine's metadata has no address")?);
        *request.method_mut() = Method::PUT;
        let seconds = HeaderValue::from_static("21600");
        request.headers_mut().insert("x-aws-ec2-metadata-token-ttl-seconds", seconds);
        let token = self.ask(request, "the machine's metadata").await?;
        HeaderValue::from_bytes(token.trim_ascii()).map_err(|error| error.to_string())
    }

    fn with_token(&self, url: &Uri, path: &str, token: &HeaderValue) -> Result<Request<Bytes>, String> {
        let mut request = get(target(url, path).ok_or("the machine's metadata has no address")?);
        request.headers_mut().insert("x-aws-ec2-metadata-token", token.clone());
        Ok(request)
    }

    async fn ask(&self, request: Request<Bytes>, what: &str) -> Result<Bytes, String> {
        let answer = self.near.send(request, NEAR).await.map_err(|error| format!("{what}: {error}"))?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        Err(format!("{what}: answered {}", answer.status()))
    }
}

fn get(uri: Uri) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
    request
}

async fn process(command: &str) -> Result<Keys, String> {
    let mut process = tokio::process::Command::new("sh");
    process.arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PROCESS, process.output()).await;
    let output = output.map_err(|_| "credential_process takes too long".to_owned())?;
    let output = output.map_err(|error| format!("credential_process: {error}"))?;
    if !output.status.success() {
        return Err(format!("credential_process ended with {}", output.status));
    }
    read_keys(&output.stdout).map_err(|error| format!("credential_process: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_containers_machines_and_programs_are_read() {
        let json = br#"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"S","Token":"T","Expiration":"2026-11-24T12:00:00Z"}"#;
        let keys = read_keys(json).unwrap();
        assert_eq!((keys.access_key_id.as_str(), keys.session_token.unwrap().expose()), ("A", "T"));
        let program = br#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"hush","SessionToken":"T"}"#;
        let keys = read_keys(program).unwrap();
        assert_eq!((keys.secret.expose(), keys.expires), ("hush", None));
        assert!(!format!("{keys:?}").contains("hush"));
        assert!(read_keys(b"{}").is_err());
    }

    #[test]
    fn temporary_credentials_are_renewed_ahead_of_their_end() {
        let end: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let keys = Keys {
            access_key_id: "A".into(),
            secret: Secret::from("S".to_owned()),
            session_token: None,
            expires: Some(end),
        };
        assert!(good_for(&keys, end - SignedDuration::from_mins(6), AHEAD));
        assert!(!good_for(&keys, end - SignedDuration::from_mins(4), AHEAD));
        assert!(!good_for(&keys, end, SignedDuration::ZERO));
    }

    #[tokio::test]
    async fn a_program_is_asked_and_heard_out() {
        let keys = process(r#"echo '{"AccessKeyId":"A","SecretAccessKey":"S"}'"#).await.unwrap();
        assert_eq!(keys.access_key_id, "A");
        assert!(process("exit 3").await.unwrap_err().contains("exit status: 3"));
    }
}

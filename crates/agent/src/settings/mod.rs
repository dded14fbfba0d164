//! What the agent is told at its start: the variables of the AWS AppConfig agent, under both of their names, those of AWS
//! SDKs, and ours.
//!
//! **Invariant:** nothing here reads the environment: whoever starts the agent hands in what to look variables up with.
//! A variable that is empty counts as absent; one that cannot be read is named, and stops the start. Unknown ones are
//! passed over. Secrets are never part of a message.

mod aws;
mod value;

pub use aws::{AwsSettings, Container, StaticKeys, WebIdentity};
pub use value::{Host, LogLevel, ManifestPlace};

use crate::name::ConfigurationName;
use crate::secret::Secret;
use http::{HeaderMap, Uri};
use std::path::PathBuf;
use std::time::Duration;
use yardarm_ofrep::StreamSettings;

/// A variable that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is wrong: it must be {expected}")]
pub struct BadVariable {
    /// Which.
    pub name: &'static str,
    /// What it should be.
    pub expected: String,
}

/// Everything the agent is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What callers must send as a bearer token.
    pub access_token: Option<Secret>,
    /// Where to listen.
    pub host: Host,
    /// The port to listen at.
    pub port: u16,
    /// Which lines to write.
    pub log_level: LogLevel,
    /// Into which file; otherwise to standard error.
    pub log_path: Option<PathBuf>,
    /// How configurations are kept.
    pub keeping: KeepingSettings,
    /// How change events are sent to OpenFeature clients.
    pub streams: StreamSettings,
    /// Where configurations come from.
    pub origin: Origin,
    /// Where records of experiments are to go: `stderr` or `file:/dir/`. Experiments are not served yet.
    pub experiment_log: Option<String>,
}

/// How configurations are kept, wherever they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepingSettings {
    /// How often a configuration is asked for.
    pub poll_interval: Duration,
    /// The longest a caller waits for the first answer, and an attempt upstream may take.
    pub request_timeout: Duration,
    /// What to fetch at the start.
    pub prefetch: Vec<ConfigurationName>,
    /// Where copies are kept.
    pub backups: Option<Backups>,
    /// What describes configurations one by one.
    pub manifest: Option<ManifestPlace>,
    /// Whether the start waits until the manifest has been carried out.
    pub wait_on_manifest: bool,
}

impl Default for KeepingSettings {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(45),
            request_timeout: Duration::from_millis(3_000),
            prefetch: vec![],
            backups: None,
            manifest: None,
            wait_on_manifest: true,
        }
    }
}

/// Copies on the disk, for a restart while upstream does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backups {
    /// The folder.
    pub directory: PathBuf,
    /// Whether they are served from the start, or only when upstream cannot be reached.
    pub preload: bool,
}

/// Where configurations come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A folder, for development.
    LocalDirectory(PathBuf),
    /// A data plane.
    Upstream(Box<UpstreamSettings>),
}

/// How the data plane is reached.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// Where it is; otherwise AWS's own address for the region.
    pub endpoint: Option<Endpoint>,
    /// The region, if it was told.
    pub region: Option<String>,
    /// A bearer token of a Yardarm server, instead of AWS credentials.
    pub token: Option<Secret>,
    /// A role to assume for everything.
    pub role: Option<Role>,
    /// Where AWS credentials are found.
    pub aws: AwsSettings,
    /// The most connections at a time.
    pub max_connections: usize,
    /// The longest an attempt may take.
    pub request_timeout: Duration,
    /// Through whom to connect.
    pub proxy: Option<Proxy>,
    /// Whether to hear of changes by the stream of a Yardarm server.
    pub stream: bool,
}

/// Where a data plane is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address.
    pub url: Uri,
    /// Whether it was given as a Yardarm server's: one on this machine takes the development key.
    pub is_yardarm: bool,
}

/// A role to assume.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What its trust policy may ask for.
    pub external_id: Option<String>,
    /// What the session is called.
    pub session_name: Option<String>,
    /// How long its credentials are good; otherwise an hour.
    pub duration: Option<Duration>,
}

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is.
    pub url: Uri,
    /// What it wants to be told.
    pub headers: HeaderMap,
}

/// The longest poll interval: tokens live no longer.
const LONGEST_INTERVAL: Duration = Duration::from_secs(86_400);
/// The longest request timeout.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(300);

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// The variables of a data plane's address at AWS, the most particular first.
const ENDPOINTS: &[&str] =
    &["AWS_APPCONFIG_EXTENSION_SERVICE_ENDPOINT", "AWS_ENDPOINT_URL_APPCONFIGDATA", "AWS_ENDPOINT_URL"];

/// The variables of the region.
const REGIONS: &[&str] =
    &["SERVICE_REGION", "AWS_APPCONFIG_EXTENSION_SERVICE_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"];

/// Poll intervals as in `POLL_INTERVAL` and in a manifest.
pub(crate) fn poll_interval(text: &str) -> Result<Duration, String> {
    let units = [("s", SECOND), ("m", SECOND * 60), ("h", SECOND * 3_600)];
    value::duration(text, SECOND, &units, LONGEST_INTERVAL)
}

/// How long credentials are good, as in a manifest: hours, unless a unit says otherwise.
pub(crate) fn credentials_duration(text: &str) -> Result<Duration, String> {
    let units = [("s", SECOND), ("m", SECOND * 60), ("h", SECOND * 3_600)];
    value::duration(text, SECOND * 3_600, &units, SECOND * 43_200)
}

fn request_timeout(text: &str) -> Result<Duration, String> {
    value::duration(text, MILLISECOND, &[("ms", MILLISECOND), ("s", SECOND)], LONGEST_TIMEOUT)
}

fn experiment_log(text: &str) -> Result<String, String> {
    let folder = text.strip_prefix("file:").is_some_and(|folder| folder.starts_with('/'));
    let good = text == "stderr" || folder;
    good.then(|| text.to_owned()).ok_or_else(|| "stderr or file:/dir/".into())
}

/// What variables are looked up with.
pub(crate) struct Variables<'l>(pub(crate) &'l dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    /// The first of `names` that has a value.
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        let found = names.iter().filter_map(|name| Some((*name, (self.0)(name)?.trim().to_owned())));
        found.into_iter().find(|(_, value)| !value.is_empty())
    }

    fn text(&self, names: &[&'static str]) -> Option<String> {
        self.first(names).map(|(_, value)| value)
    }

    fn secret(&self, names: &[&'static str]) -> Option<Secret> {
        self.text(names).map(Secret::from)
    }

    fn path(&self, names: &[&'static str]) -> Option<PathBuf> {
        self.text(names).map(PathBuf::from)
    }

    fn parse<T>(
        &self,
        names: &[&'static str],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, BadVariable> {
        let Some((name, value)) = self.first(names) else { return Ok(None) };
        parse(&value).map(Some).map_err(|expected| BadVariable { name, expected })
    }
}

/// A variable that has a second name in the Lambda extension.
macro_rules! both {
    ($name:literal) => {
        both!($name, $name)
    };
    ($name:literal, $extension:literal) => {
        &[$name, concat!("AWS_APPCONFIG_EXTENSION_", $extension)]
    };
}

impl Settings {
    /// Reads all variables. `lookup` answers the value of a variable.
    ///
    /// # Errors
    /// The first variable that cannot be read.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadVariable> {
        let variables = Variables(lookup);
        let timeout = variables.parse(both!("REQUEST_TIMEOUT", "POLL_TIMEOUT_MILLIS"), request_timeout)?;
        let keeping = keeping(&variables, timeout)?;
        let origin = match variables.path(&["LOCAL_DEVELOPMENT_DIRECTORY"]) {
            Some(directory) => Origin::LocalDirectory(directory),
            None => Origin::Upstream(Box::new(upstream(&variables, keeping.request_timeout)?)),
        };
        Ok(Self {
            access_token: variables.secret(&["ACCESS_TOKEN"]),
            host: variables.parse(&["HTTP_HOST"], value::host)?.unwrap_or(Host::Loopback),
            port: variables
                .parse(both!("HTTP_PORT"), |text| value::number(text, 0, u16::MAX))?
                .unwrap_or(2772),
            log_level: variables.parse(both!("LOG_LEVEL"), value::log_level)?.unwrap_or_default(),
            log_path: variables.path(&["LOG_PATH"]),
            keeping,
            streams: streams(&variables)?,
            origin,
            experiment_log: variables
                .parse(both!("EXPERIMENT_ASSIGNMENT_LOG_DESTINATION"), experiment_log)?,
        })
    }
}

fn keeping(variables: &Variables<'_>, timeout: Option<Duration>) -> Result<KeepingSettings, BadVariable> {
    let default = KeepingSettings::default();
    let preload = variables.parse(&["PRELOAD_BACKUPS", "PRELOAD_BACKUP"], value::boolean)?.unwrap_or(true);
    let backups = variables.path(&["BACKUP_DIRECTORY"]);
    Ok(KeepingSettings {
        poll_interval: variables
            .parse(both!("POLL_INTERVAL", "POLL_INTERVAL_SECONDS"), poll_interval)?
            .unwrap_or(default.poll_interval),
        request_timeout: timeout.unwrap_or(default.request_timeout),
        prefetch: variables.parse(both!("PREFETCH_LIST"), value::names)?.unwrap_or_default(),
        backups: backups.map(|directory| Backups { directory, preload }),
        manifest: variables.parse(both!("MANIFEST"), value::manifest)?,
        wait_on_manifest: variables
            .parse(both!("WAIT_ON_MANIFEST"), value::boolean)?
            .unwrap_or(default.wait_on_manifest),
    })
}

/// As the server's options are called.
fn streams(variables: &Variables<'_>) -> Result<StreamSettings, BadVariable> {
    let default = StreamSettings::default();
    Ok(StreamSettings {
        connections: variables
            .parse(&["YARDARM_MAX_EVENT_STREAMS"], |text| value::number(text, 0, 1_000_000))?
            .unwrap_or(default.connections),
        refetches_per_s: variables
            .parse(&["YARDARM_REFETCHES_PER_SECOND"], |text| value::number(text, 1, 1_000_000))?
            .unwrap_or(default.refetches_per_s),
        ..default
    })
}

fn upstream(variables: &Variables<'_>, request_timeout: Duration) -> Result<UpstreamSettings, BadVariable> {
    let endpoint = match variables.parse(&["YARDARM_URL"], value::url)? {
        Some(url) => Some(Endpoint { url, is_yardarm: true }),
        None => variables.parse(ENDPOINTS, value::url)?.map(|url| Endpoint { url, is_yardarm: false }),
    };
    let stream = variables.parse(&["YARDARM_STREAM"], value::boolean)?.unwrap_or(true)
        && endpoint.as_ref().is_some_and(|endpoint| endpoint.is_yardarm);
    let token = variables.secret(&["YARDARM_TOKEN"]);
    if token.is_some() && endpoint.is_none() {
        let expected = "set together with YARDARM_URL: it is not for AWS".into();
        return Err(BadVariable { name: "YARDARM_TOKEN", expected });
    }
    let role = |arn| Role {
        arn,
        external_id: variables.text(both!("ROLE_EXTERNAL_ID")),
        session_name: variables.text(both!("ROLE_SESSION_NAME")),
        duration: None,
    };
    let proxy_headers = variables.parse(both!("PROXY_HEADERS"), value::headers)?.unwrap_or_default();
    let proxy = variables.parse(both!("PROXY_URL"), value::url)?;
    Ok(UpstreamSettings {
        endpoint,
        region: variables.parse(REGIONS, value::region)?,
        token,
        role: variables.text(both!("ROLE_ARN")).map(role),
        aws: AwsSettings::read(variables)?,
        max_connections: variables
            .parse(both!("MAX_CONNECTIONS"), |text| value::number(text, 1, 1_000))?
            .unwrap_or(3),
        request_timeout,
        proxy: proxy.map(|url| Proxy { url, headers: proxy_headers }),
        stream,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, BadVariable> {
        let map: HashMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::read(&|name| map.get(name).cloned())
    }

    fn upstream_of(settings: Settings) -> UpstreamSettings {
        match settings.origin {
            Origin::Upstream(upstream) => *upstream,
            Origin::LocalDirectory(_) => panic!("no upstream"),
        }
    }

    #[test]
    fn nothing_told_means_the_defaults() {
        let settings = read(&[]).unwrap();
        assert_eq!((settings.host.clone(), settings.port), (Host::Loopback, 2772));
        assert_eq!(settings.keeping, KeepingSettings::default());
        assert_eq!(settings.log_level, LogLevel::Info);
        assert!(settings.access_token.is_none() && settings.log_path.is_none());
        let upstream = upstream_of(settings);
        assert_eq!((upstream.max_connections, upstream.endpoint, upstream.region), (3, None, None));
    }

    #[test]
    fn variables_of_the_extension_mean_the_same_and_come_second() {
        let settings = read(&[
            ("AWS_APPCONFIG_EXTENSION_POLL_INTERVAL_SECONDS", "15"),
            ("AWS_APPCONFIG_EXTENSION_POLL_TIMEOUT_MILLIS", "500"),
            ("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "2000"),
            ("AWS_APPCONFIG_EXTENSION_LOG_LEVEL", "DEBUG"),
            (
                "AWS_APPCONFIG_EXTENSION_PREFETCH_LIST",
                "/applications/a/environments/b/configurations/c, d:e:f",
            ),
            ("AWS_APPCONFIG_EXTENSION_MAX_CONNECTIONS", "9"),
            ("AWS_APPCONFIG_EXTENSION_ROLE_ARN", "arn:aws:iam::123456789012:role/r"),
            ("AWS_APPCONFIG_EXTENSION_SERVICE_REGION", "eu-central-1"),
            ("AWS_APPCONFIG_EXTENSION_MANIFEST", "m:n:o"),
            ("AWS_APPCONFIG_EXTENSION_WAIT_ON_MANIFEST", "false"),
            ("HTTP_PORT", "2001"),
        ])
        .unwrap();
        assert_eq!(settings.port, 2001);
        assert_eq!(settings.log_level, LogLevel::Debug);
        assert_eq!(settings.keeping.poll_interval, Duration::from_secs(15));
        assert_eq!(settings.keeping.request_timeout, Duration::from_millis(500));
        let names: Vec<String> = settings.keeping.prefetch.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a:b:c", "d:e:f"]);
        assert!(!settings.keeping.wait_on_manifest && settings.keeping.manifest.is_some());
        let upstream = upstream_of(settings);
        assert_eq!(upstream.max_connections, 9);
        assert_eq!(upstream.role.unwrap().arn, "arn:aws:iam::123456789012:role/r");
        assert_eq!(upstream.region.as_deref(), Some("eu-central-1"));
    }

    #[test]
    fn the_most_particular_endpoint_is_taken() {
        let endpoint = |pairs: &[(&str, &str)]| {
            let endpoint = upstream_of(read(pairs).unwrap()).endpoint.unwrap();
            (endpoint.url.to_string(), endpoint.is_yardarm)
        };
        let all = [
            ("AWS_ENDPOINT_URL", "http://a"),
            ("AWS_ENDPOINT_URL_APPCONFIGDATA", "http://b"),
            ("AWS_APPCONFIG_EXTENSION_SERVICE_ENDPOINT", "http://c"),
            ("YARDARM_URL", "http://d"),
        ];
        let found = [1, 2, 3, 4].map(|count| endpoint(&all[..count]));
        let expected =
            [("http://a/", false), ("http://b/", false), ("http://c/", false), ("http://d/", true)];
        assert_eq!(found, expected.map(|(url, ours)| (url.to_owned(), ours)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (name, value) in [
            ("HTTP_PORT", "x"),
            ("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "65536"),
            ("HTTP_HOST", "a b"),
            ("POLL_INTERVAL", "0"),
            ("REQUEST_TIMEOUT", "1h"),
            ("LOG_LEVEL", "loud"),
            ("MANIFEST", "a"),
            ("WAIT_ON_MANIFEST", "perhaps"),
            ("MAX_CONNECTIONS", "0"),
            ("PREFETCH_LIST", "a:b"),
            ("PRELOAD_BACKUPS", "2"),
            ("PROXY_URL", "proxy"),
            ("PROXY_HEADERS", "x"),
            ("SERVICE_REGION", "US"),
            ("YARDARM_URL", "127.0.0.1"),
            ("YARDARM_MAX_EVENT_STREAMS", "many"),
            ("YARDARM_REFETCHES_PER_SECOND", "0"),
            ("AWS_ENDPOINT_URL", "x"),
            ("EXPERIMENT_ASSIGNMENT_LOG_DESTINATION", "stdout"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error.name, name);
            assert!(error.to_string().starts_with(&format!("{name} is wrong: it must be ")), "{error}");
        }
    }

    #[test]
    fn empty_variables_are_absent_and_unknown_ones_are_passed_over() {
        assert!(read(&[("HTTP_PORT", ""), ("LOG_LEVEL", " "), ("SOMETHING", "else")]).is_ok());
    }

    #[test]
    fn a_token_of_a_yardarm_server_is_never_sent_to_aws() {
        assert_eq!(read(&[("YARDARM_TOKEN", "ydm_x")]).unwrap_err().name, "YARDARM_TOKEN");
        let settings = read(&[("YARDARM_TOKEN", "ydm_x"), ("YARDARM_URL", "http://x")]).unwrap();
        assert!(!format!("{settings:?}").contains("ydm_x"));
    }
}

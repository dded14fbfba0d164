//! Options of the server: from the command line, the environment, `yardarm.toml` and the defaults, in that order. And
//! what several commands of its users have in common, from the command line and the environment.
//!
//! **Invariant:** an option has one name, the same everywhere but for its spelling (`--poll-interval-seconds`,
//! `YARDARM_POLL_INTERVAL_SECONDS`, `poll-interval-seconds`); names that mean nothing are errors, not ignored.

use crate::commands::Failure;
use crate::environment;
use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use yardarm_domain::rollout::Begin;
use yardarm_domain::{
    Account, AccountId, Concurrency, Policy, Quotas, Region, RetryPolicy, TickInterval, UnregisteredAlarms,
};
use yardarm_listen::Bounds;
use yardarm_node::{AlarmSettings, NodeConfig, SessionSettings};
use yardarm_outbound::{Network, Policy as CallPolicy, Target as CallTarget};
use yardarm_server::{
    Authentication, Limits, OfrepSettings, OutsideSettings, RateLimits, RolloutStreamSettings,
    ServerSettings, StreamSettings,
};

/// How requests prove who sent them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AuthenticationOption {
    /// AWS Signature Version 4.
    Signature,
    /// Not at all; on loopback only.
    None,
}

/// What happens to a deployment when another one is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ConcurrencyOption {
    /// Refuse it if any is in progress in the environment, as AWS AppConfig does.
    OnePerEnvironment,
    /// Refuse it if one of the same configuration profile is in progress in the environment.
    OnePerProfile,
    /// Let it wait its turn.
    Queue,
}

/// What a monitor means whose alarm is not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnregisteredOption {
    /// Nobody would watch it: refuse to deploy there.
    Refuse,
    /// Nothing; the deployment's event log says that it is not watched.
    Ignore,
}

/// When a rollout takes its first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GrowthOption {
    /// One interval after the start.
    AfterInterval,
    /// At the start.
    AtOnce,
}

/// Where the agent listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum AgentListen {
    /// Nowhere.
    Off,
    /// At this address, unless somebody else does.
    IfFree(SocketAddr),
    /// At this address.
    At(SocketAddr),
}

impl std::str::FromStr for AgentListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            address => {
                address.parse().map(Self::At).map_err(|_| "an address like 127.0.0.1:2772, or off".into())
            }
        }
    }
}

impl TryFrom<String> for AgentListen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AgentListen> for String {
    fn from(listen: AgentListen) -> Self {
        match listen {
            AgentListen::Off => "off".into(),
            AgentListen::IfFree(address) | AgentListen::At(address) => address.to_string(),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $env:literal, $long:literal, $default:expr $(, ($($arg:tt)*))?;)*) => {
        /// The server's options; what is absent takes its default.
        #[derive(Args, Clone, Debug, Default, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub(crate) struct Options {
            $($(#[$doc])* #[arg(long = $long, env = $env $(, $($arg)*)?)] pub(crate) $name: Option<$type>,)*
        }

        /// The options in force.
        #[derive(Clone, Debug, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) struct InForce {
            $($(#[$doc])* pub(crate) $name: $type,)*
        }

        impl Options {
            /// What is given here, else what `other` says.
            fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)* }
            }

            fn in_force(self) -> InForce {
                InForce { $($name: self.$name.unwrap_or_else(|| $default),)* }
            }

            /// Names of the options in the environment.
            fn variables() -> Vec<String> {
                vec![$($env.to_owned(),)*]
            }
        }
    };
}

options! {
    /// Address of the AWS control plane, data plane and native API.
    listen: SocketAddr = "YARDARM_LISTEN", "listen", SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4770);
    /// Address of the agent that applications on this machine ask over plain HTTP; `off` for none.
    agent_listen: AgentListen = "YARDARM_AGENT_LISTEN", "agent-listen", AgentListen::IfFree(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 2772));
    /// Folder of the embedded store. Made if it does not exist.
    data: PathBuf = "YARDARM_DATA", "data", PathBuf::from("yardarm-data");
    /// File of the master key that secrets are sealed with. Made if it does not exist. By default `master.key` in the
    /// data folder; YARDARM_MASTER_KEY in the environment holds the key itself and comes first.
    master_key_file: PathBuf = "YARDARM_MASTER_KEY_FILE", "master-key-file", PathBuf::new();
    /// Region of signatures and ARNs.
    region: String = "YARDARM_REGION", "region", "us-east-1".into();
    /// Account of ARNs: twelve digits.
    account_id: String = "YARDARM_ACCOUNT_ID", "account-id", "000000000000".into();
    /// Development mode: loopback only; the key pair yardarm / yardarm-dev-secret works.
    dev: bool = "YARDARM_DEV", "dev", false, (num_args = 0..=1, default_missing_value = "true", require_equals = true);
    /// How requests prove who sent them.
    authentication: AuthenticationOption = "YARDARM_AUTHENTICATION", "authentication", AuthenticationOption::Signature;
    /// How log lines look.
    log_format: LogFormat = "YARDARM_LOG_FORMAT", "log-format", LogFormat::Text;
    /// Which log lines are written: error, warn, info, debug, or directives like yardarm_server=debug.
    log_level: String = "YARDARM_LOG_LEVEL", "log-level", "info".into();
    /// What happens to a deployment when another one is in the way.
    deployment_concurrency: ConcurrencyOption = "YARDARM_DEPLOYMENT_CONCURRENCY", "deployment-concurrency", ConcurrencyOption::OnePerEnvironment;
    /// When a rollout takes its first step.
    growth_begins: GrowthOption = "YARDARM_GROWTH_BEGINS", "growth-begins", GrowthOption::AfterInterval;
    /// Refuse a stale LatestDeploymentNumber.
    strict_latest_deployment_number: bool = "YARDARM_STRICT_LATEST_DEPLOYMENT_NUMBER", "strict-latest-deployment-number", false, (num_args = 0..=1, default_missing_value = "true", require_equals = true);
    /// Refuse a monitor without AlarmRoleArn.
    strict_alarm_role: bool = "YARDARM_STRICT_ALARM_ROLE", "strict-alarm-role", false, (num_args = 0..=1, default_missing_value = "true", require_equals = true);
    /// What a monitor means whose alarm is not registered: refuse deployments there, or ignore the monitor and say so.
    unregistered_alarms: UnregisteredOption = "YARDARM_UNREGISTERED_ALARMS", "unregistered-alarms", UnregisteredOption::Refuse;
    /// How often the source of an alarm is asked while a deployment depends on it.
    alarm_poll_seconds: u32 = "YARDARM_ALARM_POLL_SECONDS", "alarm-poll-seconds", 5;
    /// Watch the CloudWatch alarms that monitors name by ARN, with the AWS credentials of the environment.
    cloudwatch_alarms: bool = "YARDARM_CLOUDWATCH_ALARMS", "cloudwatch-alarms", false, (num_args = 0..=1, default_missing_value = "true", require_equals = true);
    /// Where to ask for CloudWatch alarms instead of AWS, as in `http://127.0.0.1:4566`.
    cloudwatch_endpoint: String = "YARDARM_CLOUDWATCH_ENDPOINT", "cloudwatch-endpoint", String::new();
    /// What clients that ask for no interval are told to poll at.
    poll_interval_seconds: u32 = "YARDARM_POLL_INTERVAL_SECONDS", "poll-interval-seconds", 60;
    /// Refuse polls earlier than the announced interval from everyone, not only from those who asked for one.
    strict_poll_interval: bool = "YARDARM_STRICT_POLL_INTERVAL", "strict-poll-interval", false, (num_args = 0..=1, default_missing_value = "true", require_equals = true);
    /// How long the configuration token before the newest one is tolerated: an answer may have been lost.
    token_reuse_seconds: u32 = "YARDARM_TOKEN_REUSE_SECONDS", "token-reuse-seconds", 10;
    /// The largest request body, bytes.
    max_body_bytes: usize = "YARDARM_MAX_BODY_BYTES", "max-body-bytes", Limits::default().body_bytes;
    /// The largest request head, bytes.
    max_head_bytes: usize = "YARDARM_MAX_HEAD_BYTES", "max-head-bytes", Bounds::default().head_bytes;
    /// The most headers of a request.
    max_headers: usize = "YARDARM_MAX_HEADERS", "max-headers", Bounds::default().headers;
    /// The most connections open at a time.
    max_connections: usize = "YARDARM_MAX_CONNECTIONS", "max-connections", Bounds::default().connections;
    /// The longest a request may take.
    request_timeout_seconds: u32 = "YARDARM_REQUEST_TIMEOUT_SECONDS", "request-timeout-seconds", 30;
    /// How long requests under way may go on at shutdown.
    drain_seconds: u32 = "YARDARM_DRAIN_SECONDS", "drain-seconds", 20;
    /// The most requests a second of one bearer token; 0 for any number.
    rate_limit_token: u32 = "YARDARM_RATE_LIMIT_TOKEN", "rate-limit-token", RateLimits::default().token_per_s;
    /// The most requests a second of one access key; 0 for any number.
    rate_limit_access_key: u32 = "YARDARM_RATE_LIMIT_ACCESS_KEY", "rate-limit-access-key", RateLimits::default().access_key_per_s;
    /// The most requests a second from one address that prove nothing; 0 for any number.
    rate_limit_address: u32 = "YARDARM_RATE_LIMIT_ADDRESS", "rate-limit-address", RateLimits::default().address_per_s;
    /// As many requests as are due in so many seconds may come at once.
    rate_limit_burst_seconds: u32 = "YARDARM_RATE_LIMIT_BURST_SECONDS", "rate-limit-burst-seconds", RateLimits::default().burst_s;
    /// A second place for all OFREP paths, as in /team-a.
    ofrep_prefix: String = "YARDARM_OFREP_PREFIX", "ofrep-prefix", String::new();
    /// Origins of web pages that may evaluate flags over OFREP, separated by commas; * for all.
    ofrep_allowed_origins: String = "YARDARM_OFREP_ALLOWED_ORIGINS", "ofrep-allowed-origins", "*".into();
    /// Headers that those pages may send besides the usual ones, separated by commas.
    ofrep_allowed_headers: String = "YARDARM_OFREP_ALLOWED_HEADERS", "ofrep-allowed-headers", String::new();
    /// Where OFREP clients reach this server, as in `https://flags.example.com`; for the addresses of event streams.
    ofrep_public_url: String = "YARDARM_OFREP_PUBLIC_URL", "ofrep-public-url", String::new();
    /// Environment of OFREP requests that name none, as in my-application/production.
    ofrep_environment: String = "YARDARM_OFREP_ENVIRONMENT", "ofrep-environment", String::new();
    /// The largest OFREP request body, bytes.
    ofrep_max_body_bytes: usize = "YARDARM_OFREP_MAX_BODY_BYTES", "ofrep-max-body-bytes", OfrepSettings::default().body_bytes;
    /// The most event streams open at a time; 0 offers none.
    max_event_streams: usize = "YARDARM_MAX_EVENT_STREAMS", "max-event-streams", StreamSettings::default().connections;
    /// How many clients should come back in a second after an event that can wait.
    refetches_per_second: u32 = "YARDARM_REFETCHES_PER_SECOND", "refetches-per-second", StreamSettings::default().refetches_per_s;
    /// The most streams of rollouts open at a time, besides the connections; 0 offers none.
    max_rollout_streams: usize = "YARDARM_MAX_ROLLOUT_STREAMS", "max-rollout-streams", RolloutStreamSettings::default().streams;
    /// How many streams of rollouts may be opened in a second; 0 for any number.
    rollout_streams_per_second: u32 = "YARDARM_ROLLOUT_STREAMS_PER_SECOND", "rollout-streams-per-second", RolloutStreamSettings::default().opened_per_s;
    /// A snapshot of the world is saved after so many records.
    snapshot_every: u64 = "YARDARM_SNAPSHOT_EVERY", "snapshot-every", 10_000;
    /// The most applications.
    quota_applications: usize = "YARDARM_QUOTA_APPLICATIONS", "quota-applications", Quotas::default().applications;
    /// The most environments of an application.
    quota_environments: usize = "YARDARM_QUOTA_ENVIRONMENTS", "quota-environments", Quotas::default().environments_per_application;
    /// The most configuration profiles of an application.
    quota_configuration_profiles: usize = "YARDARM_QUOTA_CONFIGURATION_PROFILES", "quota-configuration-profiles", Quotas::default().profiles_per_application;
    /// The most deployment strategies of your own.
    quota_deployment_strategies: usize = "YARDARM_QUOTA_DEPLOYMENT_STRATEGIES", "quota-deployment-strategies", Quotas::default().deployment_strategies;
    /// The largest hosted configuration version, kilobytes.
    quota_hosted_version_kb: u64 = "YARDARM_QUOTA_HOSTED_VERSION_KB", "quota-hosted-version-kb", 2_048;
    /// All hosted configuration versions together, megabytes.
    quota_hosted_store_mb: u64 = "YARDARM_QUOTA_HOSTED_STORE_MB", "quota-hosted-store-mb", 1_024;
    /// The most deployments waiting in an environment.
    quota_queued_deployments: usize = "YARDARM_QUOTA_QUEUED_DEPLOYMENTS", "quota-queued-deployments", Quotas::default().queued_deployments;
    /// The most bearer tokens.
    quota_bearer_tokens: usize = "YARDARM_QUOTA_BEARER_TOKENS", "quota-bearer-tokens", Quotas::default().bearer_tokens;
    /// What to call for an ARN, as in arn:aws:lambda:eu-west-1:123456789012:function:check=`https://functions.example/check`;
    /// several are separated by blanks.
    call_targets: String = "YARDARM_CALL_TARGETS", "call-targets", String::new();
    /// Networks that extensions' URLs may lead to besides public addresses, as in 10.1.0.0/16, separated by commas.
    call_networks: String = "YARDARM_CALL_NETWORKS", "call-networks", String::new();
    /// How long an extension or a validator may take to answer.
    call_timeout_seconds: u32 = "YARDARM_CALL_TIMEOUT_SECONDS", "call-timeout-seconds", 15;
    /// How often extensions are asked while a deployment is on its way.
    tick_seconds: u32 = "YARDARM_TICK_SECONDS", "tick-seconds", 60;
    /// How often it is tried to tell an extension something.
    delivery_attempts: u32 = "YARDARM_DELIVERY_ATTEMPTS", "delivery-attempts", RetryPolicy::default().attempts;
    /// The most versions of extensions.
    quota_extensions: usize = "YARDARM_QUOTA_EXTENSIONS", "quota-extensions", Quotas::default().extensions;
    /// The most associations of extensions.
    quota_extension_associations: usize = "YARDARM_QUOTA_EXTENSION_ASSOCIATIONS", "quota-extension-associations", Quotas::default().extension_associations;
    /// The most alarms.
    quota_alarms: usize = "YARDARM_QUOTA_ALARMS", "quota-alarms", Quotas::default().alarms;
    /// The most access keys.
    quota_access_keys: usize = "YARDARM_QUOTA_ACCESS_KEYS", "quota-access-keys", Quotas::default().access_keys;
}

/// Where options come from.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Sources {
    /// File of options. By default `yardarm.toml` in the working directory, if there is one.
    #[arg(long, env = "YARDARM_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

impl Sources {
    /// The options in force.
    ///
    /// # Errors
    /// A file that cannot be read, a name that means nothing, a value that is none.
    pub(crate) fn resolve(&self) -> Result<InForce, Failure> {
        let mut known = Options::variables();
        known.push("YARDARM_CONFIG".into());
        let unknown = environment::unknown(&known);
        if !unknown.is_empty() {
            return Err(Failure::usage(format!("unknown environment variables: {}", unknown.join(", "))));
        }
        let in_force = self.options.clone().or(self.file()?).in_force();
        in_force.check()?;
        Ok(in_force)
    }

    fn file(&self) -> Result<Options, Failure> {
        let default = Path::new("yardarm.toml");
        let path = match &self.config {
            Some(path) => path.as_path(),
            None if default.exists() => default,
            None => return Ok(Options::default()),
        };
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
        toml::from_str(&text).map_err(|error| Failure::usage(format!("{shown}: {error}")))
    }
}

impl InForce {
    fn check(&self) -> Result<(), Failure> {
        self.account()?;
        self.ofrep()?;
        self.ticks()?;
        self.outside()?;
        self.call_policy()?;
        let open = !self.listen.ip().is_loopback();
        if self.dev && open {
            let listen = self.listen;
            return Err(Failure::usage(format!(
                "--dev is for loopback only, not for {listen}: anybody could sign"
            )));
        }
        if self.authentication == AuthenticationOption::None && open {
            let listen = self.listen;
            return Err(Failure::usage(format!(
                "--authentication none is for loopback only, not for {listen}"
            )));
        }
        if let AgentListen::At(address) = self.agent_listen
            && !address.ip().is_loopback()
            && environment::variable("YARDARM_AGENT_ACCESS_TOKEN").is_none()
        {
            return Err(Failure::usage(format!(
                "--agent-listen {address} lets everybody who reaches this machine read configurations: \
                 set YARDARM_AGENT_ACCESS_TOKEN, or use loopback"
            )));
        }
        let interval = self.poll_interval_seconds;
        if !(1..=86_400).contains(&interval) {
            return Err(Failure::usage(format!("--poll-interval-seconds is 1 to 86400, not {interval}")));
        }
        let tolerance = self.token_reuse_seconds;
        if tolerance > 3_600 {
            return Err(Failure::usage(format!("--token-reuse-seconds is at most 3600, not {tolerance}")));
        }
        let largest = self.quota_hosted_version_kb;
        if !(1..=4_000).contains(&largest) {
            return Err(Failure::usage(format!("--quota-hosted-version-kb is 1 to 4000, not {largest}")));
        }
        Ok(())
    }

    fn account(&self) -> Result<Account, Failure> {
        let id: AccountId = self.account_id.parse().map_err(|_| {
            Failure::usage(format!("--account-id has twelve digits, unlike `{}`", self.account_id))
        })?;
        let region: Region =
            self.region.parse().map_err(|_| Failure::usage(format!("`{}` is no --region", self.region)))?;
        Ok(Account { id, region })
    }

    /// File of the master key.
    pub(crate) fn master_key_path(&self) -> PathBuf {
        if self.master_key_file.as_os_str().is_empty() {
            self.data.join("master.key")
        } else {
            self.master_key_file.clone()
        }
    }

    /// File of the embedded store.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("yardarm.db")
    }

    /// For the node.
    pub(crate) fn node(&self) -> Result<NodeConfig, Failure> {
        Ok(NodeConfig {
            quotas: Quotas {
                applications: self.quota_applications,
                environments_per_application: self.quota_environments,
                profiles_per_application: self.quota_configuration_profiles,
                deployment_strategies: self.quota_deployment_strategies,
                hosted_version_bytes: self.quota_hosted_version_kb.saturating_mul(1_024),
                hosted_store_bytes: self.quota_hosted_store_mb.saturating_mul(1_024 * 1_024),
                queued_deployments: self.quota_queued_deployments,
                access_keys: self.quota_access_keys,
                bearer_tokens: self.quota_bearer_tokens,
                extensions: self.quota_extensions,
                extension_associations: self.quota_extension_associations,
                alarms: self.quota_alarms,
            },
            policy: Policy {
                concurrency: match self.deployment_concurrency {
                    ConcurrencyOption::OnePerEnvironment => Concurrency::OnePerEnvironment,
                    ConcurrencyOption::OnePerProfile => Concurrency::OnePerProfile,
                    ConcurrencyOption::Queue => Concurrency::Queue,
                },
                growth_begins: match self.growth_begins {
                    GrowthOption::AfterInterval => Begin::AfterInterval,
                    GrowthOption::AtOnce => Begin::AtOnce,
                },
                strict_latest_deployment_number: self.strict_latest_deployment_number,
                ticks: self.ticks()?,
                unregistered_alarms: match self.unregistered_alarms {
                    UnregisteredOption::Refuse => UnregisteredAlarms::Refuse,
                    UnregisteredOption::Ignore => UnregisteredAlarms::Ignore,
                },
            },
            sessions: SessionSettings {
                poll_interval_s: self.poll_interval_seconds,
                strict_interval: self.strict_poll_interval,
                reuse_tolerance_s: self.token_reuse_seconds,
            },
            snapshot_every: self.snapshot_every.max(1),
            ..NodeConfig::new(self.account()?)
        })
    }

    fn ticks(&self) -> Result<TickInterval, Failure> {
        let seconds = self.tick_seconds;
        let bad = || Failure::usage(format!("--tick-seconds is 1 to 3600, not {seconds}"));
        TickInterval::from_seconds(seconds).ok_or_else(bad)
    }

    /// How calls to the outside are made.
    pub(crate) fn outside(&self) -> Result<OutsideSettings, Failure> {
        let one = |text: &str| {
            let bad = || Failure::usage(format!("--call-targets has ARN=URL, not `{text}`"));
            let (arn, url) =
                text.split_once('=').filter(|(arn, _)| arn.starts_with("arn:")).ok_or_else(bad)?;
            let target = url.parse::<CallTarget>();
            let target = target.map_err(|error| Failure::usage(format!("--call-targets: {error}")))?;
            Ok((arn.to_owned(), target))
        };
        let seconds = self.call_timeout_seconds;
        if !(1..=60).contains(&seconds) {
            return Err(Failure::usage(format!("--call-timeout-seconds is 1 to 60, not {seconds}")));
        }
        Ok(OutsideSettings {
            targets: self.call_targets.split_whitespace().map(one).collect::<Result<_, Failure>>()?,
            time: Duration::from_secs(seconds.into()),
            ..OutsideSettings::default()
        })
    }

    /// Which addresses extensions' URLs may lead to.
    pub(crate) fn call_policy(&self) -> Result<CallPolicy, Failure> {
        let networks = self.call_networks.split(',').map(str::trim).filter(|text| !text.is_empty());
        networks.map(str::parse::<Network>).try_fold(CallPolicy::public(), |policy, network| {
            let network = network.map_err(|error| Failure::usage(format!("--call-networks: {error}")))?;
            Ok(policy.and(network))
        })
    }

    /// How it is tried again to tell extensions something.
    pub(crate) fn retries(&self) -> RetryPolicy {
        RetryPolicy { attempts: self.delivery_attempts.max(1), ..RetryPolicy::default() }
    }

    /// For the alarm watcher.
    pub(crate) fn alarms(&self) -> AlarmSettings {
        AlarmSettings {
            poll_every: SignedDuration::from_secs(self.alarm_poll_seconds.max(1).into()),
            cloudwatch_arns: self.cloudwatch_alarms,
            ..AlarmSettings::default()
        }
    }

    /// For the server.
    pub(crate) fn server(&self) -> Result<ServerSettings, Failure> {
        Ok(ServerSettings {
            authentication: match self.authentication {
                AuthenticationOption::Signature => Authentication::Signature,
                AuthenticationOption::None => Authentication::None,
            },
            dev: self.dev,
            limits: Limits {
                body_bytes: self.max_body_bytes,
                request_time: Duration::from_secs(self.request_timeout_seconds.into()),
                listen: Bounds {
                    head_bytes: self.max_head_bytes,
                    headers: self.max_headers,
                    connections: self.max_connections,
                    drain_time: Duration::from_secs(self.drain_seconds.into()),
                    tell_peers: self.rate_limit_address > 0,
                    ..Bounds::default()
                },
            },
            rates: RateLimits {
                token_per_s: self.rate_limit_token,
                access_key_per_s: self.rate_limit_access_key,
                address_per_s: self.rate_limit_address,
                burst_s: self.rate_limit_burst_seconds,
            },
            ofrep: self.ofrep()?,
            rollout_streams: RolloutStreamSettings {
                streams: self.max_rollout_streams,
                opened_per_s: self.rollout_streams_per_second,
                ..RolloutStreamSettings::default()
            },
            strict_alarm_role: self.strict_alarm_role,
        })
    }

    /// For OpenFeature clients.
    fn ofrep(&self) -> Result<OfrepSettings, Failure> {
        let list = |text: &str| -> Vec<String> {
            text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(String::from).collect()
        };
        let prefix = self.ofrep_prefix.trim_end_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
        let is_path = prefix.starts_with('/') && prefix.bytes().all(is_plain) && !prefix.contains("//");
        if !(prefix.is_empty() || is_path) {
            let text = format!("--ofrep-prefix is a path like /team-a, not `{prefix}`");
            return Err(Failure::usage(text));
        }
        let public_url = self.ofrep_public_url.trim_end_matches('/');
        if !public_url.is_empty()
            && !["http://", "https://"].iter().any(|scheme| public_url.starts_with(scheme))
        {
            let text = format!(
                "--ofrep-public-url is an address like https://flags.example.com, not `{public_url}`"
            );
            return Err(Failure::usage(text));
        }
        let environment = match self.ofrep_environment.split_once('/') {
            Some((application, environment)) => Some((application.to_owned(), environment.to_owned())),
            None if self.ofrep_environment.is_empty() => None,
            None => {
                let given = &self.ofrep_environment;
                let text = format!("--ofrep-environment is application/environment, not `{given}`");
                return Err(Failure::usage(text));
            }
        };
        let header = |name: String| {
            let bad = || Failure::usage(format!("--ofrep-allowed-headers: `{name}` is no name of a header"));
            name.parse().map_err(|_| bad())
        };
        let allowed_headers =
            list(&self.ofrep_allowed_headers).into_iter().map(header).collect::<Result<_, Failure>>()?;
        Ok(OfrepSettings {
            prefix: prefix.to_owned(),
            allowed_origins: list(&self.ofrep_allowed_origins),
            allowed_headers,
            public_url: public_url.to_owned(),
            environment,
            body_bytes: self.ofrep_max_body_bytes,
            streams: self.streams(),
        })
    }

    /// Change events, of the server and of its agent each.
    pub(crate) fn streams(&self) -> StreamSettings {
        StreamSettings {
            connections: self.max_event_streams,
            refetches_per_s: self.refetches_per_second,
            ..StreamSettings::default()
        }
    }
}

/// Which flags a command is about: those of one configuration profile.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// The application, by name or id.
    #[arg(long, short, env = "YARDARM_APPLICATION")]
    application: Option<String>,
    /// The configuration profile, by name or id.
    #[arg(long, short, env = "YARDARM_PROFILE")]
    profile: Option<String>,
}

impl Target {
    /// The application; an empty text is none.
    pub(crate) fn application(&self) -> Option<&str> {
        given(&self.application)
    }

    /// The profile; an empty text is none.
    pub(crate) fn profile(&self) -> Option<&str> {
        given(&self.profile)
    }
}

/// Which environment a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct EnvironmentOption {
    /// The environment, by name or id.
    #[arg(long, short, env = "YARDARM_ENVIRONMENT")]
    environment: Option<String>,
}

impl EnvironmentOption {
    /// The environment; an empty text is none.
    pub(crate) fn get(&self) -> Option<&str> {
        given(&self.environment)
    }
}

fn given(option: &Option<String>) -> Option<&str> {
    option.as_deref().filter(|text| !text.is_empty())
}

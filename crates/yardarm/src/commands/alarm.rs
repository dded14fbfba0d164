//! `yardarm alarm`: alarms of a running server.

use super::output::{Output, Table, print_json};
use super::{Failure, say};
use crate::api::Api;
use crate::lifetime;
use clap::{Args, Subcommand, ValueEnum};
use http::Method;
use std::fmt::Write;
use std::process::ExitCode;
use yardarm_wire::alarms::{
    Alarm, AlarmSource, AlarmState, CloudWatchSource, PrometheusSource, PutAlarm, PutAlarmAnswer,
    PutAlarmState, UpdateAlarm,
};
use yardarm_wire::native::{Items, paths};

#[derive(Args)]
pub(crate) struct AlarmArguments {
    #[command(subcommand)]
    command: AlarmCommand,
    /// How results look.
    #[arg(long, global = true, default_value = "table")]
    output: Output,
}

#[derive(Subcommand)]
enum AlarmCommand {
    /// List the alarms and what they say.
    List,
    /// Show an alarm.
    Show {
        /// What monitors call it: their `AlarmArn`.
        alarm: String,
    },
    /// Make an alarm, or replace its definition.
    Put(Box<PutArguments>),
    /// Have deployments rolled back because of it again.
    Enable {
        /// What monitors call it.
        alarm: String,
    },
    /// Have no deployment rolled back because of it.
    Disable {
        /// What monitors call it.
        alarm: String,
    },
    /// Delete an alarm.
    Delete {
        /// What monitors call it.
        alarm: String,
    },
    /// Tell the server what an alarm says. Of one that is asked it holds until its source answers the next time.
    State {
        /// What monitors call it.
        alarm: String,
        /// What it says.
        state: State,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Args)]
struct PutArguments {
    /// What monitors call it: their `AlarmArn`. Any text; Terraform insists on the form of an ARN.
    alarm: String,
    /// Have Alertmanager, Grafana or a program tell what it says.
    #[arg(long, required_unless_present_any = ["prometheus", "cloudwatch"], conflicts_with_all = ["prometheus", "cloudwatch"])]
    pushed: bool,
    /// Ask this Prometheus server, as in `http://prometheus:9090`.
    #[arg(long, value_name = "URL", requires_all = ["query", "threshold"], conflicts_with = "cloudwatch")]
    prometheus: Option<String>,
    /// Instant query for Prometheus; any series that it yields may breach the threshold.
    #[arg(long, requires = "prometheus")]
    query: Option<String>,
    /// Which values breach the threshold: > (the default), >=, < or <=.
    #[arg(long, default_value = ">", requires = "prometheus")]
    comparison: String,
    /// Where a breach begins.
    #[arg(long, requires = "prometheus", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// How long a breach lasts before it is an alarm, as in 30s; meanwhile rollouts hold.
    #[arg(long = "for", value_name = "DURATION", requires = "prometheus")]
    lasts: Option<String>,
    /// What no result of the query means: missing (the default), notBreaching or breaching.
    #[arg(long, requires = "prometheus")]
    missing_data: Option<String>,
    /// Ask CloudWatch for the alarm of this name.
    #[arg(long, value_name = "NAME", requires = "region")]
    cloudwatch: Option<String>,
    /// Region of the alarm in CloudWatch.
    #[arg(long, requires = "cloudwatch")]
    region: Option<String>,
    /// Where to ask instead of CloudWatch's usual address.
    #[arg(long, value_name = "URL", requires = "cloudwatch")]
    endpoint: Option<String>,
    /// How old evidence may be before it counts as none, as in 5m. By default 60s, or 5m for what is pushed.
    #[arg(long, value_name = "DURATION")]
    fresh_for: Option<String>,
    /// Have no deployment rolled back because of it.
    #[arg(long)]
    disabled: bool,
    /// Make another secret for what is pushed; the old one is not accepted any more.
    #[arg(long)]
    new_secret: bool,
    /// What it watches.
    #[arg(long)]
    description: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    /// Nothing is wrong.
    #[value(name = "OK", alias = "ok")]
    Ok,
    /// Something is.
    #[value(name = "ALARM", alias = "alarm")]
    Alarm,
    /// Nobody knows.
    #[value(name = "INSUFFICIENT_DATA", alias = "insufficient-data")]
    InsufficientData,
}

pub(super) fn run(arguments: &AlarmArguments) -> Result<ExitCode, Failure> {
    let output = arguments.output;
    match &arguments.command {
        AlarmCommand::List => {
            let alarms: Items<Alarm> =
                Api::from_environment()?.call(Method::GET, paths::ALARMS, None::<&()>)?;
            if output == Output::Json { print_json(&alarms)? } else { print_table(&alarms.items) }
        }
        AlarmCommand::Show { alarm } => {
            let found =
                Api::from_environment()?.call(Method::GET, &path(paths::ALARM, alarm), None::<&()>)?;
            show(output, &found)?;
        }
        AlarmCommand::Put(put) => {
            let body = definition(put)?;
            let answer: PutAlarmAnswer =
                Api::from_environment()?.call(Method::PUT, &path(paths::ALARM, &put.alarm), Some(&body))?;
            if output == Output::Json {
                print_json(&answer)?;
            } else {
                say(format!("{} is {}.", answer.alarm.alarm, answer.alarm.state));
                if let Some(secret) = answer.secret {
                    say(format!("Secret: {secret}"));
                    say(
                        "It is not shown again. Alertmanager, Grafana and programs send it as a bearer token.",
                    );
                }
            }
        }
        AlarmCommand::Enable { alarm } => switch(output, alarm, true)?,
        AlarmCommand::Disable { alarm } => switch(output, alarm, false)?,
        AlarmCommand::Delete { alarm } => {
            Api::from_environment()?.tell(Method::DELETE, &path(paths::ALARM, alarm))?;
            if output == Output::Table {
                say(format!("{alarm} is deleted."));
            }
        }
        AlarmCommand::State { alarm, state, reason } => {
            let state = match state {
                State::Ok => AlarmState::Ok,
                State::Alarm => AlarmState::Alarm,
                State::InsufficientData => AlarmState::InsufficientData,
            };
            let body = PutAlarmState { state, reason: reason.clone() };
            let api = Api::from_environment()?;
            let told = api.call(Method::PUT, &path(paths::ALARM_STATE, alarm), Some(&body))?;
            show(output, &told)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn switch(output: Output, alarm: &str, actions_enabled: bool) -> Result<(), Failure> {
    let body = UpdateAlarm { actions_enabled };
    let changed = Api::from_environment()?.call(Method::PATCH, &path(paths::ALARM, alarm), Some(&body))?;
    show(output, &changed)
}

/// The path with the alarm in it, percent-encoded.
fn path(path: &str, alarm: &str) -> String {
    let mut encoded = String::with_capacity(alarm.len());
    for byte in alarm.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    path.replace("{alarm}", &encoded)
}

fn definition(put: &PutArguments) -> Result<PutAlarm, Failure> {
    let source = match (&put.prometheus, &put.cloudwatch) {
        (Some(url), _) => AlarmSource::Prometheus(PrometheusSource {
            url: url.clone(),
            query: put.query.clone().unwrap_or_default(),
            comparison: put.comparison.clone(),
            threshold: put.threshold.unwrap_or_default(),
            for_seconds: put.lasts.as_deref().map(|text| seconds("--for", text)).transpose()?.unwrap_or(0),
            missing_data: put.missing_data.clone(),
        }),
        (None, Some(name)) => AlarmSource::Cloudwatch(CloudWatchSource {
            name: name.clone(),
            region: put.region.clone().unwrap_or_default(),
            endpoint: put.endpoint.clone(),
        }),
        (None, None) => AlarmSource::Pushed,
    };
    Ok(PutAlarm {
        description: put.description.clone(),
        source,
        fresh_for_seconds: put.fresh_for.as_deref().map(|text| seconds("--fresh-for", text)).transpose()?,
        actions_enabled: !put.disabled,
        new_secret: put.new_secret,
    })
}

/// A duration like `30s`, in seconds.
fn seconds(option: &str, text: &str) -> Result<u32, Failure> {
    let bad = || Failure::usage(format!("{option} is a number with s, m, h or d, as in 30s, not `{text}`"));
    lifetime::seconds(text).and_then(|seconds| u32::try_from(seconds).ok()).ok_or_else(bad)
}

fn source(source: &AlarmSource) -> String {
    match source {
        AlarmSource::Pushed => "pushed".into(),
        AlarmSource::Cloudwatch(asked) => format!("CloudWatch {} in {}", asked.name, asked.region),
        AlarmSource::Prometheus(asked) => {
            let lasts =
                if asked.for_seconds > 0 { format!(" for {} s", asked.for_seconds) } else { String::new() };
            format!("Prometheus {} {} {}{lasts}", asked.query, asked.comparison, asked.threshold)
        }
    }
}

fn show(output: Output, alarm: &Alarm) -> Result<(), Failure> {
    if output == Output::Json {
        return print_json(alarm);
    }
    print_table(std::slice::from_ref(alarm));
    if let Some(evidence) = &alarm.evidence {
        let reason = evidence.reason.as_deref().unwrap_or("");
        let at = evidence.at.timestamp();
        say(format!("{} since {}, last recorded {at}: {reason}", evidence.state, evidence.since.timestamp()));
    }
    if let Some(failure) = &alarm.failure {
        say(format!("The source fails: {failure}"));
    }
    Ok(())
}

fn print_table(alarms: &[Alarm]) {
    let mut table = Table::new(["ALARM", "STATE", "ACTIONS", "FRESH FOR", "SOURCE", "DESCRIPTION"]);
    for alarm in alarms {
        table.row([
            alarm.alarm.as_str(),
            alarm.state.as_str(),
            if alarm.actions_enabled { "enabled" } else { "disabled" },
            &format!("{} s", alarm.fresh_for_seconds),
            &source(&alarm.source),
            alarm.description.as_deref().unwrap_or(""),
        ]);
    }
    table.print();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_stands_in_a_path_whatever_is_in_it() {
        let arn = "arn:aws:cloudwatch:us-east-1:1:alarm:a/b ä";
        assert_eq!(
            path(paths::ALARM_STATE, arn),
            "/yardarm/v1/alarms/arn%3Aaws%3Acloudwatch%3Aus-east-1%3A1%3Aalarm%3Aa%2Fb%20%C3%A4/state"
        );
    }

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        for (text, expected) in [("0s", 0), ("90s", 90), ("5m", 300), ("1h", 3_600), ("7d", 604_800)] {
            assert_eq!(seconds("--for", text).unwrap(), expected, "{text}");
        }
        for bad in ["", "s", "5", "-1s", "1.5m", "99999999d", "1ä"] {
            assert_eq!(seconds("--for", bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }
}

//! `yardarm recovery`: how long it takes to be safe again.

use super::output::{Output, Table, print_json};
use super::{Failure, say};
use crate::api::Api;
use clap::{Args, Subcommand};
use http::Method;
use std::process::ExitCode;
use yardarm_client::segment;
use yardarm_wire::native::paths;
use yardarm_wire::recovery::{MeasureEnd, Recovery, RecoveryReport};

#[derive(Args)]
pub(crate) struct RecoveryArguments {
    #[command(subcommand)]
    command: RecoveryCommand,
    /// How results look.
    #[arg(long, global = true, default_value = "table")]
    output: Output,
}

#[derive(Subcommand)]
enum RecoveryCommand {
    /// Report each way back: from evidence to decision, and from there until it was served and until 50, 99 and 100 percent of
    /// the clients had acknowledged it.
    Report {
        /// Of this application only, by name or id.
        #[arg(long, short, env = "YARDARM_APPLICATION")]
        application: Option<String>,
        /// Of this environment only, by name or id.
        #[arg(long, short, env = "YARDARM_ENVIRONMENT", requires = "application")]
        environment: Option<String>,
        /// The steps of deployments too.
        #[arg(long)]
        steps: bool,
    },
}

pub(crate) fn run(arguments: &RecoveryArguments) -> Result<ExitCode, Failure> {
    let RecoveryCommand::Report { application, environment, steps } = &arguments.command;
    let mut query = vec![];
    let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(application) = named(application) {
        query.push(format!("application={}", segment(&application)));
        // Without its application an environment has no name.
        query.extend(named(environment).map(|environment| format!("environment={}", segment(&environment))));
    }
    if *steps {
        query.push("steps=true".to_owned());
    }
    let target = match query.is_empty() {
        true => paths::RECOVERY.to_owned(),
        false => format!("{}?{}", paths::RECOVERY, query.join("&")),
    };
    let report: RecoveryReport = Api::from_environment()?.call(Method::GET, &target, None::<&()>)?;
    match arguments.output {
        Output::Json => print_json(&report)?,
        Output::Table => show(&report),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(report: &RecoveryReport) {
    let head = [
        "DECIDED",
        "CONFIGURATION",
        "DEPLOYMENT",
        "WHAT",
        "EVIDENCE",
        "SERVED",
        "50 %",
        "99 %",
        "100 %",
        "CLIENTS",
        "BECAUSE",
    ];
    let mut table = Table::new(head);
    for item in &report.items {
        let what = match item.exposure {
            Some(ppm) => format!("{} to {} %", item.of, f64::from(ppm) / 10_000.0),
            None => item.of.to_string(),
        };
        let times = &item.times;
        table.row([
            &*item.decided_at.timestamp().to_string(),
            &*item.configuration_name,
            &*item.deployment_number.to_string(),
            &*what,
            &*took(times.evidence_to_decided_ms),
            &*took(times.served_ms),
            &*took(times.half_ms),
            &*took(times.nearly_all_ms),
            &*took(times.all_ms),
            &*clients(item),
            item.because.as_deref().unwrap_or(""),
        ]);
    }
    table.print();
    let RecoveryReport { rollbacks, measured, medians, .. } = report;
    let ways = if *rollbacks == 1 { "way" } else { "ways" };
    if *measured == 0 {
        say(format!("{rollbacks} {ways} back, none of them acknowledged by clients."));
        return;
    }
    say(format!(
        "{rollbacks} {ways} back, {measured} of them measured. Medians: evidence to decision {}, served {}, \
         50 % {}, 99 % {}, 100 % {}.",
        took(medians.evidence_to_decided_ms),
        took(medians.served_ms),
        took(medians.half_ms),
        took(medians.nearly_all_ms),
        took(medians.all_ms),
    ));
}

/// How many clients there were, and what became of waiting for them.
fn clients(item: &Recovery) -> String {
    match item.ended {
        MeasureEnd::NoClients => "none acknowledge".into(),
        MeasureEnd::Complete => item.clients.to_string(),
        MeasureEnd::Superseded | MeasureEnd::GivenUp | MeasureEnd::Open => {
            format!("{}, {}", item.clients, item.ended)
        }
    }
}

fn took(ms: Option<u64>) -> String {
    ms.map_or_else(|| "-".into(), |ms| format!("{ms} ms"))
}

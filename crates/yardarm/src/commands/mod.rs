//! The commands.

mod agent;
mod alarm;
mod clients;
mod config;
mod demo;
mod deployment;
mod doctor;
mod eval;
mod explain;
mod flag;
mod key;
mod lint;
mod log;
mod master_key;
mod output;
mod question;
mod recovery;
mod serve;
mod token;

use crate::options::Sources;
use clap::Subcommand;
use std::fmt;
use std::process::ExitCode;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(Box<Sources>),
    /// Run the agent: local HTTP for applications, kept current from a Yardarm server or from AWS AppConfig.
    Agent(Box<agent::AgentArguments>),
    /// See Yardarm at work: the story of a coffee shop, against a real server on this machine.
    Demo(demo::DemoArguments),
    /// List, confirm, stop and revert deployments.
    Deployment(deployment::DeploymentArguments),
    /// List, show and change flags, one at a time.
    Flag(Box<flag::FlagArguments>),
    /// Make, list, switch and remove alarms, and tell what they say, on a running server.
    Alarm(alarm::AlarmArguments),
    /// Say what a flag is for somebody.
    #[command(disable_version_flag = true)]
    Eval(Box<eval::EvalArguments>),
    /// Say why a flag is what it is for somebody.
    #[command(disable_version_flag = true)]
    Explain(Box<explain::ExplainArguments>),
    /// Find what is wrong with flag documents and rules, before they are stored.
    Lint(lint::LintArguments),
    /// Make, list, disable and remove access keys, on a running server.
    Key(key::KeyArguments),
    /// Make, list and revoke bearer tokens, on a running server.
    Token(token::TokenArguments),
    /// Report how long ways back took, on a running server.
    Recovery(recovery::RecoveryArguments),
    /// Look after the log.
    Log(log::LogArguments),
    /// Print the options in force, as `yardarm.toml`, without secrets.
    Config(Box<Sources>),
    /// Check that this machine can run the server, and say what to mend.
    Doctor(Box<Sources>),
    /// Change the master key that secrets are sealed with.
    MasterKey(master_key::MasterKeyArguments),
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    usage: bool,
    message: String,
}

impl Failure {
    /// It was asked wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { usage: true, message: message.into() }
    }

    /// It could not.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { usage: false, message: message.into() }
    }

    /// 2 for what was asked wrongly, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.usage { 2 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Carries out `command`.
pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(sources) => serve::run(&sources),
        Command::Agent(arguments) => agent::run(&arguments),
        Command::Alarm(arguments) => alarm::run(&arguments),
        Command::Deployment(arguments) => deployment::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Flag(arguments) => flag::run(*arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Recovery(arguments) => recovery::run(&arguments),
        Command::Log(arguments) => log::run(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Config(sources) => config::run(&sources),
        Command::Doctor(sources) => doctor::run(&sources),
        Command::MasterKey(arguments) => master_key::run(&arguments),
    }
}

/// Prints a line of a command's result. A reader that has gone away is no failure.
pub(crate) fn say(line: impl fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

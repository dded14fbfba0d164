//! Yardarm's one binary: the server, and the commands of those who operate it. Wiring only.

mod agent_log;
mod api;
mod commands;
mod control_plane;
mod environment;
mod excerpt;
mod files;
mod input;
mod lifetime;
mod options;
mod own_agent;
mod own_server;
mod signals;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

/// Feature flags and configuration, deployed as carefully as code and taken back faster than a page can load.
#[derive(Parser)]
#[command(name = "yardarm", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command tells its user what went wrong")]
fn complain(failure: &commands::Failure) {
    eprintln!("yardarm: {failure}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn no_two_options_of_a_command_share_a_name() {
        super::Cli::command().debug_assert();
    }
}

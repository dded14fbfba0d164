//! `yardarm demo`: Yardarm at work, against a server of its own.

use super::Failure;
use crate::signals::Signals;
use clap::Args;
use std::io::IsTerminal;
use std::process::ExitCode;
use yardarm_demo::{Audience, DemoSettings};

/// A server, a coffee shop with twenty branches and its customers are started on this machine, and gone at the end.
#[derive(Args)]
pub(crate) struct DemoArguments {
    /// Tell it from start to end without waiting for anybody.
    #[arg(long)]
    script: bool,
}

pub(super) fn run(arguments: &DemoArguments) -> Result<ExitCode, Failure> {
    if !arguments.script && !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "the demo waits for the Enter key: run it in a terminal, or with --script",
        ));
    }
    let audience = if arguments.script { Audience::Script } else { Audience::Person };
    let binary = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("this program does not find itself: {error}")))?;
    let settings = DemoSettings { binary, audience };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime cannot start: {error}")))?;
    let told = runtime.block_on(async {
        let mut signals = Signals::heed().map_err(|error| Failure::failed(format!("no signals: {error}")))?;
        tokio::select! {
            told = yardarm_demo::run(&settings) => {
                told.map(|()| ExitCode::SUCCESS).map_err(|error| Failure::failed(error.to_string()))
            }
            () = signals.told_to_stop() => Ok(ExitCode::from(130)),
        }
    });
    // Whoever still waits for the Enter key is not waited for.
    runtime.shutdown_background();
    told
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust daemon`: runs, starts, or stops the daemon of a runtime directory.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use ust_consumerd::control::protocol::{DaemonReport, Request};
use ust_consumerd::{Daemon, DaemonOptions, RuntimeDir, StartError};

use crate::connect;
use crate::output::Json;
use crate::problem::Problem;
use crate::signals::Signals;
use crate::size::parse_duration;

/// Exit status when another recorder has the runtime directory.
pub const BUSY: u8 = 4;

/// How long `--stop` waits for the end.
const STOP_TIME_MAX: Duration = Duration::from_secs(30);

/// Runs the daemon that sessions live in: one per runtime directory.
///
/// Commands start it by themselves. It ends by SIGTERM, Ctrl-C, --stop, or --idle-exit; its sessions are stopped then, and the next
/// daemon has them again. One that is killed leaves its sessions running: the next one goes on with them.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run here (default).
    #[arg(long, conflicts_with_all = ["background", "stop"])]
    foreground: bool,
    /// Start one and return when it listens.
    #[arg(long, conflicts_with = "stop")]
    background: bool,
    /// Stop the one that runs, and return when it has ended.
    #[arg(long)]
    stop: bool,
    /// End when there was no session and no command for so long, for example 10m.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with_all = ["background", "stop"])]
    idle_exit: Option<Duration>,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust daemon`.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    if arguments.background {
        let report: DaemonReport = connect::ask(&Request::Status {})?;
        return arguments
            .json
            .print(&report, || println!("daemon {} runs in {}", report.pid, report.runtime_dir.display()));
    }
    if arguments.stop {
        return stop(arguments.json);
    }
    let signals = Signals::hold().map_err(|error| anyhow::anyhow!("cannot take signals: {error}"))?;
    let daemon =
        RuntimeDir::of_environment().and_then(|dir| Daemon::new(dir, DaemonOptions { idle_exit: arguments.idle_exit }));
    let daemon = match daemon {
        Ok(daemon) => daemon,
        Err(error) => {
            eprintln!("error: {error}\ntry:   {}", error.hint());
            return Ok(if matches!(error, StartError::Busy(_)) { BUSY } else { 1 });
        }
    };
    for note in daemon.notes() {
        // Whoever started the daemon may have gone with the other end; `ust doctor` shows the notes too.
        let _ = writeln!(io::stderr(), "warning: {note}");
    }
    daemon.run(signals.fd()).map_err(|error| anyhow::anyhow!("cannot poll: {error}"))?;
    Ok(0)
}

fn stop(json: Json) -> anyhow::Result<u8> {
    let Some(mut daemon) = connect::Daemon::if_there()? else {
        return Err(Problem::new("no daemon runs here", "ust doctor, if one runs in another directory").into());
    };
    let report: DaemonReport = daemon.ask(&Request::Status {})?;
    daemon.ask::<serde_json::Value>(&Request::Shutdown {})?;
    drop(daemon);
    let began = Instant::now();
    // The lock on the directory goes last.
    while matches!(RuntimeDir::open(&report.runtime_dir), Err(StartError::Busy(_))) {
        if began.elapsed() > STOP_TIME_MAX {
            let what = format!("daemon {} has not ended after {} s", report.pid, STOP_TIME_MAX.as_secs());
            return Err(Problem::new(what, format!("kill {}", report.pid)).into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    json.print(&report, || println!("daemon {} has stopped", report.pid))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust create`, `destroy`, `start`, `stop`, `clear`, `set-session`.

use std::fs;
use std::path::{Path, PathBuf};

use ust_consumerd::control::protocol::{Request, SessionReport};
use ust_consumerd::{SessionConfig, SnapshotOutput};

use crate::connect::{self, Daemon};
use crate::output::Json;
use crate::problem::Problem;
use crate::size::{number_text, parse_bytes};

/// Creates a session, which becomes the current one.
#[derive(clap::Args)]
pub struct Create {
    /// Its name. Default: auto-YYYYmmdd-HHMMSS.
    session: Option<String>,
    /// The directory for its traces. Default: ~/ust-traces/SESSION-YYYYmmdd-HHMMSS.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// A flight recorder: its channels overwrite, and `ust snapshot record` writes what they hold.
    #[arg(long)]
    snapshot: bool,
    /// Bytes of a snapshot at most. K, M and G are understood.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, requires = "snapshot")]
    max_size: Option<u64>,
    #[command(flatten)]
    json: Json,
}

/// Names a session, or the current one.
#[derive(clap::Args)]
pub struct Which {
    /// The session. Default: the current one.
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Destroys a session; its traces stay.
#[derive(clap::Args)]
pub struct Destroy {
    /// All sessions.
    #[arg(short, long, conflicts_with = "session")]
    all: bool,
    #[command(flatten)]
    which: Which,
}

/// Makes a session the current one.
#[derive(clap::Args)]
pub struct SetSession {
    /// The session.
    session: String,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust create`.
pub fn create(arguments: &Create) -> anyhow::Result<u8> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let name = arguments.session.clone().unwrap_or_else(|| format!("auto-{stamp}"));
    let dir = if name.starts_with("auto-") { name.clone() } else { format!("{name}-{stamp}") };
    let output = match &arguments.output {
        Some(output) => connect::absolute(output)?,
        None => home()?.join("ust-traces").join(dir),
    };
    let made = !output.exists();
    let mut daemon = Daemon::reach()?;
    fs::create_dir_all(&output).map_err(|error| {
        Problem::new(format!("cannot create directory `{}`: {error}", output.display()), "another directory with -o")
    })?;
    let mut config = SessionConfig::new(name, &output);
    config.snapshot = arguments.snapshot;
    if arguments.snapshot {
        let (name, max_bytes) = ("snapshot-1".to_owned(), arguments.max_size);
        config.snapshot_outputs.push(SnapshotOutput { id: 1, name, path: output.clone(), max_bytes });
    }
    let created = daemon.ask(&Request::Create { config: Box::new(config), ephemeral: false });
    let report: SessionReport = created.inspect_err(|_| {
        if made {
            let _ = fs::remove_dir(&output);
        }
    })?;
    arguments.json.print(&report, || {
        println!("session {} created", report.config.name);
        println!("traces go to {}", report.config.output.display());
    })
}

/// The home directory, in which traces are kept unless the user says where.
fn home() -> Result<PathBuf, Problem> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    home.map(PathBuf::from).ok_or_else(|| Problem::new("HOME is not set", "a directory with -o"))
}

/// Runs `ust destroy`.
pub fn destroy(arguments: &Destroy) -> anyhow::Result<u8> {
    let mut daemon = Daemon::reach()?;
    let mut reports: Vec<SessionReport> = Vec::new();
    if arguments.all {
        for report in daemon.ask::<Vec<SessionReport>>(&Request::Sessions {})? {
            reports.push(daemon.ask(&Request::Destroy { session: Some(report.config.name) })?);
        }
    } else {
        reports.push(daemon.ask(&Request::Destroy { session: arguments.which.session.clone() })?);
    }
    arguments.which.json.print(&reports, || {
        for report in &reports {
            println!("session {} destroyed", report.config.name);
            print_end(report);
        }
    })
}

/// Runs `ust start`.
pub fn start(arguments: &Which) -> anyhow::Result<u8> {
    let report: SessionReport = connect::ask(&Request::Start { session: arguments.session.clone() })?;
    arguments.json.print(&report, || {
        println!("tracing started for session {}", report.config.name);
        if report.progress.processes == 0 {
            println!("no process is registered yet; ust doctor says why one would not be");
        }
    })
}

/// Runs `ust stop`.
pub fn stop(arguments: &Which) -> anyhow::Result<u8> {
    let report: SessionReport = connect::ask(&Request::Stop { session: arguments.session.clone() })?;
    arguments.json.print(&report, || {
        println!("tracing stopped for session {}", report.config.name);
        print_end(&report);
    })
}

fn print_end(report: &SessionReport) {
    if let Some(trace) = &report.trace {
        println!("trace   {}", trace.display());
    }
    println!("events  {} of {} processes", number_text(report.progress.events), report.progress.processes);
    println!("lost    {}", number_text(report.progress.lost));
    report.warnings.iter().for_each(|warning| println!("warning {warning}"));
    if report.progress.events == 0 {
        println!("nothing was recorded; ust doctor says why");
    }
}

/// Runs `ust clear`.
pub fn clear(arguments: &Which) -> anyhow::Result<u8> {
    let report: SessionReport = connect::ask(&Request::Clear { session: arguments.session.clone() })?;
    arguments.json.print(&report, || println!("session {} cleared", report.config.name))
}

/// Runs `ust set-session`.
pub fn set_session(arguments: &SetSession) -> anyhow::Result<u8> {
    let report: SessionReport = connect::ask(&Request::SetSession { session: arguments.session.clone() })?;
    arguments.json.print(&report, || println!("current session is {}", report.config.name))
}

/// The directory in which the session's newest trace is, for a reader.
pub fn trace_of(report: &SessionReport) -> Result<&Path, Problem> {
    if report.config.output.exists() {
        return Ok(&report.config.output);
    }
    Err(Problem::new(format!("session `{}` has no trace yet", report.config.name), "ust start"))
}

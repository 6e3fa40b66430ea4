// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust record -p`: records programs that run, by a session of the daemon that ends with this command.

use std::collections::BTreeSet;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use ust_consumerd::control::protocol::{AppReport, Request, SessionReport};
use ust_consumerd::{ChannelConfig, EngineOptions, RuleConfig, SessionConfig, nearest, pattern_matches};

use ust_ctf::Job;
use ust_ctf::reader::Trace;
use ust_ctf::text::Options;

use super::{Arguments, NOTHING_RECORDED, plan};
use crate::connect::{self, Daemon};
use crate::problem::Problem;
use crate::signals::Signals;
use crate::size::{number_text, rounded_bytes_text};
use crate::view;

/// How often it is seen whether the programs still run.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Runs `ust record -p`; returns the exit status.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut daemon = Daemon::reach()?;
    let apps: Vec<AppReport> = daemon.ask(&Request::Apps { fields: false })?;
    let chosen = choose(&arguments.attach, &apps)?;
    let options = plan::options(arguments, &chosen[0].name)?;
    let output = connect::absolute(&options.output)?;
    std::fs::create_dir_all(&output)
        .map_err(|error| Problem::new(format!("directory `{}`: {error}", output.display()), "another with -o"))?;
    let signals = Signals::hold().map_err(|error| anyhow::anyhow!("cannot take signals: {error}"))?;
    let pids: BTreeSet<i64> = chosen.iter().map(|app| app.pid.into()).collect();
    let config = session_config(&options, &output, pids.clone());
    let session = Some(config.name.clone());
    daemon.ask::<SessionReport>(&Request::Create { config: Box::new(config), ephemeral: true })?;
    daemon.ask::<SessionReport>(&Request::Start { session: session.clone() })?;
    let names: Vec<String> = chosen.iter().map(|app| format!("{} ({})", app.name, app.pid)).collect();
    eprintln!("recording {}; Ctrl-C ends it", names.join(", "));
    wait(&signals, arguments.duration, &pids)?;
    let report: SessionReport = daemon.ask(&Request::Destroy { session })?;
    let trace = report.trace.clone().unwrap_or(output);
    eprintln!("trace      {} ({})", trace.display(), rounded_bytes_text(report.progress.bytes));
    eprintln!("events     {}", number_text(report.progress.events));
    eprintln!("lost       {}", number_text(report.progress.lost));
    report.warnings.iter().for_each(|warning| eprintln!("warning    {warning}"));
    if report.progress.events == 0 {
        eprintln!("error: nothing was recorded: no tracepoint that was asked for was reached");
        eprintln!("try:   ust list --userspace, to see what the programs offer");
        return Ok(NOTHING_RECORDED);
    }
    if arguments.view {
        let trace = Trace::open(&trace).map_err(|error| Problem::bare(error.to_string()))?;
        view::print(&trace, view::Form::Text(Options::default()), &mut Job::all())?;
    }
    Ok(0)
}

/// The processes that the ids and globs name.
fn choose<'a>(wanted: &[String], apps: &'a [AppReport]) -> Result<Vec<&'a AppReport>, Problem> {
    let mut chosen: Vec<&AppReport> = Vec::new();
    for wanted in wanted {
        let names = |app: &AppReport| {
            let exe = app.exe.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
            app.pid.to_string() == *wanted || pattern_matches(wanted, &app.name) || pattern_matches(wanted, &exe)
        };
        let found: Vec<_> = apps.iter().filter(|app| app.running && names(app)).collect();
        if found.is_empty() {
            let mut what = format!("no traced process is called `{wanted}` or has that id");
            let close = nearest(wanted, apps.iter().map(|app| app.name.as_str())).join(", ");
            if !close.is_empty() {
                what.push_str(&format!("\n  closest: {close}"));
            }
            return Err(Problem::new(what, "ust list --userspace, or ust doctor if it should be there"));
        }
        chosen.extend(
            found.into_iter().filter(|app| !chosen.iter().any(|there| there.pid == app.pid)).collect::<Vec<_>>(),
        );
    }
    Ok(chosen)
}

fn session_config(options: &EngineOptions, output: &Path, pids: BTreeSet<i64>) -> SessionConfig {
    let mut config = SessionConfig::new(format!("record-{}", std::process::id()), output);
    config.channels.push(ChannelConfig {
        mode: options.channel.mode.into(),
        subbuf_bytes: options.channel.subbuf_bytes,
        subbuf_count: options.channel.subbuf_count,
        ..ChannelConfig::new("channel0")
    });
    config.rules = options.patterns.iter().map(|pattern| RuleConfig::pattern("channel0", pattern)).collect();
    config.tracker.vpid = Some(pids);
    config
}

/// Waits for the time, a signal, or the end of all processes.
fn wait(signals: &Signals, duration: Option<Duration>, pids: &BTreeSet<i64>) -> anyhow::Result<()> {
    let end = duration.map(|duration| Instant::now() + duration);
    loop {
        let left = end.map_or(LOOK_EVERY, |end| end.saturating_duration_since(Instant::now()).min(LOOK_EVERY));
        if crate::signals::wait_readable(signals.fd().as_raw_fd(), left)? {
            while let Some(arrived) = signals.next() {
                if arrived.signal != libc::SIGCHLD {
                    return Ok(());
                }
            }
        }
        let over = end.is_some_and(|end| Instant::now() >= end);
        if over || !pids.iter().any(|pid| is_running(*pid)) {
            return Ok(());
        }
    }
}

/// Whether a process of that id runs; a zombie does not.
fn is_running(pid: i64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

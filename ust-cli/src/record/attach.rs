// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust record -p`: records programs that run, by a session of the daemon that ends with this command.

use std::collections::BTreeSet;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use ust_consumerd::control::protocol::{AppReport, Request, SessionReport};
use ust_consumerd::{ChannelConfig, EngineOptions, RuleConfig, SessionConfig, nearest, pattern_matches};

use super::{Arguments, NOTHING_RECORDED, plan};
use crate::connect::{self, Daemon};
use crate::output::print_line;
use crate::problem::Problem;
use crate::signals::Signals;
use crate::size::{number_text, rounded_bytes_text};

/// How often it is seen whether the programs still run.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Runs `ust record -p`; returns the exit status.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut daemon = Daemon::reach()?;
    let apps: Vec<AppReport> = daemon.ask(&Request::Apps { fields: false })?;
    let chosen = choose(&arguments.attach, &apps)?;
    let options = plan::options(arguments, &chosen[0].name)?;
    let output = connect::absolute(&options.output)?;
    let made_output = !output.exists();
    std::fs::create_dir_all(&output)
        .map_err(|error| Problem::new(format!("directory `{}`: {error}", output.display()), "another with -o"))?;
    let signals = Signals::hold().map_err(|error| anyhow::anyhow!("cannot take signals: {error}"))?;
    let pids: BTreeSet<i64> = chosen.iter().map(|app| app.pid.into()).collect();
    let session =
        begin(&mut daemon, &options, &output, pids.clone()).inspect_err(|_| plan::take_back(&output, made_output))?;
    let names: Vec<String> = chosen.iter().map(|app| format!("{} ({})", app.name, app.pid)).collect();
    eprintln!("recording {}; Ctrl-C ends it", names.join(", "));
    wait(&signals, arguments.duration, &pids)?;
    let report: SessionReport = daemon.ask(&Request::Destroy { session })?;
    let trace = report.trace.clone().unwrap_or(output);
    if !arguments.json {
        print(&report, &trace);
    }
    let mut code = 0;
    if report.progress.events == 0 {
        eprintln!("error: nothing was recorded: no tracepoint that was asked for was reached");
        eprintln!("try:   ust list --userspace, to see what the programs offer");
        code = NOTHING_RECORDED;
    } else if arguments.view {
        super::view_all(&trace, arguments.json)?;
    }
    if arguments.json {
        let process = |app: &&AppReport| json!({ "pid": app.pid, "name": app.name });
        print_line(&json!({
            "trace": trace,
            "processes": chosen.iter().map(process).collect::<Vec<_>>(),
            "event_count": report.progress.events,
            "lost": report.progress.lost,
            "losses": report.losses,
            "packets": report.progress.packets,
            "bytes": report.progress.bytes,
            "warnings": report.warnings,
        }))?;
    }
    Ok(code)
}

fn print(report: &SessionReport, trace: &Path) {
    eprintln!("trace      {} ({})", trace.display(), rounded_bytes_text(report.progress.bytes));
    eprintln!("events     {}", number_text(report.progress.events));
    eprintln!("lost       {}", number_text(report.progress.lost));
    report.warnings.iter().for_each(|warning| eprintln!("warning    {warning}"));
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

/// Makes and starts a session that ends with our connection; returns its name.
fn begin(
    daemon: &mut Daemon,
    options: &EngineOptions,
    output: &Path,
    pids: BTreeSet<i64>,
) -> Result<Option<String>, Problem> {
    let mut config = SessionConfig::new(format!("record-{}", std::process::id()), output);
    config.channels.push(ChannelConfig {
        mode: options.channel.mode.into(),
        subbuf_bytes: options.channel.subbuf_bytes,
        subbuf_count: options.channel.subbuf_count,
        contexts: options.contexts.clone(),
        ..ChannelConfig::new("channel0")
    });
    config.tracker.vpid = Some(pids);
    let rule =
        |pattern: &String| RuleConfig { filter: options.filter.clone(), ..RuleConfig::pattern("channel0", pattern) };
    let rules = options.patterns.iter().map(rule).collect();
    let session = Some(config.name.clone());
    daemon.ask::<SessionReport>(&Request::Create { config: Box::new(config), ephemeral: true })?;
    // A filter is checked against the programs here.
    let enable = Request::EnableEvent { session: session.clone(), rules, allow_unknown_fields: false };
    daemon.ask::<SessionReport>(&enable)?;
    daemon.ask::<SessionReport>(&Request::Start { session: session.clone() })?;
    Ok(session)
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

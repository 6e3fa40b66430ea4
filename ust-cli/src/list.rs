// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust list` and `status`: sessions, and what programs offer.

use ust_consumerd::control::protocol::{AppReport, DaemonReport, Request, SessionReport};

use crate::connect::{self, Daemon};
use crate::output::{Json, level_text, print_session, session_line};

/// Lists the sessions, one session, or the programs and their tracepoints.
#[derive(clap::Args)]
pub struct List {
    /// One session, with its channels and events.
    session: Option<String>,
    /// The running programs, with their tracepoints and log levels.
    #[arg(short, long, conflicts_with = "session")]
    userspace: bool,
    /// With --userspace, the fields too.
    #[arg(short, long, requires = "userspace")]
    fields: bool,
    #[command(flatten)]
    json: Json,
}

/// Shows the current session.
#[derive(clap::Args)]
pub struct Status {
    #[command(flatten)]
    json: Json,
}

/// Runs `ust list`.
pub fn list(arguments: &List) -> anyhow::Result<u8> {
    if arguments.userspace {
        let apps: Vec<AppReport> = connect::ask(&Request::Apps { fields: arguments.fields })?;
        return arguments.json.print(&apps, || print_apps(&apps));
    }
    if arguments.session.is_some() {
        return session(arguments.session.clone(), arguments.json);
    }
    let mut daemon = Daemon::reach()?;
    let sessions: Vec<SessionReport> = daemon.ask(&Request::Sessions {})?;
    let state: DaemonReport = daemon.ask(&Request::Status {})?;
    arguments.json.print(&sessions, || {
        if sessions.is_empty() {
            println!("there is no session; ust create makes one");
        }
        for report in &sessions {
            println!("{}", session_line(report));
            for process in &report.left_behind {
                println!(
                    "  flight recorder of {process}, which has ended: ust snapshot record -s {}",
                    report.config.name
                );
            }
        }
        print_unclaimed(&state);
    })
}

/// Says what programs have left that belongs to no session.
fn print_unclaimed(state: &DaemonReport) {
    for left in &state.unclaimed_images {
        let what = if left.own_trace { "flight recorder (UST_TRACE)" } else { "events of no session" };
        println!("{what} of {}, which has ended: ust recover", left.process);
    }
    let damaged = state.unclaimed.saturating_sub(state.unclaimed_images.len() as u64);
    if damaged > 0 {
        println!(
            "{damaged} more images of programs that have ended cannot be read whole: ust daemon --stop, then ust recover"
        );
    }
}

/// Runs `ust status`.
pub fn status(arguments: &Status) -> anyhow::Result<u8> {
    session(None, arguments.json)
}

fn session(session: Option<String>, json: Json) -> anyhow::Result<u8> {
    let report: SessionReport = connect::ask(&Request::Session { session })?;
    json.print(&report, || print_session(&report))
}

fn print_apps(apps: &[AppReport]) {
    if apps.is_empty() {
        println!("no program with tracepoints runs; ust doctor says why one would not be seen");
    }
    for app in apps {
        let exe = app.exe.as_ref().map_or_else(String::new, |exe| format!(" ({})", exe.display()));
        let ended = if app.running { "" } else { " [ended]" };
        let own = if app.own_trace { " [UST_TRACE]" } else { "" };
        println!("PID: {} - Name: {}{exe}{ended}{own}", app.pid, app.name);
        for tracepoint in &app.tracepoints {
            let enabled = if tracepoint.enabled { " [enabled]" } else { "" };
            println!(
                "      {} (loglevel: {}) (type: tracepoint){enabled}",
                tracepoint.name,
                level_text(tracepoint.loglevel)
            );
            for field in &tracepoint.fields {
                let nowrite = if field.nowrite { " [no write]" } else { "" };
                println!("        field: {} ({}){nowrite}", field.name, field.kind);
            }
        }
    }
}

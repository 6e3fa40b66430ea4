// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust record`: runs a program and records its tracepoints.

mod attach;
mod child;
mod plan;
pub mod report;

use std::ffi::OsString;
use std::io::{IsTerminal as _, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use ust_consumerd::{Engine, LossMode, Progress, RuntimeDir, StartError};
use ust_ctf::Job;
use ust_ctf::reader::Trace;
use ust_ctf::text::Options;

use crate::output::print_line;
use crate::problem::Problem;
use crate::signals::{self, Signals};
use crate::size::{number_text, parse_bytes, parse_duration, rounded_bytes_text};
use crate::view;

/// Exit status when nothing was recorded.
pub const NOTHING_RECORDED: u8 = 3;

/// How often the progress line changes.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Runs a program and records its tracepoints.
///
/// The program needs no daemon: it finds this recorder through UST_RUNTIME_DIR in its environment, and so do the programs
/// that it starts. The recording ends when CMD ends. Ctrl-C ends CMD, and then the recording.
///
/// The exit status is that of CMD (128 + signal if one killed it); 3 if no event was recorded; 1 or 2 if the recording
/// could not begin.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ust record -- ./hello --events 1000\n  ust record -e 'shop:*' -o trace -- ./shop\n  \
                        ust record -e 'shop:*' --filter 'total > 100 && sku == \"A-*\"' --context vtid -- ./shop\n  \
                        ust record --mode overwrite -- ./server     # keep the newest events only\n  ust record -p 'shop*' --duration 10s         # attach to what runs"
)]
pub struct Arguments {
    /// Record events whose `provider:name` matches; `*` matches anything. May be repeated. Default: every event.
    #[arg(short = 'e', long = "event", value_name = "PATTERN")]
    patterns: Vec<String>,
    /// Record only events whose fields and contexts are like this: 'size > 100 && $ctx.procname == "worker*"'. The language is that of
    /// LTTng's filters. It applies to every -e.
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
    /// Add a context to each event: vpid, vtid, procname, pthread_id, cpu_id, ip, vuid, net_ns, perf:thread:cycles, ... May be repeated.
    #[arg(long = "context", value_name = "NAME", value_parser = crate::context::parse)]
    contexts: Vec<String>,
    /// Directory for the trace, new or empty. Default: ./NAME-YYYYmmdd-HHMMSS, NAME being that of CMD.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// What happens when events come faster than they can be written.
    #[arg(long, value_enum, default_value_t = Mode::Discard)]
    mode: Mode,
    /// Size of a sub-buffer; each thread has --subbuf-count of them. K, M and G are understood.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, default_value = "256K")]
    subbuf_size: u64,
    /// Number of sub-buffers of a thread.
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    subbuf_count: u64,
    /// Print the events on standard output when the recording has ended.
    #[arg(long)]
    view: bool,
    /// Print the summary as JSON: the last line of standard output, behind what CMD prints. With --view the events are JSON, too.
    #[arg(long)]
    json: bool,
    /// Record programs that run instead: a process id, or a glob of names; may be repeated. The recording ends with the last
    /// of them, with Ctrl-C, or after --duration.
    #[arg(short = 'p', long = "pid", value_name = "PID|GLOB", conflicts_with = "command")]
    attach: Vec<String>,
    /// With -p: end after so long, for example 10s.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, requires = "attach")]
    duration: Option<Duration>,
    /// The program to run, and its arguments.
    #[arg(value_name = "CMD", trailing_var_arg = true, allow_hyphen_values = true, required_unless_present = "attach")]
    command: Vec<OsString>,
}

/// What happens when events come faster than they can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    /// New events are not recorded until there is room; they are counted.
    Discard,
    /// The oldest events are overwritten; the trace is written when the program ends.
    Overwrite,
    /// The program waits for room (this sets UST_ALLOW_BLOCKING for it).
    Block,
}

impl From<Mode> for LossMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Discard => Self::Discard,
            Mode::Overwrite => Self::Overwrite,
            Mode::Block => Self::Block,
        }
    }
}

/// Runs `ust record`; returns the exit status.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    if !arguments.attach.is_empty() {
        return attach::run(arguments);
    }
    let options = plan::options(arguments, &plan::name_of(&arguments.command[0]))?;
    let program = child::find(&arguments.command)?;
    let made_output = !options.output.exists();
    let dir = RuntimeDir::create_private().map_err(problem)?;
    let mut engine = Engine::new(dir, options).map_err(problem)?;
    let signals = Signals::hold().map_err(|error| anyhow::anyhow!("cannot take signals: {error}"))?;
    let mut child = match child::start(&program, arguments, engine.runtime_dir().path(), &signals) {
        Ok(child) => child,
        Err(error) => {
            plan::take_back(&engine.stop().output, made_output);
            return Err(error);
        }
    };
    let status = drive(&mut engine, &signals, &mut child)?;
    let summary = engine.stop();
    if !arguments.json {
        report::print(&summary);
    }
    let mut code = child::exit_code(status);
    if summary.event_count() == 0 {
        report::print_nothing(&summary, arguments, code);
        code = NOTHING_RECORDED;
    } else if arguments.view {
        view_all(&summary.output, arguments.json)?;
    }
    if arguments.json {
        print_line(&report::as_json(&summary, status))?;
    }
    Ok(code)
}

/// Prints all events of the trace in `dir`.
fn view_all(dir: &Path, json: bool) -> anyhow::Result<()> {
    let trace = Trace::open(dir).map_err(|error| Problem::bare(error.to_string()))?;
    let form = if json { view::Form::Json } else { view::Form::Text(Options::default()) };
    view::print(&trace, form, &mut Job::all())
}

/// Records until the program has ended.
fn drive(engine: &mut Engine, signals: &Signals, child: &mut std::process::Child) -> anyhow::Result<ExitStatus> {
    let line = progress_line();
    let began = Instant::now();
    let mut show_at = began + PROGRESS_EVERY;
    let mut asked = 0;
    loop {
        let timeout = if line.is_hidden() { Duration::MAX } else { PROGRESS_EVERY };
        let ready = engine.run_once(timeout, &[signals.fd()]).map_err(|e| anyhow::anyhow!("cannot poll: {e}"))?;
        if ready == [true] {
            while let Some(arrived) = signals.next() {
                if arrived.signal != libc::SIGCHLD {
                    asked += 1;
                    end_child(child.id(), arrived, asked);
                }
            }
            if let Some(status) = child.try_wait()? {
                line.finish_and_clear();
                return Ok(status);
            }
        }
        if !line.is_hidden() && Instant::now() >= show_at {
            show_at = Instant::now() + PROGRESS_EVERY;
            line.set_message(progress_text(engine.progress(), began.elapsed()));
            line.tick();
        }
    }
}

/// Passes a request to end on to the program, more firmly each time.
fn end_child(pid: u32, arrived: signals::Arrived, asked: u32) {
    match asked {
        // What the terminal sends, it sends to the program too.
        1 if arrived.from_terminal => {}
        1 => signals::send(pid, arrived.signal),
        2 => signals::send(pid, libc::SIGTERM),
        _ => signals::send(pid, libc::SIGKILL),
    }
}

fn progress_line() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

fn progress_text(progress: Progress, elapsed: Duration) -> String {
    let lost = if progress.lost == 0 { String::new() } else { format!(", {} lost", number_text(progress.lost)) };
    format!(
        "recording {} s: {} events of {} {}{lost}, {}",
        elapsed.as_secs(),
        number_text(progress.events),
        progress.processes,
        if progress.processes == 1 { "process" } else { "processes" },
        rounded_bytes_text(progress.bytes)
    )
}

fn problem(error: StartError) -> Problem {
    if let StartError::Filter(filter) = &error
        && filter.help.is_some()
    {
        // It says what to try at its place.
        return Problem { what: error.to_string(), hint: None };
    }
    Problem::new(error.to_string(), error.hint())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust view`: prints the events of traces in the order of time.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::PathBuf;

use ust_ctf::reader::Trace;
use ust_ctf::text::{self, Names, Options, Printer, Shown};

use crate::problem::Problem;

/// Prints the events of traces in the order of time, one per line.
///
/// The lines are those of babeltrace2, and so are the options. What a trace says was lost is printed on standard error behind the
/// events.
#[derive(clap::Args)]
pub struct Arguments {
    /// Directories of traces, as `ust record` printed them; all events are on one line of time.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print the date in front of the time.
    #[arg(long)]
    clock_date: bool,
    /// Print UTC instead of local time.
    #[arg(long)]
    clock_gmt: bool,
    /// Print seconds since 1970 instead of the time of day.
    #[arg(long)]
    clock_seconds: bool,
    /// Print cycles of the clock instead of the time.
    #[arg(long)]
    clock_cycles: bool,
    /// Leave out the time since the line before.
    #[arg(long)]
    no_delta: bool,
    /// Print these names: all, none, or a list of scope, header, context, payload. Default: context,payload.
    #[arg(long, value_name = "LIST", value_parser = Names::parse, default_value = "context,payload", hide_default_value = true)]
    names: Names,
    /// Print these in front of the name: all, none, or a list of trace, trace:hostname, trace:domain, trace:procname, trace:vpid,
    /// loglevel, emf, callsite. Default: trace:hostname,trace:procname,trace:vpid.
    #[arg(
        long,
        value_name = "LIST",
        value_parser = Shown::parse,
        default_value = "trace:hostname,trace:procname,trace:vpid",
        hide_default_value = true
    )]
    fields: Shown,
    /// When to use colours.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Leave out events before TIME: `[[YYYY-MM-DD] hh:mm:ss][.nnnnnnnnn]` as it is printed, or seconds since 1970.
    #[arg(long, value_name = "TIME")]
    begin: Option<String>,
    /// Leave out events after TIME.
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// Print the first N events only.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Threads that read and print. Default: one per processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    /// Never.
    Never,
    /// On a terminal that has them, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
}

impl Color {
    fn is_on(self) -> bool {
        let has_colors = || {
            let term = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
            let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            term && !is_refused && io::stdout().is_terminal()
        };
        self == Self::Always || (self == Self::Auto && has_colors())
    }
}

/// Runs `ust view`.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let options = Options {
        clock_date: arguments.clock_date,
        clock_gmt: arguments.clock_gmt,
        clock_seconds: arguments.clock_seconds,
        clock_cycles: arguments.clock_cycles,
        no_delta: arguments.no_delta,
        names: arguments.names,
        fields: arguments.fields,
        color: arguments.color.is_on(),
    };
    let time = |text: &Option<String>, trace: &Trace| match text {
        Some(text) => text::parse_time(text, arguments.clock_gmt, trace)
            .map(Some)
            .map_err(|why| Problem::new(why, "a time as it is printed, for example 2026-11-23 01:20:44.25")),
        None => Ok(None),
    };
    let trace = open(&arguments.paths)?;
    let (begin, end) = (time(&arguments.begin, &trace)?, time(&arguments.end, &trace)?);
    let trace = match (begin, end) {
        (None, None) => trace,
        (begin, end) => trace.between(begin.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX)),
    };
    print(&trace, options, arguments.threads, arguments.limit)
}

/// Opens the traces in `paths`.
pub fn open(paths: &[PathBuf]) -> anyhow::Result<Trace> {
    Ok(Trace::open_all(paths)
        .map_err(|error| Problem::new(error.to_string(), "the directory that `ust record` printed behind `trace`"))?)
}

/// Prints `trace` on standard output. That nobody reads on is no error.
pub fn print(trace: &Trace, options: Options, threads: Option<u16>, limit: Option<u64>) -> anyhow::Result<()> {
    let threads = threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let warnings = match text::write(trace, options, threads, limit, &mut io::stdout().lock()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        other => other.map_err(|error| anyhow::anyhow!("cannot print the events: {error}"))?,
    };
    let mut complaints = BufWriter::new(io::stderr().lock());
    for warning in trace.warnings().iter().chain(&warnings) {
        writeln!(complaints, "warning: {warning}")?;
    }
    let mut printer = Printer::new(options);
    for loss in trace.losses() {
        writeln!(complaints, "{}", printer.loss_text(loss))?;
    }
    Ok(())
}

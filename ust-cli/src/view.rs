// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust view`: prints the events of traces in the order of time.

use std::io::{self, IsTerminal as _};

use ust_ctf::reader::Trace;
use ust_ctf::text::{self, Names, Options, Shown};
use ust_ctf::{Job, json};

use crate::follow;
use crate::pipe;
use crate::problem::Problem;
use crate::reading::{Reading, complain, until_closed};

/// Prints the events of traces in the order of time, one per line.
///
/// The lines are those of babeltrace2, and so are the options of the same name. What a trace says was lost is printed on
/// standard error behind the events. The exit status is 0 also for a damaged trace, of which the good part is printed with
/// warnings; 1 if there is no trace or a wish that cannot be fulfilled; 2 for a command line that cannot be understood.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
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
    /// Print file and line of each tracepoint behind its name.
    #[arg(long)]
    source: bool,
    /// Leave out events before TIME: `[[YYYY-MM-DD] hh:mm:ss][.nnnnnnnnn]` as it is printed, or seconds since 1970.
    #[arg(long, value_name = "TIME")]
    begin: Option<String>,
    /// Leave out events after TIME.
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// Print the first N events only.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print each event as a JSON object on a line of its own.
    #[arg(long, conflicts_with_all = ["clock_date", "clock_gmt", "clock_seconds", "clock_cycles", "no_delta", "names", "fields", "source"])]
    json: bool,
    /// Wait for more: print what is recorded while it is recorded, until the recording ends or Ctrl-C.
    #[arg(long, conflicts_with = "end")]
    follow: bool,
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

/// How events are written.
#[derive(Clone, Copy)]
pub enum Form {
    /// As lines of text.
    Text(Options),
    /// As objects.
    Json,
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
        source: arguments.source,
    };
    let form = if arguments.json { Form::Json } else { Form::Text(options) };
    let time = |text: &Option<String>, trace: &Trace| match text {
        Some(text) => text::parse_time(text, arguments.clock_gmt, trace)
            .map(Some)
            .map_err(|why| Problem::new(why, "a time as it is printed, for example 2026-11-23 01:20:44.25")),
        None => Ok(None),
    };
    if arguments.follow {
        return follow::run(&arguments.reading, form, |trace| time(&arguments.begin, trace), arguments.limit);
    }
    let trace = arguments.reading.open()?;
    let (begin, end) = (time(&arguments.begin, &trace)?, time(&arguments.end, &trace)?);
    let trace = match (begin, end) {
        (None, None) => trace,
        (begin, end) => trace.between(begin.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX)),
    };
    let selection = arguments.reading.selection(&trace)?;
    // On a terminal the events themselves show that it goes on.
    let mut job = arguments.reading.job(selection, arguments.limit, !io::stdout().is_terminal());
    print(&trace, form, &mut job)
}

/// Prints `trace` on standard output. That nobody reads on is no error.
pub fn print(trace: &Trace, form: Form, job: &mut Job<'_>) -> anyhow::Result<()> {
    let stdout = io::stdout();
    pipe::enlarge(&stdout);
    let out = &mut stdout.lock();
    let (written, options) = match form {
        Form::Text(options) => (text::write(trace, options, job, out), options),
        Form::Json => (json::write(trace, job, out), Options::default()),
    };
    let Some(warnings) = until_closed(written)? else { return Ok(()) };
    complain(trace.warnings().iter().chain(&warnings), trace.losses(), options)
}

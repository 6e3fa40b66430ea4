// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust view`: prints the events of a trace in the order of time.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use ust_ctf::reader::Trace;
use ust_ctf::text::{Options, Printer};

use crate::problem::Problem;

/// Bytes of text collected before they are written.
const BUFFER_BYTES: usize = 256 << 10;

/// Prints the events of a trace in the order of time, one per line.
///
/// The lines are those of babeltrace2. What the trace says was lost is printed on standard error behind the events.
#[derive(clap::Args)]
pub struct Arguments {
    /// Directory of the trace, as `ust record` printed it.
    dir: PathBuf,
    /// Print the date in front of the time.
    #[arg(long)]
    clock_date: bool,
    /// Print UTC instead of local time.
    #[arg(long)]
    clock_gmt: bool,
    /// Print seconds since 1970 instead of the time of day.
    #[arg(long)]
    clock_seconds: bool,
    /// Leave out the time since the line before.
    #[arg(long)]
    no_delta: bool,
    /// Print the first N events only.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Runs `ust view`.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let options = Options {
        clock_date: arguments.clock_date,
        clock_gmt: arguments.clock_gmt,
        clock_seconds: arguments.clock_seconds,
        no_delta: arguments.no_delta,
    };
    print(&arguments.dir, options, arguments.limit)
}

/// Prints the trace in `dir` on standard output. That nobody reads on is no error.
pub fn print(dir: &Path, options: Options, limit: Option<u64>) -> anyhow::Result<()> {
    let trace = Trace::open(dir)
        .map_err(|error| Problem::new(error.to_string(), "the directory that `ust record` printed behind `trace`"))?;
    let mut printer = Printer::new(options);
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let mut events = trace.events();
    let limit = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let printed =
        events.by_ref().take(limit).try_for_each(|event| printer.print(&mut out, &event)).and_then(|()| out.flush());
    // The buffer is not to be written again when it goes.
    let _ = out.into_parts();
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        other => other.map_err(|error| anyhow::anyhow!("cannot print the events: {error}"))?,
    }
    let mut complaints = BufWriter::new(io::stderr().lock());
    for warning in trace.warnings().iter().chain(events.warnings()) {
        writeln!(complaints, "warning: {warning}")?;
    }
    for loss in trace.losses() {
        writeln!(complaints, "{}", printer.loss_text(loss))?;
    }
    Ok(())
}

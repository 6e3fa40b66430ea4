// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the commands that read traces have in common: which traces, which events, how many threads, progress.

use std::cell::OnceCell;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ust_consumerd::control::protocol::{Request, SessionReport};
use ust_ctf::Job;
use ust_ctf::reader::{Loss, Trace, Warning};
use ust_ctf::select::{SelectError, Selection};
use ust_ctf::text::{Options, Printer};
use ust_filter::Filter;

use crate::connect;
use crate::lifecycle;
use crate::problem::Problem;

/// Which traces, and which of their events.
#[derive(clap::Args)]
pub struct Reading {
    /// Directories of traces; all events are on one line of time. Default: the trace of the current session.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The trace of the session that was the current one when it was asked for.
    #[arg(skip)]
    current: OnceCell<PathBuf>,
    /// Only events whose name matches GLOB: `*` matches anything, `\` takes the next character as it is. Several are OR-ed.
    #[arg(long = "event", short = 'e', value_name = "GLOB")]
    events: Vec<String>,
    /// Only events that the expression is true for, as in `size > 100 && $ctx.procname == "shop*"`.
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,
    /// Threads that read. Default: one per processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

impl Reading {
    /// Opens the traces.
    pub fn open(&self) -> anyhow::Result<Trace> {
        let mut paths = self.paths.clone();
        if paths.is_empty() {
            paths.push(self.current()?);
        }
        Ok(Trace::open_all(&paths).map_err(|error| {
            Problem::new(error.to_string(), "the directory that `ust record` printed behind `trace`")
        })?)
    }

    fn current(&self) -> Result<PathBuf, Problem> {
        if let Some(known) = self.current.get() {
            return Ok(known.clone());
        }
        let report: SessionReport = connect::ask(&Request::Session { session: None })?;
        let trace = lifecycle::trace_of(&report)?;
        Ok(self.current.get_or_init(|| trace.to_owned()).clone())
    }

    /// Which events are wanted; nothing of `trace` is read for it but the metadata.
    pub fn selection(&self, trace: &Trace) -> anyhow::Result<Arc<Selection>> {
        let selection = self.unchecked_selection()?;
        selection.check(trace).map_err(|error| match error {
            SelectError::Filter(error) => Problem::bare(error.to_string()),
            error @ SelectError::Pattern { .. } => Problem::new(error.to_string(), "`ust info` lists all events"),
        })?;
        Ok(selection)
    }

    /// The same for a trace that may get further kinds of events.
    pub fn unchecked_selection(&self) -> anyhow::Result<Arc<Selection>> {
        let mut selection = self.events.iter().fold(Selection::all(), |all, glob| all.with_pattern(glob.clone()));
        if let Some(text) = &self.filter {
            let filter = Filter::parse(text).map_err(|error| Problem::bare(error.to_string()))?;
            selection = selection.with_filter(filter);
        }
        Ok(Arc::new(selection))
    }

    /// What to do with the trace. Progress is shown on standard error if that is a terminal and `shows_progress`.
    pub fn job(&self, selection: Arc<Selection>, limit: Option<u64>, shows_progress: bool) -> Job<'static> {
        let mut job = Job { selection, limit, ..Job::all() };
        job.threads = self.threads.map_or(job.threads, usize::from);
        if shows_progress && io::stderr().is_terminal() {
            let bar = Bar::new();
            job.progress = Box::new(move |done, of| bar.show(done, of));
        }
        job
    }
}

/// A progress bar that goes away by itself.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {eta} left") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn show(&self, done: usize, of: usize) {
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Prints what is wrong with a trace and what it says was lost, on standard error.
pub fn complain<'w>(
    warnings: impl IntoIterator<Item = &'w Warning>,
    losses: &[Loss],
    options: Options,
) -> anyhow::Result<()> {
    let mut complaints = io::BufWriter::new(io::stderr().lock());
    for warning in warnings {
        writeln!(complaints, "warning: {warning}")?;
    }
    let mut printer = Printer::new(options);
    for loss in losses {
        writeln!(complaints, "{}", printer.loss_text(loss))?;
    }
    Ok(complaints.flush()?)
}

/// Takes the end of whoever reads standard output for the end of the work.
pub fn until_closed<T>(result: io::Result<T>) -> anyhow::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        other => Ok(Some(other.map_err(|error| anyhow::anyhow!("cannot write to standard output: {error}"))?)),
    }
}

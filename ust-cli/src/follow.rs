// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust view --follow`: prints a trace while it is being recorded.
//!
//! The trace is opened again every [`POLL`]. What is printed goes up to a horizon, which is [`MARGIN`] behind the newest packet: a
//! recorder writes out half-filled sub-buffers at least every tenth of a second, so no stream has anything older to come.
//! Should one all the same (a recorder that was stopped), that is said. A recording has ended when no stream file has
//! room for more at its end and nothing came for a second; files of other tracers may always look so or never.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use ust_ctf::json;
use ust_ctf::reader::{Packet, Trace};
use ust_ctf::text::{Options, Printer};

use crate::reading::{Reading, complain, until_closed};
use crate::view::Form;

/// Time between two looks at the trace.
const POLL: Duration = Duration::from_millis(200);

/// How far what is printed stays behind the newest packet.
const MARGIN_NS: i64 = 500_000_000;

/// How long nothing must come for a trace to have ended.
const QUIET: Duration = Duration::from_secs(1);

/// Prints what comes until the recording has ended. `begin` returns the first time that is wanted, if not all are.
pub fn run(
    reading: &Reading,
    form: Form,
    begin: impl Fn(&Trace) -> Result<Option<i64>, crate::problem::Problem>,
    limit: Option<u64>,
) -> anyhow::Result<()> {
    // Kinds of events may still appear, so that an unknown name is no mistake.
    let selection = reading.unchecked_selection()?;
    let mut trace = reading.open()?;
    let options = if let Form::Text(options) = form { options } else { Options::default() };
    let mut follower = Follower {
        form,
        printer: Printer::new(options),
        after_ns: begin(&trace)?.map_or(i64::MIN, |begin| begin.saturating_sub(1)),
        passed: 0,
        left: limit.unwrap_or(u64::MAX),
        line: Vec::new(),
    };
    let mut packets = 0;
    let mut quiet_since = Instant::now();
    loop {
        let found = trace_packets(&trace).count();
        if found != packets {
            (packets, quiet_since) = (found, Instant::now());
        }
        let has_ended = found > 0 && is_complete(&trace) && quiet_since.elapsed() >= QUIET;
        let newest = trace_packets(&trace).filter_map(Packet::end_ns).max();
        let horizon = if has_ended { i64::MAX } else { newest.map_or(i64::MIN, |ns| ns.saturating_sub(MARGIN_NS)) };
        let mut selector = selection.selector();
        if until_closed(follower.print_until(&trace, horizon, |event| selector.wants(event)))?.is_none() {
            return Ok(());
        }
        if has_ended || follower.left == 0 {
            return complain(trace.warnings(), trace.losses(), options);
        }
        std::thread::sleep(POLL);
        trace = reading.open()?;
    }
}

fn trace_packets(trace: &Trace) -> impl Iterator<Item = &Packet> {
    trace.folders().iter().flat_map(|folder| folder.streams()).flat_map(|stream| stream.packets())
}

/// Whether no stream file has room for more: a recorder keeps a hole behind the last packet as long as it writes.
fn is_complete(trace: &Trace) -> bool {
    let streams = trace.folders().iter().flat_map(|folder| folder.streams());
    let mut last_packets = streams.filter_map(|stream| stream.packets().last());
    last_packets.all(|packet| packet.packet_bits == packet.content_bits.next_multiple_of(8))
}

/// What was printed so far.
struct Follower {
    form: Form,
    printer: Printer,
    /// Everything up to this time was printed.
    after_ns: i64,
    /// Packets that had ended by then.
    passed: usize,
    /// Events that are wanted yet.
    left: u64,
    line: Vec<u8>,
}

impl Follower {
    /// Prints the events up to `horizon` that were not printed yet.
    fn print_until(
        &mut self,
        trace: &Trace,
        horizon: i64,
        mut wants: impl FnMut(&ust_ctf::reader::Event<'_>) -> bool,
    ) -> io::Result<()> {
        let ended_by = |time: i64| trace_packets(trace).filter(|p| p.end_ns().is_some_and(|end| end <= time)).count();
        let late = ended_by(self.after_ns).saturating_sub(self.passed);
        if late > 0 && self.after_ns > i64::MIN {
            let (what, they) = if late == 1 { ("packet", "its") } else { ("packets", "their") };
            eprintln!(
                "warning: {late} {what} came too late to be shown; `ust view` without --follow shows {they} events"
            );
        }
        if horizon > self.after_ns {
            let mut out = io::stdout().lock();
            self.printer.go_on_with_next_trace();
            let part = trace.between(self.after_ns.saturating_add(1), horizon);
            let mut events = part.events();
            while self.left > 0
                && let Some(event) = events.next()
            {
                if !wants(&event) {
                    continue;
                }
                self.left -= 1;
                match self.form {
                    Form::Text(_) => self.printer.print(&mut out, &event)?,
                    Form::Json => {
                        self.line.clear();
                        json::put_event(&mut self.line, &event);
                        out.write_all(&self.line)?;
                    }
                }
            }
            out.flush()?;
            self.after_ns = horizon;
        }
        self.passed = ended_by(self.after_ns);
        Ok(())
    }
}

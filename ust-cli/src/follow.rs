// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust view --follow`: prints a trace while it is being recorded.
//!
//! The trace is opened again every [`POLL`]. What is printed goes up to a horizon: the end of a packet that is [`MARGIN`] older than
//! the newest one, or of the newest itself once nothing came for as long. A recorder writes out half-filled sub-buffers at
//! least every tenth of a second, so no stream has anything older to come. The horizon is kept as the packet, not as a time: the
//! recorder measures its clock more exactly as it goes on, and the times of all events move a little.
//!
//! Should one all the same (a recorder that was stopped), that is said. A recording has ended when no stream file has
//! room for more at its end and nothing came for a second; files of other tracers may always look so or never.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ust_ctf::json;
use ust_ctf::reader::{Event, Packet, Stream, Trace};
use ust_ctf::text::{Options, Printer};

use crate::reading::{Reading, complain, until_closed};
use crate::view::Form;

/// Time between two looks at the trace.
const POLL: Duration = Duration::from_millis(200);

/// How far what is printed stays behind the newest packet.
const MARGIN: Duration = Duration::from_millis(500);

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
        begin_ns: begin(&trace)?.unwrap_or(i64::MIN),
        horizon: None,
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
        let newest = trace_packets(&trace).filter_map(Packet::end_ns).max().unwrap_or(i64::MIN);
        let until_ns = match quiet_since.elapsed() {
            _ if has_ended => i64::MAX,
            quiet if quiet >= MARGIN => newest,
            _ => newest.saturating_sub(MARGIN.as_nanos() as i64),
        };
        let mut selector = selection.selector();
        if until_closed(follower.print_until(&trace, until_ns, |event| selector.wants(event)))?.is_none() {
            return Ok(());
        }
        if has_ended || follower.left == 0 {
            return complain(trace.warnings(), trace.losses(), options);
        }
        std::thread::sleep(POLL);
        trace = reading.open()?;
    }
}

/// Which packet: its file and the byte where it begins.
type PacketId = (PathBuf, u64);

fn packet_id(stream: &Stream, packet: &Packet) -> PacketId {
    (stream.packet_file(packet).to_owned(), packet.offset)
}

/// Times of the ends of packets, and which packets they are.
fn packet_ends(trace: &Trace) -> impl Iterator<Item = (i64, &Stream, &Packet)> {
    let streams = trace.folders().iter().flat_map(|folder| folder.streams());
    let packets = streams.flat_map(|stream| stream.packets().iter().map(move |packet| (stream, packet)));
    packets.filter_map(|(stream, packet)| Some((packet.end_ns()?, stream, packet)))
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
    /// Nothing before this time is wanted.
    begin_ns: i64,
    /// Everything up to the end of this packet was printed.
    horizon: Option<PacketId>,
    /// Packets that had ended by then.
    passed: usize,
    /// Events that are wanted yet.
    left: u64,
    line: Vec<u8>,
}

impl Follower {
    /// Prints the events up to the newest end of a packet that is not after `until_ns`, but for those that were printed before.
    fn print_until(
        &mut self,
        trace: &Trace,
        until_ns: i64,
        mut wants: impl FnMut(&Event<'_>) -> bool,
    ) -> io::Result<()> {
        let printed = packet_ends(trace).find(|(_, stream, packet)| Some(packet_id(stream, packet)) == self.horizon);
        let after_ns = printed.map_or(i64::MIN, |(end_ns, ..)| end_ns);
        let ended_by = |time: i64| packet_ends(trace).filter(|(end_ns, ..)| *end_ns <= time).count();
        let late = ended_by(after_ns).saturating_sub(self.passed);
        if late > 0 {
            let (what, they) = if late == 1 { ("packet", "its") } else { ("packets", "their") };
            eprintln!(
                "warning: {late} {what} came too late to be shown; `ust view` without --follow shows {they} events"
            );
        }
        let next = packet_ends(trace).filter(|(end_ns, ..)| *end_ns <= until_ns).max_by_key(|(end_ns, ..)| *end_ns);
        let Some((end_ns, stream, packet)) = next.filter(|(end_ns, ..)| *end_ns > after_ns || until_ns == i64::MAX)
        else {
            return Ok(());
        };
        // At the end also what packets hold behind the time that they say is their end.
        let end_ns = if until_ns == i64::MAX { i64::MAX } else { end_ns };
        self.print(&trace.between(after_ns.saturating_add(1).max(self.begin_ns), end_ns), &mut wants)?;
        self.horizon = Some(packet_id(stream, packet));
        self.passed = ended_by(end_ns);
        Ok(())
    }

    fn print(&mut self, trace: &Trace, mut wants: impl FnMut(&Event<'_>) -> bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        self.printer.go_on_with_next_trace();
        let mut events = trace.events();
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
        out.flush()
    }
}

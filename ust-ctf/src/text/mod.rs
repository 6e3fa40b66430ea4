// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints events as lines of text, byte for byte as babeltrace2 does.
//!
//! ```text
//! [01:20:44.229440848] (+0.000000078) box shop:order: { cpu_id = 3, vpid = 69, … }, { id = 7 }
//! ```
//!
//! [`Printer`] prints events one by one; [`write()`] prints a whole trace with several threads.

mod compile;
mod decimal;
mod float;
mod node;
mod out;
mod parse;
mod quote;
mod style;
mod time;
mod whole;

use std::io::{self, Write};

use crate::class::{Role, StructClass};
use crate::metadata::uuid_text;
use crate::reader::{Event, Loss, Lost, Place};
use compile::{Compiler, head};
use decimal::{put_decimal, put_padded};
use node::{Context, Members, Overlay};
use out::{Literal, Out};
use style::Colors;
use time::TimePrinter;

/// Returns nanoseconds since the epoch as date and time, in UTC if `gmt`, else in the local time zone.
#[must_use]
pub fn time_text(ns: i64, gmt: bool) -> String {
    TimePrinter::new(Options { clock_date: true, clock_gmt: gmt, ..Options::default() }).text(ns)
}

pub use parse::parse_time;
pub use style::{Names, Options, Shown};
pub use whole::write;

/// Prints events one by one, and remembers the time of the last.
#[derive(Debug)]
pub struct Printer {
    options: Options,
    time: TimePrinter,
    frame: Frame,
    /// What prints the events of each class, by the number of the class.
    classes: Vec<Option<Box<ClassPrinter>>>,
    /// The text of the context of the last packet of each stream, by the number of the stream.
    packets: Vec<Option<(usize, Literal)>>,
    previous: Option<Stamp>,
    line: Out,
}

/// When an event happened.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    ns: i64,
    cycles: u64,
}

/// What stands around the time.
#[derive(Debug)]
struct Frame {
    colors: Colors,
    before_time: Literal,
    after_time: Literal,
    before_delta: Literal,
    after_delta: Literal,
}

/// What prints the events of one class.
#[derive(Debug)]
struct ClassPrinter {
    head: Literal,
    scopes: Vec<(Literal, Members)>,
}

impl Printer {
    /// Returns a printer that has printed nothing yet; it looks up the local time zone.
    ///
    /// It prints events of one [`crate::reader::Trace`] only.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            time: TimePrinter::new(options),
            frame: Frame::new(&options),
            classes: Vec::new(),
            packets: Vec::new(),
            previous: None,
            line: Out::default(),
        }
    }

    /// Forgets what it knows of the trace, but for the time of the last event: the events that follow are those of another one,
    /// or of the same one opened again.
    pub fn go_on_with_next_trace(&mut self) {
        self.classes.clear();
        self.packets.clear();
    }

    /// Writes one line for `event`, in a single call.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn print(&mut self, out: &mut impl Write, event: &Event<'_>) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        self.put(&mut line, event);
        let written = out.write_all(line.text());
        self.line = line;
        written
    }

    /// Appends the line of `event`.
    #[inline]
    fn put(&mut self, out: &mut Out, event: &Event<'_>) {
        out.begin_line();
        if event.has_clock() {
            self.put_time(out, event);
        }
        self.put_rest(out, event);
    }

    fn put_time(&mut self, out: &mut Out, event: &Event<'_>) {
        let stamp = Stamp { ns: event.time_ns, cycles: event.cycles };
        self.put_stamp(out, stamp);
        if !self.options.no_delta {
            out.literal(&self.frame.before_delta);
            put_delta(out, self.options.clock_cycles, self.previous, stamp);
            out.literal(&self.frame.after_delta);
        }
        self.previous = Some(stamp);
    }

    fn put_stamp(&mut self, out: &mut Out, stamp: Stamp) {
        out.literal(&self.frame.before_time);
        if self.options.clock_cycles {
            put_padded::<20>(out, stamp.cycles);
        } else {
            self.time.put(out, stamp.ns);
        }
        out.literal(&self.frame.after_time);
    }

    /// Appends all but the time.
    #[inline]
    fn put_rest(&mut self, out: &mut Out, event: &Event<'_>) {
        let number = event.class_number().0 as usize;
        if self.classes.get(number).is_none_or(Option::is_none) {
            self.compile(number, event);
        }
        self.keep_packet(event);
        let Some(Some(class)) = self.classes.get(number) else {
            return;
        };
        out.literal(&class.head);
        let mut is_first = true;
        if let Some(Some((_, packet))) = self.packets.get(event.stream().number()) {
            out.literal(packet);
            is_first = false;
        }
        let slots = Overlay { base: event.slots(), over: Vec::new() };
        let mut context = Context { out, slots, colors: &self.frame.colors };
        let mut place = event.body();
        for (begin, members) in &class.scopes {
            if !std::mem::take(&mut is_first) {
                context.out.put(b", ");
            }
            context.out.literal(begin);
            // The event was passed whole before, so this does not fail.
            if members.put(&mut context, &mut place).is_err() {
                break;
            }
        }
        out.put(b"\n");
    }

    #[cold]
    fn compile(&mut self, number: usize, event: &Event<'_>) {
        let Options { names, .. } = self.options;
        let colors = &self.frame.colors;
        let compiler = |with_names| Compiler { options: &self.options, colors, with_names };
        let mut scopes = Vec::new();
        let mut add = |name: &str, class: Option<&StructClass>, with_names| {
            scopes.extend(class.map(|class| compiler(with_names).scope(name, class, |_| false)));
        };
        add("stream.event.context", event.stream_class().event_context.as_ref(), names.context);
        add("event.context", event.class.context.as_ref(), names.context);
        add("event.fields", event.class.payload.as_ref(), names.payload);
        let head = head(event.trace(), event.class, event.has_clock(), &self.options, colors);
        if self.classes.len() <= number {
            self.classes.resize_with(number + 1, || None);
        }
        self.classes[number] = Some(Box::new(ClassPrinter { head, scopes }));
    }

    /// Makes the text of the context of the event's packet, unless it is that of the event before.
    #[inline]
    fn keep_packet(&mut self, event: &Event<'_>) {
        let (stream, packet) = (event.stream().number(), event.packet_number());
        if self.packets.get(stream).is_none_or(|kept| kept.as_ref().is_none_or(|(kept, _)| *kept != packet)) {
            self.put_packet(stream, packet, event);
        }
    }

    #[cold]
    fn put_packet(&mut self, stream: usize, packet: usize, event: &Event<'_>) {
        let Some(class) = &event.stream_class().packet_context else {
            return;
        };
        let colors = &self.frame.colors;
        let compiler = Compiler { options: &self.options, colors, with_names: self.options.names.context };
        let (begin, members) = compiler.scope("stream.packet.context", class, |role| role != Role::Timestamp);
        if members.members.iter().all(|member| member.is_hidden) && !class.members.is_empty() {
            return;
        }
        let mut out = Out::default();
        let slots = Overlay { base: event.slots(), over: Vec::new() };
        let mut place: Place<'_> = event.packet_context_place();
        out.literal(&begin);
        // It was read when the packet was opened, so this does not fail.
        let _ = members.put(&mut Context { out: &mut out, slots, colors }, &mut place);
        if self.packets.len() <= stream {
            self.packets.resize_with(stream + 1, || None);
        }
        self.packets[stream] = Some((packet, Literal::new(out.text())));
    }

    /// Returns the warning for `loss` in the words of babeltrace2, without a line break.
    pub fn loss_text(&mut self, loss: &Loss) -> String {
        let what = match loss.lost {
            Lost::Events => "event",
            Lost::Packets => "packet",
        };
        let count = match (loss.certain, loss.count) {
            (false, _) => format!("may have discarded {what}s"),
            (true, 1) => format!("discarded 1 {what}"),
            (true, count) => format!("discarded {count} {what}s"),
        };
        let when = match loss.cycles {
            None => String::new(),
            Some(_) => {
                let (begin, end) = (self.time.text(loss.begin_ns), self.time.text(loss.end_ns));
                format!(" between [{begin}] and [{end}]")
            }
        };
        let uuid = match &loss.trace_uuid {
            Some(uuid) => format!("(UUID: {})", uuid_text(uuid)),
            None => "(no UUID)".to_owned(),
        };
        format!(
            "WARNING: Tracer {count}{when} in trace \"{}\" {uuid} within stream \"{}\" (stream class ID: {}, stream ID: {}).",
            loss.trace_name,
            loss.stream.display(),
            loss.stream_id,
            loss.stream_instance_id,
        )
    }
}

impl Frame {
    fn new(options: &Options) -> Self {
        let colors = Colors::new(options.color);
        let name = |name: &str| format!("{}{name}{} = ", colors.header, colors.reset);
        let (before_time, after_time, before_delta, after_delta) = if options.names.header {
            (name("timestamp"), ", ", name("delta") + "+", ", ")
        } else {
            ("[".to_owned(), "] ", "(+".to_owned(), ") ")
        };
        let (on, off) = (colors.time, colors.reset);
        Self {
            before_time: Literal::new(format!("{before_time}{on}").as_bytes()),
            after_time: Literal::new(format!("{off}{after_time}").as_bytes()),
            before_delta: Literal::new(before_delta.as_bytes()),
            after_delta: Literal::new(after_delta.as_bytes()),
            colors,
        }
    }
}

/// Appends the time since the line before, if there is one.
fn put_delta(out: &mut Out, in_cycles: bool, previous: Option<Stamp>, stamp: Stamp) {
    match (previous, in_cycles) {
        (None, true) => out.put(b"????????????"),
        (None, false) => out.put(b"?.?????????"),
        (Some(previous), true) => {
            let delta = stamp.cycles.wrapping_sub(previous.cycles);
            if delta < 1_000_000_000_000 { put_padded::<12>(out, delta) } else { put_decimal(out, delta) }
        }
        (Some(previous), false) => {
            let delta = stamp.ns.wrapping_sub(previous.ns) as u64;
            put_decimal(out, delta / time::NS_PER_S as u64);
            out.put(b".");
            put_padded::<9>(out, delta % time::NS_PER_S as u64);
        }
    }
}

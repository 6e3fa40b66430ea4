// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints events as lines of text, byte for byte as babeltrace2 does by default.
//!
//! ```text
//! [01:20:44.229440848] (+0.000000078) box shop:order: { cpu_id = 3, vpid = 69, … }, { id = 7 }
//! ```

mod decimal;
mod float;
mod time;
mod value;

use std::io::{self, Write};

use crate::metadata::uuid_text;
use crate::reader::{Event, Loss, Lost};
use decimal::{put_decimal, put_padded, put_signed_decimal};
use time::TimePrinter;

/// How lines are printed; the default is that of babeltrace2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Print the date too.
    pub clock_date: bool,
    /// Print UTC instead of local time.
    pub clock_gmt: bool,
    /// Print seconds since the epoch instead of the time of day; goes before the other two.
    pub clock_seconds: bool,
    /// Leave out the time since the line before.
    pub no_delta: bool,
}

/// Prints events one by one, and remembers the time of the last.
#[derive(Debug)]
pub struct Printer {
    options: Options,
    time: TimePrinter,
    previous_ns: Option<i64>,
    line: Vec<u8>,
}

impl Printer {
    /// Returns a printer that has printed nothing yet; it looks up the local time zone.
    pub fn new(options: Options) -> Self {
        Self { options, time: TimePrinter::new(options), previous_ns: None, line: Vec::with_capacity(512) }
    }

    /// Writes one line for `event`, in a single call.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn print(&mut self, out: &mut impl Write, event: &Event<'_>) -> io::Result<()> {
        self.line.clear();
        self.put_line(event)?;
        out.write_all(&self.line)
    }

    fn put_line(&mut self, event: &Event<'_>) -> io::Result<()> {
        let line = &mut self.line;
        line.push(b'[');
        self.time.put(line, event.time_ns);
        line.extend_from_slice(b"] ");
        if !self.options.no_delta {
            put_delta(line, self.previous_ns, event.time_ns);
        }
        self.previous_ns = Some(event.time_ns);
        put_origin(line, event);
        let packet = event.packet;
        line.extend_from_slice(event.raw.class.name.as_bytes());
        line.extend_from_slice(b": { cpu_id = ");
        put_decimal(line, packet.cpu_id.into());
        line.extend_from_slice(b", vpid = ");
        put_signed_decimal(line, packet.vpid.into());
        line.extend_from_slice(b", vtid = ");
        put_signed_decimal(line, packet.vtid.into());
        line.extend_from_slice(b", procname = ");
        value::put_text(line, &packet.procname)?;
        line.extend_from_slice(b" }, ");
        value::put_fields(line, &event.raw)?;
        line.push(b'\n');
        Ok(())
    }

    /// Returns the warning for `loss` in the words of babeltrace2, without a line break.
    pub fn loss_text(&mut self, loss: &Loss) -> String {
        let (begin, end) = (self.time.text(loss.begin_ns), self.time.text(loss.end_ns));
        let what = match loss.lost {
            Lost::Events => "event",
            Lost::Packets => "packet",
        };
        let count = match (loss.certain, loss.count) {
            (false, _) => format!("may have discarded {what}s"),
            (true, 1) => format!("discarded 1 {what}"),
            (true, count) => format!("discarded {count} {what}s"),
        };
        format!(
            "WARNING: Tracer {count} between [{begin}] and [{end}] in trace \"{}\" (UUID: {}) within stream \"{}\" \
             (stream class ID: {}, stream ID: {}).",
            loss.trace_name,
            uuid_text(&loss.trace_uuid),
            loss.stream.display(),
            loss.stream_id,
            loss.stream_instance_id,
        )
    }
}

/// Prints the time since the line before, if there is one.
fn put_delta(line: &mut Vec<u8>, previous_ns: Option<i64>, time_ns: i64) {
    let Some(previous_ns) = previous_ns else {
        line.extend_from_slice(b"(+?.?????????) ");
        return;
    };
    let delta = time_ns.abs_diff(previous_ns);
    line.extend_from_slice(b"(+");
    put_decimal(line, delta / time::NS_PER_S as u64);
    line.push(b'.');
    put_padded(line, delta % time::NS_PER_S as u64, 9);
    line.extend_from_slice(b") ");
}

/// Prints the host, and the process if the whole trace is of one.
fn put_origin(line: &mut Vec<u8>, event: &Event<'_>) {
    let class = event.trace.class();
    let mut is_first = true;
    let mut separate = |line: &mut Vec<u8>| {
        if !std::mem::take(&mut is_first) {
            line.push(b':');
        }
    };
    if let Some(hostname) = class.env_str("hostname") {
        separate(line);
        line.extend_from_slice(hostname.as_bytes());
    }
    if let Some(procname) = class.env_str("procname") {
        separate(line);
        line.extend_from_slice(procname.as_bytes());
    }
    if let Some(vpid) = class.env_integer("vpid") {
        separate(line);
        line.push(b'(');
        put_signed_decimal(line, vpid);
        line.push(b')');
    }
    if !is_first {
        line.push(b' ');
    }
}

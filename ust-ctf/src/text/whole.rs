// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints a whole trace with several threads.
//!
//! Each thread prints windows of time alone. What it cannot know is the time of the last event before a window, from which
//! the first line of the window differs: it leaves a gap there, which is filled when the windows come out in order.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Options, Out, Printer, Stamp, put_delta};
use crate::Job;
use crate::reader::{Trace, Warning};

/// The text of a window.
struct Chunk {
    bytes: Vec<u8>,
    len: usize,
    /// Where the time since the line before is missing, and the time of that line's event.
    gap: Option<(usize, Stamp)>,
    last: Option<Stamp>,
    line_count: u64,
}

/// Buffers that are used again: fresh memory costs a page fault every 4 KiB.
type Pool = Arc<Mutex<Vec<Vec<u8>>>>;

/// Writes the events of `trace` that `job` asks for to `out`; returns the warnings about what was read.
///
/// # Errors
/// Those of `out`.
pub fn write(trace: &Trace, options: Options, job: &mut Job<'_>, out: &mut impl Write) -> io::Result<Vec<Warning>> {
    let most = job.limit.unwrap_or(u64::MAX);
    let selection = Arc::clone(&job.selection);
    let pool = Pool::default();
    let worker_pool = Arc::clone(&pool);
    let mut chunks = trace.par_map_windows(
        job.threads,
        move || (Printer::new(options), selection.selector()),
        move |(printer, selector), events| {
            let buffer = worker_pool.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            let mut chunk = Out::reusing(buffer);
            let (mut gap, mut line_count) = (None, 0);
            printer.previous = None;
            while line_count < most
                && let Some(event) = events.next()
            {
                if !selector.wants(&event) {
                    continue;
                }
                line_count += 1;
                if gap.is_none() && event.has_clock() && !options.no_delta {
                    gap = Some(printer.put_with_gap(&mut chunk, &event));
                } else {
                    printer.put(&mut chunk, &event);
                }
            }
            let (bytes, len) = chunk.into_parts();
            Chunk { bytes, len, gap, last: printer.previous, line_count }
        },
    );
    let mut previous: Option<Stamp> = None;
    let (mut left, mut done, window_count) = (most, 0, chunks.window_count());
    let mut delta = Out::default();
    for chunk in &mut chunks {
        done += 1;
        (job.progress)(done, window_count);
        let mut text = &chunk.bytes[..chunk.len];
        if chunk.line_count > left {
            text = first_lines(text, left);
        }
        left = left.saturating_sub(chunk.line_count);
        match chunk.gap {
            Some((at, stamp)) if at <= text.len() => {
                delta.clear();
                put_delta(&mut delta, options.clock_cycles, previous, stamp);
                out.write_all(&text[..at])?;
                out.write_all(delta.text())?;
                out.write_all(&text[at..])?;
            }
            _ => out.write_all(text)?,
        }
        previous = chunk.last.or(previous);
        pool.lock().unwrap_or_else(PoisonError::into_inner).push(chunk.bytes);
        if left == 0 {
            break;
        }
    }
    out.flush()?;
    Ok(chunks.warnings())
}

fn first_lines(text: &[u8], count: u64) -> &[u8] {
    let mut ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let Some(last) = count.checked_sub(1) else {
        return &[];
    };
    let end = usize::try_from(last).ok().and_then(|last| ends.nth(last));
    &text[..end.unwrap_or(text.len())]
}

impl Printer {
    /// Appends a line without the time since the line before; returns where that belongs.
    fn put_with_gap(&mut self, out: &mut Out, event: &crate::reader::Event<'_>) -> (usize, Stamp) {
        out.begin_line();
        let stamp = Stamp { ns: event.time_ns, cycles: event.cycles };
        self.put_stamp(out, stamp);
        out.literal(&self.frame.before_delta);
        let gap = out.len();
        out.literal(&self.frame.after_delta);
        self.previous = Some(stamp);
        self.put_rest(out, event);
        (gap, stamp)
    }
}

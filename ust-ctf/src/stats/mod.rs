// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts what is in a trace: events, bytes, rates, losses, by kind of event, process and thread; times between begins and
//! ends; how events are spread over time.
//!
//! Windows of time are counted by several threads, each into a `WindowCount` of its own, and added up in the
//! order of time. No field is read that is not needed: where the thread stands in the packet context, that is once per packet.

mod count;
mod pairs;
mod spread;

use std::sync::Arc;

use crate::Job;
use crate::reader::{Lost, Trace, Warning};
use count::{Counter, Plan};

pub use pairs::PairStats;
pub use spread::Spread;

/// What is in a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// All events together.
    pub total: Count,
    /// By name of the event, those with the most events first.
    pub events: Vec<(String, Count)>,
    /// By process, those with the most events first. Empty where the trace does not name processes.
    pub processes: Vec<(Process, Count)>,
    /// By thread, those with the most events first. Empty where the trace does not name threads.
    pub threads: Vec<(Thread, Count)>,
    /// Times between events that begin and events that end something, by the name that both have in common.
    pub pairs: Vec<PairStats>,
    /// Events over time.
    pub spread: Spread,
    /// Events that the tracer says it did not record.
    pub discarded_events: u64,
    /// Packets that are missing.
    pub discarded_packets: u64,
}

/// Some events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub events: u64,
    /// Bits of their packets, with headers.
    pub bits: u64,
    /// Nanoseconds since the epoch of the first and of the last; `None` without events.
    pub times_ns: Option<(i64, i64)>,
}

impl Count {
    /// Returns their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bits.div_ceil(8)
    }

    /// Returns the events per second between the first and the last; `None` where that is no time.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let (first, last) = self.times_ns?;
        let seconds = last.saturating_sub(first) as f64 / 1e9;
        (seconds > 0.0).then(|| self.events as f64 / seconds)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.bits += other.bits;
        self.times_ns = match (self.times_ns, other.times_ns) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (times, None) | (None, times) => times,
        };
    }
}

/// A process, as its events name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// Its id in its own namespace.
    pub vpid: i64,
    /// The name of the first of its threads that was seen, if the trace has names.
    pub procname: Option<String>,
}

/// A thread, as its events name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thread {
    /// Its process, if the trace has it.
    pub vpid: Option<i64>,
    /// Its id in its own namespace.
    pub vtid: i64,
    /// Its name when it was seen first, if the trace has names.
    pub procname: Option<String>,
}

/// Counts the events of `trace` that `job` asks for, whatever its limit; also returns the warnings about what was read.
#[must_use]
pub fn gather(trace: &Trace, job: &mut Job<'_>) -> (Stats, Vec<Warning>) {
    let plan = Arc::new(Plan::new(trace));
    let (for_threads, selection) = (Arc::clone(&plan), Arc::clone(&job.selection));
    let mut windows = trace.par_map_windows(
        job.threads,
        move || (Counter::new(Arc::clone(&for_threads)), selection.selector()),
        |(counter, selector), events| {
            while let Some(event) = events.next() {
                if selector.wants(&event) {
                    counter.count(&event);
                }
            }
            counter.take()
        },
    );
    let mut sum = count::Sum::new(&plan);
    let window_count = windows.window_count();
    let mut done = 0;
    for window in &mut windows {
        sum.add(window);
        done += 1;
        (job.progress)(done, window_count);
    }
    let warnings = windows.warnings();
    let mut stats = sum.finish();
    for loss in trace.losses() {
        match loss.lost {
            Lost::Events => stats.discarded_events = stats.discarded_events.saturating_add(loss.count),
            Lost::Packets => stats.discarded_packets = stats.discarded_packets.saturating_add(loss.count),
        }
    }
    (stats, warnings)
}

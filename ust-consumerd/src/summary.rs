// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a recording amounted to: events, and every loss by its cause.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ust_shm::layout::LossMode;

use ust_filter::{Filter, FilterError};
use ust_shm::decode::Tracepoint;

use crate::config::RuleConfig;
use crate::error::StartError;
use crate::filters::Fields;
use crate::image::Image;
use crate::limits::{REGISTERED_COUNT_MAX, WARNING_COUNT_MAX};
use crate::ring::Counters;

/// What a recording amounted to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// Where the trace is.
    pub output: PathBuf,
    /// How full rings were treated.
    pub mode: LossMode,
    /// The processes that registered, in the order in which they were seen.
    pub processes: Vec<Process>,
    /// Events by tracepoint, as the programs counted them, without those that count as lost. In
    /// [`LossMode::Overwrite`] these are all that were recorded, of which the trace holds the newest.
    pub events: Vec<EventCount>,
    /// Events of tracepoints beyond those that are counted one by one.
    pub events_uncounted: u64,
    /// `provider:name` of tracepoints that were registered, at most some thousands of them.
    pub registered: BTreeSet<String>,
    /// Why the filter could accept no event of the tracepoints that were registered: a field that none of them has.
    pub filter_problem: Option<FilterError>,
    /// What was lost.
    pub losses: Losses,
    /// Packets in the trace.
    pub packets: u64,
    /// Bytes of the trace's stream files.
    pub bytes: u64,
    /// What went wrong, in words; the first few.
    pub warnings: Vec<String>,
    /// How many warnings there were.
    pub warning_count: u64,
}

/// A process that registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id, in its own pid namespace.
    pub pid: i32,
    /// Tells program runs of the same id apart.
    pub exec_id: u64,
    /// The name of its main thread.
    pub name: String,
    /// Events that it recorded.
    pub events: u64,
    /// Whether it still ran when the recording ended.
    pub running: bool,
}

impl Process {
    /// Whether an image is one of this process.
    pub(crate) fn is_of(&self, image: &Image) -> bool {
        self.pid == image.identity.pid && self.exec_id == image.identity.exec_id
    }
}

/// Events of one tracepoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// The named group.
    pub provider: String,
    /// The name inside it.
    pub name: String,
    /// How many were recorded.
    pub count: u64,
}

/// Losses by cause: events first, then what holds an unknown number of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Losses {
    /// Events that found their ring full.
    pub ring_full: u64,
    /// Events larger than a sub-buffer.
    pub too_big: u64,
    /// Events whose program gave up waiting for room.
    pub wait_timed_out: u64,
    /// Events for which no ring could be had.
    pub no_ring: u64,
    /// Events of signal handlers nested too deeply.
    pub nested: u64,
    /// Events left half-written by a jump out of them.
    pub abandoned: u64,
    /// Events that met a corrupt word in shared memory.
    pub corrupt: u64,
    /// Events of threads whose tracing state was gone.
    pub thread_gone: u64,
    /// Events about which a filter could not be asked.
    pub filter: u64,
    /// Packets overwritten while they were copied.
    pub packets_torn: u64,
    /// Packets that could not be written to the trace.
    pub packets_unwritten: u64,
    /// Rings that broke the protocol and were not read further.
    pub rings_corrupt: u64,
    /// Images that were refused, or given up.
    pub images_refused: u64,
}

impl Losses {
    fn add(&mut self, more: &Self) {
        self.combine(more, u64::saturating_add);
    }

    fn combine(&mut self, more: &Self, with: fn(u64, u64) -> u64) {
        // All of them by name, so that a new one is not forgotten.
        let Self {
            ring_full,
            too_big,
            wait_timed_out,
            no_ring,
            nested,
            abandoned,
            corrupt,
            thread_gone,
            filter,
            packets_torn,
            packets_unwritten,
            rings_corrupt,
            images_refused,
        } = self;
        for (sum, more) in [
            (ring_full, more.ring_full),
            (too_big, more.too_big),
            (wait_timed_out, more.wait_timed_out),
            (no_ring, more.no_ring),
            (nested, more.nested),
            (abandoned, more.abandoned),
            (corrupt, more.corrupt),
            (thread_gone, more.thread_gone),
            (filter, more.filter),
            (packets_torn, more.packets_torn),
            (packets_unwritten, more.packets_unwritten),
            (rings_corrupt, more.rings_corrupt),
            (images_refused, more.images_refused),
        ] {
            *sum = with(*sum, more);
        }
    }

    /// Returns the number of events known to be lost.
    #[must_use]
    pub fn events(&self) -> u64 {
        [
            self.ring_full,
            self.too_big,
            self.wait_timed_out,
            self.no_ring,
            self.nested,
            self.abandoned,
            self.corrupt,
            self.thread_gone,
            self.filter,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    /// Whether nothing at all was lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Summary {
    /// Returns the number of events recorded.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.events.iter().map(|event| event.count).fold(self.events_uncounted, u64::saturating_add)
    }

    /// Returns the number of events of each provider.
    #[must_use]
    pub fn events_per_provider(&self) -> BTreeMap<&str, u64> {
        let mut sums = BTreeMap::new();
        for event in &self.events {
            let sum: &mut u64 = sums.entry(event.provider.as_str()).or_default();
            *sum = sum.saturating_add(event.count);
        }
        sums
    }
}

/// The state of a running recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// Processes that registered so far.
    pub processes: u64,
    /// Events recorded so far.
    pub events: u64,
    /// Events lost so far.
    pub lost: u64,
    /// Bytes of the trace so far.
    pub bytes: u64,
    /// Packets of the trace so far.
    pub packets: u64,
}

/// What a session had from images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Closed {
    pub processes: u64,
    pub events: u64,
    pub losses: Losses,
}

/// What a daemon keeps of a session for the next one, which finds the images that are left, and counts these from their begin.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// From images that are closed.
    closed: Closed,
    /// By image: what is among that, and would be counted again.
    pub again: BTreeMap<String, Closed>,
    /// Processes among that of which there are images, which the session may join again: process id, number of the program run.
    returning: Vec<(i32, u64)>,
}

impl Closed {
    fn add(&mut self, more: &Self) {
        add(&mut self.processes, more.processes);
        add(&mut self.events, more.events);
        self.losses.add(&more.losses);
    }
}

/// Sums up while the recording runs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub processes: Vec<Process>,
    pub losses: Losses,
    /// What earlier daemons have kept, without the processes that are among `processes` now; the losses are among `losses`.
    before: Closed,
    /// Those of its processes that may come again.
    returning: Vec<(i32, u64)>,
    /// What has come since from images that are closed, and losses that are of no image; not the processes.
    closed: Closed,
    /// There is more of that than the daemon has kept.
    pub is_unsaved: bool,
    pub registered: BTreeSet<String>,
    /// The tracepoints that were registered, as far as they are kept.
    schemas: Vec<Arc<Tracepoint>>,
    filter_problem: Option<FilterError>,
    events: BTreeMap<(String, String), u64>,
    events_uncounted: u64,
    warnings: Vec<String>,
    warning_count: u64,
}

fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

impl Tally {
    pub(crate) fn warn(&mut self, warning: String) {
        // There may be a loss with it.
        self.is_unsaved = true;
        self.warning_count += 1;
        if self.warnings.len() < WARNING_COUNT_MAX {
            self.warnings.push(warning);
        }
    }

    /// Keeps what went wrong, if it did.
    pub(crate) fn warn_of(&mut self, result: Result<(), StartError>) {
        if let Err(error) = result {
            self.warn(error.to_string());
        }
    }

    /// Notes a process, unless another image of it was seen before.
    pub(crate) fn notice(&mut self, image: &Image) {
        let identity = image.identity;
        if self.process_of(image).is_none() {
            let is_it = |other: &(i32, u64)| *other == (identity.pid, identity.exec_id);
            if let Some(idx) = self.returning.iter().position(is_it) {
                self.returning.swap_remove(idx);
                self.before.processes = self.before.processes.saturating_sub(1);
            }
            self.processes.push(Process {
                pid: identity.pid,
                exec_id: identity.exec_id,
                name: text(&identity.procname),
                events: 0,
                running: false,
            });
        }
    }

    fn process_of(&mut self, image: &Image) -> Option<&mut Process> {
        self.processes.iter_mut().rev().find(|process| process.is_of(image))
    }

    /// Takes up what an earlier daemon has kept, but for what is said by image.
    pub(crate) fn resume(&mut self, kept: &Kept) {
        self.losses.add(&kept.closed.losses);
        self.before = kept.closed;
        self.returning.clone_from(&kept.returning);
    }

    /// Returns what the next daemon does not know by itself. `images` are all that there are, `found` says whether it joins one for `session`.
    pub(crate) fn keep(&self, session: u64, images: &[Image], found: impl Fn(&Image) -> bool) -> Kept {
        let mut kept = Kept { closed: self.before, returning: self.returning.clone(), ..Kept::default() };
        kept.closed.add(&self.closed);
        // These are counted where they happen.
        let Losses { packets_torn, packets_unwritten, rings_corrupt, images_refused, .. } = self.losses;
        kept.closed.losses =
            Losses { packets_torn, packets_unwritten, rings_corrupt, images_refused, ..kept.closed.losses };
        for process in &self.processes {
            let mut own = images.iter().filter(|image| process.is_of(image)).peekable();
            if own.peek().is_some() && own.clone().any(&found) {
                continue;
            }
            add(&mut kept.closed.processes, 1);
            if own.peek().is_some() {
                kept.returning.push((process.pid, process.exec_id));
            }
        }
        for image in images.iter().filter(|image| found(image)) {
            let mut counted = counted_before(session, image);
            for ring in image.rings().filter(|ring| ring.owner == session) {
                ring.base.events.iter().for_each(|count| add(&mut counted.events, *count));
                counted.losses.add(&losses_of(&ring.base));
            }
            if counted != Closed::default() {
                kept.again.insert(image.name(), counted);
            }
        }
        kept
    }

    /// Notes that this came from an image which is gone, or whose counters are passed over from now on.
    pub(crate) fn end(&mut self, closed: &Closed) {
        self.closed.add(closed);
        self.is_unsaved = true;
    }

    /// Adds what the image's shared counters say for `session`, when nothing more comes from it. Returns that.
    pub(crate) fn close(&mut self, session: u64, image: &Image, running: bool) -> Closed {
        let mut total = 0u64;
        let mut losses = losses_outside_rings(session, image);
        self.note_schemas(image);
        let room = REGISTERED_COUNT_MAX.saturating_sub(self.registered.len());
        self.registered.extend(image.table.values().take(room).map(|t| format!("{}:{}", t.provider, t.name)));
        for ring in image.rings().filter(|ring| ring.owner == session) {
            let counted = ring.counted();
            losses.add(&losses_of(&counted));
            let last = counted.events.len().saturating_sub(1);
            for (id, &count) in counted.events.iter().enumerate().filter(|(_, count)| **count > 0) {
                add(&mut total, count);
                let tracepoint = u16::try_from(id).ok().filter(|_| id < last).and_then(|id| image.table.get(&id));
                match tracepoint {
                    Some(t) => add(self.events.entry((t.provider.clone(), t.name.clone())).or_default(), count),
                    None => add(&mut self.events_uncounted, count),
                }
            }
        }
        let counted = counted_before(session, image);
        let total = total.saturating_sub(counted.events);
        if let Some(process) = self.process_of(image) {
            add(&mut process.events, total);
            process.running |= running;
        }
        losses.combine(&counted.losses, u64::saturating_sub);
        self.losses.add(&losses);
        Closed { processes: 0, events: total, losses }
    }

    /// Keeps the tracepoints of an image for [`Tally::check_filter`].
    fn note_schemas(&mut self, image: &Image) {
        for tracepoint in image.table.values() {
            if self.schemas.len() < REGISTERED_COUNT_MAX && !self.schemas.contains(tracepoint) {
                self.schemas.push(Arc::clone(tracepoint));
            }
        }
    }

    /// Looks whether any tracepoint that was asked for has the fields of the filter. That cannot be told before programs register.
    pub(crate) fn check_filter(&mut self, rules: &[RuleConfig]) {
        let Some(text) = rules.iter().find_map(|rule| rule.filter.as_deref()) else { return };
        let Ok(filter) = Filter::parse(text) else { return };
        let wanted = |t: &Arc<Tracepoint>| {
            let name = format!("{}:{}", t.provider, t.name);
            let asks = |rule: &&RuleConfig| rule.filter.as_deref() == Some(text);
            rules.iter().filter(asks).any(|rule| crate::pattern_matches(&rule.pattern, &name))
        };
        let schemas: Vec<Fields> = self.schemas.iter().filter(|t| wanted(t)).map(|t| Fields(Arc::clone(t))).collect();
        if !schemas.is_empty() {
            self.filter_problem = filter.check(&schemas).err();
        }
    }

    /// The state as of now; `live` are the images that `session` has not closed yet.
    pub(crate) fn progress<'a>(
        &self,
        session: u64,
        live: impl Iterator<Item = &'a Image>,
        (bytes, packets): (u64, u64),
    ) -> Progress {
        let closed = &self.before;
        let events = self.processes.iter().map(|process| process.events);
        let mut progress = Progress {
            processes: closed.processes.saturating_add(self.processes.len() as u64),
            events: events.fold(closed.events, u64::saturating_add),
            lost: self.losses.events(),
            bytes,
            packets,
        };
        for image in live {
            let (mut events, mut losses) = (0, losses_outside_rings(session, image));
            for ring in image.rings().filter(|ring| ring.owner == session) {
                let counted = ring.counted();
                losses.add(&losses_of(&counted));
                counted.events.iter().for_each(|count| add(&mut events, *count));
            }
            let counted = counted_before(session, image);
            add(&mut progress.events, events.saturating_sub(counted.events));
            add(&mut progress.lost, losses.events().saturating_sub(counted.losses.events()));
        }
        progress
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn into_summary(self, output: PathBuf, mode: LossMode, packets: u64, bytes: u64) -> Summary {
        let count = |((provider, name), count)| EventCount { provider, name, count };
        Summary {
            output,
            mode,
            processes: self.processes,
            events: self.events.into_iter().map(count).collect(),
            events_uncounted: self.events_uncounted,
            registered: self.registered,
            filter_problem: self.filter_problem,
            losses: self.losses,
            packets,
            bytes,
            warnings: self.warnings,
            warning_count: self.warning_count,
        }
    }
}

/// What an earlier daemon has counted of the image's counters.
fn counted_before(session: u64, image: &Image) -> Closed {
    image.views.get(&session).map_or(Closed::default(), |view| view.counted)
}

/// What the image's header counts since the session began. The counters are hostile, so sums saturate.
fn losses_outside_rings(session: u64, image: &Image) -> Losses {
    let base = image.views.get(&session).map_or([0; 16], |view| view.lost_base);
    let lost = image.lost();
    let [no_ring, nested, abandoned, corrupt, thread_gone, filter, ..]: [u64; 16] =
        std::array::from_fn(|cause| lost[cause].saturating_sub(base[cause]));
    Losses { no_ring, nested, abandoned, corrupt, thread_gone, filter, ..Losses::default() }
}

fn losses_of(counted: &Counters) -> Losses {
    Losses {
        ring_full: counted.discarded_full,
        too_big: counted.discarded_big,
        wait_timed_out: counted.discarded_wait,
        ..Losses::default()
    }
}

/// A thread's name, for people.
pub(crate) fn text(procname: &[u8; 16]) -> String {
    let end = procname.iter().position(|&byte| byte == 0).unwrap_or(procname.len());
    String::from_utf8_lossy(&procname[..end]).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts the events of one window, and adds windows up.

use std::collections::HashMap;
use std::sync::Arc;

use super::pairs::{self, Matcher, Pair, Part};
use super::spread::{Spread, Spreader};
use super::{Count, Process, Stats, Thread};
use crate::class::StructClass;
use crate::reader::{Event, Fields, Trace};

/// What is the same for all windows of a trace.
#[derive(Debug)]
pub(super) struct Plan {
    spread: Spread,
    /// By number of the event class: its name, an index of `names`.
    name_idx: Vec<usize>,
    names: Vec<String>,
    /// By number of the event class.
    parts: Vec<Option<Part>>,
    pairs: Vec<Pair>,
}

impl Plan {
    pub(super) fn new(trace: &Trace) -> Self {
        let (mut name_idx, mut names, mut by_name) = (Vec::new(), Vec::new(), HashMap::new());
        let (mut parts, mut pairs) = (Vec::new(), Vec::new());
        for folder in trace.folders() {
            let class = folder.class();
            for event in class.streams.iter().flat_map(|stream| &stream.events) {
                let idx = *by_name.entry(event.name.clone()).or_insert_with(|| {
                    names.push(event.name.clone());
                    names.len() - 1
                });
                name_idx.push(idx);
            }
            parts.extend(pairs::find(class, &mut pairs).into_iter().flatten());
        }
        let packets = || trace.folders().iter().flat_map(|f| f.streams()).flat_map(|stream| stream.packets());
        let begin_ns = packets().filter_map(|packet| packet.begin_ns()).min().unwrap_or(0);
        let end_ns = packets().filter_map(|packet| packet.end_ns()).max().unwrap_or(begin_ns);
        Self { spread: Spread::new(begin_ns, end_ns), name_idx, names, parts, pairs }
    }
}

/// Who emitted an event, as far as the trace says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Who {
    /// Traces of several machines may have the same ids.
    folder: usize,
    vpid: Option<i64>,
    vtid: Option<i64>,
    /// Where there are no ids, streams are what is known.
    stream: Option<usize>,
}

/// Where a stream's events say who emitted them.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the packet: once for all its events.
    Packet,
    /// In each event's common context.
    Event,
    /// Nowhere.
    Nowhere,
}

/// What is known of a stream.
#[derive(Debug)]
struct StreamState {
    place: Place,
    /// Index of the thread of the packet that was read last.
    of_packet: Option<(usize, usize)>,
}

/// Counts events of one window after the other.
#[derive(Debug)]
pub(super) struct Counter {
    plan: Arc<Plan>,
    streams: Vec<Option<StreamState>>,
    window: WindowCount,
    spreader: Spreader,
}

/// What one window has.
#[derive(Debug)]
pub(super) struct WindowCount {
    /// By index of the name.
    events: Vec<Count>,
    who: HashMap<Who, usize>,
    threads: Vec<(Who, Option<String>, Count)>,
    spread: Spread,
    matcher: Matcher<usize>,
}

impl WindowCount {
    fn new(plan: &Plan) -> Self {
        Self {
            events: vec![Count::default(); plan.names.len()],
            who: HashMap::new(),
            threads: Vec::new(),
            spread: plan.spread.clone(),
            matcher: Matcher::default(),
        }
    }
}

#[inline]
fn count_one(count: &mut Count, event: &Event<'_>) {
    count.events += 1;
    count.bits += event.size_bits();
    let time_ns = event.time_ns;
    if event.has_clock() {
        count.times_ns = Some(match count.times_ns {
            Some((first, last)) => (first.min(time_ns), last.max(time_ns)),
            None => (time_ns, time_ns),
        });
    }
}

impl Counter {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        let window = WindowCount::new(&plan);
        let spreader = Spreader::new(plan.spread.clone());
        Self { plan, streams: Vec::new(), window, spreader }
    }

    /// Takes in an event.
    #[inline]
    pub(super) fn count(&mut self, event: &Event<'_>) {
        let thread = self.thread_of(event);
        let class = event.class_number().0 as usize;
        if let Some(count) = self.plan.name_idx.get(class).and_then(|idx| self.window.events.get_mut(*idx)) {
            count_one(count, event);
        }
        if let Some((_, _, count)) = self.window.threads.get_mut(thread) {
            count_one(count, event);
        }
        if event.has_clock() {
            self.spreader.count(event.time_ns);
            if let Some(Some(part)) = self.plan.parts.get(class) {
                self.window.matcher.note(thread, *part, event.time_ns);
            }
        }
    }

    /// Returns what was counted since the last call.
    pub(super) fn take(&mut self) -> WindowCount {
        for stream in self.streams.iter_mut().flatten() {
            stream.of_packet = None;
        }
        let fresh = WindowCount::new(&self.plan);
        let mut window = std::mem::replace(&mut self.window, fresh);
        let spreader = std::mem::replace(&mut self.spreader, Spreader::new(self.plan.spread.clone()));
        window.spread = spreader.spread;
        window
    }

    /// Index of the event's thread in the window.
    #[inline]
    fn thread_of(&mut self, event: &Event<'_>) -> usize {
        let number = event.stream().number();
        if let Some(Some(StreamState { place: Place::Packet | Place::Nowhere, of_packet: Some((packet, thread)) })) =
            self.streams.get(number)
            && *packet == event.packet_number()
        {
            return *thread;
        }
        self.find_thread(number, event)
    }

    fn find_thread(&mut self, number: usize, event: &Event<'_>) -> usize {
        if self.streams.len() <= number {
            self.streams.resize_with(number + 1, || None);
        }
        let place = self.streams[number].get_or_insert_with(|| StreamState::new(event)).place;
        let ids = |fields: Fields<'_>| {
            let integer = |name| fields.clone().get(name)?.integer().and_then(|id| i64::try_from(id).ok());
            (integer("vpid"), integer("vtid"))
        };
        let (vpid, vtid) = match place {
            Place::Packet => ids(event.packet_context()),
            Place::Event => ids(event.common_context()),
            Place::Nowhere => (None, None),
        };
        let stream = (vtid.is_none() && vpid.is_none()).then_some(number);
        let who = Who { folder: event.trace_number(), vpid, vtid, stream };
        let thread = match self.window.who.get(&who) {
            Some(thread) => *thread,
            None => self.add_thread(who, place, event),
        };
        if let Some(Some(state)) = self.streams.get_mut(number) {
            state.of_packet = Some((event.packet_number(), thread));
        }
        thread
    }

    #[cold]
    fn add_thread(&mut self, who: Who, place: Place, event: &Event<'_>) -> usize {
        let fields = match place {
            Place::Packet => event.packet_context(),
            Place::Event => event.common_context(),
            Place::Nowhere => return self.push_thread(who, None),
        };
        let procname = fields.get("procname").and_then(|value| value.text().map(|text| text.into_owned()));
        self.push_thread(who, procname.map(|name| String::from_utf8_lossy(&name).into_owned()))
    }

    fn push_thread(&mut self, who: Who, procname: Option<String>) -> usize {
        let thread = self.window.threads.len();
        self.window.who.insert(who.clone(), thread);
        self.window.threads.push((who, procname, Count::default()));
        thread
    }
}

impl StreamState {
    fn new(event: &Event<'_>) -> Self {
        let names = |class: Option<&StructClass>| {
            class.is_some_and(|class| class.members.iter().any(|m| m.name == "vtid" || m.name == "vpid"))
        };
        let class = event.stream_class();
        let place = if names(class.packet_context.as_ref()) {
            Place::Packet
        } else if names(class.event_context.as_ref()) {
            Place::Event
        } else {
            Place::Nowhere
        };
        Self { place, of_packet: None }
    }
}

/// The windows so far.
#[derive(Debug)]
pub(super) struct Sum<'p> {
    plan: &'p Plan,
    window: WindowCount,
}

impl<'p> Sum<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self { plan, window: WindowCount::new(plan) }
    }

    /// Adds the next window.
    pub(super) fn add(&mut self, window: WindowCount) {
        let sum = &mut self.window;
        for (count, more) in sum.events.iter_mut().zip(&window.events) {
            count.add(more);
        }
        sum.spread.add(&window.spread);
        let mut threads = Vec::with_capacity(window.threads.len());
        for (who, procname, more) in window.threads {
            let thread = *sum.who.entry(who.clone()).or_insert_with(|| {
                sum.threads.push((who, procname, Count::default()));
                sum.threads.len() - 1
            });
            sum.threads[thread].2.add(&more);
            threads.push(thread);
        }
        sum.matcher.add(window.matcher, |thread| threads.get(thread).copied().unwrap_or(usize::MAX));
    }

    /// Returns all windows together.
    pub(super) fn finish(self) -> Stats {
        let WindowCount { events, threads: counted, spread, matcher, .. } = self.window;
        let mut stats = Stats { spread, pairs: matcher.finish(&self.plan.pairs), ..Stats::default() };
        let mut processes: HashMap<(usize, i64), (Process, Count)> = HashMap::new();
        for (who, procname, count) in counted {
            stats.total.add(&count);
            if let Some(vpid) = who.vpid {
                let fresh = || (Process { vpid, procname: procname.clone() }, Count::default());
                processes.entry((who.folder, vpid)).or_insert_with(fresh).1.add(&count);
            }
            if let Some(vtid) = who.vtid {
                stats.threads.push((Thread { vpid: who.vpid, vtid, procname }, count));
            }
        }
        stats.processes = processes.into_values().collect();
        stats.events = self.plan.names.iter().cloned().zip(events).filter(|(_, count)| count.events > 0).collect();
        sort(&mut stats.events);
        sort(&mut stats.processes);
        sort(&mut stats.threads);
        stats
    }
}

/// Those with the most events first; equals by name.
fn sort<T: Ord>(counted: &mut [(T, Count)]) {
    counted.sort_by(|(a, x), (b, y)| y.events.cmp(&x.events).then_with(|| a.cmp(b)));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Begins and ends: which events belong together, and the times between them.
//!
//! Two events of one trace belong together if their names differ only in their last word, and the words are a pair of [`WORDS`]:
//! `db:query_begin` and `db:query_end`. In each thread an end ends the newest begin that has not ended.
//!
//! A window of time does not know what began before it. It keeps the ends that it could not match and the begins that did not
//! end; matching goes on where windows are added up.

use std::collections::HashMap;

use hdrhistogram::Histogram;

use crate::class::TraceClass;

/// Words that begin, each with those that end the same thing.
const WORDS: [(&str, &[&str]); 7] = [
    ("begin", &["end", "finish"]),
    ("start", &["stop", "end", "finish", "done"]),
    ("entry", &["exit", "return"]),
    ("enter", &["exit", "leave", "return"]),
    ("req", &["ack", "acq", "done", "resp"]),
    ("request", &["response", "reply", "done"]),
    ("acquire", &["release"]),
];

/// Begins of one thread and pair that are remembered. A program whose ends are missing must not fill the memory.
const OPEN_COUNT_MAX: usize = 4096;

/// Digits of a time that a distribution tells apart.
const DIGITS: u8 = 3;

/// Times between the begins and the ends of something.
#[derive(Clone, Debug, PartialEq)]
pub struct PairStats {
    /// What both names have in common.
    pub name: String,
    /// Name of the event that begins.
    pub begin: String,
    /// Name of the event that ends.
    pub end: String,
    /// Begins that ended.
    pub count: u64,
    /// Begins that did not end, and ends that did not begin.
    pub unmatched: u64,
    /// Nanoseconds that the shorter half took at most, to three digits.
    pub p50_ns: u64,
    /// Nanoseconds that 99 of 100 took at most, to three digits.
    pub p99_ns: u64,
    /// Nanoseconds of the longest, exactly.
    pub max_ns: u64,
    /// Nanoseconds of all together.
    pub total_ns: u128,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Begins something: a number of a pair.
    Begins(usize),
    /// Ends it.
    Ends(usize),
}

/// Two events that belong together.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    name: String,
    begin: String,
    end: String,
}

/// Returns the pairs among the events of `class`, and what each event does, by stream class and event class. Pairs are
/// numbered from `pairs.len()` on.
pub(super) fn find(class: &TraceClass, pairs: &mut Vec<Pair>) -> Vec<Vec<Option<Part>>> {
    let mut parts: Vec<Vec<Option<Part>>> =
        class.streams.iter().map(|stream| vec![None; stream.events.len()]).collect();
    let mut by_name: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for (stream_idx, stream) in class.streams.iter().enumerate() {
        for (event_idx, event) in stream.events.iter().enumerate() {
            by_name.entry(&event.name).or_default().push((stream_idx, event_idx));
        }
    }
    let mut names: Vec<&str> = by_name.keys().copied().collect();
    names.sort_unstable();
    for begin in names {
        let Some((common, end)) = ends_of(begin).find(|(_, end)| by_name.contains_key(end.as_str())) else { continue };
        let number = pairs.len();
        for (stream_idx, event_idx) in &by_name[begin] {
            parts[*stream_idx][*event_idx] = Some(Part::Begins(number));
        }
        for (stream_idx, event_idx) in &by_name[end.as_str()] {
            parts[*stream_idx][*event_idx] = Some(Part::Ends(number));
        }
        pairs.push(Pair { name: common.to_owned(), begin: begin.to_owned(), end });
    }
    parts
}

/// Returns the names that could end what the event `begin` begins, and what they have in common.
fn ends_of(begin: &str) -> impl Iterator<Item = (&str, String)> {
    WORDS.iter().flat_map(move |(word, ends)| {
        let stem = begin.strip_suffix(word).filter(|stem| stem.ends_with(['_', ':', '.', '-']));
        stem.into_iter().flat_map(move |stem| {
            let common = stem.trim_end_matches(['_', ':', '.', '-']);
            ends.iter().map(move |end| (common, format!("{stem}{end}")))
        })
    })
}

/// Times of one pair.
#[derive(Clone, Debug)]
pub(super) struct Times {
    histogram: Histogram<u64>,
    count: u64,
    max_ns: u64,
    total_ns: u128,
}

impl Times {
    fn new() -> Self {
        let histogram = Histogram::new(DIGITS).unwrap_or_else(|_| unreachable!("{DIGITS} digits are allowed"));
        Self { histogram, count: 0, max_ns: 0, total_ns: 0 }
    }

    fn record(&mut self, ns: u64) {
        self.count += 1;
        self.max_ns = self.max_ns.max(ns);
        self.total_ns += u128::from(ns);
        // It grows by itself; a time of centuries is damage and counts as the longest that it can hold.
        if self.histogram.record(ns).is_err() {
            self.histogram.saturating_record(ns);
        }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.max_ns = self.max_ns.max(other.max_ns);
        self.total_ns += other.total_ns;
        let _ = self.histogram.add(&other.histogram);
    }

    fn quantile(&self, quantile: f64) -> u64 {
        self.histogram.value_at_quantile(quantile).min(self.max_ns)
    }
}

/// Matches ends with begins. `K` names a thread.
#[derive(Debug)]
pub(super) struct Matcher<K> {
    times: HashMap<usize, Times>,
    open: HashMap<(K, usize), Vec<i64>>,
    /// Ends whose begin is not known here.
    orphans: Vec<(K, usize, i64)>,
    /// Begins that were forgotten.
    forgotten: HashMap<usize, u64>,
}

impl<K> Default for Matcher<K> {
    fn default() -> Self {
        Self { times: HashMap::new(), open: HashMap::new(), orphans: Vec::new(), forgotten: HashMap::new() }
    }
}

impl<K: Copy + Eq + std::hash::Hash> Matcher<K> {
    /// Takes in an event.
    pub(super) fn note(&mut self, thread: K, part: Part, time_ns: i64) {
        match part {
            Part::Begins(pair) => {
                let open = self.open.entry((thread, pair)).or_default();
                if open.len() < OPEN_COUNT_MAX {
                    open.push(time_ns);
                } else {
                    *self.forgotten.entry(pair).or_default() += 1;
                }
            }
            Part::Ends(pair) => match self.open.get_mut(&(thread, pair)).and_then(Vec::pop) {
                Some(begin_ns) => {
                    let ns = u64::try_from(time_ns.saturating_sub(begin_ns)).unwrap_or(0);
                    self.times.entry(pair).or_insert_with(Times::new).record(ns);
                }
                None => self.orphans.push((thread, pair, time_ns)),
            },
        }
    }

    /// Adds what a later window found, whose threads are named `K2`.
    pub(super) fn add<K2: Copy>(&mut self, window: Matcher<K2>, thread_of: impl Fn(K2) -> K) {
        // In the order of time: first what ends things from before the window.
        let mut unmatched = Vec::new();
        for (thread, pair, time_ns) in window.orphans {
            let orphans = self.orphans.len();
            self.note(thread_of(thread), Part::Ends(pair), time_ns);
            unmatched.extend(self.orphans.drain(orphans..));
        }
        self.orphans.append(&mut unmatched);
        for (pair, times) in window.times {
            self.times.entry(pair).or_insert_with(Times::new).add(&times);
        }
        for ((thread, pair), begins) in window.open {
            for time_ns in begins {
                self.note(thread_of(thread), Part::Begins(pair), time_ns);
            }
        }
        for (pair, count) in window.forgotten {
            *self.forgotten.entry(pair).or_default() += count;
        }
    }

    /// Returns the times of `pairs` that occurred.
    pub(super) fn finish(self, pairs: &[Pair]) -> Vec<PairStats> {
        let mut unmatched: HashMap<usize, u64> = self.forgotten;
        for ((_, pair), open) in &self.open {
            *unmatched.entry(*pair).or_default() += open.len() as u64;
        }
        for (_, pair, _) in &self.orphans {
            *unmatched.entry(*pair).or_default() += 1;
        }
        let stats = pairs.iter().enumerate().map(|(number, Pair { name, begin, end })| {
            let times = self.times.get(&number);
            PairStats {
                name: name.clone(),
                begin: begin.clone(),
                end: end.clone(),
                count: times.map_or(0, |times| times.count),
                unmatched: unmatched.get(&number).copied().unwrap_or(0),
                p50_ns: times.map_or(0, |times| times.quantile(0.5)),
                p99_ns: times.map_or(0, |times| times.quantile(0.99)),
                max_ns: times.map_or(0, |times| times.max_ns),
                total_ns: times.map_or(0, |times| times.total_ns),
            }
        });
        let mut stats: Vec<_> = stats.filter(|pair| pair.count + pair.unmatched > 0).collect();
        stats.sort_by(|a, b| b.total_ns.cmp(&a.total_ns).then_with(|| a.name.cmp(&b.name)));
        stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::{EventClass, StreamClass};

    fn trace(names: &[&str]) -> TraceClass {
        let events =
            names.iter().map(|name| EventClass { name: (*name).to_owned(), ..EventClass::default() }).collect();
        let streams = vec![StreamClass { events, ..StreamClass::default() }];
        TraceClass { streams, ..TraceClass::default() }
    }

    #[test]
    fn names_that_differ_in_a_last_word_that_begins_or_ends_are_a_pair() {
        /// Name, begin and end of pairs.
        type Found<'n> = &'n [(&'n str, &'n str, &'n str)];
        let cases: [(&[&str], Found<'_>); 7] = [
            (&["db:query_begin", "db:query_end"], &[("db:query", "db:query_begin", "db:query_end")]),
            (&["a:begin", "a:end", "b:end"], &[("a", "a:begin", "a:end")]),
            (&["f:func_entry", "f:func_exit"], &[("f:func", "f:func_entry", "f:func_exit")]),
            (&["x:io-start", "x:io-done"], &[("x:io", "x:io-start", "x:io-done")]),
            (&["x:restart", "x:restop"], &[]),
            (&["p:lock_req", "p:lock_acq"], &[("p:lock", "p:lock_req", "p:lock_acq")]),
            (&["x:a_begin", "y:a_end", "x:b_end"], &[]),
        ];
        for (names, expected) in cases {
            let mut pairs = Vec::new();
            find(&trace(names), &mut pairs);
            let found: Vec<_> = pairs.iter().map(|p| (p.name.as_str(), p.begin.as_str(), p.end.as_str())).collect();
            assert_eq!(found, expected, "{names:?}");
        }
    }

    fn pair() -> Vec<Pair> {
        vec![Pair { name: "a".to_owned(), begin: "a:begin".to_owned(), end: "a:end".to_owned() }]
    }

    /// Events of one pair: thread, whether it begins, time.
    type Events<'e> = &'e [(u32, bool, i64)];

    fn matched(windows: &[Events<'_>]) -> PairStats {
        let mut sum = Matcher::<u32>::default();
        for window in windows {
            let mut matcher = Matcher::<u8>::default();
            for (thread, begins, time_ns) in *window {
                matcher.note(*thread as u8, if *begins { Part::Begins(0) } else { Part::Ends(0) }, *time_ns);
            }
            sum.add(matcher, u32::from);
        }
        sum.finish(&pair()).into_iter().next().expect("it occurred")
    }

    #[test]
    fn an_end_ends_the_newest_begin_of_its_thread_wherever_windows_are_cut() {
        let events: Events<'_> = &[
            (1, true, 0),
            (2, true, 5),
            (1, true, 10),
            (1, false, 13),
            (2, false, 6),
            (1, false, 100),
            (3, false, 101),
        ];
        let whole = matched(&[events]);
        assert_eq!((whole.count, whole.unmatched, whole.max_ns, whole.total_ns), (3, 1, 100, 104));
        for cut in 0..=events.len() {
            let (first, second) = events.split_at(cut);
            assert_eq!(matched(&[first, second]), whole, "cut at {cut}");
            let (second, third) = second.split_at(second.len() / 2);
            assert_eq!(matched(&[first, second, third]), whole);
        }
    }

    #[test]
    fn percentiles_are_those_of_the_times() {
        let events: Vec<_> = (1..=1000).flat_map(|ns| [(1, true, 0), (1, false, ns)]).collect();
        let stats = matched(&[&events]);
        assert_eq!((stats.count, stats.p50_ns, stats.max_ns), (1000, 500, 1000));
        assert!((989..=991).contains(&stats.p99_ns), "{}", stats.p99_ns);
    }

    #[test]
    fn begins_without_ends_are_counted_and_do_not_fill_the_memory() {
        let events: Vec<_> = (0..10_000).map(|ns| (1, true, ns)).collect();
        let stats = matched(&[&events, &[(1, false, 10_000)]]);
        assert_eq!((stats.count, stats.unmatched), (1, 9_999));
    }
}

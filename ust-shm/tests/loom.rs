// SPDX-License-Identifier: MIT OR Apache-2.0
//! Model checks of the protocol: every interleaving and every permitted reordering of small cases.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p ust-shm --test loom --release`. What loom cannot see: crashes (the kill sweep in
//! `tests/` does), more than a few threads, and load buffering.

//!
//! # Safety
//! The unsafe blocks dereference loom's own cells; loom reports a race where the protocol does not order them.

#![cfg(loom)]
#![allow(unsafe_code)]

use loom::sync::Arc;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use loom::thread;
use ust_shm::layout::{RingHeader, SubbufEntry};
use ust_shm::ring::reader::{PacketSpan, RingReader, Want};
use ust_shm::ring::writer::{Cursor, SwitchError, WhenFull, count, discarded};
use ust_shm::ring::{Geometry, RingWords};
use ust_shm::rules::apply_until_stable;

/// An event of the model: its time stamp, 16 bytes long.
const EVENT_BYTES: u64 = 16;

/// A ring whose data words are checked: a plain cell reports a data race, an atomic allows it (overwrite mode).
struct Ring<W> {
    header: RingHeader,
    entries: [SubbufEntry; 2],
    data: Vec<W>,
}

trait Word {
    /// Shape of the model's ring: as small as shows what is looked for.
    const GEOMETRY: Geometry;
    fn new() -> Self;
    fn store(&self, value: u64);
    fn load(&self) -> u64;
}

struct Plain(loom::cell::UnsafeCell<u64>);

// SAFETY: the protocol orders all accesses; that is what loom checks here.
unsafe impl Sync for Plain {}
// SAFETY: as above.
unsafe impl Send for Plain {}

impl Word for Plain {
    const GEOMETRY: Geometry = Geometry { subbuf_bytes: 2 * EVENT_BYTES, subbuf_count: 2 };
    fn new() -> Self {
        Self(loom::cell::UnsafeCell::new(0))
    }
    fn store(&self, value: u64) {
        // SAFETY: loom hands out a valid pointer and reports concurrent use.
        self.0.with_mut(|p| unsafe { *p = value });
    }
    fn load(&self) -> u64 {
        // SAFETY: as above.
        self.0.with(|p| unsafe { *p })
    }
}

/// As [`Plain`], in sub-buffers that hold more events than the reader sees at once.
struct Roomy(Plain);

impl Word for Roomy {
    const GEOMETRY: Geometry = Geometry { subbuf_bytes: 4 * EVENT_BYTES, subbuf_count: 2 };
    fn new() -> Self {
        Self(Plain::new())
    }
    fn store(&self, value: u64) {
        self.0.store(value);
    }
    fn load(&self) -> u64 {
        self.0.load()
    }
}

impl Word for AtomicU64 {
    const GEOMETRY: Geometry = Geometry { subbuf_bytes: EVENT_BYTES, subbuf_count: 2 };
    fn new() -> Self {
        AtomicU64::new(0)
    }
    fn store(&self, value: u64) {
        AtomicU64::store(self, value, Ordering::Relaxed);
    }
    fn load(&self) -> u64 {
        AtomicU64::load(self, Ordering::Relaxed)
    }
}

impl<W: Word> Ring<W> {
    fn new() -> Self {
        let words = W::GEOMETRY.ring_bytes() / EVENT_BYTES;
        Self {
            header: RingHeader::default(),
            entries: Default::default(),
            data: (0..words).map(|_| W::new()).collect(),
        }
    }

    fn word(&self, position: u64) -> &W {
        &self.data[(W::GEOMETRY.data_offset(position) / EVENT_BYTES) as usize]
    }

    /// The stamps of the span's events.
    fn copy(&self, span: &PacketSpan) -> Vec<u64> {
        let positions = (span.begin..span.begin + span.bytes).step_by(EVENT_BYTES as usize);
        positions.map(|p| self.word(p).load()).collect()
    }
}

impl<W: Word> RingWords for Ring<W> {
    fn header(&self) -> &RingHeader {
        &self.header
    }
    fn entry(&self, idx: u64) -> Option<&SubbufEntry> {
        self.entries.get(idx as usize)
    }
    fn geometry(&self) -> Geometry {
        W::GEOMETRY
    }
}

/// Writes events with the stamps of `stamps`; those that find no room are counted.
fn write<W: Word>(ring: &Ring<W>, cursor: &Cursor, stamps: std::ops::RangeInclusive<u64>, when_full: WhenFull) {
    for stamp in stamps {
        if !cursor.has_room(EVENT_BYTES)
            && let Err(error) = cursor.switch(ring, EVENT_BYTES, stamp, 0, when_full)
        {
            assert_eq!(error, SwitchError::Full);
            count(&ring.header.discarded_full);
            continue;
        }
        ring.word(cursor.position.get()).store(stamp);
        cursor.commit(&ring.header, cursor.position.get() + EVENT_BYTES, stamp);
    }
}

/// What a reader got, checked packet by packet.
#[derive(Default)]
struct Got {
    stamps: Vec<u64>,
    end: u64,
}

impl Got {
    fn take_all<W: Word>(&mut self, ring: &Ring<W>, reader: &mut RingReader, overwrite: bool) {
        while let Some(span) = reader.take(ring, Want::Everything).expect("the writer keeps the protocol") {
            let stamps = ring.copy(&span);
            if overwrite && !reader.confirm(ring, &span) {
                continue;
            }
            let (first, last) = (stamps[0], stamps[stamps.len() - 1]);
            assert!(self.end <= span.timestamp_begin, "packets overlap in time");
            assert!(span.timestamp_begin <= first && last <= span.timestamp_end, "{span:?} holds {stamps:?}");
            assert!(self.stamps.last().is_none_or(|&newest| newest < first), "{:?} then {stamps:?}", self.stamps);
            assert!(stamps.windows(2).all(|w| w[0] < w[1]), "{stamps:?}");
            self.end = span.timestamp_end;
            self.stamps.extend(stamps);
        }
        let _ = reader.put(ring);
    }
}

fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

#[test]
fn events_arrive_whole_in_order_and_every_missing_one_is_counted() {
    const LAST: u64 = 6;
    let outcomes = std::sync::Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let seen = std::sync::Arc::clone(&outcomes);
    model(2, move || {
        let ring = Arc::new(Ring::<Plain>::new());
        let cursor = Cursor::default();
        // Before the other thread starts: loom forgets a thread's access to a word when another thread loads the word before
        // it stores to it, as the lease does.
        cursor.lease(&*ring, 1, 0);
        let writer = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || write(&ring, &cursor, 1..=LAST, WhenFull::Respect))
        };
        let (mut reader, mut got) = (RingReader::new(false), Got::default());
        got.take_all(&ring, &mut reader, false);
        writer.join().expect("no panic");
        got.take_all(&ring, &mut reader, false);
        assert_eq!(got.stamps.len() as u64 + discarded(&ring.header), LAST);
        seen.lock().expect("no panic").insert(got.stamps.len());
    });
    let outcomes = outcomes.lock().expect("no panic").clone();
    assert!(outcomes.contains(&4) && outcomes.contains(&6), "the model explored too little: {outcomes:?}");
}

#[test]
fn a_packet_of_a_half_filled_sub_buffer_ends_between_its_last_event_and_the_next() {
    let outcomes = std::sync::Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let seen = std::sync::Arc::clone(&outcomes);
    model(3, move || {
        let ring = Arc::new(Ring::<Roomy>::new());
        let cursor = Cursor::default();
        cursor.lease(&*ring, 1, 0);
        write(&ring, &cursor, 1..=1, WhenFull::Respect);
        let writer = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || write(&ring, &cursor, 2..=3, WhenFull::Respect))
        };
        let (mut reader, mut got) = (RingReader::new(false), Got::default());
        got.take_all(&ring, &mut reader, false);
        let early = got.stamps.len();
        writer.join().expect("no panic");
        got.take_all(&ring, &mut reader, false);
        assert_eq!(got.stamps, [1, 2, 3]);
        seen.lock().expect("no panic").insert(early);
    });
    let outcomes = outcomes.lock().expect("no panic").clone();
    assert!([1, 2, 3].iter().all(|n| outcomes.contains(n)), "the model explored too little: {outcomes:?}");
}

#[test]
fn a_snapshot_of_an_overwritten_ring_holds_no_torn_event() {
    model(2, || {
        let ring = Arc::new(Ring::<AtomicU64>::new());
        let cursor = Cursor::default();
        cursor.lease(&*ring, 1, 0);
        write(&ring, &cursor, 1..=2, WhenFull::Overwrite);
        let writer = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || write(&ring, &cursor, 3..=3, WhenFull::Overwrite))
        };
        let (mut reader, mut got) = (RingReader::new(true), Got::default());
        got.take_all(&ring, &mut reader, true);
        writer.join().expect("no panic");
        got.take_all(&ring, &mut reader, true);
        assert_eq!(got.stamps.last(), Some(&3), "the newest event is always there");
    });
}

#[test]
fn a_writer_that_finishes_a_subbuffer_wakes_a_reader_that_goes_to_sleep_or_is_seen_by_it() {
    model(3, || {
        let (committed, wanted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU32::new(0)));
        let woken = {
            let (committed, wanted) = (Arc::clone(&committed), Arc::clone(&wanted));
            thread::spawn(move || {
                committed.store(1, Ordering::Release);
                fence(Ordering::SeqCst);
                wanted.load(Ordering::Relaxed) != 0 && wanted.swap(0, Ordering::Relaxed) != 0
            })
        };
        wanted.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let seen = committed.load(Ordering::Acquire) == 1;
        assert!(woken.join().expect("no panic") || seen, "neither woke nor saw the other");
    });
}

#[test]
fn a_writer_that_waits_is_woken_or_sees_the_room() {
    model(3, || {
        let ring = Arc::new(Ring::<Plain>::new());
        let cursor = Cursor::default();
        cursor.lease(&*ring, 1, 0);
        write(&ring, &cursor, 1..=4, WhenFull::Respect);
        let waiter = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || {
                let seq = ring.header.consumed_seq.load(Ordering::Acquire);
                ring.header.writer_waits.store(1, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                let full = cursor.switch(&*ring, EVENT_BYTES, 5, 0, WhenFull::Respect).is_err();
                // A futex wait sleeps only while the word still holds `seq`.
                full && ring.header.consumed_seq.load(Ordering::Relaxed) == seq
            })
        };
        let (mut reader, mut got) = (RingReader::new(false), Got::default());
        while reader.take(&*ring, Want::Complete).expect("valid").is_some() {}
        got.end = reader.timestamp();
        let wakes = reader.put(&*ring);
        let sleeps = waiter.join().expect("no panic");
        assert!(!sleeps || wakes, "the writer sleeps and nobody wakes it");
    });
}

/// The runtime directory, as both sides see it: the kernel's directory lock orders what they do.
#[derive(Default)]
struct Directory {
    generation: u64,
    image_is_there: bool,
}

fn registration_against_rule_changes(tries: u32) {
    model(3, move || {
        let directory = Arc::new(Mutex::new(Directory { generation: 1, image_is_there: false }));
        let word = Arc::new(AtomicU64::new(0));
        let application = {
            let (directory, word) = (Arc::clone(&directory), Arc::clone(&word));
            thread::spawn(move || {
                directory.lock().expect("no panic").image_is_there = true;
                apply_until_stable(tries, |applied| {
                    let generation = directory.lock().expect("no panic").generation;
                    if generation != applied {
                        word.store(generation, Ordering::Release);
                    }
                    Some(generation)
                });
            })
        };
        directory.lock().expect("no panic").generation = 2;
        if directory.lock().expect("no panic").image_is_there {
            word.store(2, Ordering::Release);
        }
        application.join().expect("no panic");
        assert_eq!(word.load(Ordering::Acquire), 2, "the application records by old rules");
    });
}

#[test]
fn a_process_that_starts_while_rules_change_ends_with_the_new_ones() {
    registration_against_rule_changes(8);
}

#[test]
#[should_panic(expected = "the application records by old rules")]
fn a_process_that_reads_the_rules_only_once_may_keep_old_ones() {
    registration_against_rule_changes(1);
}

/// The words of `filter::area`: a number, two halves of one word, and what names the newest one.
///
/// The model says what `Application` and `Entry` do, step by step; they themselves use the hardware's atomics.
struct Filters {
    seq: AtomicU64,
    halves: [AtomicU64; 2],
    name: AtomicU64,
}

impl Filters {
    /// A1 and A2: an application of which the only word is its number.
    fn apply(&self) {
        let number = self.seq.fetch_add(1, Ordering::AcqRel) + 1;
        fence(Ordering::Release);
        self.halves[number as usize % 2].store(number, Ordering::Relaxed);
        self.name.store(number, Ordering::Release);
    }

    /// A3; whether what was read counts is asked only if `checks`.
    fn read(&self, checks: bool) {
        let name = self.name.load(Ordering::Acquire);
        let found = self.halves[name as usize % 2].load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let is_current = self.seq.load(Ordering::Relaxed) - name <= 1;
        assert!(found == name || checks && !is_current, "the entry is of another application");
    }
}

fn filters_against_changes(checks: bool) {
    loom::model(move || {
        let filters = Arc::new(Filters {
            seq: AtomicU64::new(0),
            halves: [AtomicU64::new(0), AtomicU64::new(0)],
            name: AtomicU64::new(0),
        });
        filters.apply();
        let applier = {
            let filters = Arc::clone(&filters);
            thread::spawn(move || (0..3).for_each(|_| filters.apply()))
        };
        filters.read(checks);
        filters.read(checks);
        applier.join().expect("no panic");
    });
}

#[test]
fn an_entry_that_counts_was_whole_while_it_was_read() {
    filters_against_changes(true);
}

#[test]
#[should_panic(expected = "the entry is of another application")]
fn an_entry_that_is_not_looked_at_again_may_be_of_another_application() {
    filters_against_changes(false);
}

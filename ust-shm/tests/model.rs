// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ring against a model: arbitrary histories of one writer and one reader, one step after the other, and a list of what
//! was recorded as the judge. What only happens when both run at once is in `loom.rs` and `stress.rs`.
#![cfg(not(loom))]

mod heap;

use std::collections::VecDeque;

use heap::HeapRing;
use proptest::prelude::*;
use ust_shm::atomics::Ordering;
use ust_shm::limits::TIMESTAMP_GAP_MAX;
use ust_shm::ring::RingWords as _;
use ust_shm::ring::reader::{PacketSpan, RingReader, Want};
use ust_shm::ring::writer::{Cursor, SwitchError, WhenFull, count, discarded};

/// The bits of a time stamp that an event stores.
const STAMP_MASK: u64 = (1 << ust_shm::limits::TIMESTAMP_BITS) - 1;

/// What may happen next.
#[derive(Clone, Debug)]
enum Step {
    /// An event of this many bytes.
    Record { bytes: u64 },
    /// The thread runs on this CPU from now on.
    Migrate { cpu: u32 },
    /// The clock goes on, or back.
    Tick { forward: bool, ticks: u64 },
    /// The reader takes up to this many packets, and gives them back or not.
    Take { want: Want, packets: usize, put: bool },
    /// The reader takes one packet, and copies it; events are recorded before it looks whether the copy is good.
    TakeWhileRecording { events: u64, bytes: u64 },
    /// The record of an event is left by a non-local exit after so many of its stores (R8).
    Abandon { at: Cut, bytes: u64 },
    /// The writer dies after so many stores of a record, and another one leases the ring.
    Die { at: Cut },
}

/// Where a record ends before its time.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// In the event itself: 0 nothing stored, 1 some bytes, 2 all bytes, 3 the time stamp too.
    Record(u32),
    /// While a migration is noted: so many of its four stores done.
    Migration(u32),
    /// In the switch to the next sub-buffer: so many of its eleven stores done.
    Switch(u32),
}

/// A recorded event, as the reader must find it.
#[derive(Clone, Debug)]
struct Event {
    id: u64,
    bytes: u64,
    position: u64,
    stamp: u64,
    cpu: u32,
}

fn payload(id: u64, bytes: u64) -> Vec<u8> {
    id.to_le_bytes().into_iter().chain((8..bytes).map(|i| (id * 31 + i) as u8)).collect()
}

/// The ring, its two ends, and what the model knows.
struct Run {
    ring: HeapRing,
    cursor: Cursor,
    reader: RingReader,
    when_full: WhenFull,
    now: u64,
    cpu: u32,
    emitted: u64,
    received: u64,
    overwritten: u64,
    discarded: u64,
    /// Committed and not yet received.
    waiting: VecDeque<Event>,
    packet_end: u64,
}

impl Run {
    fn new(subbuf_bytes: u64, subbuf_count: u64, when_full: WhenFull) -> Self {
        let (ring, cursor) = (HeapRing::new(subbuf_bytes, subbuf_count), Cursor::default());
        cursor.lease(&ring, 1000, 0);
        Self {
            ring,
            cursor,
            reader: RingReader::new(when_full == WhenFull::Overwrite),
            when_full,
            now: 1000,
            cpu: 0,
            emitted: 0,
            received: 0,
            overwritten: 0,
            discarded: 0,
            waiting: VecDeque::new(),
            packet_end: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Record { bytes } => self.record(bytes),
            Step::Migrate { cpu } => self.cpu = cpu,
            Step::Tick { forward: true, ticks } => self.now += ticks,
            Step::Tick { forward: false, ticks } => self.now = self.now.saturating_sub(ticks).max(1),
            Step::Take { want, packets, put } => {
                for _ in 0..packets {
                    if !self.take(want, 0, 0) {
                        break;
                    }
                }
                if put {
                    let _ = self.reader.put(&self.ring);
                }
            }
            Step::TakeWhileRecording { events, bytes } => {
                self.take(Want::Everything, events, bytes);
            }
            Step::Abandon { at, bytes } => {
                self.begin(at, bytes);
                assert!(self.cursor.rewind(&self.ring), "the ring would be poisoned");
            }
            Step::Die { at } => {
                self.begin(at, 16);
                if self.when_full == WhenFull::Respect {
                    // A ring is leased again only when it was drained.
                    self.take_all();
                }
                self.cursor = Cursor::default();
                self.cursor.lease(&self.ring, self.now, self.cpu);
            }
        }
        self.cursor_and_words_agree();
    }

    /// Makes room, as the runtime does; the stamp for the event.
    fn make_room(&mut self, bytes: u64) -> Result<u64, SwitchError> {
        let (ring, now, cpu) = (&self.ring, self.now, self.cpu);
        if !self.cursor.has_room(bytes) {
            self.cursor.switch(ring, bytes, now, cpu, self.when_full)?;
        }
        if self.cursor.is_odd(now, cpu) { self.cursor.admit(ring, bytes, now, cpu, self.when_full) } else { Ok(now) }
    }

    fn record(&mut self, bytes: u64) {
        self.emitted += 1;
        let id = self.emitted;
        match self.make_room(bytes) {
            Ok(stamp) => {
                let position = self.cursor.position.get();
                self.write(position, &payload(id, bytes));
                self.cursor.commit(self.ring.header(), self.cursor.position.get() + bytes, stamp);
                self.waiting.push_back(Event { id, bytes, position, stamp, cpu: self.cpu });
            }
            Err(error) => {
                let too_big = bytes > self.ring.geometry().subbuf_bytes;
                assert_eq!(error, if too_big { SwitchError::Big } else { SwitchError::Full });
                assert!(too_big || self.when_full == WhenFull::Respect, "an overwrite ring is never full");
                let header = self.ring.header();
                count(if too_big { &header.discarded_big } else { &header.discarded_full });
                self.discarded += 1;
            }
        }
    }

    fn write(&self, position: u64, bytes: &[u8]) {
        match self.when_full {
            WhenFull::Respect => self.ring.write(position, bytes),
            WhenFull::Overwrite => self.ring.write_racy(position, bytes),
        }
    }

    /// The first stores of a record that does not come to its end, in the order of the protocol.
    fn begin(&mut self, cut: Cut, bytes: u64) {
        match cut {
            Cut::Record(stores) => {
                let bytes = bytes.min(self.ring.geometry().subbuf_bytes);
                let Ok(stamp) = self.make_room(bytes) else { return };
                let done = if stores == 1 { bytes / 2 } else { bytes };
                if stores >= 1 {
                    self.write(self.cursor.position.get(), &vec![0xee; done as usize]);
                }
                if stores >= 3 {
                    self.ring.header().last_timestamp.store(stamp, Ordering::Release);
                }
            }
            Cut::Migration(stores) => self.begin_migration(stores),
            Cut::Switch(stores) => self.begin_switch(stores),
        }
    }

    fn begin_migration(&self, stores: u32) {
        let geometry = self.ring.geometry();
        let begin = self.cursor.end.get() - geometry.subbuf_bytes;
        let entry = self.ring.entry(geometry.subbuf_idx(begin)).expect("a valid index");
        let count = entry.migration_count.load(Ordering::Relaxed);
        let Some(slot) = entry.migrations.get(count as usize) else { return };
        let offset = (self.cursor.position.get() - begin) as u32;
        let now = self.now.max(self.cursor.last_timestamp.get());
        let all: [&dyn Fn(); 4] = [
            &|| slot.offset.store(offset, Ordering::Relaxed),
            &|| slot.cpu.store(77, Ordering::Relaxed),
            &|| slot.timestamp.store(now, Ordering::Relaxed),
            &|| entry.migration_count.store(count + 1, Ordering::Relaxed),
        ];
        all.iter().take(stores as usize).for_each(|store| store());
    }

    /// The stores of *Switch* in their order. That the private cursor changes last is what R8 relies on.
    fn begin_switch(&self, stores: u32) {
        let (geometry, header) = (self.ring.geometry(), self.ring.header());
        let next = self.cursor.end.get();
        let consumed = header.consumed.load(Ordering::Acquire);
        let end = next + geometry.subbuf_bytes;
        if self.when_full == WhenFull::Respect && end - consumed > geometry.ring_bytes() {
            return;
        }
        let begin = next - geometry.subbuf_bytes;
        let left = self.ring.entry(geometry.subbuf_idx(begin)).expect("a valid index");
        let entered = self.ring.entry(geometry.subbuf_idx(next)).expect("a valid index");
        let (position, last) = (self.cursor.position.get(), self.cursor.last_timestamp.get());
        let now = self.now.max(last);
        let keep = position == next && left.content_end.load(Ordering::Relaxed) != next;
        let all: [&dyn Fn(); 11] = [
            &|| {
                if !keep {
                    left.end_timestamp.store(last, Ordering::Relaxed)
                }
            },
            &|| {
                if !keep {
                    left.content_end.store(position, Ordering::Relaxed)
                }
            },
            &|| header.subbuf_end.store(end, Ordering::Release),
            &|| entered.begin.store(next, Ordering::Relaxed),
            &|| entered.begin_timestamp.store(now, Ordering::Relaxed),
            &|| entered.content_end.store(end, Ordering::Relaxed),
            &|| entered.discarded.store(discarded(header), Ordering::Relaxed),
            &|| entered.cpu.store(77, Ordering::Relaxed),
            &|| entered.migration_count.store(0, Ordering::Relaxed),
            &|| header.last_timestamp.store(now, Ordering::Release),
            &|| header.committed.store(next, Ordering::Release),
        ];
        all.iter().take(stores as usize).for_each(|store| store());
    }

    fn take_all(&mut self) {
        while self.take(Want::Everything, 0, 0) {}
        let _ = self.reader.put(&self.ring);
    }

    /// Takes one packet and checks it; `false` where there is none. Between copy and confirmation `events` are recorded.
    fn take(&mut self, want: Want, events: u64, bytes: u64) -> bool {
        let taken = self.reader.take(&self.ring, want).expect("the writer keeps the protocol");
        let Some(span) = taken else {
            return false;
        };
        let copy = match self.when_full {
            WhenFull::Respect => self.ring.read(span.begin, span.bytes),
            WhenFull::Overwrite => self.ring.read_racy(span.begin, span.bytes),
        };
        for _ in 0..events {
            self.record(bytes);
        }
        if self.when_full == WhenFull::Overwrite && !self.reader.confirm(&self.ring, &span) {
            assert!(self.is_overwritten(span.begin), "{span:?} was thrown away");
            return true;
        }
        self.check(&span, &copy);
        true
    }

    /// Whether the sub-buffer of this position may have been written to again.
    fn is_overwritten(&self, position: u64) -> bool {
        let geometry = self.ring.geometry();
        let end = self.ring.header().subbuf_end.load(Ordering::Relaxed);
        geometry.subbuf_begin(position) + geometry.ring_bytes() < end
    }

    fn check(&mut self, span: &PacketSpan, copy: &[u8]) {
        assert!(span.bytes > 0, "{span:?}");
        assert!(self.packet_end <= span.timestamp_begin, "{span:?} overlaps its predecessor's {}", self.packet_end);
        assert!(span.timestamp_begin <= span.timestamp_end, "{span:?}");
        let geometry = self.ring.geometry();
        assert_eq!(geometry.subbuf_begin(span.begin), geometry.subbuf_begin(span.begin + span.bytes - 1), "{span:?}");
        self.packet_end = span.timestamp_end;
        while self.waiting.front().is_some_and(|e| e.position < span.begin) {
            let gone = self.waiting.pop_front().expect("looked at");
            assert!(self.is_overwritten(gone.position), "{gone:?} was passed over by {span:?}");
            self.overwritten += 1;
        }
        let (mut at, mut stamp) = (0, span.timestamp_begin);
        while at < span.bytes {
            let event = self.waiting.pop_front().expect("no more events than were recorded");
            assert_eq!(span.begin + at, event.position, "{event:?}");
            let found = copy.get(at as usize..(at + event.bytes) as usize).expect("no event crosses a packet's end");
            assert_eq!(found, payload(event.id, event.bytes), "{event:?}");
            assert_eq!(span.cpu, event.cpu, "{event:?} in {span:?}");
            assert!(stamp <= event.stamp && event.stamp <= span.timestamp_end, "{event:?} in {span:?}");
            // As a CTF reader does: the low bits are stored, the rest follows from the stamp before.
            stamp += event.stamp.wrapping_sub(stamp) & STAMP_MASK;
            assert_eq!(stamp, event.stamp, "{event:?} in {span:?}");
            at += event.bytes;
            self.received += 1;
        }
        if let Some(next) = self.waiting.front() {
            assert!(span.timestamp_end <= next.stamp, "{span:?} ends after {next:?}");
        }
        assert!(span.discarded <= self.discarded, "{span:?}: only {} were discarded", self.discarded);
    }

    fn cursor_and_words_agree(&self) {
        let header = self.ring.header();
        assert_eq!(header.committed.load(Ordering::Relaxed), self.cursor.position.get());
        assert!(header.subbuf_end.load(Ordering::Relaxed) >= self.cursor.end.get());
        assert_eq!(discarded(header), self.discarded);
    }

    fn finish(mut self) {
        self.take_all();
        for left in std::mem::take(&mut self.waiting) {
            assert!(self.is_overwritten(left.position), "{left:?} was never received");
            self.overwritten += 1;
        }
        assert_eq!(self.reader.discarded_now(&self.ring), self.discarded);
        assert_eq!(self.emitted, self.received + self.discarded + self.overwritten);
        assert!(self.when_full == WhenFull::Overwrite || self.overwritten == 0);
    }
}

fn any_step(subbuf_bytes: u64) -> impl Strategy<Value = Step> {
    let bytes =
        move || prop_oneof![8 => (1u64..=4).prop_map(|n| 8 * n), 1 => 8..=subbuf_bytes, 1 => Just(subbuf_bytes + 1)];
    let ticks =
        prop_oneof![8 => 0u64..5, 1 => Just(TIMESTAMP_GAP_MAX - 1), 1 => Just(TIMESTAMP_GAP_MAX), 1 => Just(1 << 50)];
    let back = prop_oneof![8 => 0u64..5, 1 => Just(1u64 << 51)];
    let want = prop_oneof![Just(Want::Complete), Just(Want::Everything)];
    let cut = || {
        prop_oneof![
            2 => (0u32..=3).prop_map(Cut::Record),
            1 => (0u32..=4).prop_map(Cut::Migration),
            3 => (0u32..=11).prop_map(Cut::Switch),
        ]
    };
    prop_oneof![
        16 => bytes().prop_map(|bytes| Step::Record { bytes }),
        2 => (0u32..3).prop_map(|cpu| Step::Migrate { cpu }),
        4 => ticks.prop_map(|ticks| Step::Tick { forward: true, ticks }),
        1 => back.prop_map(|ticks| Step::Tick { forward: false, ticks }),
        6 => (want, 1usize..4, any::<bool>()).prop_map(|(want, packets, put)| Step::Take { want, packets, put }),
        2 => (0u64..6, 8u64..=32).prop_map(|(events, bytes)| Step::TakeWhileRecording { events, bytes }),
        3 => (cut(), 8u64..=32).prop_map(|(at, bytes)| Step::Abandon { at, bytes }),
        1 => cut().prop_map(|at| Step::Die { at }),
    ]
}

/// A shape, and steps that fit it.
fn any_history() -> impl Strategy<Value = (u64, u64, Vec<Step>)> {
    (prop_oneof![Just(32u64), Just(64), Just(256)], prop_oneof![Just(2u64), Just(4)])
        .prop_flat_map(|(bytes, count)| (Just(bytes), Just(count), prop::collection::vec(any_step(bytes), 1..80)))
}

fn check(when_full: WhenFull, (subbuf_bytes, subbuf_count, steps): (u64, u64, Vec<Step>)) {
    let mut run = Run::new(subbuf_bytes, subbuf_count, when_full);
    for step in &steps {
        run.step(step);
    }
    run.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_of_any_history_is_received_whole_or_counted_as_discarded(history in any_history()) {
        check(WhenFull::Respect, history);
    }

    #[test]
    fn every_event_of_any_history_is_received_whole_or_was_overwritten_for_certain(history in any_history()) {
        check(WhenFull::Overwrite, history);
    }
}

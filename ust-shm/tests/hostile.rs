// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reader against a ring whose words were written by an enemy: it may call the ring corrupt or read rubbish, but it
//! never panics, never names a byte outside the ring, and never goes on for ever.
#![cfg(not(loom))]

mod heap;

use heap::HeapRing;
use proptest::prelude::*;
use ust_shm::atomics::Ordering;
use ust_shm::layout::SubbufEntry;
use ust_shm::ring::RingWords as _;
use ust_shm::ring::reader::{Corrupt, RingReader, Want};
use ust_shm::ring::writer::{Cursor, WhenFull};

const SUBBUF_BYTES: u64 = 64;
const SUBBUF_COUNT: u64 = 4;
const RING_BYTES: u64 = SUBBUF_BYTES * SUBBUF_COUNT;
const EVENT_BYTES: u64 = 16;

/// A ring in which an honest writer has left two sub-buffers and begun the third, with a migration in each.
fn honest_ring() -> HeapRing {
    let (ring, cursor) = (HeapRing::new(SUBBUF_BYTES, SUBBUF_COUNT), Cursor::default());
    cursor.lease(&ring, 100, 0);
    for i in 0..10 {
        let (now, cpu) = (101 + i, (i / 2) as u32);
        if !cursor.has_room(EVENT_BYTES) {
            cursor.switch(&ring, EVENT_BYTES, now, cpu, WhenFull::Respect).expect("there is room");
        }
        if cursor.is_odd(now, cpu) {
            cursor.admit(&ring, EVENT_BYTES, now, cpu, WhenFull::Respect).expect("there is room");
        }
        cursor.commit(ring.header(), cursor.position.get() + EVENT_BYTES, now);
    }
    ring
}

fn entry(ring: &HeapRing, idx: u64) -> &SubbufEntry {
    ring.entry(idx).expect("a valid index")
}

/// Reads until nothing is left: the bytes taken, and why it ended. Checks every span.
fn read(ring: &HeapRing, reader: &mut RingReader, overwrite: bool) -> (u64, Option<Corrupt>) {
    let mut bytes = 0;
    let mut end = 0;
    // Each packet is at least a byte long; an overwrite ring may move on by a lap once.
    for _ in 0..=4 * RING_BYTES {
        match reader.take(ring, Want::Everything) {
            Ok(Some(span)) => {
                assert!(1 <= span.bytes && span.bytes <= SUBBUF_BYTES, "{span:?}");
                let offset = ring.geometry().data_offset(span.begin);
                assert!(offset + span.bytes <= RING_BYTES, "{span:?}");
                assert!(offset / SUBBUF_BYTES == (offset + span.bytes - 1) / SUBBUF_BYTES, "{span:?}");
                assert!(end <= span.timestamp_begin && span.timestamp_begin <= span.timestamp_end, "{span:?}");
                if overwrite && !reader.confirm(ring, &span) {
                    continue;
                }
                end = span.timestamp_end;
                bytes += span.bytes;
            }
            Ok(None) => return (bytes, None),
            Err(corrupt) => return (bytes, Some(corrupt)),
        }
    }
    panic!("the reader goes on for ever: {reader:?}");
}

/// What `spoil` does to an honest ring ends reading with this reason, after so many bytes.
fn check_corrupt(bytes: u64, reason: &str, spoil: impl Fn(&HeapRing)) {
    let ring = honest_ring();
    spoil(&ring);
    let (got, corrupt) = read(&ring, &mut RingReader::new(false), false);
    assert_eq!((got, corrupt.map(|c| c.reason)), (bytes, Some(reason)));
}

/// What `spoil` does to an honest ring costs nothing but the truth of what it spoils: so many bytes are read.
fn check_read(bytes: u64, spoil: impl Fn(&HeapRing)) {
    let ring = honest_ring();
    spoil(&ring);
    assert_eq!(read(&ring, &mut RingReader::new(false), false), (bytes, None));
}

#[test]
fn an_honest_ring_is_read_to_its_end() {
    check_read(10 * EVENT_BYTES, |_| {});
}

#[test]
fn a_committed_position_that_no_writer_can_have_reached_ends_the_ring() {
    let far = "`committed` is out of reach at";
    for value in [RING_BYTES + 1, RING_BYTES + SUBBUF_BYTES, 1 << 40, u64::MAX - SUBBUF_BYTES, u64::MAX] {
        check_corrupt(0, far, |ring| ring.header().committed.store(value, Ordering::Relaxed));
    }
}

#[test]
fn a_committed_position_that_goes_backwards_ends_the_ring() {
    for value in [0, 1, 64, 159] {
        let (ring, mut reader) = (honest_ring(), RingReader::new(false));
        assert_eq!(read(&ring, &mut reader, false), (160, None));
        ring.header().committed.store(value, Ordering::Relaxed);
        let (bytes, corrupt) = read(&ring, &mut reader, false);
        let reason = corrupt.map(|c| c.reason);
        assert_eq!((bytes, reason), (0, Some("`committed` went backwards to")), "{value}");
    }
}

#[test]
fn a_committed_position_in_a_sub_buffer_that_was_never_entered_ends_the_ring_there() {
    check_corrupt(160, "a sub-buffer's begin is", |ring| {
        entry(ring, 2).content_end.store(160, Ordering::Relaxed);
        ring.header().committed.store(200, Ordering::Relaxed);
    });
}

#[test]
fn an_entry_that_begins_elsewhere_ends_the_ring_there() {
    for value in [0, 63, 65, 128, 64 + RING_BYTES, u64::MAX] {
        check_corrupt(64, "a sub-buffer's begin is", |ring| entry(ring, 1).begin.store(value, Ordering::Relaxed));
    }
}

#[test]
fn content_that_ends_outside_its_sub_buffer_ends_the_ring_there() {
    for value in [0, 63, 129, 64 + RING_BYTES, u64::MAX] {
        let reason = "a sub-buffer's content end is";
        check_corrupt(64, reason, |ring| entry(ring, 1).content_end.store(value, Ordering::Relaxed));
    }
}

#[test]
fn a_migration_count_beyond_the_table_is_cut_to_it() {
    for value in [6, 1000, u32::MAX] {
        check_read(160, |ring| entry(ring, 0).migration_count.store(value, Ordering::Relaxed));
    }
}

#[test]
fn migrations_at_offsets_that_no_event_has_split_packets_elsewhere_and_lose_nothing() {
    for offset in [0, 1, 63, 64, 65, u32::MAX] {
        check_read(160, |ring| {
            for slot in &entry(ring, 0).migrations {
                slot.offset.store(offset, Ordering::Relaxed);
            }
            entry(ring, 0).migration_count.store(5, Ordering::Relaxed);
        });
    }
}

#[test]
fn time_stamps_that_go_backwards_give_packets_that_do_not() {
    for stamp in [0, 1, 50, u64::MAX] {
        check_read(160, |ring| {
            entry(ring, 0).end_timestamp.store(stamp, Ordering::Relaxed);
            entry(ring, 1).begin_timestamp.store(7, Ordering::Relaxed);
            entry(ring, 1).migrations[0].timestamp.store(3, Ordering::Relaxed);
            ring.header().last_timestamp.store(2, Ordering::Relaxed);
        });
    }
}

#[test]
fn discard_counters_that_go_backwards_are_not_followed() {
    let (ring, mut reader) = (honest_ring(), RingReader::new(false));
    ring.header().discarded_full.store(9, Ordering::Relaxed);
    assert_eq!(reader.discarded_now(&ring), 9);
    for value in [8, 0] {
        ring.header().discarded_full.store(value, Ordering::Relaxed);
        assert_eq!(reader.discarded_now(&ring), 9);
    }
}

#[test]
fn an_overwrite_ring_whose_end_is_impossible_is_corrupt_or_read_within_bounds() {
    for end in [0, 1, SUBBUF_BYTES, RING_BYTES - 1, 1 << 40, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
        for begin in [1, 64, u64::MAX] {
            let ring = honest_ring();
            entry(&ring, 0).begin.store(begin, Ordering::Relaxed);
            ring.header().subbuf_end.store(end, Ordering::Relaxed);
            let (bytes, corrupt) = read(&ring, &mut RingReader::new(true), true);
            assert!(bytes == 0 && corrupt.is_some(), "{bytes} bytes with begin {begin} and end {end}: {corrupt:?}");
        }
    }
}

/// Numbers near everything that the reader compares with, and any other.
fn any_word() -> impl Strategy<Value = u64> {
    let near = (0u64..=10, 0u64..=4).prop_map(|(n, d)| (n * SUBBUF_BYTES / 2).wrapping_add(d).wrapping_sub(2));
    prop_oneof![4 => near, 1 => any::<u64>(), 1 => (0u64..4).prop_map(|n| u64::MAX - n * SUBBUF_BYTES)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_words_whatsoever_lead_the_reader_outside_the_ring(
        overwrite in any::<bool>(),
        header in prop::collection::vec(any_word(), 3),
        words in prop::collection::vec(any_word(), 4 * (6 + 10)),
        rounds in prop::collection::vec((0usize..67, any_word()), 0..8),
    ) {
        let ring = honest_ring();
        let store = |i: usize, value: u64| match i {
            0 => ring.header().committed.store(value, Ordering::Relaxed),
            1 => ring.header().last_timestamp.store(value, Ordering::Relaxed),
            2 => ring.header().subbuf_end.store(value, Ordering::Relaxed),
            _ => {
                let (idx, word) = ((i - 3) / 16, (i - 3) % 16);
                let entry = entry(&ring, idx as u64);
                match word {
                    0 => entry.begin.store(value, Ordering::Relaxed),
                    1 => entry.begin_timestamp.store(value, Ordering::Relaxed),
                    2 => entry.content_end.store(value, Ordering::Relaxed),
                    3 => entry.end_timestamp.store(value, Ordering::Relaxed),
                    4 => entry.discarded.store(value, Ordering::Relaxed),
                    5 => entry.migration_count.store(value as u32, Ordering::Relaxed),
                    n if n % 2 == 0 => entry.migrations[(n - 6) / 2].offset.store(value as u32, Ordering::Relaxed),
                    n => entry.migrations[(n - 7) / 2].timestamp.store(value, Ordering::Relaxed),
                }
            }
        };
        for (i, value) in header.into_iter().chain(words).enumerate() {
            store(i, value);
        }
        let mut reader = RingReader::new(overwrite);
        read(&ring, &mut reader, overwrite);
        for (i, value) in rounds {
            store(i, value);
            read(&ring, &mut reader, overwrite);
        }
    }
}

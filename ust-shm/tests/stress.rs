// SPDX-License-Identifier: MIT OR Apache-2.0
//! A writer and a reader at full speed over one ring, on two threads. Worth most under the sanitizers (`.ci/sanitizers`).
#![cfg(not(loom))]

mod heap;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use heap::HeapRing;
use ust_shm::ring::RingWords as _;
use ust_shm::ring::reader::{PacketSpan, RingReader, Want};
use ust_shm::ring::writer::{Cursor, SwitchError, WhenFull, count, discarded};

/// Longest time that a peer is waited for: far more than a slow machine needs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Smallest event: its number, its length, and a byte that depends on both.
const EVENT_BYTES_MIN: u64 = 12;

/// A generator of numbers that need not be good, but the same in each run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }
}

/// The bytes of event `seq`: number and length first, then a pattern of both.
fn payload(seq: u64, bytes: u64) -> Vec<u8> {
    let head = (seq as u32).to_le_bytes().into_iter().chain((bytes as u32).to_le_bytes());
    head.chain((8..bytes).map(|i| (seq.wrapping_mul(31).wrapping_add(i)) as u8)).collect()
}

/// The numbers of the events in a packet's bytes; each event must be whole.
fn parse(packet: &[u8]) -> Vec<u64> {
    let mut seqs = Vec::new();
    let mut rest = packet;
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().expect("4 bytes"));
        let (seq, bytes) = (u64::from(word(0)), word(4) as usize);
        let (event, more) = rest.split_at(bytes);
        assert_eq!(event, payload(seq, bytes as u64), "event {seq} is torn");
        seqs.push(seq);
        rest = more;
    }
    seqs
}

/// Records event `seq` at time `seq`, changing the CPU now and then; whether there was room.
fn record(ring: &HeapRing, cursor: &Cursor, seq: u64, bytes: u64, cpu: u32, when_full: WhenFull) -> bool {
    let ended = |error| {
        assert_eq!(error, SwitchError::Full);
        count(&ring.header().discarded_full);
        false
    };
    if !cursor.has_room(bytes)
        && let Err(error) = cursor.switch(ring, bytes, seq, cpu, when_full)
    {
        return ended(error);
    }
    if cursor.is_odd(seq, cpu)
        && let Err(error) = cursor.admit(ring, bytes, seq, cpu, when_full)
    {
        return ended(error);
    }
    let payload = payload(seq, bytes);
    match when_full {
        WhenFull::Respect => ring.write(cursor.position.get(), &payload),
        WhenFull::Overwrite => ring.write_racy(cursor.position.get(), &payload),
    }
    cursor.commit(ring.header(), cursor.position.get() + bytes, seq);
    true
}

/// What the reader has seen so far.
#[derive(Default)]
struct Got {
    count: u64,
    newest: Option<u64>,
    end: u64,
}

impl Got {
    fn add(&mut self, span: &PacketSpan, seqs: &[u64]) {
        let (first, last) = (seqs[0], seqs[seqs.len() - 1]);
        assert!(self.end <= span.timestamp_begin && span.timestamp_begin <= first, "{span:?} begins with {first}");
        assert!(last <= span.timestamp_end, "{span:?} ends with {last}");
        assert!(self.newest.is_none_or(|newest| newest < first) && seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
        self.count += seqs.len() as u64;
        self.newest = Some(last);
        self.end = span.timestamp_end;
    }
}

#[test]
fn events_at_full_speed_are_received_whole_or_counted_as_discarded() {
    const EVENTS: u64 = 200_000;
    const LAPS: u64 = 500;
    let ring = HeapRing::new(256, 4);
    let cursor = Cursor::default();
    cursor.lease(&ring, 0, 0);
    let done = AtomicBool::new(false);
    let (emitted, got) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // Into this thread: the cursor is the writer's alone.
            let cursor = cursor;
            let (mut numbers, deadline) = (Numbers(1), Instant::now() + PATIENCE);
            let (mut seq, mut cpu) = (0, 0);
            let enough = |seq| seq >= EVENTS && ring.header().consumed.load(Ordering::Relaxed) >= LAPS * 1024;
            while !enough(seq) {
                seq += 1;
                cpu = if numbers.next(10) == 0 { numbers.next(4) as u32 } else { cpu };
                let bytes = EVENT_BYTES_MIN + numbers.next(90);
                if !record(&ring, &cursor, seq, bytes, cpu, WhenFull::Respect) && numbers.next(4) == 0 {
                    assert!(Instant::now() < deadline, "the reader does not get on");
                    std::thread::yield_now();
                }
            }
            done.store(true, Ordering::Release);
            seq
        });
        let (mut reader, mut got, mut numbers) = (RingReader::new(false), Got::default(), Numbers(2));
        let deadline = Instant::now() + PATIENCE;
        // The ring is full once before anything is taken, so that some event is lost for certain.
        while discarded(ring.header()) == 0 {
            assert!(Instant::now() < deadline, "the writer does not get on");
            std::thread::yield_now();
        }
        loop {
            let last = done.load(Ordering::Acquire);
            let want = if last || numbers.next(2) == 0 { Want::Everything } else { Want::Complete };
            while let Some(span) = reader.take(&ring, want).expect("the writer keeps the protocol") {
                got.add(&span, &parse(&ring.read(span.begin, span.bytes)));
                if numbers.next(3) == 0 {
                    let _ = reader.put(&ring);
                }
            }
            let _ = reader.put(&ring);
            if last {
                break;
            }
            assert!(Instant::now() < deadline, "the writer does not end");
        }
        (writer.join().expect("no panic"), got)
    });
    let lost = discarded(ring.header());
    assert_eq!(emitted, got.count + lost, "received {} and discarded {lost}", got.count);
    assert!(lost > 0 && got.count > LAPS, "received {} and discarded {lost}", got.count);
}

#[test]
fn a_reader_of_a_ring_that_is_overwritten_at_full_speed_sees_whole_events_in_order_and_the_newest() {
    const PACKETS: u64 = 300;
    let ring = HeapRing::new(4096, 8);
    let cursor = Cursor::default();
    cursor.lease(&ring, 0, 0);
    let enough = AtomicBool::new(false);
    let (mut reader, mut got) = (RingReader::new(true), Got::default());
    let mut packets = 0;
    let take_all = |reader: &mut RingReader, got: &mut Got, packets: &mut u64| {
        while let Some(span) = reader.take(&ring, Want::Everything).expect("the writer keeps the protocol") {
            let copy = ring.read_racy(span.begin, span.bytes);
            if reader.confirm(&ring, &span) {
                got.add(&span, &parse(&copy));
                *packets += 1;
            }
            if *packets >= PACKETS {
                enough.store(true, Ordering::Release);
            }
        }
    };
    let emitted = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let cursor = cursor;
            let (mut numbers, deadline) = (Numbers(3), Instant::now() + PATIENCE);
            let mut seq = 0;
            while !enough.load(Ordering::Acquire) {
                seq += 1;
                let bytes = EVENT_BYTES_MIN + numbers.next(90);
                assert!(record(&ring, &cursor, seq, bytes, 0, WhenFull::Overwrite));
                if numbers.next(500) == 0 {
                    assert!(Instant::now() < deadline, "the reader does not get on");
                    std::thread::yield_now();
                }
            }
            seq
        });
        while !enough.load(Ordering::Acquire) && !writer.is_finished() {
            take_all(&mut reader, &mut got, &mut packets);
        }
        writer.join().expect("no panic")
    });
    take_all(&mut reader, &mut got, &mut packets);
    assert_eq!(got.newest, Some(emitted), "the newest event is always there");
    assert!(packets >= PACKETS, "{packets} packets");
}

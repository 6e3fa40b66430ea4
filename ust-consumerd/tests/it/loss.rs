// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is lost is counted by cause, and stands in the trace where it happened.

use std::sync::atomic::Ordering;

use ust_shm::ring::RingWords as _;

use crate::harness::{Bench, NEVER};
use crate::program::{Program, live_pid};

#[test]
fn events_discarded_in_the_middle_are_reported_with_the_next_packet() {
    let mut bench = Bench::with(|options| options.tick = NEVER);
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    let count = writer.fill_ring();
    assert!(!writer.record(0, 1) && !writer.record(0, 2), "full");
    bench.pass();
    bench.pass();
    writer.record(0, count);
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), (0..=count).collect::<Vec<_>>());
    // `fill_ring` ended with one discarded event of its own.
    let discarded: Vec<u64> = outcome.recorded.packets[0].iter().map(|p| p.events_discarded).collect();
    assert_eq!(discarded, [0, 0, 0, 0, 3]);
    assert_eq!((outcome.summary.losses.ring_full, outcome.summary.losses.events()), (3, 3));
    if let Some((_, warnings)) = outcome.text {
        assert!(warnings.contains("Tracer discarded 3 events between"), "{warnings}");
    }
}

#[test]
fn events_discarded_at_the_end_get_an_empty_packet() {
    let mut bench = Bench::new();
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    writer.fill_ring();
    let outcome = bench.stop();
    let last = outcome.recorded.packets[0].last().expect("packets");
    assert_eq!((last.content_bytes, last.events_discarded), (0, 1));
    if let Some((_, warnings)) = outcome.text {
        assert!(warnings.contains("Tracer discarded 1 event between"), "{warnings}");
    }
}

#[test]
fn events_discarded_before_the_first_packet_are_counted_against_an_empty_one() {
    let mut bench = Bench::new();
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    writer.header().discarded_big.store(4, Ordering::Relaxed);
    // Enters the first sub-buffer anew, which knows of them now.
    writer.lease(1, 7, "worker");
    writer.record(0, 1);
    let outcome = bench.stop();
    let packets = &outcome.recorded.packets[0];
    let found: Vec<_> = packets.iter().map(|p| (p.packet_seq_num, p.content_bytes > 0, p.events_discarded)).collect();
    assert_eq!(found, [(0, false, 0), (1, true, 4)]);
    assert_eq!(outcome.summary.losses.too_big, 4);
    if let Some((_, warnings)) = outcome.text {
        assert!(warnings.contains("Tracer discarded 4 events between"), "{warnings}");
    }
}

#[test]
fn losses_outside_any_ring_stand_in_a_stream_of_the_process() {
    let mut bench = Bench::new();
    let program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let lost = &program.head.header().expect("mapped").lost;
    lost[0].store(5, Ordering::Relaxed);
    bench.pass();
    lost[1].store(2, Ordering::Relaxed);
    let outcome = bench.stop();
    let found: Vec<_> = outcome.recorded.packets[0].iter().map(|p| p.events_discarded).collect();
    assert_eq!(found, [0, 5, 7]);
    assert_eq!((outcome.summary.losses.no_ring, outcome.summary.losses.nested), (5, 2));
    if let Some((_, warnings)) = outcome.text {
        assert!(warnings.contains("Tracer discarded 5 events between"), "{warnings}");
        assert!(warnings.contains("Tracer discarded 2 events between"), "{warnings}");
    }
}

#[test]
fn hostile_counters_saturate() {
    let mut bench = Bench::new();
    let program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    for counter in &program.head.header().expect("mapped").lost {
        counter.store(u64::MAX, Ordering::Relaxed);
    }
    bench.pass();
    assert_eq!(bench.stop().summary.losses.events(), u64::MAX);
}

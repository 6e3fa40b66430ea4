// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which packets share a stream file: those of threads that did not live at the same time.

use crate::harness::{Bench, NEVER};
use crate::program::{Program, Writer, live_pid};

#[test]
fn threads_one_after_the_other_share_a_stream_whatever_their_rings() {
    let mut bench = Bench::with(|options| options.tick = NEVER);
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    for thread in 0..20 {
        let writer = program.ring(thread, "short");
        writer.record(0, thread);
        writer.give_back();
        bench.pass();
    }
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), (0..20).collect::<Vec<_>>());
    assert_eq!(outcome.recorded.packets.len(), 1, "one at a time");
    let threads: Vec<i32> = outcome.recorded.packets[0].iter().map(|p| p.vtid).collect();
    assert_eq!(threads, (0..20).collect::<Vec<_>>());
    assert_eq!(outcome.text.map(|(_, warnings)| warnings).unwrap_or_default(), "");
}

#[test]
fn a_backlog_of_ended_threads_needs_as_many_streams_as_lived_at_a_time() {
    let mut bench = Bench::with(|options| options.tick = NEVER);
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writers: Vec<_> = (0..20).map(|thread| program.ring(thread, "unused")).collect();
    writers.iter().for_each(Writer::give_back);
    bench.pass();
    // Two at a time, from the directory's end to its begin.
    for pair in writers.chunks_exact(2).rev() {
        for (vtid, writer) in (1..).zip(pair) {
            writer.lease(2, vtid, "short");
        }
        for value in 0..5 {
            assert!(pair.iter().all(|writer| writer.record(0, value)));
        }
        pair[0].give_back();
        pair[1].record(0, 5);
        pair[1].give_back();
    }
    bench.pass();
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.events.len(), 10 * 11);
    assert_eq!(outcome.recorded.packets.len(), 2, "two at a time");
    for packets in &outcome.recorded.packets {
        assert!(packets.windows(2).all(|p| p[0].timestamp_end <= p[1].timestamp_begin), "in the order of time");
    }
    assert_eq!(outcome.text.map(|(_, warnings)| warnings).unwrap_or_default(), "");
}

#[test]
fn a_shared_stream_adds_up_what_each_of_its_rings_discarded() {
    let mut bench = Bench::with(|options| options.tick = NEVER);
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let mut recorded = 0;
    for (thread, more) in [(1, 2), (2, 0), (3, 4)] {
        let writer = program.ring(thread, "busy");
        // Ends with one event that was discarded.
        recorded += writer.fill_ring();
        for value in 0..more {
            assert!(!writer.record(0, value), "full");
        }
        writer.give_back();
        bench.pass();
    }
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.events.len(), recorded as usize);
    assert_eq!(outcome.recorded.packets.len(), 1);
    let last_of_each = |vtid| outcome.recorded.packets[0].iter().rfind(|p| p.vtid == vtid).map(|p| p.events_discarded);
    assert_eq!([1, 2, 3].map(last_of_each), [Some(3), Some(4), Some(9)]);
    assert_eq!((outcome.summary.losses.ring_full, outcome.summary.losses.events()), (9, 9));
    if let Some((_, warnings)) = outcome.text {
        for count in ["3 events", "1 event", "5 events"] {
            assert!(warnings.contains(&format!("Tracer discarded {count} between")), "{warnings}");
        }
    }
}

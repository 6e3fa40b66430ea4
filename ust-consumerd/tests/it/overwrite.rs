// SPDX-License-Identifier: MIT OR Apache-2.0
//! The flight recorder: rings are left alone until the end.

use ust_consumerd::LossMode;

use crate::harness::Bench;
use crate::program::{Program, live_pid};

fn bench() -> Bench {
    Bench::with(|options| options.channel.mode = LossMode::Overwrite)
}

#[test]
fn the_newest_events_are_kept_and_written_at_the_end() {
    let mut bench = bench();
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    for value in 0..10_000 {
        assert!(writer.record(0, value), "nothing is discarded");
        if value % 1000 == 0 {
            bench.pass();
        }
    }
    let outcome = bench.stop();
    let values = outcome.recorded.values("test:one");
    let oldest = values[0];
    assert_eq!(values, (oldest..10_000).collect::<Vec<_>>());
    // Four sub-buffers of 341 events, the last of them not full.
    assert!((3 * 341..=4 * 341).contains(&values.len()), "{}", values.len());
    assert_eq!(outcome.summary.event_count(), 10_000);
    assert!(outcome.summary.losses.is_empty());
    assert_eq!(outcome.text.map(|(_, warnings)| warnings).unwrap_or_default(), "");
}

#[test]
fn what_an_earlier_thread_left_in_the_ring_is_not_attributed_to_the_later_one() {
    let mut bench = bench();
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "first");
    writer.record(0, 1);
    writer.give_back();
    bench.pass();
    writer.lease(2, 8, "second");
    writer.record(0, 2);
    let outcome = bench.stop();
    let events = [("test:one".to_owned(), 1, -1), ("test:one".to_owned(), 2, 8)];
    assert_eq!(outcome.recorded.events, events);
}

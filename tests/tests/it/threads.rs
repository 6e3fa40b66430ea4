// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many threads: rings are used again, and where there are too few, the loss is counted.

use std::collections::HashMap;

use ust_consumerd::ChannelOptions;

use crate::harness::{Outcome, Recorder, assert_counts_up, small_rings, traced};

fn record_smallest(scenario: &str, args: [u64; 3]) -> Outcome {
    let channel = ChannelOptions { subbuf_bytes: 4096, subbuf_count: 2, ..small_rings() };
    let args = args.map(|arg| arg.to_string());
    let args = args.iter().filter(|arg| *arg != "0");
    let outcome = Recorder::new(channel).run(traced(scenario).args(args));
    outcome.assert_success().assert_counted();
    let lost = outcome.summary.losses.no_ring;
    println!("{scenario}: rings={} image={} KiB no_ring={lost}", outcome.said("rings"), outcome.said("image_kib"));
    assert_eq!(outcome.summary.losses.events(), lost, "{:?}", outcome.summary.losses);
    outcome
}

/// Fails unless all events of each thread are there, but for threads without a ring; returns how many those are.
#[track_caller]
fn threads_with_losses(outcome: &Outcome, threads: u32, events: u64) -> u64 {
    let mut by_source: HashMap<u32, Vec<u64>> = HashMap::new();
    for step in &outcome.steps {
        by_source.entry(step.source).or_default().push(step.seq);
    }
    let mut incomplete = 0;
    for source in 0..threads {
        let seqs = by_source.remove(&source).unwrap_or_default();
        if seqs.len() as u64 == events {
            assert_counts_up(&seqs, events);
        } else {
            incomplete += 1;
        }
    }
    assert!(by_source.is_empty(), "nobody emitted {:?}", by_source.keys());
    incomplete
}

#[test]
fn twenty_thousand_short_threads_are_recorded_or_counted_in_a_bounded_image() {
    let outcome = record_smallest("short-threads", [20_000, 64, 3]);
    let lost = outcome.summary.losses.no_ring;
    assert_eq!(outcome.steps.len() as u64 + lost, 60_000);
    assert!(threads_with_losses(&outcome, 20_000, 3) <= lost);
    // How many rings there are depends on how soon the consumer drains them: on a busy machine, too late for some.
    assert!(outcome.said("rings") <= 4096 && outcome.said("image_kib") <= 4096 * 24);
    assert!(lost == 0 || outcome.said("rings") == 4096, "nothing is lost while rings can be had");
    // A file for each ring would keep the consumer from ever catching up: 64 threads live at a time, some more wait for it.
    let streams = std::fs::read_dir(&outcome.summary.output).expect("the trace").count() - 1;
    assert!(streams <= 256, "{streams} streams");
}

#[test]
fn threads_use_the_drained_rings_of_threads_that_ended() {
    let outcome = record_smallest("thread-waves", [20, 50, 3]);
    outcome.assert_nothing_lost();
    assert_eq!(threads_with_losses(&outcome, 1000, 3), 0);
    assert_eq!(outcome.said("rings"), 50, "as many as there are threads at a time");
}

#[test]
fn more_threads_than_rings_lose_what_has_no_ring_and_count_it() {
    let outcome = record_smallest("live-threads", [4200, 2, 0]);
    let lost = outcome.summary.losses.no_ring;
    assert_eq!(outcome.said("rings"), 4096);
    assert_eq!(outcome.steps.len() as u64 + lost, 8400);
    assert!(lost > 0);
    assert!(threads_with_losses(&outcome, 4200, 2) <= lost);
}

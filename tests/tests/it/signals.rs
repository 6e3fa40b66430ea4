// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tracepoints in signal handlers, above all in those that interrupt a record.

use std::collections::BTreeSet;

use ust_consumerd::{ChannelOptions, LossMode};

use crate::harness::{Recorder, assert_counts_up, record, record_all, record_twice, small_rings, traced};

#[test]
fn a_storm_of_handlers_loses_no_event_that_is_not_counted() {
    for stack in ["same", "alternate"] {
        let outcome = record_all(traced("storm").args(["30000", stack]));
        outcome.assert_success().assert_nothing_lost();
        outcome.assert_complete(0, outcome.said("emitted")).assert_complete(1, outcome.said("handled"));
        println!("{stack} stack: {} handlers in {} events", outcome.said("handled"), outcome.said("emitted"));
    }
}

#[test]
fn a_storm_of_handlers_leaves_two_channels_with_every_event() {
    let outcomes = record_twice(traced("storm").args(["30000", "same"]));
    for outcome in &outcomes {
        outcome.assert_success();
        assert!(outcome.summary.losses.is_empty(), "{:?}", outcome.summary.losses);
        outcome.assert_complete(0, outcome.said("emitted")).assert_complete(1, outcome.said("handled"));
    }
    for outcome in record_twice(traced("jump").args(["200", "2", "above"])) {
        outcome.assert_success().assert_complete(0, 1000).assert_complete(1, 0);
    }
}

#[test]
fn a_storm_of_handlers_on_full_rings_is_lost_and_counted() {
    let channel = ChannelOptions { subbuf_bytes: 4096, subbuf_count: 2, ..small_rings() };
    let outcome = Recorder::new(channel).run(traced("storm").args(["60000", "same"]));
    outcome.assert_success().assert_counted();
    let emitted = outcome.said("emitted") + outcome.said("handled");
    assert!(outcome.summary.losses.ring_full > 0, "the rings are too small for this");
    assert_eq!(outcome.steps.len() as u64 + outcome.summary.losses.events(), emitted);
    let in_trace: u64 = outcome.losses.iter().map(|loss| loss.count).sum();
    assert_eq!(in_trace, outcome.summary.losses.events(), "the trace itself says so, too");
}

#[test]
fn records_nest_four_deep_and_the_fifth_is_counted_as_lost() {
    for stack in ["same", "alternate"] {
        for deepest in [1, 3, 4] {
            let outcome = record(traced("deep").args([&deepest.to_string(), stack]));
            outcome.assert_success().assert_complete(1, 100).assert_counted();
            // The events are committed from the inside out, and stamped from the outside in.
            outcome.assert_complete(0, (deepest + 1).min(4));
            assert_eq!(outcome.summary.losses.nested, u64::from(deepest == 4), "depth {deepest}, {stack} stack");
            assert_eq!(outcome.summary.losses.events(), outcome.summary.losses.nested);
        }
    }
}

#[test]
fn a_jump_out_of_nested_records_costs_one_loss_per_level_and_leaves_the_rings_usable() {
    for depth in [1, 2, 4] {
        // Each jump costs a migration entry, and a sub-buffer has five: small rings would be full at once.
        let outcome = record_all(traced("jump").args(["200", &depth.to_string(), "above"]));
        outcome.assert_success().assert_complete(0, 1000).assert_complete(1, 0).assert_counted();
        assert_eq!(outcome.summary.losses.abandoned, 200 * depth, "depth {depth}");
        assert_eq!(outcome.summary.losses.events(), 200 * depth);
    }
}

#[test]
fn jumps_out_of_records_at_one_depth_of_the_stack_do_not_use_up_the_levels() {
    let outcome = record_all(traced("jump").args(["200", "1", "near"]));
    outcome.assert_success().assert_complete(0, 1000).assert_complete(1, 0).assert_counted();
    assert_eq!((outcome.summary.losses.abandoned, outcome.summary.losses.nested), (200, 0));
}

#[test]
fn a_jump_out_of_records_works_in_overwrite_mode_too() {
    let channel =
        ChannelOptions { mode: LossMode::Overwrite, subbuf_bytes: 4096, subbuf_count: 2, ..ChannelOptions::default() };
    let outcome = Recorder::new(channel).run(traced("jump").args(["200", "2", "above"]));
    outcome.assert_success();
    let newest = outcome.of(0);
    assert!(newest.len() > 40, "{} events", newest.len());
    assert_counts_up(&newest.iter().map(|seq| seq - newest[0]).collect::<Vec<_>>(), newest.len() as u64);
    assert_eq!(newest.last(), Some(&999), "the newest are kept");
    assert_eq!(outcome.summary.losses.abandoned, 400);
}

#[test]
fn a_handler_s_events_are_of_the_thread_that_it_interrupted() {
    let outcome = record(traced("deep").args(["3", "same"]));
    let threads: BTreeSet<_> = outcome.assert_success().steps.iter().map(|step| (step.vpid, step.vtid)).collect();
    assert_eq!(threads.len(), 1, "{threads:?}");
}

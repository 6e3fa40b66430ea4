// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program killed after any instruction of a record loses nothing that it had committed.
//!
//! The programs are drained when all of them are dead, so that what is found is what the killed writers left.

use std::collections::HashMap;
use std::process::Command;

use ust_consumerd::ChannelOptions;

use crate::harness::{Outcome, Recorder, assert_counts_up};

/// A child of `stepper`: its number, and where it was killed or interrupted.
struct Point {
    child: u32,
    step: u32,
    /// Its record had returned.
    ended: bool,
}

/// Runs `stepper` and reads back what its children left.
fn sweep(situation: &str, points_max: u32) -> (Vec<Point>, Outcome) {
    let channel = ChannelOptions { subbuf_bytes: 4096, subbuf_count: 4, ..ChannelOptions::default() };
    let recorder = Recorder::new(channel);
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepper"));
    let child = recorder.spawn(command.arg(situation).arg(points_max.to_string()));
    let output = child.wait_with_output().expect("our child");
    let outcome = recorder.finish(output);
    outcome.assert_success();
    let point = |line: &str| {
        let numbers: Vec<i64> = line.strip_prefix("point ")?.split(' ').map(|n| n.parse().expect("a number")).collect();
        Some(Point { child: numbers[0] as u32, step: numbers[1] as u32, ended: numbers[2] == 1 })
    };
    let points: Vec<Point> = outcome.stdout().lines().filter_map(point).collect();
    println!(
        "{situation}: {} instructions, every {}., {} points",
        outcome.said("total"),
        outcome.said("stride"),
        points.len()
    );
    assert!(points.len() > 50, "a record has more instructions than {}", points.len());
    (points, outcome)
}

/// One of the sources of each child, 0 or 1: how many events came before, and where the one in flight was first found.
struct Watched {
    source: u32,
    before: u64,
    committed_since: Option<u32>,
}

impl Watched {
    /// Takes in what is left of the child that was killed at `point`: what came before, and maybe the one in flight.
    fn check(&mut self, point: &Point, seqs: &[u64]) {
        let (step, source) = (point.step, self.source);
        assert_counts_up(seqs, seqs.len() as u64);
        let in_flight = (seqs.len() as u64).checked_sub(self.before);
        let in_flight = in_flight.unwrap_or_else(|| panic!("step {step}: committed events of {source} are gone"));
        assert!(in_flight <= 1, "step {step}: {in_flight} events of {source} too many");
        match self.committed_since {
            None if in_flight == 1 => self.committed_since = Some(step),
            Some(since) => assert_eq!(in_flight, 1, "event of {source} committed at {since}, gone at {step}"),
            None => assert!(!point.ended, "step {step}: the record of {source} returned, its event is not there"),
        }
    }
}

/// Kills at each point of a record and checks what is left. `handled` is the number of events of the signal handler
/// before the one in flight, where there is one.
fn check_kills(situation: &str, points_max: u32, handled: Option<u64>) {
    let (points, outcome) = sweep(situation, points_max);
    let mut events: HashMap<u32, Vec<u64>> = HashMap::new();
    for step in &outcome.steps {
        events.entry(step.source).or_default().push(step.seq);
    }
    let outer = Watched { source: 0, before: outcome.said("before"), committed_since: None };
    let handler = handled.map(|before| Watched { source: 1, before, committed_since: None });
    let mut watched: Vec<Watched> = handler.into_iter().chain([outer]).collect();
    for point in &points {
        for watched in &mut watched {
            watched.check(point, &events.remove(&(2 * point.child + watched.source)).unwrap_or_default());
        }
    }
    for watched in &watched {
        let since = watched.committed_since.expect("the record is committed at some point");
        println!("{situation}: event of source {} is committed by instruction {since}", watched.source);
    }
    assert!(points[0].step < watched[0].committed_since.unwrap_or(0), "the sweep begins before the commit");
    assert!(points.iter().any(|point| point.ended), "the sweep goes on to the end of the record");
    assert!(outcome.summary.losses.is_empty(), "{:?}", outcome.summary.losses);
    // A killed thread may have counted the events that it did not commit, one for each level.
    let (counted, found) = (outcome.summary.event_count(), outcome.steps.len() as u64);
    let in_flight_max = (points.len() * watched.len()) as u64;
    assert!((found..=found + in_flight_max).contains(&counted), "{counted} counted, {found} found");
}

#[test]
fn a_kill_at_any_instruction_in_the_middle_of_a_sub_buffer_loses_nothing_committed() {
    check_kills("middle", 5000, None);
}

#[test]
fn a_kill_at_any_instruction_of_a_record_that_enters_the_next_sub_buffer_loses_nothing_committed() {
    check_kills("switch", 6000, None);
}

#[test]
fn a_kill_at_any_instruction_of_a_thread_s_first_record_leaves_a_readable_image() {
    check_kills("first", 3000, None);
}

#[test]
fn a_kill_at_any_instruction_in_a_handler_inside_a_record_loses_nothing_committed_on_either_level() {
    for eighth in [1, 3, 6] {
        check_kills(&format!("nested{eighth}"), 1000, Some(1));
    }
}

#[test]
fn a_handler_that_interrupts_any_instruction_of_a_record_loses_neither_event() {
    let (points, outcome) = sweep("handler", 3000);
    let before = outcome.said("before");
    let mut by_source: HashMap<u32, Vec<u64>> = HashMap::new();
    for step in &outcome.steps {
        by_source.entry(step.source).or_default().push(step.seq);
    }
    for point in &points {
        let of = |source| by_source.get(&(2 * point.child + source)).cloned().unwrap_or_default();
        assert_counts_up(&of(0), before + 1);
        assert_counts_up(&of(1), 1);
    }
    // Seldom a child was given up half-way, so the counters may be ahead.
    assert!(outcome.summary.losses.is_empty(), "{:?}", outcome.summary.losses);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The first and the last moments of programs, threads, and consumers.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Instant;

use ust_consumerd::{ChannelOptions, LossMode};

use crate::harness::{PATIENCE, Recorder, record_all, small_rings, traced};

fn ends(how: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ends"));
    command.arg(how);
    command
}

#[test]
fn constructors_destructors_and_atexit_functions_record() {
    for how in ["return", "exit"] {
        let outcome = record_all(&mut ends(how));
        outcome.assert_success().assert_nothing_lost();
        for (source, count) in [(0, 10), (1, 1), (2, 2), (3, 1), (4, 1), (5, 1)] {
            assert_eq!(outcome.of(source), (0..count).collect::<Vec<_>>(), "source {source}, {how}");
        }
    }
}

#[test]
fn what_was_recorded_before_an_exit_or_abort_is_in_the_trace() {
    for (how, signal) in [("_exit", None), ("abort", Some(libc::SIGABRT))] {
        let outcome = record_all(&mut ends(how));
        assert_eq!(outcome.output.status.signal(), signal);
        outcome.assert_nothing_lost().assert_complete(0, 10).assert_complete(1, 1).assert_complete(2, 2);
        assert_eq!((outcome.of(3).len(), outcome.of(4).len()), (0, 0), "{how}");
    }
}

/// Whether the process sleeps in a futex call.
fn waits_on_a_futex(pid: u32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    call.split(' ').next().and_then(|number| number.parse().ok()) == Some(libc::SYS_futex)
}

/// A program in block mode that has filled its rings and waits for a consumer that does nothing.
fn stuck(count: u64, timeout_us: Option<u64>) -> (Recorder, std::process::Child) {
    let mut channel = ChannelOptions { mode: LossMode::Block, ..small_rings() };
    if let Some(timeout_us) = timeout_us {
        channel.block_timeout_us = timeout_us;
    }
    let recorder = Recorder::new(channel);
    let child = recorder.spawn(traced("plain").args(["0", &count.to_string()]).env("UST_ALLOW_BLOCKING", "1"));
    (recorder, child)
}

#[test]
fn a_writer_that_waits_goes_on_when_its_consumer_dies() {
    let (recorder, mut child) = stuck(20_000, None);
    let begin = Instant::now();
    while !waits_on_a_futex(child.id()) {
        assert!(begin.elapsed() < PATIENCE && child.try_wait().expect("our child").is_none(), "it never waits");
        std::thread::yield_now();
    }
    // The death of a consumer, as its programs see it: the lock on the rules is gone.
    drop(recorder);
    let begin = Instant::now();
    while child.try_wait().expect("our child").is_none() {
        assert!(begin.elapsed() < PATIENCE, "the program waits for a dead consumer");
        std::thread::yield_now();
    }
    assert!(child.wait().expect("our child").success());
}

#[test]
fn a_writer_waits_no_longer_than_its_channel_says_and_counts_what_it_lost() {
    let (mut recorder, mut child) = stuck(6000, Some(50));
    let begin = Instant::now();
    // Nobody drains: each event that finds no room costs 50 us.
    while child.try_wait().expect("our child").is_none() {
        assert!(begin.elapsed() < PATIENCE, "the program waits for ever");
        std::thread::yield_now();
    }
    recorder.drain_until_end(&mut child);
    let output = child.wait_with_output().expect("our child");
    let outcome = recorder.finish(output);
    outcome.assert_success().assert_counted();
    assert!(outcome.summary.losses.wait_timed_out > 0);
    assert_eq!(outcome.steps.len() as u64 + outcome.summary.losses.wait_timed_out, 6000);
}

#[test]
fn a_stopped_consumer_costs_a_discarding_program_events_and_no_time() {
    let recorder = Recorder::new(small_rings());
    let mut child = recorder.spawn(traced("plain").args(["0", "200000"]));
    let begin = Instant::now();
    while child.try_wait().expect("our child").is_none() {
        assert!(begin.elapsed() < PATIENCE, "the program waits");
        std::thread::yield_now();
    }
    let output = child.wait_with_output().expect("our child");
    let outcome = recorder.finish(output);
    outcome.assert_success().assert_counted();
    assert_eq!(outcome.steps.len() as u64 + outcome.summary.losses.ring_full, 200_000);
    assert!(outcome.summary.losses.ring_full > 0);
}

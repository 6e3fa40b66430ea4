// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that come from others: each records into an image of its own, and none repeats or loses what its
//! parent recorded.

use std::collections::BTreeSet;

use crate::harness::{Outcome, assert_counts_up, record, record_all, record_itself, traced};

/// Processes that recorded events of `source`.
fn processes(outcome: &Outcome, source: u32) -> BTreeSet<i32> {
    outcome.steps.iter().filter(|step| step.source == source).map(|step| step.vpid).collect()
}

/// Fails unless events of `source` all come from `pid`, from a thread of that number.
#[track_caller]
fn assert_from(outcome: &Outcome, source: u32, pid: u64) {
    for step in outcome.steps.iter().filter(|step| step.source == source) {
        assert_eq!((step.vpid as u64, step.vtid as u64), (pid, pid), "event {} of {source}", step.seq);
    }
}

#[test]
fn a_forked_child_and_its_own_child_record_under_their_own_numbers() {
    let outcome = record(&mut traced("fork"));
    outcome.assert_success().assert_nothing_lost();
    outcome.assert_complete(0, 200).assert_complete(1, 100).assert_complete(2, 25);
    assert_from(&outcome, 0, outcome.said("parent"));
    assert_from(&outcome, 1, outcome.said("child"));
    let grandchild = processes(&outcome, 2);
    assert_eq!(grandchild.len(), 1);
    assert!(!grandchild.contains(&(outcome.said("child") as i32)));
    assert_eq!(outcome.summary.processes.len(), 3);
}

#[test]
fn children_forked_while_seven_threads_record_disturb_none_of_them() {
    let outcome = record_all(traced("fork-while-threads-trace").arg("20"));
    outcome.assert_success().assert_nothing_lost();
    for source in 0..7 {
        outcome.assert_complete(source, outcome.said(&format!("source{source}")));
        assert_eq!(processes(&outcome, source), BTreeSet::from([outcome.said("parent") as i32]));
    }
    let mut children = BTreeSet::new();
    for source in 100..120 {
        outcome.assert_complete(source, 100);
        let process = processes(&outcome, source);
        assert_eq!(process.len(), 1);
        children.extend(process);
    }
    assert_eq!(children.len(), 20, "each child has its own number");
}

#[test]
fn a_child_of_a_raw_clone_records_into_an_image_of_its_own() {
    let outcome = record(&mut traced("clone"));
    outcome.assert_success().assert_nothing_lost().assert_complete(0, 20).assert_complete(1, 10);
    assert_from(&outcome, 0, outcome.said("parent"));
    assert_from(&outcome, 1, outcome.said("child"));
}

#[test]
fn a_vfork_child_records_as_its_suspended_parent_and_then_as_the_new_program() {
    let outcome = record(&mut traced("vfork"));
    outcome.assert_success().assert_nothing_lost().assert_complete(0, 20).assert_complete(3, 10);
    assert_from(&outcome, 0, outcome.said("parent"));
    assert_from(&outcome, 3, outcome.said("child"));
}

#[test]
fn a_fork_in_a_handler_inside_a_record_leaves_the_record_to_the_parent_alone() {
    for end in ["_exit", "return"] {
        let outcome = record_all(traced("fork-in-handler").arg(end));
        outcome.assert_success().assert_nothing_lost();
        outcome.assert_complete(0, 20).assert_complete(1, 5000).assert_complete(2, 10);
        assert_from(&outcome, 0, outcome.said("parent"));
        assert_from(&outcome, 1, outcome.said("child"));
    }
}

#[test]
fn a_daemon_that_forks_twice_and_closes_everything_is_recorded_throughout() {
    let outcome = record_all(&mut traced("daemon"));
    outcome.assert_success().assert_nothing_lost();
    outcome.assert_complete(0, 10).assert_complete(1, 10).assert_complete(2, 10_000);
    assert_eq!(outcome.summary.processes.len(), 3);
}

#[test]
fn events_right_before_exec_are_kept_and_the_new_program_has_its_own_image() {
    let outcome = record(&mut traced("exec"));
    outcome.assert_success().assert_nothing_lost().assert_complete(0, 1000).assert_complete(1, 1000);
    let pids: BTreeSet<i32> = outcome.steps.iter().map(|step| step.vpid).collect();
    assert_eq!(pids.len(), 1, "exec keeps the process");
    assert_eq!(outcome.summary.processes.len(), 2, "but it is another program");
    assert_counts_up(
        &outcome.steps.iter().map(|step| u64::from(step.source) * 1000 + step.seq).collect::<Vec<_>>(),
        2000,
    );
}

#[test]
fn children_of_a_program_that_is_its_own_recorder_are_so_too() {
    let outcome = record_itself(&mut traced("fork"));
    outcome.assert_success().assert_nothing_lost();
    outcome.assert_complete(0, 200).assert_complete(1, 100).assert_complete(2, 25);
    assert_from(&outcome, 1, outcome.said("child"));
    assert_eq!(outcome.summary.processes.len(), 3);
    let outcome = record_itself(&mut traced("clone"));
    outcome.assert_success().assert_complete(0, 20).assert_complete(1, 10);
    let outcome = record_itself(&mut traced("exec"));
    outcome.assert_success().assert_complete(0, 1000).assert_complete(1, 1000);
}

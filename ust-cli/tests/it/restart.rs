// SPDX-License-Identifier: MIT OR Apache-2.0
//! A daemon that is killed, and the one after it.
//!
//! # Safety
//! Plain calls of `ptrace` and `waitpid` on a child that this thread has started and that nobody else waits for.

#![allow(unsafe_code)]

use std::os::unix::process::CommandExt as _;
use std::process::Stdio;

use crate::stage::{Stage, send, wait_until};

#[test]
fn the_next_daemon_finds_the_sessions_and_programs_and_goes_on_in_the_same_trace() {
    let stage = Stage::new();
    let mut program = stage.serve();
    let mut doomed = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    stage.create("flight", "--snapshot");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    program.tell("events 10");
    doomed.tell("events 3");
    wait_until("the events on disk", || stage.json("list demo")["progress"]["packets"].as_u64() > Some(1));
    stage.kill_daemon();
    program.tell("events 10");
    program.tell("thread 5");
    doomed.tell("events 4");
    doomed.end();
    assert!(stage.ust("list demo").starts_with("demo [active]"));
    let mut later = stage.serve();
    stage.wait_for_processes(3);
    later.tell("severe 2");
    program.tell("events 5");
    stage.ust("stop demo");
    let mut values = stage.values("demo");
    values.sort_unstable();
    let mut expected: Vec<u64> = (0..30).chain(0..7).chain(0..2).collect();
    expected.sort_unstable();
    assert_eq!(values, expected, "nothing is lost and nothing repeated");
    stage.ust("start demo");
    program.tell("events 1");
    stage.ust("destroy demo");
    assert_eq!(stage.values("demo").len(), expected.len() + 1);
    stage.ust("snapshot record -s flight");
    assert_eq!(stage.values("flight").len(), expected.len() + 1, "also of the program that died meanwhile");
}

/// Starts a daemon and kills it at the `at`th begin or end of a system call after it listens; false if it never came so far.
fn killed_daemon(stage: &Stage, at: u64, mut meanwhile: impl FnMut(u64)) -> bool {
    let mut command = stage.command("daemon --foreground");
    command.stderr(Stdio::null());
    // SAFETY: asks to be traced, between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
            Ok(())
        });
    }
    let child = command.spawn().expect("it runs");
    let pid = child.id() as i32;
    let mut status = 0;
    let mut stops = 0;
    loop {
        // SAFETY: our child; `status` is an exclusive local.
        assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            return false;
        }
        stops += 1;
        meanwhile(stops);
        if stops >= at {
            break;
        }
        // SAFETY: our child, which is stopped.
        unsafe { libc::ptrace(libc::PTRACE_SYSCALL, pid, 0, 0) };
    }
    send(pid, libc::SIGKILL);
    // SAFETY: as above.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert!(libc::WIFSIGNALED(status));
    true
}

#[test]
fn a_daemon_killed_at_any_system_call_neither_loses_nor_repeats_an_event() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-channel c --subbuf-size 4K --num-subbuf 64 --tick 1ms");
    stage.ust("enable-event traced:count");
    // The same events in a second channel: the contents of both rings are the same, byte for byte.
    stage.ust("enable-channel twin --subbuf-size 4K --num-subbuf 64 --tick 1ms");
    stage.ust("enable-event -c twin traced:count");
    stage.ust("start");
    program.tell("events 10");
    stage.kill_daemon();
    let mut sent = 10;
    // From the first look at the files on: some hundred stops, of which each is the last once.
    let mut last = false;
    let mut rounds = 0;
    for at in (1..).map(|i| 7 * i) {
        program.tell("events 30");
        sent += 30;
        // A second portion while the daemon works: its packets are written behind those of the first.
        let mut told = false;
        let killed = killed_daemon(&stage, at, |stops| {
            if stops == at / 2 && !told {
                told = true;
                program.tell("events 30");
                sent += 30;
            }
        });
        rounds += 1;
        if !killed || last || rounds > 120 {
            break;
        }
        last = at > 1500;
    }
    println!("{rounds} rounds");
    stage.ust("stop");
    let values = stage.values("demo");
    let mut sorted = values.clone();
    sorted.sort_unstable();
    let expected: Vec<u64> = (0..sent).flat_map(|n| [n, n]).collect();
    assert_eq!(sorted.len(), expected.len(), "in {rounds} rounds");
    assert_eq!(sorted, expected);
}

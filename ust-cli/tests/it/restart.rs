// SPDX-License-Identifier: MIT OR Apache-2.0
//! A daemon that is killed, and the one after it.
//!
//! # Safety
//! Plain calls of `ptrace` and `waitpid` on a child that this thread has started and that nobody else waits for.

#![allow(unsafe_code)]

use std::os::unix::process::CommandExt as _;
use std::process::Stdio;

use crate::stage::{Stage, names, send, wait_until};

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

#[test]
fn every_event_is_recorded_or_counted_as_discarded_over_restarts() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-channel c --subbuf-size 4K --num-subbuf 2 --tick 1ms");
    stage.ust("enable-event traced:count");
    stage.ust("start");
    for _ in 0..6 {
        program.tell("events 2000");
        program.tell("thread 2000");
        stage.kill_daemon();
        program.tell("events 2000");
        program.tell("thread 2000");
        stage.daemon_pid();
    }
    stage.ust("destroy");
    let trace = ust_ctf::reader::Trace::open(stage.place.path().join("demo")).expect("a trace");
    let discarded: u64 = trace.losses().iter().map(|loss| loss.count).sum();
    let recorded = trace.events().count();
    assert!(discarded > 20_000, "{discarded}");
    assert_eq!(recorded + discarded, 6 * 8000);
}

#[test]
fn what_ended_programs_lost_is_reported_by_the_next_daemon_too() {
    let stage = Stage::new();
    stage.create("demo", "");
    stage.ust("enable-channel c --subbuf-size 4K --num-subbuf 2 --tick 10s");
    stage.ust("enable-event traced:count");
    stage.ust("start");
    let mut living = stage.serve();
    living.tell("events 5000");
    for _ in 0..3 {
        let mut program = stage.serve();
        program.tell("events 5000");
        program.end();
    }
    let listed = || stage.json("list demo");
    let report = || {
        let progress = &listed()["progress"];
        ["processes", "events", "lost"].map(|key| progress[key].as_u64().expect("a number"))
    };
    stage.wait_for_processes(1);
    wait_until("all events", || report()[1] + report()[2] == 20_000);
    let before = report();
    assert!(before[0] == 4 && before[2] > 1000, "{before:?}");
    // Kept some times per second.
    let kept = || std::fs::read_to_string(stage.place.path().join("run/sessions/demo.json")).expect("a session file");
    wait_until("what is kept", || kept().contains("\"processes\": 3"));
    stage.kill_daemon();
    wait_until("the living one", || report() == before);
    // Stopped, it is the sum of all, also where the next daemon looks at no program.
    stage.ust("stop demo");
    let stopped = report();
    let losses = listed()["losses"].clone();
    assert_eq!(losses["ring_full"].as_u64(), Some(stopped[2]));
    stage.kill_daemon();
    assert_eq!((report(), &listed()["losses"]), (stopped, &losses));
    assert_eq!((stopped[0], stopped[1] + stopped[2]), (4, 20_000));
    // What had been counted when it stopped is not counted again.
    stage.ust("start demo");
    living.tell("events 7");
    wait_until("the new events", || report() == [4, stopped[1] + 7, stopped[2]]);
    stage.kill_daemon();
    wait_until("all events once", || report() == [4, stopped[1] + 7, stopped[2]]);
    assert_eq!(listed()["losses"], losses);
    stage.ust("destroy demo");
}

#[test]
fn what_is_kept_for_a_flight_recorder_is_counted_once_by_each_daemon() {
    let stage = Stage::new();
    stage.create("flight", "--snapshot");
    stage.ust("enable-event traced:count");
    stage.ust("start");
    stage.create("demo", "");
    stage.ust("enable-event traced:count");
    stage.ust("start");
    let report = || {
        ["flight", "demo"].map(|name| {
            let progress = &stage.json(&format!("list {name}"))["progress"];
            ["processes", "events", "lost"].map(|key| progress[key].as_u64().expect("a number"))
        })
    };
    for count in [100, 3] {
        let mut program = stage.serve();
        program.tell(&format!("events {count}"));
        program.end();
    }
    wait_until("all events", || report() == [[2, 103, 0]; 2]);
    for _ in 0..3 {
        stage.kill_daemon();
        wait_until("all events once", || report() == [[2, 103, 0]; 2]);
        // Has the sessions saved.
        stage.ust("enable-event -s demo traced:other");
        stage.ust("enable-event -s flight traced:other");
    }
    assert_eq!(stage.values("demo").len(), 103);
}

#[test]
fn a_recording_whose_daemon_was_killed_ends_with_the_next_one() {
    let stage = Stage::new();
    let program = stage.serve();
    let mut record = stage.command(&format!("record -p {} -o trace", program.pid()));
    let mut record = record.stderr(Stdio::null()).spawn().expect("it runs");
    wait_until("the session", || stage.json("list").as_array().is_some_and(|s| s.iter().any(|s| s["active"] == true)));
    stage.kill_daemon();
    assert_eq!(stage.json("list").as_array().map(Vec::len), Some(0), "its connection is gone");
    send(record.id() as i32, libc::SIGTERM);
    assert!(!record.wait().expect("our child").success());
}

/// Starts a daemon and kills it at the begin or end of a system call, of whichever `is_time` says so.
fn killed_daemon(stage: &Stage, mut is_time: impl FnMut() -> bool) {
    let mut command = stage.command("daemon --foreground");
    command.stderr(Stdio::null());
    // SAFETY: asks to be traced, between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
            Ok(())
        });
    }
    #[expect(clippy::zombie_processes, reason = "waited for below, by its number")]
    let child = command.spawn().expect("it runs");
    let pid = child.id() as i32;
    let mut status = 0;
    loop {
        // SAFETY: our child; `status` is an exclusive local.
        assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
        assert!(libc::WIFSTOPPED(status), "it has ended by itself");
        if is_time() {
            break;
        }
        // SAFETY: our child, which is stopped.
        unsafe { libc::ptrace(libc::PTRACE_SYSCALL, pid, 0, 0) };
    }
    send(pid, libc::SIGKILL);
    // SAFETY: as above.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert!(libc::WIFSIGNALED(status));
}

#[test]
fn a_daemon_killed_before_or_behind_any_system_call_neither_loses_nor_repeats_an_event() {
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
    let mut tell = |program: &mut crate::stage::Served, count| {
        program.tell(&format!("events {count}"));
        sent += count;
    };
    let dir = stage.place.path().join("demo/ust");
    let plain = || names(&dir).into_iter().map(|name| name.trim_start_matches('.').to_owned()).collect::<Vec<_>>();
    for early in (1..400).step_by(37) {
        let mut stops = 0;
        killed_daemon(&stage, || {
            stops += 1;
            stops == early
        });
    }
    for (late, count) in (0..48).flat_map(|late| [(late, 20), (late, 400)]) {
        if late % 8 == 0 && count == 20 {
            // Few files are looked through in less time.
            stage.ust("rotate");
            stage.kill_daemon();
        }
        // Sometimes more than a sub-buffer, so that there are complete ones and a half-filled one.
        tell(&mut program, count);
        let before = plain();
        let mut stops_since = 0;
        killed_daemon(&stage, || {
            let writes = stops_since > 0 || plain().iter().any(|name| !before.contains(name) && name != "metadata");
            if writes {
                stops_since += 1;
                if stops_since == 1 + late / 2 {
                    // Behind what it has seen.
                    tell(&mut program, 20);
                }
            }
            stops_since > late
        });
    }
    stage.ust("stop");
    let values = stage.values("demo");
    let mut sorted = values.clone();
    sorted.sort_unstable();
    let expected: Vec<u64> = (0..sent).flat_map(|n| [n, n]).collect();
    assert_eq!(sorted.len(), expected.len());
    assert_eq!(sorted, expected);
}

#[test]
fn a_daemon_killed_while_it_rotates_leaves_whole_chunks_and_loses_nothing() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-channel c --subbuf-size 4K --num-subbuf 64 --tick 1ms");
    stage.ust("enable-event traced:count");
    stage.ust("enable-rotation --size 1");
    stage.ust("start");
    stage.kill_daemon();
    let archives = stage.place.path().join("demo/archives");
    let dir = stage.place.path().join("demo/ust");
    let mut sent = 0;
    for late in (0..160).step_by(2) {
        program.tell("events 20");
        sent += 20;
        let mut stops_since = 0;
        // From the first packet on, behind which the chunk is large enough.
        let before = names(&dir);
        let writes = || names(&dir).iter().any(|name| !name.starts_with('.') && !before.contains(name));
        killed_daemon(&stage, || {
            stops_since += u64::from(stops_since > 0 || writes());
            stops_since > late
        });
    }
    stage.ust("stop");
    let mut values = stage.values("demo");
    values.sort_unstable();
    assert_eq!(values, (0..sent).collect::<Vec<_>>());
    // Some were killed before the rename, and some behind it.
    let chunks = names(&archives).len();
    assert!((10..80).contains(&chunks), "{chunks}");
}

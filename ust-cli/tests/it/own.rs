// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs that are their own flight recorders (`UST_TRACE`).

use std::process::Command;

use crate::harness::{run, traced};
use crate::stage::{Stage, babeltrace, names, wait_until};

/// Images that are kept of programs that have ended, and the one of the program that looked last.
const LEFT_MAX: usize = 33;

/// Runs the traced program to its end with this `UST_TRACE`.
fn run_own(stage: &Stage, trace: &str, arguments: &[&str], debug: bool) -> crate::harness::Run {
    let mut command = Command::new(traced());
    stage.prepare(&mut command);
    command.args(arguments).env("UST_TRACE", trace);
    if debug {
        command.env("UST_DEBUG", "1");
    }
    run(command.output())
}

fn images(stage: &Stage) -> Vec<String> {
    names(&stage.runtime_dir().join("apps"))
}

#[test]
fn a_killed_program_leaves_what_its_patterns_and_its_level_say_without_any_daemon() {
    let stage = Stage::new();
    let mut program = stage.serve_own("traced:*;!traced:never*;level=warning;size=4K;count=2");
    program.tell("events 50");
    program.tell("severe 1000");
    program.tell("events 50");
    program.signal(libc::SIGKILL);
    drop(program);
    assert_eq!(names(&stage.runtime_dir()), ["apps"], "nothing else was made");
    stage.ust("recover -o found");
    let values = stage.values("found");
    assert!(values.windows(2).all(|pair| pair[1] == pair[0] + 1), "a hole");
    assert_eq!(values.last(), Some(&1049), "severe events alone, up to the newest");
    assert!((200..=512).contains(&values.len()), "one or two sub-buffers of 4 KiB: {}", values.len());
    if let Some((events, complaints)) = babeltrace(&stage.place.path().join("found")) {
        assert_eq!(complaints, "");
        assert!(events.lines().all(|line| line.contains("traced:severe")), "{events}");
    }

    let other = Stage::new();
    let mut program = other.serve_own("traced:cou*t");
    program.tell("severe 5");
    program.tell("events 5");
    program.tell("thread 5");
    program.signal(libc::SIGKILL);
    drop(program);
    other.ust("recover -o found --remove");
    assert_eq!(other.values("found"), (5..15).collect::<Vec<_>>(), "the pattern, and every thread");
    assert_eq!(images(&other), [""; 0]);
}

#[test]
fn a_running_program_is_copied_when_that_is_asked_for_and_goes_on() {
    let stage = Stage::new();
    let mut program = stage.serve_own("traced:*");
    program.tell("events 20");
    let refused = stage.try_ust("recover -o found");
    assert_eq!(refused.status, Some(1));
    let pid = program.pid();
    let expected = format!("traced ({pid}) runs, and has a flight recorder of its own\ntry:   ust recover --running");
    assert!(refused.stderr.contains(&expected), "{}", refused.stderr);
    assert!(!stage.place.path().join("found").exists());
    stage.ust("recover --running -o found");
    assert_eq!(stage.values("found"), (0..20).collect::<Vec<_>>());
    program.tell("events 10");
    stage.ust("recover --running --remove -o more");
    assert_eq!(stage.values("more"), (0..30).collect::<Vec<_>>(), "a copy takes nothing away");
    assert_eq!(images(&stage).len(), 1, "the image of a running program is not removed");
    program.tell("spin");
    for round in 0..4 {
        let dir = format!("spin{round}");
        stage.ust(&format!("recover --running -o {dir}"));
        let values = stage.values(&dir);
        // The writer's thread begins at 0 once more.
        let (before, spun) = values.split_at(30);
        assert_eq!(before, (0..30).collect::<Vec<_>>());
        assert!(spun.windows(2).all(|pair| pair[1] > pair[0]), "torn or twice");
    }
}

#[test]
fn a_daemon_records_its_own_and_leaves_the_flight_recorder_alone() {
    let stage = Stage::new();
    let mut early = stage.serve_own("traced:*");
    early.tell("events 5");
    stage.create("demo", "");
    stage.ust("add-context -t vtid");
    let mut rule = stage.command("enable-event traced:count --filter");
    assert_eq!(run(rule.arg("n % 2 == 0").output()).status, Some(1), "`%` is no operator of filters");
    let mut rule = stage.command("enable-event traced:count --filter");
    assert_eq!(run(rule.arg("n >= 8").output()).status, Some(0));
    stage.ust("start");
    let mut late = stage.serve_own("traced:*");
    stage.wait_for_processes(2);
    early.tell("events 5");
    late.tell("events 10");
    stage.wait_for_events(4);
    stage.ust("track --vpid 1");
    early.tell("events 2");
    stage.ust("stop");
    early.tell("events 2");
    assert_eq!(stage.place.values("demo").len(), 4, "8 and 9 of each");
    assert!(stage.ust("list -u").contains("[UST_TRACE]"));
    for program in [&early, &late] {
        program.signal(libc::SIGKILL);
    }
    let offer = |pid: i32| format!("flight recorder (UST_TRACE) of traced ({pid}), which has ended: ust recover");
    let pids = [early.pid(), late.pid()];
    wait_until("the offers", || {
        let listed = stage.ust("list");
        pids.iter().all(|pid| listed.contains(&offer(*pid)))
    });
    stage.ust("recover -o found");
    let mut values = stage.values("found");
    values.sort_unstable();
    let mut expected: Vec<u64> = (0..14).chain(0..10).collect();
    expected.sort_unstable();
    assert_eq!(values, expected, "all that was recorded, whatever the session wanted");
    stage.ust("recover -o again --remove");
    assert_eq!(images(&stage), [""; 0]);
    assert!(!stage.ust("list").contains("UST_TRACE"));
    let refused = stage.try_ust("recover -o nothing");
    assert!(refused.stderr.contains("the daemon there has taken what others left"), "{}", refused.stderr);
}

#[test]
fn a_wrong_value_is_explained_when_asked_and_ignored_else() {
    let stage = Stage::new();
    for debug in [true, false] {
        let ran = run_own(&stage, "traced:*;levle=info", &["events", "5"], debug);
        let expected =
            "ust: UST_TRACE is ignored: `levle=info`: there is no such option: level, level-only, size, count\n";
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), if debug { expected } else { "" }));
    }
    let long = format!("traced:*{}", ",!x:*".repeat(300));
    assert!(run_own(&stage, &long, &["events", "5"], true).stderr.contains("more than 1,024 bytes"));
    for off in ["", "0"] {
        assert_eq!(run_own(&stage, off, &["events", "5"], true).stderr, "");
    }
    assert_eq!(images(&stage), [""; 0], "nothing was recorded");
}

#[test]
fn what_programs_leave_is_bounded_and_a_crash_outlives_those_that_ended_in_good_order() {
    let stage = Stage::new();
    let mut crashed = stage.serve_own("traced:*");
    crashed.tell("events 3");
    crashed.signal(libc::SIGKILL);
    let pid = crashed.pid();
    drop(crashed);
    for round in 0..LEFT_MAX + 5 {
        let ran = run_own(&stage, "*;size=4K;count=2", &["events", &(round + 1).to_string()], true);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    }
    let left = images(&stage);
    assert_eq!(left.len(), LEFT_MAX);
    assert!(left.iter().any(|name| name.starts_with(&format!("{pid}-"))), "{left:?} without {pid}");
    assert_eq!(run_own(&stage, "nothing:*", &["events", "5"], true).status, Some(0));
    assert_eq!(images(&stage).len(), LEFT_MAX - 1, "who records nothing leaves nothing, and looks at the others");
    let report = stage.json("recover -o found");
    assert_eq!(report["processes"], LEFT_MAX - 1);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust recover` and `ust doctor`.

use crate::stage::{Stage, names};

#[test]
fn what_crashed_programs_left_becomes_a_trace_where_no_daemon_runs() {
    let stage = Stage::new();
    let mut program = stage.serve();
    let mut alive = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-event traced:count");
    stage.ust("enable-channel flight --overwrite --subbuf-size 4K --num-subbuf 2");
    stage.ust("enable-event -c flight traced:severe");
    stage.ust("start");
    program.tell("events 5");
    stage.wait_for_events(5);
    stage.ust("rotate");
    stage.kill_daemon();
    program.tell("events 5");
    program.tell("severe 1000");
    alive.tell("events 100");
    program.signal(libc::SIGKILL);
    drop(program);
    let report = stage.json("recover -o found");
    assert_eq!(report["processes"], 1, "one that runs is left alone");
    let values = stage.values("found");
    assert_eq!(values[..5], [5, 6, 7, 8, 9], "what the daemon had taken is not there again");
    let flight = &values[5..];
    assert!(flight.len() > 200 && flight.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert_eq!(flight.last(), Some(&1009));
    assert_eq!(names(&stage.runtime_dir().join("apps")).len(), 2, "the images stay");
    stage.ust("recover -o again --remove");
    assert_eq!(stage.values("again").len(), values.len());
    assert_eq!(names(&stage.runtime_dir().join("apps")).len(), 1);
    let run = stage.try_ust("recover nowhere -o x");
    assert!(run.stderr.contains("`nowhere` is no runtime directory"), "{}", run.stderr);
    stage.ust("daemon --background");
    assert_eq!(stage.json("daemon --background")["unclaimed"], 0);
    assert!(stage.try_ust("recover -o y").stderr.contains("try:   ust list, to see what the daemon there has"));
}

#[test]
fn the_doctor_says_why_nothing_would_be_recorded() {
    let stage = Stage::new();
    let says = |reason: &str| {
        let run = stage.try_ust("doctor");
        assert_eq!(run.status, Some(1), "{}", run.stdout);
        assert!(run.stdout.contains(reason), "not `{reason}` but:\n{}", run.stdout);
    };
    says("cannot be examined: No such file or directory");
    says("no daemon runs, so no session does");
    let program = stage.serve();
    says("1 images of programs lie in");
    stage.ust("daemon --background");
    says("there is no session");
    stage.create("demo", "");
    says("session `demo` is not started\ntry:   ust start demo");
    says("session `demo` has no event rule");
    stage.ust("enable-event treced:*");
    stage.ust("enable-event traced:cuont");
    stage.ust("enable-event traced:count --loglevel ERR");
    stage.ust("start");
    says("event `treced:*`: no running process has this provider\ntry:   closest: 'traced:");
    says("event `traced:cuont`: no running process has such an event\ntry:   closest: 'traced:count'");
    says(
        "event traced:count, ERR (3) and more severe: `traced:count` has level DEBUG_LINE (13), which the rule leaves out",
    );
    stage.ust("disable-event -a");
    stage.ust("enable-event traced:count");
    let run = stage.try_ust("doctor");
    assert_eq!(run.status, Some(0), "{}", run.stdout);
    assert!(run.stdout.contains("ok:    session `demo` records; 0 events so far"), "{}", run.stdout);
    stage.ust("enable-event traced:severe --filter m==1 --allow-unknown-fields");
    says("event traced:severe, filter `m==1`: no event has the field `m`");
    stage.ust("disable-event traced:severe");
    stage.ust("track --vpid 1");
    says("session `demo` tracks none of the 1 processes");
    stage.ust("track --vpid");
    stage.ust("disable-channel channel0");
    says("channel `channel0` is disabled");
    let mut elsewhere = stage.command("doctor");
    let run = crate::harness::run(elsewhere.env("UST_RUNTIME_DIR", stage.place.path().join("other")).output());
    let expected = format!(
        "traced ({}) registered in another runtime directory, `{}`",
        program.pid(),
        stage.runtime_dir().display()
    );
    assert!(run.stdout.contains(&program.pid().to_string()), "not `{expected}` but:\n{}", run.stdout);
    assert!(run.stdout.contains(&format!("UST_RUNTIME_DIR='{}' ust", stage.runtime_dir().display())));
    use std::os::unix::fs::PermissionsExt as _;
    let loose = stage.place.path().join("loose");
    std::fs::create_dir(&loose).expect("new");
    std::fs::set_permissions(&loose, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let run = crate::harness::run(stage.command("doctor").env("UST_RUNTIME_DIR", &loose).output());
    assert!(run.stdout.contains("has mode 0755; programs refuse it\ntry:   chmod 700"), "{}", run.stdout);
}

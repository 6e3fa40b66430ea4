// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sessions as their user types them.

use std::time::{Duration, Instant};

use crate::stage::{Stage, names, send, wait_until};

#[test]
fn a_session_records_programs_that_run_already_and_those_that_start_later() {
    let stage = Stage::new();
    let mut early = stage.serve();
    early.tell("events 10");
    assert!(stage.ust("create demo -o demo").starts_with("session demo created"));
    stage.ust("enable-event traced:count");
    assert!(stage.ust("start").contains("tracing started for session demo"));
    early.tell("events 5");
    let mut late = stage.serve();
    late.tell("events 3");
    late.tell("severe 4");
    assert!(stage.ust("stop").contains("events  8 of 2 processes"));
    early.tell("events 100");
    assert_eq!(stage.values("demo"), [10, 11, 12, 13, 14, 0, 1, 2]);
    assert!(stage.ust("view --limit 1").contains("{ n = 10 }"), "the current session is shown");
    stage.ust("start");
    early.tell("events 2");
    stage.ust("destroy");
    assert_eq!(stage.values("demo"), [10, 11, 12, 13, 14, 0, 1, 2, 115, 116], "a second start goes on in the trace");
}

#[test]
fn each_of_two_sessions_gets_what_it_wants_and_what_is_disabled_goes_to_none() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("all", "");
    stage.ust("enable-channel small --subbuf-size 4K --num-subbuf 4 --tick 1ms");
    stage.ust("enable-event -c small -a --exclude traced:never,ust_*");
    stage.ust("start");
    stage.create("loud", "");
    stage.ust("enable-event traced:* --loglevel warning");
    stage.ust("start loud");
    program.tell("events 5");
    program.tell("severe 5");
    stage.ust("disable-event traced:* -s loud");
    program.tell("severe 5");
    stage.ust("enable-event traced:* --loglevel WARNING -s loud");
    stage.ust("disable-channel small -s all");
    program.tell("severe 1");
    stage.ust("destroy --all");
    assert_eq!(stage.values("all"), (0..15).collect::<Vec<_>>());
    assert_eq!(stage.values("loud"), [5, 6, 7, 8, 9, 15]);
}

#[test]
fn sessions_that_come_and_go_cost_a_program_neither_slots_nor_rings() {
    let stage = Stage::new();
    let mut program = stage.serve();
    for i in 0..70 {
        let name = format!("s{i}");
        stage.create(&name, "");
        stage.ust("enable-event traced:count");
        stage.ust("start");
        program.tell("events 3");
        let report = stage.json("stop");
        assert_eq!(report["progress"]["events"], 3, "round {i}");
        assert_eq!(report["progress"]["lost"], 0);
        stage.ust("destroy");
        assert_eq!(stage.place.values(&name), [3 * i, 3 * i + 1, 3 * i + 2]);
    }
    let image = std::fs::read_dir(stage.runtime_dir().join("apps")).expect("there").next().expect("one").expect("read");
    use std::os::unix::fs::MetadataExt as _;
    let bytes = image.metadata().expect("there").blocks() * 512;
    assert!(bytes < 8 << 20, "one ring of 2 MiB and the tables, not 70: {bytes}");
}

#[test]
fn only_tracked_processes_are_recorded() {
    let stage = Stage::new();
    let (mut one, mut two) = (stage.serve(), stage.serve());
    stage.create("demo", "");
    // No tick comes: what a process has left unread is taken when it is let go, or never.
    stage.ust("enable-channel slow --tick 1h");
    stage.ust("enable-event traced:*");
    stage.ust(&format!("track --vpid {}", one.pid()));
    stage.ust("start");
    one.tell("events 2");
    two.tell("events 100");
    stage.ust(&format!("track --vpid {}", two.pid()));
    two.tell("events 1");
    stage.ust(&format!("untrack --vpid {}", one.pid()));
    one.tell("events 50");
    let mut three = stage.serve();
    stage.wait_for_processes(3);
    three.tell("events 50");
    let uid = stage.json("list -u")[0]["uid"].as_i64().expect("a number");
    stage.ust("track --vpid");
    stage.ust(&format!("track --vuid {}", uid + 1));
    one.tell("events 50");
    stage.ust("destroy");
    assert_eq!(stage.values("demo"), [0, 1, 100]);
}

#[test]
fn a_process_that_starts_leaves_out_what_does_not_track_it_before_anybody_looks_at_it() {
    let stage = Stage::new();
    stage.create("demo", "");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    let rings = |program: &crate::stage::Served| {
        let apps = stage.runtime_dir().join("apps");
        let prefix = format!("{}-", program.pid());
        let name = names(&apps).into_iter().find(|name| name.starts_with(&prefix)).expect("an image");
        let mut header = [0; 76];
        let mut image = std::fs::File::open(apps.join(name)).expect("there");
        std::io::Read::read_exact(&mut image, &mut header).expect("a header");
        u32::from_le_bytes([header[72], header[73], header[74], header[75]])
    };
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("there"));
    for (track, ring_count) in [("--vpid", 1), ("--vpid 1", 0), ("--vpid", 1)] {
        stage.ust(&format!("track {track}"));
        stage.ust(&format!("track --vuid {uid}"));
        let daemon = stage.daemon_pid();
        send(daemon, libc::SIGSTOP);
        let mut program = stage.serve();
        program.tell("events 5");
        let found = rings(&program);
        send(daemon, libc::SIGCONT);
        assert_eq!(found, ring_count, "with {track}");
    }
}

#[test]
fn commands_return_in_bounded_time_though_the_programs_are_stopped() {
    let stage = Stage::new();
    let mut programs: Vec<_> = (0..5).map(|_| stage.serve()).collect();
    stage.create("demo", "");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    stage.create("flight", "--snapshot");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    for program in &mut programs {
        program.tell("spin");
    }
    wait_until("events", || stage.json("list demo")["progress"]["events"].as_u64() > Some(1000));
    programs.iter().for_each(|program| program.signal(libc::SIGSTOP));
    for line in [
        "rotate demo",
        "snapshot record -s flight",
        "stop demo",
        "start demo",
        "clear demo",
        "destroy demo",
        "destroy flight",
    ] {
        let began = Instant::now();
        stage.ust(line);
        assert!(began.elapsed() < Duration::from_secs(10), "ust {line} took {:?}", began.elapsed());
    }
    programs.iter().for_each(|program| program.signal(libc::SIGCONT));
}

#[test]
fn mistakes_are_answered_with_the_closest_name_and_something_to_try() {
    let stage = Stage::new();
    let _program = stage.serve();
    stage.create("demo", "");
    let error = |line: &str| {
        let run = stage.try_ust(line);
        assert_ne!(run.status, Some(0), "ust {line}");
        run.stderr
    };
    assert_eq!(error("start dmeo"), "error: there is no session `dmeo`\n  closest: demo\ntry:   ust list\n");
    assert!(error("start").contains("session `demo` has no channel and no event rule\ntry:   ust enable-event"));
    assert!(error("create demo -o other").starts_with("error: session `demo` exists\n"));
    assert!(!stage.place.path().join("other").exists(), "nothing is left behind");
    assert!(
        error("enable-event checkout").contains("events are called provider:name\ntry:   'checkout:*' or '*:checkout'")
    );
    assert!(error("enable-event a:b -x a:c").contains("exclusions can only be used with a globbing pattern"));
    assert!(error("enable-event -a --loglevel WARN").contains("closest: WARNING"));
    assert!(error("enable-channel c --subbuf-size 1G").contains("--subbuf-size from 4K to 64M"));
    assert!(error("enable-channel ../c").contains("is no name for a channel"));
    assert!(error("stop").contains("session `demo` is not started"));
    assert!(error("snapshot record").contains("has no overwrite channel"));
    assert!(error("untrack --vpid 1").contains("everything is tracked"));
    let note = stage.try_ust("enable-event traced:cuont").stderr;
    assert!(note.contains("none of the 1 running processes has an event `traced:cuont` now"), "{note}");
    assert!(note.contains("closest: traced:count"), "{note}");
    assert!(error("enable-event a:b -c chanel0").contains("closest: channel0"));
    stage.ust("enable-channel big --subbuf-size 64K");
    assert!(error("enable-channel big --subbuf-size 128K").contains("exists with other settings"));
}

#[test]
fn what_programs_offer_is_listed_with_levels_and_fields() {
    let stage = Stage::new();
    let program = stage.serve();
    let words = stage.ust("list --userspace --fields");
    assert!(words.contains(&format!("PID: {} - Name: traced (", program.pid())), "{words}");
    assert!(
        words.contains("\n      traced:severe (loglevel: WARNING (4)) (type: tracepoint)\n        field: n (u64)\n")
    );
    let apps = stage.json("list -u -f");
    let first = &apps[0]["tracepoints"][0];
    assert_eq!((first["name"].as_str(), first["fields"][0]["kind"].as_str()), (Some("traced:count"), Some("u64")));
    stage.create("demo", "");
    stage.create("other", "");
    assert_eq!(stage.json("list").as_array().map(Vec::len), Some(2));
    assert!(stage.ust("status").starts_with("other (current) [inactive]"));
    stage.ust("set-session demo");
    assert!(stage.ust("status").starts_with("demo (current) [inactive]"));
}

#[test]
fn a_session_that_was_saved_is_loaded_as_it_was() {
    let stage = Stage::new();
    stage.create("demo", "");
    stage.ust("enable-channel c --blocking-timeout 5ms --tracefile-size 1M --tracefile-count 3 --subbuf-size 8K");
    stage.ust("enable-event -c c a:*,b:c d:e --loglevel-only ERR");
    stage.ust("enable-event -c c c:* -x c:d");
    stage.ust("track --vpid 1,2");
    stage.ust("enable-rotation --timer 10m --size 1G");
    let before = stage.json("status")["config"].clone();
    stage.ust("save");
    assert!(stage.try_ust("save").stderr.contains("-f to replace it"));
    stage.ust("load demo.toml --force");
    assert_eq!(stage.json("status")["config"], before);
    stage.ust("load demo.toml --override-name two --override-output elsewhere");
    let two = stage.json("list two")["config"].clone();
    assert_eq!((&two["rules"], &two["channels"]), (&before["rules"], &before["channels"]));
    assert!(two["output"].as_str().expect("text").ends_with("/elsewhere"));
    std::fs::write(stage.place.path().join("bad.toml"), "name = 1").expect("ours");
    assert!(stage.try_ust("load bad.toml").stderr.contains("describes no session"));
    let printed: serde_json::Value = serde_json::from_str(&stage.ust("save two -o - --json")).expect("JSON");
    assert_eq!(printed, two);
    let toml = stage.ust("save two -o -");
    let wrong = toml.replacen("level_max", "filter = \"n ==\"\nlevel_max", 1).replacen("\"two\"", "\"three\"", 1);
    assert_ne!(wrong, toml);
    std::fs::write(stage.place.path().join("wrong.toml"), wrong).expect("ours");
    let run = stage.try_ust("load wrong.toml");
    assert!(run.status == Some(1) && run.stderr.contains("n =="), "a filter that is none: {}", run.stderr);
}

#[test]
fn a_recording_attaches_to_what_runs_and_ends_with_it() {
    let stage = Stage::new();
    let mut program = stage.serve();
    let other = stage.serve();
    program.tell("events 5");
    let mut record = stage.command(&format!("record -p {} -e traced:count -o trace", program.pid()));
    let record = record.stderr(std::process::Stdio::piped()).spawn().expect("it runs");
    wait_until("the session", || stage.json("list").as_array().is_some_and(|s| s.iter().any(|s| s["active"] == true)));
    program.tell("events 7");
    program.end();
    let done = record.wait_with_output().expect("our child");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(stage.values("trace"), (5..12).collect::<Vec<_>>());
    assert_eq!(stage.json("list").as_array().map(Vec::len), Some(0), "the session is gone");
    let mut program = stage.serve();
    let line =
        format!("record -p {} -e traced:count --filter n>=4 --context vtid -o some --json --view", program.pid());
    let mut record = stage.command(&line);
    let record = record.stdout(std::process::Stdio::piped()).spawn().expect("it runs");
    wait_until("the session", || stage.json("list").as_array().is_some_and(|s| s.iter().any(|s| s["active"] == true)));
    program.tell("events 6");
    program.end();
    let done = record.wait_with_output().expect("our child");
    let lines = String::from_utf8(done.stdout).expect("text");
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[0]["fields"]["n"]), (3, &serde_json::json!(4)), "two events, and the summary");
    assert!(lines[0]["context"]["vtid"].is_number(), "{}", lines[0]);
    assert_eq!((&lines[2]["event_count"], &lines[2]["lost"]), (&serde_json::json!(2), &serde_json::json!(0)));
    let run = stage.try_ust("record -p trace* --filter m==1 -o unmade");
    assert!(run.stderr.contains("no event has the field `m`"), "{}", run.stderr);
    assert!(!stage.place.path().join("unmade").exists());
    let run = stage.try_ust("record -p trace* --duration 50ms -o other");
    assert_eq!(run.status, Some(3), "{}", run.stderr);
    let run = stage.try_ust("record -p tracde --duration 1s");
    assert!(run.stderr.contains("closest: traced"), "{}", run.stderr);
    drop(other);
}

#[test]
fn a_session_records_what_a_filter_accepts_with_the_contexts_that_it_was_given() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("add-context -t vtid -t procname");
    stage.ust("enable-event traced:count --filter n>=3&&n<6||n==8");
    stage.ust("start");
    program.tell("events 10");
    let refused = stage.try_ust("add-context -t vpid");
    assert_eq!(refused.status, Some(1));
    assert!(refused.stderr.contains("channel `channel0` is in use"), "{refused:?}");
    let status = stage.ust("status");
    assert!(status.contains("filter `n>=3&&n<6||n==8`") && status.contains(", with vtid, procname\n"), "{status}");
    // A second rule wants more: either will do.
    stage.ust("enable-event traced:* --filter n==12");
    program.tell("events 5");
    stage.ust("stop");
    assert_eq!(stage.values("demo"), [3, 4, 5, 8, 12]);
    let shown = stage.ust("view demo --limit 1");
    assert!(shown.contains(", { vtid = ") && shown.contains("procname = \"traced\" }, { n = 3 }"), "{shown}");
    let chosen = stage.ust("view demo --filter $ctx.vtid>0&&n==12");
    assert_eq!(chosen.lines().count(), 1, "{chosen}");
    assert_eq!(stage.ust("add-context --list").lines().filter(|line| *line == "vtid").count(), 1);
}

#[test]
fn a_filter_that_cannot_be_right_is_refused_when_it_is_given() {
    let stage = Stage::new();
    let refused = |line: &str| {
        let run = stage.try_ust(line);
        assert_eq!(run.status, Some(1), "{line}");
        run.stderr
    };
    stage.create("demo", "");
    let error = refused("enable-event traced:count --filter n==1");
    assert!(error.contains("no running program has an event `traced:count`"), "{error}");
    assert!(error.contains("--allow-unknown-fields"), "{error}");
    stage.ust("enable-event traced:count --filter n==1 --allow-unknown-fields");
    let _program = stage.serve();
    let error = refused("enable-event traced:* --filter m==1");
    assert!(error.contains("no event has the field `m`") && error.contains("`n`"), "{error}");
    assert!(refused("enable-event traced:* --filter n=1").contains("equality is `==`"));
    assert!(refused("enable-event traced:* --filter n==\"x\"").contains("cannot compare a text with a number"));
    assert_eq!(stage.try_ust("add-context -t nonsense").status, Some(2));
}

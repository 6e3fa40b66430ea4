// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters, from their text to what is in the trace.

use std::collections::BTreeMap;
use std::process::Command;

use ust_consumerd::Summary;
use ust_ctf::reader::Trace;

use crate::harness::{is_installed, record_filtered, record_with, traced};

fn filtered(scenario: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_filtered"));
    command.arg(scenario);
    command
}

/// The field `n` of the events in a trace, by event name and process.
fn numbers(summary: &Summary) -> BTreeMap<(String, i32), Vec<u32>> {
    let mut found = BTreeMap::<_, Vec<u32>>::new();
    if summary.packets == 0 {
        return found;
    }
    let trace = Trace::open(&summary.output).expect("the trace is readable");
    let mut events = trace.events();
    while let Some(event) = events.next() {
        let n = event.payload().at(0).expect("a field").value.integer().expect("an integer");
        let vpid = event.packet_context().get("vpid").and_then(|value| value.integer()).expect("the process");
        found.entry((event.class.name.clone(), vpid as i32)).or_default().push(n as u32);
    }
    assert_eq!(events.warnings().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    found
}

/// What `kinds:every` has with this filter.
fn every(filter: &str) -> Vec<u32> {
    let (summary, _, _scratch) = record_with(&mut filtered("every"), |options| {
        options.patterns = vec!["kinds:*".to_owned()];
        options.filter = Some(filter.to_owned());
    });
    assert!(summary.losses.is_empty(), "{filter}: {:?}", summary.losses);
    assert_eq!(summary.filter_problem, None, "{filter}");
    let found: Vec<u32> = numbers(&summary).into_values().flatten().collect();
    assert_eq!(summary.event_count(), found.len() as u64, "{filter}: what is rejected is not counted");
    found
}

#[test]
fn every_kind_of_field_can_be_asked_for() {
    type Expected = fn(u32) -> bool;
    let long = r#"text == "*thirty-two*" && text != "a""#;
    let cases: &[(&str, Expected)] = &[
        ("n == 7", |n| n == 7),
        ("small <= -18", |n| n >= 18),
        ("port >= 17 && port < 19", |n| n == 17 || n == 18),
        ("ratio == 2.5 || ratio > 9", |n| n == 5 || n == 19),
        (r#"text == "one""#, |n| n % 5 == 2),
        (long, |n| n % 5 == 4),
        (r#"text == "" && n > 10"#, |n| n == 15),
        ("color == 200", |n| n % 2 == 1),
        ("list[3] == 3", |n| n % 5 == 4),
        ("maybe == -9", |n| n == 9),
        ("maybe <= 0", |n| n % 3 == 0),
        ("none == 0 || 1", |_| false),
        (r#"word == "wor""#, |n| n % 6 == 3),
        ("word[4] == 'y'", |n| n % 6 == 5),
        ("array[1] == 4 && array[2] == -1", |n| n == 4),
        ("last >> 40 == 12", |n| n == 12),
        ("hidden == 21", |n| n == 3),
        ("computed & 0xf == 0", |n| (n + 100) & 0xf == 0),
        (r#"secret == "n*e""#, |n| n == 9),
    ];
    for (filter, expected) in cases {
        assert_eq!(every(filter), (0..20).filter(|&n| expected(n)).collect::<Vec<_>>(), "{filter}");
    }
}

#[test]
fn a_filter_can_ask_for_contexts() {
    assert_eq!(every(r#"$ctx.procname == "filtered" && n == 3"#), [3]);
    assert_eq!(every(r#"$ctx.procname == "filter" || n == 4"#), [4]);
    assert_eq!(every("$ctx.vpid == 1 || $ctx.vtid == 1 || $ctx.ip == 0").len(), 0);
    assert_eq!(every("$ctx.vpid > 1 && $ctx.pthread_id != 0 && $ctx.cpu_id >= 0 && $ctx.pid_ns > 0").len(), 20);
}

#[test]
fn a_field_that_no_tracepoint_has_is_said_with_those_that_come_closest() {
    let problem = |filter: &str| {
        let (summary, _, _scratch) = record_with(&mut filtered("every"), |options| {
            options.patterns = vec!["kinds:*".to_owned()];
            options.filter = Some(filter.to_owned());
        });
        assert_eq!(summary.event_count(), 0);
        assert!(summary.losses.is_empty(), "{:?}", summary.losses);
        summary.filter_problem.expect("a problem").to_string()
    };
    let said = problem("hiden == 1");
    assert!(said.contains("no event has the field `hiden`") && said.contains("`hidden`"), "{said}");
    assert!(problem("array == 1").contains("neither a number nor a text"));
}

#[test]
fn events_without_the_field_are_rejected_and_classes_have_hidden_fields_too() {
    let (summary, _, _scratch) = record_with(&mut filtered("every"), |options| options.filter = Some("odd".into()));
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let found = numbers(&summary);
    assert_eq!(found.len(), 1);
    let ((name, _), found) = found.first_key_value().expect("one");
    assert_eq!((name.as_str(), found.clone()), ("class:one", (0..20).filter(|n| n % 2 == 1).collect()));
}

#[test]
fn an_event_larger_than_the_scratch_memory_is_asked_about_as_well() {
    let (summary, _, _scratch) = record_with(&mut filtered("big"), |options| {
        options.filter = Some("tail == 22 || body[9] == 0".to_owned());
    });
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    assert_eq!(numbers(&summary).into_values().flatten().collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn a_filter_in_a_handler_inside_a_filter_disturbs_neither() {
    let (summary, _, _scratch) = record_with(&mut filtered("storm"), |options| {
        options.filter = Some("n & 7 == 3 && tail == 299995 || n < 100000 && n & 7 == 1".to_owned());
        options.patterns = vec!["big:*".to_owned(), "handled:*".to_owned()];
    });
    // A handler's event lacks `tail`: it is asked about `n` only where that settles it.
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let found = numbers(&summary);
    let of = |wanted: &str| -> Vec<u32> {
        found.iter().filter(|((name, _), _)| name == wanted).flat_map(|(_, n)| n.clone()).collect()
    };
    let big: Vec<u32> = (0..300_000).filter(|n| n & 7 == 3 && *n == 299_995 || *n < 100_000 && n & 7 == 1).collect();
    assert_eq!(of("big:bytes"), big);
    let handled = of("handled:signal");
    assert!(!handled.is_empty() && handled.iter().all(|n| n & 7 == 1), "{handled:?}");
}

#[test]
fn children_filter_by_their_own_contexts_whether_the_c_library_made_them_or_not() {
    let (summary, output, _scratch) = record_with(&mut filtered("fork"), |options| {
        options.patterns = vec!["other:*".to_owned()];
        options.filter = Some("n & 1 == 0".to_owned());
    });
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = numbers(&summary);
    for (child, line) in (1u32..).zip(stdout.lines()) {
        let pid: i32 = line.split_once('=').expect("a child").1.parse().expect("a number");
        let expected: Vec<u32> = (10 * child..10 * child + 10).filter(|n| n & 1 == 0).collect();
        assert_eq!(found.get(&("other:plain".to_owned(), pid)), Some(&expected), "child {child}");
    }
    assert_eq!(found.len(), 5);
}

#[test]
fn a_text_is_a_filter_or_the_recording_does_not_begin() {
    let refused = |filter: &str| {
        let mut options = ust_consumerd::EngineOptions::new(std::env::temp_dir().join("never-made"));
        options.filter = Some(filter.to_owned());
        let dir = ust_consumerd::RuntimeDir::create_private().expect("a runtime directory");
        ust_consumerd::Engine::new(dir, options).expect_err("no filter").to_string()
    };
    assert!(refused("n = 1").contains("equality is `==`"));
    assert!(refused("$ctx.procnam == \"x\"").contains("`$ctx.procname`"));
}

#[test]
fn hidden_fields_are_in_no_trace() {
    let (summary, _, _scratch) = record_with(&mut filtered("every"), |options| options.filter = Some("n == 3".into()));
    let metadata = std::fs::read_to_string(summary.output.join("metadata")).expect("metadata");
    assert!(!metadata.contains("hidden") && !metadata.contains("_odd"), "{metadata}");
    if is_installed("babeltrace2") {
        let theirs = Command::new("babeltrace2").arg(&summary.output).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&theirs.stderr), "");
        assert_eq!(String::from_utf8_lossy(&theirs.stdout).lines().count(), 3);
    }
}

#[test]
fn garbage_in_the_filter_area_of_a_running_program_costs_events_that_are_counted_and_nothing_else() {
    use std::os::unix::fs::FileExt as _;
    use ust_shm::layout::{FILTERS_BYTES, FILTERS_OFFSET};

    let scratch = crate::harness::Scratch::new();
    let mut options = ust_consumerd::EngineOptions::new(scratch.path().join("trace"));
    options.filter = Some("n == 7 && $ctx.vpid > 0".to_owned());
    options.tick = std::time::Duration::from_millis(20);
    let dir = ust_consumerd::RuntimeDir::create_private().expect("a runtime directory");
    let mut engine = ust_consumerd::Engine::new(dir, options).expect("the engine starts");
    let apps = engine.runtime_dir().path().join("apps");
    let enough = scratch.path().join("enough");
    let mut child = crate::harness::spawn_in(engine.runtime_dir().path(), filtered("until").arg(&enough));
    let mut random = 1u64;
    let mut garbage = vec![0u8; FILTERS_BYTES as usize];
    let (began, mut rounds) = (std::time::Instant::now(), 0);
    while child.try_wait().expect("our child").is_none() {
        rounds += 1;
        let is_late = began.elapsed() > std::time::Duration::from_secs(60);
        if (rounds > 100 && engine.progress().lost > 0) || is_late {
            std::fs::write(&enough, "").expect("ours");
        }
        engine.run_once(std::time::Duration::from_millis(1), &[]).expect("poll works");
        for byte in &mut garbage {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Mostly small numbers: those of operations and kinds.
            *byte = if random >> 60 < 12 { (random >> 33) as u8 % 13 } else { (random >> 33) as u8 };
        }
        for image in std::fs::read_dir(&apps).expect("there").flatten() {
            let file = std::fs::OpenOptions::new().write(true).open(image.path());
            if let Ok(file) = file {
                let _ = file.write_all_at(&garbage, FILTERS_OFFSET);
            }
        }
    }
    let output = child.wait_with_output().expect("our child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = engine.stop();
    assert!(summary.losses.filter > 0, "{:?}", summary.losses);
    let mut others = summary.losses;
    others.filter = 0;
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(summary.warnings, Vec::<String>::new());
}

/// Accepts every event of the traced programs, and looks at all of it.
const ALL: &str = "payload[0] >= 0 && hash != 1 && source >= 0 && seq >= 0";

#[test]
fn handlers_that_interrupt_a_filter_nest_like_those_that_interrupt_a_record() {
    for stack in ["same", "alternate"] {
        let outcome = record_filtered(traced("deep").args(["3", stack]), ALL);
        outcome.assert_success().assert_nothing_lost().assert_complete(1, 100);
        let mut nested = outcome.of(0);
        nested.sort_unstable();
        assert_eq!(nested, [0, 1, 2, 3], "{stack}");
    }
}

#[test]
fn a_jump_out_of_a_filter_costs_one_event_each_and_nothing_else() {
    let outcome = record_filtered(traced("jump").args(["200", "1", "above"]), ALL);
    outcome.assert_success().assert_complete(0, 1000).assert_complete(1, 0).assert_counted();
    assert_eq!((outcome.summary.losses.abandoned, outcome.summary.losses.events()), (200, 200));
}

#[test]
fn a_fork_in_a_handler_inside_a_filter_leaves_the_event_to_the_parent_alone() {
    for end in ["_exit", "return"] {
        let outcome = record_filtered(traced("fork-in-handler").arg(end), ALL);
        outcome.assert_success().assert_nothing_lost();
        outcome.assert_complete(0, 20).assert_complete(1, 5000).assert_complete(2, 10);
    }
}

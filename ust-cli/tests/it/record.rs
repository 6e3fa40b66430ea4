// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recordings that work.

use std::path::Path;

use crate::harness::Place;

#[test]
fn every_event_is_in_the_trace_and_the_summary_says_so() {
    let place = Place::new();
    let run = place.record(&["-o", "trace"], &["events", "12345"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""));
    assert_eq!(place.values("trace"), (0..12_345).collect::<Vec<_>>());
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines[0].starts_with("trace      trace ("), "{run:?}");
    assert!(lines[1].starts_with("processes  1: traced ("), "{run:?}");
    assert_eq!(lines[2], "events     12,345");
    assert_eq!(lines[3].split_whitespace().collect::<Vec<_>>(), ["12,345", "traced"]);
    assert_eq!(lines[4..], ["lost       0"]);
}

#[test]
fn the_default_directory_is_named_after_the_program_and_the_time() {
    let place = Place::new();
    for _ in 0..2 {
        assert_eq!(place.record(&[], &["events", "1"]).status, Some(0));
    }
    let names = place.names();
    assert_eq!(names.len(), 2, "a directory of its own for each: {names:?}");
    for name in &names {
        let stamp = name.strip_prefix("traced-").expect("the program's name");
        let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert!(shape.starts_with("00000000-000000"), "{name}");
    }
}

#[test]
fn an_empty_directory_is_used_and_a_full_one_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("trace")).expect("new");
    assert_eq!(place.record(&["-o", "trace"], &["events", "1"]).status, Some(0));
    let again = place.record(&["-o", "trace"], &["events", "1"]);
    assert_eq!(again.status, Some(1));
    assert_eq!(
        again.stderr,
        "error: output directory `trace` is not empty\ntry:   another directory with -o, or remove what is there\n"
    );
    assert_eq!(place.values("trace"), [0]);
}

#[test]
fn the_program_keeps_its_output_and_the_events_come_behind_it() {
    let place = Place::new();
    let run = place.record(&["-o", "trace", "--view"], &["say", "hello", "events", "2"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{run:?}");
    assert_eq!(lines[0], "hello");
    assert!(lines[1].ends_with("{ n = 0 }") && lines[2].ends_with("{ n = 1 }"), "{run:?}");
    assert!(lines[1].contains(" traced:count: { cpu_id = "), "{run:?}");
}

#[test]
fn block_mode_loses_nothing_with_the_smallest_rings() {
    let place = Place::new();
    let small = ["-o", "trace", "--mode", "block", "--subbuf-size", "4K", "--subbuf-count", "2"];
    let run = place.record(&small, &["events", "100000"]);
    assert!(run.stderr.contains("\nlost       0\n"), "{run:?}");
    assert_eq!(place.values("trace"), (0..100_000).collect::<Vec<_>>());
}

#[test]
fn overwrite_mode_keeps_the_newest() {
    let place = Place::new();
    let small = ["-o", "trace", "--mode", "overwrite", "--subbuf-size", "4K", "--subbuf-count", "2"];
    let run = place.record(&small, &["events", "100000"]);
    assert!(run.stderr.contains("\nevents     100,000\n"), "{run:?}");
    let values = place.values("trace");
    let oldest = values[0];
    assert!(
        oldest > 99_000 && values == (oldest..100_000).collect::<Vec<_>>(),
        "{} values from {oldest}",
        values.len()
    );
}

#[test]
fn sizes_that_are_no_power_of_two_are_rounded_up_and_that_is_said() {
    let place = Place::new();
    let odd = ["-o", "trace", "--subbuf-size", "100k", "--subbuf-count", "3"];
    let run = place.record(&odd, &["events", "1"]);
    let notes: Vec<&str> = run.stderr.lines().take(2).collect();
    assert_eq!(
        notes,
        [
            "note:  --subbuf-size 100K is rounded up to 128K, a power of two",
            "note:  --subbuf-count 3 is rounded up to 4, a power of two"
        ]
    );
    assert_eq!(run.status, Some(0));
}

#[test]
fn nothing_is_left_of_the_runtime_directory() {
    let place = Place::new();
    let run = place.record(&["-o", "trace"], &["where", "events", "1"]);
    let dir = Path::new(run.stdout.trim());
    assert!(dir.is_absolute() && !dir.exists(), "{run:?}");
}

#[test]
fn patterns_choose_events_and_several_add_up() {
    let place = Place::new();
    assert_eq!(place.record(&["-o", "a", "-e", "traced:n*", "-e", "*:count"], &["events", "2"]).status, Some(0));
    assert_eq!(place.values("a"), [0, 1]);
}

#[test]
fn the_summary_is_an_object_on_the_last_line_if_that_is_asked_for() {
    let place = Place::new();
    let run = place.record(&["-o", "trace", "--json"], &["say", "hello", "events", "3", "exit", "7"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(7), ""));
    let (said, summary) = run.stdout.trim_end().rsplit_once('\n').expect("two lines");
    assert_eq!(said, "hello");
    let summary: serde_json::Value = serde_json::from_str(summary).expect("JSON");
    assert_eq!(summary["events"], serde_json::json!([{ "event": "traced:count", "count": 3 }]));
    let numbers = ["exit_status", "event_count", "lost"].map(|key| summary[key].as_u64());
    assert_eq!(numbers, [Some(7), Some(3), Some(0)]);
    assert_eq!(summary["processes"][0]["name"], "traced");
    assert_eq!(place.values(summary["trace"].as_str().expect("a path")), [0, 1, 2]);
    let run = place.record(&["-o", "none", "--json"], &["say", "x"]);
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.starts_with("error: nothing was recorded"), "{}", run.stderr);
    let summary: serde_json::Value = serde_json::from_str(run.stdout.lines().last().expect("lines")).expect("JSON");
    assert_eq!(summary["event_count"], 0);
}

#[test]
fn every_command_can_speak_json() {
    let place = Place::new();
    let commands_of = |words: &[&str]| -> Vec<String> {
        let help = place.ust(&[words, &["--help"]].concat()).stdout;
        let list = help.split("Commands:\n").nth(1).unwrap_or_default();
        let lines = list.lines().take_while(|line| line.starts_with("  "));
        // A long description goes on farther to the right.
        let first = lines.filter(|line| !line.starts_with("   "));
        let names = first.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
        names.filter(|name| name != "help").collect()
    };
    let commands = commands_of(&[]);
    assert!(commands.len() > 25, "{commands:?}");
    for command in &commands {
        let parts = commands_of(&[command]);
        let all: Vec<Vec<&str>> = if parts.is_empty() {
            vec![vec![command]]
        } else {
            parts.iter().map(|part| vec![command.as_str(), part.as_str()]).collect()
        };
        for words in all {
            let help = place.ust(&[&words[..], &["--help"]].concat()).stdout;
            assert!(help.contains("--json"), "ust {} has no --json", words.join(" "));
        }
    }
    let pages = place.ust(&["man", "pages", "--json"]);
    let pages: serde_json::Value = serde_json::from_str(&pages.stdout).expect("JSON");
    assert!(pages["pages"].as_array().is_some_and(|pages| pages.contains(&"ust-record.1".into())), "{pages}");
    let completions = place.ust(&["completions", "bash", "--json"]);
    let completions: serde_json::Value = serde_json::from_str(&completions.stdout).expect("JSON");
    assert_eq!(completions["text"], place.ust(&["completions", "bash"]).stdout);
}

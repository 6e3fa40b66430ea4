// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text in the manner of printf at its limits.

use std::path::PathBuf;

use crate::alike::recorded;
use crate::build::{Build, C_COMPILERS, CXX, CXX_COMPILERS, GCC};
use crate::place::Place;
use crate::shown::check;
use crate::tool::{self, is_installed};

/// Runs `program` under `ust record`, and returns the lines of its events.
#[track_caller]
fn events(place: &Place, program: &PathBuf, options: &[&str]) -> Vec<String> {
    let _ = std::fs::remove_dir_all(place.path().join("trace"));
    tool::output(place.command(&["record", "-o", "trace"]).args(options).arg("--").arg(program));
    place.ust(&["view", "--no-delta", "trace"]).stdout.lines().map(str::to_owned).collect()
}

fn message(line: &str) -> &str {
    line.rsplit_once("msg = \"").and_then(|(_, rest)| rest.strip_suffix("\" }")).unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn a_long_text_is_cut_between_characters_and_marked() {
    let place = Place::new();
    let program = place.path().join("limits");
    for compiler in C_COMPILERS.iter().chain(&CXX_COMPILERS) {
        if !Build::new(*compiler, &[], &["limits.c"]).make(&program) {
            continue;
        }
        let events = events(&place, &program, &["-e", "lttng_ust_trace*"]);
        let messages: Vec<_> = events.iter().map(|line| message(line)).collect();
        let cut = |text: &str| text[..2044].to_owned() + "...";
        assert_eq!(messages[0], "x".repeat(2047), "as long as can be");
        assert_eq!(messages[1], cut(&"x".repeat(2048)), "one byte longer");
        assert_eq!(messages[2], cut(&"x".repeat(9999)));
        // 2044 is in the middle of the last of the characters, each of which has two bytes.
        assert_eq!(messages[3], "y".to_owned() + &"\u{e4}".repeat(1021) + "...", "{compiler:?}");
        assert_eq!(messages[4..], ["computed 3", "computed 14", "errno is 18"]);
        assert!(events[4].contains("LOGLEVEL_ERR: ") && events[5].contains("LOGLEVEL_DEBUG: "), "{events:?}");
    }
}

#[test]
fn nothing_is_evaluated_while_nobody_records_it() {
    let place = Place::new();
    let program = place.path().join("limits");
    if Build::new(GCC, &[], &["limits.c"]).make(&program) {
        let count = |options: &[&str]| {
            let trace = place.path().join("trace");
            let _ = std::fs::remove_dir_all(&trace);
            let output = place.command(&["record", "-o", "trace"]).args(options).arg("--").arg(&program).output();
            String::from_utf8(output.expect("it runs").stdout).expect("text")
        };
        assert!(count(&["-e", "no:such"]).contains("evaluated 0\n"));
        assert!(count(&["-e", "lttng_ust_tracef:*"]).contains("evaluated 1\n"));
        assert!(count(&[]).contains("evaluated 2\n"));
    }
}

#[test]
fn the_place_is_that_of_the_call() {
    let place = Place::new();
    let program = place.path().join("limits");
    if !Build::new(GCC, &["-no-pie", "-fno-pie"], &["limits.c"]).make(&program) {
        return;
    }
    let events = events(&place, &program, &["--context=ip"]);
    let symbols = tool::output(std::process::Command::new("nm").arg("--defined-only").arg("-n").arg(&program));
    let function = |ip: u64| {
        let symbols = symbols.lines().filter_map(|line| {
            let mut words = line.split(' ');
            Some((u64::from_str_radix(words.next()?, 16).ok()?, words.nth(1)?))
        });
        symbols.take_while(|(address, _)| *address <= ip).last().expect("a function").1
    };
    assert!(events.last().is_some_and(|line| line.contains("both:event")), "an event of a definition, too");
    for line in &events {
        let ip =
            line.split("ip = 0x").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_else(|| panic!("{line}"));
        // A compiler puts calls that are not likely apart.
        let function = function(u64::from_str_radix(ip, 16).expect("an address"));
        assert_eq!(function.trim_end_matches(".cold"), "main", "{line}");
    }
}

#[test]
fn the_place_is_that_of_an_argument_where_the_header_says_so() {
    let place = Place::new();
    let program = place.path().join("address");
    for compiler in C_COMPILERS.iter().chain(&CXX_COMPILERS) {
        for spelling in ["-DOLD_SPELLING", "-DNEW_SPELLING"] {
            if !Build::new(*compiler, &[spelling], &["address.c"]).make(&program) {
                continue;
            }
            let events = events(&place, &program, &["--context=ip"]);
            let is_argument: Vec<bool> = events.iter().map(|line| line.contains("{ ip = 0x1234 }")).collect();
            assert_eq!(is_argument, [true, false], "{compiler:?} {spelling}: {events:?}");
            assert!(!events[1].contains("{ ip = 0x0 }"), "{events:?}");
        }
    }
}

#[test]
fn the_files_may_be_of_different_languages_or_in_a_library() {
    if !is_installed("babeltrace2") {
        return;
    }
    let place = Place::new();
    let (program, other) = (place.path().join("messages"), place.path().join("libother.so"));
    for (compiler, flags) in [(CXX, ["-c", "-fPIC"]), (GCC, ["-shared", "-fPIC"])] {
        if Build::new(compiler, &flags, &["messages-other.c"]).make(&other) {
            let libraries = [other.clone().into(), format!("-Wl,-rpath,{}", place.path().display()).into()];
            Build { libraries: &libraries, ..Build::new(GCC, &[], &["messages.c"]) }.make(&program);
            check(&recorded(&place, &program), "messages", &format!("{flags:?}"));
        }
    }
}

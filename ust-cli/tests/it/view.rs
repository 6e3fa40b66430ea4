// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust view`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use crate::harness::{Place, run};

#[test]
fn the_text_is_that_of_babeltrace2() {
    let place = Place::new();
    assert_eq!(place.record(&["-o", "trace"], &["events", "1000"]).status, Some(0));
    let options: &[&[&str]] = &[
        &[],
        &["--clock-date"],
        &["--clock-gmt", "--no-delta"],
        &["--clock-seconds"],
        &["--clock-date", "--clock-gmt"],
    ];
    for options in options {
        let theirs = Command::new("babeltrace2").args(*options).arg("trace").current_dir(place.path()).output();
        if theirs.is_err() {
            assert!(
                std::env::var_os("UST_REQUIRE_TOOLS").is_none(),
                "UST_REQUIRE_TOOLS is set, babeltrace2 is missing"
            );
            println!("SKIPPED: babeltrace2 is not installed");
            return;
        }
        let (theirs, ours) = (run(theirs), place.ust(&[&["view"], *options, &["trace"]].concat()));
        assert_eq!(theirs.stderr, "");
        assert_eq!(ours.stdout.lines().count(), 1000);
        assert!(ours.stdout == theirs.stdout, "{options:?}: {:?}", ours.stdout.lines().next());
    }
}

#[test]
fn a_limit_ends_the_listing() {
    let place = Place::new();
    assert_eq!(place.record(&["-o", "trace"], &["events", "10"]).status, Some(0));
    assert_eq!(place.ust(&["view", "--limit", "3", "trace"]).stdout.lines().count(), 3);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    assert_eq!(place.record(&["-o", "trace", "--mode", "block"], &["events", "50000"]).status, Some(0));
    let mut view =
        place.command(&["view", "trace"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut line = String::new();
    BufReader::new(view.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let mut stderr = String::new();
    view.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
    assert_eq!((view.wait().expect("ours").code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_directory_without_a_trace_is_named() {
    let place = Place::new();
    let run = place.ust(&["view", "."]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.starts_with("error: no trace in `.`"), "{run:?}");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A recording without events is a mistake of somebody's, and is said loudly.

use crate::harness::Place;

#[test]
fn a_program_without_tracepoints_is_named_with_the_likely_reason() {
    let place = Place::new();
    let run = place.ust(&["record", "-o", "trace", "--", "true"]);
    assert_eq!(run.status, Some(3));
    assert!(
        run.stderr.contains("error: nothing was recorded: no process registered. `true` has no tracepoints"),
        "{run:?}"
    );
    assert!(run.stderr.contains("\ntry:   UST_DEBUG=1 ust record -- true"), "{run:?}");
}

#[test]
fn a_pattern_that_matches_nothing_is_answered_with_the_closest_names() {
    let place = Place::new();
    let run = place.record(&["-o", "trace", "-e", "traced:coutn"], &["events", "3", "exit", "9"]);
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.contains("error: nothing was recorded: no pattern matches any of the "), "{run:?}");
    let expected =
        " registered tracepoints: traced:coutn\ntry:   -e 'traced:count' or -e 'traced:never' or -e 'traced:severe'\n";
    assert!(run.stderr.contains(expected), "{run:?}");
    assert!(run.stderr.ends_with("traced` ended with status 9\n"), "{run:?}");
}

#[test]
fn tracepoints_that_were_not_reached_are_told_from_patterns_that_match_nothing() {
    let place = Place::new();
    let run = place.record(&["-o", "a"], &[]);
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.contains("no tracepoint was reached ("), "{run:?}");
    let run = place.record(&["-o", "b", "-e", "traced:never"], &["events", "3"]);
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.contains("the tracepoints that match were not reached"), "{run:?}");
}

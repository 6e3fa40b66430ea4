// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--filter` and `--context`, and what is said where they are wrong.

use crate::harness::Place;

#[test]
fn a_filter_keeps_what_it_accepts() {
    let place = Place::new();
    let run = place.record(&["-o", "trace", "-e", "traced:*", "--filter", "n >= 3 && n != 4"], &["events", "7"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_eq!(place.values("trace"), [3, 5, 6]);
    assert!(run.stderr.contains("events     3\n") && run.stderr.contains("lost       0\n"), "{run:?}");
}

#[test]
fn a_filter_that_is_none_is_shown_with_a_caret_and_leaves_nothing_behind() {
    let place = Place::new();
    let run = place.record(&["--filter", "n = 3"], &["events", "1"]);
    assert_eq!(run.status, Some(1));
    let expected = "error: `=` means nothing here\n  |\n1 | n = 3\n  |   ^\n  |\n  = try: equality is `==`\n";
    assert_eq!(run.stderr, expected);
    assert!(place.names().is_empty(), "{:?}", place.names());
    let run = place.record(&["--filter", "$ctx.vpd == 3"], &["events", "1"]);
    assert!(
        run.stderr.contains("no event has the context `$ctx.vpd`") && run.stderr.contains("`$ctx.vpid`"),
        "{run:?}"
    );
}

#[test]
fn a_field_that_no_tracepoint_has_is_said_at_the_end() {
    let place = Place::new();
    let run = place.record(&["-o", "trace", "-e", "traced:*", "--filter", "m == 3"], &["events", "5"]);
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.contains("warning    the filter accepts nothing: no event has the field `m`"), "{run:?}");
    assert!(run.stderr.contains("`n`"), "{run:?}");
    assert!(run.stderr.contains("nothing was recorded: no tracepoint has what the filter asks for"), "{run:?}");
    let run = place.record(&["-o", "none", "-e", "traced:*", "--filter", "n == 9"], &["events", "5"]);
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.contains("passed the filter, or none was reached"), "{run:?}");
    assert!(!run.stderr.contains("warning"), "{run:?}");
}

#[test]
fn contexts_are_described_in_the_trace_and_unknown_ones_are_answered_with_the_list() {
    let place = Place::new();
    let options = ["-o", "trace", "-e", "traced:*", "--context", "vtid", "--context", "ip"];
    let run = place.record(&options, &["events", "2"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let metadata = std::fs::read_to_string(place.path().join("trace/metadata")).expect("metadata");
    assert!(metadata.contains("} _vtid;") && metadata.contains("base = 16; } _ip;"), "{metadata}");
    let run = place.record(&["--context", "vtidd"], &[]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("contexts are vpid, vtid, procname"), "{run:?}");
}

#[test]
fn a_counter_that_the_machine_does_not_have_is_an_error_before_anything_is_recorded() {
    let place = Place::new();
    // No machine counts everything; whichever is refused is refused by its name.
    let counters = ["bus-cycles", "idle-cycles-backend", "LLC-prefetches", "dTLB-store-misses", "L1-icache-prefetches"];
    for counter in counters.map(|counter| format!("perf:thread:{counter}")) {
        let run = place.record(&["-o", "trace", "-e", "traced:*", "--context", &counter], &["events", "2"]);
        if run.status == Some(1) {
            assert!(run.stderr.starts_with(&format!("error: the context `{counter}` cannot be had here: ")), "{run:?}");
            assert!(run.stderr.contains("\ntry:   ") && place.names().is_empty(), "{run:?}");
            return;
        }
        std::fs::remove_dir_all(place.path().join("trace")).expect("ours");
    }
    println!("SKIPPED: this machine has all counters");
}

#[test]
fn a_raw_counter_is_recorded_under_its_name_or_refused_before_anything_is_recorded() {
    let place = Place::new();
    let options = |counter| ["-o", "trace", "-e", "traced:*", "--context", counter];
    let run = place.record(&options("perf:thread:raw:1a8:x"), &["events", "2"]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("is no raw counter: those are perf:thread:raw:rN:NAME"), "{run:?}");
    // Cycles of Intel's processors, and of AMD's; what else it may be elsewhere does not matter.
    for counter in ["perf:thread:raw:r3c:mine", "perf:thread:raw:r76:mine"] {
        let run = place.record(&options(counter), &["events", "2"]);
        if run.status == Some(0) {
            let metadata = std::fs::read_to_string(place.path().join("trace/metadata")).expect("metadata");
            let field = format!("_{}", counter.replace(':', "_"));
            assert!(metadata.contains(&field), "no {field} in {metadata}");
            return;
        }
        assert_eq!(run.status, Some(1), "{run:?}");
        assert!(run.stderr.starts_with(&format!("error: the context `{counter}` cannot be had here: ")), "{run:?}");
        assert!(run.stderr.contains("\ntry:   ") && place.names().is_empty(), "{run:?}");
    }
}

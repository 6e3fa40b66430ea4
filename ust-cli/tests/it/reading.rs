// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which events `ust view` shows, and in what form.

use serde_json::{Value, json};

use crate::harness::Place;

/// A trace of 12 queries: 24 events.
fn queries() -> Place {
    let place = Place::new();
    assert_eq!(place.record(&["-o", "trace"], &["queries", "12"]).status, Some(0));
    place
}

/// The number of lines that `ust view` prints with these options.
#[track_caller]
fn shown(place: &Place, options: &[&str]) -> usize {
    let run = place.ust(&[&["view", "trace"], options].concat());
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{options:?}");
    run.stdout.lines().count()
}

/// What `ust view` says when it refuses these options.
#[track_caller]
fn refused(place: &Place, options: &[&str]) -> String {
    let run = place.ust(&[&["view", "trace"], options].concat());
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""), "{options:?}");
    run.stderr
}

#[test]
fn events_are_chosen_by_name() {
    let place = queries();
    assert_eq!(shown(&place, &["--event", "traced:query_begin"]), 12);
    assert_eq!(shown(&place, &["-e", "*_end", "-e", "*_begin"]), 24);
    assert_eq!(shown(&place, &["-e", "*:never"]), 0);
    assert_eq!(shown(&place, &["-e", "*_end", "--limit", "5"]), 5);
    let error = refused(&place, &["-e", "shop:*"]);
    assert!(error.starts_with("error: no event of the trace is called `shop:*`; it has `traced:count`"), "{error}");
}

#[test]
fn events_are_chosen_by_what_is_in_them() {
    let place = queries();
    for (filter, count) in [
        ("id == 5", 2),
        ("id < 3", 6),
        (r#"text == "select*""#, 6),
        (r#"text == "select \*""#, 6),
        (r#"text == "select""#, 0),
        ("rows >= 3", 3),
        // What begins has no ratio, which settles it; what ends has no text.
        ("ratio > 2.0 || text == \"insert\"", 3),
        ("text == \"insert\" || ratio > 2.0", 6),
        ("parts[0] == 7 && parts[1] == 4", 1),
        ("parts[2] == 0", 0),
        ("id & 1 == 1", 12),
        ("$ctx.procname == \"trac*\" && id == 0", 2),
        ("$ctx.vpid > 1 && $ctx.cpu_id < 4096 && id == 0", 2),
        ("!(rows == 3)", 3),
    ] {
        assert_eq!(shown(&place, &["--filter", filter]), count, "{filter}");
    }
    assert_eq!(shown(&place, &["--filter", "id < 3", "-e", "*end"]), 3);
    assert_eq!(shown(&place, &["--filter", "id < 3", "--threads", "1", "--limit", "4"]), 4);
}

#[test]
fn a_filter_that_cannot_be_right_is_refused_with_what_to_try() {
    let place = queries();
    let expected = "\
error: no event has the field `idd`
  |
1 | idd == 5
  | ^^^
  |
  = try: `id`
";
    assert_eq!(refused(&place, &["--filter", "idd == 5"]), expected);
    assert!(refused(&place, &["--filter", "id = 5"]).contains("equality is `==`"));
    assert!(refused(&place, &["--filter", "id == \"5\""]).contains("cannot compare a text with a number"));
    // `rows` is a field, but not of the events that are wanted.
    assert!(refused(&place, &["--filter", "rows == 1", "-e", "*_begin"]).contains("no event has the field `rows`"));
    assert!(refused(&place, &["--filter", "$ctx.vtidd == 1"]).contains("`$ctx.vtid`"));
}

#[test]
fn each_event_is_an_object_on_a_line_of_its_own() {
    let place = queries();
    let run = place.ust(&["view", "trace", "--json", "-e", "*_end", "--limit", "4"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), 4);
    assert_eq!(events[3]["event"], "traced:query_end");
    assert_eq!(events[3]["loglevel"], 6);
    assert_eq!(events[3]["packet"]["procname"], "traced");
    assert_eq!(events[3]["context"], json!({}));
    let fields = &events[3]["fields"];
    assert_eq!((&fields["id"], &fields["rows"]), (&json!(3), &json!(3)));
    assert_eq!((&fields["ratio"], &fields["parts"]), (&json!(0.75), &json!([7, 3])));
    // The empty structure of an optional that is not there.
    assert_eq!(events[2]["fields"]["rows"], json!({}));
    let time = events[0]["time"].as_str().expect("a text");
    let (seconds, fraction) = time.split_once('.').expect("a point");
    assert!(seconds.parse::<u64>().is_ok() && fraction.len() == 9, "{time}");
    let times: Vec<&str> = events.iter().filter_map(|event| event["time"].as_str()).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_place_of_a_tracepoint_is_shown_on_demand() {
    let place = queries();
    let run = place.ust(&["view", "trace", "--source", "--limit", "1"]);
    let (_, after) = run.stdout.split_once("traced:query_begin (").expect("the place behind the name");
    let (source, _) = after.split_once("): {").expect("its end");
    let (file, line) = source.rsplit_once(':').expect("file and line");
    assert!(file.ends_with("examples/traced.rs") && line.parse::<u32>().is_ok(), "{source}");
}

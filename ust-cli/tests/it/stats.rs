// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust stats` and `ust info`.

use serde_json::{Value, json};

use crate::harness::Place;

fn recorded(program: &[&str]) -> Place {
    let place = Place::new();
    assert_eq!(place.record(&["-o", "trace", "--mode", "block"], program).status, Some(0));
    place
}

fn json_of(place: &Place, arguments: &[&str]) -> Value {
    let run = place.ust(arguments);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&run.stdout).expect("JSON")
}

#[test]
fn events_are_counted_by_kind_process_and_thread() {
    let place = recorded(&["events", "5000", "queries", "10"]);
    let stats = json_of(&place, &["stats", "trace", "--json"]);
    assert_eq!(stats["total"]["count"], 5020);
    let events = stats["events"].as_array().expect("a list");
    let counts: Vec<_> = events.iter().map(|event| (event["event"].as_str(), event["count"].as_u64())).collect();
    let names = ["traced:count", "traced:query_begin", "traced:query_end"];
    assert_eq!(counts, names.iter().zip([5000, 10, 10]).map(|(n, c)| (Some(*n), Some(c))).collect::<Vec<_>>());
    // 8 bytes of header, 8 of payload.
    assert_eq!(events[0]["bytes"], 80_000);
    let process = &stats["processes"][0];
    assert_eq!((&process["procname"], &process["count"]), (&json!("traced"), &json!(5020)));
    let thread = &stats["threads"][0];
    assert_eq!((&thread["vtid"], &thread["count"]), (&process["vpid"], &json!(5020)));
    let spread = stats["spread"]["counts"].as_array().expect("a list");
    assert_eq!(spread.iter().filter_map(Value::as_u64).sum::<u64>(), 5020);
    assert_eq!((&stats["discarded_events"], &stats["discarded_packets"]), (&json!(0), &json!(0)));
    let chosen = json_of(&place, &["stats", "trace", "--json", "--filter", "n < 100", "--threads", "1"]);
    assert_eq!(chosen["total"]["count"], 100);
}

#[test]
fn what_begins_and_ends_is_timed() {
    let place = recorded(&["queries", "500"]);
    let stats = json_of(&place, &["stats", "trace", "--json"]);
    let pair = &stats["pairs"][0];
    assert_eq!((&pair["name"], &pair["count"]), (&json!("traced:query"), &json!(500)));
    assert_eq!((&pair["begin"], &pair["end"]), (&json!("traced:query_begin"), &json!("traced:query_end")));
    assert_eq!(pair["unmatched"], 0);
    let time = |key: &str| pair[key].as_u64().expect("a number");
    assert!(1000 <= time("p50_ns") && time("p50_ns") <= time("p99_ns") && time("p99_ns") <= time("max_ns"), "{pair}");
    let only_ends = json_of(&place, &["stats", "trace", "--json", "-e", "*_end"]);
    assert_eq!((&only_ends["pairs"][0]["count"], &only_ends["pairs"][0]["unmatched"]), (&json!(0), &json!(500)));
}

#[test]
fn the_tables_are_for_people() {
    let place = recorded(&["events", "1234567", "queries", "3"]);
    let run = place.ust(&["stats", "trace"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("events     1,234,573, "), "{}", run.stdout);
    for begin in ["time       ", "discarded  0 events, 0 packets", "event ", "traced:count ", "process ", "thread "] {
        assert!(lines.iter().any(|line| line.starts_with(begin)), "{begin}: {}", run.stdout);
    }
    assert!(lines.iter().any(|line| line.starts_with("traced:query ")), "{}", run.stdout);
    assert!(lines.iter().any(|line| line.starts_with("over time  [") && line.contains('█')), "{}", run.stdout);
    let short = place.ust(&["stats", "trace", "--top", "1"]);
    assert!(short.stdout.contains("... 2 more, --top 0 prints all"), "{}", short.stdout);
}

#[test]
fn what_a_trace_is_can_be_asked_without_reading_it() {
    let place = recorded(&["queries", "2"]);
    let run = place.ust(&["info", "trace"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    for part in [
        "format     CTF 1.8",
        "env        tracer_name = lttng-ust",
        "clock      ",
        "streams    1 stream, 1 packet\n",
        "packet     cpu_id: u32, vpid: i32, vtid: i32, procname: text of 17 bytes",
        "event      traced:query_begin, level 6, ",
        "             id: u64\n             text: text\n",
        "             ratio: f64\n",
        "             parts: u16[]\n",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let info = json_of(&place, &["info", "trace", "--json"]);
    let classes = &info["traces"][0]["classes"][0];
    let events = classes["events"].as_array().expect("a list");
    let begin = events.iter().find(|event| event["event"] == "traced:query_begin").expect("it is there");
    assert_eq!(begin["fields"], json!([{ "name": "id", "class": "u64" }, { "name": "text", "class": "text" }]));
    assert_eq!(info["traces"][0]["streams"][0]["packets"], 1);
}

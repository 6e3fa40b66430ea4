// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program of Rust, whose fields are expressions of C.

use std::process::Command;

use ust_ctf::reader::Trace;

use crate::build::calls;
use crate::harness::record_with;
use crate::recorded::{Recorded, read};

/// Records the events of the program that `patterns` name.
#[track_caller]
fn record(program: &mut Command, patterns: &[&str]) -> Vec<Recorded> {
    let (summary, _, _scratch) = record_with(program, |options| {
        options.patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    });
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    read(&summary.output)
}

fn in_rust() -> Command {
    Command::new(env!("CARGO_BIN_EXE_in_c"))
}

/// The events of `program.tp`, without what is only an address in one of the two programs.
fn of_program(events: &[Recorded]) -> Vec<Recorded> {
    let mut events: Vec<Recorded> = events.iter().filter(|event| event.name.starts_with("program:")).cloned().collect();
    for event in events.iter_mut().filter(|event| event.name == "program:addresses") {
        let back = event.fields.iter_mut().find(|field| field.name == "back").expect("it has the field");
        assert_ne!(back.value, "0");
        back.value.clear();
    }
    events
}

#[test]
fn rust_records_the_events_that_a_program_of_c_records_from_the_same_file() {
    let Some((_place, mut in_c)) = calls("gcc") else { return };
    let (of_c, of_rust) = (of_program(&record(&mut in_c, &["*"])), of_program(&record(&mut in_rust(), &["*"])));
    assert_eq!(of_c.len(), 11);
    for (of_c, of_rust) in of_c.iter().zip(&of_rust) {
        assert_eq!(of_c, of_rust);
    }
    assert_eq!(of_c.len(), of_rust.len());
}

#[test]
fn events_of_other_files_go_through_c_and_cpp() {
    let events = record(&mut in_rust(), &["*"]);
    let others = events.iter().filter(|event| !event.name.starts_with("program:"));
    assert_eq!(
        others.map(Recorded::values).collect::<Vec<_>>(),
        [
            "blobs:sent { head = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255], whole = [0, 1, 2] }",
            "made:thread { name = \"\", name_isnull = 1, number = 1 }",
            "made:thread { name = \"name\", name_isnull = 0, number = 2 }",
            "made:work_begin { name = \"begin\", name_isnull = 0, number = 3 }",
            "not_in_lttng:errno { sum = 5 }",
            "in_cpp:moved { to_x = 1, from_y = 4, at_x = 5, name = \"the point in the middle\" }",
            "made:play_begin { name = \"play\", name_isnull = 0, number = 4 }",
            "made:work_end { text = \"work: \\\"INFO\\\"\", v = [1, 2, 3, 4] }",
        ]
    );
}

#[test]
fn the_place_is_where_rust_calls() {
    let (summary, _, _scratch) = record_with(&mut in_rust(), |options| {
        options.patterns = vec!["made:thread".to_owned()];
        options.contexts = vec!["ip".to_owned()];
    });
    let trace = Trace::open(&summary.output).expect("the trace is readable");
    let mut events = trace.events();
    let mut places = Vec::new();
    while let Some(event) = events.next() {
        let ip = event.common_context().find(|field| field.name == "ip").expect("it is there");
        places.push(ip.value.integer().expect("a number"));
    }
    let [first, second] = places[..] else { panic!("two calls: {places:x?}") };
    // Two calls, one after the other; a place in the function of C would be the same for both.
    assert!((1..4096).contains(&(second - first)), "{places:x?}");
}

#[test]
fn events_of_c_are_enabled_one_by_one() {
    let events = record(&mut in_rust(), &["made:*_begin", "program:types"]);
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["program:types", "program:types", "made:work_begin", "made:play_begin"]);
}

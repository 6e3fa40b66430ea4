// SPDX-License-Identifier: MIT OR Apache-2.0
//! What LTTng has no like of: files that it does not compile, floats in arrays, blobs, C++, and fields for filters alone.

use std::process::Command;

use crate::build::{Place, calls, fixture};
use crate::harness::{is_installed, record_with};
use crate::recorded::{Recorded, read};
use ust_gen_tp::Dialect;

/// Records a program, with a filter if there is one.
#[track_caller]
fn record(program: &mut Command, filter: Option<&str>) -> Vec<Recorded> {
    let (summary, _, _scratch) = record_with(program, |options| options.filter = filter.map(str::to_owned));
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    if summary.packets == 0 { Vec::new() } else { read(&summary.output) }
}

fn values(events: &[Recorded]) -> Vec<String> {
    events.iter().map(Recorded::values).collect()
}

#[test]
fn what_only_ust_compiles_is_recorded_too() {
    if !is_installed("gcc") {
        return;
    }
    let place = Place::new();
    let sources = ["blobs", "not_in_lttng", "own_macros", "header_macros"].map(|name| place.generate(name, Dialect::C));
    let main = fixture("more.c");
    let mut words = vec!["-std=c11", main.to_str().expect("UTF-8")];
    words.extend(sources.iter().map(String::as_str));
    let events = record(&mut place.link("gcc", &words), None);
    assert_eq!(
        values(&events),
        [
            "blobs:sent { head = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255], whole = [0, 1, 2] }",
            "not_in_lttng:conditional { first = 3 }",
            "not_in_lttng:above { opaque = 4096 }",
            "made:thread { name = \"\", name_isnull = 1, number = 1 }",
            "made:thread { name = \"name\", name_isnull = 0, number = 2 }",
            "made:work_end { text = \"work: \\\"INFO\\\"\", v = [1, 2, 3, 4] }",
            "made:variadic { head = 1, self = 7 }",
            "headers:loop { name = \"loop\", name_isnull = 0, size = 5 }",
            "headers:of_header_class { n = 6 }",
            "headers:digest { digest = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255], color = 4 }",
        ]
    );
    let whole = events[0].fields.last().expect("a field");
    assert_eq!(whole.class, "sequence of unsigned integer of 8 bits, Little, Hexadecimal");
    let level = events.iter().find(|event| event.name == "made:work_end").and_then(|event| event.loglevel);
    assert_eq!(level, Some(6));
}

#[test]
fn a_program_of_cpp_passes_references_and_values_of_temporary_objects() {
    for (compiler, version) in [("g++", "-std=c++11"), ("clang++", "-std=c++20")] {
        if !is_installed(compiler) {
            continue;
        }
        let place = Place::new();
        place.generate("cplusplus", Dialect::Cpp);
        place.generate("program", Dialect::Cpp);
        let main = fixture("calls.cpp");
        let words = [version, "-fsanitize=address", main.to_str().expect("UTF-8"), "program.cpp"];
        let mut program = place.link(compiler, &words);
        let mut events = record(program.env("ASAN_OPTIONS", "detect_leaks=0"), None);
        let last = events.pop().expect("the last one");
        assert!(last.values().contains("long_text = \"t\", tail = [], counted = \"t\""), "{}", last.values());
        assert_eq!(
            values(&events),
            [
                "camera:request_queue { request = 4096, cookie = 99 }",
                "camera:metadata { data = [1, 2, 3], name = \"metadata\" }",
                "camera:name { whole = \"a first name that is long enough for the heap and a last one\", \
                 upper = \"a first name that is long enough for the heap!\", new = 5, \
                 data = \"a first name that is long enough for the heap\" }",
                "program:bare {  }",
                "program:step_begin { new = 1, template = \"template\" }",
                "program:hidden { shown = 5 }",
            ]
        );
    }
}

#[test]
fn filters_see_what_is_not_recorded() {
    let Some((_place, mut program)) = calls("clang") else { return };
    for (filter, count) in [
        ("n == 4", 1),
        ("n == 5", 0),
        ("text == \"hidden\"", 1),
        ("two[1] == -2", 1),
        ("all[2] == 3", 1),
        ("all[2] == 4", 0),
        ("chars == \"hi\"", 1),
        ("counted == \"hid\"", 1),
        ("half == 2.0", 1),
        ("shown == 5 && n == 4", 1),
    ] {
        let events = record(&mut program, Some(filter));
        let hidden: Vec<&Recorded> = events.iter().filter(|event| event.name == "program:hidden").collect();
        assert_eq!(hidden.len(), count, "{filter}");
        assert!(hidden.iter().all(|event| event.values() == "program:hidden { shown = 5 }"), "{filter}");
    }
}

#[test]
fn numbers_are_compared_as_they_are_in_the_record() {
    let Some((_place, mut program)) = calls("gcc") else { return };
    for (filter, name, count) in [
        ("i == -1", "kinds:numbers", 1),
        ("i == 4294967295", "kinds:numbers", 0),
        ("port == 8080", "kinds:numbers", 1),
        ("address == 0x7f000001", "kinds:numbers", 1),
        ("x == 1", "program:expressions", 1),
        ("y == -4", "program:expressions", 2),
        ("letter == 40", "program:expressions", 2),
        // Behind a text and behind an array.
        ("counted == \"t\"", "program:expressions", 1),
        ("small_color == 4", "program:types", 1),
        ("from_small == 0", "program:addresses", 0),
        // Behind others that are not stored, and not stored itself.
        ("shown == 5", "program:hidden", 1),
        ("n == 4", "program:hidden", 1),
        ("n == 3", "program:hidden", 0),
    ] {
        let events = record(&mut program, Some(filter));
        assert_eq!(events.iter().filter(|event| event.name == name).count(), count, "{filter}");
    }
}

#[test]
fn elements_of_floats_are_floats() {
    let Some((_place, mut program)) = calls("gcc") else { return };
    let events = record(&mut program, None);
    let elements = events.iter().find(|event| event.name == "program:elements").expect("it is recorded");
    let shown = elements.values();
    assert!(shown.contains("floats = [0.5, -1.5], doubles = [1e300, -0.25]"), "{shown}");
    let floats = elements.fields.iter().find(|field| field.name == "floats").expect("it is there");
    assert_eq!(floats.class, "2 of float of 32 bits, Little");
}

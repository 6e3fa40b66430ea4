// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the events of the definition files look like in a trace.

use std::path::Path;
use std::process::Command;

use ust_consumerd::{EngineOptions, Recording};
use ust_ctf::reader::Trace;
use ust_ctf::text::{Options, Printer};

use crate::all_fields::kinds;
use crate::classes::web;
use crate::conversions::values;
use crate::enumerations::reasons;
use crate::hello::ust_tests_hello as hello;
use crate::own_macros::made;
use crate::reserved_words::reserved;

/// Names the directory of the trace, for the process that is recorded.
const TRACE: &str = "UST_GEN_TP_TEST_TRACE";

/// Name and payload of each event, in order.
const EXPECTED: [&str; 14] = [
    "ust_tests_hello:checkout: { order = 17, order_hex = 0x11, total = 9.5, _sku_length = 3, sku = \"A-1\", \
     lines = [ [0] = 1, [1] = -2, [2] = 3 ], _first_lines_length = 2, first_lines = [ [0] = 1, [1] = -2 ], paid = 1, \
     payment = ( \"credit card\" : container = 2 ), note = \"quick\", constant = \"as ever\" }",
    "ust_tests_hello:port: { port = 8080, address = 0x7F000001 }",
    "kinds:numbers: { i = -1, u = 0xFF, port = 80, address = 0x1020304, f = 0.5, d = -0.25, p = 0x1000, \
     state = ( \"on\" : container = 1 ) }",
    "kinds:texts: { s = \"text\", fixed = \"fixed\", _counted_length = 2, counted = \"co\" }",
    "kinds:arrays: { a = [ [0] = 1, [1] = 2, [2] = 3 ], a_hex = [ [0] = 0x1, [1] = 0x2, [2] = 0x3 ], \
     n = [ [0] = 1, [1] = 2 ], n_hex = [ [0] = 0x1, [1] = 0x2 ], f = [ [0] = 0.5, [1] = 1.5 ] }",
    "kinds:sequences: { _a_length = 2, a = [ [0] = 7, [1] = 8 ], _a_hex_length = 2, a_hex = [ [0] = 0x7, [1] = 0x8 ], \
     _n_length = 1, n = [ [0] = 9 ], _n_hex_length = 1, n_hex = [ [0] = 0x9 ] }",
    "web:request_end: { id = 5, flags = 0xF0, path = \"/index\" }",
    "web:idle: { }",
    "values:converted: { wider = -2, cut = -2, twice_cast = 4294967295, of_float = -1, of_int = 1, of_double = 1, \
     of_flag = 1, of_flag_too = 1, narrower = -1.5, of_integer = -2, address = 0x20, address_cast = 0x20, \
     pointer = 0x20, has_text = 1, c = 99 }",
    "values:constant: { number = 5, minus = -5, computed = 0x13, cut = 1, letter = 120, yes = 1, whole = 2, part = -0.15, \
     short_one = 0.5, text = \"two \\\"parts\\\"\\n\" }",
    "values:lengths: { a_count = 2, _a_length = 2, a = [ [0] = 1, [1] = 2 ], _b_length = 1, b = [ [0] = 3 ], _c_length = 2, \
     c = [ [0] = 4, [1] = 5 ], _raw_length = 1, raw = [ [0] = 0xAB ] }",
    "reasons:wide: { level = ( \"any\" : container = 3 ), number = 3 }",
    "made:work_end: { text = \"work: \\\"INFO\\\"\", v = [ [0] = 1, [1] = 2, [2] = 3, [3] = 4 ] }",
    "reserved:main: { type = 1, as = 2, new = 3, self = 4, template = \"t\", CamelCase = 5 }",
];

/// One call for each line of [`EXPECTED`].
fn emit() {
    let payment = hello::Payment::CreditCard;
    hello::checkout(17, 9.5, b"A-1", &[1, -2, 3], true, payment, "quick");
    hello::port(8080_u16.to_be(), 0x7f00_0001_u32.to_be());
    let address = 0x1000 as *const core::ffi::c_void;
    kinds::numbers(-1, 255, 80_u16.to_be(), 0x0102_0304_u32.to_be(), 0.5, -0.25, address, kinds::State::On);
    kinds::texts("text", b"fixed", b"co");
    kinds::arrays(&[1, 2, 3], &[1_u16.to_be(), 2_u16.to_be()], &[0.5, 1.5]);
    kinds::sequences(&[7, 8], &[9_u16.to_be()]);
    web::request_end(5, 0xf0, "/index");
    web::idle();
    values::converted(-2, 255, -1.5, true, 0x20 as *const _, c"".as_ptr(), b'c' as core::ffi::c_char);
    values::constant();
    values::lengths(&[1, 2], &[3], &[4, 5, 6], 2, &[0xab]);
    reasons::wide(FIRST_FREE);
    made::work_end(&[1, 2, 3, 4]);
    reserved::main(1, 2, 3, 4, "t", 5);
}

/// The variant of a range has the first value in it that no other label has.
const FIRST_FREE: reasons::Level = reasons::Level::Any;

#[test]
fn the_recorded_program() {
    // A test for the process that the other one starts; nothing to do otherwise.
    let Some(trace) = std::env::var_os(TRACE) else { return };
    let recording = Recording::start(EngineOptions::new(trace)).expect("a recording");
    emit();
    let summary = recording.stop();
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
}

#[test]
fn each_generated_event_reads_as_its_definition_says() {
    let place = tempfile::tempdir().expect("a directory");
    let trace = place.path().join("trace");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "recorded::the_recorded_program", "--test-threads=1"]);
    let output = command.env(TRACE, &trace).env("UST_RUNTIME_DIR", place.path().join("run")).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = printed(&trace);
    assert_eq!(text.lines().count(), EXPECTED.len(), "{text}");
    for (line, expected) in text.lines().zip(EXPECTED) {
        assert_eq!(short(line), expected);
    }
    compare_with_babeltrace2(&trace, &text);
}

fn printed(trace: &Path) -> String {
    let trace = Trace::open(trace).expect("the trace is readable");
    let mut text = Vec::new();
    let mut printer = Printer::new(Options::default());
    trace.events().for_each(|event| printer.print(&mut text, &event).expect("memory"));
    String::from_utf8(text).expect("text")
}

/// Name and payload of a line, without the packet context between them.
fn short(line: &str) -> String {
    let (head, tail) = line.split_once(": {").expect("a packet context");
    let name = head.rsplit(' ').next().expect("a name");
    let payload = tail.split_once("}, ").map_or("", |(_, payload)| payload);
    format!("{name}: {payload}")
}

fn compare_with_babeltrace2(trace: &Path, text: &str) {
    let Ok(theirs) = Command::new("babeltrace2").arg(trace).output() else {
        assert!(
            std::env::var_os("UST_REQUIRE_TOOLS").is_none(),
            "babeltrace2 is missing, and UST_REQUIRE_TOOLS is set"
        );
        eprintln!("SKIPPED: babeltrace2 is not installed");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&theirs.stderr), "");
    assert_eq!(String::from_utf8_lossy(&theirs.stdout), text);
}

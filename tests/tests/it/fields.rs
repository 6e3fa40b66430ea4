// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every kind of declaration and field, from the macro to the text of both readers.

use std::process::Command;

use ust_ctf::reader::Trace;
use ust_ctf::text::{Options, Printer};

use crate::harness::{is_installed, record_raw};

/// What follows the packet context in each line, but for the positions in source files.
const EXPECTED: [&str; 9] = [
    "kinds:numbers: { a = 255, b = -2, c = 0xBEEF, d = 017, e = 0b00000101, f = -9223372036854775808, g = 7, h = 1 }",
    "kinds:others: { letter = \"é\", single = 1.5, double = -0.25, payment = ( \"credit card\" : container = 2 ), \
     _some_tag = ( \"some\" : container = 1 ), some = { 9 }, _none_tag = ( \"none\" : container = 0 ), none = { { } } }",
    "kinds:texts: { plain = \"it\\'s \\\"quoted\\\"\\n\", cut = \"be\", c = \"see\", _bytes_length = 3, bytes = \"raw\", \
     array = \"abc\" }",
    "kinds:lists: { array = [ [0] = 1, [1] = -1 ], _floats_length = 2, floats = [ [0] = 0.5, [1] = 2 ], \
     _empty_length = 0, empty = [ ], port = 8080, sum = 0 }",
    "kinds:request_begin: { id = 1, path = \"/a\" }",
    "kinds:request_end: { id = 1, path = \"/a\" }",
    "inner:of_module: { n = 4 }",
    "msg = \"answer is 42\" }",
    "[truncated]\" }",
];

#[test]
fn each_kind_of_field_reads_as_declared_in_both_readers() {
    let (summary, _scratch) = record_raw(&mut Command::new(env!("CARGO_BIN_EXE_fields")));
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let trace = Trace::open(&summary.output).expect("the trace is readable");
    let mut text = Vec::new();
    let mut printer = Printer::new(Options::default());
    let mut events = trace.events();
    while let Some(event) = events.next() {
        printer.print(&mut text, &event).expect("memory");
    }
    let text = String::from_utf8(text).expect("text");
    assert_eq!(text.lines().count(), EXPECTED.len(), "{text}");
    for (line, expected) in text.lines().zip(EXPECTED) {
        // Name and payload, without the packet context between them.
        let (head, tail) = line.split_once(": {").expect("a packet context");
        let name = head.rsplit(' ').next().expect("a name");
        let payload = tail.split_once("}, ").expect("a payload").1;
        let short = format!("{name}: {payload}");
        assert!(short == expected || short.ends_with(expected) && !expected.contains(':'), "{short}\n{expected}");
    }
    if is_installed("babeltrace2") {
        let theirs = Command::new("babeltrace2").arg(&summary.output).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&theirs.stderr), "");
        assert_eq!(String::from_utf8_lossy(&theirs.stdout), text);
    }
}

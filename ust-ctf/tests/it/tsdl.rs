// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classes that CTF 1.8 metadata describes.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use ust_ctf::class::TraceClass;
use ust_ctf::metadata::render;
use ust_ctf::model::{Enumeration, EventClass, Field, FieldType, Integer, IntegerBits, Mapping, Scalar, StreamClass};
use ust_ctf::reader::metadata::read_metadata;

use crate::{details, sample, short, tool};

const LTTNG_UST: &str = include_str!("fixtures/lttng-ust.tsdl");

fn read(text: &str) -> TraceClass {
    read_metadata(Path::new("metadata"), text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_metadata_of_lttng_ust_becomes_these_classes() {
    insta::assert_snapshot!(short::trace(&read(LTTNG_UST)));
}

#[test]
fn our_own_metadata_becomes_these_classes() {
    let events = vec![sample::hello(), sample::every_kind(), sample::bare()];
    let class = sample::trace_class(vec![
        StreamClass { id: 0, context: Vec::new(), events },
        StreamClass { id: 7, context: Vec::new(), events: vec![sample::bare()] },
    ]);
    insta::assert_snapshot!(short::trace(&read(&render(&class))));
}

/// Returns the fixtures in `folder` by name, with what precedes each unless it says so itself.
fn fixtures(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/tsdl");
    let prologue = fs::read_to_string(root.join("prologue.tsdl")).expect("the prologue");
    let mut fixtures = Vec::new();
    for entry in fs::read_dir(root.join(folder)).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a fixture");
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_whole = text.starts_with("/* CTF");
        fixtures.push((name, if is_whole { text } else { format!("{prologue}{text}") }));
    }
    assert!(fixtures.len() > 5, "{folder} has fixtures");
    fixtures.sort();
    fixtures
}

/// Writes a trace of this metadata, with one packet if it `has_packet`.
fn write(text: &str, has_packet: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("metadata"), text).expect("metadata can be written");
    if has_packet {
        // Whatever has a size says 200 bits, those of this packet: babeltrace2 never ends with packets of no size.
        let packet = [&[0xc1, 0x1f, 0xfc, 0xc1, 0][..], &[200; 20]].concat();
        fs::write(folder.path().join("stream"), packet).expect("a stream can be written");
    }
    folder
}

/// Tells whether babeltrace2 accepts this metadata, if it is installed.
fn babeltrace2_accepts(text: &str) -> Option<bool> {
    let folder = write(text, false);
    tool::babeltrace2_output(&[], folder.path()).map(|output| output.status.success())
}

/// Returns what babeltrace2 says about the classes of metadata that it accepts, without what is not in our classes.
fn babeltrace2_details(text: &str) -> Option<String> {
    let folder = write(text, true);
    // The packet can be nonsense for these classes: they are printed before.
    let output = tool::babeltrace2_output(&["--component=sink.text.details"], folder.path())?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let classes = stdout.lines().skip_while(|line| *line != "Trace class:").skip(1).take_while(|line| !line.is_empty());
    let unknown = ["Supports ", "Packets have ", "Origin is ", "Discarded ", "UUID: ", "Log level: ", "EMF URI: "];
    let lines = classes.filter(|line| !unknown.iter().any(|start| line.trim_start().starts_with(start)));
    Some(lines.map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect())
}

#[test]
fn each_fact_of_the_language_is_read_as_babeltrace2_reads_it() {
    let mut shown = String::new();
    let mut differences = Vec::new();
    for (name, text) in fixtures("reads") {
        let class = read_metadata(Path::new(&name), text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        shown += &format!("--- {name}\n{}", short::trace(&class));
        assert_ne!(babeltrace2_accepts(&text), Some(false), "{name}: babeltrace2 refuses it");
        // Without any, the packet is not one of its streams.
        let theirs = babeltrace2_details(&text).filter(|theirs| !theirs.is_empty());
        let ours = details::trace(&class);
        if theirs.is_some_and(|theirs| theirs != ours) {
            differences.push(name);
        }
    }
    assert_eq!(differences, Vec::<String>::new(), "these are read in another way than by babeltrace2");
    insta::assert_snapshot!(shown);
}

#[test]
fn what_goes_beyond_babeltrace2_is_read_too() {
    let mut shown = String::new();
    for (name, text) in fixtures("beyond") {
        let class = read_metadata(Path::new(&name), text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        shown += &format!("--- {name}\n{}", short::trace(&class));
        assert_ne!(babeltrace2_accepts(&text), Some(true), "{name}: babeltrace2 reads it: move it to `reads`");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_babeltrace2_refuses_is_refused_with_the_place_and_the_reason() {
    for (name, text) in fixtures("refuses") {
        let (text, expected) = text.rsplit_once("//= ").unwrap_or_else(|| panic!("{name} has no complaint"));
        let error = read_metadata(Path::new("metadata"), text.as_bytes()).expect_err(&name);
        assert_eq!(format!("{}:{}: {}", error.line, error.column, error.message), expected.trim_end(), "{name}");
        assert_ne!(babeltrace2_accepts(text), Some(true), "{name}: babeltrace2 reads it");
    }
}

/// Returns a packet of metadata with this text.
fn packet(text: &[u8], is_big: bool) -> Vec<u8> {
    let number = |number: u32| if is_big { number.to_be_bytes() } else { number.to_le_bytes() };
    let bits = (37 + text.len() as u32) * 8;
    let mut packet = [number(0x75D1_1D57), *b"uuid", *b"uuid", *b"uuid", *b"uuid", number(0), number(bits)].concat();
    packet.extend(number(bits + 80));
    packet.extend([0, 0, 0, 1, 8]);
    packet.extend(text);
    packet.extend([0; 10]);
    packet
}

#[test]
fn metadata_in_packets_of_either_byte_order_is_that_of_its_text() {
    let (first, second) = LTTNG_UST.split_at(1000);
    for is_big in [false, true] {
        let packets = [packet(first.as_bytes(), is_big), packet(second.as_bytes(), is_big)].concat();
        assert_eq!(read_metadata(Path::new("metadata"), &packets), Ok(read(LTTNG_UST)));
    }
}

#[test]
fn a_last_packet_that_is_cut_gives_the_statements_before_the_cut() {
    let (first, second) = LTTNG_UST.split_at(LTTNG_UST.rfind("event {").expect("an event"));
    let whole = read(first);
    let packets = [packet(first.as_bytes(), false), packet(second.as_bytes(), false)].concat();
    for len in packet(first.as_bytes(), false).len()..packets.len() - 40 {
        assert_eq!(read_metadata(Path::new("metadata"), &packets[..len]), Ok(whole.clone()), "{len} bytes");
    }
    assert_eq!(read_metadata(Path::new("metadata"), &packets[..packets.len() - 10]), Ok(read(LTTNG_UST)));
}

#[test]
fn packets_of_another_scheme_are_refused_by_its_name() {
    let text = b"/* CTF 1.8 */";
    let complaint = |at: usize, byte: u8| {
        let mut packets = [packet(text, false), packet(text, false)].concat();
        packets[60 + at] = byte;
        read_metadata(Path::new("metadata"), &packets).expect_err("a bad packet").to_string()
    };
    let cases = [(0, 1), (4, 1), (24, 1), (28, 1), (32, 2), (33, 2), (34, 2), (35, 3)];
    let complaints: Vec<_> = cases.iter().map(|(at, byte)| complaint(*at, *byte)).collect();
    insta::assert_snapshot!(complaints.join("\n"));
}

#[test]
fn structures_that_double_each_time_are_refused_and_not_followed() {
    let mut chain = "typealias string := t0;\n".to_owned();
    for idx in 0..60 {
        chain += &format!("typealias struct {{ t{idx} a; t{idx} b; }} := t{};\n", idx + 1);
    }
    let error = read_metadata(Path::new("metadata"), chain.as_bytes()).expect_err("too large");
    assert_eq!(
        (error.line, error.message.as_str()),
        (21, "with all aliases replaced these are more than 1048576 classes; that many are refused")
    );
}

#[test]
fn what_nests_too_deep_is_refused_and_not_followed() {
    let deep = "types nest deeper than 64 levels";
    let chain: String =
        (0..100_000).map(|idx| format!("typealias struct {{ t{idx} a; }} := t{};\n", idx + 1)).collect();
    let cases = [
        ("struct { ".repeat(100_000), deep),
        (format!("typealias string := t0;\n{chain}"), deep),
        (format!("env {{ a = {}1", "-(".repeat(100_000)), "this expression nests deeper than 64 levels"),
        (
            format!("struct {{ string a{}; }};", "[1]".repeat(100_000)),
            "this array has 100000 dimensions; it may have 64",
        ),
    ];
    for (text, message) in cases {
        let error = read_metadata(Path::new("metadata"), text.as_bytes()).expect_err("too deep");
        assert_eq!(error.message, message);
    }
}

#[test]
fn metadata_that_is_too_large_is_refused_at_once() {
    let error = read_metadata(Path::new("metadata"), &vec![b' '; (32 << 20) + 1]).expect_err("too large");
    assert_eq!(error.to_string(), "metadata:1:1: this metadata has 33554433 bytes; at most 33554432 are read");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_metadata(Path::new("metadata"), &bytes);
    }

    #[test]
    fn no_change_of_good_metadata_panics(at in any::<prop::sample::Index>(), len in 0..40_usize, with in "[ -~]{0,12}") {
        let mut text = LTTNG_UST.as_bytes().to_vec();
        let start = at.index(text.len());
        let end = (start + len).min(text.len());
        text.splice(start..end, with.bytes());
        if let Err(error) = read_metadata(Path::new("metadata"), &text) {
            prop_assert!(error.to_string().lines().count() <= 4);
        }
    }

    #[test]
    fn all_names_that_are_written_can_be_read(names in prop::collection::vec(".{0,8}", 1..6), label in ".{0,8}") {
        let labels = Enumeration {
            container: Integer::unsigned(IntegerBits::B8),
            mappings: vec![Mapping::single(label.clone(), 1), Mapping::single("x", 2)],
        };
        let fields: Vec<_> = names
            .iter()
            .map(|name| Field::new(name.clone(), FieldType::Optional(Scalar::Enumeration(labels.clone()))))
            .collect();
        let event = EventClass { fields, name: label, ..sample::bare() };
        let class = read(&render(&sample::trace_class(vec![StreamClass { id: 0, context: Vec::new(), events: vec![event] }])));
        let payload = class.streams[0].events[0].payload.as_ref();
        prop_assert_eq!(payload.map(|payload| payload.members.len()), Some(2 * names.len()));
    }
}

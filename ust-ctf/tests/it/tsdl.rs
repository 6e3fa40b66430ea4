// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classes that CTF 1.8 metadata describes.

use std::fs;
use std::path::Path;

use ust_ctf::class::TraceClass;
use ust_ctf::metadata::render;
use ust_ctf::model::StreamClass;
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
    let class =
        sample::trace_class(vec![StreamClass { id: 0, events }, StreamClass { id: 7, events: vec![sample::bare()] }]);
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

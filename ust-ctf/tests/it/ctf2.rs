// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classes that CTF 2 metadata describes. In the text here, `␞` stands for the record separator.

use std::path::Path;

use ust_ctf::class::TraceClass;
use ust_ctf::reader::MetadataError;
use ust_ctf::reader::metadata::read_metadata;

use crate::short;

const EVERY_CLASS: &str = include_str!("fixtures/every-class.ctf2");

fn try_read(text: &str) -> Result<TraceClass, MetadataError> {
    read_metadata(Path::new("metadata"), text.replace('␞', "\u{1e}").as_bytes())
}

fn read(text: &str) -> TraceClass {
    try_read(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_fragment_and_field_class_is_read() {
    let trace = read(EVERY_CLASS);
    assert_eq!(trace.uuid.map(|uuid| uuid[0]), Some(229));
    assert_eq!(trace.identity.uid.as_deref(), Some("42"));
    assert_eq!(trace.clocks[0].identity.name.as_deref(), Some("hot"));
    assert_eq!(trace.streams[1].identity.name.as_deref(), Some("s"));
    insta::assert_snapshot!(short::trace(&trace));
}

const PREAMBLE: &str = "␞{\"type\":\"preamble\",\"version\":2}\n";
const STREAM: &str = "␞{\"type\":\"data-stream-class\"}\n";
const U8: &str = r#"{"type":"fixed-length-unsigned-integer","length":8,"byte-order":"little-endian"}"#;

/// Returns metadata of one event with these members.
fn event(members: &[(&str, &str)]) -> String {
    let members: Vec<_> =
        members.iter().map(|(name, class)| format!("{{\"name\":\"{name}\",\"field-class\":{class}}}")).collect();
    let members = members.join(",").replace("U8", U8);
    format!(
        "{PREAMBLE}{STREAM}␞{{\"type\":\"event-record-class\",\"payload-field-class\":\
         {{\"type\":\"structure\",\"member-classes\":[{members}]}}}}\n"
    )
}

/// Returns the first line of what is said about `text`.
fn complaint(text: &str) -> String {
    let error = try_read(text).expect_err(text);
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_complaint_shows_the_path_in_the_fragment_and_the_place_in_its_line() {
    let inner = r#"{"type":"structure","member-classes":[{"name":"b","field-class":{"type":"zork"}}]}"#;
    insta::assert_snapshot!(try_read(&event(&[("a", "U8"), ("s", inner)])).expect_err("no such type"));
}

#[test]
fn each_kind_of_bad_fragment_has_its_own_complaint() {
    let fragments = [
        "␞{\"type\":\"data-stream-class\"}".to_owned(),
        "{\"type\":\"preamble\",\"version\":2}".to_owned(),
        "␞{\"type\":\"preamble\",\"version\":3}".to_owned(),
        "␞{\"type\":\"preamble\",\"version\":2,\"extensions\":{\"my.tracer\":{\"piano\":{}}}}".to_owned(),
        "␞{\"type\":\"preamble\",\"version\":2,\"uuid\":[1]}".to_owned(),
        PREAMBLE.to_owned(),
        format!("{PREAMBLE}{PREAMBLE}"),
        format!("{PREAMBLE}␞{{\"type\":\"data-stream-class\",\n \"id\": 1,,}}\n"),
        format!("{PREAMBLE}␞[1]\n"),
        format!("{PREAMBLE}␞{{\"type\":\"zork\"}}\n"),
        format!("{PREAMBLE}␞{{\"type\":\"data-stream-class\",\"id\":-1}}\n"),
        format!("{PREAMBLE}␞{{\"type\":\"data-stream-class\",\"default-clock-class-id\":\"c\"}}\n"),
        format!("{PREAMBLE}␞{{\"type\":\"clock-class\",\"id\":\"c\",\"frequency\":0}}\n"),
        format!("{PREAMBLE}␞{{\"type\":\"clock-class\",\"id\":\"c\"}}\n"),
        format!(
            "{PREAMBLE}␞{{\"type\":\"clock-class\",\"id\":\"c\",\"frequency\":5,\"offset-from-origin\":{{\"cycles\":5}}}}\n"
        ),
        format!("{PREAMBLE}␞{{\"type\":\"clock-class\",\"id\":\"c\",\"frequency\":5,\"origin\":\"big-bang\"}}\n"),
        format!("{PREAMBLE}␞{{\"type\":\"trace-class\",\"environment\":{{\"a\":1.5}}}}\n"),
        format!("{PREAMBLE}{STREAM}{STREAM}"),
        format!("{PREAMBLE}{STREAM}␞{{\"type\":\"trace-class\"}}\n"),
        format!("{PREAMBLE}␞{{\"type\":\"event-record-class\"}}\n"),
        format!("{PREAMBLE}{STREAM}␞{{\"type\":\"event-record-class\"}}\n␞{{\"type\":\"event-record-class\"}}\n"),
        format!("{PREAMBLE}␞{{\"type\":\"field-class-alias\",\"name\":\"a\",\"field-class\":\"b\"}}\n"),
        format!("{PREAMBLE}{STREAM}␞{{\"type\":\"event-record-class\",\"payload-field-class\":{U8}}}\n"),
    ];
    let complaints: Vec<_> = fragments.iter().map(|text| complaint(text)).collect();
    insta::assert_snapshot!(complaints.join("\n"));
}

#[test]
fn each_kind_of_bad_field_class_has_its_own_complaint() {
    let number = |rest: &str| format!("{}{rest}}}", &U8[..U8.len() - 1]);
    let length =
        |path: &str| format!(r#"{{"type":"dynamic-length-string","length-field-location":{{"path":{path}}}}}"#);
    let variant = |ranges: &str| {
        format!(
            r#"{{"type":"variant","selector-field-location":{{"path":["s"]}},"options":[
            {{"field-class":U8,"selector-field-ranges":[[1,5]]}},{{"field-class":U8,"selector-field-ranges":{ranges}}}]}}"#
        )
    };
    let members: Vec<Vec<(&str, String)>> = vec![
        vec![("a", "{\"type\":\"fixed-length-boolean\",\"length\":65,\"byte-order\":\"big-endian\"}".into())],
        vec![("a", "{\"type\":\"fixed-length-unsigned-integer\",\"byte-order\":\"big-endian\"}".into())],
        vec![("a", "{\"type\":\"fixed-length-unsigned-integer\",\"length\":8}".into())],
        vec![("a", U8.replace("little", "middle"))],
        vec![("a", number(",\"bit-order\":\"up\""))],
        vec![("a", number(",\"preferred-display-base\":7"))],
        vec![("a", number(",\"alignment\":3"))],
        vec![("a", number(",\"extensions\":{\"n\":{\"e\":1}}"))],
        vec![("a", number(",\"mappings\":{\"x\":[[5,4]]}"))],
        vec![("a", number(",\"mappings\":{\"x\":[[5,99999999999999999999]]}"))],
        vec![("a", number(",\"mappings\":{\"x\":[]}"))],
        vec![(
            "a",
            "{\"type\":\"fixed-length-floating-point-number\",\"length\":80,\"byte-order\":\"big-endian\"}".into(),
        )],
        vec![("a", "{\"type\":\"null-terminated-string\",\"encoding\":\"latin-1\"}".into())],
        vec![(
            "a",
            "{\"type\":\"fixed-length-bit-map\",\"length\":8,\"byte-order\":\"big-endian\",\"flags\":{}}".into(),
        )],
        vec![("a", "U8".into()), ("a", "U8".into())],
        vec![("a", length("[\"none\"]"))],
        vec![("a", length("[]"))],
        vec![("a", length("[\"a\",null]"))],
        vec![("a", length("[null,\"a\"]"))],
        vec![("s", "{\"type\":\"null-terminated-string\"}".into()), ("a", length("[\"s\"]"))],
        vec![("a", length("[\"s\"]")), ("s", "U8".into())],
        vec![
            ("s", "{\"type\":\"static-length-array\",\"length\":2,\"element-field-class\":U8}".into()),
            ("a", length("[\"s\"]")),
        ],
        vec![
            ("s", "U8".into()),
            ("a", "{\"type\":\"optional\",\"selector-field-location\":{\"path\":[\"s\"]},\"field-class\":U8}".into()),
        ],
        vec![("s", "U8".into()), ("a", variant("[[5,6]]"))],
        vec![("s", "{\"type\":\"null-terminated-string\"}".into()), ("a", variant("[[6,6]]"))],
    ];
    let complaints = members.iter().map(|members| {
        let members: Vec<_> = members.iter().map(|(name, class)| (*name, class.as_str())).collect();
        complaint(&event(&members))
    });
    insta::assert_snapshot!(complaints.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_fragment_that_is_not_yet_written_to_its_end_is_left_out() {
    let whole = event(&[("a", "U8")]);
    let cut = format!("{whole}␞{{\"type\":\"event-record-class\",\"id\":1");
    assert_eq!(try_read(&cut), try_read(&whole));
    assert!(try_read(&format!("{cut}\n")).is_err(), "this one has its end");
}

#[test]
fn aliases_that_double_each_time_are_refused_and_not_followed() {
    let mut text = format!("{PREAMBLE}␞{{\"type\":\"field-class-alias\",\"name\":\"t0\",\"field-class\":{U8}}}\n");
    for idx in 0..60 {
        text += &format!(
            "␞{{\"type\":\"field-class-alias\",\"name\":\"t{}\",\"field-class\":{{\"type\":\"structure\",\"member-classes\":[\
             {{\"name\":\"a\",\"field-class\":\"t{idx}\"}},{{\"name\":\"b\",\"field-class\":\"t{idx}\"}}]}}}}\n",
            idx + 1
        );
    }
    assert!(
        complaint(&text)
            .ends_with("with all aliases replaced these are more than 1048576 classes; that many are refused")
    );
}

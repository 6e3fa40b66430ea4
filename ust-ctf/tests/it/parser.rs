// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading metadata back, and what is said about metadata that cannot be read.

use std::path::Path;

use ust_ctf::metadata::render;
use ust_ctf::model::{EnvValue, EventClass, Field, FieldType, Integer, IntegerBits, Scalar, Source, StreamClass};
use ust_ctf::reader::read_metadata;

use crate::sample;

#[test]
fn classes_that_were_written_are_read_back_as_they_were() {
    let text = "\" \\ */ /* \n \t \r é \u{1b} ;}{ \u{7f} ??/ \\\" end";
    let event = EventClass {
        id: 9,
        name: text.into(),
        loglevel: Some(0),
        model_emf_uri: Some(text.into()),
        fields: vec![
            Field::new("struct", Scalar::String),
            Field::new("_x_length", Integer::unsigned(IntegerBits::B16)),
            Field::new("x", FieldType::Optional(Scalar::String)),
        ],
        source: Some(Source { file: text.into(), line: u32::MAX, module: text.into() }),
    };
    let events = vec![sample::hello(), sample::every_kind(), sample::bare(), event];
    let mut class = sample::trace_class(vec![
        StreamClass { id: 0, context: vec![], events },
        StreamClass { id: u64::from(u32::MAX), context: vec![], events: vec![sample::bare()] },
    ]);
    class.env.push(("text".into(), EnvValue::String(text.into())));
    class.env.push(("least".into(), EnvValue::Integer(i64::MIN)));
    class.clock.description = text.into();
    class.clock.offset_s = -5;
    assert_eq!(read_metadata(Path::new("metadata"), &render(&class)), Ok(class));
}

/// Replaces `find` in good metadata and returns what is said about the result.
fn complaint(find: &str, replace: &str) -> String {
    let class = sample::trace_class(vec![StreamClass {
        id: 0,
        context: vec![],
        events: vec![sample::hello(), sample::every_kind()],
    }]);
    let text = render(&class);
    assert!(text.contains(find), "the metadata has no {find}");
    let text = text.replacen(find, replace, 1);
    read_metadata(Path::new("metadata"), &text).expect_err(replace).to_string()
}

#[test]
fn a_complaint_about_metadata_shows_the_place() {
    insta::assert_snapshot!(complaint("string { encoding = UTF8; } _stringfield", "strung _stringfield"));
}

#[test]
fn each_kind_of_bad_metadata_has_its_own_complaint() {
    let cases = [
        ("byte_order = le", "byte_order = be"),
        ("byte_order = le;", ""),
        ("major = 1", "major = 2"),
        ("freq = 2600000000", "freq = 0"),
        ("freq = 2600000000", "freq = 26000000000000000000000"),
        ("uint16_t id;", "uint32_t id;"),
        ("packet.context := struct packet_context;", ""),
        ("id = 1;", "id = 2;"),
        ("stream_id = 0;", "stream_id = 3;"),
        ("id = 1;", "id = 70000;"),
        ("size = 64; align = 8; signed = true", "size = 65; align = 8; signed = true"),
        ("size = 64; align = 8; signed = true", "size = 63; align = 8; signed = true"),
        ("size = 64; align = 8; signed = true", "size = 64; align = 3; signed = true"),
        ("size = 64; align = 8; signed = true", "size = 64; align = 64; signed = true"),
        ("exp_dig = 8", "exp_dig = 9"),
        ("base = 16", "base = 7"),
        ("signed = true", "signed = perhaps"),
        ("\"few\" = 2 ... 5", "\"few\" = 5 ... 2"),
        ("\"few\" = 2 ... 5", "\"few\" = 5 .. 2"),
        ("fields := struct {", "fields := struct { struct {"),
        ("_doublefield", "_floatfield"),
        ("_arrfield1[3]", "_arrfield1[-3]"),
        ("{ }", "{ } align(64)"),
        ("event {", "event"),
        ("name = \"ust_tests_hello:tptest\"", "name = \"ust_tests_hello:tptest"),
        ("30313233-", "30313233"),
        ("map = clock.tsc.value", "map = clock.tsc"),
    ];
    let complaints: Vec<_> = cases
        .iter()
        .map(|(find, replace)| complaint(find, replace).lines().next().unwrap_or_default().to_owned())
        .collect();
    insta::assert_snapshot!(complaints.join("\n"));
}

#[test]
fn types_that_nest_too_deep_are_refused_and_not_followed() {
    let nested = "struct { ".repeat(100_000);
    let error = read_metadata(Path::new("metadata"), &nested).expect_err("too deep");
    assert_eq!(error.message, "types nest deeper than 64 levels");
    let mut chain = "typealias string := t0;\n".to_owned();
    for idx in 0..100_000 {
        chain += &format!("typealias struct {{ t{idx} a; t{idx} b; }} := t{};\n", idx + 1);
    }
    let error = read_metadata(Path::new("metadata"), &chain).expect_err("too deep");
    assert_eq!((error.line, error.message.as_str()), (65, "types nest deeper than 64 levels"));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the reference reader makes of our traces, and that it has nothing to complain about.

use ust_ctf::model::{
    Element, Enumeration, EnvValue, EventClass, Field, FieldType, Integer, IntegerBits, Mapping, Scalar, Source,
    StreamClass,
};

use crate::{sample, tool};

#[test]
fn babeltrace2_prints_the_hello_event_as_it_prints_that_of_lttng() {
    let folder = tempfile::tempdir().expect("a folder");
    let class = sample::trace_class(vec![StreamClass { id: 0, context: vec![], events: vec![sample::hello()] }]);
    let mut body = Vec::new();
    sample::put_event(&mut body, 1, 2000, &sample::hello_payload(1676));
    let bytes = sample::packet(&sample::packet_header(0, 0, 1000, 3000, &body), &body);
    sample::write_trace(folder.path(), &class, &[("chan_0", &bytes)]);
    let Some(printed) = tool::babeltrace2(&["--clock-gmt"], folder.path()) else {
        return;
    };
    assert_eq!(printed.stderr, "");
    let expected = "[01:20:44.229440848] (+?.?????????) box ust_tests_hello:tptest: { cpu_id = 3, vpid = 69, \
        vtid = 71, procname = \"hello\" }, { intfield = 1676, intfield2 = 0x68C, longfield = 1676, \
        netintfield = 1676, netintfieldhex = 0x68C, arrfield1 = [ [0] = 1, [1] = 2, [2] = 3 ], \
        arrfield2 = \"test\", _seqfield1_length = 4, seqfield1 = [ [0] = 116, [1] = 101, [2] = 115, [3] = 116 ], \
        _seqfield2_length = 4, seqfield2 = \"test\", stringfield = \"test\", floatfield = 2222, \
        doublefield = 2 }\n";
    assert_eq!(String::from_utf8_lossy(&printed.stdout), expected);
}

#[test]
fn babeltrace2_reads_every_kind_of_field_without_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let class = sample::trace_class(vec![StreamClass {
        id: 0,
        context: vec![],
        events: vec![sample::every_kind(), sample::bare()],
    }]);
    let mut body = Vec::new();
    sample::put_event(&mut body, 2, 2000, &sample::every_kind_payload_some());
    sample::put_event(&mut body, 2, 2001, &sample::every_kind_payload_none());
    sample::put_event(&mut body, 65_535, 2002, &[]);
    let bytes = sample::packet(&sample::packet_header(0, 0, 1000, 3000, &body), &body);
    sample::write_trace(folder.path(), &class, &[("chan_0", &bytes)]);
    let Some(printed) = tool::babeltrace2(&["--clock-gmt"], folder.path()) else {
        return;
    };
    assert_eq!(printed.stderr, "");
    insta::assert_snapshot!(String::from_utf8_lossy(&printed.stdout));
}

#[test]
fn no_name_label_or_value_breaks_the_metadata() {
    let hostile = "\" \\ */ /* \n \t \r \0 é \u{1b} ;}{ \u{7f} ??/ \\\" end";
    let labels = ["", hostile, "struct", "\\"];
    let enumeration = Enumeration {
        container: Integer::signed(IntegerBits::B8),
        mappings: labels
            .iter()
            .map(|label| Mapping { label: (*label).into(), low: -1000, high: 3 })
            .chain([Mapping::single("beyond", 128), Mapping { label: "backwards".into(), low: 5, high: 4 }])
            .collect(),
    };
    let unlabelled = Enumeration { container: Integer::unsigned(IntegerBits::B8), mappings: vec![] };
    let text = FieldType::Sequence { element: Element::Integer(Integer::signed(IntegerBits::B8)), text: true };
    let names = [hostile, "", "9", "struct", "_x_length", "x-", "x_", "x.", "id", "timestamp", "none", "some"];
    let fields = names
        .iter()
        .map(|name| Field::new(*name, Integer::unsigned(IntegerBits::B8)))
        .chain([
            Field::new("x", text),
            Field::new("e", enumeration.clone()),
            Field::new("u", unlabelled),
            Field::new(hostile, FieldType::Optional(Scalar::Enumeration(enumeration))),
        ])
        .collect();
    let event = EventClass {
        id: 0,
        name: hostile.into(),
        loglevel: Some(-1),
        model_emf_uri: Some(hostile.into()),
        fields,
        source: Some(Source { file: hostile.into(), line: 0, module: hostile.into() }),
    };
    let mut class = sample::trace_class(vec![
        StreamClass { id: 0, context: vec![], events: vec![event] },
        StreamClass { id: u64::from(u32::MAX), context: vec![], events: vec![] },
    ]);
    class.clock.name = hostile.into();
    class.clock.description = hostile.into();
    class.clock.freq = 0;
    class.clock.offset_s = -5;
    class.env.push((hostile.into(), EnvValue::String(hostile.into())));
    class.env.push(("event".into(), EnvValue::Integer(i64::MIN)));
    class.env.push(("event".into(), EnvValue::Integer(i64::MAX)));

    let folder = tempfile::tempdir().expect("a folder");
    let mut body = Vec::new();
    sample::put_event(&mut body, 0, 6, &[[1; 12].as_slice(), &[2, 0, 0, 0, b'h', b'i', 1, 1, 1, 1]].concat());
    let bytes = sample::packet(&sample::packet_header(0, 0, 6, 6, &body), &body);
    let empty = sample::packet(&sample::packet_header(u32::MAX, 0, 6, 6, &[]), &[]);
    sample::write_trace(folder.path(), &class, &[("chan_0", &bytes), ("chan_1", &empty)]);
    let Some(printed) = tool::babeltrace2(&["--clock-seconds", "--fields=all"], folder.path()) else {
        return;
    };
    assert_eq!(printed.stderr, "");
    insta::assert_snapshot!(String::from_utf8_lossy(&printed.stdout).escape_debug());
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Traces that the tests write: the classes of every field kind, and payload bytes for them.

use std::fs;
use std::path::Path;

use ust_ctf::metadata::render;
use ust_ctf::model::{
    Base, ByteOrder, Clock, Element, Enumeration, EnvValue, EventClass, Field, FieldType, Float, FloatBits, Integer,
    IntegerBits, Mapping, Scalar, Source, StreamClass, TraceClass,
};
use ust_ctf::packet::{PacketHeader, encode_event_header};

pub const UUID: [u8; 16] = *b"0123456789abcdef";

const I8: Integer = Integer::signed(IntegerBits::B8);
const I16: Integer = Integer::signed(IntegerBits::B16);
const I32: Integer = Integer::signed(IntegerBits::B32);
const I64: Integer = Integer::signed(IntegerBits::B64);
const U8: Integer = Integer::unsigned(IntegerBits::B8);
const U64: Integer = Integer::unsigned(IntegerBits::B64);
const F32: Float = Float { bits: FloatBits::B32, byte_order: ByteOrder::Little };
const F64: Float = Float { bits: FloatBits::B64, byte_order: ByteOrder::Little };

/// Returns a trace class with these stream classes and an unremarkable rest.
pub fn trace_class(streams: Vec<StreamClass>) -> TraceClass {
    TraceClass {
        uuid: UUID,
        env: vec![
            ("domain".into(), EnvValue::String("ust".into())),
            ("tracer_name".into(), EnvValue::String("lttng-ust".into())),
            ("tracer_major".into(), EnvValue::Integer(2)),
            ("tracer_minor".into(), EnvValue::Integer(13)),
            ("trace_name".into(), EnvValue::String("sample".into())),
            ("hostname".into(), EnvValue::String("box".into())),
        ],
        clock: Clock {
            name: "tsc".into(),
            description: "Time Stamp Counter".into(),
            uuid: *b"fedcba9876543210",
            freq: 2_600_000_000,
            offset_s: 1_795_396_844,
            offset_cycles: 596_544_206,
        },
        streams,
    }
}

fn event(id: u16, name: &str, fields: Vec<Field>) -> EventClass {
    EventClass { id, name: name.into(), loglevel: None, model_emf_uri: None, fields, source: None }
}

fn array(element: impl Into<Element>, len: u32, text: bool) -> FieldType {
    FieldType::Array { element: element.into(), len, text }
}

fn sequence(element: impl Into<Element>, text: bool) -> FieldType {
    FieldType::Sequence { element: element.into(), text }
}

/// Returns the event that lttng-ust's users know from its `hello` example.
pub fn hello() -> EventClass {
    EventClass {
        loglevel: Some(13),
        model_emf_uri: Some("http://example.com/hello".into()),
        source: Some(Source { file: "src/main.rs".into(), line: 42, module: "hello::main".into() }),
        ..event(
            1,
            "ust_tests_hello:tptest",
            vec![
                Field::new("intfield", I32),
                Field::new("intfield2", I32.with_base(Base::Hexadecimal)),
                Field::new("longfield", I64),
                Field::new("netintfield", I32.big_endian()),
                Field::new("netintfieldhex", I32.big_endian().with_base(Base::Hexadecimal)),
                Field::new("arrfield1", array(Element::Integer(I64), 3, false)),
                Field::new("arrfield2", array(Element::Integer(I8), 10, true)),
                Field::new("seqfield1", sequence(Element::Integer(I8), false)),
                Field::new("seqfield2", sequence(Element::Integer(I8), true)),
                Field::new("stringfield", Scalar::String),
                Field::new("floatfield", F32),
                Field::new("doublefield", F64),
            ],
        )
    }
}

/// Returns the payload of [`hello`] for `number`.
pub fn hello_payload(number: i32) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(number.to_le_bytes());
    out.extend(number.to_le_bytes());
    out.extend(i64::from(number).to_le_bytes());
    out.extend(number.to_be_bytes());
    out.extend(number.to_be_bytes());
    for element in 1..=3_i64 {
        out.extend(element.to_le_bytes());
    }
    out.extend(b"test\0\0\0\0\0\0");
    out.extend(4_u32.to_le_bytes());
    out.extend(b"test");
    out.extend(4_u32.to_le_bytes());
    out.extend(b"test");
    out.extend(b"test\0");
    out.extend(2222.0_f32.to_le_bytes());
    out.extend(2.0_f64.to_le_bytes());
    out
}

/// Returns an event with the kinds that [`hello`] lacks.
pub fn every_kind() -> EventClass {
    let colours = Enumeration {
        container: I32,
        mappings: vec![
            Mapping::single("ZERO", 0),
            Mapping::single("a \"quoted\" \\ label\né", 1),
            Mapping { label: "few".into(), low: 2, high: 5 },
            Mapping { label: "over".into(), low: 4, high: 9 },
            Mapping::single("least", i128::from(i32::MIN)),
        ],
    };
    let wide = Enumeration {
        container: U64,
        mappings: vec![Mapping { label: "top".into(), low: 1 << 63, high: (1 << 64) - 1 }],
    };
    event(
        2,
        "sample:every_kind",
        vec![
            Field::new("bits", U8.with_base(Base::Binary)),
            Field::new("octal", I16.with_base(Base::Octal)),
            Field::new("hex", I8.with_base(Base::Hexadecimal)),
            Field::new("big", U64),
            Field::new("least", I64),
            Field::new("net_float", Float { byte_order: ByteOrder::Big, ..F32 }),
            Field::new("colour", colours.clone()),
            Field::new("wide", wide),
            Field::new("maybe_int", FieldType::Optional(Scalar::Integer(I32))),
            Field::new("maybe_text", FieldType::Optional(Scalar::String)),
            Field::new("maybe_colour", FieldType::Optional(Scalar::Enumeration(colours))),
            Field::new("maybe_float", FieldType::Optional(Scalar::Float(F64))),
            Field::new("floats", sequence(Element::Float(F64), false)),
            Field::new("net_shorts", array(Element::Integer(I16.big_endian()), 2, false)),
            Field::new("hexes", sequence(Element::Integer(U8.with_base(Base::Hexadecimal)), false)),
            Field::new("nothing", array(Element::Integer(I32), 0, false)),
            Field::new("event", Scalar::String),
        ],
    )
}

/// Returns a payload of [`every_kind`] in which every optional field has a value.
pub fn every_kind_payload_some() -> Vec<u8> {
    let mut out = vec![0b1010_0101];
    out.extend((-1_i16).to_le_bytes());
    out.push(0x8f);
    out.extend(u64::MAX.to_le_bytes());
    out.extend(i64::MIN.to_le_bytes());
    out.extend((-0.1_f32).to_be_bytes());
    out.extend(4_i32.to_le_bytes());
    out.extend(u64::MAX.to_le_bytes());
    out.push(1);
    out.extend((-7_i32).to_le_bytes());
    out.push(1);
    out.extend("é\t\"'?\\\u{7f}\u{1b}\0".as_bytes());
    out.push(1);
    out.extend(1_i32.to_le_bytes());
    out.push(1);
    out.extend(1e300_f64.to_le_bytes());
    let floats = [0.0, -0.0, 1e-5, 123_456_789.0, 100_000.0, 1_000_000.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    out.extend((floats.len() as u32).to_le_bytes());
    out.extend(floats.iter().flat_map(|float| float.to_le_bytes()));
    out.extend([0x01, 0x02, 0xff, 0xfe]);
    out.extend(3_u32.to_le_bytes());
    out.extend([0, 10, 255]);
    out.extend(b"keyword\0");
    out
}

/// Returns a payload of [`every_kind`] in which nothing that can be absent is there.
pub fn every_kind_payload_none() -> Vec<u8> {
    let mut out = vec![0];
    out.extend(8_i16.to_le_bytes());
    out.push(0);
    out.extend(0_u64.to_le_bytes());
    out.extend((-1_i64).to_le_bytes());
    out.extend(f32::MIN_POSITIVE.to_be_bytes());
    out.extend(11_i32.to_le_bytes());
    out.extend(0_u64.to_le_bytes());
    out.extend([0; 4]);
    out.extend(0_u32.to_le_bytes());
    out.extend([0; 4]);
    out.extend(0_u32.to_le_bytes());
    out.extend(b"\0");
    out
}

/// Returns an event without fields.
pub fn bare() -> EventClass {
    event(65_535, "sample:bare", vec![])
}

/// Returns the header of a packet of stream class `stream_id` on CPU 3.
pub fn packet_header(stream_id: u32, seq: u64, begin: u64, end: u64, body: &[u8]) -> PacketHeader {
    let mut procname = [0; 16];
    procname[..5].copy_from_slice(b"hello");
    PacketHeader {
        trace_uuid: UUID,
        stream_id,
        stream_instance_id: 0,
        timestamp_begin: begin,
        timestamp_end: end,
        content_bytes: body.len() as u64,
        packet_seq_num: seq,
        events_discarded: 0,
        cpu_id: 3,
        vpid: 69,
        vtid: 71,
        procname,
    }
}

/// Returns the bytes of one packet.
pub fn packet(header: &PacketHeader, body: &[u8]) -> Vec<u8> {
    [header.encode().as_slice(), body].concat()
}

/// Appends one event to `body`.
pub fn put_event(body: &mut Vec<u8>, id: u16, timestamp: u64, payload: &[u8]) {
    body.extend(encode_event_header(id, timestamp));
    body.extend(payload);
}

/// Writes the metadata of `class` and these stream files to `folder`.
pub fn write_trace(folder: &Path, class: &TraceClass, streams: &[(&str, &[u8])]) {
    fs::create_dir_all(folder).expect("the folder of a test can be made");
    fs::write(folder.join("metadata"), render(class)).expect("metadata can be written");
    for (name, bytes) in streams {
        fs::write(folder.join(name), bytes).expect("a stream can be written");
    }
}

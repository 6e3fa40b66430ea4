// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random classes and values: what was written is what is read, without another reader's help.

use proptest::collection::vec;
use proptest::prelude::*;
use ust_ctf::model::{
    Base, ByteOrder, Element, Enumeration, EventClass, Field, FieldType, Float, FloatBits, Integer, IntegerBits,
    Mapping, Scalar, StreamClass,
};
use ust_ctf::reader::{self, Trace, Value};

use crate::sample;

/// A value without its class.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Integer(i128),
    Float(f64),
    Text(Vec<u8>),
    List(Vec<Plain>),
    Optional(Option<Box<Plain>>),
}

/// A class, the bytes of one value of it, and that value.
type Written<C> = (C, Vec<u8>, Plain);

fn plain(value: Value<'_>) -> Plain {
    match value {
        Value::Unsigned(number) => Plain::Integer(number.into()),
        Value::Signed(number) => Plain::Integer(number.into()),
        Value::Float(float) => Plain::Float(float),
        Value::Text(text) => Plain::Text(text.bytes.to_vec()),
        Value::Array(elements) => Plain::List(elements.map(plain).collect()),
        Value::Variant(Some("some"), inner) => {
            Plain::Optional(Some(Box::new(plain(inner.value().expect("an undamaged event")))))
        }
        Value::Variant(Some("none"), _) => Plain::Optional(None),
        other => panic!("{other:?} was not written"),
    }
}

/// Tells whether `field` holds the count or the tag of the next.
fn is_companion(field: &reader::Field<'_>) -> bool {
    field.name.starts_with('_')
}

fn integer_class() -> impl Strategy<Value = Integer> {
    let bits =
        prop_oneof![Just(IntegerBits::B8), Just(IntegerBits::B16), Just(IntegerBits::B32), Just(IntegerBits::B64)];
    let base = prop_oneof![Just(Base::Binary), Just(Base::Octal), Just(Base::Decimal), Just(Base::Hexadecimal)];
    (bits, any::<bool>(), base, byte_order()).prop_map(|(bits, signed, base, byte_order)| Integer {
        bits,
        signed,
        base,
        byte_order,
    })
}

fn byte_order() -> impl Strategy<Value = ByteOrder> {
    prop_oneof![Just(ByteOrder::Little), Just(ByteOrder::Big)]
}

fn float_class() -> impl Strategy<Value = Float> {
    (prop_oneof![Just(FloatBits::B32), Just(FloatBits::B64)], byte_order())
        .prop_map(|(bits, byte_order)| Float { bits, byte_order })
}

/// Returns the bytes of `number`, cut to the range of `class`, and what is left of it.
fn write_integer(class: Integer, number: i64) -> (Vec<u8>, Plain) {
    let bytes = class.bits.bytes();
    let (least, greatest) = class.range();
    let number = (i128::from(number) - least).rem_euclid(greatest - least + 1) + least;
    let mut out = number.to_le_bytes()[..bytes].to_vec();
    if class.byte_order == ByteOrder::Big {
        out.reverse();
    }
    (out, Plain::Integer(number))
}

fn write_float(class: Float, float: f64) -> (Vec<u8>, Plain) {
    let (mut out, float) = match class.bits {
        FloatBits::B32 => ((float as f32).to_le_bytes().to_vec(), f64::from(float as f32)),
        FloatBits::B64 => (float.to_le_bytes().to_vec(), float),
    };
    if class.byte_order == ByteOrder::Big {
        out.reverse();
    }
    (out, Plain::Float(float))
}

fn scalar() -> impl Strategy<Value = Written<Scalar>> {
    prop_oneof![
        (integer_class(), any::<i64>()).prop_map(|(class, number)| {
            let (bytes, plain) = write_integer(class, number);
            (Scalar::Integer(class), bytes, plain)
        }),
        (float_class(), any::<f64>()).prop_map(|(class, float)| {
            let (bytes, plain) = write_float(class, float);
            (Scalar::Float(class), bytes, plain)
        }),
        "[^\0]*".prop_map(|text| {
            let bytes = [text.as_bytes(), b"\0"].concat();
            (Scalar::String, bytes, Plain::Text(text.into_bytes()))
        }),
        (integer_class(), any::<i64>(), "[^\0]*").prop_map(|(container, number, label)| {
            let (bytes, plain) = write_integer(container, number);
            let Plain::Integer(low) = plain else { unreachable!() };
            let mappings = vec![Mapping { label, low, high: container.range().1 }];
            (Scalar::Enumeration(Enumeration { container, mappings }), bytes, plain)
        }),
    ]
}

/// Returns elements one after the other; text is cut at its first NUL.
fn elements() -> impl Strategy<Value = (Element, bool, u32, Vec<u8>, Plain)> {
    let integers = (integer_class(), any::<bool>(), vec(any::<i64>(), 0..9)).prop_map(|(class, text, numbers)| {
        let text = text && class.bits == IntegerBits::B8;
        let (bytes, plains): (Vec<_>, Vec<_>) = numbers.iter().map(|number| write_integer(class, *number)).unzip();
        let bytes = bytes.concat();
        let until_nul = bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        let plain = if text { Plain::Text(until_nul) } else { Plain::List(plains) };
        (Element::Integer(class), text, numbers.len() as u32, bytes, plain)
    });
    let floats = (float_class(), vec(any::<f64>(), 0..9)).prop_map(|(class, numbers)| {
        let (bytes, plains): (Vec<_>, Vec<_>) = numbers.iter().map(|float| write_float(class, *float)).unzip();
        (Element::Float(class), false, numbers.len() as u32, bytes.concat(), Plain::List(plains))
    });
    prop_oneof![integers, floats]
}

fn field() -> impl Strategy<Value = Written<FieldType>> {
    prop_oneof![
        scalar().prop_map(|(class, bytes, plain)| (FieldType::Scalar(class), bytes, plain)),
        (scalar(), any::<bool>()).prop_map(|((class, bytes, plain), is_some)| {
            let (bytes, plain) =
                if is_some { ([&[1], bytes.as_slice()].concat(), Some(Box::new(plain))) } else { (vec![0], None) };
            (FieldType::Optional(class), bytes, Plain::Optional(plain))
        }),
        elements()
            .prop_map(|(element, text, len, bytes, plain)| { (FieldType::Array { element, len, text }, bytes, plain) }),
        elements().prop_map(|(element, text, len, bytes, plain)| {
            let bytes = [len.to_le_bytes().as_slice(), &bytes].concat();
            (FieldType::Sequence { element, text }, bytes, plain)
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fields_of_any_class_are_read_as_they_were_written(written in vec(field(), 0..12), name in "[^\0]{0,20}") {
        let fields = written.iter().enumerate().map(|(idx, (class, ..))| Field::new(format!("f{idx}"), class.clone()));
        let event = EventClass {
            id: 3,
            name,
            loglevel: None,
            model_emf_uri: None,
            fields: fields.collect(),
            source: None,
        };
        let payload: Vec<u8> = written.iter().flat_map(|(_, bytes, _)| bytes.clone()).collect();
        let class = sample::trace_class(vec![StreamClass { id: 0, context: vec![], events: vec![event] }]);
        let mut body = Vec::new();
        for time in 5..8 {
            sample::put_event(&mut body, 3, time, &payload);
        }
        let bytes = sample::packet(&sample::packet_header(0, 0, 5, 8, &body), &body);
        let folder = tempfile::tempdir().expect("a folder");
        sample::write_trace(folder.path(), &class, &[("chan", &bytes)]);

        let trace = Trace::open(folder.path()).expect("a trace");
        let mut events = trace.events();
        let mut times = Vec::new();
        while let Some(event) = events.next() {
            let fields = event.payload().filter(|field| !is_companion(field));
            let values: Vec<_> = fields.map(|field| plain(field.value)).collect();
            let expected: Vec<_> = written.iter().map(|(.., plain)| plain.clone()).collect();
            prop_assert_eq!(values, expected);
            times.push(event.cycles);
        }
        prop_assert_eq!(times, [5, 6, 7]);
        prop_assert_eq!(trace.warnings().len() + events.warnings().count(), 0);
    }
}

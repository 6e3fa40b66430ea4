// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a derived enumeration says of itself.

use ust::__private::{Base, Enumeration, Field, FieldType, Integer};

fn described<E: Field>() -> Enumeration {
    match E::TYPE {
        FieldType::Enumeration(enumeration) => enumeration,
        other => panic!("{other:?}"),
    }
}

fn mappings<E: Field>() -> Vec<(&'static str, u64, u64)> {
    described::<E>().mappings.iter().map(|mapping| (mapping.label, mapping.low, mapping.high)).collect()
}

#[allow(dead_code)]
#[derive(ust::Enumeration)]
enum Plain {
    Zero,
    #[enumeration(label = "the one")]
    One,
    Minus = -5,
    r#Raw,
}

#[test]
fn default_container_is_i32_and_labels_are_variant_names() {
    let container = Integer { bits: 32, signed: true, base: Base::Decimal, network: false };
    assert_eq!((described::<Plain>().name, described::<Plain>().container), ("Plain", container));
    let (minus, raw) = ((-5_i64).cast_unsigned(), (-4_i64).cast_unsigned());
    let expected = [("Zero", 0, 0), ("the one", 1, 1), ("Minus", minus, minus), ("Raw", raw, raw)];
    assert_eq!(mappings::<Plain>(), expected);
    assert_eq!(Plain::Minus.wire(), -5_i32);
}

const TOP: u8 = 250;

#[allow(dead_code)]
#[derive(ust::Enumeration)]
#[repr(u8)]
enum Ranged {
    Ok = 200,
    #[enumeration(range = 4..=9, label = "some")]
    Some = 4,
    #[enumeration(range = TOP..=u8::MAX)]
    Top = 255,
}

#[test]
fn range_covers_more_values_than_its_variant() {
    let container = Integer { bits: 8, signed: false, base: Base::Decimal, network: false };
    assert_eq!(described::<Ranged>().container, container);
    assert_eq!(mappings::<Ranged>(), [("Ok", 200, 200), ("some", 4, 9), ("Top", 250, 255)]);
}

#[allow(dead_code)]
#[derive(ust::Enumeration)]
#[repr(i64)]
enum Wide {
    Least = i64::MIN,
    #[enumeration(range = -9..=-1)]
    Negative = -1,
}

#[derive(ust::Enumeration)]
#[repr(u64)]
enum Unsigned {
    Most = u64::MAX,
}

#[test]
fn extremes_survive() {
    let least = i64::MIN.cast_unsigned();
    let negative = ("Negative", (-9_i64).cast_unsigned(), u64::MAX);
    assert_eq!(mappings::<Wide>(), [("Least", least, least), negative]);
    assert_eq!(mappings::<Unsigned>(), [("Most", u64::MAX, u64::MAX)]);
    assert_eq!(Unsigned::Most.wire(), u64::MAX);
}

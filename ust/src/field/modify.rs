// SPDX-License-Identifier: MIT OR Apache-2.0
//! The field attributes that change how a field is shown, as functions on its type.
//!
//! The macro applies them while the program is compiled, so a panic here is a compile error, and
//! `track_caller` makes it point at the attribute in the declaration.

use ust_shm::descriptor::{Base, FieldType, Integer, Scalar};

/// Shows integers in base 16.
#[track_caller]
pub const fn hex(ty: FieldType) -> FieldType {
    based(ty, Base::Hexadecimal, "`hex` is for integers: remove it, or declare the field as an integer")
}

/// Shows integers in base 8.
#[track_caller]
pub const fn oct(ty: FieldType) -> FieldType {
    based(ty, Base::Octal, "`oct` is for integers: remove it, or declare the field as an integer")
}

/// Shows integers in base 2.
#[track_caller]
pub const fn bin(ty: FieldType) -> FieldType {
    based(ty, Base::Binary, "`bin` is for integers: remove it, or declare the field as an integer")
}

/// Declares integers as big-endian: the argument already is in network byte order.
#[track_caller]
pub const fn network(ty: FieldType) -> FieldType {
    const WRONG: &str = "`network` is for integers: pass the number's bits as an integer, \
                         as in `value.to_bits().to_be()`";
    match ty {
        FieldType::Scalar(scalar) => FieldType::Scalar(big_endian(scalar, WRONG)),
        FieldType::Optional(scalar) => FieldType::Optional(big_endian(scalar, WRONG)),
        FieldType::Array { element, len, text: false } => {
            FieldType::Array { element: big_endian(element, WRONG), len, text: false }
        }
        FieldType::Sequence { element, text: false } => {
            FieldType::Sequence { element: big_endian(element, WRONG), text: false }
        }
        _ => panic!("{}", WRONG),
    }
}

/// Shows arrays and slices of bytes as text.
#[track_caller]
pub const fn text(ty: FieldType) -> FieldType {
    const WRONG: &str = "`text` is for arrays and slices of `u8` or `i8`; strings are text without it";
    match ty {
        FieldType::Array { element, len, .. } if is_byte(element) => FieldType::Array { element, len, text: true },
        FieldType::Sequence { element, .. } if is_byte(element) => FieldType::Sequence { element, text: true },
        _ => panic!("{}", WRONG),
    }
}

#[track_caller]
const fn based(ty: FieldType, base: Base, wrong: &str) -> FieldType {
    match ty {
        FieldType::Scalar(scalar) => FieldType::Scalar(scalar_based(scalar, base, wrong)),
        FieldType::Optional(scalar) => FieldType::Optional(scalar_based(scalar, base, wrong)),
        FieldType::Array { element, len, text: false } => {
            FieldType::Array { element: scalar_based(element, base, wrong), len, text: false }
        }
        FieldType::Sequence { element, text: false } => {
            FieldType::Sequence { element: scalar_based(element, base, wrong), text: false }
        }
        _ => panic!("{}", wrong),
    }
}

#[track_caller]
const fn scalar_based(scalar: Scalar, base: Base, wrong: &str) -> Scalar {
    match scalar {
        Scalar::Integer(integer) => Scalar::Integer(Integer { base, ..integer }),
        Scalar::Float { .. } => panic!("{}", wrong),
    }
}

#[track_caller]
const fn big_endian(scalar: Scalar, wrong: &str) -> Scalar {
    match scalar {
        Scalar::Integer(integer) => Scalar::Integer(Integer { network: true, ..integer }),
        Scalar::Float { .. } => panic!("{}", wrong),
    }
}

const fn is_byte(element: Scalar) -> bool {
    matches!(element, Scalar::Integer(Integer { bits: 8, .. }))
}

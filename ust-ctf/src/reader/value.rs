// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the fields of a payload, borrowed from its bytes.

use crate::model::{ByteOrder, Element, Enumeration, Field, FieldType, Float, FloatBits, Integer, IntegerBits, Scalar};

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'t> {
    /// A single value.
    Scalar(ScalarValue<'t>),
    /// The elements of an array or a sequence.
    Array(Elements<'t>),
    /// An array or a sequence that is text.
    Text {
        /// UTF-8 up to the first NUL; the encoding is not checked.
        bytes: &'t [u8],
        /// Number of elements, with the NUL and what is behind it.
        count: u32,
    },
    /// A value that can be absent.
    Optional(Option<ScalarValue<'t>>),
}

/// A value that is not made of other values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScalarValue<'t> {
    /// A whole number and how it is shown.
    Integer(IntegerValue, &'t Integer),
    /// A floating point number; binary32 is widened.
    Float(f64),
    /// UTF-8 without its NUL; the encoding is not checked.
    String(&'t [u8]),
    /// A whole number whose ranges have labels.
    Enumeration(IntegerValue, &'t Enumeration),
}

/// A whole number of up to 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegerValue {
    /// From an unsigned class.
    Unsigned(u64),
    /// From a signed class.
    Signed(i64),
}

impl From<IntegerValue> for i128 {
    fn from(value: IntegerValue) -> Self {
        match value {
            IntegerValue::Unsigned(number) => number.into(),
            IntegerValue::Signed(number) => number.into(),
        }
    }
}

/// The elements of an array, read one by one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elements<'t> {
    class: &'t Element,
    bytes: &'t [u8],
}

impl<'t> Elements<'t> {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.class.bytes()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the elements in order.
    pub fn iter(&self) -> impl Iterator<Item = ScalarValue<'t>> + use<'t> {
        let class = self.class;
        self.bytes.chunks_exact(class.bytes()).map(move |bytes| match class {
            Element::Integer(integer) => ScalarValue::Integer(integer_value(integer, bytes), integer),
            Element::Float(float) => ScalarValue::Float(float_value(float, bytes)),
        })
    }
}

/// The fields of one payload, in order.
#[derive(Clone, Debug)]
pub struct Fields<'t> {
    fields: std::slice::Iter<'t, Field>,
    rest: &'t [u8],
}

impl<'t> Fields<'t> {
    pub(crate) fn new(fields: &'t [Field], payload: &'t [u8]) -> Self {
        Self { fields: fields.iter(), rest: payload }
    }
}

impl<'t> Iterator for Fields<'t> {
    /// Name and value.
    type Item = (&'t str, Value<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.fields.next()?;
        // The payload was measured with the same function, so this fails for no event that a reader gave.
        let value = read_field(&field.ty, &mut self.rest).ok()?;
        Some((&field.name, value))
    }
}

/// Why a field cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldDamage {
    /// It is longer than what is left of the packet.
    CutShort,
    /// The tag of an optional field is neither of its two values.
    Tag(u8),
}

/// Takes one field of class `ty` from the front of `rest`.
pub(crate) fn read_field<'t>(ty: &'t FieldType, rest: &mut &'t [u8]) -> Result<Value<'t>, FieldDamage> {
    match ty {
        FieldType::Scalar(scalar) => read_scalar(scalar, rest).map(Value::Scalar),
        FieldType::Array { element, len, text } => read_elements(element, *len, *text, rest),
        FieldType::Sequence { element, text } => {
            let count = take(rest, 4)?;
            let count = u32::from_le_bytes([count[0], count[1], count[2], count[3]]);
            read_elements(element, count, *text, rest)
        }
        FieldType::Optional(scalar) => match take(rest, 1)?[0] {
            0 => Ok(Value::Optional(None)),
            1 => read_scalar(scalar, rest).map(|value| Value::Optional(Some(value))),
            tag => Err(FieldDamage::Tag(tag)),
        },
    }
}

fn read_scalar<'t>(scalar: &'t Scalar, rest: &mut &'t [u8]) -> Result<ScalarValue<'t>, FieldDamage> {
    match scalar {
        Scalar::Integer(integer) => {
            let bytes = take(rest, integer.bits.bytes())?;
            Ok(ScalarValue::Integer(integer_value(integer, bytes), integer))
        }
        Scalar::Float(float) => Ok(ScalarValue::Float(float_value(float, take(rest, float.bits.bytes())?))),
        Scalar::String => {
            let bytes = until_nul(rest);
            take(rest, bytes.len() + 1)?;
            Ok(ScalarValue::String(bytes))
        }
        Scalar::Enumeration(enumeration) => {
            let bytes = take(rest, enumeration.container.bits.bytes())?;
            Ok(ScalarValue::Enumeration(integer_value(&enumeration.container, bytes), enumeration))
        }
    }
}

fn read_elements<'t>(
    class: &'t Element,
    count: u32,
    text: bool,
    rest: &mut &'t [u8],
) -> Result<Value<'t>, FieldDamage> {
    let bytes = take(rest, (count as usize).saturating_mul(class.bytes()))?;
    if text && class.can_be_text() {
        return Ok(Value::Text { bytes: until_nul(bytes), count });
    }
    Ok(Value::Array(Elements { class, bytes }))
}

fn take<'t>(rest: &mut &'t [u8], count: usize) -> Result<&'t [u8], FieldDamage> {
    let (taken, left) = rest.split_at_checked(count).ok_or(FieldDamage::CutShort)?;
    *rest = left;
    Ok(taken)
}

pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end]
}

/// Returns the number in `bytes`, which are as many as `class` has.
fn integer_value(class: &Integer, bytes: &[u8]) -> IntegerValue {
    let number = match class.byte_order {
        ByteOrder::Little => bytes.iter().rev().fold(0, shift_in),
        ByteOrder::Big => bytes.iter().fold(0, shift_in),
    };
    if !class.signed {
        return IntegerValue::Unsigned(number);
    }
    IntegerValue::Signed(match class.bits {
        IntegerBits::B8 => i64::from(number as i8),
        IntegerBits::B16 => i64::from(number as i16),
        IntegerBits::B32 => i64::from(number as i32),
        IntegerBits::B64 => number as i64,
    })
}

fn shift_in(number: u64, byte: &u8) -> u64 {
    number << 8 | u64::from(*byte)
}

fn float_value(class: &Float, bytes: &[u8]) -> f64 {
    let bits = match class.byte_order {
        ByteOrder::Little => bytes.iter().rev().fold(0, shift_in),
        ByteOrder::Big => bytes.iter().fold(0, shift_in),
    };
    match class.bits {
        FloatBits::B32 => f64::from(f32::from_bits(bits as u32)),
        FloatBits::B64 => f64::from_bits(bits),
    }
}

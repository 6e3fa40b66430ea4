// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of fields, read by need and borrowed from the bytes of their packet.

use std::borrow::Cow;

use super::bits::Layout;
use super::place::{Damage, Place, SlotFile as _, Slots, until_nul};
use super::walk::{as_kept, chosen, is_present, option_idx, skip, skip_elements, take_bytes, take_number, take_string};
use crate::class::{ByteOrder, Class, ClassKind, Encoding, FloatClass, Member, StructClass};

/// A field of an event or a packet.
#[derive(Clone, Debug)]
pub struct Field<'e> {
    /// Its name, as it is shown.
    pub name: &'e str,
    /// What it is.
    pub class: &'e Class,
    /// Its value.
    pub value: Value<'e>,
}

/// The value of a field.
#[derive(Clone, Debug)]
pub enum Value<'e> {
    /// A whole number of an unsigned class.
    Unsigned(u64),
    /// A whole number of a signed class.
    Signed(i64),
    /// A floating point number, rounded to 64 bits if it has more.
    Float(f64),
    /// Whether any bit is set.
    Bool(bool),
    /// Bits without a number's meaning.
    Bits(u64),
    /// Text without its NUL.
    Text(Text<'e>),
    /// Bytes without meaning.
    Blob(&'e [u8]),
    /// The elements of an array or a sequence.
    Array(Elements<'e>),
    /// The members of a structure.
    Struct(Fields<'e>),
    /// A field, if it is there.
    Optional(Option<Nested<'e>>),
    /// The option of a variant that was chosen, and its name.
    Variant(Option<&'e str>, Nested<'e>),
}

impl<'e> Value<'e> {
    /// Returns a whole number, whatever its class: also of a Bool or of bits, and through optionals and variants.
    pub fn integer(&self) -> Option<i128> {
        match self {
            Self::Unsigned(number) | Self::Bits(number) => Some((*number).into()),
            Self::Signed(number) => Some((*number).into()),
            Self::Bool(is_set) => Some((*is_set).into()),
            Self::Optional(Some(nested)) | Self::Variant(_, nested) => nested.value()?.integer(),
            _ => None,
        }
    }

    /// Returns the bytes of text; those of UTF-16 and UTF-32 as UTF-8.
    pub fn text(&self) -> Option<Cow<'e, [u8]>> {
        match self {
            Self::Text(text) => Some(text.utf8()),
            Self::Optional(Some(nested)) | Self::Variant(_, nested) => nested.value()?.text(),
            _ => None,
        }
    }
}

/// Text as it lies in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'e> {
    /// Up to the first NUL; the encoding is not checked.
    pub bytes: &'e [u8],
    /// How it is stored.
    pub encoding: Encoding,
}

impl<'e> Text<'e> {
    /// Returns it as UTF-8; what is no character in UTF-16 or UTF-32 is replaced.
    pub fn utf8(&self) -> Cow<'e, [u8]> {
        let Self { bytes, encoding } = *self;
        let narrow = |order: ByteOrder| {
            let units = bytes.chunks_exact(2).map(|unit| match order {
                ByteOrder::Little => u16::from_le_bytes([unit[0], unit[1]]),
                ByteOrder::Big => u16::from_be_bytes([unit[0], unit[1]]),
            });
            char::decode_utf16(units).map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
        };
        let wide = |order: ByteOrder| {
            let units = bytes.chunks_exact(4).map(|unit| match order {
                ByteOrder::Little => u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]]),
                ByteOrder::Big => u32::from_be_bytes([unit[0], unit[1], unit[2], unit[3]]),
            });
            units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
        };
        Cow::Owned(match encoding {
            Encoding::Utf8 => return Cow::Borrowed(bytes),
            Encoding::Utf16Le => narrow(ByteOrder::Little).into_bytes(),
            Encoding::Utf16Be => narrow(ByteOrder::Big).into_bytes(),
            Encoding::Utf32Le => wide(ByteOrder::Little).into_bytes(),
            Encoding::Utf32Be => wide(ByteOrder::Big).into_bytes(),
        })
    }
}

/// A field inside another, not read yet.
#[derive(Clone, Debug)]
pub struct Nested<'e> {
    class: &'e Class,
    place: Place<'e>,
    slots: Slots<'e>,
}

impl<'e> Nested<'e> {
    /// Returns what it is.
    pub fn class(&self) -> &'e Class {
        self.class
    }

    /// Reads it. It is there, so this fails for no event that a reader gave.
    pub fn value(&self) -> Option<Value<'e>> {
        read(self.class, &mut self.place.clone(), &mut self.slots.clone()).ok()
    }
}

/// The elements of an array, read one by one.
#[derive(Clone, Debug)]
pub struct Elements<'e> {
    class: &'e Class,
    left: u64,
    place: Place<'e>,
    slots: Slots<'e>,
}

impl<'e> Elements<'e> {
    /// Returns the class of each.
    pub fn class(&self) -> &'e Class {
        self.class
    }

    /// Returns the number of elements that are left.
    pub fn len(&self) -> u64 {
        self.left
    }

    /// Tells whether none is left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'e> Iterator for Elements<'e> {
    type Item = Value<'e>;

    fn next(&mut self) -> Option<Value<'e>> {
        self.left = self.left.checked_sub(1)?;
        read(self.class, &mut self.place, &mut self.slots).ok()
    }
}

/// The members of a structure, read one by one.
#[derive(Clone, Debug)]
pub struct Fields<'e> {
    members: std::slice::Iter<'e, Member>,
    place: Place<'e>,
    slots: Slots<'e>,
}

impl<'e> Fields<'e> {
    /// Returns the members of `class`, the first of which begins at `place` or behind its padding.
    pub(crate) fn new(class: &'e StructClass, mut place: Place<'e>, slots: Slots<'e>) -> Self {
        place.align(class.align_bits.max(1));
        Self { members: class.members.iter(), place, slots }
    }

    /// Returns no members.
    pub(crate) fn none() -> Self {
        Self { members: [].iter(), place: Place { bytes: &[], pos: 0, end: 0 }, slots: Slots::Borrowed(&[]) }
    }

    /// Returns the value of the first member that is called `name`; those before it are passed without being read.
    pub fn get(mut self, name: &str) -> Option<Value<'e>> {
        loop {
            let member = self.members.next()?;
            if member.name == name {
                return self.read(member);
            }
            self.pass(member)?;
        }
    }

    /// Returns the value of the member at index `idx` from here; those before it are passed without being read.
    pub fn at(mut self, idx: usize) -> Option<Field<'e>> {
        self.nth(idx)
    }

    fn read(&mut self, member: &'e Member) -> Option<Value<'e>> {
        if let Some(slot) = member.save
            && let Some(class) = chosen(&member.class, &self.slots).ok()?
            && let Some((number, _)) = take_number(class, &mut self.place.clone()).ok()?
        {
            self.slots.set_slot(slot, as_kept(class, number));
        }
        read(&member.class, &mut self.place, &mut self.slots).ok()
    }

    fn pass(&mut self, member: &Member) -> Option<()> {
        super::walk::skip_member(member, &mut self.place, &mut self.slots, &mut ()).ok()
    }
}

impl<'e> Iterator for Fields<'e> {
    type Item = Field<'e>;

    fn next(&mut self) -> Option<Field<'e>> {
        let member = self.members.next()?;
        let value = self.read(member)?;
        Some(Field { name: &member.name, class: &member.class, value })
    }

    fn nth(&mut self, idx: usize) -> Option<Field<'e>> {
        for _ in 0..idx {
            let member = self.members.next()?;
            self.pass(member)?;
        }
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.members.size_hint()
    }
}

/// Takes a field of `class`.
pub(crate) fn read<'e>(class: &'e Class, place: &mut Place<'e>, slots: &mut Slots<'e>) -> Result<Value<'e>, Damage> {
    place.align(class.align_bits.max(1));
    let text = |bytes, encoding| Value::Text(Text { bytes: until_nul(bytes, encoding), encoding });
    Ok(match &class.kind {
        ClassKind::Integer(integer) => {
            let number = take_number(class, place)?.map_or(0, |(number, _)| number);
            if integer.is_signed { Value::Signed(number as i64) } else { Value::Unsigned(number) }
        }
        ClassKind::Bool { .. } => Value::Bool(take_number(class, place)?.is_some_and(|(number, _)| number != 0)),
        ClassKind::BitArray { .. } => Value::Bits(take_number(class, place)?.map_or(0, |(number, _)| number)),
        ClassKind::Float(float) => Value::Float(take_float(float, place)?),
        ClassKind::String(encoding) => Value::Text(Text { bytes: take_string(place, *encoding)?, encoding: *encoding }),
        ClassKind::StaticText(class) => text(take_bytes(place, class.len)?, class.encoding),
        ClassKind::DynamicText(class) => text(take_bytes(place, slots.slot(class.len.slot))?, class.encoding),
        ClassKind::StaticBlob(class) => Value::Blob(take_bytes(place, class.len)?),
        ClassKind::DynamicBlob(class) => Value::Blob(take_bytes(place, slots.slot(class.len.slot))?),
        ClassKind::Array(array) => Value::Array(elements(&array.element, array.len, place, slots)?),
        ClassKind::Sequence(array) => {
            let count = slots.slot(array.len.slot);
            Value::Array(elements(&array.element, count, place, slots)?)
        }
        ClassKind::Struct(inner) => {
            let fields = Fields::new(inner, *place, slots.clone());
            super::program::skip_unseen(inner, place, slots)?;
            Value::Struct(fields)
        }
        ClassKind::Optional(inner) if is_present(inner, slots) => {
            Value::Optional(Some(nested(&inner.class, place, slots)?))
        }
        ClassKind::Optional(_) => Value::Optional(None),
        ClassKind::Variant(variant) => {
            let option = &variant.options[option_idx(variant, slots)?];
            Value::Variant(option.name.as_deref(), nested(&option.class, place, slots)?)
        }
    })
}

fn nested<'e>(class: &'e Class, place: &mut Place<'e>, slots: &mut Slots<'e>) -> Result<Nested<'e>, Damage> {
    let found = Nested { class, place: *place, slots: slots.clone() };
    skip(class, place, slots, &mut ())?;
    Ok(found)
}

fn elements<'e>(
    class: &'e Class,
    left: u64,
    place: &mut Place<'e>,
    slots: &mut Slots<'e>,
) -> Result<Elements<'e>, Damage> {
    let found = Elements { class, left, place: *place, slots: slots.clone() };
    skip_elements(class, left, place, slots, &mut ())?;
    Ok(found)
}

/// Takes a floating point number from its aligned place.
pub(crate) fn take_float(class: &FloatClass, place: &mut Place<'_>) -> Result<f64, Damage> {
    let at = place.pos;
    place.skip(class.bits.into())?;
    let part =
        |at: u64, bits: u32| Layout::new(bits, false, class.byte_order, class.is_bit_reversed).read(place.bytes, at);
    Ok(match class.bits {
        16 => half(part(at, 16) as u16),
        32 => f64::from(f32::from_bits(part(at, 32) as u32)),
        64 => f64::from_bits(part(at, 64)),
        _ => {
            let (first, second) = (part(at, 64), part(at + 64, 64));
            let first_is_high = (class.byte_order == ByteOrder::Big) != class.is_bit_reversed;
            let (high, low) = if first_is_high { (first, second) } else { (second, first) };
            quadruple(u128::from(high) << 64 | u128::from(low))
        }
    })
}

/// Returns the value of a binary16.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let value = match exponent {
        0 => fraction * 2_f64.powi(-24),
        0x1f if bits & 0x3ff == 0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -value } else { value }
}

/// Returns the value of a binary128, cut to 53 bits.
fn quadruple(bits: u128) -> f64 {
    let exponent = (bits >> 112 & 0x7fff) as i64;
    let fraction = (bits >> 60) as u64 & ((1 << 52) - 1);
    let magnitude = match exponent {
        0x7fff if bits << 16 == 0 => f64::INFINITY.to_bits(),
        0x7fff => f64::NAN.to_bits(),
        _ => match exponent - 16_383 + 1023 {
            biased @ 1..=2046 => (biased as u64) << 52 | fraction,
            2047.. => f64::INFINITY.to_bits(),
            biased => {
                let shift = 1 - biased;
                if shift > 52 { 0 } else { (1 << 52 | fraction) >> shift }
            }
        },
    };
    f64::from_bits(magnitude | ((bits >> 127) as u64) << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_16_and_128_bits_become_floats_of_64() {
        assert_eq!(half(0x3c00), 1.0);
        assert_eq!(half(0xc000), -2.0);
        assert_eq!(half(0x7bff), 65504.0);
        assert_eq!(half(0x0001), 2_f64.powi(-24));
        assert_eq!(half(0x7c00), f64::INFINITY);
        assert!(half(0x7e00).is_nan());
        assert_eq!(quadruple(0x3fff << 112), 1.0);
        assert_eq!(quadruple(0xc_0008 << 108), -3.0);
        assert_eq!(quadruple(0), 0.0);
        assert_eq!(quadruple(0x7fff << 112), f64::INFINITY);
        assert_eq!(quadruple(0x7ffe << 112), f64::INFINITY);
        assert_eq!(quadruple((16_383 - 1074) << 112), f64::from_bits(1));
    }
}

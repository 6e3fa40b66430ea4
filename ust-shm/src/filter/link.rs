// SPDX-License-Identifier: MIT OR Apache-2.0
//! Joins a program and the fields of a tracepoint.
//!
//! A linked program is: the header, two words for each reference that say where its value lies, the code as it is in the
//! rules, and the walks. A value lies at a constant offset of the record if everything before it is of fixed size;
//! else a walk says which strings, sequences and options come before it.

use super::{Program, Reference, header};
use crate::decode;
use crate::descriptor::{self, FieldDesc, Integer, Scalar};

/// How a field lies in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One number, also that of an enumeration.
    Scalar(Scalar),
    /// Bytes up to and with a NUL.
    String,
    /// `len` elements.
    Array {
        /// Each of them.
        element: Scalar,
        /// How many.
        len: u32,
        /// Text.
        text: bool,
    },
    /// A 32-bit count, then the elements.
    Sequence {
        /// Each of them.
        element: Scalar,
        /// Text.
        text: bool,
    },
    /// A tag byte, then the number if the tag is 1.
    Optional(Scalar),
}

/// One field, as the linker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldView<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it comes behind the others, for filters alone.
    pub nowrite: bool,
    /// How it lies in the record.
    pub shape: Shape,
}

/// The fields of a tracepoint, in the order of its declaration.
pub trait Fields {
    /// Field `idx`.
    fn field(&self, idx: usize) -> Option<FieldView<'_>>;
}

impl Fields for [FieldDesc] {
    fn field(&self, idx: usize) -> Option<FieldView<'_>> {
        use descriptor::FieldType as Ty;
        let field = self.get(idx)?;
        let shape = match field.ty {
            Ty::Scalar(scalar) => Shape::Scalar(scalar),
            Ty::String => Shape::String,
            Ty::Array { element, len, text } => Shape::Array { element, len, text },
            Ty::Sequence { element, text } => Shape::Sequence { element, text },
            Ty::Enumeration(e) => Shape::Scalar(Scalar::Integer(e.container)),
            Ty::Optional(scalar) => Shape::Optional(scalar),
        };
        Some(FieldView { name: field.name, nowrite: field.nowrite, shape })
    }
}

impl Fields for [decode::Field] {
    fn field(&self, idx: usize) -> Option<FieldView<'_>> {
        use decode::FieldType as Ty;
        let field = self.get(idx)?;
        let shape = match field.ty {
            Ty::Scalar(scalar) => Shape::Scalar(scalar),
            Ty::String => Shape::String,
            Ty::Array { element, len, text } => Shape::Array { element, len, text },
            Ty::Sequence { element, text } => Shape::Sequence { element, text },
            Ty::Enumeration { container, .. } => Shape::Scalar(Scalar::Integer(container)),
            Ty::Optional(scalar) => Shape::Optional(scalar),
        };
        Some(FieldView { name: &field.name, nowrite: field.nowrite, shape })
    }
}

/// Fields in the order in which they lie in a record: those that are not written come last.
fn in_record<F: Fields + ?Sized>(fields: &F) -> impl Iterator<Item = FieldView<'_>> {
    let of = move |nowrite: bool| {
        (0..).map_while(move |idx| fields.field(idx)).filter(move |field| field.nowrite == nowrite)
    };
    of(false).chain(of(true))
}

/// Where a value lies.
pub(super) mod locator {
    pub const MISSING: u8 = 0;
    pub const SCALAR: u8 = 1;
    pub const STRING: u8 = 2;
    pub const ARRAY_TEXT: u8 = 3;
    pub const SEQUENCE_TEXT: u8 = 4;
    pub const OPTIONAL: u8 = 5;
    pub const SEQUENCE_ELEMENT: u8 = 6;
    pub const CONTEXT: u8 = 7;

    /// The first word: kind, number, and the walk before it.
    pub fn pack(kind: u8, scalar: u8, walk_count: u16, walk_at: u32) -> u64 {
        u64::from(kind) | u64::from(scalar) << 8 | u64::from(walk_count) << 16 | u64::from(walk_at) << 32
    }
}

/// A step of a walk: this many bytes, then something of variable size.
pub(super) mod walk {
    pub const STRING: u8 = 1;
    pub const SEQUENCE: u8 = 2;
    pub const OPTIONAL: u8 = 3;

    pub fn pack(kind: u8, size: u8, before: u32) -> u64 {
        u64::from(kind) | u64::from(size) << 8 | u64::from(before) << 32
    }
}

/// Bits of a scalar's byte in a locator; the low two are the logarithm of its size.
pub(super) mod scalar {
    pub const SIGNED: u8 = 4;
    pub const NETWORK: u8 = 8;
    pub const FLOAT: u8 = 16;
}

fn scalar_byte(of: Scalar) -> u8 {
    let size = |bits: u8| (bits / 8).trailing_zeros() as u8 & 3;
    match of {
        Scalar::Integer(Integer { bits, signed, network, .. }) => {
            let sign = if signed { scalar::SIGNED } else { 0 };
            size(bits) | sign | if network { scalar::NETWORK } else { 0 }
        }
        Scalar::Float { bits } => size(bits) | scalar::FLOAT,
    }
}

fn scalar_bytes(of: Scalar) -> u8 {
    match of {
        Scalar::Integer(Integer { bits, .. }) | Scalar::Float { bits } => bits / 8,
    }
}

/// A value's place, before its walk has one.
struct Place {
    kind: u8,
    scalar: u8,
    walk_count: u16,
    offset: u32,
    argument: u32,
}

impl Place {
    const MISSING: Self = Self { kind: locator::MISSING, scalar: 0, walk_count: 0, offset: 0, argument: 0 };
}

/// Finds a reference; hands the steps of its walk to `step`. `None` where the record is beyond all limits.
fn find<F: Fields + ?Sized>(reference: Reference<'_>, fields: &F, step: &mut impl FnMut(u64)) -> Option<Place> {
    let (name, element_idx) = match reference {
        Reference::Missing => return Some(Place::MISSING),
        Reference::Context(context) => {
            return Some(Place { kind: locator::CONTEXT, argument: u32::from(context.code()), ..Place::MISSING });
        }
        Reference::Field(name) => (name, None),
        Reference::Element(name, idx) => (name, Some(idx)),
    };
    if in_record(fields).all(|field| field.name != name) {
        return Some(Place::MISSING);
    }
    let mut offset = 0u32;
    let mut walk_count = 0u16;
    for field in in_record(fields) {
        if field.name == name {
            return Some(place_of(field.shape, element_idx, offset, walk_count));
        }
        let variable = match field.shape {
            Shape::Scalar(scalar) => {
                offset = offset.checked_add(u32::from(scalar_bytes(scalar)))?;
                continue;
            }
            Shape::Array { element, len, .. } => {
                offset = offset.checked_add(u32::from(scalar_bytes(element)).checked_mul(len)?)?;
                continue;
            }
            Shape::String => (walk::STRING, 0),
            Shape::Sequence { element, .. } => (walk::SEQUENCE, scalar_bytes(element)),
            Shape::Optional(scalar) => (walk::OPTIONAL, scalar_bytes(scalar)),
        };
        step(walk::pack(variable.0, variable.1, offset));
        walk_count = walk_count.checked_add(1)?;
        offset = 0;
    }
    None
}

fn place_of(shape: Shape, element_idx: Option<u32>, offset: u32, walk_count: u16) -> Place {
    let place = |kind, scalar, argument| Place { kind, scalar, walk_count, offset, argument };
    match (shape, element_idx) {
        (Shape::Scalar(scalar), None) => place(locator::SCALAR, scalar_byte(scalar), 0),
        (Shape::Optional(scalar), None) => place(locator::OPTIONAL, scalar_byte(scalar), 0),
        (Shape::String, None) => place(locator::STRING, 0, 0),
        (Shape::Array { len, text: true, .. }, None) => place(locator::ARRAY_TEXT, 0, len),
        (Shape::Sequence { text: true, .. }, None) => place(locator::SEQUENCE_TEXT, 0, 0),
        (Shape::Array { element, len, .. }, Some(idx)) if idx < len => {
            let ahead = idx.checked_mul(u32::from(scalar_bytes(element))).and_then(|ahead| offset.checked_add(ahead));
            match ahead {
                Some(offset) => Place { offset, ..place(locator::SCALAR, scalar_byte(element), 0) },
                None => Place::MISSING,
            }
        }
        (Shape::Sequence { element, .. }, Some(idx)) => place(locator::SEQUENCE_ELEMENT, scalar_byte(element), idx),
        _ => Place::MISSING,
    }
}

/// Hands the words of `program`, linked to `fields`, to `out`. `None` where the tracepoint's records are beyond all limits.
#[must_use]
pub fn link<F: Fields + ?Sized>(program: &Program<'_>, fields: &F, out: &mut impl FnMut(u64)) -> Option<()> {
    let count = program.reference_count();
    out(header::pack(program.code_words(), count, program.depth()));
    let mut walk_at = 1 + 2 * u32::from(count) + program.code_words();
    for reference in program.references() {
        let place = find(reference, fields, &mut |_| {})?;
        out(locator::pack(place.kind, place.scalar, place.walk_count, walk_at));
        out(u64::from(place.offset) | u64::from(place.argument) << 32);
        walk_at += u32::from(place.walk_count);
    }
    program.code().for_each(&mut *out);
    for reference in program.references() {
        // A reference that is missing has no walk; what was walked to find that is not stored.
        let place = find(reference, fields, &mut |_| {})?;
        if place.walk_count > 0 {
            find(reference, fields, out)?;
        }
    }
    Some(())
}

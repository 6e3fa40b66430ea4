// SPDX-License-Identifier: MIT OR Apache-2.0
//! Classes of fields.

use std::sync::Arc;

use super::{Base, ByteOrder, Role};

/// Number under which a decoder keeps the value of a field that others refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

/// What the bits of a field mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// A field begins at a multiple of this many bits from the begin of its packet; a power of two.
    ///
    /// For a structure or an array it is that of its own metadata and of all that is in it; an optional and a
    /// variant have 1, since what is inside aligns itself.
    pub align_bits: u64,
    /// What it is.
    pub kind: ClassKind,
}

/// What a field is.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassKind {
    /// 1 to 64 bits, or a variable number of bytes.
    Integer(IntegerClass),
    /// IEEE 754.
    Float(FloatClass),
    /// CTF 2: 1 to 64 bits, false if they are all zero.
    Bool {
        /// Number of bits.
        bits: u32,
        /// Order of its bytes.
        byte_order: ByteOrder,
        /// Order of bits in a byte is that of the other byte order.
        is_bit_reversed: bool,
    },
    /// CTF 2: 1 to 64 bits without a number's meaning, shown in base 16. With `flags`, a bit map.
    BitArray {
        /// Number of bits.
        bits: u32,
        /// Order of its bytes.
        byte_order: ByteOrder,
        /// Order of bits in a byte is that of the other byte order.
        is_bit_reversed: bool,
        /// Names of bit ranges, in the order of the metadata; empty for a plain bit array.
        flags: Arc<[BitMapFlag]>,
    },
    /// Text up to a NUL code unit.
    String(Encoding),
    /// Text in a fixed number of bytes; ends at the first NUL, if any.
    StaticText(TextClass<u64>),
    /// Text whose number of bytes another field says; ends at the first NUL, if any.
    DynamicText(TextClass<Length>),
    /// CTF 2: bytes without meaning, a fixed number of them.
    StaticBlob(BlobClass<u64>),
    /// CTF 2: bytes without meaning, as many as another field says.
    DynamicBlob(BlobClass<Length>),
    /// A fixed number of elements.
    Array(ArrayClass<u64>),
    /// As many elements as another field says.
    Sequence(ArrayClass<Length>),
    /// Members one after the other.
    Struct(StructClass),
    /// CTF 2: a field, if another one says so.
    Optional(OptionalClass),
    /// One of several fields, as another one says.
    Variant(VariantClass),
}

/// A class of whole numbers; with `mappings`, an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub struct IntegerClass {
    /// 1 to 64; 0: variable length (LEB128), which is always aligned to bytes and at most 64 bits of value.
    pub bits: u32,
    /// Two's complement if set.
    pub is_signed: bool,
    /// Order of its bytes. Bits fill bytes from the least significant one in little endian, from the most
    /// significant one in big endian.
    pub byte_order: ByteOrder,
    /// CTF 2 `bit-order`: bits fill bytes from the other side than `byte_order` would have it.
    pub is_bit_reversed: bool,
    /// Base in which it is shown.
    pub base: Base,
    /// Labels in the order in which they are shown; empty unless it is an enumeration.
    pub mappings: Arc<[Mapping]>,
    /// Whether it is an enumeration; one without labels is possible.
    pub is_enumeration: bool,
}

/// A class of IEEE 754 numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatClass {
    /// 16, 32, 64 or 128.
    pub bits: u32,
    /// Order of its bytes.
    pub byte_order: ByteOrder,
    /// CTF 2 `bit-order`, as for integers.
    pub is_bit_reversed: bool,
}

/// Values with a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// What is shown.
    pub label: String,
    /// The values, at least one range.
    pub ranges: Vec<Range>,
}

/// The numbers `low..=high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First value.
    pub low: i128,
    /// Last value.
    pub high: i128,
}

impl Range {
    /// Tells whether `value` is in it.
    #[must_use]
    pub fn contains(self, value: i128) -> bool {
        self.low <= value && value <= self.high
    }
}

/// A name of bits of a bit map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitMapFlag {
    /// What is shown if one of them is set.
    pub label: String,
    /// Bit numbers from 0, the least significant.
    pub ranges: Vec<Range>,
}

/// How text is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Also ASCII.
    #[default]
    Utf8,
    /// Code units of 16 bits, little endian.
    Utf16Le,
    /// Code units of 16 bits, big endian.
    Utf16Be,
    /// Code units of 32 bits, little endian.
    Utf32Le,
    /// Code units of 32 bits, big endian.
    Utf32Be,
}

/// How many elements or bytes there are, said by another field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Where its value is kept.
    pub slot: Slot,
}

/// Text of a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextClass<L> {
    /// Bytes.
    pub len: L,
    /// How it is stored.
    pub encoding: Encoding,
}

/// Bytes without meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobClass<L> {
    /// Bytes.
    pub len: L,
    /// What they are, for example `image/png`.
    pub media_type: String,
}

/// Elements of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayClass<L> {
    /// Number of elements.
    pub len: L,
    /// Class of each.
    pub element: Arc<Class>,
}

/// Members one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StructClass {
    /// As for [`Class::align_bits`].
    pub align_bits: u64,
    /// In order.
    pub members: Vec<Member>,
}

/// A member of a structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Name as it is shown: CTF 1.8 names have lost one leading underscore.
    pub name: String,
    /// What it is.
    pub class: Arc<Class>,
    /// Keep its value here: later fields refer to it. An enumeration's or integer's value as 64 bits, a Bool's as 0 or 1.
    ///
    /// CTF 2: of an optional or a variant, the value of the option that is there, if it is one of these; else nothing is kept.
    pub save: Option<Slot>,
    /// What a reader uses it for; of an optional or a variant as for `save`.
    pub role: Option<Role>,
}

/// Which values of the selector field choose something.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// Where its value is kept.
    pub slot: Slot,
    /// Whether the kept 64 bits are two's complement.
    pub is_signed: bool,
}

/// A field that may be absent.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionalClass {
    /// Who says so.
    pub selector: Selector,
    /// It is present if the selector is in one of these.
    pub ranges: Vec<Range>,
    /// What it is.
    pub class: Arc<Class>,
}

/// One of several fields.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantClass {
    /// Who says which.
    pub selector: Selector,
    /// The first one whose ranges have the selector is it.
    pub options: Vec<VariantOption>,
}

/// A choice of a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantOption {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Values of the selector.
    pub ranges: Vec<Range>,
    /// What it is.
    pub class: Arc<Class>,
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The form that a filter has in `rules`: code, and fields by name.

use crate::context::Context;
use crate::limits::{FILTER_BYTES_MAX, FILTER_REFERENCE_COUNT_MAX, FILTER_STACK_MAX, STRING_BYTES_MAX};

/// Bytes before the code.
const HEADER_BYTES: usize = 8;

/// Version of the format, in the header.
const VERSION: u8 = 1;

/// Numbers of operations and kinds of references, as stored.
pub(crate) mod code {
    pub const INTEGER: u8 = 1;
    pub const FLOAT: u8 = 2;
    pub const TEXT: u8 = 3;
    pub const PATTERN: u8 = 4;
    pub const REFERENCE: u8 = 5;
    pub const UNARY: u8 = 6;
    pub const COMPARE: u8 = 7;
    pub const BITS: u8 = 8;
    pub const AND: u8 = 9;
    pub const OR: u8 = 10;
    pub const TRUTH: u8 = 11;
    pub const COMPARE_INTEGER: u8 = 12;

    pub const MISSING: u8 = 0;
    pub const FIELD: u8 = 1;
    pub const ELEMENT: u8 = 2;
    pub const CONTEXT: u8 = 3;
}

/// The words of a header, in a program and before linked code.
pub(crate) mod header {
    pub const fn pack(code_words: u32, reference_count: u16, depth: u8) -> u64 {
        let counts = code_words as u64 | (reference_count as u64) << 32;
        counts | (depth as u64) << 48 | (super::VERSION as u64) << 56
    }

    /// Code words, references, stack depth; `None` for another version.
    #[inline]
    pub fn unpack(word: u64) -> Option<(u32, u16, u8)> {
        ((word >> 56) as u8 == super::VERSION).then_some((word as u32, (word >> 32) as u16, (word >> 48) as u8))
    }
}

/// A checked program over bytes of the rules.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    code: &'a [u8],
    references: &'a [u8],
    reference_count: u16,
    depth: u8,
}

/// What a program refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// Something that no event has.
    Missing,
    /// A field, as a whole.
    Field(&'a str),
    /// An element of a field.
    Element(&'a str, u32),
    /// A context.
    Context(Context),
}

impl<'a> Program<'a> {
    /// Checks the shape of a program: sizes, and its references. What its code does is checked where it runs.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > FILTER_BYTES_MAX {
            return None;
        }
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let (code_words, reference_count, depth) = header::unpack(u64::from_le_bytes(*header))?;
        let (code, references) = rest.split_at_checked((code_words as usize).checked_mul(8)?)?;
        let program = Self { code, references, reference_count, depth };
        let valid = !code.is_empty()
            && usize::from(depth) <= FILTER_STACK_MAX
            && usize::from(reference_count) <= FILTER_REFERENCE_COUNT_MAX
            && program.references().count() == usize::from(reference_count);
        valid.then_some(program)
    }

    /// The code, word by word.
    pub fn code(&self) -> impl Iterator<Item = u64> + use<'a> {
        let (words, _) = self.code.as_chunks::<8>();
        words.iter().map(|word| u64::from_le_bytes(*word))
    }

    /// Words of the code.
    #[must_use]
    pub fn code_words(&self) -> u32 {
        (self.code.len() / 8) as u32
    }

    /// Values that the code has on its stack at most.
    #[must_use]
    pub const fn depth(&self) -> u8 {
        self.depth
    }

    /// How many references there are.
    #[must_use]
    pub const fn reference_count(&self) -> u16 {
        self.reference_count
    }

    /// The references, by index. Ends early at a malformed one.
    pub fn references(&self) -> impl Iterator<Item = Reference<'a>> + use<'a> {
        let mut rest = self.references;
        let mut left = self.reference_count;
        core::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            reference(&mut rest)
        })
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(head)
}

fn reference<'a>(rest: &mut &'a [u8]) -> Option<Reference<'a>> {
    let name = |rest: &mut &'a [u8]| {
        let len = usize::from(u16::from_le_bytes(*take::<2>(rest)?));
        let (name, tail) = rest.split_at_checked(len)?;
        *rest = tail;
        core::str::from_utf8(name).ok()
    };
    let [kind] = *take::<1>(rest)?;
    Some(match kind {
        code::MISSING => Reference::Missing,
        code::FIELD => Reference::Field(name(rest)?),
        code::ELEMENT => Reference::Element(name(rest)?, u32::from_le_bytes(*take::<4>(rest)?)),
        code::CONTEXT => Reference::Context(Context::from_code(take::<1>(rest)?[0])?),
        _ => return None,
    })
}

/// An operation of a program, on a stack of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op<'a> {
    /// Pushes an integer.
    Integer(i64),
    /// Pushes a float.
    Float(f64),
    /// Pushes a text.
    Text(&'a [u8]),
    /// Pushes a pattern: `*` matches any run of bytes, `\` takes the next one literally.
    Pattern(&'a [u8]),
    /// Pushes the value of the reference with this index.
    Reference(u16),
    /// Replaces the value on top.
    Unary(Unary),
    /// Compares the two values on top.
    Compare(Comparison),
    /// Combines the bits of the two values on top: `|`, `^`, `&`, `<<`, `>>`.
    Bits(u8),
    /// Replaces the value on top by 0 or 1.
    Truth,
    /// Compares the reference with this index with an integer.
    CompareInteger(Comparison, u16, i64),
}

/// Operations on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Unary {
    Plus = 0,
    Minus = 1,
    Not = 2,
    Complement = 3,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal = 0,
    NotEqual = 1,
    Less = 2,
    Greater = 3,
    LessOrEqual = 4,
    GreaterOrEqual = 5,
}

impl Unary {
    /// The operation with this number.
    #[inline]
    #[must_use]
    pub const fn from_u8(n: u8) -> Option<Self> {
        match n {
            0 => Some(Self::Plus),
            1 => Some(Self::Minus),
            2 => Some(Self::Not),
            3 => Some(Self::Complement),
            _ => None,
        }
    }
}

impl Comparison {
    /// The comparison with this number.
    #[inline]
    #[must_use]
    pub const fn from_u8(n: u8) -> Option<Self> {
        match n {
            0 => Some(Self::Equal),
            1 => Some(Self::NotEqual),
            2 => Some(Self::Less),
            3 => Some(Self::Greater),
            4 => Some(Self::LessOrEqual),
            5 => Some(Self::GreaterOrEqual),
            _ => None,
        }
    }
}

/// Makes the bytes of a program. Consumer side.
#[derive(Clone, Debug, Default)]
pub struct ProgramBuilder {
    code: Vec<u64>,
    references: Vec<u8>,
    reference_count: u16,
}

/// A program is larger than [`FILTER_BYTES_MAX`], has too many references, or needs too deep a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

fn word(op: u8, a: u8, b: u16, c: u32) -> u64 {
    u64::from(op) | u64::from(a) << 8 | u64::from(b) << 16 | u64::from(c) << 32
}

impl ProgramBuilder {
    /// Appends an operation.
    pub fn op(&mut self, op: &Op<'_>) {
        match *op {
            Op::Integer(value) => self.code.extend([word(code::INTEGER, 0, 0, 0), value as u64]),
            Op::Float(value) => self.code.extend([word(code::FLOAT, 0, 0, 0), value.to_bits()]),
            Op::Text(text) => self.text(code::TEXT, text),
            Op::Pattern(pattern) => self.text(code::PATTERN, pattern),
            Op::Reference(idx) => self.code.push(word(code::REFERENCE, 0, idx, 0)),
            Op::Unary(unary) => self.code.push(word(code::UNARY, unary as u8, 0, 0)),
            Op::Compare(comparison) => self.code.push(word(code::COMPARE, comparison as u8, 0, 0)),
            Op::Bits(operator) => self.code.push(word(code::BITS, operator, 0, 0)),
            Op::Truth => self.code.push(word(code::TRUTH, 0, 0, 0)),
            Op::CompareInteger(comparison, idx, value) => {
                self.code.extend([word(code::COMPARE_INTEGER, comparison as u8, idx, 0), value as u64]);
            }
        }
    }

    fn text(&mut self, op: u8, text: &[u8]) {
        self.code.push(word(op, 0, 0, text.len() as u32));
        let padded = |chunk: &[u8]| {
            let mut bytes = [0; 8];
            for (place, byte) in bytes.iter_mut().zip(chunk) {
                *place = *byte;
            }
            u64::from_le_bytes(bytes)
        };
        self.code.extend(text.chunks(8).map(padded));
    }

    /// Appends the `&&` (or `||`) that looks at its left operand, on top of the stack, and passes over the right one if that settles it.
    /// Returns what [`ProgramBuilder::end_of_right`] wants.
    pub fn short_circuit(&mut self, is_or: bool) -> usize {
        self.code.push(word(if is_or { code::OR } else { code::AND }, 0, 0, 0));
        self.code.len()
    }

    /// Ends the right operand of the `&&` or `||` that gave `begin`.
    pub fn end_of_right(&mut self, begin: usize) {
        self.op(&Op::Truth);
        let skipped = (self.code.len() - begin) as u64;
        if let Some(jump) = begin.checked_sub(1).and_then(|at| self.code.get_mut(at)) {
            *jump |= skipped << 32;
        }
    }

    /// Appends a reference; the code knows it by its index.
    pub fn reference(&mut self, reference: &Reference<'_>) {
        self.reference_count = self.reference_count.saturating_add(1);
        let out = &mut self.references;
        let mut name = |kind: u8, name: &str| {
            let name = name.get(..name.len().min(STRING_BYTES_MAX)).unwrap_or_default();
            out.push(kind);
            out.extend((name.len() as u16).to_le_bytes());
            out.extend(name.as_bytes());
        };
        match reference {
            Reference::Missing => out.push(code::MISSING),
            Reference::Field(field) => name(code::FIELD, field),
            Reference::Element(field, idx) => {
                name(code::ELEMENT, field);
                out.extend(idx.to_le_bytes());
            }
            Reference::Context(context) => out.extend([code::CONTEXT, context.code()]),
        }
    }

    /// The bytes of the program, which needs a stack of `depth` values.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn build(self, depth: usize) -> Result<Vec<u8>, TooLarge> {
        let depth = u8::try_from(depth).map_err(|_| TooLarge)?;
        let mut out = header::pack(self.code.len() as u32, self.reference_count, depth).to_le_bytes().to_vec();
        out.extend(self.code.iter().flat_map(|word| word.to_le_bytes()));
        out.extend(self.references);
        if Program::parse(&out).is_none() {
            return Err(TooLarge);
        }
        Ok(out)
    }
}

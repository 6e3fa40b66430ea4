// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a linked program over one record. The words lie in shared memory: each is loaded once, by a Relaxed atomic load (the load of the
//! filter word that led here is an Acquire), and checked where it is used.
//!
//! Steps are bounded by the program's length, since jumps go forward only; a comparison of texts is bounded by their lengths.

use core::cmp::Ordering;

use super::link::{locator, scalar, walk};
use super::{Comparison, Unary, code, header};
use crate::context::Context;
use crate::glob;
use crate::limits::FILTER_STACK_MAX;
use crate::region::Words;

/// Depth that nearly all programs keep to; the stack is filled in for each event, so it is not larger than need be.
const SMALL_STACK: usize = 4;

/// What a program asks for besides the record.
pub trait ContextSource {
    /// The value of a context at this moment; `None` where there is none.
    fn context(&self, context: Context) -> Option<ContextValue<'_>>;
}

/// The value of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextValue<'a> {
    /// 64 bits, two's complement.
    Integer(i64),
    /// Up to the first NUL, if there is one.
    Text(&'a [u8]),
}

/// The program is none, or does not go with the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// Why a program ends before its end.
enum Stop {
    /// A field is missing or of the wrong kind: the filter says no.
    No,
    Corrupt,
}

impl From<Corrupt> for Stop {
    fn from(_: Corrupt) -> Self {
        Self::Corrupt
    }
}

/// A value on the stack: two registers.
#[derive(Clone, Copy)]
struct Value {
    kind: Kind,
    bits: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Float,
    /// Text in the record: first byte, then (high half) how many.
    Text,
    /// The text of a context: its code.
    Context,
    /// Text in the program: first word, then (high half) bytes.
    Constant,
    /// Likewise, with stars.
    Pattern,
}

impl Value {
    fn integer(value: i64) -> Self {
        Self { kind: Kind::Integer, bits: value as u64 }
    }

    fn float(value: f64) -> Self {
        Self { kind: Kind::Float, bits: value.to_bits() }
    }

    fn span(kind: Kind, at: u32, len: u32) -> Self {
        Self { kind, bits: u64::from(at) | u64::from(len) << 32 }
    }
}

/// Asks the linked program in `words` about a record in private memory.
///
/// # Errors
/// [`Corrupt`]: the event is to be rejected and counted.
#[inline]
pub fn run(words: Words, record: &[u8], contexts: &impl ContextSource) -> Result<bool, Corrupt> {
    let header = words.load(0).ok_or(Corrupt)?;
    let (code_words, reference_count, depth) = header::unpack(header).ok_or(Corrupt)?;
    let code_at = 1 + 2 * u32::from(reference_count);
    let code_end = code_at.checked_add(code_words).ok_or(Corrupt)?;
    let machine = Machine { words, record, contexts, reference_count, code_end };
    let answer = if usize::from(depth) <= SMALL_STACK {
        machine.run::<SMALL_STACK>(code_at)
    } else {
        machine.run::<FILTER_STACK_MAX>(code_at)
    };
    match answer {
        Ok(accepts) => Ok(accepts),
        Err(Stop::No) => Ok(false),
        Err(Stop::Corrupt) => Err(Corrupt),
    }
}

/// The commonest program: a comparison of an integer at a constant offset with a constant.
///
/// It needs no stack, and of the record no more than the integer, so that events that such a filter rejects cost little more than what they
/// would have without it.
#[derive(Clone, Copy, Debug)]
pub struct SoleComparison {
    comparison: Comparison,
    at: usize,
    scalar: u8,
    right: i64,
}

impl SoleComparison {
    /// The program in `words`, if it is such a one.
    #[inline(always)]
    #[must_use]
    pub fn load(words: Words) -> Option<Self> {
        // Header, the two words of the reference, the operation, the constant.
        const WORDS: u32 = 5;
        const HEADER: u64 = header::pack(2, 1, 0);
        /// All but the depth.
        const HEADER_MASK: u64 = !(0xff << 48);
        /// Kind, walk, and whether it is a float.
        const PLACE_MASK: u64 = 0xffff_0000 | (scalar::FLOAT as u64) << 8 | 0xff;
        /// Operation and reference.
        const OP_MASK: u64 = 0xffff_00ff;
        let words = words.part(0, WORDS)?;
        let [header, first, second, op, right] = [0, 1, 2, 3, 4].map(|idx| words.load(idx).unwrap_or(0));
        let fits = header & HEADER_MASK == HEADER
            && first & PLACE_MASK == locator::SCALAR as u64
            && op & OP_MASK == u64::from(code::COMPARE_INTEGER);
        if !fits {
            return None;
        }
        let comparison = Comparison::from_u8((op >> 8) as u8)?;
        Some(Self { comparison, at: second as u32 as usize, scalar: (first >> 8) as u8, right: right as i64 })
    }

    /// Where in a record the integer lies.
    #[inline(always)]
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// The answer for a number of so many bytes, as it is stored, with zeros behind it; `None` where the integer has another size.
    #[inline(always)]
    #[must_use]
    pub fn run(&self, word: u64, bytes: usize) -> Option<bool> {
        (bytes == 1 << (self.scalar & 3)).then(|| self.holds(as_integer(word, self.scalar)))
    }

    /// The answer for a record; `None` where that ends before the integer.
    #[inline(always)]
    #[must_use]
    pub fn run_on(&self, record: &[u8]) -> Option<bool> {
        integer(record, self.at, self.scalar).map(|left| self.holds(left))
    }

    #[inline(always)]
    fn holds(&self, left: i64) -> bool {
        holds(self.comparison, Some(left.cmp(&self.right)))
    }
}

struct Machine<'a, C> {
    words: Words,
    record: &'a [u8],
    contexts: &'a C,
    reference_count: u16,
    code_end: u32,
}

/// Kinds and bits apart: a value that was stored in two pieces and loaded as one would wait for both.
struct Stack<const DEPTH: usize> {
    kinds: [Kind; DEPTH],
    bits: [u64; DEPTH],
    len: usize,
}

impl<const DEPTH: usize> Stack<DEPTH> {
    #[inline(always)]
    fn push(&mut self, value: Value) -> Result<(), Stop> {
        match (self.kinds.get_mut(self.len), self.bits.get_mut(self.len)) {
            (Some(kind), Some(bits)) => (*kind, *bits) = (value.kind, value.bits),
            _ => return Err(Stop::Corrupt),
        }
        self.len += 1;
        Ok(())
    }

    #[inline(always)]
    fn pop(&mut self) -> Result<Value, Stop> {
        self.len = self.len.checked_sub(1).ok_or(Stop::Corrupt)?;
        match (self.kinds.get(self.len), self.bits.get(self.len)) {
            (Some(&kind), Some(&bits)) => Ok(Value { kind, bits }),
            _ => Err(Stop::Corrupt),
        }
    }
}

impl<'a, C: ContextSource> Machine<'a, C> {
    #[inline(always)]
    fn word(&self, idx: u32) -> Result<u64, Stop> {
        self.words.load(idx).ok_or(Stop::Corrupt)
    }

    #[inline(never)]
    fn run<const DEPTH: usize>(&self, code_at: u32) -> Result<bool, Stop> {
        let mut stack = Stack { kinds: [Kind::Integer; DEPTH], bits: [0; DEPTH], len: 0 };
        let mut at = code_at;
        while at < self.code_end {
            at = self.step(&mut stack, at)?;
        }
        let answer = truth(stack.pop()?)?;
        if at == self.code_end && stack.len == 0 { Ok(answer) } else { Err(Stop::Corrupt) }
    }

    /// Does the operation at word `at`; returns where the next one is, always further on.
    #[inline(always)]
    fn step<const DEPTH: usize>(&self, stack: &mut Stack<DEPTH>, at: u32) -> Result<u32, Stop> {
        let word = self.word(at)?;
        let (op, a, b, c) = (word as u8, (word >> 8) as u8, (word >> 16) as u16, (word >> 32) as u32);
        let next = at.checked_add(1).ok_or(Stop::Corrupt)?;
        match op {
            code::COMPARE_INTEGER => {
                let comparison = Comparison::from_u8(a).ok_or(Stop::Corrupt)?;
                let right = self.word(next)? as i64;
                let is_true = match self.plain_integer(b)? {
                    Some(left) => holds(comparison, Some(left.cmp(&right))),
                    None => self.compare(comparison, self.reference(b)?, Value::integer(right))?,
                };
                stack.push(Value::integer(is_true.into()))?;
                return next.checked_add(1).ok_or(Stop::Corrupt);
            }
            code::INTEGER => {
                stack.push(Value::integer(self.word(next)? as i64))?;
                return next.checked_add(1).ok_or(Stop::Corrupt);
            }
            code::FLOAT => {
                stack.push(Value { kind: Kind::Float, bits: self.word(next)? })?;
                return next.checked_add(1).ok_or(Stop::Corrupt);
            }
            code::TEXT | code::PATTERN => {
                let end = next.checked_add(c.div_ceil(8)).filter(|end| *end <= self.code_end).ok_or(Stop::Corrupt)?;
                stack.push(Value::span(if op == code::TEXT { Kind::Constant } else { Kind::Pattern }, next, c))?;
                return Ok(end);
            }
            code::REFERENCE => stack.push(self.reference(b)?)?,
            code::UNARY => {
                let value = stack.pop()?;
                stack.push(unary(Unary::from_u8(a).ok_or(Stop::Corrupt)?, value)?)?;
            }
            code::COMPARE => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                let is_true = self.compare(Comparison::from_u8(a).ok_or(Stop::Corrupt)?, left, right)?;
                stack.push(Value::integer(is_true.into()))?;
            }
            code::BITS => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                stack.push(Value::integer(bitwise(a, bits(left)?, bits(right)?)? as i64))?;
            }
            code::AND | code::OR => {
                if truth(stack.pop()?)? == (op == code::OR) {
                    stack.push(Value::integer(i64::from(op == code::OR)))?;
                    return next.checked_add(c).filter(|end| *end <= self.code_end).ok_or(Stop::Corrupt);
                }
            }
            code::TRUTH => {
                let is_true = truth(stack.pop()?)?;
                stack.push(Value::integer(is_true.into()))?;
            }
            _ => return Err(Stop::Corrupt),
        }
        Ok(next)
    }

    /// The value of reference `idx` if it is an integer at a constant offset, as most are.
    #[inline(always)]
    fn plain_integer(&self, idx: u16) -> Result<Option<i64>, Stop> {
        let at = 1 + 2 * u32::from(idx);
        let (first, second) = (self.word(at)?, self.word(at + 1)?);
        let (kind, scalar, walk_count) = (first as u8, (first >> 8) as u8, (first >> 16) as u16);
        if kind != locator::SCALAR || walk_count != 0 || scalar & scalar::FLOAT != 0 || idx >= self.reference_count {
            return Ok(None);
        }
        self.integer(second as u32 as usize, scalar).map(Some)
    }

    /// The value of reference `idx`.
    fn reference(&self, idx: u16) -> Result<Value, Stop> {
        if idx >= self.reference_count {
            return Err(Stop::Corrupt);
        }
        let at = 1 + 2 * u32::from(idx);
        let (first, second) = (self.word(at)?, self.word(at + 1)?);
        let (kind, scalar, walk_count) = (first as u8, (first >> 8) as u8, (first >> 16) as u16);
        let (offset, argument) = (second as u32 as usize, (second >> 32) as u32);
        let at = match walk_count {
            0 => offset,
            count => self.walk((first >> 32) as u32, count)?.checked_add(offset).ok_or(Stop::Corrupt)?,
        };
        Ok(match kind {
            locator::SCALAR => self.scalar(at, scalar)?,
            locator::STRING => self.record_text(at, self.until_nul(at)?.len()),
            locator::ARRAY_TEXT => self.record_text(at, before_nul(self.bytes(at, argument as usize)?).len()),
            locator::SEQUENCE_TEXT => {
                let count = self.count(at)?;
                self.record_text(at + 4, before_nul(self.bytes(at + 4, count)?).len())
            }
            locator::SEQUENCE_ELEMENT => {
                if argument as usize >= self.count(at)? {
                    return Err(Stop::No);
                }
                let ahead = (argument as usize).checked_mul(1 << (scalar & 3)).ok_or(Stop::Corrupt)?;
                self.scalar((at + 4).checked_add(ahead).ok_or(Stop::Corrupt)?, scalar)?
            }
            locator::OPTIONAL => match self.bytes(at, 1)? {
                [0] => return Err(Stop::No),
                _ => self.scalar(at + 1, scalar)?,
            },
            locator::CONTEXT => {
                let context = u8::try_from(argument).ok().and_then(Context::from_code).ok_or(Stop::Corrupt)?;
                match self.contexts.context(context).ok_or(Stop::No)? {
                    ContextValue::Integer(value) => Value::integer(value),
                    ContextValue::Text(_) => Value { kind: Kind::Context, bits: u64::from(argument) },
                }
            }
            locator::MISSING => return Err(Stop::No),
            _ => return Err(Stop::Corrupt),
        })
    }

    /// The end of the last of `count` things of variable size.
    fn walk(&self, first: u32, count: u16) -> Result<usize, Stop> {
        let mut at = 0usize;
        for idx in 0..u32::from(count) {
            let word = self.word(first.checked_add(idx).ok_or(Stop::Corrupt)?)?;
            let (kind, size, before) = (word as u8, (word >> 8) as u8, (word >> 32) as usize);
            let begin = at.checked_add(before).ok_or(Stop::Corrupt)?;
            let bytes = match kind {
                walk::STRING => self.until_nul(begin)?.len() + 1,
                walk::SEQUENCE => self
                    .count(begin)?
                    .checked_mul(usize::from(size))
                    .and_then(|n| n.checked_add(4))
                    .ok_or(Stop::Corrupt)?,
                walk::OPTIONAL if self.bytes(begin, 1)? == [0] => 1,
                walk::OPTIONAL => 1 + usize::from(size),
                _ => return Err(Stop::Corrupt),
            };
            at = begin.checked_add(bytes).ok_or(Stop::Corrupt)?;
        }
        Ok(at)
    }

    fn bytes(&self, at: usize, len: usize) -> Result<&'a [u8], Stop> {
        let end = at.checked_add(len).ok_or(Stop::Corrupt)?;
        self.record.get(at..end).ok_or(Stop::Corrupt)
    }

    #[inline(always)]
    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Stop> {
        self.record.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().ok_or(Stop::Corrupt)
    }

    fn count(&self, at: usize) -> Result<usize, Stop> {
        Ok(u32::from_le_bytes(self.array(at)?) as usize)
    }

    fn until_nul(&self, at: usize) -> Result<&'a [u8], Stop> {
        let rest = self.record.get(at..).ok_or(Stop::Corrupt)?;
        let len = rest.iter().position(|&byte| byte == 0).ok_or(Stop::Corrupt)?;
        rest.get(..len).ok_or(Stop::Corrupt)
    }

    /// A text of the record. Places in it fit 32 bits: it is no larger than a sub-buffer.
    fn record_text(&self, at: usize, len: usize) -> Value {
        Value::span(Kind::Text, at as u32, len as u32)
    }

    fn scalar(&self, at: usize, scalar: u8) -> Result<Value, Stop> {
        if scalar & scalar::FLOAT == 0 {
            return self.integer(at, scalar).map(Value::integer);
        }
        match scalar & 3 {
            2 => Ok(Value::float(f64::from(f32::from_le_bytes(self.array(at)?)))),
            3 => Ok(Value::float(f64::from_le_bytes(self.array(at)?))),
            _ => Err(Stop::Corrupt),
        }
    }

    #[inline(always)]
    fn integer(&self, at: usize, scalar: u8) -> Result<i64, Stop> {
        integer(self.record, at, scalar).ok_or(Stop::Corrupt)
    }

    #[inline(never)]
    fn compare(&self, comparison: Comparison, left: Value, right: Value) -> Result<bool, Stop> {
        let order = match (left.kind, right.kind) {
            (Kind::Integer, Kind::Integer) => Some((left.bits as i64).cmp(&(right.bits as i64))),
            (Kind::Pattern, _) => return self.matches(comparison, left, right),
            (_, Kind::Pattern) => return self.matches(comparison, right, left),
            (Kind::Text | Kind::Context | Kind::Constant, _) => Some(self.text(left)?.order(&self.text(right)?)),
            _ => float(left)?.partial_cmp(&float(right)?),
        };
        Ok(holds(comparison, order))
    }

    fn matches(&self, comparison: Comparison, pattern: Value, text: Value) -> Result<bool, Stop> {
        let text = self.text(text)?;
        let (at, len) = (pattern.bits as u32, (pattern.bits >> 32) as u32);
        let matches = glob::matches_by(|i| self.constant(at, len, i), |i| text.get(i));
        match comparison {
            Comparison::Equal => Ok(matches),
            Comparison::NotEqual => Ok(!matches),
            _ => Err(Stop::No),
        }
    }

    fn text(&self, value: Value) -> Result<Text<'a, '_, C>, Stop> {
        let (at, len) = (value.bits as u32, (value.bits >> 32) as u32);
        match value.kind {
            Kind::Text => Ok(Text::Private(self.bytes(at as usize, len as usize)?)),
            Kind::Constant => Ok(Text::Program(self, at, len)),
            Kind::Context => match Context::from_code(at as u8).and_then(|context| self.contexts.context(context)) {
                Some(ContextValue::Text(text)) => Ok(Text::Private(before_nul(text))),
                _ => Err(Stop::Corrupt),
            },
            _ => Err(Stop::No),
        }
    }

    /// Byte `idx` of a text of the program.
    fn constant(&self, at: u32, len: u32, idx: usize) -> Option<u8> {
        let idx = u32::try_from(idx).ok().filter(|idx| *idx < len)?;
        let word = self.word(at.checked_add(idx / 8)?).ok()?;
        Some((word >> (8 * (idx % 8))) as u8)
    }
}

/// A text to compare.
enum Text<'a, 'm, C> {
    Private(&'a [u8]),
    Program(&'m Machine<'a, C>, u32, u32),
}

impl<C: ContextSource> Text<'_, '_, C> {
    fn get(&self, idx: usize) -> Option<u8> {
        match self {
            Self::Private(text) => text.get(idx).copied(),
            Self::Program(machine, at, len) => machine.constant(*at, *len, idx),
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let mut idx = 0;
        loop {
            match (self.get(idx), other.get(idx)) {
                (Some(left), Some(right)) if left == right => idx += 1,
                (left, right) => return left.cmp(&right),
            }
        }
    }
}

fn before_nul(text: &[u8]) -> &[u8] {
    let len = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    text.get(..len).unwrap_or(text)
}

/// The integer at `at`, widened to 64 bits.
///
/// Each size by a load of its own: one of 8 bytes would wait for the smaller store before it. The commonest sizes come first.
#[inline(always)]
fn integer(record: &[u8], at: usize, scalar: u8) -> Option<i64> {
    let rest = record.get(at..)?;
    let word = match scalar & 3 {
        2 => u64::from(u32::from_le_bytes(*rest.first_chunk()?)),
        3 => u64::from_le_bytes(*rest.first_chunk()?),
        1 => u64::from(u16::from_le_bytes(*rest.first_chunk()?)),
        _ => u64::from(u8::from_le_bytes(*rest.first_chunk()?)),
    };
    Some(as_integer(word, scalar))
}

/// An integer whose bytes, as they are stored, are the first ones of `word`; the others are zero.
#[inline(always)]
fn as_integer(word: u64, scalar: u8) -> i64 {
    let (value, unused) = (word, 64 - (8 << (scalar & 3)));
    let value = if scalar & scalar::NETWORK != 0 { value.swap_bytes() >> unused } else { value };
    let signed = (value << unused) as i64 >> unused;
    if scalar & scalar::SIGNED != 0 { signed } else { value as i64 }
}

/// Whether an order is what a comparison wants. Without a branch: which comparison it is depends on the tracepoint.
#[inline(always)]
fn holds(comparison: Comparison, order: Option<Ordering>) -> bool {
    const LESS: u32 = 1;
    const EQUAL: u32 = 2;
    const GREATER: u32 = 4;
    const NONE: u32 = 8;
    /// What each wants, four bits for each, by its number.
    const WANTED: u32 = EQUAL
        | (LESS | GREATER | NONE) << 4
        | LESS << 8
        | GREATER << 12
        | (LESS | EQUAL) << 16
        | (GREATER | EQUAL) << 20;
    let found = order.map_or(NONE, |order| GREATER >> (1 - order as i32));
    WANTED >> (4 * comparison as u32) & found != 0
}

#[inline(always)]
fn truth(value: Value) -> Result<bool, Stop> {
    match value.kind {
        Kind::Integer => Ok(value.bits != 0),
        Kind::Float => Ok(f64::from_bits(value.bits) as i64 != 0),
        _ => Err(Stop::No),
    }
}

fn bits(value: Value) -> Result<u64, Stop> {
    if value.kind == Kind::Integer { Ok(value.bits) } else { Err(Stop::No) }
}

fn float(value: Value) -> Result<f64, Stop> {
    match value.kind {
        Kind::Integer => Ok(value.bits as i64 as f64),
        Kind::Float => Ok(f64::from_bits(value.bits)),
        _ => Err(Stop::No),
    }
}

fn unary(operator: Unary, value: Value) -> Result<Value, Stop> {
    Ok(match (operator, value.kind) {
        (Unary::Not, _) => Value::integer((!truth(value)?).into()),
        (Unary::Complement, _) => Value::integer(!bits(value)? as i64),
        (Unary::Plus, Kind::Integer | Kind::Float) => value,
        (Unary::Minus, Kind::Integer) => Value::integer((value.bits as i64).wrapping_neg()),
        (Unary::Minus, Kind::Float) => Value::float(-f64::from_bits(value.bits)),
        _ => return Err(Stop::No),
    })
}

fn bitwise(operator: u8, left: u64, right: u64) -> Result<u64, Stop> {
    let count = || u32::try_from(right).ok().filter(|count| *count < u64::BITS).ok_or(Stop::No);
    Ok(match operator {
        0 => left | right,
        1 => left ^ right,
        2 => left & right,
        3 => left << count()?,
        4 => left >> count()?,
        _ => return Err(Stop::Corrupt),
    })
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a linked program over one record. The words lie in shared memory: each is loaded once, by a Relaxed atomic load (the load of the
//! filter word that led here is an Acquire), and checked where it is used.
//!
//! Steps are bounded by the program's length, since jumps go forward only; a comparison of texts is bounded by their lengths.

use core::cmp::Ordering;

use super::link::{locator, scalar, walk};
use super::{Comparison, Unary, code, header};
use crate::atomics;
use crate::context::Context;
use crate::glob;
use crate::limits::FILTER_STACK_MAX;
use crate::region::Region;

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

#[derive(Clone, Copy)]
enum Value<'a> {
    Integer(i64),
    Float(f64),
    Text(&'a [u8]),
    /// Text in the program: first word, bytes.
    Constant(u32, u32),
    /// Likewise, with stars.
    Pattern(u32, u32),
}

/// Asks the linked program in `words` about a record in private memory.
///
/// # Errors
/// [`Corrupt`]: the event is to be rejected and counted.
pub fn run(words: Region, record: &[u8], contexts: &impl ContextSource) -> Result<bool, Corrupt> {
    let header = words.word(0).ok_or(Corrupt)?.load(atomics::Ordering::Relaxed);
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

struct Machine<'a, C> {
    words: Region,
    record: &'a [u8],
    contexts: &'a C,
    reference_count: u16,
    code_end: u32,
}

struct Stack<'a, const DEPTH: usize> {
    values: [Value<'a>; DEPTH],
    len: usize,
}

impl<'a, const DEPTH: usize> Stack<'a, DEPTH> {
    fn push(&mut self, value: Value<'a>) -> Result<(), Stop> {
        *self.values.get_mut(self.len).ok_or(Stop::Corrupt)? = value;
        self.len += 1;
        Ok(())
    }

    fn pop(&mut self) -> Result<Value<'a>, Stop> {
        self.len = self.len.checked_sub(1).ok_or(Stop::Corrupt)?;
        self.values.get(self.len).copied().ok_or(Stop::Corrupt)
    }
}

impl<'a, C: ContextSource> Machine<'a, C> {
    fn word(&self, idx: u32) -> Result<u64, Stop> {
        let word = self.words.word(8 * u64::from(idx)).ok_or(Stop::Corrupt)?;
        Ok(word.load(atomics::Ordering::Relaxed))
    }

    fn run<const DEPTH: usize>(&self, code_at: u32) -> Result<bool, Stop> {
        let mut stack = Stack { values: [Value::Integer(0); DEPTH], len: 0 };
        let mut at = code_at;
        while at < self.code_end {
            at = self.step(&mut stack, at)?;
        }
        let answer = truth(stack.pop()?)?;
        if at == self.code_end && stack.len == 0 { Ok(answer) } else { Err(Stop::Corrupt) }
    }

    /// Does the operation at word `at`; returns where the next one is, always further on.
    #[inline(always)]
    fn step<const DEPTH: usize>(&self, stack: &mut Stack<'a, DEPTH>, at: u32) -> Result<u32, Stop> {
        let word = self.word(at)?;
        let (op, a, b, c) = (word as u8, (word >> 8) as u8, (word >> 16) as u16, (word >> 32) as u32);
        let next = at.checked_add(1).ok_or(Stop::Corrupt)?;
        match op {
            code::COMPARE_INTEGER => {
                let comparison = Comparison::from_u8(a).ok_or(Stop::Corrupt)?;
                let left = self.reference(b)?;
                let right = Value::Integer(self.word(next)? as i64);
                stack.push(self.compare(comparison, left, right)?)?;
                return next.checked_add(1).ok_or(Stop::Corrupt);
            }
            code::INTEGER => {
                stack.push(Value::Integer(self.word(next)? as i64))?;
                return next.checked_add(1).ok_or(Stop::Corrupt);
            }
            code::FLOAT => {
                stack.push(Value::Float(f64::from_bits(self.word(next)?)))?;
                return next.checked_add(1).ok_or(Stop::Corrupt);
            }
            code::TEXT | code::PATTERN => {
                let end = next.checked_add(c.div_ceil(8)).filter(|end| *end <= self.code_end).ok_or(Stop::Corrupt)?;
                stack.push(if op == code::TEXT { Value::Constant(next, c) } else { Value::Pattern(next, c) })?;
                return Ok(end);
            }
            code::REFERENCE => stack.push(self.reference(b)?)?,
            code::UNARY => {
                let value = stack.pop()?;
                stack.push(unary(Unary::from_u8(a).ok_or(Stop::Corrupt)?, value)?)?;
            }
            code::COMPARE => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                stack.push(self.compare(Comparison::from_u8(a).ok_or(Stop::Corrupt)?, left, right)?)?;
            }
            code::BITS => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                stack.push(Value::Integer(bitwise(a, bits(left)?, bits(right)?)? as i64))?;
            }
            code::AND | code::OR => {
                if truth(stack.pop()?)? == (op == code::OR) {
                    stack.push(Value::Integer(i64::from(op == code::OR)))?;
                    return next.checked_add(c).filter(|end| *end <= self.code_end).ok_or(Stop::Corrupt);
                }
            }
            code::TRUTH => {
                let is_true = truth(stack.pop()?)?;
                stack.push(Value::Integer(is_true.into()))?;
            }
            _ => return Err(Stop::Corrupt),
        }
        Ok(next)
    }

    /// The value of reference `idx`.
    fn reference(&self, idx: u16) -> Result<Value<'a>, Stop> {
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
            locator::STRING => Value::Text(self.until_nul(at)?),
            locator::ARRAY_TEXT => Value::Text(before_nul(self.bytes(at, argument as usize)?)),
            locator::SEQUENCE_TEXT => {
                let count = self.count(at)?;
                Value::Text(before_nul(self.bytes(at + 4, count)?))
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
                    ContextValue::Integer(value) => Value::Integer(value),
                    ContextValue::Text(text) => Value::Text(before_nul(text)),
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

    fn scalar(&self, at: usize, scalar: u8) -> Result<Value<'a>, Stop> {
        let swap = scalar & scalar::NETWORK != 0;
        let (value, bits) = match scalar & 3 {
            0 => (u64::from(self.array::<1>(at)?[0]), 8),
            1 => {
                let bytes = self.array(at)?;
                (u64::from(if swap { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }), 16)
            }
            2 => {
                let bytes = self.array(at)?;
                (u64::from(if swap { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }), 32)
            }
            _ => {
                let bytes = self.array(at)?;
                (if swap { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }, 64)
            }
        };
        if scalar & scalar::FLOAT != 0 {
            return match bits {
                32 => Ok(Value::Float(f64::from(f32::from_bits(value as u32)))),
                64 => Ok(Value::Float(f64::from_bits(value))),
                _ => Err(Stop::Corrupt),
            };
        }
        let unused = 64 - bits;
        let signed = (value << unused) as i64 >> unused;
        Ok(Value::Integer(if scalar & scalar::SIGNED != 0 { signed } else { value as i64 }))
    }

    fn compare(&self, comparison: Comparison, left: Value<'a>, right: Value<'a>) -> Result<Value<'a>, Stop> {
        let order = match (left, right) {
            (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(&right)),
            (Value::Pattern(at, len), text) | (text, Value::Pattern(at, len)) => {
                let text = self.text(text)?;
                let matches = glob::matches_by(|i| self.constant(at, len, i), |i| text.get(i));
                return match comparison {
                    Comparison::Equal => Ok(Value::Integer(matches.into())),
                    Comparison::NotEqual => Ok(Value::Integer((!matches).into())),
                    _ => Err(Stop::No),
                };
            }
            (Value::Text(_) | Value::Constant(..), _) => Some(self.text(left)?.order(&self.text(right)?)),
            (left, right) => float(left)?.partial_cmp(&float(right)?),
        };
        let is_true = match comparison {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::NotEqual => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        };
        Ok(Value::Integer(is_true.into()))
    }

    fn text(&self, value: Value<'a>) -> Result<Text<'a, '_, C>, Stop> {
        match value {
            Value::Text(text) => Ok(Text::Record(text)),
            Value::Constant(at, len) => Ok(Text::Program(self, at, len)),
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
    Record(&'a [u8]),
    Program(&'m Machine<'a, C>, u32, u32),
}

impl<C: ContextSource> Text<'_, '_, C> {
    fn get(&self, idx: usize) -> Option<u8> {
        match self {
            Self::Record(text) => text.get(idx).copied(),
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

fn truth(value: Value<'_>) -> Result<bool, Stop> {
    match value {
        Value::Integer(value) => Ok(value != 0),
        Value::Float(value) => Ok(value as i64 != 0),
        _ => Err(Stop::No),
    }
}

fn bits(value: Value<'_>) -> Result<u64, Stop> {
    if let Value::Integer(value) = value { Ok(value as u64) } else { Err(Stop::No) }
}

fn float(value: Value<'_>) -> Result<f64, Stop> {
    match value {
        Value::Integer(value) => Ok(value as f64),
        Value::Float(value) => Ok(value),
        _ => Err(Stop::No),
    }
}

fn unary(operator: Unary, value: Value<'_>) -> Result<Value<'_>, Stop> {
    Ok(match (operator, value) {
        (Unary::Not, value) => Value::Integer((!truth(value)?).into()),
        (Unary::Complement, value) => Value::Integer(!bits(value)? as i64),
        (Unary::Plus, Value::Integer(_) | Value::Float(_)) => value,
        (Unary::Minus, Value::Integer(value)) => Value::Integer(value.wrapping_neg()),
        (Unary::Minus, Value::Float(value)) => Value::Float(-value),
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the attributes of TSDL mean: numbers, words and the braces of basic types.
//!
//! Attributes come in any order. Unknown ones are skipped, as the format asks of readers; a known one that is there
//! twice is refused, since no reader can know which is meant.

use std::sync::Arc;

use super::ast::{Attribute, Value};
use super::parser::Result;
use crate::class::{Base, ByteOrder, ClassKind, Encoding, IntegerClass};
use crate::reader::error::Complaint;
use crate::reader::metadata::draft::{Float, Integer, Kind};

/// Largest alignment, in bits: 1 GiB, more than any packet.
const ALIGN_MAX: u64 = 1 << 33;

/// Remembers which names were given.
#[derive(Default)]
pub(super) struct Seen<'n>(Vec<&'n str>);

impl<'n> Seen<'n> {
    /// Refuses a `name` that was there before.
    pub(super) fn once(&mut self, at: usize, name: &'n str) -> Result<()> {
        if self.0.contains(&name) {
            return Err(Complaint::new(at, format!("`{name}` is given twice")));
        }
        self.0.push(name);
        Ok(())
    }

    /// Tells whether `name` was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}

/// Returns the class of `integer { attributes }` and its alignment.
pub(super) fn integer(at: usize, attributes: &[Attribute]) -> Result<(u64, Kind)> {
    let mut bits = None;
    let mut align = None;
    let (mut is_signed, mut is_text, mut base, mut order, mut clock) = (false, false, Base::Decimal, None, None);
    let mut seen = Seen::default();
    for Attribute { at, name, value } in attributes {
        match name.as_str() {
            "size" => bits = Some(number::<u64>(*at, name, value)?),
            "align" => align = Some(alignment_value(*at, value)?),
            "signed" => is_signed = boolean(*at, name, value)?,
            "base" => base = base_value(*at, value)?,
            "byte_order" => order = byte_order(*at, value)?,
            "encoding" => is_text = encoding(*at, value)?.is_some(),
            "map" => clock = clock_name(value).map(|name| (*at, name)),
            _ => continue,
        }
        seen.once(*at, name)?;
    }
    let bits = match bits {
        Some(bits @ 1..=64) => bits as u32,
        Some(bits) => return Err(Complaint::new(at, format!("an integer of {bits} bits: it must have 1 to 64"))),
        None => return Err(Complaint::new(at, "this integer has no `size`")),
    };
    let class = IntegerClass {
        bits,
        is_signed,
        byte_order: order.unwrap_or(ByteOrder::Little),
        is_bit_reversed: false,
        base,
        mappings: Arc::from([]),
        is_enumeration: false,
    };
    let align = align.unwrap_or(if bits.is_multiple_of(8) { 8 } else { 1 });
    Ok((align, Kind::Integer(Integer { class, is_native: order.is_none(), is_text, clock, roles: Vec::new() })))
}

/// Returns the class of `floating_point { attributes }` and its alignment.
pub(super) fn float(at: usize, attributes: &[Attribute]) -> Result<(u64, Kind)> {
    let (mut exponent_bits, mut mantissa_bits, mut align, mut byte_order_) = (0_u64, 0_u64, None, None);
    let mut seen = Seen::default();
    for Attribute { at, name, value } in attributes {
        match name.as_str() {
            "exp_dig" => exponent_bits = number(*at, name, value)?,
            "mant_dig" => mantissa_bits = number(*at, name, value)?,
            "align" => align = Some(alignment_value(*at, value)?),
            "byte_order" => byte_order_ = byte_order(*at, value)?,
            _ => continue,
        }
        seen.once(*at, name)?;
    }
    let bits = match (exponent_bits, mantissa_bits) {
        (5, 11) => 16,
        (8, 24) => 32,
        (11, 53) => 64,
        (15, 113) => 128,
        (exponent, mantissa) => {
            return Err(Complaint::new(
                at,
                format!(
                    "a floating point number of {exponent} and {mantissa} digits: `exp_dig` and `mant_dig` must be 5 and \
                     11, 8 and 24, 11 and 53, or 15 and 113"
                ),
            ));
        }
    };
    let float = Float { bits, byte_order: byte_order_, is_bit_reversed: false };
    Ok((align.unwrap_or(8), Kind::Float(float)))
}

/// Returns the class of `string { attributes }`.
pub(super) fn string(attributes: &[Attribute]) -> Result<(u64, Kind)> {
    let mut seen = Seen::default();
    for Attribute { at, name, value } in attributes {
        if name == "encoding" {
            seen.once(*at, name)?;
            encoding(*at, value)?;
        }
    }
    Ok((8, Kind::Plain(ClassKind::String(Encoding::Utf8))))
}

/// Returns the number `value`, which is that of `name`.
pub(super) fn number<N: TryFrom<i128>>(at: usize, name: &str, value: &Value) -> Result<N> {
    let Value::Number(number) = value else {
        return Err(Complaint::new(at, format!("`{name}` must be a number")));
    };
    N::try_from(*number).map_err(|_| Complaint::new(at, format!("`{name}` cannot be {number}")))
}

pub(super) fn text(at: usize, name: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Words(words) => Ok(words.clone()),
        Value::Number(_) => Err(Complaint::new(at, format!("`{name}` must be a string"))),
    }
}

/// Returns the byte order that `value` names; none for `native`, which is that of the trace.
pub(super) fn byte_order(at: usize, value: &Value) -> Result<Option<ByteOrder>> {
    let word = match value {
        Value::Words(word) | Value::String(word) => word.as_str(),
        Value::Number(_) => "",
    };
    match word {
        "le" => Ok(Some(ByteOrder::Little)),
        "be" | "network" => Ok(Some(ByteOrder::Big)),
        "native" => Ok(None),
        _ => Err(Complaint::new(at, "a byte order must be `le`, `be`, `network` or `native`")),
    }
}

pub(super) fn uuid(at: usize, value: &Value) -> Result<[u8; 16]> {
    let malformed = || Complaint::new(at, "a uuid must be a string of 32 hexadecimal digits in five groups");
    let Value::String(text) = value else {
        return Err(malformed());
    };
    crate::reader::metadata::parse_uuid(text).ok_or_else(malformed)
}

/// Returns `bits` if it is an alignment.
pub(super) fn alignment(at: usize, bits: i128) -> Result<u64> {
    let align = u64::try_from(bits).ok().filter(|align| align.is_power_of_two() && *align <= ALIGN_MAX);
    align.ok_or_else(|| {
        Complaint::new(at, format!("an alignment cannot be {bits}: it must be a power of two, and {ALIGN_MAX} at most"))
    })
}

fn alignment_value(at: usize, value: &Value) -> Result<u64> {
    alignment(at, number(at, "align", value)?)
}

pub(super) fn boolean(at: usize, name: &str, value: &Value) -> Result<bool> {
    match value {
        Value::Number(number) => Ok(*number != 0),
        Value::Words(word) | Value::String(word) => match word.as_str() {
            "true" | "TRUE" => Ok(true),
            "false" | "FALSE" => Ok(false),
            _ => Err(Complaint::new(at, format!("`{name}` must be `true` or `false`, not `{word}`"))),
        },
    }
}

/// Tells whether `value` names text; none for `none`.
fn encoding(at: usize, value: &Value) -> Result<Option<Encoding>> {
    match value {
        Value::Words(word) | Value::String(word) => match word.as_str() {
            "UTF8" | "utf8" | "utf-8" | "UTF-8" | "ASCII" | "ascii" => Ok(Some(Encoding::Utf8)),
            "none" => Ok(None),
            _ => Err(Complaint::new(at, format!("the encoding `{word}` is not one of `UTF8`, `ASCII` and `none`"))),
        },
        Value::Number(_) => Err(Complaint::new(at, "an encoding must be `UTF8`, `ASCII` or `none`")),
    }
}

fn base_value(at: usize, value: &Value) -> Result<Base> {
    let radix = match value {
        Value::Number(number) => u64::try_from(*number).ok(),
        Value::Words(word) | Value::String(word) => match word.as_str() {
            "decimal" | "dec" | "d" | "i" | "u" => Some(10),
            "hexadecimal" | "hex" | "x" | "X" | "p" => Some(16),
            "octal" | "oct" | "o" => Some(8),
            "binary" | "b" => Some(2),
            _ => None,
        },
    };
    radix.and_then(Base::from_radix).ok_or_else(|| {
        Complaint::new(at, "`base` must be 2, 8, 10 or 16, or `binary`, `octal`, `decimal` or `hexadecimal`")
    })
}

/// Returns the NAME of `clock.NAME.value`; to map anything else means nothing so far.
fn clock_name(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Words(words) => words.strip_prefix("clock.")?.strip_suffix(".value").map(Arc::from),
        _ => None,
    }
}

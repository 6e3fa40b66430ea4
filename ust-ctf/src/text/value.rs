// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the fields of an event.

use std::io::{self, Write};

use super::decimal::{put_decimal, put_signed_decimal};
use crate::metadata::{TAG_NONE, TAG_SOME};
use crate::model::{Base, Enumeration, Integer};
use crate::names::MemberNames;
use crate::reader::{Elements, IntegerValue, RawEvent, ScalarValue, Value};

/// Appends the payload of `event`.
pub(super) fn put_fields(line: &mut Vec<u8>, event: &RawEvent<'_>) -> io::Result<()> {
    line.extend_from_slice(b"{ ");
    for (idx, ((_, value), names)) in event.fields().zip(event.names).enumerate() {
        if idx > 0 {
            line.extend_from_slice(b", ");
        }
        put_field(line, names, &value)?;
    }
    // An empty structure is `{ }`: one space.
    if !event.class.fields.is_empty() {
        line.push(b' ');
    }
    line.push(b'}');
    Ok(())
}

fn put_field(line: &mut Vec<u8>, names: &MemberNames, value: &Value<'_>) -> io::Result<()> {
    // The metadata has one more underscore than is shown.
    let name = &names.name[1..];
    let companion = names.companion.as_deref().map(|companion| &companion[1..]);
    match value {
        Value::Scalar(scalar) => {
            put_name(line, name);
            put_scalar(line, scalar)
        }
        Value::Array(elements) => {
            if let Some(companion) = companion {
                put_name(line, companion);
                put_decimal(line, elements.len() as u64);
                line.extend_from_slice(b", ");
            }
            put_name(line, name);
            put_elements(line, elements)
        }
        Value::Text { bytes, count } => {
            if let Some(companion) = companion {
                put_name(line, companion);
                put_decimal(line, u64::from(*count));
                line.extend_from_slice(b", ");
            }
            put_name(line, name);
            put_text(line, bytes)
        }
        Value::Optional(value) => {
            let (label, tag) = if value.is_some() { (TAG_SOME, 1) } else { (TAG_NONE, 0) };
            let companion = companion.unwrap_or_default();
            write!(line, "{companion} = ( \"{label}\" : container = {tag} ), {name} = {{ ")?;
            match value {
                Some(scalar) => put_scalar(line, scalar)?,
                None => line.extend_from_slice(b"{ }"),
            }
            line.extend_from_slice(b" }");
            Ok(())
        }
    }
}

fn put_name(line: &mut Vec<u8>, name: &str) {
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b" = ");
}

fn put_scalar(line: &mut Vec<u8>, scalar: &ScalarValue<'_>) -> io::Result<()> {
    match scalar {
        ScalarValue::Integer(value, class) => put_integer(line, *value, class),
        ScalarValue::Float(value) => super::float::put_float(line, *value),
        ScalarValue::String(bytes) => put_text(line, bytes),
        ScalarValue::Enumeration(value, class) => put_enumeration(line, *value, class),
    }
}

fn put_elements(line: &mut Vec<u8>, elements: &Elements<'_>) -> io::Result<()> {
    line.extend_from_slice(b"[ ");
    for (idx, element) in elements.iter().enumerate() {
        line.extend_from_slice(if idx > 0 { b", [" } else { b"[" });
        put_decimal(line, idx as u64);
        line.extend_from_slice(b"] = ");
        put_scalar(line, &element)?;
    }
    if !elements.is_empty() {
        line.push(b' ');
    }
    line.push(b']');
    Ok(())
}

fn put_integer(line: &mut Vec<u8>, value: IntegerValue, class: &Integer) -> io::Result<()> {
    let bits = u32::from(class.bits.count());
    let word = match value {
        IntegerValue::Unsigned(number) => number,
        IntegerValue::Signed(number) => number as u64,
    };
    match (class.base, value) {
        (Base::Decimal, IntegerValue::Unsigned(number)) => {
            put_decimal(line, number);
            Ok(())
        }
        (Base::Decimal, IntegerValue::Signed(number)) => {
            put_signed_decimal(line, number);
            Ok(())
        }
        (Base::Hexadecimal, _) => write!(line, "0x{:X}", word & ones(bits)),
        // An octal digit has 3 bits, so the sign reaches into the first one.
        (Base::Octal, _) => write!(line, "0{:o}", word & ones(bits.div_ceil(3) * 3)),
        (Base::Binary, _) => write!(line, "0b{:0width$b}", word & ones(bits), width = bits as usize),
    }
}

/// Returns a word whose low `bits` bits are set.
fn ones(bits: u32) -> u64 {
    1_u64.checked_shl(bits).map_or(u64::MAX, |above| above - 1)
}

fn put_enumeration(line: &mut Vec<u8>, value: IntegerValue, class: &Enumeration) -> io::Result<()> {
    line.extend_from_slice(b"( ");
    let number = i128::from(value);
    let mappings = class.mappings.as_slice();
    let holds = |idx: usize| (mappings[idx].low..=mappings[idx].high).contains(&number);
    let mut is_first = true;
    for idx in (0..mappings.len()).filter(|idx| holds(*idx)) {
        let label = &mappings[idx].label;
        // A label with several ranges is shown once.
        if (0..idx).any(|before| mappings[before].label == *label && holds(before)) {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            line.extend_from_slice(b", ");
        }
        put_text(line, label.as_bytes())?;
    }
    if is_first {
        line.extend_from_slice(b"<unknown>");
    }
    line.extend_from_slice(b" : container = ");
    put_integer(line, value, &class.container)?;
    line.extend_from_slice(b" )");
    Ok(())
}

/// Appends `bytes` up to the first NUL in quotes, with escapes; bytes that are not ASCII stay as they are.
pub(super) fn put_text(line: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    line.push(b'"');
    for byte in bytes {
        match byte {
            0 => break,
            b'"' | b'\'' | b'\\' | b'?' => line.extend([b'\\', *byte]),
            0x07 => line.extend_from_slice(b"\\a"),
            0x08 => line.extend_from_slice(b"\\b"),
            b'\t' => line.extend_from_slice(b"\\t"),
            b'\n' => line.extend_from_slice(b"\\n"),
            0x0b => line.extend_from_slice(b"\\v"),
            0x0c => line.extend_from_slice(b"\\f"),
            b'\r' => line.extend_from_slice(b"\\r"),
            0x1b => line.extend_from_slice(b"\\e"),
            0x01..0x20 | 0x7f => write!(line, "\\x{byte:02x}")?,
            _ => line.push(*byte),
        }
    }
    line.push(b'"');
    Ok(())
}

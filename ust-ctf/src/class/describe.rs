// SPDX-License-Identifier: MIT OR Apache-2.0
//! Classes in words, as short as they go: `u32`, `i64[3]`, `text`, `u8[_list_length]`.

use std::fmt;

use super::{ByteOrder, Class, ClassKind, IntegerClass};

impl fmt::Display for Class {
    /// Says what a field is in the words of a programmer; members of structures one level deep.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        put(&self.kind, 0, f)
    }
}

/// Structures inside structures that are spelt out.
const DEPTH_MAX: usize = 2;

fn put(kind: &ClassKind, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        ClassKind::Integer(integer) => put_integer(integer, f),
        ClassKind::Float(float) => write!(f, "f{}{}", float.bits, order(float.byte_order)),
        ClassKind::Bool { .. } => f.write_str("bool"),
        ClassKind::BitArray { bits, flags, .. } if flags.is_empty() => write!(f, "{bits} bits"),
        ClassKind::BitArray { bits, flags, .. } => {
            write!(f, "{bits} bits {{ ")?;
            put_list(flags.iter().map(|flag| flag.label.as_str()), f)?;
            f.write_str(" }")
        }
        ClassKind::String(_) => f.write_str("text"),
        ClassKind::StaticText(text) => write!(f, "text of {} bytes", text.len),
        ClassKind::DynamicText(_) => f.write_str("text of a length"),
        ClassKind::StaticBlob(blob) => write!(f, "{} bytes ({})", blob.len, blob.media_type),
        ClassKind::DynamicBlob(blob) => write!(f, "bytes of a length ({})", blob.media_type),
        ClassKind::Array(array) => {
            put(&array.element.kind, depth, f)?;
            write!(f, "[{}]", array.len)
        }
        ClassKind::Sequence(array) => {
            put(&array.element.kind, depth, f)?;
            f.write_str("[]")
        }
        ClassKind::Struct(members) if depth < DEPTH_MAX => {
            f.write_str("{ ")?;
            for (idx, member) in members.members.iter().enumerate() {
                write!(f, "{}{}: ", if idx == 0 { "" } else { ", " }, member.name)?;
                put(&member.class.kind, depth + 1, f)?;
            }
            f.write_str(if members.members.is_empty() { "}" } else { " }" })
        }
        ClassKind::Struct(_) => f.write_str("{ ... }"),
        ClassKind::Optional(optional) => {
            put(&optional.class.kind, depth, f)?;
            f.write_str(" or nothing")
        }
        ClassKind::Variant(variant) if depth < DEPTH_MAX => {
            f.write_str("one of ")?;
            for (idx, option) in variant.options.iter().enumerate() {
                f.write_str(if idx == 0 { "" } else { ", " })?;
                if let Some(name) = &option.name {
                    write!(f, "{name}: ")?;
                }
                put(&option.class.kind, depth + 1, f)?;
            }
            Ok(())
        }
        ClassKind::Variant(_) => f.write_str("one of several"),
    }
}

fn put_integer(class: &IntegerClass, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if class.is_signed { 'i' } else { 'u' };
    match class.bits {
        0 => write!(f, "{sign}leb128")?,
        // A single byte has no order.
        bits if bits <= 8 => write!(f, "{sign}{bits}")?,
        bits => write!(f, "{sign}{bits}{}", order(class.byte_order))?,
    }
    if !class.is_enumeration {
        return Ok(());
    }
    f.write_str(" { ")?;
    put_list(class.mappings.iter().map(|mapping| mapping.label.as_str()), f)?;
    f.write_str(" }")
}

/// Little endian is what nearly all traces are.
fn order(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::Little => "",
        ByteOrder::Big => " big-endian",
    }
}

/// Labels that are listed; enumerations of hundreds are not for reading.
const LABEL_COUNT_MAX: usize = 8;

fn put_list<'l>(labels: impl Iterator<Item = &'l str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (idx, label) in labels.enumerate() {
        let comma = if idx == 0 { "" } else { ", " };
        if idx == LABEL_COUNT_MAX {
            return write!(f, "{comma}...");
        }
        write!(f, "{comma}{label}")?;
    }
    Ok(())
}

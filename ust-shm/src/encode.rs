// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes descriptors in the form of `docs/shm-layout.md`, piecewise into a sink, without allocating.

use crate::descriptor::{Enumeration, FieldDesc, FieldType, Scalar, TracepointDesc};
use crate::limits::{FIELD_COUNT_MAX, MAPPING_COUNT_MAX, STRING_BYTES_MAX};

/// Type codes of a field.
pub(crate) mod code {
    pub const SCALAR: u8 = 1;
    pub const STRING: u8 = 2;
    pub const ARRAY: u8 = 3;
    pub const SEQUENCE: u8 = 4;
    pub const ENUMERATION: u8 = 5;
    pub const OPTIONAL: u8 = 6;
    pub const SIGNED: u8 = 1;
    pub const NETWORK: u8 = 2;
    pub const FLOAT: u8 = 4;
}

/// The number of bytes that [`encode`] hands to its sink for `desc`.
#[must_use]
pub fn encoded_bytes(desc: &TracepointDesc) -> u64 {
    let mut total = 4;
    body(desc, &mut |bytes| total += bytes.len() as u64);
    total
}

/// Hands the encoded descriptor to `sink`, piece by piece. Strings longer than the limit are cut at a character.
pub fn encode(desc: &TracepointDesc, sink: &mut impl FnMut(&[u8])) {
    sink(&(encoded_bytes(desc) as u32).to_le_bytes());
    body(desc, sink);
}

fn body(desc: &TracepointDesc, sink: &mut impl FnMut(&[u8])) {
    let fields = desc.fields.get(..FIELD_COUNT_MAX).unwrap_or(desc.fields);
    sink(&[desc.loglevel as u8, 0]);
    sink(&(fields.len() as u16).to_le_bytes());
    sink(&desc.line.to_le_bytes());
    for text in [desc.provider, desc.name, desc.model_emf_uri, desc.file, desc.module] {
        string(text, sink);
    }
    for f in fields {
        field(f, sink);
    }
}

fn field(f: &FieldDesc, sink: &mut impl FnMut(&[u8])) {
    string(f.name, sink);
    sink(&[u8::from(f.nowrite)]);
    match f.ty {
        FieldType::Scalar(s) => {
            sink(&[code::SCALAR]);
            scalar(s, sink);
        }
        FieldType::String => sink(&[code::STRING]),
        FieldType::Array { element, len, text } => {
            sink(&[code::ARRAY, u8::from(text)]);
            sink(&len.to_le_bytes());
            scalar(element, sink);
        }
        FieldType::Sequence { element, text } => {
            sink(&[code::SEQUENCE, u8::from(text)]);
            scalar(element, sink);
        }
        FieldType::Enumeration(e) => enumeration(&e, sink),
        FieldType::Optional(s) => {
            sink(&[code::OPTIONAL]);
            scalar(s, sink);
        }
    }
}

fn enumeration(e: &Enumeration, sink: &mut impl FnMut(&[u8])) {
    let mappings = e.mappings.get(..MAPPING_COUNT_MAX).unwrap_or(e.mappings);
    sink(&[code::ENUMERATION]);
    scalar(Scalar::Integer(e.container), sink);
    string(e.name, sink);
    sink(&(mappings.len() as u16).to_le_bytes());
    for m in mappings {
        string(m.label, sink);
        sink(&m.low.to_le_bytes());
        sink(&m.high.to_le_bytes());
    }
}

fn scalar(s: Scalar, sink: &mut impl FnMut(&[u8])) {
    match s {
        Scalar::Integer(i) => {
            let sign = if i.signed { code::SIGNED } else { 0 };
            let order = if i.network { code::NETWORK } else { 0 };
            sink(&[i.bits, sign | order, i.base as u8]);
        }
        Scalar::Float { bits } => sink(&[bits, code::FLOAT, 10]),
    }
}

fn string(text: &str, sink: &mut impl FnMut(&[u8])) {
    let mut end = text.len().min(STRING_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let bytes = text.as_bytes().get(..end).unwrap_or_default();
    sink(&(bytes.len() as u16).to_le_bytes());
    sink(bytes);
}

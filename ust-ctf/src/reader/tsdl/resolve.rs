// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns the syntax tree into classes: follows aliases, checks attributes, collects the blocks.
//!
//! A name must be declared before it is used, so there are no cycles. Unknown attributes are skipped, as
//! the format asks of readers.

use std::sync::Arc;

use super::ast::{Item, Value};
use super::class::{Class, ClassKind, ClockBlock, EventBlock, MemberClass, Metadata, StreamBlock, TraceBlock};
use super::types::Scope;
use crate::model::{ByteOrder, EnvValue};
use crate::reader::error::Complaint;

pub(super) type Result<T> = std::result::Result<T, Complaint>;

/// Returns what `items` describe.
pub(crate) fn resolve(items: &[Item]) -> Result<Metadata> {
    let mut scope = Scope::default();
    let mut metadata = Metadata::default();
    for item in items {
        match item {
            Item::Alias { at, ty, name } => scope.alias(*at, ty, name)?,
            Item::Declare(ty) => {
                scope.class(ty)?;
            }
            Item::Block { at, kind, entries } => {
                // What a block declares is known in that block only.
                let mut inner = scope.inner();
                block(&mut metadata, &mut inner, *at, kind, entries)?;
            }
            Item::Assign { .. } | Item::AssignType { .. } | Item::Note(_) => {}
        }
    }
    Ok(metadata)
}

fn block(metadata: &mut Metadata, scope: &mut Scope<'_>, at: usize, kind: &str, entries: &[Item]) -> Result<()> {
    match kind {
        "trace" => metadata.trace = trace_block(scope, at, entries)?,
        "env" => metadata.env = env_block(entries)?,
        "clock" => metadata.clocks.push(clock_block(at, entries)?),
        "stream" => metadata.streams.push(stream_block(scope, at, entries)?),
        "event" => metadata.events.push(event_block(scope, at, entries)?),
        _ => {}
    }
    Ok(())
}

fn trace_block(scope: &mut Scope<'_>, at: usize, entries: &[Item]) -> Result<TraceBlock> {
    let mut block = TraceBlock { at, ..TraceBlock::default() };
    for entry in entries {
        match entry {
            Item::Assign { at, name, value } => match name.as_str() {
                "major" if *value != Value::Number(1) => {
                    return Err(Complaint::new(*at, "this is not CTF 1: the major version must be 1"));
                }
                "uuid" => block.uuid = Some(uuid(*at, value)?),
                "byte_order" => block.byte_order = Some(byte_order(*at, value)?),
                _ => {}
            },
            Item::AssignType { name, ty, .. } if name == "packet.header" => {
                block.packet_header = Some(scope.class(ty)?);
            }
            other => scope.declare(other)?,
        }
    }
    Ok(block)
}

fn env_block(entries: &[Item]) -> Result<Vec<(String, EnvValue)>> {
    let mut env = Vec::new();
    for entry in entries {
        let Item::Assign { at, name, value } = entry else {
            continue;
        };
        let value = match value {
            Value::String(text) => EnvValue::String(text.clone()),
            Value::Words(words) => EnvValue::String(words.clone()),
            Value::Number(_) => EnvValue::Integer(number(*at, name, value)?),
        };
        env.push((name.clone(), value));
    }
    Ok(env)
}

fn clock_block(at: usize, entries: &[Item]) -> Result<ClockBlock> {
    // The format says: one cycle is a nanosecond unless the text has a frequency.
    let mut block = ClockBlock {
        name: String::new(),
        description: String::new(),
        uuid: None,
        freq: 1_000_000_000,
        offset_s: 0,
        offset_cycles: 0,
    };
    for entry in entries {
        let Item::Assign { at, name, value } = entry else {
            continue;
        };
        match name.as_str() {
            "name" => block.name = text(*at, name, value)?,
            "description" => block.description = text(*at, name, value)?,
            "uuid" => block.uuid = Some(uuid(*at, value)?),
            "freq" => block.freq = number(*at, name, value)?,
            "offset_s" => block.offset_s = number(*at, name, value)?,
            "offset" => block.offset_cycles = number(*at, name, value)?,
            _ => {}
        }
    }
    if block.name.is_empty() {
        return Err(Complaint::new(at, "this clock has no `name`"));
    }
    if block.freq == 0 {
        return Err(Complaint::new(at, format!("clock `{}` has the frequency 0", block.name)));
    }
    Ok(block)
}

fn stream_block(scope: &mut Scope<'_>, at: usize, entries: &[Item]) -> Result<StreamBlock> {
    // A trace with one stream class needs no id.
    let mut block = StreamBlock { at, id: 0, packet_context: None, event_header: None, event_context: None };
    for entry in entries {
        match entry {
            Item::Assign { at, name, value } if name == "id" => block.id = number(*at, name, value)?,
            Item::AssignType { name, ty, .. } => {
                let class = Some(scope.class(ty)?);
                match name.as_str() {
                    "packet.context" => block.packet_context = class,
                    "event.header" => block.event_header = class,
                    "event.context" => block.event_context = class,
                    _ => {}
                }
            }
            other => scope.declare(other)?,
        }
    }
    Ok(block)
}

fn event_block(scope: &mut Scope<'_>, at: usize, entries: &[Item]) -> Result<EventBlock> {
    let mut block = EventBlock {
        at,
        id: 0,
        stream_id: 0,
        name: String::new(),
        loglevel: None,
        model_emf_uri: None,
        source: None,
        context: None,
        fields: None,
    };
    for entry in entries {
        match entry {
            Item::Assign { at, name, value } => match name.as_str() {
                "name" => block.name = text(*at, name, value)?,
                "id" => block.id = number(*at, name, value)?,
                "stream_id" => block.stream_id = number(*at, name, value)?,
                "loglevel" => block.loglevel = Some(number(*at, name, value)?),
                "model.emf.uri" => block.model_emf_uri = Some(text(*at, name, value)?),
                _ => {}
            },
            Item::AssignType { name, ty, .. } if name == "fields" => block.fields = Some(scope.class(ty)?),
            Item::AssignType { name, ty, .. } if name == "context" => block.context = Some(scope.class(ty)?),
            Item::Note(source) => block.source = Some(source.clone()),
            other => scope.declare(other)?,
        }
    }
    Ok(block)
}

/// Returns the number `value`, which is that of `name`.
pub(super) fn number<N: TryFrom<i128>>(at: usize, name: &str, value: &Value) -> Result<N> {
    let Value::Number(number) = value else {
        return Err(Complaint::new(at, format!("`{name}` must be a number")));
    };
    N::try_from(*number).map_err(|_| Complaint::new(at, format!("`{name}` cannot be {number}")))
}

fn text(at: usize, name: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Words(words) => Ok(words.clone()),
        Value::Number(_) => Err(Complaint::new(at, format!("`{name}` must be a string"))),
    }
}

/// Returns the byte order that `value` names, or the one of the trace for `native`.
pub(super) fn byte_order(at: usize, value: &Value) -> Result<ByteOrder> {
    match value {
        Value::Words(word) if word == "le" => Ok(ByteOrder::Little),
        Value::Words(word) if word == "be" || word == "network" => Ok(ByteOrder::Big),
        _ => Err(Complaint::new(at, "a byte order must be `le`, `be` or `network`")),
    }
}

fn uuid(at: usize, value: &Value) -> Result<[u8; 16]> {
    let malformed = || Complaint::new(at, "a uuid must be a string of 32 hexadecimal digits in five groups");
    let Value::String(text) = value else {
        return Err(malformed());
    };
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    if groups != [8, 4, 4, 4, 12] {
        return Err(malformed());
    }
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    let mut uuid = [0; 16];
    if digits.len() != 2 * uuid.len() {
        return Err(malformed());
    }
    for (byte, pair) in uuid.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (pair[0] << 4 | pair[1]) as u8;
    }
    Ok(uuid)
}

/// Returns the members of `class`, which must be a structure if it is there.
pub(super) fn members<'c>(class: Option<&'c Arc<Class>>, what: &str) -> Result<&'c [MemberClass]> {
    match class {
        None => Ok(&[]),
        Some(class) => match &class.kind {
            ClassKind::Struct { members, align: ..=8 } => Ok(members),
            ClassKind::Struct { align, .. } => {
                Err(Complaint::new(class.at, format!("`{what}` is aligned to {align} bits; that is not read yet")))
            }
            _ => Err(Complaint::new(class.at, format!("`{what}` must be a structure"))),
        },
    }
}

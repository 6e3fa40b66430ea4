// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns resolved classes into the plain ones of [`crate::model`], for traces as our writer lays them out.
//!
//! What cannot be decoded yet is refused here, by name, rather than read wrongly.

use std::collections::HashSet;
use std::sync::Arc;

use super::class::{Class, ClassKind, ClockBlock, EventBlock, FloatClass, IntegerClass, MemberClass, Metadata};
use super::resolve::{Result, members};
use crate::metadata::{OPTIONAL_TAG, SEQUENCE_COUNT, TAG_NONE, TAG_SOME};
use crate::model::{
    ByteOrder, Clock, Element, Enumeration, EventClass, Field, FieldType, Float, FloatBits, Integer, IntegerBits,
    Scalar, StreamClass, TraceClass,
};
use crate::reader::error::Complaint;

/// What [`crate::packet::PacketHeader`] encodes; `@` marks the integers that a clock maps.
const PACKET_HEADER: &str = "{ magic: u32, uuid: u8[16], stream_id: u32, stream_instance_id: u64 }";
const PACKET_CONTEXT: &str = "{ timestamp_begin: u64 @, timestamp_end: u64 @, content_size: u64, packet_size: u64, \
    packet_seq_num: u64, events_discarded: u64, cpu_id: u32, vpid: i32, vtid: i32, procname: i8[17] }";
const EVENT_HEADER: &str = "{ id: u16, timestamp: u48 @ }";

/// Returns the trace class that `metadata` describes.
pub(crate) fn trace_class(metadata: &Metadata) -> Result<TraceClass> {
    let trace = &metadata.trace;
    if trace.byte_order != Some(ByteOrder::Little) {
        return Err(Complaint::new(trace.at, "this trace is not little endian; it is not read yet"));
    }
    let [clock] = metadata.clocks.as_slice() else {
        let count = metadata.clocks.len();
        return Err(Complaint::new(trace.at, format!("this trace has {count} clocks; only one is read yet")));
    };
    same_layout(trace.at, "packet.header", trace.packet_header.as_ref(), PACKET_HEADER, clock)?;
    let mut streams: Vec<StreamClass> = Vec::new();
    for stream in &metadata.streams {
        if streams.iter().any(|other| other.id == stream.id) {
            return Err(Complaint::new(stream.at, format!("there are two streams with the id {}", stream.id)));
        }
        same_layout(stream.at, "packet.context", stream.packet_context.as_ref(), PACKET_CONTEXT, clock)?;
        same_layout(stream.at, "event.header", stream.event_header.as_ref(), EVENT_HEADER, clock)?;
        if let Some(context) = &stream.event_context {
            return Err(Complaint::new(context.at, "an `event.context` is not read yet"));
        }
        streams.push(StreamClass { id: stream.id, context: vec![], events: Vec::new() });
    }
    let mut ids = HashSet::new();
    for event in &metadata.events {
        if !ids.insert((event.stream_id, event.id)) {
            let EventBlock { id, stream_id, .. } = event;
            return Err(Complaint::new(
                event.at,
                format!("there are two events with the id {id} in stream {stream_id}"),
            ));
        }
        // An event may stand before its stream.
        let Some(stream) = streams.iter_mut().find(|stream| stream.id == event.stream_id) else {
            return Err(Complaint::new(event.at, format!("there is no stream with the id {}", event.stream_id)));
        };
        stream.events.push(event_class(event)?);
    }
    Ok(TraceClass {
        uuid: trace.uuid.ok_or_else(|| Complaint::new(trace.at, "this trace has no `uuid`"))?,
        env: metadata.env.clone(),
        clock: Clock {
            name: clock.name.clone(),
            description: clock.description.clone(),
            uuid: clock.uuid.unwrap_or_default(),
            freq: clock.freq,
            offset_s: clock.offset_s,
            offset_cycles: clock.offset_cycles,
        },
        streams,
    })
}

fn same_layout(at: usize, what: &str, class: Option<&Arc<Class>>, expected: &str, clock: &ClockBlock) -> Result<()> {
    let expected = expected.replace('@', &format!("@{}", clock.name));
    let Some(class) = class else {
        return Err(Complaint::new(at, format!("there is no `{what}` here; only `{expected}` is read yet")));
    };
    let found = class.to_string();
    if found != expected {
        let message = format!("`{what}` is `{found}`; only `{expected}` is read yet");
        return Err(Complaint::new(class.at, message));
    }
    Ok(())
}

fn event_class(event: &EventBlock) -> Result<EventClass> {
    if let Some(context) = &event.context {
        return Err(Complaint::new(context.at, "the `context` of an event is not read yet"));
    }
    let id = u16::try_from(event.id)
        .map_err(|_| Complaint::new(event.at, format!("the id {} is larger than 65535", event.id)))?;
    let members = members(event.fields.as_ref(), "fields")?;
    let mut fields = Vec::with_capacity(members.len());
    let mut idx = 0;
    while let Some(member) = members.get(idx) {
        let (member, ty) = match members.get(idx + 1) {
            Some(next) if takes_from(next, &member.name) => {
                idx += 1;
                (next, with_companion(member, next)?)
            }
            _ => (member, plain(&member.class)?),
        };
        fields.push(Field::new(field_name(&member.name), ty));
        idx += 1;
    }
    Ok(EventClass {
        id,
        name: event.name.clone(),
        loglevel: event.loglevel,
        model_emf_uri: event.model_emf_uri.clone(),
        fields,
        source: event.source.clone(),
    })
}

fn field_name(name: &str) -> &str {
    name.strip_prefix('_').unwrap_or(name)
}

/// Tells whether `member` takes its count or its tag from the member called `name`.
fn takes_from(member: &MemberClass, name: &str) -> bool {
    match &member.class.kind {
        ClassKind::Sequence { length, .. } => length == name,
        ClassKind::Variant { tag, .. } => tag.as_deref() == Some(name),
        _ => false,
    }
}

fn with_companion(companion: &MemberClass, member: &MemberClass) -> Result<FieldType> {
    match (&companion.class.kind, &member.class.kind) {
        (ClassKind::Integer(count), ClassKind::Sequence { element: class, .. }) => {
            if integer(companion.class.at, count)? != SEQUENCE_COUNT {
                return Err(not_yet(&companion.class, "a count that is not a plain 32-bit unsigned integer"));
            }
            let (element, text) = element(class)?;
            Ok(FieldType::Sequence { element, text })
        }
        (ClassKind::Enum { container, mappings }, ClassKind::Variant { options, .. }) => {
            let labels: Vec<_> =
                mappings.iter().map(|mapping| (mapping.label.as_str(), mapping.low, mapping.high)).collect();
            let tag_fits = integer(companion.class.at, container)? == OPTIONAL_TAG
                && labels == [(TAG_NONE, 0, 0), (TAG_SOME, 1, 1)];
            match options.as_slice() {
                [none, some] if tag_fits && none.name == TAG_NONE && some.name == TAG_SOME && is_empty(&none.class) => {
                    Ok(FieldType::Optional(scalar(&some.class)?))
                }
                _ => Err(not_yet(&member.class, "a variant that is not an optional value")),
            }
        }
        _ => Err(not_yet(&member.class, "a count or tag of this kind")),
    }
}

fn is_empty(class: &Class) -> bool {
    matches!(&class.kind, ClassKind::Struct { members, align: ..=8 } if members.is_empty())
}

fn plain(class: &Class) -> Result<FieldType> {
    match &class.kind {
        ClassKind::Array { element: inner, len } => {
            let len = u32::try_from(*len).map_err(|_| not_yet(class, "an array of more than 2^32 elements"))?;
            let (element, text) = element(inner)?;
            Ok(FieldType::Array { element, len, text })
        }
        _ => scalar(class).map(FieldType::Scalar),
    }
}

fn scalar(class: &Class) -> Result<Scalar> {
    match &class.kind {
        ClassKind::Integer(class_) => Ok(Scalar::Integer(integer(class.at, class_)?)),
        ClassKind::Float(class_) => Ok(Scalar::Float(float(class, class_)?)),
        ClassKind::String => Ok(Scalar::String),
        ClassKind::Enum { container, mappings } => Ok(Scalar::Enumeration(Enumeration {
            container: integer(class.at, container)?,
            mappings: mappings.clone(),
        })),
        ClassKind::Struct { .. } => Err(not_yet(class, "a structure in a payload")),
        ClassKind::Array { .. } => Err(not_yet(class, "an array in another type")),
        ClassKind::Sequence { .. } => Err(not_yet(class, "a sequence that its count does not directly precede")),
        ClassKind::Variant { .. } => Err(not_yet(class, "a variant that its tag does not directly precede")),
    }
}

fn element(class: &Class) -> Result<(Element, bool)> {
    match &class.kind {
        ClassKind::Integer(class_) => {
            let element = Element::Integer(integer(class.at, class_)?);
            Ok((element, class_.text && element.can_be_text()))
        }
        ClassKind::Float(class_) => Ok((Element::Float(float(class, class_)?), false)),
        _ => Err(not_yet(class, "an array of anything but numbers")),
    }
}

fn integer(at: usize, class: &IntegerClass) -> Result<Integer> {
    let bits = IntegerBits::from_bits(class.bits).filter(|_| class.align == 8).ok_or_else(|| {
        let IntegerClass { bits, align, .. } = class;
        Complaint::new(at, format!("an integer of {bits} bits that is aligned to {align} is not read yet"))
    })?;
    Ok(Integer { bits, signed: class.signed, base: class.base, byte_order: class.byte_order(ByteOrder::Little) })
}

fn float(class: &Class, float: &FloatClass) -> Result<Float> {
    if float.align != 8 {
        return Err(not_yet(class, "a floating point number that is not packed"));
    }
    let bits = if float.exponent_bits == 8 { FloatBits::B32 } else { FloatBits::B64 };
    Ok(Float { bits, byte_order: float.byte_order.unwrap_or(ByteOrder::Little) })
}

#[cold]
fn not_yet(class: &Class, what: &str) -> Complaint {
    Complaint::new(class.at, format!("{what} is not read yet"))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classes of any CTF 1.8 trace, with every alias followed.

use std::fmt;
use std::sync::Arc;

use crate::model::{Base, ByteOrder, EnvValue, Mapping, Source};

/// A whole trace.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) trace: TraceBlock,
    pub(crate) env: Vec<(String, EnvValue)>,
    pub(crate) clocks: Vec<ClockBlock>,
    pub(crate) streams: Vec<StreamBlock>,
    pub(crate) events: Vec<EventBlock>,
}

#[derive(Debug, Default)]
pub(crate) struct TraceBlock {
    pub(crate) at: usize,
    pub(crate) uuid: Option<[u8; 16]>,
    pub(crate) byte_order: Option<ByteOrder>,
    pub(crate) packet_header: Option<Arc<Class>>,
}

#[derive(Debug)]
pub(crate) struct ClockBlock {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) uuid: Option<[u8; 16]>,
    pub(crate) freq: u64,
    pub(crate) offset_s: i64,
    pub(crate) offset_cycles: u64,
}

#[derive(Debug)]
pub(crate) struct StreamBlock {
    pub(crate) at: usize,
    pub(crate) id: u64,
    pub(crate) packet_context: Option<Arc<Class>>,
    pub(crate) event_header: Option<Arc<Class>>,
    pub(crate) event_context: Option<Arc<Class>>,
}

#[derive(Debug)]
pub(crate) struct EventBlock {
    pub(crate) at: usize,
    pub(crate) id: u64,
    pub(crate) stream_id: u64,
    pub(crate) name: String,
    pub(crate) loglevel: Option<i32>,
    pub(crate) model_emf_uri: Option<String>,
    pub(crate) source: Option<Source>,
    pub(crate) context: Option<Arc<Class>>,
    pub(crate) fields: Option<Arc<Class>>,
}

/// A class, where it is written, and how deep it nests.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) at: usize,
    pub(crate) depth: usize,
    pub(crate) kind: ClassKind,
}

#[derive(Debug)]
pub(crate) enum ClassKind {
    Integer(IntegerClass),
    Float(FloatClass),
    String,
    /// `align` is what the text asks for, in bits; members can ask for more.
    Struct {
        members: Vec<MemberClass>,
        align: u64,
    },
    Array {
        element: Arc<Class>,
        len: u64,
    },
    /// `length` names the member that holds the count.
    Sequence {
        element: Arc<Class>,
        length: String,
    },
    Enum {
        container: IntegerClass,
        mappings: Vec<Mapping>,
    },
    /// `tag` names the enumeration that selects an option.
    Variant {
        tag: Option<String>,
        options: Vec<MemberClass>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct MemberClass {
    pub(crate) name: String,
    pub(crate) class: Arc<Class>,
}

/// A whole number of 1 to 64 bits; `byte_order` is that of the trace if the text names none.
#[derive(Clone, Debug)]
pub(crate) struct IntegerClass {
    pub(crate) bits: u64,
    pub(crate) align: u64,
    pub(crate) signed: bool,
    pub(crate) base: Base,
    pub(crate) byte_order: Option<ByteOrder>,
    pub(crate) text: bool,
    /// Name of the clock whose cycles it counts.
    pub(crate) clock: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct FloatClass {
    pub(crate) exponent_bits: u64,
    pub(crate) mantissa_bits: u64,
    pub(crate) align: u64,
    pub(crate) byte_order: Option<ByteOrder>,
}

impl IntegerClass {
    /// Returns the byte order in a trace whose own is `native`.
    pub(crate) fn byte_order(&self, native: ByteOrder) -> ByteOrder {
        self.byte_order.unwrap_or(native)
    }
}

/// Prints the bytes of a class in short form, such as `{ id: u16, timestamp: u48 @tsc }`.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ClassKind::Integer(integer) => integer.fmt(f),
            ClassKind::Float(float) => write!(f, "f{}", float.exponent_bits + float.mantissa_bits),
            ClassKind::String => f.write_str("string"),
            ClassKind::Struct { members, align } => {
                f.write_str("{ ")?;
                for (idx, member) in members.iter().enumerate() {
                    let comma = if idx == 0 { "" } else { ", " };
                    // Only the first level is shown: aliases can make a class exponentially large.
                    match &member.class.kind {
                        ClassKind::Struct { .. } | ClassKind::Variant { .. } => {
                            write!(f, "{comma}{}: …", member.name)?;
                        }
                        _ => write!(f, "{comma}{}: {}", member.name, member.class)?,
                    }
                }
                f.write_str(" }")?;
                if *align > 8 { write!(f, " align {align}") } else { Ok(()) }
            }
            ClassKind::Array { element, len } => write_element(f, element).and_then(|()| write!(f, "[{len}]")),
            ClassKind::Sequence { element, length } => write_element(f, element).and_then(|()| write!(f, "[{length}]")),
            ClassKind::Enum { container, .. } => write!(f, "enum {container}"),
            ClassKind::Variant { .. } => f.write_str("variant"),
        }
    }
}

fn write_element(f: &mut fmt::Formatter<'_>, element: &Class) -> fmt::Result {
    match &element.kind {
        ClassKind::Integer(integer) => write!(f, "{integer}"),
        _ => f.write_str("…"),
    }
}

impl fmt::Display for IntegerClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.signed { 'i' } else { 'u' }, self.bits)?;
        if self.align != 8 {
            write!(f, " align {}", self.align)?;
        }
        if self.byte_order == Some(ByteOrder::Big) {
            f.write_str(" be")?;
        }
        match &self.clock {
            Some(clock) => write!(f, " @{clock}"),
            None => Ok(()),
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the classes of a trace in short form, for comparison in tests.
//!
//! `u32le` is an integer, `%1` an alignment other than 8, `#0` the slot that keeps a value, `=Timestamp` a role.

use std::fmt::Write as _;

use ust_ctf::class::{
    ByteOrder, Class, ClassKind, Encoding, IntegerClass, Member, Range, Selector, StructClass, TraceClass,
};

/// Returns the whole trace.
pub fn trace(trace: &TraceClass) -> String {
    let mut out = format!("ctf {} slots {}\n", trace.version, trace.slot_count);
    for (name, value) in &trace.env {
        let _ = writeln!(out, "env {name} {value:?}");
    }
    for clock in &trace.clocks {
        let _ = writeln!(
            out,
            "clock {} {} Hz, {} s + {}, precision {}, unix {}",
            clock.id, clock.freq, clock.offset_s, clock.offset_cycles, clock.precision, clock.is_unix_epoch
        );
    }
    scope(&mut out, "packet header", trace.packet_header.as_ref());
    for stream in &trace.streams {
        let _ = writeln!(out, "stream {} clock {:?}", stream.id, stream.clock);
        scope(&mut out, "packet context", stream.packet_context.as_ref());
        scope(&mut out, "event header", stream.event_header.as_ref());
        scope(&mut out, "event context", stream.event_context.as_ref());
        for event in &stream.events {
            let _ = write!(out, "event {} {:?}", event.id, event.name);
            if let Some(level) = event.loglevel {
                let _ = write!(out, " level {level}");
            }
            if let Some(uri) = &event.emf_uri {
                let _ = write!(out, " uri {uri}");
            }
            if let Some(source) = &event.source {
                let _ = write!(out, " at {}:{} {}", source.file, source.line, source.module);
            }
            out.push('\n');
            scope(&mut out, "context", event.context.as_ref());
            scope(&mut out, "payload", event.payload.as_ref());
        }
    }
    out
}

fn scope(out: &mut String, name: &str, class: Option<&StructClass>) {
    if let Some(class) = class {
        let _ = writeln!(out, "  {name} {}", structure(class));
    }
}

/// Returns a structure in one line.
pub fn structure(class: &StructClass) -> String {
    let members: Vec<_> = class.members.iter().map(member).collect();
    let align = if class.align_bits == 8 { String::new() } else { format!("%{}", class.align_bits) };
    format!("{{{}}}{align}", members.join(", "))
}

fn member(member: &Member) -> String {
    let mut out = format!("{}: {}", member.name, class(&member.class));
    if let Some(slot) = member.save {
        let _ = write!(out, " #{}", slot.0);
    }
    if let Some(role) = member.role {
        let _ = write!(out, " ={role:?}");
    }
    out
}

fn class(class: &Class) -> String {
    let kind = match &class.kind {
        ClassKind::Struct(class) => return structure(class),
        ClassKind::Integer(class) => integer(class),
        ClassKind::Float(float) => format!("f{}{}", float.bits, order(float.byte_order, float.is_bit_reversed)),
        ClassKind::Bool { bits, byte_order, is_bit_reversed } => {
            format!("bool{bits}{}", order(*byte_order, *is_bit_reversed))
        }
        ClassKind::BitArray { bits, byte_order, is_bit_reversed, flags } => {
            let flags: Vec<_> = flags.iter().map(|flag| format!("{}={}", flag.label, ranges(&flag.ranges))).collect();
            format!("bits{bits}{}[{}]", order(*byte_order, *is_bit_reversed), flags.join(" "))
        }
        ClassKind::String(encoding) => format!("string{}", text(*encoding)),
        ClassKind::StaticText(class) => format!("text[{}]{}", class.len, text(class.encoding)),
        ClassKind::DynamicText(class) => format!("text[#{}]{}", class.len.slot.0, text(class.encoding)),
        ClassKind::StaticBlob(class) => format!("blob[{}] {}", class.len, class.media_type),
        ClassKind::DynamicBlob(class) => format!("blob[#{}] {}", class.len.slot.0, class.media_type),
        ClassKind::Array(array) => format!("[{}; {}]", self::class(&array.element), array.len),
        ClassKind::Sequence(array) => format!("[{}; #{}]", self::class(&array.element), array.len.slot.0),
        ClassKind::Optional(optional) => {
            format!(
                "{}? if {} {}",
                self::class(&optional.class),
                selector(&optional.selector),
                ranges(&optional.ranges)
            )
        }
        ClassKind::Variant(variant) => {
            let options = variant.options.iter().map(|option| {
                let name = option.name.as_deref().unwrap_or("-");
                format!("{} {name}: {}", ranges(&option.ranges), self::class(&option.class))
            });
            let options: Vec<_> = options.collect();
            format!("<{}>{{{}}}", selector(&variant.selector), options.join(", "))
        }
    };
    let usual = if matches!(class.kind, ClassKind::Optional(_) | ClassKind::Variant(_)) { 1 } else { 8 };
    if class.align_bits == usual { kind } else { format!("{kind}%{}", class.align_bits) }
}

fn integer(class: &IntegerClass) -> String {
    let sign = if class.is_signed { 'i' } else { 'u' };
    let mut out = format!("{sign}{}{}", class.bits, order(class.byte_order, class.is_bit_reversed));
    if class.base.radix() != 10 {
        let _ = write!(out, "/{}", class.base.radix());
    }
    if class.is_enumeration {
        let labels: Vec<_> =
            class.mappings.iter().map(|map| format!("{}={}", map.label, ranges(&map.ranges))).collect();
        let _ = write!(out, "({})", labels.join(" "));
    }
    out
}

fn selector(selector: &Selector) -> String {
    format!("#{}{}", selector.slot.0, if selector.is_signed { "i" } else { "" })
}

fn ranges(ranges: &[Range]) -> String {
    let one = |range: &Range| match range.low == range.high {
        true => range.low.to_string(),
        false => format!("{}..{}", range.low, range.high),
    };
    ranges.iter().map(one).collect::<Vec<_>>().join("|")
}

fn order(order: ByteOrder, is_bit_reversed: bool) -> &'static str {
    match (order, is_bit_reversed) {
        (ByteOrder::Little, false) => "le",
        (ByteOrder::Big, false) => "be",
        (ByteOrder::Little, true) => "le-reversed",
        (ByteOrder::Big, true) => "be-reversed",
    }
}

fn text(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "",
        Encoding::Utf16Le => " utf-16le",
        Encoding::Utf16Be => " utf-16be",
        Encoding::Utf32Le => " utf-32le",
        Encoding::Utf32Be => " utf-32be",
    }
}

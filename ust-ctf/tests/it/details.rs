// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the classes of a trace as the details sink of babeltrace2 2.0 does, to compare how both read metadata.
//!
//! Both hide what only a reader uses (fields with a role), so positions in paths count what is shown.

use std::fmt::Write as _;

use ust_ctf::class::{
    Class, ClassKind, EventClass, IntegerClass, Range, Slot, StreamClass, StructClass, TraceClass, VariantClass,
};

/// Returns the lines about the classes of `trace`.
pub fn trace(trace: &TraceClass) -> String {
    let mut out = String::new();
    for stream in &trace.streams {
        let _ = writeln!(out, "Stream class (ID {}):", stream.id);
        let printer = Printer { stream, event: None };
        if let Some(clock) = stream.clock.and_then(|idx| trace.clocks.get(idx)) {
            out.push_str("  Default clock class:\n");
            let _ = writeln!(out, "    Name: {}", clock.id);
            if !clock.description.is_empty() {
                let _ = writeln!(out, "    Description: {}", clock.description);
            }
            let _ = writeln!(out, "    Frequency (Hz): {}", number(clock.freq.into()));
            let _ = writeln!(out, "    Precision (cycles): {}", clock.precision);
            let _ = writeln!(out, "    Offset (s): {}", clock.offset_s);
            let _ = writeln!(out, "    Offset (cycles): {}", clock.offset_cycles);
        }
        printer.scope(&mut out, 1, "Packet context field class", stream.packet_context.as_ref());
        printer.scope(&mut out, 1, "Event common context field class", stream.event_context.as_ref());
        for event in &stream.events {
            let printer = Printer { stream, event: Some(event) };
            let _ = writeln!(out, "  Event class `{}` (ID {}):", event.name, event.id);
            printer.scope(&mut out, 2, "Specific context field class", event.context.as_ref());
            printer.scope(&mut out, 2, "Payload field class", event.payload.as_ref());
        }
    }
    out
}

struct Printer<'t> {
    stream: &'t StreamClass,
    event: Option<&'t EventClass>,
}

impl Printer<'_> {
    fn scope(&self, out: &mut String, indent: usize, name: &str, class: Option<&StructClass>) {
        // babeltrace2 does not show a context of which nothing is left.
        let is_shown =
            |class: &&StructClass| name.starts_with("Payload") || class.members.iter().any(|m| m.role.is_none());
        if let Some(class) = class.filter(is_shown) {
            let _ = write!(out, "{}{name}: ", "  ".repeat(indent));
            self.structure(out, indent, class);
        }
    }

    fn structure(&self, out: &mut String, indent: usize, class: &StructClass) {
        let members: Vec<_> = class.members.iter().filter(|member| member.role.is_none()).collect();
        let _ = writeln!(
            out,
            "Structure ({}){}",
            count(members.len(), "member"),
            if members.is_empty() { "" } else { ":" }
        );
        for member in members {
            let _ = write!(out, "{}{}: ", "  ".repeat(indent + 1), member.name);
            self.class(out, indent + 1, &member.class);
        }
    }

    fn class(&self, out: &mut String, indent: usize, class: &Class) {
        let _ = match &class.kind {
            ClassKind::Struct(class) => return self.structure(out, indent, class),
            ClassKind::Integer(class) => return integer(out, indent, class),
            ClassKind::Variant(class) => return self.variant(out, indent, class),
            ClassKind::Array(array) => writeln!(out, "Static array (Length {}):", array.len),
            ClassKind::Sequence(array) => {
                let path = self.path(array.len.slot).map_or_else(
                    || "(no length field)".to_owned(),
                    |path| format!("(with length field) (Length field path {path})"),
                );
                writeln!(out, "Dynamic array {path}:")
            }
            ClassKind::Float(float) => {
                writeln!(out, "{}-precision real", if float.bits == 32 { "Single" } else { "Double" })
            }
            ClassKind::String(_) | ClassKind::StaticText(_) | ClassKind::DynamicText(_) => writeln!(out, "String"),
            other => panic!("CTF 1.8 has no {other:?}"),
        };
        if let ClassKind::Array(ust_ctf::class::ArrayClass { element, .. })
        | ClassKind::Sequence(ust_ctf::class::ArrayClass { element, .. }) = &class.kind
        {
            let _ = write!(out, "{}Element: ", "  ".repeat(indent + 1));
            self.class(out, indent + 1, element);
        }
    }

    fn variant(&self, out: &mut String, indent: usize, class: &VariantClass) {
        let sign = if class.selector.is_signed { "signed" } else { "unsigned" };
        let path =
            self.path(class.selector.slot).map(|path| format!(", Selector field path {path}")).unwrap_or_default();
        let options = count(class.options.len(), "option");
        let _ = writeln!(out, "Variant ({sign} integer selector) ({options}{path}):");
        for option in &class.options {
            let name = option.name.as_deref().unwrap_or_default();
            let _ = write!(out, "{}{name}: {}: ", "  ".repeat(indent + 1), ranges(&option.ranges));
            self.class(out, indent + 1, &option.class);
        }
    }

    /// Returns where the value of `slot` comes from; none if that is in a header, which is not shown.
    fn path(&self, slot: Slot) -> Option<String> {
        let scopes = [
            ("Packet context", self.stream.packet_context.as_ref()),
            ("Event common context", self.stream.event_context.as_ref()),
            ("Event specific context", self.event.and_then(|event| event.context.as_ref())),
            ("Event payload", self.event.and_then(|event| event.payload.as_ref())),
        ];
        scopes.iter().find_map(|(name, class)| {
            let mut path = Vec::new();
            find(class.as_ref()?, slot, &mut path).then(|| format!("[{name}: {}]", path.join(", ")))
        })
    }
}

fn find(class: &StructClass, slot: Slot, path: &mut Vec<String>) -> bool {
    for (idx, member) in class.members.iter().filter(|member| member.role.is_none()).enumerate() {
        path.push(idx.to_string());
        if member.save == Some(slot) || find_in(&member.class, slot, path) {
            return true;
        }
        path.pop();
    }
    false
}

fn find_in(class: &Class, slot: Slot, path: &mut Vec<String>) -> bool {
    match &class.kind {
        ClassKind::Struct(class) => find(class, slot, path),
        ClassKind::Array(ust_ctf::class::ArrayClass { element, .. })
        | ClassKind::Sequence(ust_ctf::class::ArrayClass { element, .. }) => {
            path.push("<current>".to_owned());
            find_in(element, slot, path) || path.pop().is_none()
        }
        ClassKind::Variant(variant) => variant.options.iter().enumerate().any(|(idx, option)| {
            path.push(idx.to_string());
            find_in(&option.class, slot, path) || path.pop().is_none()
        }),
        _ => false,
    }
}

fn integer(out: &mut String, indent: usize, class: &IntegerClass) {
    let sign = if class.is_signed { "Signed" } else { "Unsigned" };
    let size = format!("{}-bit, Base {}", class.bits, class.base.radix());
    if !class.is_enumeration {
        let _ = writeln!(out, "{sign} integer ({size})");
        return;
    }
    let _ = writeln!(out, "{sign} enumeration ({size}, {}):", count(class.mappings.len(), "mapping"));
    let mut mappings: Vec<_> = class.mappings.iter().collect();
    mappings.sort_by(|a, b| a.label.cmp(&b.label));
    for mapping in mappings {
        let _ = writeln!(out, "{}{}: {}", "  ".repeat(indent + 1), mapping.label, ranges(&mapping.ranges));
    }
}

fn ranges(ranges: &[Range]) -> String {
    let mut ranges: Vec<_> = ranges.iter().map(|range| (range.low, range.high)).collect();
    ranges.sort_unstable();
    let one = |(low, high): &(i128, i128)| match low == high {
        true => format!("[{}]", number(*low)),
        false => format!("[{}, {}]", number(*low), number(*high)),
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// It prints all numbers as signed ones of 64 bits, and large ones in groups of three digits.
fn number(number: i128) -> String {
    let number = number as i64;
    if number.unsigned_abs() < 10_000 {
        return number.to_string();
    }
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "-" } else { "" });
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

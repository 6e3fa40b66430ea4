// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the classes of a trace as TSDL, the metadata language of CTF 1.8.
//!
//! The text is a function of the classes alone, so a writer prints all of it again when a class is
//! added. No name, label or value can break it: names become identifiers, all else is escaped, and what
//! a container cannot hold is left out.
//!
//! CTF 1.8 has no reader-proof place for where a tracepoint stands in the source (babeltrace2 warns about
//! `callsite` blocks and about unknown attributes), so it is a comment in the event block, in a fixed form
//! that [`SOURCE_NOTE`] starts.

use std::fmt::Write as _;

use crate::escape::{identifier, quoted, quoted_in_comment};
use crate::model::{
    ByteOrder, Clock, Element, Enumeration, EnvValue, EventClass, FieldType, Float, FloatBits, Integer, IntegerBits,
    Scalar, TraceClass,
};
use crate::names::{MemberNames, Names, member_names};
use crate::packet::PROCNAME_BYTES;

/// Start of the comment that says where a tracepoint stands: `source "file":line "module"`.
pub const SOURCE_NOTE: &str = "source ";

/// Label of the tag of an optional field that has no value.
pub const TAG_NONE: &str = "none";

/// Label of the tag of an optional field that has a value.
pub const TAG_SOME: &str = "some";

/// The count that precedes a sequence.
pub(crate) const SEQUENCE_COUNT: Integer = Integer::unsigned(IntegerBits::B32);

/// The tag that precedes an optional value.
pub(crate) const OPTIONAL_TAG: Integer = Integer::unsigned(IntegerBits::B8);

/// The least severe level, debug.
const LOGLEVEL_MAX: i32 = 14;

/// Returns the metadata file of a trace with these classes, as plain text.
pub fn render(trace: &TraceClass) -> String {
    let mut out = String::with_capacity(4096);
    let clock_name = identifier(&trace.clock.name);
    // Readers tell the version by exactly this line.
    out.push_str("/* CTF 1.8 */\n\n");
    render_trace(&mut out, trace);
    render_env(&mut out, &trace.env);
    render_clock(&mut out, &trace.clock, &clock_name);
    render_headers(&mut out, &clock_name);
    for stream in &trace.streams {
        let _ = write!(
            out,
            "stream {{\n\tid = {};\n\tevent.header := struct event_header;\n\tpacket.context := struct \
             packet_context;\n",
            stream.id
        );
        if !stream.context.is_empty() {
            out.push_str("\tevent.context := struct {\n");
            for (field, names) in stream.context.iter().zip(member_names(&stream.context)) {
                render_field(&mut out, &names, &field.ty);
            }
            out.push_str("\t};\n");
        }
        out.push_str("};\n\n");
        for event in &stream.events {
            render_event(&mut out, event, stream.id);
        }
    }
    out
}

fn render_trace(out: &mut String, trace: &TraceClass) {
    out.push_str(
        "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n\
         typealias integer { size = 16; align = 8; signed = false; } := uint16_t;\n\
         typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n\
         typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n\
         typealias integer { size = 32; align = 8; signed = true; } := int32_t;\n\n",
    );
    let _ = write!(
        out,
        "trace {{\n\
         \tmajor = 1;\n\
         \tminor = 8;\n\
         \tuuid = \"{}\";\n\
         \tbyte_order = le;\n\
         \tpacket.header := struct {{\n\
         \t\tuint32_t magic;\n\
         \t\tuint8_t uuid[16];\n\
         \t\tuint32_t stream_id;\n\
         \t\tuint64_t stream_instance_id;\n\
         \t}};\n\
         }};\n\n",
        uuid_text(&trace.uuid)
    );
}

fn render_env(out: &mut String, env: &[(String, EnvValue)]) {
    let mut names = Names::default();
    out.push_str("env {\n");
    for (key, value) in env {
        let name = names.unique(identifier(key));
        let _ = match value {
            EnvValue::Integer(number) => writeln!(out, "\t{name} = {number};"),
            EnvValue::String(text) => writeln!(out, "\t{name} = {};", quoted(text)),
        };
    }
    out.push_str("};\n\n");
}

fn render_clock(out: &mut String, clock: &Clock, name: &str) {
    let _ = write!(
        out,
        "clock {{\n\
         \tname = \"{name}\";\n\
         \tuuid = \"{}\";\n\
         \tdescription = {};\n\
         \tfreq = {};\n\
         \toffset_s = {};\n\
         \toffset = {};\n\
         }};\n\n",
        uuid_text(&clock.uuid),
        quoted(&clock.description),
        // A reader divides by it.
        clock.freq.max(1),
        clock.offset_s,
        clock.offset_cycles,
    );
}

fn render_headers(out: &mut String, clock_name: &str) {
    let _ = write!(
        out,
        "typealias integer {{ size = 64; align = 8; signed = false; map = clock.{clock_name}.value; }} := \
         uint64_clock_t;\n\n\
         struct packet_context {{\n\
         \tuint64_clock_t timestamp_begin;\n\
         \tuint64_clock_t timestamp_end;\n\
         \tuint64_t content_size;\n\
         \tuint64_t packet_size;\n\
         \tuint64_t packet_seq_num;\n\
         \tuint64_t events_discarded;\n\
         \tuint32_t cpu_id;\n\
         \tint32_t vpid;\n\
         \tint32_t vtid;\n\
         \tinteger {{ size = 8; align = 8; signed = true; encoding = UTF8; base = 10; }} procname[{PROCNAME_BYTES}];\n\
         }};\n\n\
         struct event_header {{\n\
         \tuint16_t id;\n\
         \tinteger {{ size = 48; align = 8; signed = false; map = clock.{clock_name}.value; }} timestamp;\n\
         }} align(8);\n\n"
    );
}

fn render_event(out: &mut String, event: &EventClass, stream_id: u64) {
    let _ =
        write!(out, "event {{\n\tname = {};\n\tid = {};\n\tstream_id = {stream_id};\n", quoted(&event.name), event.id);
    // Readers refuse a negative level and warn about one without a name.
    if let Some(loglevel) = event.loglevel.filter(|level| (0..=LOGLEVEL_MAX).contains(level)) {
        let _ = writeln!(out, "\tloglevel = {loglevel};");
    }
    if let Some(uri) = &event.model_emf_uri {
        let _ = writeln!(out, "\tmodel.emf.uri = {};", quoted(uri));
    }
    if let Some(source) = &event.source {
        let file = quoted_in_comment(&source.file);
        let module = quoted_in_comment(&source.module);
        let _ = writeln!(out, "\t/* {SOURCE_NOTE}{file}:{} {module} */", source.line);
    }
    out.push_str("\tfields := struct {\n");
    for (field, names) in event.fields.iter().zip(member_names(&event.fields)) {
        render_field(out, &names, &field.ty);
    }
    out.push_str("\t};\n};\n\n");
}

fn render_field(out: &mut String, names: &MemberNames, ty: &FieldType) {
    let MemberNames { companion, name } = names;
    let companion = companion.as_deref().unwrap_or_default();
    let _ = match ty {
        FieldType::Scalar(scalar) => writeln!(out, "\t\t{} {name};", scalar_text(scalar)),
        FieldType::Array { element, len, text } => {
            writeln!(out, "\t\t{} {name}[{len}];", element_text(*element, *text))
        }
        FieldType::Sequence { element, text } => {
            let count = integer_text(SEQUENCE_COUNT, false);
            let element = element_text(*element, *text);
            writeln!(out, "\t\t{count} {companion};\n\t\t{element} {name}[{companion}];")
        }
        FieldType::Optional(scalar) => {
            let tag = integer_text(OPTIONAL_TAG, false);
            let some = scalar_text(scalar);
            writeln!(
                out,
                "\t\tenum : {tag} {{ \"{TAG_NONE}\" = 0, \"{TAG_SOME}\" = 1 }} {companion};\n\
                 \t\tvariant <{companion}> {{ struct {{ }} {TAG_NONE}; {some} {TAG_SOME}; }} {name};"
            )
        }
    };
}

fn scalar_text(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Integer(integer) => integer_text(*integer, false),
        Scalar::Float(float) => float_text(*float),
        Scalar::String => "string { encoding = UTF8; }".to_owned(),
        Scalar::Enumeration(enumeration) => enumeration_text(enumeration),
    }
}

fn element_text(element: Element, text: bool) -> String {
    match element {
        Element::Integer(integer) => integer_text(integer, text && element.can_be_text()),
        Element::Float(float) => float_text(float),
    }
}

fn integer_text(integer: Integer, text: bool) -> String {
    let Integer { bits, signed, base, byte_order } = integer;
    let encoding = if text { "UTF8" } else { "none" };
    format!(
        "integer {{ size = {}; align = 8; signed = {signed}; encoding = {encoding}; base = {};{} }}",
        bits.count(),
        base.radix(),
        byte_order_text(byte_order)
    )
}

fn float_text(float: Float) -> String {
    let (exponent, mantissa) = match float.bits {
        FloatBits::B32 => (8, 24),
        FloatBits::B64 => (11, 53),
    };
    let order = byte_order_text(float.byte_order);
    format!("floating_point {{ exp_dig = {exponent}; mant_dig = {mantissa}; align = 8;{order} }}")
}

fn enumeration_text(enumeration: &Enumeration) -> String {
    let (least, greatest) = enumeration.container.range();
    let mut mappings = Vec::with_capacity(enumeration.mappings.len());
    for mapping in &enumeration.mappings {
        let (low, high) = (mapping.low.max(least), mapping.high.min(greatest));
        if low > high {
            continue; // The container cannot hold any of these values.
        }
        let label = quoted(&mapping.label);
        mappings.push(if low == high { format!("{label} = {low}") } else { format!("{label} = {low} ... {high}") });
    }
    let container = integer_text(enumeration.container, false);
    if mappings.is_empty() {
        // The grammar wants at least one label; a plain integer has the same bytes.
        return container;
    }
    format!("enum : {container} {{ {} }}", mappings.join(", "))
}

fn byte_order_text(byte_order: ByteOrder) -> &'static str {
    match byte_order {
        ByteOrder::Little => "",
        ByteOrder::Big => " byte_order = be;",
    }
}

/// Returns `uuid` in its usual form of 36 characters.
pub fn uuid_text(uuid: &[u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    for (idx, byte) in uuid.iter().enumerate() {
        if matches!(idx, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let _ = write!(out, "{byte:02x}");
    }
    out
}

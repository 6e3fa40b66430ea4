// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns classes into what prints them.

use super::node::{Count, Label, MemberNode, Members, Node, Number};
use super::out::{Literal, Out};
use super::quote::put_text;
use super::style::{Colors, Options};
use crate::class::{Base, Class, ClassKind, EnvValue, EventClass, IntegerClass, Role, Source, StructClass};
use crate::reader::{Layout, TraceFolder, aligned};

/// Names of log levels.
const LEVELS: [&str; 15] = [
    "TRACE_EMERG",
    "TRACE_ALERT",
    "TRACE_CRIT",
    "TRACE_ERR",
    "TRACE_WARNING",
    "TRACE_NOTICE",
    "TRACE_INFO",
    "TRACE_DEBUG_SYSTEM",
    "TRACE_DEBUG_PROGRAM",
    "TRACE_DEBUG_PROCESS",
    "TRACE_DEBUG_MODULE",
    "TRACE_DEBUG_UNIT",
    "TRACE_DEBUG_FUNCTION",
    "TRACE_DEBUG_LINE",
    "TRACE_DEBUG",
];

/// Makes nodes of one scope.
pub(super) struct Compiler<'o> {
    pub(super) options: &'o Options,
    pub(super) colors: &'o Colors,
    /// Whether field names are shown.
    pub(super) with_names: bool,
}

impl Compiler<'_> {
    /// Returns the members of a whole scope, with `begin` before them; those with a role that `hides` are not shown.
    pub(super) fn scope(&self, name: &str, class: &StructClass, hides: fn(Role) -> bool) -> (Literal, Members) {
        let mut begin = Vec::new();
        if self.options.names.scope {
            begin.extend_from_slice(self.colors.header.as_bytes());
            begin.extend_from_slice(name.as_bytes());
            begin.extend_from_slice(self.colors.reset.as_bytes());
            begin.extend_from_slice(b" = ");
        }
        begin.push(b'{');
        (Literal::new(&begin), self.members(class, hides))
    }

    fn members(&self, class: &StructClass, hides: fn(Role) -> bool) -> Members {
        let mut is_first = true;
        let members = class.members.iter().map(|member| {
            let is_hidden = member.role.is_some_and(hides);
            let mut before = Vec::new();
            if !is_hidden {
                before.extend_from_slice(if std::mem::take(&mut is_first) { b" " } else { b", " });
                if self.with_names {
                    before.extend_from_slice(self.colors.field.as_bytes());
                    before.extend_from_slice(member.name.as_bytes());
                    before.extend_from_slice(self.colors.reset.as_bytes());
                    before.extend_from_slice(b" = ");
                }
            }
            MemberNode {
                before: Literal::new(&before),
                align: aligned(&member.class),
                save: member.save,
                is_hidden,
                node: self.node(&member.class),
            }
        });
        // An empty structure is `{ }`, any other has a space at both ends: the same bytes.
        Members { align: class.align_bits.max(1), members: members.collect(), end: Literal::new(b" }") }
    }

    fn node(&self, class: &Class) -> Node {
        let boxed = |class: &Class| Box::new(self.node(class));
        match &class.kind {
            ClassKind::Integer(integer) => integer_node(integer),
            ClassKind::Bool { .. } => Layout::of_class(&class.kind).map_or(Node::Blob(Count::Fixed(0)), Node::Bool),
            ClassKind::BitArray { flags, .. } => {
                let layout = Layout::of_class(&class.kind);
                layout.map_or(Node::Blob(Count::Fixed(0)), |layout| Node::Bits(layout, flags.to_vec()))
            }
            ClassKind::Float(float) => Node::Float(*float),
            ClassKind::String(encoding) => Node::String(*encoding),
            ClassKind::StaticText(text) => Node::Text(Count::Fixed(text.len), text.encoding),
            ClassKind::DynamicText(text) => Node::Text(Count::Said(text.len.slot), text.encoding),
            ClassKind::StaticBlob(blob) => Node::Blob(Count::Fixed(blob.len)),
            ClassKind::DynamicBlob(blob) => Node::Blob(Count::Said(blob.len.slot)),
            ClassKind::Array(array) => {
                let align = aligned(&array.element);
                Node::Array(Count::Fixed(array.len), align, boxed(&array.element), self.with_names)
            }
            ClassKind::Sequence(array) => {
                let align = aligned(&array.element);
                Node::Array(Count::Said(array.len.slot), align, boxed(&array.element), self.with_names)
            }
            ClassKind::Struct(inner) => Node::Struct(self.members(inner, |_| false)),
            ClassKind::Optional(inner) => Node::Optional(inner.clone(), aligned(&inner.class), boxed(&inner.class)),
            ClassKind::Variant(variant) => {
                let options = variant.options.iter().map(|o| (aligned(&o.class), self.node(&o.class)));
                Node::Variant(variant.clone(), options.collect())
            }
        }
    }
}

fn integer_node(class: &IntegerClass) -> Node {
    let layout = Layout::of_integer(class);
    let number = Number { layout, is_signed: class.is_signed, base: class.base };
    if class.is_enumeration {
        let labels = class.mappings.iter().map(|mapping| {
            let mut text = Out::default();
            put_text(&mut text, mapping.label.as_bytes());
            Label { mapping: mapping.clone(), text: Literal::new(text.text()) }
        });
        return Node::Enumeration(number, labels.collect());
    }
    match (layout, class.base, class.is_signed) {
        (Some(layout), Base::Decimal, false) => Node::Decimal(layout),
        (Some(layout), Base::Decimal, true) => Node::SignedDecimal(layout),
        _ => Node::Number(number),
    }
}

/// Returns what stands between the time of an event, if it has one, and its fields: where it is from, and its name.
pub(super) fn head(
    folder: &TraceFolder,
    event: &EventClass,
    has_clock: bool,
    options: &Options,
    colors: &Colors,
) -> Literal {
    let mut head = Head { bytes: Vec::new(), with_names: options.names.header, has_origin: false, colors };
    let (shown, class) = (&options.fields, folder.class());
    if shown.trace {
        // babeltrace2 separates the name of the trace from what follows in this way only.
        head.name("trace");
        head.text(folder.name());
        if head.with_names {
            head.text(if has_clock { ", , " } else { ", " });
        }
    }
    let env = |key: &str| match class.env(key)? {
        EnvValue::String(text) => Some(text.clone()),
        EnvValue::Integer(_) => None,
    };
    let vpid = match class.env("vpid") {
        Some(EnvValue::Integer(vpid)) => Some(format!("({vpid})")),
        _ => None,
    };
    let loglevel = event.loglevel.and_then(|level| {
        let name = LEVELS.get(usize::try_from(level).ok()?)?;
        Some(format!("{name} ({level})"))
    });
    let origins = [
        (shown.hostname, "trace:hostname", env("hostname")),
        (shown.domain, "trace:domain", env("domain")),
        (shown.procname, "trace:procname", env("procname")),
        (shown.vpid, "trace:vpid", vpid),
        (shown.loglevel, "loglevel", loglevel),
        (shown.emf, "model.emf.uri", event.emf_uri.clone()),
    ];
    for (is_shown, name, text) in origins {
        if let Some(text) = text.filter(|_| is_shown) {
            head.origin(name, &text);
        }
    }
    if head.has_origin {
        head.text(if head.with_names { ", " } else { " " });
    }
    head.name("name");
    head.text(colors.name);
    head.text(&event.name);
    head.text(colors.reset);
    if let Some(Source { file, line, .. }) = event.source.as_ref().filter(|_| options.source) {
        head.text(&format!(" ({file}:{line})"));
    }
    head.text(if head.with_names { ", " } else { ": " });
    Literal::new(&head.bytes)
}

struct Head<'o> {
    bytes: Vec<u8>,
    with_names: bool,
    has_origin: bool,
    colors: &'o Colors,
}

impl Head<'_> {
    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn name(&mut self, name: &str) {
        if self.with_names {
            self.text(self.colors.header);
            self.text(name);
            self.text(self.colors.reset);
            self.text(" = ");
        }
    }

    fn origin(&mut self, name: &str, text: &str) {
        if std::mem::replace(&mut self.has_origin, true) {
            self.text(if self.with_names { ", " } else { ":" });
        }
        self.name(name);
        self.text(text);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a trace says about events: their classes and values as text that shows every difference.

use std::fmt::Write as _;
use std::path::Path;

use ust_ctf::class::{ClassKind, EventClass, IntegerClass};
use ust_ctf::reader::{Trace, Value};

/// One field of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub class: String,
    pub value: String,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub name: String,
    pub loglevel: Option<i64>,
    pub emf_uri: Option<String>,
    pub fields: Vec<Field>,
}

/// Returns the events of a trace, which must be undamaged.
pub fn read(trace: &Path) -> Vec<Recorded> {
    let trace = Trace::open(trace).expect("the trace is readable");
    let mut events = trace.events();
    let mut found = Vec::new();
    while let Some(event) = events.next() {
        let EventClass { name, loglevel, emf_uri, .. } = event.class;
        let fields = event.payload().map(|field| Field {
            name: field.name.to_owned(),
            class: class(&field.class.kind),
            value: value(&field.value),
        });
        let (name, emf_uri) = (name.clone(), emf_uri.clone());
        found.push(Recorded { name, loglevel: *loglevel, emf_uri, fields: fields.collect() });
    }
    assert_eq!(events.warnings().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    found
}

fn class(kind: &ClassKind) -> String {
    match kind {
        ClassKind::Integer(integer) => integer_class(integer),
        ClassKind::Float(float) => format!("float of {} bits, {:?}", float.bits, float.byte_order),
        ClassKind::String(encoding) => format!("string of {encoding:?}"),
        ClassKind::StaticText(text) => format!("{} bytes of {:?}", text.len, text.encoding),
        ClassKind::DynamicText(text) => format!("bytes of {:?}", text.encoding),
        ClassKind::Array(array) => format!("{} of {}", array.len, class(&array.element.kind)),
        ClassKind::Sequence(array) => format!("sequence of {}", class(&array.element.kind)),
        other => format!("{other:?}"),
    }
}

fn integer_class(integer: &IntegerClass) -> String {
    let IntegerClass { bits, is_signed, byte_order, base, mappings, is_enumeration, .. } = integer;
    let sign = if *is_signed { "signed" } else { "unsigned" };
    let mut text = format!("{sign} integer of {bits} bits, {byte_order:?}, {base:?}");
    if *is_enumeration {
        let mut labels: Vec<String> = mappings
            .iter()
            .map(|mapping| {
                let ranges = mapping.ranges.iter().map(|range| format!("{}..{}", range.low, range.high));
                format!("{:?} {}", mapping.label, ranges.collect::<Vec<_>>().join(" "))
            })
            .collect();
        labels.sort();
        write!(text, ", {}", labels.join(", ")).expect("memory");
    }
    text
}

fn value(found: &Value) -> String {
    match found {
        Value::Unsigned(number) => number.to_string(),
        Value::Signed(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => format!("{:?}", String::from_utf8_lossy(&text.utf8())),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.clone().map(|element| value(&element)).collect();
            format!("[{}]", elements.join(", "))
        }
        other => format!("{other:?}"),
    }
}

impl Recorded {
    /// The fields with their values, on one line.
    pub fn values(&self) -> String {
        let fields = self.fields.iter().filter(|field| !is_length(field));
        let fields: Vec<String> = fields.map(|field| format!("{} = {}", field.name, field.value)).collect();
        format!("{} {{ {} }}", self.name, fields.join(", "))
    }
}

/// Whether a field is the length of the sequence behind it.
pub fn is_length(field: &Field) -> bool {
    field.name.starts_with('_') && field.name.ends_with("_length")
}

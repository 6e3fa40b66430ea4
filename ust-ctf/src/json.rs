// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events as JSON, one object per line; `docs/json.md` says what it looks like and what will not change.
//!
//! ```json
//! {"time":"1795397668.934056280","cycles":824337512073,"event":"shop:checkout","loglevel":6,"trace":"box",
//!  "packet":{"cpu_id":0,"vpid":306,"vtid":306,"procname":"shop"},"context":{},"fields":{"order":17,"total":9.99}}
//! ```

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serializer;
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _};

use crate::Job;
use crate::class::{Class, ClassKind, Role, StructClass};
use crate::reader::{Elements, Event, Fields, Trace, Value, Warning};

/// Appends `event` as one line.
pub fn put_event(out: &mut Vec<u8>, event: &Event<'_>) {
    // Writing to memory does not fail, and every key is a string.
    let _ = serde_json::to_writer(&mut *out, &EventObject(event));
    out.push(b'\n');
}

/// Writes the events of `trace` that `job` asks for; returns the warnings about what was read.
///
/// # Errors
/// Those of `out`.
pub fn write(trace: &Trace, job: &mut Job<'_>, out: &mut impl Write) -> io::Result<Vec<Warning>> {
    let selection = Arc::clone(&job.selection);
    let most = job.limit.unwrap_or(u64::MAX);
    let mut windows = trace.par_map_windows(
        job.threads,
        move || selection.selector(),
        move |selector, events| {
            let mut ends = Vec::new();
            let mut text = Vec::new();
            while (ends.len() as u64) < most
                && let Some(event) = events.next()
            {
                if selector.wants(&event) {
                    put_event(&mut text, &event);
                    ends.push(text.len());
                }
            }
            (text, ends)
        },
    );
    let (mut left, mut done, window_count) = (most, 0, windows.window_count());
    for (text, ends) in &mut windows {
        done += 1;
        (job.progress)(done, window_count);
        let count = usize::try_from(left).map_or(ends.len(), |left| left.min(ends.len()));
        let end = count.checked_sub(1).map_or(0, |last| ends[last]);
        out.write_all(&text[..end])?;
        left -= count as u64;
        if left == 0 {
            break;
        }
    }
    out.flush()?;
    Ok(windows.warnings())
}

struct EventObject<'a, 'e>(&'a Event<'e>);

impl Serialize for EventObject<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = serializer.serialize_map(None)?;
        if event.has_clock() {
            map.serialize_entry("time", &seconds(event.time_ns))?;
            map.serialize_entry("cycles", &event.cycles)?;
        }
        map.serialize_entry("event", &event.class.name)?;
        if let Some(level) = event.class.loglevel {
            map.serialize_entry("loglevel", &level)?;
        }
        map.serialize_entry("trace", event.trace().name())?;
        let packet = event.stream_class().packet_context.as_ref();
        map.serialize_entry("packet", &Object::new(event.packet_context(), packet, |role| role == Role::Timestamp))?;
        map.serialize_entry("context", &Contexts(event))?;
        map.serialize_entry("fields", &Object::new(event.payload(), event.class.payload.as_ref(), |_| true))?;
        map.end()
    }
}

/// Seconds since the epoch with nine digits behind the point: a number of JSON would lose the last ones.
fn seconds(time_ns: i64) -> String {
    let sign = if time_ns < 0 { "-" } else { "" };
    let ns = time_ns.unsigned_abs();
    format!("{sign}{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

/// The contexts of the stream and of the class in one object.
struct Contexts<'a, 'e>(&'a Event<'e>);

impl Serialize for Contexts<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in self.0.common_context().chain(self.0.specific_context()) {
            map.serialize_entry(field.name, &Item { class: field.class, value: field.value })?;
        }
        map.end()
    }
}

/// The members of a structure, without those that readers use and nobody wants to see.
struct Object<'e> {
    fields: Fields<'e>,
    class: Option<&'e StructClass>,
    shows: fn(Role) -> bool,
}

impl<'e> Object<'e> {
    fn new(fields: Fields<'e>, class: Option<&'e StructClass>, shows: fn(Role) -> bool) -> Self {
        Self { fields, class, shows }
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let members = self.class.map_or(&[][..], |class| &class.members);
        for (field, member) in self.fields.clone().zip(members) {
            if member.role.is_none_or(self.shows) {
                map.serialize_entry(field.name, &Item { class: field.class, value: field.value })?;
            }
        }
        map.end()
    }
}

/// A value, and what it is.
struct Item<'e> {
    class: &'e Class,
    value: Value<'e>,
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Unsigned(_) | Value::Signed(_) | Value::Bits(_) => self.number(serializer),
            Value::Float(number) => float(*number, serializer),
            Value::Bool(is_set) => serializer.serialize_bool(*is_set),
            Value::Text(text) => serializer.serialize_str(&String::from_utf8_lossy(&text.utf8())),
            Value::Blob(bytes) => serializer.serialize_str(&hex(bytes)),
            Value::Array(elements) => array(elements, serializer),
            Value::Struct(fields) => {
                let mut map = serializer.serialize_map(None)?;
                for field in fields.clone() {
                    map.serialize_entry(field.name, &Item { class: field.class, value: field.value })?;
                }
                map.end()
            }
            Value::Optional(None) => serializer.serialize_unit(),
            Value::Optional(Some(nested)) | Value::Variant(_, nested) => match nested.value() {
                Some(value) => Item { class: nested.class(), value }.serialize(serializer),
                None => serializer.serialize_unit(),
            },
        }
    }
}

impl Item<'_> {
    fn number<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = self.value.integer().unwrap_or_default();
        let labels: Vec<&str> = match &self.class.kind {
            ClassKind::Integer(class) if class.is_enumeration => {
                let holds = class.mappings.iter().filter(|m| m.ranges.iter().any(|range| range.contains(number)));
                holds.map(|mapping| mapping.label.as_str()).collect()
            }
            ClassKind::BitArray { flags, .. } if !flags.is_empty() => {
                let is_set = |bit: i128| (0..64).contains(&bit) && number >> bit & 1 == 1;
                let has = flags.iter().filter(|f| f.ranges.iter().any(|r| (r.low.max(0)..=r.high.min(63)).any(is_set)));
                has.map(|flag| flag.label.as_str()).collect()
            }
            _ => {
                return match (i64::try_from(number), u64::try_from(number)) {
                    (Ok(number), _) => serializer.serialize_i64(number),
                    (_, Ok(number)) => serializer.serialize_u64(number),
                    _ => serializer.serialize_i128(number),
                };
            }
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("value", &number)?;
        map.serialize_entry("labels", &labels)?;
        map.end()
    }
}

fn array<S: Serializer>(elements: &Elements<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(None)?;
    for value in elements.clone() {
        seq.serialize_element(&Item { class: elements.class(), value })?;
    }
    seq.end()
}

/// JSON has no number for what is not finite.
fn float<S: Serializer>(number: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.is_finite() {
        serializer.serialize_f64(number)
    } else if number.is_nan() {
        serializer.serialize_str("NaN")
    } else {
        serializer.serialize_str(if number > 0.0 { "Infinity" } else { "-Infinity" })
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

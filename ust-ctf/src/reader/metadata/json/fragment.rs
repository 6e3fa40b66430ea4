// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fragments of CTF 2 metadata.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::field::{self, Aliases};
use super::value::{Object, integer, kind};
use crate::class::{ByteOrder, ClockClass, EnvValue};
use crate::reader::error::Complaint;
use crate::reader::metadata::Result;
use crate::reader::metadata::draft::{Draft, Kind};
use crate::reader::metadata::trace::{EventDraft, StreamDraft, TraceDraft};

/// What the fragments said so far.
pub(super) struct Fragments {
    aliases: Aliases,
    trace: TraceDraft,
    has_preamble: bool,
    has_trace_class: bool,
    stream_ids: std::collections::HashSet<u64>,
}

impl Fragments {
    pub(super) fn new() -> Self {
        Self {
            aliases: Aliases::new(),
            trace: TraceDraft {
                version: 2,
                uuid: None,
                identity: Default::default(),
                env: Vec::new(),
                clocks: Vec::new(),
                clock_idx: HashMap::new(),
                native: ByteOrder::Little,
                packet_header: None,
                streams: Vec::new(),
                events: Vec::new(),
                assign_roles: super::roles::assign,
            },
            has_preamble: false,
            has_trace_class: false,
            stream_ids: Default::default(),
        }
    }

    /// Adds a fragment.
    pub(super) fn add(&mut self, fragment: Object<'_>) -> Result<()> {
        let kind = fragment.required_string("type")?;
        if self.has_preamble == (kind == "preamble") {
            return Err(fragment.wrong("type", "the first fragment, and only that, must be a preamble"));
        }
        match kind {
            "preamble" => self.preamble(fragment),
            "field-class-alias" => self.alias(fragment),
            "trace-class" => self.trace_class(fragment),
            "clock-class" => self.clock_class(fragment),
            "data-stream-class" => self.data_stream_class(fragment),
            "event-record-class" => self.event_record_class(fragment),
            other => Err(fragment.wrong("type", &format!("there is no fragment of type `{other}`"))),
        }
    }

    /// Returns what all fragments describe; `end` is the place of the last one.
    pub(super) fn finish(self, end: usize) -> Result<TraceDraft> {
        if !self.has_preamble {
            return Err(Complaint::new(end, "there is no preamble fragment"));
        }
        if self.trace.streams.is_empty() {
            return Err(Complaint::new(end, "there is no data-stream-class fragment"));
        }
        Ok(self.trace)
    }

    fn preamble(&mut self, fragment: Object<'_>) -> Result<()> {
        self.has_preamble = true;
        let version = fragment.unsigned("version")?.ok_or_else(|| fragment.missing("version"))?;
        if version != 2 {
            return Err(fragment.wrong("version", &format!("the version is {version}; only 2 is read")));
        }
        let Some(elements) = fragment.array("uuid")? else { return Ok(()) };
        let bytes: Option<Vec<u8>> = elements.map(|(_, value)| u8::try_from(integer(value)?).ok()).collect();
        let uuid = bytes.and_then(|bytes| bytes.try_into().ok());
        self.trace.uuid =
            Some(uuid.ok_or_else(|| fragment.wrong("uuid", "a uuid must be an array of 16 numbers from 0 to 255"))?);
        Ok(())
    }

    fn alias(&mut self, fragment: Object<'_>) -> Result<()> {
        let name = fragment.required_string("name")?;
        let class = field::inner(fragment, "field-class", &self.aliases)?;
        if self.aliases.insert(name.to_owned(), class).is_some() {
            return Err(fragment.wrong("name", &format!("there are two field class aliases `{name}`")));
        }
        Ok(())
    }

    fn trace_class(&mut self, fragment: Object<'_>) -> Result<()> {
        if self.has_trace_class {
            return Err(fragment.wrong("type", "there is a second trace-class fragment"));
        }
        if !self.trace.streams.is_empty() {
            return Err(fragment.wrong("type", "the trace class must be before the first data stream class"));
        }
        self.has_trace_class = true;
        self.trace.identity = fragment.identity()?;
        for (at, name, value) in fragment.properties("environment")?.into_iter().flatten() {
            let value = match value {
                Value::String(text) => EnvValue::String(text.clone()),
                // Numbers above 63 bits wrap around, as in CTF 1.8.
                other => match integer(other) {
                    Some(number) => EnvValue::Integer(number as i64),
                    None => {
                        let message =
                            format!("this must be a string or a whole number of 64 bits, not {}", kind(other));
                        return Err(Complaint::new(at, message));
                    }
                },
            };
            self.trace.env.push((name.to_owned(), value));
        }
        self.trace.packet_header = self.structure(fragment, "packet-header-field-class")?;
        Ok(())
    }

    /// Returns the class of a whole scope.
    fn structure(&self, fragment: Object<'_>, key: &'static str) -> Result<Option<Arc<Draft>>> {
        if fragment.get(key).is_none() {
            return Ok(None);
        }
        let class = field::inner(fragment, key, &self.aliases)?;
        match class.kind {
            Kind::Struct(_) => Ok(Some(class)),
            _ => Err(fragment.wrong(key, "this must be a structure")),
        }
    }

    fn clock_class(&mut self, fragment: Object<'_>) -> Result<()> {
        let id = fragment.required_string("id")?.to_owned();
        let frequency = fragment.unsigned("frequency")?.ok_or_else(|| fragment.missing("frequency"))?;
        if frequency == 0 {
            return Err(fragment.wrong("frequency", "the frequency of a clock cannot be 0"));
        }
        let (mut offset_s, mut offset_cycles) = (0, 0);
        if let Some(offset) = fragment.get("offset-from-origin") {
            let offset = Object::new(offset, fragment.places(), fragment.place("offset-from-origin"))?;
            offset_s = offset.number("seconds", "a whole number of 63 bits and a sign")?.unwrap_or(0);
            offset_cycles = offset.unsigned("cycles")?.unwrap_or(0);
            if offset_cycles >= frequency {
                let message =
                    format!("{offset_cycles} cycles are a second or more: there must be less than {frequency}");
                return Err(offset.wrong("cycles", &message));
            }
        }
        let is_unix_epoch = match fragment.get("origin") {
            None => false,
            Some(Value::String(_)) => fragment.choice("origin", &[("unix-epoch", true)])?.unwrap_or(false),
            Some(other) => {
                let origin = Object::new(other, fragment.places(), fragment.place("origin"))?;
                origin.required_string("name")?;
                origin.required_string("uid")?;
                false
            }
        };
        fragment.unsigned("accuracy")?;
        let clock = ClockClass {
            id: id.clone(),
            description: fragment.string("description")?.unwrap_or_default().to_owned(),
            uuid: None,
            identity: fragment.identity()?,
            freq: frequency,
            precision: fragment.unsigned("precision")?.unwrap_or(0),
            offset_s,
            offset_cycles,
            is_unix_epoch,
        };
        if self.trace.clock_idx.insert(id, self.trace.clocks.len()).is_some() {
            return Err(fragment.wrong("id", &format!("there are two clock classes `{}`", clock.id)));
        }
        self.trace.clocks.push(clock);
        Ok(())
    }

    fn data_stream_class(&mut self, fragment: Object<'_>) -> Result<()> {
        let id = fragment.unsigned("id")?.unwrap_or(0);
        if !self.stream_ids.insert(id) {
            return Err(fragment.wrong("id", &format!("there are two data stream classes {id}")));
        }
        let clock = match fragment.string("default-clock-class-id")? {
            None => None,
            Some(name) => match self.trace.clock_idx.get(name) {
                Some(idx) => Some(*idx),
                None => {
                    let message = format!("there is no clock class `{name}` before this");
                    return Err(fragment.wrong("default-clock-class-id", &message));
                }
            },
        };
        let stream = StreamDraft {
            at: fragment.at,
            id: Some(id),
            identity: fragment.identity()?,
            clock,
            packet_context: self.structure(fragment, "packet-context-field-class")?,
            event_header: self.structure(fragment, "event-record-header-field-class")?,
            event_context: self.structure(fragment, "event-record-common-context-field-class")?,
        };
        self.trace.streams.push(stream);
        Ok(())
    }

    fn event_record_class(&mut self, fragment: Object<'_>) -> Result<()> {
        let stream_id = fragment.unsigned("data-stream-class-id")?.unwrap_or(0);
        if !self.stream_ids.contains(&stream_id) {
            let message = format!("there is no data stream class {stream_id} before this");
            return Err(fragment.wrong("data-stream-class-id", &message));
        }
        let identity = fragment.identity()?;
        let event = EventDraft {
            at: fragment.at,
            id: Some(fragment.unsigned("id")?.unwrap_or(0)),
            stream_id: Some(stream_id),
            name: identity.name.clone().unwrap_or_default(),
            identity,
            loglevel: attribute(fragment, "log-level").and_then(loglevel),
            emf_uri: attribute(fragment, "emf-uri").and_then(Value::as_str).map(str::to_owned),
            context: self.structure(fragment, "specific-context-field-class")?,
            payload: self.structure(fragment, "payload-field-class")?,
            source: None,
        };
        self.trace.events.push(event);
        Ok(())
    }
}

/// The namespaces whose attributes are known.
const NAMESPACES: [&str; 2] = ["lttng.org,2009", "babeltrace.org,2020"];

/// Returns the attribute `name`; attributes of an unexpected form are none, as the format asks.
fn attribute<'j>(fragment: Object<'j>, name: &str) -> Option<&'j Value> {
    let attributes = fragment.get("attributes")?;
    NAMESPACES.iter().find_map(|namespace| attributes.get(namespace)?.get(name))
}

/// The words for the levels 0 to 14.
const LOGLEVELS: [&str; 15] = [
    "emergency",
    "alert",
    "critical",
    "error",
    "warning",
    "notice",
    "info",
    "debug:system",
    "debug:program",
    "debug:process",
    "debug:module",
    "debug:unit",
    "debug:function",
    "debug:line",
    "debug",
];

fn loglevel(value: &Value) -> Option<i64> {
    let Value::String(word) = value else { return value.as_i64() };
    let word = word.to_ascii_lowercase().replace(['-', '_'], ":");
    let word = match word.strip_prefix("trace:").unwrap_or(&word) {
        "emerg" => "emergency",
        "crit" => "critical",
        "err" => "error",
        "warn" => "warning",
        other => other,
    };
    LOGLEVELS.iter().position(|level| *level == word).and_then(|level| i64::try_from(level).ok())
}

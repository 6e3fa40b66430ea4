// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the blocks of TSDL, in any order: an event can precede its stream, and a stream the trace.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Item, Value};
use super::attributes::{Seen, boolean, byte_order, number, text, uuid};
use super::parser::Result;
use super::types::Names;
use crate::class::{ByteOrder, ClockClass, EnvValue, Identity, Source};
use crate::reader::error::Complaint;
use crate::reader::metadata::draft::{Draft, Kind};
use crate::reader::metadata::trace::{EventDraft, StreamDraft, TraceDraft};

/// What the blocks said so far.
#[derive(Default)]
pub(super) struct Blocks {
    trace: Option<TraceBlock>,
    clocks: Vec<ClockClass>,
    clock_idx: HashMap<String, usize>,
    streams: Vec<StreamDraft>,
    events: Vec<EventDraft>,
    /// By the name of the event.
    callsites: HashMap<String, Source>,
}

struct TraceBlock {
    uuid: Option<[u8; 16]>,
    byte_order: ByteOrder,
    packet_header: Option<Arc<Draft>>,
}

impl Blocks {
    /// Adds the block `kind` that stands at `at`.
    pub(super) fn add(&mut self, names: &mut Names<'_>, at: usize, kind: &str, entries: &[Item]) -> Result<()> {
        match kind {
            "trace" if self.trace.is_some() => return Err(Complaint::new(at, "there is a second `trace` block")),
            "trace" => self.trace = Some(trace_block(names, at, entries)?),
            "clock" => self.add_clock(at, clock_block(at, entries)?)?,
            "stream" => self.streams.push(stream_block(names, at, entries)?),
            "event" => self.events.push(event_block(names, at, entries)?),
            "callsite" => {
                if let Some((name, source)) = callsite_block(entries)? {
                    self.callsites.entry(name).or_insert(source);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_clock(&mut self, at: usize, clock: ClockClass) -> Result<()> {
        if let Some(other) = self.clock_idx.get(&clock.id).and_then(|idx| self.clocks.get(*idx)) {
            let is_same = *other == clock;
            return if is_same {
                Ok(())
            } else {
                Err(Complaint::new(at, format!("there are two clocks `{}`", clock.id)))
            };
        }
        self.clock_idx.insert(clock.id.clone(), self.clocks.len());
        self.clocks.push(clock);
        Ok(())
    }

    /// Returns what all blocks describe; the text is `end` bytes long.
    pub(super) fn finish(self, env: Vec<(String, EnvValue)>, end: usize) -> Result<TraceDraft> {
        let Self { trace, clocks, clock_idx, mut streams, mut events, callsites } = self;
        let Some(trace) = trace else {
            return Err(Complaint::new(end, "there is no `trace` block"));
        };
        if streams.is_empty() {
            // A trace without stream classes has the one that says nothing.
            streams.push(StreamDraft { at: end, ..StreamDraft::default() });
        }
        let only_stream = match &streams[..] {
            [only] => Some(only.id.unwrap_or(0)),
            _ => None,
        };
        for event in &mut events {
            event.source = event.source.take().or_else(|| callsites.get(&event.name).cloned());
            event.stream_id = event.stream_id.or(only_stream);
            if event.stream_id.is_none() {
                let message = "this event has no `stream_id`, and there is more than one stream";
                return Err(Complaint::new(event.at, message));
            }
        }
        Ok(TraceDraft {
            version: 1,
            uuid: trace.uuid,
            identity: Identity::default(),
            env,
            clocks,
            clock_idx,
            native: trace.byte_order,
            packet_header: trace.packet_header,
            streams,
            events,
            assign_roles: super::roles::assign,
        })
    }
}

/// Returns the class of `ty`, which must be a structure, for `what`.
fn structure(names: &mut Names<'_>, ty: &super::ast::Type, what: &str) -> Result<Option<Arc<Draft>>> {
    let class = names.class(ty)?;
    match class.kind {
        Kind::Struct(_) => Ok(Some(class)),
        _ => Err(Complaint::new(ty.at, format!("`{what}` must be a structure"))),
    }
}

fn trace_block(names: &mut Names<'_>, at: usize, entries: &[Item]) -> Result<TraceBlock> {
    let (mut trace_uuid, mut order, mut packet_header) = (None, None, None);
    let mut seen = Seen::default();
    for entry in entries {
        match entry {
            Item::Assign { at, name, value } => {
                match name.as_str() {
                    "major" | "minor" => version(*at, name, value)?,
                    "uuid" => trace_uuid = Some(uuid(*at, value)?),
                    "byte_order" => {
                        order = byte_order(*at, value)?;
                        if order.is_none() {
                            let message = "the byte order of a trace must be `le`, `be` or `network`, not `native`";
                            return Err(Complaint::new(*at, message));
                        }
                    }
                    _ => continue,
                }
                seen.once(*at, name)?;
            }
            Item::AssignType { at, name, ty } if name == "packet.header" => {
                seen.once(*at, name)?;
                packet_header = structure(names, ty, name)?;
            }
            other => names.declare(other)?,
        }
    }
    if let Some(missing) = ["major", "minor"].iter().find(|name| !seen.has(name)) {
        return Err(Complaint::new(at, format!("this trace has no `{missing}`: CTF 1.8 has `major = 1; minor = 8;`")));
    }
    let Some(byte_order) = order else {
        return Err(Complaint::new(at, "this trace has no `byte_order`: it must be `le`, `be` or `network`"));
    };
    Ok(TraceBlock { uuid: trace_uuid, byte_order, packet_header })
}

fn version(at: usize, name: &str, value: &Value) -> Result<()> {
    let (number, wanted) = (number::<u64>(at, name, value)?, if name == "major" { 1 } else { 8 });
    if number == wanted {
        return Ok(());
    }
    Err(Complaint::new(
        at,
        format!("the {name} version is {number}; only CTF 1.8 is read here, so it must be {wanted}"),
    ))
}

pub(super) fn env_block(entries: &[Item]) -> Vec<(String, EnvValue)> {
    let mut env = Vec::new();
    for entry in entries {
        let Item::Assign { name, value, .. } = entry else {
            continue;
        };
        let value = match value {
            Value::String(text) => EnvValue::String(text.clone()),
            Value::Words(words) => EnvValue::String(words.clone()),
            // Numbers above 63 bits wrap around, as everywhere.
            Value::Number(number) => EnvValue::Integer(*number as i64),
        };
        env.push((name.clone(), value));
    }
    env
}

fn clock_block(at: usize, entries: &[Item]) -> Result<ClockClass> {
    // The format says: one cycle is a nanosecond unless the text has a frequency.
    let mut clock = ClockClass {
        id: String::new(),
        description: String::new(),
        uuid: None,
        identity: Identity::default(),
        freq: 1_000_000_000,
        precision: 0,
        offset_s: 0,
        offset_cycles: 0,
        is_unix_epoch: true,
    };
    let mut seen = Seen::default();
    for entry in entries {
        let Item::Assign { at, name, value } = entry else {
            continue;
        };
        match name.as_str() {
            "name" => clock.id = text(*at, name, value)?,
            "description" => clock.description = text(*at, name, value)?,
            "uuid" => clock.uuid = Some(uuid(*at, value)?),
            "freq" => clock.freq = number(*at, name, value)?,
            "precision" => clock.precision = number(*at, name, value)?,
            "offset_s" => clock.offset_s = number(*at, name, value)?,
            "offset" => clock.offset_cycles = number(*at, name, value)?,
            "absolute" => _ = boolean(*at, name, value)?,
            _ => continue,
        }
        seen.once(*at, name)?;
    }
    if clock.id.is_empty() {
        return Err(Complaint::new(at, "this clock has no `name`"));
    }
    if clock.freq == 0 {
        return Err(Complaint::new(at, format!("clock `{}` has the frequency 0", clock.id)));
    }
    Ok(clock)
}

fn stream_block(names: &mut Names<'_>, at: usize, entries: &[Item]) -> Result<StreamDraft> {
    let mut block = StreamDraft { at, ..StreamDraft::default() };
    let mut seen = Seen::default();
    for entry in entries {
        match entry {
            Item::Assign { at, name, value } if name == "id" => {
                seen.once(*at, name)?;
                block.id = Some(number(*at, name, value)?);
            }
            Item::AssignType { at, name, ty } => {
                let slot = match name.as_str() {
                    "packet.context" => &mut block.packet_context,
                    "event.header" => &mut block.event_header,
                    "event.context" => &mut block.event_context,
                    _ => {
                        names.class(ty)?;
                        continue;
                    }
                };
                seen.once(*at, name)?;
                *slot = structure(names, ty, name)?;
            }
            other => names.declare(other)?,
        }
    }
    Ok(block)
}

fn event_block(names: &mut Names<'_>, at: usize, entries: &[Item]) -> Result<EventDraft> {
    let mut block = EventDraft { at, ..EventDraft::default() };
    let mut seen = Seen::default();
    for entry in entries {
        match entry {
            Item::Assign { at, name, value } => {
                match name.as_str() {
                    "name" => block.name = text(*at, name, value)?,
                    "id" => block.id = Some(number(*at, name, value)?),
                    "stream_id" => block.stream_id = Some(number(*at, name, value)?),
                    "loglevel" => block.loglevel = Some(number(*at, name, value)?),
                    "model.emf.uri" => block.emf_uri = Some(text(*at, name, value)?),
                    _ => continue,
                }
                seen.once(*at, name)?;
            }
            Item::AssignType { at, name, ty } => {
                let slot = match name.as_str() {
                    "fields" => &mut block.payload,
                    "context" => &mut block.context,
                    _ => {
                        names.class(ty)?;
                        continue;
                    }
                };
                seen.once(*at, name)?;
                *slot = structure(names, ty, name)?;
            }
            Item::Note(source) => block.source = Some(source.clone()),
            other => names.declare(other)?,
        }
    }
    if !seen.has("name") {
        return Err(Complaint::new(at, "this event has no `name`"));
    }
    Ok(block)
}

/// Returns the name of the event and where it is emitted, if the block says both.
fn callsite_block(entries: &[Item]) -> Result<Option<(String, Source)>> {
    let (mut event, mut func, mut file, mut line) = (None, String::new(), String::new(), 0);
    for entry in entries {
        let Item::Assign { at, name, value } = entry else {
            continue;
        };
        match name.as_str() {
            "name" => event = Some(text(*at, name, value)?),
            "func" => func = text(*at, name, value)?,
            "file" => file = text(*at, name, value)?,
            "line" => line = number(*at, name, value)?,
            _ => {}
        }
    }
    Ok(event.filter(|_| !file.is_empty()).map(|event| (event, Source { file, line, module: func })))
}

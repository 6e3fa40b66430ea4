// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust info`: says what a trace is, without reading its events.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde_json::{Value, json};
use ust_ctf::class::{ClockClass, EnvValue, EventClass, StreamClass, StructClass};
use ust_ctf::metadata::uuid_text;
use ust_ctf::reader::{Stream, TraceFolder};
use ust_ctf::text::{Options, time_text};

use crate::reading::{Reading, complain, until_closed};
use crate::stats::{grouped, several};

/// Says what traces are: environment, clocks, streams with their packets, events with their fields.
///
/// It reads metadata and the headers of packets, not the events.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    /// Print UTC instead of local time.
    #[arg(long)]
    clock_gmt: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `ust info`.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let trace = arguments.reading.open()?;
    let text = if arguments.json {
        let traces: Vec<Value> = trace.folders().iter().map(folder_json).collect();
        format!("{:#}\n", json!({ "traces": traces }))
    } else {
        let texts: Vec<String> =
            trace.folders().iter().map(|folder| folder_text(folder, arguments.clock_gmt)).collect();
        texts.join("\n")
    };
    if until_closed(io::stdout().write_all(text.as_bytes()))?.is_none() {
        return Ok(());
    }
    // Each loss is shown by `ust view`, and their sum by `ust stats`.
    complain(trace.warnings(), &[], Options::default())
}

fn folder_text(folder: &TraceFolder, gmt: bool) -> String {
    let class = folder.class();
    let mut text = String::new();
    for path in folder.paths() {
        line(&mut text, "trace", &path.display().to_string());
    }
    line(&mut text, "format", if class.version == 2 { "CTF 2" } else { "CTF 1.8" });
    if let Some(uuid) = &class.uuid {
        line(&mut text, "uuid", &uuid_text(uuid));
    }
    for (key, value) in &class.env {
        let value = match value {
            EnvValue::Integer(number) => number.to_string(),
            EnvValue::String(text) => text.clone(),
        };
        line(&mut text, "env", &format!("{key} = {value}"));
    }
    for clock in &class.clocks {
        line(&mut text, "clock", &clock_text(clock));
    }
    let packets: usize = folder.streams().iter().map(|stream| stream.packets().len()).sum();
    let count = format!("{}, {}", several(folder.streams().len() as u64, "stream"), several(packets as u64, "packet"));
    line(&mut text, "streams", &count);
    for stream in folder.streams() {
        let _ = writeln!(text, "  {}", stream_text(stream, gmt));
    }
    for stream in &class.streams {
        let _ = write!(text, "{}", stream_class_text(stream, class.streams.len() > 1));
    }
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<10} {value}");
}

fn clock_text(clock: &ClockClass) -> String {
    let mut text =
        format!("{} at {} Hz", if clock.id.is_empty() { "(no name)" } else { &clock.id }, grouped(clock.freq));
    let _ = write!(text, ", {} s + {} cycles", clock.offset_s, grouped(clock.offset_cycles));
    text += if clock.is_unix_epoch { " from 1970" } else { " from an origin of its own" };
    if let Some(uuid) = &clock.uuid {
        let _ = write!(text, ", {}", uuid_text(uuid));
    }
    if !clock.description.is_empty() {
        let _ = write!(text, " ({})", clock.description);
    }
    text
}

/// Name of the file, packets, bytes, and the time from the begin of the first packet to the end of the last.
fn stream_text(stream: &Stream, gmt: bool) -> String {
    let name = stream.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let packets = stream.packets();
    let (count, bytes) = (several(packets.len() as u64, "packet"), several(content_bytes(stream), "byte"));
    let mut text = format!("{name}: {count}, {bytes}");
    if let (Some(begin), Some(end)) = times(stream) {
        let _ = write!(text, ", {} to {}", time_text(begin, gmt), time_text(end, gmt));
    }
    text
}

fn content_bytes(stream: &Stream) -> u64 {
    stream.packets().iter().map(|packet| packet.content_bits / 8).sum()
}

fn times(stream: &Stream) -> (Option<i64>, Option<i64>) {
    let packets = stream.packets();
    (packets.iter().find_map(|packet| packet.begin_ns()), packets.iter().rev().find_map(|packet| packet.end_ns()))
}

fn stream_class_text(class: &StreamClass, is_one_of_several: bool) -> String {
    let mut text = String::new();
    if is_one_of_several {
        line(&mut text, "class", &class.id.to_string());
    }
    scope_text(&mut text, "packet", class.packet_context.as_ref());
    scope_text(&mut text, "context", class.event_context.as_ref());
    let mut events: Vec<&EventClass> = class.events.iter().collect();
    events.sort_by(|a, b| a.name.cmp(&b.name));
    for event in events {
        let mut about = event.name.clone();
        if let Some(level) = event.loglevel {
            let _ = write!(about, ", level {level}");
        }
        if let Some(source) = &event.source {
            let _ = write!(about, ", {}:{}", source.file, source.line);
        }
        if let Some(uri) = &event.emf_uri {
            let _ = write!(about, ", {uri}");
        }
        line(&mut text, "event", &about);
        fields_text(&mut text, event.context.as_ref());
        fields_text(&mut text, event.payload.as_ref());
    }
    text
}

fn scope_text(text: &mut String, name: &str, class: Option<&StructClass>) {
    let Some(class) = class else { return };
    let shown = class.members.iter().filter(|member| member.role.is_none());
    let members: Vec<String> = shown.map(|member| format!("{}: {}", member.name, member.class)).collect();
    if !members.is_empty() {
        line(text, name, &members.join(", "));
    }
}

fn fields_text(text: &mut String, class: Option<&StructClass>) {
    for member in class.map_or(&[][..], |class| &class.members) {
        let _ = writeln!(text, "             {}: {}", member.name, member.class);
    }
}

fn folder_json(folder: &TraceFolder) -> Value {
    let class = folder.class();
    let env: serde_json::Map<String, Value> = class
        .env
        .iter()
        .map(|(key, value)| {
            let value = match value {
                EnvValue::Integer(number) => json!(number),
                EnvValue::String(text) => json!(text),
            };
            (key.clone(), value)
        })
        .collect();
    let clocks = class.clocks.iter().map(|clock| {
        json!({
            "name": clock.id, "description": clock.description, "uuid": clock.uuid.as_ref().map(uuid_text),
            "frequency_hz": clock.freq, "offset_s": clock.offset_s, "offset_cycles": clock.offset_cycles,
            "is_unix_epoch": clock.is_unix_epoch,
        })
    });
    let streams = folder.streams().iter().map(|stream| {
        let (begin_ns, end_ns) = times(stream);
        json!({
            "file": stream.path(), "class": stream.class_id(), "instance": stream.instance_id(),
            "packets": stream.packets().len(), "bytes": content_bytes(stream), "begin_ns": begin_ns, "end_ns": end_ns,
        })
    });
    let classes = class.streams.iter().map(|stream| {
        let events = stream.events.iter().map(|event| {
            json!({
                "event": event.name, "id": event.id, "loglevel": event.loglevel, "emf_uri": event.emf_uri,
                "source": event.source.as_ref().map(|source| json!({ "file": source.file, "line": source.line })),
                "context": fields_json(event.context.as_ref()), "fields": fields_json(event.payload.as_ref()),
            })
        });
        json!({
            "id": stream.id, "packet": fields_json(stream.packet_context.as_ref()),
            "context": fields_json(stream.event_context.as_ref()), "events": events.collect::<Vec<_>>(),
        })
    });
    json!({
        "paths": folder.paths(), "name": folder.name(), "ctf_version": class.version,
        "uuid": class.uuid.as_ref().map(uuid_text), "env": env, "clocks": clocks.collect::<Vec<_>>(),
        "streams": streams.collect::<Vec<_>>(), "classes": classes.collect::<Vec<_>>(),
    })
}

fn fields_json(class: Option<&StructClass>) -> Vec<Value> {
    let members = class.map_or(&[][..], |class| &class.members);
    members.iter().map(|member| json!({ "name": member.name, "class": member.class.to_string() })).collect()
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust stats`: counts what is in traces.

use std::io::{self, Write as _};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};
use ust_ctf::reader::Trace;
use ust_ctf::stats::{self, Count, PairStats, Spread, Stats};
use ust_ctf::text::{Options, time_text};

use crate::reading::{Reading, complain, until_closed};

/// Counts the events of traces: by kind, process and thread; how long what begins takes to end; how it is spread over time.
///
/// Events whose names end in begin and end (start and stop, entry and exit, ...) are matched in each thread, and the times
/// between them are given as p50, p99 and longest.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    /// Print UTC instead of local time.
    #[arg(long)]
    clock_gmt: bool,
    /// Lines in each table; 0 prints all.
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `ust stats`.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let trace = arguments.reading.open()?;
    let selection = arguments.reading.selection(&trace)?;
    let mut job = arguments.reading.job(selection, None, true);
    let (stats, warnings) = stats::gather(&trace, &mut job);
    drop(job);
    let text = if arguments.json {
        let top = usize::MAX;
        format!("{:#}\n", as_json(&stats, top))
    } else {
        let top = if arguments.top == 0 { usize::MAX } else { arguments.top };
        as_text(&trace, &stats, top, arguments.clock_gmt)
    };
    if until_closed(io::stdout().write_all(text.as_bytes()))?.is_none() {
        return Ok(());
    }
    // Losses are in the text: here only what could not be read.
    complain(trace.warnings().iter().chain(&warnings), &[], Options::default())
}

fn as_text(trace: &Trace, stats: &Stats, top: usize, gmt: bool) -> String {
    let mut text = String::new();
    let streams = trace.folders().iter().flat_map(|folder| folder.streams());
    let (stream_count, packet_count) =
        streams.fold((0, 0), |(s, p), stream| (s + 1, p + stream.packets().len() as u64));
    let total = &stats.total;
    text += &format!("events     {}{}\n", grouped(total.events), rate_of(total));
    text += &format!("bytes      {} of events", bytes(total.bytes()));
    text += &format!(" in {} of {}\n", several(packet_count, "packet"), several(stream_count, "stream"));
    if let Some((first, last)) = total.times_ns {
        let took = duration(last.abs_diff(first));
        text += &format!("time       {} to {}, {took}\n", time_text(first, gmt), time_text(last, gmt));
    }
    let (events, packets) = (several(stats.discarded_events, "event"), several(stats.discarded_packets, "packet"));
    text += &format!("discarded  {events}, {packets}\n");
    let rows = stats.events.iter().map(|(name, count)| (vec![name.clone()], count));
    text += &counts(&["event"], rows.collect(), total, top);
    let name = |procname: &Option<String>| procname.clone().unwrap_or_default();
    let rows = stats.processes.iter().map(|(p, count)| (vec![name(&p.procname), p.vpid.to_string()], count));
    text += &counts(&["process", "pid"], rows.collect(), total, top);
    let pid = |vpid: Option<i64>| vpid.map(|id| id.to_string()).unwrap_or_default();
    let rows = stats.threads.iter().map(|(t, count)| (vec![name(&t.procname), t.vtid.to_string(), pid(t.vpid)], count));
    text += &counts(&["thread", "tid", "pid"], rows.collect(), total, top);
    text += &pairs(&stats.pairs, top);
    text + &spread(&stats.spread)
}

/// A table of counts; nothing where there are none. The first and the last event are given in seconds from the first of all.
fn counts(names: &[&str], rows: Vec<(Vec<String>, &Count)>, total: &Count, top: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table =
        table(names.iter().copied().chain(["events", "%", "bytes", "per second", "first at", "last at"]), names.len());
    let left = rows.len().saturating_sub(top);
    for (cells, count) in rows.into_iter().take(top) {
        let share = 100.0 * count.events as f64 / total.events.max(1) as f64;
        let rate = count.rate().map(|rate| grouped(rate.round() as u64)).unwrap_or_default();
        let begin = total.times_ns.map_or(0, |(first, _)| first);
        let at = |ns: i64| format!("{:.6}", ns.saturating_sub(begin) as f64 / 1e9);
        let times = count.times_ns.map(|(first, last)| [at(first), at(last)]).unwrap_or_default();
        let numbers = [grouped(count.events), format!("{share:.1}"), bytes(count.bytes()), rate];
        table.add_row(cells.into_iter().chain(numbers).chain(times));
    }
    finish(&table, left)
}

fn pairs(pairs: &[PairStats], top: usize) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let mut table = table(["from begin to end", "count", "p50", "p99", "longest", "together", "unmatched"], 1);
    for pair in pairs.iter().take(top) {
        let total_ns = u64::try_from(pair.total_ns).unwrap_or(u64::MAX);
        let times = [pair.p50_ns, pair.p99_ns, pair.max_ns, total_ns].map(duration);
        let name = pair.name.clone();
        table.add_row([name, grouped(pair.count)].into_iter().chain(times).chain([grouped(pair.unmatched)]));
    }
    finish(&table, pairs.len().saturating_sub(top))
}

/// A table without lines; all but the first `left` columns are numbers.
fn table<'n>(names: impl IntoIterator<Item = &'n str>, left: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(names);
    for (idx, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if idx >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn finish(table: &Table, left: usize) -> String {
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let more =
        if left > 0 { format!("... {} more, --top 0 prints all\n", grouped(left as u64)) } else { String::new() };
    format!("\n{}\n{more}", lines.join("\n"))
}

/// The events of each part of the time as a bar.
fn spread(spread: &Spread) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = spread.counts.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    // Whatever is not empty is seen.
    let bar = |count: u64| BARS[(u128::from(count) * 8).div_ceil(u128::from(most)) as usize];
    let bars: String = spread.counts.iter().map(|count| bar(*count)).collect();
    format!("\nover time  [{bars}] each {}, at most {} events\n", duration(spread.step_ns), grouped(most))
}

fn rate_of(count: &Count) -> String {
    count.rate().map(|rate| format!(", {} per second", grouped(rate.round() as u64))).unwrap_or_default()
}

/// `1 packet`, `1,234 packets`.
pub fn several(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn bytes(number: u64) -> String {
    indicatif::BinaryBytes(number).to_string()
}

/// A time in the unit in which it has one to three digits before the point.
fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} us", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{:.2} s", ns as f64 / 1e9),
    }
}

fn as_json(stats: &Stats, top: usize) -> Value {
    let list = |values: Vec<Value>| Value::Array(values.into_iter().take(top).collect());
    let events = stats.events.iter().map(|(name, count)| with(json!({ "event": name }), count));
    let processes = stats
        .processes
        .iter()
        .map(|(process, count)| with(json!({ "vpid": process.vpid, "procname": process.procname }), count));
    let threads = stats.threads.iter().map(|(thread, count)| {
        with(json!({ "vtid": thread.vtid, "vpid": thread.vpid, "procname": thread.procname }), count)
    });
    let pairs = stats.pairs.iter().map(|pair| {
        json!({
            "name": pair.name, "begin": pair.begin, "end": pair.end, "count": pair.count, "unmatched": pair.unmatched,
            "p50_ns": pair.p50_ns, "p99_ns": pair.p99_ns, "max_ns": pair.max_ns, "total_ns": pair.total_ns as f64,
        })
    });
    let spread = &stats.spread;
    json!({
        "total": with(json!({}), &stats.total),
        "discarded_events": stats.discarded_events,
        "discarded_packets": stats.discarded_packets,
        "events": list(events.collect()),
        "processes": list(processes.collect()),
        "threads": list(threads.collect()),
        "pairs": list(pairs.collect()),
        "spread": { "begin_ns": spread.begin_ns, "step_ns": spread.step_ns, "counts": spread.counts },
    })
}

/// `object` with the numbers of `count`.
fn with(mut object: Value, count: &Count) -> Value {
    let numbers = json!({
        "count": count.events,
        "bytes": count.bytes(),
        "per_second": count.rate(),
        "first_ns": count.times_ns.map(|(first, _)| first),
        "last_ns": count.times_ns.map(|(_, last)| last),
    });
    if let (Value::Object(object), Value::Object(numbers)) = (&mut object, numbers) {
        object.extend(numbers);
    }
    object
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs this project and lttng-ust in turn on the same machine and prints medians and ratios as a table.
//!
//! Needs a release build of the workspace, `cc`, and the packages `lttng-tools` and `liblttng-ust-dev`. Nothing else should
//! run meanwhile: the figures are times.

mod lttng;
mod ours;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

/// Compares this project with lttng-ust and prints medians and ratios.
#[derive(Parser)]
struct Options {
    /// Interleaved rounds; the table holds their medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Events per thread and run.
    #[arg(long, default_value_t = 5_000_000)]
    events: u64,
    /// Folder of the release binaries.
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
}

/// What is measured: a label, and the two sides' ways of running it.
struct Row {
    label: &'static str,
    event: &'static str,
    threads: u32,
    mode: Mode,
}

/// How the events are recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing listens.
    Off,
    /// Overwritten in memory: the cost of the write alone.
    FlightRecorder,
    /// Every event reaches the disk; the program waits for it.
    Lossless,
}

const ROWS: [Row; 7] = [
    Row { label: "one integer, flight recorder, 1 thread", event: "one", threads: 1, mode: Mode::FlightRecorder },
    Row { label: "hello, flight recorder, 1 thread", event: "hello", threads: 1, mode: Mode::FlightRecorder },
    Row { label: "hello, flight recorder, 2 threads", event: "hello", threads: 2, mode: Mode::FlightRecorder },
    Row { label: "hello, every event on disk, 1 thread", event: "hello", threads: 1, mode: Mode::Lossless },
    Row { label: "hello, every event on disk, 2 threads", event: "hello", threads: 2, mode: Mode::Lossless },
    Row { label: "one integer, disabled", event: "one", threads: 1, mode: Mode::Off },
    Row { label: "hello, disabled", event: "hello", threads: 1, mode: Mode::Off },
];

fn main() -> Result<()> {
    let options = Options::parse();
    let mut lttng = lttng::Lttng::start(&options.binaries).context("cannot set up the lttng-ust side")?;
    let ours = ours::Ours::new(&options.binaries);
    let mut times: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
    for round in 1..=options.rounds {
        for (i, row) in ROWS.iter().enumerate() {
            // A disabled tracepoint takes a fraction of a nanosecond: more of them for the clock's sake.
            let events = if row.mode == Mode::Off { options.events * 20 } else { options.events };
            let written =
                if row.mode == Mode::Lossless { EVENT_BYTES_MAX * events * u64::from(row.threads) } else { 0 };
            touch_memory_for_files(written)?;
            let ours = ours.measure(row.mode, row.event, events, row.threads)?;
            touch_memory_for_files(written)?;
            let theirs = lttng.measure(row.mode, row.event, events, row.threads)?;
            eprintln!("round {round}: {}: ours {ours:.2}, lttng-ust {theirs:.2} ns", row.label);
            times.entry((i, "ours")).or_default().push(ours);
            times.entry((i, "theirs")).or_default().push(theirs);
        }
        times.entry((ROWS.len(), "ours")).or_default().push(ours.measure_tracing(options.events / 10)?);
    }
    println!("| | lttng-ust, ns | ust, ns | ratio |\n|---|---|---|---|");
    for (i, row) in ROWS.iter().enumerate() {
        let (theirs, ours) = (median(&times[&(i, "theirs")]), median(&times[&(i, "ours")]));
        let ratio =
            if row.mode == Mode::Off { format!("{:+.2} ns", ours - theirs) } else { format!("{:.1}", theirs / ours) };
        println!("| {} | {theirs:.2} | {ours:.2} | {ratio} |", row.label);
    }
    let tracing = median(&times[&(ROWS.len(), "ours")]);
    println!("| for context: the hello record through `tracing`, non-blocking writer | | {tracing:.0} | |");
    for event in ["one", "hello"] {
        let (theirs, ours) = (lttng.bytes_per_event(event)?, ours.bytes_per_event(event)?);
        println!("| bytes in the trace per event: {event} | {theirs:.1} | {ours:.1} | |");
    }
    Ok(())
}

/// Bytes on disk of one event of either side, at most.
const EVENT_BYTES_MAX: u64 = 110;

/// Writes a file of so many bytes and removes it. A virtual machine may give free memory back to its host after some seconds, and
/// each page that a trace then takes anew costs microseconds: whoever runs second would find the first one's pages.
fn touch_memory_for_files(bytes: u64) -> Result<()> {
    let mut file = tempfile::tempfile()?;
    let block = vec![0xA5; 1 << 20];
    for _ in 0..bytes.div_ceil(block.len() as u64) {
        file.write_all(&block)?;
    }
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// The number before `ns/event` in a program's output.
pub fn ns_per_event(output: &str) -> Result<f64> {
    let words: Vec<&str> = output.split_whitespace().collect();
    let at = words.iter().position(|w| *w == "ns/event").context("no `ns/event` in the output")?;
    let number = words.get(at.wrapping_sub(1)).context("nothing before `ns/event`")?;
    number.parse().with_context(|| format!("`{number}` is no number"))
}

/// Runs a command to its end and returns its standard output.
pub fn run(command: &mut std::process::Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} failed ({}): {stderr}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Bytes of all files below a folder whose names pass.
pub fn folder_bytes(folder: &std::path::Path, counts: &dyn Fn(&str) -> bool) -> Result<u64> {
    let mut total = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            total += folder_bytes(&entry.path(), counts)?;
        } else if counts(&entry.file_name().to_string_lossy()) {
            total += entry.metadata()?.len();
        }
    }
    Ok(total)
}

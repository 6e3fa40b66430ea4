// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is measured of both sides, and how their programs are run.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// How often and how long, and what.
#[derive(clap::Args)]
pub struct Runs {
    /// Interleaved rounds; the tables hold their medians.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Events per thread and run.
    #[arg(long, default_value_t = 5_000_000)]
    pub events: u64,
    /// Folder of the release binaries.
    #[arg(long, default_value = "target/release")]
    pub binaries: PathBuf,
}

/// What is measured: a label, and the two sides' ways of running it.
pub struct Row {
    /// What it is called in the tables.
    pub label: &'static str,
    /// `one` or `hello`.
    pub event: &'static str,
    pub threads: u32,
    pub mode: Mode,
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

/// All that is compared.
pub const ROWS: [Row; 7] = [
    Row { label: "one integer, flight recorder, 1 thread", event: "one", threads: 1, mode: Mode::FlightRecorder },
    Row { label: "hello, flight recorder, 1 thread", event: "hello", threads: 1, mode: Mode::FlightRecorder },
    Row { label: "hello, flight recorder, 2 threads", event: "hello", threads: 2, mode: Mode::FlightRecorder },
    Row { label: "hello, every event on disk, 1 thread", event: "hello", threads: 1, mode: Mode::Lossless },
    Row { label: "hello, every event on disk, 2 threads", event: "hello", threads: 2, mode: Mode::Lossless },
    Row { label: "one integer, disabled", event: "one", threads: 1, mode: Mode::Off },
    Row { label: "hello, disabled", event: "hello", threads: 1, mode: Mode::Off },
];

/// Bytes on disk of one event of either side, at most.
const EVENT_BYTES_MAX: u64 = 110;

/// Takes and gives back the memory of the files that a run writes. See [`touch_memory_for_files`].
pub fn touch_memory_for(row: &Row, events: u64) -> Result<()> {
    let is_written = row.mode == Mode::Lossless;
    touch_memory_for_files(if is_written { EVENT_BYTES_MAX * events * u64::from(row.threads) } else { 0 })
}

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

/// The middle one of the values.
pub fn median(values: &[f64]) -> f64 {
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

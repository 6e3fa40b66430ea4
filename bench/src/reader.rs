// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the same traces with this project and with babeltrace2 in turn and prints medians and ratios as tables.
//!
//! Needs a release build of the workspace, the package `babeltrace2`, and some 8 GB in the folder for temporary files. Nothing else
//! should run meanwhile: the figures are times.
//!
//! # Safety
//! The only unsafe step is `wait4`, which fills in a structure on the stack for a child that nobody else waits for.

#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;

/// Compares reading traces with babeltrace2 and prints medians and ratios.
#[derive(Parser)]
struct Options {
    /// Interleaved rounds; the tables hold their medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Events in each trace.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Events in the trace on which memory and start-up are measured: 52 million make 5 GB.
    #[arg(long, default_value_t = 52_000_000)]
    large: u64,
    /// Folder of the release binaries.
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
}

/// What became of a command.
#[derive(Clone, Copy)]
struct Ran {
    took: Duration,
    /// Time to the first byte of its output.
    first: Duration,
    output_bytes: u64,
    peak_kib: i64,
}

/// Runs `command` to its end, reading its output from a pipe.
fn run(command: &mut Command) -> Result<Ran> {
    run_into(command, Stdio::piped())
}

/// Runs `command` to its end with this standard output, which is read if it is a pipe.
fn run_into(command: &mut Command, stdout: Stdio) -> Result<Ran> {
    let begin = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null()).spawn();
    let mut child = child.with_context(|| format!("cannot run {command:?}"))?;
    let mut buffer = vec![0; 1 << 20];
    let (mut first, mut output_bytes) = (None, 0);
    if let Some(mut output) = child.stdout.take() {
        loop {
            let n = output.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            first.get_or_insert_with(|| begin.elapsed());
            output_bytes += n as u64;
        }
    }
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both outlive the call; the child is ours and was not waited for.
    let waited = unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, usage.as_mut_ptr()) };
    let took = begin.elapsed();
    ensure!(waited == child.id() as i32 && status == 0, "{command:?} failed with status {status:#x}");
    // SAFETY: zeroed, and filled in by the kernel.
    let peak_kib = unsafe { usage.assume_init() }.ru_maxrss;
    Ok(Ran { took, first: first.unwrap_or(took), output_bytes, peak_kib })
}

/// A recorded trace.
struct Recorded {
    label: String,
    folder: tempfile::TempDir,
}

impl Recorded {
    fn new(binaries: &Path, event: &'static str, events: u64, streams: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let each = (events / u64::from(streams)).to_string();
        let mut command = Command::new(binaries.join("ust"));
        command.args(["record", "--mode", "block", "-o"]).arg(folder.path()).arg("--").arg(binaries.join("hello"));
        let kind = if event == "hello" { "tptest" } else { event };
        run(command.args(["--event", kind, "--events", &each, "--threads", &streams.to_string()]))?;
        let plural = if streams == 1 { "" } else { "s" };
        let label = format!("{event}, {streams} stream{plural}");
        Ok(Self { label, folder })
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).arg(self.folder.path());
        command
    }
}

/// Seconds by what was measured.
type Times = BTreeMap<String, Vec<f64>>;

fn median(times: &Times, key: &str) -> f64 {
    let mut sorted = times.get(key).cloned().unwrap_or_default();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<()> {
    let options = Options::parse();
    let ust = options.binaries.join("ust");
    let mut traces = Vec::new();
    for event in ["hello", "one"] {
        for streams in [1, 8] {
            traces.push(Recorded::new(&options.binaries, event, options.events, streams)?);
        }
    }
    let ways: [(&str, &Path, &[&str]); 6] = [
        ("text, babeltrace2", Path::new("babeltrace2"), &[]),
        ("text, ust", &ust, &["view"]),
        ("text, ust 1 thread", &ust, &["view", "--threads", "1"]),
        ("count, babeltrace2", Path::new("babeltrace2"), &["-c", "sink.utils.dummy"]),
        ("count, ust", &ust, &["stats"]),
        ("count, ust 1 thread", &ust, &["stats", "--threads", "1"]),
    ];
    let mut times = Times::new();
    for round in 1..=options.rounds {
        for trace in &traces {
            let mut texts = Vec::new();
            for (way, program, arguments) in ways {
                let ran = run(&mut trace.command(program, arguments))?;
                eprintln!("round {round}: {}: {way}: {:.3} s", trace.label, ran.took.as_secs_f64());
                times.entry(format!("{}: {way}", trace.label)).or_default().push(ran.took.as_secs_f64());
                if way.starts_with("text") {
                    texts.push(ran.output_bytes);
                }
            }
            // Whoever reads the pipe takes a processor, too: what two threads gain is seen where nobody reads.
            for (way, threads) in [("text, nobody reads", "2"), ("text, nobody reads 1 thread", "1")] {
                let ran = run_into(&mut trace.command(&ust, &["view", "--threads", threads]), Stdio::null())?;
                times.entry(format!("{}: {way}", trace.label)).or_default().push(ran.took.as_secs_f64());
            }
            ensure!(texts.iter().all(|bytes| *bytes == texts[0]), "the texts differ in length: {texts:?}");
        }
    }
    print_table(&traces, &times, options.events);
    drop(traces);
    measure_large(&options, &ust)
}

fn print_table(traces: &[Recorded], times: &Times, events: u64) {
    println!("| | babeltrace2, s | ust, s | ratio | ust, M events/s | 1 thread, s | two cores against one |");
    println!("|---|---|---|---|---|---|---|");
    for what in ["text", "count"] {
        for trace in traces {
            let seconds = |who: &str| median(times, &format!("{}: {what}, {who}", trace.label));
            let (theirs, ours, one) = (seconds("babeltrace2"), seconds("ust"), seconds("ust 1 thread"));
            let (label, rate) = (&trace.label, events as f64 / ours / 1e6);
            let (ratio, mut gain) = (theirs / ours, one / ours);
            if what == "text" {
                gain = seconds("nobody reads 1 thread") / seconds("nobody reads");
            }
            println!("| {what}: {label} | {theirs:.2} | {ours:.3} | {ratio:.1} | {rate:.1} | {one:.3} | {gain:.2} |");
        }
    }
}

/// Peak memory and time to the first event.
fn measure_large(options: &Options, ust: &Path) -> Result<()> {
    let large = Recorded::new(&options.binaries, "hello", options.large, 1)?;
    let bytes: u64 =
        std::fs::read_dir(large.folder.path())?.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum();
    let gb = bytes as f64 / 1e9;
    println!("\n| on a trace of {gb:.1} GB | ust |\n|---|---|");
    for (way, arguments) in [("text", &["view"][..]), ("count", &["stats"])] {
        let ran = run(&mut large.command(ust, arguments))?;
        println!("| {way}: peak memory, MiB | {:.0} |", ran.peak_kib as f64 / 1024.0);
    }
    let mut first: Vec<f64> = Vec::new();
    for _ in 0..options.rounds.max(5) {
        let ran = run(&mut large.command(ust, &["view", "--limit", "1"]))?;
        first.push(ran.first.as_secs_f64() * 1e3);
    }
    first.sort_by(f64::total_cmp);
    println!("| time to the first event, ms | {:.1} |", first[first.len() / 2]);
    Ok(())
}

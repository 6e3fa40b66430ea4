// SPDX-License-Identifier: MIT OR Apache-2.0
//! What control from outside costs: several sessions, filters, switching many processes on, and many threads at once.
//!
//! Needs a release build of the workspace and, for the last part, 500 processes. Nothing else should run meanwhile: the figures are times.

#[allow(dead_code, reason = "shared with the comparison that `bench` prints")]
mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::Value;

use common::median;

/// Measures sessions, filters, and control of many processes, and prints tables.
#[derive(Parser)]
struct Options {
    /// Interleaved rounds; the tables hold their medians.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Events of each run.
    #[arg(long, default_value_t = 5_000_000)]
    events: u64,
    /// Processes that are switched on.
    #[arg(long, default_value_t = 100)]
    switched: usize,
    /// Processes that are traced at once.
    #[arg(long, default_value_t = 500)]
    processes: usize,
    /// Threads of each of them.
    #[arg(long, default_value_t = 10)]
    threads: u64,
    /// Events of each thread in a second.
    #[arg(long, default_value_t = 100)]
    rate: u64,
    /// For how long.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Only this part: cost, switch or load.
    #[arg(long)]
    only: Option<String>,
    /// Folder of the release binaries.
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
}

/// A runtime directory on tmpfs with a daemon, which ends with it.
struct Stage {
    binaries: PathBuf,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new(binaries: &Path) -> Result<Self> {
        let private = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir_in("/dev/shm")?;
        Ok(Self { binaries: std::path::absolute(binaries)?, folder })
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.args(arguments).current_dir(self.folder.path());
        command.env("UST_RUNTIME_DIR", self.folder.path()).env("HOME", self.folder.path());
        command
    }

    fn ust(&self, line: &str) -> Result<String> {
        let output = self.command("ust", &line.split_whitespace().collect::<Vec<_>>()).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "ust {line}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn json(&self, line: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.ust(&format!("{line} --json"))?)?)
    }

    /// Nanoseconds per event of the hello program.
    fn hello(&self, event: &str, events: u64) -> Result<f64> {
        let output = self.command("hello", &["--event", event, "--events", &events.to_string()]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let before = text.split(" ns/event").next().and_then(|text| text.rsplit(' ').next());
        before.and_then(|number| number.parse().ok()).with_context(|| format!("no figure in `{text}`"))
    }

    /// Starts `bench-many` so many times, and waits until all are ready.
    fn many(&self, count: usize, threads: u64, rate: u64, seconds: u64) -> Result<Vec<Many>> {
        let numbers = [threads, rate, seconds].map(|number| number.to_string());
        let arguments = numbers.each_ref().map(String::as_str);
        let start = || -> Result<Many> {
            let mut command = self.command("bench-many", &arguments);
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
            let output = BufReader::new(child.stdout.take().context("piped")?);
            Ok(Many { child, output })
        };
        let mut all = (0..count).map(|_| start()).collect::<Result<Vec<_>>>()?;
        for many in &mut all {
            many.line()?;
        }
        Ok(all)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.ust("daemon --stop");
    }
}

/// A running `bench-many`.
struct Many {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Many {
    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        // It ends when it finds its input closed.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let wanted = |part: &str| options.only.as_ref().is_none_or(|only| only == part);
    if wanted("cost") {
        measure_cost(&options)?;
    }
    if wanted("switch") {
        measure_switch(&options)?;
    }
    if wanted("load") {
        measure_load(&options)?;
    }
    Ok(())
}

/// An event in one session, in two, and one that a filter rejects, in turn.
fn measure_cost(options: &Options) -> Result<()> {
    let stage = Stage::new(&options.binaries)?;
    let filters = [("one", "intfield==-1"), ("tptest", "intfield==-1")];
    for (session, rule) in [("first", ""), ("second", ""), ("rejecting", filters[0].1)] {
        stage.ust(&format!("create {session} --snapshot -o {session}"))?;
        // Two rings of two megabytes each would not have room in the processor's second cache.
        stage.ust("enable-channel ring --subbuf-size 64K")?;
        for event in ["one", "tptest"] {
            let name = format!("ust_tests_hello:{event}");
            let filter =
                if rule.is_empty() { String::new() } else { format!(" --allow-unknown-fields --filter {rule}") };
            stage.ust(&format!("enable-event {name}{filter}"))?;
        }
    }
    println!(
        "| event | one session, ns | two, ns | ratio | rejected by a filter, ns | ratio |\n|---|---|---|---|---|---|"
    );
    for event in ["one", "tptest"] {
        let (mut one, mut two, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=options.rounds {
            stage.ust("start first")?;
            one.push(stage.hello(event, options.events)?);
            stage.ust("start second")?;
            two.push(stage.hello(event, options.events)?);
            stage.ust("stop first")?;
            stage.ust("stop second")?;
            stage.ust("start rejecting")?;
            rejected.push(stage.hello(event, options.events)?);
            stage.ust("stop rejecting")?;
            let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
            eprintln!("round {round}: {event}: {:.2} {:.2} {:.2}", last(&one), last(&two), last(&rejected));
        }
        let (one, two, rejected) = (median(&one), median(&two), median(&rejected));
        let label = if event == "one" { "one integer" } else { "hello, 12 fields" };
        println!("| {label} | {one:.2} | {two:.2} | {:.2} | {rejected:.2} | {:.2} |", two / one, rejected / one);
    }
    Ok(())
}

/// `enable-event` on many running processes.
fn measure_switch(options: &Options) -> Result<()> {
    let stage = Stage::new(&options.binaries)?;
    let _programs = stage.many(options.switched, 1, 0, 0)?;
    stage.ust("create demo -o demo")?;
    stage.ust("enable-event none:*")?;
    stage.ust("start")?;
    while stage.json("list -u")?.as_array().map_or(0, Vec::len) < options.switched {}
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let commands = ["enable-event many*:*", "disable-event many*:*", "enable-event many*:* --filter n>4"];
    for _ in 0..3 * options.rounds {
        for (times, command) in times.iter_mut().zip(commands) {
            let begin = Instant::now();
            stage.ust(command)?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        stage.ust(commands[1])?;
    }
    println!(
        "\n| on {} running processes with 300 tracepoints each | median, ms | longest, ms |\n|---|---|---|",
        options.switched
    );
    for (times, command) in times.iter().zip(commands) {
        let longest = times.iter().copied().fold(0.0, f64::max);
        println!("| `ust {command}` | {:.1} | {longest:.1} |", median(times));
    }
    Ok(())
}

/// Many threads of many processes at once.
fn measure_load(options: &Options) -> Result<()> {
    let stage = Stage::new(&options.binaries)?;
    let mut programs = stage.many(options.processes, options.threads, options.rate, options.seconds)?;
    let traces = tempfile::tempdir()?;
    stage.ust(&format!("create demo -o {}", traces.path().join("demo").display()))?;
    stage.ust("enable-channel small --subbuf-size 4K --num-subbuf 4")?;
    stage.ust("enable-event many*:*")?;
    stage.ust("start")?;
    let daemon = stage.json("daemon --background")?["pid"].as_u64().context("a process")?;
    let cpu_before = cpu_seconds(daemon)?;
    let begin = Instant::now();
    for program in &mut programs {
        writeln!(program.child.stdin.as_mut().context("piped")?)?;
    }
    let (mut rss_max, mut pss_max, mut anon_max) = (0, 0, 0);
    while begin.elapsed() < Duration::from_secs(options.seconds) {
        std::thread::sleep(Duration::from_millis(500));
        let memory = std::fs::read_to_string(format!("/proc/{daemon}/smaps_rollup"))?;
        rss_max = rss_max.max(kib(&memory, "Rss:"));
        pss_max = pss_max.max(kib(&memory, "Pss:"));
        anon_max = anon_max.max(kib(&memory, "Anonymous:"));
    }
    let mut emitted = 0;
    for program in &mut programs {
        emitted += program.line()?.parse::<u64>().context("a number of events")?;
    }
    let (took, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds(daemon)? - cpu_before);
    let stopping = Instant::now();
    let report = stage.json("stop")?;
    let stop_ms = stopping.elapsed().as_secs_f64() * 1e3;
    let recorded = report["progress"]["events"].as_u64().unwrap_or(0);
    let lost: u64 = report["losses"].as_object().map_or(0, |l| l.values().filter_map(Value::as_u64).sum());
    let mib = |kib: u64| kib as f64 / 1024.0;
    println!(
        "\n| {} processes with {} threads each, {} events per second and thread | |\n|---|---|",
        options.processes, options.threads, options.rate
    );
    println!("| events emitted in {took:.1} s | {emitted} |");
    println!("| events recorded | {recorded} |\n| events lost | {lost} |");
    println!("| daemon: RSS with the shared rings that it reads, at most, MiB | {:.0} |", mib(rss_max));
    println!("| daemon: PSS, at most, MiB | {:.0} |", mib(pss_max));
    println!("| daemon: memory of its own, at most, MiB | {:.0} |", mib(anon_max));
    println!("| daemon: CPU time, s | {cpu:.1} ({:.0} % of one processor) |", 100.0 * cpu / took);
    println!("| `ust stop`, ms | {stop_ms:.0} |");
    ensure!(recorded + lost >= emitted, "{} events are nowhere", emitted - recorded - lost);
    Ok(())
}

/// The number behind `name` in a file of `/proc`.
fn kib(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Processor time that a process has used.
fn cpu_seconds(pid: u64) -> Result<f64> {
    /// Of `/proc`, on every Linux that this runs on.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split_whitespace().collect();
    let ticks = |idx: usize| fields.get(idx).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / TICKS_PER_SECOND)
}

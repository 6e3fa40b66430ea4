// SPDX-License-Identifier: MIT OR Apache-2.0
//! This project's side: `ust record` around one of the hello examples.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::common::{Mode, folder_bytes, ns_per_event, run};

/// The binaries of this project.
pub struct Ours {
    binaries: PathBuf,
    program: PathBuf,
}

impl Ours {
    /// Uses the release build in `binaries`, and its example in Rust.
    pub fn new(binaries: &Path) -> Self {
        Self::of_program(binaries, &binaries.join("hello"))
    }

    /// Uses a program with the same options as the example.
    pub fn of_program(binaries: &Path, program: &Path) -> Self {
        Self { binaries: binaries.to_owned(), program: program.to_owned() }
    }

    fn hello(&self, command: &mut Command, event: &str, events: u64, threads: u32) {
        let event = if event == "hello" { "tptest" } else { event };
        let (events, threads) = (events.to_string(), threads.to_string());
        command.args(["--event", event, "--events", &events, "--threads", &threads]);
    }

    /// Nanoseconds per event.
    pub fn measure(&self, mode: Mode, event: &str, events: u64, threads: u32) -> Result<f64> {
        let mode = match mode {
            Mode::Off => {
                let mut command = Command::new(&self.program);
                self.hello(&mut command, event, events, threads);
                return ns_per_event(&run(&mut command)?);
            }
            Mode::FlightRecorder => "overwrite",
            Mode::Lossless => "block",
        };
        let folder = tempfile::tempdir()?;
        let mut command = self.record(mode, folder.path());
        self.hello(&mut command, event, events, threads);
        ns_per_event(&run(&mut command)?)
    }

    fn record(&self, mode: &str, folder: &Path) -> Command {
        let mut command = Command::new(self.binaries.join("ust"));
        command.args(["record", "--mode", mode, "-o"]).arg(folder).arg("--").arg(&self.program);
        command
    }

    /// Bytes of the stream files per event.
    pub fn bytes_per_event(&self, event: &str) -> Result<f64> {
        const EVENTS: u64 = 1_000_000;
        let folder = tempfile::tempdir()?;
        let mut command = self.record("block", folder.path());
        self.hello(&mut command, event, EVENTS, 1);
        run(&mut command)?;
        Ok(folder_bytes(folder.path(), &|name| name != "metadata")? as f64 / EVENTS as f64)
    }

    /// Nanoseconds per event through `tracing`.
    pub fn measure_tracing(&self, events: u64) -> Result<f64> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(self.binaries.join("bench-tracing"));
        ns_per_event(&run(command.arg(events.to_string()).arg(folder.path()))?)
    }
}

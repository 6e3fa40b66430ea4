// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lttng-ust side: its daemon, sessions of the two kinds, and the same loop in C.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::common::{Mode, folder_bytes, ns_per_event, run};

/// A daemon of our own in a folder of its own, and the built C program.
pub struct Lttng {
    home: tempfile::TempDir,
    program: PathBuf,
    sessions: u32,
}

impl Lttng {
    /// Builds the C program and starts the daemon.
    pub fn start(binaries: &Path) -> Result<Self> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("lttng-hello");
        let program = std::path::absolute(binaries)?.join("lttng-hello");
        let mut cc = Command::new("cc");
        cc.current_dir(&sources).args(["-O2", "-I.", "tp.c", "bench.c", "-o"]).arg(&program);
        run(cc.args(["-llttng-ust", "-ldl", "-lpthread"])).context("is the package liblttng-ust-dev installed?")?;
        let home = tempfile::tempdir()?;
        let daemon = Command::new("lttng-sessiond")
            .args(["--daemonize", "--no-kernel"])
            .env("LTTNG_HOME", home.path())
            .output()
            .context("is the package lttng-tools installed?")?;
        // A daemon that runs already does as well.
        if !daemon.status.success() {
            eprintln!("lttng-sessiond: {}", String::from_utf8_lossy(&daemon.stderr).trim());
        }
        Ok(Self { home, program, sessions: 0 })
    }

    fn lttng(&self, arguments: &[&str]) -> Result<String> {
        run(Command::new("lttng").args(arguments).env("LTTNG_HOME", self.home.path()))
    }

    /// Runs the program inside a session of the mode and returns its output and the trace's folder.
    fn in_session(&mut self, mode: Mode, event: &str, events: u64, threads: u32) -> Result<(String, PathBuf)> {
        self.sessions += 1;
        let name = format!("bench{}-{}", self.sessions, std::process::id());
        let folder = self.home.path().join(&name);
        let output = format!("--output={}", folder.display());
        let mut create = vec!["create", &name, &output];
        let channel: &[&str] = match mode {
            Mode::Off => &[],
            Mode::FlightRecorder => {
                create.push("--snapshot");
                &["enable-channel", "-u", "c", "--subbuf-size=1M", "--num-subbuf=8", "--overwrite"]
            }
            Mode::Lossless => {
                &["enable-channel", "-u", "c", "--subbuf-size=1M", "--num-subbuf=8", "--blocking-timeout=inf"]
            }
        };
        if mode != Mode::Off {
            self.lttng(&create)?;
            self.lttng(channel)?;
            self.lttng(&["enable-event", "-u", "-c", "c", "hb:*"])?;
            self.lttng(&["start"])?;
        }
        let mut program = Command::new(&self.program);
        program.args([event, &events.to_string(), &threads.to_string()]);
        program.env("LTTNG_HOME", self.home.path()).env("LTTNG_UST_ALLOW_BLOCKING", "1");
        let printed = run(&mut program)?;
        if mode != Mode::Off {
            self.lttng(&["destroy", &name])?;
        }
        Ok((printed, folder))
    }

    /// Nanoseconds per event.
    pub fn measure(&mut self, mode: Mode, event: &str, events: u64, threads: u32) -> Result<f64> {
        let (printed, folder) = self.in_session(mode, event, events, threads)?;
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        ns_per_event(&printed)
    }

    /// Bytes of the stream files per event.
    pub fn bytes_per_event(&mut self, event: &str) -> Result<f64> {
        const EVENTS: u64 = 1_000_000;
        let (_, folder) = self.in_session(Mode::Lossless, event, EVENTS, 1)?;
        let streams = |name: &str| name.starts_with("c_") && !name.ends_with(".idx");
        Ok(folder_bytes(&folder, &streams)? as f64 / EVENTS as f64)
    }
}

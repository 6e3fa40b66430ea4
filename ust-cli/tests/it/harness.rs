// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs `ust` in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A place to run `ust` in.
pub struct Place(TempDir);

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// `ust` with these arguments, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ust"));
        command.args(arguments).current_dir(self.path());
        command
    }

    pub fn ust(&self, arguments: &[&str]) -> Run {
        run(self.command(arguments).output())
    }

    /// `ust record` with these options of the traced program with these arguments.
    pub fn record(&self, options: &[&str], program: &[&str]) -> Run {
        let traced = traced();
        let traced = traced.to_str().expect("a plain path");
        self.ust(&[&["record"], options, &["--", traced], program].concat())
    }

    /// The names in the place.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).expect("there");
        let mut names: Vec<_> =
            entries.map(|e| e.expect("readable").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    }

    /// The values of the events in the trace `dir`.
    pub fn values(&self, dir: &str) -> Vec<u64> {
        let shown = self.ust(&["view", dir]);
        assert_eq!((shown.status, shown.stderr.as_str()), (Some(0), ""));
        let value = |line: &str| line.rsplit_once("{ n = ")?.1.strip_suffix(" }")?.parse().ok();
        shown.stdout.lines().map(|line| value(line).unwrap_or_else(|| panic!("{line}"))).collect()
    }
}

pub fn run(output: std::io::Result<Output>) -> Run {
    let output = output.expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Run { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The traced program: Cargo builds examples before it runs tests.
pub fn traced() -> PathBuf {
    let this = std::env::current_exe().expect("this test");
    let traced = this.ancestors().nth(2).expect("the profile's folder").join("examples/traced");
    assert!(traced.exists(), "run `cargo build --examples` first: no {}", traced.display());
    traced
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records programs with the real LTTng, where it is installed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::tool::{self, is_installed, skip};

/// A session daemon with a home of its own.
pub struct Lttng {
    home: TempDir,
    daemon: Option<Child>,
}

impl Lttng {
    /// Returns nothing, and says so, where LTTng or what reads its traces is missing.
    pub fn start() -> Option<Self> {
        for tool in ["lttng", "lttng-sessiond", "gcc", "g++", "babeltrace2"] {
            if !is_installed(tool) {
                return None;
            }
        }
        let header =
            Command::new("gcc").args(["-include", "lttng/tracepoint.h", "-E", "-x", "c", "/dev/null"]).output();
        if !header.is_ok_and(|output| output.status.success()) {
            skip("the headers of lttng-ust are not installed");
            return None;
        }
        let mut lttng = Self { home: tempfile::tempdir().expect("a folder"), daemon: None };
        let mut daemon = lttng.command("lttng-sessiond");
        lttng.daemon = Some(daemon.arg("--no-kernel").stderr(Stdio::null()).spawn().expect("lttng-sessiond"));
        // It cannot be waited for but by asking: as a child that stays one it does not say when it is ready.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !lttng.command("lttng").args(["--no-sessiond", "list"]).output().expect("lttng").status.success() {
            assert!(Instant::now() < deadline, "lttng-sessiond answers");
        }
        Some(lttng)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("LTTNG_HOME", self.home.path()).current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    fn lttng(&self, arguments: &[&str]) {
        tool::output(self.command("lttng").arg("--no-sessiond").args(arguments));
    }

    /// Records all events of the providers that match.
    pub fn record(&self, program: &Path, events: &str) -> PathBuf {
        let name = program.file_name().and_then(|name| name.to_str()).expect("a name");
        let output = self.home.path().join(format!("trace-{name}"));
        // The daemon of the system administrator serves everybody who runs as one, also another run of this test.
        let session = format!("ust-compat-{name}-{}", std::process::id());
        self.lttng(&["create", &session, "--output", output.to_str().expect("UTF-8")]);
        self.lttng(&["enable-channel", "-u", "c", "--blocking-timeout=inf"]);
        self.lttng(&["enable-event", "-u", "-c", "c", events]);
        self.lttng(&["start"]);
        let mut command = self.command(program);
        tool::output(command.env("LTTNG_UST_ALLOW_BLOCKING", "1").env("LTTNG_UST_REGISTER_TIMEOUT", "-1"));
        self.lttng(&["destroy", &session]);
        output
    }
}

impl Drop for Lttng {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            // The consumer daemon that it started ends with it.
            let _ = Command::new("kill").arg(daemon.id().to_string()).status();
            let _ = daemon.wait();
        }
    }
}

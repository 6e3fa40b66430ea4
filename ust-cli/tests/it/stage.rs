// SPDX-License-Identifier: MIT OR Apache-2.0
//! A runtime directory and a home of their own, with a daemon and traced programs that end with the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Place, Run, run, traced};

/// Far longer than anything takes.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A place with a runtime directory.
pub struct Stage {
    pub place: Place,
}

impl Stage {
    pub fn new() -> Self {
        Self { place: Place::new() }
    }

    pub fn runtime_dir(&self) -> PathBuf {
        self.place.path().join("run")
    }

    pub fn prepare(&self, command: &mut Command) {
        command.env("UST_RUNTIME_DIR", self.runtime_dir()).env("HOME", self.place.path());
        command.env_remove("XDG_RUNTIME_DIR");
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = self.place.command(&line.split_whitespace().collect::<Vec<_>>());
        self.prepare(&mut command);
        command
    }

    /// Runs `ust` with these words.
    pub fn try_ust(&self, line: &str) -> Run {
        run(self.command(line).output())
    }

    /// Runs `ust`, which must succeed; returns what it printed.
    pub fn ust(&self, line: &str) -> String {
        let run = self.try_ust(line);
        assert_eq!(run.status, Some(0), "ust {line}: {}{}", run.stdout, run.stderr);
        run.stdout
    }

    pub fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.ust(&format!("{line} --json"))).expect("JSON")
    }

    /// A session `NAME` with its output in `./NAME`.
    pub fn create(&self, name: &str, more: &str) {
        self.ust(&format!("create {name} -o {name} {more}"));
    }

    /// Starts the traced program, which serves.
    pub fn serve(&self) -> Served {
        self.serve_with(|_| {})
    }

    /// Starts the traced program as its own flight recorder of what `UST_TRACE` says.
    pub fn serve_own(&self, trace: &str) -> Served {
        self.serve_with(|command| {
            command.env("UST_TRACE", trace);
        })
    }

    fn serve_with(&self, set_up: impl FnOnce(&mut Command)) -> Served {
        let mut command = Command::new(traced());
        self.prepare(&mut command);
        set_up(&mut command);
        let mut child =
            command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program runs");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut served = Served { child, input, output: BufReader::new(output) };
        served.expect("ready");
        served
    }

    pub fn daemon_pid(&self) -> i32 {
        self.json("daemon --background")["pid"].as_i64().expect("a number") as i32
    }

    /// Kills the daemon, and waits until it is gone with its lock and its socket.
    pub fn kill_daemon(&self) {
        let pid = self.daemon_pid();
        send(pid, libc::SIGKILL);
        wait_until("the daemon's end", || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
        });
    }

    /// Waits until the current session has recorded so many events.
    pub fn wait_for_events(&self, count: u64) {
        wait_until(&format!("{count} events"), || self.json("status")["progress"]["events"].as_u64() == Some(count));
    }

    /// Waits until so many processes are known.
    pub fn wait_for_processes(&self, count: usize) {
        wait_until(&format!("{count} processes"), || self.json("list -u").as_array().map(Vec::len) == Some(count));
    }

    /// The values in the trace `dir`, in the order of time; babeltrace2 must read as many events.
    pub fn values(&self, dir: &str) -> Vec<u64> {
        let values = self.place.values(dir);
        if let Some((events, complaints)) = babeltrace(&self.place.path().join(dir)) {
            assert_eq!((events.lines().count(), complaints.as_str()), (values.len(), ""), "babeltrace2 on {dir}");
        }
        values
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.runtime_dir().exists() {
            let _ = self.command("daemon --stop").output();
        }
    }
}

/// A traced program that does what it is told.
pub struct Served {
    pub child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Served {
    fn expect(&mut self, word: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it lives");
        assert_eq!(line.trim(), word);
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("it lives");
        self.expect("done");
    }

    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub fn signal(&self, signal: i32) {
        send(self.pid(), signal);
    }

    /// Lets it end by itself.
    pub fn end(mut self) {
        drop(std::mem::replace(&mut self.input, devnull()));
        self.child.wait().expect("our child");
    }
}

fn devnull() -> ChildStdin {
    let mut child = Command::new("true").stdin(Stdio::piped()).spawn().expect("`true` runs");
    let input = child.stdin.take().expect("piped");
    child.wait().expect("our child");
    input
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by the command of that name.
pub fn send(pid: i32, signal: i32) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status();
    assert!(sent.expect("kill runs").success());
}

/// Waits for a state that can be seen; it must come within the limit.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LIMIT, "{what} did not come");
        std::thread::yield_now();
    }
}

/// What babeltrace2 prints; `None` (said) where it is not installed.
pub fn babeltrace(path: &std::path::Path) -> Option<(String, String)> {
    let Ok(output) = Command::new("babeltrace2").arg(path).output() else {
        assert!(
            std::env::var_os("UST_REQUIRE_TOOLS").is_none(),
            "UST_REQUIRE_TOOLS is set, but there is no babeltrace2"
        );
        println!("SKIPPED: babeltrace2 is not installed");
        return None;
    };
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Some((text(output.stdout), text(output.stderr)))
}

/// The names in a directory.
pub fn names(dir: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|e| e.expect("readable").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

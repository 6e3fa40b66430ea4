// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reaches the daemon of this environment's runtime directory, which is started if need be.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use ust_consumerd::RuntimeDir;
use ust_consumerd::control::protocol::Request;
use ust_consumerd::control::{AskError, Client};

use crate::problem::Problem;

/// How long a daemon may take to listen.
const START_TIME_MAX: Duration = Duration::from_secs(10);

/// A connection to the daemon.
pub struct Daemon(Client);

impl Daemon {
    /// Connects; starts a daemon if there is none.
    pub fn reach() -> Result<Self, Problem> {
        let dir = RuntimeDir::path_of_environment();
        match Client::connect(&dir) {
            Ok(client) => Ok(Self(client)),
            Err(AskError::NoDaemon { .. }) => start_and_connect(),
            Err(error) => Err(problem(error)),
        }
    }

    /// Connects if there is a daemon.
    pub fn if_there() -> Result<Option<Self>, Problem> {
        match Client::connect(&RuntimeDir::path_of_environment()) {
            Ok(client) => Ok(Some(Self(client))),
            Err(AskError::NoDaemon { .. }) => Ok(None),
            Err(error) => Err(problem(error)),
        }
    }

    /// Asks for something.
    pub fn ask<T: DeserializeOwned>(&mut self, request: &Request) -> Result<T, Problem> {
        self.0.ask(request).map_err(problem)
    }
}

/// Asks the daemon for something, starting it if need be.
pub fn ask<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    Daemon::reach()?.ask(request)
}

/// Starts a daemon and waits until one listens. If others do the same at once, one of them stays, and any will do.
fn start_and_connect() -> Result<Daemon, Problem> {
    let dir = RuntimeDir::path_of_environment();
    let cannot =
        |error: io::Error| Problem::new(format!("cannot start the daemon: {error}"), "ust daemon --foreground");
    let program = std::env::current_exe().map_err(cannot)?;
    let mut command = Command::new(program);
    command.args(["daemon", "--foreground"]).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env_remove("LISTEN_FDS").env_remove("LISTEN_PID").env_remove("NOTIFY_SOCKET");
    // Ctrl-C at the terminal is for the command, not for the daemon.
    command.process_group(0);
    let mut child = command.spawn().map_err(cannot)?;
    let began = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(client) = Client::connect(&dir) {
            return Ok(Daemon(client));
        }
        match child.try_wait().ok().flatten() {
            None => {}
            // Another one has the directory: it will listen soon, or is about to end.
            Some(status) if status.code() == Some(crate::daemon::BUSY.into()) => {
                child = command.spawn().map_err(cannot)?;
            }
            Some(status) => return Err(ended_at_once(&mut child, status)),
        }
        if began.elapsed() > START_TIME_MAX {
            let what = format!("no daemon listens in `{}` after {} s", dir.display(), START_TIME_MAX.as_secs());
            return Err(Problem::new(what, "ust doctor"));
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(50));
    }
}

fn ended_at_once(child: &mut Child, status: ExitStatus) -> Problem {
    let mut said = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = io::Read::read_to_string(stderr, &mut said);
    }
    let said = said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    Problem::new(format!("the daemon ended at once ({status}): {said}"), "ust daemon --foreground, to see why")
}

/// A refusal as it is printed.
pub fn problem(error: AskError) -> Problem {
    match error {
        AskError::Refused(refused) => {
            let what = std::iter::once(refused.message).chain(refused.notes).collect::<Vec<_>>().join("\n  ");
            Problem { what, hint: refused.hint }
        }
        AskError::NoDaemon { .. } => Problem::new(error.to_string(), "ust daemon --background"),
        error => Problem::new(error.to_string(), "ust daemon --stop, and the command once more"),
    }
}

/// A path as seen from the daemon, which has another working directory.
pub fn absolute(path: &std::path::Path) -> Result<PathBuf, Problem> {
    std::path::absolute(path)
        .map_err(|error| Problem::new(format!("path `{}`: {error}", path.display()), "an absolute path"))
}

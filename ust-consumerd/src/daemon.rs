// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon: a hub whose sessions are controlled over the socket `control` and kept on disk.
//!
//! An error ends the smallest thing it belongs to: a request, a connection, an image, a session.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use crate::control::protocol::{Kind, Refused};
use crate::control::server::Server;
use crate::error::StartError;
use crate::hub::Hub;
use crate::limits::WARNING_COUNT_MAX;
use crate::runtime_dir::RuntimeDir;
use crate::session::Session;
use crate::state::{self, SavedDaemon, SavedSession};
use crate::sys;

/// How often it is tried to begin a trace that could not be begun.
const MEND_EVERY: Duration = Duration::from_secs(1);

/// How often what came from ended processes is kept: their number in a moment may be large, a session's file is small.
const SAVE_ENDED_EVERY: Duration = Duration::from_millis(100);

/// What a daemon shall be like.
#[derive(Clone, Copy, Debug, Default)]
pub struct DaemonOptions {
    /// Ends by itself when it had no session and no client for so long.
    pub idle_exit: Option<Duration>,
}

/// The daemon of a runtime directory.
#[derive(Debug)]
pub struct Daemon {
    pub(crate) server: Server,
    pub(crate) hub: Hub,
    pub(crate) current: Option<String>,
    pub(crate) next_session: u64,
    /// A client asked for the end.
    pub(crate) ends: bool,
    /// We made the socket, so we remove it.
    bound: bool,
    options: DaemonOptions,
    idle_since: Instant,
    mend_at: Instant,
    save_ended_at: Instant,
    notes: Vec<String>,
}

impl Daemon {
    /// Sets up the daemon of `dir`, which it owns: sessions that an earlier one left go on.
    ///
    /// A socket that a service manager hands over is used, else `control` is bound.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(dir: RuntimeDir, options: DaemonOptions) -> Result<Self, StartError> {
        let path = dir.path().join("control");
        // A descriptor that is no such socket is an error: a socket of our own would take the place of the manager's.
        let passed = listenfd::ListenFd::from_env().take_unix_listener(0);
        let passed = passed.map_err(StartError::io("use the service manager's socket for", &path))?;
        let bound = passed.is_none();
        let listener = match passed {
            Some(listener) => listener,
            None => {
                // What lies there was left by a daemon that was killed: we own the directory.
                let _ = fs::remove_file(&path);
                let listener = UnixListener::bind(&path).map_err(StartError::io("bind socket", &path))?;
                // The directory is closed to others; this says it once more.
                let _ = fs::set_permissions(&path, fs::Permissions::from_mode(0o600));
                listener
            }
        };
        let server = Server::new(listener).map_err(StartError::io("listen on", &path))?;
        let mut daemon = Self {
            server,
            hub: Hub::new(dir)?,
            current: None,
            next_session: 0,
            ends: false,
            bound,
            options,
            idle_since: Instant::now(),
            mend_at: Instant::now(),
            save_ended_at: Instant::now(),
            notes: Vec::new(),
        };
        daemon.resume()?;
        Ok(daemon)
    }

    /// What went wrong, in words.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Runs until `stop` is readable, a client asks for the end, or it was idle for long enough. The sessions are stopped
    /// then, and kept.
    ///
    /// # Errors
    /// Only where the kernel cannot poll at all.
    pub fn run(mut self, stop: BorrowedFd<'_>) -> io::Result<()> {
        // Where nobody waits for it, nobody hears it.
        let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
        while !self.ends {
            let mut fds = vec![sys::readable(stop.as_fd())];
            fds.extend(self.server.fds());
            let timeout = self.next_deadline().map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            self.hub.run_once(timeout, &mut fds)?;
            for asked in self.server.take_in(&fds[1..]) {
                let result = self.carry_out(asked.request, asked.connection);
                self.server.answer((asked.connection, asked.id), result);
            }
            for id in self.server.sweep() {
                self.end_orphan(id);
            }
            self.rotate_due();
            self.mend_traces();
            self.save_ended();
            if fds[0].revents != 0 || self.is_idle_for_long() {
                break;
            }
        }
        let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Stopping]);
        self.server.flush();
        self.stop_all();
        Ok(())
    }

    fn end_orphan(&mut self, id: u64) {
        if let Err(error) = self.hub.stop(id) {
            self.note(error.to_string());
        }
        if let Err(refused) = self.forget(id) {
            self.note(refused.message);
        }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < WARNING_COUNT_MAX {
            self.notes.push(note);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let rotations = self.hub.sessions.iter().filter(|session| session.started).filter_map(|s| s.next_rotation);
        let idle = self.options.idle_exit.filter(|_| self.hub.sessions.is_empty()).map(|limit| self.idle_since + limit);
        let ended = self.hub.sessions.iter().any(|session| session.tally.is_unsaved).then_some(self.save_ended_at);
        rotations.chain(self.server.deadline()).chain(idle).chain(ended).min()
    }

    fn is_idle_for_long(&mut self) -> bool {
        let Some(limit) = self.options.idle_exit else { return false };
        if !self.hub.sessions.is_empty() || !self.server.is_idle() {
            self.idle_since = Instant::now();
        }
        self.idle_since.elapsed() >= limit
    }

    /// Rotates the sessions whose time has come or whose chunk is large enough.
    fn rotate_due(&mut self) {
        let now = Instant::now();
        let is_due = |session: &&mut Session| {
            let schedule = session.config.rotation;
            let timer = session.next_rotation.is_some_and(|at| at <= now);
            let bytes = session.trace.as_ref().map_or(0, |trace| trace.bytes);
            session.started && (timer || schedule.size_bytes.is_some_and(|size| bytes >= size))
        };
        let due: Vec<u64> = self.hub.sessions.iter_mut().filter(is_due).map(|session| session.id).collect();
        for id in due {
            let rotated = self.hub.rotate(id);
            if let Some(session) = self.hub.session_mut(id) {
                let timer = session.config.rotation.timer_ms;
                session.next_rotation = timer.map(|ms| Instant::now() + Duration::from_millis(ms));
                if let Err(error) = rotated {
                    session.tally.warn(format!("the session cannot be rotated: {error}"));
                }
            }
            if let Err(refused) = self.save(id) {
                self.note(refused.message);
            }
        }
    }

    /// Tries again, now and then, to begin traces for which there was no room, say: their events wait in the rings.
    fn mend_traces(&mut self) {
        if self.mend_at > Instant::now() {
            return;
        }
        self.mend_at = Instant::now() + MEND_EVERY;
        for id in self.hub.mend_traces() {
            let _ = self.save(id);
        }
    }

    /// Keeps what came from processes that have ended, some times per second.
    fn save_ended(&mut self) {
        let unsaved: Vec<u64> =
            self.hub.sessions.iter().filter(|s| s.tally.is_unsaved).map(|session| session.id).collect();
        if unsaved.is_empty() || self.save_ended_at > Instant::now() {
            return;
        }
        self.save_ended_at = Instant::now() + SAVE_ENDED_EVERY;
        for id in unsaved {
            if let Err(refused) = self.save(id) {
                self.note(refused.message);
            }
        }
    }

    /// Stops every session for the end of the daemon. They are kept, and can be started again in the next one.
    fn stop_all(&mut self) {
        self.end_ephemeral();
        let started: Vec<u64> = self.hub.sessions.iter().filter(|s| s.started).map(|session| session.id).collect();
        for id in started {
            if let Err(error) = self.hub.stop(id) {
                self.notes.push(error.to_string());
            }
            let _ = self.save(id);
        }
        self.hub.finish_ended();
        if self.bound {
            let _ = fs::remove_file(self.hub.apps.dir.path().join("control"));
        }
    }

    /// Removes a session, here and on disk.
    pub(crate) fn forget(&mut self, id: u64) -> Result<(), Refused> {
        let destroyed = self.hub.destroy(id);
        if let Ok(Some(session)) = &destroyed {
            let name = &session.config.name;
            let _ = fs::remove_file(state::session_path(self.hub.apps.dir.path(), name));
            if self.current.as_ref() == Some(name) {
                self.current = None;
            }
        }
        self.save_daemon()?;
        destroyed.map(drop).map_err(|error| Refused::new(Kind::Io, error.to_string(), error.hint()))
    }

    /// Keeps a session as it is now.
    pub(crate) fn save(&mut self, id: u64) -> Result<(), Refused> {
        let Some(session) = self.hub.sessions.iter().find(|session| session.id == id) else { return Ok(()) };
        let path = state::session_path(self.hub.apps.dir.path(), &session.config.name);
        let saved = SavedSession::of(session, &self.hub);
        state::write(&path, &saved).map_err(|error| cannot_save(&path, &error))?;
        if let Some(session) = self.hub.session_mut(id) {
            session.tally.is_unsaved = false;
        }
        Ok(())
    }

    /// Keeps what belongs to no session.
    pub(crate) fn save_daemon(&self) -> Result<(), Refused> {
        let path = state::daemon_path(self.hub.apps.dir.path());
        let saved = SavedDaemon {
            current: self.current.clone(),
            next_session: self.next_session,
            parked: self.hub.channels.parked().map(Into::into).collect(),
        };
        state::write(&path, &saved).map_err(|error| cannot_save(&path, &error))
    }

    /// Takes up what an earlier daemon left.
    fn resume(&mut self) -> Result<(), StartError> {
        let runtime_dir = self.hub.apps.dir.path().to_owned();
        let saved: Option<SavedDaemon> = state::read(&state::daemon_path(&runtime_dir)).unwrap_or_else(|error| {
            self.notes.push(format!("what the daemon before kept cannot be read: {error}"));
            None
        });
        let saved = saved.unwrap_or_default();
        (self.current, self.next_session) = (saved.current, saved.next_session);
        saved.parked.into_iter().for_each(|channel| self.hub.channels.adopt(channel.into(), 0));
        let (sessions, wrong) = state::read_sessions(&runtime_dir);
        self.notes.extend(wrong);
        for session in sessions {
            self.next_session = self.next_session.max(session.id);
            self.hub.resume(session);
        }
        self.hub.publish()?;
        self.end_ephemeral();
        Ok(())
    }

    /// Ends the sessions whose connections are gone with an earlier daemon, or with this one.
    fn end_ephemeral(&mut self) {
        let ids: Vec<u64> = self.hub.sessions.iter().filter(|s| s.ephemeral).map(|session| session.id).collect();
        ids.into_iter().for_each(|id| self.end_orphan(id));
    }
}

fn cannot_save(path: &std::path::Path, error: &io::Error) -> Refused {
    let message = format!("cannot keep the change in `{}`: {error}", path.display());
    Refused::new(Kind::Io, message, "free some space in the runtime directory")
}

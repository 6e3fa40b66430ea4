// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a session begins, stops, and ends. Each step is bounded by what lies in the rings, whatever the programs do.

use std::fs;
use std::io;
use std::path::Path;

use crate::clock::TraceClock;
use crate::error::StartError;
use crate::hub::{Hub, read_tables, take_last};
use crate::session::Session;
use crate::sys;
use crate::trace::Trace;

impl Hub {
    /// Adds a session that is not started.
    pub(crate) fn add(&mut self, session: Session) {
        self.sessions.push(session);
    }

    /// Starts a session: its channels get slots, its trace goes to `trace_dir`, and the programs are switched on.
    ///
    /// # Errors
    /// [`StartError`]; the session is as it was.
    pub(crate) fn start(&mut self, id: u64, trace_dir: &Path) -> Result<(), StartError> {
        let (images, open_max) = (&self.apps.images, self.open_max);
        let Some(session) = self.sessions.iter_mut().find(|session| session.id == id && !session.started) else {
            return Ok(());
        };
        session.take_slots(&mut self.channels, images).ok_or(StartError::NoSlot)?;
        if session.trace.is_none() && !session.config.snapshot {
            session.begin_trace(trace_dir, open_max, None)?;
        }
        session.note_start();
        self.take_over(id);
        self.publish().inspect_err(|_| {
            if let Some(session) = self.session_mut(id) {
                session.started = false;
            }
        })
    }

    /// Makes the rings of the session's channels its own. What they hold was recorded before, and is passed over when the
    /// session joins the images.
    pub(crate) fn take_over(&mut self, id: u64) {
        let Some(session) = self.sessions.iter_mut().find(|session| session.id == id) else { return };
        let mask = session.mask();
        for image in &mut self.apps.images {
            image.views.remove(&id);
            for ring in image.rings_mut().filter(|ring| mask >> ring.slot & 1 == 1) {
                if ring.owner != id {
                    ring.owner = id;
                    ring.stream = None;
                }
            }
        }
    }

    /// Stops a session: switches the programs off as far as only it wanted their events, takes what they have
    /// committed, and completes the trace. It can be started again.
    ///
    /// # Errors
    /// The rules could not be replaced; what was committed is in the trace all the same.
    pub(crate) fn stop(&mut self, id: u64) -> Result<(), StartError> {
        let Some(session) = self.session_mut(id).filter(|session| session.started) else { return Ok(()) };
        // Images that are found only now are joined all the same: their programs read the rules before this.
        session.stopping = true;
        let published = self.publish();
        let mut broken = Vec::new();
        let Self { apps, sessions, channels, .. } = self;
        for (idx, image) in apps.images.iter_mut().enumerate().filter(|(_, image)| !image.kept) {
            let tables = read_tables(sessions, channels, image);
            let Some(session) = sessions.iter_mut().find(|session| session.id == id) else { continue };
            if !image.views.contains_key(&id) {
                continue;
            }
            let taken = tables.and_then(|()| take_last(session, image));
            let torn = || if image.is_torn() { Err("was cut while it was mapped".to_owned()) } else { Ok(()) };
            match taken.and_then(|()| torn()) {
                Ok(()) => {
                    let running = image.owner.is_alive();
                    let closed = session.tally.close(id, image, running);
                    session.tally.end(&closed);
                    image.rings_mut().filter(|ring| ring.owner == id).for_each(|ring| ring.base = ring.counters());
                }
                Err(reason) => broken.push((idx, reason)),
            }
        }
        for (idx, reason) in broken.into_iter().rev() {
            let mut image = self.apps.images.swap_remove(idx);
            let running = image.owner.is_alive();
            if let Some(session) = self.session_mut(id) {
                session.tally.losses.images_refused += 1;
                session.tally.warn(format!("{} {reason}; it is not read any further", image.path.display()));
                session.tally.close(id, &image, running);
            }
        }
        if let Some(session) = self.session_mut(id) {
            (session.started, session.stopping) = (false, false);
            session.complete_trace();
        }
        // Removes the files of those that have ended.
        self.finish_ended();
        published
    }

    /// Ends a session. Its traces stay.
    ///
    /// # Errors
    /// As [`Hub::stop`].
    pub(crate) fn destroy(&mut self, id: u64) -> Result<Option<Session>, StartError> {
        let stopped = self.stop(id);
        let Some(idx) = self.sessions.iter().position(|session| session.id == id) else { return Ok(None) };
        let session = self.sessions.remove(idx);
        for slot in &session.slots {
            self.channels.park(slot.uid);
        }
        for image in &mut self.apps.images {
            image.views.remove(&id);
            for ring in image.rings_mut().filter(|ring| ring.owner == id) {
                ring.owner = 0;
                ring.stream = None;
            }
        }
        self.drop_unwanted();
        stopped.map(|()| Some(session))
    }
}

impl Session {
    /// Begins a trace in `dir`, with a clock that is refined already if there is one.
    pub(crate) fn begin_trace(
        &mut self,
        dir: &Path,
        open_max: u64,
        clock: Option<TraceClock>,
    ) -> Result<(), StartError> {
        let mut trace = Trace::new(dir, &self.config.name, open_max)?;
        if let Some(clock) = clock {
            trace.clock = clock;
            trace.invalidate_metadata();
        }
        if let Some(kind) = self.clock_kind {
            trace.clock.set_kind(kind);
        }
        self.describe_files(&mut trace);
        self.chunk.begin_s = sys::clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000;
        self.trace = Some(trace);
        Ok(())
    }

    /// Brings the metadata up to date and takes the padding off the files.
    pub(crate) fn complete_trace(&mut self) {
        let Some(trace) = &mut self.trace else { return };
        if trace.clock.refine() {
            trace.invalidate_metadata();
        }
        if let Err(error) = trace.write_metadata() {
            self.tally.warn(format!("the metadata cannot be written: {error}"));
        }
        if let Err(error) = trace.complete() {
            self.tally.warn(format!("a stream file keeps padding at its end: {error}"));
        }
    }
}

/// Makes the output directory, which must be new or empty.
pub(crate) fn prepare_output(output: &Path) -> Result<(), StartError> {
    match fs::create_dir(output) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut entries = fs::read_dir(output).map_err(StartError::io("read directory", output))?;
            if entries.next().is_some() { Err(StartError::OutputNotEmpty(output.to_owned())) } else { Ok(()) }
        }
        Err(error) => Err(StartError::io("create directory", output)(error)),
    }
}

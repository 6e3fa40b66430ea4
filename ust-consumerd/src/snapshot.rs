// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies of what flight recorders hold, chunks, and clearing.
//!
//! A snapshot reads overwrite rings from their oldest event on while their writers run, with readers of its own; each packet
//! is copied first and kept only if its writer did not overtake the copy (R7 of the ring protocol).

use std::fs;
use std::path::{Path, PathBuf};

use crate::control::protocol::SnapshotReport;
use crate::drain::Visit;
use crate::error::StartError;
use crate::hub::{Hub, read_tables, take_last};
use crate::session::Session;
use crate::summary::{Closed, Tally};
use crate::sys;
use crate::trace::{Trace, utc_datetime};

impl Hub {
    /// Writes what the overwrite channels of a session hold now into a new trace in `dir`: all of it, or the newest `bytes_max` bytes.
    ///
    /// # Errors
    /// [`StartError`]: the trace cannot be begun. What cannot be read or written of it is a warning of the session.
    pub(crate) fn snapshot(
        &mut self,
        id: u64,
        dir: &Path,
        bytes_max: Option<u64>,
    ) -> Result<SnapshotReport, StartError> {
        fs::create_dir_all(dir).map_err(StartError::io("create directory", dir))?;
        let (open_max, mut clock) = (self.open_max, self.clock.clone());
        let Self { apps, sessions, channels, .. } = self;
        let mut ring_count = 0;
        for image in apps.images.iter_mut().filter(|image| image.views.contains_key(&id)) {
            let _ = read_tables(sessions, channels, image);
            ring_count += image.rings().filter(|ring| ring.owner == id && ring.overwrite).count() as u64;
        }
        let name = sessions.iter().find(|session| session.id == id).map_or("", |session| &session.config.name);
        let mut trace = Trace::new(dir, name, open_max)?;
        let Some(session) = sessions.iter_mut().find(|session| session.id == id) else { unreachable!("asked above") };
        clock.refine();
        trace.clock = clock;
        if let Some(kind) = session.clock_kind {
            trace.clock.set_kind(kind);
        }
        session.describe_files(&mut trace);
        trace.invalidate_metadata();
        let per_ring = bytes_max.map(|bytes| bytes / ring_count.max(1));
        for image in apps.images.iter_mut().filter(|image| image.views.contains_key(&id)) {
            let mut visit = Visit::last(id, &mut trace, &mut session.tally);
            if let Err(reason) = visit.copy_rings(image, per_ring) {
                session.tally.warn(format!("{} {reason}; the snapshot holds a part of it", image.path.display()));
            }
        }
        self.give_up_torn();
        let written = trace.write_metadata().and_then(|()| trace.complete());
        written.map_err(StartError::io("complete the snapshot in", dir))?;
        Ok(SnapshotReport { path: dir.to_owned(), bytes: trace.bytes, packets: trace.packets })
    }

    /// Ends the current chunk of a session, which becomes a complete trace in `archives`, and begins the next one.
    ///
    /// # Errors
    /// [`StartError`]; the chunk goes on then.
    pub(crate) fn rotate(&mut self, id: u64) -> Result<Option<PathBuf>, StartError> {
        self.take_all(id);
        let open_max = self.open_max;
        let Some(session) = self.session_mut(id).filter(|session| session.trace.is_some()) else { return Ok(None) };
        session.complete_trace();
        let archives = session.config.output.join("archives");
        fs::create_dir_all(&archives).map_err(StartError::io("create directory", &archives))?;
        let end_s = sys::clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000;
        let (begin, end) = (utc_datetime(session.chunk.begin_s), utc_datetime(end_s));
        let chunk = archives.join(format!("{begin}-{end}-{}", session.chunk.id));
        let dir = session.trace_dir();
        // One rename: a reader finds the whole chunk in one place or in the other.
        fs::rename(&dir, &chunk).map_err(StartError::io("rename the chunk to", &chunk))?;
        session.chunk.id += 1;
        session.chunk.last = Some(chunk.clone());
        let clock = session.trace.take().map(|trace| trace.clock);
        let begun = if session.started { session.begin_chunk(&dir, open_max, clock) } else { Ok(()) };
        self.forget_streams(id);
        begun.map(|()| Some(chunk))
    }

    /// Throws away what a session has recorded since its last rotation.
    ///
    /// # Errors
    /// [`StartError`]; what is in the rings is gone in any case.
    pub(crate) fn clear(&mut self, id: u64) -> Result<(), StartError> {
        for image in &mut self.apps.images {
            for ring in image.rings_mut().filter(|ring| ring.owner == id) {
                ring.skip_unread();
            }
            let lost = image.lost();
            if let Some(view) = image.views.get_mut(&id) {
                view.lost_base = lost;
                view.counted = Closed::default();
                view.lost_reported = lost.into_iter().fold(0, u64::saturating_add);
            }
        }
        let open_max = self.open_max;
        let Some(session) = self.sessions.iter_mut().find(|session| session.id == id) else { return Ok(()) };
        session.tally = Tally::default();
        self.apps
            .images
            .iter()
            .filter(|image| image.views.contains_key(&id))
            .for_each(|image| session.tally.notice(image));
        let dir = session.trace_dir();
        let Some(trace) = session.trace.take() else { return Ok(()) };
        fs::remove_dir_all(&dir).map_err(StartError::io("remove", &dir))?;
        let begun = session.begin_chunk(&dir, open_max, Some(trace.clock));
        self.forget_streams(id);
        begun
    }

    /// Begins the traces that sessions lack since it could not be done before. Returns the sessions for which it could now.
    pub(crate) fn mend_traces(&mut self) -> Vec<u64> {
        let open_max = self.open_max;
        let lacks = |session: &&mut Session| session.started && !session.config.snapshot && session.trace.is_none();
        let mut mended = Vec::new();
        for session in self.sessions.iter_mut().filter(lacks) {
            let dir = session.trace_dir();
            if session.begin_chunk(&dir, open_max, None).is_ok() {
                mended.push(session.id);
            }
        }
        mended
    }

    /// Brings what was committed so far into the trace of a session.
    fn take_all(&mut self, id: u64) {
        let Self { apps, sessions, channels, .. } = self;
        for image in apps.images.iter_mut().filter(|image| !image.kept && image.views.contains_key(&id)) {
            let tables = read_tables(sessions, channels, image);
            let Some(session) = sessions.iter_mut().find(|session| session.id == id && session.started) else { return };
            if let Err(reason) = tables.and_then(|()| take_last(session, image)) {
                session.tally.warn(format!("{} {reason}", image.path.display()));
            }
        }
        self.give_up_torn();
    }

    /// The streams of a session's rings are those of an earlier trace.
    fn forget_streams(&mut self, id: u64) {
        for image in &mut self.apps.images {
            image.rings_mut().filter(|ring| ring.owner == id).for_each(|ring| ring.stream = None);
            if let Some(view) = image.views.get_mut(&id) {
                (view.class_idx, view.lost_stream) = (None, None);
            }
        }
    }
}

impl Session {
    /// Begins a trace in `dir`, which is made.
    pub(crate) fn begin_chunk(
        &mut self,
        dir: &Path,
        open_max: u64,
        clock: Option<crate::clock::TraceClock>,
    ) -> Result<(), StartError> {
        fs::create_dir_all(dir).map_err(StartError::io("create directory", dir))?;
        self.begin_trace(dir, open_max, clock)
    }
}

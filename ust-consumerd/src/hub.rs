// SPDX-License-Identifier: MIT OR Apache-2.0
//! The loop: waits for wakeups, new images, ended processes and ticks, and drains each ring into its session.
//!
//! One pass of [`Hub::run_once`]:
//!
//! 1. drain rounds: complete sub-buffers, and those half-filled ones whose channel's tick is due;
//! 2. if nothing is left: ask for wakeups, then look at every ring once more (a writer that left a sub-buffer before
//!    it could see the request is found by this look; one that leaves it later sees the request);
//! 3. poll; then attach what appeared, finish what ended.
//!
//! A ring belongs to a channel, by its uid, and a channel to a session. What a ring holds that no session
//! wants (its process is not tracked, its session is stopped) is passed over.

use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use ust_shm::atomics::{Ordering, fence};
use ust_shm::layout::ring_state;
use ust_shm::ring::RingWords as _;
use ust_shm::rules::RulesBuilder;

use crate::apps::Apps;
use crate::channels::Channels;
use crate::clock::TraceClock;
use crate::drain::{Left, Visit};
use crate::error::StartError;
use crate::image::{Image, Refusal};
use crate::limits::{CLOSED_GRACE, DESCRIPTOR_RESERVE, IDLE_TICK, KEPT_IMAGE_COUNT_MAX, ROUNDS_PER_POLL};
use crate::ring::Ring;
use crate::runtime_dir::RuntimeDir;
use crate::session::Session;
use crate::summary::Progress;
use crate::sys;

/// Drains the programs of one runtime directory into the traces of its sessions.
#[derive(Debug)]
pub(crate) struct Hub {
    pub apps: Apps,
    pub channels: Channels,
    pub sessions: Vec<Session>,
    /// Images of ended processes that nobody recorded are left where they are.
    pub leaves_unrecorded: bool,
    /// Stream files that one trace may hold open.
    pub open_max: u64,
    /// Is refined from the begin on, for traces that are made later.
    pub clock: TraceClock,
    next_tick: Instant,
}

impl Hub {
    /// A hub without sessions.
    ///
    /// # Errors
    /// The runtime directory cannot be used.
    pub(crate) fn new(dir: RuntimeDir) -> Result<Self, StartError> {
        let descriptors = sys::raise_descriptor_limit();
        let mut uid = [0; 8];
        sys::random(&mut uid).map_err(StartError::io("get random numbers for", dir.path()))?;
        Ok(Self {
            apps: Apps::new(dir, RulesBuilder::default())?,
            channels: Channels::new(u64::from_le_bytes(uid)),
            sessions: Vec::new(),
            leaves_unrecorded: false,
            // Half of the descriptors for images and processes, half for stream files.
            open_max: descriptors.saturating_sub(DESCRIPTOR_RESERVE) / 2,
            clock: TraceClock::new(),
            next_tick: Instant::now(),
        })
    }

    /// The session of that number.
    pub(crate) fn session_mut(&mut self, id: u64) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }

    /// The state of a session. Reads every event counter, so ask some times per second at most.
    pub(crate) fn progress(&self, id: u64) -> Progress {
        let Some(session) = self.sessions.iter().find(|session| session.id == id) else { return Progress::default() };
        let live =
            self.apps.images.iter().filter(|image| session.started && !image.kept && image.views.contains_key(&id));
        let written = session.trace.as_ref().map_or((0, 0), |trace| (trace.bytes, trace.packets));
        session.tally.progress(id, live, written)
    }

    /// Publishes the union of what all started sessions want, and brings every image up to it.
    ///
    /// # Errors
    /// The rules cannot be written; the old ones stay in force.
    pub(crate) fn publish(&mut self) -> Result<(), StartError> {
        let mut builder = RulesBuilder { channels: self.channels.all().collect(), ..RulesBuilder::default() };
        self.sessions.iter().for_each(|session| session.add_rules(&mut builder));
        self.apps.publish(&builder)?;
        let names = self.apps.all_names();
        self.attach(names);
        for image in self.apps.images.iter_mut().filter(|image| !image.kept) {
            // What a process recorded before a session tracks it is not the session's.
            let _ = read_tables(&mut self.sessions, &self.channels, image);
            let joins = |s: &&Session| s.tracks(image) && !image.views.contains_key(&s.id);
            let joining: Vec<u64> = self.sessions.iter().filter(joins).map(|session| session.id).collect();
            image.rings_mut().filter(|ring| joining.contains(&ring.owner)).for_each(Ring::skip_unread);
            settle(&mut self.sessions, image);
        }
        self.apps.apply_rules();
        self.let_go();
        Ok(())
    }

    /// Takes the last of the processes that started sessions no longer track; they are switched off by now.
    fn let_go(&mut self) {
        let Self { apps, sessions, channels, .. } = self;
        for image in apps.images.iter_mut().filter(|image| !image.kept) {
            let left = |s: &Session, image: &Image| s.started && !s.tracks(image) && image.views.contains_key(&s.id);
            if !sessions.iter().any(|session| left(session, image)) {
                continue;
            }
            let tables = read_tables(sessions, channels, image);
            for session in sessions.iter_mut().filter(|session| session.started) {
                if !left(session, image) {
                    continue;
                }
                // A broken image is given up by the next visit.
                let _ = tables.clone().and_then(|()| take_last(session, image));
                let closed = session.tally.close(session.id, image, true);
                session.tally.end(&closed);
                image.rings_mut().filter(|r| r.owner == session.id).for_each(|ring| ring.base = ring.counters());
                image.views.remove(&session.id);
                image.left.insert(session.id);
            }
        }
        self.give_up_torn();
    }

    /// Drains, then waits until something happens, at most until the next tick or for `timeout`, and takes that in.
    ///
    /// # Errors
    /// Only where the kernel cannot poll at all.
    pub(crate) fn run_once(&mut self, timeout: Duration, extra: &mut [libc::pollfd]) -> io::Result<()> {
        let now = Instant::now();
        let due = self.sessions.iter_mut().filter(|s| s.started).fold(0, |due, session| due | session.take_due(now));
        let tick = due != 0 || now >= self.next_tick;
        if tick {
            self.next_tick = now + IDLE_TICK;
            self.on_tick();
        }
        let mut left = Left::Nothing;
        for _ in 0..ROUNDS_PER_POLL {
            left = self.drain_round(due, tick);
            if left == Left::Nothing {
                break;
            }
        }
        let wait = if left == Left::More || self.ask_for_wakeups() {
            Duration::ZERO
        } else {
            timeout.min(self.next_deadline().saturating_duration_since(Instant::now()))
        };
        let ready = self.apps.wait(wait, extra)?;
        if ready.appeared {
            let names = self.apps.appeared();
            self.attach(names);
        }
        if ready.ended {
            self.finish_ended();
        }
        Ok(())
    }

    fn next_deadline(&self) -> Instant {
        let ticks = self.sessions.iter().filter(|s| s.started).flat_map(|s| s.slots.iter().map(|slot| slot.next_tick));
        let idle = Instant::now() + Duration::from_secs(3600);
        let own = if self.apps.images.iter().any(|image| !image.kept) { self.next_tick } else { idle };
        // Where a session ticks, it ticks for the images too.
        ticks.min().unwrap_or(own)
    }

    fn on_tick(&mut self) {
        self.clock.refine_if_due();
        for session in self.sessions.iter_mut().filter(|session| session.started) {
            let Some(trace) = &mut session.trace else { continue };
            if trace.clock.refine_if_due() {
                trace.invalidate_metadata();
            }
            if let Err(error) = trace.write_metadata() {
                session.tally.warn(format!("the metadata cannot be written: {error}"));
            }
        }
        let now = Instant::now();
        let rules = self.apps.rules();
        for image in self.apps.images.iter().filter(|image| !image.kept && image.views.len() < self.sessions.len()) {
            image.store_words(&rules);
        }
        for image in &mut self.apps.images {
            if image.is_closed() {
                image.closed_since.get_or_insert(now);
            }
        }
        self.finish_ended();
    }

    /// Visits every image once.
    fn drain_round(&mut self, due: u64, tick: bool) -> Left {
        let mut left = Left::Nothing;
        let (mut given_up, mut grown) = (Vec::new(), Vec::new());
        for (idx, image) in self.apps.images.iter_mut().enumerate().filter(|(_, image)| !image.kept) {
            let new_objects = image.has_new_objects();
            match visit(&mut self.sessions, &self.channels, image, due, tick) {
                Ok(more) => left = if more == Left::More { Left::More } else { left },
                Err(reason) => given_up.push((idx, reason)),
            }
            if new_objects {
                grown.push(idx);
            }
        }
        let rules = self.apps.rules();
        grown.into_iter().for_each(|idx| self.apps.images[idx].apply_rules(&rules));
        for (idx, reason) in given_up.into_iter().rev() {
            let image = self.apps.images.swap_remove(idx);
            self.give_up(image, &reason);
        }
        self.give_up_torn();
        left
    }

    /// Ends every image that was cut under our mappings.
    pub(crate) fn give_up_torn(&mut self) {
        for image in self.apps.take_torn() {
            self.give_up(image, "was cut while it was mapped");
        }
    }

    fn give_up(&mut self, mut image: Image, reason: &str) {
        let running = image.owner.is_alive();
        for session in &mut self.sessions {
            // A stopped session closed it when it stopped.
            if image.views.contains_key(&session.id) && session.started {
                session.tally.losses.images_refused += 1;
                session.tally.warn(format!("{} {reason}; it is not read any further", image.path.display()));
                session.tally.close(session.id, &image, running);
            }
        }
    }

    /// Asks every program for a wakeup at its next complete sub-buffer or returned ring; returns whether there is one
    /// already.
    fn ask_for_wakeups(&self) -> bool {
        let live = || self.apps.images.iter().filter(|image| !image.kept);
        for image in live() {
            image.header().wakeup_wanted.store(1, Ordering::Relaxed);
        }
        // Store-then-load on both sides: pairs with the writer's fence between its store of `committed` and its
        // load of `wakeup_wanted`. One of the two sees the other's store.
        fence(Ordering::SeqCst);
        live().any(|image| {
            let drained = |owner: u64| self.is_drained(image, owner);
            let complete = image.rings().any(|ring| !ring.overwrite && drained(ring.owner) && ring.has_complete());
            complete || image.has_returned(|ring| !ring.overwrite && drained(ring.owner))
        })
    }

    fn is_drained(&self, image: &Image, owner: u64) -> bool {
        image.views.contains_key(&owner)
            && self.sessions.iter().any(|s| s.id == owner && s.started && s.trace.is_some())
    }

    /// Attaches the images of these names.
    pub(crate) fn attach(&mut self, names: Vec<OsString>) {
        for name in names {
            let opened = self.apps.open(&name).and_then(|image| image.map_or(Ok(()), |image| self.admit(image)));
            if let Err(reason) = opened {
                for session in self.sessions.iter_mut().filter(|session| session.started) {
                    session.tally.losses.images_refused += 1;
                    session.tally.warn(reason.clone());
                }
            }
        }
    }

    fn admit(&mut self, mut image: Image) -> Result<(), Refusal> {
        image.read_objects().map_err(|reason| format!("{} {reason}", image.path.display()))?;
        settle(&mut self.sessions, &mut image);
        image.apply_rules(&self.apps.rules());
        self.apps.push(image);
        Ok(())
    }

    /// Finishes the images whose writers are gone.
    pub(crate) fn finish_ended(&mut self) {
        let now = Instant::now();
        for idx in (0..self.apps.images.len()).rev() {
            let image = &mut self.apps.images[idx];
            let closed_long_ago = image.closed_since.is_some_and(|since| now - since >= CLOSED_GRACE);
            if !image.kept && (!image.owner.is_alive() || closed_long_ago) {
                let image = self.apps.images.swap_remove(idx);
                self.finish(image);
            }
        }
    }

    /// Takes the last of an image and removes its file, unless a flight recorder still wants it.
    fn finish(&mut self, mut image: Image) {
        if let Err(reason) = self.take_last(&mut image) {
            return self.give_up(image, &reason);
        }
        let recorded = !image.views.is_empty();
        for session in self.sessions.iter_mut().filter(|s| s.started && image.views.contains_key(&s.id)) {
            let closed = session.tally.close(session.id, &image, false);
            // The next daemon finds what is left for `ust recover`, and counts it.
            if !image.holds_foreign {
                session.tally.end(&closed);
            }
        }
        let flight = |id: &u64| self.sessions.iter().any(|session| session.id == *id && session.config.snapshot);
        if image.views.keys().any(flight)
            && image.rings().any(|ring| ring.overwrite && ring.reader.has_unread(&ring.words))
        {
            image.kept = true;
            image.rings_mut().for_each(|ring| ring.base = ring.counters());
            self.apps.images.push(image);
            self.limit_kept();
        } else if image.holds_foreign {
            self.apps.leave(&image);
        } else if recorded || !self.leaves_unrecorded {
            self.apps.remove_file(&image);
        }
    }

    /// Takes the last of an image for every session that records it.
    fn take_last(&mut self, image: &mut Image) -> Result<(), Refusal> {
        read_tables(&mut self.sessions, &self.channels, image)?;
        for session in self.sessions.iter_mut().filter(|session| session.started) {
            take_last(session, image)?;
        }
        if image.is_torn() { Err("was cut while it was mapped".to_owned()) } else { Ok(()) }
    }

    /// Drops the oldest images of ended processes beyond the limit.
    fn limit_kept(&mut self) {
        let kept = |image: &&Image| image.kept;
        while self.apps.images.iter().filter(kept).count() > KEPT_IMAGE_COUNT_MAX {
            let oldest = self.apps.images.iter().enumerate().filter(|(_, image)| image.kept);
            let Some((idx, _)) = oldest.min_by_key(|(_, image)| image.identity.created_ns) else { return };
            let image = self.apps.images.swap_remove(idx);
            self.apps.remove_file(&image);
            for session in self.sessions.iter_mut().filter(|session| image.views.contains_key(&session.id)) {
                let pid = image.identity.pid;
                let why = format!("{KEPT_IMAGE_COUNT_MAX} newer ones are kept");
                session.tally.warn(format!("what process {pid}, which has ended, had recorded is dropped: {why}"));
            }
        }
    }

    /// Drops the images of ended processes that no session wants any more.
    pub(crate) fn drop_unwanted(&mut self) {
        for idx in (0..self.apps.images.len()).rev() {
            let image = &self.apps.images[idx];
            if image.kept && image.views.is_empty() {
                let image = self.apps.images.swap_remove(idx);
                self.apps.remove_file(&image);
            }
        }
    }
}

/// Lets each session join or leave the image, and notes what is wanted of it.
fn settle(sessions: &mut [Session], image: &mut Image) {
    if image.kept {
        return;
    }
    for session in sessions.iter_mut().filter(|session| session.started) {
        session.join(image);
    }
    let joined = sessions.iter().filter(|session| session.tracks(image) && image.views.contains_key(&session.id));
    image.wanted = joined.fold(0, |wanted, session| wanted | session.mask());
}

/// Takes the last of the image for a session, whatever the writers do.
pub(crate) fn take_last(session: &mut Session, image: &mut Image) -> Result<(), Refusal> {
    let Some(trace) = session.trace.as_mut().filter(|_| image.views.contains_key(&session.id)) else { return Ok(()) };
    let mut visit = Visit::last(session.id, trace, &mut session.tally);
    visit.drain(image)?;
    visit.finish(image)
}

/// Reads what is new in the image's tables.
pub(crate) fn read_tables(sessions: &mut [Session], channels: &Channels, image: &mut Image) -> Result<(), Refusal> {
    image.read_objects()?;
    for refusal in image.read_rings(channels) {
        for session in sessions.iter_mut().filter(|s| s.started && image.views.contains_key(&s.id)) {
            session.tally.losses.rings_corrupt += 1;
            session.tally.warn(format!("{}: {refusal}", image.path.display()));
        }
    }
    let pid = image.identity.pid;
    for ring in image.rings_mut().filter(|ring| !ring.settled) {
        ring.settled = true;
        let Some(session) = sessions.iter_mut().find(|session| session.id == ring.owner) else { continue };
        let channel = session.slots.iter().find(|slot| slot.slot == ring.slot).map(|slot| slot.name.clone());
        if let (Some(found), Some(channel)) = (&mut session.resumed, channel) {
            ring.settled = found.settle(ring, pid, &channel);
        }
    }
    Ok(())
}

/// Visits an image for every session that records it.
fn visit(
    sessions: &mut [Session],
    channels: &Channels,
    image: &mut Image,
    due: u64,
    tick: bool,
) -> Result<Left, Refusal> {
    read_tables(sessions, channels, image)?;
    let mut left = Left::Nothing;
    for session in sessions.iter_mut().filter(|session| session.started) {
        let joined = image.views.contains_key(&session.id);
        let Some(trace) = session.trace.as_mut().filter(|_| joined) else { continue };
        let mut visit = Visit::new(session.id, trace, &mut session.tally, due);
        if visit.drain(image)? == Left::More {
            left = Left::More;
        }
        if tick {
            visit.report_lost(image)?;
        }
    }
    if tick {
        let wanted = |owner| sessions.iter().any(|s| s.started && s.id == owner) && image.views.contains_key(&owner);
        let unwanted: Vec<usize> = image.rings().filter(|r| !wanted(r.owner)).map(|ring| ring.idx).collect();
        unwanted.into_iter().for_each(|idx| pass_over(image, idx));
    }
    Ok(left)
}

/// Passes over what a ring holds that no session wants; a thread may lease it again then.
fn pass_over(image: &mut Image, idx: usize) {
    let state = image.ring_state_word(idx);
    let Some(ring) = image.rings_mut().find(|ring| ring.idx == idx) else { return };
    let returned = ring_state::of(state) == ring_state::RETURNED;
    if !ring.reader.has_unread(&ring.words) && !returned {
        return;
    }
    ring.skip_unread();
    if std::mem::take(&mut ring.wake_owed) {
        sys::futex_wake(&ring.words.header().consumed_seq);
    }
    if returned {
        image.free_ring(idx, state);
    }
}

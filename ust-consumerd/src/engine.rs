// SPDX-License-Identifier: MIT OR Apache-2.0
//! The loop: waits for wakeups, new images, ended processes and the tick, and drains.
//!
//! One pass of [`Engine::run_once`]:
//!
//! 1. drain rounds: complete sub-buffers, and when the tick is due half-filled ones too;
//! 2. if nothing is left: ask for wakeups, then look at every ring once more (a writer that left a sub-buffer before
//!    it could see the request is found by this look; one that leaves it later sees the request);
//! 3. poll; then attach what appeared, finish what ended.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use ust_filter::Filter;
use ust_shm::atomics::{Ordering, fence};
use ust_shm::context::{Context, ContextList};
use ust_shm::limits::CONTEXT_COUNT_MAX;
use ust_shm::ring::reader::Want;
use ust_shm::rules::{Channel, EventRule, RulesBuilder};

use crate::drain::{Left, Visit};
use crate::error::StartError;
use crate::guard;
use crate::image::Image;
use crate::limits::{CLOSED_GRACE, DESCRIPTOR_RESERVE, ROUNDS_PER_POLL};
use crate::options::EngineOptions;
use crate::runtime_dir::{PublishedRules, RuntimeDir};
use crate::summary::{Progress, Summary, Tally};
use crate::sys;
use crate::trace::Trace;

/// Slot of the one channel of a recording.
const SLOT: u32 = 0;

/// Drains the programs of one runtime directory into one trace.
///
/// It works only inside [`Engine::run_once`] and [`Engine::stop`]; it starts no thread.
#[derive(Debug)]
pub struct Engine {
    // Dropped in this order: the directory goes last, after the lock on the rules.
    rules: PublishedRules,
    wakeup: UnixDatagram,
    appeared: OwnedFd,
    images: Vec<Image>,
    /// Names in `apps` that were looked at.
    known: HashSet<OsString>,
    channel: Channel,
    options: EngineOptions,
    trace: Trace,
    tally: Tally,
    clock_kind: Option<u32>,
    next_tick: Instant,
    torn_seen: u64,
    dir: RuntimeDir,
}

impl Engine {
    /// Sets up a recording of what registers in `dir`: publishes the rules, and attaches what is there already.
    ///
    /// The output directory is created unless it exists; it must be empty. The soft limit of open files is raised to
    /// the hard one.
    ///
    /// # Errors
    /// [`StartError`]; nothing is recorded then.
    pub fn new(dir: RuntimeDir, options: EngineOptions) -> Result<Self, StartError> {
        let filter = options.filter.as_deref().map(compile).transpose()?.unwrap_or_default();
        let contexts = context_list(&options.contexts)?;
        let descriptors = sys::raise_descriptor_limit();
        prepare_output(&options)?;
        // Half of the descriptors for images and processes, half for stream files.
        let open_max = descriptors.saturating_sub(DESCRIPTOR_RESERVE) / 2;
        let trace = Trace::new(&options.output, &options.trace_name, open_max)?;
        let wakeup = dir.bind_wakeup()?;
        let appeared = dir.watch_apps()?;
        let mut uid = [0; 8];
        sys::random(&mut uid).map_err(StartError::io("get random numbers for", dir.path()))?;
        let channel = Channel {
            slot: SLOT,
            uid: u64::from_le_bytes(uid).max(1),
            mode: options.channel.mode,
            subbuf_bytes: options.channel.subbuf_bytes,
            subbuf_count: options.channel.subbuf_count,
            block_timeout_us: options.channel.block_timeout_us,
            contexts,
        };
        let rule = |pattern: &String| EventRule { filter: filter.clone(), ..EventRule::pattern(SLOT, pattern) };
        let builder = RulesBuilder { channels: vec![channel], rules: options.patterns.iter().map(rule).collect() };
        let rules = PublishedRules::publish(&dir, &builder, dir.rules_generation().wrapping_add(1))?;
        let mut engine = Self {
            rules,
            wakeup,
            appeared,
            images: Vec::new(),
            known: HashSet::new(),
            channel,
            next_tick: Instant::now() + options.tick,
            options,
            trace,
            tally: Tally::default(),
            clock_kind: None,
            torn_seen: guard::torn_count(),
            dir,
        };
        engine.attach_all();
        Ok(engine)
    }

    /// The directory that programs must find in `UST_RUNTIME_DIR`.
    #[must_use]
    pub fn runtime_dir(&self) -> &RuntimeDir {
        &self.dir
    }

    /// The state of the recording. Reads every event counter, so ask some times per second at most.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.tally.progress(self.images.iter().filter(|image| !image.ignored), self.trace.bytes)
    }

    /// Drains, then waits until something happens, at most until the tick or for `timeout`, and takes that in.
    ///
    /// Returns for each of `extra` whether it is readable (or its other end is gone).
    ///
    /// # Errors
    /// Only where the kernel cannot poll at all.
    pub fn run_once(&mut self, timeout: Duration, extra: &[BorrowedFd<'_>]) -> io::Result<Vec<bool>> {
        let now = Instant::now();
        let tick = now >= self.next_tick;
        if tick {
            self.next_tick = now + self.options.tick;
            self.on_tick();
        }
        let want = if tick { Want::Everything } else { Want::Complete };
        let mut left = Left::Nothing;
        for _ in 0..ROUNDS_PER_POLL {
            left = self.drain_round(want);
            if left == Left::Nothing {
                break;
            }
        }
        let wait = if left == Left::More || self.ask_for_wakeups() {
            Duration::ZERO
        } else {
            timeout.min(self.next_tick.saturating_duration_since(Instant::now()))
        };
        self.wait(wait, extra)
    }

    /// Runs until `is_done` says so; it is asked after each pass.
    ///
    /// # Errors
    /// As [`Engine::run_once`].
    pub fn run_until(&mut self, mut is_done: impl FnMut(&Self) -> bool) -> io::Result<()> {
        while !is_done(self) {
            self.run_once(Duration::MAX, &[])?;
        }
        Ok(())
    }

    /// Ends the recording: switches the programs off, takes what they have committed, and completes the trace.
    ///
    /// A private runtime directory is removed. What programs that still run record from now on is not in the trace.
    #[must_use]
    pub fn stop(mut self) -> Summary {
        // No rules: what starts from now on records nothing, and what read the old ones is found below.
        let generation = self.rules.view().generation().wrapping_add(1);
        match PublishedRules::publish(&self.dir, &RulesBuilder::default(), generation) {
            Ok(rules) => self.rules = rules,
            Err(error) => self.tally.warn(error.to_string()),
        }
        self.attach_all();
        for mut image in std::mem::take(&mut self.images) {
            image.apply_rules(&self.rules.view());
            let running = image.owner.is_alive();
            self.finish(image, running);
        }
        if self.trace.clock.refine() {
            self.trace.invalidate_metadata();
        }
        if let Err(error) = self.trace.write_metadata() {
            self.tally.warn(format!("the metadata cannot be written: {error}"));
        }
        if let Err(error) = self.trace.complete() {
            self.tally.warn(format!("a stream file keeps padding at its end: {error}"));
        }
        let Self { options, trace, mut tally, channel, .. } = self;
        tally.check_filter(&options);
        tally.into_summary(options.output, channel.mode, trace.packets, trace.bytes)
    }

    fn on_tick(&mut self) {
        if self.trace.clock.refine_if_due() {
            self.trace.invalidate_metadata();
        }
        if let Err(error) = self.trace.write_metadata() {
            self.tally.warn(format!("the metadata cannot be written: {error}"));
        }
        let now = Instant::now();
        for image in &mut self.images {
            if image.ignored {
                // It applies the rules on its own when it starts.
                let _ = image.read_objects();
                image.silence(&self.rules.view());
            }
            if image.is_closed() {
                image.closed_since.get_or_insert(now);
            }
        }
        self.finish_ended();
    }

    /// Visits every image once.
    fn drain_round(&mut self, want: Want) -> Left {
        let mut left = Left::Nothing;
        let mut given_up = Vec::new();
        for (idx, image) in self.images.iter_mut().enumerate().filter(|(_, image)| !image.ignored) {
            let new_objects = image.has_new_objects();
            let mut visit = Visit::new(&mut self.trace, &mut self.tally, &self.channel, want);
            let mut result = visit.drain(image);
            if want == Want::Everything && result.is_ok() {
                result = visit.report_lost(image).and(result);
            }
            if new_objects && result.is_ok() {
                image.apply_rules(&self.rules.view());
            }
            match result {
                Ok(more) => left = if more == Left::More { Left::More } else { left },
                Err(reason) => given_up.push((idx, reason)),
            }
        }
        for (idx, reason) in given_up.into_iter().rev() {
            let image = self.images.swap_remove(idx);
            self.give_up(image, &reason);
        }
        self.give_up_torn();
        left
    }

    /// Ends every image that was cut under our mappings.
    fn give_up_torn(&mut self) {
        let torn = guard::torn_count();
        if torn == self.torn_seen {
            return;
        }
        self.torn_seen = torn;
        for idx in (0..self.images.len()).rev() {
            if self.images[idx].is_torn() {
                let image = self.images.swap_remove(idx);
                self.give_up(image, "was cut while it was mapped");
            }
        }
    }

    fn give_up(&mut self, mut image: Image, reason: &str) {
        self.tally.losses.images_refused += 1;
        self.tally.warn(format!("{} {reason}; it is not read any further", image.path.display()));
        let running = image.owner.is_alive();
        self.tally.close(&image, running);
    }

    /// Asks every program for a wakeup at its next complete sub-buffer or returned ring; returns whether there is one
    /// already.
    fn ask_for_wakeups(&self) -> bool {
        for image in &self.images {
            image.header().wakeup_wanted.store(1, Ordering::Relaxed);
        }
        // Store-then-load on both sides: pairs with the writer's fence between its store of `committed` and its
        // load of `wakeup_wanted`. One of the two sees the other's store.
        fence(Ordering::SeqCst);
        self.images.iter().any(|image| {
            !image.ignored
                && self.channel.mode != ust_shm::layout::LossMode::Overwrite
                && (image.rings().any(crate::ring::Ring::has_complete) || image.has_returned())
        })
    }

    fn wait(&mut self, timeout: Duration, extra: &[BorrowedFd<'_>]) -> io::Result<Vec<bool>> {
        let own = [self.wakeup.as_fd(), self.appeared.as_fd()];
        let pidfds = self.images.iter().filter_map(|image| image.owner.pidfd());
        let mut fds: Vec<_> = own.into_iter().chain(extra.iter().copied()).chain(pidfds).map(sys::readable).collect();
        sys::poll(&mut fds, timeout)?;
        let ready: Vec<bool> = fds.iter().map(|fd| fd.revents != 0).collect();
        let (own, others) = ready.split_at(own.len());
        let (extra_ready, pidfds_ready) = others.split_at(extra.len());
        if own[0] {
            let mut byte = [0; 1];
            while self.wakeup.recv(&mut byte).is_ok() {}
        }
        if own[1] {
            self.attach_appeared();
        }
        if pidfds_ready.contains(&true) {
            self.finish_ended();
        }
        Ok(extra_ready.to_vec())
    }

    /// Attaches what inotify tells of.
    fn attach_appeared(&mut self) {
        let mut buffer = [0; 16 << 10];
        loop {
            let n = sys::read_some(self.appeared.as_fd(), &mut buffer);
            let mut events = &buffer[..n];
            if events.is_empty() {
                return;
            }
            // struct inotify_event: i32 wd, u32 mask, u32 cookie, u32 len, then the name with NULs up to len.
            while let Some((header, rest)) = events.split_at_checked(16) {
                let mask = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
                let len = u32::from_le_bytes([header[12], header[13], header[14], header[15]]) as usize;
                let Some((name, rest)) = rest.split_at_checked(len) else { break };
                events = rest;
                if mask & libc::IN_Q_OVERFLOW != 0 {
                    self.attach_all();
                }
                let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
                self.attach(OsStr::from_bytes(name));
            }
        }
    }

    /// Attaches every image that is there.
    fn attach_all(&mut self) {
        let Ok(entries) = fs::read_dir(self.dir.apps()) else { return };
        for entry in entries.flatten() {
            self.attach(&entry.file_name());
        }
    }

    fn attach(&mut self, name: &OsStr) {
        let hidden = name.is_empty() || name.as_bytes().starts_with(b".");
        if hidden || !self.known.insert(name.to_owned()) {
            return;
        }
        let path = self.dir.apps().join(name);
        let opened = Image::open(&path).and_then(|image| self.admit(image));
        if let Err(reason) = opened {
            // Gone again: its owner removed it, since it had nothing to tell.
            if fs::symlink_metadata(&path).is_ok() {
                self.tally.losses.images_refused += 1;
                self.tally.warn(format!("{} {reason}", path.display()));
            }
        }
    }

    fn admit(&mut self, mut image: Image) -> Result<(), String> {
        image.ignored = self.options.only_pid.is_some_and(|pid| pid != image.identity.pid);
        if !image.ignored {
            let kind = *self.clock_kind.get_or_insert(image.identity.clock);
            if kind != image.identity.clock {
                return Err(format!("has clock kind {}, the trace has {kind}", image.identity.clock));
            }
            self.trace.clock.set_kind(kind);
            image.attached_at = self.trace.clock.now();
            self.tally.notice(&image);
        }
        image.read_objects()?;
        if image.ignored {
            image.silence(&self.rules.view())
        } else {
            image.apply_rules(&self.rules.view())
        }
        // After `exec`: the program that made the older image is gone, though its process lives.
        let new = image.identity;
        for older in &mut self.images {
            let old = older.identity;
            if old.pid == new.pid && old.exec_id != new.exec_id {
                if old.created_ns <= new.created_ns { older.owner.set_gone() } else { image.owner.set_gone() }
            }
        }
        self.images.push(image);
        Ok(())
    }

    /// Finishes the images whose writers are gone.
    fn finish_ended(&mut self) {
        let now = Instant::now();
        for idx in (0..self.images.len()).rev() {
            let image = &mut self.images[idx];
            let closed_long_ago = image.closed_since.is_some_and(|since| now - since >= CLOSED_GRACE);
            if !image.owner.is_alive() || closed_long_ago {
                let image = self.images.swap_remove(idx);
                self.finish(image, false);
            }
        }
    }

    /// Takes the last of an image, closes its streams, and removes its file unless its owner still runs.
    fn finish(&mut self, mut image: Image, running: bool) {
        if image.ignored {
            return;
        }
        // A writer that goes on against the rules could keep us for ever.
        let laps = 64;
        let mut result = Ok(Left::More);
        for _ in 0..laps {
            let mut visit = Visit::new(&mut self.trace, &mut self.tally, &self.channel, Want::Everything);
            result = visit.drain(&mut image);
            if result != Ok(Left::More) {
                break;
            }
        }
        let mut visit = Visit::new(&mut self.trace, &mut self.tally, &self.channel, Want::Everything);
        let finished = result.and_then(|_| visit.finish(&mut image));
        if let Err(reason) = finished {
            return self.give_up(image, &reason);
        }
        if image.is_torn() {
            return self.give_up(image, "was cut while it was mapped");
        }
        self.tally.close(&image, running);
        if !running && !image.holds_foreign {
            let _ = fs::remove_file(&image.path);
            if let Some(name) = image.path.file_name() {
                self.known.remove(name);
            }
        }
    }
}

/// The program of a filter.
fn compile(text: &str) -> Result<Vec<u8>, StartError> {
    Filter::parse(text).and_then(|filter| filter.compile()).map_err(|error| StartError::Filter(Box::new(error)))
}

/// The contexts of the channel, if the machine has them.
fn context_list(contexts: &[Context]) -> Result<ContextList, StartError> {
    let mut list = Vec::new();
    for &context in contexts {
        if let Some(counter) = context.perf() {
            let refused = |source| StartError::Counter { name: context.name(), source };
            sys::perf_event(counter.ty, counter.config).map_err(refused)?;
        }
        if !list.contains(&context) {
            list.push(context);
        }
    }
    ContextList::new(&list)
        .ok_or(StartError::Rules(format!("{} contexts, allowed are {CONTEXT_COUNT_MAX}", list.len())))
}

/// Makes the output directory, which must be new or empty.
fn prepare_output(options: &EngineOptions) -> Result<(), StartError> {
    let output = &options.output;
    match fs::create_dir(output) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut entries = fs::read_dir(output).map_err(StartError::io("read directory", output))?;
            if entries.next().is_some() { Err(StartError::OutputNotEmpty(output.clone())) } else { Ok(()) }
        }
        Err(error) => Err(StartError::io("create directory", output)(error)),
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The traced programs of a runtime directory: what wakes the consumer, and which images there are.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use ust_shm::rules::{RulesBuilder, RulesView};

use crate::control::protocol::LeftBehind;
use crate::error::StartError;
use crate::guard;
use crate::image::{Image, Refusal};
use crate::runtime_dir::{PublishedRules, RuntimeDir};
use crate::summary::text;
use crate::sys;

/// The images of a runtime directory, and the rules in force there.
#[derive(Debug)]
pub(crate) struct Apps {
    // Dropped in this order: the directory goes last, after the lock on the rules.
    rules: PublishedRules,
    wakeup: UnixDatagram,
    appeared: OwnedFd,
    pub images: Vec<Image>,
    /// Names in `apps` that were looked at.
    known: HashSet<OsString>,
    /// Those of them whose programs have ended and that hold what no session has.
    left: Vec<LeftBehind>,
    torn_seen: u64,
    pub dir: RuntimeDir,
}

impl Apps {
    /// Publishes rules that want nothing, and listens.
    pub(crate) fn new(dir: RuntimeDir, channels: RulesBuilder) -> Result<Self, StartError> {
        let wakeup = dir.bind_wakeup()?;
        let appeared = dir.watch_apps()?;
        let rules = PublishedRules::publish(&dir, &channels, dir.rules_generation().wrapping_add(1))?;
        Ok(Self {
            rules,
            wakeup,
            appeared,
            images: Vec::new(),
            known: HashSet::new(),
            left: Vec::new(),
            torn_seen: guard::torn_count(),
            dir,
        })
    }

    /// The rules in force.
    pub(crate) fn rules(&self) -> RulesView<'_> {
        self.rules.view()
    }

    /// Replaces the rules. The caller then attaches what has appeared, and applies them to every image.
    pub(crate) fn publish(&mut self, builder: &RulesBuilder) -> Result<(), StartError> {
        let generation = self.rules.view().generation().wrapping_add(1);
        self.rules = PublishedRules::publish(&self.dir, builder, generation)?;
        Ok(())
    }

    /// Applies the rules in force to every image of a process that may run.
    pub(crate) fn apply_rules(&self) {
        let rules = self.rules.view();
        self.images.iter().filter(|image| !image.kept).for_each(|image| image.apply_rules(&rules));
    }

    /// Waits until a program has something to tell, one of `extra` is ready, or `timeout` has passed; tells what.
    pub(crate) fn wait(&self, timeout: Duration, extra: &mut [libc::pollfd]) -> io::Result<Ready> {
        let own = [self.wakeup.as_fd(), self.appeared.as_fd()];
        let pidfds = self.images.iter().filter_map(|image| image.owner.pidfd());
        let mut fds: Vec<_> = own.into_iter().chain(pidfds).map(sys::readable).collect();
        let own_count = fds.len();
        fds.extend_from_slice(extra);
        sys::poll(&mut fds, timeout)?;
        let (ours, others) = fds.split_at(own_count);
        for (asked, found) in extra.iter_mut().zip(others) {
            asked.revents = found.revents;
        }
        let ready = |fd: &libc::pollfd| fd.revents != 0;
        if ready(&ours[0]) {
            let mut byte = [0; 1];
            while self.wakeup.recv(&mut byte).is_ok() {}
        }
        Ok(Ready { appeared: ready(&ours[1]), ended: ours[2..].iter().any(ready) })
    }

    /// The names that inotify tells of; everything in the folder if it has lost some.
    pub(crate) fn appeared(&self) -> Vec<OsString> {
        let mut names = Vec::new();
        let mut buffer = [0; 16 << 10];
        loop {
            let n = sys::read_some(self.appeared.as_fd(), &mut buffer);
            let mut events = &buffer[..n];
            if events.is_empty() {
                return names;
            }
            // struct inotify_event: i32 wd, u32 mask, u32 cookie, u32 len, then the name with NULs up to len.
            while let Some((header, rest)) = events.split_at_checked(16) {
                let mask = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
                let len = u32::from_le_bytes([header[12], header[13], header[14], header[15]]) as usize;
                let Some((name, rest)) = rest.split_at_checked(len) else { break };
                events = rest;
                if mask & libc::IN_Q_OVERFLOW != 0 {
                    names.extend(self.all_names());
                }
                let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
    }

    /// The names of all images there are.
    pub(crate) fn all_names(&self) -> Vec<OsString> {
        let Ok(entries) = fs::read_dir(self.dir.apps()) else { return Vec::new() };
        entries.flatten().map(|entry| entry.file_name()).collect()
    }

    /// Opens the image of that name, unless it was looked at before or is gone again.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn open(&mut self, name: &OsStr) -> Result<Option<Image>, Refusal> {
        let hidden = name.is_empty() || name.as_bytes().starts_with(b".");
        if hidden || !self.known.insert(name.to_owned()) {
            return Ok(None);
        }
        let path = self.dir.apps().join(name);
        match Image::open(&path) {
            Ok(image) => Ok(Some(image)),
            // Its owner removed it, since it had nothing to tell.
            Err(_) if fs::symlink_metadata(&path).is_err() => Ok(None),
            Err(reason) => Err(format!("{} {reason}", path.display())),
        }
    }

    /// Images that were looked at, are still there, and are not read.
    pub(crate) fn unclaimed(&self) -> usize {
        let is_read = |name: &OsString| self.images.iter().any(|image| image.path.file_name() == Some(name));
        self.all_names().iter().filter(|name| self.known.contains(*name) && !is_read(name)).count()
    }

    /// Leaves the file of an image where it is, for `ust recover`.
    pub(crate) fn leave(&mut self, image: &Image) {
        self.left.retain(|left| self.dir.apps().join(&left.image).exists());
        let process = format!("{} ({})", text(&image.identity.procname), image.identity.pid);
        self.left.push(LeftBehind { image: image.name(), process, own_trace: image.identity.own_trace });
    }

    /// The images that were left and are still there.
    pub(crate) fn left(&self) -> Vec<LeftBehind> {
        self.left.iter().filter(|left| self.dir.apps().join(&left.image).exists()).cloned().collect()
    }

    /// Adds an image, after noting which of two images of one process is that before `exec`.
    pub(crate) fn push(&mut self, mut image: Image) {
        let new = image.identity;
        for older in &mut self.images {
            let old = older.identity;
            if old.pid == new.pid && old.exec_id != new.exec_id {
                if old.created_ns <= new.created_ns { older.owner.set_gone() } else { image.owner.set_gone() }
            }
        }
        self.images.push(image);
    }

    /// Removes the file of an image that holds nothing any more.
    pub(crate) fn remove_file(&mut self, image: &Image) {
        let _ = fs::remove_file(&image.path);
        if let Some(name) = image.path.file_name() {
            self.known.remove(name);
        }
    }

    /// Takes out the images that were cut under our mappings.
    pub(crate) fn take_torn(&mut self) -> Vec<Image> {
        let torn = guard::torn_count();
        if torn == self.torn_seen {
            return Vec::new();
        }
        self.torn_seen = torn;
        let mut found = Vec::new();
        for idx in (0..self.images.len()).rev() {
            if self.images[idx].is_torn() {
                found.push(self.images.swap_remove(idx));
            }
        }
        found
    }
}

/// What a wait has found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// Something is new in `apps`.
    pub appeared: bool,
    /// A process has ended.
    pub ended: bool,
}

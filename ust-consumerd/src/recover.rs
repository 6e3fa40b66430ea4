// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns the images that programs left behind, and no recorder took, into a trace; also what running programs hold that are
//! flight recorders of their own.
//!
//! It needs neither rules nor sessions: each ring says where its reader had come to, and what was not overwritten since
//! is read from there on. Where a daemon owns the directory, what it has no use for is read, and it says what that is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ust_shm::context::ContextList;
use ust_shm::layout::LossMode;
use ust_shm::rules::Channel;

use crate::config::SessionConfig;
use crate::control::Client;
use crate::control::protocol::{DaemonReport, Request};
use crate::drain::Visit;
use crate::error::StartError;
use crate::image::{Identity, Image, Orphans, View};
use crate::lifecycle::prepare_output;
use crate::limits::DESCRIPTOR_RESERVE;
use crate::runtime_dir::RuntimeDir;
use crate::session::Session;
use crate::summary::{Summary, text};
use crate::sys;

const SESSION: u64 = 1;

/// What is read, and what becomes of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecoverOptions {
    /// The images that were read go; else they stay, and can be read again.
    pub remove: bool,
    /// What running programs with a flight recorder of their own hold is copied, too. They go on.
    pub running: bool,
}

/// What was recovered.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The trace, and what is in it.
    pub summary: Summary,
    /// Running programs with a flight recorder of their own that were left alone.
    pub running: Vec<String>,
}

/// Writes what lies in the images of programs that have ended into a new trace in `output`.
///
/// # Errors
/// [`StartError`]; [`StartError::Busy`] where a recorder lives that cannot be asked, [`StartError::NothingLeft`] where there is nothing to read.
pub fn recover(dir: &Path, output: &Path, options: RecoverOptions) -> Result<Recovered, StartError> {
    // The lock keeps recorders away while we read.
    let (_owned, unclaimed) = match RuntimeDir::open(dir) {
        Ok(dir) => (Some(dir), None),
        Err(StartError::Busy(path)) => (None, Some(unclaimed_by_daemon(&path).ok_or(StartError::Busy(path))?)),
        Err(error) => return Err(error),
    };
    let Found { images, running, warnings } = Found::in_dir(dir, options.running, unclaimed.as_ref());
    if images.is_empty() && warnings.is_empty() {
        return Err(StartError::NothingLeft { path: dir.to_owned(), running, by_daemon: unclaimed.is_some() });
    }
    prepare_output(output)?;
    let mut session = Session::new(SESSION, SessionConfig::new("recovered", output));
    let open_max = sys::raise_descriptor_limit().saturating_sub(DESCRIPTOR_RESERVE) / 2;
    session.begin_trace(output, open_max, None)?;
    session.started = true;
    for (mut image, orphans) in images {
        let read = session.read_orphans(&mut image, orphans);
        session.tally.close(SESSION, &image, orphans == Orphans::OwnChannel);
        match read {
            Ok(()) if options.remove && orphans == Orphans::All => drop(fs::remove_file(&image.path)),
            Ok(()) => {}
            Err(reason) => session.tally.warn(format!("{} {reason}", image.path.display())),
        }
    }
    warnings.into_iter().for_each(|warning| session.tally.warn(warning));
    session.complete_trace();
    let (packets, bytes) = session.trace.map_or((0, 0), |trace| (trace.packets, trace.bytes));
    let summary = session.tally.into_summary(output.to_owned(), LossMode::Overwrite, packets, bytes);
    Ok(Recovered { summary, running })
}

/// Names of the images that the daemon of `dir` has no use for; `None` where no daemon answers.
fn unclaimed_by_daemon(dir: &Path) -> Option<BTreeSet<String>> {
    let report: DaemonReport = Client::connect(dir).ok()?.ask(&Request::Status {}).ok()?;
    Some(report.unclaimed_images.into_iter().map(|left| left.image).collect())
}

impl Session {
    /// Copies what rings of the image hold into the trace. The image stays as it is.
    fn read_orphans(&mut self, image: &mut Image, orphans: Orphans) -> Result<(), String> {
        self.join(image);
        let Some(trace) = self.trace.as_mut().filter(|_| image.views.contains_key(&SESSION)) else { return Ok(()) };
        image.views.entry(SESSION).and_modify(|view| *view = View { attached_at: view.attached_at, ..View::default() });
        image.take_orphans(SESSION, orphans)?;
        let mut visit = Visit::last(SESSION, trace, &mut self.tally);
        match orphans {
            Orphans::OwnChannel => visit.copy_rings(image, None),
            Orphans::All => {
                // The images may stay, and be read again.
                visit.copies = true;
                visit.finish(image)
            }
        }
    }
}

/// What lies in a runtime directory.
struct Found {
    /// To be read.
    images: Vec<(Image, Orphans)>,
    /// Running programs with a flight recorder of their own that are left alone.
    running: Vec<String>,
    warnings: Vec<String>,
}

impl Found {
    fn in_dir(dir: &Path, with_running: bool, unclaimed: Option<&BTreeSet<String>>) -> Self {
        let mut found = Self { images: Vec::new(), running: Vec::new(), warnings: Vec::new() };
        let mut opened = Vec::new();
        for path in image_paths(dir) {
            match Image::open(&path) {
                Ok(image) => opened.push(image),
                Err(reason) => found.warnings.push(format!("{} {reason}", path.display())),
            }
        }
        let newest =
            |pid: i32| opened.iter().map(|image| image.identity).filter(|i| i.pid == pid).max_by_key(|i| i.created_ns);
        let replaced: Vec<bool> = opened
            .iter()
            .map(|image| newest(image.identity.pid).is_some_and(|newest| newest.exec_id != image.identity.exec_id))
            .collect();
        for (mut image, replaced) in opened.into_iter().zip(replaced) {
            let Identity { pid, procname, own_trace, .. } = image.identity;
            // After `exec` a process has another image.
            if replaced || !image.owner.is_alive() {
                if unclaimed.is_none_or(|names| names.contains(&image.name())) {
                    found.images.push((image, Orphans::All));
                }
            } else if own_trace && with_running {
                found.images.push((image, Orphans::OwnChannel));
            } else if own_trace {
                found.running.push(format!("{} ({pid})", text(&procname)));
            }
        }
        found
    }
}

fn image_paths(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("apps")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

/// A stand-in for the channel of a ring whose recorder is gone. Any ring is read as one that may have been overwritten; one
/// that was not gives the same.
pub(crate) fn orphan_channel(uid: u64, subbuf_bytes: u32, subbuf_count: u32, contexts: ContextList) -> Channel {
    let (mode, block_timeout_us) = (LossMode::Overwrite, u64::MAX);
    Channel { slot: 0, uid, mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts }
}

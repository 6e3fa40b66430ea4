// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns the images that programs left behind, and no recorder took, into a trace.
//!
//! It needs neither rules nor sessions: each ring says where its reader had come to, and what was not overwritten since
//! is read from there on.

use std::fs;
use std::path::{Path, PathBuf};

use ust_shm::context::ContextList;
use ust_shm::layout::LossMode;
use ust_shm::rules::Channel;

use crate::config::SessionConfig;
use crate::drain::Visit;
use crate::error::StartError;
use crate::hub::Hub;
use crate::image::{Image, View};
use crate::lifecycle::prepare_output;
use crate::runtime_dir::RuntimeDir;
use crate::session::Session;
use crate::summary::Summary;

const SESSION: u64 = 1;

/// Writes what lies in the images of programs that have ended into a new trace in `output`.
///
/// Images of running programs are left alone. The files stay, unless `remove` says that those that were read are to go.
///
/// # Errors
/// [`StartError`]; [`StartError::Busy`] where a recorder lives, which takes the images itself.
pub fn recover(dir: RuntimeDir, output: &Path, remove: bool) -> Result<Summary, StartError> {
    let mut found = Vec::new();
    let mut warnings = Vec::new();
    for path in image_paths(&dir) {
        match Image::open(&path) {
            Ok(mut image) => {
                if !image.owner.is_alive() {
                    found.push(image);
                }
            }
            Err(reason) => warnings.push(format!("{} {reason}", path.display())),
        }
    }
    prepare_output(output)?;
    let mut hub = Hub::new(dir)?;
    let mut session = Session::new(SESSION, SessionConfig::new("recovered", output));
    session.begin_trace(output, hub.open_max, None)?;
    session.started = true;
    hub.add(session);
    for mut image in found {
        let Some(session) = hub.session_mut(SESSION) else { continue };
        session.join(&mut image);
        if !image.views.contains_key(&SESSION) {
            continue;
        }
        image.views.entry(SESSION).and_modify(|view| *view = View { attached_at: view.attached_at, ..View::default() });
        let taken = image.take_orphans(SESSION);
        if let Some(session) = hub.session_mut(SESSION)
            && let Some(trace) = &mut session.trace
        {
            let mut visit = Visit::last(SESSION, trace, &mut session.tally);
            // The images may stay, and be read again.
            visit.copies = true;
            let taken = taken.and_then(|()| visit.finish(&mut image));
            session.tally.close(SESSION, &image, false);
            match taken {
                Ok(()) if remove => drop(fs::remove_file(&image.path)),
                Ok(()) => {}
                Err(reason) => session.tally.warn(format!("{} {reason}", image.path.display())),
            }
        }
    }
    let Some(mut session) = hub.sessions.pop() else { unreachable!("added above") };
    warnings.into_iter().for_each(|warning| session.tally.warn(warning));
    session.complete_trace();
    let (packets, bytes) = session.trace.map_or((0, 0), |trace| (trace.packets, trace.bytes));
    Ok(session.tally.into_summary(output.to_owned(), LossMode::Overwrite, packets, bytes))
}

fn image_paths(dir: &RuntimeDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.apps()).into_iter().flatten().flatten();
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

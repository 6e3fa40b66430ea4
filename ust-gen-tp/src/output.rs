// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes a file as a whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Writes `text` to `path`: whoever reads it sees what was there before, or all of the new text.
///
/// A symbolic link is followed. What is no plain file, such as a terminal or a pipe, is written to directly. A file that has the
/// text already is left as it is if `keeps` is set.
///
/// # Errors
/// The file or one beside it cannot be written; nothing is left behind then.
pub(crate) fn write(path: &Path, text: &str, keeps: bool) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
        return fs::write(&target, text);
    }
    if keeps && fs::read(&target).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = target.with_file_name(name);
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A directory for a file of the same name, beside a file that is to be replaced by it. It goes with the value.
pub(crate) struct Beside {
    dir: PathBuf,
    /// The file in it; not made yet.
    pub(crate) path: PathBuf,
}

impl Beside {
    /// Makes the directory beside `target`.
    ///
    /// # Errors
    /// The directory of `target` cannot be written to.
    pub(crate) fn new(target: &Path) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default();
        let mut number = 0;
        loop {
            let dir = target.with_file_name(format!(".ust-gen-tp-{}-{number}", std::process::id()));
            match fs::create_dir(&dir) {
                // Another output's, or what a killed process has left.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                made => return made.map(|()| Self { path: dir.join(name), dir }),
            }
        }
    }

    /// Puts the file in the place of `target`.
    ///
    /// # Errors
    /// There is no file, or it cannot be moved.
    pub(crate) fn replace(&self, target: &Path) -> io::Result<()> {
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        match fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
            true => fs::copy(&self.path, &target).map(|_| ()),
            false => fs::rename(&self.path, &target),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

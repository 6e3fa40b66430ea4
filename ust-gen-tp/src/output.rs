// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes a file as a whole or not at all.

use std::fs;
use std::io;
use std::path::Path;

/// Writes `text` to `path`: whoever reads it sees what was there before, or all of the new text.
///
/// A symbolic link is followed. What is no plain file, such as a terminal or a pipe, is written to directly.
///
/// # Errors
/// The file or one beside it cannot be written; nothing is left behind then.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
        return fs::write(&target, text);
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

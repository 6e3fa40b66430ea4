// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maps stream files, so that a trace of many gigabytes costs address space instead of memory.
//!
//! # Safety
//!
//! This is the only file of the crate with unsafe code. A mapping is a shared slice of bytes that another
//! process could change or cut. Obligations:
//!
//! 1. Nothing decides on a byte twice: decoded values are copies, lengths are checked against the mapped
//!    length, and no reference to anything but bytes is made. So bytes that change make wrong values only.
//! 2. A trace file only ever grows or is unlinked; neither touches the mapped part. A file that somebody
//!    truncates while it is read ends this process with SIGBUS, as in every reader that maps files.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

/// The bytes of a file, as long as it was when it was opened.
#[derive(Debug)]
pub(crate) struct FileBytes(Option<Mmap>);

impl FileBytes {
    /// Maps the file `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Self(None)); // An empty file cannot be mapped.
        }
        // SAFETY: the mapping is read-only and lives as long as `Self`; obligations 1 and 2 above are kept
        // by the users of this type, who see nothing but `&[u8]`.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(Some(map)))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

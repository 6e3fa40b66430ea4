// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maps pieces of an image, guarded against truncation.
//!
//! # Safety
//! A [`Mapping`] owns its pages and its entry in the fault table. The [`Region`] it hands out is a plain copy
//! of pointer and length, so it must not be used after the mapping was dropped: the types that keep regions
//! (`Image`, `RingMap`) keep the mapping in the same structure and hand out references bound to themselves.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use memmap2::{MmapOptions, MmapRaw};
use ust_shm::region::Region;

use crate::guard::Guard;

/// A shared, writable mapping of a part of a file that another process may change or cut at any moment.
#[derive(Debug)]
pub(crate) struct Mapping {
    // Dropped in this order: out of the table first, then unmapped.
    guard: Guard,
    pages: MmapRaw,
    bytes: u64,
}

impl Mapping {
    /// Maps `bytes` bytes at `offset`, a multiple of the page size, of `file`.
    ///
    /// # Errors
    /// No address space, or too many mappings.
    pub(crate) fn new(file: &File, offset: u64, bytes: u64) -> io::Result<Self> {
        let len = usize::try_from(bytes).map_err(io::Error::other)?;
        let pages = MmapOptions::new().offset(offset).len(len).map_raw(file.as_raw_fd())?;
        let begin = pages.as_ptr() as usize;
        // The kernel faults up to the end of the last page.
        let end = begin + len.next_multiple_of(4096);
        let guard = Guard::new(begin..end).ok_or_else(|| io::Error::other("too many mappings of images"))?;
        Ok(Self { guard, pages, bytes })
    }

    /// The mapped memory; not to be used after `self` is gone.
    pub(crate) fn region(&self) -> Region {
        let base = NonNull::new(self.pages.as_mut_ptr()).expect("a mapping is not at address 0");
        // SAFETY: mapped readable and writable for `bytes` bytes; page-aligned, since `offset` is; users keep
        // `self` alive as the module's header says. Truncation is caught by the guard.
        unsafe { Region::new(base, self.bytes) }
    }

    /// Whether the file was cut under this mapping.
    pub(crate) fn is_torn(&self) -> bool {
        self.guard.is_torn()
    }
}

/// Copies the first bytes of a page that the kernel writes; `None` where it is shorter than `out`.
pub(crate) fn copy_private(page: &MmapRaw, out: &mut [u8]) -> Option<()> {
    if out.len() > page.len() {
        return None;
    }
    let base = page.as_ptr();
    for (i, byte) in out.iter_mut().enumerate() {
        // SAFETY: in bounds by the check above; volatile, since the kernel may write meanwhile, and any value will do.
        *byte = unsafe { base.add(i).read_volatile() };
    }
    Some(())
}

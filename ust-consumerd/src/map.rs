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
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};
use ust_shm::region::Region;

use crate::guard::Guard;
use crate::limits::MAPPED_DATA_BYTES_MAX;

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

/// Bytes of all [`DataMap`]s.
static MAPPED_DATA_BYTES: AtomicU64 = AtomicU64::new(0);

/// The data of a busy ring, mapped for the kernel to read from: this process never looks at it.
///
/// A file that is cut under the mapping makes the kernel's read fail with EFAULT, so it needs no guard.
#[derive(Debug)]
pub(crate) struct DataMap {
    pages: MmapRaw,
}

impl DataMap {
    /// Maps `bytes` bytes at `offset` of `file`; `None` where that would be too much, or is refused.
    pub(crate) fn new(file: &File, offset: u64, bytes: u64) -> Option<Self> {
        let reserve = |all: u64| all.checked_add(bytes).filter(|&all| all <= MAPPED_DATA_BYTES_MAX);
        MAPPED_DATA_BYTES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve).ok()?;
        let map = || MmapOptions::new().offset(offset).len(bytes as usize).populate().map_raw_read_only(file);
        let mapped = map().ok().map(|pages| Self { pages });
        if mapped.is_none() {
            MAPPED_DATA_BYTES.fetch_sub(bytes, Ordering::Relaxed);
        }
        mapped
    }

    /// Appends `header` and then the `bytes` bytes at `offset` of the mapping to a file, in one call if it takes all.
    ///
    /// # Errors
    /// The kernel's; EFAULT when the image was cut. Part of it may have been written then.
    pub(crate) fn append_to(&self, to: &File, header: &[u8], offset: u64, bytes: u64) -> io::Result<()> {
        let (len, bytes) = (self.pages.len() as u64, bytes as usize);
        if offset.checked_add(bytes as u64).is_none_or(|end| end > len) {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        let mut done = 0;
        while done < header.len() + bytes {
            let head = header.get(done..).unwrap_or_default();
            let skipped = done.saturating_sub(header.len());
            let parts = [
                libc::iovec { iov_base: head.as_ptr().cast_mut().cast(), iov_len: head.len() },
                libc::iovec {
                    iov_base: self.pages.as_mut_ptr().wrapping_add(offset as usize + skipped).cast(),
                    iov_len: bytes - skipped,
                },
            ];
            // SAFETY: the first part is a live slice; the second lies inside the mapping by the check above, and the kernel only
            // reads from it, with an error where the pages are gone.
            match unsafe { libc::writev(to.as_raw_fd(), parts.as_ptr(), 2) } {
                n if n > 0 => done += n as usize,
                0 => return Err(io::ErrorKind::WriteZero.into()),
                _ => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Drop for DataMap {
    fn drop(&mut self) {
        MAPPED_DATA_BYTES.fetch_sub(self.pages.len() as u64, Ordering::Relaxed);
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image file: making it, and mapping further pieces of it without a descriptor.
//!
//! # Safety
//! Mappings made here are given back with the linked object's own code only (`unload`), so that every `'static` region got from them stays valid.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};
use ust_shm::head::Head;
use ust_shm::layout::*;
use ust_shm::limits::*;
use ust_shm::region::Region;

use crate::path::Path;
use crate::process::Process;
use crate::sys::{self, ErrnoGuard, Fd};

/// The kernel's advice numbers that older C libraries do not name.
const MADV_POPULATE_WRITE: i32 = 23;

/// Bytes of the head that a program without rings uses: all but the ring directory.
const HEAD_USED_BYTES: u64 = RINGS_OFFSET;

/// Why no image could be made; said under `UST_DEBUG=1`.
pub type Reason = &'static str;

/// Makes an image under its hidden name below `apps` and maps its head.
pub fn create(hidden: &Path, clock: u32, flags: u32) -> Result<Head, Reason> {
    let limit = sys::file_size_limit().min(IMAGE_BYTES) & !(PIECE_ALIGN - 1);
    if limit < HEAD_BYTES + PIECE_ALIGN {
        return Err("the limit on file sizes (ulimit -f) is too small for an image");
    }
    let fd = Fd::open(hidden.as_c_str(), libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_NOFOLLOW)
        .ok_or("the image file cannot be created in the runtime directory")?;
    let mapped = fd.truncate(limit).then(|| fd.map(0, HEAD_BYTES)).flatten();
    let Some(base) = mapped else {
        sys::unlink(hidden.as_c_str());
        return Err("the image cannot be mapped");
    };
    // SAFETY: mapped just now, of that size, never unmapped from here on except on the error path below, where it
    // has not been handed out.
    let region = unsafe { Region::new(base, HEAD_BYTES) };
    if !populate(region, HEAD_USED_BYTES, &fd, 0) {
        // SAFETY: nobody has the region yet.
        unsafe { sys::unmap(base, HEAD_BYTES) };
        sys::unlink(hidden.as_c_str());
        return Err("no memory for an image (is the runtime directory's file system full?)");
    }
    // SAFETY: advice only; leaves the contents alone.
    unsafe { sys::advise(base, HEAD_BYTES, libc::MADV_DONTDUMP) };
    let head = Head::new(region).ok_or("the image is too small")?;
    fill_header(&head, limit, clock, flags);
    Ok(head)
}

fn fill_header(head: &Head, image_bytes: u64, clock: u32, flags: u32) {
    let Some(header) = head.header() else { return };
    header.abi.store(IMAGE_ABI, Ordering::Relaxed);
    header.clock.store(clock, Ordering::Relaxed);
    header.image_bytes.store(image_bytes, Ordering::Relaxed);
    header.pid.store(sys::process_id(), Ordering::Relaxed);
    header.flags.store(flags, Ordering::Relaxed);
    header.exec_id.store(exec_id(), Ordering::Relaxed);
    header.created_ns.store(sys::clock_ns(libc::CLOCK_BOOTTIME), Ordering::Relaxed);
    let (first, second) = sys::thread_name().split_at(8).clone_arrays();
    for (word, bytes) in header.procname.iter().zip([first, second]) {
        word.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
    }
    header.allocated.store(HEAD_BYTES, Ordering::Relaxed);
    header.state.store(image_state::LIVE, Ordering::Relaxed);
    header.magic.store(IMAGE_MAGIC, Ordering::Release);
}

/// Splits of 16 bytes into two arrays, without a panic path.
trait CloneArrays {
    fn clone_arrays(self) -> ([u8; 8], [u8; 8]);
}

impl CloneArrays for (&[u8], &[u8]) {
    fn clone_arrays(self) -> ([u8; 8], [u8; 8]) {
        let array = |b: &[u8]| b.first_chunk::<8>().copied().unwrap_or_default();
        (array(self.0), array(self.1))
    }
}

/// A number that all images of one program run share and the next `exec` changes.
///
/// Made from the kernel's random bytes for this run, which also seed the C library's stack protector: mixed so that
/// the bytes cannot be had back (128 bits go in, 64 come out).
pub fn exec_id() -> u64 {
    let random = sys::auxiliary(libc::AT_RANDOM) as *const [u8; 16];
    if random.is_null() {
        return u64::from(sys::process_id());
    }
    // SAFETY: the kernel puts 16 bytes there at exec, for the life of the program.
    let (first, second) = unsafe { &*random }.split_at(8).clone_arrays();
    mix(u64::from_le_bytes(first)).wrapping_add(mix(u64::from_le_bytes(second)).rotate_left(32))
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
pub fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Allocates and maps the first `bytes` of a region; never a SIGBUS. `offset` is the region's in the file.
fn populate(region: Region, bytes: u64, fd: &Fd, offset: u64) -> bool {
    // SAFETY: the advice allocates and maps, it takes nothing away.
    let populated = unsafe { sys::advise(region.base(), bytes, MADV_POPULATE_WRITE) };
    populated || (sys::errno() == libc::EINVAL && fd.allocate(offset, bytes))
}

/// Allocates `bytes` of the image and maps them: their offset and region.
///
/// Works without a descriptor (see `docs/shm-layout.md`, "Growing without a descriptor"). Safe in signal handlers.
pub fn grow(process: &Process, bytes: u64) -> Option<(u64, Region)> {
    let header_region = process.head()?;
    let header = header_region.header()?;
    let bytes = bytes.checked_next_multiple_of(4096)?;
    let limit = header.image_bytes.load(Ordering::Relaxed).min(IMAGE_BYTES);
    let offset = reserve(&header.allocated, bytes.checked_next_multiple_of(PIECE_ALIGN)?, limit)?;
    let base = match map_again(process, offset, bytes) {
        Some(base) => base,
        None => map_by_path(process, offset, bytes)?,
    };
    // SAFETY: advice only; leaves the contents alone.
    unsafe { sys::advise(base, bytes, libc::MADV_DONTDUMP) };
    // SAFETY: mapped just now with that size, never unmapped.
    Some((offset, unsafe { Region::new(base, bytes) }))
}

/// Takes `bytes` of the file, or nothing where the file's end would be passed.
fn reserve(allocated: &AtomicU64, bytes: u64, limit: u64) -> Option<u64> {
    let advance = |old: u64| old.checked_add(bytes).filter(|&new| new <= limit);
    let offset = allocated.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance).ok()?;
    // The word is shared: a value that is no piece boundary behind the head is not ours.
    (offset >= HEAD_BYTES && offset.is_multiple_of(PIECE_ALIGN)).then_some(offset)
}

/// Maps `[offset, offset + bytes)` from a mapping that exists, and populates it.
fn map_again(process: &Process, offset: u64, bytes: u64) -> Option<NonNull<u8>> {
    let (source, source_offset) = nearest_mapping(process, offset)?;
    let lead = offset - source_offset;
    // SAFETY: `source` is the page-aligned base of a live shared mapping of the image.
    let start = unsafe { sys::map_again(source, lead + bytes) }?;
    // SAFETY: inside the mapping that was just made; nobody else has its address.
    let base = unsafe {
        if lead > 0 {
            sys::unmap(start, lead);
        }
        start.add(lead as usize)
    };
    // SAFETY: the range was just mapped; the advice allocates.
    if unsafe { sys::advise(base, bytes, MADV_POPULATE_WRITE) } {
        return Some(base);
    }
    // SAFETY: as above, and nothing refers to it.
    unsafe { sys::unmap(base, bytes) };
    None
}

/// A live mapping of the image that begins below `offset`, as near to it as is known without a search.
fn nearest_mapping(process: &Process, offset: u64) -> Option<(NonNull<u8>, u64)> {
    let head = process.head()?;
    let newest = head.header()?.ring_count.load(Ordering::Relaxed) as usize;
    let mut best = (head.region().base(), 0);
    for i in newest.saturating_sub(8)..newest {
        let Some(arena) = process.arenas.get(i) else { break };
        // Acquire: pairs with the Release store of `base`, after `offset`.
        let base = NonNull::new(arena.base.load(Ordering::Acquire));
        let at = arena.offset.load(Ordering::Relaxed);
        if let Some(base) = base
            && best.1 < at
            && at < offset
        {
            best = (base, at);
        }
    }
    Some(best)
}

/// The way for kernels without `MADV_POPULATE_WRITE`: opens the image by its path.
fn map_by_path(process: &Process, offset: u64, bytes: u64) -> Option<NonNull<u8>> {
    let path = process.image_path()?;
    let fd = Fd::open(path.as_c_str(), libc::O_RDWR | libc::O_NOFOLLOW)?;
    if !fd.allocate(offset, bytes) {
        return None;
    }
    fd.map(offset, bytes)
}

/// Allocates the part of the ring directory that holds entry `idx`.
pub fn populate_ring_entry(process: &Process, idx: usize) -> bool {
    populate_pages(process, (RINGS_OFFSET + 64 * idx as u64) & !4095, 4096)
}

/// Bytes of the filter area for each bit of `Process::filter_pages`.
const PAGE_BYTES: u64 = FILTERS_BYTES / u64::BITS as u64;

/// Makes sure that a part of the filter area has memory, once for each page: then reading it is no SIGBUS. Safe in signal handlers.
#[inline(always)]
pub fn provide_filters(process: &Process, offset: u64, bytes: u64) -> bool {
    let page = |at: u64| at.saturating_sub(FILTERS_OFFSET) / PAGE_BYTES;
    let (first, last) = (page(offset), page(offset + bytes.saturating_sub(1)));
    let there = process.filter_pages.load(Ordering::Relaxed);
    // Nearly all entries lie in one page.
    if first == last && there >> (first & 63) & 1 != 0 {
        return true;
    }
    let mask = u64::MAX << (first & 63) & u64::MAX >> (63 - last.min(63));
    there & mask == mask || provide_pages(process, first, last, mask)
}

#[cold]
#[inline(never)]
fn provide_pages(process: &Process, first: u64, last: u64, mask: u64) -> bool {
    let is_there = populate_pages(process, FILTERS_OFFSET + PAGE_BYTES * first, PAGE_BYTES * (last + 1 - first));
    if is_there {
        process.filter_pages.fetch_or(mask, Ordering::Relaxed);
    }
    is_there
}

/// Allocates pages of the head.
#[cold]
#[inline(never)]
fn populate_pages(process: &Process, offset: u64, bytes: u64) -> bool {
    let _errno = ErrnoGuard::new();
    let Some(pages) = process.head().and_then(|h| h.region().part(offset, bytes)) else { return false };
    // SAFETY: the range lies in the head's mapping; the advice allocates.
    if unsafe { sys::advise(pages.base(), pages.len(), MADV_POPULATE_WRITE) } {
        return true;
    }
    let fd = || process.image_path().and_then(|p| Fd::open(p.as_c_str(), libc::O_RDWR | libc::O_NOFOLLOW));
    sys::errno() == libc::EINVAL && fd().is_some_and(|fd| fd.allocate(offset, bytes))
}

/// Leaves an arena out of forked children: a child makes its own image.
pub fn keep_from_children(region: Region) {
    // SAFETY: this process keeps the mapping; only future children lack it.
    unsafe { sys::advise(region.base(), region.len(), libc::MADV_DONTFORK) };
}

/// The region of an arena that this process mapped.
pub fn region_of(base: NonNull<u8>, bytes: u64) -> Region {
    // SAFETY: callers pass what `grow` gave out, kept in the process's private table; never unmapped.
    unsafe { Region::new(base, bytes) }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the runtime knows of its process. It lies in memory that a forked child finds zeroed, so that "nothing is set up
//! here" needs no detection.
//!
//! | stage    | meaning                                          | left by                     |
//! |----------|--------------------------------------------------|-----------------------------|
//! | fresh    | nothing done yet, or this is a forked child      | whoever stores `starting`   |
//! | starting | one thread makes the image; events get lost      | that thread                 |
//! | live     | the image is there                               | the end of the linked object |
//! | off      | no tracing in this process (`UST_DEBUG=1` says why) | fork                     |
//!
//! # Safety
//! [`Process`] is valid when all its bytes are zero, is made of atomics and one cell that is written in stage
//! *starting* only, and its mapping is given back with the linked object's own code only (`unload`).

#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use ust_shm::head::Head;
use ust_shm::layout::{HEAD_BYTES, LostCause};
use ust_shm::limits::{OBJECT_COUNT_MAX, RING_COUNT_MAX};
use ust_shm::region::Region;

use crate::path::Path;
use crate::sys;
use crate::thread::ThreadState;

/// Values of [`Process::stage`].
pub mod stage {
    #![allow(missing_docs)]
    pub const FRESH: u32 = 0;
    pub const STARTING: u32 = 1;
    pub const LIVE: u32 = 2;
    pub const OFF: u32 = 3;
}

/// Where a piece of the image is mapped: ring *i*'s arena, or an object's descriptors.
#[repr(C)]
pub struct MappedPiece {
    /// First byte, null while it is not mapped.
    pub base: AtomicPtr<u8>,
    /// Offset in the image.
    pub offset: AtomicU64,
    /// Bytes mapped.
    pub bytes: AtomicU64,
}

impl MappedPiece {
    /// Keeps a mapping that `image::grow` made. Release: pairs with the Acquire load of `base`.
    pub fn keep(&self, offset: u64, region: Region) {
        self.offset.store(offset, Ordering::Relaxed);
        self.bytes.store(region.len(), Ordering::Relaxed);
        self.base.store(region.base().as_ptr(), Ordering::Release);
    }

    /// The mapping; `None` where there is none.
    pub fn region(&self) -> Option<Region> {
        let base = NonNull::new(self.base.load(Ordering::Acquire))?; // pairs with `keep`
        // SAFETY: `keep` stored the base of a mapping of so many bytes, which is given back by `unload` alone.
        Some(unsafe { Region::new(base, self.bytes.load(Ordering::Relaxed)) })
    }
}

/// An entry of the image's object table.
#[repr(C)]
pub struct ImageObject {
    /// One more than the place of the linked object in `objects`; 0 = none, or one that is gone.
    pub owner: AtomicU32,
    /// The event id of its first tracepoint.
    pub first_event_id: AtomicU32,
    /// Bytes of the words and descriptors.
    pub content_bytes: AtomicU64,
    /// The enable words and descriptors.
    pub piece: MappedPiece,
}

/// Thread states that are known by address, to be given back with the linked object; a thread beyond leaves its state behind.
pub const STATE_COUNT_MAX: usize = 4096;

/// The state of this process; all zero is the fresh state.
#[repr(C)]
pub struct Process {
    stage: AtomicU32,
    /// The image's clock kind.
    pub clock: AtomicU32,
    /// 1 where the environment allows channels in block mode to make the program wait.
    pub allow_blocking: AtomicU32,
    head: AtomicPtr<u8>,
    image_path: UnsafeCell<Path>,
    /// Bit *n*: page *n* of the filter area has memory.
    pub filter_pages: AtomicU64,
    /// The arenas, by index in the ring directory.
    pub arenas: [MappedPiece; RING_COUNT_MAX],
    /// By entry of the image's object table.
    pub objects: [ImageObject; OBJECT_COUNT_MAX],
    /// The thread states, in no order; see `thread`.
    pub states: [AtomicPtr<ThreadState>; STATE_COUNT_MAX],
}

// SAFETY: atomics, and a cell that is written by the one thread in stage *starting* and read only after stage
// *live* was loaded with Acquire.
unsafe impl Sync for Process {}

static PROCESS: AtomicPtr<Process> = AtomicPtr::new(null_mut());

/// Events that met a process in stage *starting*, not yet in an image's counters.
static LOST_AT_START: AtomicU64 = AtomicU64::new(0);

impl Process {
    /// The process's state, in whatever stage; `None` before the constructor ran or where memory could not be had.
    pub fn any() -> Option<&'static Self> {
        // Acquire: pairs with the Release store in `make`.
        let process = NonNull::new(PROCESS.load(Ordering::Acquire))?;
        // SAFETY: only `make` stores the pointer; module header.
        Some(unsafe { process.as_ref() })
    }

    /// Makes the state in stage *fresh*; returns the one that is there already, if so.
    pub fn make() -> Option<&'static Self> {
        if let Some(process) = Self::any() {
            return Some(process);
        }
        let fresh = sys::map_wiped_on_fork(size_of::<Self>())?.cast::<Self>();
        // Release: pairs with `any`. On failure another thread was first, and its state stands.
        let swap = PROCESS.compare_exchange(null_mut(), fresh.as_ptr(), Ordering::Release, Ordering::Relaxed);
        if swap.is_err() {
            // SAFETY: nobody else has the address.
            unsafe { sys::unmap(fresh.cast(), size_of::<Self>() as u64) };
        }
        Self::any()
    }

    /// Lets go of the state: its memory, for `unload` alone.
    pub fn forget() -> Option<NonNull<u8>> {
        NonNull::new(PROCESS.swap(null_mut(), Ordering::AcqRel).cast())
    }

    /// The current stage. Acquire: pairs with `finish_start`.
    pub fn stage(&self) -> u32 {
        self.stage.load(Ordering::Acquire)
    }

    /// Enters stage *starting*; `false` where another thread did, or there is nothing to start.
    pub fn begin_start(&self) -> bool {
        let swap = self.stage.compare_exchange(stage::FRESH, stage::STARTING, Ordering::Acquire, Ordering::Relaxed);
        swap.is_ok()
    }

    /// Stage *starting* only: keeps the head and path of the image that was made, hidden first and then published.
    pub fn set_image(&self, head: Head, path: Path) {
        self.head.store(head.region().base().as_ptr(), Ordering::Relaxed);
        // SAFETY: stage *starting*: this thread is the only one that touches the cell.
        unsafe { *self.image_path.get() = path };
    }

    /// Leaves stage *starting*. Release: pairs with `stage`.
    pub fn finish_start(&self, stage: u32) {
        self.stage.store(stage, Ordering::Release);
        if stage == self::stage::LIVE
            && let Some(head) = self.head()
        {
            let lost = LOST_AT_START.swap(0, Ordering::Relaxed);
            if let Some(counter) = head.header().and_then(|h| h.lost.get(LostCause::NoRing as usize)) {
                counter.fetch_add(lost, Ordering::Relaxed);
            }
        }
    }

    /// The head of the image; `None` before stage *live* has been entered once.
    pub fn head(&self) -> Option<Head> {
        let base = NonNull::new(self.head.load(Ordering::Relaxed))?;
        // SAFETY: `set_image` stored the base of a mapping of HEAD_BYTES that is never unmapped.
        Head::new(unsafe { Region::new(base, HEAD_BYTES) })
    }

    /// The image's path: the hidden one in stage *starting*, where only the starting thread asks.
    pub fn image_path(&self) -> Option<Path> {
        if !matches!(self.stage(), stage::LIVE | stage::STARTING) {
            return None;
        }
        // SAFETY: written by the starting thread, before it stores stage *live* with Release; never again until a fork
        // wipes it. Others ask in stage *live* only: without it they lease no ring and end nothing.
        Some(unsafe { *self.image_path.get() })
    }
}

/// Counts an event that was lost outside any ring.
#[cold]
pub fn count_lost(cause: LostCause) {
    match Process::any().and_then(Process::head) {
        Some(head) => head.count_lost(cause),
        None => {
            LOST_AT_START.fetch_add(1, Ordering::Relaxed);
        }
    }
}

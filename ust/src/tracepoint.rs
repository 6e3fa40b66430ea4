// SPDX-License-Identifier: MIT OR Apache-2.0
//! The static of a tracepoint: its description, and the pointer to its enable word.
//!
//! # Safety
//! `word` points to the first of two words: of [`OFF`], or of an object piece of an image of this process or, after a fork, of its parent; those mappings
//! are never unmapped. Only `start_up` and `fork` store it.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use ust_shm::descriptor::TracepointDesc;

/// The enable word and the filter word of every tracepoint that no image knows (yet).
static OFF: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// A place in the program that can emit. Made by the macros, one static each.
#[derive(Debug)]
pub struct Tracepoint {
    /// Where the enable word is. Checked on each hit, so it stands first.
    word: AtomicPtr<AtomicU64>,
    id: AtomicU32,
    desc: &'static TracepointDesc,
}

impl Tracepoint {
    /// A tracepoint that is off until an image holds it.
    #[must_use]
    pub const fn new(desc: &'static TracepointDesc) -> Self {
        Self { word: AtomicPtr::new((&raw const OFF).cast_mut().cast()), id: AtomicU32::new(0), desc }
    }

    /// What the tracepoint says of itself.
    #[must_use]
    pub const fn desc(&self) -> &'static TracepointDesc {
        self.desc
    }

    /// Whether any channel wants the event: load, load. May change at any moment.
    #[inline(always)]
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.wanted() != 0
    }

    /// The enable word: bit *n* is set where channel slot *n* wants the event.
    #[inline(always)]
    pub(crate) fn wanted(&self) -> u64 {
        // Relaxed: x86 and arm order the dependent load; a stale pointer is as valid as the new one.
        let word = self.word.load(Ordering::Relaxed);
        // SAFETY: never null, never dangling (module header).
        unsafe { (*word).load(Ordering::Relaxed) }
    }

    /// The word behind the enable word: where the tracepoint's entry in the filter area is.
    pub(crate) fn filter_word(&self) -> &AtomicU64 {
        let word = self.word.load(Ordering::Acquire);
        // SAFETY: never dangling, the first of two words (module header).
        unsafe { &*word.add(1) }
    }

    /// The enable word in the image; `None` while the tracepoint is in none.
    pub(crate) fn word(&self) -> Option<&'static AtomicU64> {
        let word = self.word.load(Ordering::Acquire);
        // SAFETY: never null, never dangling (module header).
        (!core::ptr::eq(word, (&raw const OFF).cast())).then(|| unsafe { &*word })
    }

    /// The event's number in this process.
    #[inline(always)]
    pub(crate) fn id(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    /// Hangs the tracepoint into an image, or off where there is none. `word` is followed by the filter word.
    ///
    /// The Release store orders the id before the word: a thread that finds the word set by that pointer has the id, too.
    pub(crate) fn attach(&self, word: Option<&'static AtomicU64>, id: u32) {
        self.id.store(id, Ordering::Relaxed);
        let word = word.map_or((&raw const OFF).cast(), core::ptr::from_ref);
        self.word.store(word.cast_mut(), Ordering::Release);
    }
}

unsafe extern "C" {
    #[link_name = "__start_ust_tracepoints"]
    static SECTION_START: usize;
    #[link_name = "__stop_ust_tracepoints"]
    static SECTION_STOP: usize;
}

/// A tracepoint of the runtime's own keeps the section, and with it the symbols of its ends, in every program.
#[used]
#[unsafe(link_section = "ust_tracepoints")]
static MARK: Option<&'static Tracepoint> = None;

/// The tracepoints of the linked object that this copy of the runtime belongs to.
pub(crate) fn linked() -> impl Iterator<Item = &'static Tracepoint> + Clone {
    let start = (&raw const SECTION_START).cast::<Option<NonNull<Tracepoint>>>();
    let stop = (&raw const SECTION_STOP).cast::<Option<NonNull<Tracepoint>>>();
    let count = (stop as usize).wrapping_sub(start as usize) / size_of::<usize>();
    // SAFETY: the linker gathers all pointers of the section between the two symbols; each element is a
    // `&'static Tracepoint` of the macros or the `None` above, for which null pointers stand.
    (0..count).filter_map(move |i| unsafe { (*start.add(i)).map(|p| p.as_ref()) })
}

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

use crate::description::Scratch;

/// The enable word and the filter word of every tracepoint that no image knows (yet).
static OFF: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// A place in the program that can emit. Made by the macros, one static each, and by the headers of C (`docs/c-abi.md`), whose tracepoints begin
/// with the same words.
#[derive(Debug)]
#[repr(C)]
pub struct Tracepoint {
    /// Where the enable word is. Checked on each hit, so it stands first.
    word: AtomicPtr<AtomicU64>,
    id: AtomicU32,
    /// What `desc` points to: see [`form`].
    form: u32,
    desc: *const TracepointDesc,
}

// SAFETY: atomics, and what is never written: `desc` points to a constant description.
unsafe impl Send for Tracepoint {}
// SAFETY: as above.
unsafe impl Sync for Tracepoint {}

/// Forms of descriptions.
pub(crate) mod form {
    /// A [`TracepointDesc`](super::TracepointDesc).
    pub const RUST: u32 = 0;
    /// `struct ust_event` of the header `ust/probe.h`.
    #[cfg(feature = "capi")]
    pub const C: u32 = 1;
}

impl Tracepoint {
    /// A tracepoint that is off until an image holds it.
    #[must_use]
    pub const fn new(desc: &'static TracepointDesc) -> Self {
        let word = AtomicPtr::new((&raw const OFF).cast_mut().cast());
        Self { word, id: AtomicU32::new(0), form: form::RUST, desc }
    }

    /// Hands on what the tracepoint says of itself; `None` where there is no memory for that.
    pub(crate) fn describe<R>(&self, scratch: &mut Scratch, use_desc: impl FnOnce(&TracepointDesc) -> R) -> Option<R> {
        #[cfg(feature = "capi")]
        if let Some(event) = self.event() {
            return scratch.describe(event, use_desc);
        }
        let _ = scratch;
        // SAFETY: by the form, the only other one that is known: `new` took it from a reference.
        Some(use_desc(unsafe { &*self.desc }))
    }

    /// Whether it is of a form that this runtime knows.
    fn is_known(&self) -> bool {
        #[cfg(feature = "capi")]
        if self.event().is_some() {
            return true;
        }
        self.form == form::RUST
    }

    /// Its description, if that is one of C.
    #[cfg(feature = "capi")]
    pub(crate) fn event(&self) -> Option<&crate::description::Event> {
        // SAFETY: by the form.
        (self.form == form::C && !self.desc.is_null()).then(|| unsafe { &*self.desc.cast() })
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

/// A tracepoint of C without a provider: `struct ust_tracepoint` with its recording function, which does nothing.
#[cfg(feature = "capi")]
#[repr(C)]
pub(crate) struct OffOfC {
    pub(crate) tracepoint: Tracepoint,
    record: extern "C" fn(),
}

/// Records nothing, whatever the arguments.
#[cfg(feature = "capi")]
extern "C" fn record_nothing() {}

/// What call sites call whose provider has gone.
#[cfg(feature = "capi")]
pub(crate) static OFF_OF_C: OffOfC = {
    let word = AtomicPtr::new((&raw const OFF).cast_mut().cast());
    let tracepoint = Tracepoint { word, id: AtomicU32::new(0), form: form::C, desc: core::ptr::null() };
    OffOfC { tracepoint, record: record_nothing }
};

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

/// The tracepoints of a linked object: the pointers that its linker has gathered in one section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    begin: *const Option<NonNull<Tracepoint>>,
    count: usize,
}

impl Section {
    /// That of the linked object that this copy of the runtime belongs to.
    pub(crate) fn own() -> Self {
        let (begin, end) = (&raw const SECTION_START, &raw const SECTION_STOP);
        // SAFETY: the linker gathers all pointers of the section between the two symbols; each element is a
        // `&'static Tracepoint` of the macros or the `None` above, for which null pointers stand.
        unsafe { Self::new(begin.cast(), end.cast()) }
    }

    /// The section between two addresses.
    ///
    /// # Safety
    /// Between them lie pointers to tracepoints, or null, that are there as long as the section is used.
    pub(crate) unsafe fn new(
        begin: *const Option<NonNull<Tracepoint>>,
        end: *const Option<NonNull<Tracepoint>>,
    ) -> Self {
        Self { begin, count: (end as usize).saturating_sub(begin as usize) / size_of::<usize>() }
    }

    /// Where it begins.
    #[cfg(feature = "capi")]
    pub(crate) fn begin(self) -> *const Option<NonNull<Tracepoint>> {
        self.begin
    }

    /// Its tracepoints.
    pub(crate) fn tracepoints(self) -> impl Iterator<Item = &'static Tracepoint> + Clone {
        // SAFETY: by the contract of `new`.
        let listed = (0..self.count).filter_map(move |i| unsafe { (*self.begin.add(i)).map(|p| p.as_ref()) });
        listed.filter(|tracepoint| tracepoint.is_known())
    }
}

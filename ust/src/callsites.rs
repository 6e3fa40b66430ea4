// SPDX-License-Identifier: MIT OR Apache-2.0
//! Linked objects of C, and which tracepoint each of their call sites calls.
//!
//! The provider of a tracepoint may be in another linked object than its calls, and come later or never: then the two are brought together by
//! provider, name, and signature, which is the text of the arguments. A call site without a tracepoint has one that is off.
//!
//! | word                  | stored by                                | ordering                                            |
//! |-----------------------|------------------------------------------|-----------------------------------------------------|
//! | `Callsite::tracepoint` | whoever registers or unregisters an object | Release; the call loads it Acquire and finds what it points to whole |
//!
//! # Safety
//! Objects and call sites are laid out by the program's compiler from `ust/tracepoint.h` and `ust/object.h`, are constants but for the word above, and are there
//! until the object has been taken out.

#![allow(unsafe_code)]

use core::ffi::{CStr, c_char};
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::tracepoint::{OFF_OF_C, Section, Tracepoint};

/// `struct ust_object`.
#[repr(C)]
#[derive(Debug)]
pub struct Object {
    tracepoints_begin: *const Option<NonNull<Tracepoint>>,
    tracepoints_end: *const Option<NonNull<Tracepoint>>,
    callsites_begin: *const Option<NonNull<Callsite>>,
    callsites_end: *const Option<NonNull<Callsite>>,
}

/// `struct ust_callsite`.
#[repr(C)]
#[derive(Debug)]
pub struct Callsite {
    tracepoint: AtomicPtr<Tracepoint>,
    provider: *const c_char,
    name: *const c_char,
    signature: *const c_char,
}

impl Object {
    /// Its tracepoints.
    pub(crate) fn section(&self) -> Section {
        // SAFETY: module header.
        unsafe { Section::new(self.tracepoints_begin, self.tracepoints_end) }
    }

    fn callsites(&self) -> impl Iterator<Item = &Callsite> {
        let count = (self.callsites_end as usize).saturating_sub(self.callsites_begin as usize) / size_of::<usize>();
        // SAFETY: the linker gathers all pointers of the section between the two addresses (module header).
        (0..count).filter_map(move |i| unsafe { (*self.callsites_begin.add(i)).map(|site| &*site.as_ptr()) })
    }
}

impl Callsite {
    fn tracepoint(&self) -> Option<&'static Tracepoint> {
        // SAFETY: never dangling: null, a tracepoint of an object that is there, or one that is off.
        unsafe { self.tracepoint.load(Ordering::Relaxed).as_ref() }
    }

    /// Whether it calls no provider's tracepoint.
    fn is_free(&self) -> bool {
        self.tracepoint().is_none_or(|tracepoint| tracepoint.event().is_none())
    }

    fn fits(&self, tracepoint: &Tracepoint) -> bool {
        let Some(event) = tracepoint.event() else { return false };
        [(self.name, event.name), (self.provider, event.provider), (self.signature, event.signature)]
            .into_iter()
            .all(|(ours, theirs)| is_same(ours, theirs))
    }

    fn point_to(&self, tracepoint: &Tracepoint) {
        self.tracepoint.store(core::ptr::from_ref(tracepoint).cast_mut(), Ordering::Release); // pairs with the call's load
    }
}

fn is_same(a: *const c_char, b: *const c_char) -> bool {
    // SAFETY: constant strings of the program (module header), where they are not null.
    let text = |at: *const c_char| (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) });
    a == b || text(a).is_some_and(|a| text(b) == Some(a))
}

/// Gives each call site of `objects` that has none a tracepoint of `tracepoints`, if one fits.
///
/// Both are in the order of one header as a rule, so the search goes on behind the last one found.
pub fn bind<'a, T: Iterator<Item = &'static Tracepoint>>(
    objects: impl Iterator<Item = &'a Object>,
    tracepoints: impl Fn() -> T,
) {
    for object in objects {
        let mut next = tracepoints();
        for site in object.callsites().filter(|site| site.is_free()) {
            let found = next.by_ref().find(|tracepoint| site.fits(tracepoint));
            let found = found.or_else(|| {
                next = tracepoints();
                next.by_ref().find(|tracepoint| site.fits(tracepoint))
            });
            if let Some(tracepoint) = found {
                site.point_to(tracepoint);
            }
        }
    }
}

/// Takes the tracepoints of `section` from the call sites of `objects`.
pub fn unbind<'a>(objects: impl Iterator<Item = &'a Object>, section: Section) {
    for site in objects.flat_map(Object::callsites) {
        let bound = site.tracepoint.load(Ordering::Relaxed).cast_const();
        if section.tracepoints().any(|tracepoint| core::ptr::eq(tracepoint, bound)) {
            site.point_to(&OFF_OF_C.tracepoint);
        }
    }
}

/// The objects that have made themselves known.
pub struct Known<const N: usize>([AtomicPtr<Object>; N]);

impl<const N: usize> Known<N> {
    /// None.
    pub const fn new() -> Self {
        Self([const { AtomicPtr::new(null_mut()) }; N])
    }

    /// The objects with their indices.
    pub fn all(&self) -> impl Iterator<Item = (usize, &'static Object)> {
        // Acquire: pairs with `insert`. SAFETY: there until it is removed (module header).
        let object = |place: &AtomicPtr<Object>| unsafe { place.load(Ordering::Acquire).as_ref() };
        self.0.iter().enumerate().filter_map(move |(idx, place)| Some((idx, object(place)?)))
    }

    /// Takes in an object; its index, or `None` where it is known already or there is no room.
    pub fn insert(&self, object: &'static Object) -> Option<usize> {
        if self.all().any(|(_, known)| core::ptr::eq(known, object)) {
            return None;
        }
        let object = core::ptr::from_ref(object).cast_mut();
        let take = |place: &AtomicPtr<Object>| {
            place.compare_exchange(null_mut(), object, Ordering::Release, Ordering::Relaxed).is_ok()
        };
        self.0.iter().position(take)
    }

    /// Takes out an object; the index that it had.
    pub fn remove(&self, object: &Object) -> Option<usize> {
        let (idx, _) = self.all().find(|(_, known)| core::ptr::eq(*known, object))?;
        self.0.get(idx)?.store(null_mut(), Ordering::Relaxed);
        Some(idx)
    }
}

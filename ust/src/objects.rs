// SPDX-License-Identifier: MIT OR Apache-2.0
//! The linked objects whose tracepoints this copy of the runtime serves: always the one that it belongs to, and those of C that have made themselves
//! known (`callsites`).
//!
//! The table is neither wiped nor copied on fork: a child registers the same objects in its own image.
//!
//! Objects come and go in their constructors and finalisers, which the dynamic linker calls one at a time; a walk by another thread (a fork, say) sees
//! an object whole or not at all.

use crate::tracepoint::{Section, Tracepoint};

#[cfg(feature = "capi")]
pub use of_c::{insert, remove};

/// The objects with their places. Place 0 is that of the runtime's own.
pub fn all() -> impl Iterator<Item = (usize, Section)> {
    let own = core::iter::once((0, Section::own()));
    #[cfg(feature = "capi")]
    {
        own.chain(of_c::all())
    }
    #[cfg(not(feature = "capi"))]
    {
        own
    }
}

/// The tracepoints of all objects.
pub fn tracepoints() -> impl Iterator<Item = &'static Tracepoint> {
    all().flat_map(|(_, section)| section.tracepoints())
}

#[cfg(feature = "capi")]
mod of_c {
    use ust_shm::limits::OBJECT_COUNT_MAX;

    use crate::callsites::{self, Known, Object};
    use crate::register;
    use crate::start_up;
    use crate::tracepoint::Section;
    use crate::unload;

    static KNOWN: Known<{ OBJECT_COUNT_MAX - 1 }> = Known::new();

    /// The tracepoints of an object, unless it is the runtime's own, where those of Rust and C are one section.
    fn section(object: &Object) -> Option<Section> {
        let section = object.section();
        (section.begin() != Section::own().begin()).then_some(section)
    }

    pub fn all() -> impl Iterator<Item = (usize, Section)> {
        KNOWN.all().filter_map(|(idx, object)| Some((idx + 1, section(object)?)))
    }

    fn objects() -> impl Iterator<Item = &'static Object> {
        KNOWN.all().map(|(_, object)| object)
    }

    /// Takes in an object, unless it is known: brings its tracepoints into the image, and calls and tracepoints together. Constructors only.
    pub fn insert(object: &'static Object) {
        let Some(idx) = KNOWN.insert(object) else { return };
        unload::serve(core::ptr::from_ref(object).cast());
        match section(object) {
            Some(section) if section.tracepoints().next().is_some() => start_up::add_object(idx + 1, section),
            _ => {}
        }
        callsites::bind(core::iter::once(object), super::tracepoints);
        callsites::bind(objects(), || object.section().tracepoints());
    }

    /// Takes an object out. Finalisers only.
    pub fn remove(object: &'static Object) {
        let Some(idx) = KNOWN.remove(object) else { return };
        if let Some(section) = section(object) {
            callsites::unbind(objects(), section);
            register::unregister_object(idx + 1, section);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The object table of the image: copies the descriptions of linked objects into it and hangs their tracepoints into their enable words.
//!
//! An object that is unloaded and loaded again, as plug-ins are, finds its entry by what it holds, so that neither the table nor the event ids are used
//! up.

use core::sync::atomic::Ordering;
use ust_shm::encode::{encode, encoded_bytes};
use ust_shm::head::Head;
use ust_shm::layout::{WORDS_BYTES, object_state};
use ust_shm::limits::EVENT_ID_COUNT_MAX;
use ust_shm::region::Region;

use crate::description::Scratch;
use crate::image::{self, Reason};
use crate::objects;
use crate::own_trace;
use crate::process::{ImageObject, Process};
use crate::tracepoint::Section;

const NO_ROOM: Reason = "no memory for the tracepoints' descriptions";

/// Registers all objects that are known.
pub fn register_all(process: &'static Process, head: &Head) -> Result<(), Reason> {
    for (place, section) in objects::all() {
        register_object(process, head, place, section)?;
    }
    Ok(())
}

/// Registers an object, unless it is registered already or has no tracepoints.
pub fn register_object(process: &'static Process, head: &Head, place: usize, section: Section) -> Result<(), Reason> {
    let count = section.tracepoints().count() as u32;
    if count == 0 || entry_of(process, place).is_some() {
        return Ok(());
    }
    let mut scratch = Scratch::default();
    let gone = entries(process).find(|(_, object)| {
        object.owner.load(Ordering::Relaxed) == NO_OWNER && holds(object, section, count, &mut scratch)
    });
    let (idx, object) = match gone {
        Some(found) => found,
        None => write_object(process, head, section, count, &mut scratch)?,
    };
    let region = object.piece.region().ok_or(NO_ROOM)?;
    let entry = head.object(idx).ok_or(NO_ROOM)?;
    for i in 0..u64::from(count) {
        if let Some(word) = region.word(WORDS_BYTES * i) {
            word.store(0, Ordering::Relaxed);
        }
    }
    own_trace::set_own_bits(section.tracepoints(), &mut scratch, |i| region.word(WORDS_BYTES * i));
    object.owner.store(owner(place), Ordering::Relaxed);
    entry.state.store(object_state::LIVE, Ordering::Release);
    let header = head.header().ok_or(NO_ROOM)?;
    header.object_count.fetch_max(idx as u32 + 1, Ordering::Release);
    for (i, tracepoint) in (0..).zip(section.tracepoints()) {
        tracepoint.attach(region.word(WORDS_BYTES * i), object.first_event_id.load(Ordering::Relaxed) + i as u32);
    }
    Ok(())
}

/// Switches an object's tracepoints off, for ever or until it comes again.
#[cfg(feature = "capi")]
pub fn unregister_object(place: usize, section: Section) {
    for tracepoint in section.tracepoints() {
        tracepoint.attach(None, 0);
    }
    let Some(process) = Process::any() else { return };
    if let Some((idx, object)) = entry_of(process, place) {
        if let Some(entry) = process.head().as_ref().and_then(|head| head.object(idx)) {
            entry.state.store(object_state::GONE, Ordering::Release);
        }
        object.owner.store(NO_OWNER, Ordering::Relaxed);
    }
}

/// `ImageObject::owner` of an entry whose object is gone.
const NO_OWNER: u32 = 0;

/// `ImageObject::owner` of the entry of the object at `place`.
fn owner(place: usize) -> u32 {
    place as u32 + 1
}

/// The entries in use, or used once: they are taken in order.
fn entries(process: &'static Process) -> impl Iterator<Item = (usize, &'static ImageObject)> {
    process.objects.iter().take_while(|object| object.piece.region().is_some()).enumerate()
}

/// The entry of the object at `place`, while it is registered.
fn entry_of(process: &'static Process, place: usize) -> Option<(usize, &'static ImageObject)> {
    entries(process).find(|(_, object)| object.owner.load(Ordering::Relaxed) == owner(place))
}

/// Copies descriptions into a new piece of the image, and names it in the next entry.
fn write_object(
    process: &'static Process,
    head: &Head,
    section: Section,
    count: u32,
    scratch: &mut Scratch,
) -> Result<(usize, &'static ImageObject), Reason> {
    let header = head.header().ok_or(NO_ROOM)?;
    let idx = entries(process).count();
    let object = process.objects.get(idx).ok_or("more than 256 libraries with tracepoints")?;
    let words_bytes = WORDS_BYTES * u64::from(count);
    let mut total = words_bytes;
    for tracepoint in section.tracepoints() {
        total += tracepoint.describe(scratch, encoded_bytes).ok_or(NO_ROOM)?;
    }
    let first_id = header.event_id_count.fetch_add(count, Ordering::Relaxed);
    if first_id.saturating_add(count) > EVENT_ID_COUNT_MAX {
        return Err("more than 65,535 tracepoints");
    }
    let (offset, piece) = image::grow(process, total).ok_or(NO_ROOM)?;
    let mut at = words_bytes;
    for tracepoint in section.tracepoints() {
        let described = tracepoint.describe(scratch, |desc| {
            encode(desc, &mut |bytes| {
                if piece.store_bytes(at, bytes) {
                    at += bytes.len() as u64;
                }
            });
        });
        described.ok_or(NO_ROOM)?;
    }
    object.first_event_id.store(first_id, Ordering::Relaxed);
    object.content_bytes.store(total, Ordering::Relaxed);
    object.piece.keep(offset, piece);
    let entry = head.object(idx).ok_or(NO_ROOM)?;
    entry.offset.store(offset, Ordering::Relaxed);
    entry.bytes.store(total, Ordering::Relaxed);
    entry.tracepoint_count.store(count, Ordering::Relaxed);
    entry.first_event_id.store(first_id, Ordering::Relaxed);
    Ok((idx, object))
}

/// Whether an entry has just these tracepoints.
fn holds(object: &ImageObject, section: Section, count: u32, scratch: &mut Scratch) -> bool {
    let Some(piece) = object.piece.region() else { return false };
    let mut at = WORDS_BYTES * u64::from(count);
    let all_same = section.tracepoints().all(|tracepoint| {
        let mut is_same = true;
        let described = tracepoint.describe(scratch, |desc| {
            encode(desc, &mut |bytes| {
                is_same = is_same && equals(piece, at, bytes);
                at += bytes.len() as u64;
            });
        });
        described.is_some() && is_same
    });
    all_same && at == object.content_bytes.load(Ordering::Relaxed)
}

/// Whether the region has these bytes there.
fn equals(region: Region, at: u64, bytes: &[u8]) -> bool {
    const PART: usize = 64;
    let mut buffer = [0; PART];
    (at..).step_by(PART).zip(bytes.chunks(PART)).all(|(at, bytes)| {
        let Some(copy) = buffer.get_mut(..bytes.len()) else { return false };
        region.load_bytes(at, copy) && copy == bytes
    })
}

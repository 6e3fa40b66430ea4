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
    let owner = place as u32 + 1;
    let count = section.tracepoints().count() as u32;
    if count == 0 || process.objects.iter().any(|object| object.owner.load(Ordering::Relaxed) == owner) {
        return Ok(());
    }
    let mut scratch = Scratch::default();
    let gone = process.objects.iter().enumerate().find(|(_, object)| holds(object, section, count, &mut scratch));
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
    own_trace::set_own_bits(section.tracepoints(), |i| region.word(WORDS_BYTES * i));
    object.owner.store(owner, Ordering::Relaxed);
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
    let owner = place as u32 + 1;
    let found = process.objects.iter().enumerate().find(|(_, object)| object.owner.load(Ordering::Relaxed) == owner);
    if let Some((idx, object)) = found {
        if let Some(entry) = process.head().as_ref().and_then(|head| head.object(idx)) {
            entry.state.store(object_state::GONE, Ordering::Release);
        }
        object.owner.store(0, Ordering::Relaxed);
    }
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
    let is_new = |object: &ImageObject| object.piece.region().is_none();
    let unused = process.objects.iter().enumerate().find(|(_, object)| is_new(object));
    let (idx, object) = unused.ok_or("more than 256 libraries with tracepoints")?;
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

/// Whether an object that is gone had just these tracepoints.
fn holds(object: &ImageObject, section: Section, count: u32, scratch: &mut Scratch) -> bool {
    let Some(piece) = object.piece.region() else { return false };
    let mut at = WORDS_BYTES * u64::from(count);
    let mut is_same = object.owner.load(Ordering::Relaxed) == 0;
    for tracepoint in section.tracepoints().take_while(|_| object.owner.load(Ordering::Relaxed) == 0) {
        let described = tracepoint.describe(scratch, |desc| {
            encode(desc, &mut |bytes| {
                is_same = is_same && equals(piece, at, bytes);
                at += bytes.len() as u64;
            });
        });
        if described.is_none() || !is_same {
            return false;
        }
    }
    is_same && at == object.content_bytes.load(Ordering::Relaxed)
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

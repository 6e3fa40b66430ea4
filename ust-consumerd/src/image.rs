// SPDX-License-Identifier: MIT OR Apache-2.0
//! One image: the tracing state of one process, opened, checked, and followed as it grows.
//!
//! Everything in it is hostile. The header, the tables and the descriptors are copied out and checked once; what is
//! used later is the private copy. The head, the enable words and the rings are mapped. Words are touched by
//! single atomic accesses, under the fault guard; bytes are read by the kernel, which a truncation cannot hurt.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use ust_shm::atomics::Ordering;
use ust_shm::context::ContextList;
use ust_shm::filter::area::Application;
use ust_shm::head::Head;
use ust_shm::layout::{
    HEAD_BYTES, IMAGE_ABI, IMAGE_MAGIC, ImageHeader, OWN_CHANNEL_UID, ObjectEntry, WORDS_BYTES, clock, flags,
    image_state, object_state, ring_state,
};
use ust_shm::limits::{
    EVENT_ID_COUNT_MAX, IMAGE_BYTES, OBJECT_BYTES_MAX, OBJECT_COUNT_MAX, OWN_SLOT, PIECE_ALIGN, RING_COUNT_MAX,
    SPECIAL_BIT,
};
use ust_shm::ring::Geometry;
use ust_shm::rules::RulesView;

use crate::channels::Channels;
use crate::classes::Table;
use crate::descriptors::{self, Tracepoints};
use crate::limits::IMAGE_DESCRIPTOR_BYTES_MAX;
use crate::map::Mapping;
use crate::owner::Owner;
use crate::recover::orphan_channel;
use crate::ring::{Reading, Ring, Shape};
use crate::summary::Closed;
use crate::sys;
use crate::trace::{Origin, StreamId};

/// What an image says of itself, copied and checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub pid: i32,
    pub exec_id: u64,
    pub created_ns: u64,
    pub procname: [u8; 16],
    pub clock: u32,
    pub image_bytes: u64,
    /// Whether the program is its own flight recorder.
    pub own_trace: bool,
}

/// Which rings of an image are read where no session has their channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Orphans {
    /// Those of the program's own channel.
    OwnChannel,
    /// All: the recorders that knew the channels are gone.
    All,
}

/// A linked object of the process that declares tracepoints.
#[derive(Debug)]
struct Object {
    idx: usize,
    words: Mapping,
    first_event_id: u16,
    tracepoints: Tracepoints,
}

/// An entry of the ring directory that was looked at.
#[derive(Debug)]
pub(crate) enum Slot {
    /// Not written yet.
    Unknown,
    /// Unusable.
    Ignored,
    /// Of a channel that nobody knows, or that was known once, or is the program's own.
    Foreign,
    /// One of ours.
    Ours(Box<Ring>),
}

/// One process's image.
#[derive(Debug)]
pub(crate) struct Image {
    pub path: PathBuf,
    pub file: File,
    pub identity: Identity,
    pub owner: Owner,
    pub slots: Vec<Slot>,
    /// Ids and descriptors of all objects seen.
    pub table: Table,
    /// What each session that records the process knows of it.
    pub views: BTreeMap<u64, View>,
    /// Sessions that have recorded the process and then not any more.
    pub left: BTreeSet<u64>,
    /// Sessions that its clock does not fit.
    pub unfit: BTreeSet<u64>,
    /// Bits of the channels that the process is recorded in.
    pub wanted: u64,
    /// User and group of the process.
    pub user: (u32, u32),
    pub exe: Option<PathBuf>,
    /// Ring at which the next round begins.
    pub next_ring: usize,
    pub closed_since: Option<Instant>,
    /// The process is gone, and a flight recorder still wants what it left.
    pub kept: bool,
    /// A directory entry that could not be used leaves unread data behind: the file is not ours to remove.
    pub holds_foreign: bool,
    objects: Vec<Object>,
    object_pending: bool,
    descriptor_bytes: u64,
    head_map: Mapping,
}

/// What one session knows of an image.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct View {
    pub class_idx: Option<usize>,
    /// Where losses outside any ring are reported.
    pub lost_stream: Option<StreamId>,
    pub lost_reported: u64,
    /// Losses by cause before the session began to count.
    pub lost_base: [u64; 16],
    /// What an earlier daemon has counted of its counters, but for `lost_base`.
    pub counted: Closed,
    pub attached_at: u64,
}

/// Why an image, or what is left of it, cannot be used.
pub(crate) type Refusal = String;

impl Image {
    /// Opens and checks the image at `path`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn open(path: &Path) -> Result<Self, Refusal> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)
            .map_err(|error| format!("cannot be opened: {error}"))?;
        let found = file.metadata().map_err(|error| format!("cannot be examined: {error}"))?;
        if !found.is_file() {
            return Err("is no regular file".to_owned());
        }
        if found.uid() != sys::euid() {
            return Err(format!("belongs to user {}", found.uid()));
        }
        if !(HEAD_BYTES <= found.len() && found.len() <= IMAGE_BYTES) {
            return Err(format!("has {} bytes, allowed are {HEAD_BYTES} to {IMAGE_BYTES}", found.len()));
        }
        let head_map = Mapping::new(&file, 0, HEAD_BYTES).map_err(|error| format!("cannot be mapped: {error}"))?;
        let head = Head::new(head_map.region()).ok_or("has no head")?;
        let identity = check_header(head.header().ok_or("has no header")?, found.len())?;
        let owner = Owner::find(identity.pid, identity.created_ns);
        Ok(Self {
            path: path.to_owned(),
            file,
            identity,
            owner,
            slots: Vec::new(),
            table: Table::new(),
            views: BTreeMap::new(),
            left: BTreeSet::new(),
            unfit: BTreeSet::new(),
            wanted: 0,
            user: sys::user_of(identity.pid).unwrap_or((found.uid(), found.gid())),
            exe: std::fs::read_link(format!("/proc/{}/exe", identity.pid)).ok(),
            next_ring: 0,
            closed_since: None,
            kept: false,
            holds_foreign: false,
            objects: Vec::new(),
            object_pending: false,
            descriptor_bytes: 0,
            head_map,
        })
    }

    /// Its file's name.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn head(&self) -> Head {
        Head::new(self.head_map.region()).expect("the head is mapped whole")
    }

    /// The shared header.
    pub(crate) fn header(&self) -> &ImageHeader {
        self.head_map.region().get(0).expect("the head is mapped whole")
    }

    /// The shared state word of ring `idx`.
    pub(crate) fn ring_state_word(&self, idx: usize) -> u64 {
        self.head().ring(idx).map_or(0, |entry| entry.state.load(Ordering::Acquire))
    }

    /// Gives a drained ring to the next thread, unless its state is no longer `returned_word`.
    pub(crate) fn free_ring(&self, idx: usize, returned_word: u64) {
        let free = ring_state::word(ring_state::lease(returned_word), ring_state::FREE);
        if let Some(entry) = self.head().ring(idx) {
            // Release: pairs with the Acquire of the thread that takes it; we are done with the ring.
            let _ = entry.state.compare_exchange(returned_word, free, Ordering::Release, Ordering::Relaxed);
        }
    }

    /// Whether the file was cut under one of our mappings.
    pub(crate) fn is_torn(&self) -> bool {
        let ring_is_torn = |slot: &Slot| matches!(slot, Slot::Ours(ring) if ring.words.is_torn());
        self.head_map.is_torn()
            || self.objects.iter().any(|object| object.words.is_torn())
            || self.slots.iter().any(ring_is_torn)
    }

    /// Whether the owner said that it ended in good order.
    pub(crate) fn is_closed(&self) -> bool {
        self.header().state.load(Ordering::Acquire) == image_state::CLOSED
    }

    /// Events lost outside any ring, by cause.
    pub(crate) fn lost(&self) -> [u64; 16] {
        std::array::from_fn(|cause| self.header().lost[cause].load(Ordering::Relaxed))
    }

    /// Whether there are objects that [`Image::read_objects`] has not read.
    pub(crate) fn has_new_objects(&self) -> bool {
        self.object_pending || self.header().object_count.load(Ordering::Acquire) as usize > self.objects.len()
    }

    /// Reads the descriptors of objects that have appeared since the last call.
    ///
    /// # Errors
    /// An object that cannot be read: events of its tracepoints could not be described, so the image must end.
    pub(crate) fn read_objects(&mut self) -> Result<(), Refusal> {
        if !self.has_new_objects() {
            return Ok(());
        }
        let count_untrusted = self.header().object_count.load(Ordering::Acquire) as usize;
        if count_untrusted > OBJECT_COUNT_MAX {
            return Err(format!("says it has {count_untrusted} objects, allowed are {OBJECT_COUNT_MAX}"));
        }
        self.object_pending = false;
        for idx in 0..count_untrusted {
            if self.objects.iter().any(|object| object.idx == idx) {
                continue;
            }
            let head = self.head();
            let Some(entry) = head.object(idx) else { continue };
            if entry.state.load(Ordering::Acquire) == object_state::EMPTY {
                self.object_pending = true;
                continue;
            }
            let object = self.read_object(idx, entry).map_err(|reason| format!("object {idx} {reason}"))?;
            for (id, tracepoint) in (object.first_event_id..).zip(object.tracepoints.iter()) {
                if self.table.insert(id, Arc::clone(tracepoint)).is_some() {
                    return Err(format!("object {idx} uses event id {id}, which is taken"));
                }
            }
            self.objects.push(object);
        }
        Ok(())
    }

    fn read_object(&self, idx: usize, entry: &ObjectEntry) -> Result<Object, Refusal> {
        let offset_untrusted = entry.offset.load(Ordering::Relaxed);
        let bytes_untrusted = entry.bytes.load(Ordering::Relaxed);
        let count_untrusted = entry.tracepoint_count.load(Ordering::Relaxed);
        let first_untrusted = entry.first_event_id.load(Ordering::Relaxed);
        let ids_fit = first_untrusted.checked_add(count_untrusted).is_some_and(|end| end <= EVENT_ID_COUNT_MAX);
        if count_untrusted == 0 || !ids_fit {
            return Err(format!("has {count_untrusted} tracepoints from id {first_untrusted} on"));
        }
        let words_bytes = WORDS_BYTES * u64::from(count_untrusted);
        let piece_fits = offset_untrusted.is_multiple_of(PIECE_ALIGN)
            && HEAD_BYTES <= offset_untrusted
            && words_bytes <= bytes_untrusted
            && bytes_untrusted <= OBJECT_BYTES_MAX
            && offset_untrusted.checked_add(bytes_untrusted).is_some_and(|end| end <= self.identity.image_bytes);
        if !piece_fits {
            return Err(format!("has {bytes_untrusted} bytes at offset {offset_untrusted}"));
        }
        if self.descriptor_bytes.saturating_add(bytes_untrusted) > IMAGE_DESCRIPTOR_BYTES_MAX {
            return Err(format!("brings the descriptors above {IMAGE_DESCRIPTOR_BYTES_MAX} bytes"));
        }
        let mut copy = vec![0; (bytes_untrusted - words_bytes) as usize];
        self.file
            .read_exact_at(&mut copy, offset_untrusted + words_bytes)
            .map_err(|error| format!("cannot be read: {error}"))?;
        let tracepoints =
            descriptors::shared(copy, count_untrusted).map_err(|error| format!("is malformed: {error}"))?;
        let words = Mapping::new(&self.file, offset_untrusted, words_bytes)
            .map_err(|error| format!("cannot be mapped: {error}"))?;
        Ok(Object { idx, words, first_event_id: first_untrusted as u16, tracepoints })
    }

    /// Makes the rules those of the image: channels, then words, then the generation.
    pub(crate) fn apply_rules(&self, rules: &RulesView<'_>) {
        self.apply(rules, self.wanted);
    }

    /// Takes back words that a process which has just started has set on its own: the rules that it reads know nothing of trackers.
    pub(crate) fn store_words(&self, rules: &RulesView<'_>) {
        let strange = !(self.wanted | 1 << OWN_SLOT | 1 << SPECIAL_BIT);
        let words = self.objects.iter().flat_map(|object| {
            (0..object.tracepoints.len() as u64).filter_map(|i| object.words.region().word(WORDS_BYTES * i))
        });
        if words.map(|word| word.load(Ordering::Relaxed)).any(|word| word & strange != 0) {
            self.apply(rules, self.wanted);
        }
    }

    /// Lets the channel slots of `mask` have the events that the rules say.
    fn apply(&self, rules: &RulesView<'_>, mask: u64) {
        let head = self.head();
        // Memory first: nobody who touches the filter area may find a hole that a full file system cannot fill.
        let provide = |offset, bytes| sys::allocate(&self.file, offset, bytes).is_ok();
        let Some(mut application) = Application::begin(head, *rules, mask, provide) else { return };
        for object in &self.objects {
            let live = |entry: &ObjectEntry| entry.state.load(Ordering::Acquire) == object_state::LIVE;
            if !head.object(object.idx).is_some_and(live) {
                continue;
            }
            for (i, t) in (0..).zip(object.tracepoints.iter()) {
                let word = |n: u64| object.words.region().word(WORDS_BYTES * i + 8 * n);
                let (Some(enable), Some(filter)) = (word(0), word(1)) else { continue };
                let event = (t.provider.as_str(), t.name.as_str(), t.loglevel);
                if !application.apply(event, t.fields.as_slice(), enable, filter) {
                    // A program that starts applies the same rules, or newer ones.
                    return;
                }
            }
        }
        application.end();
    }

    /// Looks at directory entries that were not usable or not there at the last call. Returns what is wrong with new ones.
    pub(crate) fn read_rings(&mut self, channels: &Channels) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let count_untrusted = self.header().ring_count.load(Ordering::Acquire) as usize;
        if count_untrusted > RING_COUNT_MAX {
            refusals.push(format!("says it has {count_untrusted} rings, allowed are {RING_COUNT_MAX}"));
        }
        let count = count_untrusted.min(RING_COUNT_MAX);
        while self.slots.len() < count {
            self.slots.push(Slot::Unknown);
        }
        for idx in 0..self.slots.len() {
            if matches!(self.slots[idx], Slot::Unknown) {
                match self.look_at_ring(idx, channels) {
                    Ok(slot) => self.slots[idx] = slot,
                    Err(reason) => {
                        self.slots[idx] = Slot::Ignored;
                        refusals.push(format!("ring {idx} {reason}"));
                    }
                }
            }
        }
        refusals
    }

    fn look_at_ring(&mut self, idx: usize, channels: &Channels) -> Result<Slot, Refusal> {
        let head = self.head();
        let Some(entry) = head.ring(idx) else { return Ok(Slot::Ignored) };
        // Acquire: pairs with the Release store of the first lease; the shape is written before.
        let state = entry.state.load(Ordering::Acquire);
        if ring_state::of(state) == ring_state::EMPTY && ring_state::lease(state) == 0 {
            return Ok(Slot::Unknown);
        }
        let shape = Shape::load(entry, self.identity.image_bytes)?;
        let Some((channel, owner)) = channels.find(shape.channel_uid) else {
            self.holds_foreign = true;
            return Ok(Slot::Foreign);
        };
        let ours = Ring::map(idx, shape, &self.file, &channel, owner, self.origin());
        ours.map(|ring| Slot::Ours(Box::new(ring))).map_err(|error| format!("cannot be mapped: {error}"))
    }

    /// Gives rings of channels that no session has to `session`.
    ///
    /// # Errors
    /// The objects cannot be read.
    pub(crate) fn take_orphans(&mut self, session: u64, orphans: Orphans) -> Result<(), Refusal> {
        self.read_objects()?;
        let count = (self.header().ring_count.load(Ordering::Acquire) as usize).min(RING_COUNT_MAX);
        for idx in 0..count {
            let head = self.head();
            let shape = head.ring(idx).ok_or_else(String::new).and_then(|e| Shape::load(e, self.identity.image_bytes));
            let slot = shape.and_then(|shape| {
                if orphans == Orphans::OwnChannel && shape.channel_uid != OWN_CHANNEL_UID {
                    return Err("is of a channel that a session may have".to_owned());
                }
                let Geometry { subbuf_bytes, subbuf_count } = shape.geometry;
                let contexts =
                    contexts_of(&head, shape.channel_uid).ok_or("is of a channel that nobody knows any more")?;
                let channel = orphan_channel(shape.channel_uid, subbuf_bytes as u32, subbuf_count as u32, contexts);
                let ring = Ring::map(idx, shape, &self.file, &channel, session, self.origin());
                ring.map_err(|error| error.to_string())
            });
            self.slots.push(slot.map_or(Slot::Ignored, |ring| Slot::Ours(Box::new(ring))));
        }
        Ok(())
    }

    /// Whether no thread can write to a ring of channel `uid`: none is leased, being claimed, or unknown.
    pub(crate) fn is_quiet(&self, uid: u64) -> bool {
        let count = self.header().ring_count.load(Ordering::Acquire) as usize;
        (0..count.min(RING_COUNT_MAX)).all(|idx| {
            let head = self.head();
            let Some(entry) = head.ring(idx) else { return true };
            let state = ring_state::of(entry.state.load(Ordering::Acquire));
            let writable = matches!(state, ring_state::EMPTY | ring_state::LEASED);
            !writable || state == ring_state::LEASED && entry.channel_uid.load(Ordering::Relaxed) != uid
        })
    }

    /// The process as the author of a packet.
    pub(crate) fn origin(&self) -> Origin {
        Origin { vpid: self.identity.pid, vtid: self.identity.pid, procname: self.identity.procname }
    }

    /// Whether a thread has returned a ring since it was looked at last, of those that `is_drained` knows; it may be one that is
    /// not known here yet.
    pub(crate) fn has_returned(&self, is_drained: impl Fn(&Ring) -> bool) -> bool {
        let count_untrusted = self.header().ring_count.load(Ordering::Acquire) as usize;
        let mut unknown = self.slots.len()..count_untrusted.min(RING_COUNT_MAX);
        unknown.any(|idx| ring_state::of(self.ring_state_word(idx)) == ring_state::RETURNED)
            || self.returned_rings().any(is_drained)
    }

    /// The known rings that threads have returned.
    pub(crate) fn returned_rings(&self) -> impl Iterator<Item = &Ring> {
        self.rings().filter(|ring| {
            ring.reading == Reading::Open && ring_state::of(self.ring_state_word(ring.idx)) == ring_state::RETURNED
        })
    }

    /// The rings of ours.
    pub(crate) fn rings_mut(&mut self) -> impl Iterator<Item = &mut Ring> {
        self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Ours(ring) => Some(&mut **ring),
            _ => None,
        })
    }

    /// The rings of ours.
    pub(crate) fn rings(&self) -> impl Iterator<Item = &Ring> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Ours(ring) => Some(&**ring),
            _ => None,
        })
    }
}

/// The contexts of the channel of that uid, by the image's own table.
fn contexts_of(head: &Head, uid: u64) -> Option<ContextList> {
    let channels = (0..=OWN_SLOT as usize).filter_map(|slot| head.load_channel(slot));
    channels.into_iter().find(|channel| channel.uid == uid).map(|channel| channel.contexts)
}

/// Copies and checks what the header says.
fn check_header(header: &ImageHeader, file_bytes: u64) -> Result<Identity, Refusal> {
    let magic = header.magic.load(Ordering::Relaxed);
    if magic != IMAGE_MAGIC {
        return Err(format!("is no image: it begins with {magic:#018x}"));
    }
    let abi = header.abi.load(Ordering::Relaxed);
    if abi != IMAGE_ABI {
        return Err(format!("has layout version {abi}, known is {IMAGE_ABI}"));
    }
    let clock_untrusted = header.clock.load(Ordering::Relaxed);
    if !matches!(clock_untrusted, clock::TSC | clock::MONOTONIC) {
        return Err(format!("has clock kind {clock_untrusted}"));
    }
    let image_bytes_untrusted = header.image_bytes.load(Ordering::Relaxed);
    if image_bytes_untrusted != file_bytes {
        return Err(format!("says it has {image_bytes_untrusted} bytes, the file has {file_bytes}"));
    }
    let mut procname = [0; 16];
    let (words, _) = procname.as_chunks_mut::<8>();
    for (bytes, shared) in words.iter_mut().zip(&header.procname) {
        *bytes = shared.load(Ordering::Relaxed).to_le_bytes();
    }
    Ok(Identity {
        pid: header.pid.load(Ordering::Relaxed) as i32,
        exec_id: header.exec_id.load(Ordering::Relaxed),
        created_ns: header.created_ns.load(Ordering::Relaxed),
        procname,
        clock: clock_untrusted,
        image_bytes: file_bytes,
        own_trace: header.flags.load(Ordering::Relaxed) & flags::OWN_TRACE != 0,
    })
}

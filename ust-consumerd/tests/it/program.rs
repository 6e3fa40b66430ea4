// SPDX-License-Identifier: MIT OR Apache-2.0
//! A stand-in for a traced program: makes an image and writes to its rings with the writer's end of `ust-shm`.
//!
//! # Safety
//! Mappings live as long as the structures that hold their regions.

#![allow(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};
use ust_shm::descriptor::{Base, FieldDesc, FieldType, Integer, LogLevel, Scalar, TracepointDesc};
use ust_shm::encode::{encode, encoded_bytes};
use ust_shm::head::Head;
use ust_shm::layout::{
    COUNTERS_OFFSET, ENTRY_BYTES, HEAD_BYTES, IMAGE_ABI, IMAGE_MAGIC, RingHeader, SubbufEntry, WORDS_BYTES, clock,
    entries_offset, image_state, object_state, ring_header_bytes, ring_state,
};
use ust_shm::limits::PIECE_ALIGN;
use ust_shm::region::Region;
use ust_shm::ring::writer::{Cursor, SwitchError, WhenFull, count};
use ust_shm::ring::{Geometry, RingWords};

/// Bytes of an event of these programs: the header word and one 32-bit field.
pub const EVENT_BYTES: u64 = 12;

const VALUE: FieldDesc = FieldDesc {
    name: "value",
    ty: FieldType::Scalar(Scalar::Integer(Integer { bits: 32, signed: false, base: Base::Decimal, network: false })),
    nowrite: false,
};

/// A tracepoint with the field `value`.
pub const fn tracepoint(provider: &'static str, name: &'static str) -> TracepointDesc {
    TracepointDesc {
        provider,
        name,
        loglevel: LogLevel::Info,
        model_emf_uri: "",
        file: "program.rs",
        line: 1,
        module: "program",
        fields: &[VALUE],
    }
}

/// What the programs declare unless they say otherwise.
pub const USUAL: &[TracepointDesc] = &[tracepoint("test", "one"), tracepoint("test", "two")];

/// Time as these programs stamp it.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is an exclusive local.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn boot_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is an exclusive local.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn map(file: &File, offset: u64, bytes: u64) -> (MmapRaw, Region) {
    let pages = MmapOptions::new().offset(offset).len(bytes as usize).map_raw(file).expect("address space");
    let base = NonNull::new(pages.as_mut_ptr()).expect("not null");
    // SAFETY: mapped just now; the caller keeps the mapping next to the region.
    let region = unsafe { Region::new(base, bytes) };
    (pages, region)
}

/// A process id that belonged to a process that is gone.
pub fn dead_pid() -> i32 {
    let mut child = std::process::Command::new("true").spawn().expect("`true` runs");
    let pid = child.id() as i32;
    child.wait().expect("our child");
    pid
}

/// This process's id: a program that lives.
pub fn live_pid() -> i32 {
    std::process::id() as i32
}

/// A traced program.
pub struct Program {
    pub path: PathBuf,
    pub file: File,
    pub head: Head,
    _head_pages: MmapRaw,
    words: Vec<(MmapRaw, Region)>,
    next_piece: u64,
    hidden: PathBuf,
    event_id_count: u32,
}

static NONCE: AtomicU64 = AtomicU64::new(1);

impl Program {
    /// Makes an image that is not published yet.
    pub fn prepare(runtime_dir: &Path, pid: i32, exec_id: u64) -> Self {
        let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
        let apps = runtime_dir.join("apps");
        let hidden = apps.join(format!(".{pid}-{nonce:x}"));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&hidden).expect("runtime dir");
        let image_bytes = 1 << 30;
        file.set_len(image_bytes).expect("sparse");
        let (pages, region) = map(&file, 0, HEAD_BYTES);
        let head = Head::new(region).expect("large enough");
        let header = head.header().expect("large enough");
        header.magic.store(IMAGE_MAGIC, Ordering::Relaxed);
        header.abi.store(IMAGE_ABI, Ordering::Relaxed);
        header.clock.store(clock::MONOTONIC, Ordering::Relaxed);
        header.image_bytes.store(image_bytes, Ordering::Relaxed);
        header.pid.store(pid as u32, Ordering::Relaxed);
        header.exec_id.store(exec_id, Ordering::Relaxed);
        header.created_ns.store(boot_ns(), Ordering::Relaxed);
        header.procname[0].store(u64::from_le_bytes(*b"program\0"), Ordering::Relaxed);
        header.state.store(image_state::LIVE, Ordering::Relaxed);
        Self {
            path: apps.join(format!("{pid}-{nonce:x}")),
            file,
            head,
            _head_pages: pages,
            words: Vec::new(),
            next_piece: HEAD_BYTES,
            hidden,
            event_id_count: 0,
        }
    }

    /// Makes and publishes an image with the usual tracepoints.
    pub fn start(runtime_dir: &Path, pid: i32) -> Self {
        let mut program = Self::prepare(runtime_dir, pid, 1);
        program.add_object(USUAL);
        program.publish();
        program
    }

    pub fn publish(&self) {
        fs::rename(&self.hidden, &self.path).expect("same directory");
    }

    fn piece(&mut self, bytes: u64) -> u64 {
        let offset = self.next_piece;
        self.next_piece += bytes.next_multiple_of(PIECE_ALIGN);
        offset
    }

    /// Registers a linked object.
    pub fn add_object(&mut self, tracepoints: &[TracepointDesc]) {
        let words_bytes = WORDS_BYTES * tracepoints.len() as u64;
        let bytes = words_bytes + tracepoints.iter().map(encoded_bytes).sum::<u64>();
        let offset = self.piece(bytes);
        let (pages, region) = map(&self.file, offset, bytes);
        let mut at = words_bytes;
        for tracepoint in tracepoints {
            encode(tracepoint, &mut |part| {
                assert!(region.store_bytes(at, part));
                at += part.len() as u64;
            });
        }
        let entry = self.head.object(self.words.len()).expect("room");
        entry.offset.store(offset, Ordering::Relaxed);
        entry.bytes.store(bytes, Ordering::Relaxed);
        entry.tracepoint_count.store(tracepoints.len() as u32, Ordering::Relaxed);
        entry.first_event_id.store(self.event_id_count, Ordering::Relaxed);
        entry.state.store(object_state::LIVE, Ordering::Release);
        self.event_id_count += tracepoints.len() as u32;
        self.words.push((pages, region));
        self.head.header().expect("mapped").object_count.store(self.words.len() as u32, Ordering::Release);
    }

    /// The enable word of tracepoint `i` of object `object`.
    pub fn word(&self, object: usize, i: u64) -> u64 {
        self.words[object].1.word(WORDS_BYTES * i).expect("in range").load(Ordering::Acquire)
    }

    /// The filter word of tracepoint `i` of object `object`.
    pub fn filter_word(&self, object: usize, i: u64) -> &AtomicU64 {
        self.words[object].1.word(WORDS_BYTES * i + 8).expect("in range")
    }

    /// Makes a ring for the channel in slot 0, leased by thread `vtid`.
    pub fn ring(&mut self, vtid: u32, name: &str) -> Writer {
        let channel = self.head.load_channel(0).expect("rules were applied");
        let counter_count = self.event_id_count + 1;
        let header_bytes = ring_header_bytes(channel.subbuf_count, counter_count);
        let geometry =
            Geometry { subbuf_bytes: channel.subbuf_bytes.into(), subbuf_count: channel.subbuf_count.into() };
        let bytes = header_bytes + geometry.ring_bytes();
        let offset = self.piece(bytes);
        let (pages, region) = map(&self.file, offset, bytes);
        let header = self.head.header().expect("mapped");
        let idx = header.ring_count.fetch_add(1, Ordering::AcqRel) as usize;
        let entry = self.head.ring(idx).expect("room");
        entry.arena_offset.store(offset, Ordering::Relaxed);
        entry.header_bytes.store(header_bytes as u32, Ordering::Relaxed);
        entry.subbuf_bytes.store(channel.subbuf_bytes, Ordering::Relaxed);
        entry.subbuf_count.store(channel.subbuf_count, Ordering::Relaxed);
        entry.slot_level.store(0, Ordering::Relaxed);
        entry.channel_uid.store(channel.uid, Ordering::Relaxed);
        entry.counter_count.store(counter_count, Ordering::Relaxed);
        let overwrite = channel.mode == ust_shm::layout::LossMode::Overwrite;
        let writer = Writer {
            region,
            _pages: pages,
            head: self.head,
            idx,
            geometry,
            header_bytes,
            counter_count,
            cursor: Cursor::default(),
            cpu: 0,
            when_full: if overwrite { WhenFull::Overwrite } else { WhenFull::Respect },
        };
        writer.lease(1, vtid, name);
        writer
    }

    pub fn close(&self) {
        self.head.header().expect("mapped").state.store(image_state::CLOSED, Ordering::Release);
    }
}

/// A thread of a traced program, with its ring.
pub struct Writer {
    pub region: Region,
    _pages: MmapRaw,
    head: Head,
    pub idx: usize,
    geometry: Geometry,
    pub header_bytes: u64,
    counter_count: u32,
    pub cursor: Cursor,
    /// Where the thread runs.
    pub cpu: u32,
    when_full: WhenFull,
}

impl RingWords for Writer {
    fn header(&self) -> &RingHeader {
        self.region.get(0).expect("mapped")
    }

    fn entry(&self, idx: u64) -> Option<&SubbufEntry> {
        self.region.get(entries_offset(self.counter_count) + ENTRY_BYTES * idx)
    }

    fn geometry(&self) -> Geometry {
        self.geometry
    }
}

impl Writer {
    pub fn state(&self) -> &AtomicU64 {
        &self.head.ring(self.idx).expect("in range").state
    }

    /// Begins lease number `lease` for a thread.
    pub fn lease(&self, lease: u64, vtid: u32, name: &str) {
        let header = self.header();
        header.vtid.store(vtid, Ordering::Relaxed);
        let mut bytes = [0; 16];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        for (slot, word) in header.procname.iter().zip(bytes.as_chunks::<4>().0) {
            slot.store(u32::from_le_bytes(*word), Ordering::Relaxed);
        }
        self.cursor.lease(self, now(), self.cpu);
        self.state().store(ring_state::word(lease, ring_state::LEASED), Ordering::Release);
    }

    /// The thread ends.
    pub fn give_back(&self) {
        let lease = ring_state::lease(self.state().load(Ordering::Relaxed));
        self.state().store(ring_state::word(lease, ring_state::RETURNED), Ordering::Release);
    }

    /// Records event `id` with `value`; returns whether it was not discarded.
    pub fn record(&self, id: u16, value: u32) -> bool {
        let time = now();
        if !self.cursor.has_room(EVENT_BYTES) {
            match self.cursor.switch(self, EVENT_BYTES, time, self.cpu, self.when_full) {
                Ok(()) => {}
                Err(SwitchError::Full) => {
                    count(&self.header().discarded_full);
                    return false;
                }
                Err(error) => panic!("the fixture's ring is {error:?}"),
            }
        }
        let stamp = if self.cursor.is_odd(time, self.cpu) {
            self.cursor.admit(self, EVENT_BYTES, time, self.cpu, self.when_full).expect("room")
        } else {
            time
        };
        let position = self.cursor.position.get();
        let mut event = (stamp << 16 | u64::from(id)).to_le_bytes().to_vec();
        event.extend(value.to_le_bytes());
        assert!(self.region.store_bytes(self.header_bytes + self.geometry.data_offset(position), &event));
        let counter_idx = u32::from(id).min(self.counter_count - 1);
        count(self.region.word(COUNTERS_OFFSET + 8 * u64::from(counter_idx)).expect("mapped"));
        self.cursor.commit(self.header(), position + EVENT_BYTES, stamp);
        true
    }

    /// Records values until the current sub-buffer has no room, and then enters the next one with one more. Returns
    /// how many values that were.
    pub fn fill_subbuf(&self, first_value: u32) -> u32 {
        let mut value = first_value;
        while self.cursor.has_room(EVENT_BYTES) {
            assert!(self.record(0, value));
            value += 1;
        }
        assert!(self.record(0, value), "there is a next sub-buffer");
        value + 1 - first_value
    }

    /// Records until the ring is full; returns how many events it took.
    pub fn fill_ring(&self) -> u32 {
        let mut value = 0;
        while self.record(0, value) {
            value += 1;
        }
        value
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The structures of `docs/shm-layout.md`, with compile-time checks of size and offset.
//!
//! Each structure consists of atomics alone, padding included. A shared reference to one therefore promises
//! nothing about its bytes (`UnsafeCell` throughout), which is what another process that stores to them
//! requires. Values are untrusted until checked; nothing here checks them.

use crate::atomics::{AtomicU32, AtomicU64};
use crate::limits::*;

/// First word of an image: `"\0USTIMG1"`.
pub const IMAGE_MAGIC: u64 = 0x3147_4d49_5453_5500;
/// Version of the image's layout.
pub const IMAGE_ABI: u32 = 1;
/// First word of `rules`.
pub const RULES_MAGIC: u64 = 0x3145_4c55_5254_5355;
/// Version of the rules' layout.
pub const RULES_ABI: u32 = 1;

/// Offset of the channel table.
pub const CHANNELS_OFFSET: u64 = 4096;
/// Offset of the object table.
pub const OBJECTS_OFFSET: u64 = 8192;
/// Offset of the ring directory.
pub const RINGS_OFFSET: u64 = 16_384;
/// Offset of the filter area.
pub const FILTERS_OFFSET: u64 = 327_680;
/// Bytes of the filter area: two halves, each for some thousand small filters.
pub const FILTERS_BYTES: u64 = 262_144;
/// Bytes before the first piece.
pub const HEAD_BYTES: u64 = FILTERS_OFFSET + FILTERS_BYTES;

/// Slots of the channel table; the last one is never used, since its bit is another mark.
pub const CHANNEL_SLOT_COUNT: usize = 64;
/// Bytes of the two words of a tracepoint: enable word, filter word.
pub const WORDS_BYTES: u64 = 16;

/// Uid of the channel in slot `OWN_SLOT`, in every image; consumers hand out smaller ones.
pub const OWN_CHANNEL_UID: u64 = u64::MAX;

/// Offset of the event counters in an arena: directly behind the header, so that a writer needs one address for both.
pub const COUNTERS_OFFSET: u64 = 512;
/// Bytes of one sub-buffer entry.
pub const ENTRY_BYTES: u64 = 128;

/// Clock kinds in [`ImageHeader::clock`].
pub mod clock {
    /// Cycles of the time stamp counter (`cntvct_el0` on aarch64).
    pub const TSC: u32 = 1;
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub const MONOTONIC: u32 = 2;
}

/// Bits of [`ImageHeader::flags`].
pub mod flags {
    /// The program may be made to wait by channels in block mode.
    pub const ALLOW_BLOCKING: u32 = 1;
    /// The program is its own flight recorder.
    pub const OWN_TRACE: u32 = 2;
}

/// Values of [`ImageHeader::state`].
pub mod image_state {
    /// The owner runs, or died without a word.
    pub const LIVE: u32 = 1;
    /// The owner ended in good order, or its library was unloaded.
    pub const CLOSED: u32 = 2;
}

/// Values of [`ObjectEntry::state`].
pub mod object_state {
    /// Not in use, or being written.
    pub const EMPTY: u32 = 0;
    /// Registered.
    pub const LIVE: u32 = 1;
    /// Unloaded.
    pub const GONE: u32 = 2;
}

/// Low byte of [`RingEntry::state`].
pub mod ring_state {
    /// Not in use, or being written.
    pub const EMPTY: u64 = 0;
    /// Drained; a thread may take it.
    pub const FREE: u64 = 1;
    /// A thread writes to it.
    pub const LEASED: u64 = 2;
    /// Its thread ended; the consumer has not drained it yet.
    pub const RETURNED: u64 = 3;
    /// An invariant broke; never used again.
    pub const POISONED: u64 = 4;

    /// Joins a lease number and a state.
    #[must_use]
    pub const fn word(lease: u64, state: u64) -> u64 {
        lease << 8 | state
    }
    /// The state in a word.
    #[must_use]
    pub const fn of(word: u64) -> u64 {
        word & 0xff
    }
    /// The lease number in a word.
    #[must_use]
    pub const fn lease(word: u64) -> u64 {
        word >> 8
    }
}

/// Why an event was lost outside any ring: index into [`ImageHeader::lost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum LostCause {
    /// No ring could be had: table, file system, address space or mapping count full.
    NoRing = 0,
    /// A signal handler nested deeper than [`LEVEL_COUNT`].
    Nested = 1,
    /// A record left by a non-local exit.
    Abandoned = 2,
    /// A word in shared memory broke the protocol.
    Corrupt = 3,
    /// The thread's tracing state was already torn down.
    ThreadGone = 4,
    /// A filter could not be asked: it is corrupt, kept changing, or found no memory for the record.
    Filter = 5,
}

/// What happens when a ring is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum LossMode {
    /// The new event is counted and not written.
    Discard = 0,
    /// The oldest sub-buffer is overwritten.
    Overwrite = 1,
    /// The writer waits, up to the channel's time limit.
    Block = 2,
}

impl LossMode {
    /// The mode with this number.
    #[must_use]
    pub const fn from_u32(n: u32) -> Option<Self> {
        match n {
            0 => Some(Self::Discard),
            1 => Some(Self::Overwrite),
            2 => Some(Self::Block),
            _ => None,
        }
    }
}

/// First page of an image.
#[repr(C)]
#[allow(missing_docs)] // the table in docs/shm-layout.md is the documentation
pub struct ImageHeader {
    pub magic: AtomicU64,
    pub abi: AtomicU32,
    pub clock: AtomicU32,
    pub image_bytes: AtomicU64,
    pub pid: AtomicU32,
    pub flags: AtomicU32,
    pub exec_id: AtomicU64,
    pub created_ns: AtomicU64,
    pub procname: [AtomicU64; 2],
    pub state: AtomicU32,
    pub object_count: AtomicU32,
    pub ring_count: AtomicU32,
    pub event_id_count: AtomicU32,
    pub allocated: AtomicU64,
    pub pid_ns: AtomicU64,
    pad0: [AtomicU64; 4],
    pub rules_generation: AtomicU64,
    pub wakeup_wanted: AtomicU32,
    pad1: AtomicU32,
    pub filter_seq: AtomicU64,
    pad2: [AtomicU64; 13],
    pub lost: [AtomicU64; 16],
}

/// One slot of the channel table.
#[repr(C)]
#[allow(missing_docs)]
pub struct ChannelSlot {
    pub uid: AtomicU64,
    pub subbuf_bytes: AtomicU32,
    pub subbuf_count: AtomicU32,
    pub mode: AtomicU32,
    pub reserved: AtomicU32,
    pub block_timeout_us: AtomicU64,
    /// Codes of contexts, eight to a word.
    pub contexts: [AtomicU64; CONTEXT_COUNT_MAX / 8],
}

/// One entry of the object table.
#[repr(C)]
#[allow(missing_docs)]
pub struct ObjectEntry {
    pub offset: AtomicU64,
    pub bytes: AtomicU64,
    pub tracepoint_count: AtomicU32,
    pub first_event_id: AtomicU32,
    pub state: AtomicU32,
    pub reserved: AtomicU32,
}

/// One entry of the ring directory.
#[repr(C)]
#[allow(missing_docs)]
pub struct RingEntry {
    pub state: AtomicU64,
    pub arena_offset: AtomicU64,
    pub header_bytes: AtomicU32,
    pub subbuf_bytes: AtomicU32,
    pub subbuf_count: AtomicU32,
    /// `level << 16 | channel slot`.
    pub slot_level: AtomicU32,
    pub channel_uid: AtomicU64,
    pub counter_count: AtomicU32,
    pad0: AtomicU32,
    pad1: [AtomicU64; 2],
}

/// Begin of a ring's arena.
#[repr(C)]
#[allow(missing_docs)]
pub struct RingHeader {
    pub committed: AtomicU64,
    pub last_timestamp: AtomicU64,
    pub subbuf_end: AtomicU64,
    pub discarded_full: AtomicU64,
    pub discarded_big: AtomicU64,
    pub discarded_wait: AtomicU64,
    pad0: [AtomicU64; 10],
    pub consumed: AtomicU64,
    pub consumed_seq: AtomicU32,
    pad1: AtomicU32,
    pub reported: AtomicU64,
    pad2: [AtomicU64; 5],
    pub writer_waits: AtomicU32,
    pad3: AtomicU32,
    pad4: [AtomicU64; 7],
    pub lease_begin: AtomicU64,
    pub vtid: AtomicU32,
    pub procname: [AtomicU32; 4],
    pad5: AtomicU32,
    pad6: [AtomicU64; 28],
}

/// What the writer notes of one sub-buffer.
#[repr(C)]
#[allow(missing_docs)]
#[derive(Default)]
pub struct SubbufEntry {
    pub begin: AtomicU64,
    pub begin_timestamp: AtomicU64,
    pub content_end: AtomicU64,
    pub end_timestamp: AtomicU64,
    pub discarded: AtomicU64,
    pub cpu: AtomicU32,
    pub migration_count: AtomicU32,
    pub migrations: [Migration; MIGRATION_COUNT_MAX as usize],
}

/// A CPU change inside a sub-buffer.
#[repr(C)]
#[allow(missing_docs)]
#[derive(Default)]
pub struct Migration {
    pub offset: AtomicU32,
    pub cpu: AtomicU32,
    pub timestamp: AtomicU64,
}

#[cfg(loom)]
impl Default for RingHeader {
    fn default() -> Self {
        // The model checker's atomics cannot be made from zero bytes.
        use core::array::from_fn;
        Self {
            committed: AtomicU64::new(0),
            last_timestamp: AtomicU64::new(0),
            subbuf_end: AtomicU64::new(0),
            discarded_full: AtomicU64::new(0),
            discarded_big: AtomicU64::new(0),
            discarded_wait: AtomicU64::new(0),
            pad0: from_fn(|_| AtomicU64::new(0)),
            consumed: AtomicU64::new(0),
            consumed_seq: AtomicU32::new(0),
            pad1: AtomicU32::new(0),
            reported: AtomicU64::new(0),
            pad2: from_fn(|_| AtomicU64::new(0)),
            writer_waits: AtomicU32::new(0),
            pad3: AtomicU32::new(0),
            pad4: from_fn(|_| AtomicU64::new(0)),
            lease_begin: AtomicU64::new(0),
            vtid: AtomicU32::new(0),
            procname: from_fn(|_| AtomicU32::new(0)),
            pad5: AtomicU32::new(0),
            pad6: from_fn(|_| AtomicU64::new(0)),
        }
    }
}

/// Where the sub-buffer entries begin in an arena with this many event counters: a multiple of their size.
#[must_use]
pub const fn entries_offset(counter_count: u32) -> u64 {
    (COUNTERS_OFFSET + 8 * counter_count as u64).next_multiple_of(ENTRY_BYTES)
}

/// Bytes of a ring's header for this many sub-buffers and event counters: a multiple of a page.
#[must_use]
pub const fn ring_header_bytes(subbuf_count: u32, counter_count: u32) -> u64 {
    let bytes = entries_offset(counter_count) + ENTRY_BYTES * subbuf_count as u64;
    bytes.next_multiple_of(4096)
}

/// Whether a ring may have this geometry.
#[must_use]
pub const fn geometry_is_valid(subbuf_bytes: u32, subbuf_count: u32) -> bool {
    subbuf_bytes.is_power_of_two()
        && subbuf_count.is_power_of_two()
        && SUBBUF_BYTES_MIN <= subbuf_bytes
        && subbuf_bytes <= SUBBUF_BYTES_MAX
        && SUBBUF_COUNT_MIN <= subbuf_count
        && subbuf_count <= SUBBUF_COUNT_MAX
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(offset_of!(ImageHeader, procname) == 48);
    assert!(offset_of!(ImageHeader, state) == 64);
    assert!(offset_of!(ImageHeader, allocated) == 80);
    assert!(offset_of!(ImageHeader, pid_ns) == 88);
    assert!(offset_of!(ImageHeader, rules_generation) == 128);
    assert!(offset_of!(ImageHeader, wakeup_wanted) == 136);
    assert!(offset_of!(ImageHeader, filter_seq) == 144);
    assert!(offset_of!(ImageHeader, lost) == 256);
    assert!(size_of::<ImageHeader>() == 384);
    assert!(size_of::<ChannelSlot>() == 64);
    assert!(size_of::<ObjectEntry>() == 32);
    assert!(size_of::<RingEntry>() == 64);
    assert!(offset_of!(RingEntry, channel_uid) == 32);
    assert!(offset_of!(RingHeader, consumed) == 128);
    assert!(offset_of!(RingHeader, writer_waits) == 192);
    assert!(offset_of!(RingHeader, lease_begin) == 256);
    assert!(offset_of!(RingHeader, procname) == 268);
    assert!(size_of::<RingHeader>() as u64 == COUNTERS_OFFSET);
    assert!(size_of::<SubbufEntry>() as u64 == ENTRY_BYTES);
    assert!(offset_of!(SubbufEntry, migrations) == 48);
    assert!(offset_of!(ChannelSlot, contexts) == 32);
    assert!(CHANNELS_OFFSET + 64 * CHANNEL_SLOT_COUNT as u64 == OBJECTS_OFFSET);
    assert!(CHANNEL_COUNT_MAX == OWN_SLOT as usize && OWN_SLOT < SPECIAL_BIT && OWN_SLOT < CHANNEL_SLOT_COUNT as u32);
    assert!(OBJECTS_OFFSET + 32 * OBJECT_COUNT_MAX as u64 == RINGS_OFFSET);
    assert!(RINGS_OFFSET + 64 * RING_COUNT_MAX as u64 <= FILTERS_OFFSET);
    assert!(FILTERS_OFFSET.is_multiple_of(PIECE_ALIGN));
    assert!(HEAD_BYTES.is_multiple_of(PIECE_ALIGN));
    assert!(u64::from_le_bytes(*b"\0USTIMG1") == IMAGE_MAGIC);
    assert!(u64::from_le_bytes(*b"USTRULE1") == RULES_MAGIC);
};

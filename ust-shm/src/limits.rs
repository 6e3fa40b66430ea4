// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every limit of the contract, with the reason for the number.

/// Channels in a runtime directory: one bit each in an enable word, in which one bit is that of [`OWN_SLOT`] and one is [`SPECIAL_BIT`].
pub const CHANNEL_COUNT_MAX: usize = 62;

/// The channel slot of what a program records on its own: no consumer hands it out, and no rules name it.
pub const OWN_SLOT: u32 = 62;

/// The bit of an enable word that says that the tracepoint has an entry in the filter area: a filter for some channel, or a channel
/// with contexts. Two bits are set then, which no event of the fast path has.
pub const SPECIAL_BIT: u32 = 63;

/// Contexts of a channel: as many codes as its slot in the channel table has room for. LTTng has 20 besides counters.
pub const CONTEXT_COUNT_MAX: usize = 32;

/// Bytes of a filter's program, some hundreds of operators.
pub const FILTER_BYTES_MAX: usize = 16 << 10;

/// Fields and contexts that a filter refers to.
pub const FILTER_REFERENCE_COUNT_MAX: usize = 256;

/// Values that a filter has on its stack, which lies on that of the traced thread: parentheses to the right of operators.
pub const FILTER_STACK_MAX: usize = 32;

/// Programs that are asked about one event: several rules for each of some channels.
pub const FILTER_COUNT_MAX: usize = 256;

/// Linked objects of one process that declare tracepoints; large plug-in hosts load some dozens.
pub const OBJECT_COUNT_MAX: usize = 256;

/// Tracepoints of one process: the event id has 16 bits, and 65,535 stays free as a mark.
pub const EVENT_ID_COUNT_MAX: u32 = 65_535;

/// Rings of one process. A ring costs at least 12 KiB, and 5,000 threads are a large program.
pub const RING_COUNT_MAX: usize = 4096;

/// Signal nesting levels of one thread: the program, a handler, a handler inside it, one to spare.
pub const LEVEL_COUNT: usize = 4;

/// Smallest sub-buffer: one page, below which packet headers dominate.
pub const SUBBUF_BYTES_MIN: u32 = 4096;

/// Largest sub-buffer: offsets inside one are 32 bits with room to spare.
pub const SUBBUF_BYTES_MAX: u32 = 64 << 20;

/// Fewest sub-buffers: one is read while one is written.
pub const SUBBUF_COUNT_MIN: u32 = 2;

/// Most sub-buffers: their entries must fit a ring header of 16 KiB.
pub const SUBBUF_COUNT_MAX: u32 = 64;

/// CPU changes noted in one sub-buffer: as many as fill its 128-byte entry.
pub const MIGRATION_COUNT_MAX: u32 = 5;

/// Apparent size of an image; the file is sparse, so the number costs nothing.
pub const IMAGE_BYTES: u64 = 64 << 30;

/// Pieces of an image begin at multiples of this: the largest page size of the supported machines.
pub const PIECE_ALIGN: u64 = 65_536;

/// Event counters of a ring: a bound on what a table of many tracepoints adds to each ring.
pub const COUNTER_COUNT_MAX: u32 = 4096;

/// Bytes of `rules`: 4,096 rules of 255 bytes.
pub const RULES_BYTES_MAX: usize = 1 << 20;

/// Event rules in `rules`.
pub const RULE_COUNT_MAX: u32 = 4096;

/// Ids of one kind that `rules` names for one slot; beyond that the consumer alone keeps the others out.
pub const TRACKED_ID_COUNT_MAX: usize = 1024;

/// `provider:name` in bytes, as in LTTng, so that its tools can show every event.
pub const EVENT_NAME_BYTES_MAX: usize = 255;

/// Bytes of any string in a descriptor.
pub const STRING_BYTES_MAX: usize = 4096;

/// Fields of one tracepoint.
pub const FIELD_COUNT_MAX: usize = 1024;

/// Names of one enumeration.
pub const MAPPING_COUNT_MAX: usize = 4096;

/// Bytes of one object's piece, which the consumer copies before it parses.
pub const OBJECT_BYTES_MAX: u64 = 64 << 20;

/// The low bits of a time stamp that an event stores.
pub const TIMESTAMP_BITS: u32 = 48;

/// A gap of this many ticks between two events forces a new sub-buffer, far below the 48-bit ambiguity.
pub const TIMESTAMP_GAP_MAX: u64 = 1 << 47;

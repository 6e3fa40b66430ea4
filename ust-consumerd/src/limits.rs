// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every limit of the engine, with the reason for the number.

use std::time::Duration;

/// Guarded mappings: a head, some objects and the rings of each of many processes. Half the kernel's default
/// limit of mappings per process, since the caller needs some too.
pub(crate) const MAPPING_COUNT_MAX: usize = 32_768;

/// Bytes taken from one image before the others have their turn.
pub(crate) const IMAGE_ROUND_BYTES_MAX: u64 = 32 << 20;

/// Packets taken from one image before the others have their turn.
pub(crate) const IMAGE_ROUND_PACKETS_MAX: u32 = 1024;

/// Drain rounds between two looks at what else has happened.
pub(crate) const ROUNDS_PER_POLL: u32 = 4;

/// Bytes of descriptors of one image that are read: what a process makes the consumer keep and print.
pub(crate) const IMAGE_DESCRIPTOR_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a ring's header: 64 entries and 4,096 counters need 41 KiB.
pub(crate) const RING_HEADER_BYTES_MAX: u64 = 64 << 10;

/// Warnings kept for the summary; more are only counted.
pub(crate) const WARNING_COUNT_MAX: usize = 32;

/// Descriptors left to the caller and to short-lived needs when stream files are kept open.
pub(crate) const DESCRIPTOR_RESERVE: u64 = 64;

/// Default time after which half-filled sub-buffers are written out.
pub(crate) const TICK_DEFAULT: Duration = Duration::from_millis(100);

/// Time after which an image that says it is closed, but whose process lives on, is finished.
pub(crate) const CLOSED_GRACE: Duration = Duration::from_secs(1);

/// Bytes of a path that a unix socket can be bound to.
pub(crate) const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Names of registered tracepoints kept for suggestions.
pub(crate) const REGISTERED_COUNT_MAX: usize = 4096;

/// Ticks by which a traced program's clock may be ahead of ours: about a second, far more than CPUs differ.
pub(crate) const CLOCK_SKEW_MAX: u64 = 1 << 31;

/// Discarded events that a packet can tell of: babeltrace2 keeps the highest number for itself, and subtracts.
pub(crate) const DISCARDED_MAX: u64 = i64::MAX as u64;

/// First hole at the end of a stream file: what a small trace needs.
pub(crate) const HOLE_BYTES_MIN: u64 = 1 << 20;

/// Largest hole at the end of a stream file. It takes no room on disk, only in listings.
pub(crate) const HOLE_BYTES_MAX: u64 = 64 << 20;

/// Private directories of killed recorders that are kept for a recovery; each may hold rings in memory.
pub(crate) const ABANDONED_DIRS_KEPT: usize = 4;

/// How long a slot rests before it is given to a channel of another shape: a thread that had seen the old bit has long
/// leased its ring by then, unless it was stopped.
pub(crate) const SLOT_REST: Duration = Duration::from_secs(10);

/// Tick of an engine that has images and no session: it sees what closed.
pub(crate) const IDLE_TICK: Duration = Duration::from_secs(1);

/// Images of ended processes that flight recorders keep; the oldest goes. Each may hold some rings in memory.
pub(crate) const KEPT_IMAGE_COUNT_MAX: usize = 32;

/// Bytes of a ring that are copied before they are written: the default ring many times.
pub(crate) const COPY_BATCH_BYTES_MAX: u64 = 32 << 20;

/// Laps of a ring that are read for a snapshot of one: a writer that is faster than a copy leaves little of each.
pub(crate) const COPY_LAPS_MAX: u64 = 8;

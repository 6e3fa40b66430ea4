// SPDX-License-Identifier: MIT OR Apache-2.0
//! The limits of the reader, and why each is what it is.

/// Depth to which types of the metadata may nest, aliases included.
///
/// The parser calls itself for each level, so this bounds its stack; real traces stay below 10.
pub(crate) const TYPE_DEPTH_MAX: usize = 64;

/// Size of the metadata of one trace, in bytes.
///
/// Reading it needs up to about 60 times as much memory if every byte is chosen to hurt (a fifth of that
/// in practice). A Linux kernel with every tracepoint enabled has about 2 MiB.
pub(crate) const METADATA_BYTES_MAX: usize = 32 << 20;

/// Number of classes of one trace once every alias is replaced by what it means.
///
/// Each use of an alias is a class of its own in a [`crate::class::TraceClass`], at some 300 bytes, so a chain of
/// aliases that each use the one before twice would fill the memory. A Linux kernel has about 40,000.
pub(crate) const CLASSES_MAX: u64 = 1 << 20;

/// Bytes of a name that cost as much as one class.
pub(crate) const NAME_BYTES_PER_CLASS: usize = 64;

/// Steps that finding the fields to which lengths and selectors refer may take, in one trace.
///
/// A step is a member or a label that is looked at. Without a limit a variant that refers into a variant
/// would take the product of both. A step can also be a range of values that is kept, in 32 bytes; real traces stay
/// below 100,000.
pub(crate) const REFERENCE_STEPS_MAX: u64 = 1 << 22;

/// Tokens of one statement of TSDL, for example of one event; each takes 40 bytes while it is parsed.
pub(crate) const STATEMENT_TOKENS_MAX: usize = 4 << 20;

/// Warnings that are kept for one stream; more of them say nothing new and would fill the memory.
pub(crate) const WARNINGS_PER_STREAM_MAX: usize = 100;

/// Elements of an array that have no bits: no file bounds them, and readers print each.
pub(crate) const EMPTY_ELEMENTS_MAX: u64 = 4096;

/// Bytes of one event; a damaged length must not take the memory. LTTng's sub-buffers, which bound its events, are smaller.
pub(crate) const EVENT_BYTES_MAX: u64 = 256 << 20;

/// Bytes of a packet that are read at once.
///
/// A packet that is not larger is read with one call. More costs memory per stream, less costs calls: at this size they are
/// not measurable.
pub(crate) const PIECE_BYTES_MAX: u64 = 256 << 10;

/// Bytes of a packet that are read at once if there are many streams.
pub(crate) const PIECE_BYTES_MIN: u64 = 16 << 10;

/// Bytes for the pieces of all streams that are merged; with more streams, pieces are smaller.
pub(crate) const PIECES_BYTES: u64 = 16 << 20;

/// Bytes of the header and context of a packet that are read first, to find where the next one is.
pub(crate) const HEAD_BYTES: u64 = 256;

/// Bytes of the header and context of a packet at most.
pub(crate) const HEAD_BYTES_MAX: u64 = 1 << 20;

/// Greatest alignment in bits. A class may say any power of two; beyond a page nobody has seen one.
pub(crate) const ALIGN_BITS_MAX: u64 = 8 * 4096;

/// Threads that look for packets when a trace is opened: files are many, and disks answer several at a time.
pub(crate) const SCAN_THREADS_MAX: usize = 8;

/// How often a trace is opened again because its metadata changed meanwhile: a tracer that runs does so a few times in a row at
/// most, and what keeps changing is shown as it is.
pub(crate) const REOPEN_COUNT_MAX: usize = 8;

/// Bytes of packets in a window of time that one thread reads alone: enough to make little of what is passed twice, little
/// enough for the text of several windows, some times as long, to stay in the memory.
pub(crate) const WINDOW_BYTES: u64 = 1 << 20;

/// Bytes of packets in the first window.
pub(crate) const FIRST_WINDOW_BYTES: u64 = 64 << 10;

/// Bytes of a line of text beyond which no more elements of an array are added to it; only damage makes such a line.
pub(crate) const LINE_BYTES_MAX: usize = 1 << 30;

/// Places in a stream where windows ended that are kept: more than windows are read at the same time.
pub(crate) const EXITS_MAX: usize = 64;

/// Bytes that are read first of a packet whose first events are before the window.
pub(crate) const INSIDE_HEAD_BYTES: u64 = 4096;

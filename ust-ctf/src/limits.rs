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

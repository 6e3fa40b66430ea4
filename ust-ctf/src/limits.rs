// SPDX-License-Identifier: MIT OR Apache-2.0
//! The limits of the reader, and why each is what it is.

/// Depth to which types of the metadata may nest, aliases included.
///
/// The parser calls itself for each level, so this bounds its stack; real traces stay below 10.
pub(crate) const TYPE_DEPTH_MAX: usize = 64;

/// Warnings that are kept for one stream; more of them say nothing new and would fill the memory.
pub(crate) const WARNINGS_PER_STREAM_MAX: usize = 100;

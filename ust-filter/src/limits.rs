// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every limit of the language, with the reason for the number.

/// Bytes of a filter's text: what LTTng allows its compiled form.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 10;

/// Parentheses and signs inside each other. Nobody writes more, and the stack holds them many times over.
pub(crate) const DEPTH_MAX: usize = 128;

/// Operators in one filter. `a || b || c ...` is a tree as deep as it is long, which is walked on the stack: a thread's 2 MiB
/// hold it several times over. A longer list of values is better asked for by a range.
pub(crate) const OPERATOR_COUNT_MAX: usize = 1000;

/// Names that an error suggests.
pub(crate) const SUGGESTION_COUNT_MAX: usize = 3;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every limit of the generator, with the reason for the number.

/// Bytes of one file. The largest real one has 400 events in 300 KiB; offsets are kept in 32 bits.
pub(crate) const FILE_BYTES_MAX: usize = 64 << 20;

/// Tokens that the macros of one file may make. A macro that doubles its argument a few dozen times must end somewhere; real
/// files make some ten thousand.
pub(crate) const EXPANSION_TOKEN_COUNT_MAX: usize = 1 << 20;

/// Macro calls, or parentheses of an expression, inside each other. Nobody writes more, and the stack holds them.
pub(crate) const DEPTH_MAX: usize = 100;

/// Bytes of `provider:name`: LTTng stores both with their NUL in 256.
pub(crate) const FULL_NAME_BYTES_MAX: usize = 255;

/// Arguments of one event in LTTng's headers, which have a macro for each number of them.
pub(crate) const LTTNG_ARG_COUNT_MAX: usize = 10;

/// Problems shown of one file. More are consequences of the first ones, as a rule; the rest is counted.
pub(crate) const PROBLEM_COUNT_MAX: usize = 100;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the public interface.

mod accepts;
mod check;
mod grammar;
mod program;
mod random;

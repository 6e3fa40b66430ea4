// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed, lock-free userspace tracepoints.
#![deny(missing_docs)]

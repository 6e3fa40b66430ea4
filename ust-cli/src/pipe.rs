// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes the pipe behind standard output larger.
//!
//! # Safety
//! The only unsafe step is a system call that takes numbers and touches no memory.

#![allow(unsafe_code)]

use std::io::Stdout;
use std::os::fd::AsRawFd as _;

/// What an ordinary user may ask for by default (`/proc/sys/fs/pipe-max-size`).
const PIPE_BYTES: libc::c_int = 1 << 20;

/// Lets `stdout` hold a megabyte if it is a pipe. With the 64 KiB that it has otherwise, writer and reader wait for each other so often
/// that text takes nearly twice as long. Where it cannot be had, nothing changes.
pub fn enlarge(stdout: &Stdout) {
    // SAFETY: the call changes the pipe alone, if it is one; any other descriptor is refused.
    unsafe { libc::fcntl(stdout.as_raw_fd(), libc::F_SETPIPE_SZ, PIPE_BYTES) };
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals as something to poll: no handler runs, and the poll loop decides.
//!
//! # Safety
//! The calls take sets and buffers that are locals of the caller, and the one descriptor made is owned at once.
//! What runs between fork and exec is one system call.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::ptr;
use std::time::Duration;

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Its number.
    pub signal: i32,
    /// Whether the terminal sent it, and therefore to every process of the foreground group.
    pub from_terminal: bool,
}

/// SIGCHLD, SIGINT, SIGTERM and SIGHUP of this process, held back from their usual effect.
pub struct Signals {
    fd: OwnedFd,
    /// What was held back before.
    previous: libc::sigset_t,
}

impl Signals {
    /// Holds the signals back in this thread and those it will start.
    ///
    /// # Errors
    /// No descriptor to be had.
    pub fn hold() -> io::Result<Self> {
        // SAFETY: zero bytes are valid for the type; the calls fill and read this local only.
        let (set, previous) = unsafe {
            let (mut set, mut previous): (libc::sigset_t, libc::sigset_t) = (mem::zeroed(), mem::zeroed());
            libc::sigemptyset(&raw mut set);
            for signal in [libc::SIGCHLD, libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                libc::sigaddset(&raw mut set, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut previous);
            (set, previous)
        };
        // SAFETY: `set` outlives the call.
        let raw = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just made this descriptor, and nobody else has seen it.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(Self { fd, previous })
    }

    /// Starts a program that has no more signals held back than this one had before.
    ///
    /// # Errors
    /// Those of [`Command::spawn`].
    pub fn start(&self, command: &mut Command) -> io::Result<Child> {
        let previous = self.previous;
        // SAFETY: runs in the forked child before exec; the one call is async-signal-safe and reads a copy.
        unsafe {
            command.pre_exec(move || {
                libc::pthread_sigmask(libc::SIG_SETMASK, &raw const previous, ptr::null_mut());
                Ok(())
            });
        }
        command.spawn()
    }

    /// What is readable when a signal has arrived.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Takes the next signal that has arrived.
    pub fn next(&self) -> Option<Arrived> {
        // SAFETY: zero bytes are valid for the type.
        let mut found: libc::signalfd_siginfo = unsafe { mem::zeroed() };
        let size = size_of_val(&found);
        // SAFETY: writes at most `size` bytes into an exclusive local of that size; any bytes are valid for it.
        let n = unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut found).cast(), size) };
        (usize::try_from(n) == Ok(size))
            .then_some(Arrived { signal: found.ssi_signo as i32, from_terminal: found.ssi_code == libc::SI_KERNEL })
    }
}

/// Waits until a descriptor is readable, at most for `timeout`; tells whether it is.
///
/// # Errors
/// The kernel's.
pub fn wait_readable(fd: RawFd, timeout: Duration) -> io::Result<bool> {
    let mut polled = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let ms = timeout.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32;
    // SAFETY: one exclusive local that outlives the call.
    let found = unsafe { libc::poll(&raw mut polled, 1, ms) };
    if found < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
        return Err(io::Error::last_os_error());
    }
    Ok(found > 0)
}

/// Sends `signal` to a process that we started and have not waited for.
pub fn send(pid: u32, signal: i32) {
    let Ok(pid) = i32::try_from(pid) else { return };
    // SAFETY: takes integers; the process id is that of our child until it is waited for.
    unsafe { libc::kill(pid, signal) };
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system calls that the standard library does not offer, each as a safe function.
//!
//! # Safety
//! No function here hands out memory or keeps a pointer beyond its call; descriptors that the kernel returns
//! are wrapped at once, by the one call that knows that nobody else owns them. What maps memory
//! is in `map`, what handles signals in `guard`.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use ust_shm::region::Region;

/// Turns a system call's result into a `Result`.
fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Wraps a descriptor that the kernel just made.
fn owned(result: libc::c_long) -> io::Result<OwnedFd> {
    let raw = RawFd::try_from(checked(result)?).map_err(io::Error::other)?;
    // SAFETY: the kernel returned this number for a new descriptor, and nobody else has seen it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// One descriptor to wait for.
pub(crate) fn readable(fd: BorrowedFd<'_>) -> libc::pollfd {
    libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }
}

/// Waits until one of `fds` is ready or `timeout` has passed (rounded up to 1 ms). An interruption is no error.
pub(crate) fn poll(fds: &mut [libc::pollfd], timeout: Duration) -> io::Result<()> {
    let ms = timeout.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32;
    // SAFETY: the pointer and the length are those of an exclusive slice that outlives the call.
    let result = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, ms) };
    match checked(libc::c_long::from(result)) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            fds.iter_mut().for_each(|fd| fd.revents = 0);
            Ok(())
        }
        other => other.map(drop),
    }
}

/// A descriptor that becomes readable when process `pid` ends.
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes two integers, returns a descriptor.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
}

/// Writes `first` and then `second`, memory that another process may change or cut, at the position of `to`.
///
/// Returns how many bytes of both together were written. Memory that was cut is an error (`EFAULT`), not a fault: it is
/// the kernel that reads it.
pub(crate) fn write_both_at(to: BorrowedFd<'_>, at: u64, first: &[u8], second: Region) -> io::Result<usize> {
    let parts = [
        libc::iovec { iov_base: first.as_ptr().cast_mut().cast(), iov_len: first.len() },
        libc::iovec { iov_base: second.base().as_ptr().cast(), iov_len: second.len() as usize },
    ];
    // SAFETY: the kernel reads `parts`, which outlives the call, and what they point to, where a bad address is an
    // error code. It writes to none of them.
    let written =
        unsafe { libc::pwritev(to.as_raw_fd(), parts.as_ptr(), parts.len() as libc::c_int, at as libc::off_t) };
    checked(written as libc::c_long).map(|n| n as usize)
}

/// Wakes every thread of any process that waits on `word`.
pub(crate) fn futex_wake(word: &AtomicU32) {
    // SAFETY: the kernel only uses the address, as a key; a bad one is an error code. Not the private form: the
    // waiter is another process.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
}

/// A non-blocking inotify descriptor that reports what appears in `dir`.
pub(crate) fn watch(dir: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(dir.as_os_str().as_bytes()).map_err(io::Error::other)?;
    // SAFETY: takes flags, returns a descriptor.
    let raw = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
    let fd = owned(libc::c_long::from(raw))?;
    let mask = libc::IN_MOVED_TO | libc::IN_CREATE | libc::IN_ONLYDIR;
    // SAFETY: `path` is NUL-terminated and outlives the call.
    let watch = unsafe { libc::inotify_add_watch(fd.as_raw_fd(), path.as_ptr(), mask) };
    checked(libc::c_long::from(watch))?;
    Ok(fd)
}

/// Reads from a non-blocking descriptor that the standard library has no type for; 0 when there is nothing.
pub(crate) fn read_some(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> usize {
    // SAFETY: the pointer and the length are those of an exclusive slice that outlives the call.
    let n = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(n).unwrap_or(0)
}

fn whole_file_lock() -> libc::flock {
    libc::flock { l_type: libc::F_WRLCK as i16, l_whence: libc::SEEK_SET as i16, l_start: 0, l_len: 0, l_pid: 0 }
}

/// Takes the exclusive open-file-description lock on all of `file`.
pub(crate) fn lock_ofd(file: BorrowedFd<'_>) -> io::Result<()> {
    let lock = whole_file_lock();
    // SAFETY: `lock` outlives the call.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    checked(libc::c_long::from(result)).map(drop)
}

/// Takes the exclusive `flock` of a directory; an error if another process holds it.
pub(crate) fn lock_dir(dir: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes integers.
    let result = unsafe { libc::flock(dir.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) };
    checked(libc::c_long::from(result)).map(drop)
}

/// The user at the other end of a unix socket, as of its connection.
pub(crate) fn peer_uid(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut found = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut len = size_of_val(&found) as libc::socklen_t;
    let (level, name) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
    // SAFETY: the kernel writes at most `len` bytes, the size of the exclusive local, and the new length.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut found).cast(), &raw mut len) };
    checked(libc::c_long::from(result)).map(|_| found.uid)
}

/// Raises the soft limit of open descriptors to the hard one; returns the limit that holds now.
pub(crate) fn raise_descriptor_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is an exclusive local that outlives the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return 1024;
    }
    let wanted = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
    // SAFETY: `wanted` outlives the call.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) } == 0 {
        limit = wanted;
    }
    limit.rlim_cur
}

/// A clock's time in ns.
pub(crate) fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is an exclusive local that outlives the call. The clocks in use exist on every Linux.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// The cycle counter that the traced programs read.
#[cfg(target_arch = "x86_64")]
pub(crate) fn cycles() -> u64 {
    // SAFETY: every x86-64 has the instruction, and Linux lets programs use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The cycle counter that the traced programs read.
#[cfg(target_arch = "aarch64")]
pub(crate) fn cycles() -> u64 {
    let value: u64;
    // SAFETY: reads a register that Linux lets programs read.
    unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) value, options(nomem, nostack)) };
    value
}

/// Fills `bytes` with random numbers.
pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    // SAFETY: the pointer and the length are those of an exclusive slice that outlives the call.
    let n = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if usize::try_from(n) == Ok(bytes.len()) { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The effective user id.
pub(crate) fn euid() -> u32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::geteuid() }
}

/// The effective user and group of a process, as its file in `/proc` says.
pub(crate) fn user_of(pid: i32) -> Option<(u32, u32)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let effective =
        |key: &str| status.lines().find_map(|l| l.strip_prefix(key)?.split_whitespace().nth(1)?.parse().ok());
    Some((effective("Uid:")?, effective("Gid:")?))
}

/// Clock ticks per second in `/proc/PID/stat`.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: takes an integer.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap_or(100).max(1)
}

/// A descriptor for a software event that never counts; its page tells how the kernel converts cycles.
pub(crate) fn perf_dummy_event() -> io::Result<OwnedFd> {
    const TYPE_SOFTWARE: u32 = 1;
    const COUNT_SW_DUMMY: u64 = 9;
    perf_event(TYPE_SOFTWARE, COUNT_SW_DUMMY)
}

/// A descriptor for a counter of the calling thread that does not count yet; in user mode alone where nothing else is allowed.
pub(crate) fn perf_event(ty: u32, config: u64) -> io::Result<OwnedFd> {
    const ATTR_BYTES: u32 = 64;
    const DISABLED: u64 = 1;
    const EXCLUDE_KERNEL_HV: u64 = 1 << 5 | 1 << 6;
    const CLOEXEC: libc::c_ulong = 8;
    let open = |exclude: u64| {
        let attr = [u64::from(ty) | u64::from(ATTR_BYTES) << 32, config, 0, 0, 0, DISABLED | exclude, 0, 0];
        // SAFETY: `attr` holds the number of bytes that it claims and outlives the call.
        owned(unsafe { libc::syscall(libc::SYS_perf_event_open, attr.as_ptr(), 0, -1, -1, CLOEXEC) })
    };
    open(0).or_else(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => open(EXCLUDE_KERNEL_HV),
        _ => Err(error),
    })
}

/// Makes sure that a part of a file has memory. Its size stays.
pub(crate) fn allocate(file: &impl AsRawFd, offset: u64, bytes: u64) -> io::Result<()> {
    // SAFETY: takes integers.
    let result = unsafe {
        libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, offset as libc::off_t, bytes as libc::off_t)
    };
    checked(libc::c_long::from(result)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn the_user_at_the_other_end_of_a_socket_is_the_one_that_made_it() {
        let (one, _other) = UnixStream::pair().expect("a socket");
        assert_eq!(peer_uid(one.as_fd()).expect("connected"), euid());
        assert_eq!(user_of(std::process::id() as i32).map(|(uid, _)| uid), Some(euid()));
        assert!(peer_uid(std::fs::File::open("/dev/null").expect("there").as_fd()).is_err());
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system calls of the runtime, with `errno` kept as the program had it.
//!
//! # Safety
//! Each function is a thin cover of one call: pointers handed to the kernel are derived from live Rust values in the same
//! expression, and results are returned as they are. Mappings are returned as raw pointers; what may be done with
//! them is their user's business.

#![allow(unsafe_code)]

use core::ffi::{CStr, c_int};
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::AtomicU32;

/// Keeps `errno`: the value at its construction is there again when it goes.
pub struct ErrnoGuard(c_int);

impl ErrnoGuard {
    /// Saves `errno`.
    pub fn new() -> Self {
        Self(errno())
    }
}

impl Drop for ErrnoGuard {
    fn drop(&mut self) {
        // SAFETY: the location is this thread's own and always valid.
        unsafe { *libc::__errno_location() = self.0 };
    }
}

/// The calling thread's `errno`.
pub fn errno() -> c_int {
    // SAFETY: the location is this thread's own and always valid.
    unsafe { *libc::__errno_location() }
}

/// A descriptor that closes itself.
pub struct Fd(c_int);

impl Fd {
    /// Opens `path`.
    pub fn open(path: &CStr, flags: c_int) -> Option<Self> {
        // SAFETY: `path` is NUL-terminated and lives through the call.
        Self::from_raw(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, 0o600) })
    }

    /// A new unconnected unix datagram socket that never blocks.
    pub fn datagram_socket() -> Option<Self> {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers.
        Self::from_raw(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })
    }

    fn from_raw(fd: c_int) -> Option<Self> {
        (fd >= 0).then(|| Self(fd))
    }

    /// Owner, mode and size.
    pub fn stat(&self) -> Option<libc::stat> {
        // SAFETY: all zero is a valid `stat`; the kernel fills it in.
        let mut stat: libc::stat = unsafe { core::mem::zeroed() };
        // SAFETY: `stat` is a live local.
        (unsafe { libc::fstat(self.0, &raw mut stat) } == 0).then_some(stat)
    }

    /// Sets the file's size.
    pub fn truncate(&self, bytes: u64) -> bool {
        // SAFETY: no pointers.
        unsafe { libc::ftruncate(self.0, bytes as i64) == 0 }
    }

    /// Reserves memory for a part of the file.
    pub fn allocate(&self, offset: u64, bytes: u64) -> bool {
        // SAFETY: no pointers.
        unsafe { libc::fallocate(self.0, 0, offset as i64, bytes as i64) == 0 }
    }

    /// Reads until `buffer` is full or the file ends; the number of bytes, or `None` on an error.
    pub fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..)
            && !rest.is_empty()
        {
            // SAFETY: `rest` is a live slice of that length.
            let n = unsafe { libc::read(self.0, rest.as_mut_ptr().cast(), rest.len()) };
            match n {
                0 => break,
                n if n > 0 => done += n as usize,
                _ if errno() == libc::EINTR => {}
                _ => return None,
            }
        }
        Some(done)
    }

    /// The next entries of a directory, as the kernel writes them (`linux_dirent64`); empty at its end, `None` on an error.
    pub fn list<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        // SAFETY: a live slice of that length.
        let n = unsafe { libc::syscall(libc::SYS_getdents64, self.0, buffer.as_mut_ptr(), buffer.len()) };
        buffer.get(..usize::try_from(n).ok()?)
    }

    /// Maps a part of the file, shared and writable.
    pub fn map(&self, offset: u64, bytes: u64) -> Option<NonNull<u8>> {
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches no existing memory.
        let p = unsafe { libc::mmap(null_mut(), bytes as usize, prot, libc::MAP_SHARED, self.0, offset as i64) };
        if p == libc::MAP_FAILED { None } else { NonNull::new(p.cast()) }
    }

    /// Sends one byte to the socket at `path`, if that is possible at once.
    pub fn send_to(&self, path: &[u8]) {
        // SAFETY: all zero is a valid address.
        let mut address: libc::sockaddr_un = unsafe { core::mem::zeroed() };
        address.sun_family = libc::AF_UNIX as u16;
        for (slot, &byte) in address.sun_path.iter_mut().zip(path) {
            *slot = byte as _;
        }
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let len = size_of::<libc::sockaddr_un>() as libc::socklen_t;
        // SAFETY: one byte of a static, and the address, live through the call.
        unsafe { libc::sendto(self.0, c"".as_ptr().cast(), 1, flags, (&raw const address).cast(), len) };
    }

    /// Whether some open file description holds a write lock on the file.
    pub fn is_locked(&self) -> bool {
        // SAFETY: all zero is a valid `flock`: the whole file.
        let mut lock: libc::flock = unsafe { core::mem::zeroed() };
        lock.l_type = libc::F_WRLCK as i16;
        lock.l_whence = libc::SEEK_SET as i16;
        // SAFETY: `lock` is a live local.
        let done = unsafe { libc::fcntl(self.0, libc::F_OFD_GETLK, &raw mut lock) } == 0;
        done && lock.l_type != libc::F_UNLCK as i16
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: this value owns the descriptor.
        unsafe { libc::close(self.0) };
    }
}

/// Private zeroed memory that a forked child finds zeroed again; `None` where the kernel cannot do that.
pub fn map_wiped_on_fork(bytes: usize) -> Option<NonNull<u8>> {
    let (prot, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh mapping at an address of the kernel's choice touches no existing memory.
    let p = unsafe { libc::mmap(null_mut(), bytes, prot, flags, -1, 0) };
    if p == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the mapping was just made by this function.
    if unsafe { libc::madvise(p, bytes, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: as above, and nobody has its address.
        unsafe { libc::munmap(p, bytes) };
        return None;
    }
    NonNull::new(p.cast())
}

/// Private zeroed memory at an address where nothing is mapped; whether that was possible.
///
/// # Safety
/// Whatever is mapped there is the caller's to replace.
pub unsafe fn map_zeroed_at(base: NonNull<u8>, bytes: u64) -> bool {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: by this function's contract.
    unsafe { libc::mmap(base.as_ptr().cast(), bytes as usize, prot, flags, -1, 0) != libc::MAP_FAILED }
}

/// Private zeroed memory for a moment's use.
pub fn map_scratch(bytes: usize) -> Option<NonNull<u8>> {
    let (prot, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh mapping at an address of the kernel's choice touches no existing memory.
    let p = unsafe { libc::mmap(null_mut(), bytes, prot, flags, -1, 0) };
    if p == libc::MAP_FAILED { None } else { NonNull::new(p.cast()) }
}

/// Gives a mapping back.
///
/// # Safety
/// The mapping is the caller's, and nothing uses it any more.
pub unsafe fn unmap(base: NonNull<u8>, bytes: u64) {
    // SAFETY: by this function's contract.
    unsafe { libc::munmap(base.as_ptr().cast(), bytes as usize) };
}

/// A second mapping of the file behind the shared mapping at `base`, from the same file offset on, `bytes` long.
///
/// # Safety
/// `base` is page-aligned, in a live shared file mapping.
pub unsafe fn map_again(base: NonNull<u8>, bytes: u64) -> Option<NonNull<u8>> {
    // SAFETY: old size 0 on a shared mapping duplicates it and leaves the old one as it is (mremap(2)).
    let p = unsafe { libc::mremap(base.as_ptr().cast(), 0, bytes as usize, libc::MREMAP_MAYMOVE) };
    if p == libc::MAP_FAILED { None } else { NonNull::new(p.cast()) }
}

/// Gives the kernel an advice on a mapping; whether it took it.
///
/// # Safety
/// The range lies in a mapping of the caller's, and the advice does not take memory away that is in use.
pub unsafe fn advise(base: NonNull<u8>, bytes: u64, advice: c_int) -> bool {
    // SAFETY: by this function's contract.
    unsafe { libc::madvise(base.as_ptr().cast(), bytes as usize, advice) == 0 }
}

/// Makes a directory of the owner's alone; whether it is there now.
pub fn make_dir(path: &CStr) -> bool {
    // SAFETY: `path` is NUL-terminated and lives through the call.
    unsafe { libc::mkdir(path.as_ptr(), 0o700) == 0 || errno() == libc::EEXIST }
}

/// Renames a file.
pub fn rename(from: &CStr, to: &CStr) -> bool {
    // SAFETY: both are NUL-terminated and live through the call.
    unsafe { libc::rename(from.as_ptr(), to.as_ptr()) == 0 }
}

/// Removes a file.
pub fn unlink(path: &CStr) -> bool {
    // SAFETY: `path` is NUL-terminated and lives through the call.
    unsafe { libc::unlink(path.as_ptr()) == 0 }
}

/// The value of an environment variable.
///
/// The bytes belong to the environment; the caller copies them before anything can change it. Start-up only.
pub fn environment(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: called from the constructor, before the program's own code can change the environment; the string is copied at once.
    unsafe {
        let p = libc::getenv(name.as_ptr());
        (!p.is_null()).then(|| CStr::from_ptr(p))
    }
}

/// The CPU that runs this thread, by asking the kernel or the vDSO.
pub fn current_cpu() -> u32 {
    // SAFETY: no pointers.
    let cpu = unsafe { libc::sched_getcpu() };
    u32::try_from(cpu).unwrap_or(0)
}

/// Kernel thread id.
pub fn thread_id() -> u32 {
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

/// Process id.
pub fn process_id() -> u32 {
    // SAFETY: no pointers.
    unsafe { libc::getpid() as u32 }
}

/// Descriptors of counters get numbers from here on, out of the way of those that programs expect to be free.
const COUNTER_FD_MIN: c_int = 900;

/// A descriptor for a counter of the calling thread, which counts; in user mode alone where nothing else is allowed.
pub fn perf_open(ty: u32, config: u64) -> Option<u32> {
    const ATTR_BYTES: u32 = 64;
    const EXCLUDE_KERNEL_HV: u64 = 1 << 5 | 1 << 6;
    const CLOEXEC: libc::c_ulong = 8;
    for exclude in [0, EXCLUDE_KERNEL_HV] {
        let attr = [u64::from(ty) | u64::from(ATTR_BYTES) << 32, config, 0, 0, 0, exclude, 0, 0];
        // SAFETY: `attr` has the size that it says, and lives through the call.
        let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, attr.as_ptr(), 0, -1, -1, CLOEXEC) } as c_int;
        if fd >= 0 {
            // SAFETY: no pointers; the descriptor was made just now.
            let high = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, COUNTER_FD_MIN) };
            if high >= 0 {
                // SAFETY: ours, and known nowhere else.
                unsafe { libc::close(fd) };
            }
            return u32::try_from(if high >= 0 { high } else { fd }).ok();
        }
        if !matches!(errno(), libc::EACCES | libc::EPERM) {
            return None;
        }
    }
    None
}

/// What the kernel calls the counter behind a descriptor; `None` for anything that is no counter, which the question leaves alone.
pub fn perf_id(fd: u32) -> Option<u64> {
    /// `PERF_EVENT_IOC_ID`
    const ASK_ID: libc::c_ulong = 0x8008_2407;
    let mut id = 0u64;
    // SAFETY: stores 8 bytes to a live local.
    (unsafe { libc::ioctl(fd as c_int, ASK_ID as _, &raw mut id) } == 0).then_some(id)
}

/// What a counter says.
pub fn perf_read(fd: u32) -> Option<u64> {
    let mut count = 0u64;
    // SAFETY: 8 bytes of a live local.
    (unsafe { libc::read(fd as c_int, (&raw mut count).cast(), 8) } == 8).then_some(count)
}

/// The page of a counter, for reading.
pub fn perf_map(fd: u32, bytes: u64) -> Option<NonNull<u8>> {
    // SAFETY: a fresh mapping at an address of the kernel's choice touches no existing memory.
    let p = unsafe { libc::mmap(null_mut(), bytes as usize, libc::PROT_READ, libc::MAP_SHARED, fd as c_int, 0) };
    if p == libc::MAP_FAILED { None } else { NonNull::new(p.cast()) }
}

/// Closes the descriptor of a counter.
pub fn perf_close(fd: u32) {
    // SAFETY: the caller's own descriptor.
    unsafe { libc::close(fd as c_int) };
}

/// What `pthread_self` gives.
pub fn pthread_id() -> u64 {
    // SAFETY: no pointers.
    unsafe { libc::pthread_self() as u64 }
}

/// Real, effective and saved user id.
pub fn user_ids() -> [u32; 3] {
    let [mut real, mut effective, mut saved] = [0; 3];
    // SAFETY: three live locals.
    unsafe { libc::getresuid(&raw mut real, &raw mut effective, &raw mut saved) };
    [real, effective, saved]
}

/// Real, effective and saved group id.
pub fn group_ids() -> [u32; 3] {
    let [mut real, mut effective, mut saved] = [0; 3];
    // SAFETY: three live locals.
    unsafe { libc::getresgid(&raw mut real, &raw mut effective, &raw mut saved) };
    [real, effective, saved]
}

/// The inode number of what `path` leads to.
pub fn inode(path: &CStr) -> Option<u64> {
    // SAFETY: all zero is a valid `stat`; the kernel fills it in.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: `path` is NUL-terminated and lives through the call, as does `stat`.
    (unsafe { libc::stat(path.as_ptr(), &raw mut stat) } == 0).then_some(stat.st_ino)
}

/// Effective user id.
pub fn effective_uid() -> u32 {
    // SAFETY: no pointers.
    unsafe { libc::geteuid() }
}

/// Whether a process has this id; a zombie has.
pub fn process_lives(pid: u32) -> bool {
    let Some(pid) = c_int::try_from(pid).ok().filter(|pid| *pid > 0) else { return false };
    // SAFETY: no pointers; signal 0 only asks.
    unsafe { libc::kill(pid, 0) == 0 || errno() != libc::ESRCH }
}

/// Whether a thread of this process has this id.
pub fn thread_lives(tid: u32) -> bool {
    let (pid, tid) = (process_id(), tid as c_int);
    // SAFETY: no pointers; signal 0 only asks.
    unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, 0) == 0 || errno() != libc::ESRCH }
}

/// The thread's name, NUL padded.
pub fn thread_name() -> [u8; 16] {
    let mut name = [0u8; 16];
    // SAFETY: PR_GET_NAME writes at most 16 bytes.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name
}

/// A clock's time in nanoseconds.
pub fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a live local.
    unsafe { libc::clock_gettime(clock, &raw mut t) };
    (t.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(t.tv_nsec as u64)
}

/// The limit on the size of files this process may make.
pub fn file_size_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live local.
    if unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) } == 0 { limit.rlim_cur } else { 0 }
}

/// Sleeps while the word holds `expected`, at most `timeout_ms`. Shared between processes. May return early.
pub fn futex_wait(word: &AtomicU32, expected: u32, timeout_ms: u32) {
    let timeout =
        libc::timespec { tv_sec: i64::from(timeout_ms / 1000), tv_nsec: i64::from(timeout_ms % 1000) * 1_000_000 };
    // SAFETY: the word and the time live through the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const timeout) };
}

/// Lets other threads run first; `false`, for use as a condition.
pub fn let_others_run() -> bool {
    // SAFETY: no pointers.
    unsafe { libc::sched_yield() };
    false
}

/// Writes to standard error, as far as it goes.
pub fn write_stderr(text: &[u8]) {
    // SAFETY: a live slice.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

/// An entry of the auxiliary vector.
pub fn auxiliary(kind: libc::c_ulong) -> u64 {
    // SAFETY: no pointers.
    unsafe { libc::getauxval(kind) }
}

/// The program headers of a linked object, as `dl_iterate_phdr` shows them.
pub struct LinkedObject<'a> {
    base: usize,
    headers: &'a [libc::Elf64_Phdr],
}

impl<'a> LinkedObject<'a> {
    /// Those that are described; `None` where there are none.
    ///
    /// # Safety
    /// What the C library handed to a function of `dl_iterate_phdr`, which has not returned.
    pub unsafe fn new(info: *const libc::dl_phdr_info) -> Option<Self> {
        // SAFETY: the C library gives a live description, with as many program headers as it says.
        unsafe {
            let info = &*info;
            let count = usize::from(info.dlpi_phnum);
            let headers = (!info.dlpi_phdr.is_null()).then(|| core::slice::from_raw_parts(info.dlpi_phdr, count))?;
            Some(Self { base: info.dlpi_addr as usize, headers })
        }
    }

    fn begin(&self, header: &libc::Elf64_Phdr) -> usize {
        self.base.wrapping_add(header.p_vaddr as usize)
    }

    /// Whether an address lies in it.
    pub fn holds(&self, address: usize) -> bool {
        let mut loaded = self.headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
        loaded.any(|header| address.wrapping_sub(self.begin(header)) < header.p_memsz as usize)
    }

    /// Where its first part of that type lies.
    pub fn part(&self, ty: u32) -> Option<usize> {
        self.headers.iter().find(|header| header.p_type == ty).map(|header| self.begin(header))
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The private state of a thread: its cursors by nesting level and channel slot, in memory that fork wipes.
//!
//! | word    | written by                             | meaning                                           |
//! |---------|----------------------------------------|---------------------------------------------------|
//! | `STATE` | this thread                            | where its state is; [`NO_STATE`] before its first event |
//! | `marks` | this thread, handlers that interrupt it | stack address of the record in progress, 0 = none |
//! | cursor  | the record that holds the level's mark | see `ust_shm::ring::writer`                       |
//!
//! # Safety
//! A [`ThreadState`] is valid when all its bytes are zero. Only its thread and the signal handlers on it use it, and it is
//! unmapped in the thread's last moments, after `STATE` was set to [`NO_STATE`].

#![allow(unsafe_code)]

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr::{NonNull, null, null_mut};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use ust_shm::context::ContextList;
use ust_shm::layout::{LostCause, RingHeader, SubbufEntry, ring_state};
use ust_shm::limits::LEVEL_COUNT;
use ust_shm::region::Region;
use ust_shm::ring::writer::{Cursor, NO_CPU, WhenFull};
use ust_shm::ring::{Geometry, RingWords};

use crate::context::ThreadContexts;
use crate::process::{Process, STATE_COUNT_MAX, count_lost};
use crate::sys::{self, ErrnoGuard};

/// One ring as its writer knows it. All zero: no ring.
#[repr(C, align(64))]
pub struct Writer {
    /// Position, end, last time stamp, last CPU.
    pub cursor: Cursor,
    /// Added to a position gives the address of its byte, while the cursor stays in its sub-buffer.
    pub bias: Cell<u64>,
    header: Cell<*const RingHeader>,
    /// Index of the last event counter, which is that of all higher event ids.
    pub counter_last: Cell<u32>,
    /// Index in the ring directory.
    pub ring_idx: Cell<u32>,
    data: Cell<*mut u8>,
    entries: Cell<*const SubbufEntry>,
    subbuf_bytes: Cell<u64>,
    subbuf_count: Cell<u64>,
    /// The directory entry's word while this lease holds it.
    pub lease_word: Cell<u64>,
    /// `LossMode` as a number.
    pub mode: Cell<u32>,
    /// Block mode's time limit.
    pub block_timeout_us: Cell<u64>,
    /// No ring is asked for again before this time.
    pub retry_at: Cell<u64>,
    /// One more than the `consumed_seq` at which a wait ended because the consumer was gone; 0 = none.
    pub abandoned_at: Cell<u64>,
    /// 1 in a forked child whose parent owns the record in progress: the ring is private memory that nobody reads.
    orphan: Cell<u32>,
    /// Bytes of the contexts in each event.
    pub context_bytes: Cell<u32>,
    /// What is stored in each event before its fields.
    pub contexts: Cell<ContextList>,
}

// The fast path computes addresses of writers.
const _: () = assert!(size_of::<Writer>() == 192);

/// The addresses of a leased ring, from its mapped arena.
pub struct Arena {
    /// The whole arena.
    pub region: Region,
    /// Where data begins.
    pub header_bytes: u64,
    /// Its checked shape.
    pub geometry: Geometry,
    /// Length of the counter table, at least 1.
    pub counter_count: u32,
}

impl Writer {
    /// Whether a ring is leased.
    pub fn has_ring(&self) -> bool {
        !self.header.get().is_null()
    }

    /// The ring's header.
    ///
    /// # Safety
    /// A ring is leased (there is none while the cursor has no room).
    #[inline(always)]
    pub unsafe fn header_unchecked(&self) -> &'static RingHeader {
        // SAFETY: by this function's contract it points into an arena, which is never unmapped.
        unsafe { &*self.header.get() }
    }

    /// Adds one to the event counter `idx`.
    ///
    /// # Safety
    /// As for `header_unchecked`; `idx` is at most `counter_last`.
    #[inline(always)]
    pub unsafe fn count_event(&self, idx: u32) {
        // SAFETY: the table follows the header in the leased ring's arena; in bounds by this function's contract.
        let counter = unsafe { &*self.header.get().add(1).cast::<AtomicU64>().add(idx as usize) };
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// How the ring treats a reader that does not keep up.
    pub fn when_full(&self) -> WhenFull {
        if self.mode.get() == ust_shm::layout::LossMode::Overwrite as u32 {
            WhenFull::Overwrite
        } else {
            WhenFull::Respect
        }
    }

    /// Takes the addresses of a ring; the cursor is set by its lease.
    pub fn point_to(&self, arena: &Arena) -> bool {
        use ust_shm::layout::{COUNTERS_OFFSET, ENTRY_BYTES, entries_offset};
        let geometry = arena.geometry;
        let counters_bytes = 8 * u64::from(arena.counter_count);
        let parts = (
            arena.region.get::<RingHeader>(0),
            arena.region.part(entries_offset(arena.counter_count), ENTRY_BYTES * geometry.subbuf_count),
            arena.region.part(COUNTERS_OFFSET, counters_bytes),
            arena.region.part(arena.header_bytes, geometry.ring_bytes()),
        );
        let (Some(header), Some(entries), Some(_), Some(data)) = parts else { return false };
        self.entries.set(entries.base().as_ptr().cast());
        self.counter_last.set(arena.counter_count.saturating_sub(1));
        self.data.set(data.base().as_ptr());
        self.subbuf_bytes.set(geometry.subbuf_bytes);
        self.subbuf_count.set(geometry.subbuf_count);
        self.header.set(header);
        true
    }

    /// First byte and length of the ring's arena.
    pub fn arena_range(&self) -> (NonNull<u8>, u64) {
        let base = NonNull::new(self.header.get().cast_mut().cast()).unwrap_or(NonNull::dangling());
        let end = (self.data.get() as u64).wrapping_add(self.geometry().ring_bytes());
        (base, end.wrapping_sub(base.as_ptr() as u64))
    }

    /// Gives up the ring to the parent, but for the record in progress. The next one finds an odd CPU.
    pub fn make_orphan(&self) {
        self.orphan.set(1);
        self.cursor.cpu.set(NO_CPU);
    }

    /// Forgets a ring that is not this process's; whether it was one.
    pub fn leave_orphan(&self) -> bool {
        let orphan = self.orphan.replace(0) != 0;
        if orphan {
            self.forget_ring();
        }
        orphan
    }

    /// Lets the ring go without touching it.
    pub fn forget_ring(&self) {
        self.cursor.position.set(0);
        self.cursor.end.set(0);
        self.header.set(null());
    }

    /// Sets `bias` for the cursor's sub-buffer.
    pub fn aim(&self) {
        let geometry = self.geometry();
        let begin = self.cursor.end.get().wrapping_sub(geometry.subbuf_bytes);
        let address = (self.data.get() as u64).wrapping_add(geometry.data_offset(begin));
        self.bias.set(address.wrapping_sub(begin));
    }
}

/// Stands in for the header of a writer without a ring, which no caller asks for.
static NO_HEADER: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];

impl RingWords for Writer {
    fn header(&self) -> &RingHeader {
        let header = self.header.get();
        let header = if header.is_null() { (&raw const NO_HEADER).cast() } else { header };
        // SAFETY: a leased ring's arena is never unmapped; the stand-in has the header's size, is aligned to its
        // needs (8), and is made of atomics.
        unsafe { &*header }
    }

    fn entry(&self, idx: u64) -> Option<&SubbufEntry> {
        if !(self.has_ring() && idx < self.subbuf_count.get()) {
            return None;
        }
        // SAFETY: `point_to` checked that the arena holds `subbuf_count` entries.
        Some(unsafe { &*self.entries.get().add(idx as usize) })
    }

    fn geometry(&self) -> Geometry {
        Geometry { subbuf_bytes: self.subbuf_bytes.get(), subbuf_count: self.subbuf_count.get() }
    }
}

/// The writers of one nesting level.
#[repr(C, align(64))]
pub struct Level {
    /// By the bits of enable words. That of the special bit and the last one, which stands for "no channel", never have a ring.
    pub writers: [Writer; u64::BITS as usize + 1],
}

/// The state of one thread; all zero is the fresh state.
#[repr(C)]
pub struct ThreadState {
    /// By nesting level: stack address of the record in progress, 0 while there is none. First, so that it takes one instruction to
    /// mark the first level.
    pub marks: [Cell<usize>; LEVEL_COUNT],
    /// Where the fast path finds the CPU number; null until the thread is set up. Where the clock is not one of cycles it points to
    /// [`crate::cpu::UNKNOWN`], which is the CPU of no ring, so that no event is usual.
    pub cpu: Cell<*const AtomicU32>,
    /// Where the CPU number is kept up to date.
    cpu_location: Cell<*const AtomicU32>,
    /// The image's clock kind; 0 until the thread is set up.
    pub clock: Cell<u32>,
    /// Kernel thread id; 0 until the thread is set up.
    pub tid: Cell<u32>,
    /// By nesting level.
    pub levels: [Level; LEVEL_COUNT],
    /// Bit *n*: the record in progress on level *n* is the parent's; what is left of it is none of this child's.
    pub interrupted: Cell<u32>,
    /// What is known of the thread's contexts.
    pub contexts: ThreadContexts,
    /// By nesting level: where records for filters are made. Memory exists only where it was used.
    pub scratch: [UnsafeCell<[u8; SCRATCH_BYTES]>; LEVEL_COUNT],
}

// What the inlined code of C relies on: docs/c-abi.md.
#[cfg(feature = "capi")]
const _: () = {
    use core::mem::offset_of;
    assert!(offset_of!(ThreadState, marks) == 0);
    assert!(offset_of!(ThreadState, cpu) == 32);
    assert!(offset_of!(ThreadState, levels) == 64);
    assert!(size_of::<[Writer; u64::BITS as usize + 1]>() == 65 * 192);
    assert!(offset_of!(Writer, cursor) == 0);
    assert!(offset_of!(Cursor, position) == 0);
    assert!(offset_of!(Cursor, end) == 8);
    assert!(offset_of!(Cursor, last_timestamp) == 16);
    assert!(offset_of!(Cursor, cpu) == 24);
    assert!(offset_of!(Writer, bias) == 32);
    assert!(offset_of!(Writer, header) == 40);
    assert!(offset_of!(Writer, counter_last) == 48);
    assert!(offset_of!(RingHeader, committed) == 0);
    assert!(offset_of!(RingHeader, last_timestamp) == 8);
    assert!(ust_shm::layout::COUNTERS_OFFSET == 512);
    assert!(ust_shm::limits::TIMESTAMP_BITS == 48 && ust_shm::limits::TIMESTAMP_GAP_MAX == 1 << 47);
    assert!(LEVEL_COUNT == 4);
};

/// Bytes of a record that filters look at; for a larger one memory is mapped each time.
pub const SCRATCH_BYTES: usize = 16 << 10;

thread_local! {
    // Constant and without a destructor, so that access is a plain load at any moment of the thread's life.
    static STATE: Cell<*const ThreadState> = const { Cell::new((&raw const NO_STATE).cast()) };
}

/// Stands for the state of a thread that has none: the marks of a [`ThreadState`], all of them set, so that the fast path, which
/// looks at the first one before anything else, leaves. Nothing else of it exists.
static NO_STATE: [usize; LEVEL_COUNT] = [usize::MAX; LEVEL_COUNT];

/// The twin of [`STATE`] that the inlined code of C reads (`ust_thread_v1` in `ust/ring.h`): a symbol that other linked objects can reach by one load and
/// one add, which Rust has no declaration for. A handler that finds one of the two set and the other not takes the slow path.
#[cfg(feature = "capi")]
mod mirror {
    use super::{NO_STATE, ThreadState};

    core::arch::global_asm!(
        ".pushsection .tdata.ust_thread_v1, \"awT\", @progbits",
        ".globl ust_thread_v1",
        ".type ust_thread_v1, @tls_object",
        ".size ust_thread_v1, 8",
        ".p2align 3",
        "ust_thread_v1:",
        ".quad {no_state}",
        ".popsection",
        no_state = sym NO_STATE,
    );

    /// Stores it for the calling thread.
    #[inline(always)]
    pub fn set(state: *const ThreadState) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: stores to this thread's variable, at the offset from the thread pointer that the linker or loader has put into the GOT.
        unsafe {
            core::arch::asm!(
                "mov {t}, qword ptr [rip + ust_thread_v1@GOTTPOFF]",
                "mov qword ptr fs:[{t}], {s}",
                t = out(reg) _, s = in(reg) state, options(nostack, preserves_flags),
            );
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        unsafe {
            core::arch::asm!(
                "mrs {p}, tpidr_el0",
                "adrp {t}, :gottprel:ust_thread_v1",
                "ldr {t}, [{t}, :gottprel_lo12:ust_thread_v1]",
                "str {s}, [{p}, {t}]",
                p = out(reg) _, t = out(reg) _, s = in(reg) state, options(nostack, preserves_flags),
            );
        }
    }
}

/// The first mark of the calling thread, and where its state is if that mark is not set.
#[inline(always)]
pub fn first_mark() -> (usize, *const ThreadState) {
    let state = STATE.with(Cell::get);
    // SAFETY: a state or `NO_STATE`, both of which begin with the marks.
    let mark = unsafe { (*state.cast::<Cell<usize>>()).get() };
    (mark, state)
}

/// The calling thread's state, if it has one.
pub fn state() -> Option<&'static ThreadState> {
    let state = STATE.with(Cell::get);
    let is_none = core::ptr::eq(state.cast(), &raw const NO_STATE);
    // SAFETY: not the stand-in, so this thread's live state (module header).
    (!is_none).then(|| unsafe { &*state })
}

fn set_state(state: *const ThreadState) {
    STATE.with(|s| s.set(state));
    #[cfg(feature = "capi")]
    mirror::set(state);
}

fn forget_state() {
    set_state((&raw const NO_STATE).cast());
}

/// Makes the calling thread's state. Safe in signal handlers: a handler that comes in between leaves one state
/// behind unused.
#[cold]
#[inline(never)]
pub fn make_state() -> Option<&'static ThreadState> {
    let _errno = ErrnoGuard::new();
    Process::any()?;
    let Some(memory) = sys::map_wiped_on_fork(size_of::<ThreadState>()) else {
        count_lost(LostCause::ThreadGone);
        return None;
    };
    let made: *const ThreadState = memory.as_ptr().cast();
    if let Some(current) = state() {
        // SAFETY: nobody else has the address of `memory`.
        unsafe { sys::unmap(memory, size_of::<ThreadState>() as u64) };
        return Some(current);
    }
    set_state(made);
    watch_exit(made);
    // SAFETY: just made, zeroed; module header.
    Some(unsafe { &*made })
}

impl ThreadState {
    /// Fills in what a fresh or forked thread's state lacks.
    pub fn set_up(&self, process: &Process) {
        if self.tid.get() == 0 {
            let clock = process.clock.load(Ordering::Relaxed);
            self.locate_cpu();
            if clock != ust_shm::layout::clock::TSC {
                self.cpu.set(&raw const crate::cpu::UNKNOWN);
            }
            self.clock.set(clock);
            self.tid.set(sys::thread_id());
            self.keep(process);
        }
    }

    /// The places where the process may know this state.
    fn places<'a>(&self, process: &'a Process) -> impl Iterator<Item = &'a AtomicPtr<ThreadState>> {
        let first = self.tid.get() as usize;
        (first..first + STATE_PLACES).filter_map(|i| process.states.get(i % STATE_COUNT_MAX))
    }

    /// Makes the state known to `give_back_states`. A handler that comes in between may do so too, which does no harm.
    fn keep(&self, process: &Process) {
        let state = (&raw const *self).cast_mut();
        for place in self.places(process) {
            // Release: pairs with the Acquire of `give_back_states`.
            if place.compare_exchange(null_mut(), state, Ordering::Release, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }

    fn forget(&self, process: &Process) {
        let state = (&raw const *self).cast_mut();
        for place in self.places(process) {
            let _ = place.compare_exchange(state, null_mut(), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Finds the CPU number of a thread, also of one whose state a fork wiped.
    pub fn locate_cpu(&self) {
        let location = crate::cpu::location();
        self.cpu.set(location);
        self.cpu_location.set(location);
    }

    /// Reads the clock of this thread's image.
    pub fn now(&self) -> u64 {
        if self.clock.get() == ust_shm::layout::clock::TSC { crate::clock::cycles() } else { crate::clock::monotonic() }
    }

    /// The CPU that runs the thread, in case of need from the kernel.
    pub fn cpu_now(&self) -> u32 {
        let location = self.cpu_location.get();
        if location.is_null() {
            return sys::current_cpu();
        }
        // SAFETY: this thread's rseq area, or a static.
        match unsafe { (*location).load(Ordering::Relaxed) } {
            crate::cpu::UNKNOWN_CPU => sys::current_cpu(),
            cpu => cpu,
        }
    }
}

/// The key whose destructor returns a thread's rings, plus one; 0 = none.
static EXIT_KEY: AtomicU32 = AtomicU32::new(0);

/// Places of `Process::states` that are tried for one thread.
const STATE_PLACES: usize = 64;

/// Keys below this lie in the thread's own descriptor: setting one never allocates (glibc, musl).
const KEY_WITHOUT_ALLOCATION_MAX: u32 = 32;

/// Makes the key. Constructor only.
pub fn set_up_exit() {
    let mut key = 0;
    // SAFETY: the destructor is a function of this linked object, which deletes the key before it goes.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(thread_ends)) } != 0 {
        return;
    }
    if key < KEY_WITHOUT_ALLOCATION_MAX {
        EXIT_KEY.store(key + 1, Ordering::Relaxed);
    } else {
        // SAFETY: made just now. Without it, rings of ended threads are found by their dead thread ids.
        unsafe { libc::pthread_key_delete(key) };
    }
}

/// Threads that are in `thread_ends`.
static ENDING: AtomicU32 = AtomicU32::new(0);

/// How often an unloaded object lets others run until threads that were ending have left its code: some milliseconds.
const ENDING_TRIES: u32 = 10_000;

/// Deletes the key: the destructor's code may be gone soon.
pub fn tear_down_exit() {
    if let Some(key) = EXIT_KEY.swap(0, Ordering::Relaxed).checked_sub(1) {
        // SAFETY: made by `set_up_exit`, deleted once.
        unsafe { libc::pthread_key_delete(key) };
    }
}

/// Waits for threads that are in `thread_ends`, for some milliseconds; whether none is.
pub fn wait_for_ending() -> bool {
    // Acquire: pairs with the end of `thread_ends`.
    let is_quiet = || ENDING.load(Ordering::Acquire) == 0;
    (0..ENDING_TRIES).any(|_| is_quiet() || sys::let_others_run())
}

/// Whether this linked object was loaded with the program: its thread-local memory lies in the static block, at the thread pointer. That of an
/// object loaded later is allocated, or (with luck, on some machines) in what was left of that block.
pub fn is_loaded_with_program() -> bool {
    const BLOCK_BYTES_MAX: usize = 1 << 20;
    let thread_pointer: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the thread pointer, which the ABI keeps at fs:0.
    unsafe {
        core::arch::asm!("mov {}, qword ptr fs:[0]", out(reg) thread_pointer, options(nostack, preserves_flags, readonly));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the thread pointer.
    unsafe {
        core::arch::asm!("mrs {}, tpidr_el0", out(reg) thread_pointer, options(nostack, preserves_flags, nomem));
    }
    STATE.with(|state| (&raw const *state as usize).abs_diff(thread_pointer) < BLOCK_BYTES_MAX)
}

/// Returns the rings of all threads and unmaps their states. For `unload` alone: nobody uses them any more.
pub fn give_back_states(process: &Process) {
    forget_state();
    let take = |place: &AtomicPtr<ThreadState>| NonNull::new(place.swap(null_mut(), Ordering::Acquire));
    for place in &process.states {
        let Some(memory) = take(place) else { continue };
        // SAFETY: `keep` stored a live state; its thread takes it out before it unmaps it.
        let state = unsafe { memory.as_ref() };
        // A handler may have made it known twice.
        state.forget(process);
        return_rings(state);
        state.contexts.counters.close();
        // SAFETY: made by `make_state`, known nowhere else any more.
        unsafe { sys::unmap(memory.cast(), size_of::<ThreadState>() as u64) };
    }
}

fn watch_exit(state: *const ThreadState) {
    if let Some(key) = EXIT_KEY.load(Ordering::Relaxed).checked_sub(1) {
        // SAFETY: the key exists; its value is only read back by `thread_ends`.
        unsafe { libc::pthread_setspecific(key, state.cast()) };
    }
}

/// Returns the rings of a thread that ends. An event that comes later makes a new state, which ends here again.
unsafe extern "C" fn thread_ends(state: *mut c_void) {
    let _errno = ErrnoGuard::new();
    let Some(memory) = NonNull::new(state.cast::<u8>()) else { return };
    ENDING.fetch_add(1, Ordering::Relaxed);
    forget_state();
    // SAFETY: the key's value is a state made by `make_state`; this thread is its only user.
    let ending = unsafe { memory.cast::<ThreadState>().as_ref() };
    if ending.tid.get() != 0 {
        if let Some(process) = Process::any() {
            ending.forget(process);
        }
        return_rings(ending);
    }
    ending.contexts.counters.close();
    // SAFETY: `STATE` has another value, and the reference is not used any more.
    unsafe { sys::unmap(memory, size_of::<ThreadState>() as u64) };
    // Release: pairs with `wait_for_ending`, whose caller may unmap what was used above.
    ENDING.fetch_sub(1, Ordering::Release);
}

fn return_rings(ending: &ThreadState) {
    let Some(head) = Process::any().and_then(Process::head) else { return };
    for level in &ending.levels {
        for writer in level.writers.iter().filter(|w| w.has_ring()) {
            let Some(entry) = head.ring(writer.ring_idx.get() as usize) else { continue };
            let leased = writer.lease_word.get();
            let returned = ring_state::word(ring_state::lease(leased), ring_state::RETURNED);
            // Release: whoever finds the ring returned finds everything that was committed.
            let _ = entry.state.compare_exchange(leased, returned, Ordering::Release, Ordering::Relaxed);
            writer.forget_ring();
        }
    }
    crate::lease::wake_if_wanted(&head);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of contexts: what a channel adds to its events, and what filters ask for.
//!
//! What is constant for a thread is taken when it is first asked for and kept in the thread's state, which fork wipes. So the user
//! and group ids, the name, and the namespaces are those of that moment, as in LTTng.
//!
//! # Safety
//! A context stores its own bytes: 4 or 8 of an integer, those of a name. A return address is read from a frame that is in use.

#![allow(unsafe_code)]

use core::cell::{Cell, OnceCell};
use ust_shm::context::{Context, ContextList, ContextType, PLAIN_CODE_COUNT, PROCNAME_BYTES};
use ust_shm::descriptor::Integer;
use ust_shm::filter::run::{ContextSource, ContextValue};

use crate::counter::Counters;
use crate::sys::{self, ErrnoGuard};
use crate::thread::ThreadState;
use crate::unwind;

/// What a thread knows of its contexts; all zero is the fresh state.
#[repr(C)]
pub struct ThreadContexts {
    /// Bit *n*: the value of code *n* is there.
    known: Cell<u32>,
    values: [Cell<u64>; PLAIN_CODE_COUNT],
    procname: Cell<[u8; 16]>,
    /// Where return addresses lie, by place in the code: its low 48 bits, then one more than the offset in words, 0 = none.
    frames: [Cell<u64>; FRAME_COUNT],
    /// Counters of the kernel.
    pub counters: Counters,
}

/// Recording functions whose frames a thread remembers.
const FRAME_COUNT: usize = 16;

impl ThreadContexts {
    /// How far above the stack pointer at `pc` the return address lies. Each word is stored whole, so that a handler does no harm.
    fn return_address_offset(&self, pc: usize) -> Option<usize> {
        // Recording functions are aligned to 16 bytes.
        let place = self.frames.get(pc >> 4 & (FRAME_COUNT - 1))?;
        let found = place.get();
        let words = if found >> 16 == pc as u64 & (u64::MAX >> 16) && found != 0 {
            found & 0xffff
        } else {
            let words = unwind::return_address_offset(pc).map_or(0, |bytes| (bytes / 8 + 1) as u64);
            let words = if words <= 0xffff { words } else { 0 };
            place.set((pc as u64) << 16 | words);
            words
        };
        words.checked_sub(1).map(|words| 8 * words as usize)
    }

    /// The value of a context that is constant for a thread.
    fn constant(&self, context: Context) -> u64 {
        let idx = usize::from(context.code());
        if self.known.get() & 1 << (idx & 31) == 0 {
            self.learn(context);
        }
        self.values.get(idx).map_or(0, Cell::get)
    }

    /// Asks the kernel. A handler that comes in between does the same again.
    #[cold]
    #[inline(never)]
    fn learn(&self, context: Context) {
        let _errno = ErrnoGuard::new();
        let all_of = |first: Context, values: &[u32]| {
            (first.code()..).zip(values).for_each(|(code, &value)| self.keep(code, u64::from(value)));
        };
        match context {
            Context::VPID => self.keep(context.code(), u64::from(sys::process_id())),
            Context::VTID => self.keep(context.code(), u64::from(sys::thread_id())),
            Context::PROCNAME => {
                self.procname.set(sys::thread_name());
                self.keep(context.code(), 0);
            }
            Context::PTHREAD_ID => self.keep(context.code(), sys::pthread_id()),
            Context::VUID | Context::VEUID | Context::VSUID => all_of(Context::VUID, &sys::user_ids()),
            Context::VGID | Context::VEGID | Context::VSGID => all_of(Context::VGID, &sys::group_ids()),
            _ => self.keep(context.code(), namespace(context).and_then(sys::inode).unwrap_or(0)),
        }
    }

    fn keep(&self, code: u8, value: u64) {
        if let Some(place) = self.values.get(usize::from(code)) {
            place.set(value);
            self.known.set(self.known.get() | 1 << (code & 31));
        }
    }
}

/// Where the kernel shows the namespace of the calling thread.
fn namespace(context: Context) -> Option<&'static core::ffi::CStr> {
    Some(match context {
        Context::CGROUP_NS => c"/proc/thread-self/ns/cgroup",
        Context::IPC_NS => c"/proc/thread-self/ns/ipc",
        Context::MNT_NS => c"/proc/thread-self/ns/mnt",
        Context::NET_NS => c"/proc/thread-self/ns/net",
        Context::PID_NS => c"/proc/thread-self/ns/pid",
        Context::TIME_NS => c"/proc/thread-self/ns/time",
        Context::USER_NS => c"/proc/thread-self/ns/user",
        Context::UTS_NS => c"/proc/thread-self/ns/uts",
        _ => return None,
    })
}

/// What tells where a tracepoint was called.
#[derive(Clone, Copy)]
pub enum CallSite {
    /// The stack pointer and a place in the code of the tracepoint's recording function: the return address is looked for.
    Frame {
        /// The stack pointer.
        stack: usize,
        /// The place.
        pc: usize,
    },
    /// The return address itself.
    #[cfg(feature = "capi")]
    Address(usize),
}

/// The contexts of one event.
pub struct EventContexts<'a> {
    state: &'a ThreadState,
    /// By reference: it was stored just now, and a copy would wait for that.
    call_site: &'a CallSite,
    procname: OnceCell<[u8; PROCNAME_BYTES as usize]>,
}

impl<'a> EventContexts<'a> {
    /// Those of an event of this thread.
    pub fn new(state: &'a ThreadState, call_site: &'a CallSite) -> Self {
        Self { state, call_site, procname: OnceCell::new() }
    }

    fn integer(&self, context: Context) -> u64 {
        match context {
            Context::CPU_ID => u64::from(self.state.cpu_now()),
            Context::IP => self.call_site() as u64,
            _ if context.perf().is_some() => self.state.contexts.counters.read(context),
            _ => self.state.contexts.constant(context),
        }
    }

    /// Where the tracepoint was called: the return address of its recording function.
    fn call_site(&self) -> usize {
        match *self.call_site {
            CallSite::Frame { stack, pc } => match self.state.contexts.return_address_offset(pc) {
                // SAFETY: in the live frame of the recording function, by its unwind table.
                Some(above) => unsafe { ((stack + above) as *const usize).read() },
                None => pc,
            },
            #[cfg(feature = "capi")]
            CallSite::Address(address) => address,
        }
    }

    fn procname(&self) -> &[u8; PROCNAME_BYTES as usize] {
        self.procname.get_or_init(|| {
            let contexts = &self.state.contexts;
            contexts.constant(Context::PROCNAME);
            let mut name = [0; PROCNAME_BYTES as usize];
            for (place, byte) in name.iter_mut().zip(contexts.procname.get()) {
                *place = byte;
            }
            name
        })
    }

    /// Stores the contexts of `list` from `at` on (unaligned); returns the address behind them.
    ///
    /// # Safety
    /// There is room for the bytes of the list, which are the caller's to write.
    pub unsafe fn put(&self, list: &ContextList, at: *mut u8) -> *mut u8 {
        let mut at = at;
        for context in list.iter() {
            // SAFETY: each stores the bytes of its context, which all together are those of the list.
            at = unsafe {
                match context.ty() {
                    ContextType::Text(_) => put(at, *self.procname()),
                    ContextType::Integer(Integer { bits: 32, .. }) => put(at, self.integer(context) as u32),
                    ContextType::Integer(_) => put(at, self.integer(context)),
                }
            };
        }
        at
    }
}

/// Stores a value; returns the address behind it.
///
/// # Safety
/// There is room for it.
unsafe fn put<T>(at: *mut u8, value: T) -> *mut u8 {
    // SAFETY: by this function's contract.
    unsafe {
        at.cast::<T>().write_unaligned(value);
        at.add(size_of::<T>())
    }
}

impl ContextSource for EventContexts<'_> {
    fn context(&self, context: Context) -> Option<ContextValue<'_>> {
        Some(match context.ty() {
            ContextType::Text(_) => ContextValue::Text(self.procname()),
            ContextType::Integer(integer) => {
                let value = self.integer(context);
                ContextValue::Integer(if integer.signed { i64::from(value as i32) } else { value as i64 })
            }
        })
    }
}

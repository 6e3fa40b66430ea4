// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a channel can add to each of its events, and what filters can ask for besides fields (`$ctx.NAME`).
//!
//! The codes are stored in `rules` and in the channel table; they are never given another meaning.

use crate::descriptor::{Base, Integer};
use crate::limits::CONTEXT_COUNT_MAX;

/// One context, known by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Context(u8);

/// How a context is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextType {
    /// An integer, little endian.
    Integer(Integer),
    /// Text in that many bytes, padded with NUL.
    Text(u32),
}

/// A counter of the kernel's, as `perf_event_open` knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerfCounter {
    /// `PERF_TYPE_*`.
    pub ty: u32,
    /// What the type counts.
    pub config: u64,
}

/// Bytes of a thread's name with its NUL, as LTTng stores it.
pub const PROCNAME_BYTES: u32 = 17;

const fn integer(bits: u8, signed: bool, base: Base) -> ContextType {
    ContextType::Integer(Integer { bits, signed, base, network: false })
}

const ID: ContextType = integer(32, true, Base::Decimal);
const USER: ContextType = integer(32, false, Base::Decimal);
const WORD: ContextType = integer(64, false, Base::Decimal);
const ADDRESS: ContextType = integer(64, false, Base::Hexadecimal);

/// Code 1 and following, without the counters.
const PLAIN: [(&str, ContextType); 20] = [
    ("vpid", ID),
    ("vtid", ID),
    ("procname", ContextType::Text(PROCNAME_BYTES)),
    ("pthread_id", WORD),
    ("cpu_id", ID),
    ("ip", ADDRESS),
    ("vuid", USER),
    ("veuid", USER),
    ("vsuid", USER),
    ("vgid", USER),
    ("vegid", USER),
    ("vsgid", USER),
    ("cgroup_ns", WORD),
    ("ipc_ns", WORD),
    ("mnt_ns", WORD),
    ("net_ns", WORD),
    ("pid_ns", WORD),
    ("time_ns", WORD),
    ("user_ns", WORD),
    ("uts_ns", WORD),
];

/// Code of the first counter.
const PERF_FIRST: u8 = 64;

const HARDWARE: u32 = 0;
const SOFTWARE: u32 = 1;
const CACHE: u32 = 3;

/// Cache, operation (0 load, 1 store, 2 prefetch), result (0 access, 1 miss).
const fn cache(cache: u64, operation: u64, result: u64) -> u64 {
    cache | operation << 8 | result << 16
}

/// The counters that LTTng names, from code 64 on.
const PERF: [(&str, u32, u64); 53] = [
    ("perf:thread:cpu-cycles", HARDWARE, 0),
    ("perf:thread:cycles", HARDWARE, 0),
    ("perf:thread:instructions", HARDWARE, 1),
    ("perf:thread:cache-references", HARDWARE, 2),
    ("perf:thread:cache-misses", HARDWARE, 3),
    ("perf:thread:branch-instructions", HARDWARE, 4),
    ("perf:thread:branches", HARDWARE, 4),
    ("perf:thread:branch-misses", HARDWARE, 5),
    ("perf:thread:bus-cycles", HARDWARE, 6),
    ("perf:thread:stalled-cycles-frontend", HARDWARE, 7),
    ("perf:thread:idle-cycles-frontend", HARDWARE, 7),
    ("perf:thread:stalled-cycles-backend", HARDWARE, 8),
    ("perf:thread:idle-cycles-backend", HARDWARE, 8),
    ("perf:thread:cpu-clock", SOFTWARE, 0),
    ("perf:thread:task-clock", SOFTWARE, 1),
    ("perf:thread:page-fault", SOFTWARE, 2),
    ("perf:thread:faults", SOFTWARE, 2),
    ("perf:thread:context-switches", SOFTWARE, 3),
    ("perf:thread:cs", SOFTWARE, 3),
    ("perf:thread:cpu-migrations", SOFTWARE, 4),
    ("perf:thread:migrations", SOFTWARE, 4),
    ("perf:thread:minor-faults", SOFTWARE, 5),
    ("perf:thread:major-faults", SOFTWARE, 6),
    ("perf:thread:alignment-faults", SOFTWARE, 7),
    ("perf:thread:emulation-faults", SOFTWARE, 8),
    ("perf:thread:L1-dcache-loads", CACHE, cache(0, 0, 0)),
    ("perf:thread:L1-dcache-load-misses", CACHE, cache(0, 0, 1)),
    ("perf:thread:L1-dcache-stores", CACHE, cache(0, 1, 0)),
    ("perf:thread:L1-dcache-store-misses", CACHE, cache(0, 1, 1)),
    ("perf:thread:L1-dcache-prefetches", CACHE, cache(0, 2, 0)),
    ("perf:thread:L1-icache-loads", CACHE, cache(1, 0, 0)),
    ("perf:thread:L1-icache-load-misses", CACHE, cache(1, 0, 1)),
    ("perf:thread:L1-icache-prefetches", CACHE, cache(1, 2, 0)),
    ("perf:thread:LLC-loads", CACHE, cache(2, 0, 0)),
    ("perf:thread:LLC-load-misses", CACHE, cache(2, 0, 1)),
    ("perf:thread:LLC-stores", CACHE, cache(2, 1, 0)),
    ("perf:thread:LLC-store-misses", CACHE, cache(2, 1, 1)),
    ("perf:thread:LLC-prefetches", CACHE, cache(2, 2, 0)),
    ("perf:thread:dTLB-loads", CACHE, cache(3, 0, 0)),
    ("perf:thread:dTLB-load-misses", CACHE, cache(3, 0, 1)),
    ("perf:thread:dTLB-stores", CACHE, cache(3, 1, 0)),
    ("perf:thread:dTLB-store-misses", CACHE, cache(3, 1, 1)),
    ("perf:thread:iTLB-loads", CACHE, cache(4, 0, 0)),
    ("perf:thread:iTLB-load-misses", CACHE, cache(4, 0, 1)),
    ("perf:thread:branch-loads", CACHE, cache(5, 0, 0)),
    ("perf:thread:branch-load-misses", CACHE, cache(5, 0, 1)),
    ("perf:thread:L1-dcache-prefetch-misses", CACHE, cache(0, 2, 1)),
    ("perf:thread:L1-icache-stores", CACHE, cache(1, 1, 0)),
    ("perf:thread:L1-icache-store-misses", CACHE, cache(1, 1, 1)),
    ("perf:thread:L1-icache-prefetch-misses", CACHE, cache(1, 2, 1)),
    ("perf:thread:LLC-prefetch-misses", CACHE, cache(2, 2, 1)),
    ("perf:thread:dTLB-prefetches", CACHE, cache(3, 2, 0)),
    ("perf:thread:dTLB-prefetch-misses", CACHE, cache(3, 2, 1)),
];

/// Codes below this can be kept in a table of a thread.
pub const PLAIN_CODE_COUNT: usize = PLAIN.len() + 1;

#[allow(missing_docs)] // the names are the documentation
impl Context {
    pub const VPID: Self = Self(1);
    pub const VTID: Self = Self(2);
    pub const PROCNAME: Self = Self(3);
    pub const PTHREAD_ID: Self = Self(4);
    pub const CPU_ID: Self = Self(5);
    pub const IP: Self = Self(6);
    pub const VUID: Self = Self(7);
    pub const VEUID: Self = Self(8);
    pub const VSUID: Self = Self(9);
    pub const VGID: Self = Self(10);
    pub const VEGID: Self = Self(11);
    pub const VSGID: Self = Self(12);
    pub const CGROUP_NS: Self = Self(13);
    pub const IPC_NS: Self = Self(14);
    pub const MNT_NS: Self = Self(15);
    pub const NET_NS: Self = Self(16);
    pub const PID_NS: Self = Self(17);
    pub const TIME_NS: Self = Self(18);
    pub const USER_NS: Self = Self(19);
    pub const UTS_NS: Self = Self(20);
}

impl Context {
    /// The context with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let context = Self(code);
        (context.plain().is_some() || context.counter().is_some()).then_some(context)
    }

    /// The context that people call `name`, as after `$ctx.`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|context| context.name() == name)
    }

    /// All contexts, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).filter_map(Self::from_code)
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.plain().map(|(name, _)| name).or_else(|| self.counter().map(|(name, ..)| name)).unwrap_or_default()
    }

    /// How it is stored.
    #[must_use]
    pub fn ty(self) -> ContextType {
        self.plain().map_or(WORD, |(_, ty)| ty)
    }

    /// Bytes that it takes in an event.
    #[must_use]
    pub fn bytes(self) -> u32 {
        match self.ty() {
            ContextType::Integer(integer) => u32::from(integer.bits / 8),
            ContextType::Text(bytes) => bytes,
        }
    }

    /// The counter that it is, if it is one.
    #[must_use]
    pub fn perf(self) -> Option<PerfCounter> {
        self.counter().map(|(_, ty, config)| PerfCounter { ty, config })
    }

    fn plain(self) -> Option<(&'static str, ContextType)> {
        PLAIN.get(usize::from(self.0).checked_sub(1)?).copied()
    }

    fn counter(self) -> Option<(&'static str, u32, u64)> {
        PERF.get(usize::from(self.0.checked_sub(PERF_FIRST)?)).copied()
    }
}

/// The contexts of a channel, in the order in which they lie in its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextList {
    /// Codes, then zeros.
    codes: [u8; CONTEXT_COUNT_MAX],
}

impl ContextList {
    /// No contexts.
    pub const NONE: Self = Self { codes: [0; CONTEXT_COUNT_MAX] };

    /// The list of these contexts; `None` where there are more than [`CONTEXT_COUNT_MAX`].
    #[must_use]
    pub fn new(contexts: &[Context]) -> Option<Self> {
        let mut list = Self::default();
        let places = list.codes.get_mut(..contexts.len())?;
        for (place, context) in places.iter_mut().zip(contexts) {
            *place = context.code();
        }
        Some(list)
    }

    /// The list with these codes; `None` where one is unknown, or follows the end.
    #[must_use]
    pub fn from_codes(codes: [u8; CONTEXT_COUNT_MAX]) -> Option<Self> {
        let mut ended = false;
        for code in codes {
            ended |= code == 0;
            if ended && code != 0 || !ended && Context::from_code(code).is_none() {
                return None;
            }
        }
        Some(Self { codes })
    }

    /// The codes, then zeros.
    #[must_use]
    pub const fn codes(&self) -> [u8; CONTEXT_COUNT_MAX] {
        self.codes
    }

    /// The contexts, in order.
    pub fn iter(&self) -> impl Iterator<Item = Context> + use<> {
        self.codes.into_iter().take_while(|&code| code != 0).map(Context)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.codes[0] == 0
    }

    /// Bytes that they take in an event.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        self.iter().map(Context::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_context_is_found_by_its_name_and_its_code() {
        assert_eq!(Context::all().count(), PLAIN.len() + PERF.len());
        for context in Context::all() {
            assert_eq!(Context::from_name(context.name()), Some(context));
            assert_eq!(Context::from_code(context.code()), Some(context));
        }
        assert_eq!(Context::UTS_NS.name(), "uts_ns");
        assert_eq!(Context::IP.bytes(), 8);
        assert_eq!(Context::from_code(0), None);
        assert_eq!(Context::from_name("nothing"), None);
    }

    #[test]
    fn lists_keep_their_order_and_refuse_what_they_cannot_hold() {
        let list = ContextList::new(&[Context::VTID, Context::PROCNAME]).expect("short");
        assert_eq!(list.iter().collect::<Vec<_>>(), [Context::VTID, Context::PROCNAME]);
        assert_eq!(list.bytes(), 21);
        assert_eq!(ContextList::from_codes(list.codes()), Some(list));
        assert_eq!(ContextList::new(&[Context::IP; CONTEXT_COUNT_MAX + 1]), None);
        let mut codes = [0; CONTEXT_COUNT_MAX];
        codes[1] = 1;
        assert_eq!(ContextList::from_codes(codes), None, "a gap");
        codes[0] = 63;
        assert_eq!(ContextList::from_codes(codes), None, "an unknown code");
    }
}

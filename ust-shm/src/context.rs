// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a channel can add to each of its events, and what filters can ask for besides fields (`$ctx.NAME`).
//!
//! The codes are stored in `rules` and in the channel table; they are never given another meaning.

use crate::descriptor::{Base, Integer};
use crate::limits::CONTEXT_COUNT_MAX;

/// One context, known by its code; a raw counter also by what the hardware is to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Context {
    code: u8,
    /// Of a raw counter; 0 for all others.
    config: u64,
}

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

/// Code of every raw counter; in a list, the 8 bytes of its configuration follow.
const RAW_CODE: u8 = 48;

/// Begin of the names of raw counters, before the configuration.
const RAW_PREFIX: &str = "perf:thread:raw:r";

const HARDWARE: u32 = 0;
const SOFTWARE: u32 = 1;
const CACHE: u32 = 3;
const RAW: u32 = 4;

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
    pub const VPID: Self = Self::named(1);
    pub const VTID: Self = Self::named(2);
    pub const PROCNAME: Self = Self::named(3);
    pub const PTHREAD_ID: Self = Self::named(4);
    pub const CPU_ID: Self = Self::named(5);
    pub const IP: Self = Self::named(6);
    pub const VUID: Self = Self::named(7);
    pub const VEUID: Self = Self::named(8);
    pub const VSUID: Self = Self::named(9);
    pub const VGID: Self = Self::named(10);
    pub const VEGID: Self = Self::named(11);
    pub const VSGID: Self = Self::named(12);
    pub const CGROUP_NS: Self = Self::named(13);
    pub const IPC_NS: Self = Self::named(14);
    pub const MNT_NS: Self = Self::named(15);
    pub const NET_NS: Self = Self::named(16);
    pub const PID_NS: Self = Self::named(17);
    pub const TIME_NS: Self = Self::named(18);
    pub const USER_NS: Self = Self::named(19);
    pub const UTS_NS: Self = Self::named(20);
}

impl Context {
    const fn named(code: u8) -> Self {
        Self { code, config: 0 }
    }

    /// The counter of the hardware's own that has this configuration, as the processor's manual says.
    #[must_use]
    pub const fn raw(config: u64) -> Self {
        Self { code: RAW_CODE, config }
    }

    /// The context that `text` names, and what people want to call it: `perf:thread:raw:rN:NAME`, with N in hexadecimal, or without
    /// `:NAME`; for all others the text itself.
    #[must_use]
    pub fn parse(text: &str) -> Option<(Self, &str)> {
        let Some(raw) = text.strip_prefix(RAW_PREFIX) else { return Some((Self::from_name(text)?, text)) };
        let (config, name) = raw.split_once(':').unwrap_or((raw, "raw"));
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-".contains(&c));
        let is_config = (1..=16).contains(&config.len()) && config.bytes().all(|c| c.is_ascii_hexdigit());
        let config = u64::from_str_radix(config, 16).ok().filter(|_| is_config && is_name(name))?;
        Some((Self::raw(config), text))
    }

    /// The context with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let context = Self::named(code);
        (context.plain().is_some() || context.counter().is_some()).then_some(context)
    }

    /// The context that people call `name`, as after `$ctx.`. Raw counters have no such name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|context| context.name() == name)
    }

    /// All contexts but raw counters, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).filter_map(Self::from_code)
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.code
    }

    /// What a raw counter counts; 0 for all others.
    #[must_use]
    pub const fn config(self) -> u64 {
        self.config
    }

    /// What people call it; for a raw counter, what is common to them all (it is displayed whole).
    #[must_use]
    pub fn name(self) -> &'static str {
        if self.code == RAW_CODE {
            return "perf:thread:raw";
        }
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
        if self.code == RAW_CODE {
            return Some(PerfCounter { ty: RAW, config: self.config });
        }
        self.counter().map(|(_, ty, config)| PerfCounter { ty, config })
    }

    fn plain(self) -> Option<(&'static str, ContextType)> {
        PLAIN.get(usize::from(self.code).checked_sub(1)?).copied()
    }

    fn counter(self) -> Option<(&'static str, u32, u64)> {
        PERF.get(usize::from(self.code.checked_sub(PERF_FIRST)?)).copied()
    }
}

impl core::fmt::Display for Context {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.code == RAW_CODE { write!(f, "{RAW_PREFIX}{:x}", self.config) } else { f.write_str(self.name()) }
    }
}

/// The contexts of a channel, in the order in which they lie in its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextList {
    /// Codes, each raw counter's followed by its configuration, then zeros.
    codes: [u8; CONTEXT_COUNT_MAX],
}

impl ContextList {
    /// No contexts.
    pub const NONE: Self = Self { codes: [0; CONTEXT_COUNT_MAX] };

    /// The list of these contexts; `None` where they do not fit: [`CONTEXT_COUNT_MAX`] bytes, of which a raw counter takes nine.
    #[must_use]
    pub fn new(contexts: &[Context]) -> Option<Self> {
        let mut list = Self::default();
        let mut at = 0;
        for context in contexts {
            *list.codes.get_mut(at)? = context.code;
            at += 1;
            if context.code == RAW_CODE {
                list.codes.get_mut(at..at + 8)?.copy_from_slice(&context.config.to_le_bytes());
                at += 8;
            }
        }
        Some(list)
    }

    /// The list with these codes; `None` where one is unknown or cut off, or follows the end.
    #[must_use]
    pub fn from_codes(codes: [u8; CONTEXT_COUNT_MAX]) -> Option<Self> {
        let list = Self { codes };
        let mut at = 0;
        while let Some((context, next)) = list.at(at) {
            if context.code != RAW_CODE {
                Context::from_code(context.code)?;
            }
            at = next;
        }
        codes.get(at..)?.iter().all(|&code| code == 0).then_some(list)
    }

    /// The context whose code stands at `at`, checked or not, and where the next one is; `None` at the end.
    fn at(&self, at: usize) -> Option<(Context, usize)> {
        let code = *self.codes.get(at).filter(|&&code| code != 0)?;
        if code != RAW_CODE {
            return Some((Context::named(code), at + 1));
        }
        let config = self.codes.get(at + 1..)?.first_chunk::<8>()?;
        Some((Context::raw(u64::from_le_bytes(*config)), at + 9))
    }

    /// The codes, then zeros.
    #[must_use]
    pub const fn codes(&self) -> [u8; CONTEXT_COUNT_MAX] {
        self.codes
    }

    /// The contexts, in order.
    pub fn iter(&self) -> impl Iterator<Item = Context> + use<> {
        let (list, mut at) = (*self, 0);
        core::iter::from_fn(move || {
            let (context, next) = list.at(at)?;
            at = next;
            Some(context)
        })
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

    #[test]
    fn raw_counters_are_named_with_their_configuration_and_kept_in_lists() {
        let text = "perf:thread:raw:r01a8:ld_blocks";
        let (raw, name) = Context::parse(text).expect("as LTTng writes it");
        assert_eq!((raw, name, raw.to_string().as_str()), (Context::raw(0x1a8), text, "perf:thread:raw:r1a8"));
        assert_eq!(raw.perf(), Some(PerfCounter { ty: RAW, config: 0x1a8 }));
        assert_eq!((raw.ty(), raw.bytes()), (WORD, 8));
        assert_eq!(Context::parse("perf:thread:raw:r1a8").map(|(context, _)| context), Some(raw));
        assert_eq!(Context::parse("vtid"), Some((Context::VTID, "vtid")));
        let wrong = ["", "r", "r:x", "rxyz:x", "r+1:x", "r1:", "r1:a b", "r1:a:b", "r12345678123456781:x", "0110:x"];
        for wrong in wrong.map(|rest| format!("perf:thread:raw:{rest}")) {
            assert_eq!(Context::parse(&wrong), None, "{wrong}");
        }
        assert_eq!((Context::from_code(RAW_CODE), Context::from_name("perf:thread:raw")), (None, None));
        let all = [Context::VTID, Context::raw(0), Context::IP, Context::raw(u64::MAX), raw, Context::CPU_ID];
        let list = ContextList::new(&all).expect("31 bytes");
        assert_eq!(list.iter().collect::<Vec<_>>(), all);
        assert_eq!(list.bytes(), 4 + 8 + 8 + 8 + 8 + 4);
        assert_eq!(ContextList::from_codes(list.codes()), Some(list));
        assert_eq!(ContextList::new(&[Context::raw(1); 4]), None, "36 bytes");
        let mut cut = [1; CONTEXT_COUNT_MAX];
        cut[CONTEXT_COUNT_MAX - 8] = RAW_CODE;
        assert_eq!(ContextList::from_codes(cut), None, "seven bytes of a configuration");
    }
}

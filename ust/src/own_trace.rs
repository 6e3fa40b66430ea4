// SPDX-License-Identifier: MIT OR Apache-2.0
//! `UST_TRACE`: a program that is its own flight recorder, with or without a consumer (`docs/own-trace.md`).
//!
//! The events that it names go to channel slot [`OWN_SLOT`], in overwrite mode. The slot and its bits in the enable words are stored
//! before anybody else sees the image, and never again; whoever applies rules leaves them as they are (`docs/shm-layout.md`, "A
//! program's own channel"). From then on nothing here runs: the events are recorded as those of any channel.
//!
//! Nobody removes such an image when its program has ended, so each program looks at what those before it have left, before it makes
//! its own ([`make_room`]).
//!
//! # Safety
//! [`TEXT`] is written by the constructor only, before its length is stored with Release, and read after that was loaded.

#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use ust_shm::context::ContextList;
use ust_shm::descriptor::LogLevel;
use ust_shm::glob;
use ust_shm::head::{Head, store_word};
use ust_shm::layout::{IMAGE_MAGIC, LossMode, OWN_CHANNEL_UID, flags, geometry_is_valid, image_state};
use ust_shm::limits::OWN_SLOT;
use ust_shm::rules::{Channel, FullName};

use crate::description::Scratch;
use crate::image::{self, Reason};
use crate::path::Path;
use crate::sys::{self, Fd};
use crate::tracepoint::Tracepoint;

/// Bytes of `UST_TRACE`: some dozens of patterns.
const TEXT_BYTES_MAX: usize = 1024;

/// Images of programs that have ended which are kept, as by a daemon for its flight recorders.
const KEPT_COUNT_MAX: u64 = 32;

/// Memory that they may take: a small part of that of a machine on which people look for crashes.
const KEPT_BYTES_MAX: u64 = 512 << 20;

/// Images that one program removes: more than one, so that several programs which begin at once come to the limit in the end.
const REMOVED_MAX: usize = 8;

/// Bytes of a directory that are read at a time; small, since start-up may run on a signal handler's stack.
const LIST_BYTES: usize = 1024;

/// What `UST_TRACE` said, for forked children and libraries that are loaded later. Length 0: nothing.
struct Text {
    bytes: UnsafeCell<[u8; TEXT_BYTES_MAX]>,
    len: AtomicU32,
}

// SAFETY: module header.
unsafe impl Sync for Text {}

static TEXT: Text = Text { bytes: UnsafeCell::new([0; TEXT_BYTES_MAX]), len: AtomicU32::new(0) };

/// Why a text is no specification: the part that is wrong, and what is wrong with it.
type Wrong<'a> = (&'a [u8], Reason);

/// Takes `UST_TRACE` from the environment. One that is wrong is ignored, and the reason said if `says`. Constructor only.
pub fn set_up(says: bool) {
    let Some(text) = sys::environment(c"UST_TRACE").map(|value| value.to_bytes()) else { return };
    if text.is_empty() || text == b"0" {
        return;
    }
    let checked = match Spec::parse(text) {
        Ok(_) if text.len() <= TEXT_BYTES_MAX => Ok(()),
        Ok(_) => Err((&b""[..], "it has more than 1,024 bytes")),
        Err(wrong) => Err(wrong),
    };
    if let Err((part, reason)) = checked {
        if says {
            for piece in [&b"ust: UST_TRACE is ignored: `"[..], part, b"`: ", reason.as_bytes(), b"\n"] {
                sys::write_stderr(piece);
            }
        }
        return;
    }
    // SAFETY: the constructor runs once, before any reader: the length is still 0.
    let bytes = unsafe { &mut *TEXT.bytes.get() };
    for (place, byte) in bytes.iter_mut().zip(text) {
        *place = *byte;
    }
    TEXT.len.store(text.len() as u32, Ordering::Release);
}

/// What this process records on its own; `None` for nothing.
pub fn spec() -> Option<Spec<'static>> {
    let len = TEXT.len.load(Ordering::Acquire) as usize;
    // SAFETY: module header; a length of 0 gives no byte.
    let bytes = unsafe { &*TEXT.bytes.get() };
    Spec::parse(bytes.get(..len)?).ok().filter(|_| len != 0)
}

/// Which events, and rings of what shape.
#[derive(Clone, Copy, Debug)]
pub struct Spec<'a> {
    text: &'a [u8],
    /// Most severe level.
    level_min: u8,
    /// Least severe one.
    level_max: u8,
    subbuf_bytes: u32,
    subbuf_count: u32,
}

impl<'a> Spec<'a> {
    /// Reads and checks the whole text.
    fn parse(text: &'a [u8]) -> Result<Self, Wrong<'a>> {
        // The rings that `ust record` makes by default.
        let (level_min, level_max) = (LogLevel::Emerg as u8, LogLevel::Debug as u8);
        let mut spec = Self { text, level_min, level_max, subbuf_bytes: 256 << 10, subbuf_count: 8 };
        for part in parts(text) {
            let wrong = |reason| (part, reason);
            match part.iter().position(|&byte| byte == b'=') {
                Some(at) => {
                    let (name, value) = part.split_at(at);
                    let value = trim(value.get(1..).unwrap_or_default());
                    spec.set(trim(name), value).map_err(wrong)?;
                }
                None if !pattern_of(part).iter().any(|byte| b":*".contains(byte)) => {
                    return Err(wrong("events are called provider:name, and `*` stands for anything"));
                }
                None => {}
            }
        }
        Ok(spec)
    }

    fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Reason> {
        let no_level = "there is no such level: EMERG to DEBUG, or 0 to 14";
        match name {
            b"level" => self.level_max = level(value).ok_or(no_level)?,
            b"level-only" => {
                self.level_max = level(value).ok_or(no_level)?;
                self.level_min = self.level_max;
            }
            b"size" => {
                self.subbuf_bytes = number(value)
                    .filter(|&bytes| geometry_is_valid(bytes, 2))
                    .ok_or("a sub-buffer has 4K to 64M, a power of two")?;
            }
            b"count" => {
                self.subbuf_count = number(value)
                    .filter(|&count| geometry_is_valid(4096, count))
                    .ok_or("a ring has 2 to 64 sub-buffers, a power of two")?;
            }
            _ => return Err("there is no such option: level, level-only, size, count"),
        }
        Ok(())
    }

    /// Whether the event is wanted: some pattern matches it, or there is none, no exclusion does, and its level is in range.
    fn wants(&self, provider: &str, name: &str, level: u8) -> bool {
        if !(self.level_min <= level && level <= self.level_max) {
            return false;
        }
        let full = FullName::new(provider, name);
        let Some(full) = full.as_bytes() else { return false };
        let (mut any_pattern, mut matched) = (false, false);
        for part in parts(self.text).filter(|part| !part.contains(&b'=')) {
            let matches = glob::matches(pattern_of(part), full);
            if part.starts_with(b"!") {
                if matches {
                    return false;
                }
            } else {
                any_pattern = true;
                matched |= matches;
            }
        }
        matched || !any_pattern
    }

    /// Makes the image one of a program that records on its own. Before it is published.
    pub fn begin(&self, head: &Head) {
        head.store_channel(&Channel {
            slot: OWN_SLOT,
            uid: OWN_CHANNEL_UID,
            mode: LossMode::Overwrite,
            subbuf_bytes: self.subbuf_bytes,
            subbuf_count: self.subbuf_count,
            block_timeout_us: 0,
            contexts: ContextList::NONE,
        });
        if let Some(header) = head.header() {
            header.pid_ns.store(pid_namespace(), Ordering::Relaxed);
            header.flags.fetch_or(flags::OWN_TRACE, Ordering::Relaxed);
        }
    }
}

/// Sets the program's own bit in the enable words of what it wants. Before the object that they belong to is published.
pub fn set_own_bits<'w>(
    tracepoints: impl Iterator<Item = &'static Tracepoint>,
    scratch: &mut Scratch,
    mut word_of: impl FnMut(u64) -> Option<&'w AtomicU64>,
) {
    let Some(spec) = spec() else { return };
    for (i, tracepoint) in (0..).zip(tracepoints) {
        let wants = tracepoint.describe(scratch, |desc| spec.wants(desc.provider, desc.name, desc.loglevel as u8));
        if let Some(word) = word_of(i).filter(|_| wants == Some(true)) {
            store_word(word, 1 << OWN_SLOT);
        }
    }
}

/// The parts of a text between commas and semicolons (but not `\,` and `\;`), without space around them; none is empty.
fn parts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut escaped = false;
    let ends = move |byte: &u8| {
        let separates = !escaped && matches!(byte, b',' | b';');
        escaped = !escaped && *byte == b'\\';
        separates
    };
    text.split(ends).map(trim).filter(|part| !part.is_empty())
}

fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// The pattern of a part: without the mark of an exclusion.
fn pattern_of(part: &[u8]) -> &[u8] {
    trim(part.strip_prefix(b"!").unwrap_or(part))
}

/// A level by its name, in any case and with or without `TRACE_`, or by its number.
fn level(text: &[u8]) -> Option<u8> {
    let name = match text.split_at_checked(6) {
        Some((prefix, name)) if prefix.eq_ignore_ascii_case(b"TRACE_") => name,
        _ => text,
    };
    let by_name = LogLevel::NAMES.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name));
    let by_number = || digits(name).filter(|&number| (number as usize) < LogLevel::NAMES.len());
    by_name.map(|found| found as u8).or_else(|| by_number().map(|number| number as u8))
}

/// A number, or one with `K` or `M`.
fn number(text: &[u8]) -> Option<u32> {
    let (number, shift) = match text.split_last() {
        Some((b'k' | b'K', number)) => (number, 10),
        Some((b'm' | b'M', number)) => (number, 20),
        _ => (text, 0),
    };
    digits(number)?.checked_mul(1 << shift)
}

fn digits(text: &[u8]) -> Option<u32> {
    let add = |sum: u32, byte: &u8| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit <= 9)?;
        sum.checked_mul(10)?.checked_add(u32::from(digit))
    };
    text.iter().try_fold(0, add).filter(|_| !text.is_empty())
}

fn pid_namespace() -> u64 {
    sys::inode(c"/proc/self/ns/pid").unwrap_or(0)
}

/// Removes images in `apps` that programs with a flight recorder of their own have left, as far as they are beyond the limits.
pub fn make_room(apps: &Path) {
    for _ in 0..REMOVED_MAX {
        let Some(excess) = find_excess(apps) else { return };
        sys::unlink(excess.as_c_str());
    }
}

/// The image that goes first, if there are too many: of those whose owners ended in good order, else of all, the oldest.
fn find_excess(apps: &Path) -> Option<Path> {
    let dir = Fd::open(apps.as_c_str(), libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW)?;
    let own_ns = pid_namespace();
    let (mut count, mut bytes) = (0u64, 0u64);
    let mut first: Option<(Path, Left)> = None;
    let mut look = |name: &[u8]| {
        let path = apps.with(b"/").and_then(|apps| apps.with(name));
        let Some((path, left)) = path.and_then(|path| Some((path, Left::load(&path, own_ns)?))) else { return };
        count += 1;
        bytes = bytes.saturating_add(left.bytes);
        let order = |left: &Left| (!left.closed, left.created_ns);
        if first.as_ref().is_none_or(|(_, other)| order(&left) < order(other)) {
            first = Some((path, left));
        }
    };
    let mut buffer = [0u8; LIST_BYTES];
    while let Some(mut entries) = dir.list(&mut buffer).filter(|entries| !entries.is_empty()) {
        // struct linux_dirent64: u64 d_ino, i64 d_off, u16 d_reclen, u8 d_type, then the name with NULs up to d_reclen.
        while let Some(len) = entries.get(16..18).and_then(|len| len.first_chunk::<2>()) {
            let len = usize::from(u16::from_le_bytes(*len));
            let (Some(name), Some(rest)) = (entries.get(19..len), entries.get(len..)) else { break };
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            if !name.starts_with(b".") {
                look(name);
            }
            entries = rest;
        }
    }
    let too_many = count > KEPT_COUNT_MAX || (bytes > KEPT_BYTES_MAX && count > 1);
    first.filter(|_| too_many).map(|(path, _)| path)
}

/// An image that a program has left which was its own flight recorder.
struct Left {
    closed: bool,
    created_ns: u64,
    bytes: u64,
}

impl Left {
    /// Looks at the image at `path`; `None` for any other one, and for one whose owner may live.
    fn load(path: &Path, own_ns: u64) -> Option<Self> {
        let file = Fd::open(path.as_c_str(), libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK)?;
        let stat = file.stat().filter(|s| s.st_mode & libc::S_IFMT == libc::S_IFREG)?;
        let mut header = [0u8; 96];
        file.read(&mut header).filter(|&n| n == header.len())?;
        let u32_at = |at: usize| Some(u32::from_le_bytes(*header.get(at..)?.first_chunk()?));
        let u64_at = |at: usize| Some(u64::from_le_bytes(*header.get(at..)?.first_chunk()?));
        if u64_at(0)? != IMAGE_MAGIC || u32_at(28)? & flags::OWN_TRACE == 0 {
            return None;
        }
        let (pid, exec_id, pid_ns) = (u32_at(24)?, u64_at(32)?, u64_at(88)?);
        let closed = u32_at(64)? == image_state::CLOSED;
        let known = own_ns != 0 && pid_ns == own_ns;
        let replaced = known && pid == sys::process_id() && exec_id != image::exec_id();
        let ended = closed || replaced || (known && !sys::process_lives(pid));
        let bytes = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
        ended.then_some(Self { closed, created_ns: u64_at(40)?, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Vec<&'static str> {
        const EVENTS: [(&str, &str, u8); 5] = [
            ("shop", "checkout", 6),
            ("shop", "noisy", 14),
            ("shop", "failed", 3),
            ("db", "query", 6),
            ("db", "a,b", 14),
        ];
        let spec = Spec::parse(text.as_bytes()).expect("it is right");
        EVENTS.iter().filter(|(p, n, level)| spec.wants(p, n, *level)).map(|(_, name, _)| *name).collect()
    }

    #[test]
    fn patterns_exclusions_and_levels_choose_events_whatever_separates_them() {
        assert_eq!(wanted("*"), ["checkout", "noisy", "failed", "query", "a,b"]);
        assert_eq!(wanted("shop:*;level=info"), ["checkout", "failed"]);
        assert_eq!(wanted(" shop:* , !shop:no* "), ["checkout", "failed"]);
        assert_eq!(wanted("!shop:*"), ["query", "a,b"], "no pattern: all but those");
        assert_eq!(wanted("level=TRACE_ERR"), ["failed"]);
        assert_eq!(wanted("level-only=6;db:*,shop:*;"), ["checkout", "query"]);
        assert_eq!(wanted(r"db:a\,b"), ["a,b"]);
        assert_eq!(wanted("nothing:*"), [""; 0]);
    }

    #[test]
    fn sizes_are_those_of_rings() {
        let spec = Spec::parse(b"*;size=64k;count=16").expect("it is right");
        assert_eq!((spec.subbuf_bytes, spec.subbuf_count), (65_536, 16));
        let spec = Spec::parse(b"*,size=4096").expect("it is right");
        assert_eq!((spec.subbuf_bytes, spec.subbuf_count), (4096, 8));
    }

    #[test]
    fn what_is_wrong_is_named_with_the_reason() {
        let cases = [
            ("shop:*;levle=info", "levle=info", "no such option"),
            ("*;level=loud", "level=loud", "no such level"),
            ("*;level=15", "level=15", "no such level"),
            ("*;size=5000", "size=5000", "a power of two"),
            ("*;size=99999999999999", "size=99999999999999", "4K to 64M"),
            ("*;size=", "size=", "4K to 64M"),
            ("*,count=1", "count=1", "2 to 64"),
            ("shop:*,noisy", "noisy", "provider:name"),
            ("!", "!", "provider:name"),
        ];
        for (text, part, reason) in cases {
            let (found, why) = Spec::parse(text.as_bytes()).expect_err(text);
            assert_eq!(found, part.as_bytes(), "{text}");
            assert!(why.contains(reason), "{text}: {why}");
        }
    }
}

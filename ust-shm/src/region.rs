// SPDX-License-Identifier: MIT OR Apache-2.0
//! A piece of memory that another process may write at any moment, addressed by checked offsets.
//!
//! # Safety
//! The only unsafe step is [`Region::new`]: from then on every access is checked against the region's
//! length, and is an atomic load or store, so that no value of the other side is ever more than a number.

#![allow(unsafe_code)]

use core::mem::{align_of, size_of};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Memory shared with another process: `len` bytes from `base` on.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    base: NonNull<u8>,
    len: u64,
}

// SAFETY: a region is a pointer and a length; all access through it is by atomics, which any thread may use.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

/// Marks structures that consist of atomics alone, valid for every bit pattern.
///
/// # Safety
/// The type has no byte outside an atomic, and no invalid value.
pub unsafe trait Shared {}

macro_rules! shared {
    ($($t:ty),*) => { $(
        // SAFETY: `repr(C)`, atomics alone (see `layout`), no padding (checked by the offsets there).
        unsafe impl Shared for $t {}
    )* };
}
use crate::layout::*;
shared!(ImageHeader, ChannelSlot, ObjectEntry, RingEntry, RingHeader, SubbufEntry);

impl Region {
    /// Takes charge of a mapping.
    ///
    /// # Safety
    /// `len` bytes from `base` on are mapped readable (and writable, if anything is stored through the region), `base` is aligned to 64 bytes, and
    /// both hold until the last use of the region and of every reference got from it.
    #[must_use]
    pub const unsafe fn new(base: NonNull<u8>, len: u64) -> Self {
        Self { base, len }
    }

    /// The first byte.
    #[must_use]
    pub const fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The number of bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether the region has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The structure at `offset`, or `None` where it does not fit or is not aligned.
    #[inline]
    #[must_use]
    pub fn get<'a, T: Shared>(self, offset: u64) -> Option<&'a T> {
        let end = offset.checked_add(size_of::<T>() as u64)?;
        if end > self.len || !offset.is_multiple_of(align_of::<T>() as u64) {
            return None;
        }
        // SAFETY: in bounds and aligned by the checks above (`base` is 64-byte aligned by `new`); `T` is made of
        // atomics alone, so the reference claims nothing about the bytes; mapped as long as used by `new`.
        Some(unsafe { &*self.base.as_ptr().add(offset as usize).cast::<T>() })
    }

    /// The part of `len` bytes from `offset` on, or `None` where it does not fit.
    #[inline]
    #[must_use]
    pub fn part(self, offset: u64, len: u64) -> Option<Self> {
        if offset.checked_add(len)? > self.len {
            return None;
        }
        // SAFETY: in bounds by the check above, so the pointer stays inside the mapping.
        let base = unsafe { self.base.add(offset as usize) };
        Some(Self { base, len })
    }

    /// Stores `bytes` at `offset`; returns whether they fitted.
    #[must_use]
    pub fn store_bytes(self, offset: u64, bytes: &[u8]) -> bool {
        let Some(part) = self.part(offset, bytes.len() as u64) else { return false };
        for (i, &byte) in bytes.iter().enumerate() {
            // SAFETY: `i < part.len`; a byte is always aligned; relaxed atomics may race with the other side.
            unsafe { (*part.base.as_ptr().add(i).cast::<AtomicU8>()).store(byte, Ordering::Relaxed) };
        }
        true
    }

    /// Copies the `out.len()` bytes at `offset` into private memory; returns whether they fitted.
    #[must_use]
    pub fn load_bytes(self, offset: u64, out: &mut [u8]) -> bool {
        let Some(part) = self.part(offset, out.len() as u64) else { return false };
        for (i, byte) in out.iter_mut().enumerate() {
            // SAFETY: as in `store_bytes`.
            *byte = unsafe { (*part.base.as_ptr().add(i).cast::<AtomicU8>()).load(Ordering::Relaxed) };
        }
        true
    }

    /// The `count` words of 8 bytes from `offset` on, or `None` where they do not fit or are not aligned.
    #[inline]
    #[must_use]
    pub fn words(self, offset: u64, count: u32) -> Option<Words> {
        let part = self.part(offset, 8 * u64::from(count))?;
        (part.base.as_ptr() as u64).is_multiple_of(8).then_some(Words { base: part.base.cast(), count })
    }

    /// The word at `offset`, or `None` where it does not fit.
    #[inline]
    #[must_use]
    pub fn word<'a>(self, offset: u64) -> Option<&'a AtomicU64> {
        let end = offset.checked_add(8)?;
        if end > self.len || !offset.is_multiple_of(8) {
            return None;
        }
        // SAFETY: in bounds and aligned by the checks above; an atomic claims nothing about its bytes.
        Some(unsafe { &*self.base.as_ptr().add(offset as usize).cast::<AtomicU64>() })
    }
}

/// Words of 8 bytes of a region, to be read by their index.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    base: NonNull<AtomicU64>,
    count: u32,
}

impl Words {
    /// How many there are.
    #[inline(always)]
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Word `idx` at this moment, by one Relaxed load; `None` where there is none.
    #[inline(always)]
    #[must_use]
    pub fn load(self, idx: u32) -> Option<u64> {
        if idx >= self.count {
            return None;
        }
        // SAFETY: in bounds by the check above and aligned (`Region::words`); an atomic claims nothing about its bytes.
        Some(unsafe { (*self.base.as_ptr().add(idx as usize)).load(Ordering::Relaxed) })
    }

    /// `count` of them from `at` on, or `None` where they do not fit.
    #[inline(always)]
    #[must_use]
    pub fn part(self, at: u32, count: u32) -> Option<Self> {
        if at > self.count || count > self.count - at {
            return None;
        }
        // SAFETY: in bounds by the check above, so the pointer stays inside the mapping.
        Some(Self { base: unsafe { self.base.add(at as usize) }, count })
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Strings: the bytes up to the first NUL, then a NUL.
//!
//! A NUL inside a string would end it early for the reader and turn the rest into garbage fields, so
//! the string ends there for the writer too. Short strings are searched and copied by whole words that
//! may overlap, without a call.
//!
//! # Safety
//!
//! All loads lie inside the borrowed string: each branch has checked that the word fits.
#![allow(unsafe_code)]

use core::ffi::CStr;
use core::ptr;

use ust_shm::descriptor::FieldType;

use super::{Field, Wire};

/// The bytes of a string: fit are those without a NUL, which a string of C cannot have.
#[derive(Clone, Copy, Debug)]
pub struct TextWire<'a, const CAN_HAVE_NUL: bool>(&'a [u8]);

impl<'a> Field for &'a str {
    const TYPE: FieldType = FieldType::String;
    type Wire = TextWire<'a, true>;

    #[inline(always)]
    fn wire(self) -> Self::Wire {
        TextWire(self.as_bytes())
    }
}

impl<'a> Field for &'a String {
    const TYPE: FieldType = FieldType::String;
    type Wire = TextWire<'a, true>;

    #[inline(always)]
    fn wire(self) -> Self::Wire {
        self.as_str().wire()
    }
}

impl<'a> Field for &'a CStr {
    const TYPE: FieldType = FieldType::String;
    type Wire = TextWire<'a, false>;

    #[inline(always)]
    fn wire(self) -> Self::Wire {
        TextWire(self.to_bytes())
    }
}

// SAFETY: size and bytes follow the same slice.
unsafe impl<const CAN_HAVE_NUL: bool> Wire for TextWire<'_, CAN_HAVE_NUL> {
    #[inline(always)]
    fn is_fit(&self) -> bool {
        !(CAN_HAVE_NUL && has_nul(self.0))
    }

    fn fit(self) -> Self {
        Self(self.0.split(|&byte| byte == 0).next().unwrap_or(self.0))
    }

    #[inline(always)]
    fn size(&self) -> usize {
        super::sum(self.0.len(), 1)
    }

    #[inline(always)]
    unsafe fn put(&self, at: *mut u8) -> *mut u8 {
        let len_bytes = self.0.len();
        // SAFETY: the caller gives `len_bytes + 1` bytes that no one borrows.
        unsafe {
            copy(self.0.as_ptr(), at, len_bytes);
            at.add(len_bytes).write(0);
            at.add(len_bytes + 1)
        }
    }
}

/// Copies `len_bytes` bytes. Up to 32 are moved by two loads and two stores that may overlap.
///
/// # Safety
///
/// `from` is valid for reads and `to` for writes of `len_bytes` bytes, and they do not overlap.
#[inline(always)]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len_bytes: usize) {
    /// Moves the first and the last `size_of::<W>()` bytes, which cover all of the bytes.
    #[inline(always)]
    unsafe fn ends<W: Copy>(from: *const u8, to: *mut u8, len_bytes: usize) {
        let last = len_bytes - size_of::<W>();
        // SAFETY: the caller checked that a word fits into `len_bytes`.
        unsafe {
            let head = from.cast::<W>().read_unaligned();
            let tail = from.add(last).cast::<W>().read_unaligned();
            to.cast::<W>().write_unaligned(head);
            to.add(last).cast::<W>().write_unaligned(tail);
        }
    }
    // SAFETY: each branch has checked the length for the words it moves; the caller gives the bytes.
    unsafe {
        if len_bytes >= 8 {
            if len_bytes <= 16 {
                ends::<u64>(from, to, len_bytes);
            } else if len_bytes <= 32 {
                ends::<u128>(from, to, len_bytes);
            } else {
                ptr::copy_nonoverlapping(from, to, len_bytes);
            }
        } else if len_bytes >= 4 {
            ends::<u32>(from, to, len_bytes);
        } else if len_bytes >= 2 {
            ends::<u16>(from, to, len_bytes);
        } else if len_bytes == 1 {
            to.write(from.read());
        }
    }
}

/// Tells whether a byte of `text` is NUL.
#[inline(always)]
pub(super) fn has_nul(text: &[u8]) -> bool {
    let (from, len_bytes) = (text.as_ptr(), text.len());
    // SAFETY: each branch has checked that a word of its size fits, at the start and at the end.
    unsafe {
        if len_bytes >= 8 {
            if len_bytes <= 16 {
                word_has_nul(word(from)) | word_has_nul(word(from.add(len_bytes - 8)))
            } else {
                long_has_nul(from, len_bytes)
            }
        } else if len_bytes >= 4 {
            let head = u64::from(word::<u32>(from));
            let tail = u64::from(word::<u32>(from.add(len_bytes - 4)));
            word_has_nul(head | tail << 32)
        } else if len_bytes >= 1 {
            let middle = from.add(len_bytes / 2).read();
            (from.read() == 0) | (middle == 0) | (from.add(len_bytes - 1).read() == 0)
        } else {
            false
        }
    }
}

/// # Safety
///
/// `from` is valid for reads of one `W`.
#[inline(always)]
unsafe fn word<W: Copy>(from: *const u8) -> W {
    // SAFETY: the caller's promise; the load needs no alignment.
    unsafe { from.cast::<W>().read_unaligned() }
}

/// Tells whether a byte of `word` is zero: only then a borrow reaches a top bit that was clear.
#[inline(always)]
fn word_has_nul(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    word.wrapping_sub(ONES) & !word & TOPS != 0
}

/// # Safety
///
/// `from` is valid for reads of `len_bytes` bytes, at least 16.
#[inline(always)]
unsafe fn long_has_nul(from: *const u8, len_bytes: usize) -> bool {
    let last = len_bytes - 16;
    let mut at = 0;
    while at < last {
        // SAFETY: `at < len_bytes - 16`, so 16 bytes fit.
        if unsafe { block_has_nul(from.add(at)) } {
            return true;
        }
        at += 16;
    }
    // SAFETY: the last 16 of at least 16 bytes.
    unsafe { block_has_nul(from.add(last)) }
}

/// # Safety
///
/// `from` is valid for reads of 16 bytes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn block_has_nul(from: *const u8) -> bool {
    use core::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_setzero_si128};
    // SAFETY: SSE2 is part of x86_64; the caller gives 16 readable bytes, and `loadu` needs no alignment.
    unsafe {
        let equal = _mm_cmpeq_epi8(_mm_loadu_si128(from.cast()), _mm_setzero_si128());
        _mm_movemask_epi8(equal) != 0
    }
}

/// # Safety
///
/// `from` is valid for reads of 16 bytes.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
unsafe fn block_has_nul(from: *const u8) -> bool {
    // SAFETY: the caller gives 16 readable bytes.
    unsafe { word_has_nul(word::<u64>(from)) | word_has_nul(word::<u64>(from.add(8))) }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays and slices of numbers.
//!
//! # Safety
//!
//! The bytes copied are those of a live borrow (or of the value itself), whose length is its size.
#![allow(unsafe_code)]

use ust_shm::descriptor::FieldType;

use super::text::copy;
use super::{Element, Field, Wire};

/// The elements of a sequence: at most `u32::MAX`, the largest count that can be stored.
#[derive(Clone, Copy, Debug)]
pub struct SequenceWire<'a, T>(&'a [T]);

impl<'a, T: Element> Field for &'a [T] {
    const TYPE: FieldType = FieldType::Sequence { element: T::SCALAR, text: false };
    type Wire = SequenceWire<'a, T>;

    #[inline(always)]
    fn wire(self) -> SequenceWire<'a, T> {
        SequenceWire(self.get(..u32::MAX as usize).unwrap_or(self))
    }
}

// SAFETY: size and bytes follow the same slice; its size in bytes cannot overflow, for it is borrowed.
unsafe impl<T: Element> Wire for SequenceWire<'_, T> {
    #[inline(always)]
    fn size(&self) -> usize {
        super::sum(size_of::<u32>(), size_of_val(self.0))
    }

    #[inline(always)]
    unsafe fn put(&self, at: *mut u8) -> *mut u8 {
        let size_bytes = size_of_val(self.0);
        // SAFETY: the caller gives four bytes for the count and `size_bytes` for the elements. The
        // source is a live borrow of plain numbers, and the trace memory is never borrowed by safe code.
        unsafe {
            let at = (self.0.len() as u32).put(at);
            copy(self.0.as_ptr().cast(), at, size_bytes);
            at.add(size_bytes)
        }
    }
}

const fn array_type<T: Element, const N: usize>() -> FieldType {
    assert!(N <= u32::MAX as usize, "a trace field holds at most 4294967295 elements: pass a slice");
    FieldType::Array { element: T::SCALAR, len: N as u32, text: false }
}

impl<T: Element, const N: usize> Field for [T; N] {
    const TYPE: FieldType = array_type::<T, N>();
    type Wire = [T; N];

    #[inline(always)]
    fn wire(self) -> [T; N] {
        self
    }
}

impl<'a, T: Element, const N: usize> Field for &'a [T; N] {
    const TYPE: FieldType = array_type::<T, N>();
    type Wire = &'a [T; N];

    #[inline(always)]
    fn wire(self) -> &'a [T; N] {
        self
    }
}

// SAFETY: `put` copies `size_of::<Self>()` bytes, a constant.
unsafe impl<T: Element, const N: usize> Wire for [T; N] {
    #[inline(always)]
    fn size(&self) -> usize {
        size_of::<Self>()
    }

    #[inline(always)]
    unsafe fn put(&self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller gives `size_of::<Self>()` bytes that no one borrows; a constant length
        // becomes plain moves.
        unsafe {
            core::ptr::copy_nonoverlapping(self.as_ptr().cast(), at, size_of::<Self>());
            at.add(size_of::<Self>())
        }
    }
}

// SAFETY: passes on to the array.
unsafe impl<T: Element, const N: usize> Wire for &[T; N] {
    #[inline(always)]
    fn size(&self) -> usize {
        (**self).size()
    }

    #[inline(always)]
    unsafe fn put(&self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller's promise is the array's.
        unsafe { (**self).put(at) }
    }
}

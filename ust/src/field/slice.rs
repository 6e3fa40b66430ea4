// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays and slices of numbers.
//!
//! # Safety
//!
//! The bytes copied are those of a live borrow (or of the value itself), whose length is its size. The
//! wires are only made of [`Element`]s, whose bytes are all initialised; they do not repeat that bound,
//! because then the compiler would report a wrong element type a second time, for the wire.
#![allow(unsafe_code)]

use ust_shm::descriptor::FieldType;

use super::text::copy;
use super::{Element, Field, Wire};

/// The elements of a sequence: fit are at most `u32::MAX`, the largest count that can be stored.
#[derive(Clone, Copy, Debug)]
pub struct SequenceWire<'a, T>(&'a [T]);

impl<'a, T: Element> Field for &'a [T] {
    const TYPE: FieldType = FieldType::Sequence { element: T::SCALAR, text: false };
    type Wire = SequenceWire<'a, T>;

    #[inline(always)]
    fn wire(self) -> SequenceWire<'a, T> {
        SequenceWire(self)
    }
}

// SAFETY: size and bytes follow the same slice, of `Element`s; its size in bytes cannot overflow, for
// it is borrowed.
unsafe impl<T> Wire for SequenceWire<'_, T> {
    #[inline(always)]
    fn is_fit(&self) -> bool {
        self.0.len() <= u32::MAX as usize
    }

    #[inline(always)]
    fn fit(self) -> Self {
        Self(self.0.get(..u32::MAX as usize).unwrap_or(self.0))
    }

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

/// The elements of an array, by value or by reference.
#[derive(Clone, Copy, Debug)]
pub struct ArrayWire<A>(A);

impl<T: Element, const N: usize> Field for [T; N] {
    const TYPE: FieldType = array_type::<T, N>();
    type Wire = ArrayWire<[T; N]>;

    #[inline(always)]
    fn wire(self) -> ArrayWire<[T; N]> {
        ArrayWire(self)
    }
}

impl<'a, T: Element, const N: usize> Field for &'a [T; N] {
    const TYPE: FieldType = array_type::<T, N>();
    type Wire = ArrayWire<&'a [T; N]>;

    #[inline(always)]
    fn wire(self) -> ArrayWire<&'a [T; N]> {
        ArrayWire(self)
    }
}

macro_rules! array_wires {
    ($($array:ty)*) => {$(
        // SAFETY: `put` copies `size_of::<[T; N]>()` bytes of `Element`s, a constant.
        unsafe impl<T, const N: usize> Wire for ArrayWire<$array> {
            #[inline(always)]
            fn size(&self) -> usize {
                size_of::<[T; N]>()
            }

            #[inline(always)]
            unsafe fn put(&self, at: *mut u8) -> *mut u8 {
                // SAFETY: the caller gives `size_of::<[T; N]>()` bytes that no one borrows; the source
                // is a live array of that size. A short constant length becomes plain moves.
                unsafe {
                    core::ptr::copy_nonoverlapping(self.0.as_ptr().cast(), at, size_of::<[T; N]>());
                    at.add(size_of::<[T; N]>())
                }
            }
        }
    )*};
}

array_wires! { [T; N] &[T; N] }

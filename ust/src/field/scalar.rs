// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers: integers, floats, `bool`, `char`, raw pointers.
//!
//! # Safety
//!
//! A number stores its own bytes with one unaligned store of its own size.
#![allow(unsafe_code)]

use core::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64,
    NonZeroUsize,
};

use ust_shm::descriptor::{Base, FieldType, Integer, Scalar};

use super::{Element, Field, ScalarField, Sought, Wire};

const fn integer(bits: u32, signed: bool, base: Base) -> Scalar {
    Scalar::Integer(Integer { bits: bits as u8, signed, base, network: false })
}

macro_rules! wires {
    ($($number:ty)*) => {$(
        // SAFETY: `put` is one store of `size_of::<Self>()` bytes.
        unsafe impl Wire for $number {
            #[inline(always)]
            fn size(&self) -> usize {
                size_of::<Self>()
            }

            #[inline(always)]
            unsafe fn put(&self, at: *mut u8) -> *mut u8 {
                // SAFETY: the caller gives `size_of::<Self>()` bytes that are ours to write; the
                // store needs no alignment.
                unsafe {
                    at.cast::<Self>().write_unaligned(*self);
                    at.add(size_of::<Self>())
                }
            }

            #[inline(always)]
            unsafe fn put_parts(&self, at: *mut u8) -> *mut u8 {
                // SAFETY: by this function's contract.
                unsafe { load_alone(self).put(at) }
            }

            #[inline(always)]
            fn number_at(&self, offset: usize) -> Sought {
                if let Some(behind) = offset.checked_sub(size_of::<Self>()) {
                    return Sought::Behind(behind);
                }
                if offset != 0 {
                    return Sought::Unknown;
                }
                let mut word = 0u64;
                // SAFETY: a number has no more bytes than the word.
                unsafe { load_alone(self).put(core::ptr::from_mut(&mut word).cast()) };
                Sought::Number { word, bytes: size_of::<Self>() }
            }
        }
    )*};
}

/// Loads a number by one load of its size.
#[inline(always)]
fn load_alone<T: Copy>(number: &T) -> T {
    // SAFETY: a reference is valid for reads.
    unsafe { core::ptr::from_ref(number).read_volatile() }
}

/// Fields that are stored as `$wire`, by value and by reference.
macro_rules! fields {
    ($($number:ty => $wire:ty, $scalar:expr, $convert:expr;)*) => {$(
        impl Field for $number {
            const TYPE: FieldType = FieldType::Scalar(<Self as ScalarField>::SCALAR);
            type Wire = $wire;

            #[inline(always)]
            fn wire(self) -> $wire {
                let convert: fn($number) -> $wire = $convert;
                convert(self)
            }
        }

        impl ScalarField for $number {
            const SCALAR: Scalar = $scalar;
        }

        #[diagnostic::do_not_recommend]
        impl Field for &$number {
            const TYPE: FieldType = <$number as Field>::TYPE;
            type Wire = $wire;

            #[inline(always)]
            fn wire(self) -> $wire {
                (*self).wire()
            }
        }
    )*};
}

macro_rules! integers {
    ($($number:ty, $non_zero:ty, $signed:literal;)*) => {
        wires! { $($number)* }
        $(
            fields! {
                $number => $number, integer(<$number>::BITS, $signed, Base::Decimal), |value| value;
                $non_zero => $number, <$number as ScalarField>::SCALAR, |value| value.get();
            }

            // SAFETY: an integer has no uninitialised bytes.
            unsafe impl Element for $number {
                const SCALAR: Scalar = <$number as ScalarField>::SCALAR;
            }
        )*
    };
}

integers! {
    u8, NonZeroU8, false;
    u16, NonZeroU16, false;
    u32, NonZeroU32, false;
    u64, NonZeroU64, false;
    usize, NonZeroUsize, false;
    i8, NonZeroI8, true;
    i16, NonZeroI16, true;
    i32, NonZeroI32, true;
    i64, NonZeroI64, true;
    isize, NonZeroIsize, true;
}

wires! { f32 f64 }

fields! {
    f32 => f32, Scalar::Float { bits: 32 }, |value| value;
    f64 => f64, Scalar::Float { bits: 64 }, |value| value;
    bool => u8, integer(8, false, Base::Decimal), |value| value as u8;
}

// SAFETY: a float has no uninitialised bytes.
unsafe impl Element for f32 {
    const SCALAR: Scalar = <f32 as ScalarField>::SCALAR;
}

// SAFETY: a float has no uninitialised bytes.
unsafe impl Element for f64 {
    const SCALAR: Scalar = <f64 as ScalarField>::SCALAR;
}

// SAFETY: a `bool` is one byte, 0 or 1.
unsafe impl Element for bool {
    const SCALAR: Scalar = <bool as ScalarField>::SCALAR;
}

macro_rules! pointers {
    ($($pointer:ty)*) => {$(
        impl<T: ?Sized> Field for $pointer {
            const TYPE: FieldType = FieldType::Scalar(<Self as ScalarField>::SCALAR);
            type Wire = u64;

            #[inline(always)]
            fn wire(self) -> u64 {
                self.cast::<()>().addr() as u64
            }
        }

        impl<T: ?Sized> ScalarField for $pointer {
            const SCALAR: Scalar = integer(64, false, Base::Hexadecimal);
        }
    )*};
}

pointers! { *const T *mut T }

impl Field for char {
    const TYPE: FieldType = FieldType::Array { element: integer(8, false, Base::Decimal), len: 4, text: true };
    type Wire = <[u8; 4] as Field>::Wire;

    #[inline(always)]
    fn wire(self) -> Self::Wire {
        let mut text = [0; 4];
        self.encode_utf8(&mut text);
        text.wire()
    }
}

impl Field for &char {
    const TYPE: FieldType = <char as Field>::TYPE;
    type Wire = <[u8; 4] as Field>::Wire;

    #[inline(always)]
    fn wire(self) -> Self::Wire {
        (*self).wire()
    }
}

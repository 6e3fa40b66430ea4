// SPDX-License-Identifier: MIT OR Apache-2.0
//! How argument values become the bytes of an event.
//!
//! A tracepoint's argument type implements [`Field`]: it says how the value is shown
//! ([`Field::TYPE`]) and turns it into a [`Wire`], the value as it is stored. The code that the
//! `tracepoint` macro generates makes all wires of an event once, adds up their sizes (constants fold),
//! looks whether they are fit to be stored as they are, reserves, and stores them back to back, without padding, with unaligned little-endian stores.
//!
//! | argument type                          | stored as                                        |
//! |----------------------------------------|--------------------------------------------------|
//! | integers, `bool`, `f32`, `f64`         | the bytes of the value, also of a `NonZero`      |
//! | `char`                                 | its UTF-8 text in 4 bytes, padded with NUL       |
//! | `&str`, `&String`, `&CStr`             | the bytes up to the first NUL, then a NUL        |
//! | `[T; N]`, `&[T; N]`                    | the elements                                     |
//! | `&[T]`                                 | a `u32` count, then the elements                 |
//! | `*const T`, `*mut T`                   | the address, 64 bits                             |
//! | `Option<T>`                            | a tag byte, then the value if there is one       |
//! | an enum that derives `Enumeration`     | its discriminant                                 |
//!
//! Not here: nothing allocates, nothing blocks, and no [`Wire`] panics.
//!
//! # Safety
//!
//! Only [`Wire`] touches memory, so it is the unsafe trait. A wrong [`Field`] makes a wrong trace, but
//! never a wrong store: size and bytes both come from the one [`Wire`] value.
#![allow(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("ust stores fields in little-endian order and has no byte swapping for this target yet");

mod option;
mod scalar;
mod slice;
mod text;

#[cfg(test)]
mod tests;

pub mod modify;

pub use ust_shm::descriptor::{FieldType, Scalar};

/// A type that can be an argument of a tracepoint.
///
/// It can be implemented for a wrapper by passing on to the wrapped type:
///
/// ```
/// use ust::field::Field;
///
/// struct OrderId(u64);
///
/// impl Field for OrderId {
///     const TYPE: ust::field::FieldType = <u64 as Field>::TYPE;
///     type Wire = u64;
///     fn wire(self) -> u64 {
///         self.0
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a trace field",
    label = "not a trace field",
    note = "fields are integers, floats, `bool`, `char`, `&str`, `&CStr`, arrays and slices of numbers, \
            raw pointers, and `Option`s of numbers",
    note = "derive `ust::Enumeration` for an enum without data; implement `ust::field::Field` for a \
            wrapper; or record a part: `#[field(skip)] order: &Order, #[field(expr = order.id)] id: u64`"
)]
pub trait Field {
    /// How the value is stored and shown.
    const TYPE: FieldType;
    /// The value as it is stored; must agree with `TYPE`.
    type Wire: Wire;
    /// Turns the value into what is stored. Called once per event, before any space is reserved.
    fn wire(self) -> Self::Wire;
}

/// A [`Field`] of one number: what an `Option` can hold.
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` cannot be a trace field",
    label = "not a number",
    note = "an optional field holds an integer, a float, a `bool`, a raw pointer or an enum that derives \
            `ust::Enumeration`; pass text as `value.unwrap_or(\"\")`"
)]
pub trait ScalarField: Field {
    /// The number's type.
    const SCALAR: Scalar;
}

/// A value as it is stored in an event.
///
/// # Safety
///
/// For a value that is fit, `size` returns the same number for each call, `put` stores exactly that many bytes and
/// returns `at` advanced by that many. `fit` returns a value that is fit. None of them panics.
pub unsafe trait Wire: Sized {
    /// Tells whether the value can be stored as it is. Nearly always; so this is what the fast path asks, and [`Wire::fit`]
    /// is left to the slow one.
    #[inline(always)]
    fn is_fit(&self) -> bool {
        true
    }

    /// Returns the value, or the part of it that can be stored.
    #[inline(always)]
    fn fit(self) -> Self {
        self
    }

    /// Returns how many bytes `put` stores.
    fn size(&self) -> usize;

    /// Stores the value from `at` on and returns the address after it. `at` needs no alignment.
    ///
    /// # Safety
    ///
    /// The value is fit; `size()` bytes from `at` on are valid for writes, and no one else accesses them meanwhile.
    unsafe fn put(&self, at: *mut u8) -> *mut u8;

    /// Stores a value that lies in memory, and returns the address after it.
    ///
    /// `put` is for values in registers: of two numbers that lie side by side it may make one load, and that waits for both stores if they
    /// were made just now. Here each number is loaded alone.
    ///
    /// # Safety
    ///
    /// As for [`Wire::put`].
    #[inline(always)]
    unsafe fn put_parts(&self, at: *mut u8) -> *mut u8 {
        // SAFETY: by this function's contract.
        unsafe { self.put(at) }
    }

    /// Looks for the number that `put` would store at `offset`, if no part before it has a size that depends on its value.
    #[inline(always)]
    fn number_at(&self, offset: usize) -> Sought {
        let _ = offset;
        Sought::Unknown
    }
}

/// What [`Wire::number_at`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// A number.
    Number {
        /// As it is stored, with zeros behind it.
        word: u64,
        /// How many bytes it takes.
        bytes: usize,
    },
    /// The offset is so many bytes behind the value, whose size is always the same.
    Behind(usize),
    /// There may be any number, or none.
    Unknown,
}

/// A number that arrays and slices can hold.
///
/// # Safety
///
/// The type is plain: every byte of a value is initialised.
#[diagnostic::on_unimplemented(
    message = "an array or slice of `{Self}` cannot be a trace field",
    label = "not a number",
    note = "elements are integers, floats or `bool`; nested arrays must be flattened: pass \
            `rows.as_flattened()` as `&[T]`"
)]
pub unsafe trait Element: Copy {
    /// The element's type.
    const SCALAR: Scalar;
}

/// Adds two sizes. Neither the sum nor an address can wrap where memory is smaller than the address
/// space; where it is not, an impossible size stays impossible and the reservation fails.
#[inline(always)]
const fn sum(a: usize, b: usize) -> usize {
    if cfg!(target_pointer_width = "64") { a.wrapping_add(b) } else { a.saturating_add(b) }
}

/// A group of wires lies back to back. Groups nest, so an event can have any number of fields.
macro_rules! group {
    ($($wire:ident)*) => {
        // SAFETY: the size is the sum of the parts' sizes, and each part is stored once, after the
        // one before it; the parts keep the contract.
        unsafe impl<$($wire: Wire),*> Wire for ($($wire,)*) {
            #[inline(always)]
            fn is_fit(&self) -> bool {
                #[allow(non_snake_case)]
                let ($($wire,)*) = self;
                true $(&& $wire.is_fit())*
            }

            #[inline(always)]
            #[allow(clippy::unused_unit)]
            fn fit(self) -> Self {
                #[allow(non_snake_case)]
                let ($($wire,)*) = self;
                ($($wire.fit(),)*)
            }

            #[inline(always)]
            fn size(&self) -> usize {
                #[allow(non_snake_case)]
                let ($($wire,)*) = self;
                let size = 0;
                $(let size = sum(size, $wire.size());)*
                size
            }

            #[inline(always)]
            unsafe fn put(&self, at: *mut u8) -> *mut u8 {
                #[allow(non_snake_case)]
                let ($($wire,)*) = self;
                // SAFETY: the caller gives `size()` bytes, the sum of the parts, and each part moves
                // `at` on by its own size.
                $(let at = unsafe { $wire.put(at) };)*
                at
            }

            #[inline(always)]
            unsafe fn put_parts(&self, at: *mut u8) -> *mut u8 {
                #[allow(non_snake_case)]
                let ($($wire,)*) = self;
                // SAFETY: as in `put`.
                $(let at = unsafe { $wire.put_parts(at) };)*
                at
            }

            #[inline(always)]
            fn number_at(&self, offset: usize) -> Sought {
                #[allow(non_snake_case)]
                let ($($wire,)*) = self;
                $(
                    let offset = match $wire.number_at(offset) {
                        Sought::Behind(rest) => rest,
                        found => return found,
                    };
                )*
                Sought::Behind(offset)
            }
        }
    };
}

group!();
group!(A);
group!(A B);
group!(A B C);
group!(A B C D);
group!(A B C D E);
group!(A B C D E F);
group!(A B C D E F G);
group!(A B C D E F G H);

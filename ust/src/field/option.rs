// SPDX-License-Identifier: MIT OR Apache-2.0
//! Optional numbers: a tag byte, then the value if there is one.
//!
//! # Safety
//!
//! Size and bytes follow the same tag.
#![allow(unsafe_code)]

use ust_shm::descriptor::FieldType;

use super::{Field, ScalarField, Wire};

/// An optional value as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct OptionalWire<W>(Option<W>);

impl<T: ScalarField> Field for Option<T> {
    const TYPE: FieldType = FieldType::Optional(T::SCALAR);
    type Wire = OptionalWire<T::Wire>;

    #[inline(always)]
    fn wire(self) -> Self::Wire {
        OptionalWire(self.map(T::wire))
    }
}

// SAFETY: both functions look at the same tag of the same value; the inner wire keeps the contract.
unsafe impl<W: Wire> Wire for OptionalWire<W> {
    #[inline(always)]
    fn is_fit(&self) -> bool {
        self.0.as_ref().is_none_or(W::is_fit)
    }

    #[inline(always)]
    fn fit(self) -> Self {
        Self(self.0.map(W::fit))
    }

    #[inline(always)]
    fn size(&self) -> usize {
        match &self.0 {
            Some(value) => super::sum(1, value.size()),
            None => 1,
        }
    }

    #[inline(always)]
    unsafe fn put(&self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller gives `size()` bytes: one for the tag, and the value's if there is one.
        unsafe {
            at.write(u8::from(self.0.is_some()));
            match &self.0 {
                Some(value) => value.put(at.add(1)),
                None => at.add(1),
            }
        }
    }
}

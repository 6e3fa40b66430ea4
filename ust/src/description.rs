// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptions of events as programs of C hold them (`ust/probe.h`), turned into those of Rust.
//!
//! They are looked at when an object is registered and when rules are applied at a start-up, one at a time, so what they become lies in scratch
//! memory that ends with that: nothing of it stays in the process.
//!
//! # Safety
//! Descriptions are constants of the program, laid out by its compiler: strings end, lists have the length that stands with them. What is
//! made of them is handed on by a reference that ends with the call, while the scratch memory is there.

#![allow(unsafe_code)]

#[cfg(feature = "capi")]
pub use of_c::Event;

/// Memory for one description at a time.
#[derive(Debug, Default)]
pub struct Scratch {
    #[cfg(feature = "capi")]
    memory: Option<(core::ptr::NonNull<u8>, usize)>,
}

#[cfg(feature = "capi")]
mod of_c {
    use core::ffi::{CStr, c_char, c_int};
    use core::ptr::NonNull;
    use ust_shm::descriptor::{
        Base, Enumeration, FieldDesc, FieldType, Integer, LogLevel, Mapping, Scalar, TracepointDesc,
    };
    use ust_shm::limits::{FIELD_COUNT_MAX, MAPPING_COUNT_MAX};

    use super::Scratch;
    use crate::sys;

    mod kind {
        pub const SCALAR: u8 = 1;
        pub const STRING: u8 = 2;
        pub const ARRAY: u8 = 3;
        pub const SEQUENCE: u8 = 4;
        pub const ENUMERATION: u8 = 5;
    }

    mod flag {
        pub const SIGNED: u8 = 1;
        pub const NETWORK: u8 = 2;
        pub const FLOAT: u8 = 4;
        pub const TEXT: u8 = 8;
        pub const NOWRITE: u8 = 16;
    }

    /// `struct ust_event`.
    #[repr(C)]
    pub struct Event {
        pub provider: *const c_char,
        pub name: *const c_char,
        pub signature: *const c_char,
        file: *const c_char,
        line: u32,
        field_count: u32,
        fields: *const Field,
        loglevel: *const c_int,
        model_emf_uri: *const c_char,
    }

    /// `struct ust_field`.
    #[repr(C)]
    struct Field {
        name: *const c_char,
        kind: u8,
        flags: u8,
        bits: u8,
        base: u8,
        count: u32,
        enumeration: *const Labels,
    }

    /// `struct ust_enumeration`.
    #[repr(C)]
    struct Labels {
        name: *const c_char,
        labels: *const Label,
        label_count: u32,
    }

    /// `struct ust_label`.
    #[repr(C)]
    struct Label {
        label: *const c_char,
        low: u64,
        high: u64,
        is_automatic: u32,
    }

    // The layouts of docs/c-abi.md.
    const _: () = {
        use core::mem::offset_of;
        assert!(offset_of!(Event, line) == 32);
        assert!(offset_of!(Event, fields) == 40);
        assert!(offset_of!(Event, model_emf_uri) == 56);
        assert!(size_of::<Event>() == 64);
        assert!(offset_of!(Field, kind) == 8);
        assert!(offset_of!(Field, count) == 12);
        assert!(offset_of!(Field, enumeration) == 16);
        assert!(size_of::<Field>() == 24);
        assert!(size_of::<Labels>() == 24);
        assert!(offset_of!(Label, is_automatic) == 24);
        assert!(size_of::<Label>() == 32);
    };

    /// The text that a program holds at `text`, as far as it is UTF-8; null is none.
    fn text(text: *const c_char) -> &'static str {
        if text.is_null() {
            return "";
        }
        // SAFETY: a constant string of the program (module header).
        let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
        let valid = core::str::from_utf8(bytes).or_else(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            core::str::from_utf8(good)
        });
        valid.unwrap_or_default()
    }

    /// A list of the program, at most `count_max` of it.
    fn list<T>(at: *const T, count: u32, count_max: usize) -> &'static [T] {
        if at.is_null() {
            return &[];
        }
        // SAFETY: a constant list of the program, of that length (module header).
        unsafe { core::slice::from_raw_parts(at, (count as usize).min(count_max)) }
    }

    impl Event {
        fn fields(&self) -> &'static [Field] {
            list(self.fields, self.field_count, FIELD_COUNT_MAX)
        }

        /// Looks for the number that lies at `offset` of a record, whose values are listed in `words` as `ust/probe.h` says. Returns it as it is
        /// stored, with zeros behind it, and its bytes; `None` where there is none, or something before it whose size depends on its value.
        ///
        /// # Safety
        /// The words are those of an event with this description.
        pub unsafe fn number_at(&self, words: *const u64, offset: usize) -> Option<(u64, usize)> {
            let mut left = offset;
            // Those that only filters see lie behind the others.
            for hidden in [false, true] {
                let mut word = words;
                for field in self.fields() {
                    if (field.flags & flag::NOWRITE != 0) == hidden {
                        let bytes = field.fixed_bytes()?;
                        if left < bytes {
                            let is_number = left == 0 && matches!(field.kind, kind::SCALAR | kind::ENUMERATION);
                            // SAFETY: the field's word, by this function's contract.
                            let value = (is_number && bytes <= 8).then(|| unsafe { *word })?;
                            return Some((value & u64::MAX >> (64 - 8 * bytes), bytes));
                        }
                        left -= bytes;
                    }
                    // SAFETY: as many words as a field has follow each other, to the end of the list.
                    word = unsafe { word.add(field.word_count()) };
                }
            }
            None
        }

        fn loglevel(&self) -> LogLevel {
            if self.loglevel.is_null() {
                return LogLevel::DebugLine;
            }
            // SAFETY: a constant of the program (module header).
            let number = unsafe { *self.loglevel };
            LogLevel::from_number(u64::try_from(number).unwrap_or(0))
        }
    }

    impl Field {
        fn labels(&self) -> Option<&'static Labels> {
            // SAFETY: null, or a constant of the program (module header).
            unsafe { self.enumeration.as_ref() }
        }

        /// How many bytes it takes in a record; `None` where that depends on the value.
        fn fixed_bytes(&self) -> Option<usize> {
            let bytes = usize::from(self.bits) / 8;
            match self.kind {
                kind::STRING | kind::SEQUENCE => None,
                kind::ARRAY => bytes.checked_mul(self.count as usize),
                _ => Some(bytes).filter(|bytes| *bytes != 0),
            }
        }

        /// How many words stand for its value.
        fn word_count(&self) -> usize {
            if matches!(self.kind, kind::STRING | kind::SEQUENCE) { 2 } else { 1 }
        }

        fn integer(&self) -> Integer {
            let base = match self.base {
                2 => Base::Binary,
                8 => Base::Octal,
                16 => Base::Hexadecimal,
                _ => Base::Decimal,
            };
            let is = |flag| self.flags & flag != 0;
            Integer { bits: self.bits, signed: is(flag::SIGNED), base, network: is(flag::NETWORK) }
        }

        fn scalar(&self) -> Scalar {
            if self.flags & flag::FLOAT != 0 {
                Scalar::Float { bits: self.bits }
            } else {
                Scalar::Integer(self.integer())
            }
        }

        fn desc(&self, mappings: impl FnOnce(&'static Labels) -> &'static [Mapping]) -> FieldDesc {
            let is_text = self.flags & flag::TEXT != 0;
            let ty = match self.kind {
                kind::STRING => FieldType::String,
                kind::ARRAY => FieldType::Array { element: self.scalar(), len: self.count, text: is_text },
                kind::SEQUENCE => FieldType::Sequence { element: self.scalar(), text: is_text },
                kind::ENUMERATION => match self.labels() {
                    Some(labels) => FieldType::Enumeration(Enumeration {
                        name: text(labels.name),
                        container: self.integer(),
                        mappings: mappings(labels),
                    }),
                    None => FieldType::Scalar(self.scalar()),
                },
                _ => FieldType::Scalar(self.scalar()),
            };
            FieldDesc { name: text(self.name), ty, nowrite: self.flags & flag::NOWRITE != 0 }
        }
    }

    impl Labels {
        fn labels(&self) -> &'static [Label] {
            list(self.labels, self.label_count, MAPPING_COUNT_MAX)
        }
    }

    /// Part of the scratch memory, filled from its begin on.
    struct Place {
        at: *mut u8,
    }

    impl Place {
        /// Stores `values` and returns them.
        ///
        /// # Safety
        /// There is room for them, aligned, which lives as long as the slice is used.
        unsafe fn store<T: Copy>(&mut self, values: impl Iterator<Item = T>) -> &'static [T] {
            let first = self.at.cast::<T>();
            let mut count = 0;
            for value in values {
                // SAFETY: by this function's contract.
                unsafe { first.add(count).write(value) };
                count += 1;
            }
            self.at = first.wrapping_add(count).cast();
            // SAFETY: stored just now.
            unsafe { core::slice::from_raw_parts(first, count) }
        }
    }

    fn mappings_of(labels: &'static Labels) -> impl Iterator<Item = Mapping> {
        let mut next = 0u64;
        labels.labels().iter().map(move |label| {
            let (low, high) = if label.is_automatic != 0 { (next, next) } else { (label.low, label.high) };
            next = high.wrapping_add(1);
            Mapping { label: text(label.label), low, high }
        })
    }

    impl Scratch {
        /// Turns a description into one of Rust. `None` where there is no memory for it.
        pub fn describe<R>(&mut self, event: &Event, use_desc: impl FnOnce(&TracepointDesc) -> R) -> Option<R> {
            const { assert!(align_of::<FieldDesc>() == align_of::<Mapping>()) };
            let fields = event.fields();
            let label_count: usize = fields.iter().filter_map(Field::labels).map(|l| l.labels().len()).sum();
            let field_bytes = fields.len() * size_of::<FieldDesc>();
            let memory = self.provide(field_bytes + label_count * size_of::<Mapping>())?;
            let mut of_mappings = Place { at: memory.as_ptr().wrapping_add(field_bytes) };
            let mut of_fields = Place { at: memory.as_ptr() };
            // SAFETY: `bytes` has room for so many fields and, behind them, labels; all multiples of their common alignment. The
            // memory stays until the next description, and `use_desc` keeps nothing.
            let fields = unsafe {
                of_fields.store(fields.iter().map(|field| field.desc(|labels| of_mappings.store(mappings_of(labels)))))
            };
            Some(use_desc(&TracepointDesc {
                provider: text(event.provider),
                name: text(event.name),
                loglevel: event.loglevel(),
                model_emf_uri: text(event.model_emf_uri),
                file: text(event.file),
                line: event.line,
                module: "",
                fields,
            }))
        }

        /// Memory of at least that size.
        fn provide(&mut self, bytes: usize) -> Option<NonNull<u8>> {
            const PAGE_BYTES: usize = 4096;
            if let Some((memory, there)) = self.memory
                && bytes <= there
            {
                return Some(memory);
            }
            self.give_back();
            let bytes = bytes.max(1).checked_next_multiple_of(PAGE_BYTES)?;
            let memory = sys::map_scratch(bytes)?;
            self.memory = Some((memory, bytes));
            Some(memory)
        }

        fn give_back(&mut self) {
            if let Some((memory, bytes)) = self.memory.take() {
                // SAFETY: mapped by `provide`; what was made there is not used any more.
                unsafe { sys::unmap(memory, bytes as u64) };
            }
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            self.give_back();
        }
    }
}

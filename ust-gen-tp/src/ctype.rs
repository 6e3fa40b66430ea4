// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a type of C is, as far as its words say.
//!
//! Sizes are those of 64-bit Linux, the only system that events are recorded on. A name that is defined elsewhere stays a name.

use crate::token::Token;

/// A number of C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `bool`.
    Bool,
    /// `char`, whose sign depends on the machine.
    Char,
    /// An integer.
    Integer {
        /// Its size.
        bits: u8,
        /// Whether it has a sign.
        signed: bool,
        /// It is the size of memory: `size_t`, `intptr_t` and so on.
        is_size: bool,
    },
    /// `float` or `double`.
    Float {
        /// Its size.
        bits: u8,
    },
}

/// What is left of a type without `const` and stars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Void,
    Scalar(Scalar),
    /// `enum x`.
    Enum,
    /// A structure, a type by another name, one of C++.
    Other,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CType {
    pub(crate) base: Base,
    /// How many stars it has.
    pub(crate) pointers: usize,
}

const fn integer(bits: u8, signed: bool) -> Scalar {
    Scalar::Integer { bits, signed, is_size: false }
}

const fn size(signed: bool) -> Scalar {
    Scalar::Integer { bits: 64, signed, is_size: true }
}

/// Types with a name of their own.
const NAMED: [(&str, Scalar); 43] = [
    ("bool", Scalar::Bool),
    ("_Bool", Scalar::Bool),
    ("int8_t", integer(8, true)),
    ("int16_t", integer(16, true)),
    ("int32_t", integer(32, true)),
    ("int64_t", integer(64, true)),
    ("uint8_t", integer(8, false)),
    ("uint16_t", integer(16, false)),
    ("uint32_t", integer(32, false)),
    ("uint64_t", integer(64, false)),
    ("u_int8_t", integer(8, false)),
    ("u_int16_t", integer(16, false)),
    ("u_int32_t", integer(32, false)),
    ("u_int64_t", integer(64, false)),
    ("__u8", integer(8, false)),
    ("__u16", integer(16, false)),
    ("__u32", integer(32, false)),
    ("__u64", integer(64, false)),
    ("__s8", integer(8, true)),
    ("__s16", integer(16, true)),
    ("__s32", integer(32, true)),
    ("__s64", integer(64, true)),
    ("__be16", integer(16, false)),
    ("__be32", integer(32, false)),
    ("__be64", integer(64, false)),
    ("u_char", integer(8, false)),
    ("u_int", integer(32, false)),
    ("uint", integer(32, false)),
    ("ushort", integer(16, false)),
    ("ulong", integer(64, false)),
    ("size_t", size(false)),
    ("ssize_t", size(true)),
    ("uintptr_t", size(false)),
    ("intptr_t", size(true)),
    ("ptrdiff_t", size(true)),
    ("intmax_t", integer(64, true)),
    ("uintmax_t", integer(64, false)),
    ("off_t", integer(64, true)),
    ("time_t", integer(64, true)),
    ("pid_t", integer(32, true)),
    ("uid_t", integer(32, false)),
    ("gid_t", integer(32, false)),
    ("mode_t", integer(32, false)),
];

impl CType {
    /// Reads a type. Any tokens are one: what is not understood is [`Base::Other`].
    pub(crate) fn parse(tokens: &[Token]) -> Self {
        let is_qualifier = |token: &Token| ["const", "volatile", "restrict", "__restrict"].iter().any(|q| token.is(q));
        let stars = tokens.iter().rev().filter(|token| !is_qualifier(token)).take_while(|token| token.is("*")).count();
        let words: Vec<&Token> = tokens.iter().filter(|token| !is_qualifier(token)).collect();
        let words = &words[..words.len() - stars];
        let names: Vec<&str> = words.iter().map(|token| &*token.text).collect();
        let names = match names.as_slice() {
            ["std" | "", "::", name] | ["::", name] => vec![*name],
            other => other.to_vec(),
        };
        Self { base: base(&names), pointers: stars }
    }

    /// Returns the number that a value of the type is, if it is one.
    pub(crate) fn scalar(&self) -> Option<Scalar> {
        match &self.base {
            Base::Scalar(scalar) if self.pointers == 0 => Some(*scalar),
            _ => None,
        }
    }

    pub(crate) fn is_scalar(&self) -> bool {
        self.scalar().is_some()
    }

    /// Returns the size of a number or a pointer.
    pub(crate) fn bytes(&self) -> Option<u8> {
        if self.pointers > 0 {
            return Some(8);
        }
        self.scalar().map(Scalar::bytes)
    }

    /// Returns what is left of `value` in this type, if it is an integer.
    pub(crate) fn cut(&self, value: i128) -> Option<i128> {
        match self.scalar()? {
            Scalar::Bool => Some(i128::from(value != 0)),
            Scalar::Char => Some(i128::from(value as i8)),
            Scalar::Float { .. } => None,
            Scalar::Integer { bits, signed, .. } => {
                let low = value & ((1 << bits) - 1);
                let is_negative = signed && low >> (bits - 1) == 1;
                Some(if is_negative { low - (1 << bits) } else { low })
            }
        }
    }
}

impl Scalar {
    pub(crate) fn bytes(self) -> u8 {
        match self {
            Scalar::Bool | Scalar::Char => 1,
            Scalar::Integer { bits, .. } | Scalar::Float { bits } => bits / 8,
        }
    }

    pub(crate) fn is_signed(self) -> bool {
        matches!(self, Scalar::Integer { signed: true, .. })
    }
}

fn base(names: &[&str]) -> Base {
    match names {
        ["void"] => return Base::Void,
        ["enum", _] => return Base::Enum,
        [name] => {
            if let Some((_, scalar)) = NAMED.iter().find(|(known, _)| known == name) {
                return Base::Scalar(*scalar);
            }
        }
        _ => {}
    }
    match words(names) {
        Some(scalar) => Base::Scalar(scalar),
        None => Base::Other,
    }
}

/// `unsigned long int` and the like, in any order.
fn words(names: &[&str]) -> Option<Scalar> {
    let count = |word: &str| names.iter().filter(|name| **name == word).count();
    let known = ["signed", "__signed__", "unsigned", "char", "short", "int", "long", "float", "double"];
    if names.is_empty() || names.iter().any(|name| !known.contains(name)) {
        return None;
    }
    let signed = count("unsigned") == 0;
    if count("float") == 1 && names.len() == 1 {
        return Some(Scalar::Float { bits: 32 });
    }
    if count("double") == 1 {
        return (names.len() == 1).then_some(Scalar::Float { bits: 64 });
    }
    if count("char") == 1 {
        return Some(if names.len() == 1 { Scalar::Char } else { integer(8, signed) });
    }
    let bits = match (count("short"), count("long")) {
        (1, 0) => 16,
        (0, 0) => 32,
        (0, 1 | 2) => 64,
        _ => return None,
    };
    Some(integer(bits, signed))
}

/// Tells whether a word can only be part of a type, so that it is no name of an argument.
pub(crate) fn is_type_word(name: &str) -> bool {
    let words = ["void", "struct", "union", "enum", "const", "volatile", "class", "typename"];
    words.contains(&name) || words_alone(name) || NAMED.iter().any(|(known, _)| *known == name)
}

fn words_alone(name: &str) -> bool {
    words(&[name]).is_some()
}

/// Returns the tokens of a type one blank apart: how two types are compared.
pub(crate) fn normalised(tokens: &[Token]) -> String {
    tokens.iter().map(|token| &*token.text).collect::<Vec<_>>().join(" ")
}

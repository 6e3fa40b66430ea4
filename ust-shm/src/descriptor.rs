// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a tracepoint says of itself: names, log level, field list, source position.
//!
//! These types are built in `const` context by the macros, live in the read-only data of the traced
//! program, and are written once into its image by [`encode`](crate::encode). Nothing here allocates.
//! The consumer side reads them back as [`crate::decode`]'s owned twins.

/// One tracepoint, as the program declares it.
#[derive(Clone, Copy, Debug)]
pub struct TracepointDesc {
    /// The named group the tracepoint belongs to.
    pub provider: &'static str,
    /// The name inside the provider.
    pub name: &'static str,
    /// Severity, 0 (most severe) to 14.
    pub loglevel: LogLevel,
    /// Link to a description of the event's model; empty when there is none.
    pub model_emf_uri: &'static str,
    /// Source file, as the compiler names it.
    pub file: &'static str,
    /// Source line, counted from 1.
    pub line: u32,
    /// Module path of the declaration.
    pub module: &'static str,
    /// The fields in the order in which they lie in the event.
    pub fields: &'static [FieldDesc],
}

/// Severity of a tracepoint: the 15 levels of LTTng, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // the names are the documentation
pub enum LogLevel {
    Emerg = 0,
    Alert = 1,
    Crit = 2,
    Err = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    DebugSystem = 7,
    DebugProgram = 8,
    DebugProcess = 9,
    DebugModule = 10,
    DebugUnit = 11,
    DebugFunction = 12,
    DebugLine = 13,
    Debug = 14,
}

impl LogLevel {
    /// The levels, by number.
    pub const ALL: [Self; 15] = {
        use LogLevel::*;
        [
            Emerg,
            Alert,
            Crit,
            Err,
            Warning,
            Notice,
            Info,
            DebugSystem,
            DebugProgram,
            DebugProcess,
            DebugModule,
            DebugUnit,
            DebugFunction,
            DebugLine,
            Debug,
        ]
    };

    /// The level of that number; of one beyond, as LTTng takes them, the least severe.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        let idx = usize::try_from(number).unwrap_or(usize::MAX);
        Self::ALL.get(idx).copied().unwrap_or(Self::Debug)
    }

    /// The names, by number.
    pub const NAMES: [&str; 15] = [
        "EMERG",
        "ALERT",
        "CRIT",
        "ERR",
        "WARNING",
        "NOTICE",
        "INFO",
        "DEBUG_SYSTEM",
        "DEBUG_PROGRAM",
        "DEBUG_PROCESS",
        "DEBUG_MODULE",
        "DEBUG_UNIT",
        "DEBUG_FUNCTION",
        "DEBUG_LINE",
        "DEBUG",
    ];
}

/// One field of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldDesc {
    /// Name shown to people; no leading underscore is needed.
    pub name: &'static str,
    /// How the value is stored and shown.
    pub ty: FieldType,
    /// Seen by filters only: the field is not in the trace.
    pub nowrite: bool,
}

/// How a field is stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// One number.
    Scalar(Scalar),
    /// Bytes up to and with a NUL, UTF-8.
    String,
    /// `len` elements, no length stored.
    Array {
        /// Each element.
        element: Scalar,
        /// How many.
        len: u32,
        /// 8-bit elements that are text: shown up to the first NUL.
        text: bool,
    },
    /// A 32-bit unsigned element count, then the elements.
    Sequence {
        /// Each element.
        element: Scalar,
        /// 8-bit elements that are text.
        text: bool,
    },
    /// An integer with named values.
    Enumeration(Enumeration),
    /// A tag byte (0 none, 1 some), then the value if there is one.
    Optional(Scalar),
}

/// A number of fixed width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// Two's complement or unsigned.
    Integer(Integer),
    /// IEEE 754 binary, 32 or 64 bits.
    Float {
        /// 32 or 64.
        bits: u8,
    },
}

/// An integer's width, sign and looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Integer {
    /// 8, 16, 32 or 64.
    pub bits: u8,
    /// Two's complement.
    pub signed: bool,
    /// The base in which it is shown.
    pub base: Base,
    /// Stored most significant byte first.
    pub network: bool,
}

/// The base in which an integer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // the names are the documentation
pub enum Base {
    Binary = 2,
    Octal = 8,
    Decimal = 10,
    Hexadecimal = 16,
}

/// Named values of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Enumeration {
    /// The enumeration's name.
    pub name: &'static str,
    /// How a value is stored.
    pub container: Integer,
    /// The names; ranges may overlap.
    pub mappings: &'static [Mapping],
}

/// One name of an enumeration, for all values in `low..=high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mapping {
    /// The name shown.
    pub label: &'static str,
    /// First value, sign-extended to 64 bits when the container is signed.
    pub low: u64,
    /// Last value, the same way.
    pub high: u64,
}

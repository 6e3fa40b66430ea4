// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classes of a trace as plain, owned data, shared by the writer and the reader.
//!
//! Everything here describes; nothing here holds an event. All payload is byte-packed: a field starts
//! at the byte where the one before it ends, whatever its size.

/// The whole description of one trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceClass {
    /// Identity of the trace; each packet repeats it.
    pub uuid: [u8; 16],
    /// Facts about the recording, in the order in which they are written.
    pub env: Vec<(String, EnvValue)>,
    /// The clock of all time stamps.
    pub clock: Clock,
    /// One entry per set of event classes that share an id space.
    pub streams: Vec<StreamClass>,
}

impl TraceClass {
    /// Returns the text of the environment entry `key`, if it is there and is text.
    pub fn env_str(&self, key: &str) -> Option<&str> {
        self.env.iter().find_map(|(name, value)| match value {
            EnvValue::String(text) if name == key => Some(text.as_str()),
            _ => None,
        })
    }

    /// Returns the number of the environment entry `key`, if it is there and is a number.
    pub fn env_integer(&self, key: &str) -> Option<i64> {
        self.env.iter().find_map(|(name, value)| match value {
            EnvValue::Integer(number) if name == key => Some(*number),
            _ => None,
        })
    }
}

/// A value of the environment block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// A whole number.
    Integer(i64),
    /// A text; a NUL in it is replaced when it is written.
    String(String),
}

/// How cycles become time since 1970-01-01 00:00:00 UTC: `offset_s + (offset_cycles + cycles) / freq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Name, for example `monotonic`; written as an identifier.
    pub name: String,
    /// Words for people.
    pub description: String,
    /// The boot id of the system: equal in two traces exactly if their cycles compare.
    pub uuid: [u8; 16],
    /// Cycles per second (Hz), not zero.
    pub freq: u64,
    /// Whole seconds from the epoch to cycle zero.
    pub offset_s: i64,
    /// Cycles on top of `offset_s`.
    pub offset_cycles: u64,
}

/// A set of event classes whose ids are unique among each other.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamClass {
    /// What `stream_id` of a packet refers to.
    pub id: u64,
    /// What precedes the payload of each event, in order; empty for nothing.
    pub context: Vec<Field>,
    /// The classes, in the order in which they are written.
    pub events: Vec<EventClass>,
}

/// The schema of one tracepoint.
#[derive(Clone, Debug, PartialEq)]
pub struct EventClass {
    /// Id in the event header, unique in the stream class.
    pub id: u16,
    /// `provider:name`.
    pub name: String,
    /// Severity, 0 (emergency) to 14 (debug); any other value is not written.
    pub loglevel: Option<i32>,
    /// Where the model of this event is documented.
    pub model_emf_uri: Option<String>,
    /// The payload, in order.
    pub fields: Vec<Field>,
    /// Where the tracepoint stands in the source text.
    pub source: Option<Source>,
}

/// A place in source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// File as the compiler was given it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Module path, or empty.
    pub module: String,
}

/// One member of a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name as the user wrote it, without the underscore that TSDL text adds.
    pub name: String,
    /// What its bytes mean.
    pub ty: FieldType,
}

impl Field {
    /// Returns a field called `name` of type `ty`.
    pub fn new(name: impl Into<String>, ty: impl Into<FieldType>) -> Self {
        Self { name: name.into(), ty: ty.into() }
    }
}

/// What the bytes of a field mean.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldType {
    /// A single value.
    Scalar(Scalar),
    /// `len` elements, without a count in the payload.
    Array {
        /// Class of each element.
        element: Element,
        /// Number of elements.
        len: u32,
        /// Show as UTF-8 text that ends at the first NUL. Only for elements of 8 bits.
        text: bool,
    },
    /// A 32-bit unsigned little-endian element count, then that many elements.
    Sequence {
        /// Class of each element.
        element: Element,
        /// Show as UTF-8 text that ends at the first NUL. Only for elements of 8 bits.
        text: bool,
    },
    /// One byte, 0 for none and 1 for some, then the value if there is one.
    Optional(Scalar),
}

/// A value that is not made of other values.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A whole number.
    Integer(Integer),
    /// A floating point number.
    Float(Float),
    /// UTF-8 text up to and including a NUL.
    String,
    /// A whole number whose ranges have labels.
    Enumeration(Enumeration),
}

/// What arrays and sequences are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// A whole number.
    Integer(Integer),
    /// A floating point number.
    Float(Float),
}

impl Element {
    /// Returns the size of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::Integer(integer) => integer.bits.bytes(),
            Self::Float(float) => float.bits.bytes(),
        }
    }

    /// Tells whether elements of this class can be shown as text.
    pub fn can_be_text(self) -> bool {
        self.bytes() == 1
    }
}

/// A class of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integer {
    /// Width.
    pub bits: IntegerBits,
    /// Two's complement if set.
    pub signed: bool,
    /// Base in which it is shown.
    pub base: Base,
    /// Order of its bytes.
    pub byte_order: ByteOrder,
}

impl Integer {
    /// Returns an unsigned little-endian integer that is shown in decimal.
    pub const fn unsigned(bits: IntegerBits) -> Self {
        Self { bits, signed: false, base: Base::Decimal, byte_order: ByteOrder::Little }
    }

    /// Returns a signed little-endian integer that is shown in decimal.
    pub const fn signed(bits: IntegerBits) -> Self {
        Self { signed: true, ..Self::unsigned(bits) }
    }

    /// Returns this integer shown in `base`.
    pub const fn with_base(self, base: Base) -> Self {
        Self { base, ..self }
    }

    /// Returns this integer in network byte order.
    pub const fn big_endian(self) -> Self {
        Self { byte_order: ByteOrder::Big, ..self }
    }

    /// Returns the least and the greatest value it can hold.
    pub fn range(self) -> (i128, i128) {
        let bits = u32::from(self.bits.count());
        if self.signed { (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1) } else { (0, (1_i128 << bits) - 1) }
    }
}

/// Width of a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegerBits {
    /// 8 bits.
    B8,
    /// 16 bits.
    B16,
    /// 32 bits.
    B32,
    /// 64 bits.
    B64,
}

impl IntegerBits {
    /// Returns the width that has `bits` bits.
    pub const fn from_bits(bits: u64) -> Option<Self> {
        match bits {
            8 => Some(Self::B8),
            16 => Some(Self::B16),
            32 => Some(Self::B32),
            64 => Some(Self::B64),
            _ => None,
        }
    }

    /// Returns the number of bits.
    pub const fn count(self) -> u8 {
        match self {
            Self::B8 => 8,
            Self::B16 => 16,
            Self::B32 => 32,
            Self::B64 => 64,
        }
    }

    /// Returns the number of bytes.
    pub const fn bytes(self) -> usize {
        self.count() as usize / 8
    }
}

/// Base in which a whole number is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// 2.
    Binary,
    /// 8.
    Octal,
    /// 10.
    Decimal,
    /// 16.
    Hexadecimal,
}

impl Base {
    /// Returns the base that has `radix` digits.
    pub const fn from_radix(radix: u64) -> Option<Self> {
        match radix {
            2 => Some(Self::Binary),
            8 => Some(Self::Octal),
            10 => Some(Self::Decimal),
            16 => Some(Self::Hexadecimal),
            _ => None,
        }
    }

    /// Returns the number of digits.
    pub const fn radix(self) -> u8 {
        match self {
            Self::Binary => 2,
            Self::Octal => 8,
            Self::Decimal => 10,
            Self::Hexadecimal => 16,
        }
    }
}

/// Order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant byte first, as in the trace as a whole.
    Little,
    /// Most significant byte first.
    Big,
}

/// A class of IEEE 754 numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float {
    /// Width.
    pub bits: FloatBits,
    /// Order of its bytes.
    pub byte_order: ByteOrder,
}

/// Width of a floating point number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatBits {
    /// binary32.
    B32,
    /// binary64.
    B64,
}

impl FloatBits {
    /// Returns the number of bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::B32 => 4,
            Self::B64 => 8,
        }
    }
}

/// A whole number whose ranges have labels; ranges may overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Enumeration {
    /// The number that is stored.
    pub container: Integer,
    /// Labels in the order in which they are shown.
    pub mappings: Vec<Mapping>,
}

/// The label of the values `low..=high`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// What is shown.
    pub label: String,
    /// First value.
    pub low: i128,
    /// Last value.
    pub high: i128,
}

impl Mapping {
    /// Returns the label of a single value.
    pub fn single(label: impl Into<String>, value: i128) -> Self {
        Self { label: label.into(), low: value, high: value }
    }
}

impl From<Scalar> for FieldType {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}

impl From<Integer> for FieldType {
    fn from(integer: Integer) -> Self {
        Self::Scalar(Scalar::Integer(integer))
    }
}

impl From<Float> for FieldType {
    fn from(float: Float) -> Self {
        Self::Scalar(Scalar::Float(float))
    }
}

impl From<Enumeration> for FieldType {
    fn from(enumeration: Enumeration) -> Self {
        Self::Scalar(Scalar::Enumeration(enumeration))
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads descriptors that a traced program wrote. The input is a private copy, and hostile.

use crate::descriptor::{Base, Integer, Scalar};
use crate::encode::code;
use crate::limits::{EVENT_NAME_BYTES_MAX, FIELD_COUNT_MAX, MAPPING_COUNT_MAX, STRING_BYTES_MAX};

/// A tracepoint as read from an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the twin of `TracepointDesc`
pub struct Tracepoint {
    pub provider: String,
    pub name: String,
    pub loglevel: u8,
    pub model_emf_uri: String,
    pub file: String,
    pub line: u32,
    pub module: String,
    pub fields: Vec<Field>,
}

/// A field as read from an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct Field {
    pub name: String,
    pub nowrite: bool,
    pub ty: FieldType,
}

/// A field's type as read from an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum FieldType {
    Scalar(Scalar),
    String,
    Array { element: Scalar, len: u32, text: bool },
    Sequence { element: Scalar, text: bool },
    Enumeration { container: Integer, name: String, mappings: Vec<Mapping> },
    Optional(Scalar),
}

/// One name of an enumeration as read from an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct Mapping {
    pub label: String,
    pub low: u64,
    pub high: u64,
}

/// What was wrong with a descriptor, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Byte offset in the descriptors.
    pub offset: usize,
    /// What was found there.
    pub reason: &'static str,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {} of the descriptors", self.reason, self.offset)
    }
}

impl std::error::Error for DecodeError {}

/// Reads `count` descriptors that lie one after another in `bytes`.
///
/// # Errors
/// The first descriptor that is cut short or holds a value outside the limits; nothing of the object can be used then.
pub fn decode(bytes: &[u8], count: u32) -> Result<Vec<Tracepoint>, DecodeError> {
    let mut input = Input { bytes, offset: 0 };
    // Reserve no more than the input can hold: a descriptor has at least 22 bytes.
    let mut all = Vec::with_capacity((count as usize).min(bytes.len() / 22));
    for _ in 0..count {
        all.push(input.tracepoint()?);
    }
    Ok(all)
}

struct Input<'a> {
    bytes: &'a [u8],
    offset: usize,
}

type Result<T, E = DecodeError> = std::result::Result<T, E>;

impl Input<'_> {
    fn error<T>(&self, reason: &'static str) -> Result<T> {
        Err(DecodeError { offset: self.offset, reason })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.bytes.get(self.offset..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(chunk) => {
                self.offset += N;
                Ok(*chunk)
            }
            None => self.error("descriptor cut short"),
        }
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.take::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn string(&mut self) -> Result<String> {
        let len = usize::from(self.u16()?);
        if len > STRING_BYTES_MAX {
            return self.error("string too long");
        }
        let Some(bytes) = self.bytes.get(self.offset..self.offset + len) else {
            return self.error("string cut short");
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.error("string is not UTF-8");
        };
        if text.contains('\0') {
            return self.error("string holds a NUL");
        }
        self.offset += len;
        Ok(text.to_owned())
    }

    fn tracepoint(&mut self) -> Result<Tracepoint> {
        let begin = self.offset;
        let record_bytes = self.u32()? as usize;
        let loglevel = self.u8()?;
        if loglevel > 14 {
            return self.error("log level above 14");
        }
        self.u8()?;
        let field_count = usize::from(self.u16()?);
        if field_count > FIELD_COUNT_MAX {
            return self.error("too many fields");
        }
        let line = self.u32()?;
        let provider = self.string()?;
        let name = self.string()?;
        if provider.is_empty() || name.is_empty() || provider.len() + 1 + name.len() > EVENT_NAME_BYTES_MAX {
            return self.error("event name empty or too long");
        }
        let (model_emf_uri, file, module) = (self.string()?, self.string()?, self.string()?);
        let mut fields = Vec::new();
        for _ in 0..field_count {
            fields.push(self.field()?);
        }
        if self.offset - begin != record_bytes {
            return self.error("descriptor's length is wrong");
        }
        Ok(Tracepoint { provider, name, loglevel, model_emf_uri, file, line, module, fields })
    }

    fn field(&mut self) -> Result<Field> {
        let name = self.string()?;
        if name.is_empty() {
            return self.error("field without a name");
        }
        let nowrite = self.flag()?;
        let ty = match self.u8()? {
            code::SCALAR => FieldType::Scalar(self.scalar()?),
            code::STRING => FieldType::String,
            code::ARRAY => {
                let (text, len, element) = (self.flag()?, self.u32()?, self.scalar()?);
                FieldType::Array { element: self.checked_text(text, element)?, len, text }
            }
            code::SEQUENCE => {
                let (text, element) = (self.flag()?, self.scalar()?);
                FieldType::Sequence { element: self.checked_text(text, element)?, text }
            }
            code::ENUMERATION => self.enumeration()?,
            code::OPTIONAL => FieldType::Optional(self.scalar()?),
            _ => return self.error("unknown field type"),
        };
        Ok(Field { name, nowrite, ty })
    }

    fn enumeration(&mut self) -> Result<FieldType> {
        let Scalar::Integer(container) = self.scalar()? else {
            return self.error("enumeration of floating point numbers");
        };
        let name = self.string()?;
        let count = usize::from(self.u16()?);
        if count > MAPPING_COUNT_MAX {
            return self.error("enumeration with too many names");
        }
        let mut mappings = Vec::new();
        for _ in 0..count {
            let (label, low, high) = (self.string()?, self.u64()?, self.u64()?);
            let ordered = if container.signed { low as i64 <= high as i64 } else { low <= high };
            if !ordered {
                return self.error("enumeration range that ends before it begins");
            }
            mappings.push(Mapping { label, low, high });
        }
        Ok(FieldType::Enumeration { container, name, mappings })
    }

    fn flag(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => self.error("flag that is neither 0 nor 1"),
        }
    }

    fn checked_text(&self, text: bool, element: Scalar) -> Result<Scalar> {
        match element {
            Scalar::Integer(Integer { bits: 8, .. }) => Ok(element),
            _ if text => self.error("text of elements that are not bytes"),
            _ => Ok(element),
        }
    }

    fn scalar(&mut self) -> Result<Scalar> {
        let [bits, flags, base] = self.take()?;
        if flags == code::FLOAT {
            return match bits {
                32 | 64 => Ok(Scalar::Float { bits }),
                _ => self.error("floating point number of unknown width"),
            };
        }
        if !matches!(bits, 8 | 16 | 32 | 64) || flags & !(code::SIGNED | code::NETWORK) != 0 {
            return self.error("integer of unknown width or flags");
        }
        let base = match base {
            2 => Base::Binary,
            8 => Base::Octal,
            10 => Base::Decimal,
            16 => Base::Hexadecimal,
            _ => return self.error("integer of unknown base"),
        };
        let (signed, network) = (flags & code::SIGNED != 0, flags & code::NETWORK != 0);
        Ok(Scalar::Integer(Integer { bits, signed, base, network }))
    }
}

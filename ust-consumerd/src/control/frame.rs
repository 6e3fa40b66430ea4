// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames: a length of 4 bytes, little endian, and so many bytes.

/// Bytes of a request.
pub(crate) const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Bytes of an answer: 500 processes with 300 tracepoints each, with fields, need about 40 MiB.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Puts a frame behind `out`.
pub(crate) fn put(out: &mut Vec<u8>, content: &[u8]) {
    out.extend((content.len() as u32).to_le_bytes());
    out.extend(content);
}

/// What the begin of a buffer holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// Not a whole frame yet.
    Part,
    /// A frame of that many bytes of content, behind its length.
    Whole(usize),
    /// A frame longer than allowed.
    TooLong(usize),
}

/// Looks at the begin of `buffer`.
pub(crate) fn front(buffer: &[u8], bytes_max: usize) -> Front {
    let Some(length) = buffer.first_chunk::<4>() else { return Front::Part };
    let length = u32::from_le_bytes(*length) as usize;
    if length > bytes_max {
        return Front::TooLong(length);
    }
    if buffer.len() - 4 < length { Front::Part } else { Front::Whole(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_once_it_is_whole_and_refused_as_soon_as_it_is_too_long() {
        let mut bytes = Vec::new();
        put(&mut bytes, b"{}");
        for len in 0..bytes.len() {
            assert_eq!(front(&bytes[..len], 10), Front::Part);
        }
        assert_eq!(front(&bytes, 10), Front::Whole(2));
        assert_eq!(front(&bytes[..4], 1), Front::TooLong(2));
    }
}

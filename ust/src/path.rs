// SPDX-License-Identifier: MIT OR Apache-2.0
//! Paths in a fixed buffer: the runtime must not allocate.

use core::ffi::CStr;

/// Longest path, as in `sockaddr_un`: the runtime directory holds a socket, so longer ones are of no use.
const PATH_BYTES_MAX: usize = 108;

/// A NUL-terminated path of at most 107 bytes.
#[derive(Clone, Copy)]
pub struct Path {
    bytes: [u8; PATH_BYTES_MAX],
    len: usize,
}

impl Path {
    /// The empty path.
    pub const fn new() -> Self {
        Self { bytes: [0; PATH_BYTES_MAX], len: 0 }
    }

    /// This path with `more` appended; `None` where it gets too long or `more` holds a NUL.
    #[must_use]
    pub fn with(mut self, more: &[u8]) -> Option<Self> {
        let room = self.bytes.get_mut(self.len..PATH_BYTES_MAX - 1)?;
        if more.contains(&0) {
            return None;
        }
        room.get_mut(..more.len())?.copy_from_slice(more);
        self.len += more.len();
        Some(self)
    }

    /// This path with a number appended.
    #[must_use]
    pub fn with_number(self, number: u64, base: u64) -> Option<Self> {
        let mut digits = [0u8; 64];
        let mut begin = digits.len();
        let mut rest = number;
        loop {
            begin -= 1;
            *digits.get_mut(begin)? = *b"0123456789abcdef".get((rest % base) as usize)?;
            rest /= base;
            if rest == 0 {
                return self.with(digits.get(begin..)?);
            }
        }
    }

    /// The path as the kernel wants it.
    pub fn as_c_str(&self) -> &CStr {
        self.bytes.get(..=self.len).and_then(|b| CStr::from_bytes_with_nul(b).ok()).unwrap_or(c"")
    }

    /// The path's bytes, without the NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_are_joined_up_to_the_limit_and_refused_beyond() {
        let path = Path::new().with(b"/a/").and_then(|p| p.with_number(2578, 16)).expect("short");
        assert_eq!(path.as_c_str(), c"/a/a12");
        assert_eq!(Path::new().with_number(0, 10).expect("short").as_bytes(), b"0");
        assert!(Path::new().with(&[b'x'; 107]).is_some());
        assert!(Path::new().with(&[b'x'; 108]).is_none());
        assert!(Path::new().with(b"a\0b").is_none());
    }
}

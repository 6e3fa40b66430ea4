// SPDX-License-Identifier: MIT OR Apache-2.0
//! A growing text, into which short pieces are copied in blocks of fixed size: a call of `memcpy` for each would be most of
//! the cost of a line.

/// Bytes of a block.
const BLOCK: usize = 16;

/// Bytes that are free behind whatever was asked for, so that whole blocks can be copied.
const SLACK: usize = 2 * BLOCK;

/// Text that is being made.
#[derive(Debug, Default)]
pub(super) struct Out {
    /// Everything in it may be written; the text is the first `len` bytes.
    bytes: Vec<u8>,
    len: usize,
    /// Where the current line begins.
    line: usize,
}

/// Bytes that are copied often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Literal {
    blocks: Box<[[u8; BLOCK]]>,
    len: usize,
}

impl Literal {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let blocks = bytes.chunks(BLOCK).map(|chunk| {
            let mut block = [0; BLOCK];
            block[..chunk.len()].copy_from_slice(chunk);
            block
        });
        Self { blocks: blocks.collect(), len: bytes.len() }
    }
}

impl Out {
    /// Returns an empty text that takes over the memory of `bytes`.
    pub(super) fn reusing(bytes: Vec<u8>) -> Self {
        Self { bytes, len: 0, line: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        (self.len, self.line) = (0, 0);
    }

    /// Begins a line here.
    pub(super) fn begin_line(&mut self) {
        self.line = self.len;
    }

    /// Returns where the current line begins.
    pub(super) fn mark(&self) -> usize {
        self.line
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns the memory, the first [`Out::len`] bytes of which are the text.
    pub(super) fn into_parts(self) -> (Vec<u8>, usize) {
        (self.bytes, self.len)
    }

    /// Makes room for `count` bytes and whole blocks behind them.
    #[inline]
    pub(super) fn reserve(&mut self, count: usize) {
        if self.bytes.len() - self.len < count + SLACK {
            self.grow(count);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, count: usize) {
        let wanted = (self.len + count + SLACK).max(self.bytes.len() + self.bytes.len() / 4).max(4096);
        self.bytes.resize(wanted, 0);
    }

    /// Appends `literal`.
    #[inline]
    pub(super) fn literal(&mut self, literal: &Literal) {
        self.reserve(literal.len);
        let mut at = self.len;
        for block in &literal.blocks {
            if let Some(place) = self.bytes.get_mut(at..at + BLOCK) {
                place.copy_from_slice(block);
            }
            at += BLOCK;
        }
        self.len += literal.len;
    }

    /// Appends a constant of a few bytes.
    #[inline]
    pub(super) fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.reserve(N);
        if let Some(place) = self.bytes.get_mut(self.len..self.len + N) {
            place.copy_from_slice(bytes);
        }
        self.len += N;
    }

    /// Appends any bytes.
    #[inline]
    pub(super) fn slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        if let Some(place) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        self.len += bytes.len();
    }

    /// Appends bytes that are few as a rule.
    #[inline]
    pub(super) fn short(&mut self, bytes: &[u8]) {
        if bytes.len() > 8 {
            self.slice(bytes);
            return;
        }
        self.reserve(8);
        if let Some(place) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            for (to, from) in place.iter_mut().zip(bytes) {
                *to = *from;
            }
        }
        self.len += bytes.len();
    }

    /// Lets `write` put up to `N` bytes, and appends as many as it returns.
    #[inline]
    pub(super) fn with<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        self.reserve(N);
        if let Some(place) = self.bytes.get_mut(self.len..).and_then(|rest| rest.first_chunk_mut::<N>()) {
            self.len += write(place).min(N);
        }
    }
}

impl std::fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.slice(text.as_bytes());
        Ok(())
    }
}

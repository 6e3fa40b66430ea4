// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints text in quotes.

use super::out::Out;

/// Bytes that are shown as they are; those that are not ASCII are among them.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        plain[byte] = false;
        byte += 1;
    }
    plain[0x7f] = false;
    plain[b'"' as usize] = false;
    plain[b'\'' as usize] = false;
    plain[b'\\' as usize] = false;
    plain[b'?' as usize] = false;
    plain
};

/// Appends `bytes` up to the first NUL in quotes, with escapes.
#[inline]
pub(super) fn put_text(out: &mut Out, bytes: &[u8]) {
    out.put(b"\"");
    let mut rest = bytes;
    loop {
        let count = rest.iter().position(|byte| !PLAIN[usize::from(*byte)]).unwrap_or(rest.len());
        out.short(&rest[..count]);
        match rest.get(count) {
            None | Some(0) => break,
            Some(byte) => put_escaped(out, *byte),
        }
        rest = &rest[count + 1..];
    }
    out.put(b"\"");
}

#[cold]
fn put_escaped(out: &mut Out, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let letter = match byte {
        b'"' | b'\'' | b'\\' | b'?' => byte,
        0x07 => b'a',
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0b => b'v',
        0x0c => b'f',
        b'\r' => b'r',
        0x1b => b'e',
        _ => {
            out.put(&[b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            return;
        }
    };
    out.put(&[b'\\', letter]);
}

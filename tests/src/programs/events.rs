// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one event of all traced programs. Each program includes this file, so that the library stays untraced.

use ust_tests::Payload;

/// Event `seq` of `source`.
#[ust::tracepoint(provider = "e2e")]
pub fn step(source: u32, seq: u64, hash: u64, payload: &[u8]);

/// Emits event `seq` of `source`.
#[allow(dead_code, reason = "not every program that includes this file needs it")]
pub fn emit(source: u32, seq: u64) {
    let payload = Payload::new(source, seq);
    step(source, seq, payload.hash(), payload.bytes());
}

/// Emits events `0..count` of `source`.
#[allow(dead_code, reason = "not every program that includes this file needs it")]
pub fn emit_all(source: u32, count: u64) {
    (0..count).for_each(|seq| emit(source, seq));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bytes of whole events.

use ust::tracepoint;

#[tracepoint]
fn mixed(a: u8, text: &str, b: u16, list: &[u16]);

#[test]
fn fields_lie_back_to_back() {
    mixed::TRACEPOINT.wanted.store(1, std::sync::atomic::Ordering::Relaxed);
    mixed(1, "ab\0c", 0x0203, &[4, 5]);
    let events = ust::record::take();
    assert_eq!(events[0].1, [1, b'a', b'b', 0, 3, 2, 2, 0, 0, 0, 4, 0, 5, 0]);
}

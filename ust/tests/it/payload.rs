// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bytes of whole events.

use ust::__private::{Declared, Sink, Wire};
use ust::{Enumeration, tracepoint};

/// Takes the bytes of one event.
pub(crate) struct Collect<'a>(pub(crate) &'a mut Vec<u8>);

impl Sink for Collect<'_> {
    #[allow(unsafe_code)]
    fn take(self, wire: impl Wire, _: impl Wire) {
        let wire = wire.fit();
        let mut payload = vec![0xEE; wire.size()];
        // SAFETY: the wire is fit, and `payload` has the size that it asks for.
        let end = unsafe { wire.put(payload.as_mut_ptr()) };
        assert_eq!(end, payload.as_mut_ptr_range().end);
        *self.0 = payload;
    }
}

/// Returns the bytes of one event: `event!(checkout(17, "a"))`.
macro_rules! event {
    ($($name:ident)::+ ( $($arg:expr),* $(,)? )) => {{
        let mut payload = Vec::new();
        $($name)::+::Event::encode($crate::payload::Collect(&mut payload), $($arg),*);
        $($name)::+($($arg),*);
        payload
    }};
}

#[tracepoint]
fn mixed(a: u8, text: &str, b: u16, list: &[u16], raw: [u8; 2], flag: Option<u16>);

#[test]
fn fields_lie_back_to_back() {
    let full = event!(mixed(1, "ab\0c", 0x0203, &[4, 5], [6, 7], Some(8)));
    assert_eq!(full, [1, b'a', b'b', 0, 3, 2, 2, 0, 0, 0, 4, 0, 5, 0, 6, 7, 1, 8, 0]);
    let empty = event!(mixed(1, "", 2, &[], [3, 4], None));
    assert_eq!(empty, [1, 0, 2, 0, 0, 0, 0, 0, 3, 4, 0]);
}

struct Order {
    id: u64,
    lines: Vec<String>,
}

#[tracepoint]
fn computed(
    #[field(skip)] order: &Order,
    #[field(expr = order.id)] id: u64,
    #[field(expr = order.lines.len() as u32)] lines: u32,
    tail: u8,
    #[field(expr = order.lines.join("").as_str())] text: &str,
    #[field(nowrite)] hidden: u64,
    #[field(network, name = "net_port")] port: u16,
);

#[test]
fn computed_fields_come_from_arguments_that_are_not_fields() {
    let order = Order { id: 7, lines: vec!["ab".into(), "c".into()] };
    let payload = event!(computed(&order, 9, 1, 0x1234_u16.to_be()));
    assert_eq!(payload, [7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 9, b'a', b'b', b'c', 0, 0x12, 0x34]);
    let fields = computed::Event::DESC.fields;
    let names: Vec<_> = fields.iter().map(|field| (field.name, field.nowrite)).collect();
    let expected = [("id", false), ("lines", false), ("tail", false), ("text", false)];
    assert_eq!(names, [&expected[..], &[("hidden", true), ("net_port", false)]].concat());
}

#[derive(Enumeration)]
#[repr(u8)]
enum Method {
    Get = 1,
    Put,
}

#[tracepoint]
fn enumerated(by_value: Method, by_reference: &Method, maybe: Option<Method>);

#[test]
fn enumerations_are_their_discriminants() {
    assert_eq!(event!(enumerated(Method::Get, &Method::Put, Some(Method::Put))), [1, 2, 1, 2]);
}

#[tracepoint]
fn empty();

#[test]
fn event_without_fields_has_no_payload() {
    assert_eq!(event!(empty()), []);
    assert!(empty::Event::DESC.fields.is_empty());
}

#[tracepoint]
#[rustfmt::skip]
fn nine(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8);

#[test]
fn event_with_one_field_more_than_a_group_holds_them_all() {
    assert_eq!(event!(nine(1, 2, 3, 4, 5, 6, 7, 8, 9)), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[tracepoint]
#[rustfmt::skip]
fn wide(
    f0: u8, f1: u16, f2: u32, f3: u64, f4: u8, f5: u16, f6: u32, f7: u64, f8: u8, f9: u16, f10: u32,
    f11: u64, f12: u8, f13: u16, f14: u32, f15: u64, f16: u8, f17: u16, f18: u32, f19: u64, f20: u8,
    f21: u16, f22: u32, f23: u64, f24: u8, f25: u16, f26: u32, f27: u64, f28: u8, f29: u16, f30:
    u32, f31: u64, f32: u8, f33: u16, f34: u32, f35: u64, f36: u8, f37: u16, f38: u32, f39: u64,
    f40: u8, f41: u16, f42: u32, f43: u64, f44: u8, f45: u16, f46: u32, f47: u64, f48: u8, f49: u16,
    f50: u32, f51: u64, f52: u8, f53: u16, f54: u32, f55: u64, f56: u8, f57: u16, f58: u32, f59:
    u64, f60: u8, f61: u16, f62: u32, f63: u64, f64: u8, f65: u16, f66: u32, f67: u64, f68: u8, f69:
    u16, f70: u32, f71: u64, f72: u8, f73: u16, f74: u32, f75: u64, f76: u8, f77: u16, f78: u32,
    f79: u64,
);

#[test]
fn event_with_eighty_fields_holds_them_all_in_order() {
    #[rustfmt::skip]
    let payload = event!(wide(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
        25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
        48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70,
        71, 72, 73, 74, 75, 76, 77, 78, 79,
    ));
    let mut expected = Vec::new();
    for i in 0..80_u64 {
        expected.extend_from_slice(&i.to_le_bytes()[..1 << (i % 4)]);
    }
    assert_eq!(payload, expected);
    assert_eq!(wide::Event::DESC.fields.len(), 80);
}

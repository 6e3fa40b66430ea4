// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bytes and the description of every kind of field.

use core::ffi::CStr;
use core::num::NonZeroU16;

use ust_shm::descriptor::{Base, FieldType, Integer, Scalar};

use super::text::has_nul;
use super::{Field, Sought, Wire, modify};

/// Returns what `put` and `put_parts` store, after a check that the size is right and that the neighbours survive.
#[allow(unsafe_code)]
fn stored(wire: &impl Wire) -> Vec<u8> {
    const GUARD: u8 = 0xEE;
    assert!(wire.is_fit());
    let size = wire.size();
    let put = |in_parts: bool| {
        let mut memory = vec![GUARD; size + 16];
        let at = memory[7..].as_mut_ptr();
        // SAFETY: `size` bytes from index 7 on lie inside of `memory`, which no one else knows.
        let end = unsafe { if in_parts { wire.put_parts(at) } else { wire.put(at) } };
        assert_eq!(end.addr() - at.addr(), size);
        assert!(memory[..7].iter().chain(&memory[7 + size..]).all(|&byte| byte == GUARD));
        memory[7..7 + size].to_vec()
    };
    assert_eq!(put(true), put(false));
    put(false)
}

/// Checks that `value` is stored as `expected`.
fn check<T: Field>(value: T, expected: &[u8]) {
    assert_eq!(stored(&value.wire().fit()), expected);
}

const fn int(bits: u8, signed: bool, base: Base, network: bool) -> Scalar {
    Scalar::Integer(Integer { bits, signed, base, network })
}

#[test]
fn numbers_are_their_little_endian_bytes() {
    check(0x12_u8, &[0x12]);
    check(-2_i8, &[0xFE]);
    check(0x1234_u16, &[0x34, 0x12]);
    check(-2_i16, &[0xFE, 0xFF]);
    check(0x1234_5678_u32, &[0x78, 0x56, 0x34, 0x12]);
    check::<&i32>(&-2_i32, &[0xFE, 0xFF, 0xFF, 0xFF]);
    check(1_u64 << 63, &[0, 0, 0, 0, 0, 0, 0, 0x80]);
    check(i64::MIN, &[0, 0, 0, 0, 0, 0, 0, 0x80]);
    check(usize::MAX, &[0xFF; size_of::<usize>()]);
    check(-1_isize, &[0xFF; size_of::<usize>()]);
    check(1.0_f32, &1.0_f32.to_le_bytes());
    check(-0.5_f64, &(-0.5_f64).to_le_bytes());
    check(true, &[1]);
    check(NonZeroU16::MAX, &[0xFF, 0xFF]);
}

#[test]
fn network_numbers_are_stored_as_they_come() {
    check(0x1234_u16.to_be(), &[0x12, 0x34]);
    let ty = modify::network(modify::hex(<u16 as Field>::TYPE));
    assert_eq!(ty, FieldType::Scalar(int(16, false, Base::Hexadecimal, true)));
}

#[test]
fn char_is_its_text_in_four_bytes() {
    check('a', b"a\0\0\0");
    check('é', &[0xC3, 0xA9, 0, 0]);
    check('\u{10FFFF}', &[0xF4, 0x8F, 0xBF, 0xBF]);
    let element = int(8, false, Base::Decimal, false);
    assert_eq!(<char as Field>::TYPE, FieldType::Array { element, len: 4, text: true });
}

#[test]
fn pointer_is_64_bits_of_hexadecimal() {
    let address = core::ptr::without_provenance::<u16>(0x1000);
    check(address, &[0, 0x10, 0, 0, 0, 0, 0, 0]);
    check(address.cast_mut(), &[0, 0x10, 0, 0, 0, 0, 0, 0]);
    let wide: *const [u8] = b"ab".as_slice();
    check(wide, &(wide.addr() as u64).to_le_bytes());
    assert_eq!(<*const u8 as Field>::TYPE, FieldType::Scalar(int(64, false, Base::Hexadecimal, false)));
}

#[test]
fn string_of_any_length_is_its_bytes_and_a_nul() {
    for len in 0..200 {
        let text: String = (0..len).map(|i| char::from(b'!' + (i % 90) as u8)).collect();
        let mut expected = text.clone().into_bytes();
        expected.push(0);
        check(text.as_str(), &expected);
        check(&text, &expected);
    }
}

/// A string that ends early for its reader, with one NUL and with a second one at the end.
#[test]
fn string_ends_at_its_first_nul_wherever_that_is() {
    for len in 1..80 {
        for nul in 0..len {
            for second in [nul, len - 1] {
                let mut bytes = vec![b'x'; len];
                bytes[nul] = 0;
                bytes[second] = 0;
                let text = String::from_utf8(bytes).expect("ascii");
                let mut expected = vec![b'x'; nul];
                expected.push(0);
                check(text.as_str(), &expected);
            }
        }
    }
}

#[test]
fn bytes_next_to_zero_are_not_taken_for_nul() {
    for byte in ['\u{1}', '\u{7F}', '\u{80}', '\u{FF}', '\u{7FF}'] {
        for len in 1..40 {
            let text: String = core::iter::repeat_n(byte, len).collect();
            let mut expected = text.clone().into_bytes();
            expected.push(0);
            check(text.as_str(), &expected);
            assert!(!has_nul(text.as_bytes()), "the slow way is for NUL only");
        }
    }
}

#[test]
fn c_string_is_its_bytes_and_a_nul() {
    check(c"", &[0]);
    check(c"hello", b"hello\0");
    check(CStr::from_bytes_until_nul(b"ab\0cd\0").expect("terminated"), b"ab\0");
}

#[test]
fn array_is_its_elements() {
    check([0x0102_u16, 3], &[2, 1, 3, 0]);
    check::<&[u8; 3]>(&[1, 2, 3], &[1, 2, 3]);
    check([0_u64; 0], &[]);
    check([1.5_f32], &1.5_f32.to_le_bytes());
    check([true, false], &[1, 0]);
    let element = int(16, false, Base::Decimal, false);
    assert_eq!(<[u16; 2] as Field>::TYPE, FieldType::Array { element, len: 2, text: false });
}

#[test]
fn slice_is_a_count_and_its_elements() {
    check(&[] as &[u64], &[0, 0, 0, 0]);
    check(&[0x0102_i16, -1][..], &[2, 0, 0, 0, 2, 1, 0xFF, 0xFF]);
    check(&[1.5_f64][..], &[&[1, 0, 0, 0][..], &1.5_f64.to_le_bytes()].concat());
    for len in 0..100_u8 {
        let bytes: Vec<u8> = (0..len).collect();
        check(bytes.as_slice(), &[&u32::from(len).to_le_bytes()[..], &bytes].concat());
    }
}

#[test]
fn option_is_a_tag_and_maybe_a_value() {
    check(None::<u32>, &[0]);
    check(Some(0x0102_u16), &[1, 2, 1]);
    check(Some(true), &[1, 1]);
    check(Some(1.5_f64), &[&[1][..], &1.5_f64.to_le_bytes()].concat());
    let value = int(16, false, Base::Decimal, false);
    assert_eq!(<Option<u16> as Field>::TYPE, FieldType::Optional(value));
}

#[test]
fn modifiers_reach_the_elements() {
    let element = int(8, false, Base::Octal, false);
    assert_eq!(modify::oct(<[u8; 3] as Field>::TYPE), FieldType::Array { element, len: 3, text: false });
    let element = int(64, true, Base::Binary, false);
    assert_eq!(modify::bin(<&[i64] as Field>::TYPE), FieldType::Sequence { element, text: false });
    let element = int(8, true, Base::Decimal, false);
    assert_eq!(modify::text(<&[i8] as Field>::TYPE), FieldType::Sequence { element, text: true });
    let value = int(32, false, Base::Hexadecimal, false);
    assert_eq!(modify::hex(<Option<u32> as Field>::TYPE), FieldType::Optional(value));
}

#[test]
fn only_what_can_be_stored_as_it_is_is_fit() {
    assert!("ab".wire().is_fit());
    assert!(!"a\0".wire().is_fit());
    assert!((1_u8.wire(), "ab".wire()).is_fit());
    assert!(!(1_u8.wire(), ("a\0b".wire(), 2_u8.wire())).is_fit());
    let wire = (1_u8.wire(), ("a\0b".wire(), 2_u8.wire())).fit();
    assert!(wire.is_fit());
    assert_eq!(wire.size(), 4);
}

#[test]
fn a_number_is_found_where_put_would_store_it() {
    let before = (0x11u8.wire(), ((-2i16).wire(), 1.5f64.wire()), 0x0102_0304_0506_0708u64.wire());
    let fixed = before.size();
    let wire = (before, ("text".wire(), 7u32.wire()));
    let (bytes, numbers) = (stored(&wire), [(0, 1), (1, 2), (3, 8), (11, 8)]);
    for offset in 0..bytes.len() + 4 {
        let expected = numbers.iter().find(|(at, _)| *at == offset).map(|&(at, size)| {
            let mut word = [0; 8];
            word[..size].copy_from_slice(&bytes[at..at + size]);
            Sought::Number { word: u64::from_le_bytes(word), bytes: size }
        });
        // Behind a text there is no constant place.
        assert_eq!(wire.number_at(offset), expected.unwrap_or(Sought::Unknown), "{offset}");
    }
    assert_eq!(before.number_at(fixed + 3), Sought::Behind(3));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads any bytes as metadata: it must end without a panic, and what it returns must keep its promises.
//!
//! `cargo +nightly fuzz run metadata fuzz/corpus/metadata fuzz/seeds/metadata -- -dict=fuzz/metadata.dict`
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use ust_ctf::class::{Class, ClassKind, Slot, StructClass, TraceClass};
use ust_ctf::reader::metadata::read_metadata;

fuzz_target!(|bytes: &[u8]| match read_metadata(Path::new("metadata"), bytes) {
    Ok(trace) => check(&trace),
    Err(error) => assert!(!error.to_string().is_empty() && error.line > 0 && error.column > 0),
});

/// Checks what a decoder relies on.
fn check(trace: &TraceClass) {
    for clock in &trace.clocks {
        assert!(clock.freq > 0);
    }
    let mut before = None;
    for stream in &trace.streams {
        assert!(before < Some(stream.id), "stream ids are sorted and differ");
        before = Some(stream.id);
        assert!(stream.clock.is_none_or(|idx| idx < trace.clocks.len()));
        let mut saved = vec![false; trace.slot_count];
        let own = [&trace.packet_header, &stream.packet_context, &stream.event_header, &stream.event_context];
        for scope in own.into_iter().flatten() {
            structure(scope, &mut saved);
        }
        let mut before = None;
        for event in &stream.events {
            assert!(before < Some(event.id), "event ids are sorted and differ");
            before = Some(event.id);
            let mut saved = saved.clone();
            for scope in [&event.context, &event.payload].into_iter().flatten() {
                structure(scope, &mut saved);
            }
        }
    }
}

fn structure(class: &StructClass, saved: &mut [bool]) {
    assert!(class.align_bits.is_power_of_two());
    for member in &class.members {
        check_class(&member.class, saved);
        assert!(member.class.align_bits <= class.align_bits);
        if let Some(Slot(slot)) = member.save {
            saved[slot as usize] = true;
        }
    }
}

/// Every slot that is read was written by a field before.
fn check_class(class: &Class, saved: &mut [bool]) {
    assert!(class.align_bits.is_power_of_two());
    match &class.kind {
        ClassKind::Integer(integer) => assert!(integer.bits <= 64),
        ClassKind::Float(float) => assert!(matches!(float.bits, 16 | 32 | 64 | 128)),
        ClassKind::Bool { bits, .. } | ClassKind::BitArray { bits, .. } => assert!((1..=64).contains(bits)),
        ClassKind::DynamicText(text) => assert!(saved[text.len.slot.0 as usize]),
        ClassKind::DynamicBlob(blob) => assert!(saved[blob.len.slot.0 as usize]),
        ClassKind::Array(array) => check_class(&array.element, saved),
        ClassKind::Sequence(array) => {
            assert!(saved[array.len.slot.0 as usize]);
            check_class(&array.element, saved);
        }
        ClassKind::Struct(class) => structure(class, saved),
        ClassKind::Optional(optional) => {
            assert!(saved[optional.selector.slot.0 as usize]);
            assert!(optional.ranges.iter().all(|range| range.low <= range.high));
            check_class(&optional.class, saved);
        }
        ClassKind::Variant(variant) => {
            assert!(saved[variant.selector.slot.0 as usize] || variant.options.is_empty());
            for option in &variant.options {
                check_class(&option.class, saved);
            }
        }
        ClassKind::String(_) | ClassKind::StaticText(_) | ClassKind::StaticBlob(_) => {}
    }
}

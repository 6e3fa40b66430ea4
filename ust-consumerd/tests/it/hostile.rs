// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images that lie. The engine survives, says what was wrong, and records the honest program beside them.

use std::sync::atomic::Ordering::Relaxed;

use ust_shm::layout::{HEAD_BYTES, SubbufEntry, clock, entries_offset, ring_state};
use ust_shm::limits::{IMAGE_BYTES, OBJECT_BYTES_MAX};
use ust_shm::ring::RingWords as _;

use crate::harness::{Bench, Outcome};
use crate::program::{Program, Writer, live_pid};

/// Damages a program when it is attached and has recorded two sub-buffers, beside an honest one.
fn attached(damage: impl FnOnce(&mut Program, &mut Writer)) -> Outcome {
    let mut bench = Bench::new();
    let mut honest = Program::start(&bench.dir(), live_pid());
    let mut hostile = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let good = honest.ring(1, "honest");
    let mut bad = hostile.ring(2, "hostile");
    good.record(0, 1);
    bad.fill_subbuf(100);
    damage(&mut hostile, &mut bad);
    bench.pass();
    good.record(0, 2);
    bench.pass();
    good.record(0, 3);
    let outcome = bench.stop();
    let honest: Vec<u32> = outcome.recorded.events.iter().filter(|e| e.2 == 1).map(|e| e.1).collect();
    assert_eq!(honest, [1, 2, 3], "{:?}", outcome.summary.warnings);
    outcome
}

/// Damages a program before it is published, beside an honest one.
fn unpublished(damage: impl FnOnce(&mut Program)) -> Outcome {
    let mut bench = Bench::new();
    let mut hostile = Program::prepare(&bench.dir(), live_pid(), 7);
    hostile.add_object(crate::program::USUAL);
    damage(&mut hostile);
    hostile.publish();
    let mut honest = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let good = honest.ring(1, "honest");
    good.record(0, 1);
    bench.pass();
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), [1], "{:?}", outcome.summary.warnings);
    outcome
}

fn check(case: &str, outcome: &Outcome, reason: &str) {
    let said = outcome.summary.warnings.join("\n");
    assert!(said.contains(reason), "{case}: expected `{reason}` in `{said}`");
    let losses = outcome.summary.losses;
    assert_eq!(losses.rings_corrupt + losses.images_refused, 1, "{case}: counted once");
}

#[test]
fn an_image_whose_header_or_tables_lie_is_refused() {
    type Damage = fn(&mut Program);
    let cases: &[(&str, Damage, &str)] = &[
        ("magic", |p| header(p).magic.store(1, Relaxed), "is no image: it begins with 0x0000000000000001"),
        ("version", |p| header(p).abi.store(9, Relaxed), "has layout version 9, known is 1"),
        ("clock", |p| header(p).clock.store(3, Relaxed), "has clock kind 3"),
        ("size", |p| header(p).image_bytes.store(1 << 40, Relaxed), "says it has 1099511627776 bytes"),
        ("short file", |p| p.file.set_len(HEAD_BYTES - 1).expect("sparse"), "has 589823 bytes, allowed are"),
        ("long file", |p| p.file.set_len(IMAGE_BYTES + 1).expect("sparse"), "allowed are"),
        ("object count", |p| header(p).object_count.store(257, Relaxed), "says it has 257 objects"),
        ("object offset", |p| entry(p).offset.store(!0xffff, Relaxed), "bytes at offset"),
        ("object in the head", |p| entry(p).offset.store(65_536, Relaxed), "bytes at offset 65536"),
        ("object odd offset", |p| entry(p).offset.store(HEAD_BYTES + 8, Relaxed), "bytes at offset"),
        ("object size", |p| entry(p).bytes.store(OBJECT_BYTES_MAX + 1, Relaxed), "bytes at offset"),
        ("object size 0", |p| entry(p).bytes.store(0, Relaxed), "has 0 bytes at offset"),
        ("no tracepoints", |p| entry(p).tracepoint_count.store(0, Relaxed), "has 0 tracepoints"),
        ("tracepoints", |p| entry(p).tracepoint_count.store(70_000, Relaxed), "has 70000 tracepoints"),
        ("event ids", |p| entry(p).first_event_id.store(65_534, Relaxed), "from id 65534 on"),
        ("more descriptors than there are", |p| entry(p).tracepoint_count.store(3, Relaxed), "is malformed"),
        ("event ids twice", twice, "uses event id 0, which is taken"),
    ];
    for (case, damage, reason) in cases {
        check(case, &unpublished(damage), reason);
    }
}

fn twice(program: &mut Program) {
    program.add_object(crate::program::USUAL);
    program.head.object(1).expect("there").first_event_id.store(0, Relaxed);
}

fn header(program: &Program) -> &ust_shm::layout::ImageHeader {
    program.head.header().expect("mapped")
}

fn entry(program: &Program) -> &ust_shm::layout::ObjectEntry {
    program.head.object(0).expect("there")
}

#[test]
fn a_clock_of_another_kind_cannot_join_the_trace() {
    let mut bench = Bench::new();
    let mut honest = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let other = Program::prepare(&bench.dir(), live_pid(), 7);
    header(&other).clock.store(clock::TSC, Relaxed);
    other.publish();
    bench.pass();
    honest.ring(1, "honest").record(0, 1);
    let outcome = bench.stop();
    check("clock", &outcome, "has clock kind 1, the trace has 2");
    assert_eq!(outcome.recorded.values("test:one"), [1]);
}

#[test]
fn what_is_no_regular_file_is_refused_without_being_opened() {
    let mut bench = Bench::new();
    let apps = bench.dir().join("apps");
    std::os::unix::fs::symlink("/etc/passwd", apps.join("1-1")).expect("a link");
    std::fs::create_dir(apps.join("1-2")).expect("a directory");
    std::process::Command::new("mkfifo").arg(apps.join("1-3")).status().expect("mkfifo runs");
    bench.pass();
    let summary = bench.engine.stop();
    assert_eq!(summary.losses.images_refused, 3);
    assert!(summary.warnings.iter().any(|w| w.contains("is no regular file")), "{:?}", summary.warnings);
}

#[test]
fn a_ring_whose_entry_lies_is_ignored() {
    type Damage = fn(&ust_shm::layout::RingEntry);
    let cases: &[(&str, Damage, &str)] = &[
        ("sub-buffer size", |e| e.subbuf_bytes.store(4095, Relaxed), "has 4 sub-buffers of 4095 bytes"),
        ("sub-buffer count", |e| e.subbuf_count.store(3, Relaxed), "has 3 sub-buffers"),
        ("counters", |e| e.counter_count.store(u32::MAX, Relaxed), "event counters"),
        ("header", |e| e.header_bytes.store(0, Relaxed), "has a header of 0 bytes"),
        ("odd header", |e| e.header_bytes.store(4097, Relaxed), "has a header of 4097 bytes"),
        ("long header", |e| e.header_bytes.store(1 << 30, Relaxed), "has a header of"),
        ("arena in the head", |e| e.arena_offset.store(0, Relaxed), "lies at offset 0"),
        ("arena behind the end", |e| e.arena_offset.store(1 << 30, Relaxed), "lies at offset 1073741824"),
        ("arena wraps", |e| e.arena_offset.store(!0xffff, Relaxed), "lies at offset"),
    ];
    for (case, damage, reason) in cases {
        let outcome = attached(|hostile, writer| damage(hostile.head.ring(writer.idx).expect("there")));
        check(case, &outcome, reason);
    }
}

#[test]
fn more_rings_than_there_can_be_are_not_looked_at() {
    let outcome = attached(|hostile, _| header(hostile).ring_count.store(u32::MAX, Relaxed));
    assert!(outcome.summary.warnings.join("\n").contains("says it has 4294967295 rings"));
}

#[test]
fn a_ring_whose_words_break_the_protocol_ends_alone() {
    type Damage = fn(&Writer);
    let cases: &[(&str, Damage, &str)] = &[
        ("far ahead", |w| w.header().committed.store(1 << 60, Relaxed), "`committed` is out of reach at"),
        ("wrapped", |w| w.header().committed.store(u64::MAX, Relaxed), "`committed` is out of reach at"),
        ("begin", |w| sub(w).begin.store(77, Relaxed), "a sub-buffer's begin is 0x4d"),
        ("future", |w| sub(w).end_timestamp.store(1 << 63, Relaxed), "a time stamp of the future: 0x8000000000000000"),
        ("content end", |w| sub(w).content_end.store(1 << 40, Relaxed), "a sub-buffer's content end is"),
        ("content end before", |w| sub(w).content_end.store(u64::MAX, Relaxed), "a sub-buffer's content end is"),
    ];
    for (case, damage, reason) in cases {
        check(case, &attached(|_, writer| damage(writer)), reason);
    }
}

fn sub(writer: &Writer) -> &SubbufEntry {
    writer.entry(0).expect("there")
}

#[test]
fn a_ring_that_goes_back_behind_what_was_taken_ends_alone() {
    let mut bench = Bench::new();
    let mut hostile = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = hostile.ring(2, "hostile");
    writer.record(0, 1);
    bench.pass();
    writer.header().committed.store(0, Relaxed);
    bench.pass();
    let outcome = bench.stop();
    check("backwards", &outcome, "`committed` went backwards to 0x0");
    assert_eq!(outcome.recorded.values("test:one"), [1]);
}

#[test]
fn random_bytes_in_a_ring_header_do_no_harm() {
    // A fixed sequence: a failure can be repeated.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..60 {
        let mut bench = Bench::new();
        let mut hostile = Program::start(&bench.dir(), live_pid());
        bench.pass();
        let writer = hostile.ring(2, "hostile");
        writer.fill_subbuf(0);
        for _ in 0..8 {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let offset = 8 * ((random >> 33) % (entries_offset(3) / 8 + 64));
            let bits = random.rotate_left(17);
            let value = if bits & 1 == 0 { bits >> (bits % 64) } else { !(bits >> (bits % 64)) };
            writer.region.word(offset).expect("in the header").store(value, Relaxed);
            bench.pass();
        }
        let state = random & 0xffff;
        writer.state().store(state, Relaxed);
        bench.pass();
        let _ = ring_state::of(state);
        let _ = bench.engine.stop();
    }
}

#[test]
fn an_image_that_is_cut_under_the_engine_is_given_up_and_the_guard_fires() {
    let outcome = attached(|hostile, _| hostile.file.set_len(0).expect("sparse"));
    check("cut", &outcome, "was cut while it was mapped");
    // Cut in the arena's data, behind every mapping: nothing faults, the read falls short.
    let outcome = attached(|hostile, writer| {
        let arena = hostile.head.ring(writer.idx).expect("there").arena_offset.load(Relaxed);
        hostile.file.set_len(arena + writer.header_bytes + 64).expect("sparse");
    });
    check("cut in the data", &outcome, "was cut while it was read");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! From rings to packets.

use std::sync::atomic::Ordering;

use ust_shm::layout::ring_state;

use crate::harness::{Bench, NEVER, read};
use crate::program::{EVENT_BYTES, Program, live_pid};

#[test]
fn a_complete_subbuffer_is_written_at_once_and_a_half_filled_one_waits_for_the_tick() {
    let mut bench = Bench::with(|options| options.tick = NEVER);
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    let count = writer.fill_subbuf(0);
    bench.pass();
    let trace = bench.root.path().join("trace");
    let so_far = read(&trace);
    assert_eq!(so_far.values("test:one"), (0..count - 1).collect::<Vec<_>>(), "the last one is in the next sub-buffer");
    let content = so_far.packets[0][0].content_bytes;
    assert_eq!(content, u64::from(count - 1) * EVENT_BYTES);
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), (0..count).collect::<Vec<_>>());
}

#[test]
fn the_tick_takes_what_is_there_and_the_next_one_goes_on_behind_it() {
    let mut bench = Bench::new();
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    let mut value = 0;
    for _ in 0..50 {
        for _ in 0..41 {
            assert!(writer.record(0, value), "the engine gives room back");
            value += 1;
        }
        bench.pass();
    }
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), (0..value).collect::<Vec<_>>());
    let packets = &outcome.recorded.packets[0];
    let seqs: Vec<u64> = packets.iter().map(|p| p.packet_seq_num).collect();
    assert_eq!(seqs, (0..packets.len() as u64).collect::<Vec<_>>());
    assert!(packets.windows(2).all(|p| p[0].timestamp_end <= p[1].timestamp_begin));
    assert_eq!(outcome.text.map(|(_, warnings)| warnings).unwrap_or_default(), "");
}

#[test]
fn a_migration_begins_a_packet_with_the_new_cpu() {
    let mut bench = Bench::new();
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let mut writer = program.ring(7, "worker");
    // More moves than a sub-buffer can note.
    for cpu in 0..9 {
        writer.cpu = cpu;
        writer.record(0, cpu);
        writer.record(0, cpu);
    }
    let outcome = bench.stop();
    let packets = &outcome.recorded.packets[0];
    let cpus: Vec<u32> = packets.iter().map(|p| p.cpu_id).collect();
    assert_eq!(cpus, (0..9).collect::<Vec<_>>());
    assert!(packets.iter().all(|p| p.content_bytes == 2 * EVENT_BYTES));
    if let Some((events, warnings)) = outcome.text {
        for (cpu, line) in (0..18).map(|i| i / 2).zip(events.lines()) {
            assert!(
                line.contains(&format!("cpu_id = {cpu},")) && line.ends_with(&format!("value = {cpu} }}")),
                "{line}"
            );
        }
        assert_eq!(warnings, "");
    }
}

#[test]
fn a_returned_ring_is_drained_freed_and_its_next_thread_named_in_the_same_stream() {
    let mut bench = Bench::with(|options| options.tick = NEVER);
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "first");
    writer.record(0, 1);
    writer.give_back();
    bench.pass();
    assert_eq!(writer.state().load(Ordering::Relaxed), ring_state::word(1, ring_state::FREE));
    writer.lease(2, 8, "second");
    writer.record(0, 2);
    writer.give_back();
    bench.pass();
    assert_eq!(writer.state().load(Ordering::Relaxed), ring_state::word(2, ring_state::FREE));
    let outcome = bench.stop();
    let events = [("test:one".to_owned(), 1, 7), ("test:one".to_owned(), 2, 8)];
    assert_eq!(outcome.recorded.events, events);
    assert_eq!(outcome.recorded.packets.len(), 1);
    let names: Vec<_> = outcome.recorded.packets[0].iter().map(|p| p.procname).collect();
    assert_eq!(names, [*b"first\0\0\0\0\0\0\0\0\0\0\0", *b"second\0\0\0\0\0\0\0\0\0\0"]);
}

#[test]
fn many_rings_of_many_programs_all_arrive() {
    let mut bench = Bench::new();
    let mut programs: Vec<_> = (0..8).map(|_| Program::start(&bench.dir(), live_pid())).collect();
    bench.pass();
    let writers: Vec<_> =
        programs.iter_mut().flat_map(|p| (0..16).map(|i| p.ring(i, "worker")).collect::<Vec<_>>()).collect();
    for value in 0..1000 {
        for writer in &writers {
            assert!(writer.record(0, value));
        }
        if value % 64 == 0 {
            bench.pass();
        }
    }
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.events.len(), 128_000);
    assert_eq!(outcome.recorded.packets.len(), 128);
    assert_eq!(outcome.summary.event_count(), 128_000);
}

#[test]
fn a_waiting_writer_is_woken_when_room_was_made() {
    let mut bench = Bench::new();
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    use ust_shm::ring::RingWords as _;
    let before = writer.header().consumed_seq.load(Ordering::Acquire);
    writer.fill_ring();
    writer.header().writer_waits.store(1, Ordering::Relaxed);
    std::thread::scope(|scope| {
        let word = &writer.header().consumed_seq;
        // Hangs if the wake does not come: the kernel compares the word, so an early one is not missed.
        let waiter = scope.spawn(move || crate::runtime_dir::futex_wait(word, before));
        while !waiter.is_finished() {
            bench.pass();
            std::thread::yield_now();
        }
    });
    assert!(writer.record(0, 0));
}

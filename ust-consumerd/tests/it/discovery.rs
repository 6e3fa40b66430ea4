// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images come, go, and change hands.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::harness::{Bench, NEVER};
use crate::program::{Program, USUAL, dead_pid, live_pid, tracepoint};

#[test]
fn an_image_is_found_whether_it_appears_before_the_engine_or_after() {
    let mut bench = Bench::new();
    let mut late = Program::start(&bench.dir(), live_pid());
    assert_eq!(late.word(0, 0), 0, "nobody has applied rules yet");
    bench.pass();
    assert_eq!((late.word(0, 0), late.word(0, 1)), (1, 1));
    let writer = late.ring(7, "worker");
    for value in 0..3 {
        writer.record(0, value);
    }
    writer.record(1, 9);
    // Appears after the last pass: stop must look once more.
    let mut last = Program::prepare(&bench.dir(), live_pid(), 1);
    last.add_object(USUAL);
    last.publish();
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), [0, 1, 2]);
    assert_eq!(outcome.recorded.values("test:two"), [9]);
    assert!(outcome.recorded.events.iter().all(|&(.., vtid)| vtid == 7));
    assert_eq!(outcome.summary.event_count(), 4);
    assert_eq!(outcome.summary.events_per_provider().get("test"), Some(&4));
    assert_eq!(outcome.summary.processes.len(), 1, "two images of one program run are one process");
    assert!(outcome.summary.processes[0].running);
    assert!(outcome.summary.losses.is_empty());
    assert_eq!((late.word(0, 0), last.word(0, 0)), (0, 0), "stop switches the programs off");
    if let Some((events, warnings)) = outcome.text {
        assert_eq!(events.lines().count(), 4);
        assert!(events.contains(r#"test:one: { cpu_id = 0, vpid = "#), "{events}");
        assert!(events.contains(r#"vtid = 7, procname = "worker" }, { value = 2 }"#), "{events}");
        assert_eq!(warnings, "");
    }
}

#[test]
fn what_a_program_recorded_that_nobody_had_seen_before_the_stop_is_in_the_trace() {
    let bench = Bench::new();
    let mut program = Program::start(&bench.dir(), live_pid());
    let published = std::fs::read(bench.dir().join("rules")).expect("published");
    program.head.store_channels(&ust_shm::rules::RulesView::parse(&published).expect("valid"));
    program.ring(7, "worker").record(0, 1);
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), [1]);
    assert_eq!((outcome.summary.event_count(), program.word(0, 0)), (1, 0));
}

#[test]
fn only_events_that_match_a_pattern_are_switched_on() {
    let mut bench = Bench::with(|options| options.patterns = vec!["test:t*".to_owned()]);
    let program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    assert_eq!((program.word(0, 0), program.word(0, 1)), (0, 1));
}

#[test]
fn an_image_under_construction_is_left_alone() {
    let mut bench = Bench::new();
    let program = Program::prepare(&bench.dir(), live_pid(), 1);
    bench.pass();
    assert_eq!(bench.engine.progress().processes, 0);
    program.publish();
    bench.pass();
    assert_eq!(bench.engine.progress().processes, 1);
}

#[test]
fn what_a_killed_program_committed_is_recorded_and_its_image_removed() {
    let mut bench = Bench::with(|options| options.tick = NEVER);
    let mut program = Program::start(&bench.dir(), dead_pid());
    // A program applies rules itself; it was killed before the engine saw it.
    let published = std::fs::read(bench.dir().join("rules")).expect("published");
    program.head.store_channels(&ust_shm::rules::RulesView::parse(&published).expect("valid"));
    let writer = program.ring(7, "worker");
    let count = writer.fill_subbuf(0) + 1;
    writer.record(0, count - 1);
    let path = program.path.clone();
    bench.pass();
    let outcome = bench.stop();
    assert!(!path.exists());
    assert_eq!(outcome.recorded.values("test:one"), (0..count).collect::<Vec<_>>());
    assert!(!outcome.summary.processes[0].running);
}

#[test]
fn an_image_of_the_same_process_after_exec_ends_the_older_one() {
    let mut bench = Bench::new();
    let mut before = Program::start(&bench.dir(), live_pid());
    bench.pass();
    before.ring(7, "before").record(0, 1);
    let mut after = Program::prepare(&bench.dir(), live_pid(), 2);
    after.add_object(&[tracepoint("other", "event")]);
    after.publish();
    bench.pass(); // attaches
    bench.pass(); // finishes the older one
    assert!(!before.path.exists() && after.path.exists());
    after.ring(7, "after").record(0, 2);
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), [1]);
    assert_eq!(outcome.recorded.values("other:event"), [2]);
    assert_eq!(outcome.summary.processes.len(), 2);
}

#[test]
fn a_library_loaded_later_is_described_and_switched_on_also_where_another_program_uses_its_ids() {
    let mut bench = Bench::new();
    let mut first = Program::start(&bench.dir(), live_pid());
    let mut second = Program::start(&bench.dir(), live_pid());
    bench.pass();
    first.add_object(&[tracepoint("plugin", "a")]);
    second.add_object(&[tracepoint("plugin", "b")]);
    bench.pass();
    assert_eq!((first.word(1, 0), second.word(1, 0)), (1, 1));
    let (one, two) = (first.ring(1, "first"), second.ring(2, "second"));
    one.record(0, 10);
    two.record(0, 20);
    one.record(2, 11);
    two.record(2, 21);
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("plugin:a"), [11]);
    assert_eq!(outcome.recorded.values("plugin:b"), [21]);
    assert_eq!(outcome.recorded.values("test:one"), [10, 20]);
}

#[test]
fn a_stream_changes_its_class_when_the_ids_of_a_new_library_mean_something_else_in_the_old_one() {
    let mut bench = Bench::new();
    let mut first = Program::start(&bench.dir(), live_pid());
    let mut second = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let (one, two) = (first.ring(1, "first"), second.ring(2, "second"));
    one.record(0, 10);
    two.record(0, 20);
    bench.pass();
    first.add_object(&[tracepoint("plugin", "a")]);
    one.record(2, 11);
    bench.pass();
    second.add_object(&[tracepoint("plugin", "b")]);
    two.record(2, 21);
    two.record(0, 22);
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), [10, 20, 22]);
    assert_eq!(outcome.recorded.values("plugin:a"), [11]);
    assert_eq!(outcome.recorded.values("plugin:b"), [21]);
    assert_eq!(outcome.recorded.packets.len(), 3, "the second ring went on in a stream of another class");
}

#[test]
fn a_sleeping_engine_is_woken_by_the_writer_that_it_asked() {
    let mut bench = Bench::with(|options| options.tick = NEVER);
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    let head = program.head;
    head.header().expect("mapped").wakeup_wanted.store(0, Ordering::Relaxed);
    let path = bench.dir().join("wakeup");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Sleeps until the datagram comes: the test hangs if it does not wake.
            bench.engine.run_once(NEVER, &[]).expect("poll works");
            bench.engine.run_once(Duration::ZERO, &[]).expect("poll works");
        });
        let wanted = &head.header().expect("mapped").wakeup_wanted;
        while wanted.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        let socket = std::os::unix::net::UnixDatagram::unbound().expect("a socket");
        socket.send_to(&[0], path).expect("the engine listens");
        let _ = writer;
    });
}

#[test]
fn a_recording_of_one_process_switches_off_the_others() {
    let mut bench = Bench::with(|options| options.only_pid = Some(live_pid()));
    let mut mine = Program::start(&bench.dir(), live_pid());
    let other = Program::start(&bench.dir(), std::os::unix::process::parent_id() as i32);
    bench.pass();
    mine.ring(7, "mine").record(0, 1);
    assert_eq!((mine.word(0, 0), other.word(0, 0)), (1, 0));
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), [1]);
    assert_eq!(outcome.summary.processes.len(), 1);
    assert!(other.path.parent().is_some());
}

#[test]
fn an_image_that_its_living_process_closed_is_finished_after_a_while() {
    let mut bench = Bench::with(|options| options.tick = Duration::from_millis(20));
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.engine.run_until(|engine| engine.progress().processes == 1).expect("poll works");
    program.ring(7, "plugin").record(0, 1);
    program.close();
    // The library was unloaded; other threads of a program that ends might still record.
    bench.engine.run_until(|_| !program.path.exists()).expect("poll works");
    let outcome = bench.stop();
    assert_eq!(outcome.recorded.values("test:one"), [1]);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters in the images of programs that the engine attaches, honest and hostile ones.

use std::sync::atomic::Ordering::Relaxed;

use ust_consumerd::Context;
use ust_shm::filter::area::{Area, Entry};
use ust_shm::filter::run::{ContextSource, ContextValue};
use ust_shm::layout::FILTERS_OFFSET;

use crate::harness::Bench;
use crate::program::{Program, live_pid};

struct NoContexts;

impl ContextSource for NoContexts {
    fn context(&self, _: Context) -> Option<ContextValue<'_>> {
        None
    }
}

const SPECIAL: u64 = 1 << 63;

fn filtered(filter: &str) -> Bench {
    Bench::with(|options| options.filter = Some(filter.to_owned()))
}

/// The slots that want an event of the first tracepoint with this value.
fn slots(program: &Program, value: u32) -> Option<u64> {
    let area = Area::of(&program.head)?;
    let entry = Entry::load(&area, program.filter_word(0, 0), |_, _| true)?;
    entry.slots(&value.to_le_bytes(), &NoContexts).ok().filter(|_| entry.is_current(&area))
}

#[test]
fn a_program_that_is_attached_gets_the_filter_linked_to_its_tracepoints() {
    let mut bench = filtered("value == 7");
    let program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    assert_eq!(program.word(0, 0), SPECIAL | 1);
    assert_eq!((slots(&program, 7), slots(&program, 8)), (Some(1), Some(0)));
    let summary = bench.engine.stop();
    assert_eq!(program.word(0, 0), 0, "stop switches the programs off");
    assert_eq!((summary.filter_problem, summary.warnings), (None, Vec::<String>::new()));
}

#[test]
fn memory_for_the_area_is_made_as_far_as_it_is_used() {
    let mut bench = filtered("value == 7");
    let program = Program::start(&bench.dir(), live_pid());
    let blocks = || std::os::unix::fs::MetadataExt::blocks(&program.file.metadata().expect("ours"));
    let before = blocks();
    bench.pass();
    assert!(blocks() <= before + 3 * 8, "{before} blocks became {}", blocks());
}

#[test]
fn an_area_full_of_garbage_or_a_file_that_is_cut_there_does_not_disturb_the_others() {
    type Damage = fn(&Program);
    let cases: &[(&str, Damage)] = &[
        ("number", |p| p.head.header().expect("mapped").filter_seq.store(u64::MAX, Relaxed)),
        ("words", |p| {
            let garbage = vec![0xa5; 65_536];
            assert!(p.head.region().store_bytes(FILTERS_OFFSET, &garbage));
            p.filter_word(0, 0).store(u64::MAX, Relaxed);
        }),
        ("cut", |p| p.file.set_len(FILTERS_OFFSET).expect("ours")),
    ];
    for (case, damage) in cases {
        let mut bench = filtered("value >= 1");
        let mut hostile = Program::prepare(&bench.dir(), live_pid(), 1);
        hostile.add_object(crate::program::USUAL);
        if *case != "cut" {
            damage(&hostile);
        }
        hostile.publish();
        let mut honest = Program::start(&bench.dir(), live_pid());
        bench.pass();
        if *case == "cut" {
            damage(&hostile);
        } else {
            assert_eq!(slots(&hostile, 1), Some(1), "{case}: the application is whole");
        }
        let good = honest.ring(1, "honest");
        good.record(0, 1);
        bench.pass();
        assert_eq!(slots(&honest, 1), Some(1), "{case}");
        let outcome = bench.stop();
        assert_eq!(outcome.recorded.values("test:one"), [1], "{case}: {:?}", outcome.summary.warnings);
        assert_eq!(outcome.summary.losses.images_refused, u64::from(*case == "cut"), "{case}");
    }
}

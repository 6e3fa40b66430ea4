// SPDX-License-Identifier: MIT OR Apache-2.0
//! The filter area: what rules make of it, what readers find while rules change, and that garbage in it harms nobody.
//!
//! # Safety
//! The head lies in a block of this process's memory that lives as long as the [`Image`].

#![cfg(not(loom))]
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proptest::prelude::*;
use ust_shm::context::{Context, ContextList};
use ust_shm::descriptor::{Base, FieldDesc, FieldType, Integer, Scalar};
use ust_shm::filter::area::{Application, Area, Entry};
use ust_shm::filter::run::{ContextSource, ContextValue, Corrupt};
use ust_shm::filter::{Comparison, Op, ProgramBuilder, Reference};
use ust_shm::head::Head;
use ust_shm::layout::{FILTERS_BYTES, FILTERS_OFFSET, HEAD_BYTES, LossMode, OWN_CHANNEL_UID};
use ust_shm::limits::{OWN_SLOT, SPECIAL_BIT};
use ust_shm::region::Region;
use ust_shm::rules::{Channel, EventRule, RulesBuilder, RulesView};

const SPECIAL: u64 = 1 << SPECIAL_BIT;

/// A head, and one tracepoint with the field `n`.
struct Image {
    head: Head,
    enable: AtomicU64,
    filter: AtomicU64,
}

const LAYOUT: Layout = match Layout::from_size_align(HEAD_BYTES as usize, 4096) {
    Ok(layout) => layout,
    Err(_) => panic!("a small block"),
};

impl Image {
    fn new() -> Self {
        // SAFETY: the size is not zero.
        let Some(base) = NonNull::new(unsafe { alloc_zeroed(LAYOUT) }) else { handle_alloc_error(LAYOUT) };
        // SAFETY: allocated just now with this size and alignment; freed by `drop` only.
        let head = Head::new(unsafe { Region::new(base, HEAD_BYTES) }).expect("large enough");
        Self { head, enable: AtomicU64::new(0), filter: AtomicU64::new(0) }
    }

    fn apply(&self, rules: &[u8]) {
        self.apply_some(rules, u64::MAX, 1);
    }

    /// Applies rules as if there were so many tracepoints like ours before it.
    fn apply_some(&self, rules: &[u8], mask: u64, count: usize) {
        let rules = RulesView::parse(rules).expect("valid");
        let mut application = Application::begin(self.head, rules, mask, |_, _| true).expect("a head");
        for _ in 0..count {
            assert!(application.apply(("p", "e", 6), FIELDS, &self.enable, &self.filter));
        }
        application.end();
    }

    fn area(&self) -> Area<'_> {
        Area::of(&self.head).expect("a head")
    }

    fn entry(&self) -> Option<Entry> {
        Entry::load(&self.area(), &self.filter, |_, _| true)
    }

    /// The slots that want an event with this `n`.
    fn slots(&self, n: u32) -> Result<u64, Corrupt> {
        self.entry().ok_or(Corrupt)?.slots(&n.to_le_bytes(), &NoContexts)
    }

    fn special(&self) -> bool {
        self.enable.load(Ordering::Relaxed) & SPECIAL != 0
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: allocated by `new`.
        unsafe { dealloc(self.head.region().base().as_ptr(), LAYOUT) };
    }
}

struct NoContexts;

impl ContextSource for NoContexts {
    fn context(&self, _: Context) -> Option<ContextValue<'_>> {
        None
    }
}

const FIELDS: &[FieldDesc] = &[FieldDesc {
    name: "n",
    ty: FieldType::Scalar(Scalar::Integer(Integer { bits: 32, signed: false, base: Base::Decimal, network: false })),
    nowrite: false,
}];

/// `n == value`
fn equals(value: i64) -> Vec<u8> {
    let mut builder = ProgramBuilder::default();
    builder.reference(&Reference::Field("n"));
    builder.op(&Op::CompareInteger(Comparison::Equal, 0, value));
    builder.build(1).expect("small")
}

/// `n == 1 || n == 2 ...`, by the stack.
fn any_of(values: &[i64]) -> Vec<u8> {
    let mut builder = ProgramBuilder::default();
    builder.reference(&Reference::Field("n"));
    builder.op(&Op::Integer(0));
    for &value in values {
        let begin = builder.short_circuit(true);
        builder.op(&Op::Reference(0));
        builder.op(&Op::Integer(value));
        builder.op(&Op::Compare(Comparison::Equal));
        builder.end_of_right(begin);
    }
    builder.build(2).expect("small")
}

/// Channels with these slots, and rules with these filters for them.
fn rules(contexts_of: &[u32], rules: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let list = ContextList::new(&[Context::VTID]).expect("short");
    let channel = |slot: u32| Channel {
        slot,
        uid: u64::from(slot) + 1,
        mode: LossMode::Discard,
        subbuf_bytes: 4096,
        subbuf_count: 2,
        block_timeout_us: 0,
        contexts: if contexts_of.contains(&slot) { list } else { ContextList::NONE },
    };
    let mut slots: Vec<u32> = rules.iter().map(|(slot, _)| *slot).collect();
    slots.dedup();
    let rules =
        rules.iter().map(|(slot, filter)| EventRule { filter: filter.clone(), ..EventRule::pattern(*slot, "p:*") });
    let (channels, rules) = (slots.into_iter().map(channel).collect(), rules.collect());
    RulesBuilder { channels, rules, trackers: Vec::new() }.build(7).expect("valid")
}

#[test]
fn several_rules_for_one_channel_are_alternatives_and_one_without_a_filter_settles_it() {
    let image = Image::new();
    image.apply(&rules(&[], &[(0, equals(1)), (0, any_of(&[2, 3])), (1, equals(2)), (2, equals(9)), (2, Vec::new())]));
    assert_eq!(image.enable.load(Ordering::Relaxed), SPECIAL | 0b111);
    let found: Vec<_> = (0..5).map(|n| image.slots(n)).collect();
    assert_eq!(found, [Ok(0b100), Ok(0b101), Ok(0b111), Ok(0b101), Ok(0b100)]);
    assert!(image.entry().is_some_and(|entry| entry.has_programs() && entry.is_current(&image.area())));
    image.apply(&rules(&[], &[(0, equals(1)), (0, Vec::new())]));
    assert_eq!(image.enable.load(Ordering::Relaxed), 1, "nothing is special: the fast path has it");
}

#[test]
fn slots_that_a_process_is_not_recorded_in_are_left_out() {
    let image = Image::new();
    let both = rules(&[1], &[(0, equals(1)), (1, Vec::new())]);
    image.apply_some(&both, 0b01, 1);
    assert_eq!((image.slots(1), image.slots(2)), (Ok(0b01), Ok(0)));
    image.apply_some(&both, 0b10, 1);
    assert_eq!((image.special(), image.slots(1)), (true, Ok(0b10)), "a channel with contexts");
    assert!(image.entry().is_some_and(|entry| !entry.has_programs()));
    image.apply_some(&both, 0, 1);
    assert_eq!(image.enable.load(Ordering::Relaxed), 0);
}

#[test]
fn an_entry_stays_whole_through_one_application_and_is_known_to_be_gone_after_two() {
    let image = Image::new();
    image.apply(&rules(&[], &[(0, equals(1))]));
    let old = image.entry().expect("an entry");
    image.apply(&rules(&[], &[(0, equals(2))]));
    assert_eq!(old.slots(&1u32.to_le_bytes(), &NoContexts), Ok(1), "the other half was written to");
    assert!(old.is_current(&image.area()));
    image.apply(&rules(&[], &[(0, equals(3))]));
    assert!(!old.is_current(&image.area()));
}

#[test]
fn an_application_that_was_overtaken_twice_ends() {
    let image = Image::new();
    let bytes = rules(&[], &[(0, equals(1))]);
    let view = RulesView::parse(&bytes).expect("valid");
    let mut late = Application::begin(image.head, view, u64::MAX, |_, _| true).expect("a head");
    image.apply(&bytes);
    assert!(late.apply(("p", "e", 6), FIELDS, &image.enable, &image.filter), "its half is its own");
    image.apply(&bytes);
    assert!(!late.apply(("p", "e", 6), FIELDS, &image.enable, &image.filter));
}

#[test]
fn a_filter_for_which_there_is_no_room_or_memory_wants_nothing_and_can_be_told() {
    let image = Image::new();
    let large = rules(&[], &[(0, any_of(&[1; 300]))]);
    image.apply_some(&large, u64::MAX, 4);
    assert_eq!(image.slots(1), Ok(1));
    image.apply_some(&large, u64::MAX, 20);
    assert!(image.special() && image.entry().is_none(), "the half is full");
    let view = RulesView::parse(&large).expect("valid");
    let mut starved = Application::begin(image.head, view, u64::MAX, |_, _| false).expect("a head");
    assert!(starved.apply(("p", "e", 6), FIELDS, &image.enable, &image.filter));
    assert!(image.special() && image.entry().is_none(), "there is no memory");
}

#[test]
fn a_reader_never_takes_a_mixture_of_two_applications_for_an_answer() {
    let image = Image::new();
    // Of different lengths, so that what one writes lies across what the other wrote.
    let both =
        [rules(&[], &[(0, any_of(&[1, 3, 5, 7])), (1, equals(2))]), rules(&[], &[(0, equals(2)), (1, any_of(&[1]))])];
    image.apply(&both[0]);
    let done = AtomicBool::new(false);
    // A region may be used by several threads; the head is made of atomics.
    let (asked, answered) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut asked, mut answered) = (0u64, 0u64);
            while !done.load(Ordering::Relaxed) {
                asked += 1;
                let Some(entry) = image.entry() else { continue };
                let [odd, even] = [1u32, 2].map(|n| entry.slots(&n.to_le_bytes(), &NoContexts));
                if entry.is_current(&image.area()) {
                    answered += 1;
                    let answer = (odd, even);
                    assert!([(Ok(0b01), Ok(0b10)), (Ok(0b10), Ok(0b01))].contains(&answer), "{answer:?}");
                }
            }
            (asked, answered)
        });
        for round in 0..20_000 {
            image.apply(&both[round % 2]);
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("no mixture")
    });
    assert!(0 < answered && answered <= asked, "{answered} of {asked}");
}

proptest! {
    #[test]
    fn garbage_in_the_area_or_the_filter_word_gives_an_answer_or_none(
        words in prop::collection::vec((0..FILTERS_BYTES / 2 / 8, prop_oneof![any::<u64>(), 0u64..16]), 0..40),
        near in prop::collection::vec((0u64..32, prop_oneof![any::<u64>(), 0u64..16, (0u64..64).prop_map(|b| 1 << b)]), 1..12),
        filter in prop_oneof![any::<u64>(), (0u64..64).prop_map(|bit| 1 << bit)],
        n in any::<u32>(),
    ) {
        let image = Image::new();
        image.apply(&rules(&[2], &[(0, any_of(&[1, 2])), (1, equals(2)), (2, Vec::new())]));
        let half = FILTERS_OFFSET + FILTERS_BYTES / 2;
        for (idx, value) in words.iter().chain(&near) {
            let word = image.head.region().word(half + 8 * idx).expect("in the area");
            word.store(word.load(Ordering::Relaxed) ^ value, Ordering::Relaxed);
            let _ = image.slots(n);
        }
        image.filter.fetch_xor(filter, Ordering::Relaxed);
        if let Ok(slots) = image.slots(n) {
            prop_assert_eq!(slots & SPECIAL, 0);
        }
    }
}

#[test]
fn applications_keep_what_the_program_records_on_its_own_with_and_without_filters() {
    let image = Image::new();
    let own = 1 << OWN_SLOT;
    let of_program = Channel {
        slot: OWN_SLOT,
        uid: OWN_CHANNEL_UID,
        mode: LossMode::Overwrite,
        subbuf_bytes: 4096,
        subbuf_count: 4,
        block_timeout_us: 0,
        contexts: ContextList::NONE,
    };
    image.head.store_channel(&of_program);
    image.enable.store(own, Ordering::Relaxed);
    image.apply(&rules(&[], &[(0, Vec::new())]));
    assert_eq!(image.enable.load(Ordering::Relaxed), own | 1);
    image.apply_some(&rules(&[], &[(0, equals(1))]), 0b1, 1);
    assert_eq!(image.enable.load(Ordering::Relaxed), SPECIAL | own | 1);
    assert_eq!((image.slots(1), image.slots(2)), (Ok(own | 1), Ok(own)));
    image.apply(&rules(&[], &[(0, any_of(&[1, 2])), (1, equals(3))]));
    assert_eq!((image.slots(2), image.slots(4)), (Ok(own | 1), Ok(own)));
    image.apply(&rules(&[], &[]));
    assert_eq!(image.enable.load(Ordering::Relaxed), own);
    assert_eq!(image.head.load_channel(OWN_SLOT as usize), Some(of_program), "no rules clear its slot");
}

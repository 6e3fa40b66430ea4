// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rules that `ust record` cannot state: several filters for one channel, several channels. A program applies them itself when it starts; what
//! it recorded is counted in the rings of its image.
//!
//! # Safety
//! One system call, which reads a local.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use ust_consumerd::{Context, LossMode, RuntimeDir};
use ust_filter::Filter;
use ust_shm::context::ContextList;
use ust_shm::layout::{COUNTERS_OFFSET, RINGS_OFFSET};
use ust_shm::rules::{Channel, EventRule, RulesBuilder};

use crate::harness::{image_names, spawn_in};

/// Publishes rules as a recorder does; they hold as long as the file is open.
fn publish(dir: &Path, rules: &RulesBuilder) -> File {
    let mut file = File::create(dir.join("rules")).expect("our directory");
    // SAFETY: all zero is a lock of the whole file; a live local.
    let locked = unsafe {
        let mut lock: libc::flock = std::mem::zeroed();
        lock.l_type = libc::F_WRLCK as i16;
        libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock)
    };
    assert_eq!(locked, 0);
    file.write_all(&rules.build(1).expect("valid")).expect("memory");
    file
}

fn number<const N: usize>(file: &File, offset: u64) -> u64 {
    let mut bytes = [0; N];
    file.read_exact_at(&mut bytes, offset).expect("in the image");
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Events in the rings of a channel slot.
fn recorded(image: &File, slot: u64) -> u64 {
    let rings = (0..number::<4>(image, 72)).map(|idx| RINGS_OFFSET + 64 * idx);
    let of_slot = rings.filter(|entry| number::<2>(image, entry + 28) == slot);
    of_slot
        .map(|entry| {
            let (arena, count) = (number::<8>(image, entry + 8), number::<4>(image, entry + 40));
            (0..count).map(|idx| number::<8>(image, arena + COUNTERS_OFFSET + 8 * idx)).sum::<u64>()
        })
        .sum()
}

#[test]
fn each_channel_has_its_own_filters_of_which_one_is_enough_and_none_is_all() {
    let dir = RuntimeDir::create_private().expect("a runtime directory");
    let channel = |slot: u32| Channel {
        slot,
        uid: u64::from(slot) + 1,
        mode: LossMode::Discard,
        subbuf_bytes: 65_536,
        subbuf_count: 4,
        block_timeout_us: 0,
        contexts: if slot == 61 {
            ContextList::new(&[Context::VPID, Context::IP]).expect("short")
        } else {
            ContextList::NONE
        },
    };
    let rule = |slot, pattern, filter: &str| {
        let program = |text| Filter::parse(text).and_then(|filter| filter.compile()).expect("a filter");
        let filter = if filter.is_empty() { Vec::new() } else { program(filter) };
        EventRule { filter, ..EventRule::pattern(slot, pattern) }
    };
    // The program emits 20 events each of kinds:every, other:plain and class:one.
    let builder = RulesBuilder {
        channels: [0, 1, 2, 3, 61].map(channel).to_vec(),
        rules: vec![
            rule(0, "kinds:*", "n == 3"),
            rule(0, "kinds:*", r#"text == "two" && hidden > 30"#),
            rule(0, "kinds:*", "absent == 1"),
            rule(1, "kinds:*", "n == 3"),
            rule(1, "kinds:every", ""),
            rule(2, "*", "n < 4"),
            rule(2, "other:*", "n < 10"),
            rule(3, "other:*", ""),
            rule(61, "*", "n >= 15 || odd"),
        ],
        trackers: Vec::new(),
    };
    let _rules = publish(dir.path(), &builder);
    let child = spawn_in(dir.path(), Command::new(env!("CARGO_BIN_EXE_filtered")).arg("every"));
    let output = child.wait_with_output().expect("our child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let [image] = image_names(dir.path()).try_into().expect("one image");
    let image = File::open(dir.path().join("apps").join(image)).expect("ours");
    // n = 3; and 8, 13, 18, whose text is "two" if `hidden` (7 n) is above 30.
    assert_eq!(recorded(&image, 0), 4);
    assert_eq!(recorded(&image, 1), 20);
    // 4 of each, and 6 more of other:plain.
    assert_eq!(recorded(&image, 2), 4 + 10 + 4);
    assert_eq!(recorded(&image, 3), 20);
    // 5 of each; of class:one the odd ones below 15, too.
    assert_eq!(recorded(&image, 61), 5 + 5 + 5 + 7);
    assert_eq!((0..16).map(|cause| number::<8>(&image, 256 + 8 * cause)).sum::<u64>(), 0, "nothing is lost");
}

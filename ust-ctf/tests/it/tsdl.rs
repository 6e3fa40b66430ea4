// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classes that CTF 1.8 metadata describes.

use std::path::Path;

use ust_ctf::class::TraceClass;
use ust_ctf::metadata::render;
use ust_ctf::model::StreamClass;
use ust_ctf::reader::metadata::read_metadata;

use crate::{sample, short};

const LTTNG_UST: &str = include_str!("fixtures/lttng-ust.tsdl");

fn read(text: &str) -> TraceClass {
    read_metadata(Path::new("metadata"), text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_metadata_of_lttng_ust_becomes_these_classes() {
    insta::assert_snapshot!(short::trace(&read(LTTNG_UST)));
}

#[test]
fn our_own_metadata_becomes_these_classes() {
    let events = vec![sample::hello(), sample::every_kind(), sample::bare()];
    let class =
        sample::trace_class(vec![StreamClass { id: 0, events }, StreamClass { id: 7, events: vec![sample::bare()] }]);
    insta::assert_snapshot!(short::trace(&read(&render(&class))));
}

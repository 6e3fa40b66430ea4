// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of the metadata, as a whole.

use ust_ctf::metadata::render;
use ust_ctf::model::StreamClass;

use crate::sample;

#[test]
fn the_metadata_of_every_kind_of_field_is_this_text() {
    let events = vec![sample::hello(), sample::every_kind(), sample::bare()];
    let class = sample::trace_class(vec![
        StreamClass { id: 0, context: vec![], events },
        StreamClass { id: 7, context: vec![], events: vec![sample::bare()] },
    ]);
    insta::assert_snapshot!(render(&class));
}

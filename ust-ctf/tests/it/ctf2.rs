// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classes that CTF 2 metadata describes. In the text here, `␞` stands for the record separator.

use std::path::Path;

use ust_ctf::class::TraceClass;
use ust_ctf::reader::MetadataError;
use ust_ctf::reader::metadata::read_metadata;

use crate::short;

const EVERY_CLASS: &str = include_str!("fixtures/every-class.ctf2");

fn try_read(text: &str) -> Result<TraceClass, MetadataError> {
    read_metadata(Path::new("metadata"), text.replace('␞', "\u{1e}").as_bytes())
}

fn read(text: &str) -> TraceClass {
    try_read(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_fragment_and_field_class_is_read() {
    let trace = read(EVERY_CLASS);
    assert_eq!(trace.uuid.map(|uuid| uuid[0]), Some(229));
    assert_eq!(trace.identity.uid.as_deref(), Some("42"));
    assert_eq!(trace.clocks[0].identity.name.as_deref(), Some("hot"));
    assert_eq!(trace.streams[1].identity.name.as_deref(), Some("s"));
    insta::assert_snapshot!(short::trace(&trace));
}

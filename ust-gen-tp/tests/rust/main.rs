// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust of all definition files, compiled, recorded, and read back.
//!
//! The golden files are what the generator makes (the other tests see to that), so they are compiled here. Recording concerns the
//! whole process, and the directory in which it registers is in the environment: so it is a process of its own, this program again.
#![deny(warnings)]

mod recorded;

/// The golden files, each in a module: some have the same provider.
macro_rules! golden {
    ($($name:ident)*) => {$(
        #[allow(dead_code, reason = "not all of them are called")]
        mod $name {
            include!(concat!("../fixtures/pass/", stringify!($name), ".rs"));
        }
    )*};
}

golden! {
    all_fields all_fields_long blobs both_spellings classes comments conditionals conversions cplusplus enumerations
    expressions generated header_macros hello layout line_ends log_levels no_events not_in_lttng not_in_rust odd_names own_macros program reserved_words
    self_including
}

#[test]
fn no_golden_file_is_forgotten() {
    let text = include_str!("main.rs");
    for entry in std::fs::read_dir("tests/fixtures/pass").expect("the fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let is_golden = path.extension().is_some_and(|suffix| suffix == "rs");
        assert!(!is_golden || text.split_whitespace().any(|word| word == name), "{name}");
    }
}

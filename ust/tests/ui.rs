// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the macros say about wrong input: each `.stderr` is the message a user reads.
//!
//! The texts of the compiler itself change from release to release, so the snapshots hold for one
//! toolchain. Renew them with `TRYBUILD=overwrite cargo test -p ust --test ui`, and read the difference.

#[test]
fn wrong_input_is_an_error_that_says_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells the tests which target they are built for.

fn main() {
    let target = std::env::var("TARGET").expect("cargo sets it");
    println!("cargo::rustc-env=UST_TESTS_TARGET={target}");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells the build scripts of dependent crates where the headers are.

fn main() {
    let dir = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::metadata=include={dir}/include");
}

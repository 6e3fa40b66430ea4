// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells the tests which target they are built for, and generates the tracepoints of the program `in_c`.

use ust_gen_tp::{BuildError, Builder};

/// Where the definition files are.
const DEFINITIONS: &str = "../ust-gen-tp/tests/fixtures/pass";

fn main() -> Result<(), BuildError> {
    let target = std::env::var("TARGET").expect("cargo sets it");
    println!("cargo::rustc-env=UST_TESTS_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
    let builder = Builder::new().include(DEFINITIONS);
    for name in ["program", "blobs", "own_macros", "not_in_lttng"] {
        builder.clone().generate(format!("{DEFINITIONS}/{name}.tp"))?;
    }
    builder.cpp().generate("fixtures/definitions/in_cpp.tp")
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command `ust-gen-tp`: see its `--help`.
#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(ust_gen_tp::run(std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned())))
}

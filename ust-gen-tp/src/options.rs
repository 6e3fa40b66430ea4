// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a reading of definition files depends on besides them.

use std::path::PathBuf;

/// What a reading depends on besides the file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where included files are looked for, as with `-I` of a compiler.
    pub include_dirs: Vec<PathBuf>,
    /// Macros, as with `-D` of a compiler: `NAME` or `NAME=VALUE`.
    pub defines: Vec<String>,
    /// More than ten arguments are allowed, which LTTng's headers cannot compile.
    pub many_args: bool,
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tools that a test needs and that may be missing.

use std::path::Path;
use std::process::Command;

/// Says why a test cannot do its work here. It passes then, unless `UST_REQUIRE_TOOLS` is set.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("UST_REQUIRE_TOOLS").is_none(), "{reason}, and UST_REQUIRE_TOOLS is set");
    eprintln!("SKIPPED: {reason}");
}

/// Whether a tool can be run; says so if not.
pub fn is_installed(tool: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file()));
    if !found {
        skip(&format!("{tool} is not installed"));
    }
    found
}

/// What a command prints that must succeed.
#[track_caller]
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).expect("text")
}

/// What babeltrace2 prints of a trace.
#[track_caller]
pub fn babeltrace2(flags: &[&str], trace: &Path) -> String {
    output(Command::new("babeltrace2").env("BABELTRACE_TERM_COLOR", "never").args(flags).arg(trace))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the reference reader, where it is installed.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

/// What a run of babeltrace2 printed.
pub struct Printed {
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// Says why a test cannot do its work here. It passes then, unless `UST_REQUIRE_TOOLS` is set.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("UST_REQUIRE_TOOLS").is_none(), "{reason}, and UST_REQUIRE_TOOLS is set");
    eprintln!("SKIPPED: {reason}");
}

/// Returns what babeltrace2 prints about `folder`, or nothing if it is not installed.
pub fn babeltrace2(options: &[&str], folder: &Path) -> Option<Printed> {
    let output = babeltrace2_output(options, folder)?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "babeltrace2 failed: {stderr}");
    Some(Printed { stdout: output.stdout, stderr })
}

/// Returns how babeltrace2 ends with `folder`, or nothing if it is not installed.
pub fn babeltrace2_output(options: &[&str], folder: &Path) -> Option<Output> {
    let arguments = options.iter().map(OsStr::new).chain([folder.as_os_str()]);
    // Without a terminal it has no colours, whatever its option says.
    let colors = if options.contains(&"--color=always") { "always" } else { "never" };
    match Command::new("babeltrace2").env("BABELTRACE_TERM_COLOR", colors).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skip("babeltrace2 is not installed");
            None
        }
        Err(error) => panic!("cannot run babeltrace2: {error}"),
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The folders of definition files, and golden files beside them.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the definition files of a folder of `tests/fixtures`, relative to the crate, in order.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/fixtures").join(folder);
    let is_definition = |path: &PathBuf| path.extension().is_some_and(|suffix| suffix == "tp" || suffix == "h");
    let entries = fs::read_dir(&folder).expect("the folder of fixtures");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).filter(is_definition).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Compares `text` with the golden file beside `path` that has the given suffix. No text is no file.
pub fn compare(path: &Path, suffix: &str, text: &str) {
    let golden = path.with_extension(suffix);
    if std::env::var_os("UST_BLESS").is_some() {
        if text.is_empty() {
            let _ = fs::remove_file(&golden);
        } else {
            fs::write(&golden, text).expect("the golden file can be written");
        }
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(text == expected, "{}: expected\n{expected}\nfound\n{text}", golden.display());
}

/// Says why a test cannot do its work here. It passes then, unless `UST_REQUIRE_TOOLS` is set.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("UST_REQUIRE_TOOLS").is_none(), "{reason}, and UST_REQUIRE_TOOLS is set");
    eprintln!("SKIPPED: {reason}");
}

/// Tells whether a program can be run; says so if not.
pub fn is_installed(tool: &str) -> bool {
    let runs = std::process::Command::new(tool).arg("--version").output().is_ok();
    if !runs {
        skip(&format!("{tool} is not installed"));
    }
    runs
}

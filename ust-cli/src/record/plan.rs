// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the command line to what the engine shall do.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use ust_consumerd::{ChannelOptions, EngineOptions};

use super::Arguments;
use crate::channel::rounded;
use crate::problem::Problem;

/// Longest `provider:name`.
const NAME_BYTES_MAX: usize = 255;

/// Names tried beside the first when recordings begin within the same second.
const NAMES_PER_SECOND: u32 = 100;

/// The engine's options, checked; says on standard error what was rounded.
pub fn options(arguments: &Arguments, name: &str) -> Result<EngineOptions, Problem> {
    for pattern in &arguments.patterns {
        check_pattern(pattern)?;
    }
    let subbuf_bytes = rounded("--subbuf-size", arguments.subbuf_size, 4 << 10, 64 << 20)?;
    let subbuf_count = rounded("--subbuf-count", arguments.subbuf_count, 2, 64)?;
    let output = match &arguments.output {
        Some(dir) => dir.clone(),
        None => default_output(name)?,
    };
    let mut options = EngineOptions::new(output);
    options.trace_name = name.to_owned();
    options.channel = ChannelOptions {
        mode: arguments.mode.into(),
        subbuf_bytes: subbuf_bytes as u32,
        subbuf_count: subbuf_count as u32,
        block_timeout_us: u64::MAX,
    };
    options.filter.clone_from(&arguments.filter);
    options.contexts.clone_from(&arguments.contexts);
    if !arguments.patterns.is_empty() {
        options.patterns.clone_from(&arguments.patterns);
    }
    Ok(options)
}

/// Removes a trace that was begun for a program that could not be started.
pub fn take_back(output: &Path, made_output: bool) {
    let _ = fs::remove_file(output.join("metadata"));
    if made_output {
        let _ = fs::remove_dir(output);
    }
}

fn check_pattern(pattern: &str) -> Result<(), Problem> {
    if pattern.is_empty() {
        return Err(Problem::new("event pattern `` is empty", "-e 'PROVIDER:*', or no -e at all for every event"));
    }
    if !pattern.contains([':', '*']) {
        let what = format!("event pattern `{pattern}` matches nothing: events are called provider:name");
        return Err(Problem::new(what, format!("-e '{pattern}:*' or -e '*:{pattern}'")));
    }
    if pattern.len() > NAME_BYTES_MAX {
        let what = format!("event pattern has {} bytes, the longest event name has {NAME_BYTES_MAX}", pattern.len());
        return Err(Problem::new(what, "a shorter pattern with `*`"));
    }
    Ok(())
}

/// The program's file name.
pub fn name_of(command: &OsStr) -> String {
    let name = Path::new(command).file_name().unwrap_or(command).to_string_lossy().into_owned();
    if name.is_empty() { "trace".to_owned() } else { name }
}

/// A name that is not taken: `./NAME-YYYYmmdd-HHMMSS`, with a number behind it if need be.
fn default_output(name: &str) -> Result<PathBuf, Problem> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let first = PathBuf::from(format!("./{name}-{stamp}"));
    let more = (2..NAMES_PER_SECOND).map(|n| PathBuf::from(format!("./{name}-{stamp}-{n}")));
    // A dangling link is taken too.
    std::iter::once(first.clone())
        .chain(more)
        .find(|path| fs::symlink_metadata(path).is_err())
        .ok_or_else(|| Problem::new(format!("directory `{}` exists", first.display()), "another directory with -o"))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust completions` and `ust man`, made from the description of the command line.

use std::path::PathBuf;

use clap::CommandFactory as _;
use serde_json::json;

use crate::output::{self, Json};
use crate::problem::Problem;

/// Prints the completions for a shell, to be sourced or put where it looks for them.
#[derive(clap::Args)]
pub struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
    #[command(flatten)]
    json: Json,
}

/// Writes the manual pages into a directory.
#[derive(clap::Args)]
pub struct Man {
    /// The directory, which is made if need be.
    dir: PathBuf,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust completions`.
pub fn completions(arguments: &Completions) -> anyhow::Result<u8> {
    let mut out = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::Arguments::command(), "ust", &mut out);
    if arguments.json.json {
        let told = json!({ "shell": arguments.shell.to_string(), "text": String::from_utf8_lossy(&out) });
        return arguments.json.print(&told, || {});
    }
    output::print(&out)?;
    Ok(0)
}

/// Runs `ust man`.
pub fn man(arguments: &Man) -> anyhow::Result<u8> {
    let dir = arguments.dir.display();
    let cannot = |error| Problem::new(format!("cannot write manual pages in `{dir}`: {error}"), "another directory");
    std::fs::create_dir_all(&arguments.dir)
        .and_then(|()| clap_mangen::generate_to(crate::Arguments::command(), &arguments.dir))
        .map_err(cannot)?;
    let entries = std::fs::read_dir(&arguments.dir).map_err(cannot)?.flatten().map(|entry| entry.file_name());
    let mut pages: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    pages.retain(|name| name.starts_with("ust") && name.ends_with(".1"));
    pages.sort();
    arguments.json.print(&json!({ "directory": arguments.dir, "pages": pages }), || {})
}

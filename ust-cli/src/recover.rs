// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust recover`: what crashed programs left behind.

use std::path::PathBuf;

use serde_json::json;
use ust_consumerd::{RuntimeDir, StartError};

use crate::output::Json;
use crate::problem::Problem;
use crate::record::report;

/// Turns the images that crashed programs left behind into a trace.
///
/// Where a daemon runs, it takes them itself. The images stay, unless --remove is given.
#[derive(clap::Args)]
pub struct Arguments {
    /// The runtime directory. Default: that of this environment.
    runtime_dir: Option<PathBuf>,
    /// Directory for the trace, new or empty. Default: ./recovered-YYYYmmdd-HHMMSS.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Remove the images that were read.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust recover`.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let path = arguments.runtime_dir.clone().unwrap_or_else(RuntimeDir::path_of_environment);
    if !path.join("apps").is_dir() {
        let what = format!("`{}` is no runtime directory: it has no folder `apps`", path.display());
        return Err(Problem::new(what, "ust doctor, or look for /dev/shm/ust-*").into());
    }
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    let output = arguments.output.clone().unwrap_or_else(|| PathBuf::from(format!("./recovered-{stamp}")));
    let dir = RuntimeDir::open(&path).map_err(|error| problem(&error))?;
    let summary = ust_consumerd::recover(dir, &output, arguments.remove).map_err(|error| problem(&error))?;
    let told = json!({
        "trace": summary.output,
        "processes": summary.processes.len(),
        "packets": summary.packets,
        "bytes": summary.bytes,
        "warnings": summary.warnings,
    });
    arguments.json.print(&told, || report::print(&summary))?;
    Ok(if summary.packets == 0 { crate::record::NOTHING_RECORDED } else { 0 })
}

fn problem(error: &StartError) -> Problem {
    let hint = match error {
        StartError::Busy(_) => {
            "ust list, to see what the daemon there has; for what it has not, ust daemon --stop first".to_owned()
        }
        other => other.hint(),
    };
    Problem::new(error.to_string(), hint)
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust recover`: what crashed programs left behind.

use std::path::PathBuf;

use serde_json::json;
use ust_consumerd::{RecoverOptions, RuntimeDir, StartError};

use crate::output::Json;
use crate::problem::Problem;
use crate::record::report;

/// Turns what crashed programs left behind, and programs with UST_TRACE, into a trace.
///
/// Where a daemon runs, it takes what belongs to its sessions itself, and the rest is read. The images stay, unless --remove is given.
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
    /// Copy, too, what programs hold that run with UST_TRACE. They go on.
    #[arg(long)]
    running: bool,
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
    let options = RecoverOptions { remove: arguments.remove, running: arguments.running };
    let recovered = ust_consumerd::recover(&path, &output, options).map_err(|error| problem(&error))?;
    let summary = recovered.summary;
    let told = json!({
        "trace": summary.output,
        "processes": summary.processes.len(),
        "packets": summary.packets,
        "bytes": summary.bytes,
        "warnings": summary.warnings,
        "running": recovered.running,
    });
    arguments.json.print(&told, || {
        report::print(&summary);
        for program in &recovered.running {
            eprintln!("note       {program} runs with a flight recorder of its own: ust recover --running copies it");
        }
    })?;
    Ok(if summary.packets == 0 { crate::record::NOTHING_RECORDED } else { 0 })
}

fn problem(error: &StartError) -> Problem {
    let hint = match error {
        StartError::Busy(_) => "end the other recorder first: it takes what programs leave there itself".to_owned(),
        other => other.hint(),
    };
    Problem::new(error.to_string(), hint)
}

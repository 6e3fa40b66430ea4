// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust snapshot`: what flight recorders hold.

use std::path::PathBuf;

use ust_consumerd::SnapshotOutput;
use ust_consumerd::control::protocol::{Request, SessionReport, SnapshotReport};

use crate::connect;
use crate::output::Json;
use crate::size::{bytes_text, number_text, parse_bytes, rounded_bytes_text};

/// Writes what the overwrite channels of a session hold, while they record on.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Writes a snapshot to each output of the session.
    Record {
        /// Begin of the snapshot's name. Default: that of the output.
        #[arg(short, long)]
        name: Option<String>,
        /// Bytes of the snapshot at most: the newest events.
        #[arg(short, long, value_name = "SIZE", value_parser = parse_bytes)]
        max_size: Option<u64>,
        /// Only to this directory.
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
    /// Adds a directory to which snapshots go.
    AddOutput {
        /// The directory.
        dir: PathBuf,
        /// Its name, and the begin of the names of its snapshots. Default: snapshot-NUMBER.
        #[arg(short, long, default_value = "", hide_default_value = true)]
        name: String,
        /// Bytes of a snapshot at most.
        #[arg(short, long, value_name = "SIZE", value_parser = parse_bytes)]
        max_size: Option<u64>,
        #[command(flatten)]
        which: Which,
    },
    /// Lists the outputs.
    ListOutput {
        #[command(flatten)]
        which: Which,
    },
    /// Takes an output away; its snapshots stay.
    DelOutput {
        /// Its name or number.
        name: String,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(clap::Args)]
struct Which {
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust snapshot`.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    match &arguments.action {
        Action::Record { name, max_size, output, which } => {
            let output = output.as_deref().map(connect::absolute).transpose()?;
            let (session, name) = (which.session.clone(), name.clone());
            let request = Request::Snapshot { session, name, output, max_bytes: *max_size };
            let reports: Vec<SnapshotReport> = connect::ask(&request)?;
            which.json.print(&reports, || reports.iter().for_each(print_snapshot))
        }
        Action::AddOutput { dir, name, max_size, which } => {
            let (name, path) = (name.clone(), connect::absolute(dir)?);
            let output = SnapshotOutput { id: 0, name, path, max_bytes: *max_size };
            outputs(&Request::AddOutput { session: which.session.clone(), output }, which.json)
        }
        Action::ListOutput { which } => outputs(&Request::Session { session: which.session.clone() }, which.json),
        Action::DelOutput { name, which } => {
            outputs(&Request::DelOutput { session: which.session.clone(), name: name.clone() }, which.json)
        }
    }
}

fn print_snapshot(report: &SnapshotReport) {
    println!("snapshot recorded in {}", report.path.display());
    println!("{} in {} packets", rounded_bytes_text(report.bytes), number_text(report.packets));
    if report.packets == 0 {
        println!("it is empty; ust doctor says why");
    }
}

fn outputs(request: &Request, json: Json) -> anyhow::Result<u8> {
    let report: SessionReport = connect::ask(request)?;
    json.print(&report.config.snapshot_outputs, || {
        for output in &report.config.snapshot_outputs {
            let most = output.max_bytes.map_or_else(String::new, |bytes| format!(" (max-size {})", bytes_text(bytes)));
            println!("[{}] {}: {}{most}", output.id, output.name, output.path.display());
        }
    })
}

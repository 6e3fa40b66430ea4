// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust save` and `load`: sessions as files that people edit.

use std::fs;
use std::path::PathBuf;

use ust_consumerd::SessionConfig;
use ust_consumerd::control::protocol::{Request, SessionReport};

use crate::connect::{self, Daemon};
use crate::output::Json;
use crate::problem::Problem;

/// Writes what a session is like to a file, as TOML.
#[derive(clap::Args)]
pub struct Save {
    /// The session. Default: the current one.
    session: Option<String>,
    /// The file. Default: ./SESSION.toml; `-` is standard output (with --json, JSON instead of TOML).
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    json: Json,
}

/// Creates a session from a file that `ust save` wrote. It is not started.
#[derive(clap::Args)]
pub struct Load {
    /// The file.
    file: PathBuf,
    /// Another name for the session.
    #[arg(long, value_name = "NAME")]
    override_name: Option<String>,
    /// Another directory for the traces.
    #[arg(long, value_name = "DIR")]
    override_output: Option<PathBuf>,
    /// Destroy a session of that name first.
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust save`.
pub fn save(arguments: &Save) -> anyhow::Result<u8> {
    let report: SessionReport = connect::ask(&Request::Session { session: arguments.session.clone() })?;
    let text = toml::to_string_pretty(&report.config)?;
    let path = arguments.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", report.config.name)));
    if path.as_os_str() == "-" {
        return arguments.json.print(&report.config, || print!("{text}"));
    }
    let shown = path.display().to_string();
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!arguments.force);
    let written = options.open(&path).and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written
        .map_err(|error| Problem::new(format!("cannot write `{shown}`: {error}"), "-f to replace it, or -o FILE"))?;
    arguments.json.print(&report.config, || println!("session {} saved to {shown}", report.config.name))
}

/// Runs `ust load`.
pub fn load(arguments: &Load) -> anyhow::Result<u8> {
    let shown = arguments.file.display();
    let text = fs::read_to_string(&arguments.file)
        .map_err(|error| Problem::new(format!("cannot read `{shown}`: {error}"), "a file that ust save wrote"))?;
    let mut config: SessionConfig = toml::from_str(&text).map_err(|error| {
        Problem::new(format!("`{shown}` describes no session: {error}"), "a file that ust save wrote")
    })?;
    if let Some(name) = &arguments.override_name {
        config.name.clone_from(name);
    }
    if let Some(output) = &arguments.override_output {
        let output = connect::absolute(output)?;
        let moved = config.snapshot_outputs.iter_mut().filter(|there| there.path == config.output);
        moved.for_each(|there| there.path.clone_from(&output));
        config.output = output;
    }
    let mut daemon = Daemon::reach()?;
    let sessions: Vec<SessionReport> = daemon.ask(&Request::Sessions {})?;
    if arguments.force && sessions.iter().any(|report| report.config.name == config.name) {
        daemon.ask::<SessionReport>(&Request::Destroy { session: Some(config.name.clone()) })?;
    }
    let report: SessionReport = daemon.ask(&Request::Create { config: Box::new(config), ephemeral: false })?;
    arguments.json.print(&report, || println!("session {} loaded; ust start starts it", report.config.name))
}

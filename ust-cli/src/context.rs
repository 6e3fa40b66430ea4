// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust add-context`.

use ust_consumerd::control::protocol::{Request, SessionReport};
use ust_consumerd::{Context, check_context_name};

use crate::connect::Daemon;
use crate::output::Json;

/// Adds contexts to the events of a channel, before its session starts for the first time.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  ust add-context -t vtid -t procname -t perf:thread:page-faults")]
pub struct Arguments {
    /// Contexts: ids, names, namespaces, the place in the program, counters of the kernel, and the processor's own
    /// (perf:thread:raw:rN:NAME).
    #[arg(short = 't', long = "type", value_name = "CONTEXT", required_unless_present = "list", value_parser = parse)]
    contexts: Vec<String>,
    /// Print what contexts there are.
    #[arg(long, conflicts_with = "contexts")]
    list: bool,
    /// The channel. Default: all of the session.
    #[arg(short, long)]
    channel: Option<String>,
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// The name of a context.
pub fn parse(name: &str) -> Result<String, String> {
    check_context_name(name).map(|()| name.to_owned())
}

/// Runs `ust add-context`.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    if arguments.list {
        let all: Vec<_> = Context::all().map(Context::name).chain(["perf:thread:raw:rN:NAME"]).collect();
        return arguments.json.print(&all, || all.iter().for_each(|name| println!("{name}")));
    }
    let contexts = &arguments.contexts;
    let (session, channel) = (arguments.session.clone(), arguments.channel.clone());
    let request = Request::AddContext { session, channel: channel.clone(), contexts: contexts.clone() };
    let report: SessionReport = Daemon::reach()?.ask(&request)?;
    arguments.json.print(&report, || {
        let channel = channel.map_or_else(|| "all channels".to_owned(), |name| format!("channel {name}"));
        contexts
            .iter()
            .for_each(|name| println!("context {name} added to {channel} of session {}", report.config.name));
    })
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust track` and `untrack`: which processes a session records.

use std::collections::BTreeSet;

use ust_consumerd::control::protocol::{Request, SessionReport, Tracked};

use crate::connect::Daemon;
use crate::output::{Json, print_session};
use crate::problem::Problem;

/// Adds processes to those that a session records, or takes them out.
///
/// At first everybody is recorded. The first id that is tracked leaves out all others; an option without ids means all.
#[derive(clap::Args)]
pub struct Arguments {
    /// Process ids, with commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 0..)]
    vpid: Option<Vec<i64>>,
    /// User ids, with commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 0..)]
    vuid: Option<Vec<i64>>,
    /// Group ids, with commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 0..)]
    vgid: Option<Vec<i64>>,
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust track`, or `ust untrack` if `adds` is false.
pub fn run(arguments: &Arguments, adds: bool) -> anyhow::Result<u8> {
    let given = [(Tracked::Vpid, &arguments.vpid), (Tracked::Vuid, &arguments.vuid), (Tracked::Vgid, &arguments.vgid)];
    if given.iter().all(|(_, ids)| ids.is_none()) {
        let verb = if adds { "track" } else { "untrack" };
        return Err(Problem::new("nobody is named", format!("ust {verb} --vpid ID, --vuid ID or --vgid ID")).into());
    }
    let mut daemon = Daemon::reach()?;
    let mut report = None;
    for (what, ids) in given {
        let Some(ids) = ids else { continue };
        let ids = (!ids.is_empty()).then(|| ids.iter().copied().collect::<BTreeSet<_>>());
        let session = arguments.session.clone();
        let request =
            if adds { Request::Track { session, what, ids } } else { Request::Untrack { session, what, ids } };
        report = Some(daemon.ask::<SessionReport>(&request)?);
    }
    arguments.json.print(&report, || report.iter().for_each(print_session))
}

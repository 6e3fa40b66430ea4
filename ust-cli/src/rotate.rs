// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust rotate`, `enable-rotation`, `disable-rotation`: chunks that are complete traces.

use std::time::Duration;

use ust_consumerd::RotationSchedule;
use ust_consumerd::control::protocol::{Request, SessionReport};

use crate::connect::{self, Daemon};
use crate::output::{Json, print_session};
use crate::size::{parse_bytes, parse_duration};

/// Ends the current chunk of a session: it becomes a complete trace in the folder `archives` of its output.
#[derive(clap::Args)]
pub struct Rotate {
    /// The session. Default: the current one.
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Rotates a session by itself from now on.
#[derive(clap::Args)]
#[group(id = "when", required = true, multiple = true, args = ["timer", "size"])]
pub struct Enable {
    /// Every so often, for example 10m.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timer: Option<Duration>,
    /// When the chunk has so many bytes.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    size: Option<u64>,
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Rotates a session no longer by itself.
#[derive(clap::Args)]
pub struct Disable {
    /// Only the timer.
    #[arg(long)]
    timer: bool,
    /// Only the size.
    #[arg(long)]
    size: bool,
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust rotate`.
pub fn rotate(arguments: &Rotate) -> anyhow::Result<u8> {
    let report: SessionReport = connect::ask(&Request::Rotate { session: arguments.session.clone() })?;
    arguments.json.print(&report, || {
        println!("session {} rotated", report.config.name);
        report.last_chunk.iter().for_each(|chunk| println!("chunk   {}", chunk.display()));
    })
}

fn change(session: Option<&String>, json: Json, change: impl FnOnce(&mut RotationSchedule)) -> anyhow::Result<u8> {
    let mut daemon = Daemon::reach()?;
    let before: SessionReport = daemon.ask(&Request::Session { session: session.cloned() })?;
    let mut schedule = before.config.rotation;
    change(&mut schedule);
    let report: SessionReport = daemon.ask(&Request::SetRotation { session: session.cloned(), schedule })?;
    json.print(&report, || print_session(&report))
}

/// Runs `ust enable-rotation`.
pub fn enable(arguments: &Enable) -> anyhow::Result<u8> {
    change(arguments.session.as_ref(), arguments.json, |schedule| {
        let ms = arguments.timer.map(|timer| (timer.as_millis() as u64).max(1));
        schedule.timer_ms = ms.or(schedule.timer_ms);
        schedule.size_bytes = arguments.size.or(schedule.size_bytes);
    })
}

/// Runs `ust disable-rotation`.
pub fn disable(arguments: &Disable) -> anyhow::Result<u8> {
    let both = !arguments.timer && !arguments.size;
    change(arguments.session.as_ref(), arguments.json, |schedule| {
        if arguments.timer || both {
            schedule.timer_ms = None;
        }
        if arguments.size || both {
            schedule.size_bytes = None;
        }
    })
}

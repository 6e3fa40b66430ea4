// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust enable-channel` and `disable-channel`.

use std::time::Duration;

use ust_consumerd::control::protocol::{Request, SessionReport};
use ust_consumerd::{ChannelConfig, Mode};

use crate::connect::Daemon;
use crate::output::Json;
use crate::problem::Problem;
use crate::size::{bytes_text, parse_bytes, parse_duration};

/// Makes a channel, or enables it again. Its settings cannot be changed later.
#[derive(clap::Args)]
pub struct Enable {
    /// The channel's name; several with commas.
    #[arg(value_name = "CHANNEL", value_delimiter = ',', required = true)]
    names: Vec<String>,
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    /// New events are counted and not recorded when a ring is full (default).
    #[arg(long, conflicts_with_all = ["overwrite", "blocking_timeout"])]
    discard: bool,
    /// The oldest events go when a ring is full: a flight recorder. Default in a session made with --snapshot.
    #[arg(long, conflicts_with = "blocking_timeout")]
    overwrite: bool,
    /// The program waits so long for room when a ring is full, if UST_ALLOW_BLOCKING is in its environment; `inf` is no limit.
    #[arg(long, value_name = "TIME|inf", value_parser = parse_timeout)]
    blocking_timeout: Option<Timeout>,
    /// Size of a sub-buffer, a power of two from 4K to 64M.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, default_value = "256K")]
    subbuf_size: u64,
    /// Sub-buffers of each thread, a power of two from 2 to 64.
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    num_subbuf: u64,
    /// How long events may wait in half-filled sub-buffers until they are in the trace.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "100ms")]
    tick: Duration,
    /// Bytes of a stream file before the next one is begun.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    tracefile_size: Option<u64>,
    /// Stream files of each stream; the oldest goes.
    #[arg(long, value_name = "COUNT", requires = "tracefile_size")]
    tracefile_count: Option<u32>,
    #[command(flatten)]
    json: Json,
}

/// How long a program may wait.
#[derive(Clone, Copy, Debug)]
struct Timeout(Option<Duration>);

fn parse_timeout(text: &str) -> Result<Timeout, String> {
    if text == "inf" { Ok(Timeout(None)) } else { parse_duration(text).map(|time| Timeout(Some(time))) }
}

/// Disables a channel: its events are no longer recorded.
#[derive(clap::Args)]
pub struct Disable {
    /// The channel's name; several with commas.
    #[arg(value_name = "CHANNEL", value_delimiter = ',', required = true)]
    names: Vec<String>,
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Runs `ust enable-channel`.
pub fn enable(arguments: &Enable) -> anyhow::Result<u8> {
    let mut daemon = Daemon::reach()?;
    let session = &arguments.session;
    let before: SessionReport = daemon.ask(&Request::Session { session: session.clone() })?;
    let mode = match arguments.blocking_timeout {
        Some(_) => Mode::Block,
        None if arguments.overwrite || before.config.snapshot && !arguments.discard => Mode::Overwrite,
        None => Mode::Discard,
    };
    let timeout = arguments.blocking_timeout.and_then(|timeout| timeout.0);
    let mut report = before;
    for name in &arguments.names {
        let channel = ChannelConfig {
            mode,
            block_timeout_us: timeout.map(|time| time.as_micros() as u64),
            subbuf_bytes: rounded("--subbuf-size", arguments.subbuf_size, 4 << 10, 64 << 20)? as u32,
            subbuf_count: rounded("--num-subbuf", arguments.num_subbuf, 2, 64)? as u32,
            tick_ms: arguments.tick.as_millis() as u64,
            tracefile_bytes: arguments.tracefile_size,
            tracefile_count: arguments.tracefile_count,
            ..ChannelConfig::new(name)
        };
        report = daemon.ask(&Request::EnableChannel { session: session.clone(), channel })?;
    }
    arguments.json.print(&report, || {
        arguments.names.iter().for_each(|name| println!("channel {name} enabled for session {}", report.config.name));
    })
}

/// Runs `ust disable-channel`.
pub fn disable(arguments: &Disable) -> anyhow::Result<u8> {
    let mut daemon = Daemon::reach()?;
    let mut report = None;
    for name in &arguments.names {
        let request = Request::DisableChannel { session: arguments.session.clone(), channel: name.clone() };
        report = Some(daemon.ask::<SessionReport>(&request)?);
    }
    arguments.json.print(&report, || {
        arguments.names.iter().for_each(|name| println!("channel {name} disabled"));
    })
}

/// `value`, or the next power of two, within the limits.
pub fn rounded(option: &str, value: u64, least: u64, most: u64) -> Result<u64, Problem> {
    if value == 0 || value > most {
        let what = format!("{option} {} is not possible", bytes_text(value));
        return Err(Problem::new(what, format!("{option} from {} to {}", bytes_text(least), bytes_text(most))));
    }
    let rounded = value.next_power_of_two().max(least);
    if rounded != value {
        let why = if rounded == least { "the least possible" } else { "a power of two" };
        eprintln!("note:  {option} {} is rounded up to {}, {why}", bytes_text(value), bytes_text(rounded));
    }
    Ok(rounded)
}

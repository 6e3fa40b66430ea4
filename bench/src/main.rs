// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs this project and lttng-ust in turn on the same machine and prints medians and ratios as a table.
//!
//! Needs a release build of the workspace, `cc`, and the packages `lttng-tools` and `liblttng-ust-dev`. Nothing else should
//! run meanwhile: the figures are times.

mod common;
mod lttng;
mod ours;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::Parser;

use common::{Mode, ROWS, Runs, median, touch_memory_for};

/// Compares this project with lttng-ust and prints medians and ratios.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    runs: Runs,
}

fn main() -> Result<()> {
    let Options { runs: options } = Options::parse();
    let mut lttng = lttng::Lttng::start(&options.binaries).context("cannot set up the lttng-ust side")?;
    let ours = ours::Ours::new(&options.binaries);
    let mut times: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
    for round in 1..=options.rounds {
        for (i, row) in ROWS.iter().enumerate() {
            // A disabled tracepoint takes a fraction of a nanosecond: more of them for the clock's sake.
            let events = if row.mode == Mode::Off { options.events * 20 } else { options.events };
            touch_memory_for(row, events)?;
            let ours = ours.measure(row.mode, row.event, events, row.threads)?;
            touch_memory_for(row, events)?;
            let theirs = lttng.measure(row.mode, row.event, events, row.threads)?;
            eprintln!("round {round}: {}: ours {ours:.2}, lttng-ust {theirs:.2} ns", row.label);
            times.entry((i, "ours")).or_default().push(ours);
            times.entry((i, "theirs")).or_default().push(theirs);
        }
        times.entry((ROWS.len(), "ours")).or_default().push(ours.measure_tracing(options.events / 10)?);
    }
    println!("| | lttng-ust, ns | ust, ns | ratio |\n|---|---|---|---|");
    for (i, row) in ROWS.iter().enumerate() {
        let (theirs, ours) = (median(&times[&(i, "theirs")]), median(&times[&(i, "ours")]));
        let ratio =
            if row.mode == Mode::Off { format!("{:+.2} ns", ours - theirs) } else { format!("{:.1}", theirs / ours) };
        println!("| {} | {theirs:.2} | {ours:.2} | {ratio} |", row.label);
    }
    let tracing = median(&times[&(ROWS.len(), "ours")]);
    println!("| for context: the hello record through `tracing`, non-blocking writer | | {tracing:.0} | |");
    for event in ["one", "hello"] {
        let (theirs, ours) = (lttng.bytes_per_event(event)?, ours.bytes_per_event(event)?);
        println!("| bytes in the trace per event: {event} | {theirs:.1} | {ours:.1} | |");
    }
    Ok(())
}

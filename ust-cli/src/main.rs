// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command `ust`: records programs that carry tracepoints, and shows what was recorded.
//!
//! What lies here is the command line and its words; recording is `ust-consumerd`, reading is `ust-ctf`.

mod follow;
mod info;
mod pipe;
mod problem;
mod reading;
mod record;
mod signals;
mod size;
mod stats;
mod view;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::problem::Problem;

/// Records the tracepoints of programs, and shows what was recorded.
#[derive(Parser)]
#[command(name = "ust", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Record(record::Arguments),
    View(view::Arguments),
    Stats(stats::Arguments),
    Info(info::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Record(arguments) => record::run(&arguments),
        Command::View(arguments) => view::run(&arguments).map(|()| 0),
        Command::Stats(arguments) => stats::run(&arguments).map(|()| 0),
        Command::Info(arguments) => info::run(&arguments).map(|()| 0),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // One line, whatever the causes.
            eprintln!("error: {error:#}");
            if let Some(hint) = error.downcast_ref::<Problem>().and_then(|problem| problem.hint.as_deref()) {
                eprintln!("try:   {hint}");
            }
            ExitCode::from(1)
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command `ust`: records programs that carry tracepoints, and shows what was recorded.
//!
//! What lies here is the command line and its words; recording is `ust-consumerd`, reading is `ust-ctf`.

mod channel;
mod connect;
mod context;
mod daemon;
mod doctor;
mod event;
mod follow;
mod generate;
mod info;
mod lifecycle;
mod list;
mod output;
mod pipe;
mod problem;
mod reading;
mod record;
mod recover;
mod rotate;
mod saved;
mod signals;
mod size;
mod snapshot;
mod stats;
mod track;
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
    Create(lifecycle::Create),
    Destroy(lifecycle::Destroy),
    /// Starts a session: what it wants is recorded from now on.
    Start(lifecycle::Which),
    /// Stops a session. Its trace is complete then; it can be started again.
    Stop(lifecycle::Which),
    EnableChannel(channel::Enable),
    DisableChannel(channel::Disable),
    EnableEvent(event::Enable),
    DisableEvent(event::Disable),
    AddContext(context::Arguments),
    List(list::List),
    Status(list::Status),
    SetSession(lifecycle::SetSession),
    Track(track::Arguments),
    /// Takes processes out of those that a session records; an option without ids takes out all.
    Untrack(track::Arguments),
    Snapshot(snapshot::Arguments),
    Rotate(rotate::Rotate),
    EnableRotation(rotate::Enable),
    DisableRotation(rotate::Disable),
    /// Throws away what a session has recorded since its last rotation.
    Clear(lifecycle::Which),
    Save(saved::Save),
    Load(saved::Load),
    Recover(recover::Arguments),
    Doctor(doctor::Arguments),
    Daemon(daemon::Arguments),
    Completions(generate::Completions),
    Man(generate::Man),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // One line, whatever the causes; notes of the daemon follow it.
            eprintln!("error: {error:#}");
            if let Some(hint) = error.downcast_ref::<Problem>().and_then(|problem| problem.hint.as_deref()) {
                eprintln!("try:   {hint}");
            }
            ExitCode::from(1)
        }
    }
}

fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Record(arguments) => record::run(&arguments),
        Command::View(arguments) => view::run(&arguments).map(|()| 0),
        Command::Stats(arguments) => stats::run(&arguments).map(|()| 0),
        Command::Info(arguments) => info::run(&arguments).map(|()| 0),
        Command::Create(arguments) => lifecycle::create(&arguments),
        Command::Destroy(arguments) => lifecycle::destroy(&arguments),
        Command::Start(arguments) => lifecycle::start(&arguments),
        Command::Stop(arguments) => lifecycle::stop(&arguments),
        Command::EnableChannel(arguments) => channel::enable(&arguments),
        Command::DisableChannel(arguments) => channel::disable(&arguments),
        Command::EnableEvent(arguments) => event::enable(&arguments),
        Command::DisableEvent(arguments) => event::disable(&arguments),
        Command::AddContext(arguments) => context::run(&arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Status(arguments) => list::status(&arguments),
        Command::SetSession(arguments) => lifecycle::set_session(&arguments),
        Command::Track(arguments) => track::run(&arguments, true),
        Command::Untrack(arguments) => track::run(&arguments, false),
        Command::Snapshot(arguments) => snapshot::run(&arguments),
        Command::Rotate(arguments) => rotate::rotate(&arguments),
        Command::EnableRotation(arguments) => rotate::enable(&arguments),
        Command::DisableRotation(arguments) => rotate::disable(&arguments),
        Command::Clear(arguments) => lifecycle::clear(&arguments),
        Command::Save(arguments) => saved::save(&arguments),
        Command::Load(arguments) => saved::load(&arguments),
        Command::Recover(arguments) => recover::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Daemon(arguments) => daemon::run(&arguments),
        Command::Completions(arguments) => generate::completions(&arguments),
        Command::Man(arguments) => generate::man(&arguments),
    }
}

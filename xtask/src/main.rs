// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask`: makes and installs what cargo cannot.
#![deny(unsafe_code)]

mod library;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Makes and installs what cargo cannot.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs libust.so, libust.a, the headers and the pkg-config files under a prefix.
    Install {
        /// Where they go: `lib/`, `include/` and `lib/pkgconfig/` below it.
        #[arg(long, default_value = "/usr/local")]
        prefix: PathBuf,
        /// The folder of the libraries, below the prefix.
        #[arg(long, default_value = "lib")]
        libdir: PathBuf,
        /// Put before all paths when files are copied, and named in none of them: for packages.
        #[arg(long)]
        destdir: Option<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Options::parse().command {
        Command::Install { prefix, libdir, destdir } => library::install(&prefix, &libdir, destdir.as_deref()),
    }
}

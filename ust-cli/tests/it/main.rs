// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command as its user meets it: arguments in, files, text and exit status out.

mod aid;
mod daemon;
mod ended;
mod filter;
mod flight;
mod follow;
mod harness;
mod killed;
mod mistakes;
mod nothing;
mod own;
mod reading;
mod record;
mod restart;
mod sessions;
mod stage;
mod stats;
mod view;

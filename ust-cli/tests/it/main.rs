// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command as its user meets it: arguments in, files, text and exit status out.

mod ended;
mod filter;
mod follow;
mod harness;
mod killed;
mod mistakes;
mod nothing;
mod reading;
mod record;
mod stats;
mod view;

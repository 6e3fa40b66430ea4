// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command as its user meets it: arguments in, files, text and exit status out.

mod ended;
mod filter;
mod harness;
mod killed;
mod mistakes;
mod nothing;
mod record;
mod view;

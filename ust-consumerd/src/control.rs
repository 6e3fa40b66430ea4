// SPDX-License-Identifier: MIT OR Apache-2.0
//! The control socket: its protocol and both of its ends.

mod client;
mod frame;
pub mod protocol;
pub(crate) mod server;

pub use client::{AskError, Client};

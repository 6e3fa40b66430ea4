// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the public interface and of the command. The path of a fixture is the name of its case.
//!
//! `UST_BLESS=1` writes the golden files anew; read the difference before you commit it.

mod c;
mod command;
mod fixtures;
mod golden;
mod headers;
mod macros;
mod oracle;
mod outputs;
mod random;

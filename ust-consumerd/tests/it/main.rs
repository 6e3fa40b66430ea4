// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engine against hand-made images: what a traced program does is done here, word by word.

mod discovery;
mod drain;
mod filters;
mod harness;
mod hostile;
mod loss;
mod output;
mod overwrite;
mod program;
mod recording;
mod runtime_dir;
mod sessions;
mod streams;

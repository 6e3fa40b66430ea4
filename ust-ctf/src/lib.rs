// SPDX-License-Identifier: MIT OR Apache-2.0
//! Common Trace Format 1.8: what a trace is made of, how it is written, and how it is read.
//!
//! A trace is a folder with a `metadata` file, which describes the classes in a small language
//! (TSDL), and stream files, which are packets of events. [`model`] holds the classes as plain data;
//! [`metadata`] prints them as TSDL; [`packet`] encodes what precedes the events of each packet;
//! [`reader`] opens such folders and yields their events in the order of time; [`text`] prints them.
//!
//! What this crate does not do: it does not know where events come from (images, rings, sockets), it
//! writes no files, and it does not write CTF 2. It starts threads only while a trace is opened and where a caller says
//! how many.
#![deny(unsafe_code)]

pub mod class;
mod escape;
mod job;
pub mod json;
mod limits;
pub mod metadata;
pub mod model;
mod names;
pub mod packet;
pub mod reader;
pub mod select;
pub mod stats;
pub mod text;

pub use job::Job;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the metadata of a trace of either version: text becomes drafts (`draft`), drafts become a tree of fields
//! (`tree`) in which lengths and selectors find what they refer to (`resolve`), and that becomes [`crate::class`]
//! (`build`). `trace` joins the parts.
//!
//! | metadata                              | read by  |
//! |---------------------------------------|----------|
//! | CTF 1.8                               | `tsdl` |
//! | CTF 2                                 | `json` |
//! | either of them in packets             | `packets` takes it out |
//!
//! All of it is untrusted: whatever the bytes are, reading them ends, does not panic, nests its calls to a fixed depth,
//! and takes memory in proportion to them up to the limits in `limits.rs`.
//!
//! What this module does not do: it opens no files and it decodes no data streams.

mod build;
mod draft;
mod json;
mod packets;
mod resolve;
mod trace;
mod tree;
mod tsdl;

use std::borrow::Cow;
use std::path::Path;

use super::error::{Complaint, MetadataError};
use crate::class::TraceClass;
use crate::limits::METADATA_BYTES_MAX;

type Result<T> = std::result::Result<T, Complaint>;

/// Returns the classes in `bytes`, the content of the metadata file `file`.
///
/// `file` is only for the error; nothing is opened.
///
/// # Errors
/// The first place that cannot be understood, with its line and column in the text. Of metadata in packets, that
/// is the text that they hold.
pub fn read_metadata(file: &Path, bytes: &[u8]) -> std::result::Result<TraceClass, MetadataError> {
    if bytes.len() > METADATA_BYTES_MAX {
        let message = format!("this metadata has {} bytes; at most {METADATA_BYTES_MAX} are read", bytes.len());
        return Err(Complaint::new(0, message).locate(file, ""));
    }
    let mut bytes = Cow::Borrowed(bytes);
    let mut is_cut = false;
    if packets::is_packetised(&bytes) {
        let unpacked = packets::unpack(&bytes).map_err(|complaint| complaint.locate(file, ""))?;
        (bytes, is_cut) = (Cow::Owned(unpacked.text), unpacked.is_cut);
    }
    let source = String::from_utf8_lossy(&bytes);
    let class = if json::is_json(&source) {
        json::read(&source)
    } else {
        tsdl::read(&source, is_cut).and_then(trace::TraceDraft::finish)
    };
    class.map_err(|complaint| complaint.locate(file, &source))
}

/// Returns the UUID in its usual form of 36 characters.
fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    if groups != [8, 4, 4, 4, 12] {
        return None;
    }
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    let mut uuid = [0; 16];
    if digits.len() != 2 * uuid.len() {
        return None;
    }
    for (byte, pair) in uuid.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (pair[0] << 4 | pair[1]) as u8;
    }
    Some(uuid)
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptions of tracepoints, each kept once: the processes of one program all bring the same.
//!
//! They are shared by their bytes, which are compared whole. What no image has any more is let go with the next one that is read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ust_shm::decode::{DecodeError, Tracepoint, decode};

/// The tracepoints of one object.
pub(crate) type Tracepoints = Arc<Vec<Arc<Tracepoint>>>;

/// By their bytes, and by how many there are.
type Known = HashMap<(u32, Vec<u8>), Weak<Vec<Arc<Tracepoint>>>>;

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// Reads `count` descriptions, or gives those that another image has.
///
/// # Errors
/// They are malformed.
pub(crate) fn shared(bytes: Vec<u8>, count: u32) -> Result<Tracepoints, DecodeError> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    let key = (count, bytes);
    if let Some(tracepoints) = known.get(&key).and_then(Weak::upgrade) {
        return Ok(tracepoints);
    }
    known.retain(|_, tracepoints| tracepoints.strong_count() > 0);
    let tracepoints: Tracepoints = Arc::new(decode(&key.1, count)?.into_iter().map(Arc::new).collect());
    known.insert(key, Arc::downgrade(&tracepoints));
    Ok(tracepoints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_kept_once_and_no_longer_than_they_are_used() {
        // Written for this test alone, so that others do not share it.
        let mut bytes = Vec::new();
        bytes.extend(4u32.to_le_bytes());
        bytes.extend([6, 0, 0, 0]);
        bytes.extend(77u32.to_le_bytes());
        for text in ["kept", "once", "", "here.rs", "test"] {
            bytes.extend((text.len() as u16).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        let len = (bytes.len() as u32).to_le_bytes();
        bytes[..4].copy_from_slice(&len);
        let (first, second) = (shared(bytes.clone(), 1).expect("right"), shared(bytes.clone(), 1).expect("right"));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(shared(bytes.clone(), 2).is_err(), "there is one");
        let gone = Arc::downgrade(&first);
        drop((first, second));
        assert!(gone.upgrade().is_none());
        assert_eq!(shared(bytes, 1).expect("right").len(), 1);
    }
}

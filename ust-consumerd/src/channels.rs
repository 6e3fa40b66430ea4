// SPDX-License-Identifier: MIT OR Apache-2.0
//! Slots: which bit of the enable words stands for which channel.
//!
//! A thread that has leased a ring for a slot keeps it, whatever the rules say later. So a slot whose channel is gone is
//! *parked*: it stays in the rules, without an event rule. A new channel of the very same shape takes a parked slot over,
//! uid, rings and all; any other gets a slot that was never used, and only then one whose rings
//! nobody can write to any more (`docs/shm-layout.md`, "Slots and their reuse").

use std::time::Instant;

use ust_shm::context::ContextList;
use ust_shm::layout::{LossMode, OWN_CHANNEL_UID};
use ust_shm::limits::CHANNEL_COUNT_MAX;
use ust_shm::rules::Channel;

use crate::limits::SLOT_REST;

/// Slots that are handed out; the one behind them is each program's own.
pub(crate) const SLOT_COUNT: usize = CHANNEL_COUNT_MAX;

/// Uids that are handed out begin below this, and so stay below that of the programs' own channels for ever.
const FIRST_UID_END: u64 = OWN_CHANNEL_UID / 2;

/// What the rings of a channel are like: all that a thread takes over with a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub mode: LossMode,
    pub subbuf_bytes: u32,
    pub subbuf_count: u32,
    pub block_timeout_us: u64,
    pub contexts: ContextList,
}

/// A slot that was handed out.
#[derive(Clone, Copy, Debug)]
struct Entry {
    channel: Channel,
    /// The session that has it; 0 for none.
    owner: u64,
    parked_at: Option<Instant>,
}

/// All slots of a runtime directory.
#[derive(Debug)]
pub(crate) struct Channels {
    entries: [Option<Entry>; SLOT_COUNT],
    next_uid: u64,
}

impl Channels {
    /// No channel; uids begin behind `first_uid`, a random number, so that they differ from those of other recorders.
    pub(crate) fn new(first_uid: u64) -> Self {
        Self { entries: [None; SLOT_COUNT], next_uid: (first_uid % FIRST_UID_END).max(1) }
    }

    /// The channels, those without a session too.
    pub(crate) fn all(&self) -> impl Iterator<Item = Channel> {
        self.entries.iter().flatten().map(|entry| entry.channel)
    }

    /// The channels that no session has.
    pub(crate) fn parked(&self) -> impl Iterator<Item = Channel> {
        self.entries.iter().flatten().filter(|entry| entry.owner == 0).map(|entry| entry.channel)
    }

    /// The channel of that uid with its session.
    pub(crate) fn find(&self, uid: u64) -> Option<(Channel, u64)> {
        self.entries.iter().flatten().find(|entry| entry.channel.uid == uid).map(|entry| (entry.channel, entry.owner))
    }

    /// Gives `owner` a channel of that shape. `is_quiet` tells of a uid whether nobody can write to its rings.
    pub(crate) fn hand_out(&mut self, shape: Shape, owner: u64, is_quiet: impl Fn(u64) -> bool) -> Option<Channel> {
        let same = |entry: &Entry| {
            let Channel { mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts, slot: _, uid: _ } =
                entry.channel;
            entry.owner == 0 && shape == Shape { mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts }
        };
        if let Some(entry) = self.entries.iter_mut().flatten().find(|entry| same(entry)) {
            entry.owner = owner;
            entry.parked_at = None;
            return Some(entry.channel);
        }
        let rested = |entry: &Entry| entry.parked_at.is_some_and(|since| since.elapsed() >= SLOT_REST);
        let unused = self.entries.iter().position(Option::is_none);
        let reusable = |entry: &Option<Entry>| entry.is_some_and(|e| rested(&e) && is_quiet(e.channel.uid));
        let slot = unused.or_else(|| self.entries.iter().position(reusable))?;
        let uid = self.next_uid;
        self.next_uid = self.next_uid.wrapping_add(1).max(1);
        Some(self.put(slot, uid, shape, owner))
    }

    fn put(&mut self, slot: usize, uid: u64, shape: Shape, owner: u64) -> Channel {
        let Shape { mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts } = shape;
        let channel = Channel { slot: slot as u32, uid, mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts };
        let parked_at = (owner == 0).then(Instant::now);
        self.entries[slot] = Some(Entry { channel, owner, parked_at });
        channel
    }

    /// Takes a channel that an earlier recorder of this directory has handed out, for its new owner or for none (0).
    pub(crate) fn adopt(&mut self, channel: Channel, owner: u64) {
        if let Some(entry) = self.entries.get_mut(channel.slot as usize) {
            *entry = Some(Entry { channel, owner, parked_at: (owner == 0).then(Instant::now) });
        }
    }

    /// Takes the session's channels back; they stay in the rules, unused.
    pub(crate) fn park(&mut self, uid: u64) {
        for entry in self.entries.iter_mut().flatten().filter(|entry| entry.channel.uid == uid) {
            entry.owner = 0;
            entry.parked_at = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        mode: LossMode::Discard,
        subbuf_bytes: 4096,
        subbuf_count: 4,
        block_timeout_us: u64::MAX,
        contexts: ContextList::NONE,
    };

    #[test]
    fn the_lowest_free_slot_is_given_and_those_of_the_highest_two_bits_never() {
        let mut channels = Channels::new(7);
        let given: Vec<_> = (0..SLOT_COUNT).map(|_| channels.hand_out(SHAPE, 1, |_| false).expect("free")).collect();
        assert_eq!(given.iter().map(|c| c.slot).collect::<Vec<_>>(), (0..62).collect::<Vec<_>>());
        assert_eq!(given[2].uid, 9);
        assert_eq!(channels.hand_out(SHAPE, 1, |_| true), None, "slots in use are not given away");
    }

    #[test]
    fn a_parked_slot_goes_to_a_channel_of_its_shape_with_its_uid_and_to_others_only_when_it_is_quiet() {
        let mut channels = Channels::new(1);
        let first = channels.hand_out(SHAPE, 1, |_| false).expect("free");
        channels.park(first.uid);
        assert_eq!(channels.find(first.uid), Some((first, 0)), "it stays in the rules");
        let larger = Shape { subbuf_bytes: 8192, ..SHAPE };
        let second = channels.hand_out(larger, 2, |_| true).expect("free");
        assert_eq!(second.slot, 1, "unused slots come first");
        assert_eq!(channels.hand_out(SHAPE, 2, |_| false), Some(first));
        let rest: Vec<_> = (2..SLOT_COUNT).map(|_| channels.hand_out(SHAPE, 3, |_| false).expect("free")).collect();
        channels.park(rest[5].uid);
        assert_eq!(channels.hand_out(larger, 4, |_| true), None, "it has not rested");
        channels.entries[7].as_mut().expect("used").parked_at = Instant::now().checked_sub(SLOT_REST);
        assert_eq!(channels.hand_out(larger, 4, |_| false), None, "somebody writes to it");
        let reused = channels.hand_out(larger, 4, |uid| uid == rest[5].uid).expect("quiet");
        assert_eq!(reused.slot, 7);
        assert!(rest.iter().all(|old| old.uid != reused.uid));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The head of an image: its header and tables, and how rules are applied to them.

use crate::atomics::{AtomicU64, Ordering};
use crate::context::ContextList;
use crate::layout::*;
use crate::limits::*;
use crate::region::Region;
use crate::rules::{Channel, RulesView};

/// The mapped head of an image, at least [`HEAD_BYTES`] long.
#[derive(Clone, Copy, Debug)]
pub struct Head(Region);

impl Head {
    /// Takes the head's mapping, or gives `None` where it is too short.
    #[inline]
    #[must_use]
    pub fn new(region: Region) -> Option<Self> {
        (region.len() >= HEAD_BYTES).then_some(Self(region))
    }

    /// The mapping itself.
    #[inline]
    #[must_use]
    pub const fn region(&self) -> Region {
        self.0
    }

    /// The image's header.
    #[inline]
    #[must_use]
    pub fn header(&self) -> Option<&ImageHeader> {
        self.0.get(0)
    }

    /// Slot `slot` of the channel table: one of the channels in rules, or the program's own.
    #[must_use]
    pub fn channel(&self, slot: usize) -> Option<&ChannelSlot> {
        if slot > OWN_SLOT as usize {
            return None;
        }
        self.0.get(CHANNELS_OFFSET + 64 * slot as u64)
    }

    /// Entry `i` of the object table.
    #[must_use]
    pub fn object(&self, i: usize) -> Option<&ObjectEntry> {
        if i >= OBJECT_COUNT_MAX {
            return None;
        }
        self.0.get(OBJECTS_OFFSET + 32 * i as u64)
    }

    /// Entry `i` of the ring directory.
    #[must_use]
    pub fn ring(&self, i: usize) -> Option<&RingEntry> {
        if i >= RING_COUNT_MAX {
            return None;
        }
        self.0.get(RINGS_OFFSET + 64 * i as u64)
    }

    /// Counts one event lost outside any ring.
    pub fn count_lost(&self, cause: LostCause) {
        if let Some(counter) = self.header().and_then(|h| h.lost.get(cause as usize)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes the channels of `rules` into the channel table, and clears the slots that the rules do not name; the program's own stays.
    ///
    /// The Release store of each enable word that follows publishes the slots to the threads that find the word set.
    pub fn store_channels(&self, rules: &RulesView<'_>) {
        let mut named = 0u64;
        for channel in rules.channels() {
            named |= 1 << channel.slot;
            self.store_channel(&channel);
        }
        for i in (0..CHANNEL_COUNT_MAX).filter(|i| named & 1 << i == 0) {
            if let Some(slot) = self.channel(i)
                && slot.uid.load(Ordering::Relaxed) != 0
            {
                slot.uid.store(0, Ordering::Release);
            }
        }
    }

    /// Writes one channel into its slot.
    pub fn store_channel(&self, channel: &Channel) {
        let Some(slot) = self.channel(channel.slot as usize) else { return };
        slot.subbuf_bytes.store(channel.subbuf_bytes, Ordering::Relaxed);
        slot.subbuf_count.store(channel.subbuf_count, Ordering::Relaxed);
        slot.mode.store(channel.mode as u32, Ordering::Relaxed);
        slot.block_timeout_us.store(channel.block_timeout_us, Ordering::Relaxed);
        let codes = channel.contexts.codes();
        for (word, codes) in slot.contexts.iter().zip(codes.as_chunks::<8>().0) {
            word.store(u64::from_le_bytes(*codes), Ordering::Relaxed);
        }
        slot.uid.store(channel.uid, Ordering::Release);
    }

    /// The checked copy of channel slot `slot`; `None` where it is unused or holds values outside the limits.
    #[must_use]
    pub fn load_channel(&self, slot: usize) -> Option<Channel> {
        let shared = self.channel(slot)?;
        let uid = shared.uid.load(Ordering::Acquire);
        let subbuf_bytes = shared.subbuf_bytes.load(Ordering::Relaxed);
        let subbuf_count = shared.subbuf_count.load(Ordering::Relaxed);
        let mode = LossMode::from_u32(shared.mode.load(Ordering::Relaxed))?;
        let block_timeout_us = shared.block_timeout_us.load(Ordering::Relaxed);
        let mut codes = [0; CONTEXT_COUNT_MAX];
        for (codes, word) in codes.as_chunks_mut::<8>().0.iter_mut().zip(&shared.contexts) {
            *codes = word.load(Ordering::Relaxed).to_le_bytes();
        }
        let contexts = ContextList::from_codes(codes)?;
        if uid == 0 || !geometry_is_valid(subbuf_bytes, subbuf_count) {
            return None;
        }
        Some(Channel { slot: slot as u32, uid, mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts })
    }
}

/// Stores an enable word. Pairs with the record path's dependency on it; Release publishes the channel slots.
pub fn store_word(word: &AtomicU64, wanted: u64) {
    if word.load(Ordering::Relaxed) != wanted {
        word.store(wanted, Ordering::Release);
    }
}

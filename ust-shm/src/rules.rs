// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file `rules`: which events go to which channel. Written by the consumer side, applied by both.
//!
//! [`RulesView`] reads a private copy of the file without allocating, so that a starting program can use it;
//! [`RulesBuilder`] makes the file's bytes.

use crate::context::ContextList;
use crate::descriptor::LogLevel;
use crate::filter::Program;
use crate::glob;
use crate::layout::{LossMode, RULES_ABI, RULES_MAGIC, geometry_is_valid};
use crate::limits::{
    CHANNEL_COUNT_MAX, CONTEXT_COUNT_MAX, EVENT_NAME_BYTES_MAX, FILTER_BYTES_MAX, RULE_COUNT_MAX, RULES_BYTES_MAX,
    TRACKED_ID_COUNT_MAX,
};

const HEADER_BYTES: usize = 32;
const CHANNEL_BYTES: usize = 32 + CONTEXT_COUNT_MAX;

/// Where rings of a channel get their shape and behaviour from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Bit number in the enable words, below [`CHANNEL_COUNT_MAX`].
    pub slot: u32,
    /// Identifies the channel for the life of the runtime directory; never 0.
    pub uid: u64,
    /// What happens when a ring is full.
    pub mode: LossMode,
    /// Bytes of a sub-buffer: a power of two.
    pub subbuf_bytes: u32,
    /// Sub-buffers of a ring: a power of two.
    pub subbuf_count: u32,
    /// Block mode: how long a writer waits, in µs; `u64::MAX` is no limit.
    pub block_timeout_us: u64,
    /// What is added to each event. It never changes for one `uid`.
    pub contexts: ContextList,
}

/// Checked rules over a private copy of the file.
#[derive(Clone, Copy, Debug)]
pub struct RulesView<'a> {
    bytes: &'a [u8],
    generation: u64,
    channel_count: usize,
    rule_count: u32,
    trackers_at: usize,
}

/// Why a rules file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesError {
    /// Shorter than its own header or contents say.
    Short,
    /// Not a rules file, or of another version.
    Version,
    /// A count, slot, mode or size outside the limits.
    Range,
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

impl<'a> RulesView<'a> {
    /// Checks the whole file once; the accessors then need no further checks.
    ///
    /// # Errors
    /// See [`RulesError`]. The caller treats such a file as absent.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RulesError> {
        let short = RulesError::Short;
        let magic = u64_at(bytes, 0).ok_or(short)?;
        if magic != RULES_MAGIC || u32_at(bytes, 8).ok_or(short)? != RULES_ABI {
            return Err(RulesError::Version);
        }
        let total = u32_at(bytes, 12).ok_or(short)? as usize;
        if total > RULES_BYTES_MAX {
            return Err(RulesError::Range);
        }
        let bytes = bytes.get(..total).ok_or(short)?;
        let generation = u64_at(bytes, 16).ok_or(short)?;
        let channel_count = u32_at(bytes, 24).ok_or(short)? as usize;
        let rule_count = u32_at(bytes, 28).ok_or(short)?;
        if channel_count > CHANNEL_COUNT_MAX || rule_count > RULE_COUNT_MAX {
            return Err(RulesError::Range);
        }
        let mut view = Self { bytes, generation, channel_count, rule_count, trackers_at: 0 };
        for i in 0..channel_count {
            view.channel(i).ok_or(RulesError::Range)?;
        }
        let mut rules = view.rules();
        for _ in 0..rule_count {
            rules.next().ok_or(short)?;
        }
        view.trackers_at = rules.at;
        let mut at = view.trackers_at;
        while at < bytes.len() {
            tracker_at(bytes, &mut at).ok_or(short)?;
        }
        Ok(view)
    }

    /// The channel slots that a process may record for, by its id, effective user and group.
    #[must_use]
    pub fn slots_of_process(&self, ids: [u32; 3]) -> u64 {
        let mut slots = u64::MAX;
        let mut at = self.trackers_at;
        while let Some((slot, what, tracked)) = tracker_at(self.bytes, &mut at) {
            let (tracked, _) = tracked.as_chunks::<4>();
            let own = ids.get(what as usize).map(|id| id.to_le_bytes());
            if !own.is_some_and(|own| tracked.contains(&own)) {
                slots &= !(1 << slot);
            }
        }
        slots
    }

    /// Grows by one with each change of the rules.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The channels, in file order.
    pub fn channels(&self) -> impl Iterator<Item = Channel> + use<'a> {
        let view = *self;
        (0..self.channel_count).filter_map(move |i| view.channel(i))
    }

    fn channel(&self, i: usize) -> Option<Channel> {
        let at = HEADER_BYTES + i * CHANNEL_BYTES;
        let channel = Channel {
            slot: u32_at(self.bytes, at)?,
            mode: LossMode::from_u32(u32_at(self.bytes, at + 4)?)?,
            subbuf_bytes: u32_at(self.bytes, at + 8)?,
            subbuf_count: u32_at(self.bytes, at + 12)?,
            block_timeout_us: u64_at(self.bytes, at + 16)?,
            uid: u64_at(self.bytes, at + 24)?,
            contexts: ContextList::from_codes(array(self.bytes, at + 32)?)?,
        };
        let valid = (channel.slot as usize) < CHANNEL_COUNT_MAX
            && channel.uid != 0
            && geometry_is_valid(channel.subbuf_bytes, channel.subbuf_count);
        valid.then_some(channel)
    }

    fn rules(&self) -> RuleIter<'a> {
        RuleIter { bytes: self.bytes, at: HEADER_BYTES + self.channel_count * CHANNEL_BYTES, left: self.rule_count }
    }

    /// What the rules say of the event `(provider, name, log level)`: the channel slots that want it, and those among them that want it
    /// only if a filter says so, since all rules for it there have one.
    ///
    /// No slots for a name longer than [`EVENT_NAME_BYTES_MAX`].
    #[must_use]
    pub fn slots_for(&self, event: (&str, &str, u8)) -> (u64, u64) {
        let (mut wanted, mut unfiltered) = (0u64, 0u64);
        for rule in self.rules_for(event) {
            wanted |= 1 << rule.slot;
            if rule.filter.is_empty() {
                unfiltered |= 1 << rule.slot;
            }
        }
        (wanted, wanted & !unfiltered)
    }

    /// The programs of the rules that want the event, with their channel slots.
    pub fn programs_for<'e>(
        &self,
        event: (&'e str, &'e str, u8),
    ) -> impl Iterator<Item = (u32, Program<'a>)> + use<'a, 'e> {
        self.rules_for(event).filter_map(|rule| Some((rule.slot, Program::parse(rule.filter)?)))
    }

    fn rules_for<'e>(
        &self,
        (provider, name, loglevel): (&'e str, &'e str, u8),
    ) -> impl Iterator<Item = Rule<'a>> + use<'a, 'e> {
        let full = FullName::new(provider, name);
        self.rules().filter(move |rule| full.as_bytes().is_some_and(|full| rule.wants(full, loglevel)))
    }
}

/// `provider:name`, as patterns see it.
#[derive(Clone, Copy, Debug)]
pub struct FullName {
    bytes: [u8; EVENT_NAME_BYTES_MAX],
    len: usize,
}

impl FullName {
    /// Joins the two.
    #[must_use]
    pub fn new(provider: &str, name: &str) -> Self {
        let mut bytes = [0u8; EVENT_NAME_BYTES_MAX];
        let joined = provider.bytes().chain([b':']).chain(name.bytes());
        for (slot, byte) in bytes.iter_mut().zip(joined) {
            *slot = byte;
        }
        Self { bytes, len: provider.len() + 1 + name.len() }
    }

    /// The name; `None` for one longer than [`EVENT_NAME_BYTES_MAX`], which no pattern matches.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.len)
    }
}

struct Rule<'a> {
    slot: u32,
    level_min: u8,
    level_max: u8,
    pattern: &'a [u8],
    exclusions: &'a [u8],
    /// Empty: none.
    filter: &'a [u8],
}

impl Rule<'_> {
    fn wants(&self, name: &[u8], loglevel: u8) -> bool {
        if !(self.level_min <= loglevel && loglevel <= self.level_max) {
            return false;
        }
        if !glob::matches(self.pattern, name) {
            return false;
        }
        let mut at = 0;
        while let Some(exclusion) = string_at(self.exclusions, &mut at) {
            if glob::matches(exclusion, name) {
                return false;
            }
        }
        true
    }
}

struct RuleIter<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u32,
}

fn string_at<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let len = usize::from(u16_at(bytes, *at)?);
    let text = bytes.get(*at + 2..*at + 2 + len)?;
    *at += 2 + len;
    Some(text)
}

impl<'a> Iterator for RuleIter<'a> {
    type Item = Rule<'a>;

    fn next(&mut self) -> Option<Rule<'a>> {
        self.left = self.left.checked_sub(1)?;
        let slot = u32_at(self.bytes, self.at)?;
        if slot as usize >= CHANNEL_COUNT_MAX {
            return None;
        }
        let [level_min, level_max] = array(self.bytes, self.at + 4)?;
        let exclusion_count = u16_at(self.bytes, self.at + 6)?;
        self.at += 8;
        let pattern = string_at(self.bytes, &mut self.at)?;
        let begin = self.at;
        for _ in 0..exclusion_count {
            string_at(self.bytes, &mut self.at)?;
        }
        let exclusions = self.bytes.get(begin..self.at)?;
        let filter_bytes = u32_at(self.bytes, self.at)? as usize;
        if filter_bytes > FILTER_BYTES_MAX {
            return None;
        }
        let filter = self.bytes.get(self.at + 4..self.at + 4 + filter_bytes)?;
        if !filter.is_empty() {
            Program::parse(filter)?;
        }
        self.at += 4 + filter_bytes;
        Some(Rule { slot, level_min, level_max, pattern, exclusions, filter })
    }
}

/// The tracker at `at`, and moves on: slot, what it tracks, the ids.
fn tracker_at<'a>(bytes: &'a [u8], at: &mut usize) -> Option<(u32, u32, &'a [u8])> {
    let (slot, what, count) = (u32_at(bytes, *at)?, u32_at(bytes, *at + 4)?, u32_at(bytes, *at + 8)? as usize);
    if slot as usize >= CHANNEL_COUNT_MAX || what > Tracked::Group as u32 || count > TRACKED_ID_COUNT_MAX {
        return None;
    }
    let ids = bytes.get(*at + 12..*at + 12 + 4 * count)?;
    *at += 12 + 4 * count;
    Some((slot, what, ids))
}

/// What a tracker knows a process by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Tracked {
    /// Its id, in its own pid namespace.
    Process = 0,
    /// Its effective user.
    User = 1,
    /// Its effective group.
    Group = 2,
}

/// The processes that a slot is for, as the consumer side states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracker {
    /// The slot.
    pub slot: u32,
    /// What the ids are.
    pub what: Tracked,
    /// At most [`TRACKED_ID_COUNT_MAX`] of them.
    pub ids: Vec<u32>,
}

/// Applies rules until their generation stays the same, at most `tries` times; returns the generation applied last.
///
/// `step` gets the generation applied so far (0: none), applies the rules there are if theirs is another, and returns
/// theirs; `None` when there are none. The read after the last application closes the race with a consumer that changed the
/// rules meanwhile (`docs/shm-layout.md`, "Application of rules").
pub fn apply_until_stable(tries: u32, mut step: impl FnMut(u64) -> Option<u64>) -> u64 {
    let mut applied = 0;
    for _ in 0..tries {
        match step(applied) {
            Some(generation) if generation != applied => applied = generation,
            _ => break,
        }
    }
    applied
}

/// An event rule, as the consumer side states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRule {
    /// The channel that gets the events.
    pub slot: u32,
    /// Glob over `provider:name`.
    pub pattern: String,
    /// Globs of events that this rule does not want after all.
    pub exclusions: Vec<String>,
    /// Most severe level wanted.
    pub level_min: LogLevel,
    /// Least severe level wanted.
    pub level_max: LogLevel,
    /// The program of a filter ([`crate::filter::ProgramBuilder`]), empty for none.
    pub filter: Vec<u8>,
}

impl EventRule {
    /// The rule that wants every event of any level whose name matches.
    #[must_use]
    pub fn pattern(slot: u32, pattern: &str) -> Self {
        Self {
            slot,
            pattern: pattern.to_owned(),
            exclusions: Vec::new(),
            level_min: LogLevel::Emerg,
            level_max: LogLevel::Debug,
            filter: Vec::new(),
        }
    }
}

/// Makes the bytes of a rules file.
#[derive(Clone, Debug, Default)]
pub struct RulesBuilder {
    /// The channels.
    pub channels: Vec<Channel>,
    /// The event rules.
    pub rules: Vec<EventRule>,
    /// Which processes they are for; a slot without one is for all.
    pub trackers: Vec<Tracker>,
}

impl RulesBuilder {
    /// The file's bytes for this generation.
    ///
    /// # Errors
    /// What [`RulesView::parse`] would refuse: too many or too large rules, or a channel outside the limits.
    pub fn build(&self, generation: u64) -> Result<Vec<u8>, RulesError> {
        let range = |n: usize| u16::try_from(n).map_err(|_| RulesError::Range);
        let mut out = Vec::new();
        out.extend(RULES_MAGIC.to_le_bytes());
        out.extend(RULES_ABI.to_le_bytes());
        out.extend(0u32.to_le_bytes());
        out.extend(generation.to_le_bytes());
        out.extend((self.channels.len() as u32).to_le_bytes());
        out.extend((self.rules.len() as u32).to_le_bytes());
        for c in &self.channels {
            for word in [c.slot, c.mode as u32, c.subbuf_bytes, c.subbuf_count] {
                out.extend(word.to_le_bytes());
            }
            out.extend(c.block_timeout_us.to_le_bytes());
            out.extend(c.uid.to_le_bytes());
            out.extend(c.contexts.codes());
        }
        for r in &self.rules {
            out.extend(r.slot.to_le_bytes());
            out.extend([r.level_min as u8, r.level_max as u8]);
            out.extend(range(r.exclusions.len())?.to_le_bytes());
            for text in std::iter::once(&r.pattern).chain(&r.exclusions) {
                out.extend(range(text.len())?.to_le_bytes());
                out.extend(text.as_bytes());
            }
            out.extend((r.filter.len() as u32).to_le_bytes());
            out.extend(&r.filter);
        }
        for t in &self.trackers {
            for word in [t.slot, t.what as u32, t.ids.len() as u32].into_iter().chain(t.ids.iter().copied()) {
                out.extend(word.to_le_bytes());
            }
        }
        let total = u32::try_from(out.len()).map_err(|_| RulesError::Range)?;
        if let Some(field) = out.get_mut(12..16) {
            field.copy_from_slice(&total.to_le_bytes());
        }
        RulesView::parse(&out)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::filter::{Op, ProgramBuilder};

    fn builder() -> RulesBuilder {
        let channel = Channel {
            slot: 3,
            uid: 9,
            mode: LossMode::Block,
            subbuf_bytes: 65_536,
            subbuf_count: 8,
            block_timeout_us: u64::MAX,
            contexts: ContextList::new(&[Context::VTID, Context::PROCNAME]).expect("short"),
        };
        let mut all = EventRule::pattern(3, "shop:*");
        all.exclusions = vec!["shop:noisy*".into()];
        let mut severe = EventRule::pattern(5, "*");
        severe.level_max = LogLevel::Err;
        let mut filter = ProgramBuilder::default();
        filter.op(&Op::Integer(1));
        severe.filter = filter.build(1).expect("small");
        let tracker = |what, ids: &[u32]| Tracker { slot: 5, what, ids: ids.to_vec() };
        let trackers = vec![tracker(Tracked::Process, &[7, 8]), tracker(Tracked::User, &[1000])];
        RulesBuilder { channels: vec![channel], rules: vec![all, severe], trackers }
    }

    #[test]
    fn built_rules_are_read_back_and_decide_by_name_exclusion_and_level() {
        let builder = builder();
        let bytes = builder.build(7).expect("valid");
        let view = RulesView::parse(&bytes).expect("valid");
        assert_eq!(view.generation(), 7);
        assert_eq!(view.channels().collect::<Vec<_>>(), builder.channels);
        assert_eq!(view.slots_for(("shop", "checkout", 6)), (1 << 3, 0));
        assert_eq!(view.slots_for(("shop", "checkout", 3)), (1 << 3 | 1 << 5, 1 << 5));
        assert_eq!(view.slots_for(("shop", "noisy_one", 6)), (0, 0));
        assert_eq!(view.slots_for(("other", "x", 0)), (1 << 5, 1 << 5));
        assert_eq!(view.slots_for((&"p".repeat(300), "x", 0)), (0, 0));
    }

    #[test]
    fn a_slot_with_trackers_is_for_processes_that_all_of_them_have() {
        let mut builder = builder();
        let slots = |builder: &RulesBuilder, ids| {
            RulesView::parse(&builder.build(1).expect("valid")).expect("valid").slots_of_process(ids)
        };
        let without = !(1u64 << 5);
        assert_eq!(slots(&builder, [8, 1000, 0]), u64::MAX);
        assert_eq!((slots(&builder, [9, 1000, 0]), slots(&builder, [8, 0, 0])), (without, without));
        builder.trackers.push(Tracker { slot: 3, what: Tracked::Group, ids: Vec::new() });
        assert_eq!(slots(&builder, [8, 1000, 0]), !(1 << 3), "for nobody");
        builder.trackers[0].ids = vec![1; TRACKED_ID_COUNT_MAX + 1];
        assert!(builder.build(1).is_err());
    }

    #[test]
    fn rules_cut_at_any_byte_or_with_any_bit_toggled_are_refused_or_read_without_harm() {
        let bytes = builder().build(7).expect("valid");
        for len in 0..bytes.len() {
            assert!(RulesView::parse(&bytes[..len]).is_err(), "cut at {len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(view) = RulesView::parse(&damaged) {
                let _ = view.slots_for(("shop", "checkout", 6));
                let _ = view.programs_for(("other", "x", 0)).count();
                let _ = view.slots_of_process([7, 1000, 0]);
                assert!(view.channels().count() <= CHANNEL_COUNT_MAX);
            }
        }
    }
}

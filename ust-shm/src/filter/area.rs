// SPDX-License-Identifier: MIT OR Apache-2.0
//! The filter area of an image: entries of linked programs, one for each tracepoint about which there is something special.
//!
//! | word                  | stored by         | meaning                                                          |
//! |-----------------------|-------------------|------------------------------------------------------------------|
//! | `filter_seq`          | whoever applies   | number of the newest application; it writes to half `number % 2` |
//! | filter word           | whoever applies   | application, place and length of the tracepoint's entry          |
//! | words of the entry    | whoever applies   | final once the filter word names them                            |
//!
//! A1. An application takes its number before it writes to its half.
//! A2. It stores a filter word when the entry is complete, and the enable word after that.
//! A3. A reader that has used an entry looks at `filter_seq` again: an entry of the newest application or the one before it was
//!     whole all the time. Else its half may have been written to meanwhile: the reader begins again with the enable word.
//! A4. An application that finds its number older than that ends: its half is being written to by another one.
//!
//! | step                       | ordering        | pairs with                | why                                                   |
//! |----------------------------|-----------------|---------------------------|-------------------------------------------------------|
//! | add to `filter_seq`        | AcqRel, fence   | reader's fence            | a reader that sees a word of the new entry sees the number |
//! | store the filter word      | Release         | reader's load of it       | the entry is complete                                 |
//! | load the filter word       | Acquire         | the above                 |                                                       |
//! | fence, load `filter_seq`   | Acquire fence   | the applier's fence       | a half that was written to is noticed                 |

use super::link::{Fields, link};
use super::run::{ContextSource, Corrupt, SoleComparison, run};
use crate::atomics::{AtomicU64, Ordering, fence};
use crate::head::{Head, store_word};
use crate::layout::{FILTERS_BYTES, FILTERS_OFFSET};
use crate::limits::{FILTER_COUNT_MAX, OWN_SLOT, SPECIAL_BIT};
use crate::region::{Region, Words};
use crate::rules::RulesView;

const HALF_BYTES: u64 = FILTERS_BYTES / 2;

/// Words of an entry before its list of programs: slots, and how many programs.
const ENTRY_WORDS: u32 = 2;

/// A filter word, taken apart.
#[derive(Clone, Copy)]
struct Name {
    number: u16,
    /// 0: the entry could not be made.
    words: u32,
    /// In words, from the area's begin.
    at: u32,
}

impl Name {
    const FIELD: u64 = (1 << 24) - 1;

    fn pack(self) -> u64 {
        u64::from(self.number) << 48 | (u64::from(self.words) & Self::FIELD) << 24 | u64::from(self.at) & Self::FIELD
    }

    fn unpack(word: u64) -> Self {
        Self { number: (word >> 48) as u16, words: (word >> 24 & Self::FIELD) as u32, at: (word & Self::FIELD) as u32 }
    }
}

/// One pass over all tracepoints of an image that makes the rules theirs.
#[derive(Debug)]
pub struct Application<'a, P> {
    head: Head,
    rules: RulesView<'a>,
    mask: u64,
    number: u64,
    half: Region,
    half_at: u64,
    used: u64,
    context_slots: u64,
    /// Makes sure that a part of the area exists: offset in the image, bytes.
    provide: P,
    provided: u64,
}

impl<'a, P: FnMut(u64, u64) -> bool> Application<'a, P> {
    /// Begins: writes the channel table. Only the channel slots of `mask` are to get events of this process, and its own, which stays as it is.
    ///
    /// `provide(offset, bytes)` makes sure that a part of the image has memory, so that nobody who touches it gets a SIGBUS.
    #[must_use]
    pub fn begin(head: Head, rules: RulesView<'a>, mask: u64, provide: P) -> Option<Self> {
        head.store_channels(&rules);
        // AcqRel and the fence: whoever sees what is written to the half below sees the number.
        let number = head.header()?.filter_seq.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        fence(Ordering::Release);
        let half_at = HALF_BYTES * (number % 2);
        let half = head.region().part(FILTERS_OFFSET + half_at, HALF_BYTES)?;
        let with_contexts = |channel: &crate::rules::Channel| !channel.contexts.is_empty();
        let context_slots = rules.channels().filter(with_contexts).fold(0, |slots, c| slots | 1 << c.slot);
        Some(Self { head, rules, mask, number, half, half_at, used: 0, context_slots, provide, provided: 0 })
    }

    /// Makes the rules those of one tracepoint; `false` where a newer application has taken over, which does it then.
    pub fn apply<F: Fields + ?Sized>(
        &mut self,
        event: (&str, &str, u8),
        fields: &F,
        enable: &AtomicU64,
        filter: &AtomicU64,
    ) -> bool {
        if self.is_outdated() {
            return false;
        }
        let (wanted, filtered) = self.rules.slots_for(event);
        // Set by the program before anybody else saw the word, and by nobody since: the store below finds it as this load does.
        let own = enable.load(Ordering::Relaxed) & 1 << OWN_SLOT;
        let (wanted, filtered) = (wanted & self.mask | own, filtered & self.mask);
        if filtered == 0 && wanted & self.context_slots == 0 {
            store_word(enable, wanted);
            return true;
        }
        let begin = self.used;
        let name = match self.write_entry(event, fields, wanted, filtered) {
            Some(()) => Name { words: ((self.used - begin) / 8) as u32, ..self.name_at(begin) },
            None => {
                self.used = begin;
                self.name_at(begin)
            }
        };
        filter.store(name.pack(), Ordering::Release); // A2; pairs with `Entry::load`
        store_word(enable, wanted | 1 << SPECIAL_BIT);
        true
    }

    /// Ends: the image has these rules now.
    pub fn end(self) {
        if let Some(header) = self.head.header() {
            header.rules_generation.store(self.rules.generation(), Ordering::Release);
        }
    }

    fn is_outdated(&self) -> bool {
        self.head.header().is_none_or(|h| h.filter_seq.load(Ordering::Relaxed).wrapping_sub(self.number) > 1)
    }

    fn name_at(&self, at: u64) -> Name {
        Name { number: self.number as u16, words: 0, at: ((self.half_at + at) / 8) as u32 }
    }

    /// `None` where there is no room or no memory, or a record is beyond all limits.
    fn write_entry<F: Fields + ?Sized>(
        &mut self,
        event: (&str, &str, u8),
        fields: &F,
        wanted: u64,
        filtered: u64,
    ) -> Option<()> {
        let rules = self.rules;
        let programs = || rules.programs_for(event).filter(|(slot, _)| filtered & 1 << slot != 0);
        let count = programs().count();
        if count > FILTER_COUNT_MAX {
            return None;
        }
        let begin = self.used;
        self.push(wanted)?;
        self.push(count as u64)?;
        let list = self.used;
        for _ in 0..count {
            self.push(0)?;
        }
        for (i, (slot, program)) in (0..).zip(programs()) {
            let at = self.used;
            let mut fits = true;
            link(&program, fields, &mut |word| fits = fits && self.push(word).is_some())?;
            if !fits {
                return None;
            }
            let place = (at - begin) / 8;
            let words = (self.used - at) / 8;
            let listed = u64::from(slot) << 48 | words << 24 | place;
            self.half.word(list + 8 * i)?.store(listed, Ordering::Relaxed);
        }
        Some(())
    }

    fn push(&mut self, word: u64) -> Option<()> {
        /// Pages of the supported machines are at most so large.
        const STEP_BYTES: u64 = 4096;
        if self.used >= self.provided {
            if self.used >= HALF_BYTES || !(self.provide)(FILTERS_OFFSET + self.half_at + self.provided, STEP_BYTES) {
                return None;
            }
            self.provided += STEP_BYTES;
        }
        self.half.word(self.used)?.store(word, Ordering::Relaxed);
        self.used += 8;
        Some(())
    }
}

/// The filter area of an image, as a traced program reads it.
#[derive(Clone, Copy, Debug)]
pub struct Area<'a> {
    words: Words,
    seq: &'a AtomicU64,
}

impl<'a> Area<'a> {
    /// That of the image with this head.
    #[inline]
    #[must_use]
    pub fn of(head: &'a Head) -> Option<Self> {
        let words = head.region().words(FILTERS_OFFSET, (FILTERS_BYTES / 8) as u32)?;
        Some(Self { words, seq: &head.header()?.filter_seq })
    }
}

/// What there is special about a tracepoint, as its filter word named it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    words: Words,
    number: u16,
}

impl Entry {
    /// The entry that a filter word names; `None` where there is none, or the word is corrupt.
    ///
    /// `is_there(offset, bytes)` says whether a part of the image has memory.
    #[inline]
    #[must_use]
    pub fn load(area: &Area<'_>, filter: &AtomicU64, is_there: impl FnOnce(u64, u64) -> bool) -> Option<Self> {
        let name = Name::unpack(filter.load(Ordering::Acquire)); // pairs with `Application::apply`
        let words = area.words.part(name.at, name.words).filter(|words| words.count() >= ENTRY_WORDS)?;
        let there = is_there(FILTERS_OFFSET + 8 * u64::from(name.at), 8 * u64::from(name.words));
        there.then_some(Self { words, number: name.number })
    }

    #[inline(always)]
    fn word(&self, idx: u32) -> Result<u64, Corrupt> {
        self.words.load(idx).ok_or(Corrupt)
    }

    /// Whether it was whole until now (A3).
    #[inline]
    #[must_use]
    pub fn is_current(&self, area: &Area<'_>) -> bool {
        fence(Ordering::Acquire);
        (area.seq.load(Ordering::Relaxed) as u16).wrapping_sub(self.number) <= 1
    }

    /// Whether there are programs to ask, for which a record is needed.
    #[inline]
    #[must_use]
    pub fn has_programs(&self) -> bool {
        self.word(1).is_ok_and(|count| count != 0)
    }

    /// [`Entry::slots`], if there is one program and it is one comparison, which `ask` answers; `None` where either is not so.
    #[inline(always)]
    #[must_use]
    pub fn slots_of_one(&self, ask: impl FnOnce(&SoleComparison) -> Option<bool>) -> Option<u64> {
        let [wanted, count, listed] = [0, 1, 2].map(|idx| self.words.load(idx).unwrap_or(0));
        let (slot, words, at) = listed_program(listed);
        if count != 1 || slot >= u64::from(SPECIAL_BIT) {
            return None;
        }
        let accepts = ask(&SoleComparison::load(self.words.part(at, words)?)?)?;
        Some(wanted & !(u64::from(!accepts) << slot) & !(1 << SPECIAL_BIT))
    }

    /// The channel slots that want the event with this record: those without a program, and those of which one program says yes.
    ///
    /// # Errors
    /// [`Corrupt`], also where another program said yes.
    #[inline(never)]
    pub fn slots(&self, record: &[u8], contexts: &impl ContextSource) -> Result<u64, Corrupt> {
        if let Some(slots) = self.slots_of_one(|test| test.run_on(record)) {
            return Ok(slots);
        }
        let wanted = self.word(0)? & !(1 << SPECIAL_BIT);
        let count = self.word(1)?;
        if count > FILTER_COUNT_MAX as u64 {
            return Err(Corrupt);
        }
        let (mut asked, mut accepted) = (0u64, 0u64);
        for i in 0..count as u32 {
            let (slot, words, at) = listed_program(self.word(ENTRY_WORDS + i)?);
            if slot >= u64::from(SPECIAL_BIT) {
                return Err(Corrupt);
            }
            asked |= 1 << slot;
            if accepted & 1 << slot != 0 {
                continue;
            }
            if run(self.words.part(at, words).ok_or(Corrupt)?, record, contexts)? {
                accepted |= 1 << slot;
            }
        }
        Ok(wanted & (accepted | !asked))
    }
}

/// Slot, words and place in the entry of a program.
#[inline(always)]
fn listed_program(listed: u64) -> (u64, u32, u32) {
    (listed >> 48, (listed >> 24 & Name::FIELD) as u32, (listed & Name::FIELD) as u32)
}

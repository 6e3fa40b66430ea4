// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conditionals that a place of a file stands in.
//!
//! A condition whose names are all known (numbers, macros of the file, `-D`) is decided. Any other is kept: its definitions carry it
//! with them. What a compiler without `-D` would do, for which unknown names are zero, is remembered besides.

use crate::macros::{Branch, Table};

/// What is known of a condition.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// It holds, or it does not.
    Decided(bool),
    /// It depends on names that are not known; with all of them zero it holds, or does not.
    Open { text: String, usual: bool },
}

#[derive(Debug)]
struct Level {
    /// Its number in the file.
    number: usize,
    /// The branch it is in.
    branch: usize,
    /// An earlier branch was taken for certain.
    taken: bool,
    /// An earlier branch was taken, by a compiler without `-D`.
    usually_taken: bool,
    /// What the current branch is.
    now: Verdict,
    /// The conditions of earlier branches, negated.
    earlier: Vec<String>,
}

/// The conditionals around a place, outermost first.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    levels: Vec<Level>,
    /// Conditionals so far.
    count: usize,
}

impl Conditions {
    /// Begins a conditional.
    pub(crate) fn begin(&mut self, verdict: Verdict, table: &mut Table) {
        let level = Level {
            number: self.count,
            branch: 0,
            taken: false,
            usually_taken: false,
            now: Verdict::Decided(false),
            earlier: Vec::new(),
        };
        self.count += 1;
        self.levels.push(level);
        self.enter(verdict, table);
    }

    /// Goes on with the next branch; `#else` is one that holds. Returns whether there is a conditional.
    pub(crate) fn next(&mut self, verdict: Verdict, table: &mut Table) -> bool {
        let Some(level) = self.levels.last_mut() else { return false };
        match std::mem::replace(&mut level.now, Verdict::Decided(false)) {
            Verdict::Decided(held) => level.taken |= held,
            Verdict::Open { text, .. } => level.earlier.push(negated(&text)),
        }
        level.branch += 1;
        self.enter(verdict, table);
        true
    }

    fn enter(&mut self, verdict: Verdict, table: &mut Table) {
        let Some(level) = self.levels.last_mut() else { return };
        let own = match &verdict {
            Verdict::Decided(holds) => *holds,
            Verdict::Open { usual, .. } => *usual,
        };
        let usual = own && !level.usually_taken;
        level.usually_taken |= usual;
        level.now = match verdict {
            _ if level.taken => Verdict::Decided(false),
            // Only the branches before are open: this one holds where none of them does.
            Verdict::Decided(true) if !level.earlier.is_empty() => Verdict::Open { text: String::new(), usual },
            Verdict::Open { text, .. } => Verdict::Open { text, usual },
            decided => decided,
        };
        if usual {
            table.usual.push((level.number, level.branch));
        }
    }

    /// Ends the innermost conditional. Returns whether there is one.
    pub(crate) fn end(&mut self) -> bool {
        self.levels.pop().is_some()
    }

    /// Tells whether the place can be reached at all.
    pub(crate) fn is_reachable(&self) -> bool {
        !self.levels.iter().any(|level| matches!(level.now, Verdict::Decided(false)))
    }

    /// Returns the branches that are not decided.
    pub(crate) fn branches(&self) -> Vec<Branch> {
        let open = self.levels.iter().filter(|level| matches!(level.now, Verdict::Open { .. }));
        open.map(|level| (level.number, level.branch)).collect()
    }

    /// Returns the conditions that hold here.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for level in &self.levels {
            let Verdict::Open { text, .. } = &level.now else { continue };
            texts.extend(level.earlier.iter().cloned());
            texts.extend((!text.is_empty()).then(|| text.clone()));
        }
        texts
    }

    /// Tells whether a compiler without `-D` sees the place.
    pub(crate) fn is_usual(&self) -> bool {
        self.levels.iter().all(|level| match level.now {
            Verdict::Decided(holds) => holds,
            Verdict::Open { usual, .. } => usual,
        })
    }
}

/// The opposite of a condition, as text.
pub(crate) fn negated(text: &str) -> String {
    let is_simple = |text: &str| text.starts_with("defined(") && text.ends_with(')') && text.matches('(').count() == 1;
    match text.strip_prefix('!') {
        Some(inner) if is_simple(inner) => inner.to_owned(),
        _ if is_simple(text) => format!("!{text}"),
        _ => format!("!({text})"),
    }
}

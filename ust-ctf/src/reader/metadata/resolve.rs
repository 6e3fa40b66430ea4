// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the fields to which lengths and selectors refer, and gives each a slot.
//!
//! A reference can have several targets: in a variant each option can have a field of that name, and the one that
//! was read last counts. All targets of a reference share one slot, so two references whose targets overlap get
//! one slot for all of them; [`Slots`] remembers which slots became one.

use super::Result;
use super::draft::{Choice, Draft, Kind, Origin, Reference, Scope, Step};
use super::tree::{Depends, Tree};
use crate::class::{Mapping, Range, Selector, Slot};
use crate::limits::REFERENCE_STEPS_MAX;
use crate::reader::error::Complaint;

/// The scopes of one event, as far as they are there.
pub(super) type Scopes = [Option<Tree>; Scope::COUNT];

/// The slots of a trace.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// What a slot became, by its number; itself if nothing else.
    became: Vec<u32>,
    /// Steps that searches took.
    steps: u64,
}

impl Slots {
    pub(super) fn count(&self) -> usize {
        self.became.len()
    }

    fn fresh(&mut self) -> Slot {
        let slot = self.became.len() as u32;
        self.became.push(slot);
        Slot(slot)
    }

    /// Returns the slot that `slot` is now.
    pub(super) fn now(&self, slot: Slot) -> Slot {
        let mut slot = slot.0;
        while self.became[slot as usize] != slot {
            slot = self.became[slot as usize];
        }
        Slot(slot)
    }

    fn merge(&mut self, a: Slot, b: Slot) -> Slot {
        let (a, b) = (self.now(a), self.now(b));
        // The older one stays: what is built already has its number.
        let (old, new) = if a.0 < b.0 { (a, b) } else { (b, a) };
        self.became[new.0 as usize] = old.0;
        old
    }

    fn step(&mut self, at: usize, count: usize) -> Result<()> {
        self.steps = self.steps.saturating_add(count as u64);
        if self.steps > REFERENCE_STEPS_MAX {
            return Err(Complaint::new(
                at,
                "the lengths and selectors of this trace refer to too much to follow them all",
            ));
        }
        Ok(())
    }
}

/// A field and where it is.
type Target = (Scope, u32);

/// Resolves what the fields of `scope` refer to.
///
/// With `names_options`, as in CTF 1.8, a path names the options of variants that it goes through; without, it goes
/// through all of them.
pub(super) fn resolve(scopes: &mut Scopes, scope: Scope, slots: &mut Slots, names_options: bool) -> Result<()> {
    let from = |idx| ((scope, idx), names_options);
    let count = scopes[scope as usize].as_ref().map_or(0, Tree::len);
    for idx in 0..count {
        let Some(tree) = &scopes[scope as usize] else { break };
        let draft = std::sync::Arc::clone(&tree.node(idx).draft);
        let depends = match &draft.kind {
            Kind::Sequence { length, .. } | Kind::DynamicText { length, .. } | Kind::DynamicBlob { length, .. } => {
                let mut search = Search::new(scopes, slots, from(idx));
                let targets = search.targets(length)?;
                search.check_length(length, &targets)?;
                Depends::Length(save(scopes, slots, &targets))
            }
            Kind::Optional { selector, ranges, .. } => {
                let mut search = Search::new(scopes, slots, from(idx));
                let targets = search.targets(selector)?;
                let (is_signed, ranges) = search.optional(selector, &targets, ranges.as_deref())?;
                let slot = save(scopes, slots, &targets);
                Depends::Selector(Selector { slot, is_signed }, vec![ranges])
            }
            Kind::Variant { selector, options } => {
                let Some(selector) = selector else {
                    return Err(Complaint::new(draft.at, "this variant has no tag: write `variant <TAG>`"));
                };
                let mut search = Search::new(scopes, slots, from(idx));
                let targets = search.targets(selector)?;
                let (is_signed, ranges) = search.variant(selector, &targets, options)?;
                let slot = save(scopes, slots, &targets);
                Depends::Selector(Selector { slot, is_signed }, ranges)
            }
            _ => continue,
        };
        if let Some(tree) = &mut scopes[scope as usize] {
            tree.node_mut(idx).depends = Some(Box::new(depends));
        }
    }
    Ok(())
}

/// Gives all `targets` one slot.
fn save(scopes: &mut Scopes, slots: &mut Slots, targets: &[Target]) -> Slot {
    let mut slot: Option<Slot> = None;
    for (scope, idx) in targets {
        let Some(tree) = &scopes[*scope as usize] else { continue };
        let old = tree.node(tree.member_of(*idx)).save;
        slot = match (slot, old) {
            (Some(a), Some(b)) => Some(slots.merge(a, b)),
            (a, b) => a.or(b),
        };
    }
    let slot = slot.unwrap_or_else(|| slots.fresh());
    for (scope, idx) in targets {
        if let Some(tree) = &mut scopes[*scope as usize] {
            let member = tree.member_of(*idx);
            tree.node_mut(member).save = Some(slot);
        }
    }
    slot
}

struct Search<'s> {
    scopes: &'s Scopes,
    slots: &'s mut Slots,
    /// The field that refers.
    from: Target,
    names_options: bool,
}

impl<'s> Search<'s> {
    fn new(scopes: &'s Scopes, slots: &'s mut Slots, (from, names_options): (Target, bool)) -> Self {
        Self { scopes, slots, from, names_options }
    }

    fn tree(&self, scope: Scope) -> Option<&Tree> {
        self.scopes[scope as usize].as_ref()
    }

    fn draft(&self, (scope, idx): Target) -> Option<&Draft> {
        self.tree(scope).map(|tree| &*tree.node(idx).draft)
    }

    /// Returns the fields that `reference` can mean, at least one.
    fn targets(&mut self, reference: &Reference) -> Result<Vec<Target>> {
        let missing = |what: &str| Complaint::new(reference.at, format!("`{}` {what}", reference.text()));
        let (scope, start) = self.start(reference)?;
        let scopes = self.scopes;
        let Some(tree) = &scopes[scope as usize] else {
            return Err(missing("is in a scope that this trace does not have"));
        };
        let mut found = vec![start];
        for (step_idx, step) in reference.path.iter().enumerate() {
            let is_last = step_idx + 1 == reference.path.len();
            let mut next = Vec::new();
            for idx in found {
                match step {
                    Step::Parent => next.extend(tree.structure_around(idx)),
                    Step::Member(name) => {
                        if let Some(member) = self.member(tree, idx, name) {
                            self.open(tree, member, is_last, &mut next);
                        }
                    }
                }
            }
            // Parents of several options can be one structure.
            next.dedup();
            self.slots.step(reference.at, next.len() + 1)?;
            found = next;
        }
        let targets: Vec<Target> = found.into_iter().map(|idx| (scope, idx)).collect();
        if targets.is_empty() { Err(missing("is not a field before this one")) } else { Ok(targets) }
    }

    /// Returns where the path of `reference` starts.
    fn start(&mut self, reference: &Reference) -> Result<Target> {
        let (scope, from) = self.from;
        match reference.origin {
            Origin::Scope(origin) if origin <= scope => Ok((origin, 0)),
            Origin::Scope(_) => {
                Err(Complaint::new(reference.at, format!("`{}` is in a scope that is read later", reference.text())))
            }
            Origin::Here => Ok((scope, self.tree(scope).and_then(|tree| tree.structure_around(from)).unwrap_or(0))),
            Origin::Outwards => {
                let Some(Step::Member(name)) = reference.path.first() else { return Ok((scope, 0)) };
                let mut around = self.tree(scope).and_then(|tree| tree.structure_around(from));
                while let (Some(tree), Some(idx)) = (self.tree(scope), around) {
                    if self.member(tree, idx, name).is_some() {
                        return Ok((scope, idx));
                    }
                    around = tree.structure_around(idx);
                }
                Ok((scope, 0))
            }
        }
    }

    /// Returns the member `name` of the structure `idx`, if it is read before the field that refers, or is around it.
    fn member(&self, tree: &Tree, idx: u32, name: &str) -> Option<u32> {
        let position = match &tree.node(idx).draft.kind {
            Kind::Struct(members) => members.position(name)?,
            Kind::Variant { options, .. } => {
                options.iter().position(|option| option.name.as_deref() == Some(name))? as u32
            }
            _ => return None,
        };
        let (scope, from) = self.from;
        let is_read = scope != tree.scope
            || tree.child_towards(idx, from).is_none_or(|child| {
                let reached = tree.node(child).position;
                position < reached || (position == reached && child != from)
            });
        is_read.then(|| tree.children(idx).start + position)
    }

    /// Adds what a path can go on with, or end with, at `idx`: options and elements are seen through.
    fn open(&mut self, tree: &Tree, idx: u32, is_last: bool, found: &mut Vec<u32>) {
        self.slots.steps = self.slots.steps.saturating_add(1);
        if self.slots.steps > REFERENCE_STEPS_MAX {
            return;
        }
        let (scope, from) = self.from;
        let towards = if scope == tree.scope { tree.child_towards(idx, from) } else { None };
        match &tree.node(idx).draft.kind {
            Kind::Struct(_) => found.push(idx),
            Kind::Variant { options, .. } if self.names_options && towards.is_none() => {
                self.slots.steps = self.slots.steps.saturating_add(options.len() as u64);
                if !is_last {
                    found.push(idx);
                }
            }
            Kind::Array { .. } | Kind::Sequence { .. } => {
                // Only the element that is being read has a name here.
                if let Some(element) = towards {
                    self.open(tree, element, is_last, found);
                }
            }
            Kind::Optional { .. } | Kind::Variant { .. } => {
                let options = towards.map_or(tree.children(idx), |option| option..option + 1);
                for option in options {
                    self.open(tree, option, is_last, found);
                }
            }
            // What it is, the caller checks.
            _ if is_last => found.push(idx),
            _ => {}
        }
    }

    fn check_length(&self, length: &Reference, targets: &[Target]) -> Result<()> {
        let is_unsigned = |target: &Target| matches!(self.draft(*target).map(|draft| &draft.kind), Some(Kind::Integer(integer)) if !integer.class.is_signed);
        if targets.iter().all(is_unsigned) {
            return Ok(());
        }
        Err(Complaint::new(length.at, format!("the length `{}` must be an unsigned integer", length.text())))
    }

    /// Tells whether the integers `targets` are signed; they must all be alike.
    fn integers(&self, selector: &Reference, targets: &[Target]) -> Result<bool> {
        let mut signs = targets.iter().map(|target| match self.draft(*target).map(|draft| &draft.kind) {
            Some(Kind::Integer(integer)) => Some(integer.class.is_signed),
            _ => None,
        });
        let first = signs.next().flatten();
        match first {
            Some(is_signed) if signs.all(|sign| sign == first) => Ok(is_signed),
            _ => Err(Complaint::new(
                selector.at,
                format!("the selector `{}` must be integers that are all signed or all unsigned", selector.text()),
            )),
        }
    }

    fn optional(
        &mut self,
        selector: &Reference,
        targets: &[Target],
        ranges: Option<&[Range]>,
    ) -> Result<(bool, Vec<Range>)> {
        let is_bool = |target: &Target| matches!(self.draft(*target).map(|draft| &draft.kind), Some(Kind::Bits(bits)) if bits.is_bool);
        if targets.iter().all(is_bool) {
            return Ok((false, vec![Range { low: 1, high: 1 }]));
        }
        let is_signed = self.integers(selector, targets)?;
        match ranges {
            Some(ranges) => Ok((is_signed, ranges.to_vec())),
            None => Err(Complaint::new(
                selector.at,
                format!("the selector `{}` is an integer, so `selector-field-ranges` must be here", selector.text()),
            )),
        }
    }

    fn variant(
        &mut self,
        selector: &Reference,
        targets: &[Target],
        options: &[Choice],
    ) -> Result<(bool, Vec<Vec<Range>>)> {
        let is_signed = self.integers(selector, targets)?;
        let has_ranges = options.iter().all(|option| option.ranges.is_some());
        let mut all = Vec::with_capacity(options.len());
        if has_ranges {
            for option in options {
                let ranges = option.ranges.clone().unwrap_or_default();
                self.slots.step(selector.at, ranges.len())?;
                all.push(ranges);
            }
            return check_disjoint(selector.at, &all).map(|()| (is_signed, all));
        }
        let mappings = self.labels(selector, targets)?;
        self.slots.step(selector.at, mappings.len())?;
        let by_label: std::collections::HashMap<&str, &[Range]> =
            mappings.iter().map(|mapping| (mapping.label.as_str(), mapping.ranges.as_slice())).collect();
        for option in options {
            let name = option.name.as_deref().unwrap_or_default();
            let Some(ranges) = by_label.get(name) else {
                let message = format!("the option `{name}` is not a label of the tag `{}`", selector.text());
                return Err(Complaint::new(option.at, message));
            };
            self.slots.step(selector.at, ranges.len())?;
            all.push(ranges.to_vec());
        }
        check_disjoint(selector.at, &all)?;
        Ok((is_signed, all))
    }

    /// Returns the labels of the enumerations `targets`, which must be alike.
    fn labels(&self, selector: &Reference, targets: &[Target]) -> Result<std::sync::Arc<[Mapping]>> {
        let mut labels = targets.iter().map(|target| match self.draft(*target).map(|draft| &draft.kind) {
            Some(Kind::Integer(integer)) if integer.class.is_enumeration => Some(&integer.class.mappings),
            _ => None,
        });
        let first = labels.next().flatten();
        match first {
            Some(mappings) if labels.all(|other| other == first) => Ok(std::sync::Arc::clone(mappings)),
            _ => Err(Complaint::new(
                selector.at,
                format!("the tag `{}` of a variant must be an enumeration", selector.text()),
            )),
        }
    }
}

/// Refuses a value for which two options stand.
fn check_disjoint(at: usize, options: &[Vec<Range>]) -> Result<()> {
    let mut all: Vec<(i128, i128, usize)> = Vec::new();
    for (option, ranges) in options.iter().enumerate() {
        all.extend(ranges.iter().map(|range| (range.low, range.high, option)));
    }
    all.sort_unstable();
    // In the order of their begins, a range meets an earlier one exactly if it meets the one that reaches furthest.
    let mut furthest: Option<(i128, usize)> = None;
    for (low, high, option) in all {
        match furthest {
            Some((reach, other)) if other != option && low <= reach => {
                return Err(Complaint::new(
                    at,
                    format!("more than one option of this variant stands for the value {low}"),
                ));
            }
            Some((reach, _)) if high <= reach => {}
            _ => furthest = Some((high, option)),
        }
    }
    Ok(())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields of one scope, each at its place: a draft with every alias replaced.
//!
//! A node is one field; nodes refer to each other by index. What a decoder must keep ([`Node::save`]) and what
//! a field is used for ([`Node::role`]) depend on the place, so they are here and not in the shared draft.

use std::ops::Range as IdxRange;
use std::sync::Arc;

use super::draft::{Draft, Kind, Scope};
use crate::class::{Range, Role, Selector, Slot};

/// One scope of a packet or an event.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) scope: Scope,
    /// The first one is the structure of the whole scope.
    pub(super) nodes: Vec<Node>,
}

/// One field.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) draft: Arc<Draft>,
    /// What it is in; the root is in itself.
    pub(super) parent: u32,
    /// Its number in what it is in.
    pub(super) position: u32,
    children: IdxRange<u32>,
    pub(super) save: Option<Slot>,
    pub(super) role: Option<Role>,
    pub(super) depends: Option<Box<Depends>>,
}

/// On which kept value a field depends.
#[derive(Debug)]
pub(super) enum Depends {
    Length(Slot),
    /// The ranges of each option.
    Selector(Selector, Vec<Vec<Range>>),
}

impl Tree {
    /// Returns the fields of `draft`, the structure of `scope`.
    pub(super) fn new(scope: Scope, draft: &Arc<Draft>) -> Self {
        let mut tree = Self { scope, nodes: Vec::new() };
        tree.push(draft, 0, 0);
        tree.expand(0);
        tree
    }

    fn push(&mut self, draft: &Arc<Draft>, parent: u32, position: u32) {
        let draft = Arc::clone(draft);
        self.nodes.push(Node { draft, parent, position, children: 0..0, save: None, role: None, depends: None });
    }

    /// Adds what is in `idx`; the depth of a draft bounds the calls, its cost the nodes.
    fn expand(&mut self, idx: u32) {
        let draft = Arc::clone(&self.node(idx).draft);
        let first = self.nodes.len() as u32;
        match &draft.kind {
            Kind::Struct(members) => {
                for (position, member) in members.list().iter().enumerate() {
                    self.push(&member.draft, idx, position as u32);
                }
            }
            Kind::Variant { options, .. } => {
                for (position, option) in options.iter().enumerate() {
                    self.push(&option.draft, idx, position as u32);
                }
            }
            Kind::Array { element, .. } | Kind::Sequence { element, .. } => self.push(element, idx, 0),
            Kind::Optional { class, .. } => self.push(class, idx, 0),
            _ => {}
        }
        let children = first..self.nodes.len() as u32;
        self.node_mut(idx).children = children.clone();
        for child in children {
            self.expand(child);
        }
    }

    pub(super) fn node(&self, idx: u32) -> &Node {
        &self.nodes[idx as usize]
    }

    pub(super) fn node_mut(&mut self, idx: u32) -> &mut Node {
        &mut self.nodes[idx as usize]
    }

    /// Returns where `idx` is written: its name if it has one, not the alias of its class.
    pub(super) fn at(&self, idx: u32) -> usize {
        let node = self.node(idx);
        let position = node.position as usize;
        match &self.node(node.parent).draft.kind {
            Kind::Struct(members) if idx != 0 => members.list().get(position).map_or(node.draft.at, |member| member.at),
            Kind::Variant { options, .. } => options.get(position).map_or(node.draft.at, |option| option.at),
            _ => node.draft.at,
        }
    }

    /// Returns what is in `idx`, in order.
    pub(super) fn children(&self, idx: u32) -> IdxRange<u32> {
        self.node(idx).children.clone()
    }

    pub(super) fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    pub(super) fn is_struct(&self, idx: u32) -> bool {
        matches!(self.node(idx).draft.kind, Kind::Struct(_))
    }

    /// Returns the innermost structure around `idx`, if there is one.
    pub(super) fn structure_around(&self, idx: u32) -> Option<u32> {
        let mut idx = idx;
        while idx != 0 {
            idx = self.node(idx).parent;
            if self.is_struct(idx) {
                return Some(idx);
            }
        }
        None
    }

    /// Returns the member of a structure that `idx` is or is the value of, through options and elements.
    pub(super) fn member_of(&self, idx: u32) -> u32 {
        let mut idx = idx;
        while idx != 0 && !self.is_struct(self.node(idx).parent) {
            idx = self.node(idx).parent;
        }
        idx
    }

    /// Returns the child of `idx` that is around `inner` or is it; none if `idx` is not around it.
    pub(super) fn child_towards(&self, idx: u32, inner: u32) -> Option<u32> {
        let mut child = inner;
        while child != 0 {
            let parent = self.node(child).parent;
            if parent == idx {
                return Some(child);
            }
            child = parent;
        }
        None
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns a tree whose references are resolved into the classes that a decoder reads by.

use std::sync::Arc;

use super::draft::Kind;
use super::resolve::Slots;
use super::tree::{Depends, Tree};
use crate::class::{
    ArrayClass, BlobClass, ByteOrder, Class, ClassKind, FloatClass, IntegerClass, Length, Member, OptionalClass, Range,
    Selector, Slot, StructClass, TextClass, VariantClass, VariantOption,
};

/// What the classes of one trace have in common.
pub(super) struct Builder<'s> {
    /// Byte order of what names none.
    pub(super) native: ByteOrder,
    pub(super) slots: &'s Slots,
    /// CTF 1.8: names lose one leading underscore.
    pub(super) strips_names: bool,
}

impl Builder<'_> {
    /// Returns the structure of a whole scope.
    pub(super) fn scope(&self, tree: &Tree) -> StructClass {
        self.structure(tree, 0)
    }

    fn class(&self, tree: &Tree, idx: u32) -> Class {
        let node = tree.node(idx);
        let depends = node.depends.as_deref();
        let kind = match &node.draft.kind {
            Kind::Integer(integer) => {
                let byte_order = if integer.is_native { self.native } else { integer.class.byte_order };
                ClassKind::Integer(IntegerClass { byte_order, ..integer.class.clone() })
            }
            Kind::Float(float) => ClassKind::Float(FloatClass {
                bits: float.bits,
                byte_order: float.byte_order.unwrap_or(self.native),
                is_bit_reversed: float.is_bit_reversed,
            }),
            Kind::Bits(bits) => {
                let (byte_order, is_bit_reversed, flags) = (bits.byte_order, bits.is_bit_reversed, &bits.flags);
                match bits.is_bool {
                    true => ClassKind::Bool { bits: bits.bits, byte_order, is_bit_reversed },
                    false => {
                        ClassKind::BitArray { bits: bits.bits, byte_order, is_bit_reversed, flags: Arc::clone(flags) }
                    }
                }
            }
            Kind::Plain(kind) => kind.clone(),
            Kind::StaticBlob(blob, _) => ClassKind::StaticBlob(blob.clone()),
            Kind::DynamicText { encoding, .. } => {
                ClassKind::DynamicText(TextClass { len: self.length(depends), encoding: *encoding })
            }
            Kind::DynamicBlob { media_type, .. } => {
                ClassKind::DynamicBlob(BlobClass { len: self.length(depends), media_type: media_type.clone() })
            }
            Kind::Array { len, .. } => ClassKind::Array(ArrayClass { len: *len, element: self.only_child(tree, idx) }),
            Kind::Sequence { .. } => {
                ClassKind::Sequence(ArrayClass { len: self.length(depends), element: self.only_child(tree, idx) })
            }
            Kind::Struct(_) => ClassKind::Struct(self.structure(tree, idx)),
            Kind::Optional { .. } => {
                let (selector, mut ranges) = self.selector(depends);
                ClassKind::Optional(OptionalClass {
                    selector,
                    ranges: ranges.pop().unwrap_or_default(),
                    class: self.only_child(tree, idx),
                })
            }
            Kind::Variant { .. } => ClassKind::Variant(self.variant(tree, idx)),
        };
        Class { align_bits: node.draft.align_bits, kind }
    }

    fn only_child(&self, tree: &Tree, idx: u32) -> Arc<Class> {
        Arc::new(self.class(tree, tree.children(idx).start))
    }

    fn structure(&self, tree: &Tree, idx: u32) -> StructClass {
        let draft = &tree.node(idx).draft;
        let names = match &draft.kind {
            Kind::Struct(members) => members.list(),
            _ => &[],
        };
        let members = names.iter().zip(tree.children(idx)).map(|(named, child)| {
            let node = tree.node(child);
            Member {
                name: self.name(&named.name),
                class: Arc::new(self.class(tree, child)),
                save: node.save.map(|slot| self.slots.now(slot)),
                role: node.role,
            }
        });
        StructClass { align_bits: draft.align_bits, members: members.collect() }
    }

    fn variant(&self, tree: &Tree, idx: u32) -> VariantClass {
        let node = tree.node(idx);
        let (selector, ranges) = self.selector(node.depends.as_deref());
        let choices = match &node.draft.kind {
            Kind::Variant { options, .. } => &options[..],
            _ => &[],
        };
        let options =
            choices.iter().zip(tree.children(idx)).zip(ranges).map(|((choice, child), ranges)| VariantOption {
                name: choice.name.as_ref().map(|name| self.name(name)),
                ranges,
                class: Arc::new(self.class(tree, child)),
            });
        VariantClass { selector, options: options.collect() }
    }

    fn name(&self, name: &str) -> String {
        match name.strip_prefix('_') {
            Some(rest) if self.strips_names => rest.to_owned(),
            _ => name.to_owned(),
        }
    }

    fn length(&self, depends: Option<&Depends>) -> Length {
        match depends {
            Some(Depends::Length(slot)) => Length { slot: self.slots.now(*slot) },
            // Unreachable: `resolve` either sets it or fails.
            _ => Length { slot: Slot(0) },
        }
    }

    fn selector(&self, depends: Option<&Depends>) -> (Selector, Vec<Vec<Range>>) {
        match depends {
            Some(Depends::Selector(selector, ranges)) => {
                (Selector { slot: self.slots.now(selector.slot), ..*selector }, ranges.clone())
            }
            _ => (Selector { slot: Slot(0), is_signed: false }, Vec::new()),
        }
    }
}

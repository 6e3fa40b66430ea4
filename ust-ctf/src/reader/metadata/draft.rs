// SPDX-License-Identifier: MIT OR Apache-2.0
//! Classes as the metadata writes them: aliases are shared, and other fields are referred to by name.
//!
//! Both languages make drafts; [`super::tree`] and what follows it turn them into [`crate::class`]. A draft knows how
//! many classes it will be ([`Draft::cost`]), so one that is too large is refused where it is declared, before
//! anything of that size exists.

use std::collections::HashMap;
use std::sync::Arc;

use super::Result;
use crate::class::{BitMapFlag, BlobClass, ByteOrder, ClassKind, Encoding, IntegerClass, Range, Role};
use crate::limits::{CLASSES_MAX, NAME_BYTES_PER_CLASS, TYPE_DEPTH_MAX};
use crate::reader::error::Complaint;

/// A class whose references are names.
#[derive(Debug)]
pub(super) struct Draft {
    /// Where it is written, for complaints.
    pub(super) at: usize,
    /// As for [`crate::class::Class::align_bits`].
    pub(super) align_bits: u64,
    /// Levels, itself included.
    pub(super) depth: usize,
    /// Number of classes it becomes, itself included.
    pub(super) cost: u64,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Integer(Integer),
    Float(Float),
    Bits(Bits),
    /// What holds no other class and refers to none.
    Plain(ClassKind),
    /// As [`ClassKind::StaticBlob`], with what it is used for.
    StaticBlob(BlobClass<u64>, Vec<Role>),
    DynamicText {
        length: Reference,
        encoding: Encoding,
    },
    DynamicBlob {
        length: Reference,
        media_type: String,
    },
    Array {
        len: u64,
        element: Arc<Draft>,
    },
    Sequence {
        length: Reference,
        element: Arc<Draft>,
    },
    Struct(Members),
    Optional {
        selector: Reference,
        /// None: a boolean selects.
        ranges: Option<Vec<Range>>,
        class: Arc<Draft>,
    },
    Variant {
        /// None: a variant of CTF 1.8 that waits for its tag.
        selector: Option<Reference>,
        options: Arc<[Choice]>,
    },
}

/// An integer or enumeration.
#[derive(Clone, Debug)]
pub(super) struct Integer {
    /// `byte_order` means nothing if `is_native`.
    pub(super) class: IntegerClass,
    /// Its byte order is that of the trace.
    pub(super) is_native: bool,
    /// Bytes of this class in an array are text.
    pub(super) is_text: bool,
    /// CTF 1.8: name of the clock whose cycles it counts, and where that is said.
    pub(super) clock: Option<(usize, Arc<str>)>,
    /// CTF 2: what it is used for, in the scopes in which that has a meaning.
    pub(super) roles: Vec<Role>,
}

#[derive(Clone, Debug)]
pub(super) struct Float {
    pub(super) bits: u32,
    /// None: that of the trace.
    pub(super) byte_order: Option<ByteOrder>,
    pub(super) is_bit_reversed: bool,
}

/// A boolean, or bits without a number's meaning.
#[derive(Clone, Debug)]
pub(super) struct Bits {
    pub(super) bits: u32,
    pub(super) byte_order: ByteOrder,
    pub(super) is_bit_reversed: bool,
    pub(super) is_bool: bool,
    pub(super) flags: Arc<[BitMapFlag]>,
}

/// The members of a structure.
#[derive(Debug, Default)]
pub(super) struct Members {
    list: Vec<NamedDraft>,
    by_name: HashMap<Arc<str>, u32>,
}

#[derive(Clone, Debug)]
pub(super) struct NamedDraft {
    /// Where the member is written; the draft is where its class is, which can be an alias.
    pub(super) at: usize,
    /// As it is written.
    pub(super) name: Arc<str>,
    pub(super) draft: Arc<Draft>,
}

impl Members {
    /// Adds a member, unless there is one of that name.
    pub(super) fn push(&mut self, at: usize, name: &str, draft: Arc<Draft>) -> bool {
        let name: Arc<str> = name.into();
        let idx = self.list.len() as u32;
        if self.by_name.contains_key(&name) {
            return false;
        }
        self.by_name.insert(Arc::clone(&name), idx);
        self.list.push(NamedDraft { at, name, draft });
        true
    }

    pub(super) fn list(&self) -> &[NamedDraft] {
        &self.list
    }

    /// Returns the position of the member `name`.
    pub(super) fn position(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }
}

/// An option of a variant.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// Where the option is written.
    pub(super) at: usize,
    pub(super) name: Option<Arc<str>>,
    /// None: those of the label `name` of the tag.
    pub(super) ranges: Option<Vec<Range>>,
    pub(super) draft: Arc<Draft>,
}

/// How a length or a selector is found.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// Where it is written.
    pub(super) at: usize,
    pub(super) origin: Origin,
    pub(super) path: Vec<Step>,
}

impl Reference {
    /// Returns its path with dots.
    pub(super) fn text(&self) -> String {
        let step = |step: &Step| match step {
            Step::Member(name) => name.clone(),
            Step::Parent => "null".to_owned(),
        };
        self.path.iter().map(step).collect::<Vec<_>>().join(".")
    }
}

/// Where a reference starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A whole scope.
    Scope(Scope),
    /// The structure around the field that refers.
    Here,
    /// CTF 1.8: the innermost structure around the field that has the first name before the field.
    Outwards,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    /// To the structure around.
    Parent,
}

/// The structures of which an event and its packet are made, in the order in which they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    PacketHeader,
    PacketContext,
    EventHeader,
    EventContext,
    SpecificContext,
    Payload,
}

impl Scope {
    pub(super) const COUNT: usize = 6;
}

impl Draft {
    /// Returns a class, unless it nests too deep or is too large.
    pub(super) fn new(at: usize, align_bits: u64, kind: Kind) -> Result<Arc<Self>> {
        let (mut depth, mut cost) = (0, 1_u64);
        let mut add = |draft: &Draft, name_bytes: usize| {
            depth = depth.max(draft.depth);
            cost = cost.saturating_add(draft.cost).saturating_add(name_cost(name_bytes));
        };
        match &kind {
            Kind::Struct(members) => members.list.iter().for_each(|member| add(&member.draft, member.name.len())),
            Kind::Variant { options, .. } => {
                for option in options.iter() {
                    let ranges = option.ranges.as_ref().map_or(0, |ranges| ranges.len() * size_of::<Range>());
                    add(&option.draft, option.name.as_ref().map_or(0, |name| name.len()) + ranges);
                }
            }
            Kind::Array { element, .. } | Kind::Sequence { element, .. } => add(element, 0),
            Kind::Optional { class, ranges, .. } => {
                add(class, ranges.as_ref().map_or(0, |ranges| ranges.len() * size_of::<Range>()));
            }
            Kind::DynamicBlob { media_type, .. } => cost += name_cost(media_type.len()),
            Kind::StaticBlob(blob, _) => cost += name_cost(blob.media_type.len()),
            Kind::Integer(_) | Kind::Float(_) | Kind::Bits(_) | Kind::Plain(_) | Kind::DynamicText { .. } => {}
        }
        depth += 1;
        if depth > TYPE_DEPTH_MAX {
            return Err(Complaint::new(at, format!("types nest deeper than {TYPE_DEPTH_MAX} levels")));
        }
        if cost > CLASSES_MAX {
            return Err(too_large(at));
        }
        Ok(Arc::new(Self { at, align_bits, depth, cost, kind }))
    }
}

/// Returns the cost of a name on top of that of its class.
pub(super) fn name_cost(bytes: usize) -> u64 {
    (bytes / NAME_BYTES_PER_CLASS) as u64
}

#[cold]
pub(super) fn too_large(at: usize) -> Complaint {
    Complaint::new(
        at,
        format!("with all aliases replaced these are more than {CLASSES_MAX} classes; that many are refused"),
    )
}

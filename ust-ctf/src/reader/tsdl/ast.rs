// SPDX-License-Identifier: MIT OR Apache-2.0
//! The syntax tree of TSDL. It says what is written, not what it means.

use crate::model::Source;

/// A statement of the metadata or of a block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// `trace { … }`, `env { … }`, `clock { … }`, `stream { … }`, `event { … }`, `callsite { … }`.
    Block { at: usize, kind: String, entries: Vec<Item> },
    /// `typealias TYPE := NAME` or `typedef TYPE NAME`.
    Alias { at: usize, ty: Type, name: String },
    /// A structure, variant or enumeration that is declared for later.
    Declare(Type),
    /// `name = value`.
    Assign { at: usize, name: String, value: Value },
    /// `name := TYPE`.
    AssignType { at: usize, name: String, ty: Type },
    /// The comment about a place in source text.
    Note(Source),
}

/// The right side of an assignment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(i128),
    String(String),
    /// Words with dots, such as `le` or `clock.monotonic.value`.
    Words(String),
}

/// `name = value` in the braces of a basic type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) value: Value,
}

/// A type and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Type {
    pub(crate) at: usize,
    pub(crate) kind: TypeKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TypeKind {
    Integer(Vec<Attribute>),
    Float(Vec<Attribute>),
    String(Vec<Attribute>),
    Struct {
        name: Option<String>,
        body: Option<Vec<Member>>,
        align: Option<u64>,
    },
    Variant {
        name: Option<String>,
        tag: Option<String>,
        body: Option<Vec<Member>>,
    },
    Enum {
        name: Option<String>,
        container: Option<Box<Type>>,
        body: Option<Vec<Label>>,
    },
    /// An alias; its words are joined by single spaces.
    Named(String),
}

/// A member of a structure or an option of a variant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Member {
    Field {
        at: usize,
        ty: Type,
        name: String,
        lengths: Vec<Length>,
    },
    /// A type that is declared inside.
    Item(Item),
}

/// What stands in the brackets of an array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Length {
    Count(u64),
    /// Name of the member that holds the count.
    Field(String),
}

/// A label of an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Label {
    pub(crate) at: usize,
    pub(crate) name: String,
    /// First and last value; without it the label continues the one before.
    pub(crate) range: Option<(i128, i128)>,
}

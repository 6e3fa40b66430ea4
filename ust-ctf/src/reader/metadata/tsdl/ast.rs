// SPDX-License-Identifier: MIT OR Apache-2.0
//! The syntax tree of TSDL. It says what is written, not what it means.

use crate::class::Source;

/// A statement of the metadata or of a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// `trace { … }`, `env { … }`, `clock { … }`, `stream { … }`, `event { … }`, `callsite { … }`.
    Block { at: usize, kind: &'static str, entries: Vec<Item> },
    /// `typealias TYPE := NAME`.
    Alias { at: usize, ty: Type, name: String },
    /// `typedef TYPE NAME, NAME[3]`.
    Typedef { ty: Type, declarators: Vec<Declarator> },
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
pub(super) enum Value {
    /// From the least of 64 signed bits to the greatest of 64 unsigned ones.
    Number(i128),
    String(String),
    /// Words with dots, such as `le` or `clock.monotonic.value`.
    Words(String),
}

/// `name = value` in the braces of a basic type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Attribute {
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) value: Value,
}

/// A type and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Type {
    pub(super) at: usize,
    pub(super) kind: TypeKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TypeKind {
    Integer(Vec<Attribute>),
    Float(Vec<Attribute>),
    String(Vec<Attribute>),
    Struct {
        name: Option<String>,
        body: Option<Vec<Member>>,
        /// Where it is said, and the number.
        align: Option<(usize, i128)>,
    },
    Variant {
        name: Option<String>,
        tag: Option<Path>,
        body: Option<Vec<Member>>,
    },
    Enum {
        name: Option<String>,
        container: Option<Box<Type>>,
        body: Option<Vec<Label>>,
    },
    /// An alias; its words and asterisks are joined by single spaces.
    Named(String),
}

/// Words with dots, and where they stand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) at: usize,
    pub(super) words: Vec<String>,
}

/// A member of a structure or an option of a variant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Member {
    Fields {
        ty: Type,
        declarators: Vec<Declarator>,
    },
    /// A type that is declared inside.
    Item(Item),
}

/// The name of a field or of a `typedef`, with what C has around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Declarator {
    pub(super) at: usize,
    /// Asterisks and `const` before the name, each after a space.
    pub(super) pointer: String,
    pub(super) name: String,
    pub(super) lengths: Vec<Length>,
}

/// What stands in the brackets of an array.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Length {
    Count(u64),
    /// The field that holds the count.
    Field(Path),
}

/// A label of an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    pub(super) at: usize,
    pub(super) name: String,
    /// First and last value; without it the label continues the one before.
    pub(super) range: Option<(i128, i128)>,
}

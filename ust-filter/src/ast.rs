// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a filter says, as a tree.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::error::FilterError;
use crate::parser;

/// Where something stands in the text: bytes.
pub(crate) type Span = Range<usize>;

/// A filter that has been read. Whether its fields exist is another question: [`Filter::check`].
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub(crate) text: String,
    pub(crate) root: Node,
    pub(crate) references: Vec<Reference>,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What is wrong with the text, and where. Also texts that are compared with numbers, and other things that can be
    /// seen without knowing the fields.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text)
    }

    /// Returns the text that it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the fields and contexts that it refers to, each once, in the order of the text. [`Reference::idx`] is the index.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

/// A field or context that a filter refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Index in [`Filter::references`].
    pub idx: usize,
    /// Where the way begins.
    pub root: Root,
    /// The way from there, at least one name.
    pub steps: Vec<Step>,
    pub(crate) span: Span,
}

/// Where a reference begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The event's own fields.
    Payload,
    /// `$ctx`: what the channel adds to each event.
    Context,
    /// `$app`: what the application adds to its events.
    Application,
}

/// A step of a reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A field, or a member of a structure.
    Member(String),
    /// An element of an array, from 0.
    Element(u64),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = match self.root {
            Root::Payload => "",
            Root::Context => "$ctx.",
            Root::Application => "$app.",
        };
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(f, "{dot}{name}")?,
                Step::Element(idx) => write!(f, "[{idx}]")?,
            }
            dot = ".";
        }
        Ok(())
    }
}

/// An expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) expr: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Integer(i64),
    Float(f64),
    Text(Text),
    /// Index in the filter's references.
    Reference(usize),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
}

/// A text in quotes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Text {
    /// As it is.
    Plain(Vec<u8>),
    /// With stars; literal stars and backslashes have a backslash before them.
    Pattern(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Plus,
    Minus,
    Not,
    Complement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    BitOr,
    BitXor,
    BitAnd,
    ShiftLeft,
    ShiftRight,
}

impl Binary {
    /// Returns how it is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::LessOrEqual => "<=",
            Self::GreaterOrEqual => ">=",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::BitAnd => "&",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
        }
    }

    /// Tells whether it compares.
    pub(crate) fn is_comparison(self) -> bool {
        use Binary::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        matches!(self, Equal | NotEqual | Less | Greater | LessOrEqual | GreaterOrEqual)
    }

    /// Tells whether it works on bits.
    pub(crate) fn is_bitwise(self) -> bool {
        use Binary::{BitAnd, BitOr, BitXor, ShiftLeft, ShiftRight};
        matches!(self, BitOr | BitXor | BitAnd | ShiftLeft | ShiftRight)
    }
}

impl Unary {
    /// Returns how it is written.
    pub(crate) fn symbol(self) -> char {
        match self {
            Self::Plus => '+',
            Self::Minus => '-',
            Self::Not => '!',
            Self::Complement => '~',
        }
    }
}

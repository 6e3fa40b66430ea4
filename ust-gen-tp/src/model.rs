// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a definition file says: its events, classes of events, and enumerations.
//!
//! It is read from the text alone. Expressions and types stay what was written, after the file's macros.

use crate::macros::Branch;
use crate::source::Span;
use crate::token::{self, Token};
pub use crate::words::Shape;

/// Some C: a type or an expression.
#[derive(Clone, Debug)]
pub struct Code {
    /// It as text, on one line.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    pub(crate) tokens: Vec<Token>,
}

impl Code {
    pub(crate) fn new(tokens: &[Token], otherwise: Span) -> Self {
        Self { text: token::text(tokens), span: token::span(tokens, otherwise), tokens: tokens.to_vec() }
    }

    /// Returns the name that the code is, if it is one name.
    pub fn name(&self) -> Option<&str> {
        match self.tokens.as_slice() {
            [token] if token.is_ident() => Some(&token.text),
            _ => None,
        }
    }
}

/// A name and where it stands.
#[derive(Clone, Debug)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// What each definition has.
#[derive(Clone, Debug)]
pub struct Head {
    /// The provider.
    pub provider: Name,
    /// The name in the provider.
    pub name: Name,
    /// The whole definition.
    pub span: Span,
    /// The conditions of the preprocessor that it stands under and that are not decided; all of them hold.
    pub conditions: Vec<String>,
    /// They hold for a compiler that is given no `-D`.
    pub is_usual: bool,
    /// The comment right before it, without its slashes and stars.
    pub docs: String,
    pub(crate) branches: Vec<Branch>,
}

/// An argument of an event.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Its type.
    pub ty: Code,
    /// Its name.
    pub name: Name,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// What it is.
    pub shape: Shape,
    /// Integers are shown in base 16.
    pub hex: bool,
    /// Integers are in network byte order.
    pub network: bool,
    /// Elements are characters.
    pub text: bool,
    /// It is described, but not recorded.
    pub nowrite: bool,
    /// Its name; none if it is [`Shape::Unused`].
    pub name: Option<Name>,
    /// The type of it or its elements, where the macro has one.
    pub ty: Option<Code>,
    /// Its value.
    pub expr: Code,
    /// How many elements there are.
    pub count: Option<Code>,
    /// It as a number, if it follows from the file, or from macros of included files where those were read.
    pub count_value: Option<i128>,
    /// The type of the number of elements of a sequence.
    pub count_ty: Option<Code>,
    /// The enumeration: its provider and its name.
    pub enumeration: Option<(Name, Name)>,
    /// The media type of a blob.
    pub media: Option<Code>,
    /// The whole field.
    pub span: Span,
}

/// The log level of an event.
#[derive(Clone, Debug)]
pub struct LogLevel {
    /// As it was written: a name or a number.
    pub text: String,
    /// Its number, if it is known.
    pub value: Option<i128>,
    /// Where it is set.
    pub span: Span,
    /// The conditions that this stands under, as in [`Head::conditions`].
    pub(crate) conditions: Vec<String>,
}

/// A class of events: arguments and fields that several events share.
#[derive(Clone, Debug)]
pub struct Class {
    /// What each definition has.
    pub head: Head,
    /// The arguments.
    pub args: Vec<Arg>,
    /// The fields.
    pub fields: Vec<Field>,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// What each definition has.
    pub head: Head,
    /// The provider and the name of its class, if it has one.
    pub class: Option<(Name, Name)>,
    /// The arguments.
    pub args: Vec<Arg>,
    /// These as they were written, between the parentheses.
    pub(crate) signature: String,
    /// The fields; those of the class if it has one.
    pub fields: Vec<Field>,
    /// The log level, if it is set.
    pub loglevel: Option<LogLevel>,
    /// A link to a description, if there is one.
    pub model_emf_uri: Option<String>,
}

/// A name for values of an enumeration.
#[derive(Clone, Debug)]
pub struct Label {
    /// The name.
    pub text: String,
    /// It with its quotes and escapes.
    pub(crate) written: Code,
    /// The first value and the last one: of one value twice the same; `None` for the value after the one before.
    pub values: Option<(Code, Code)>,
    /// The values as numbers, as far as they follow from the file.
    pub numbers: Option<(i128, i128)>,
    /// The whole label.
    pub span: Span,
}

/// An enumeration.
#[derive(Clone, Debug)]
pub struct Enumeration {
    /// What each definition has.
    pub head: Head,
    /// Its labels, in order.
    pub labels: Vec<Label>,
}

/// A file's definitions.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The provider of all events; `None` if there are none.
    pub provider: Option<String>,
    /// Files that it includes, other than those of the tracer, as they are written after `#include`.
    pub includes: Vec<String>,
    /// Classes, in order.
    pub classes: Vec<Class>,
    /// Events, in order.
    pub events: Vec<Event>,
    /// Enumerations, in order.
    pub enumerations: Vec<Enumeration>,
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! One token of C, where it was written, and lists of them as text.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::source::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ident,
    Number,
    /// A string, with its quotes.
    Text,
    /// A character, with its quotes.
    Char,
    Punct,
    /// A quote without its partner.
    Unclosed,
    /// What cannot be in C at all.
    Other,
}

/// The macros that may not be replaced in a token any more: it came out of them.
pub(crate) type Hidden = Option<Rc<BTreeSet<Rc<str>>>>;

/// A piece of a file.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: Rc<str>,
    /// Where it was written.
    pub(crate) span: Span,
    /// The macro call that brought it here, if it was written elsewhere.
    pub(crate) site: Option<Span>,
    /// White space or a comment stands before it.
    pub(crate) space: bool,
    /// It is the first one of its line.
    pub(crate) line_start: bool,
    pub(crate) hidden: Hidden,
}

impl Token {
    /// Tells whether it is this punctuator or name.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Punct | Kind::Ident) && *self.text == *text
    }

    pub(crate) fn is_ident(&self) -> bool {
        self.kind == Kind::Ident
    }

    /// Returns where a reader looks for it: at the outermost macro call, else where it was written.
    pub(crate) fn place(&self) -> Span {
        self.site.unwrap_or(self.span)
    }
}

/// Returns tokens as text, blanks as they were written (one for any number).
pub(crate) fn text(tokens: &[Token]) -> String {
    let mut text = String::new();
    for (at, token) in tokens.iter().enumerate() {
        if at > 0 && token.space {
            text.push(' ');
        }
        text.push_str(&token.text);
    }
    text
}

/// Returns where `tokens` stand; `otherwise` if there are none.
pub(crate) fn span(tokens: &[Token], otherwise: Span) -> Span {
    match tokens {
        [first, .., last] if first.site == last.site => first.span.to(last.span),
        [first, ..] => first.span,
        [] => otherwise,
    }
}

/// Returns the position of the bracket that closes the one at `open`.
pub(crate) fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// Splits the content of a call at its commas, as the preprocessor does: only parentheses protect a comma. No tokens give
/// one empty part.
pub(crate) fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, token) in tokens.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth -= 1;
        } else if depth == 0 && token.is(",") {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}

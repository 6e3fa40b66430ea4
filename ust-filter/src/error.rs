// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with a filter, shown at its place in the text.

use std::fmt;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::ast::Span;

/// Why a filter cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The filter.
    pub text: String,
    /// Bytes of `text` that the message is about; empty at the end of the text.
    pub span: Span,
    /// What is wrong there.
    pub message: String,
    /// What to try.
    pub help: Option<String>,
}

impl std::error::Error for FilterError {}

impl fmt::Display for FilterError {
    /// Several lines: the message, the text with a caret, what to try.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let annotation = AnnotationKind::Primary.span(self.span.clone());
        let mut group = Level::ERROR
            .no_name()
            .primary_title(&self.message)
            .element(Snippet::source(&self.text).annotation(annotation));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.with_name("try").message(help));
        }
        f.write_str(&Renderer::plain().render(&[group]))
    }
}

/// A complaint about a place, without the text.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Complaint {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub(crate) fn about(self, text: &str) -> FilterError {
        let Self { span, message, help } = self;
        FilterError { text: text.to_owned(), span, message, help }
    }
}

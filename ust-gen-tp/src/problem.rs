// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with a file, shown at its place.

use std::collections::HashSet;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::limits::PROBLEM_COUNT_MAX;
use crate::source::{Sources, Span};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is generated from the file.
    Error,
    /// Probably a mistake; the file is used as it is.
    Warning,
}

/// A complaint about a place.
#[derive(Clone, Debug)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub span: Span,
    /// What is wrong there.
    pub message: String,
    /// Other places that belong to it, and what they are.
    pub related: Vec<(Span, String)>,
    /// What to try.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn error(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, span, message: message.into(), related: Vec::new(), help: None }
    }

    pub(crate) fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub(crate) fn related(mut self, span: Span, what: impl Into<String>) -> Self {
        self.related.push((span, what.into()));
        self
    }

    /// Returns the problem as several lines: the message, the source with a caret, what to try.
    pub fn render(&self, sources: &Sources) -> String {
        let (level, name) = match self.severity {
            Severity::Error => (Level::ERROR, "error"),
            Severity::Warning => (Level::WARNING, "warning"),
        };
        let main = sources.file(self.span);
        let path = main.path.to_string_lossy();
        let mut snippet =
            Snippet::source(&main.text).path(path.as_ref()).annotation(AnnotationKind::Primary.span(range(self.span)));
        for (span, what) in self.related.iter().filter(|(span, _)| span.file == self.span.file) {
            snippet = snippet.annotation(AnnotationKind::Context.span(range(*span)).label(what));
        }
        let mut group = level.with_name(name).primary_title(&self.message).element(snippet);
        for (span, what) in self.related.iter().filter(|(span, _)| span.file != self.span.file) {
            let source = sources.file(*span);
            let snippet = Snippet::source(&source.text)
                .path(source.path.to_string_lossy().into_owned())
                .annotation(AnnotationKind::Context.span(range(*span)).label(what));
            group = group.element(snippet);
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.with_name("try").message(help));
        }
        Renderer::plain().render(&[group])
    }
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

/// The problems of one file, in the order of their places.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    all: Vec<Problem>,
    /// A macro that is used twice has its mistakes once.
    known: HashSet<(Span, String)>,
}

impl Problems {
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.known.insert((problem.span, problem.message.clone())) {
            self.all.push(problem);
        }
    }

    pub(crate) fn sort(&mut self) {
        self.all.sort_by_key(|problem| problem.span);
    }

    /// Goes through them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.all.iter()
    }

    /// Tells whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.error_count() > 0
    }

    /// Returns how many are errors.
    pub fn error_count(&self) -> usize {
        self.all.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Returns all of them as text, each with its place; those after the first hundred are only counted.
    pub fn render(&self, sources: &Sources) -> String {
        let shown = self.all.iter().take(PROBLEM_COUNT_MAX);
        let mut text: String = shown.map(|problem| problem.render(sources) + "\n\n").collect();
        if self.all.len() > PROBLEM_COUNT_MAX {
            text += &format!("and {} more problems\n", self.all.len() - PROBLEM_COUNT_MAX);
        }
        text
    }
}

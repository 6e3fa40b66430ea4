// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes the outputs of C: a header, a source file that includes it, and an object file of that.

use std::io;
use std::path::{Path, PathBuf};

use crate::c::{self, Dialect};
use crate::compiler::{self, Object};
use crate::load::Definitions;
use crate::options::Options;
use crate::output::{self, Beside};

/// The outputs of C of one input.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    pub(crate) dialect: Dialect,
    pub(crate) header: Option<PathBuf>,
    pub(crate) source: Option<PathBuf>,
    pub(crate) object: Option<PathBuf>,
}

/// Why an output was not made.
pub(crate) enum Failure {
    /// It cannot be written.
    File(PathBuf, io::Error),
    /// The compiler failed; nothing is wrong with files.
    Compiler(String),
}

impl Outputs {
    /// Returns those beside `input`.
    pub(crate) fn beside(input: &Path, dialect: Dialect) -> Self {
        let with = |suffix| Some(input.with_extension(suffix));
        Self { dialect, header: with("h"), source: with(dialect.suffix()), object: with("o") }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths().next().is_none()
    }

    /// Returns all paths.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.header, &self.source, &self.object].into_iter().flatten()
    }

    /// Writes the outputs, the object file last. What is needed for it and no output is made in a directory that goes again.
    ///
    /// # Errors
    /// An output cannot be written, or not be compiled. Those before it are there then, and whole.
    pub(crate) fn make(
        &self,
        definitions: &Definitions,
        options: &Options,
        keeps: bool,
        say: &dyn Fn(String),
    ) -> Result<(), Failure> {
        let Self { dialect, header, source, object } = self;
        let file = |path: &Path| {
            let path = path.to_owned();
            move |error| Failure::File(path, error)
        };
        let write = |path: &Path, text: &str| {
            say(format!("Writing {}", path.display()));
            output::write(path, text, keeps).map_err(file(path))
        };
        let first = source.as_ref().or(object.as_ref());
        // Names for what is no output; made only if the object file is one.
        let place = match object {
            Some(object) if header.is_none() || source.is_none() => Some(Beside::new(object).map_err(file(object))?),
            _ => None,
        };
        let otherwise = |suffix: &str| match (&place, first) {
            (Some(place), _) => Some(place.path.with_extension(suffix)),
            (None, first) => first.map(|first| first.with_extension(suffix)),
        };
        let header_path = header.clone().or_else(|| otherwise("h"));
        let source_path = source.clone().or_else(|| otherwise(dialect.suffix()));
        if let Some(path) = header_path.as_ref().filter(|_| header.is_some() || place.is_some()) {
            write(path, &c::c_header(definitions, path, *dialect))?;
        }
        if let (Some(path), Some(header)) = (&source_path, &header_path)
            && (source.is_some() || place.is_some())
        {
            let include = compiler::include_path(path, header);
            write(path, &c::c_source(definitions, &include.to_string_lossy()))?;
        }
        if let (Some(object), Some(source)) = (object, &source_path) {
            let input = &definitions.files[0];
            let dir = compiler::directory(input);
            say(format!("Writing {}", object.display()));
            let object = Object { dialect: *dialect, source, object, dir, options };
            object.make(say).map_err(Failure::Compiler)?;
        }
        Ok(())
    }
}

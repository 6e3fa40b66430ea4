// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads TSDL, the metadata language of CTF 1.8: [`lexer`] makes tokens, [`parser`], [`syntax`] and [`expr`] a syntax
//! tree ([`ast`]), [`types`] drafts of classes with the help of [`attributes`], and [`blocks`] the whole trace;
//! [`roles`] says which names mean something.
//!
//! It works statement by statement, so that of a long text only the classes are in memory at once.

mod ast;
mod attributes;
mod blocks;
mod expr;
mod lexer;
mod parser;
mod roles;
mod syntax;
mod types;

use ast::Item;
use blocks::Blocks;
use lexer::Lexer;
use types::Names;

use super::Result;
use super::trace::TraceDraft;

/// Returns what `source` describes.
pub(super) fn read(source: &str) -> Result<TraceDraft> {
    let mut lexer = Lexer::new(source);
    let mut names = Names::default();
    let mut blocks = Blocks::default();
    loop {
        let tokens = lexer.statement()?;
        if tokens.is_empty() {
            return blocks.finish(source.len());
        }
        match parser::parse(&tokens, source.len())? {
            // What a block declares is known in that block only.
            Some(Item::Block { at, kind, entries }) => blocks.add(&mut names.inner(), at, kind, &entries)?,
            Some(item) => names.declare(&item)?,
            None => {}
        }
    }
}

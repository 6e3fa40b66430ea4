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
use blocks::{Blocks, env_block};
use lexer::{Lexer, TokenKind};
use types::{Env, Names};

use super::Result;
use super::trace::TraceDraft;

/// Returns what `source` describes; if it `is_cut`, the last statement may lack its end and is then left out.
///
/// What is declared outside blocks is known in all of them, so that goes first; the lengths of arrays can be in the
/// environment, so that goes before.
pub(super) fn read(source: &str, is_cut: bool) -> Result<TraceDraft> {
    let statements = statements(source, is_cut)?;
    let mut env = Vec::new();
    for (at, _) in statements.iter().filter(|(_, kind)| *kind == StatementKind::Env) {
        if let Some(Item::Block { entries, .. }) = parse(source, *at)? {
            env.extend(env_block(&entries));
        }
    }
    let by_name: Env = env.iter().cloned().collect();
    let mut names = Names::new(&by_name);
    for (at, _) in statements.iter().filter(|(_, kind)| *kind == StatementKind::Declaration) {
        if let Some(item) = parse(source, *at)? {
            names.declare(&item)?;
        }
    }
    let mut blocks = Blocks::default();
    for (at, _) in statements.iter().filter(|(_, kind)| *kind == StatementKind::Block) {
        // What a block declares is known in that block only.
        if let Some(Item::Block { at, kind, entries }) = parse(source, *at)? {
            blocks.add(&mut names.inner(), at, kind, &entries)?;
        }
    }
    blocks.finish(env, source.len())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StatementKind {
    Env,
    Block,
    Declaration,
}

/// Returns where each statement starts and what it is.
fn statements(source: &str, is_cut: bool) -> Result<Vec<(usize, StatementKind)>> {
    let mut lexer = Lexer::new(source, 0);
    let mut statements = Vec::new();
    loop {
        let statement = match lexer.statement() {
            Err(_) if is_cut => return Ok(statements),
            statement => statement?,
        };
        if is_cut && !statement.is_whole {
            return Ok(statements);
        }
        let tokens = statement.tokens;
        let first = tokens.iter().find(|token| !matches!(token.kind, TokenKind::SourceNote(_)));
        let Some(first) = first else {
            if tokens.is_empty() {
                return Ok(statements);
            } else {
                continue;
            };
        };
        let kind = match first.kind {
            TokenKind::Symbol(";") => continue,
            TokenKind::Word("env") => StatementKind::Env,
            TokenKind::Word(word) if parser::BLOCKS.contains(&word) => StatementKind::Block,
            _ => StatementKind::Declaration,
        };
        statements.push((first.at, kind));
    }
}

/// Returns the statement that starts at `at`.
fn parse(source: &str, at: usize) -> Result<Option<Item>> {
    let statement = Lexer::new(source, at).statement()?;
    parser::parse(&statement.tokens, source.len())
}

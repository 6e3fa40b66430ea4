// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the syntax tree of TSDL from its tokens, by recursive descent.
//!
//! It stops at the first complaint, which says what was expected and what stands there. Types and expressions
//! nest at most [`TYPE_DEPTH_MAX`] deep, blocks not at all.

use super::ast::{Attribute, Declarator, Item, Length, Path, Value};
use super::lexer::{Token, TokenKind};
use crate::limits::TYPE_DEPTH_MAX;
use crate::reader::error::Complaint;

pub(super) type Result<T> = std::result::Result<T, Complaint>;

pub(super) const BLOCKS: [&str; 6] = ["trace", "env", "clock", "stream", "event", "callsite"];

/// Returns the statement of these `tokens`, or none if there is nothing in it; `end` is where they end.
pub(super) fn parse(tokens: &[Token<'_>], end: usize) -> Result<Option<Item>> {
    let mut parser = Parser { tokens, idx: 0, end, depth: 0 };
    while let Some(TokenKind::SourceNote(_)) = parser.peek() {
        parser.next();
    }
    if parser.peek().is_none() || parser.eat(";") {
        return Ok(None);
    }
    parser.item(true).map(Some)
}

pub(super) struct Parser<'t, 's> {
    tokens: &'t [Token<'s>],
    idx: usize,
    /// Where the text ends, for complaints about what is missing.
    end: usize,
    pub(super) depth: usize,
}

impl<'t, 's> Parser<'t, 's> {
    pub(super) fn peek(&self) -> Option<&'t TokenKind<'s>> {
        self.tokens.get(self.idx).map(|token| &token.kind)
    }

    pub(super) fn peek_second(&self) -> Option<&'t TokenKind<'s>> {
        self.tokens.get(self.idx + 1).map(|token| &token.kind)
    }

    pub(super) fn next(&mut self) {
        self.idx += 1;
    }

    pub(super) fn at(&self) -> usize {
        self.tokens.get(self.idx).map_or(self.end, |token| token.at)
    }

    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.idx += usize::from(found);
        found
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Symbol(found)) if *found == symbol)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Word(found)) if *found == word)
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.idx += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    pub(super) fn word(&mut self, what: &str) -> Result<&'s str> {
        match self.peek() {
            Some(TokenKind::Word(word)) => {
                self.idx += 1;
                Ok(word)
            }
            _ => Err(self.expected(what)),
        }
    }

    #[cold]
    pub(super) fn expected(&self, what: &str) -> Complaint {
        let found = match self.peek() {
            None => "the end of the metadata".to_owned(),
            Some(TokenKind::Word(word)) => format!("`{word}`"),
            Some(TokenKind::Number(number)) => format!("`{number}`"),
            Some(TokenKind::String(_)) => "a string".to_owned(),
            Some(TokenKind::Symbol(symbol)) => format!("`{symbol}`"),
            Some(TokenKind::SourceNote(_)) => "a comment about source text".to_owned(),
        };
        Complaint::new(self.at(), format!("expected {what}, found {found}"))
    }

    /// Parses a statement, with its semicolon.
    fn item(&mut self, is_root: bool) -> Result<Item> {
        let at = self.at();
        match self.peek() {
            Some(TokenKind::SourceNote(note)) => {
                self.idx += 1;
                return Ok(Item::Note((**note).clone()));
            }
            Some(TokenKind::Word("typealias")) => return self.alias(),
            Some(TokenKind::Word("typedef")) => return self.typedef(),
            Some(TokenKind::Word("struct" | "variant" | "enum")) => {
                let ty = self.ty(false)?;
                self.expect(";")?;
                return Ok(Item::Declare(ty));
            }
            Some(TokenKind::Word(word)) if is_root => {
                if let Some(kind) = BLOCKS.iter().find(|block| *block == word) {
                    self.idx += 1;
                    return Ok(Item::Block { at, kind, entries: self.block()? });
                }
            }
            _ => {}
        }
        if is_root {
            return Err(self.expected("a block or a type declaration"));
        }
        let name = self.path("a name")?.words.join(".");
        let item = if self.eat(":=") {
            Item::AssignType { at, name, ty: self.ty(false)? }
        } else if self.eat("=") {
            Item::Assign { at, name, value: self.value()? }
        } else {
            return Err(self.expected("`=` or `:=`"));
        };
        self.expect(";")?;
        Ok(item)
    }

    fn block(&mut self) -> Result<Vec<Item>> {
        self.expect("{")?;
        let mut entries = Vec::new();
        while !self.eat("}") {
            if !self.eat(";") {
                entries.push(self.item(false)?);
            }
        }
        self.expect(";")?;
        Ok(entries)
    }

    /// Parses `typealias TYPE := WORDS ***;`.
    pub(super) fn alias(&mut self) -> Result<Item> {
        let at = self.at();
        self.word("`typealias`")?;
        let ty = self.ty(false)?;
        self.expect(":=")?;
        let mut name = self.word("the name of the alias")?.to_owned();
        while let Some(TokenKind::Word(word) | TokenKind::Symbol(word @ "*")) = self.peek() {
            self.idx += 1;
            name.push(' ');
            name.push_str(word);
        }
        self.expect(";")?;
        Ok(Item::Alias { at, ty, name })
    }

    pub(super) fn typedef(&mut self) -> Result<Item> {
        self.word("`typedef`")?;
        let ty = self.ty(true)?;
        let declarators = self.declarators("the name of the alias")?;
        Ok(Item::Typedef { ty, declarators })
    }

    /// Parses names with what C has around them, up to and including the semicolon.
    pub(super) fn declarators(&mut self, what: &str) -> Result<Vec<Declarator>> {
        let mut declarators = vec![self.declarator(what)?];
        while self.eat(",") {
            declarators.push(self.declarator(what)?);
        }
        if self.is_symbol(":") {
            return Err(Complaint::new(self.at(), "bit fields are not read: give the integer this `size` instead"));
        }
        self.expect(";")?;
        Ok(declarators)
    }

    fn declarator(&mut self, what: &str) -> Result<Declarator> {
        let mut pointer = String::new();
        while let Some(TokenKind::Word(word @ "const") | TokenKind::Symbol(word @ "*")) = self.peek() {
            self.idx += 1;
            pointer.push(' ');
            pointer.push_str(word);
        }
        let at = self.at();
        let name = self.word(what)?.to_owned();
        let mut lengths = Vec::new();
        while self.eat("[") {
            lengths.push(self.length()?);
            self.expect("]")?;
        }
        if lengths.len() > TYPE_DEPTH_MAX {
            let message = format!("this array has {} dimensions; it may have {TYPE_DEPTH_MAX}", lengths.len());
            return Err(Complaint::new(at, message));
        }
        Ok(Declarator { at, pointer, name, lengths })
    }

    fn length(&mut self) -> Result<Length> {
        if let Some(TokenKind::Word(_)) = self.peek() {
            return Ok(Length::Field(self.path("the length of an array")?));
        }
        let at = self.at();
        let count = self.expression("the length of an array")?;
        let count = u64::try_from(count);
        Ok(Length::Count(count.map_err(|_| Complaint::new(at, "the length of an array cannot be negative"))?))
    }

    /// Parses words with dots or arrows between them.
    pub(super) fn path(&mut self, what: &str) -> Result<Path> {
        let at = self.at();
        let mut words = vec![self.word(what)?.to_owned()];
        while self.eat(".") || self.eat("->") {
            words.push(self.word("a name")?.to_owned());
        }
        Ok(Path { at, words })
    }

    fn value(&mut self) -> Result<Value> {
        match self.peek() {
            Some(TokenKind::String(text)) => {
                self.idx += 1;
                Ok(Value::String(text.clone()))
            }
            Some(TokenKind::Word(_)) => Ok(Value::Words(self.path("a value")?.words.join("."))),
            _ => Ok(Value::Number(self.expression("a value")?)),
        }
    }

    pub(super) fn attributes(&mut self) -> Result<Vec<Attribute>> {
        self.expect("{")?;
        let mut attributes = Vec::new();
        while !self.eat("}") {
            let at = self.at();
            let name = self.path("a name")?.words.join(".");
            self.expect("=")?;
            let value = self.value()?;
            self.expect(";")?;
            attributes.push(Attribute { at, name, value });
        }
        Ok(attributes)
    }
}

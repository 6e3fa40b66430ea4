// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the syntax tree of TSDL from its tokens, by recursive descent.
//!
//! It stops at the first complaint, which says what was expected and what stands there. Types nest at most
//! [`TYPE_DEPTH_MAX`] deep, blocks not at all.

use super::ast::{Attribute, Item, Label, Length, Member, Type, TypeKind, Value};
use super::lexer::{Token, TokenKind};
use crate::limits::TYPE_DEPTH_MAX;
use crate::reader::error::Complaint;

type Result<T> = std::result::Result<T, Complaint>;

const BLOCKS: [&str; 6] = ["trace", "env", "clock", "stream", "event", "callsite"];

/// Returns the statements of a metadata text of `source_bytes` bytes.
pub(crate) fn parse(tokens: &[Token<'_>], source_bytes: usize) -> Result<Vec<Item>> {
    let mut parser = Parser { tokens, idx: 0, end: source_bytes, depth: 0 };
    let mut items = Vec::new();
    while parser.idx < tokens.len() {
        if parser.eat(";") {
            continue;
        }
        items.push(parser.item(true)?);
    }
    Ok(items)
}

struct Parser<'t, 's> {
    tokens: &'t [Token<'s>],
    idx: usize,
    /// Where the text ends, for complaints about what is missing.
    end: usize,
    depth: usize,
}

impl<'t, 's> Parser<'t, 's> {
    fn peek(&self) -> Option<&'t TokenKind<'s>> {
        self.tokens.get(self.idx).map(|token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.idx).map_or(self.end, |token| token.at)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.idx += usize::from(found);
        found
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Symbol(found)) if *found == symbol)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Word(found)) if *found == word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.idx += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    fn word(&mut self, what: &str) -> Result<&'s str> {
        match self.peek() {
            Some(TokenKind::Word(word)) => {
                self.idx += 1;
                Ok(word)
            }
            _ => Err(self.expected(what)),
        }
    }

    #[cold]
    fn expected(&self, what: &str) -> Complaint {
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
                return Ok(Item::Note(note.clone()));
            }
            Some(TokenKind::Word(word)) if is_root && BLOCKS.contains(word) => {
                self.idx += 1;
                let entries = self.block()?;
                return Ok(Item::Block { at, kind: (*word).to_owned(), entries });
            }
            Some(TokenKind::Word("typealias" | "typedef")) => return self.alias(),
            Some(TokenKind::Word("struct" | "variant" | "enum")) => {
                let ty = self.ty(false)?;
                self.expect(";")?;
                return Ok(Item::Declare(ty));
            }
            _ => {}
        }
        if is_root {
            return Err(self.expected("a block or a type declaration"));
        }
        let name = self.path()?;
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
            if self.eat(";") {
                continue;
            }
            entries.push(self.item(false)?);
        }
        self.expect(";")?;
        Ok(entries)
    }

    fn alias(&mut self) -> Result<Item> {
        let at = self.at();
        let is_typedef = self.word("`typealias`")? == "typedef";
        let ty = self.ty(is_typedef)?;
        if !is_typedef {
            self.expect(":=")?;
        }
        let mut name = self.word("the name of the alias")?.to_owned();
        while let Some(TokenKind::Word(word)) = self.peek() {
            self.idx += 1;
            name.push(' ');
            name.push_str(word);
        }
        self.expect(";")?;
        Ok(Item::Alias { at, ty, name })
    }

    /// Parses words with dots between them.
    fn path(&mut self) -> Result<String> {
        let mut path = self.word("a name")?.to_owned();
        while self.eat(".") {
            path.push('.');
            path.push_str(self.word("a name")?);
        }
        Ok(path)
    }

    fn value(&mut self) -> Result<Value> {
        match self.peek() {
            Some(TokenKind::String(text)) => {
                self.idx += 1;
                Ok(Value::String(text.clone()))
            }
            Some(TokenKind::Word(_)) => Ok(Value::Words(self.path()?)),
            _ => Ok(Value::Number(self.signed("a value")?)),
        }
    }

    fn signed(&mut self, what: &str) -> Result<i128> {
        let negative = self.eat("-");
        if !negative {
            self.eat("+");
        }
        let Some(TokenKind::Number(number)) = self.peek() else {
            return Err(self.expected(what));
        };
        self.idx += 1;
        Ok(if negative { -i128::from(*number) } else { i128::from(*number) })
    }

    fn unsigned(&mut self, what: &str) -> Result<u64> {
        let at = self.at();
        let number = self.signed(what)?;
        u64::try_from(number).map_err(|_| Complaint::new(at, format!("{what} cannot be {number}")))
    }

    fn ty(&mut self, name_follows: bool) -> Result<Type> {
        let at = self.at();
        if self.depth == TYPE_DEPTH_MAX {
            return Err(Complaint::new(at, format!("types nest deeper than {TYPE_DEPTH_MAX} levels")));
        }
        self.depth += 1;
        let kind = self.type_kind(name_follows);
        self.depth -= 1;
        Ok(Type { at, kind: kind? })
    }

    fn type_kind(&mut self, name_follows: bool) -> Result<TypeKind> {
        let first = self.word("a type")?;
        match first {
            "integer" => Ok(TypeKind::Integer(self.attributes()?)),
            "floating_point" => Ok(TypeKind::Float(self.attributes()?)),
            "string" => {
                let has_braces = self.is_symbol("{");
                Ok(TypeKind::String(if has_braces { self.attributes()? } else { Vec::new() }))
            }
            "struct" => self.structure(),
            "variant" => self.variant(),
            "enum" => self.enumeration(),
            _ => Ok(TypeKind::Named(self.alias_name(first, name_follows))),
        }
    }

    /// Parses the words of an alias behind its first; if a name follows, the last word is that name.
    fn alias_name(&mut self, first: &str, name_follows: bool) -> String {
        let mut name = first.to_owned();
        while let Some(TokenKind::Word(word)) = self.peek() {
            let next = self.tokens.get(self.idx + 1).map(|token| &token.kind);
            if name_follows && !matches!(next, Some(TokenKind::Word(_))) {
                break;
            }
            self.idx += 1;
            name.push(' ');
            name.push_str(word);
        }
        name
    }

    fn attributes(&mut self) -> Result<Vec<Attribute>> {
        self.expect("{")?;
        let mut attributes = Vec::new();
        while !self.eat("}") {
            let at = self.at();
            let name = self.path()?;
            self.expect("=")?;
            let value = self.value()?;
            self.expect(";")?;
            attributes.push(Attribute { at, name, value });
        }
        Ok(attributes)
    }

    fn optional_name(&mut self) -> Option<String> {
        let Some(TokenKind::Word(word)) = self.peek() else {
            return None;
        };
        self.idx += 1;
        Some((*word).to_owned())
    }

    fn structure(&mut self) -> Result<TypeKind> {
        let name = if self.is_word("align") { None } else { self.optional_name() };
        let body = if self.is_symbol("{") { Some(self.members()?) } else { None };
        if name.is_none() && body.is_none() {
            return Err(self.expected("the name or the body of a structure"));
        }
        let mut align = None;
        if self.eat_word("align") {
            self.expect("(")?;
            align = Some(self.unsigned("an alignment")?);
            self.expect(")")?;
        }
        Ok(TypeKind::Struct { name, body, align })
    }

    fn variant(&mut self) -> Result<TypeKind> {
        let name = self.optional_name();
        let mut tag = None;
        if self.eat("<") {
            tag = Some(self.path()?);
            self.expect(">")?;
        }
        let body = if self.is_symbol("{") { Some(self.members()?) } else { None };
        if name.is_none() && body.is_none() {
            return Err(self.expected("the name or the body of a variant"));
        }
        Ok(TypeKind::Variant { name, tag, body })
    }

    fn members(&mut self) -> Result<Vec<Member>> {
        self.expect("{")?;
        let mut members = Vec::new();
        while !self.eat("}") {
            let at = self.at();
            if let Some(TokenKind::SourceNote(_)) = self.peek() {
                self.idx += 1;
                continue;
            }
            if self.is_word("typealias") || self.is_word("typedef") {
                members.push(Member::Item(self.alias()?));
                continue;
            }
            let ty = self.ty(true)?;
            if self.eat(";") {
                members.push(Member::Item(Item::Declare(ty)));
                continue;
            }
            let name = self.word("the name of a field")?.to_owned();
            let mut lengths = Vec::new();
            while self.eat("[") {
                lengths.push(self.length()?);
                self.expect("]")?;
            }
            if lengths.len() > TYPE_DEPTH_MAX {
                return Err(Complaint::new(at, format!("this array has {} dimensions", lengths.len())));
            }
            self.expect(";")?;
            members.push(Member::Field { at, ty, name, lengths });
        }
        Ok(members)
    }

    fn length(&mut self) -> Result<Length> {
        if let Some(TokenKind::Word(_)) = self.peek() {
            Ok(Length::Field(self.path()?))
        } else {
            Ok(Length::Count(self.unsigned("the length of an array")?))
        }
    }

    fn enumeration(&mut self) -> Result<TypeKind> {
        let name = self.optional_name();
        let container = if self.eat(":") { Some(Box::new(self.ty(false)?)) } else { None };
        let body = if self.eat("{") { Some(self.labels()?) } else { None };
        if name.is_none() && body.is_none() {
            return Err(self.expected("the name or the body of an enumeration"));
        }
        Ok(TypeKind::Enum { name, container, body })
    }

    fn labels(&mut self) -> Result<Vec<Label>> {
        let mut labels = Vec::new();
        while !self.eat("}") {
            let at = self.at();
            let name = match self.peek() {
                Some(TokenKind::String(text)) => {
                    self.idx += 1;
                    text.clone()
                }
                _ => self.word("a label")?.to_owned(),
            };
            let mut range = None;
            if self.eat("=") {
                let low = self.signed("the value of a label")?;
                let high = if self.eat("...") { self.signed("the last value of a label")? } else { low };
                range = Some((low, high));
            }
            labels.push(Label { at, name, range });
            if !self.eat(",") && !self.is_symbol("}") {
                return Err(self.expected("`,` or `}`"));
            }
        }
        Ok(labels)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of the parser that builds types.

use super::ast::{Item, Label, Member, Type, TypeKind};
use super::lexer::TokenKind;
use super::parser::{Parser, Result};
use crate::limits::TYPE_DEPTH_MAX;
use crate::reader::error::Complaint;

impl Parser<'_, '_> {
    /// Parses a type; if a name follows, the last of its words is that name and not part of it.
    pub(super) fn ty(&mut self, name_follows: bool) -> Result<Type> {
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
        let has_braced = matches!(
            self.peek_second(),
            Some(TokenKind::Word("struct" | "variant" | "enum" | "integer" | "floating_point" | "string"))
        );
        if has_braced {
            self.eat_word("const");
        }
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

    /// Parses the words of an alias behind its first.
    fn alias_name(&mut self, first: &str, name_follows: bool) -> String {
        let mut name = first.to_owned();
        while let Some(TokenKind::Word(word) | TokenKind::Symbol(word @ "*")) = self.peek() {
            if name_follows {
                let more = matches!(self.peek_second(), Some(TokenKind::Word(_) | TokenKind::Symbol("*")));
                if *word == "*" || !more {
                    break;
                }
            }
            self.next();
            name.push(' ');
            name.push_str(word);
        }
        name
    }

    fn optional_name(&mut self) -> Option<String> {
        let Some(TokenKind::Word(word)) = self.peek() else {
            return None;
        };
        self.next();
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
            let at = self.at();
            align = Some((at, self.expression("an alignment")?));
            self.expect(")")?;
        }
        Ok(TypeKind::Struct { name, body, align })
    }

    fn variant(&mut self) -> Result<TypeKind> {
        let name = self.optional_name();
        let mut tag = None;
        if self.eat("<") {
            tag = Some(self.path("the tag of a variant")?);
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
            if let Some(TokenKind::SourceNote(_)) = self.peek() {
                self.next();
                continue;
            }
            if self.is_word("typealias") {
                members.push(Member::Item(self.alias()?));
                continue;
            }
            if self.is_word("typedef") {
                members.push(Member::Item(self.typedef()?));
                continue;
            }
            let ty = self.ty(true)?;
            if self.eat(";") {
                members.push(Member::Item(Item::Declare(ty)));
                continue;
            }
            let declarators = self.declarators("the name of a field")?;
            members.push(Member::Fields { ty, declarators });
        }
        Ok(members)
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
                    self.next();
                    text.clone()
                }
                _ => self.word("a label")?.to_owned(),
            };
            let mut range = None;
            if self.eat("=") {
                let low = self.expression("the value of a label")?;
                let high = if self.eat("...") { self.expression("the last value of a label")? } else { low };
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the tree by climbing a table of precedences.

use crate::ast::{Binary, Expr, Filter, Node, Reference, Root, Span, Step, Unary};
use crate::check;
use crate::error::{Complaint, FilterError};
use crate::lexer::{Token, tokens};
use crate::limits::{DEPTH_MAX, OPERATOR_COUNT_MAX, TEXT_BYTES_MAX};

/// The binary operators by precedence, the loosest first.
const LEVELS: [&[(&str, Binary)]; 8] = [
    &[("||", Binary::Or)],
    &[("&&", Binary::And)],
    &[("==", Binary::Equal), ("!=", Binary::NotEqual)],
    &[("<=", Binary::LessOrEqual), (">=", Binary::GreaterOrEqual), ("<", Binary::Less), (">", Binary::Greater)],
    &[("|", Binary::BitOr)],
    &[("^", Binary::BitXor)],
    &[("&", Binary::BitAnd)],
    &[("<<", Binary::ShiftLeft), (">>", Binary::ShiftRight)],
];

/// Reads a filter, see [`Filter::parse`].
pub(crate) fn parse(text: &str) -> Result<Filter, FilterError> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("a filter of {} bytes is too long: allowed are {TEXT_BYTES_MAX}", text.len());
        return Err(Complaint::new(0..0, message).about(""));
    }
    let filter = tokens(text).and_then(|tokens| {
        let mut parser = Parser { tokens, at: 0, references: Vec::new(), depth: 0, operators: 0 };
        let root = parser.whole()?;
        Ok(Filter { text: text.to_owned(), root, references: parser.references })
    });
    let filter = filter.map_err(|complaint| complaint.about(text))?;
    check::without_schema(&filter).map_err(|complaint| complaint.about(text))?;
    Ok(filter)
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
    references: Vec<Reference>,
    depth: usize,
    operators: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn span(&self) -> Span {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0..0, |(_, span)| span.clone())
    }

    /// Takes the next token; the end stays.
    fn next(&mut self) -> (Token, Span) {
        let found = (self.peek().clone(), self.span());
        if found.0 != Token::End {
            self.at += 1;
        }
        found
    }

    fn takes(&mut self, symbol: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.at += usize::from(is_it);
        is_it
    }

    fn whole(&mut self) -> Result<Node, Complaint> {
        if *self.peek() == Token::End {
            return Err(Complaint::new(self.span(), "a filter cannot be empty").help("compare a field: size > 100"));
        }
        let root = self.binary(0)?;
        match self.next() {
            (Token::End, _) => Ok(root),
            (token, span) => Err(unexpected(&token, span, "an operator or the end")),
        }
    }

    /// Parses operands with operators of `LEVELS[level]` and tighter ones between them.
    fn binary(&mut self, level: usize) -> Result<Node, Complaint> {
        let mut left = self.unary()?;
        self.refuse_arithmetic()?;
        while let Some((found, operator)) = self.operator().filter(|(found, _)| level <= *found) {
            self.operators += 1;
            if self.operators > OPERATOR_COUNT_MAX {
                let message = format!("this filter has more than {OPERATOR_COUNT_MAX} operators");
                return Err(Complaint::new(self.span(), message));
            }
            self.at += 1;
            // What is left of it has been taken: operators of one level go from left to right.
            let right = self.binary(found + 1)?;
            let span = left.span.start..right.span.end;
            left = Node { span, expr: Expr::Binary(operator, Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    /// Returns the binary operator that comes next, and its level.
    fn operator(&self) -> Option<(usize, Binary)> {
        let Token::Symbol(symbol) = self.peek() else { return None };
        let of_level = |(level, operators): (usize, &&[(&str, Binary)])| {
            operators.iter().find(|(known, _)| known == symbol).map(|(_, operator)| (level, *operator))
        };
        LEVELS.iter().enumerate().find_map(of_level)
    }

    /// LTTng's grammar has these operators, its tracer does not.
    fn refuse_arithmetic(&self) -> Result<(), Complaint> {
        match self.peek() {
            Token::Symbol(symbol @ ("+" | "-" | "*" | "/" | "%")) => {
                let message = format!("a filter does not calculate: `{symbol}` between two operands is not supported");
                Err(Complaint::new(self.span(), message).help("move the number to the other side of the comparison"))
            }
            _ => Ok(()),
        }
    }

    fn unary(&mut self) -> Result<Node, Complaint> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Complaint::new(self.span(), format!("this is nested deeper than {DEPTH_MAX} levels")));
        }
        let node = self.unary_inside()?;
        self.depth -= 1;
        Ok(node)
    }

    fn unary_inside(&mut self) -> Result<Node, Complaint> {
        let (token, span) = self.next();
        let expr = match token {
            Token::Symbol(symbol @ ("+" | "-" | "!" | "~")) => {
                let operand = self.unary()?;
                let operator = match symbol {
                    "+" => Unary::Plus,
                    "-" => Unary::Minus,
                    "!" => Unary::Not,
                    _ => Unary::Complement,
                };
                let span = span.start..operand.span.end;
                return Ok(Node { span, expr: Expr::Unary(operator, Box::new(operand)) });
            }
            Token::Symbol("(") => {
                let inside = self.binary(0)?;
                if !self.takes(")") {
                    let (token, span) = self.next();
                    return Err(unexpected(&token, span, "an operator or `)`"));
                }
                return Ok(inside);
            }
            Token::Integer(value) => Expr::Integer(value),
            Token::Float(value) => Expr::Float(value),
            Token::Text(text) => Expr::Text(text),
            Token::Name(name) => return self.reference(Root::Payload, name, span),
            Token::Dollar(word) => return self.special(&word, span),
            other => return Err(unexpected(&other, span, "a field, a context, a number or a text")),
        };
        Ok(Node { span, expr })
    }

    /// `$ctx.NAME` or `$app.PROVIDER:NAME`.
    fn special(&mut self, word: &str, span: Span) -> Result<Node, Complaint> {
        let root = match word {
            "ctx" => Root::Context,
            "app" => Root::Application,
            _ => {
                let complaint = Complaint::new(span, format!("there is no `${word}`"));
                return Err(complaint.help("contexts are $ctx.NAME and $app.PROVIDER:NAME; fields have no dollar"));
            }
        };
        if !self.takes(".") {
            let (token, span) = self.next();
            return Err(unexpected(&token, span, "a point and a name"));
        }
        match self.next() {
            (Token::Name(name), end) => self.reference(root, name, span.start..end.end),
            (token, span) => Err(unexpected(&token, span, "the name of a context")),
        }
    }

    /// The members and elements behind a first name.
    fn reference(&mut self, root: Root, name: String, span: Span) -> Result<Node, Complaint> {
        let mut steps = vec![Step::Member(name)];
        let mut end = span.end;
        loop {
            if self.takes("[") {
                steps.push(Step::Element(self.index()?));
            } else if self.takes(".") || self.takes("->") {
                match self.next() {
                    (Token::Name(name), _) => steps.push(Step::Member(name)),
                    (token, span) => return Err(unexpected(&token, span, "the name of a member")),
                }
            } else {
                break;
            }
            end = self.tokens.get(self.at.wrapping_sub(1)).map_or(end, |(_, span)| span.end);
        }
        let span = span.start..end;
        let known = self.references.iter().find(|known| known.root == root && known.steps == steps);
        let idx = known.map_or(self.references.len(), |known| known.idx);
        if idx == self.references.len() {
            self.references.push(Reference { idx, root, steps, span: span.clone() });
        }
        Ok(Node { span, expr: Expr::Reference(idx) })
    }

    fn index(&mut self) -> Result<u64, Complaint> {
        let (token, span) = self.next();
        let idx = match token {
            Token::Integer(value) => u64::try_from(value).ok(),
            _ => None,
        };
        let idx = idx.ok_or_else(|| Complaint::new(span, "an index is a number, from 0 on"))?;
        if self.takes("]") {
            return Ok(idx);
        }
        let (token, span) = self.next();
        Err(unexpected(&token, span, "`]`"))
    }
}

fn unexpected(token: &Token, span: Span, expected: &str) -> Complaint {
    match token {
        Token::End => Complaint::new(span, format!("here the filter ends, expected is {expected}")),
        Token::Symbol("=") => Complaint::new(span, "`=` means nothing here").help("equality is `==`"),
        Token::Symbol(symbol) => Complaint::new(span, format!("`{symbol}` cannot stand here, expected is {expected}")),
        _ => Complaint::new(span, format!("this cannot stand here, expected is {expected}")),
    }
}

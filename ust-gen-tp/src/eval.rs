// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values of constant expressions of C, as far as they follow from the text.
//!
//! Not here: types. All values are 128 bits wide, which is more than C has; only a cast to an integer type cuts them.

use std::rc::Rc;

use crate::ctype::CType;
use crate::limits::DEPTH_MAX;
use crate::token::{self, Kind, Token};

/// Why an expression has no value here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// It needs the value of this name.
    Name(Rc<str>),
    /// It is not a constant expression, or one that only a compiler knows.
    Other,
}

/// Returns the value of `tokens`. `value_of` says what a name is.
pub(crate) fn eval(tokens: &[Token], value_of: &dyn Fn(&str) -> Option<i128>) -> Result<i128, NoValue> {
    let mut parser = Parser { tokens, at: 0, depth: 0, value_of };
    let value = parser.ternary()?;
    if parser.at == tokens.len() { Ok(value) } else { Err(NoValue::Other) }
}

/// Returns the value of an integer or a character as it is written in C.
pub(crate) fn literal(token: &Token) -> Option<i128> {
    match token.kind {
        Kind::Number => number(&token.text),
        Kind::Char => character(&token.text),
        _ => None,
    }
}

fn number(text: &str) -> Option<i128> {
    let text = text.replace('\'', "").to_ascii_lowercase();
    let (digits, base) = match text.as_bytes() {
        [b'0', b'x', ..] => (&text[2..], 16),
        [b'0', b'b', ..] => (&text[2..], 2),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (&text[..], 10),
    };
    let digits = digits.trim_end_matches(['u', 'l', 'z']);
    if digits.is_empty() {
        return (base == 8).then_some(0);
    }
    i128::from_str_radix(digits, base).ok()
}

fn character(text: &str) -> Option<i128> {
    let inside = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut chars = inside.chars();
    let value = match (chars.next()?, chars.as_str()) {
        (c, "") if c != '\\' => c as i128,
        ('\\', "n") => 10,
        ('\\', "t") => 9,
        ('\\', "r") => 13,
        ('\\', "a") => 7,
        ('\\', "b") => 8,
        ('\\', "f") => 12,
        ('\\', "v") => 11,
        ('\\', "\\") => 92,
        ('\\', "'") => 39,
        ('\\', "\"") => 34,
        ('\\', hex) if hex.starts_with('x') => i128::from_str_radix(&hex[1..], 16).ok()?,
        ('\\', octal) => i128::from_str_radix(octal, 8).ok()?,
        _ => return None,
    };
    Some(value)
}

/// The operators with two operands and how tightly they bind.
const BINARY: [(&str, u8); 18] = [
    ("||", 1),
    ("&&", 2),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("==", 6),
    ("!=", 6),
    ("<", 7),
    (">", 7),
    ("<=", 7),
    (">=", 7),
    ("<<", 8),
    (">>", 8),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
    ("%", 10),
];

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    value_of: &'a dyn Fn(&str) -> Option<i128>,
}

impl<'a> Parser<'a> {
    fn next_is(&mut self, text: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.is(text));
        self.at += usize::from(found);
        found
    }

    fn ternary(&mut self) -> Result<i128, NoValue> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(NoValue::Other);
        }
        let condition = self.binary(1)?;
        let value = if self.next_is("?") {
            let yes = self.ternary()?;
            if !self.next_is(":") {
                return Err(NoValue::Other);
            }
            let no = self.ternary()?;
            if condition != 0 { yes } else { no }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(value)
    }

    fn binary(&mut self, loosest: u8) -> Result<i128, NoValue> {
        let mut left = self.unary()?;
        while let Some(token) = self.tokens.get(self.at) {
            let found = BINARY.iter().find(|(operator, _)| token.is(operator));
            let Some((operator, binds)) = found.filter(|(_, binds)| *binds >= loosest) else { break };
            self.at += 1;
            let right = self.binary(binds + 1)?;
            left = apply(operator, left, right).ok_or(NoValue::Other)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<i128, NoValue> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(NoValue::Other);
        }
        let value = self.unary_inner();
        self.depth -= 1;
        value
    }

    fn unary_inner(&mut self) -> Result<i128, NoValue> {
        let token = self.tokens.get(self.at).ok_or(NoValue::Other)?;
        if self.next_is("-") {
            return self.unary()?.checked_neg().ok_or(NoValue::Other);
        } else if self.next_is("+") {
            return self.unary();
        } else if self.next_is("!") {
            return Ok(i128::from(self.unary()? == 0));
        } else if self.next_is("~") {
            return Ok(!self.unary()?);
        } else if self.next_is("sizeof") {
            let ty = self.bracketed_type().ok_or(NoValue::Other)?;
            return ty.bytes().map(i128::from).ok_or(NoValue::Other);
        } else if token.is("(") {
            if let Some(ty) = self.bracketed_type() {
                let value = self.unary()?;
                return ty.cut(value).ok_or(NoValue::Other);
            }
            self.at += 1;
            let value = self.ternary()?;
            return if self.next_is(")") { Ok(value) } else { Err(NoValue::Other) };
        }
        self.at += 1;
        if token.is_ident() {
            return (self.value_of)(&token.text).ok_or(NoValue::Name(token.text.clone()));
        }
        literal(token).ok_or(NoValue::Other)
    }

    /// `(type)`, of a type that is known by name. Stays where it is otherwise.
    fn bracketed_type(&mut self) -> Option<CType> {
        let close = token::closing(self.tokens, self.at).filter(|_| self.tokens[self.at].is("("))?;
        let ty = CType::parse(&self.tokens[self.at + 1..close]);
        if !ty.is_scalar() {
            return None;
        }
        self.at = close + 1;
        Some(ty)
    }
}

fn apply(operator: &str, left: i128, right: i128) -> Option<i128> {
    let truth = |is: bool| Some(i128::from(is));
    match operator {
        "||" => truth(left != 0 || right != 0),
        "&&" => truth(left != 0 && right != 0),
        "|" => Some(left | right),
        "^" => Some(left ^ right),
        "&" => Some(left & right),
        "==" => truth(left == right),
        "!=" => truth(left != right),
        "<" => truth(left < right),
        ">" => truth(left > right),
        "<=" => truth(left <= right),
        ">=" => truth(left >= right),
        "<<" => left.checked_mul(1_i128.checked_shl(u32::try_from(right).ok()?)?),
        ">>" => left.checked_shr(u32::try_from(right).ok()?),
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        "%" => left.checked_rem(right),
        _ => None,
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Constant expressions of TSDL: those of C, over whole numbers of 64 bits of either sign.

use super::lexer::TokenKind;
use super::parser::{Parser, Result};
use crate::limits::TYPE_DEPTH_MAX;
use crate::reader::error::Complaint;

/// Operators from the weakest; those of a row are equally strong.
const OPERATORS: [&[&str]; 6] = [&["|"], &["^"], &["&"], &["<<", ">>"], &["+", "-"], &["*", "/", "%"]];

const LEAST: i128 = i64::MIN as i128;
const GREATEST: i128 = u64::MAX as i128;

impl Parser<'_, '_> {
    /// Parses an expression and returns its value; `what` is what a complaint says is missing.
    pub(super) fn expression(&mut self, what: &str) -> Result<i128> {
        self.binary(0, what)
    }

    fn binary(&mut self, row: usize, what: &str) -> Result<i128> {
        let Some(operators) = OPERATORS.get(row) else {
            return self.unary(what);
        };
        let mut value = self.binary(row + 1, what)?;
        loop {
            let at = self.at();
            let Some(operator) = operators.iter().find(|operator| self.is_symbol(operator)) else {
                return Ok(value);
            };
            self.eat(operator);
            let right = self.binary(row + 1, "a number")?;
            value =
                apply(operator, value, right).filter(|value| (LEAST..=GREATEST).contains(value)).ok_or_else(|| {
                    Complaint::new(at, format!("`{value} {operator} {right}` is not a number of 64 bits"))
                })?;
        }
    }

    fn unary(&mut self, what: &str) -> Result<i128> {
        let at = self.at();
        if self.depth == TYPE_DEPTH_MAX {
            return Err(Complaint::new(at, format!("this expression nests deeper than {TYPE_DEPTH_MAX} levels")));
        }
        self.depth += 1;
        let value = self.operand(what);
        self.depth -= 1;
        let value = value?;
        if (LEAST..=GREATEST).contains(&value) {
            return Ok(value);
        }
        Err(Complaint::new(at, format!("{value} is not a number of 64 bits")))
    }

    fn operand(&mut self, what: &str) -> Result<i128> {
        if self.eat("-") {
            return self.unary("a number").map(|value| -value);
        }
        if self.eat("+") {
            return self.unary("a number");
        }
        if self.eat("~") {
            return self.unary("a number").map(|value| !value);
        }
        if self.eat("(") {
            let value = self.expression("a number")?;
            self.expect(")")?;
            return Ok(value);
        }
        match self.peek() {
            Some(TokenKind::Number(number)) => {
                self.next();
                Ok(i128::from(*number))
            }
            _ => Err(self.expected(what)),
        }
    }
}

fn apply(operator: &str, left: i128, right: i128) -> Option<i128> {
    let shift = || u32::try_from(right).ok().filter(|bits| *bits < 64);
    match operator {
        "|" => Some(left | right),
        "^" => Some(left ^ right),
        "&" => Some(left & right),
        "<<" => shift().and_then(|bits| left.checked_mul(1 << bits)),
        ">>" => shift().map(|bits| left >> bits),
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        _ => left.checked_rem(right),
    }
}

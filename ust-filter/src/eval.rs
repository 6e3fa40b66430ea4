// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks a filter about one event.
//!
//! `None` on the way up means that the whole filter says no: a field was missing, or of the wrong kind.

use std::borrow::Cow;
use std::cmp::Ordering;

use ust_shm::glob;

use crate::ast::{Binary, Expr, Filter, Node, Reference, Text, Unary};

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// An integer, a boolean, or the number of an enumeration; 64 bits, two's complement.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A text, without a NUL at its end.
    Text(Cow<'a, [u8]>),
}

/// The fields and contexts of one event.
pub trait Values {
    /// Returns the value of what `reference` names, if this event has it and it is a number or a text.
    fn value(&self, reference: &Reference) -> Option<Value<'_>>;
}

impl Filter {
    /// Tells whether the filter wants the event with these values.
    #[must_use]
    pub fn accepts(&self, values: &impl Values) -> bool {
        let asked = Asked { references: &self.references, values };
        asked.eval(&self.root).and_then(|operand| operand.truth()).unwrap_or(false)
    }
}

/// An operand: a value, or a pattern of the filter.
enum Operand<'a> {
    Value(Value<'a>),
    Pattern(&'a [u8]),
}

impl Operand<'_> {
    fn integer(value: i64) -> Self {
        Self::Value(Value::Integer(value))
    }

    /// What `&&`, `||` and the filter as a whole make of it.
    fn truth(&self) -> Option<bool> {
        match self {
            Self::Value(Value::Integer(value)) => Some(*value != 0),
            // As LTTng: the number without its fraction.
            Self::Value(Value::Float(value)) => Some(*value as i64 != 0),
            _ => None,
        }
    }

    /// The bits of an integer; other values have none.
    fn bits(&self) -> Option<u64> {
        match self {
            Self::Value(Value::Integer(value)) => Some(*value as u64),
            _ => None,
        }
    }
}

struct Asked<'a, V> {
    references: &'a [Reference],
    values: &'a V,
}

impl<'a, V: Values> Asked<'a, V> {
    fn eval(&self, node: &'a Node) -> Option<Operand<'a>> {
        Some(match &node.expr {
            Expr::Integer(value) => Operand::integer(*value),
            Expr::Float(value) => Operand::Value(Value::Float(*value)),
            Expr::Text(Text::Plain(text)) => Operand::Value(Value::Text(Cow::Borrowed(text))),
            Expr::Text(Text::Pattern(pattern)) => Operand::Pattern(pattern),
            Expr::Reference(idx) => Operand::Value(self.values.value(self.references.get(*idx)?)?),
            Expr::Unary(operator, operand) => unary(*operator, &self.eval(operand)?)?,
            Expr::Binary(Binary::Or, left, right) => {
                let truth = self.eval(left)?.truth()? || self.eval(right)?.truth()?;
                Operand::integer(truth.into())
            }
            Expr::Binary(Binary::And, left, right) => {
                let truth = self.eval(left)?.truth()? && self.eval(right)?.truth()?;
                Operand::integer(truth.into())
            }
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                Operand::integer(if operator.is_bitwise() {
                    bitwise(*operator, left.bits()?, right.bits()?)? as i64
                } else {
                    compare(*operator, &left, &right)?.into()
                })
            }
        })
    }
}

fn unary<'a>(operator: Unary, operand: &Operand<'a>) -> Option<Operand<'a>> {
    Some(Operand::Value(match (operator, operand) {
        (Unary::Plus, Operand::Value(Value::Integer(value))) => Value::Integer(*value),
        (Unary::Plus, Operand::Value(Value::Float(value))) => Value::Float(*value),
        (Unary::Minus, Operand::Value(Value::Integer(value))) => Value::Integer(value.wrapping_neg()),
        (Unary::Minus, Operand::Value(Value::Float(value))) => Value::Float(-value),
        (Unary::Not, operand) => Value::Integer((!operand.truth()?).into()),
        (Unary::Complement, operand) => Value::Integer(!operand.bits()? as i64),
        _ => return None,
    }))
}

fn bitwise(operator: Binary, left: u64, right: u64) -> Option<u64> {
    let count = || u32::try_from(right).ok().filter(|count| *count < u64::BITS);
    Some(match operator {
        Binary::BitOr => left | right,
        Binary::BitXor => left ^ right,
        Binary::BitAnd => left & right,
        Binary::ShiftLeft => left << count()?,
        _ => left >> count()?,
    })
}

fn compare(operator: Binary, left: &Operand<'_>, right: &Operand<'_>) -> Option<bool> {
    use Operand::{Pattern, Value as Is};
    let equal = |is: bool| match operator {
        Binary::Equal => Some(is),
        Binary::NotEqual => Some(!is),
        _ => None,
    };
    let order = match (left, right) {
        (Is(Value::Text(text)), Pattern(pattern)) | (Pattern(pattern), Is(Value::Text(text))) => {
            return equal(glob::matches(pattern, text));
        }
        (Is(Value::Text(left)), Is(Value::Text(right))) => Some(left.cmp(right)),
        (Is(Value::Integer(left)), Is(Value::Integer(right))) => Some(left.cmp(right)),
        (Is(left), Is(right)) => float(left)?.partial_cmp(&float(right)?),
        _ => return None,
    };
    Some(match operator {
        Binary::Equal => order == Some(Ordering::Equal),
        Binary::NotEqual => order != Some(Ordering::Equal),
        Binary::Less => order == Some(Ordering::Less),
        Binary::Greater => order == Some(Ordering::Greater),
        Binary::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

fn float(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        Value::Text(_) => None,
    }
}

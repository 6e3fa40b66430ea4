// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes the program of a filter, which the traced programs run: `ust_shm::filter`.

use ust_shm::context::Context;
use ust_shm::filter::{self, Comparison, Op, ProgramBuilder};
use ust_shm::limits::{FILTER_BYTES_MAX, FILTER_REFERENCE_COUNT_MAX, FILTER_STACK_MAX};

use crate::ast::{Binary, Expr, Filter, Node, Reference, Root, Step, Text, Unary};
use crate::check;
use crate::error::{Complaint, FilterError};

impl Filter {
    /// Returns the program of this filter, for an event rule.
    ///
    /// # Errors
    /// - A context that there is not.
    /// - More than a traced program is to be burdened with: parentheses too deep, too many fields, too much text.
    pub fn compile(&self) -> Result<Vec<u8>, FilterError> {
        self.program().map_err(|complaint| complaint.about(&self.text))
    }

    fn program(&self) -> Result<Vec<u8>, Complaint> {
        let mut builder = ProgramBuilder::default();
        for reference in &self.references {
            builder.reference(&compiled(reference)?);
        }
        if let Some(reference) = self.references.get(FILTER_REFERENCE_COUNT_MAX) {
            let message = format!("this filter has more than {FILTER_REFERENCE_COUNT_MAX} fields and contexts");
            return Err(Complaint::new(reference.span.clone(), message));
        }
        let depth = depth(&self.root);
        if depth > FILTER_STACK_MAX {
            let message = format!("the operands to the right are nested deeper than {FILTER_STACK_MAX} levels");
            return Err(Complaint::new(self.root.span.clone(), message).help("put what is in parentheses to the left"));
        }
        put(&mut builder, &self.root);
        builder.build(depth).map_err(|_| {
            Complaint::new(self.root.span.clone(), format!("this filter takes more than {FILTER_BYTES_MAX} bytes"))
                .help("fewer comparisons, or shorter texts")
        })
    }
}

fn compiled(reference: &Reference) -> Result<filter::Reference<'_>, Complaint> {
    Ok(match (reference.root, reference.steps.as_slice()) {
        (Root::Payload, [Step::Member(name)]) => filter::Reference::Field(name),
        (Root::Payload, [Step::Member(name), Step::Element(idx)]) => match u32::try_from(*idx) {
            Ok(idx) => filter::Reference::Element(name, idx),
            Err(_) => filter::Reference::Missing,
        },
        (Root::Context, [Step::Member(name)]) => match Context::from_name(name) {
            Some(context) => filter::Reference::Context(context),
            None => {
                let names = Context::all().map(|context| context.name().to_owned()).collect();
                return Err(check::unknown_name(reference, name, names));
            }
        },
        _ => filter::Reference::Missing,
    })
}

/// Returns how many values are on the stack at once.
fn depth(node: &Node) -> usize {
    match &node.expr {
        Expr::Unary(_, operand) => depth(operand),
        // What settles `&&` and `||` is taken off the stack before the right operand.
        Expr::Binary(Binary::And | Binary::Or, left, right) => depth(left).max(depth(right)),
        Expr::Binary(_, left, right) => depth(left).max(1 + depth(right)),
        _ => 1,
    }
}

fn put(out: &mut ProgramBuilder, node: &Node) {
    match &node.expr {
        Expr::Integer(value) => out.op(&Op::Integer(*value)),
        Expr::Float(value) => out.op(&Op::Float(*value)),
        Expr::Text(Text::Plain(text)) => out.op(&Op::Text(text)),
        Expr::Text(Text::Pattern(pattern)) => out.op(&Op::Pattern(pattern)),
        Expr::Reference(idx) => out.op(&Op::Reference(*idx as u16)),
        Expr::Unary(operator, operand) => {
            put(out, operand);
            out.op(&Op::Unary(match operator {
                Unary::Plus => filter::Unary::Plus,
                Unary::Minus => filter::Unary::Minus,
                Unary::Not => filter::Unary::Not,
                Unary::Complement => filter::Unary::Complement,
            }));
        }
        Expr::Binary(operator @ (Binary::And | Binary::Or), left, right) => {
            put(out, left);
            let begin = out.short_circuit(*operator == Binary::Or);
            put(out, right);
            out.end_of_right(begin);
        }
        Expr::Binary(operator, left, right) => put_binary(out, *operator, left, right),
    }
}

fn put_binary(out: &mut ProgramBuilder, operator: Binary, left: &Node, right: &Node) {
    // What nearly all filters are made of, for which there is an operation of its own.
    match (comparison(operator), &left.expr, constant(right), constant(left), &right.expr) {
        (Some(comparison), Expr::Reference(idx), Some(value), _, _) => {
            return out.op(&Op::CompareInteger(comparison, *idx as u16, value));
        }
        (Some(comparison), _, _, Some(value), Expr::Reference(idx)) => {
            return out.op(&Op::CompareInteger(turned(comparison), *idx as u16, value));
        }
        _ => {}
    }
    put(out, left);
    put(out, right);
    out.op(&match operator {
        Binary::BitOr => Op::Bits(0),
        Binary::BitXor => Op::Bits(1),
        Binary::BitAnd => Op::Bits(2),
        Binary::ShiftLeft => Op::Bits(3),
        Binary::ShiftRight => Op::Bits(4),
        _ => Op::Compare(comparison(operator).unwrap_or(Comparison::Equal)),
    });
}

/// The integer that a node is, whatever the event: a number, with signs before it.
fn constant(node: &Node) -> Option<i64> {
    match &node.expr {
        Expr::Integer(value) => Some(*value),
        Expr::Unary(Unary::Plus, operand) => constant(operand),
        Expr::Unary(Unary::Minus, operand) => constant(operand).map(i64::wrapping_neg),
        Expr::Unary(Unary::Complement, operand) => constant(operand).map(|value| !value),
        _ => None,
    }
}

/// The comparison that says the same with its operands exchanged.
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::Greater => Comparison::Less,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

fn comparison(operator: Binary) -> Option<Comparison> {
    Some(match operator {
        Binary::Equal => Comparison::Equal,
        Binary::NotEqual => Comparison::NotEqual,
        Binary::Less => Comparison::Less,
        Binary::Greater => Comparison::Greater,
        Binary::LessOrEqual => Comparison::LessOrEqual,
        Binary::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

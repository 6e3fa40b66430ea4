// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the value of a field is, if it is simple.

use crate::ctype::{Base, CType, Scalar};
use crate::eval;
use crate::items;
use crate::limits::DEPTH_MAX;
use crate::model::{Arg, Code};
use crate::rust::Refusal;
use crate::token::{self, Kind, Token};

/// A value that Rust can say.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// An argument, with casts from the innermost to the outermost.
    Arg {
        arg: usize,
        casts: Vec<CType>,
    },
    Number(i128),
    /// A number with a point, as Rust writes it.
    Float(String),
    Text(String),
}

/// Returns the value that `code` stands for.
pub(super) fn value(code: &Code, args: &[Arg]) -> Result<Value, Refusal> {
    parse(&code.tokens, args, 0).map_err(|reason| Refusal::new(code.span, reason))
}

fn parse(tokens: &[Token], args: &[Arg], depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("a value has more than {DEPTH_MAX} casts and parentheses"));
    }
    let close = tokens.first().filter(|open| open.is("(")).and_then(|_| token::closing(tokens, 0));
    match (tokens, close) {
        (_, Some(close)) if close + 1 == tokens.len() => return parse(&tokens[1..close], args, depth + 1),
        ([_, inside @ .., _], Some(close)) if is_type(&inside[..close - 1]) => {
            return cast(CType::parse(&inside[..close - 1]), parse(&tokens[close + 1..], args, depth + 1)?);
        }
        ([name], _) if name.is_ident() => {
            if let Some(arg) = args.iter().position(|arg| *arg.name.text == *name.text) {
                return Ok(Value::Arg { arg, casts: Vec::new() });
            }
            return match &*name.text {
                "true" => Ok(Value::Number(1)),
                "false" => Ok(Value::Number(0)),
                other => Err(format!("`{other}` is neither an argument nor a number")),
            };
        }
        _ => {}
    }
    if !tokens.is_empty() && tokens.iter().all(|token| token.kind == Kind::Text) {
        return Ok(Value::Text(items::strings(tokens)));
    }
    if let Some(float) = float(tokens) {
        return Ok(Value::Float(float));
    }
    match eval::eval(tokens, &|_| None) {
        Ok(number) => Ok(Value::Number(number)),
        Err(_) => Err(format!("`{}` is an expression of C", token::text(tokens))),
    }
}

/// Whether the content of parentheses is a type: of known names, or of a name and stars.
fn is_type(tokens: &[Token]) -> bool {
    let ty = CType::parse(tokens);
    let words = tokens.iter().all(|token| token.is_ident() || token.is("*") || token.is("::"));
    words && (ty.is_scalar() || ty.base == Base::Enum || ty.pointers > 0)
}

fn cast(ty: CType, value: Value) -> Result<Value, String> {
    match value {
        Value::Arg { arg, mut casts } => {
            casts.push(ty);
            Ok(Value::Arg { arg, casts })
        }
        Value::Number(number) => match (ty.scalar(), ty.cut(number)) {
            (Some(Scalar::Float { .. }), _) => Ok(Value::Float(format!("{number}.0"))),
            (_, Some(cut)) => Ok(Value::Number(cut)),
            _ => Err("a number is cast to a pointer".to_owned()),
        },
        Value::Float(float) if matches!(ty.scalar(), Some(Scalar::Float { .. })) => Ok(Value::Float(float)),
        Value::Text(text) if ty.pointers == 1 => Ok(Value::Text(text)),
        _ => Err("a constant is cast to another kind".to_owned()),
    }
}

/// A number with a point or an exponent, and perhaps a sign.
fn float(tokens: &[Token]) -> Option<String> {
    let (sign, number) = match tokens {
        [minus, number] if minus.is("-") => ("-", number),
        [number] => ("", number),
        _ => return None,
    };
    let text = number.text.to_ascii_lowercase();
    let is_float = number.kind == Kind::Number && !text.starts_with("0x") && text.contains(['.', 'e']);
    if !is_float {
        return None;
    }
    let digits = text.trim_end_matches(['f', 'l']);
    digits.parse::<f64>().ok()?;
    let (mantissa, exponent) = match digits.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, format!("e{exponent}")),
        None => (digits, String::new()),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let or_zero = |digits: &str| if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    Some(format!("{sign}{}.{}{exponent}", or_zero(whole), or_zero(part)))
}

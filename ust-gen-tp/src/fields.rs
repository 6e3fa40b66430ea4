// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes one field apart.

use crate::items::kernel_only;
use crate::model::{Code, Field, Name};
use crate::problem::Problem;
use crate::source::Span;
use crate::token::{self, Token};
use crate::words::{self, Shape};

/// What the parts of a field mean, by shape.
fn parts_of(shape: Shape) -> &'static str {
    match shape {
        Shape::Integer | Shape::Float => "type, name, value",
        Shape::String => "name, value",
        Shape::Unused => "value",
        Shape::Array => "type, name, value, count",
        Shape::Sequence => "type, name, value, type of the count, count",
        Shape::Enum => "provider, enumeration, type, name, value",
        Shape::FixedBlob => "name, value, count, \"media type\"",
        Shape::VariableBlob => "name, value, type of the count, count, \"media type\"",
    }
}

/// Returns the field that the call `name(parts)` makes.
pub(crate) fn read(name: &Token, parts: &[&[Token]], span: Span) -> Result<Option<Field>, Problem> {
    let Some(word) = words::field(&name.text) else { return Err(unknown(name)) };
    let meaning = parts_of(word.shape);
    let count = meaning.matches(',').count() + 1;
    if parts.len() != count || parts.iter().any(|part| part.is_empty()) {
        let given =
            if parts.len() == count { "one of them is empty".to_owned() } else { format!("here are {}", parts.len()) };
        let problem = Problem::error(span, format!("`{}` has {count} parts, {given}", name.text));
        let commas = if parts.len() > count { "; put parentheses round a value with a comma" } else { "" };
        return Err(problem.help(format!("`{}({meaning})`{commas}", name.text)));
    }
    let mut field = Field {
        shape: word.shape,
        hex: word.hex,
        network: word.network,
        text: word.text,
        nowrite: word.nowrite,
        name: None,
        ty: None,
        expr: Code::new(&[], span),
        count: None,
        count_value: None,
        count_ty: None,
        enumeration: None,
        media: None,
        span,
    };
    for (what, part) in meaning.split(", ").zip(parts) {
        let code = Code::new(part, span);
        match what {
            "type" => field.ty = Some(code),
            "name" => field.name = Some(identifier(part, "field", span)?),
            "count" => field.count = Some(code),
            "type of the count" => field.count_ty = Some(code),
            "provider" => {
                field.enumeration = Some((identifier(part, "provider", span)?, Name { text: String::new(), span }))
            }
            "enumeration" => {
                let name = identifier(part, "enumeration", span)?;
                field.enumeration = field.enumeration.map(|(provider, _)| (provider, name));
            }
            "\"media type\"" => field.media = Some(code),
            _ => field.expr = code,
        }
    }
    Ok(Some(field))
}

fn identifier(part: &[Token], what: &str, otherwise: Span) -> Result<Name, Problem> {
    match part {
        [token] if token.is_ident() => Ok(Name { text: token.text.to_string(), span: token.place() }),
        _ => {
            let message = format!("`{}` is no name of a {what}", token::text(part));
            Err(Problem::error(token::span(part, otherwise), message).help("a name is one identifier of C"))
        }
    }
}

fn unknown(name: &Token) -> Problem {
    if words::is_kernel_only(&name.text) {
        return kernel_only(name);
    }
    let problem = Problem::error(name.span, format!("there is no kind of field `{}`", name.text));
    problem.help(match words::closest_field(&name.text) {
        Some(near) => format!("`{near}`"),
        None => "ctf_integer, ctf_float, ctf_string, ctf_array, ctf_sequence, ctf_enum, their variants, \
                 or a macro that makes fields"
            .to_owned(),
    })
}

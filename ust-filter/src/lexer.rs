// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cuts the text into tokens.

use crate::ast::{Span, Text};
use crate::error::Complaint;
use crate::number::{self, Number};

/// A piece of the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name; it may have colons inside.
    Name(String),
    /// A name with a dollar before it, without the dollar.
    Dollar(String),
    Integer(i64),
    Float(f64),
    Text(Text),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// The symbols; longer ones before their beginnings.
const SYMBOLS: [&str; 29] = [
    "||", "&&", "==", "!=", "<=", ">=", "<<", ">>", "->", "|", "&", "^", "<", ">", "+", "-", "*", "/", "%", "!", "~",
    "(", ")", "[", "]", ".", ",", "?", "=",
];

/// Returns the tokens of `text` and where they stand; the last one is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, Complaint> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at = skip(text, at)?;
        let Some(first) = text[at..].chars().next() else {
            found.push((Token::End, at..at));
            return Ok(found);
        };
        let (token, end) = token(text, at, first)?;
        found.push((token, at..end));
        at = end;
    }
}

/// Returns where the next token begins: behind spaces and comments.
fn skip(text: &str, mut at: usize) -> Result<usize, Complaint> {
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("//") {
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        } else if trimmed.starts_with("/*") {
            let length = trimmed.find("*/").ok_or_else(|| Complaint::new(at..at + 2, "this comment has no end"))?;
            at += length + 2;
        } else {
            return Ok(at);
        }
    }
}

/// Returns the token that begins at `at` and where it ends.
fn token(text: &str, at: usize, first: char) -> Result<(Token, usize), Complaint> {
    let rest = &text[at..];
    if first.is_ascii_alphabetic() || first == '_' {
        // A string of wide characters is one of characters here.
        if rest.starts_with("L\"") || rest.starts_with("L'") {
            return quoted(text, at, at + 1);
        }
        let end = at + word_bytes(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        return Ok((Token::Name(text[at..end].to_owned()), end));
    }
    if first == '$' {
        let end = at + 1 + word_bytes(&rest[1..], |c| c.is_ascii_alphanumeric() || c == '_');
        return Ok((Token::Dollar(text[at + 1..end].to_owned()), end));
    }
    if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
        let end = at + number_bytes(rest);
        return match number::parse(&text[at..end]) {
            Ok(Number::Integer(value)) => Ok((Token::Integer(value), end)),
            Ok(Number::Float(value)) => Ok((Token::Float(value), end)),
            Err(reason) => Err(Complaint::new(at..end, reason)),
        };
    }
    if first == '"' || first == '\'' {
        return quoted(text, at, at);
    }
    match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        Some(symbol) => Ok((Token::Symbol(symbol), at + symbol.len())),
        None => Err(Complaint::new(at..at + first.len_utf8(), format!("`{first}` means nothing here"))),
    }
}

fn word_bytes(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// Length of a number: letters, digits and points, and the sign of an exponent.
fn number_bytes(rest: &str) -> usize {
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut end = 0;
    for (at, c) in rest.char_indices() {
        let after_exponent = match rest[..at].chars().next_back() {
            Some('e' | 'E') => !is_hex,
            Some('p' | 'P') => is_hex,
            _ => false,
        };
        if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || (after_exponent && (c == '+' || c == '-'))) {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// Returns the text or the character whose quote is at `open`; the token began at `at`.
fn quoted(text: &str, at: usize, open: usize) -> Result<(Token, usize), Complaint> {
    let quote = if text[open..].starts_with('"') { '"' } else { '\'' };
    let mut content = Quoted::default();
    let mut chars = text[open + 1..].char_indices();
    while let Some((offset, c)) = chars.next() {
        let here = open + 1 + offset;
        if c == quote {
            let end = here + 1;
            let token = if quote == '"' { Token::Text(content.text()) } else { content.character(at..end)? };
            return Ok((token, end));
        }
        match (c, quote) {
            ('\\', _) => match chars.next() {
                Some((_, escaped @ ('*' | '\\' | '"' | '\''))) => content.push(escaped, true),
                Some((_, other)) => {
                    return Err(Complaint::new(
                        here..here + 1 + other.len_utf8(),
                        format!("`\\{other}` is not supported in a text"),
                    )
                    .help("after a backslash comes a star, a quote or a backslash"));
                }
                None => break,
            },
            ('*', '"') => content.star(),
            _ => content.push(c, false),
        }
    }
    Err(Complaint::new(at..text.len(), format!("this has no closing {quote}")))
}

/// What stands in quotes, so far.
#[derive(Default)]
struct Quoted {
    plain: Vec<u8>,
    pattern: Vec<u8>,
    has_star: bool,
    chars: usize,
}

impl Quoted {
    fn push(&mut self, c: char, escaped: bool) {
        let mut bytes = [0; 4];
        let bytes = c.encode_utf8(&mut bytes).as_bytes();
        self.plain.extend_from_slice(bytes);
        if escaped && (c == '*' || c == '\\') {
            self.pattern.push(b'\\');
        }
        self.pattern.extend_from_slice(bytes);
        self.chars += 1;
    }

    fn star(&mut self) {
        self.has_star = true;
        self.pattern.push(b'*');
        self.chars += 1;
    }

    fn text(self) -> Text {
        if self.has_star { Text::Pattern(self.pattern) } else { Text::Plain(self.plain) }
    }

    fn character(self, span: Span) -> Result<Token, Complaint> {
        match (self.chars, self.plain.as_slice()) {
            (1, [byte]) => Ok(Token::Integer(i64::from(*byte))),
            _ => Err(Complaint::new(span, "between single quotes stands one ASCII character")
                .help("a text has double quotes")),
        }
    }
}

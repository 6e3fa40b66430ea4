// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cuts TSDL text into tokens, one statement at a time so that a long text does not become tokens all at once.

use winnow::Parser;
use winnow::Result;
use winnow::combinator::{alt, delimited, preceded, repeat};
use winnow::error::ContextError;
use winnow::token::{any, one_of, take_till, take_until, take_while};

use crate::class::Source;
use crate::limits::STATEMENT_TOKENS_MAX;
use crate::metadata::SOURCE_NOTE;
use crate::reader::error::Complaint;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'s> {
    /// Byte offset of its first character.
    pub(super) at: usize,
    pub(super) kind: TokenKind<'s>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind<'s> {
    /// An identifier or a keyword.
    Word(&'s str),
    /// A number without a sign, or a character.
    Number(u64),
    /// The value of a string literal.
    String(String),
    /// Punctuation.
    Symbol(&'s str),
    /// The comment that says where a tracepoint stands.
    SourceNote(Box<Source>),
}

/// The tokens of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement<'s> {
    pub(super) tokens: Vec<Token<'s>>,
    /// Its semicolon is there.
    pub(super) is_whole: bool,
}

/// The text that is not yet cut.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'s> {
    source: &'s str,
    rest: &'s str,
}

impl<'s> Lexer<'s> {
    /// Returns a lexer at the byte `at` of `source`, where a token starts.
    pub(super) fn new(source: &'s str, at: usize) -> Self {
        Self { source, rest: source.get(at..).unwrap_or_default() }
    }

    /// Returns the tokens up to the next `;` outside braces, that one included; none at the end of the text.
    pub(super) fn statement(&mut self) -> std::result::Result<Statement<'s>, Complaint> {
        let mut tokens = Vec::new();
        let mut depth = 0_usize;
        let mut is_whole = false;
        while let Some(token) = self.token()? {
            let at = token.at;
            is_whole = match token.kind {
                TokenKind::Symbol("{") => {
                    depth += 1;
                    false
                }
                TokenKind::Symbol("}") => {
                    depth = depth.saturating_sub(1);
                    false
                }
                TokenKind::Symbol(";") => depth == 0,
                _ => false,
            };
            tokens.push(token);
            if is_whole {
                break;
            }
            if tokens.len() > STATEMENT_TOKENS_MAX {
                let message =
                    format!("this statement has more than {STATEMENT_TOKENS_MAX} tokens; that many are refused");
                return Err(Complaint::new(at, message));
            }
        }
        Ok(Statement { tokens, is_whole })
    }

    fn token(&mut self) -> std::result::Result<Option<Token<'s>>, Complaint> {
        loop {
            skip_blanks(&mut self.rest);
            if self.rest.is_empty() {
                return Ok(None);
            }
            let at = self.source.len() - self.rest.len();
            let is_comment = self.rest.starts_with("/*") || self.rest.starts_with("//");
            if !is_comment {
                return match token.parse_next(&mut self.rest) {
                    Ok(kind) => Ok(Some(Token { at, kind })),
                    Err(_) => Err(Complaint::new(at, reason(&self.source[at..]))),
                };
            }
            let text = comment.parse_next(&mut self.rest);
            let text = text.map_err(|_| Complaint::new(at, reason(&self.source[at..])))?;
            if let Ok(note) = source_note.parse(text) {
                return Ok(Some(Token { at, kind: TokenKind::SourceNote(Box::new(note)) }));
            }
        }
    }
}

/// Says why no token starts with `rest`.
#[cold]
fn reason(rest: &str) -> String {
    match rest.chars().next() {
        Some('"') => "this string literal has no end, or an unknown escape".to_owned(),
        Some('\'') => "this character literal has no end, or is not one character".to_owned(),
        Some('/') if rest.starts_with("/*") => "this comment has no end".to_owned(),
        Some('0'..='9') => "this number is malformed or larger than 64 bits".to_owned(),
        Some('L') => "this literal has no end, or an unknown escape".to_owned(),
        Some(c) => format!("unexpected character `{}`", c.escape_debug()),
        None => "unexpected end of the metadata".to_owned(),
    }
}

fn skip_blanks(input: &mut &str) {
    *input = input.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b' || c == '\0');
}

fn comment<'s>(input: &mut &'s str) -> Result<&'s str> {
    alt((block_comment, line_comment)).parse_next(input)
}

fn block_comment<'s>(input: &mut &'s str) -> Result<&'s str> {
    delimited("/*", take_until(0.., "*/"), "*/").parse_next(input)
}

fn line_comment<'s>(input: &mut &'s str) -> Result<&'s str> {
    preceded("//", take_till(0.., '\n')).parse_next(input)
}

/// Parses a token; its first character says which kind it is.
fn token<'s>(input: &mut &'s str) -> Result<TokenKind<'s>> {
    let mut bytes = input.bytes();
    match (bytes.next(), bytes.next()) {
        (Some(b'L'), Some(b'"')) => preceded('L', string).map(TokenKind::String).parse_next(input),
        (Some(b'L'), Some(b'\'')) => preceded('L', character).map(TokenKind::Number).parse_next(input),
        (Some(b'a'..=b'z' | b'A'..=b'Z' | b'_'), _) => letters.map(TokenKind::Word).parse_next(input),
        (Some(b'0'..=b'9'), _) => number.map(TokenKind::Number).parse_next(input),
        (Some(b'"'), _) => string.map(TokenKind::String).parse_next(input),
        (Some(b'\''), _) => character.map(TokenKind::Number).parse_next(input),
        _ => symbol.map(TokenKind::Symbol).parse_next(input),
    }
}

fn letters<'s>(input: &mut &'s str) -> Result<&'s str> {
    take_while(0.., |c: char| c.is_ascii_alphanumeric() || c == '_').parse_next(input)
}

fn symbol<'s>(input: &mut &'s str) -> Result<&'s str> {
    alt((":=", "...", "->", "<<", ">>", one_of(b"{}[]()<>;:,=.+-*/%&|^~").take())).parse_next(input)
}

/// Parses a C integer constant with its suffixes.
fn number(input: &mut &str) -> Result<u64> {
    let text = (one_of(|c: char| c.is_ascii_digit()), letters).take().parse_next(input)?;
    let digits = text.trim_end_matches(['u', 'U', 'l', 'L']);
    let value = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        u64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        u64::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    value.map_err(|_| ContextError::new())
}

/// Parses a C string literal.
fn string(input: &mut &str) -> Result<String> {
    let bytes: Vec<u8> = delimited(
        '"',
        repeat(0.., piece).fold(Vec::new, |mut bytes: Vec<u8>, piece: Piece<'_>| {
            match piece {
                Piece::Text(text) => bytes.extend(text.as_bytes()),
                Piece::Byte(byte) => bytes.push(byte),
            }
            bytes
        }),
        '"',
    )
    .parse_next(input)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Parses a C character literal of one character.
fn character(input: &mut &str) -> Result<u64> {
    let plain = any.verify(|c: &char| !matches!(c, '\'' | '\\' | '\n')).map(u64::from);
    delimited('\'', alt((preceded('\\', escaped).map(u64::from), plain)), '\'').parse_next(input)
}

enum Piece<'s> {
    Text(&'s str),
    Byte(u8),
}

fn piece<'s>(input: &mut &'s str) -> Result<Piece<'s>> {
    alt((
        take_while(1.., |c| c != '"' && c != '\\' && c != '\n').map(Piece::Text),
        preceded('\\', escaped).map(Piece::Byte),
    ))
    .parse_next(input)
}

fn escaped(input: &mut &str) -> Result<u8> {
    alt((
        take_while(1..=3, '0'..='7').verify_map(|digits| u8::from_str_radix(digits, 8).ok()),
        preceded('x', take_while(1..=2, |c: char| c.is_ascii_hexdigit()))
            .verify_map(|digits| u8::from_str_radix(digits, 16).ok()),
        any.verify_map(|c| match c {
            'a' => Some(0x07),
            'b' => Some(0x08),
            'e' => Some(0x1b),
            'f' => Some(0x0c),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(0x0b),
            '"' | '\'' | '\\' | '?' => u8::try_from(c).ok(),
            _ => None,
        }),
    ))
    .parse_next(input)
}

/// Parses what stands in the comment about a place in source text.
fn source_note(input: &mut &str) -> Result<Source> {
    let (_, _, file, _, line, _, module, _) =
        (' ', SOURCE_NOTE, string, ':', number, ' ', string, ' ').parse_next(input)?;
    let line = u32::try_from(line).map_err(|_| ContextError::new())?;
    Ok(Source { file, line, module })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> std::result::Result<Vec<Token<'_>>, Complaint> {
        let mut lexer = Lexer::new(source, 0);
        let mut tokens = Vec::new();
        loop {
            let statement = lexer.statement()?.tokens;
            if statement.is_empty() {
                return Ok(tokens);
            }
            tokens.extend(statement);
        }
    }

    fn kinds(source: &str) -> Vec<TokenKind<'_>> {
        tokens(source).expect("tokens").into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_have_three_bases_and_suffixes_and_characters_are_numbers() {
        let numbers = [10, 31, 8, 0, u64::MAX, 97, 97, 10].map(TokenKind::Number);
        assert_eq!(kinds("10 0x1fUL 010 0 18446744073709551615 'a' L'a' '\\n'"), numbers);
    }

    #[test]
    fn strings_keep_every_character_that_the_writer_escapes() {
        let text = "\" \\ */ \n \t \r é \u{1b}2 \u{7f}";
        assert_eq!(kinds(&crate::escape::quoted(text)), [TokenKind::String(text.into())]);
        assert_eq!(kinds(&crate::escape::quoted_in_comment(text)), [TokenKind::String(text.into())]);
        assert_eq!(kinds("L\"\\x41\\102\""), [TokenKind::String("AB".into())]);
    }

    #[test]
    fn comments_vanish_and_symbols_take_the_longest_form() {
        assert_eq!(kinds("/* a */ := // b\r\n ... . / >>"), [":=", "...", ".", "/", ">>"].map(TokenKind::Symbol));
    }

    #[test]
    fn a_statement_ends_at_the_first_semicolon_outside_braces() {
        let mut lexer = Lexer::new("a { b; }; c; }; d", 0);
        let counts: Vec<_> =
            std::iter::from_fn(|| lexer.statement().ok().map(|statement| statement.tokens.len())).take(5).collect();
        assert_eq!(counts, [6, 2, 2, 1, 0]);
    }

    #[test]
    fn text_without_an_end_is_refused_where_it_starts() {
        for (source, at) in [("a \"b", 2), ("a /* b", 2), ("1 99999999999999999999", 2), ("é", 0), ("\"\\q\"", 0)] {
            assert_eq!(tokens(source).expect_err(source).at, at, "{source}");
        }
    }
}

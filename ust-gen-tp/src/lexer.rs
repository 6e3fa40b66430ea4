// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cuts a file into the tokens of C, without comments and without the ends of continued lines.
//!
//! A line that begins with `#` and is no directive is a comment, as in the files that `lttng-gen-tp` reads. It has to be known here:
//! its quotes and slashes mean nothing.

use std::rc::Rc;

use crate::source::Span;
use crate::token::{Kind, Token};

/// What comes after `#` in a directive.
pub(crate) const DIRECTIVES: [&str; 16] = [
    "include",
    "include_next",
    "import",
    "define",
    "undef",
    "if",
    "ifdef",
    "ifndef",
    "elif",
    "elifdef",
    "elifndef",
    "else",
    "endif",
    "pragma",
    "error",
    "warning",
];

/// The punctuators of C and C++ with more than one character, longer ones first.
const PUNCTUATORS: [&str; 27] = [
    "...", "<<=", ">>=", "->*", "##", "::", "->", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "++", "--", "+=",
    "-=", "*=", "/=", "%=", "&=", "|=", "^=", ".*", "<:",
];

/// The tokens of a file and its comments.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    /// Comments, with their slashes and stars.
    pub(crate) comments: Vec<Span>,
    /// Lines that begin with `#` and are no directive.
    pub(crate) hash_comments: Vec<Span>,
    /// A comment that is not closed.
    pub(crate) open_comment: Option<Span>,
}

/// Cuts the text of a file into tokens.
pub(crate) fn lex(file: u32, text: &str) -> Lexed {
    let mut lexer = Lexer { file, chars: logical_chars(text), at: 0, end: text.len() as u32, found: Lexed::default() };
    lexer.run();
    lexer.found
}

/// The characters without backslashes at line ends, and where each stands.
fn logical_chars(text: &str) -> Vec<(u32, char)> {
    let mut found = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\u{feff}' && at == 0 {
            continue;
        }
        let rest = &text[at..];
        if c == '\\' && (rest.starts_with("\\\n") || rest.starts_with("\\\r\n")) {
            chars.next_if(|(_, next)| *next == '\r');
            chars.next_if(|(_, next)| *next == '\n');
            continue;
        }
        found.push((at as u32, c));
    }
    found
}

struct Lexer {
    file: u32,
    chars: Vec<(u32, char)>,
    at: usize,
    /// The length of the file.
    end: u32,
    found: Lexed,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).map(|(_, c)| *c)
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    fn offset(&self, index: usize) -> u32 {
        self.chars.get(index).map_or(self.end, |(at, _)| *at)
    }

    /// From the character `start` to the one before the next.
    fn span_from(&self, start: usize) -> Span {
        let end = match self.at.checked_sub(1).and_then(|last| self.chars.get(last)) {
            Some((at, c)) => at + c.len_utf8() as u32,
            None => self.end,
        };
        Span { file: self.file, start: self.offset(start), end: end.max(self.offset(start)) }
    }

    fn run(&mut self) {
        let (mut space, mut line_start) = (false, true);
        while let Some(c) = self.peek(0) {
            if c == '\n' {
                (space, line_start) = (true, true);
                self.at += 1;
            } else if c.is_whitespace() {
                space = true;
                self.at += 1;
            } else if self.starts_with("//") || self.starts_with("/*") {
                space = true;
                self.comment();
            } else if c == '#' && line_start && self.is_hash_comment() {
                let start = self.at;
                self.skip_line();
                let span = self.span_from(start);
                self.found.hash_comments.push(span);
            } else {
                self.token(c, space, line_start);
                (space, line_start) = (false, false);
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
    }

    fn comment(&mut self) {
        let start = self.at;
        if self.peek(1) == Some('/') {
            self.skip_line();
        } else {
            self.at += 2;
            while self.peek(0).is_some() && !self.starts_with("*/") {
                self.at += 1;
            }
            if self.peek(0).is_none() {
                self.found.open_comment = Some(Span { end: self.offset(start) + 2, ..self.span_from(start) });
            }
            self.at = (self.at + 2).min(self.chars.len());
        }
        let span = self.span_from(start);
        self.found.comments.push(span);
    }

    /// Whether the line whose `#` is next is neither a directive, nor empty, nor a line marker.
    fn is_hash_comment(&self) -> bool {
        let rest = self.chars[self.at + 1..].iter().map(|(_, c)| *c).take_while(|c| *c != '\n');
        let rest = rest.skip_while(|c| c.is_whitespace());
        let word: String = rest.take_while(|c| c.is_alphanumeric() || *c == '_' || "#/".contains(*c)).collect();
        let is_marker = word.starts_with(|c: char| c.is_ascii_digit());
        let word = word.split('/').next().unwrap_or_default();
        let is_empty = word.is_empty() && self.line_is_blank(self.at + 1);
        !(is_empty || is_marker || word == "line" || DIRECTIVES.contains(&word))
    }

    /// Whether there is nothing, or only a comment, from the character `from` to the end of the line.
    fn line_is_blank(&self, from: usize) -> bool {
        let mut rest = self.chars[from..].iter().map(|(_, c)| *c).skip_while(|c| *c != '\n' && c.is_whitespace());
        match rest.next() {
            None | Some('\n') => true,
            Some('/') => matches!(rest.next(), Some('/' | '*')),
            Some(_) => false,
        }
    }

    fn token(&mut self, first: char, space: bool, line_start: bool) {
        let start = self.at;
        let kind = if first.is_alphabetic() || first == '_' || first == '$' {
            self.skip_while(|c| c.is_alphanumeric() || c == '_' || c == '$');
            let prefix: String = self.chars[start..self.at].iter().map(|(_, c)| *c).collect();
            match self.peek(0) {
                Some(quote @ ('"' | '\'')) if ["L", "u", "U", "u8"].contains(&prefix.as_str()) => self.quoted(quote),
                _ => Kind::Ident,
            }
        } else if first.is_ascii_digit() || (first == '.' && self.peek(1).is_some_and(|c| c.is_ascii_digit())) {
            self.number();
            Kind::Number
        } else if first == '"' || first == '\'' {
            self.quoted(first)
        } else if let Some(long) = PUNCTUATORS.iter().find(|long| self.starts_with(long)) {
            self.at += long.len();
            Kind::Punct
        } else {
            self.at += 1;
            if first.is_ascii_punctuation() && first != '@' && first != '`' { Kind::Punct } else { Kind::Other }
        };
        let text: String = self.chars[start..self.at].iter().map(|(_, c)| *c).collect();
        let span = self.span_from(start);
        let text = Rc::from(text);
        self.found.tokens.push(Token { kind, text, span, site: None, space, line_start, hidden: None });
    }

    fn skip_while(&mut self, belongs: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&belongs) {
            self.at += 1;
        }
    }

    /// A number as the preprocessor sees it: letters, digits, points, and the sign of an exponent.
    fn number(&mut self) {
        while let Some(c) = self.peek(0) {
            let before = self.at.checked_sub(1).map(|last| self.chars[last].1);
            let is_sign = (c == '+' || c == '-') && matches!(before, Some('e' | 'E' | 'p' | 'P'));
            let is_quote = c == '\'' && self.peek(1).is_some_and(|next| next.is_ascii_hexdigit());
            if !(c.is_alphanumeric() || c == '.' || c == '_' || is_sign || is_quote) {
                break;
            }
            self.at += 1;
        }
    }

    /// A string or a character, whose quote is next.
    fn quoted(&mut self, quote: char) -> Kind {
        self.at += 1;
        let inside = self.at;
        while let Some(c) = self.peek(0) {
            if c == '\n' {
                break;
            }
            self.at += 1;
            if c == quote {
                return if quote == '"' { Kind::Text } else { Kind::Char };
            }
            if c == '\\' && self.peek(0).is_some_and(|next| next != '\n') {
                self.at += 1;
            }
        }
        self.at = inside;
        Kind::Unclosed
    }
}

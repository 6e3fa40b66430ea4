// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of a definition file without its definitions: what the expressions in them need.

use crate::c::print::harmless;
use crate::lexer::{self, Lexed};
use crate::load::Definitions;
use crate::reader;
use crate::source::Span;

/// A piece of the file.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// Declarations, macros and comments, as they are.
    Text(String),
    /// A directive of a conditional: its word and the whole line.
    Conditional(String, String),
    /// The definitions that begin in this stretch.
    Definitions(Span),
}

/// A stretch of the file that does not stay as it is.
struct Cut {
    start: usize,
    end: usize,
    piece: Option<Piece>,
}

/// Returns the pieces of the file, in order. `is_shown` says whether a stretch with definitions has something to show for it.
pub(super) fn pieces(definitions: &Definitions, is_shown: &dyn Fn(Span) -> bool) -> Vec<Piece> {
    let source = definitions.sources.file(Span { file: 0, start: 0, end: 0 });
    let lexed = lexer::lex(0, &source.text);
    let mut cuts = cuts(definitions, &lexed, &source.text, is_shown);
    cuts.sort_by_key(|cut| cut.start);
    let (mut pieces, mut at) = (Vec::new(), 0);
    for cut in cuts {
        // In a stretch that no compiler sees may be directives.
        if cut.start < at {
            continue;
        }
        push_text(&mut pieces, &source.text[at..cut.start]);
        pieces.extend(cut.piece);
        at = cut.end;
    }
    push_text(&mut pieces, &source.text[at..]);
    without_empty_conditionals(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.replace('\r', "").trim_start_matches('\u{feff}').to_owned()));
    }
}

fn cuts(definitions: &Definitions, lexed: &Lexed, text: &str, is_shown: &dyn Fn(Span) -> bool) -> Vec<Cut> {
    let layout = &definitions.layout;
    let range = |span: &Span| (span.start as usize, span.end as usize);
    // With the blanks before it, and the rest of the line if that is blank or a comment.
    let line = |span: &Span| {
        let (start, end) = range(span);
        let start = text[..start].trim_end_matches([' ', '\t']).len();
        let until = text[end..].find('\n').map_or(text.len(), |length| end + length + 1);
        let rest = text[end..until].trim();
        let is_comment = rest.starts_with("//") || (rest.starts_with("/*") && rest.find("*/") == Some(rest.len() - 2));
        (start, if rest.is_empty() || is_comment { until } else { end })
    };
    let cut = |(start, end), piece| Cut { start, end, piece };
    let mut cuts: Vec<Cut> = layout.frame.iter().map(|span| cut(line(span), None)).collect();
    cuts.extend(layout.dead.iter().map(|span| cut(range(span), Some(Piece::Text("\n".to_owned())))));
    cuts.extend(lexed.hash_comments.iter().map(|span| {
        let (start, end) = range(span);
        let said = text[start..end].trim_start_matches('#').trim();
        let piece = (!said.is_empty()).then(|| Piece::Text(format!("/* {} */", harmless(said))));
        cut(if piece.is_some() { (start, end) } else { line(span) }, piece)
    }));
    cuts.extend(layout.regions.iter().map(|span| {
        let (docs, _) = reader::docs(&definitions.sources, lexed, *span);
        cut((docs as usize, span.end as usize), is_shown(*span).then_some(Piece::Definitions(*span)))
    }));
    let frame: Vec<u32> = layout.frame.iter().map(|span| span.start).collect();
    cuts.extend(conditionals(lexed, text).into_iter().filter(|cut| !frame.contains(&(cut.start as u32))));
    cuts
}

/// The directives of conditionals.
fn conditionals(lexed: &Lexed, text: &str) -> Vec<Cut> {
    let mut found = Vec::new();
    for (at, hash) in lexed.tokens.iter().enumerate().filter(|(_, token)| token.line_start && token.is("#")) {
        let rest = &lexed.tokens[at + 1..];
        let Some(word) = rest.first().filter(|word| !word.line_start) else { continue };
        if !["if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif"].contains(&&*word.text) {
            continue;
        }
        let length = rest.iter().position(|token| token.line_start).unwrap_or(rest.len());
        let (start, end) = (hash.span.start as usize, rest[length - 1].span.end as usize);
        let piece = Piece::Conditional(word.text.to_string(), text[start..end].to_owned());
        found.push(Cut { start, end, piece: Some(piece) });
    }
    found
}

/// Leaves out conditionals with nothing in them.
fn without_empty_conditionals(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::new();
    // Where conditionals begin, and whether something was in them.
    let mut open: Vec<(usize, bool)> = Vec::new();
    for piece in pieces {
        let is_blank = matches!(&piece, Piece::Text(text) if text.trim().is_empty());
        match &piece {
            Piece::Conditional(word, _) if word.starts_with("if") => open.push((kept.len(), false)),
            Piece::Conditional(word, _) if word == "endif" => {
                if let Some((start, false)) = open.pop() {
                    kept.truncate(start);
                    continue;
                }
            }
            Piece::Conditional(..) => {}
            _ if is_blank => {}
            _ => open.iter_mut().for_each(|level| level.1 = true),
        }
        kept.push(piece);
    }
    kept
}

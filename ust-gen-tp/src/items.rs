// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the definitions in tokens whose macros are replaced, and takes them apart.
//!
//! Everything between them that is C is passed over. What looks like a macro and is none is remembered: a header may have it.

use crate::fields;
use crate::model::{Arg, Class, Code, Enumeration, Event, Field, Head, Label, LogLevel, Name};
use crate::problem::{Problem, Problems, Severity};
use crate::source::Span;
use crate::token::{self, Kind, Token};
use crate::words::{self, Item};

/// A log level or a link, on its way to the event that it is of.
#[derive(Debug)]
pub(crate) struct Property<T> {
    pub(crate) head: Head,
    pub(crate) value: T,
}

/// A name that should be a macro and is none.
#[derive(Clone, Debug)]
pub(crate) struct Unresolved {
    pub(crate) name: String,
    pub(crate) problem: Problem,
}

/// The definitions found so far.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) classes: Vec<Class>,
    pub(crate) events: Vec<Event>,
    pub(crate) enumerations: Vec<Enumeration>,
    pub(crate) levels: Vec<Property<LogLevel>>,
    pub(crate) uris: Vec<Property<String>>,
    pub(crate) unresolved: Vec<Unresolved>,
}

impl Found {
    /// How many definitions of each kind there are.
    pub(crate) fn count(&self) -> [usize; 5] {
        let Found { classes, events, enumerations, levels, uris, .. } = self;
        [classes.len(), events.len(), enumerations.len(), levels.len(), uris.len()]
    }

    /// Where the definitions begin that have come since there were `known` of each kind.
    pub(crate) fn starts_since(&self, known: [usize; 5]) -> Vec<u32> {
        let Found { classes, events, enumerations, levels, uris, .. } = self;
        let heads = classes[known[0]..].iter().map(|found| &found.head);
        let heads = heads.chain(events[known[1]..].iter().map(|found| &found.head));
        let heads = heads.chain(enumerations[known[2]..].iter().map(|found| &found.head));
        let heads = heads.chain(levels[known[3]..].iter().map(|found| &found.head));
        heads.chain(uris[known[4]..].iter().map(|found| &found.head)).map(|head| head.span.start).collect()
    }
}

/// Takes apart the tokens of one stretch of a file.
pub(crate) struct Items<'a> {
    pub(crate) found: &'a mut Found,
    pub(crate) problems: &'a mut Problems,
    /// What the definitions of this stretch have in common, with empty names.
    pub(crate) head: Head,
    /// Returns the comment before a place.
    pub(crate) docs: &'a dyn Fn(Span) -> String,
    /// Returns the value of a constant expression.
    pub(crate) value: &'a dyn Fn(&[Token]) -> Option<i128>,
    /// A compiler sees what is made of the definitions: names that are not known here may be constants of C.
    pub(crate) is_for_compiler: bool,
}

impl Items<'_> {
    /// Reads all definitions in `tokens`.
    pub(crate) fn read(&mut self, tokens: &[Token]) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let is_call = token.is_ident() && tokens.get(at + 1).is_some_and(|open| open.is("("));
            if !is_call {
                at = skip_declaration(tokens, at);
                continue;
            }
            let Some(close) = token::closing(tokens, at + 1) else {
                // The reader of the file has complained.
                return;
            };
            let content = &tokens[at + 2..close];
            if let Some(item) = words::item(&token.text) {
                self.item(item, token, content, tokens[close].span);
            } else if words::is_kernel_only(&token.text) {
                self.problems.push(kernel_only(token));
            } else if tokens.get(close + 1).is_none_or(|next| !next.is("{")) {
                self.other_call(token);
            }
            at = close + 1;
            while tokens.get(at).is_some_and(|token| token.is(";")) {
                at += 1;
            }
        }
    }

    fn other_call(&mut self, token: &Token) {
        let harmless = ["_Static_assert", "static_assert", "__attribute__", "_Pragma", "alignas", "_Alignas"];
        if harmless.contains(&&*token.text) {
            return;
        }
        let problem = Problem::error(token.span, format!("`{}` is no macro that is known here", token.text));
        let problem = match words::closest_item(&token.text).or(words::closest_part(&token.text).map(str::to_owned)) {
            Some(near) => problem.help(format!("`{near}`")),
            None if words::field(&token.text).is_some() || words::is_known(&token.text) => {
                problem.help("this belongs inside of a definition: is there a parenthesis too many before it?")
            }
            None => problem.help(
                "a definition begins with TRACEPOINT_EVENT, TRACEPOINT_EVENT_CLASS, TRACEPOINT_EVENT_INSTANCE, \
                 TRACEPOINT_ENUM, TRACEPOINT_LOGLEVEL or TRACEPOINT_MODEL_EMF_URI, or with a macro that makes one",
            ),
        };
        self.unresolved(token, problem);
    }

    /// Remembers a name that should be a macro and is none. Where a compiler without `-D` does not even look, its header is
    /// not included either: a warning then, unless it is a known word misspelt.
    fn unresolved(&mut self, token: &Token, problem: Problem) {
        let mut problem = at_site(problem, token);
        if !self.head.is_usual && !words::is_misspelt(&token.text) {
            problem.severity = Severity::Warning;
            let condition = self.head.conditions.join(" && ");
            problem = problem.help(format!("it may come from a header; decide `{condition}` with -D to look there"));
        }
        self.found.unresolved.push(Unresolved { name: token.text.to_string(), problem });
    }

    fn error(&mut self, token: &Token, problem: Problem) {
        self.problems.push(at_site(problem, token));
    }

    fn item(&mut self, item: Item, word: &Token, content: &[Token], close: Span) {
        let parts = token::split(content);
        let expected = match item {
            Item::Event => "provider, name, TP_ARGS(..), TP_FIELDS(..)",
            Item::Class => "provider, class, TP_ARGS(..), TP_FIELDS(..)",
            Item::Instance => "provider, class, name, TP_ARGS(..)",
            Item::FarInstance => "provider of the class, class, provider, name, TP_ARGS(..)",
            Item::Enum => "provider, name, TP_ENUM_VALUES(..)",
            Item::LogLevel => "provider, name, level",
            Item::EmfUri => "provider, name, \"uri\"",
        };
        let count = expected.matches(',').count() + 1;
        if parts.len() != count {
            let message = format!("`{}` has {count} parts, here are {}", word.text, parts.len());
            let help = format!("`{}({expected})`", word.text);
            self.error(word, Problem::error(word.span, message).help(help));
            return;
        }
        // How many parts are names, and where among them the provider stands.
        let (names, provider_at) = match item {
            Item::FarInstance => (4, 2),
            Item::Instance => (3, 0),
            _ => (2, 0),
        };
        let names: Option<Vec<Name>> = parts[..names].iter().map(|part| self.name(part, word)).collect();
        let Some(names) = names else { return };
        let head = Head {
            provider: names[provider_at].clone(),
            name: names[names.len() - 1].clone(),
            span: if word.site.is_some() { word.place() } else { word.span.to(close) },
            docs: (self.docs)(word.place()),
            ..self.head.clone()
        };
        let class = (names[0].clone(), names[1].clone());
        self.define(item, word, head, class, &parts[names.len()..]);
    }

    /// Adds a definition, whose names are known. `rest` is what stands behind them.
    fn define(&mut self, item: Item, word: &Token, head: Head, class: (Name, Name), rest: &[&[Token]]) {
        let (first, last) = (rest[0], rest[rest.len() - 1]);
        let event = |head, class, args, fields, part: &[Token]| {
            let signature = token::text(part.get(2..part.len().saturating_sub(1)).unwrap_or_default());
            Event { head, class, args, signature, fields, loglevel: None, model_emf_uri: None }
        };
        match item {
            Item::Event => {
                let (args, fields) = (self.args(first, word), self.fields(last, word, false));
                self.found.events.push(event(head, None, args, fields, first));
            }
            Item::Class => {
                let (args, fields) = (self.args(first, word), self.fields(last, word, true));
                self.found.classes.push(Class { head, args, fields });
            }
            Item::Instance | Item::FarInstance => {
                let args = self.args(last, word);
                self.found.events.push(event(head, Some(class), args, Vec::new(), last));
            }
            Item::Enum => {
                let labels = self.labels(last, word);
                self.found.enumerations.push(Enumeration { head, labels });
            }
            Item::LogLevel => {
                let value = self.level(last, word);
                self.found.levels.push(Property { head, value });
            }
            Item::EmfUri if last.iter().all(|token| token.kind == Kind::Text) && !last.is_empty() => {
                self.found.uris.push(Property { head, value: strings(last) });
            }
            Item::EmfUri => {
                let problem = Problem::error(token::span(last, word.span), "the link is no text");
                self.error(word, problem.help("write it in double quotes"));
            }
        }
    }

    /// A provider or the name of an event: one identifier.
    fn name(&mut self, part: &[Token], word: &Token) -> Option<Name> {
        match part {
            [token] if token.is_ident() => Some(Name { text: token.text.to_string(), span: token.place() }),
            [] => {
                self.error(word, Problem::error(word.span, format!("a name is missing in `{}`", word.text)));
                None
            }
            [first, ..] => {
                let message = format!("`{}` is no name", token::text(part));
                let help = "a name is one identifier of C, or a macro that stands for one";
                self.error(first, Problem::error(token::span(part, word.span), message).help(help));
                None
            }
        }
    }

    fn level(&mut self, part: &[Token], word: &Token) -> LogLevel {
        let span = token::span(part, word.span);
        let text = token::text(part);
        let value = match part {
            [name] if name.is_ident() => match words::level(&name.text)
                .map(|level| level as i128)
                .or((self.value)(part))
            {
                Some(level) => Some(level),
                None if self.is_for_compiler && !name.text.starts_with("TRACE_") && !words::is_misspelt(&name.text) => {
                    None
                }
                None => {
                    let problem = Problem::error(name.span, format!("there is no log level `{}`", name.text));
                    let problem = problem.help(match words::closest_level(&name.text) {
                        Some(near) => format!("`{near}`"),
                        None => format!("TRACE_ and one of {}, or a number", words::LEVELS.join(", ")),
                    });
                    self.unresolved(name, problem);
                    None
                }
            },
            other => (self.value)(other),
        };
        LogLevel { text, value, span, conditions: self.head.conditions.clone() }
    }

    /// Returns the content of `part` if it is a call of the word `wanted`.
    fn call<'t>(&mut self, part: &'t [Token], wanted: &str, word: &Token) -> Option<&'t [Token]> {
        let at = token::span(part, word.span);
        match part {
            [name, open, .., close] if words::is_part(&name.text, wanted) && open.is("(") && close.is(")") => {
                return Some(&part[2..part.len() - 1]);
            }
            [name, ..] if name.is_ident() && words::is_part(&name.text, wanted) => {
                let message = format!("`{}` is not followed by parentheses alone", name.text);
                let help = format!("`{wanted}(..)`; is a comma missing, or a parenthesis too many?");
                self.error(name, Problem::error(at, message).help(help));
            }
            [name] | [name, ..] if name.is_ident() => {
                let problem = Problem::error(name.span, format!("`{}` stands where `{wanted}` is expected", name.text));
                let problem = match words::closest_part(&name.text) {
                    Some(near) => problem.help(format!("`{near}(..)`")),
                    None => problem.help(format!("`{wanted}(..)`, or a macro that stands for it")),
                };
                self.unresolved(name, problem);
            }
            _ => {
                let message = format!("here `{wanted}(..)` is expected");
                self.error(part.first().unwrap_or(word), Problem::error(at, message));
            }
        }
        None
    }

    fn args(&mut self, part: &[Token], word: &Token) -> Vec<Arg> {
        let Some(content) = self.call(part, "TP_ARGS", word) else { return Vec::new() };
        if content.is_empty() || matches!(content, [void] if void.is("void")) {
            return Vec::new();
        }
        let mut parts = token::split(content);
        if parts.last().is_some_and(|last| last.is_empty()) {
            let comma = &content[content.len() - 1];
            let problem = Problem::error(comma.span, "the arguments end with a comma");
            self.error(comma, problem.help("remove it, or write the argument that is missing: a type and a name"));
            parts.pop();
        }
        if parts.len() % 2 == 1 {
            self.unpaired(&parts, part);
            return Vec::new();
        }
        parts.chunks_exact(2).filter_map(|pair| self.arg(pair[0], pair[1], part)).collect()
    }

    fn unpaired(&mut self, parts: &[&[Token]], part: &[Token]) {
        let maybe = parts.iter().find_map(|part| match part {
            [token] if token.is_ident() && !crate::ctype::is_type_word(&token.text) => Some(token),
            _ => None,
        });
        let message = format!("the arguments are not pairs: {} parts between commas", parts.len());
        let help = "each argument is a type and a name with a comma between: `TP_ARGS(int, count, const char *, name)`";
        let problem = Problem::error(token::span(part, part[0].span), message).help(help);
        match maybe {
            Some(token) => self.unresolved(token, problem),
            None => self.error(&part[0], problem),
        }
    }

    fn arg(&mut self, ty: &[Token], name: &[Token], part: &[Token]) -> Option<Arg> {
        let otherwise = part[0].span;
        match (ty, name) {
            ([_, ..], [name]) if name.is_ident() && !crate::ctype::is_type_word(&name.text) => Some(Arg {
                ty: Code::new(ty, otherwise),
                name: Name { text: name.text.to_string(), span: name.place() },
            }),
            _ => {
                let message = match token::text(name).as_str() {
                    "" => "an argument has no name".to_owned(),
                    shown => format!("`{shown}` is no name of an argument"),
                };
                let at = token::span(if name.is_empty() { ty } else { name }, otherwise);
                let problem = Problem::error(at, message)
                    .help("an argument is a type, a comma, and one name: `int, count`; an array is a pointer here");
                match ty {
                    // The type may be a macro with a comma of its own.
                    [only] if only.is_ident() && !crate::ctype::is_type_word(&only.text) => {
                        self.unresolved(only, problem)
                    }
                    _ => self.error(name.first().unwrap_or(&part[0]), problem),
                }
                None
            }
        }
    }

    fn fields(&mut self, part: &[Token], word: &Token, may_be_empty: bool) -> Vec<Field> {
        if part.is_empty() && may_be_empty {
            return Vec::new();
        }
        let Some(content) = self.call(part, "TP_FIELDS", word) else { return Vec::new() };
        let mut read = Vec::new();
        self.calls(content, "a field", |items, name, parts, span| match fields::read(name, parts, span) {
            Ok(field) => read.extend(field.map(|field| {
                let count_value = field.count.as_ref().and_then(|count| (items.value)(&count.tokens));
                Field { count_value, ..field }
            })),
            Err(problem) if words::field(&name.text).is_some() || words::is_kernel_only(&name.text) => {
                items.error(name, problem);
            }
            Err(problem) => items.unresolved(name, problem),
        });
        read
    }

    /// Reads calls that stand one behind the other, without anything between.
    fn calls(&mut self, content: &[Token], what: &str, mut each: impl FnMut(&mut Self, &Token, &[&[Token]], Span)) {
        let mut at = 0;
        while let Some(name) = content.get(at) {
            let close = match content.get(at + 1) {
                Some(open) if name.is_ident() && open.is("(") => token::closing(content, at + 1),
                _ => None,
            };
            let Some(close) = close else {
                let shown = &name.text;
                let problem = Problem::error(name.span, format!("`{shown}` stands where {what} is expected"));
                match name.kind {
                    Kind::Ident => {
                        let help =
                            format!("a macro that makes {what} is not known here, or its parentheses are missing");
                        self.unresolved(name, problem.help(help));
                    }
                    _ => self.error(name, problem.help("remove it: nothing stands between them, also no comma")),
                }
                at += 1;
                continue;
            };
            let span = if name.site.is_some() { name.place() } else { name.span.to(content[close].span) };
            each(self, name, &token::split(&content[at + 2..close]), span);
            at = close + 1;
        }
    }

    fn labels(&mut self, part: &[Token], word: &Token) -> Vec<Label> {
        let Some(content) = self.call(part, "TP_ENUM_VALUES", word) else { return Vec::new() };
        if content.is_empty() {
            let problem = Problem::error(token::span(part, word.span), "an enumeration without labels");
            self.error(word, problem.help("ctf_enum_value(\"name\", 0)"));
        }
        let mut labels: Vec<Label> = Vec::new();
        self.calls(content, "a label", |items, name, parts, span| {
            let Some(kind) = words::label(&name.text) else {
                let problem = Problem::error(name.span, format!("`{}` is no label of an enumeration", name.text));
                let all =
                    "ctf_enum_value(\"text\", value), ctf_enum_range(\"text\", low, high) or ctf_enum_auto(\"text\")";
                let near = words::closest_label(&name.text).map_or(all.to_owned(), |near| format!("`{near}`"));
                items.unresolved(name, problem.help(near));
                return;
            };
            match label(kind, name, parts, span, items.value, labels.last()) {
                Ok(label) => labels.push(label),
                Err(problem) => items.error(name, problem),
            }
        });
        labels
    }
}

fn label(
    kind: &str,
    name: &Token,
    parts: &[&[Token]],
    span: Span,
    value: &dyn Fn(&[Token]) -> Option<i128>,
    before: Option<&Label>,
) -> Result<Label, Problem> {
    let count = match kind {
        "value" => 2,
        "range" => 3,
        _ => 1,
    };
    let is_text = parts[0].iter().all(|token| token.kind == Kind::Text) && !parts[0].is_empty();
    if parts.len() != count || !is_text {
        let parts = ["(\"text\")", "(\"text\", value)", "(\"text\", low, high)"][count - 1];
        return Err(Problem::error(span, format!("`{}` is not given what it needs", name.text))
            .help(format!("`{}{parts}`", name.text)));
    }
    let text = strings(parts[0]);
    let values = match parts[1..] {
        [] => None,
        [one] => Some((Code::new(one, span), Code::new(one, span))),
        [low, high, ..] => Some((Code::new(low, span), Code::new(high, span))),
    };
    let numbers = match &values {
        Some((low, high)) => value(&low.tokens).zip(value(&high.tokens)),
        None => match before {
            None => Some((0, 0)),
            Some(before) => before.numbers.and_then(|(_, high)| high.checked_add(1)).map(|next| (next, next)),
        },
    };
    Ok(Label { text, written: Code::new(parts[0], span), values, numbers, span })
}

/// The content of strings that stand one behind the other, with their escapes.
pub(crate) fn strings(tokens: &[Token]) -> String {
    tokens.iter().map(|token| unescape(&token.text)).collect()
}

fn unescape(text: &str) -> String {
    let inside = text.split_once('"').map_or("", |(_, rest)| rest);
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    let (mut plain, mut chars) = (String::new(), inside.chars().peekable());
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('x') => {
                let mut value = 0;
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) {
                    (value, _) = ((value * 16 + digit) & 0xff, chars.next());
                }
                plain.extend(char::from_u32(value));
            }
            Some(c @ '0'..='7') => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    (value, _) = (value * 8 + digit, chars.next());
                }
                plain.extend(char::from_u32(value));
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

/// Tells where a complaint about a token of a macro came from.
pub(crate) fn at_site(problem: Problem, token: &Token) -> Problem {
    match token.site {
        Some(site) if site != problem.span => problem.related(site, "by this macro"),
        _ => problem,
    }
}

/// Says that a macro is of another tracer.
pub(crate) fn kernel_only(token: &Token) -> Problem {
    Problem::error(token.span, format!("`{}` is for tracepoints of the kernel (lttng-modules)", token.text))
        .help("compute the value in the expression of a field, or before the call of the tracepoint")
}

/// Passes over one declaration of C, up to its end or to something that may be a definition.
fn skip_declaration(tokens: &[Token], start: usize) -> usize {
    let opens_block = |at: usize| tokens.get(at).is_some_and(|token| token.is("{"));
    if tokens[start].is("extern") && opens_block(start + 2) {
        return start + 3;
    }
    if tokens[start].is("namespace") && opens_block(start + 2) {
        return start + 3;
    }
    let (mut braces, mut at) = (0_usize, start);
    while let Some(token) = tokens.get(at) {
        let is_item = words::item(&token.text).is_some() && tokens.get(at + 1).is_some_and(|open| open.is("("));
        if is_item && at > start && token.line_start {
            return at;
        }
        at += 1;
        if token.is("{") {
            braces += 1;
        } else if token.is("}") {
            braces = braces.saturating_sub(1);
            let goes_on = tokens
                .get(at)
                .is_some_and(|next| (next.is_ident() && !next.line_start) || next.is(";") || next.is("*"));
            if braces == 0 && !goes_on {
                return at;
            }
        } else if braces == 0 && token.is(";") {
            return at;
        }
    }
    at
}

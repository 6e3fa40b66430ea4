// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decides what the header holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::c::body::{self, Body, Param};
use crate::c::text::{self, Piece};
use crate::c::{Dialect, names, value};
use crate::ctype::CType;
use crate::expand;
use crate::lexer;
use crate::load::Definitions;
use crate::model::{Arg, Class, Enumeration, Event, Field, Head, Model};
use crate::passing::{Passing, passing};
use crate::reader;
use crate::rust::InC;
use crate::source::Span;

/// Where the definitions come from.
#[derive(Debug)]
pub(super) struct Origin {
    /// The name of the file, without its directory.
    pub(super) file: String,
    pub(super) provider: String,
}

/// The header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) origin: Origin,
    pub(super) dialect: Dialect,
    /// Its recording functions are part of the functions that Rust calls, for `ip` to be where these are called.
    pub(super) is_shim: bool,
    pub(super) guard: String,
    /// Macros of definitions in included files: they mean nothing while these are read.
    pub(super) foreign: Vec<String>,
    pub(super) includes_tracer: bool,
    pub(super) parts: Vec<Part>,
    /// What the recording functions need, in order.
    pub(super) probes: Vec<When<Probe>>,
    pub(super) callsites: Vec<When<Callsite>>,
}

/// The source file that records events of a Rust program.
#[derive(Debug)]
pub(super) struct Shim {
    /// Without call sites.
    pub(super) header: Header,
    /// With the places of the definitions.
    pub(super) calls: Vec<(String, When<Call>)>,
}

/// What Rust calls to record an event.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) provider: String,
    pub(super) name: String,
    /// Whose recording function the event has.
    pub(super) recorder: String,
    pub(super) params: Vec<Param>,
    /// The parameters as the recording function takes them.
    pub(super) values: Vec<String>,
    /// Types that must be no larger than an `int`.
    pub(super) enums: Vec<String>,
}

/// A part of what everybody sees.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Conditional(String),
    /// Declares a call site.
    Declaration(Declaration),
    /// Defines a macro that says that the condition of a definition held.
    Mark(String),
}

/// Something that is there under a condition.
#[derive(Debug)]
pub(super) struct When<T> {
    pub(super) condition: Option<String>,
    pub(super) what: T,
}

/// The declaration of an event's call site.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) docs: Vec<String>,
    pub(super) provider: String,
    pub(super) name: String,
    pub(super) params: Vec<Param>,
}

/// The definition of an event's call site.
#[derive(Debug)]
pub(super) struct Callsite {
    pub(super) provider: String,
    pub(super) name: String,
    pub(super) signature: String,
}

/// What the recording functions need.
#[derive(Debug)]
pub(super) enum Probe {
    Labels(Labels),
    /// A class, or an event of its own.
    Body(Recorder),
    Event(Tracepoint),
    /// The log level of an event, or its link: the macro and what it is given.
    Property(&'static str, [String; 3]),
}

/// The names of an enumeration's values.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) docs: Vec<String>,
    pub(super) ident: String,
    pub(super) name: String,
    /// Macros and what they are given.
    pub(super) labels: Vec<(&'static str, Vec<String>)>,
}

/// A recording function and the fields that it stores.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) docs: Vec<String>,
    pub(super) provider: String,
    pub(super) name: String,
    /// It is of a class.
    pub(super) is_shared: bool,
    pub(super) body: Body,
}

/// The tracepoint of an event.
#[derive(Debug)]
pub(super) struct Tracepoint {
    /// Where it is from, if that is not said elsewhere.
    pub(super) docs: Vec<String>,
    pub(super) provider: String,
    pub(super) name: String,
    /// Whose recording function it has.
    pub(super) recorder: String,
    pub(super) signature: String,
    pub(super) file: String,
    pub(super) line: usize,
}

/// Returns where definitions come from.
pub(super) fn origin(definitions: &Definitions) -> Origin {
    let path = &definitions.sources.file(Span { file: 0, start: 0, end: 0 }).path;
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Origin { file, provider: definitions.model.provider.clone().unwrap_or_default() }
}

/// Returns the header for some definitions.
pub(super) fn plan(definitions: &Definitions, path: &Path, dialect: Dialect) -> Header {
    let guard = names::guard(path, &origin(definitions).provider);
    let planner = Planner::new(definitions, &definitions.model, &guard);
    let callsites = definitions.model.events.iter().map(|event| {
        let callsite = Callsite {
            provider: event.head.provider.text.clone(),
            name: event.head.name.text.clone(),
            signature: event.signature.clone(),
        };
        planner.when(&event.head, callsite)
    });
    Header { callsites: callsites.collect(), parts: planner.parts(true), ..planner.header(dialect) }
}

/// Returns the source file that records some of the events for Rust.
pub(super) fn plan_shim(definitions: &Definitions, events: &[InC], dialect: Dialect) -> Shim {
    let model = only(&definitions.model, events);
    let guard = names::guard(Path::new("shim"), &origin(definitions).provider);
    let planner = Planner::new(definitions, &model, &guard);
    let calls =
        model.events.iter().map(|event| (planner.place(event.head.span), planner.when(&event.head, call(event))));
    let header = Header { is_shim: true, parts: planner.parts(false), ..planner.header(dialect) };
    Shim { calls: calls.collect(), header }
}

/// A model with some of its events, and the classes that these have.
fn only(model: &Model, events: &[InC]) -> Model {
    let mut model = model.clone();
    // Files that are included have other numbers in each reading.
    let is_same = |a: Span, b: Span| (a.file, a.start) == (b.file, b.start) || (a.file != 0 && b.file != 0);
    let is_wanted = |head: &Head, event: &InC| event.event == head.name.text && is_same(event.span, head.span);
    model.events.retain(|event| events.iter().any(|wanted| is_wanted(&event.head, wanted)));
    let used: BTreeSet<String> =
        model.events.iter().filter_map(|event| event.class.as_ref()).map(|(_, name)| name.text.clone()).collect();
    model.classes.retain(|class| used.contains(&class.head.name.text));
    model
}

fn call(event: &Event) -> Call {
    let mut taken = BTreeSet::new();
    let (mut params, mut values, mut enums) = (Vec::new(), Vec::new(), Vec::new());
    for (arg, Param { ty, ident }) in event.args.iter().zip(body::params(&event.args, &mut taken)) {
        let (ty, value) = match passing(&CType::parse(&arg.ty.tokens)) {
            Passing::Number(_) | Passing::Pointer(_) => (ty, ident.clone()),
            Passing::Enum => {
                enums.push(ty.clone());
                ("int".to_owned(), format!("({ty}){ident}"))
            }
            Passing::Address => ("const void *".to_owned(), value::behind(&arg.ty.tokens, &ident)),
        };
        params.push(Param { ty, ident });
        values.push(value);
    }
    Call {
        provider: event.head.provider.text.clone(),
        name: event.head.name.text.clone(),
        recorder: recorder_of(event),
        params,
        values,
        enums,
    }
}

/// The class or the event whose recording function an event has.
fn recorder_of(event: &Event) -> String {
    match &event.class {
        Some((provider, name)) => format!("{}___{}", provider.text, name.text),
        None => ident(&event.head),
    }
}

/// Returns `provider___name`, of which the names of everything about an event are made.
fn ident(head: &Head) -> String {
    format!("{}___{}", head.provider.text, head.name.text)
}

/// The comments of the file, by where they end.
struct Comments<'a> {
    text: &'a str,
    all: Vec<Span>,
}

impl<'a> Comments<'a> {
    fn new(definitions: &'a Definitions) -> Self {
        let text = &definitions.sources.file(Span { file: 0, start: 0, end: 0 }).text;
        Self { text, all: lexer::lex(0, text).comments }
    }

    /// What stands on lines of its own before a field, and behind it on its line.
    fn of_field(&self, field: &Field) -> Vec<String> {
        if field.span.file != 0 {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut start = field.span.start;
        let until = self.all.partition_point(|comment| comment.end <= start);
        for comment in self.all[..until].iter().rev() {
            let between = &self.text[comment.end as usize..start as usize];
            let line = self.text[..comment.start as usize].rsplit('\n').next().unwrap_or_default();
            if !between.trim().is_empty() || !line.trim().is_empty() {
                break;
            }
            found.splice(0..0, self.lines(*comment));
            start = comment.start;
        }
        if let Some(comment) = self.all.get(until) {
            let between = self.text.get(field.span.end as usize..comment.start as usize).unwrap_or("\n");
            if between.trim().is_empty() && !between.contains('\n') {
                found.extend(self.lines(*comment));
            }
        }
        found
    }

    fn lines(&self, comment: Span) -> Vec<String> {
        let lines = reader::plain_lines(&self.text[comment.start as usize..comment.end as usize]);
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    }
}

struct Planner<'a> {
    definitions: &'a Definitions,
    /// What is planned of them.
    model: &'a Model,
    guard: &'a str,
    comments: Comments<'a>,
}

impl<'a> Planner<'a> {
    fn new(definitions: &'a Definitions, model: &'a Model, guard: &'a str) -> Self {
        Self { definitions, model, guard, comments: Comments::new(definitions) }
    }

    /// The header without what everybody sees, and without call sites.
    fn header(&self, dialect: Dialect) -> Header {
        let layout = &self.definitions.layout;
        Header {
            origin: origin(self.definitions),
            dialect,
            is_shim: false,
            guard: self.guard.to_owned(),
            foreign: layout.foreign.iter().cloned().collect(),
            includes_tracer: layout.includes_tracer,
            parts: Vec::new(),
            probes: self.probes(),
            callsites: Vec::new(),
        }
    }

    fn line(&self, span: Span) -> usize {
        self.definitions.sources.line(span)
    }

    fn place(&self, span: Span) -> String {
        let path = &self.definitions.sources.file(span).path;
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        format!("{file}:{}", self.line(span))
    }

    /// The comment of a definition, and where it stands.
    fn docs(&self, head: &Head) -> Vec<String> {
        let mut docs: Vec<String> = head.docs.lines().map(str::to_owned).collect();
        docs.extend((!docs.is_empty()).then(String::new));
        docs.push(format!("{}:{}, {}", head.provider.text, head.name.text, self.place(head.span)));
        docs
    }

    /// The condition under which something is there. Where the file changes a name in it, a mark stands for it.
    fn condition(&self, head: &Head) -> Option<String> {
        self.mark(head).map(|mark| format!("defined({mark})")).or_else(|| joined(&head.conditions))
    }

    fn when<T>(&self, head: &Head, what: T) -> When<T> {
        When { condition: self.condition(head), what }
    }

    fn mark(&self, head: &Head) -> Option<String> {
        let is_changed = |text: &String| {
            let tokens = lexer::lex(0, text).tokens;
            expand::names(&tokens).any(|name| self.definitions.layout.changed.contains(name))
        };
        let is_marked = head.span.file == 0 && head.conditions.iter().any(is_changed);
        is_marked.then(|| format!("{}_LINE_{}", self.guard, self.line(head.span)))
    }

    /// What everybody sees. `declares`: call sites too.
    fn parts(&self, declares: bool) -> Vec<Part> {
        let model = self.model;
        let within = |head: &Head, span: Span| {
            head.span.file == span.file && span.start <= head.span.start && head.span.start < span.end
        };
        let heads = || {
            let classes = model.classes.iter().map(|class| &class.head);
            classes
                .chain(model.events.iter().map(|event| &event.head))
                .chain(model.enumerations.iter().map(|e| &e.head))
        };
        let is_shown = |span: Span| {
            (declares && model.events.iter().any(|event| within(&event.head, span)))
                || heads().any(|head| within(head, span) && self.mark(head).is_some())
        };
        let mut parts: Vec<Part> = self.structures().into_iter().map(Part::Text).collect();
        for piece in text::pieces(self.definitions, &is_shown) {
            match piece {
                Piece::Text(text) => parts.push(Part::Text(text)),
                Piece::Conditional(_, line) => parts.push(Part::Conditional(line)),
                Piece::Definitions(span) => {
                    let marks: BTreeSet<String> =
                        heads().filter(|head| within(head, span)).filter_map(|head| self.mark(head)).collect();
                    parts.extend(marks.into_iter().map(Part::Mark));
                    let events = model.events.iter().filter(|event| declares && within(&event.head, span));
                    parts.extend(events.map(|event| Part::Declaration(self.declaration(event))));
                }
            }
        }
        let elsewhere = model.events.iter().filter(|event| declares && event.head.span.file != 0);
        parts.extend(elsewhere.map(|event| Part::Declaration(self.declaration(event))));
        parts
    }

    /// Declares the structures that nothing else declares: else they would be others in each declaration of a function.
    fn structures(&self) -> Vec<String> {
        let model = self.model;
        if model.includes.iter().any(|include| !include.starts_with('<')) {
            return Vec::new();
        }
        let declared = lexer::lex(0, self.comments.text).tokens;
        let is_declared = |tag: &str| {
            let mut words = declared.windows(3).filter(|words| words[0].is("struct") && *words[1].text == *tag);
            words.any(|words| words[2].is("{") || words[2].is(";"))
        };
        let mut tags: Vec<&str> = Vec::new();
        for arg in model.events.iter().flat_map(|event| &event.args) {
            let ty = arg.ty.tokens.iter().filter(|token| !token.is("const")).collect::<Vec<_>>();
            if let [word, tag, star, ..] = ty.as_slice()
                && word.is("struct")
                && star.is("*")
                && !tags.contains(&&*tag.text)
                && !is_declared(&tag.text)
            {
                tags.push(&tag.text);
            }
        }
        let blank = (!tags.is_empty()).then(|| "\n".to_owned());
        tags.into_iter().map(|tag| format!("struct {tag};\n")).chain(blank).collect()
    }

    fn declaration(&self, event: &Event) -> Declaration {
        // The names of what the macro declares besides.
        let mut taken = ["tracepoint", "record", "ust_end"].map(str::to_owned).into();
        Declaration {
            docs: self.docs(&event.head),
            provider: event.head.provider.text.clone(),
            name: event.head.name.text.clone(),
            params: body::params(&event.args, &mut taken),
        }
    }

    fn probes(&self) -> Vec<When<Probe>> {
        let model = self.model;
        let fields = model.events.iter().map(|event| &event.fields);
        let fields = fields.chain(model.classes.iter().map(|class| &class.fields)).flatten();
        let used: BTreeSet<(&str, &str)> =
            fields.filter_map(|field| field.enumeration.as_ref()).map(|(a, b)| (&*a.text, &*b.text)).collect();
        // By place; those of included files are needed first.
        let mut all: BTreeMap<(bool, u32, u32), Vec<When<Probe>>> = BTreeMap::new();
        let mut add = |head: &Head, probes: Vec<When<Probe>>| {
            let key = (head.span.file == 0, head.span.file, head.span.start);
            all.entry(key).or_default().extend(probes);
        };
        for found in &model.enumerations {
            if used.contains(&(found.head.provider.text.as_str(), found.head.name.text.as_str())) {
                add(&found.head, vec![self.when(&found.head, Probe::Labels(self.labels(found)))]);
            }
        }
        for class in &model.classes {
            add(&class.head, vec![self.when(&class.head, Probe::Body(self.class(class)))]);
        }
        for event in &model.events {
            add(&event.head, self.event(event));
        }
        all.into_values().flatten().collect()
    }

    fn labels(&self, found: &Enumeration) -> Labels {
        let labels = found.labels.iter().map(|label| {
            let text = label.written.text.clone();
            match &label.values {
                None => ("UST_AUTOMATIC", vec![text]),
                Some((low, high)) if low.span == high.span => ("UST_VALUE", vec![text, low.text.clone()]),
                Some((low, high)) => ("UST_RANGE", vec![text, low.text.clone(), high.text.clone()]),
            }
        });
        Labels {
            docs: self.docs(&found.head),
            ident: ident(&found.head),
            name: found.head.name.text.clone(),
            labels: labels.collect(),
        }
    }

    fn class(&self, class: &Class) -> Recorder {
        self.recorder(self.docs(&class.head), &class.head, true, (&class.args, &class.fields))
    }

    fn recorder(&self, docs: Vec<String>, head: &Head, is_shared: bool, what: (&[Arg], &[Field])) -> Recorder {
        Recorder {
            docs,
            provider: head.provider.text.clone(),
            name: head.name.text.clone(),
            is_shared,
            body: body::body(what.0, what.1, &|field| self.comments.of_field(field)),
        }
    }

    fn event(&self, event: &Event) -> Vec<When<Probe>> {
        let Event { head, args, fields, class, .. } = event;
        let mut probes = Vec::new();
        let mut docs = Vec::new();
        if class.is_some() {
            docs = vec![self.place(head.span)];
        } else {
            let docs = vec![format!("{}:{}, {}", head.provider.text, head.name.text, self.place(head.span))];
            probes.push(self.when(head, Probe::Body(self.recorder(docs, head, false, (args, fields)))));
        }
        let (provider, name) = (head.provider.text.clone(), head.name.text.clone());
        let tracepoint = Tracepoint {
            docs,
            provider: provider.clone(),
            name: name.clone(),
            recorder: recorder_of(event),
            signature: event.signature.clone(),
            file: self.definitions.sources.file(head.span).path.to_string_lossy().into_owned(),
            line: self.line(head.span),
        };
        probes.push(self.when(head, Probe::Event(tracepoint)));
        if let Some(level) = &event.loglevel {
            let number = match level.value {
                Some(value) if level.text == value.to_string() => level.text.clone(),
                Some(value) if lexer::lex(0, &level.text).tokens.len() == 1 => format!("{value} /* {} */", level.text),
                _ => level.text.clone(),
            };
            let what = Probe::Property("UST_DEFINE_LOGLEVEL", [provider.clone(), name.clone(), number]);
            let own: Vec<String> =
                level.conditions.iter().filter(|own| !head.conditions.contains(own)).cloned().collect();
            let condition = self.condition(head).into_iter().chain(joined(&own)).collect::<Vec<_>>();
            probes.push(When { condition: joined(&condition), what });
        }
        if let Some(uri) = &event.model_emf_uri {
            let what = Probe::Property("UST_DEFINE_MODEL_EMF_URI", [provider, name, quoted(uri)]);
            probes.push(self.when(head, what));
        }
        probes
    }
}

/// Several conditions as one; none as none.
pub(super) fn joined(conditions: &[String]) -> Option<String> {
    let part = |text: &String| {
        let tokens = lexer::lex(0, text).tokens;
        let is_simple = !tokens.iter().any(|token| token.is("||") || token.is("?"));
        if conditions.len() == 1 || is_simple { text.clone() } else { format!("({text})") }
    };
    let parts: Vec<String> = conditions.iter().map(part).collect();
    (!parts.is_empty()).then(|| parts.join(" && "))
}

/// A text as a string of C.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted.push('"');
    quoted
}

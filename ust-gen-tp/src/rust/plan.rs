// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decides what the module holds.

use std::collections::HashMap;

use crate::model::{Class, Event, Head, Model};
use crate::rust::body::{self, Body, Param};
use crate::rust::labels::{Enum, Enums};
use crate::rust::{InC, Library, Omitted, Refusal, Shim, in_c, names};
use crate::source::{Sources, Span};

/// The log levels of the crate `ust`, by number.
const LEVELS: [&str; 15] = [
    "Emerg",
    "Alert",
    "Crit",
    "Err",
    "Warning",
    "Notice",
    "Info",
    "DebugSystem",
    "DebugProgram",
    "DebugProcess",
    "DebugModule",
    "DebugUnit",
    "DebugFunction",
    "DebugLine",
    "Debug",
];

/// The module.
#[derive(Debug)]
pub(super) struct Module {
    /// The name of the file it is made from.
    pub(super) file: String,
    pub(super) provider: Option<String>,
    pub(super) ident: String,
    /// Lints that names of C set off.
    pub(super) allow_odd_names: bool,
    /// With what stands before each.
    pub(super) enums: Vec<(Vec<String>, Enum)>,
    pub(super) functions: Vec<Function>,
    pub(super) omitted: Vec<Omitted>,
    /// The events that C records.
    pub(super) in_c: Vec<InC>,
    /// The libraries that they need.
    pub(super) libraries: Vec<Library>,
    /// Where the omitted events stand, and why they are omitted.
    pub(super) omissions: Vec<String>,
}

/// A class or an event.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) docs: Vec<String>,
    pub(super) kind: Kind,
    pub(super) ident: String,
    pub(super) params: Vec<Param>,
}

/// What a function is.
#[derive(Debug)]
pub(super) enum Kind {
    Class,
    /// A tracepoint, and what its attribute is given.
    Event(Vec<String>),
    /// A tracepoint that C has.
    InC {
        provider: String,
        name: String,
    },
}

/// A class that is in the module, or why it is not.
type Planned = Result<(String, Body), Refusal>;

struct Planner<'a> {
    sources: &'a Sources,
    enums: Enums<'a>,
    /// Classes by provider, name and place.
    classes: HashMap<(&'a str, &'a str), Planned>,
    functions: Vec<Function>,
    omitted: Vec<Omitted>,
    omissions: Vec<String>,
    /// What records events that only a compiler understands.
    shim: Option<&'a Shim>,
    in_c: Vec<InC>,
}

/// Returns the module for a model.
pub(super) fn plan(model: &Model, sources: &Sources, shim: Option<&Shim>) -> Module {
    let mut taken: Vec<String> = model.events.iter().map(|event| names::identifier(&event.head.name.text)).collect();
    let classes = model.classes.iter().map(|class| names::identifier(&class.head.name.text));
    let reserved = taken.iter().cloned().chain(classes).collect();
    let mut planner = Planner {
        sources,
        enums: Enums::new(&model.enumerations, reserved),
        classes: HashMap::new(),
        functions: Vec::new(),
        omitted: Vec::new(),
        omissions: Vec::new(),
        shim,
        in_c: Vec::new(),
    };
    for class in model.classes.iter().filter(|class| class.head.is_usual) {
        planner.class(class, &mut taken);
    }
    for event in &model.events {
        if let Err(refusal) = planner.event(event).or_else(|refusal| planner.in_c(event, refusal)) {
            planner.omit(&event.head, refusal);
        }
    }
    let enums: Vec<(Vec<String>, Enum)> = planner
        .enums
        .made
        .iter()
        .map(|made| (planner.docs_of(&made.docs, made.span, &[], &[]), made.clone()))
        .collect();
    let is_odd = |name: &str| name.contains(|c: char| c.is_ascii_uppercase());
    let odd_params = planner
        .functions
        .iter()
        .any(|function| is_odd(&function.ident) || function.params.iter().any(|param| is_odd(&param.ident)));
    let provider = model.provider.clone();
    let ident = names::identifier(provider.as_deref().unwrap_or("tracepoints"));
    Module {
        file: file_name(sources, Span { file: 0, start: 0, end: 0 }),
        allow_odd_names: odd_params || is_odd(&ident),
        ident,
        provider,
        enums,
        functions: planner.functions,
        in_c: planner.in_c,
        libraries: shim.map_or(Vec::new(), |shim| shim.libraries.clone()),
        omitted: planner.omitted,
        omissions: planner.omissions,
    }
}

fn file_name(sources: &Sources, span: Span) -> String {
    let path = &sources.file(span).path;
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl<'a> Planner<'a> {
    fn place(&self, span: Span) -> String {
        format!("`{}`, line {}", file_name(self.sources, span), self.sources.line(span))
    }

    /// The comment of a definition, notes, and where it stands.
    fn docs_of(&self, comment: &str, span: Span, conditions: &[String], notes: &[String]) -> Vec<String> {
        let mut docs: Vec<String> = comment.lines().map(str::to_owned).collect();
        if !docs.is_empty() {
            docs.push(String::new());
        }
        docs.extend(notes.iter().cloned());
        docs.push(match conditions.is_empty() {
            true => format!("{}.", self.place(span)),
            false => format!("{}, if `{}`.", self.place(span), conditions.join(" && ")),
        });
        docs
    }

    fn omit(&mut self, head: &Head, refusal: Refusal) {
        let Refusal { span, reason, is_final } = refusal;
        self.omissions.push(format!("`{}` ({}): {reason}", head.name.text, self.place(head.span)));
        let needs_shim = !is_final && self.shim.is_none();
        self.omitted.push(Omitted { event: head.name.text.clone(), span, reason, needs_shim });
    }

    fn class(&mut self, class: &'a Class, taken: &mut Vec<String>) {
        let Head { provider, name, .. } = &class.head;
        let planned = body::body(&class.args, &class.fields, &mut self.enums).map(|body| {
            let plain = names::identifier(&name.text);
            let ident = if taken.contains(&plain) { format!("{}_class", name.text) } else { plain };
            (names::unique(ident, taken), body)
        });
        if let Ok((ident, body)) = &planned {
            self.functions.push(Function {
                docs: self.docs_of(&class.head.docs, class.head.span, &class.head.conditions, &body.notes),
                kind: Kind::Class,
                ident: ident.clone(),
                params: body.params.clone(),
            });
        }
        self.classes.insert((&provider.text, &name.text), planned);
    }

    fn event(&mut self, event: &Event) -> Result<(), Refusal> {
        let head = &event.head;
        if !head.is_usual {
            let reason = format!("it is there only if `{}`; say so with -D", head.conditions.join(" && "));
            return Err(Refusal::last(head.name.span, reason));
        }
        for name in [&head.provider, &head.name] {
            if !names::is_traceable(&name.text) {
                return Err(Refusal::last(name.span, format!("`{}` is not of ASCII letters and digits", name.text)));
            }
        }
        let mut keys = Vec::new();
        let ident = names::identifier(&head.name.text);
        if self.functions.iter().any(|other| other.ident == ident) {
            return Err(Refusal::last(head.name.span, format!("there already is `{ident}`")));
        }
        if names::plain(&ident) != head.name.text {
            keys.push(format!("name = {:?}", head.name.text));
        }
        let (params, notes) = match &event.class {
            None => {
                let body = body::body(&event.args, &event.fields, &mut self.enums)?;
                (body.params, body.notes)
            }
            Some((provider, name)) => match self.classes.get(&(provider.text.as_str(), name.text.as_str())) {
                Some(Ok((class, body))) => {
                    keys.push(format!("class = {class}"));
                    (instance_params(event, body), body.notes.clone())
                }
                Some(Err(refusal)) => {
                    let reason = format!("its class `{}`: {}", name.text, refusal.reason);
                    return Err(Refusal { reason, ..refusal.clone() });
                }
                None => {
                    return Err(Refusal::last(name.span, format!("its class `{}` is not there without -D", name.text)));
                }
            },
        };
        keys.extend(level(event)?.map(|level| format!("loglevel = {level}")));
        keys.extend(event.model_emf_uri.as_ref().map(|uri| format!("model_emf_uri = {uri:?}")));
        let docs = self.docs_of(&head.docs, head.span, &head.conditions, &notes);
        self.functions.push(Function { docs, kind: Kind::Event(keys), ident, params });
        Ok(())
    }

    /// Has C record an event that Rust cannot, for the reason `refusal`.
    fn in_c(&mut self, event: &Event, refusal: Refusal) -> Result<(), Refusal> {
        let Some(shim) = self.shim.filter(|_| !refusal.is_final) else { return Err(refusal) };
        let (params, notes) = in_c::params(event, shim.dialect)?;
        let head = &event.head;
        let mut docs = self.docs_of(&head.docs, head.span, &head.conditions, &notes);
        docs.extend(in_c::safety());
        self.in_c.push(InC { event: head.name.text.clone(), span: head.span });
        let kind = Kind::InC { provider: head.provider.text.clone(), name: head.name.text.clone() };
        self.functions.push(Function { docs, kind, ident: names::identifier(&head.name.text), params });
        Ok(())
    }
}

/// The parameters of an instance: those that callers of the class pass, with names of its own.
fn instance_params(event: &Event, class: &Body) -> Vec<Param> {
    let params = class.signature.iter().filter_map(|(at, ty)| {
        let name = &event.args.get(*at)?.name.text;
        Some(Param { keys: Vec::new(), ident: names::identifier(name), ty: ty.clone() })
    });
    params.collect()
}

fn level(event: &Event) -> Result<Option<&'static str>, Refusal> {
    let Some(level) = &event.loglevel else { return Ok(None) };
    let index = level.value.and_then(|value| usize::try_from(value).ok());
    match index.and_then(|index| LEVELS.get(index)) {
        Some(name) => Ok(Some(name)),
        None => Err(Refusal::new(level.span, format!("the log level `{}` has no name", level.text))),
    }
}

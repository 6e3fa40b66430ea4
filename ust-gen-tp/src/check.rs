// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts the definitions of a file together, and checks what a compiler would let through or explain badly.
//!
//! Two definitions in different branches of a conditional are never there at the same time, and do not disturb each other.

use std::collections::HashMap;

use crate::ctype::{self, CType};
use crate::items::{Found, Property};
use crate::limits::{FULL_NAME_BYTES_MAX, LTTNG_ARG_COUNT_MAX};
use crate::model::{Arg, Class, Enumeration, Event, Field, Head, Model, Name, Shape};
use crate::options::Options;
use crate::problem::{Problem, Problems};
use crate::reader::Content;
use crate::source::{Sources, Span};
use crate::words;

/// Returns the model of what was found, and reports what is wrong with it.
pub(crate) fn check(content: Content, sources: &Sources, options: &Options, problems: &mut Problems) -> Model {
    let Found { classes, mut events, enumerations, levels, uris, .. } = content.found;
    check_duplicates("event", events.iter().map(|event| &event.head), problems);
    check_duplicates("class", classes.iter().map(|class| &class.head), problems);
    check_duplicates("enumeration", enumerations.iter().map(|found| &found.head), problems);
    check_duplicates("log level of", levels.iter().map(|level| &level.head), problems);
    set_properties("log level", levels, &mut events, problems, |event, level| event.loglevel = Some(level));
    set_properties("link", uris, &mut events, problems, |event, uri| event.model_emf_uri = Some(uri));
    for event in &mut events {
        set_class(event, &classes, sources, problems);
    }
    for class in &classes {
        check_body(&class.head, (&class.args, &class.fields), &enumerations, options, problems);
    }
    for event in &events {
        let fields = if event.class.is_some() { &[][..] } else { &event.fields };
        check_body(&event.head, (&event.args, fields), &enumerations, options, problems);
    }
    for enumeration in &enumerations {
        check_enumeration(enumeration, problems);
    }
    let heads: Vec<&Head> = events.iter().map(|event| &event.head).collect();
    let provider = check_provider(&heads, &classes, content.provider.as_ref(), problems);
    let includes = content.includes.into_iter().map(|include| include.text).collect();
    Model { provider, includes, classes, events, enumerations }
}

/// Whether two definitions can never be there at the same time.
fn exclude(a: &Head, b: &Head) -> bool {
    let differ = a.branches.iter().any(|own| b.branches.iter().any(|other| own.0 == other.0 && own.1 != other.1));
    let negated = |text: &String| b.conditions.contains(&crate::conditions::negated(text));
    differ || a.conditions.iter().any(negated)
}

fn same_name(a: &Head, b: &Head) -> bool {
    a.name.text == b.name.text && a.provider.text == b.provider.text
}

fn check_duplicates<'a>(what: &str, heads: impl Iterator<Item = &'a Head>, problems: &mut Problems) {
    let mut by_name: HashMap<(&str, &str), Vec<&Head>> = HashMap::new();
    for head in heads {
        let earlier = by_name.entry((&head.provider.text, &head.name.text)).or_default();
        if let Some(first) = earlier.iter().find(|first| !exclude(first, head)) {
            let (provider, name) = (&head.provider.text, &head.name.text);
            let message = format!("there already is the {what} `{provider}:{name}`");
            let whole = |other: &Head| other.conditions.iter().all(|text| head.conditions.contains(text));
            let always = whole(first) || head.conditions.iter().all(|text| first.conditions.contains(text));
            let problem = match always {
                true => Problem::error(head.name.span, message),
                false => Problem::warning(head.name.span, format!("{message}, if both conditions hold")),
            };
            let help = if what == "log level of" { "remove one" } else { "rename or remove one" };
            problems.push(problem.related(first.name.span, "the first one").help(help));
        }
        earlier.push(head);
    }
}

/// Gives each event what was said about it elsewhere.
fn set_properties<T: Clone>(
    what: &str,
    properties: Vec<Property<T>>,
    events: &mut [Event],
    problems: &mut Problems,
    set: impl Fn(&mut Event, T),
) {
    for Property { head, value } in properties {
        let mut known = false;
        for event in events.iter_mut().filter(|event| same_name(&event.head, &head) && !exclude(&event.head, &head)) {
            set(event, value.clone());
            known = true;
        }
        if known {
            continue;
        }
        let Head { provider, name, .. } = &head;
        let message = format!("a {what} for the event `{}:{}`, which does not exist", provider.text, name.text);
        let of_provider = events.iter().map(|event| &event.head).filter(|other| other.provider.text == provider.text);
        let near = words::closest(&name.text, of_provider.map(|other| other.name.text.as_str()));
        let help = match near {
            Some(near) => format!("`{near}`"),
            None => "define the event, or remove this".to_owned(),
        };
        problems.push(Problem::error(name.span, message).help(help));
    }
}

/// Gives an instance the fields of its class.
fn set_class(event: &mut Event, classes: &[Class], sources: &Sources, problems: &mut Problems) {
    let Some((provider, name)) = &event.class else { return };
    let named = |class: &&Class| class.head.name.text == name.text && class.head.provider.text == provider.text;
    let of_name = classes.iter().filter(named);
    let Some(class) = of_name.clone().find(|class| !exclude(&class.head, &event.head)).or(of_name.clone().next())
    else {
        let message = format!("there is no class `{}:{}`", provider.text, name.text);
        let of_provider = classes.iter().filter(|class| class.head.provider.text == provider.text);
        let near = words::closest(&name.text, of_provider.map(|class| class.head.name.text.as_str()));
        let help = match near {
            Some(near) => format!("`{near}`"),
            None => "define it with TRACEPOINT_EVENT_CLASS, before its instances".to_owned(),
        };
        problems.push(Problem::error(name.span, message).help(help));
        return;
    };
    check_instance(event, class, sources, problems);
    event.fields.clone_from(&class.fields);
}

/// An instance repeats the arguments of its class, for the fields are computed from those.
fn check_instance(event: &Event, class: &Class, sources: &Sources, problems: &mut Problems) {
    let (name, class_name) = (&event.head.name, &class.head.name);
    let line = sources.line(class_name.span);
    if event.args.len() != class.args.len() {
        let message = format!(
            "`{}` has {} arguments, its class `{}` has {}",
            name.text,
            event.args.len(),
            class_name.text,
            class.args.len()
        );
        let problem = Problem::error(name.span, message).related(class_name.span, "the class");
        problems.push(problem.help(format!("repeat the arguments of line {line}")));
        return;
    }
    for (own, of_class) in event.args.iter().zip(&class.args) {
        let (ours, theirs) = (CType::parse(&own.ty.tokens), CType::parse(&of_class.ty.tokens));
        if ctype::normalised(&own.ty.tokens) == ctype::normalised(&of_class.ty.tokens)
            || ours.is_scalar() && ours == theirs
        {
            continue;
        }
        let message = format!(
            "the argument `{}` is `{}` here, and `{}` in the class `{}`",
            own.name.text, own.ty.text, of_class.ty.text, class_name.text
        );
        // Pointers have one size: the class sees another type than it thinks, but all of the value.
        let problem = match ours.pointers > 0 && theirs.pointers > 0 {
            true => Problem::warning(own.ty.span, message),
            false => Problem::error(own.ty.span, message),
        };
        let problem = problem.related(of_class.ty.span, "the class");
        problems.push(problem.help(format!("`{}`, or a class of its own", of_class.ty.text)));
    }
}

fn check_body(
    head: &Head,
    (args, fields): (&[Arg], &[Field]),
    enumerations: &[Enumeration],
    options: &Options,
    problems: &mut Problems,
) {
    let full_bytes = head.provider.text.len() + ":".len() + head.name.text.len();
    if full_bytes > FULL_NAME_BYTES_MAX {
        let message = format!("the name `provider:event` has {full_bytes} bytes, more than {FULL_NAME_BYTES_MAX}");
        problems.push(Problem::error(head.name.span, message).help("shorten the provider or the name"));
    }
    if args.len() > LTTNG_ARG_COUNT_MAX && !options.many_args {
        let message = format!("`{}` has {} arguments, more than {LTTNG_ARG_COUNT_MAX}", head.name.text, args.len());
        let problem = Problem::error(args[LTTNG_ARG_COUNT_MAX].name.span, message);
        let help = "pass a pointer to a structure; or allow more with --many-args, which LTTng does not understand";
        problems.push(problem.related(head.name.span, "this event").help(help));
    }
    check_names(args.iter().map(|arg| &arg.name), "argument", problems);
    check_names(fields.iter().filter_map(|field| field.name.as_ref()), "field", problems);
    for field in fields {
        check_field(field, args, enumerations, problems);
    }
}

fn check_names<'a>(names: impl Iterator<Item = &'a Name>, what: &str, problems: &mut Problems) {
    let mut seen: Vec<&Name> = Vec::new();
    for name in names {
        if let Some(first) = seen.iter().find(|first| first.text == name.text) {
            let problem = Problem::error(name.span, format!("there already is the {what} `{}`", name.text));
            problems.push(problem.related(first.span, "the first one").help("rename one"));
        }
        seen.push(name);
    }
}

fn check_field(field: &Field, args: &[Arg], enumerations: &[Enumeration], problems: &mut Problems) {
    let ty = field.ty.as_ref().map(|code| (code, CType::parse(&code.tokens)));
    if let Some(code) = &field.count_ty {
        check_count_type(code.span, &code.text, &CType::parse(&code.tokens), problems);
    }
    match (&ty, field.shape) {
        (Some((code, ty)), Shape::Float) if !matches!(ty.scalar(), Some(ctype::Scalar::Float { .. }) | None) => {
            let message = format!("a float field of the type `{}`", code.text);
            problems.push(Problem::error(code.span, message).help("`float` or `double`, or ctf_integer"));
        }
        (Some((code, ty)), Shape::Integer | Shape::Enum)
            if matches!(ty.scalar(), Some(ctype::Scalar::Float { .. })) =>
        {
            let message = format!("an integer field of the type `{}`: the value would be cut", code.text);
            problems.push(Problem::error(code.span, message).help("ctf_float"));
        }
        (Some((code, ty)), Shape::Array | Shape::Sequence) if field.text && ty.bytes() != Some(1) => {
            let message = format!("text of the type `{}`", code.text);
            problems.push(Problem::error(code.span, message).help("`char`"));
        }
        _ => {}
    }
    if let Some((provider, name)) = &field.enumeration {
        check_enumeration_name(provider, name, enumerations, problems);
    }
    check_argument(field, ty.map(|(_, ty)| ty), args, problems);
}

fn check_count_type(span: Span, text: &str, ty: &CType, problems: &mut Problems) {
    let help = "`size_t`, `unsigned int`, `uint32_t` or another unsigned integer";
    match ty.scalar() {
        Some(scalar @ ctype::Scalar::Integer { .. }) if !scalar.is_signed() => {}
        None if ty.pointers == 0 && ty.base == ctype::Base::Other => {}
        Some(ctype::Scalar::Integer { .. } | ctype::Scalar::Char) => {
            problems
                .push(Problem::error(span, format!("the count of a sequence has the signed type `{text}`")).help(help));
        }
        _ => problems.push(Problem::error(span, format!("the count of a sequence has the type `{text}`")).help(help)),
    }
}

fn check_enumeration_name(provider: &Name, name: &Name, enumerations: &[Enumeration], problems: &mut Problems) {
    let is_it = |head: &Head| head.name.text == name.text && head.provider.text == provider.text;
    if enumerations.iter().any(|other| is_it(&other.head)) {
        return;
    }
    let message = format!("there is no enumeration `{}:{}`", provider.text, name.text);
    let help = match words::closest(&name.text, enumerations.iter().map(|other| other.head.name.text.as_str())) {
        Some(near) => format!("`{near}`"),
        None if enumerations.iter().any(|other| other.head.name.text == name.text) => {
            "the provider is that of the enumeration".to_owned()
        }
        None => "define it with TRACEPOINT_ENUM, before the events that use it".to_owned(),
    };
    problems.push(Problem::error(name.span, message).help(help));
}

/// Compares a field whose value is one name with the arguments.
fn check_argument(field: &Field, ty: Option<CType>, args: &[Arg], problems: &mut Problems) {
    let Some(name) = field.expr.name() else { return };
    let Some(arg) = args.iter().find(|arg| arg.name.text == name) else {
        if let Some(near) = words::closest(name, args.iter().map(|arg| arg.name.text.as_str())) {
            let problem = Problem::warning(field.expr.span, format!("`{name}` is no argument of this event"));
            problems.push(problem.help(format!("`{near}`")));
        }
        return;
    };
    let given = CType::parse(&arg.ty.tokens);
    let is_integer = matches!(field.shape, Shape::Integer);
    if let (true, Some(from), Some(to)) = (is_integer, given.scalar(), ty.and_then(|ty| ty.scalar())) {
        let both = matches!((from, to), (ctype::Scalar::Integer { .. }, ctype::Scalar::Integer { .. }));
        if both && from.bytes() == to.bytes() && from.is_signed() != to.is_signed() {
            let message = format!("the field has another sign than its argument `{}`, of `{}`", name, arg.ty.text);
            let problem = Problem::warning(field.ty.as_ref().map_or(field.span, |code| code.span), message);
            problems
                .push(problem.help(format!("`{}`, or a cast in the value that says that it is meant", arg.ty.text)));
        }
    }
}

fn check_enumeration(enumeration: &Enumeration, problems: &mut Problems) {
    for label in &enumeration.labels {
        if let Some((low, high)) = label.numbers.filter(|(low, high)| low > high) {
            let message = format!("the range of \"{}\" ends before it begins: {low} to {high}", label.text);
            problems.push(Problem::error(label.span, message).help("the smaller value comes first"));
        }
    }
}

/// All definitions of a file are of one provider.
fn check_provider(heads: &[&Head], classes: &[Class], own: Option<&Name>, problems: &mut Problems) -> Option<String> {
    let mut all: Vec<&Name> = heads.iter().map(|head| &head.provider).collect();
    all.extend(classes.iter().map(|class| &class.head.provider).filter(|_| heads.is_empty()));
    let first = *all.first()?;
    if let Some(other) = all.iter().find(|other| other.text != first.text) {
        let message = format!("a second provider, `{}`: a file is of one", other.text);
        let problem = Problem::error(other.span, message).related(first.span, "the first one");
        problems.push(problem.help(format!("`{}`, or a file of its own", first.text)));
    }
    if let Some(own) = own.filter(|own| own.text != first.text) {
        let message = format!("the file defines the provider `{}`, and its events are of `{}`", own.text, first.text);
        let problem = Problem::warning(own.span, message).related(first.span, "used here");
        problems.push(problem.help(format!("`{}`", first.text)));
    }
    Some(first.text.clone())
}

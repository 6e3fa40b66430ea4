// SPDX-License-Identifier: MIT OR Apache-2.0
//! The model as JSON.
//!
//! Its form is described in `docs/tp-json.md`; keys are only ever added while `version` stays the same.

use crate::model::{Arg, Class, Code, Enumeration, Event, Field, Head, Label, Model, Name, Shape};
use crate::source::Sources;

/// The version of the form.
const VERSION: i128 = 1;

/// Columns that a list or an object may take on one line.
const WIDTH: usize = 120;

enum Value {
    Null,
    Bool(bool),
    Number(i128),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(&'static str, Value)>),
}

/// Returns the model as JSON, with a line end.
pub fn json(model: &Model, sources: &Sources, path: &str) -> String {
    let context = Context { sources };
    let value = Value::Object(vec![
        ("format", text("ust-gen-tp")),
        ("version", Value::Number(VERSION)),
        ("file", text(path)),
        ("provider", model.provider.as_deref().map_or(Value::Null, text)),
        ("includes", Value::List(model.includes.iter().map(|include| text(include)).collect())),
        ("enumerations", list(&model.enumerations, |found| context.enumeration(found))),
        ("classes", list(&model.classes, |class| context.class(class))),
        ("events", list(&model.events, |event| context.event(event))),
    ]);
    let mut printed = String::new();
    print(&value, 0, 0, &mut printed);
    printed.push('\n');
    printed
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn list<T>(items: &[T], value: impl Fn(&T) -> Value) -> Value {
    Value::List(items.iter().map(value).collect())
}

fn optional<T>(item: &Option<T>, value: impl Fn(&T) -> Value) -> Value {
    item.as_ref().map_or(Value::Null, value)
}

fn code(code: &Code) -> Value {
    text(&code.text)
}

fn full_name((provider, name): &(Name, Name)) -> Value {
    Value::Object(vec![("provider", text(&provider.text)), ("name", text(&name.text))])
}

fn arg(arg: &Arg) -> Value {
    Value::Object(vec![("type", code(&arg.ty)), ("name", text(&arg.name.text))])
}

fn kind(field: &Field) -> &'static str {
    match field.shape {
        Shape::Integer => "integer",
        Shape::Float => "float",
        Shape::String => "string",
        Shape::Unused => "unused",
        Shape::Array => "array",
        Shape::Sequence => "sequence",
        Shape::Enum => "enum",
        Shape::FixedBlob => "fixed_length_blob",
        Shape::VariableBlob => "variable_length_blob",
    }
}

fn label(label: &Label) -> Value {
    let number = |pick: fn(&(i128, i128)) -> i128| optional(&label.numbers, |numbers| Value::Number(pick(numbers)));
    let written = |pick: fn(&(Code, Code)) -> &Code| optional(&label.values, |values| code(pick(values)));
    Value::Object(vec![
        ("label", text(&label.text)),
        ("low", number(|numbers| numbers.0)),
        ("high", number(|numbers| numbers.1)),
        ("low_text", written(|values| &values.0)),
        ("high_text", written(|values| &values.1)),
    ])
}

struct Context<'a> {
    sources: &'a Sources,
}

impl Context<'_> {
    fn head(&self, head: &Head) -> Vec<(&'static str, Value)> {
        let source = self.sources.file(head.span);
        let (line, column) = source.position(head.span.start);
        vec![
            ("provider", text(&head.provider.text)),
            ("name", text(&head.name.text)),
            ("file", text(&source.path.to_string_lossy())),
            ("line", Value::Number(line as i128)),
            ("column", Value::Number(column as i128)),
            ("conditions", Value::List(head.conditions.iter().map(|condition| text(condition)).collect())),
            ("comment", text(&head.docs)),
        ]
    }

    fn enumeration(&self, enumeration: &Enumeration) -> Value {
        let mut object = self.head(&enumeration.head);
        object.push(("labels", list(&enumeration.labels, label)));
        Value::Object(object)
    }

    fn class(&self, class: &Class) -> Value {
        let mut object = self.head(&class.head);
        object.push(("args", list(&class.args, arg)));
        object.push(("fields", list(&class.fields, |field| self.field(field))));
        Value::Object(object)
    }

    fn event(&self, event: &Event) -> Value {
        let mut object = self.head(&event.head);
        let level = optional(&event.loglevel, |level| {
            Value::Object(vec![
                ("text", text(&level.text)),
                ("value", optional(&level.value, |value| Value::Number(*value))),
            ])
        });
        object.extend([
            ("class", optional(&event.class, full_name)),
            ("loglevel", level),
            ("model_emf_uri", optional(&event.model_emf_uri, |uri| text(uri))),
            ("args", list(&event.args, arg)),
            ("fields", list(&event.fields, |field| self.field(field))),
        ]);
        Value::Object(object)
    }

    /// Only what a kind of field has.
    fn field(&self, field: &Field) -> Value {
        let mut object = vec![("kind", text(kind(field)))];
        object.extend(field.name.as_ref().map(|name| ("name", text(&name.text))));
        object.extend(field.ty.as_ref().map(|ty| ("type", code(ty))));
        object.push(("value", code(&field.expr)));
        object.extend(field.count.as_ref().map(|count| ("count", code(count))));
        object.extend(field.count_value.map(|count| ("count_value", Value::Number(count))));
        object.extend(field.count_ty.as_ref().map(|ty| ("count_type", code(ty))));
        object.extend(field.enumeration.as_ref().map(|name| ("enumeration", full_name(name))));
        object.extend(field.media.as_ref().map(|media| ("media_type", code(media))));
        let flags = [("hex", field.hex), ("network", field.network), ("text", field.text), ("nowrite", field.nowrite)];
        object.extend(flags.into_iter().filter(|(_, set)| *set).map(|(name, set)| (name, Value::Bool(set))));
        object.push(("line", Value::Number(self.sources.line(field.span) as i128)));
        Value::Object(object)
    }
}

/// Prints a value: on one line if it fits, else each part on its own.
fn print(value: &Value, indent: usize, column: usize, out: &mut String) {
    let mut short = String::new();
    print_short(value, &mut short);
    if column + short.len() <= WIDTH {
        out.push_str(&short);
        return;
    }
    let (open, close) = if matches!(value, Value::Object(_)) { ("{", "}") } else { ("[", "]") };
    let pad = " ".repeat(indent + 2);
    let parts: Vec<(String, &Value)> = match value {
        Value::List(items) => items.iter().map(|item| (String::new(), item)).collect(),
        Value::Object(items) => items.iter().map(|(key, item)| (format!("\"{key}\": "), item)).collect(),
        _ => {
            out.push_str(&short);
            return;
        }
    };
    out.push_str(open);
    for (at, (key, item)) in parts.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&pad);
        out.push_str(key);
        // One column for the comma.
        print(item, indent + 2, indent + 3 + key.len(), out);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push_str(close);
}

fn print_short(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => out.push_str(&value.to_string()),
        Value::Text(value) => quote(value, out),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                print_short(item, out);
            }
            out.push(']');
        }
        Value::Object(items) => {
            out.push('{');
            for (at, (key, item)) in items.iter().enumerate() {
                out.push_str(if at == 0 { " " } else { ", " });
                out.push_str(&format!("\"{key}\": "));
                print_short(item, out);
            }
            out.push_str(" }");
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

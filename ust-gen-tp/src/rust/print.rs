// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the planned module as `rustfmt` would format it.

use crate::rust::Library;
use crate::rust::body::Param;
use crate::rust::labels::{Enum, Variant};
use crate::rust::plan::{Function, Kind, Module};

/// Columns of a line.
const WIDTH: usize = 100;

/// ```text
/// #[ust::provider(name = "shop")]
/// pub mod shop {
///     ..
/// }
/// ```
pub(super) fn module(module: &Module) -> String {
    let Module { file, ident, .. } = module;
    let mut out = format!("// Made by ust-gen-tp from {file}. Change that file, not this one.\n\n");
    let mut items: Vec<String> = module.enums.iter().map(|(docs, made)| enumeration(docs, made)).collect();
    items.extend(module.functions.iter().map(function));
    let of_provider = module.provider.as_ref().map_or(String::new(), |name| format!(" `{name}`"));
    out += &format!("/// The tracepoints of the provider{of_provider}.\n");
    if !module.omissions.is_empty() {
        out += "///\n/// Events that are not here, and why:\n///\n";
        module.omissions.iter().for_each(|omission| out += &format!("/// - {omission}\n"));
    }
    if module.allow_odd_names {
        out += "#[allow(non_snake_case)]\n";
    }
    if let Some(provider) = &module.provider {
        out += &format!("#[ust::provider(name = \"{provider}\")]\n");
    }
    if !module.in_c.is_empty() {
        items.insert(0, linked(&module.libraries));
    }
    if items.is_empty() {
        return out + &format!("pub mod {ident} {{}}\n");
    }
    out + &format!("pub mod {ident} {{\n{}}}\n", items.join("\n"))
}

/// What is linked for the sake of functions of C: what they call, and they themselves.
fn linked(libraries: &[Library]) -> String {
    let mut out = "    // What the functions of C call.\n    use ust_capi as _;\n".to_owned();
    if !libraries.is_empty() {
        out += "\n    #[allow(unsafe_code)]\n";
        for Library { name, is_static } in libraries {
            let kind = if *is_static { ", kind = \"static\"" } else { "" };
            out += &format!("    #[link(name = {name:?}{kind})]\n");
        }
        out += "    unsafe extern \"C\" {}\n";
    }
    out
}

fn docs(lines: &[String], out: &mut String) {
    for line in lines {
        out.push_str("    ///");
        if !line.is_empty() {
            out.push(' ');
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// ```text
/// /// `shop.tp`, line 3.
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
/// #[repr(i32)]
/// pub enum Payment {
///     #[enumeration(label = "credit card")]
///     CreditCard = 2,
/// }
/// ```
fn enumeration(lines: &[String], made: &Enum) -> String {
    let mut out = String::new();
    docs(lines, &mut out);
    out += "    #[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]\n";
    out += &format!("    #[repr({})]\n    pub enum {} {{\n", made.repr, made.ident);
    for Variant { ident, label, value, range } in &made.variants {
        let mut keys = Vec::new();
        if label != ident {
            keys.push(format!("label = {label:?}"));
        }
        keys.extend(range.map(|(low, high)| format!("range = {low}..={high}")));
        let shown = match range {
            Some((low, high)) => format!("{label:?}, {low} to {high}"),
            None => format!("{label:?}"),
        };
        out += &format!("        /// {shown}.\n");
        if !keys.is_empty() {
            out += &format!("        #[enumeration({})]\n", keys.join(", "));
        }
        out += &format!("        {ident} = {value},\n");
    }
    out + "    }\n"
}

/// ```text
/// /// A customer pays.
/// ///
/// /// `shop.tp`, line 12.
/// #[tracepoint(loglevel = Info)]
/// pub fn checkout(order: i32, #[field(hex)] flags: u32);
/// ```
fn function(function: &Function) -> String {
    let Function { docs: lines, kind, ident, params } = function;
    let params: Vec<String> = params.iter().map(param).collect();
    let mut out = String::new();
    docs(lines, &mut out);
    let attribute = match kind {
        Kind::Class => "event_class".to_owned(),
        Kind::Event(keys) if keys.is_empty() => "tracepoint".to_owned(),
        Kind::Event(keys) => format!("tracepoint({})", keys.join(", ")),
        Kind::InC { provider, name } => {
            let declared = out + &signature(&format!("pub unsafe fn {ident}"), &params);
            let inner: String = declared.lines().map(|line| format!("    {line}\n")).collect();
            let named = format!("        provider = \"{provider}\", name = \"{name}\";\n");
            return format!("    ust::extern_tracepoint! {{\n{named}{inner}    }}\n");
        }
    };
    out + &format!("    #[{attribute}]\n") + &signature(&format!("pub fn {ident}"), &params)
}

/// A function without a body: on one line, else each parameter on one.
fn signature(head: &str, params: &[String]) -> String {
    let line = format!("    {head}({});\n", params.join(", "));
    if line.trim_end().chars().count() <= WIDTH {
        return line;
    }
    let lines: String = params.iter().map(|param| format!("        {param},\n")).collect();
    format!("    {head}(\n{lines}    );\n")
}

fn param(Param { keys, ident, ty }: &Param) -> String {
    match keys.is_empty() {
        true => format!("{ident}: {ty}"),
        false => format!("#[field({})] {ident}: {ty}", keys.join(", ")),
    }
}

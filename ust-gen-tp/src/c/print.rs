// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the header and the source file.

use crate::c::Dialect;
use crate::c::body::{Body, Entry, Param, Value, Way};
use crate::c::plan::{
    Call, Callsite, Declaration, Header, Labels, Origin, Part, Probe, Recorder, Shim, Tracepoint, When, quoted,
};
use crate::c::value::declaration;

/// Columns of a line.
const WIDTH: usize = 100;

/// Columns of a tab.
const TAB: usize = 8;

fn banner(origin: &Origin) -> String {
    match origin.provider.as_str() {
        "" => format!("/* Made by ust-gen-tp from {}. Change that file, not this one. */\n", origin.file),
        provider => format!(
            "/*\n * The tracepoints of the provider `{provider}`.\n *\n * Made by ust-gen-tp from {}. Change that file, not this one.\n */\n",
            origin.file
        ),
    }
}

/// Returns the header.
pub(super) fn header(header: &Header) -> String {
    let Header { guard, .. } = header;
    let mut out = banner(&header.origin);
    // It looks each time at what the file asks for.
    out += &format!("#include <ust/tracepoint.h>\n\n#ifndef {guard}\n#define {guard}\n\n");
    out += &everybody(header);
    out += &format!("\n#endif /* {guard} */\n");
    if !header.probes.is_empty() {
        out += &format!("\n#if defined(UST_CREATE_PROBES) && !defined({guard}_PROBES)\n#define {guard}_PROBES\n\n");
        out += &probes(header);
        if !header.origin.provider.is_empty() {
            out += &format!("UST_PROVIDE({})\n\n", header.origin.provider);
        }
        out += &format!("#endif /* {guard}_PROBES */\n");
    }
    if !header.callsites.is_empty() {
        out += &callsites(header);
    }
    tidy(&out)
}

/// The recording functions.
fn probes(header: &Header) -> String {
    let mut out = "#include <ust/probe.h>\n\n".to_owned();
    out += &conditional(&header.probes, |probe| probe_text(probe, header));
    out
}

/// Returns the source file that records events for Rust.
pub(super) fn shim(shim: &Shim) -> String {
    let Shim { header, calls } = shim;
    let mut out = banner(&header.origin);
    out += "#define TRACEPOINT_CREATE_PROBES\n#include <ust/tracepoint.h>\n";
    out += &format!("{}\n{}", everybody(header), probes(header));
    if !calls.is_empty() {
        out += "/*\n * What Rust calls while somebody records the event. Where only a compiler knows the size of an\n * argument, it comes as its address.\n */\n";
        out += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
        out += &calls.iter().map(|(place, call)| checked(place, call)).collect::<String>();
        out += "#ifdef __cplusplus\n}\n#endif\n";
    }
    tidy(&out)
}

/// What Rust calls; an error where this build has another event of that name, or none.
fn checked(place: &str, call: &When<Call>) -> String {
    let text = call_text(&call.what);
    let Some(condition) = &call.condition else { return text };
    let Call { provider, name, .. } = &call.what;
    let otherwise = format!(
        "{place}: the Rust of {provider}:{name} is for another build; say what this one defines with -D (Builder::define)"
    );
    format!("{}\n{text}#else\n#error {otherwise}\n#endif\n\n", directive(condition))
}

fn call_text(event: &Call) -> String {
    let Call { provider, name, recorder, params, values, enums } = event;
    let ident = format!("{provider}___{name}");
    let mut declared: Vec<String> = params.iter().map(|param| declaration(&param.ty, &param.ident)).collect();
    if declared.is_empty() {
        declared.push("void".to_owned());
    }
    let head = format!("void ust_call_{ident}(");
    let mut given = vec![format!("&ust_tracepoint_{ident}")];
    given.extend(values.iter().cloned());
    let prototype = call(&format!("extern {head}"), &declared, ") UST_HIDDEN;\n");
    let begin = call(&head, &declared, ")\n{\n");
    let record = call(&format!("\tust_record_{recorder}("), &given, ");\n}\n\n");
    let fits = |(at, ty): (usize, &String)| {
        let name = format!("ust_enum_is_too_large_{ident}_{at}");
        format!("typedef char {name}[sizeof({ty}) <= sizeof(int) ? 1 : -1] __attribute__((unused));\n")
    };
    let checks: String = enums.iter().enumerate().map(fits).collect();
    format!("{checks}{prototype}{begin}{record}")
}

/// What everybody sees.
fn everybody(header: &Header) -> String {
    let mut out = String::new();
    let mut middle = String::new();
    for part in &header.parts {
        match part {
            Part::Text(text) => middle.push_str(text),
            Part::Conditional(line) => middle.push_str(line),
            Part::Mark(mark) => {
                on_new_line(&mut middle);
                middle.push_str(&format!("#define {mark}\n"));
            }
            Part::Declaration(declaration) => {
                on_new_line(&mut middle);
                middle.push('\n');
                middle.push_str(&declared(declaration));
            }
        }
    }
    if !header.foreign.is_empty() {
        out += if header.includes_tracer { "#include <lttng/tracepoint.h>\n\n" } else { "" };
        out += "/* What included files define with these is below. */\n";
    }
    for word in &header.foreign {
        out += &format!("#pragma push_macro(\"{word}\")\n#undef {word}\n#define {word}(...)\n");
    }
    out.push('\n');
    out += middle.trim_start_matches('\n');
    on_new_line(&mut out);
    out.push('\n');
    for word in &header.foreign {
        out += &format!("#pragma pop_macro(\"{word}\")\n");
    }
    out
}

fn callsites(header: &Header) -> String {
    let Header { guard, origin, .. } = header;
    let mut out = format!("\n#if defined(UST_DEFINE) && !defined({guard}_CALLSITES)\n#define {guard}_CALLSITES\n\n");
    out += &format!(
        "#ifdef {guard}_PROBES\n#define {guard}_TRACEPOINT(name) &ust_tracepoint_{}___##name\n",
        origin.provider
    );
    out += &format!("#else\n#define {guard}_TRACEPOINT(name) &ust_off_v1\n");
    out += &format!("#ifndef UST_DYNAMIC_LINKAGE\nUST_NEED({})\n#endif\n#endif\n\n", origin.provider);
    out += &conditional(&header.callsites, |callsite: &Callsite| {
        let Callsite { provider, name, signature } = callsite;
        let tracepoint = format!("{guard}_TRACEPOINT({name})");
        let signature = strings(signature, column("UST_DEFINE_CALLSITE("));
        call("UST_DEFINE_CALLSITE(", &[provider.clone(), name.clone(), tracepoint, signature], ")") + "\n"
    });
    out += &format!("\n#endif /* {guard}_CALLSITES */\n");
    out
}

/// Returns the source file.
pub(super) fn source(origin: &Origin, header: &str) -> String {
    let mut out = banner(origin);
    out += "\n#define TRACEPOINT_CREATE_PROBES\n\n";
    out += "/*\n * Without TRACEPOINT_PROBE_DYNAMIC_LINKAGE this object also defines the call sites of what it is linked into. With it, the\n";
    out += " * provider is loaded later: the program defines its own. The provider itself is linked with libust in both cases.\n */\n";
    out += "#if !defined(TRACEPOINT_PROBE_DYNAMIC_LINKAGE) && !defined(LTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE)\n";
    out += "#define TRACEPOINT_DEFINE\n#endif\n";
    out += "#undef TRACEPOINT_PROBE_DYNAMIC_LINKAGE\n#undef LTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE\n\n";
    out += &format!("#include \"{header}\"\n");
    out
}

/// Items that share a condition stand under one `#if`.
fn conditional<T>(items: &[When<T>], print: impl Fn(&T) -> String) -> String {
    let mut out = String::new();
    let mut current: Option<&String> = None;
    for item in items {
        if item.condition.as_ref() != current {
            if current.is_some() {
                out += "#endif\n\n";
            }
            if let Some(condition) = &item.condition {
                out += &format!("{}\n", directive(condition));
            }
            current = item.condition.as_ref();
        }
        out += &print(&item.what);
    }
    if current.is_some() {
        out += "#endif\n\n";
    }
    out
}

fn directive(condition: &str) -> String {
    let name = |text: &str| {
        let inner = text.strip_prefix("defined(")?.strip_suffix(')')?;
        inner.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| inner.to_owned())
    };
    match (name(condition), condition.strip_prefix('!').and_then(name)) {
        (Some(name), _) => format!("#ifdef {name}"),
        (_, Some(name)) => format!("#ifndef {name}"),
        _ => format!("#if {condition}"),
    }
}

fn on_new_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Takes blanks from line ends, and leaves no more than one empty line, none at the begin and the end.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn comment(lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        [line] => format!("/* {} */\n", harmless(line)),
        lines => {
            let line = |line: &String| format!(" * {}", harmless(line)).trim_end().to_owned() + "\n";
            let lines: String = lines.iter().map(line).collect();
            format!("/*\n{lines} */\n")
        }
    }
}

/// A line that neither begins nor ends a comment.
pub(super) fn harmless(line: &str) -> String {
    line.replace("/*", "/ *").replace("*/", "* /")
}

/// The column behind a text that begins a line.
fn column(text: &str) -> usize {
    let line = text.rsplit('\n').next().unwrap_or(text);
    line.chars().fold(0, |at, c| if c == '\t' { (at / TAB + 1) * TAB } else { at + 1 })
}

/// Blanks up to a column.
fn indent(column: usize) -> String {
    "\t".repeat(column / TAB) + &" ".repeat(column % TAB)
}

/// Prints a list between a head and a tail: on as many lines as it needs, each beginning below the first item.
fn call(head: &str, items: &[String], tail: &str) -> String {
    separated(head, items, ", ", tail)
}

fn separated(head: &str, items: &[String], between: &str, tail: &str) -> String {
    let start = column(head);
    let indent = indent(start);
    let mut out = head.to_owned();
    let mut at = start;
    for (index, item) in items.iter().enumerate() {
        let is_last = index + 1 == items.len();
        let end = if is_last { tail.len() } else { between.trim_end().len() };
        let width = item.lines().next().unwrap_or_default().chars().count();
        if index > 0 && at + width + end > WIDTH {
            out.truncate(out.trim_end().len());
            out += &format!("\n{indent}");
            at = start;
        }
        out += item;
        out += if is_last { tail } else { between };
        at = if item.contains('\n') { column(&out) } else { at + width + between.len() };
    }
    if items.is_empty() {
        out += tail;
    }
    out
}

fn declared(event: &Declaration) -> String {
    let Declaration { provider, name, params, .. } = event;
    let mut all: Vec<String> = params.iter().map(|param| declaration(&param.ty, &param.ident)).collect();
    all.push("int ust_end".to_owned());
    let args: Vec<String> = std::iter::once("tracepoint".to_owned()).chain(idents(params)).collect();
    let types: Vec<String> = std::iter::once("struct ust_tracepoint *".to_owned())
        .chain(params.iter().map(|param| param.ty.clone()))
        .collect();
    let call = lists(&format!("UST_DECLARE_CALLSITE({provider}, {name}"), &[all, args, types]);
    format!("{}{call}\n", comment(&event.docs))
}

/// Prints a call whose last arguments are lists: on one line, else each list on lines of its own.
fn lists(head: &str, lists: &[Vec<String>]) -> String {
    let short: String = lists.iter().map(|list| format!(", ({})", list.join(", "))).collect();
    if head.len() + short.len() < WIDTH {
        return format!("{head}{short})");
    }
    let indent = indent(head.find('(').map_or(0, |open| open + 1));
    let last = lists.len() - 1;
    let tail = |at: usize| if at == last { "))" } else { ")," };
    let parts = lists.iter().enumerate().map(|(at, list)| call(&format!("{indent}("), list, tail(at)));
    format!("{head},\n{}", parts.collect::<Vec<_>>().join("\n"))
}

fn idents(params: &[Param]) -> impl Iterator<Item = String> {
    params.iter().map(|param| param.ident.clone())
}

fn probe_text(probe: &Probe, header: &Header) -> String {
    match probe {
        Probe::Labels(labels) => labels_text(labels),
        Probe::Body(recorder) => recorder_text(recorder, header),
        Probe::Event(tracepoint) => tracepoint_text(tracepoint),
        Probe::Property(word, given) => call(&format!("{word}("), given, ")") + "\n\n",
    }
}

fn labels_text(labels: &Labels) -> String {
    let Labels { ident, name, .. } = labels;
    let mut out = comment(&labels.docs);
    out += &format!("static const struct ust_label ust_labels_{ident}[] = {{\n");
    for (word, given) in &labels.labels {
        out += &format!("{}\n", call(&format!("\t{word}("), given, "),"));
    }
    out += "\tUST_LABELS_END\n};\n";
    out += &format!("static const struct ust_enumeration ust_enumeration_{ident} = {{\n");
    out += &format!("\t\"{name}\", ust_labels_{ident}, UST_COUNT(ust_labels_{ident})\n}};\n\n");
    out
}

fn entry_text(entry: &Entry) -> String {
    let docs: String = entry.docs.iter().map(|line| format!("\t/* {} */\n", harmless(line))).collect();
    let (word, given) = &entry.call;
    format!("{docs}{}\n", call(&format!("\t{word}("), given, "),"))
}

fn recorder_text(recorder: &Recorder, header: &Header) -> String {
    let Recorder { provider, name, body, .. } = recorder;
    let ident = format!("{provider}___{name}");
    let mut out = comment(&recorder.docs);
    out += &format!("static const struct ust_field ust_fields_{ident}[] = {{\n");
    out.extend(body.entries.iter().map(entry_text));
    out += "\tUST_FIELDS_END\n};\n\n";
    if !recorder.is_shared {
        out += &format!("UST_DECLARE_TRACEPOINT({provider}, {name})\n");
    }
    let function = |head: &str, given: Vec<String>| {
        let mut params = vec![format!("struct ust_tracepoint *{}", body.locals.tracepoint)];
        params.extend(given);
        call(&format!("{head}_{ident}("), &params, ")\n{\n")
    };
    let unused = if recorder.is_shared { None } else { Some(&body.locals.tracepoint) };
    let unused: String = unused.into_iter().chain(&body.unused).map(|name| format!("\t(void){name};\n")).collect();
    let own = format!("&ust_tracepoint_{ident}");
    let tracepoint = if recorder.is_shared { &body.locals.tracepoint } else { &own };
    let params: Vec<String> = body.params.iter().map(|param| declaration(&param.ty, &param.ident)).collect();
    let locals = body.values.iter().map(|value| declaration(&value.ty, &value.local));
    let record = match header.is_shim {
        true => "ust_inline void ust_record",
        false => "ust_unhooked __attribute__((unused)) static void\nust_record",
    };
    match header.dialect {
        Dialect::C => {
            out += &function(record, params);
            out.extend(locals.zip(&body.values).map(|(local, value)| {
                let short = format!("\t{local} = {};\n", value.init);
                let fits = column(short.trim_end()) <= WIDTH;
                if fits { short } else { format!("\t{local} =\n\t\t{};\n", value.init) }
            }));
            out += &format!("{}{unused}{}}}\n\n", begun(body, tracepoint), stored(body, tracepoint));
        }
        Dialect::Cpp => {
            let given = &body.locals.tracepoint;
            out += &function("ust_inline void ust_write", locals.collect());
            out += &format!("{}{}}}\n\n", begun(body, given), stored(body, given));
            let mut given = vec![tracepoint.clone()];
            given.extend(body.values.iter().map(|value| value.init.clone()));
            let call = call(&format!("\tust_write_{ident}("), &given, ");\n");
            out += &format!("{}{unused}{call}}}\n\n", function(record, params));
        }
    }
    out
}

/// A sum of bytes.
fn bytes(values: &[&Value]) -> Vec<String> {
    let mut parts = Vec::new();
    for value in values {
        let local = &value.local;
        match &value.way {
            Way::Number => parts.push(format!("sizeof({local})")),
            Way::Text | Way::Characters => parts.push(format!("{local}.bytes")),
            Way::Elements { ty, count } => parts.push(elements_bytes(ty, count)),
            Way::Sequence | Way::CountedCharacters => {
                parts.extend(["UST_COUNT_BYTES".to_owned(), format!("{local}.bytes")]);
            }
        }
    }
    if parts.is_empty() { vec!["0".to_owned()] } else { parts }
}

fn elements_bytes(ty: &str, count: &str) -> String {
    format!("{count} * sizeof({ty})")
}

/// Makes room for the event.
fn begun(body: &Body, tracepoint: &str) -> String {
    let seen: Vec<&Value> = body.values.iter().filter(|value| !value.is_hidden).collect();
    let locals = &body.locals;
    let mut out = format!("\tstruct ust_record {};\n", locals.record);
    out += &separated(&format!("\tconst uint64_t {} = ", locals.bytes), &bytes(&seen), " + ", ";\n");
    let is_fixed = seen.iter().all(|value| matches!(value.way, Way::Number | Way::Elements { .. }));
    let slack = if is_fixed { "0" } else { "UST_SLACK" };
    let given = [&format!("&{}", locals.record), tracepoint, &locals.bytes, slack].map(str::to_owned);
    out + &call(&format!("\tuint8_t *{} = ust_begin_usual(", locals.at), &given, ");\n\n")
}

/// Stores the values.
fn stored(body: &Body, tracepoint: &str) -> String {
    let locals = &body.locals;
    let mut out = format!("\tif (ust_unlikely(!{})) {{\n\t\tuint64_t {}[] = {{\n", locals.at, locals.words);
    out.extend(body.values.iter().map(|value| format!("\t\t\t{},\n", words(value))));
    // In C no list is empty.
    out += if body.values.is_empty() { "\t\t\t0\n" } else { "" };
    out += "\t\t};\n\n";
    let hides = if body.values.iter().any(|value| value.is_hidden) { "1" } else { "0" };
    let given = [tracepoint, &locals.words, &locals.bytes, hides, "__builtin_return_address(0)"].map(str::to_owned);
    out += &format!("{}\n\t\treturn;\n\t}}\n", call("\t\tust_record_values(", &given, ");"));
    let seen = body.values.iter().filter(|value| !value.is_hidden);
    out.extend(seen.map(|value| format!("\t{}\n", put(value, &locals.at))));
    out += &format!("\tust_end_usual(&{});\n", locals.record);
    out
}

/// The words in the list of values, for an event that is not usual.
fn words(value: &Value) -> String {
    let local = &value.local;
    match &value.way {
        Way::Number if value.is_integer => format!("(uint64_t){local}"),
        Way::Number => format!("ust_word(&{local}, sizeof({local}))"),
        Way::Elements { .. } => format!("(uintptr_t){local}"),
        Way::Characters => format!("(uintptr_t){local}.elements"),
        Way::Text if value.is_hidden => format!("(uintptr_t){local}, 0"),
        Way::Text => format!("(uintptr_t){local}.text, {local}.bytes"),
        Way::Sequence | Way::CountedCharacters => format!("(uintptr_t){local}.elements, {local}.count"),
    }
}

fn put(value: &Value, at: &str) -> String {
    let local = &value.local;
    match &value.way {
        Way::Number => format!("{at} = ust_put({at}, &{local}, sizeof({local}));"),
        Way::Text => format!("{at} = ust_put_text({at}, &{local});"),
        Way::Elements { ty, count } => format!("{at} = ust_put({at}, {local}, {});", elements_bytes(ty, count)),
        Way::Characters => format!("{at} = ust_put_characters({at}, &{local});"),
        Way::Sequence => format!("{at} = ust_put_elements({at}, &{local});"),
        Way::CountedCharacters => format!("{at} = ust_put_counted_characters({at}, &{local});"),
    }
}

fn tracepoint_text(event: &Tracepoint) -> String {
    let Tracepoint { provider, name, recorder, .. } = event;
    let given = [
        provider.clone(),
        name.clone(),
        format!("ust_record_{recorder}"),
        format!("ust_fields_{recorder}"),
        strings(&event.signature, column("UST_DEFINE_TRACEPOINT(")),
        quoted(&event.file),
        event.line.to_string(),
    ];
    let docs = comment(&event.docs);
    format!("{docs}{}\n\n", call("UST_DEFINE_TRACEPOINT(", &given, ")"))
}

/// A text as strings of C, as many as it takes to stay within a line; `start` is the column of the first.
fn strings(text: &str, start: usize) -> String {
    let whole = quoted(text);
    if start + whole.len() < WIDTH {
        return whole;
    }
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_inclusive(", ") {
        if !line.is_empty() && start + quoted(&line).len() + word.len() + 1 > WIDTH {
            lines.push(quoted(&std::mem::take(&mut line)));
        }
        line += word;
    }
    lines.push(quoted(&line));
    lines.join(&format!("\n{}", indent(start)))
}

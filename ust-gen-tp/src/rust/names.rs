// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of C as names of Rust.

/// Reserved words of the edition 2024 that may be names with `r#`.
const RESERVED: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Reserved words that can be no names at all.
const NEVER: [&str; 5] = ["self", "Self", "super", "crate", "_"];

/// Returns `name` as an identifier. `self` and the like get a `_`.
pub(super) fn identifier(name: &str) -> String {
    let name = name.replace('$', "_");
    if NEVER.contains(&name.as_str()) {
        format!("{name}_")
    } else if RESERVED.contains(&name.as_str()) {
        format!("r#{name}")
    } else {
        name
    }
}

/// Tells whether a provider, an event or a field can have this name in a trace.
pub(super) fn is_traceable(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Returns an identifier without `r#`: what the tracepoint macro takes as the name.
pub(super) fn plain(identifier: &str) -> &str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// Returns any text as the name of a type or a variant: `credit card` as `CreditCard`.
pub(super) fn camel_case(text: &str) -> String {
    let mut name = String::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let is_loud = !word.contains(|c: char| c.is_ascii_lowercase());
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(&if is_loud { rest.to_ascii_lowercase() } else { rest.to_owned() });
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "Value");
    }
    if name == "Self" { "Self_".to_owned() } else { name }
}

/// Returns `name`, with a number behind it if it is taken, and takes it.
pub(super) fn unique(name: String, taken: &mut Vec<String>) -> String {
    let numbered = (2..).map(|number| format!("{}{number}", name.trim_end_matches('_')));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name);
    taken.push(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_names_of_variants() {
        for (label, expected) in [
            ("credit card", "CreditCard"),
            ("REMOTE_INTERNAL", "RemoteInternal"),
            ("<UNSET>", "Unset"),
            ("5", "Value5"),
            ("", "Value"),
            ("self", "Self_"),
            ("fooBar", "FooBar"),
        ] {
            assert_eq!(camel_case(label), expected, "{label}");
        }
    }

    #[test]
    fn reserved_words_are_escaped() {
        assert_eq!(identifier("type"), "r#type");
        assert_eq!(identifier("self"), "self_");
        assert_eq!(identifier("union"), "union");
        assert_eq!(plain("r#type"), "type");
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What names are allowed, the log levels, and "did you mean".

/// Longest `provider:name`: event names are stored in 256 bytes with their NUL.
pub const FULL_NAME_BYTES_MAX: usize = 255;

/// The log levels, most severe first.
pub const LEVELS: [&str; 15] = [
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

/// Returns what is wrong with the name of a provider or an event, if anything is.
///
/// `:` separates provider and event, `*` is the wildcard of event rules, `,` separates rules, and a
/// leading `-` would look like an option on a command line; so only letters, digits, `_`, `-` and `.`.
pub fn event_name_problem(name: &str, what: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if name.is_empty() {
        return Some(format!("the {what} name is empty: it needs at least one letter"));
    }
    if let Some(bad) = name.chars().find(|&c| !allowed(c)) {
        return Some(format!(
            "the {what} name `{name}` contains {bad:?}: allowed are ASCII letters, digits, `_`, `-` and `.`"
        ));
    }
    if name.starts_with(['-', '.']) {
        return Some(format!("the {what} name `{name}` must begin with a letter, a digit or `_`"));
    }
    None
}

/// Returns what is wrong with the name of a field, if anything is: readers take it as an identifier.
pub fn field_name_problem(name: &str) -> Option<String> {
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    if !good {
        return Some(format!(
            "the field name `{name}` is not an ASCII identifier: use letters, digits and `_`, \
             or set one with `#[field(name = \"..\")]`"
        ));
    }
    if name.len() > FULL_NAME_BYTES_MAX {
        return Some(format!("the field name has {} bytes, more than {FULL_NAME_BYTES_MAX}: shorten it", name.len()));
    }
    None
}

/// Returns the known name that `name` was probably meant to be.
pub fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    let near = known.iter().map(|known| (strsim::levenshtein(&name, &known.to_ascii_lowercase()), *known)).min()?;
    (near.0 <= 1 + name.len() / 3).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelled_level_finds_the_nearest_one() {
        assert_eq!(closest("Inof", &LEVELS), Some("Info"));
        assert_eq!(closest("debug_line", &LEVELS), Some("DebugLine"));
        assert_eq!(closest("zzzzzz", &LEVELS), None);
    }

    #[test]
    fn names_with_rule_characters_are_refused() {
        for bad in ["", "a:b", "a*", "a,b", "-a", ".a", "a b", "größe", "a\0"] {
            assert!(event_name_problem(bad, "event").is_some(), "{bad:?}");
        }
        for good in ["a", "A.b-c_d", "3d", "_x"] {
            assert_eq!(event_name_problem(good, "event"), None, "{good:?}");
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names in the generated C.

use std::collections::BTreeSet;
use std::path::Path;

/// The words of C++ that are none of C: they may be names in a definition file.
const CPP_WORDS: [&str; 60] = [
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "bitand",
    "bitor",
    "bool",
    "catch",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "decltype",
    "delete",
    "dynamic_cast",
    "explicit",
    "export",
    "false",
    "friend",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "reinterpret_cast",
    "requires",
    "static_assert",
    "static_cast",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typeid",
    "typename",
    "using",
    "virtual",
    "wchar_t",
    "xor",
    "xor_eq",
    "typeof",
];

/// Returns a name that C and C++ allow, and that no function of the headers has: with an underscore behind it otherwise.
pub(super) fn argument(name: &str) -> String {
    if CPP_WORDS.contains(&name) || name.starts_with("ust_") { format!("{name}_") } else { name.to_owned() }
}

/// Returns `base`, or it with underscores behind it: a name that is not taken yet. It is from then on.
pub(super) fn unique(base: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = base.to_owned();
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// Returns the local variable for the value of a field.
pub(super) fn local(field: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = field.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    unique(&format!("value_{plain}"), taken)
}

/// Returns the guard of the header `path`. The provider is part of it: headers of one name may be in several directories.
pub(super) fn guard(path: &Path, provider: &str) -> String {
    let upper = |text: &str| {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        text.chars().map(plain).collect::<String>()
    };
    let name = upper(&path.file_name().unwrap_or_default().to_string_lossy());
    let provider = upper(provider);
    match name.starts_with(&provider) {
        true => format!("UST_GEN_{name}"),
        false => format!("UST_GEN_{provider}_{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_an_identifier_and_tells_headers_of_one_name_apart() {
        assert_eq!(guard(Path::new("gen/shop-tp.h"), "shop"), "UST_GEN_SHOP_TP_H");
        assert_eq!(guard(Path::new("/x/2s.h"), "shop"), "UST_GEN_SHOP_2S_H");
        assert_eq!(guard(Path::new("trace.h"), ""), "UST_GEN_TRACE_H");
    }

    #[test]
    fn locals_are_told_apart_and_are_ascii() {
        let mut taken = BTreeSet::new();
        assert_eq!(local("größe", &mut taken), "value_gr__e");
        assert_eq!(local("grüne", &mut taken), "value_gr_ne");
        assert_eq!(local("gräße", &mut taken), "value_gr__e_");
    }
}

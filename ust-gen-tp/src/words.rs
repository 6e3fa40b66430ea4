// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of definition files: both spellings of each, and what was probably meant by others.

/// What stands at the outermost level of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Event,
    Class,
    /// An event of a class of the same provider.
    Instance,
    /// An event of a class, both with their provider.
    FarInstance,
    Enum,
    LogLevel,
    EmfUri,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An integer, or an address.
    Integer,
    /// `float` or `double`.
    Float,
    /// Characters up to a NUL.
    String,
    /// Not a field: keeps the compiler from missing the use of an argument.
    Unused,
    /// Elements, as many in each event.
    Array,
    /// A number of elements, and these.
    Sequence,
    /// An integer whose values have names.
    Enum,
    /// Bytes of a media type, as many in each event.
    FixedBlob,
    /// A number of bytes, and these, of a media type.
    VariableBlob,
}

/// A field macro taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldWord {
    pub(crate) shape: Shape,
    pub(crate) hex: bool,
    pub(crate) network: bool,
    pub(crate) text: bool,
    pub(crate) nowrite: bool,
}

const ITEMS: [(&str, Item); 6] = [
    ("TRACEPOINT_EVENT", Item::Event),
    ("TRACEPOINT_EVENT_CLASS", Item::Class),
    ("TRACEPOINT_EVENT_INSTANCE", Item::Instance),
    ("TRACEPOINT_ENUM", Item::Enum),
    ("TRACEPOINT_LOGLEVEL", Item::LogLevel),
    ("TRACEPOINT_MODEL_EMF_URI", Item::EmfUri),
];

/// What may follow the name of each shape.
const FIELDS: [(&str, Shape, &[&str]); 9] = [
    ("integer", Shape::Integer, &["", "_hex", "_network", "_network_hex", "_nowrite"]),
    ("float", Shape::Float, &["", "_nowrite"]),
    ("string", Shape::String, &["", "_nowrite"]),
    ("unused", Shape::Unused, &["", "_nowrite"]),
    ("enum", Shape::Enum, &["", "_nowrite"]),
    ("array", Shape::Array, ELEMENTS),
    ("sequence", Shape::Sequence, ELEMENTS),
    ("fixed_length_blob", Shape::FixedBlob, &["", "_nowrite"]),
    ("variable_length_blob", Shape::VariableBlob, &["", "_nowrite"]),
];

const ELEMENTS: &[&str] = &[
    "",
    "_hex",
    "_network",
    "_network_hex",
    "_text",
    "_nowrite",
    "_nowrite_hex",
    "_network_nowrite",
    "_network_nowrite_hex",
    "_text_nowrite",
];

/// Log levels without what stands before them, by number.
pub(crate) const LEVELS: [&str; 15] = [
    "EMERG",
    "ALERT",
    "CRIT",
    "ERR",
    "WARNING",
    "NOTICE",
    "INFO",
    "DEBUG_SYSTEM",
    "DEBUG_PROGRAM",
    "DEBUG_PROCESS",
    "DEBUG_MODULE",
    "DEBUG_UNIT",
    "DEBUG_FUNCTION",
    "DEBUG_LINE",
    "DEBUG",
];

/// Words that stand inside of items.
const PARTS: [&str; 6] =
    ["TP_ARGS", "TP_FIELDS", "TP_ENUM_VALUES", "LTTNG_UST_TP_ARGS", "LTTNG_UST_TP_FIELDS", "LTTNG_UST_TP_ENUM_VALUES"];

const LABELS: [&str; 6] = [
    "ctf_enum_value",
    "ctf_enum_range",
    "ctf_enum_auto",
    "lttng_ust_field_enum_value",
    "lttng_ust_field_enum_range",
    "lttng_ust_field_enum_auto",
];

/// Returns which item a macro makes.
pub(crate) fn item(name: &str) -> Option<Item> {
    let short = name.strip_prefix("LTTNG_UST_").unwrap_or(name);
    let (_, item) = ITEMS.iter().find(|(known, _)| *known == short)?;
    match item {
        Item::Instance if short != name => Some(Item::FarInstance),
        item => Some(*item),
    }
}

/// Tells whether a name is `part` in one of its spellings: `is_part("LTTNG_UST_TP_ARGS", "TP_ARGS")`.
pub(crate) fn is_part(name: &str, part: &str) -> bool {
    name.strip_prefix("LTTNG_UST_").unwrap_or(name) == part
}

/// Returns which kind of label a macro makes: `value`, `range` or `auto`.
pub(crate) fn label(name: &str) -> Option<&str> {
    LABELS.contains(&name).then(|| name.rsplit('_').next().unwrap_or(name))
}

/// Returns what a field macro says.
pub(crate) fn field(name: &str) -> Option<FieldWord> {
    let (short, is_long) = match name.strip_prefix("ctf_") {
        Some(short) => (short, false),
        None => (name.strip_prefix("lttng_ust_field_")?, true),
    };
    for (known, shape, suffixes) in FIELDS {
        let Some(suffix) = short.strip_prefix(known).filter(|suffix| suffixes.contains(suffix)) else { continue };
        if matches!(shape, Shape::FixedBlob | Shape::VariableBlob) && !is_long {
            continue;
        }
        let has = |word: &str| suffix.split('_').any(|part| part == word);
        return Some(FieldWord {
            shape,
            hex: has("hex"),
            network: has("network"),
            text: has("text"),
            nowrite: has("nowrite"),
        });
    }
    None
}

/// Tells whether a macro is of the kernel's tracepoints, which look alike.
pub(crate) fn is_kernel_only(name: &str) -> bool {
    let words =
        ["TP_code", "TP_code_pre", "TP_code_post", "TP_locvar", "TP_PROTO", "TP_STRUCT__entry", "TP_fast_assign"];
    words.contains(&name)
        || name.starts_with("ctf_custom_")
        || name.starts_with("LTTNG_TRACEPOINT_")
        || (name.starts_with("ctf_") && (name.contains("_bitfield") || name.starts_with("ctf_user_")))
}

/// Tells whether `name` is one of the words above.
pub(crate) fn is_known(name: &str) -> bool {
    item(name).is_some() || field(name).is_some() || label(name).is_some() || PARTS.contains(&name)
}

/// Returns the number of a log level by name. Both spellings count, and the plain name.
pub(crate) fn level(name: &str) -> Option<usize> {
    let short = name.strip_prefix("LTTNG_UST_TRACEPOINT_LOGLEVEL_").or(name.strip_prefix("TRACE_"))?;
    LEVELS.iter().position(|known| *known == short)
}

/// Returns the log level that was probably meant, as it is written in `name`'s spelling.
pub(crate) fn closest_level(name: &str) -> Option<String> {
    let prefix = if name.starts_with("LTTNG") { "LTTNG_UST_TRACEPOINT_LOGLEVEL_" } else { "TRACE_" };
    let all: Vec<String> = LEVELS.iter().map(|level| format!("{prefix}{level}")).collect();
    closest(name, all.iter().map(String::as_str)).map(str::to_owned)
}

/// Returns the field macro that was probably meant.
pub(crate) fn closest_field(name: &str) -> Option<String> {
    let prefix = if name.starts_with("lttng_") { "lttng_ust_field_" } else { "ctf_" };
    let all: Vec<String> = FIELDS
        .iter()
        .flat_map(|(shape, _, suffixes)| suffixes.iter().map(move |suffix| format!("{prefix}{shape}{suffix}")))
        .collect();
    closest(name, all.iter().map(String::as_str)).map(str::to_owned)
}

/// Returns the item macro that was probably meant.
pub(crate) fn closest_item(name: &str) -> Option<String> {
    let prefix = if name.starts_with("LTTNG_UST_") { "LTTNG_UST_" } else { "" };
    let all: Vec<String> = ITEMS.iter().map(|(item, _)| format!("{prefix}{item}")).collect();
    closest(name, all.iter().map(String::as_str)).map(str::to_owned)
}

/// Returns the macro inside of an item that was probably meant.
pub(crate) fn closest_part(name: &str) -> Option<&'static str> {
    closest(name, PARTS.into_iter())
}

/// Returns the macro of a label that was probably meant.
pub(crate) fn closest_label(name: &str) -> Option<&'static str> {
    closest(name, LABELS.into_iter())
}

/// Tells whether `name` is nearly one of the words.
pub(crate) fn is_misspelt(name: &str) -> bool {
    closest_item(name).is_some()
        || closest_field(name).is_some()
        || closest_part(name).is_some()
        || closest_label(name).is_some()
        || closest_level(name).is_some()
}

/// Returns the known name that `name` was probably meant to be.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (strsim::osa_distance(name, known), known)).min()?;
    // In a short name everything is near.
    let far = (name.len() / 3).min(1 + name.len() / 6);
    (near.0 <= far && near.0 > 0).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_word_mean_the_same() {
        assert_eq!(item("TRACEPOINT_EVENT"), item("LTTNG_UST_TRACEPOINT_EVENT"));
        assert_eq!(field("ctf_array_network_nowrite_hex"), field("lttng_ust_field_array_network_nowrite_hex"));
        assert_eq!(level("TRACE_INFO"), level("LTTNG_UST_TRACEPOINT_LOGLEVEL_INFO"));
        assert_eq!((level("TRACE_DEBUG"), level("TRACE_DEBUG_LINE")), (Some(14), Some(13)));
    }

    #[test]
    fn a_misspelt_word_finds_the_one_that_was_meant() {
        assert_eq!(closest_field("ctf_interger").as_deref(), Some("ctf_integer"));
        assert_eq!(closest_item("TRACEPOINT_EVNET").as_deref(), Some("TRACEPOINT_EVENT"));
        assert_eq!(closest_part("TP_FEILDS"), Some("TP_FIELDS"));
        assert_eq!(closest_field("ceph_ctf_string"), None);
        assert_eq!(closest("x", ["y", "z"].into_iter()), None);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names that are like one that is not there.

/// The names nearest to `name`, at most three, and none that differs far more than the first. What is only the begin of a name
/// is near to it.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let begins = |other: &str| !name.is_empty() && other.starts_with(name);
    let rank = |other: &str| if begins(other) { 1 } else { strsim::levenshtein(name, other) };
    let mut ranked: Vec<(usize, &str)> = names.into_iter().map(|other| (rank(other), other)).collect();
    ranked.sort_unstable();
    ranked.dedup();
    let farthest = ranked.first().map_or(0, |(least, _)| 2 * least + 2);
    ranked.into_iter().take(3).filter(|(rank, _)| *rank <= farthest).map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first_and_far_ones_not_at_all() {
        assert_eq!(nearest("dmeo", ["other", "demo", "demo2"]), ["demo", "demo2", "other"]);
        assert_eq!(nearest("WARN", ["ERR", "WARNING"]), ["WARNING", "ERR"]);
        assert_eq!(nearest("demo", ["completely-different", "demo1"]), ["demo1"]);
    }
}

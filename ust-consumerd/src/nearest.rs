// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names that are like one that is not there.

/// Edits that turn one text into the other; `*` in a pattern stands for itself, which is near enough.
#[must_use]
pub fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, p) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, e) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(p != *e);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

/// The names nearest to `name`, at most three, and none that differs far more than the first. What is only the begin of a name
/// is near to it.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let begins = |other: &str| !name.is_empty() && other.starts_with(name);
    let rank = |other: &str| if begins(other) { 1 } else { distance(name, other) };
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
    fn the_distance_is_the_number_of_edits() {
        assert_eq!(distance("shop:checkout", "shop:check_out"), 1);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn the_nearest_names_come_first_and_far_ones_not_at_all() {
        assert_eq!(nearest("dmeo", ["other", "demo", "demo2"]), ["demo", "demo2", "other"]);
        assert_eq!(nearest("WARN", ["ERR", "WARNING"]), ["WARNING", "ERR"]);
        assert_eq!(nearest("demo", ["completely-different", "demo1"]), ["demo1"]);
    }
}

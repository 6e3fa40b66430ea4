// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event name patterns: `*` matches any run of bytes, `\` takes the next byte literally.

/// Whether `pattern` matches the whole of `name`. Runs in O(len(pattern) * len(name)) at worst, without recursion.
///
/// A trailing lone `\` stands for itself.
#[must_use]
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    matches_by(|i| pattern.get(i).copied(), |i| name.get(i).copied())
}

/// [`matches`] for texts that are read byte by byte; `None` is the end.
pub(crate) fn matches_by(pattern: impl Fn(usize) -> Option<u8>, name: impl Fn(usize) -> Option<u8>) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where to go on after a mismatch: behind the newest star, with one more byte swallowed by it.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(next_of_name) = name(n) {
        let (literal, width) = match (pattern(p), pattern(p + 1)) {
            (Some(b'*'), _) => {
                retry = Some((p + 1, n));
                p += 1;
                continue;
            }
            (Some(b'\\'), Some(next)) => (Some(next), 2),
            (Some(byte), _) => (Some(byte), 1),
            (None, _) => (None, 0),
        };
        if literal == Some(next_of_name) {
            p += width;
            n += 1;
        } else if let Some((star_p, star_n)) = retry {
            p = star_p;
            n = star_n + 1;
            retry = Some((star_p, n));
        } else {
            return false;
        }
    }
    while pattern(p) == Some(b'*') {
        p += 1;
    }
    pattern(p).is_none()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_documented() {
        let cases = [
            ("*", "shop:checkout", true),
            ("shop:*", "shop:checkout", true),
            ("shop:*", "shop2:checkout", false),
            ("*out", "shop:checkout", true),
            ("s*:*k*t", "shop:checkout", true),
            ("s*:*k*t", "shop:checkouts", false),
            ("shop:checkout", "shop:checkout", true),
            ("shop", "shop:checkout", false),
            ("", "", true),
            ("", "a", false),
            ("**", "", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a\\", "a\\", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaa", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} on {name}");
        }
    }
}

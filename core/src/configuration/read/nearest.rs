//! Which known name was probably meant.

use alloc::vec::Vec;

/// Longer names are not compared: nobody mistypes one, and the comparison is quadratic.
const LONGEST: usize = 64;

/// The known name that differs least from `name`, if the difference looks like a slip: other case, a few letters,
/// or a unit left out (`clockSkew` for `clockSkewSeconds`).
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let ranked = known.iter().filter_map(|candidate| {
        let lower = candidate.to_ascii_lowercase();
        let differences = distance(&name, &lower);
        let shortened = name.len() > 3 && (lower.starts_with(&name) || name.starts_with(&lower));
        (shortened || differences <= tolerated(&name)).then_some((differences, *candidate))
    });
    ranked.min().map(|(_, candidate)| candidate)
}

/// One slip in three letters, two at most in short names.
fn tolerated(name: &str) -> usize {
    (name.len() / 3).clamp(1, 4)
}

/// Levenshtein's distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (above, to) in row.iter().skip(1).zip(b.bytes()) {
            let replaced = diagonal.saturating_add(usize::from(from != to));
            left = replaced
                .min(left.saturating_add(1))
                .min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_the_textbook() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("saturday", "sunday", 3),
            ("abc", "", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} → {b}");
            assert_eq!(distance(b, a), expected, "{b} → {a}");
        }
    }

    #[test]
    fn names_the_slip_and_nothing_else() {
        let known = ["clockSkewSeconds", "issuer", "jwks", "jwksUri", "typ"];
        for (name, expected) in [
            ("clockSkew", Some("clockSkewSeconds")),
            ("clockskewseconds", Some("clockSkewSeconds")),
            ("isuer", Some("issuer")),
            ("jwk", Some("jwks")),
            ("jwks_uri", Some("jwksUri")),
            ("type", Some("typ")),
            ("audience", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
        assert_eq!(nearest(&"x".repeat(LONGEST + 1), &known), None);
    }
}

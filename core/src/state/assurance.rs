//! Assurance levels (CAEP 1.0 §3.4), as far as they can be compared.

use alloc::string::{String, ToString as _};

/// The level that an account or session has fallen to, as its name space writes it. Which of two levels is lower not
/// every name space tells, so values are ordered as text.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AssuranceLevel(String);

impl AssuranceLevel {
    /// Longest name of a level, in bytes.
    pub const LONGEST: usize = 128;

    /// The level with this name; `None` if it is longer than [`AssuranceLevel::LONGEST`].
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        (name.len() <= Self::LONGEST).then(|| Self(name.to_string()))
    }

    /// The name; empty for the neutral value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this level is no higher than `other`; `None` if nobody can tell.
    ///
    /// Levels that differ in the number at their end are in the order of the numbers: `nist-aal1` and `nist-aal2`, the
    /// levels `1` to `4` of ISO/IEC 29115. All others can only be equal. Case does not matter.
    #[must_use]
    pub fn is_at_most(&self, other: &Self) -> Option<bool> {
        let ((scale, level), (other_scale, other_level)) = (self.parts(), other.parts());
        if !scale.eq_ignore_ascii_case(other_scale) {
            return None;
        }
        match (level.parse::<u32>(), other_level.parse::<u32>()) {
            (Ok(level), Ok(other)) => Some(level <= other),
            _ => (level == other_level).then_some(true),
        }
    }

    /// The text up to the number at its end, and the number.
    fn parts(&self) -> (&str, &str) {
        let scale = self.0.trim_end_matches(|last: char| last.is_ascii_digit());
        (scale, self.0.get(scale.len()..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_levels_of_one_scale_are_ordered() {
        for (a, b, expected) in [
            ("nist-aal1", "nist-aal2", Some(true)),
            ("nist-aal2", "nist-aal1", Some(false)),
            ("nist-aal2", "NIST-AAL2", Some(true)),
            ("1", "4", Some(true)),
            ("10", "9", Some(false)),
            ("nist-aal1", "nist-ial1", None),
            (
                "urn:mace:incommon:iap:silver",
                "urn:mace:incommon:iap:bronze",
                None,
            ),
            (
                "urn:mace:incommon:iap:silver",
                "urn:mace:incommon:iap:silver",
                Some(true),
            ),
            ("aal99999999999", "aal1", None),
            ("aal99999999999", "aal99999999999", Some(true)),
        ] {
            let level = |name| AssuranceLevel::new(name).unwrap();
            assert_eq!(level(a).is_at_most(&level(b)), expected, "{a} and {b}");
        }
        assert_eq!(AssuranceLevel::new(&"a".repeat(129)), None);
    }
}

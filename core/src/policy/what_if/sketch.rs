//! How many different people there were, in bounded memory.

use alloc::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The smallest hashes of the values seen: exact below `KEPT` values, an estimate of about three per cent beyond
/// (Bar-Yossef et al., "Counting Distinct Elements in a Data Stream", 2002: the k minimum values).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Sketch(BTreeSet<u64>);

/// How many hashes are kept.
const KEPT: usize = 1_024;

/// Hashes are below this: integers that JSON carries exactly.
const RANGE: u64 = 1 << 53;

impl Sketch {
    /// One value.
    pub(super) fn of(value: &str) -> Self {
        let mut sketch = Self::default();
        sketch.insert(value);
        sketch
    }

    /// Adds a value.
    pub(super) fn insert(&mut self, value: &str) {
        let hash = Sha256::digest(value.as_bytes());
        let first = hash
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        self.keep(first >> 11);
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|hash| self.keep(*hash));
    }

    /// How many different values were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        let kept = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        match self.0.last() {
            Some(largest) if !self.is_exact() => {
                // kept - 1 values lie below the largest, evenly spread over the range.
                let below = u128::from(kept.saturating_sub(1)).saturating_mul(u128::from(RANGE));
                let estimate = below.checked_div(u128::from(*largest)).unwrap_or_default();
                u64::try_from(estimate).unwrap_or(u64::MAX).max(kept)
            }
            _ => kept,
        }
    }

    /// Whether the count is exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.0.len() < KEPT
    }

    fn keep(&mut self, hash: u64) {
        if self.0.len() < KEPT || self.0.last().is_some_and(|largest| hash < *largest) {
            self.0.insert(hash);
            if self.0.len() > KEPT {
                self.0.pop_last();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn few_values_are_counted_and_many_estimated() {
        let of = |count: u32| {
            let mut sketch = Sketch::default();
            for number in (0..count).chain(0..count) {
                sketch.insert(&format!("user {number}"));
            }
            sketch
        };
        assert_eq!((of(0).count(), of(1_023).count()), (0, 1_023));
        let many = of(50_000);
        assert!(!many.is_exact());
        assert!((47_000..53_000).contains(&many.count()), "{}", many.count());
        let mut halves = of(25_000);
        halves.merge(&many);
        assert_eq!(halves, many, "what was seen before changes nothing");
    }
}

//! One bit per policy.

use alloc::boxed::Box;
use alloc::vec;

use super::logic::Truth;

/// A set of policies, by position.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Bits(Box<[u64]>);

impl Bits {
    /// The empty set among `len` policies.
    pub(crate) fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)].into_boxed_slice())
    }

    pub(crate) fn insert(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= mask(index);
        }
    }

    pub(crate) fn remove(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word &= !mask(index);
        }
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        self.0
            .get(index / 64)
            .is_some_and(|word| word & mask(index) != 0)
    }

    pub(crate) fn unite(&mut self, other: &Self) {
        self.combine(other, |a, b| a | b);
    }

    pub(crate) fn intersect(&mut self, other: &Self) {
        self.combine(other, |a, b| a & b);
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        self.combine(other, |a, b| a & !b);
    }

    /// The members in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(position, &word)| {
            let mut rest = word;
            core::iter::from_fn(move || {
                let bit = usize::try_from(rest.trailing_zeros()).ok()?;
                if rest == 0 {
                    return None;
                }
                rest &= rest.wrapping_sub(1);
                Some(position.saturating_mul(64).saturating_add(bit))
            })
        })
    }

    fn combine(&mut self, other: &Self, operation: impl Fn(u64, u64) -> u64) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word = operation(*word, *other);
        }
    }
}

fn mask(index: usize) -> u64 {
    1_u64.wrapping_shl(u32::try_from(index % 64).unwrap_or(0))
}

/// The truth of one condition for every policy at once.
///
/// INVARIANT (`yes` within `may`): a policy is in `yes` where the condition is true, in `may` where it is not false.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Verdicts {
    pub(crate) yes: Bits,
    pub(crate) may: Bits,
}

impl Verdicts {
    /// False for all of `len` policies.
    pub(crate) fn new(len: usize) -> Self {
        Self {
            yes: Bits::new(len),
            may: Bits::new(len),
        }
    }

    /// The verdicts that `truth` gives for each of `items`.
    pub(crate) fn of<T>(items: &[T], truth: impl Fn(&T) -> Truth) -> Self {
        let mut verdicts = Self::new(items.len());
        for (index, item) in items.iter().enumerate() {
            verdicts.insert(index, truth(item));
        }
        verdicts
    }

    pub(crate) fn insert(&mut self, index: usize, truth: Truth) {
        match truth {
            Truth::True => {
                self.yes.insert(index);
                self.may.insert(index);
            }
            Truth::Unknown => self.may.insert(index),
            Truth::False => {}
        }
    }

    /// Replaces what is said of one policy.
    pub(crate) fn set(&mut self, index: usize, truth: Truth) {
        self.yes.remove(index);
        self.may.remove(index);
        self.insert(index, truth);
    }

    #[cfg(test)]
    pub(crate) fn get(&self, index: usize) -> Truth {
        if self.yes.contains(index) {
            Truth::True
        } else if self.may.contains(index) {
            Truth::Unknown
        } else {
            Truth::False
        }
    }

    /// `self or other`, in Kleene's logic.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.yes.unite(&other.yes);
        self.may.unite(&other.may);
    }

    /// `self and not other`, in Kleene's logic.
    pub(crate) fn exclude(&mut self, other: &Self) {
        self.yes.subtract(&other.may);
        self.may.subtract(&other.yes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn members_come_back_in_order() {
        let mut bits = Bits::new(130);
        for index in [129, 0, 63, 64, 500] {
            bits.insert(index);
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        assert!(bits.contains(64) && !bits.contains(65) && !bits.contains(500));
    }

    #[test]
    fn whole_sets_follow_kleene() {
        let values = [Truth::False, Truth::Unknown, Truth::True];
        let pairs: Vec<(Truth, Truth)> = values
            .iter()
            .flat_map(|a| values.iter().map(|b| (*a, *b)))
            .collect();
        let left = Verdicts::of(&pairs, |pair| pair.0);
        let right = Verdicts::of(&pairs, |pair| pair.1);
        let (mut or, mut and_not) = (left.clone(), left);
        or.unite(&right);
        and_not.exclude(&right);
        for (index, (a, b)) in pairs.iter().enumerate() {
            assert_eq!(or.get(index), *a | *b);
            assert_eq!(and_not.get(index), *a & !*b);
        }
    }
}

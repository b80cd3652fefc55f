//! Disjoint intervals of addresses, each with the interned set of locations that hold it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::policy::address::AddressRange;

/// Address → set of locations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    v4: Intervals<u32>,
    /// For each of the 65,536 values of the upper half of an IPv4 address, how many intervals start before it;
    /// one more at the end. Empty for tables so small that a plain search is as fast.
    v4_first: Box<[u32]>,
    v6: Intervals<u128>,
    /// The sets, each sorted; the first is empty.
    sets: Vec<Box<[usize]>>,
}

/// Where intervals start, ascending, and the set that holds from there to the next start.
///
/// INVARIANT (first start is zero): every address lies in an interval, unless there is none at all.
#[derive(Clone, Debug, Default)]
struct Intervals<A> {
    starts: Box<[A]>,
    sets: Box<[u32]>,
}

/// Below this many intervals a binary search touches two cache lines, and the first-level index pays nothing.
const INDEXED_FROM: usize = 32;

impl Table {
    pub(crate) fn new(ranges: impl Iterator<Item = (usize, AddressRange)>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (location, range) in ranges {
            match range {
                AddressRange::V4(lower, upper) => {
                    v4.push((location, u32::from(lower), u32::from(upper).checked_add(1)));
                }
                AddressRange::V6(lower, upper) => {
                    v6.push((
                        location,
                        u128::from(lower),
                        u128::from(upper).checked_add(1),
                    ));
                }
            }
        }
        let mut sets = Interner::default();
        let v4 = Intervals::new(&v4, &mut sets);
        let v6 = Intervals::new(&v6, &mut sets);
        Self {
            v4_first: v4.first_level(),
            v4,
            v6,
            sets: sets.sets,
        }
    }

    /// The number of the set of locations that hold an address.
    pub(crate) fn find(&self, address: IpAddr) -> usize {
        let set = match address {
            IpAddr::V4(address) => self.find_v4(u32::from(address)),
            IpAddr::V6(address) => self.v6.find(u128::from(address), 0, self.v6.starts.len()),
        };
        usize::try_from(set).unwrap_or(0)
    }

    /// The locations of a set, sorted.
    pub(crate) fn set(&self, number: usize) -> &[usize] {
        self.sets.get(number).map_or(&[], |set| set)
    }

    /// How many sets there are.
    #[cfg(test)]
    pub(crate) fn sets(&self) -> usize {
        self.sets.len()
    }

    fn find_v4(&self, address: u32) -> u32 {
        let upper = usize::try_from(address >> 16).unwrap_or(0);
        let bound = |at: usize| self.v4_first.get(at).and_then(|n| usize::try_from(*n).ok());
        match (bound(upper), bound(upper.saturating_add(1))) {
            (Some(from), Some(to)) => self.v4.find(address, from, to),
            _ => self.v4.find(address, 0, self.v4.starts.len()),
        }
    }
}

impl<A: Copy + Default + Ord> Intervals<A> {
    /// Sweeps over the bounds of `ranges` (location, first address, address after the last unless that is the end).
    fn new(ranges: &[(usize, A, Option<A>)], sets: &mut Interner) -> Self {
        if ranges.is_empty() {
            return Self::default();
        }
        let mut bounds = Vec::from([(A::default(), None)]);
        for (location, from, to) in ranges {
            bounds.push((*from, Some((*location, true))));
            bounds.extend(to.map(|to| (to, Some((*location, false)))));
        }
        bounds.sort_unstable_by_key(|bound| bound.0);

        let mut open: BTreeMap<usize, usize> = BTreeMap::new();
        // One buffer for all bounds: of a million ranges few make a set that was not there before.
        let mut holding: Vec<usize> = Vec::new();
        let (mut starts, mut numbers) = (Vec::new(), Vec::new());
        for same in bounds.chunk_by(|a, b| a.0 == b.0) {
            for (location, opens) in same.iter().filter_map(|bound| bound.1) {
                let count = open.entry(location).or_default();
                // INVARIANT (never below zero): a range closes at a later address than it opened at.
                *count = if opens {
                    count.saturating_add(1)
                } else {
                    count.saturating_sub(1)
                };
            }
            open.retain(|_, count| *count > 0);
            holding.clear();
            holding.extend(open.keys());
            let set = sets.intern(&holding);
            if numbers.last() != Some(&set) {
                starts.extend(same.first().map(|bound| bound.0));
                numbers.push(set);
            }
        }
        Self {
            starts: starts.into_boxed_slice(),
            sets: numbers.into_boxed_slice(),
        }
    }

    /// The set at `address`, whose interval is among the starts `from..to` or is the one before them.
    fn find(&self, address: A, from: usize, to: usize) -> u32 {
        let within = self.starts.get(from..to).unwrap_or_default();
        let after = from.saturating_add(within.partition_point(|start| *start <= address));
        after
            .checked_sub(1)
            .and_then(|index| self.sets.get(index))
            .copied()
            .unwrap_or(0)
    }
}

impl Intervals<u32> {
    fn first_level(&self) -> Box<[u32]> {
        if self.starts.len() < INDEXED_FROM {
            return Box::default();
        }
        (0..=1_u32 << 16)
            .map(|upper| {
                let before = match upper.checked_mul(1 << 16) {
                    Some(address) => self.starts.partition_point(|start| *start < address),
                    None => self.starts.len(),
                };
                u32::try_from(before).unwrap_or(u32::MAX)
            })
            .collect()
    }
}

/// Gives equal sets one number.
struct Interner {
    numbers: HashMap<Box<[usize]>, u32, FixedState>,
    sets: Vec<Box<[usize]>>,
}

impl Default for Interner {
    fn default() -> Self {
        let mut interner = Self {
            numbers: HashMap::default(),
            sets: Vec::new(),
        };
        interner.intern(&[]);
        interner
    }
}

impl Interner {
    fn intern(&mut self, set: &[usize]) -> u32 {
        if let Some(number) = self.numbers.get(set) {
            return *number;
        }
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.sets.push(set.into());
        self.numbers.insert(set.into(), number);
        number
    }
}

//! The join of two records: commutative, associative, idempotent, with the empty record as neutral element.
//!
//! SPEC: `enforcement.md` §4: per entry the later event time stays, then the later `iat` of the SET, then the
//! stricter value. No field looks at another, and nothing lapses here: both would make the result depend on the
//! order in which events arrive.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::record::{LocationChallenge, Record};

impl Record {
    /// Takes over everything that `other` knows and this record does not, or knows better.
    pub fn merge(&mut self, other: &Self) {
        // An entry orders by event time, `iat`, value; absence is smaller than every entry.
        self.cut_off = self.cut_off.max(other.cut_off);
        self.mfa_enabled = self.mfa_enabled.max(other.mfa_enabled);
        merge_map(&mut self.status, &other.status);
        merge_map(&mut self.risk, &other.risk);
        merge_map(&mut self.compliance, &other.compliance);
        merge_map(&mut self.scoped, &other.scoped);
        merge_challenges(&mut self.location_challenges, &other.location_challenges);
    }

    /// The merge of two records.
    #[must_use]
    pub fn merged(mut a: Self, b: &Self) -> Self {
        a.merge(b);
        a
    }
}

/// Per name the larger entry.
fn merge_map<N: Clone + Ord, E: Copy + Ord>(map: &mut Vec<(N, E)>, other: &[(N, E)]) {
    for (name, entry) in other {
        match map.binary_search_by(|(known, _)| known.cmp(name)) {
            Ok(at) => {
                if let Some((_, known)) = map.get_mut(at) {
                    *known = (*known).max(*entry);
                }
            }
            Err(at) => map.insert(at, (name.clone(), *entry)),
        }
    }
}

/// Per place the later time, of those the latest [`LocationChallenge::MOST`].
///
/// Cutting after each merge is associative: what is cut has [`LocationChallenge::MOST`] larger entries at other
/// places, and those only ever grow.
fn merge_challenges(challenges: &mut Vec<LocationChallenge>, other: &[LocationChallenge]) {
    for challenge in other {
        match challenges.binary_search_by(|known| known.place.cmp(&challenge.place)) {
            Ok(at) => {
                if let Some(known) = challenges.get_mut(at) {
                    known.given = known.given.max(challenge.given);
                }
            }
            Err(at) => challenges.insert(at, *challenge),
        }
    }
    if challenges.len() > LocationChallenge::MOST {
        challenges.sort_unstable_by(latest_first);
        challenges.truncate(LocationChallenge::MOST);
        challenges.sort_unstable();
    }
}

/// A total order, so that it never depends on the order of arrival which of two entries of one second stays.
fn latest_first(a: &LocationChallenge, b: &LocationChallenge) -> Ordering {
    (b.given, b.place).cmp(&(a.given, a.place))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::record::{AccountStatus, Cause, Entry, TransmitterId};
    use super::super::samples::{any_record, entry};
    use super::*;
    use crate::time::UnixTime;

    proptest! {
        #[test]
        fn merge_is_commutative(a in any_record(), b in any_record()) {
            prop_assert_eq!(Record::merged(a.clone(), &b), Record::merged(b, &a));
        }

        #[test]
        fn merge_is_associative(a in any_record(), b in any_record(), c in any_record()) {
            let left = Record::merged(Record::merged(a.clone(), &b), &c);
            let right = Record::merged(a, &Record::merged(b, &c));
            prop_assert_eq!(left, right);
        }

        #[test]
        fn merge_is_idempotent_and_the_empty_record_is_neutral(a in any_record()) {
            prop_assert_eq!(&Record::merged(a.clone(), &a), &a);
            prop_assert_eq!(&Record::merged(a.clone(), &Record::default()), &a);
            prop_assert_eq!(&Record::merged(Record::default(), &a), &a);
        }
    }

    #[test]
    fn later_event_then_later_set_then_stricter_value() {
        let table = [
            (
                entry(10, 11, Cause::AccountPurged),
                entry(12, 12, Cause::SessionRevoked),
            ),
            (
                entry(10, 11, Cause::AccountPurged),
                entry(10, 12, Cause::SessionRevoked),
            ),
            (
                entry(10, 11, Cause::SessionRevoked),
                entry(10, 11, Cause::AccountPurged),
            ),
        ];
        for (loses, wins) in table {
            let with = |entry: Entry<Cause>| Record {
                cut_off: Some(entry),
                ..Record::default()
            };
            assert_eq!(Record::merged(with(loses), &with(wins)), with(wins));
        }
    }

    #[test]
    fn transmitters_do_not_overwrite_each_other() {
        let of = |transmitter: u8, at, status| Record {
            status: alloc::vec![(TransmitterId([transmitter; 8]), entry(at, at, status))],
            ..Record::default()
        };
        let disabled = of(1, 10, AccountStatus::Disabled);
        let enabled = of(2, 20, AccountStatus::Enabled);
        assert_eq!(Record::merged(enabled, &disabled).status.len(), 2);
        let lifted = of(1, 20, AccountStatus::Enabled);
        assert_eq!(Record::merged(disabled, &lifted), lifted);
    }

    #[test]
    fn sixteen_latest_challenges_stay() {
        let mut record = Record::default();
        for n in 0..40_u8 {
            let challenge = LocationChallenge {
                place: [n; 8],
                given: UnixTime::from_secs(u64::from(n)),
            };
            record.merge(&Record {
                location_challenges: alloc::vec![challenge],
                ..Record::default()
            });
        }
        let places: Vec<u8> = (record.location_challenges.iter().map(|c| c.place[0])).collect();
        assert_eq!(places, (24..40).collect::<Vec<u8>>());
    }
}

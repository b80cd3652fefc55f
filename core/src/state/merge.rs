//! The join of two records: commutative, associative, idempotent, with the empty record as neutral element.
//!
//! SPEC: `enforcement.md` §4: per entry the later event time stays, then the later `iat` of the SET, then the
//! stricter value. No field looks at another (but see [`Record::MOST_SCOPES`]), and nothing lapses here: both would
//! make the result depend on the order in which events arrive.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::record::{Cause, Entry, LocationChallenge, Record};

impl Record {
    /// Takes over everything that `other` knows and this record does not, or knows better.
    pub fn merge(&mut self, other: &Self) {
        // An entry orders by event time, `iat`, value; absence is smaller than every entry.
        self.cut_off = self.cut_off.max(other.cut_off);
        self.mfa_enabled = self.mfa_enabled.max(other.mfa_enabled);
        merge_map(&mut self.status, &other.status);
        merge_map(&mut self.risk, &other.risk);
        merge_map(&mut self.compliance, &other.compliance);
        merge_map(&mut self.assurance, &other.assurance);
        merge_map(&mut self.opt_out, &other.opt_out);
        merge_map(&mut self.scoped, &other.scoped);
        merge_map(&mut self.claims, &other.claims);
        merge_challenges(&mut self.location_challenges, &other.location_challenges);
        self.make_room();
    }

    /// Keeps the latest scoped cut-offs and claims. What goes becomes a cut-off for every token, so that a record is
    /// bounded and yet nothing that was refused passes.
    ///
    /// This is the one place where a field grows by another, and still a join: the cut-off becomes the largest of the
    /// entries that are not among the latest of *all* that were ever merged. One that went earlier is never larger,
    /// because as many others had to be larger still, and should its name come back among the latest, one of those
    /// goes instead.
    fn make_room(&mut self) {
        let scoped = make_room(&mut self.scoped, Self::MOST_SCOPES, |cause| {
            // Larger than a clearing, and else in the order of the causes.
            (*cause).max(Cause::SessionRevoked)
        });
        let claims = make_room(&mut self.claims, Self::MOST_CLAIMS, |_| Cause::ClaimsChange);
        self.cut_off = self.cut_off.max(scoped).max(claims);
    }

    /// The merge of two records.
    #[must_use]
    pub fn merged(mut a: Self, b: &Self) -> Self {
        a.merge(b);
        a
    }
}

/// The merge of two records as bytes; `None` if one of them cannot be read.
#[must_use]
pub fn merge_bytes(a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
    let (Ok(mut a), Ok(b)) = (Record::from_bytes(a), Record::from_bytes(b)) else {
        return None;
    };
    a.merge(&b);
    Some(a.to_bytes())
}

/// Per name the larger entry.
fn merge_map<N: Clone + Ord, E: Clone + Ord>(map: &mut Vec<(N, E)>, other: &[(N, E)]) {
    for (name, entry) in other {
        match map.binary_search_by(|(known, _)| known.cmp(name)) {
            Ok(at) => {
                if let Some((_, known)) = map.get_mut(at)
                    && *known < *entry
                {
                    known.clone_from(entry);
                }
            }
            Err(at) => map.insert(at, (name.clone(), entry.clone())),
        }
    }
}

/// Cuts a map down to the `most` latest entries, by entry and then by name. Gives the cut-off that the others become.
fn make_room<N: Ord, T: Ord>(
    map: &mut Vec<(N, Entry<T>)>,
    most: usize,
    cause: impl Fn(&T) -> Cause,
) -> Option<Entry<Cause>> {
    if map.len() <= most {
        return None;
    }
    map.sort_unstable_by(|(a, of_a), (b, of_b)| (of_b, b).cmp(&(of_a, a)));
    let gone = map.drain(most..).map(|(_, entry)| Entry {
        at: entry.at,
        issued: entry.issued,
        value: cause(&entry.value),
    });
    let cut_off = gone.max();
    map.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    cut_off
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

    use super::super::claim::{ClaimName, ClaimValue};
    use super::super::record::{AccountStatus, TransmitterId};
    use super::super::samples::{any_crowded_record, any_record, entry};
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

    proptest! {
        #[test]
        fn the_laws_hold_where_room_is_made(
            a in any_crowded_record(), b in any_crowded_record(), c in any_crowded_record(),
        ) {
            let ab = Record::merged(a.clone(), &b);
            prop_assert_eq!(&Record::merged(b.clone(), &a), &ab);
            prop_assert_eq!(&Record::merged(ab.clone(), &ab), &ab);
            prop_assert_eq!(&Record::merged(ab.clone(), &a), &ab);
            prop_assert_eq!(
                Record::merged(ab, &c),
                Record::merged(a, &Record::merged(b, &c))
            );
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
    fn claims_beyond_the_bound_become_a_cut_off() {
        let claim = |n: u64| Record {
            claims: alloc::vec![(
                ClaimName::new(&alloc::format!("claim-{n}")).unwrap(),
                entry(n, n, ClaimValue::of("x", &n.into())),
            )],
            ..Record::default()
        };
        let most = u64::try_from(Record::MOST_CLAIMS).unwrap();
        let all = |order: &mut dyn Iterator<Item = u64>| {
            order.fold(Record::default(), |record, n| {
                Record::merged(record, &claim(n))
            })
        };
        let record = all(&mut (1..=most));
        assert_eq!(
            (record.cut_off, record.claims.len()),
            (None, Record::MOST_CLAIMS)
        );
        let record = all(&mut (1..=most + 2));
        assert_eq!(record.cut_off, Some(entry(2, 2, Cause::ClaimsChange)));
        assert_eq!(record.claims.len(), Record::MOST_CLAIMS);
        assert_eq!(all(&mut (1..=most + 2).rev()), record);
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

//! Records for property tests: few distinct names and times, so that entries collide.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;

use super::key::StateKey;
use super::names::Named;
use super::record::{CutOffScope, Entry, LocationChallenge, Member, Record, TransmitterId};
use crate::time::{EventTime, UnixTime};

/// An entry with its times in seconds.
pub(crate) fn entry<T>(at: u64, issued: u64, value: T) -> Entry<T> {
    Entry {
        at: UnixTime::from_secs(at).into(),
        issued: UnixTime::from_secs(issued),
        value,
    }
}

/// Any record that the engine could have made.
pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    (
        option::of(any_entry(any_named())),
        option::of(any_entry(Just(()))),
        any_map(any_transmitter()),
        any_map(any_transmitter()),
        any_map(any_transmitter()),
        any_map(any_scope()),
        btree_map(0..40_u8, any_seconds(), 0..=LocationChallenge::MOST),
    )
        .prop_map(
            |(cut_off, mfa_enabled, status, risk, compliance, scoped, challenges)| Record {
                cut_off,
                mfa_enabled,
                status,
                risk,
                compliance,
                scoped,
                location_challenges: challenges
                    .into_iter()
                    .map(|(place, given)| LocationChallenge {
                        place: [place; 8],
                        given,
                    })
                    .collect(),
            },
        )
}

/// Few small ones, so that entries collide, and numbers of every length.
fn any_number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..4_u64, 1 => 0..1_u64 << 56, 1 => any::<u64>()]
}

fn any_seconds() -> impl Strategy<Value = UnixTime> {
    any_number().prop_map(UnixTime::from_secs)
}

fn any_entry<T: core::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Entry<T>> {
    (any_number(), any_seconds(), value).prop_map(|(at, issued, value)| Entry {
        at: EventTime::from_micros(at),
        issued,
        value,
    })
}

fn any_named<T: Named + core::fmt::Debug>() -> impl Strategy<Value = T> {
    proptest::sample::select(T::ALL).prop_map(|(value, ..)| value)
}

fn any_transmitter() -> impl Strategy<Value = TransmitterId> {
    (0..3_u8).prop_map(|n| TransmitterId([n; 8]))
}

fn any_map<N: Clone + core::fmt::Debug + Ord, T: Named + core::fmt::Debug>(
    name: impl Strategy<Value = N>,
) -> impl Strategy<Value = Vec<(N, Entry<T>)>> {
    btree_map(name, any_entry(any_named()), 0..3)
        .prop_map(|map: BTreeMap<N, Entry<T>>| map.into_iter().collect())
}

fn any_scope() -> impl Strategy<Value = CutOffScope> {
    let key = (
        any_named(),
        (0..3_u8).prop_map(|n| StateKey::from_bytes([n; 16])),
    );
    let keys = btree_set(key, 1..3).prop_map(|keys| keys.into_iter().collect::<Vec<_>>());
    let members = btree_map(any_named(), keys, 0..3);
    (members, any_named()).prop_map(|(members, unseen)| CutOffScope {
        members: members
            .into_iter()
            .map(|(kind, keys)| Member { kind, keys })
            .collect(),
        unseen,
    })
}

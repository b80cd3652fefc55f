//! Records for property tests: few distinct names and times, so that entries collide.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;

use super::claim::{ClaimName, ClaimValue};
use super::key::StateKey;
use super::names::Named;
use super::record::{
    AssuranceLevel, CutOffScope, Entry, LocationChallenge, Member, Record, TransmitterId,
};
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
        option::of(any_entry(any_named())),
        any_map(any_transmitter()),
        any_map(any_transmitter()),
        any_map(any_transmitter()),
        any_map(any_scope()),
        btree_map(0..40_u8, any_seconds(), 0..=LocationChallenge::MOST),
        any_further(),
    )
        .prop_map(
            |(cut_off, mfa_enabled, status, risk, compliance, scoped, challenges, further)| {
                Record {
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
                    ..further
                }
            },
        )
}

/// Records that meet the bounds of their maps when two of them are merged.
pub(crate) fn any_crowded_record() -> impl Strategy<Value = Record> {
    let scope = (0..50_u8).prop_map(|n| CutOffScope {
        members: alloc::vec![Member {
            kind: crate::state::SubjectKind::Session,
            keys: alloc::vec![(
                crate::state::key::NameSpace::Native,
                StateKey::from_bytes([n; 16])
            )],
        }],
        unseen: crate::state::record::UnseenMember::Precise,
    });
    let scoped = btree_map(scope, any_entry(any_named()), 0..=Record::MOST_SCOPES);
    let claims = btree_map(
        any_claim(50),
        any_entry(any_value()),
        0..=Record::MOST_CLAIMS,
    );
    (option::of(any_entry(any_named())), scoped, claims).prop_map(|(cut_off, scoped, claims)| {
        Record {
            cut_off,
            scoped: scoped.into_iter().collect(),
            claims: claims.into_iter().collect(),
            ..Record::default()
        }
    })
}

fn any_further() -> impl Strategy<Value = Record> {
    let level = prop_oneof![Just(""), Just("nist-aal1"), Just("nist-aal2")]
        .prop_map(|name| AssuranceLevel::new(name).unwrap());
    let assurance = btree_map(any_transmitter(), any_entry(level), 0..3);
    let claims = btree_map(any_claim(3), any_entry(any_value()), 0..3);
    (assurance, claims, any_map(any_transmitter())).prop_map(|(assurance, claims, opt_out)| {
        Record {
            assurance: assurance.into_iter().collect(),
            claims: claims.into_iter().collect(),
            opt_out,
            ..Record::default()
        }
    })
}

fn any_claim(names: u8) -> impl Strategy<Value = ClaimName> {
    (0..names).prop_map(|n| ClaimName::new(&alloc::format!("claim-{n}")).unwrap())
}

fn any_value() -> impl Strategy<Value = ClaimValue> {
    (0..3_u8).prop_map(|n| match n {
        0 => ClaimValue::default(),
        n => ClaimValue::of("x", &n.into()),
    })
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
    let keys = btree_set(key, 0..3).prop_map(|keys| keys.into_iter().collect::<Vec<_>>());
    let members = btree_map(any_named(), keys, 0..3);
    (members, any_named()).prop_map(|(members, unseen)| CutOffScope {
        members: members
            .into_iter()
            .map(|(kind, keys)| Member { kind, keys })
            .collect(),
        unseen,
    })
}

//! Records as JSON, for people: explanations of effects, and records set by hand in tests.

mod reading;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::claim::{ClaimName, ClaimValue};
use super::key::{NameSpace, StateKey};
use super::names::Named;
use super::record::{
    AssuranceLevel, Cause, CutOffScope, Entry, LocationChallenge, Member, MultiFactor, Record,
    TransmitterId,
};

pub use reading::key_from_json;

/// A record as JSON: only what it knows, times in whole seconds.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a>(pub &'a Record);

impl Serialize for RecordView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.0;
        let mut out = serializer.serialize_struct("Record", 10)?;
        if let Some(entry) = &record.cut_off {
            out.serialize_field("cutOff", &CutOffView::of(entry))?;
        }
        if let Some(entry) = &record.mfa_enabled {
            out.serialize_field("mfaEnabled", &MultiFactorView::of(entry))?;
        }
        if !record.status.is_empty() {
            out.serialize_field("status", &standing(&record.status))?;
        }
        if !record.risk.is_empty() {
            out.serialize_field("risk", &standing(&record.risk))?;
        }
        if !record.compliance.is_empty() {
            out.serialize_field("compliance", &standing(&record.compliance))?;
        }
        if !record.scoped.is_empty() {
            let scoped: Vec<_> = record.scoped.iter().map(ScopedView::of).collect();
            out.serialize_field("scoped", &scoped)?;
        }
        if !record.location_challenges.is_empty() {
            let challenges: Vec<_> = record
                .location_challenges
                .iter()
                .map(PlaceView::of)
                .collect();
            out.serialize_field("locationChallenges", &challenges)?;
        }
        if !record.assurance.is_empty() {
            let level = |level: &'_ AssuranceLevel| level.as_str().to_string();
            out.serialize_field("assurance", &by_transmitter(&record.assurance, level))?;
        }
        if !record.claims.is_empty() {
            let claims: Vec<_> = record.claims.iter().map(ClaimView::of).collect();
            out.serialize_field("claims", &claims)?;
        }
        if !record.opt_out.is_empty() {
            out.serialize_field("optOut", &standing(&record.opt_out))?;
        }
        out.end()
    }
}

#[derive(serde::Serialize)]
struct MultiFactorView {
    at: u64,
    issued: u64,
    value: &'static str,
}

/// `value` is the comparable text of [`ClaimValue`].
#[derive(serde::Serialize)]
struct ClaimView<'a> {
    name: &'a str,
    at: u64,
    issued: u64,
    value: &'a str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct CutOffView {
    at: u64,
    issued: u64,
    valid_from: u64,
    cause: &'static str,
}

#[derive(serde::Serialize)]
struct StandingView<V> {
    transmitter: String,
    at: u64,
    issued: u64,
    value: V,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopedView {
    members: Vec<MemberView>,
    unseen_member: &'static str,
    at: u64,
    issued: u64,
    valid_from: u64,
    cause: &'static str,
}

#[derive(serde::Serialize)]
struct MemberView {
    kind: &'static str,
    keys: Vec<KeyView>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    name_space: &'static str,
    key: StateKey,
}

#[derive(serde::Serialize)]
struct PlaceView {
    place: String,
    given: u64,
}

impl MultiFactorView {
    fn of(entry: &Entry<MultiFactor>) -> Self {
        Self {
            at: entry.at.floor().as_secs(),
            issued: entry.issued.as_secs(),
            value: entry.value.name(),
        }
    }
}

impl<'a> ClaimView<'a> {
    fn of((name, entry): &'a (ClaimName, Entry<ClaimValue>)) -> Self {
        Self {
            name: name.as_str(),
            at: entry.at.floor().as_secs(),
            issued: entry.issued.as_secs(),
            value: entry.value.as_str(),
        }
    }
}

impl CutOffView {
    fn of(entry: &Entry<Cause>) -> Self {
        Self {
            at: entry.at.floor().as_secs(),
            issued: entry.issued.as_secs(),
            valid_from: entry.at.next_second().as_secs(),
            cause: entry.value.name(),
        }
    }
}

fn standing<T: Named>(entries: &[(TransmitterId, Entry<T>)]) -> Vec<StandingView<&'static str>> {
    by_transmitter(entries, |value| value.name())
}

fn by_transmitter<T, V>(
    entries: &[(TransmitterId, Entry<T>)],
    value: impl Fn(&T) -> V,
) -> Vec<StandingView<V>> {
    let view = |(transmitter, entry): &(TransmitterId, Entry<T>)| StandingView {
        transmitter: transmitter.to_string(),
        at: entry.at.floor().as_secs(),
        issued: entry.issued.as_secs(),
        value: value(&entry.value),
    };
    entries.iter().map(view).collect()
}

impl ScopedView {
    fn of((scope, entry): &(CutOffScope, Entry<Cause>)) -> Self {
        let CutOffView {
            at,
            issued,
            valid_from,
            cause,
        } = CutOffView::of(entry);
        Self {
            members: scope.members.iter().map(MemberView::of).collect(),
            unseen_member: scope.unseen.name(),
            at,
            issued,
            valid_from,
            cause,
        }
    }
}

impl MemberView {
    fn of(member: &Member) -> Self {
        let key = |(name_space, key): &(NameSpace, StateKey)| KeyView {
            name_space: name_space.name(),
            key: *key,
        };
        Self {
            kind: member.kind.name(),
            keys: member.keys.iter().map(key).collect(),
        }
    }
}

impl PlaceView {
    fn of(challenge: &LocationChallenge) -> Self {
        Self {
            place: TransmitterId(challenge.place).to_string(),
            given: challenge.given.as_secs(),
        }
    }
}

//! What the records of one token come to: per kind of subject one record, read with the transmitters configured
//! for the token's issuer.

use alloc::vec::Vec;
use core::time::Duration;

use super::request::RecordAnswer;
use crate::configuration::Configuration;
use crate::state::key::{NameSpace, StateKey, SubjectKind};
use crate::state::record::{
    AccountStatus, Cause, DeviceCompliance, Entry, MultiFactor, Record, RiskLevel, TransmitterId,
};
use crate::state::retention::{acts_for_issuer, lifted_before, outlived_at, standing_lapses_at};
use crate::time::UnixTime;
use crate::token::{AccessToken, Principal, SubjectKey};

/// The records of one token, one per kind of subject.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    token: &'a AccessToken,
    /// Sorted by kind, the most specific to a person first. Most keys of most tokens have no record.
    records: Vec<(SubjectKind, Record)>,
}

/// What is known about a subject without a record.
static NOTHING: Record = Record::EMPTY;

/// A record was not fetched, or its bytes cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable;

impl<'a> Standing<'a> {
    /// Reads the answers, which are in the order of the token's keys.
    pub(super) fn read(
        token: &'a AccessToken,
        answers: &[RecordAnswer<'_>],
        witnesses: Witnesses<'_>,
    ) -> Result<Self, Unreadable> {
        if answers.len() != token.keys.len() {
            return Err(Unreadable);
        }
        let (mut stable, mut unstable) = (0_usize, 0_usize);
        for (key, answer) in token.keys.iter().zip(answers) {
            match answer {
                RecordAnswer::None => {}
                RecordAnswer::Failed => return Err(Unreadable),
                RecordAnswer::Found(_) if is_stable(key) => stable = stable.saturating_add(1),
                RecordAnswer::Found(_) => unstable = unstable.saturating_add(1),
            }
        }
        let mut standing = Self {
            token,
            records: Vec::with_capacity(stable.saturating_add(unstable)),
        };
        // The stable identifiers come first, so that the others can only ever make the result stricter.
        if stable > 0 {
            for (kind, bytes) in found(token, answers, true) {
                let record = Record::from_bytes(bytes).map_err(|_| Unreadable)?;
                standing.add(kind, record);
            }
        }
        if unstable > 0 {
            for (kind, bytes) in found(token, answers, false) {
                let record = Record::from_bytes(bytes).map_err(|_| Unreadable)?;
                standing.tighten(kind, record, witnesses);
            }
        }
        Ok(standing)
    }

    /// Where the first record of this kind stands or belongs; what stands apart comes behind it.
    fn place_of(&self, kind: SubjectKind) -> Result<usize, usize> {
        let at = self.records.partition_point(|(known, _)| *known < kind);
        match self.records.get(at) {
            Some((known, _)) if *known == kind => Ok(at),
            _ => Err(at),
        }
    }

    fn add(&mut self, kind: SubjectKind, record: Record) {
        match self.place_of(kind) {
            Err(at) => self.records.insert(at, (kind, record)),
            Ok(at) => {
                if let Some((_, known)) = self.records.get_mut(at) {
                    known.merge(&record);
                }
            }
        }
    }

    fn tighten(&mut self, kind: SubjectKind, record: Record, witnesses: Witnesses<'_>) {
        let at = self.place_of(kind).unwrap_or_else(|at| {
            self.records.insert(at, (kind, Record::default()));
            at
        });
        let apart = self
            .records
            .get_mut(at)
            .and_then(|(_, known)| tighten(known, record, |by| witnesses.acts(by)));
        if let Some(apart) = apart {
            self.records.insert(at.saturating_add(1), (kind, apart));
        }
    }

    /// The subjects that something is known about, the most specific to a person first.
    pub(super) fn records(&self) -> impl Iterator<Item = (SubjectKind, &Record)> {
        self.records.iter().map(|(kind, record)| (*kind, record))
    }

    /// The subjects of the token that nothing is known about.
    pub(super) fn without_record(&self) -> impl Iterator<Item = SubjectKind> {
        let subjects = self.token.keys.chunk_by(|a, b| a.kind == b.kind);
        subjects
            .filter_map(|keys| Some(keys.first()?.kind))
            .filter(|kind| self.records().all(|(known, _)| known != *kind))
    }

    /// Where location challenges are remembered: the session if the token shows one, else the user.
    pub(super) fn place_of_location_challenges(&self) -> Option<(StateKey, &Record)> {
        let place = |kind| {
            let shown = |key: &&SubjectKey| key.kind == kind && key.name_space == NameSpace::Native;
            let key = self.token.keys.iter().find(shown)?;
            Some((key.key, self.record(kind)))
        };
        place(SubjectKind::Session).or_else(|| place(SubjectKind::User))
    }

    /// The device of the token.
    pub(super) fn device(&self) -> &Record {
        self.record(SubjectKind::Device)
    }

    /// The user of the token.
    pub(super) fn user(&self) -> &Record {
        self.record(SubjectKind::User)
    }

    /// The service principal of an app-only token, and the client that acts as it.
    pub(super) fn workload(&self) -> [&Record; 2] {
        [
            SubjectKind::ServicePrincipal,
            SubjectKind::ClientApplication,
        ]
        .map(|kind| self.record(kind))
    }

    fn record(&self, kind: SubjectKind) -> &Record {
        self.records()
            .find(|(known, _)| *known == kind)
            .map_or(&NOTHING, |(_, record)| record)
    }
}

/// Whether an identifier never moves to another person.
const fn is_stable(key: &SubjectKey) -> bool {
    matches!(key.name_space, NameSpace::Native)
}

/// The records that were found under stable identifiers, or under the others.
fn found<'a>(
    token: &AccessToken,
    answers: &[RecordAnswer<'a>],
    stable: bool,
) -> impl Iterator<Item = (SubjectKind, &'a [u8])> {
    let answers = token.keys.iter().zip(answers);
    answers.filter_map(move |(key, answer)| match *answer {
        RecordAnswer::Found(bytes) if is_stable(key) == stable => Some((key.kind, bytes)),
        _ => None,
    })
}

/// A value from an identifier that may move to another person replaces the result only if it is later in the order
/// of `enforcement.md` §4 and stricter (§2). What is neutral is stricter than nothing, not even than silence.
///
/// Of two values of a claim, or two levels of assurance, neither is the stricter: both have to be met. What the other
/// record says of them is given back, to stand beside this one.
fn tighten(
    record: &mut Record,
    mut stricter: Record,
    acts_for_issuer: impl Fn(TransmitterId) -> bool,
) -> Option<Record> {
    let mut apart = Record {
        claims: core::mem::take(&mut stricter.claims),
        assurance: core::mem::take(&mut stricter.assurance),
        ..Record::default()
    };
    apart
        .claims
        .retain(|(_, entry)| !stricter.is_cleared(entry));
    let mut scoped = core::mem::take(&mut stricter.scoped);
    scoped.retain(|(_, entry)| entry.value != Cause::Cleared && !stricter.is_cleared(entry));
    stricter.scoped = scoped;
    stricter
        .mfa_enabled
        .take_if(|entry| entry.value == MultiFactor::Cleared);
    // Later cut-offs and remembered challenges only ever refuse more, so a plain merge of them is already that rule.
    stricter
        .cut_off
        .take_if(|entry| entry.value == Cause::Cleared);
    // What was lifted under that identifier itself is not a value of it any more.
    let lifted = lifted_before(&stricter.status, acts_for_issuer);
    stricter.status.retain(|(by, entry)| {
        Some((entry.at, entry.issued)) >= lifted && stricter_than(&record.status, *by, entry)
    });
    stricter
        .risk
        .retain(|(by, entry)| stricter_than(&record.risk, *by, entry));
    stricter
        .compliance
        .retain(|(by, entry)| stricter_than(&record.compliance, *by, entry));
    record.merge(&stricter);
    (!apart.is_empty()).then_some(apart)
}

fn stricter_than<T: Copy + Default + Ord>(
    present: &[(TransmitterId, Entry<T>)],
    by: TransmitterId,
    entry: &Entry<T>,
) -> bool {
    let known = present.iter().find(|(id, _)| *id == by);
    entry.value > known.map_or(T::default(), |(_, known)| known.value)
}

/// The transmitters configured for one issuer, and how long their standing state holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witnesses<'a> {
    configuration: &'a Configuration,
    issuer: usize,
    now: UnixTime,
}

impl<'a> Witnesses<'a> {
    pub(super) const fn new(
        configuration: &'a Configuration,
        issuer: usize,
        now: UnixTime,
    ) -> Self {
        Self {
            configuration,
            issuer,
            now,
        }
    }

    /// How long an entry of this transmitter holds; `None` if its word does not count for this issuer.
    fn standing_age(&self, by: TransmitterId) -> Option<(bool, Duration)> {
        self.configuration
            .transmitters
            .iter()
            .find(|transmitter| {
                transmitter.id == by && transmitter.speaks_for.contains(&self.issuer)
            })
            .map(|transmitter| {
                let acts = acts_for_issuer(self.configuration, transmitter, self.issuer);
                (
                    acts,
                    Duration::from_secs(transmitter.standing_state_max_age),
                )
            })
    }

    /// Whether the word of this transmitter is the issuer's own.
    fn acts(&self, by: TransmitterId) -> bool {
        self.standing_age(by).is_some_and(|(acts, _)| acts)
    }

    /// Whether the word of this transmitter counts for this issuer.
    pub(super) fn counts(&self, by: TransmitterId) -> bool {
        self.standing_age(by).is_some()
    }

    /// The URL of this transmitter, if its word counts for this issuer.
    pub(super) fn url_of(&self, by: TransmitterId) -> Option<&'a str> {
        let mut transmitters = self.configuration.transmitters.iter();
        transmitters
            .find(|known| known.id == by && known.speaks_for.contains(&self.issuer))
            .map(|known| known.issuer.as_str())
    }

    /// The strictest unlapsed account status that is not lifted, and when it lapses.
    pub(super) fn account(
        &self,
        record: &Record,
    ) -> Option<(Entry<AccountStatus>, Option<UnixTime>)> {
        let lifted = lifted_before(&record.status, |by| self.acts(by));
        record
            .status
            .iter()
            .filter(|(_, entry)| entry.value != AccountStatus::Enabled)
            .filter(|(_, entry)| Some((entry.at, entry.issued)) >= lifted)
            .filter_map(|(by, entry)| {
                let (acts, _) = self.standing_age(*by)?;
                // An issuer issues nothing to an account that it disabled, so its own word need not outlive the
                // last token that it can have issued before; another's word stays until it is lifted.
                let lapses =
                    acts.then(|| outlived_at(entry.at, self.longest_token_age(), self.skew()));
                lapses
                    .is_none_or(|lapse| self.now < lapse)
                    .then_some((*entry, lapses))
            })
            .max_by_key(|(entry, _)| (entry.value, entry.at))
    }

    /// The strictest unlapsed risk level, and when it lapses.
    pub(super) fn risk(&self, record: &Record) -> Option<(Entry<RiskLevel>, UnixTime)> {
        self.strictest(&record.risk)
    }

    /// The strictest unlapsed risk level of the workload of an app-only token, and when it lapses.
    pub(super) fn workload_risk(
        &self,
        standing: &Standing<'_>,
    ) -> Option<(Entry<RiskLevel>, UnixTime)> {
        if standing.token.principal != Principal::Application {
            return None;
        }
        let risks = standing
            .workload()
            .into_iter()
            .filter_map(|record| self.risk(record));
        risks.max_by_key(|(entry, _)| (entry.value, entry.at))
    }

    /// The strictest unlapsed compliance, and when it lapses.
    pub(super) fn compliance(
        &self,
        record: &Record,
    ) -> Option<(Entry<DeviceCompliance>, UnixTime)> {
        self.strictest(&record.compliance)
    }

    fn longest_token_age(&self) -> Duration {
        let issuer = self.configuration.issuers.get(self.issuer);
        Duration::from_secs(issuer.map_or(u64::MAX, |issuer| {
            self.configuration.longest_token_age(issuer)
        }))
    }

    const fn skew(&self) -> Duration {
        Duration::from_secs(self.configuration.settings.clock_skew)
    }

    fn strictest<T: Copy + Default + Ord>(
        &self,
        entries: &[(TransmitterId, Entry<T>)],
    ) -> Option<(Entry<T>, UnixTime)> {
        entries
            .iter()
            .filter_map(|(by, entry)| {
                let (_, age) = self.standing_age(*by)?;
                let lapse = standing_lapses_at(entry, age);
                (self.now < lapse).then_some((*entry, lapse))
            })
            .max_by_key(|(entry, _)| (entry.value, entry.at))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::state::claim::{ClaimName, ClaimValue};
    use crate::state::samples::entry;

    #[test]
    fn an_identifier_that_may_move_only_ever_tightens() {
        const BY: TransmitterId = TransmitterId([1; 8]);
        const OTHER: TransmitterId = TransmitterId([2; 8]);
        let status = |by, at, value| Record {
            status: vec![(by, entry(at, at, value))],
            ..Record::default()
        };
        let cut_off = |at, value| Record {
            cut_off: Some(entry(at, at, value)),
            ..Record::default()
        };
        let disabled = status(BY, 10, AccountStatus::Disabled);
        let said_of_address = |enabled_by, disabled_by| {
            let mut record = status(enabled_by, 20, AccountStatus::Enabled);
            record.merge(&status(disabled_by, 10, AccountStatus::Disabled));
            record
        };
        for (stable, unstable, expected) in [
            // Neutral values never get in, whoever said them and however late.
            (&disabled, status(BY, 20, AccountStatus::Enabled), &disabled),
            (
                &disabled,
                status(OTHER, 20, AccountStatus::Enabled),
                &disabled,
            ),
            (
                &cut_off(10, Cause::SessionRevoked),
                cut_off(20, Cause::Cleared),
                &cut_off(10, Cause::SessionRevoked),
            ),
            // Stricter and later does; stricter and earlier does not.
            (
                &disabled,
                status(BY, 20, AccountStatus::Purged),
                &status(BY, 20, AccountStatus::Purged),
            ),
            (&disabled, status(BY, 5, AccountStatus::Purged), &disabled),
            (&Record::default(), disabled.clone(), &disabled),
            // What the issuer lifted under that identifier itself does not get in either; what others did not is there.
            (
                &Record::default(),
                said_of_address(BY, OTHER),
                &Record::default(),
            ),
            (
                &Record::default(),
                said_of_address(OTHER, BY),
                &status(BY, 10, AccountStatus::Disabled),
            ),
            (
                &cut_off(10, Cause::SessionRevoked),
                cut_off(20, Cause::SessionRevoked),
                &cut_off(20, Cause::SessionRevoked),
            ),
        ] {
            let mut record = stable.clone();
            tighten(&mut record, unstable.clone(), |by| by == BY);
            assert_eq!(record, *expected, "{stable:?} and {unstable:?}");
        }
    }

    #[test]
    fn of_two_values_of_a_claim_both_count() {
        let claim = |at, value: &str| Record {
            claims: vec![(
                ClaimName::new("role").unwrap(),
                entry(at, at, ClaimValue::of("role", &value.into())),
            )],
            ..Record::default()
        };
        let (stable, unstable) = (claim(10, "reader"), claim(20, "admin"));
        let mut record = stable.clone();
        assert_eq!(
            tighten(&mut record, unstable.clone(), |_| false),
            Some(unstable.clone())
        );
        assert_eq!(record, stable, "not replaced, though later");
        // What was cleared under the other name is lifted with it.
        let clearing = Record::cleared(UnixTime::from_secs(30), []);
        let cleared = Record::merged(unstable, &clearing);
        assert_eq!(tighten(&mut record, cleared, |_| false), None);
        assert_eq!(record, stable);
    }
}

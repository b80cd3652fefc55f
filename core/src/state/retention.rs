//! When a value no longer matters. Judged in `decide` and in background cleaning, never in
//! [`Record::merge`] (`enforcement.md` §4, "Lapse and retention").

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::record::{AccountStatus, Entry, Record, TransmitterId};
use crate::configuration::{Configuration, Transmitter};
use crate::time::{EventTime, UnixTime};
use crate::token::issuer_match::resolve_issuer;

/// How long values are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetentionLimits {
    /// Longest age of an acceptable token of any issuer.
    pub longest_token_age: Duration,
    /// Tolerated clock difference to issuers.
    pub skew: Duration,
    /// Transmitters that are configured. What others said is not judged, so it stays.
    pub transmitters: BTreeMap<TransmitterId, TransmitterRetention>,
}

impl RetentionLimits {
    /// Whether some transmitter may say of an account what stays until it is lifted. What lifts it may stand in another
    /// record (the event named the account by its id, not by its address), so cleaning, which sees one record at a time,
    /// must not forget any `enabled`.
    fn statuses_may_stay(&self) -> bool {
        self.transmitters
            .values()
            .any(|retention| !retention.acts_for_issuer)
    }
}

/// How long the word of one transmitter is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TransmitterRetention {
    /// Whether it acts for every issuer that it speaks for. A record does not say which issuer it belongs to, so
    /// cleaning treats a transmitter that acts only for some as one that acts for none.
    pub acts_for_issuer: bool,
    /// After how long its risk levels and compliance verdicts lapse.
    pub standing_state_max_age: Duration,
}

impl RetentionLimits {
    /// How long neutral values are kept, and the age at which a SET sets no standing value any more: within this
    /// bound the order in which events arrive does not matter.
    pub const TOMBSTONE: Duration = Duration::from_secs(30 * 86_400);

    /// For how long a location challenge is remembered (`enforcement.md` §6).
    pub const LOCATION_CHALLENGE: Duration = Duration::from_secs(3_600);

    /// The limits of a configuration.
    #[must_use]
    pub fn of(configuration: &Configuration) -> Self {
        let oldest = (configuration.issuers.iter())
            .map(|issuer| configuration.longest_token_age(issuer))
            .max()
            .unwrap_or(u64::MAX);
        let retention = |transmitter: &Transmitter| TransmitterRetention {
            acts_for_issuer: (transmitter.speaks_for.iter())
                .all(|issuer| acts_for_issuer(configuration, transmitter, *issuer)),
            standing_state_max_age: Duration::from_secs(transmitter.standing_state_max_age),
        };
        Self {
            longest_token_age: Duration::from_secs(oldest),
            skew: Duration::from_secs(configuration.settings.clock_skew),
            transmitters: (configuration.transmitters.iter())
                .map(|transmitter| (transmitter.id, retention(transmitter)))
                .collect(),
        }
    }

    /// Whether every token that a fact of this time refuses is too old to be accepted.
    #[must_use]
    pub fn outlived(&self, at: EventTime, now: UnixTime) -> bool {
        now >= outlived_at(at, self.longest_token_age, self.skew)
    }

    /// Whether no acceptable token is older than this fact, which refuses tokens issued before it: a cut-off, a changed
    /// claim. A neutral value is a tombstone.
    #[must_use]
    pub fn refusal_lapsed<T: Default + PartialEq>(&self, entry: &Entry<T>, now: UnixTime) -> bool {
        if entry.value == T::default() {
            tombstone_lapsed(entry.at, now)
        } else {
            self.outlived(entry.at, now)
        }
    }

    /// Whether a status that forbids to sign in has lapsed: an issuer issues nothing to an account that it
    /// disabled itself, so the status goes with the last token. The status of another transmitter stays until
    /// lifted.
    #[must_use]
    pub fn status_lapsed(
        &self,
        entry: &Entry<AccountStatus>,
        acts_for_issuer: bool,
        now: UnixTime,
    ) -> bool {
        entry.value != AccountStatus::Enabled && acts_for_issuer && self.outlived(entry.at, now)
    }
}

/// When every token that a fact of this time refuses is too old to be accepted.
#[must_use]
pub fn outlived_at(at: EventTime, longest_token_age: Duration, skew: Duration) -> UnixTime {
    at.next_second()
        .saturating_add(longest_token_age)
        .saturating_add(skew)
}

/// The time of the latest `enabled` of a transmitter that acts for the issuer. It lifts what anybody said before it;
/// of two that happened at once the stricter one holds.
#[must_use]
pub fn lifted_before<'a>(
    status: impl IntoIterator<Item = &'a (TransmitterId, Entry<AccountStatus>)>,
    acts_for_issuer: impl Fn(TransmitterId) -> bool,
) -> Option<(EventTime, UnixTime)> {
    (status.into_iter())
        .filter(|(by, entry)| entry.value == AccountStatus::Enabled && acts_for_issuer(*by))
        .map(|(_, entry)| (entry.at, entry.issued))
        .max()
}

/// Whether the word of a transmitter about an account is that issuer's own word: as configured, else if its issuer
/// URL is one of the issuer's.
#[must_use]
pub fn acts_for_issuer(
    configuration: &Configuration,
    transmitter: &Transmitter,
    issuer: usize,
) -> bool {
    transmitter.acts_for_issuer.unwrap_or_else(|| {
        resolve_issuer(configuration, &transmitter.issuer).is_some_and(|(own, _)| own == issuer)
    })
}

/// When a risk level or a compliance verdict lapses; `max_age` is the transmitter's `standingStateMaxAgeSeconds`. A
/// neutral value may be forgotten as a tombstone, so nothing rests on it for longer than that.
#[must_use]
pub fn standing_lapses_at<T: Default + PartialEq>(entry: &Entry<T>, max_age: Duration) -> UnixTime {
    let age = if entry.value == T::default() {
        max_age.min(RetentionLimits::TOMBSTONE)
    } else {
        max_age
    };
    entry.at.next_second().saturating_add(age)
}

/// Whether a neutral value is old enough to forget.
#[must_use]
pub fn tombstone_lapsed(at: EventTime, now: UnixTime) -> bool {
    now >= at.next_second().saturating_add(RetentionLimits::TOMBSTONE)
}

/// Whether a remembered location challenge is over.
#[must_use]
pub fn location_challenge_lapsed(given: UnixTime, now: UnixTime) -> bool {
    now >= given.saturating_add(RetentionLimits::LOCATION_CHALLENGE)
}

impl Record {
    /// Forgets what can no longer change a decision. A record that is empty afterwards need not be kept.
    pub fn retain(&mut self, now: UnixTime, limits: &RetentionLimits) {
        self.cut_off
            .take_if(|entry| limits.refusal_lapsed(entry, now));
        self.mfa_enabled
            .take_if(|entry| limits.refusal_lapsed(entry, now));
        self.scoped
            .retain(|(_, entry)| !limits.refusal_lapsed(entry, now));
        retain_status(&mut self.status, now, limits);
        retain_standing(&mut self.risk, now, limits);
        retain_standing(&mut self.compliance, now, limits);
        retain_standing(&mut self.opt_out, now, limits);
        self.assurance
            .retain(|(_, entry)| !limits.refusal_lapsed(entry, now));
        self.claims
            .retain(|(_, entry)| !limits.refusal_lapsed(entry, now));
        self.location_challenges
            .retain(|challenge| !location_challenge_lapsed(challenge.given, now));
    }
}

fn retain_status(
    status: &mut Vec<(TransmitterId, Entry<AccountStatus>)>,
    now: UnixTime,
    limits: &RetentionLimits,
) {
    let acts = |transmitter| {
        let known = limits.transmitters.get(&transmitter);
        known.is_some_and(|retention| retention.acts_for_issuer)
    };
    // An old `enabled` of an issuer lifts what others said before it; those go first, for good.
    let tombstones = (status.iter()).filter(|(_, entry)| tombstone_lapsed(entry.at, now));
    let lifted = lifted_before(tombstones, acts);
    status.retain(|(transmitter, entry)| {
        let is_lifted = Some((entry.at, entry.issued)) < lifted;
        // What has lapsed forbids nothing any more, but it is later than an `enabled` that is still under way, which
        // would lift what others said if this were forgotten.
        let is_over =
            limits.status_lapsed(entry, acts(*transmitter), now) && tombstone_lapsed(entry.at, now);
        entry.value == AccountStatus::Enabled || !(is_lifted || is_over)
    });
    if limits.statuses_may_stay() {
        return;
    }
    // A tombstone stays while there is something older that it may lift.
    let oldest_refusal = status
        .iter()
        .filter(|(_, entry)| entry.value != AccountStatus::Enabled)
        .map(|(_, entry)| (entry.at, entry.issued))
        .min();
    status.retain(|(_, entry)| {
        entry.value != AccountStatus::Enabled
            || !tombstone_lapsed(entry.at, now)
            || oldest_refusal.is_some_and(|oldest| oldest < (entry.at, entry.issued))
    });
}

fn retain_standing<T: Default + PartialEq>(
    entries: &mut Vec<(TransmitterId, Entry<T>)>,
    now: UnixTime,
    limits: &RetentionLimits,
) {
    entries.retain(|(transmitter, entry)| {
        if entry.value == T::default() {
            return !tombstone_lapsed(entry.at, now);
        }
        let known = limits.transmitters.get(transmitter);
        !known.is_some_and(|retention| {
            now >= standing_lapses_at(entry, retention.standing_state_max_age)
        })
    });
}

#[cfg(test)]
mod tests {
    use super::super::claim::{ClaimName, ClaimValue};
    use super::super::record::{
        AssuranceLevel, Cause, DeviceCompliance, MultiFactor, OptOut, RiskLevel,
    };
    use super::super::samples::{any_record, entry};
    use super::*;
    use proptest::prelude::*;

    const DAY: u64 = 86_400;
    const ISSUER: TransmitterId = TransmitterId([1; 8]);
    const OTHER: TransmitterId = TransmitterId([2; 8]);

    fn limits() -> RetentionLimits {
        let retention = |acts_for_issuer| TransmitterRetention {
            acts_for_issuer,
            standing_state_max_age: Duration::from_secs(90 * DAY),
        };
        RetentionLimits {
            longest_token_age: Duration::from_secs(100),
            skew: Duration::from_secs(10),
            transmitters: BTreeMap::from([(ISSUER, retention(true)), (OTHER, retention(false))]),
        }
    }

    /// The seconds until which a record with an event at second 0 is kept; `None` if beyond ten years.
    fn kept_until(record: &Record) -> Option<u64> {
        let gone = |now: u64| {
            let mut record = record.clone();
            record.retain(UnixTime::from_secs(now), &limits());
            record.is_empty()
        };
        let (mut low, mut high) = (0, 3_650 * DAY);
        if !gone(high) {
            return None;
        }
        while low < high {
            let middle = u64::midpoint(low, high);
            if gone(middle) {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        Some(low)
    }

    #[test]
    fn each_field_has_its_own_retention() {
        let cut_off = |cause| Record {
            cut_off: Some(entry(0, 0, cause)),
            ..Record::default()
        };
        let status = |transmitter, status| Record {
            status: alloc::vec![(transmitter, entry(0, 0, status))],
            ..Record::default()
        };
        let risk = |transmitter, level| Record {
            risk: alloc::vec![(transmitter, entry(0, 0, level))],
            ..Record::default()
        };
        let compliance = |value| Record {
            compliance: alloc::vec![(OTHER, entry(0, 0, value))],
            ..Record::default()
        };
        let unknown = TransmitterId([9; 8]);
        let multi_factor = |value| Record {
            mfa_enabled: Some(entry(0, 0, value)),
            ..Record::default()
        };
        let assurance = |level| Record {
            assurance: alloc::vec![(OTHER, entry(0, 0, AssuranceLevel::new(level).unwrap()))],
            ..Record::default()
        };
        let opt_out = |transmitter, value| Record {
            opt_out: alloc::vec![(transmitter, entry(0, 0, value))],
            ..Record::default()
        };
        let claim = Record {
            claims: alloc::vec![(
                ClaimName::new("role").unwrap(),
                entry(0, 0, ClaimValue::of("role", &"a".into())),
            )],
            ..Record::default()
        };
        for (record, expected) in [
            (cut_off(Cause::SessionRevoked), Some(111)),
            (cut_off(Cause::Cleared), Some(30 * DAY + 1)),
            (multi_factor(MultiFactor::Enabled), Some(111)),
            (multi_factor(MultiFactor::Cleared), Some(30 * DAY + 1)),
            (assurance("nist-aal1"), Some(111)),
            (assurance(""), Some(30 * DAY + 1)),
            (claim, Some(111)),
            (opt_out(OTHER, OptOut::OptedOut), Some(90 * DAY + 1)),
            (opt_out(OTHER, OptOut::OptedIn), Some(30 * DAY + 1)),
            (opt_out(unknown, OptOut::OptedOut), None),
            (status(ISSUER, AccountStatus::Disabled), Some(30 * DAY + 1)),
            (status(OTHER, AccountStatus::Disabled), None),
            (status(unknown, AccountStatus::Disabled), None),
            // Another transmitter's word would stay, whatever the record that it stands in.
            (status(OTHER, AccountStatus::Enabled), None),
            (status(ISSUER, AccountStatus::Enabled), None),
            (risk(OTHER, RiskLevel::High), Some(90 * DAY + 1)),
            (risk(OTHER, RiskLevel::None), Some(30 * DAY + 1)),
            (risk(unknown, RiskLevel::High), None),
            (
                compliance(DeviceCompliance::NotCompliant),
                Some(90 * DAY + 1),
            ),
            (compliance(DeviceCompliance::Compliant), Some(30 * DAY + 1)),
        ] {
            assert_eq!(kept_until(&record), expected, "{record:?}");
        }
    }

    #[test]
    fn a_tombstone_never_goes_before_what_it_lifts() {
        let disabled = (OTHER, entry(10, 10, AccountStatus::Disabled));
        let enabled = |transmitter| (transmitter, entry(20, 20, AccountStatus::Enabled));
        let mut issuer_alone = limits();
        issuer_alone.transmitters.remove(&OTHER);
        let after = |limits: &RetentionLimits, status: &[_]| {
            let mut record = Record {
                status: status.to_vec(),
                ..Record::default()
            };
            record.retain(UnixTime::from_secs(31 * DAY), limits);
            record.status
        };
        let lifted = [enabled(ISSUER), disabled];
        assert_eq!(after(&issuer_alone, &lifted), []);
        // The same may have been said under an address of the account, in another record.
        assert_eq!(after(&limits(), &lifted), [enabled(ISSUER)]);
        let third = TransmitterId([3; 8]);
        let kept = [disabled, enabled(third)];
        assert_eq!(after(&issuer_alone, &kept), kept);
    }

    #[test]
    fn an_issuer_that_transmits_acts_for_itself() {
        let configured = |acts: &str| {
            let text = r#"{
                "resource": {"audiences": ["api://orders"]},
                "issuers": [
                    {"issuer": "https://login.microsoftonline.com/TENANT/v2.0", "claims": "entra-v2",
                     "jwks": {"keys": []}},
                    {"issuer": "https://kc.example/realms/a", "claims": "keycloak", "jwks": {"keys": []}}
                ],
                "transmitters": [{"issuer": "https://sts.windows.net/TENANT/", "jwks": {"keys": []},
                    "speaksFor": ["https://login.microsoftonline.com/TENANT/v2.0",
                                  "https://kc.example/realms/a"] ACTS}]
            }"#;
            let tenant = "aaaaaaaa-1111-1111-1111-111111111111";
            Configuration::read(&text.replace("TENANT", tenant).replace("ACTS", acts)).unwrap()
        };
        for (acts, expected) in [
            ("", [true, false]),
            (r#", "actsForIssuer": true"#, [true, true]),
            (r#", "actsForIssuer": false"#, [false, false]),
        ] {
            let configuration = configured(acts);
            let transmitter = &configuration.transmitters[0];
            let found = [0, 1].map(|issuer| acts_for_issuer(&configuration, transmitter, issuer));
            assert_eq!(found, expected, "{acts}");
            let limits = RetentionLimits::of(&configuration);
            let for_all = limits.transmitters[&transmitter.id].acts_for_issuer;
            assert_eq!(for_all, expected == [true, true]);
            assert_eq!(limits.longest_token_age, Duration::from_secs(100_800 + 300));
        }
    }

    proptest! {
        #[test]
        fn cleaning_only_forgets(record in any_record(), now in any::<u64>()) {
            let mut cleaned = record.clone();
            cleaned.retain(UnixTime::from_secs(now), &limits());
            prop_assert_eq!(Record::merged(record.clone(), &cleaned), record);
            let mut again = cleaned.clone();
            again.retain(UnixTime::from_secs(now), &limits());
            prop_assert_eq!(again, cleaned);
        }
    }
}

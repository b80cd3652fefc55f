//! A year of a large organisation: a million users, an event a day for each hundredth of them, cleaned once a day.

use std::collections::BTreeMap;
use std::time::Duration;

use cae_core::UnixTime;
use cae_core::configuration::Configuration;
use cae_core::state::claim::{ClaimName, ClaimValue};
use cae_core::state::key::NameSpace;
use cae_core::state::record::{
    AccountStatus, AssuranceLevel, Cause, CutOffScope, DeviceCompliance, LocationChallenge, Member,
    MultiFactor, OptOut, RiskLevel, TransmitterId, UnseenMember,
};
use cae_core::state::{Record, RetentionLimits, StateKey, StateTable, SubjectKind};
use cae_tests::population::{entry, key};
use cae_tests::world;
use serde_json::json;

const USERS: u32 = 1_000_000;
const EVENTS_A_DAY: u32 = USERS / 100;
const DAYS: u64 = 365;
const DAY: u64 = 86_400;

/// What may happen, with the share of all events in percent.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    UserRevoked,
    SessionRevoked,
    SessionOfUserRevoked,
    MfaEnabled,
    RiskRaised,
    RiskGone,
    NotCompliant,
    Compliant,
    DisabledByIssuer,
    DisabledByOther,
    EnabledByOther,
    Cleared,
    LocationChallenged,
    AssuranceFell,
    ClaimChanged,
    OptedOut,
}

const SHARES: [(Kind, u32); 16] = [
    (Kind::AssuranceFell, 2),
    (Kind::ClaimChanged, 3),
    (Kind::OptedOut, 2),
    (Kind::UserRevoked, 16),
    (Kind::SessionRevoked, 17),
    (Kind::SessionOfUserRevoked, 10),
    (Kind::MfaEnabled, 5),
    (Kind::RiskRaised, 8),
    (Kind::RiskGone, 7),
    (Kind::NotCompliant, 6),
    (Kind::Compliant, 6),
    (Kind::DisabledByIssuer, 4),
    (Kind::DisabledByOther, 3),
    (Kind::EnabledByOther, 3),
    (Kind::Cleared, 3),
    (Kind::LocationChallenged, 5),
];

/// After how long another transmitter lifts a status that it set: until then it stays, whatever time passes.
const LIFTED_AFTER_DAYS: u64 = 20;

/// The issuer's own transmitter, and another one.
fn limits() -> (RetentionLimits, TransmitterId, TransmitterId) {
    let mut configuration = world::configuration(&json!([]), &json!([]), &json!({}));
    let mut other = configuration["transmitters"][0].clone();
    other["issuer"] = json!("https://mdm.example");
    configuration["transmitters"][0]["actsForIssuer"] = json!(true);
    configuration["transmitters"]
        .as_array_mut()
        .unwrap()
        .push(other);
    let configuration = Configuration::read(&configuration.to_string()).unwrap();
    (
        RetentionLimits::of(&configuration),
        TransmitterId::of(world::TRANSMITTER),
        TransmitterId::of("https://mdm.example"),
    )
}

impl Kind {
    /// For how long its entry is kept: the retention rule of `enforcement.md` §4.
    fn kept(self, limits: &RetentionLimits) -> Duration {
        let standing = |transmitter: &str| {
            limits.transmitters[&TransmitterId::of(transmitter)].standing_state_max_age
        };
        match self {
            Self::UserRevoked
            | Self::SessionRevoked
            | Self::SessionOfUserRevoked
            | Self::MfaEnabled
            | Self::AssuranceFell
            | Self::ClaimChanged => limits.longest_token_age + limits.skew,
            Self::RiskRaised | Self::NotCompliant | Self::OptedOut => standing(world::TRANSMITTER),
            // Lapsed before, but later than what may still be under way.
            Self::DisabledByIssuer => {
                (limits.longest_token_age + limits.skew).max(RetentionLimits::TOMBSTONE)
            }
            Self::RiskGone | Self::Compliant | Self::Cleared => RetentionLimits::TOMBSTONE,
            Self::DisabledByOther => Duration::from_secs(LIFTED_AFTER_DAYS * DAY),
            // Stays, because what it lifts may stand under another name of the account: one entry at most for each
            // account and transmitter.
            Self::EnabledByOther => Duration::from_secs(DAYS * DAY),
            Self::LocationChallenged => RetentionLimits::LOCATION_CHALLENGE,
        }
    }

    fn a_day(self) -> u32 {
        let (_, share) = SHARES.iter().find(|(kind, _)| *kind == self).unwrap();
        EVENTS_A_DAY * share / 100
    }

    /// The most entries of this kind that cleaning once a day leaves: those of the days within which it is kept, of
    /// the day that is over, and of the second in which it begins to count.
    fn most_entries(self, limits: &RetentionLimits) -> u64 {
        u64::from(self.a_day()) * (self.kept(limits).as_secs().div_ceil(DAY) + 1)
    }

    fn change(
        self,
        number: u32,
        at: u64,
        issuer: TransmitterId,
        other: TransmitterId,
    ) -> (StateKey, Record) {
        let user = number % USERS;
        let none = Record::default();
        let of_user = |record| (key(SubjectKind::User, user), record);
        let of_device = |value| {
            let compliance = vec![(issuer, entry(at, value))];
            (
                key(SubjectKind::Device, user),
                Record {
                    compliance,
                    ..none.clone()
                },
            )
        };
        let cut_off = |cause| Record {
            cut_off: Some(entry(at, cause)),
            ..none.clone()
        };
        let status = |by, value| Record {
            status: vec![(by, entry(at, value))],
            ..none.clone()
        };
        let risk = |value| Record {
            risk: vec![(issuer, entry(at, value))],
            ..none.clone()
        };
        match self {
            Self::UserRevoked => of_user(cut_off(Cause::PasswordChange)),
            // Session ids never come again.
            Self::SessionRevoked => (
                key(SubjectKind::Session, number),
                cut_off(Cause::SessionRevoked),
            ),
            Self::SessionOfUserRevoked => {
                let session = Member {
                    kind: SubjectKind::Session,
                    keys: vec![(NameSpace::Native, key(SubjectKind::Session, number))],
                };
                let scope = CutOffScope {
                    members: vec![session],
                    unseen: UnseenMember::FailSafeSession,
                };
                of_user(Record {
                    scoped: vec![(scope, entry(at, Cause::SessionRevoked))],
                    ..none
                })
            }
            Self::MfaEnabled => of_user(Record {
                mfa_enabled: Some(entry(at, MultiFactor::Enabled)),
                ..none
            }),
            Self::RiskRaised => of_user(risk(
                [RiskLevel::Medium, RiskLevel::High][number as usize % 2],
            )),
            Self::RiskGone => of_user(risk(RiskLevel::None)),
            Self::NotCompliant => of_device(DeviceCompliance::NotCompliant),
            Self::Compliant => of_device(DeviceCompliance::Compliant),
            Self::DisabledByIssuer => of_user(status(issuer, AccountStatus::Disabled)),
            Self::DisabledByOther => of_user(status(other, AccountStatus::Disabled)),
            Self::EnabledByOther => of_user(status(other, AccountStatus::Enabled)),
            Self::AssuranceFell => {
                let level = AssuranceLevel::new("nist-aal1").unwrap();
                of_user(Record {
                    assurance: vec![(issuer, entry(at, level))],
                    ..none
                })
            }
            Self::ClaimChanged => {
                let role = ClaimValue::of("role", &json!("reader"));
                of_user(Record {
                    claims: vec![(ClaimName::new("role").unwrap(), entry(at, role))],
                    ..none
                })
            }
            Self::OptedOut => of_user(Record {
                opt_out: vec![(issuer, entry(at, OptOut::OptedOut))],
                ..none
            }),
            Self::Cleared => of_user(cut_off(Cause::Cleared)),
            Self::LocationChallenged => {
                let challenge = LocationChallenge {
                    place: u64::from(number).to_be_bytes(),
                    given: UnixTime::from_secs(at),
                };
                of_user(Record {
                    location_challenges: vec![challenge],
                    ..none
                })
            }
        }
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 32) as u32
    }
}

/// What is in the table, by what its entries say.
fn count(table: &StateTable) -> (u64, u64) {
    let (mut entries, mut bytes) = (0_u64, 0_u64);
    for (_, record) in table.iter_bytes() {
        bytes += record.len() as u64;
    }
    for (_, record) in table.iter() {
        let lists = [
            record.status.len(),
            record.risk.len(),
            record.compliance.len(),
            record.scoped.len(),
            record.location_challenges.len(),
            record.assurance.len(),
            record.claims.len(),
            record.opt_out.len(),
        ];
        let single = u64::from(record.cut_off.is_some()) + u64::from(record.mfa_enabled.is_some());
        entries += single + lists.iter().sum::<usize>() as u64;
    }
    (entries, bytes)
}

#[test]
fn state_stays_bounded_under_a_year_of_churn() {
    let (limits, issuer, other) = limits();
    let most_entries: u64 = SHARES
        .iter()
        .map(|(kind, _)| kind.most_entries(&limits))
        .sum();
    // An entry in a record of its own takes most.
    let bytes_of = |kind: Kind| {
        kind.change(u32::MAX, world::START + 400 * DAY, issuer, other)
            .1
            .to_bytes()
            .len()
    };
    let most_bytes: u64 = (SHARES.iter())
        .map(|(kind, _)| kind.most_entries(&limits) * bytes_of(*kind) as u64)
        .sum();
    let mut table = StateTable::default();
    let mut numbers = Numbers(1);
    let mut disabled: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    let mut fullest = 0;
    println!(
        "a million users, {EVENTS_A_DAY} events a day; at most {most_entries} entries, {most_bytes} bytes"
    );
    println!("day  records  entries  bytes of records  bytes of memory");
    for day in 0..DAYS {
        let midnight = world::START + day * DAY;
        let mut order = 0;
        for (kind, share) in SHARES {
            let lifted = match kind {
                Kind::EnabledByOther => disabled.remove(&day),
                _ => None,
            };
            for n in 0..EVENTS_A_DAY * share / 100 {
                let number = match &lifted {
                    Some(lifted) => lifted[n as usize],
                    None => numbers.next(),
                };
                if kind == Kind::DisabledByOther {
                    disabled
                        .entry(day + LIFTED_AFTER_DAYS)
                        .or_default()
                        .push(number);
                }
                // Spread over the day, in another order than that of the kinds.
                order = (order + 7_919) % u64::from(EVENTS_A_DAY);
                let at = midnight + order * DAY / u64::from(EVENTS_A_DAY);
                let (key, record) = kind.change(number, at, issuer, other);
                table.merge(&key, &record);
            }
        }
        table.clean(UnixTime::from_secs(midnight + DAY), &limits);
        if day % 30 == 29 || day == DAYS - 1 {
            let (entries, bytes) = count(&table);
            println!(
                "{:>3}  {:>7}  {entries:>7}  {bytes:>16}  {:>15}",
                day + 1,
                table.len(),
                table.heap_bytes()
            );
            assert!(entries <= most_entries, "{entries}");
            assert!(bytes <= most_bytes, "{bytes}");
            fullest = fullest.max(entries);
        }
        assert!(
            table.len() as u64 <= most_entries,
            "day {day}: {}",
            table.len()
        );
    }
    assert!(
        fullest * 2 > most_entries,
        "the bound says something: {fullest} of {most_entries}"
    );
    // Nothing happens any more except that what is still disabled is lifted.
    for (day, lifted) in disabled {
        for number in lifted {
            let (key, record) =
                Kind::EnabledByOther.change(number, world::START + day * DAY, issuer, other);
            table.merge(&key, &record);
        }
    }
    let longest = SHARES
        .iter()
        .map(|(kind, _)| kind.kept(&limits))
        .max()
        .unwrap()
        .as_secs();
    let end = UnixTime::from_secs(world::START + (DAYS + LIFTED_AFTER_DAYS + 1) * DAY + longest);
    table.clean(end, &limits);
    let lifted = u64::from(Kind::EnabledByOther.a_day()) * (DAYS + LIFTED_AFTER_DAYS);
    assert!(
        (1..=lifted).contains(&(table.len() as u64)),
        "{}",
        table.len()
    );
    for (_, record) in table.iter() {
        let only = Record {
            status: record.status.clone(),
            ..Record::default()
        };
        assert_eq!(
            record, only,
            "nothing is kept for ever but that an account was lifted"
        );
        assert!(
            matches!(&record.status[..], [(by, entry)] if *by == other && entry.value == AccountStatus::Enabled)
        );
    }
    // Where every transmitter acts for its issuer nothing stays until it is lifted, and so nothing that lifts.
    let mut alone = limits;
    alone.transmitters.remove(&other);
    table.clean(end, &alone);
    assert_eq!((table.len(), table.heap_bytes()), (0, 0));
}

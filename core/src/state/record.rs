//! What is known about one key, as a join-semilattice with canonical bytes.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use sha2::{Digest as _, Sha256};

pub use super::assurance::AssuranceLevel;
use super::claim::{ClaimName, ClaimValue};
use super::key::{NameSpace, StateKey, SubjectKind};
use crate::time::{EventTime, UnixTime};

/// Names the transmitter that set a standing value: the first 8 bytes of SHA-256 of its issuer URL.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TransmitterId(pub [u8; 8]);

impl TransmitterId {
    /// The id of the transmitter with this issuer URL.
    #[must_use]
    pub fn of(issuer_url: &str) -> Self {
        Self(first_8(Sha256::digest(issuer_url)))
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for TransmitterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A value with the two times that order it: later event time, then later `iat` of the SET, then the stricter
/// value (`enforcement.md` §4).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry<T> {
    /// Time of the event.
    pub at: EventTime,
    /// `iat` of the SET that reported it.
    pub issued: UnixTime,
    /// The value; larger is stricter.
    pub value: T,
}

/// Why a cut-off was set. Ordered: between two causes of one time the larger one stays. The default is neutral.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Cause {
    /// A neutral value, set by an operator.
    #[default]
    Cleared = 0,
    /// What tokens say of groups, roles or other claims no longer holds.
    ClaimsChange = 1,
    /// Sessions or tokens were revoked.
    SessionRevoked = 2,
    /// A credential was revoked or deleted.
    CredentialChange = 3,
    /// An identifier changed, or moved to somebody else.
    IdentifierChange = 4,
    /// A password or PIN changed.
    PasswordChange = 5,
    /// A credential has to be changed.
    CredentialChangeRequired = 6,
    /// A credential was found compromised.
    CredentialCompromise = 7,
    /// Risk rose to the critical level.
    RiskLevel = 8,
    /// A device stopped being compliant.
    DeviceCompliance = 9,
    /// The account was disabled.
    AccountDisabled = 10,
    /// The account was purged or deleted.
    AccountPurged = 11,
}

/// Whether multi-factor authentication was enabled. Ordered by strictness; the default is neutral.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum MultiFactor {
    /// A neutral value, set by an operator.
    #[default]
    Cleared = 0,
    /// Older tokens need positive evidence of it.
    Enabled = 1,
}

/// Account status. Ordered by strictness; the default is neutral.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum AccountStatus {
    /// May sign in.
    #[default]
    Enabled = 0,
    /// May not sign in until enabled.
    Disabled = 1,
    /// Deleted.
    Purged = 2,
}

/// Risk level. Ordered by strictness; the default is neutral.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum RiskLevel {
    /// No risk.
    #[default]
    None = 0,
    /// Low.
    Low = 1,
    /// Medium.
    Medium = 2,
    /// High.
    High = 3,
}

/// Compliance of a device. Ordered by strictness; the default is neutral.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum DeviceCompliance {
    /// Meets the rules of its owner.
    #[default]
    Compliant = 0,
    /// Does not.
    NotCompliant = 1,
}

/// Whether an account is part of a feed (RISC 1.0 §2.8). It has no effect on tokens: it tells how much silence is worth.
/// Ordered by how little is heard; the default is neutral.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum OptOut {
    /// Events about the account are sent.
    #[default]
    OptedIn = 0,
    /// They are still sent; the account is about to leave.
    Initiated = 1,
    /// None are sent any more.
    OptedOut = 2,
}

/// What a remaining member means for a token that cannot show it (`unseenMember`, `enforcement.md` §2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum UnseenMember {
    /// It does not match.
    Precise = 0,
    /// An unseen session matches, any other unseen member does not.
    FailSafeSession = 1,
    /// It matches.
    FailSafe = 2,
}

/// One member of a complex subject that the token has to match beside the key it is filed under.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Member {
    /// What the member is.
    pub kind: SubjectKind,
    /// Any one of these identifies it (several for `aliases`); sorted, never empty.
    pub keys: Vec<(NameSpace, StateKey)>,
}

/// What selects the tokens that a scoped cut-off refuses.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CutOffScope {
    /// All members besides the one whose key the record has; sorted by kind.
    pub members: Vec<Member>,
    /// How members are treated that a token does not show.
    pub unseen: UnseenMember,
}

impl CutOffScope {
    /// Most keys that the members of one scope have together.
    pub const MOST_KEYS: usize = 32;
}

/// A remembered location challenge (`enforcement.md` §6).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LocationChallenge {
    /// First 8 bytes of SHA-256 over the length-prefixed client application id and client address.
    pub place: [u8; 8],
    /// When the challenge was given.
    pub given: UnixTime,
}

impl LocationChallenge {
    /// Most challenges that one record remembers; the latest stay.
    pub const MOST: usize = 16;

    /// The place of a client application at an address; the address as the engine compares it (IPv4-mapped
    /// addresses unwrapped).
    #[must_use]
    pub fn place(client_application: Option<&str>, address: IpAddr) -> [u8; 8] {
        // An absent client is not a client whose id is empty.
        let mut hash = Sha256::new();
        if let Some(client) = client_application {
            hash.update(
                u64::try_from(client.len())
                    .unwrap_or(u64::MAX)
                    .to_be_bytes(),
            );
            hash.update(client);
        } else {
            hash.update(u64::MAX.to_be_bytes());
        }
        match address {
            IpAddr::V4(address) => hash.update(address.octets()),
            IpAddr::V6(address) => hash.update(address.octets()),
        }
        first_8(hash.finalize())
    }
}

fn first_8(digest: impl IntoIterator<Item = u8>) -> [u8; 8] {
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(digest) {
        *to = from;
    }
    first
}

/// Everything known about one key. The default is the neutral element of [`Record::merge`].
///
/// INVARIANT (lists sorted): every list is strictly ascending by what it is a map of (transmitter, scope, place);
/// [`Record::merge`] and [`Record::from_bytes`] keep it so.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// Tokens issued before the next second after the entry's time are refused.
    pub cut_off: Option<Entry<Cause>>,
    /// Multi-factor authentication was enabled: older tokens need positive evidence of it.
    pub mfa_enabled: Option<Entry<MultiFactor>>,
    /// Account status by transmitter; sorted.
    pub status: Vec<(TransmitterId, Entry<AccountStatus>)>,
    /// Risk level by transmitter; sorted.
    pub risk: Vec<(TransmitterId, Entry<RiskLevel>)>,
    /// Device compliance by transmitter; sorted.
    pub compliance: Vec<(TransmitterId, Entry<DeviceCompliance>)>,
    /// Cut-offs that hold only for tokens that match further members; sorted, at most [`Record::MOST_SCOPES`].
    pub scoped: Vec<(CutOffScope, Entry<Cause>)>,
    /// The 16 latest location challenges, sorted by place.
    pub location_challenges: Vec<LocationChallenge>,
    /// The level that assurance fell to, by transmitter: older tokens must not claim more; sorted.
    pub assurance: Vec<(TransmitterId, Entry<AssuranceLevel>)>,
    /// New values of claims: older tokens must show them; sorted, at most [`Record::MOST_CLAIMS`].
    pub claims: Vec<(ClaimName, Entry<ClaimValue>)>,
    /// Whether events are sent about the account, by transmitter; sorted.
    pub opt_out: Vec<(TransmitterId, Entry<OptOut>)>,
}

impl Record {
    /// Nothing is known; the default.
    pub const EMPTY: Self = Self {
        cut_off: None,
        mfa_enabled: None,
        status: Vec::new(),
        risk: Vec::new(),
        compliance: Vec::new(),
        scoped: Vec::new(),
        location_challenges: Vec::new(),
        assurance: Vec::new(),
        claims: Vec::new(),
        opt_out: Vec::new(),
    };

    /// Most scoped cut-offs of one record; beyond that the earliest become one for every token (see
    /// [`Record::merge`]).
    pub const MOST_SCOPES: usize = 32;

    /// Most changed claims of one record; beyond that as [`Record::MOST_SCOPES`].
    pub const MOST_CLAIMS: usize = 32;

    /// Whether nothing is known: the record need not be kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The change by which an operator clears a subject: every field gets its neutral value at event time `now`
    /// (`enforcement.md` §4). Nothing is deleted; merged like any other change, it lifts what is earlier and yields to
    /// what is later.
    ///
    /// `transmitters` are those whose standing values are lifted: every configured one, since an event of before `now`
    /// may still be under way. The cleared cut-off stands for scoped cut-offs and claims as well, whose names only
    /// events know ([`Record::is_cleared`]). Location challenges have no neutral value; they pass within the hour.
    #[must_use]
    pub fn cleared(now: UnixTime, transmitters: impl IntoIterator<Item = TransmitterId>) -> Self {
        let mut transmitters: Vec<_> = transmitters.into_iter().collect();
        transmitters.sort_unstable();
        transmitters.dedup();
        Self {
            cut_off: Some(neutral(now)),
            mfa_enabled: Some(neutral(now)),
            status: neutral_by(&transmitters, now),
            risk: neutral_by(&transmitters, now),
            compliance: neutral_by(&transmitters, now),
            assurance: neutral_by(&transmitters, now),
            opt_out: neutral_by(&transmitters, now),
            ..Self::EMPTY
        }
    }

    /// Whether a scoped cut-off or a claim with these times came before a clearing.
    ///
    /// A later cut-off takes the place of the clearing in the record, but refuses every token that the lifted entry
    /// would.
    #[must_use]
    pub fn is_cleared<T>(&self, entry: &Entry<T>) -> bool {
        let clearing = self
            .cut_off
            .filter(|cut_off| cut_off.value == Cause::Cleared);
        clearing.is_some_and(|by| (entry.at, entry.issued) < (by.at, by.issued))
    }
}

fn neutral<T: Default>(now: UnixTime) -> Entry<T> {
    Entry {
        at: now.into(),
        issued: now,
        value: T::default(),
    }
}

fn neutral_by<T: Default>(
    transmitters: &[TransmitterId],
    now: UnixTime,
) -> Vec<(TransmitterId, Entry<T>)> {
    let entries = transmitters.iter().map(|by| (*by, neutral(now)));
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_differ_by_client_and_address() {
        let places = [
            (None, "192.0.2.1"),
            (Some(""), "192.0.2.1"),
            (Some("a"), "192.0.2.1"),
            (Some("a"), "192.0.2.2"),
            (Some("a"), "::ffff:192.0.2.1"),
        ]
        .map(|(client, address)| LocationChallenge::place(client, address.parse().unwrap()));
        for (n, place) in places.iter().enumerate() {
            assert!(!places[..n].contains(place), "place {n} repeats another");
        }
    }

    #[test]
    fn a_transmitter_is_named_by_its_url() {
        // First 8 bytes of `printf %s https://idp.example | sha256sum`.
        assert_eq!(
            alloc::format!("{}", TransmitterId::of("https://idp.example")),
            "512a336b79b57eb3"
        );
    }
}

//! What is known about one key, as a join-semilattice with canonical bytes.

use alloc::vec::Vec;

use super::key::{NameSpace, StateKey, SubjectKind};
use crate::time::{EventTime, UnixTime};

/// Names the transmitter that set a standing value: the first 8 bytes of SHA-256 of its issuer URL.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TransmitterId(pub [u8; 8]);

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

/// Why a cut-off was set. Ordered: between two causes of one time the larger one stays.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Cause {
    /// A neutral value, set by an operator.
    Cleared = 0,
    /// Sessions or tokens were revoked.
    SessionRevoked = 1,
    /// A credential was revoked or deleted, or an identifier moved to somebody else.
    CredentialChange = 2,
    /// A password or PIN changed.
    PasswordChange = 3,
    /// A credential was found compromised, or had to be changed.
    CredentialCompromise = 4,
    /// Risk rose to the critical level.
    RiskLevel = 5,
    /// A device stopped being compliant.
    DeviceCompliance = 6,
    /// The account was disabled.
    AccountDisabled = 7,
    /// The account was purged or deleted.
    AccountPurged = 8,
}

/// Account status. Ordered by strictness.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum AccountStatus {
    /// May sign in.
    Enabled = 0,
    /// May not sign in until enabled.
    Disabled = 1,
    /// Deleted.
    Purged = 2,
}

/// Risk level. Ordered by strictness.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum RiskLevel {
    /// No risk.
    None = 0,
    /// Low.
    Low = 1,
    /// Medium.
    Medium = 2,
    /// High.
    High = 3,
}

/// Compliance of a device. Ordered by strictness.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum DeviceCompliance {
    /// Meets the rules of its owner.
    Compliant = 0,
    /// Does not.
    NotCompliant = 1,
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

/// A remembered location challenge (`enforcement.md` §6).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LocationChallenge {
    /// First 8 bytes of SHA-256 over the length-prefixed client application id and client address.
    pub place: [u8; 8],
    /// When the challenge was given.
    pub given: UnixTime,
}

/// Everything known about one key. The default is the neutral element of [`Record::merge`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// Tokens issued before the next second after the entry's time are refused.
    pub cut_off: Option<Entry<Cause>>,
    /// Multi-factor authentication was enabled: older tokens need positive evidence of it.
    pub mfa_enabled: Option<Entry<()>>,
    /// Account status by transmitter; sorted.
    pub status: Vec<(TransmitterId, Entry<AccountStatus>)>,
    /// Risk level by transmitter; sorted.
    pub risk: Vec<(TransmitterId, Entry<RiskLevel>)>,
    /// Device compliance by transmitter; sorted.
    pub compliance: Vec<(TransmitterId, Entry<DeviceCompliance>)>,
    /// Cut-offs that hold only for tokens that match further members; sorted.
    pub scoped: Vec<(CutOffScope, Entry<Cause>)>,
    /// The 16 latest location challenges, sorted by place.
    pub location_challenges: Vec<LocationChallenge>,
}

/// Record bytes that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("record bytes cannot be read")]
pub struct RecordError;

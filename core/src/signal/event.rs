//! What happened, whichever vocabulary says so.

use alloc::string::String;
use alloc::vec::Vec;

use crate::state::SubjectKind;
use crate::state::claim::{ClaimName, ClaimValue};
use crate::state::record::{AccountStatus, AssuranceLevel, DeviceCompliance, OptOut, RiskLevel};

/// One event, as far as it matters to tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// Sessions were revoked (CAEP 1.0 §3.1), or somebody was logged out (OpenID Connect Back-Channel Logout 1.0).
    SessionRevoked,
    /// Every session of an account was revoked (RISC 1.0 §2.11).
    SessionsRevoked,
    /// Every token of an account or a client was revoked (OAuth Event Types).
    TokensRevoked,
    /// Claims have new values (CAEP 1.0 §3.2).
    TokenClaimsChange(Vec<(ClaimName, ClaimValue)>),
    /// Groups, roles or other facts behind the claims of tokens changed, and the new values are not told, or too many.
    AccessChange,
    /// These users, by their native ids, left the group that the subject names (RFC 9967 §2.4.2).
    MembershipEnd(Vec<String>),
    /// A credential changed (CAEP 1.0 §3.3).
    CredentialChange {
        /// Which credential.
        credential: Credential,
        /// How it changed.
        change: CredentialChange,
    },
    /// A credential of a client changed (OAuth Event Types).
    ClientCredentialChange,
    /// A credential has to be changed (RISC 1.0 §2.1).
    CredentialChangeRequired,
    /// A credential was found compromised (RISC 1.0 §2.7).
    CredentialCompromise,
    /// An address or a number changed, or belongs to somebody else now (RISC 1.0 §2.5–2.6).
    IdentifierChange,
    /// Assurance fell to this level (CAEP 1.0 §3.4).
    AssuranceDecrease(AssuranceLevel),
    /// Risk changed (CAEP 1.0 §3.8).
    RiskLevelChange {
        /// Whose; `None` for a principal that this engine does not know.
        principal: Option<SubjectKind>,
        /// The level now.
        current: RiskLevel,
        /// The level before, if the transmitter knows it.
        previous: Option<RiskLevel>,
    },
    /// Compliance of a device changed (CAEP 1.0 §3.5).
    DeviceComplianceChange {
        /// The status now.
        current: DeviceCompliance,
    },
    /// An account was disabled, enabled or deleted (RISC 1.0 §2.2–2.4, RFC 9967 §2.4): a user's, or an application's
    /// where the subject names one and no user.
    Account(AccountStatus),
    /// A client was disabled or enabled (OAuth Event Types).
    Client(AccountStatus),
    /// An account enters or leaves what a transmitter reports (RISC 1.0 §2.8, RFC 9967 §2.3).
    OptOut(OptOut),
    /// The receiver asked for, or the transmitter sent, a sign of life (SSF 1.0 §8.1.4).
    Verification,
    /// The stream was paused, disabled or enabled (SSF 1.0 §8.1.5).
    StreamUpdated,
    /// Understood, and without effect on tokens.
    Informational,
    /// An event type that no vocabulary has: acknowledged, without effect.
    Unknown,
}

/// The credential of a credential change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credential {
    /// What the user knows: password, PIN.
    Secret,
    /// Every other one, also one of a type that nobody has heard of.
    Factor,
}

/// How a credential changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialChange {
    /// Added.
    Create,
    /// Taken away.
    Revoke,
    /// Changed or reset.
    Update,
    /// Deleted.
    Delete,
}

/// Who caused an event, as far as it matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Initiator {
    /// The user.
    User,
    /// Administrator, policy, system, somebody unknown, or nobody named.
    NotTheUser,
}

//! What happened, whichever vocabulary says so.

use super::rejection::Rejection;
use super::set::Payload;
use super::{caep, risc, ssf};
use crate::state::SubjectKind;
use crate::state::record::{AccountStatus, DeviceCompliance, RiskLevel};

/// One event, as far as it matters to tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// Sessions were revoked (CAEP 1.0 §3.1).
    SessionRevoked,
    /// Every session of an account was revoked (RISC 1.0 §2.11).
    SessionsRevoked,
    /// A credential changed (CAEP 1.0 §3.3).
    CredentialChange {
        /// Which credential.
        credential: Credential,
        /// How it changed.
        change: CredentialChange,
    },
    /// A credential was found compromised (RISC 1.0 §2.7).
    CredentialCompromise,
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
    /// An account was disabled, enabled or purged (RISC 1.0 §2.2–2.4).
    Account(AccountStatus),
    /// The receiver asked for, or the transmitter sent, a sign of life (SSF 1.0 §8.1.4).
    Verification,
    /// The stream was paused, disabled or enabled (SSF 1.0 §8.1.5).
    StreamUpdated,
    /// Any other event type: acknowledged, without effect.
    NotYetUnderstood,
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

impl Event {
    /// Reads one member of `events`.
    ///
    /// # Errors
    /// `invalid_request` for a payload that breaks the rules of a known event type.
    pub(super) fn read(uri: &str, payload: &Payload<'_>) -> Result<Self, Rejection> {
        for (base, vocabulary) in VOCABULARIES {
            if let Some(name) = uri.strip_prefix(base) {
                return vocabulary(name, payload);
            }
        }
        Ok(Self::NotYetUnderstood)
    }
}

type Vocabulary = fn(name: &str, payload: &Payload<'_>) -> Result<Event, Rejection>;

/// Base URI of each vocabulary. A further vocabulary is one more line and one more module.
const VOCABULARIES: &[(&str, Vocabulary)] = &[
    (
        "https://schemas.openid.net/secevent/caep/event-type/",
        caep::read,
    ),
    (
        "https://schemas.openid.net/secevent/risc/event-type/",
        risc::read,
    ),
    (
        "https://schemas.openid.net/secevent/ssf/event-type/",
        ssf::read,
    ),
    // The name of the framework before its second implementer's draft; a transmitter without `spec_version` is to
    // be taken for one of that time (SSF 1.0 §7.1).
    (
        "https://schemas.openid.net/secevent/sse/event-type/",
        ssf::read,
    ),
];

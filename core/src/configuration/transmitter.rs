//! Who may send security events, about whom, and how they are read.

pub(super) mod reading;

use alloc::string::String;
use alloc::vec::Vec;

use crate::state::record::{TransmitterId, UnseenMember};
use crate::token::keys::{Algorithm, KeySet};

/// One transmitter (`enforcement.md` §8, "per transmitter").
#[derive(Clone, Debug)]
pub struct Transmitter {
    /// Its issuer URL; `iss` of its SETs must equal it.
    pub issuer: String,
    /// Names it in records.
    pub id: TransmitterId,
    /// Accepted `aud` values, of which one is enough; empty accepts SETs without or with any audience. In the logout
    /// tokens of an issuer it is the client id under which this API, or the client before it, is registered there.
    pub audiences: Vec<String>,
    /// Accepted signature algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Its keys; empty until the host fetched them, if only [`Transmitter::jwks_uri`] is given.
    pub keys: KeySet,
    /// Where the host fetches its keys.
    pub jwks_uri: Option<String>,
    /// Indexes into `Configuration::issuers` that it may speak for.
    pub speaks_for: Vec<usize>,
    /// Whether its word about an account is the issuer's own word. `None`: true where its issuer URL is an
    /// alias of the token's issuer.
    pub acts_for_issuer: Option<bool>,
    /// The scope in which `opaque` identifiers are filed when several issuers are spoken for.
    pub opaque_scope: Option<String>,
    /// Whether legacy shapes (`ssf.md` §9) are read.
    pub legacy: bool,
    /// Whether a session-revoked of a user, initiated by that user, cuts off.
    pub session_revoked_by_user: SessionRevokedByUser,
    /// Whether a factor that the user added counts as "MFA enabled".
    pub mfa_enabled_by_user: bool,
    /// Unseen members; overrides the engine setting.
    pub unseen_member: Option<UnseenMember>,
    /// After how many seconds standing state of this transmitter lapses.
    pub standing_state_max_age: u64,
    /// `critical_subject_members` of its metadata: an event with one that is not understood is discarded.
    pub critical_subject_members: Vec<String>,
    /// When the host holds its events back.
    pub brake: Option<Brake>,
}

/// A bound on how many subjects one transmitter may touch (`enforcement.md` §4). The host watches it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Brake {
    /// More distinct subjects than this within a minute raise an alarm.
    pub subjects_per_minute: u64,
    /// Whether events other than account events then wait for an operator.
    pub hold: bool,
}

/// What a `session-revoked` initiated by the user means.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SessionRevokedByUser {
    /// An ordinary sign-out: no effect.
    Ignore,
    /// As any other revocation.
    #[default]
    Revoke,
}

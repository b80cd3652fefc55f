//! The typed claims of an access token, as far as decisions need them.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::Value;
use crate::state::key::{NameSpace, StateKey, SubjectKind};
use crate::time::UnixTime;

/// A fact that the token may or may not show.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fact<T> {
    /// The token shows it.
    Known(T),
    /// The token does not say (claim absent, groups overage).
    Unknown,
}

impl<T> Fact<T> {
    /// The value, if known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }
}

/// Who the token speaks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Principal {
    /// A user, through a client.
    User,
    /// The client itself (client credentials).
    Application,
}

/// Member or guest of the tenant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UserType {
    /// An ordinary member.
    Member,
    /// A guest.
    Guest,
}

/// `cnf`: the key that the presenter has to prove possession of (RFC 7800, RFC 8705 §3, RFC 9449 §6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Confirmation {
    /// `jkt`: SHA-256 thumbprint of a DPoP key, base64url.
    Jkt(String),
    /// `x5t#S256`: SHA-256 of the client certificate, base64url.
    X5tS256(String),
    /// A member that this engine does not know: no proof can satisfy it.
    Unknown,
}

/// One state key that the token yields, and what it stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SubjectKey {
    /// What it identifies.
    pub kind: SubjectKind,
    /// In which name space; `Native` keys are the stable ones.
    pub name_space: NameSpace,
    /// The key.
    pub key: StateKey,
}

/// A token whose form, issuer, audience and times were accepted. Its signature is the host's to check.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// Index into `Configuration::issuers`.
    pub issuer: usize,
    /// `iss` as sent.
    pub issuer_url: String,
    /// `tid` in lower case, for Entra tokens.
    pub tenant: Option<String>,
    /// Scope in which its subjects are filed.
    pub scope: String,
    /// User or application.
    pub principal: Principal,
    /// The user identifier that policies name (`oid` for Entra), in lower case; for an application its
    /// service principal id.
    pub subject: Option<String>,
    /// Client application id (`appid`, `azp`, `cid`, `client_id`) as sent.
    pub client_application: Option<String>,
    /// Token id (`uti`, `jti`).
    pub token_id: Option<String>,
    /// The keys its decision needs, at most a dozen, without repeats, in a fixed order: user, session, device,
    /// token, client application, service principal, tenant.
    pub keys: Vec<SubjectKey>,
    /// `iat`, or a later `nbf` where that counts: what "issued before" is measured by (`enforcement.md` §3).
    pub issued_earliest: UnixTime,
    /// `iat` plus the backdating of the issuer: what age is measured by.
    pub issued_latest: UnixTime,
    /// `iat` as sent.
    pub issued_at: UnixTime,
    /// `nbf` as sent.
    pub not_before: Option<UnixTime>,
    /// min(`exp`, latest issue time + age cap): never used at or after this instant plus skew.
    pub good_until: UnixTime,
    /// `exp` as sent.
    pub expires: UnixTime,
    /// Declares `cp1`.
    pub capable: bool,
    /// `cnf`.
    pub confirmation: Option<Confirmation>,
    /// Group ids in lower case; overage is unknown.
    pub groups: Fact<Vec<String>>,
    /// Directory role template ids (`wids`) in lower case.
    pub directory_roles: Fact<Vec<String>>,
    /// Member or guest.
    pub user_type: Fact<UserType>,
    /// Whether the token shows that type itself, and not only who signed the user in.
    pub user_type_shown: bool,
    /// Home tenant of the user in lower case, where the token shows another one than its own.
    pub external_tenant: Option<String>,
    /// Methods used (`amr`).
    pub amr: Fact<Vec<String>>,
    /// Authentication context class (`acr`).
    pub acr: Fact<String>,
    /// Authentication contexts (`acrs`).
    pub acrs: Fact<Vec<String>>,
    /// Flags of the sign-in (`signin_state`): `dvc_cmp`, `dvc_mngd` …
    pub signin_state: Fact<Vec<String>>,
    /// Time of the last authentication.
    pub auth_time: Fact<UnixTime>,
    /// Device id.
    pub device_id: Option<String>,
    /// Granted scopes (`scp`, `scope`) and application permissions (`roles`).
    pub scopes: Vec<String>,
    /// All claims, for events that name one.
    pub claims: Value,
}

//! Whose access tokens are accepted, and how their claims are read.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::policy::PolicySet;
use crate::token::claims::ClaimMap;
use crate::token::keys::{Algorithm, KeySet};

/// How a challenge to clients of this issuer is worded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// Entra claims challenges (`insufficient_claims`, `claims`).
    Entra,
    /// RFC 6750 and RFC 9470 (`invalid_token`, `insufficient_user_authentication`).
    OAuth,
}

/// A set of claim names and rules for the tokens of one product (`enforcement.md` §2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Preset {
    /// Entra ID, token version 1.0.
    EntraV1,
    /// Entra ID, token version 2.0.
    EntraV2,
    /// Keycloak.
    Keycloak,
    /// Okta, org and custom authorization servers.
    Okta,
    /// Google.
    Google,
    /// Any issuer of RFC 9068 tokens.
    Rfc9068,
}

impl Preset {
    /// Whether this is one of the Entra presets: tenant scope, both issuer forms, `xms_cc`.
    #[must_use]
    pub const fn is_entra(self) -> bool {
        matches!(self, Self::EntraV1 | Self::EntraV2)
    }
}

/// One issuer (`enforcement.md` §8, "per issuer").
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its URL; may hold `{tenantid}`.
    pub issuer: String,
    /// Tenants (lower case) that `{tenantid}` may stand for; empty when the URL holds no placeholder.
    pub tenants: Vec<String>,
    /// Other URLs under which the same issuer speaks; may hold `{tenantid}` if `issuer` does.
    pub issuer_aliases: Vec<String>,
    /// The preset that the rest started from.
    pub preset: Preset,
    /// Which claim plays which part.
    pub claims: ClaimMap,
    /// Scope of its subjects; `None` is the tenant for Entra presets, else the issuer URL.
    pub scope: Option<String>,
    /// Accepted `typ` values in lower case, without the `application/` prefix.
    pub types: Vec<String>,
    /// Accepted signature algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Its keys.
    pub keys: KeySet,
    /// Accepted `aud` values: its own, else those of the resource.
    pub audiences: Vec<String>,
    /// Wording of challenges.
    pub dialect: Dialect,
    /// By how many seconds its `iat` may lie before the real issue time.
    pub issue_time_backdated: u64,
    /// Whether it issues a token with `nbf` at or after the value that a challenge asks for.
    pub honours_nbf: bool,
    /// Whether it evaluated the policies listed under it when it issued the token, and will again.
    pub enforces_policies: bool,
    /// Whether the e-mail address in its tokens never moves to another person.
    pub email_is_stable: bool,
    /// User identifier → e-mail addresses and phone numbers that are known to be that user's.
    pub aliases: BTreeMap<String, Vec<String>>,
    /// Parts of the claim map whose absence from a token is a fact, not a gap.
    pub always_present: BTreeSet<String>,
    /// Control (`mfa`, `authenticationStrength:ID`, a context …) → `acr` value that shows it.
    pub acr_values: BTreeMap<String, String>,
    /// The policies for its tokens: those of the configuration and its own.
    pub policies: PolicySet,
}

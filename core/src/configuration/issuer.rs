//! Whose access tokens are accepted, and how their claims are read.

pub(super) mod aliases;
pub(super) mod reading;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::values;
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
    /// Its keys; empty until the host fetched them, if only [`Issuer::jwks_uri`] is given.
    pub keys: KeySet,
    /// Where the host fetches its keys.
    pub jwks_uri: Option<String>,
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
    /// `acr` value → assurance level that it stands for, as `assurance-level-change` events name levels.
    pub assurance_levels: BTreeMap<String, String>,
    /// The policies for its tokens: those of the configuration and its own.
    pub policies: PolicySet,
}

impl Issuer {
    /// Whether `name` is its URL or one of its aliases, as configured.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }

    /// Its URL and its aliases, as configured.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        [&self.issuer]
            .into_iter()
            .chain(&self.issuer_aliases)
            .map(String::as_str)
    }

    /// The URLs that `name` stands for: itself, or one for each tenant.
    pub(super) fn urls(&self, name: &str) -> Vec<String> {
        if !name.contains(values::TENANT_PLACEHOLDER) {
            return vec![name.into()];
        }
        let expanded = |tenant: &String| name.replace(values::TENANT_PLACEHOLDER, tenant);
        self.tenants.iter().map(expanded).collect()
    }

    /// Whether its subjects may be filed under `scope`: its own, a tenant of an Entra issuer, or its URL.
    pub(super) fn may_have_scope(&self, scope: &str) -> bool {
        let in_url = || self.issuer.split('/').find_map(values::guid);
        match &self.scope {
            Some(own) => own == scope,
            None if self.preset.is_entra() => {
                self.tenants.iter().any(|tenant| tenant == scope)
                    || in_url().is_some_and(|tenant| tenant == scope)
            }
            None => self.issuer == scope,
        }
    }

    /// Whether its URL says which tenant issued a token, as an Entra issuer's must.
    pub(super) fn names_tenant(&self) -> bool {
        self.issuer.contains(values::TENANT_PLACEHOLDER)
            || self.issuer.split('/').any(values::is_guid)
    }
}

//! What a token shows about how its user signed in.

use super::access_token::{AccessToken, Fact};
use crate::configuration::Issuer;
use crate::state::record::AssuranceLevel;

/// `amr` values that stand for multi-factor authentication: RFC 8176 §2 `mfa`, and Entra's `ngcmfa`
/// (`access-token.md` §2.2).
const MULTI_FACTOR: [&str; 2] = ["mfa", "ngcmfa"];

impl AccessToken {
    /// Whether the token shows multi-factor authentication; `None` if it does not say.
    ///
    /// A present claim without the needed value says no, an absent one says nothing (`enforcement.md` §1).
    #[must_use]
    pub fn shows_mfa(&self, issuer: &Issuer) -> Option<bool> {
        let by_methods = self.amr.known().map(|methods| {
            methods
                .iter()
                .any(|method| MULTI_FACTOR.contains(&method.as_str()))
        });
        either(by_methods, self.shows_acr(issuer, "mfa"))
    }

    /// Whether the token shows a compliant device (`signin_state`); `None` if it does not say.
    #[must_use]
    pub fn shows_compliant_device(&self, issuer: &Issuer) -> Option<bool> {
        either(
            self.shows_flag("dvc_cmp"),
            self.shows_acr(issuer, "compliantDevice"),
        )
    }

    /// Whether the token shows a hybrid-joined device (`signin_state`); `None` if it does not say.
    #[must_use]
    pub fn shows_hybrid_joined_device(&self, issuer: &Issuer) -> Option<bool> {
        either(
            self.shows_flag("dvc_dmjd"),
            self.shows_acr(issuer, "domainJoinedDevice"),
        )
    }

    fn shows_flag(&self, flag: &str) -> Option<bool> {
        self.signin_state
            .known()
            .map(|flags| flags.iter().any(|shown| shown == flag))
    }

    /// Whether the token shows the authentication context `context`, by `acrs` or the configured `acr` value.
    #[must_use]
    pub fn shows_context(&self, issuer: &Issuer, context: &str) -> bool {
        let by_contexts = self.acrs.known().is_some_and(|contexts| {
            contexts
                .iter()
                .any(|shown| shown.eq_ignore_ascii_case(context))
        });
        by_contexts || self.shows_acr(issuer, context) == Some(true)
    }

    /// The assurance level that `acr` stands for by the issuer's map; `None` if the token does not say, or the map.
    #[must_use]
    pub fn assurance_level(&self, issuer: &Issuer) -> Option<AssuranceLevel> {
        let level = issuer.assurance_levels.get(self.acr.known()?)?;
        AssuranceLevel::new(level)
    }

    /// Whether `acr` is the value configured for `control`; `None` without a mapping or without `acr`.
    #[must_use]
    pub fn shows_acr(&self, issuer: &Issuer, control: &str) -> Option<bool> {
        match (issuer.acr_values.get(control), &self.acr) {
            (Some(expected), Fact::Known(acr)) => Some(acr == expected),
            _ => None,
        }
    }
}

/// Evidence from two sources: one yes is enough, one no is better than nothing.
fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a || b),
        (one, None) | (None, one) => one,
    }
}

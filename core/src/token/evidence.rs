//! What a token shows about how its user signed in, by the table of [`evidence`].

use alloc::string::String;
use alloc::vec::Vec;

use super::access_token::{AccessToken, Fact};
use crate::configuration::Issuer;
use crate::policy::Truth;
use crate::policy::evidence::{self, COMPLIANT_DEVICE, HYBRID_JOINED_DEVICE, MFA};
use crate::policy::strength::AuthenticationStrength;
use crate::state::record::AssuranceLevel;

impl AccessToken {
    /// Whether the token shows multi-factor authentication; `None` if it does not say.
    ///
    /// A present claim without the needed value says no, an absent one says nothing (`enforcement.md` §1).
    #[must_use]
    pub fn shows_mfa(&self, issuer: &Issuer) -> Option<bool> {
        either(
            holds_one(&self.amr, evidence::values(MFA, "amr")),
            self.shows_acr(issuer, MFA),
        )
    }

    /// Whether the token shows a compliant device (`signin_state`); `None` if it does not say.
    #[must_use]
    pub fn shows_compliant_device(&self, issuer: &Issuer) -> Option<bool> {
        either(
            self.shows_flag(COMPLIANT_DEVICE),
            self.shows_acr(issuer, COMPLIANT_DEVICE),
        )
    }

    /// Whether the token shows a hybrid-joined device (`signin_state`); `None` if it does not say.
    #[must_use]
    pub fn shows_hybrid_joined_device(&self, issuer: &Issuer) -> Option<bool> {
        either(
            self.shows_flag(HYBRID_JOINED_DEVICE),
            self.shows_acr(issuer, HYBRID_JOINED_DEVICE),
        )
    }

    fn shows_flag(&self, control: &str) -> Option<bool> {
        holds_one(&self.signin_state, evidence::values(control, "signinState"))
    }

    /// Whether the token shows an authentication strength: by its methods, by the class that is configured for it, or,
    /// for the built-in multi-factor strength, by what shows multi-factor authentication.
    #[must_use]
    pub fn shows_strength(
        &self,
        issuer: &Issuer,
        control: &str,
        strength: Option<&AuthenticationStrength>,
    ) -> Option<bool> {
        let by_methods =
            self.amr.known().zip(strength).and_then(|(amr, strength)| {
                match strength.shown_by(amr) {
                    Truth::True => Some(true),
                    Truth::False => Some(false),
                    Truth::Unknown => None,
                }
            });
        let by_value = match evidence::values(control, "amr") {
            [] => None,
            values => holds_one(&self.amr, values),
        };
        either(
            either(by_methods, by_value),
            self.shows_acr(issuer, control),
        )
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

    /// Whether `acr` is the value configured for `control`, or `acrs` lists it; `None` without a mapping or without
    /// these claims.
    #[must_use]
    pub fn shows_acr(&self, issuer: &Issuer, control: &str) -> Option<bool> {
        let expected = issuer.acr_values.get(control)?;
        let by_class = self.acr.known().map(|acr| acr == expected);
        either(by_class, holds_one(&self.acrs, &[expected.as_str()]))
    }
}

/// Whether a list claim holds one of these values.
fn holds_one(claim: &Fact<Vec<String>>, values: &[&str]) -> Option<bool> {
    claim
        .known()
        .map(|list| list.iter().any(|shown| values.contains(&shown.as_str())))
}

/// Evidence from two sources: one yes is enough, one no is better than nothing.
fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a || b),
        (one, None) | (None, one) => one,
    }
}

//! What the issuer answers.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::lifetime::LifetimeRule;
use crate::configuration::Fault;
use crate::json::{Map, Value};
pub use crate::policy::outcome::PolicyAnswer;

/// The answer to a sign-in; as JSON the canonical answer of `sign_in`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SignInAnswer {
    /// The request was read and evaluated.
    Evaluated(SignInEvaluation),
    /// The request cannot be read.
    Unreadable(SignInFaults),
}

/// Every fault of a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignInFaults {
    /// Always [`SignInResult::Error`].
    pub result: SignInResult,
    /// Never empty.
    pub faults: Vec<Fault>,
}

/// What a sign-in comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInEvaluation {
    /// Grant, interaction required or block.
    pub result: SignInResult,
    /// OAuth error of the token endpoint; `None` for a grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// Entra's error number, where the fact sheet knows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is missing, by Graph's names of controls, sorted; `authenticationContext:ID` for a context, `acr:VALUE`
    /// for a class, `signInFrequency` and `maxAge` for a more recent sign-in, `signIn` for any sign-in.
    pub unmet: Vec<String>,
    /// The same in the order in which the user is asked for it; empty where interaction does not help.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<String>,
    /// Session controls of the enforced policies, merged (`policy-semantics.md` row 27); empty unless granted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub session_controls: BTreeMap<String, Value>,
    /// Every policy that this issuer evaluates, in the order of the configuration.
    pub policies: Vec<PolicyAnswer>,
    /// Lifetime of the access token; only for a grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u64>,
    /// `nbf` that the token must carry: the claims request asked for one, and the issuer honours it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// Claims that the token must carry besides those of any token of the issuer; empty unless granted.
    pub claims: Map<String, Value>,
    /// How the session is evaluated from here on; only for a grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continuous_access_evaluation: Option<SessionAnswer>,
}

/// The outcome of a sign-in.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SignInResult {
    /// A token is issued.
    Grant,
    /// The user has to do something first.
    InteractionRequired,
    /// Nothing that the user could do helps.
    Block,
    /// The request cannot be read.
    Error,
}

/// How a session is evaluated after its token was issued.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionAnswer {
    /// Whether the resource can challenge this token (`cp1`, and not disabled).
    pub enabled: bool,
    /// Whether location is enforced strictly.
    pub strict_location: bool,
    /// Whether the token is exempt from location enforcement at the resource for its hour (standard mode: the
    /// issuer sees an allowed address where the resource sees another).
    pub location_exempt: bool,
    /// The rule that set the lifetime.
    pub lifetime: LifetimeRule,
}

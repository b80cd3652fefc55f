//! Conditional Access policies: the Graph JSON model, compiled to a bitmap index, evaluated three-valued.
//!
//! The semantics are those of `policy-semantics.md`, whose rows the comments cite: a condition is true, false or
//! unknown; a policy applies if all are true, does not apply if one is false, and is undetermined otherwise.
//! Whatever a document holds that this engine does not understand makes a condition unknown, never absent.
//!
//! ```
//! use cae_core::json::{self, Limits};
//! use cae_core::policy::{Applicability, CompileContext, Facts, Identity, PolicySet, PolicySource, Target};
//! # use cae_core::configuration::{Resource, Settings, settings::*};
//! # use cae_core::state::record::RiskLevel;
//! # let settings = Settings { profile: Profile::Full, clock_skew: 60, signal_skew: 300, enforce_guests: true,
//! #   enforce_incapable_clients: true, location_enforcement: LocationEnforcement::Strict, max_location_ranges: None,
//! #   max_token_age_capable: 100_800, max_token_age_other: 86_400, critical_risk_level: RiskLevel::High,
//! #   undetermined: Undetermined::Report, undetermined_by_policy: Default::default(), unseen_member: None,
//! #   allow_tenant_wide: false, on_error: OnError::Deny, on_stale_signals: OnStaleSignals::Report,
//! #   max_signal_age: None, policy_change_grace: 7_200, policy_changed_at: Default::default(),
//! #   country_at_resource: false, private_addresses: PrivateAddresses::Missing, middle_tier_clients: vec![],
//! #   application_groups: Default::default(), required_scopes: Default::default(),
//! #   required_authentication_contexts: Default::default() };
//! let document = json::parse(br#"{
//!     "state": "enabled",
//!     "conditions": {
//!         "users": {"includeUsers": ["All"]},
//!         "applications": {"includeApplications": ["All"]},
//!         "userRiskLevels": ["high"]
//!     },
//!     "grantControls": {"operator": "OR", "builtInControls": ["block"]}
//! }"#, Limits::DOCUMENT)?;
//! let context = CompileContext { settings: &settings, resource: &Resource::default(),
//!     enforces_policies: false, undetermined_configured: false };
//! let policies = PolicySet::compile(&[PolicySource::new(&document, "/policies")], &context)?;
//!
//! let facts = Facts { identity: Identity::User(Some("ada")), target: Target::Application(None), ..Facts::UNKNOWN };
//! let candidates = policies.candidates(&facts);
//! let now_known = Facts { user_risk: Some(RiskLevel::High), ..facts };
//! let (policy, applies) = policies.evaluate(&candidates, &now_known).next().ok_or("no candidate")?;
//! assert!(policy.grant.blocks());
//! assert_eq!(applies, Applicability::Applies);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod address;
mod bits;
pub mod check;
pub mod compile;
pub mod conditions;
pub mod controls;
mod date;
mod document;
pub mod evaluate;
pub mod facts;
mod index;
pub mod location;
pub mod logic;

pub use compile::{CompileContext, CompiledPolicy, PolicySet, PolicySource, PolicyState};
pub use conditions::{Condition, ConditionSet};
pub use controls::{GrantControl, GrantControls, Operator, SessionControls};
pub use evaluate::{Applicability, Candidates};
pub use facts::{Facts, Identity, Target};
pub use logic::Truth;

#[cfg(test)]
mod tests;

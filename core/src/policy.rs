//! Conditional Access policies: the Graph JSON model, compiled to a bitmap index, evaluated three-valued.
//!
//! The semantics are those of `policy-semantics.md`, whose rows the comments cite: a condition is true, false or
//! unknown; a policy applies if all are true, does not apply if one is false, and is undetermined otherwise.
//! Whatever a document holds that this engine does not understand makes a condition unknown, never absent.
//!
//! ```
//! use cae_core::json::{self, Limits};
//! use cae_core::policy::{Applicability, CompileContext, Facts, Identity, PolicySet, PolicySource, Target};
//! use cae_core::configuration::{Resource, Settings};
//! use cae_core::state::record::RiskLevel;
//!
//! let settings = Settings::default();
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
pub mod date;
pub mod device;
mod document;
pub mod evaluate;
pub mod evidence;
pub(crate) mod fact_names;
pub mod facts;
mod index;
pub mod location;
pub mod logic;
pub(crate) mod outcome;
pub(crate) mod session;
pub mod strength;
pub mod what_if;

pub use compile::{CompileContext, CompiledPolicy, PolicySet, PolicySource, PolicyState};
pub use conditions::{Condition, ConditionSet};
pub use controls::{GrantControl, GrantControls, Operator, SessionControls};
pub(crate) use document::is_guid;
pub use evaluate::{Applicability, Candidates};
pub use facts::{Facts, Identity, InsiderRisk, Target, UserAction, UserKinds};
pub use logic::Truth;
pub use strength::AuthenticationStrength;

#[cfg(test)]
mod tests;

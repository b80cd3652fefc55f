//! One sign-in against every policy (`policy-semantics.md` row 26).

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::sign_in::SignIn;
use super::tenant::Tenant;
use crate::json;
use crate::policy::compile::CompiledPolicy;
use crate::policy::evaluate::Applicability;
use crate::policy::outcome::{Outcome, PolicyAnswer};
use crate::policy::session::{self, MergedControls};

/// What a sign-in comes to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SignInResult {
    /// Nothing is missing.
    Grant,
    /// Grant controls are missing.
    Challenge,
    /// A policy blocks.
    Block,
}

/// What all policies of a tenant come to for one sign-in.
#[derive(Debug)]
pub(super) struct Evaluation<'a> {
    pub(super) result: SignInResult,
    /// Sorted by name; of a block only `block`.
    pub(super) unmet: BTreeSet<Cow<'a, str>>,
    /// In the order of the documents.
    pub(super) outcomes: Vec<Outcome<'a>>,
    pub(super) session: MergedControls,
}

impl<'a> Evaluation<'a> {
    pub(super) fn of(tenant: &'a Tenant, sign_in: &SignIn) -> Self {
        let outcomes: Vec<Outcome<'a>> = tenant
            .set
            .evaluate_all(&sign_in.facts())
            .into_iter()
            .map(|(policy, applicability)| {
                Outcome::new(policy, applicability, |control| {
                    sign_in.satisfies(&control.name().to_ascii_lowercase())
                })
            })
            .collect();
        let enforced = || outcomes.iter().filter(|outcome| outcome.is_enforced());
        let (result, unmet) = if enforced().any(|outcome| outcome.policy.grant.blocks()) {
            (
                SignInResult::Block,
                BTreeSet::from([Cow::Borrowed("block")]),
            )
        } else {
            let unmet: BTreeSet<Cow<'a, str>> = enforced()
                .flat_map(|outcome| &outcome.missing)
                .map(|control| control.name())
                .collect();
            let result = if unmet.is_empty() {
                SignInResult::Grant
            } else {
                SignInResult::Challenge
            };
            (result, unmet)
        };
        let session = if result == SignInResult::Grant {
            session::merge(enforced().map(|outcome| &outcome.policy.session))
        } else {
            MergedControls::new()
        };
        Self {
            result,
            unmet,
            outcomes,
            session,
        }
    }

    /// Whether it comes to this only as far as can be told: a block is certain, whatever else cannot be told.
    pub(super) fn is_uncertain(&self) -> bool {
        self.result != SignInResult::Block && self.outcomes.iter().any(Outcome::is_uncertain)
    }

    /// Writes the line of the contract (design §9).
    ///
    /// `{"id", "result", "unmet", "policies": [..], "sessionControls"}`. Nearly all of a line are rows that differ little
    /// from one sign-in to the next, so what does not differ is put down as it was written once.
    pub(super) fn write(&self, tenant: &Tenant, sign_in: &SignIn, into: &mut String) {
        into.push_str("{\"id\":");
        into.push_str(&json::canonical(&sign_in.id));
        into.push_str(",\"result\":");
        into.push_str(&json::to_text(&self.result));
        into.push_str(",\"unmet\":");
        into.push_str(&json::to_text(&self.unmet));
        into.push_str(",\"policies\":[");
        for (position, (outcome, head)) in self.outcomes.iter().zip(&tenant.heads).enumerate() {
            if position > 0 {
                into.push(',');
            }
            into.push_str(head);
            write_row(outcome, into);
        }
        into.push_str("],\"sessionControls\":");
        into.push_str(&json::to_text(&self.session));
        into.push_str("}\n");
    }
}

/// The beginning of every row of a policy: its names, up to whether it applies.
pub(super) fn head(policy: &CompiledPolicy) -> String {
    let mut head = json::to_text(&PolicyAnswer::of(policy));
    // The names come first, and what follows them is the same in every empty answer.
    let names = head.len().saturating_sub(EMPTY.len());
    head.truncate(names);
    head
}

/// The end of an answer that says nothing yet.
const EMPTY: &str = r#""applies":"","analysisReasons":[],"unknown":[],"result":""}"#;

/// The rest of a row, as [`PolicyAnswer`] is written.
fn write_row(outcome: &Outcome<'_>, into: &mut String) {
    match &outcome.applicability {
        Applicability::Applies => {
            into.push_str(r#""applies":"yes","analysisReasons":[],"unknown":[],"result":""#);
        }
        Applicability::DoesNotApply(first) => {
            into.push_str(r#""applies":"no","analysisReasons":[""#);
            into.push_str(first.as_str());
            into.push_str(r#""],"unknown":[],"result":""#);
        }
        Applicability::Undetermined(conditions) => {
            into.push_str(
                r#""applies":"undetermined","analysisReasons":["notEnoughInformation"],"unknown":["#,
            );
            for (position, condition) in conditions.iter().enumerate() {
                into.push_str(if position > 0 { ",\"" } else { "\"" });
                into.push_str(condition.as_str());
                into.push('"');
            }
            into.push_str(r#"],"result":""#);
        }
    }
    into.push_str(outcome.result());
    into.push_str("\"}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Value;
    use crate::policy::conditions::{Condition, ConditionSet};
    use crate::policy::what_if::tenant::Export;

    #[test]
    fn rows_are_written_as_answers_are() {
        let text = r#"[{"id": "a\"\u00e9", "displayName": "x\ny", "state": "enabled"},
            {"displayName": "", "state": "enabledForReportingButNotEnforced", "grantControls": {"builtInControls": "mfa"}}]"#;
        let export = Export {
            policies: &[("p", text)],
            ..Export::default()
        };
        let tenant = Tenant::compile(&export).unwrap();
        let conditions: ConditionSet = [Condition::Users, Condition::Location]
            .into_iter()
            .collect();
        for policy in tenant.set.policies() {
            for applicability in [
                Applicability::Applies,
                Applicability::DoesNotApply(Condition::EmptyPolicy),
                Applicability::Undetermined(conditions),
            ] {
                let outcome = Outcome::new(policy, applicability, |_| false);
                let mut row = head(policy);
                write_row(&outcome, &mut row);
                assert_eq!(row, json::to_text(&outcome.answer()));
                assert!(serde_json::from_str::<Value>(&row).is_ok());
            }
        }
    }
}

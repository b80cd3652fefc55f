//! What is written down about policies: report-only ones, and in an explanation every one.

use alloc::string::String;
use alloc::vec::Vec;

use super::PolicyCheck;
use super::evidence::Evidence;
use crate::decision::evaluation::{PolicyOutcome, Report, UndeterminedPolicy};
use crate::policy::{
    Applicability, CompiledPolicy, ConditionSet, GrantControl, Operator, PolicyState,
};

impl PolicyCheck<'_> {
    pub(super) fn report(
        &self,
        policy: &CompiledPolicy,
        applicability: Applicability,
        report: &mut Report,
    ) {
        match applicability {
            Applicability::DoesNotApply(_) => {}
            Applicability::Undetermined(unknown) => report.undetermined.push(UndeterminedPolicy {
                id: policy.label(),
                display_name: policy.display_name.clone(),
                unknown: names(unknown, &[]),
            }),
            Applicability::Applies => {
                let unmet = match self.grant_evidence(policy) {
                    Evidence::Met => Vec::new(),
                    _ => self.unmet_controls(policy),
                };
                let result = report_only_result(policy, &unmet);
                report.policies.push(outcome(policy, "yes", result, unmet));
            }
        }
    }

    /// Every policy that is not listed yet, with what rules it out.
    pub(super) fn explain_the_rest(&self, report: &mut Report) {
        for (policy, applicability) in self.issuer.policies.evaluate_all(self.facts) {
            let id = policy.label();
            let listed = report.policies.iter().any(|listed| listed.id == id);
            let row = match applicability {
                _ if listed => continue,
                Applicability::Applies => outcome(policy, "yes", "undetermined", Vec::new()),
                Applicability::DoesNotApply(condition) => PolicyOutcome {
                    analysis_reason: Some(condition.as_str()),
                    ..outcome(policy, "no", not_applied(policy.state), Vec::new())
                },
                Applicability::Undetermined(unknown) => PolicyOutcome {
                    unknown: names(unknown, &policy.not_understood),
                    ..outcome(policy, "undetermined", "undetermined", Vec::new())
                },
            };
            report.policies.push(row);
        }
    }
}

pub(super) fn outcome(
    policy: &CompiledPolicy,
    applies: &'static str,
    result: &'static str,
    unmet: Vec<String>,
) -> PolicyOutcome {
    PolicyOutcome {
        id: policy.label(),
        display_name: policy.display_name.clone(),
        applies,
        analysis_reason: None,
        unknown: Vec::new(),
        unmet,
        result,
    }
}

pub(super) fn names(unknown: ConditionSet, not_understood: &[String]) -> Vec<String> {
    unknown
        .iter()
        .map(|condition| String::from(condition.as_str()))
        .chain(not_understood.iter().cloned())
        .collect()
}

/// Graph's name of what a report-only policy would have done (`policy-semantics.md` row 26).
fn report_only_result(policy: &CompiledPolicy, unmet: &[String]) -> &'static str {
    let mut open = policy
        .grant
        .controls
        .iter()
        .filter(|control| unmet.contains(&control.name().into_owned()));
    let by_interaction = match policy.grant.operator {
        Operator::And => open.all(GrantControl::is_interactive),
        Operator::Or => open.any(GrantControl::is_interactive),
    };
    match (unmet.is_empty(), by_interaction && !policy.grant.blocks()) {
        (true, _) => "reportOnlySuccess",
        (false, true) => "reportOnlyInterrupted",
        (false, false) => "reportOnlyFailure",
    }
}

/// Row 26: the result of a policy that does not apply.
const fn not_applied(state: PolicyState) -> &'static str {
    match state {
        PolicyState::ReportOnly => "reportOnlyNotApplied",
        PolicyState::Enabled | PolicyState::Disabled | PolicyState::NotUnderstood => "notApplied",
    }
}

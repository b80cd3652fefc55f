//! What a policy comes to for one sign-in, in Graph's words: the same for the issuer and for what-if.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::compile::{CompiledPolicy, PolicyState};
use super::conditions::Condition;
use super::controls::{GrantControl, Operator};
use super::evaluate::Applicability;

/// One policy, judged for one sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) policy: &'a CompiledPolicy,
    pub(crate) applicability: Applicability,
    /// The controls that are not met, were the policy to apply: all alternatives if none is met (row 26).
    pub(crate) missing: Vec<&'a GrantControl>,
}

impl<'a> Outcome<'a> {
    /// Judges a policy, given whether each of its controls is met.
    pub(crate) fn new(
        policy: &'a CompiledPolicy,
        applicability: Applicability,
        is_met: impl Fn(&GrantControl) -> bool,
    ) -> Self {
        // Row 24: what is not understood is never satisfied, even if it is listed; nor is a block.
        let is_met = |control: &GrantControl| {
            !control.is_not_understood() && *control != GrantControl::Block && is_met(control)
        };
        let ruled_out = matches!(applicability, Applicability::DoesNotApply(_));
        let missing = if ruled_out || policy.grant.satisfied(is_met) {
            Vec::new()
        } else {
            let controls = policy.grant.controls.iter();
            controls.filter(|control| !is_met(control)).collect()
        };
        Self {
            policy,
            applicability,
            missing,
        }
    }

    /// Whether it is enforced: enabled and certain to apply (row 26).
    pub(crate) fn is_enforced(&self) -> bool {
        self.policy.state == PolicyState::Enabled && self.applicability == Applicability::Applies
    }

    /// Whether nobody can tell if it is enforced.
    pub(crate) fn is_uncertain(&self) -> bool {
        matches!(
            self.policy.state,
            PolicyState::Enabled | PolicyState::NotUnderstood
        ) && matches!(self.applicability, Applicability::Undetermined(_))
    }

    /// SPEC: policy-semantics row 26: whether a user could meet enough of what is missing by interaction.
    fn is_interactive(&self) -> bool {
        let mut missing = self.missing.iter();
        !self.policy.grant.blocks()
            && match self.policy.grant.operator {
                Operator::And => missing.all(|control| control.is_interactive()),
                Operator::Or => missing.any(|control| control.is_interactive()),
            }
    }

    /// SPEC: policy-semantics row 26: Graph's name of the result.
    pub(crate) fn result(&self) -> &'static str {
        let report_only = self.policy.state == PolicyState::ReportOnly;
        let met = self.missing.is_empty();
        match (&self.applicability, report_only) {
            (Applicability::Undetermined(_), _) => "undetermined",
            (Applicability::DoesNotApply(_), false) => "notApplied",
            (Applicability::DoesNotApply(_), true) => "reportOnlyNotApplied",
            (Applicability::Applies, false) if met => "success",
            (Applicability::Applies, false) => "failure",
            (Applicability::Applies, true) if met => "reportOnlySuccess",
            (Applicability::Applies, true) if self.is_interactive() => "reportOnlyInterrupted",
            (Applicability::Applies, true) => "reportOnlyFailure",
        }
    }

    /// SPEC: policy-semantics rows 1 and 4.
    pub(crate) fn answer(&self) -> PolicyAnswer<&'a str> {
        let (applies, analysis_reasons, unknown) = match &self.applicability {
            Applicability::Applies => ("yes", Vec::new(), Vec::new()),
            Applicability::DoesNotApply(first) => ("no", Vec::from([first.as_str()]), Vec::new()),
            Applicability::Undetermined(conditions) => (
                "undetermined",
                Vec::from(["notEnoughInformation"]),
                conditions.iter().map(Condition::as_str).collect(),
            ),
        };
        PolicyAnswer {
            applies,
            analysis_reasons,
            unknown,
            result: self.result(),
            ..PolicyAnswer::of(self.policy)
        }
    }
}

/// One policy, as `cae what-if` tells it (design §9).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAnswer<S = String> {
    /// The policy's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<S>,
    /// Its position, where it has no id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Its name.
    pub display_name: Option<S>,
    /// `yes`, `no` or `undetermined`.
    pub applies: &'static str,
    /// Graph's name of the first condition that does not match, or `notEnoughInformation`.
    pub analysis_reasons: Vec<&'static str>,
    /// Conditions that cannot be told.
    pub unknown: Vec<&'static str>,
    /// Graph's name of the result, or `undetermined`.
    pub result: &'static str,
}

impl<'a> PolicyAnswer<&'a str> {
    /// The names of a policy, of which nothing is said yet.
    pub(crate) fn of(policy: &'a CompiledPolicy) -> Self {
        Self {
            id: policy.id.as_deref(),
            index: policy.id.is_none().then_some(policy.index),
            display_name: policy.display_name.as_deref(),
            applies: "",
            analysis_reasons: Vec::new(),
            unknown: Vec::new(),
            result: "",
        }
    }

    /// The same, for an answer that outlives the policies.
    pub(crate) fn into_owned(self) -> PolicyAnswer {
        PolicyAnswer {
            id: self.id.map(String::from),
            index: self.index,
            display_name: self.display_name.map(String::from),
            applies: self.applies,
            analysis_reasons: self.analysis_reasons,
            unknown: self.unknown,
            result: self.result,
        }
    }
}

//! Policies that cannot be told (`enforcement.md` §6, "Undetermined conditions").

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::PolicyCheck;
use super::evidence::{Evidence, controls_not_understood};
use super::report::names;
use crate::configuration::settings::Undetermined;
use crate::decision::evaluation::UndeterminedPolicy;
use crate::decision::findings::Findings;
use crate::decision::reason::ReasonCode;
use crate::decision::table::Situation;
use crate::policy::{CompiledPolicy, Condition, ConditionSet, GrantControl};

/// Facts that do not change after issue: an issuer that evaluated the policy has already judged them.
pub(super) const FIXED_AT_ISSUE: [Condition; 7] = [
    Condition::Application,
    Condition::UserActions,
    Condition::AuthenticationContext,
    Condition::DevicePlatform,
    Condition::ClientApps,
    Condition::SignInRisk,
    Condition::AuthenticationFlow,
];

/// Conditions that are fixed for a token once they are true, by the token itself or by the time of a record: see
/// [`PolicyCheck::told_at_issue`].
const FIXED_IF_KNOWN: [Condition; 2] = [Condition::Users, Condition::UserRisk];

/// What keeps a policy from being told.
pub(super) struct Gap {
    /// Conditions that are unknown.
    pub(super) conditions: ConditionSet,
    /// Members that are not understood or controls that the token does not show, by name.
    pub(super) members: Vec<String>,
    /// Whether what is unknown is still what it was when the token was issued.
    pub(super) lasting: bool,
}

impl PolicyCheck<'_> {
    /// Controls that cannot be told.
    pub(super) fn control_gap(&self, policy: &CompiledPolicy, evidence: Evidence) -> Gap {
        // A device may lose what it had; nobody takes an authentication back.
        let about_a_device = |control: &GrantControl| {
            matches!(
                control,
                GrantControl::CompliantDevice | GrantControl::DomainJoinedDevice
            )
        };
        let understood = evidence == Evidence::Unknown;
        Gap {
            conditions: ConditionSet::EMPTY,
            members: match understood {
                true => self.unmet_controls(policy),
                false => controls_not_understood(policy),
            },
            lasting: understood && !policy.grant.controls.iter().any(about_a_device),
        }
    }

    /// Whether the issuer has told already what the token leaves open (`enforcement.md` §6, "Undetermined conditions"):
    /// it evaluated the policy as it stands, and neither what is unknown nor what is known can have changed since.
    /// A policy for another place than that of the sign-in, say, was ruled out then and is not ruled out now.
    fn told_at_issue(&self, policy: &CompiledPolicy, gap: &Gap) -> bool {
        let directory = &self.request.facts;
        // What the host's directory says may be newer than the token.
        let of_token = directory.member_of.is_none()
            && directory.roles.is_none()
            && directory.user_type.is_none();
        let holds = |condition| {
            FIXED_AT_ISSUE.contains(&condition)
                || (FIXED_IF_KNOWN.contains(&condition) && !gap.conditions.contains(condition))
        };
        let fact = policy.changed_at.and(self.time_of_fact(policy));
        policy.evaluated_by_issuer
            && gap.lasting
            && of_token
            && fact.is_some_and(|fact| self.token.issued_earliest >= fact)
            && policy.reads.iter().all(holds)
    }

    /// A policy that cannot be told: ignored if the issuer has already told it, otherwise by the setting.
    pub(super) fn undetermined(&self, policy: &CompiledPolicy, gap: &Gap, findings: &mut Findings) {
        let setting = policy
            .id
            .as_ref()
            .and_then(|id| {
                self.settings
                    .undetermined_by_policy
                    .get(&id.to_ascii_lowercase())
            })
            .copied()
            .unwrap_or(self.settings.undetermined);
        let result = match setting {
            _ if self.told_at_issue(policy, gap) => "passed",
            Undetermined::Ignore => "passed",
            Undetermined::Report => "reported",
            Undetermined::Deny => findings.against(
                Situation::Refused,
                ReasonCode::PolicyUndetermined,
                Some(policy.label()),
            ),
        };
        if result != "passed"
            && let Some(report) = findings.report()
        {
            let (id, unknown) = (policy.label(), names(gap.conditions, &gap.members));
            // Controls and session controls of one policy may both be open.
            match report.undetermined.last_mut() {
                Some(row) if row.id == id => row.unknown.extend(unknown),
                _ => report.undetermined.push(UndeterminedPolicy {
                    id,
                    display_name: policy.display_name.clone(),
                    unknown,
                }),
            }
        }
        findings.note("policy", result, || {
            format!(
                "{}: undetermined, {}",
                policy.label(),
                names(gap.conditions, &gap.members).join(", ")
            )
        });
    }
}

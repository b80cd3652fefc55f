//! Check 3: Conditional Access policies at the resource server (`enforcement.md` §6).

mod evidence;
mod frequency;
mod report;
mod undetermined;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::findings::Findings;
use super::location::{self, LocationOutcome};
use super::reason::ReasonCode;
use super::request::Request;
use super::standing::{Standing, Witnesses};
use super::table::Situation;
use crate::configuration::settings::LocationEnforcement;
use crate::configuration::{Issuer, Settings};
use crate::policy::{
    Applicability, Candidates, CompiledPolicy, Condition, ConditionSet, Facts, GrantControl,
    PolicyState,
};
use crate::time::UnixTime;
use crate::token::AccessToken;
use evidence::Evidence;
use report::outcome;
use undetermined::{FIXED_AT_ISSUE, Gap};

/// Whether the token alone fulfils the policy, for good: asked once per token, so that its requests need not ask.
pub(crate) fn is_settled(policy: &CompiledPolicy, token: &AccessToken, issuer: &Issuer) -> bool {
    if policy.state != PolicyState::Enabled {
        return true;
    }
    !changed_since(policy, token)
        && policy.session.sign_in_frequency.is_none()
        && evidence::fulfils_alone(policy, token, issuer)
}

/// Whether the issuer could not know the policy as it is when it issued the token.
pub(crate) fn changed_since(policy: &CompiledPolicy, token: &AccessToken) -> bool {
    policy.evaluated_by_issuer
        && policy
            .changed_at
            .is_some_and(|changed| token.issued_earliest < changed)
}

/// Everything that the policy check reads.
pub(super) struct PolicyCheck<'a> {
    pub(super) token: &'a AccessToken,
    pub(super) issuer: &'a Issuer,
    pub(super) settings: &'a Settings,
    pub(super) standing: &'a Standing<'a>,
    pub(super) witnesses: Witnesses<'a>,
    pub(super) request: &'a Request<'a>,
    pub(super) facts: &'a Facts<'a>,
}

impl PolicyCheck<'_> {
    pub(super) fn run(&self, candidates: &Candidates, findings: &mut Findings) {
        let policies = &self.issuer.policies;
        if !findings.reporting() {
            for (policy, applicability) in policies.evaluate_open(candidates, self.facts) {
                if policy.state == PolicyState::Enabled {
                    self.enforce(policy, applicability, findings);
                }
            }
            return;
        }
        for (policy, applicability) in policies.evaluate(candidates, self.facts) {
            match policy.state {
                PolicyState::Enabled => self.enforce(policy, applicability, findings),
                PolicyState::ReportOnly => {
                    if let Some(report) = findings.report() {
                        self.report(policy, applicability, report);
                    }
                }
                PolicyState::Disabled | PolicyState::NotUnderstood => {}
            }
        }
        if findings.explaining()
            && let Some(report) = findings.report()
        {
            self.explain_the_rest(report);
        }
    }

    fn enforce(
        &self,
        policy: &CompiledPolicy,
        applicability: Applicability,
        findings: &mut Findings,
    ) {
        match applicability {
            Applicability::DoesNotApply(_) => return,
            Applicability::Undetermined(unknown) => {
                if self.missing_host_fact(policy, unknown, findings) {
                    return;
                }
                let gap = Gap {
                    conditions: unknown,
                    members: policy.not_understood.clone(),
                    lasting: unknown
                        .iter()
                        .all(|condition| FIXED_AT_ISSUE.contains(&condition)),
                };
                self.undetermined(policy, &gap, findings);
            }
            Applicability::Applies => self.applies(policy, findings),
        }
        self.outdated(policy, findings);
    }

    /// A host fact that an applicable policy asks for is never merely "unknown" (`enforcement.md` §1).
    fn missing_host_fact(
        &self,
        policy: &CompiledPolicy,
        unknown: ConditionSet,
        findings: &mut Findings,
    ) -> bool {
        if !unknown.contains(Condition::Location) {
            return false;
        }
        if policy.reads_address && self.facts.address.is_none() {
            findings.missing(ReasonCode::MissingClientAddress);
            return true;
        }
        if policy.reads_country && self.settings.country_at_resource && self.facts.country.is_none()
        {
            findings.missing(ReasonCode::MissingCountry);
            return true;
        }
        false
    }

    fn applies(&self, policy: &CompiledPolicy, findings: &mut Findings) {
        let evidence = self.grant_evidence(policy);
        let met = match evidence {
            Evidence::Met => Some(true),
            Evidence::Unmet | Evidence::Contradicted => Some(false),
            // Other issuers have not looked at this policy: what the token does not show was not required.
            Evidence::Unknown if !policy.evaluated_by_issuer => Some(false),
            Evidence::Unknown | Evidence::NotUnderstood => None,
        };
        match met {
            Some(true) => {}
            Some(false) => self.refuse(policy, evidence, findings),
            None => self.undetermined(policy, &self.control_gap(policy, evidence), findings),
        }
        // The policy applies, whatever its controls come to.
        self.sign_in_frequency(policy, findings);
        if let Some(report) = findings.report() {
            let session_controls = policy.session.others.iter().cloned();
            report.session_controls.extend(session_controls);
            let row = met.map(|met| match met {
                true => outcome(policy, "yes", "success", Vec::new()),
                false => outcome(policy, "yes", "failure", self.unmet_controls(policy)),
            });
            report.policies.extend(row);
        }
    }

    /// What a refusing policy comes to: by its location, or by the time of the fact.
    fn refuse(&self, policy: &CompiledPolicy, evidence: Evidence, findings: &mut Findings) {
        let block = policy.grant.blocks();
        let contradicted = evidence == Evidence::Contradicted;
        // Where the issuer will not look at the location, a control that a new token can show is the better question.
        let by_location = (policy.reads_address || policy.reads_country)
            && (block || policy.evaluated_by_issuer)
            && !contradicted;
        if let Some(address) = self.facts.address.filter(|_| by_location) {
            self.refuse_location(policy, address, findings);
            return;
        }
        let acr_value = self.acr_value(policy);
        let situation = if contradicted {
            Situation::Refused
        } else if policy.evaluated_by_issuer {
            match self.time_of_fact(policy) {
                // A block that rests on no standing state holds for any token.
                Some(fact)
                    if self.token.issued_earliest < fact
                        && (!block || self.reads_standing_state(policy)) =>
                {
                    Situation::UnmetControl {
                        fact: Some(fact),
                        acr_value,
                    }
                }
                _ => Situation::Refused,
            }
        } else if block {
            Situation::Refused
        } else {
            Situation::UnmetControl {
                fact: None,
                acr_value,
            }
        };
        let code = if block {
            ReasonCode::PolicyBlock
        } else {
            ReasonCode::PolicyControl
        };
        let result = findings.against(situation, code, Some(policy.label()));
        findings.note("policy", result, || {
            format!("{}: {} ({evidence:?})", policy.label(), code.as_str())
        });
    }

    fn refuse_location(&self, policy: &CompiledPolicy, address: IpAddr, findings: &mut Findings) {
        if self.issuer.policies.location_ranges_exceeded() {
            findings.note("policy.location", "notApplicable", || {
                String::from("more ranges than maxLocationRanges")
            });
            return;
        }
        let place = self.standing.place_of_location_challenges();
        let (true, true, Some(place)) = (policy.evaluated_by_issuer, self.token.capable, place)
        else {
            let result = findings.against(
                Situation::Refused,
                ReasonCode::PolicyLocation,
                Some(policy.label()),
            );
            findings.note("policy.location", result, || {
                format!("{}: {address}", policy.label())
            });
            return;
        };
        let strict = self.settings.location_enforcement == LocationEnforcement::Strict
            || policy
                .session
                .continuous_access_evaluation
                .as_ref()
                .is_some_and(|mode| mode.is_strict());
        let outcome = location::outcome(
            self.token,
            self.issuer,
            place,
            address,
            strict,
            self.request.now,
        );
        let (situation, until) = match outcome {
            LocationOutcome::Exempt(until) => (None, until),
            LocationOutcome::Refused(until) => (Some(Situation::Refused), until),
            LocationOutcome::Challenge {
                given,
                until,
                remember,
            } => {
                if let Some(change) = remember {
                    findings.remember(change);
                }
                (Some(Situation::Location { given, address }), until)
            }
        };
        let result = situation.map_or("passed", |situation| {
            findings.against(situation, ReasonCode::PolicyLocation, Some(policy.label()))
        });
        findings.revisit(until);
        findings.note("policy.location", result, || {
            format!("{}: {address}, until {}", policy.label(), until.as_secs())
        });
    }

    /// `TokenCreatedWithOutdatedPolicies`: the policy changed after the token was issued, and the grace is over.
    fn outdated(&self, policy: &CompiledPolicy, findings: &mut Findings) {
        let Some(changed) = policy
            .changed_at
            .filter(|_| changed_since(policy, self.token))
        else {
            return;
        };
        let due = changed.saturating_add(self.grace());
        if self.request.now < due {
            findings.revisit(due);
            return;
        }
        let situation = Situation::IssuedBefore { fact: changed };
        let result = findings.against(situation, ReasonCode::PolicyChanged, Some(policy.label()));
        findings.note("policy.changed", result, || {
            format!("{}: changed at {}", policy.label(), changed.as_secs())
        });
    }

    /// Fixed by the user, so that a tenant's clients do not all come back in one moment.
    fn grace(&self) -> Duration {
        let spread = self.settings.policy_change_grace.saturating_add(1);
        let seed = self.token.keys.first().map_or(0, |key| {
            key.key.to_bytes().iter().fold(0_u64, |hash, byte| {
                hash.wrapping_mul(257).wrapping_add(u64::from(*byte))
            })
        });
        Duration::from_secs(seed.checked_rem(spread).unwrap_or(0))
    }

    /// The latest of the policy's change and the event times of the record fields that it reads.
    fn time_of_fact(&self, policy: &CompiledPolicy) -> Option<UnixTime> {
        let risk = policy
            .reads
            .contains(Condition::UserRisk)
            .then(|| self.witnesses.risk(self.standing.user()))
            .flatten()
            .map(|(entry, _)| entry.at.next_second());
        let workload_risk = policy
            .reads
            .contains(Condition::ServicePrincipalRisk)
            .then(|| self.witnesses.workload_risk(self.standing))
            .flatten()
            .map(|(entry, _)| entry.at.next_second());
        let asks_for_compliance = policy
            .grant
            .controls
            .contains(&GrantControl::CompliantDevice)
            || policy.reads_compliance();
        let compliance = asks_for_compliance
            .then(|| self.witnesses.compliance(self.standing.device()))
            .flatten()
            .map(|(entry, _)| entry.at.next_second());
        policy
            .changed_at
            .max(risk)
            .max(workload_risk)
            .max(compliance)
    }

    /// Whether the conditions depend on records: a token issued after them was judged by them.
    fn reads_standing_state(&self, policy: &CompiledPolicy) -> bool {
        policy.reads.contains(Condition::UserRisk)
            || policy.reads.contains(Condition::ServicePrincipalRisk)
            || policy.reads_compliance()
    }
}

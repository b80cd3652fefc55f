//! Check 3: Conditional Access policies at the resource server (`enforcement.md` §6).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::evaluation::{PolicyOutcome, UndeterminedPolicy};
use super::findings::Findings;
use super::location::{self, LocationOutcome};
use super::reason::ReasonCode;
use super::request::Request;
use super::standing::{Standing, Witnesses};
use super::table::Situation;
use crate::configuration::settings::{LocationEnforcement, Undetermined};
use crate::configuration::{Issuer, Settings};
use crate::policy::controls::SignInInterval;
use crate::policy::{
    Applicability, Candidates, CompiledPolicy, Condition, ConditionSet, Facts, GrantControl,
    Operator, PolicyState,
};
use crate::state::record::DeviceCompliance;
use crate::time::UnixTime;
use crate::token::{AccessToken, Principal};

/// `everyTime` allows five minutes between authentication and issue (`conditional-access.md` §4).
const EVERY_TIME_SKEW: Duration = Duration::from_secs(300);

/// Facts that do not change after issue: an issuer that evaluated the policy has already judged them.
const FIXED_AT_ISSUE: [Condition; 7] = [
    Condition::Application,
    Condition::UserActions,
    Condition::AuthenticationContext,
    Condition::DevicePlatform,
    Condition::ClientApps,
    Condition::SignInRisk,
    Condition::AuthenticationFlow,
];

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

/// Whether the token shows a control.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Evidence {
    Met,
    /// A token issued later could show it.
    Unmet,
    /// Standing state contradicts it: no token can show it.
    Contradicted,
    /// The token does not say.
    Unknown,
    /// The engine does not know the control: nothing can say.
    NotUnderstood,
}

impl PolicyCheck<'_> {
    pub(super) fn run(&self, candidates: &Candidates, findings: &mut Findings) {
        for (policy, applicability) in self.issuer.policies.evaluate(candidates, self.facts) {
            match policy.state {
                PolicyState::Enabled => self.enforce(policy, applicability, findings),
                PolicyState::ReportOnly if findings.reporting() => {
                    self.report(policy, applicability, findings)
                }
                _ => {}
            }
        }
        if findings.explaining() {
            self.explain_the_rest(findings);
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
                self.undetermined(policy, unknown, &policy.not_understood, findings);
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
        let unmet = match evidence {
            Evidence::Met => false,
            Evidence::Unmet | Evidence::Contradicted => true,
            Evidence::NotUnderstood => {
                self.undetermined(
                    policy,
                    ConditionSet::EMPTY,
                    &controls_not_understood(policy),
                    findings,
                );
                return;
            }
            // Other issuers have not looked at this policy: what the token does not show was not required.
            Evidence::Unknown if !policy.evaluated_by_issuer => true,
            Evidence::Unknown => {
                self.undetermined(
                    policy,
                    ConditionSet::EMPTY,
                    &self.unmet_controls(policy),
                    findings,
                );
                return;
            }
        };
        if unmet {
            self.refuse(policy, evidence, findings);
        }
        self.sign_in_frequency(policy, findings);
        if findings.reporting() {
            let result = if unmet { "failure" } else { "success" };
            let controls = if unmet {
                self.unmet_controls(policy)
            } else {
                Vec::new()
            };
            findings
                .report
                .policies
                .push(outcome(policy, "yes", result, controls));
            findings
                .report
                .session_controls
                .extend(policy.session.others.iter().cloned());
        }
    }

    /// What a refusing policy comes to: by its location, or by the time of the fact.
    fn refuse(&self, policy: &CompiledPolicy, evidence: Evidence, findings: &mut Findings) {
        let id = Some(policy.label());
        let block = policy.grant.blocks();
        if let Some(address) = self
            .facts
            .address
            .filter(|_| policy.reads_address || policy.reads_country)
        {
            self.refuse_location(policy, address, findings);
            return;
        }
        let code = if block {
            ReasonCode::PolicyBlock
        } else {
            ReasonCode::PolicyControl
        };
        let fact = self.time_of_fact(policy);
        let situation = if evidence == Evidence::Contradicted {
            Situation::Refused
        } else if policy.evaluated_by_issuer {
            match fact {
                // A block that rests on no standing state holds for any token.
                Some(fact)
                    if self.token.issued_earliest < fact
                        && (!block || self.reads_standing_state(policy)) =>
                {
                    Situation::UnmetControl {
                        fact: Some(fact),
                        acr_value: None,
                    }
                }
                _ => Situation::Refused,
            }
        } else if block {
            Situation::Refused
        } else {
            Situation::UnmetControl {
                fact: None,
                acr_value: self.acr_value(policy),
            }
        };
        let result = findings.against(situation, code, id);
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

    /// A policy that cannot be told: ignored if the issuer has already told it, otherwise by the setting.
    fn undetermined(
        &self,
        policy: &CompiledPolicy,
        unknown: ConditionSet,
        not_understood: &[String],
        findings: &mut Findings,
    ) {
        let told_at_issue = policy.evaluated_by_issuer
            && policy
                .changed_at
                .is_some_and(|changed| self.token.issued_earliest >= changed)
            && unknown
                .iter()
                .all(|condition| FIXED_AT_ISSUE.contains(&condition));
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
            _ if told_at_issue => "passed",
            Undetermined::Ignore => "passed",
            Undetermined::Report => "reported",
            Undetermined::Deny => findings.against(
                Situation::Refused,
                ReasonCode::PolicyUndetermined,
                Some(policy.label()),
            ),
        };
        if findings.reporting() && result != "passed" {
            findings.report.undetermined.push(UndeterminedPolicy {
                id: policy.label(),
                display_name: policy.display_name.clone(),
                unknown: names(unknown, not_understood),
            });
        }
        findings.note("policy", result, || {
            format!(
                "{}: undetermined, {}",
                policy.label(),
                names(unknown, not_understood).join(", ")
            )
        });
    }

    /// `TokenCreatedWithOutdatedPolicies`: the policy changed after the token was issued, and the grace is over.
    fn outdated(&self, policy: &CompiledPolicy, findings: &mut Findings) {
        let Some(changed) = policy.changed_at.filter(|_| policy.evaluated_by_issuer) else {
            return;
        };
        if self.token.issued_earliest >= changed {
            return;
        }
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

    /// Sign-in frequency (`enforcement.md` §6): app-only tokens are exempt, `everyTime` is judged at issue.
    fn sign_in_frequency(&self, policy: &CompiledPolicy, findings: &mut Findings) {
        let Some(frequency) = policy.session.sign_in_frequency else {
            return;
        };
        if self.token.principal == Principal::Application {
            return;
        }
        let max_age = match frequency.interval {
            SignInInterval::Every(interval) => interval,
            SignInInterval::EveryTime => Duration::ZERO,
            SignInInterval::NotUnderstood => {
                let member = String::from("sessionControls.signInFrequency");
                self.undetermined(policy, ConditionSet::EMPTY, &[member], findings);
                return;
            }
        };
        let Some(authenticated) = self.token.auth_time.known().copied() else {
            if policy.evaluated_by_issuer {
                let member = String::from("sessionControls.signInFrequency");
                self.undetermined(policy, ConditionSet::EMPTY, &[member], findings);
            } else {
                let situation = Situation::SignInAge {
                    fact: None,
                    max_age: max_age.as_secs(),
                };
                findings.against(
                    situation,
                    ReasonCode::PolicySignInFrequency,
                    Some(policy.label()),
                );
            }
            return;
        };
        let (fact, stale) = if max_age.is_zero() {
            let fact = authenticated.saturating_add(EVERY_TIME_SKEW);
            (fact, self.token.issued_at > fact)
        } else {
            let fact = authenticated.saturating_add(max_age);
            (fact, self.request.now >= fact)
        };
        if !stale {
            if !max_age.is_zero() {
                findings.revisit(fact);
            }
            return;
        }
        let max_age = max_age.as_secs();
        let situation = match policy.evaluated_by_issuer {
            true if self.token.issued_earliest < fact => Situation::SignInAge {
                fact: Some(fact),
                max_age,
            },
            true => Situation::Refused,
            false => Situation::SignInAge {
                fact: None,
                max_age,
            },
        };
        let result = findings.against(
            situation,
            ReasonCode::PolicySignInFrequency,
            Some(policy.label()),
        );
        findings.note("policy.sign_in_frequency", result, || {
            format!(
                "{}: authenticated at {}",
                policy.label(),
                authenticated.as_secs()
            )
        });
    }

    /// The latest of the policy's change and the event times of the record fields that it reads.
    fn time_of_fact(&self, policy: &CompiledPolicy) -> Option<UnixTime> {
        let risk = policy
            .reads
            .contains(Condition::UserRisk)
            .then(|| self.witnesses.risk(self.standing.user()))
            .flatten()
            .map(|(entry, _)| entry.at.next_second());
        let compliance = policy
            .grant
            .controls
            .contains(&GrantControl::CompliantDevice)
            .then(|| self.witnesses.compliance(self.standing.device()))
            .flatten()
            .map(|(entry, _)| entry.at.next_second());
        policy.changed_at.max(risk).max(compliance)
    }

    fn reads_standing_state(&self, policy: &CompiledPolicy) -> bool {
        policy.reads.contains(Condition::UserRisk)
    }

    fn grant_evidence(&self, policy: &CompiledPolicy) -> Evidence {
        if policy.grant.blocks() {
            return Evidence::Unmet;
        }
        let mut evidence = policy
            .grant
            .controls
            .iter()
            .map(|control| self.evidence(policy, control));
        match policy.grant.operator {
            Operator::And => evidence.fold(Evidence::Met, worse),
            Operator::Or => evidence
                .next()
                .map_or(Evidence::Met, |first| evidence.fold(first, better)),
        }
    }

    fn evidence(&self, policy: &CompiledPolicy, control: &GrantControl) -> Evidence {
        let shown = match control {
            GrantControl::Mfa => self.token.shows_mfa(self.issuer),
            GrantControl::CompliantDevice => return self.device_evidence(),
            GrantControl::DomainJoinedDevice => self.token.shows_hybrid_joined_device(self.issuer),
            control if !control.leaves_trace() => return self.untraced_evidence(policy),
            _ => return Evidence::NotUnderstood,
        };
        match shown {
            Some(true) => Evidence::Met,
            Some(false) => Evidence::Unmet,
            None => Evidence::Unknown,
        }
    }

    /// A control that leaves no trace in tokens: the issuer saw to it when it issued a token after the fact. For other
    /// issuers such a policy does not load.
    fn untraced_evidence(&self, policy: &CompiledPolicy) -> Evidence {
        if !policy.evaluated_by_issuer {
            return Evidence::NotUnderstood;
        }
        match self.time_of_fact(policy) {
            Some(fact) if self.token.issued_earliest < fact => Evidence::Unmet,
            _ => Evidence::Met,
        }
    }

    /// Standing state first: it is newer than any claim.
    fn device_evidence(&self) -> Evidence {
        if let Some((entry, _)) = self.witnesses.compliance(self.standing.device()) {
            return match entry.value {
                DeviceCompliance::Compliant => Evidence::Met,
                DeviceCompliance::NotCompliant => Evidence::Contradicted,
            };
        }
        let shown = self.token.shows_compliant_device(self.issuer);
        match shown.or(self.request.facts.device_compliant) {
            Some(true) => Evidence::Met,
            Some(false) => Evidence::Unmet,
            None => Evidence::Unknown,
        }
    }

    fn unmet_controls(&self, policy: &CompiledPolicy) -> Vec<String> {
        if policy.grant.blocks() {
            return Vec::from([String::from("block")]);
        }
        policy
            .grant
            .controls
            .iter()
            .filter(|control| self.evidence(policy, control) != Evidence::Met)
            .map(|control| control.name().into_owned())
            .collect()
    }

    /// The `acr` value that asks for what the policy still wants.
    fn acr_value(&self, policy: &CompiledPolicy) -> Option<String> {
        policy
            .grant
            .controls
            .iter()
            .filter(|control| self.evidence(policy, control) != Evidence::Met)
            .find_map(|control| self.issuer.acr_values.get(control.name().as_ref()).cloned())
    }

    fn report(
        &self,
        policy: &CompiledPolicy,
        applicability: Applicability,
        findings: &mut Findings,
    ) {
        match applicability {
            Applicability::DoesNotApply(_) => {}
            Applicability::Undetermined(unknown) => {
                findings.report.undetermined.push(UndeterminedPolicy {
                    id: policy.label(),
                    display_name: policy.display_name.clone(),
                    unknown: names(unknown, &[]),
                })
            }
            Applicability::Applies => {
                let unmet = match self.grant_evidence(policy) {
                    Evidence::Met => Vec::new(),
                    _ => self.unmet_controls(policy),
                };
                let result = report_only_result(policy, &unmet);
                findings
                    .report
                    .policies
                    .push(outcome(policy, "yes", result, unmet));
            }
        }
    }

    /// Every policy that is not listed yet, with what rules it out.
    fn explain_the_rest(&self, findings: &mut Findings) {
        for (policy, applicability) in self.issuer.policies.evaluate_all(self.facts) {
            let id = policy.label();
            let listed = findings
                .report
                .policies
                .iter()
                .any(|listed| listed.id == id);
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
            findings.report.policies.push(row);
        }
    }
}

fn outcome(
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

fn names(unknown: ConditionSet, not_understood: &[String]) -> Vec<String> {
    unknown
        .iter()
        .map(|condition| String::from(condition.as_str()))
        .chain(not_understood.iter().cloned())
        .collect()
}

/// The controls that make a policy undetermined, by their place in the document.
fn controls_not_understood(policy: &CompiledPolicy) -> Vec<String> {
    policy
        .grant
        .controls
        .iter()
        .filter(|control| {
            matches!(
                control,
                GrantControl::NotUnderstood(_) | GrantControl::AuthenticationStrength(_)
            )
        })
        .map(|control| format!("grantControls.{}", control.name()))
        .collect()
}

/// Graph's name of what a report-only policy would have done (`policy-semantics.md` row 26).
fn report_only_result(policy: &CompiledPolicy, unmet: &[String]) -> &'static str {
    let interactive = |control: &GrantControl| {
        matches!(
            control,
            GrantControl::Mfa
                | GrantControl::AuthenticationStrength(_)
                | GrantControl::RiskRemediation
                | GrantControl::PasswordChange
                | GrantControl::TermsOfUse(_)
                | GrantControl::CustomAuthenticationFactor(_)
        )
    };
    let mut open = policy
        .grant
        .controls
        .iter()
        .filter(|control| unmet.contains(&control.name().into_owned()));
    let by_interaction = match policy.grant.operator {
        Operator::And => open.all(interactive),
        Operator::Or => open.any(interactive),
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

/// AND over controls: what is contradicted or visibly unmet decides, then what is unknown.
fn worse(a: Evidence, b: Evidence) -> Evidence {
    use Evidence::{Contradicted, Met, NotUnderstood, Unknown, Unmet};
    match (a, b) {
        (Contradicted, _) | (_, Contradicted) => Contradicted,
        (Unmet, _) | (_, Unmet) => Unmet,
        (NotUnderstood, _) | (_, NotUnderstood) => NotUnderstood,
        (Unknown, _) | (_, Unknown) => Unknown,
        (Met, Met) => Met,
    }
}

/// OR over controls: one that is met suffices, one that may be met leaves it open, one that a new token could show
/// keeps the way open.
fn better(a: Evidence, b: Evidence) -> Evidence {
    use Evidence::{Contradicted, Met, NotUnderstood, Unknown, Unmet};
    match (a, b) {
        (Met, _) | (_, Met) => Met,
        (NotUnderstood, _) | (_, NotUnderstood) => NotUnderstood,
        (Unknown, _) | (_, Unknown) => Unknown,
        (Unmet, _) | (_, Unmet) => Unmet,
        (Contradicted, Contradicted) => Contradicted,
    }
}

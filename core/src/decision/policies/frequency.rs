//! Sign-in frequency (`enforcement.md` §6).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::PolicyCheck;
use super::undetermined::Gap;
use crate::decision::findings::Findings;
use crate::decision::reason::ReasonCode;
use crate::decision::table::Situation;
use crate::policy::controls::SignInInterval;
use crate::policy::{CompiledPolicy, ConditionSet};
use crate::token::Principal;

/// `everyTime` allows five minutes between authentication and issue (`conditional-access.md` §4).
const EVERY_TIME_SKEW: Duration = Duration::from_secs(300);

impl PolicyCheck<'_> {
    /// Sign-in frequency (`enforcement.md` §6): app-only tokens are exempt, `everyTime` is judged at issue.
    pub(super) fn sign_in_frequency(&self, policy: &CompiledPolicy, findings: &mut Findings) {
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
                self.undetermined(policy, &frequency_gap(false), findings);
                return;
            }
        };
        let Some(authenticated) = self.token.auth_time.known().copied() else {
            if policy.evaluated_by_issuer {
                // `everyTime` is judged at issue; any other interval runs on after it.
                self.undetermined(policy, &frequency_gap(max_age.is_zero()), findings);
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
        // The issuer asks for more only once it knows the policy, and the policy applies.
        let fact = self
            .time_of_fact(policy)
            .map_or(fact, |other| fact.max(other));
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
}

/// A sign-in frequency that cannot be told.
fn frequency_gap(lasting: bool) -> Gap {
    Gap {
        conditions: ConditionSet::EMPTY,
        members: Vec::from([String::from("sessionControls.signInFrequency")]),
        lasting,
    }
}

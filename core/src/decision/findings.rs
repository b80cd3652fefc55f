//! Collects what the checks found and combines it: any Deny beats every Challenge, Challenges become one header.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::evaluation::{CheckOutcome, Evaluation, Outcome, Report};
use super::reason::{Reason, ReasonCode};
use super::table::{Ask, Resolution, Situation, Voice, resolve};
use crate::challenge::{Challenge, ClaimsRequest, Description, www_authenticate};
use crate::configuration::Resource;
use crate::engine::{Change, Detail};
use crate::time::UnixTime;

/// What has been found so far about one request. A plain allow allocates nothing.
pub(super) struct Findings {
    voice: Voice,
    detail: Detail,
    denials: Vec<(Resolution, Reason)>,
    challenges: Vec<(Ask, Reason)>,
    remarks: Vec<Reason>,
    missing_scopes: Vec<String>,
    changes: Vec<Change>,
    revisit_at: Option<UnixTime>,
    /// There if somebody wants to read it.
    report: Option<Box<Report>>,
}

impl Findings {
    pub(super) fn new(voice: Voice, detail: Detail) -> Self {
        Self {
            voice,
            detail,
            denials: Vec::new(),
            challenges: Vec::new(),
            remarks: Vec::new(),
            missing_scopes: Vec::new(),
            changes: Vec::new(),
            revisit_at: None,
            report: (detail != Detail::None).then(Box::default),
        }
    }

    /// Whether policies and reports have to be written down.
    pub(super) const fn reporting(&self) -> bool {
        self.report.is_some()
    }

    /// Where they are written down, if they have to be.
    pub(super) fn report(&mut self) -> Option<&mut Report> {
        self.report.as_deref_mut()
    }

    /// Whether every check and policy has to be written down.
    pub(super) fn explaining(&self) -> bool {
        self.detail == Detail::Explain
    }

    /// Records what stands against the request; says what it comes to, for the explanation.
    pub(super) fn against(
        &mut self,
        situation: Situation,
        code: ReasonCode,
        policy: Option<String>,
    ) -> &'static str {
        let reason = Reason { code, policy };
        match resolve(situation, self.voice) {
            Resolution::Challenge(ask) => {
                self.challenges.push((ask, reason));
                "challenge"
            }
            denial => {
                self.denials.push((denial, reason));
                "deny"
            }
        }
    }

    /// A fact of the host that a check asks for is missing.
    pub(super) fn missing(&mut self, code: ReasonCode) {
        if !self.denials.iter().any(|(_, reason)| reason.code == code) {
            self.against(Situation::MissingFact, code, None);
        }
        self.note(code.as_str(), "deny", String::new);
    }

    /// The token lacks a scope of the route.
    pub(super) fn missing_scope(&mut self, scope: &str) {
        if self.missing_scopes.is_empty() {
            self.against(Situation::ScopeMissing, ReasonCode::ScopeMissing, None);
        }
        self.missing_scopes.push(scope.to_string());
    }

    /// Something worth saying that does not stand against the request.
    pub(super) fn remark(&mut self, code: ReasonCode) {
        self.remarks.push(Reason { code, policy: None });
    }

    /// State for the host to remember; several policies may ask for the same.
    pub(super) fn remember(&mut self, change: Change) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// At this instant time alone may change the outcome.
    pub(super) fn revisit(&mut self, at: UnixTime) {
        self.revisit_at = Some(self.revisit_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// One line of the explanation; `detail` runs only when somebody asked for it.
    pub(super) fn note(
        &mut self,
        check: &'static str,
        result: &'static str,
        detail: impl FnOnce() -> String,
    ) {
        if self.explaining()
            && let Some(report) = self.report()
        {
            report.checks.push(CheckOutcome {
                check,
                result,
                detail: detail(),
            });
        }
    }

    /// The outcome of everything that was found.
    pub(super) fn conclude(mut self, resource: &Resource) -> Evaluation {
        if self.denials.is_empty() && self.challenges.is_empty() && self.remarks.is_empty() {
            return Evaluation::allow(self.revisit_at, self.report);
        }
        // `MissingFact` comes last: a definite refusal is the better answer.
        self.denials.sort_by_key(|(resolution, reason)| {
            (denial_rank(resolution), reason.code, reason.policy.clone())
        });
        self.challenges
            .sort_by(|(_, a), (_, b)| (a.code, &a.policy).cmp(&(b.code, &b.policy)));

        let (outcome, status, header) = match (self.denials.first(), self.challenges.is_empty()) {
            (Some((denial, _)), _) => (
                Outcome::Deny,
                status_of(denial),
                self.denial_header(denial, resource),
            ),
            (None, false) => (
                Outcome::Challenge,
                401,
                Some(self.challenge_header(resource)),
            ),
            (None, true) => (Outcome::Allow, 200, None),
        };
        // A refused client gets no exemption: nothing is remembered unless the challenge goes out.
        let changes = if outcome == Outcome::Challenge {
            self.changes
        } else {
            Vec::new()
        };
        let mut reasons = Vec::new();
        reasons.extend(self.denials.into_iter().map(|(_, reason)| reason));
        reasons.extend(self.challenges.into_iter().map(|(_, reason)| reason));
        reasons.extend(self.remarks);
        // One event may stand in the records of several subjects.
        reasons.dedup();
        Evaluation {
            outcome,
            status,
            www_authenticate: header,
            reasons,
            changes,
            revisit_at: self.revisit_at,
            may_reuse_without_events: 0,
            report: self.report,
        }
    }

    /// 403 carries `WWW-Authenticate` only for scopes (RFC 6750 §3.1), and only if nothing else stands against it.
    fn denial_header(&self, denial: &Resolution, resource: &Resource) -> Option<String> {
        (*denial == Resolution::InsufficientScope).then(|| {
            let scopes = self.missing_scopes.clone();
            www_authenticate(resource, &Challenge::InsufficientScope { scopes })
        })
    }

    fn challenge_header(&self, resource: &Resource) -> String {
        let mut claims = ClaimsRequest::default();
        let (mut acr_values, mut max_age) = (Vec::new(), None::<u64>);
        for (ask, _) in &self.challenges {
            match ask {
                Ask::NotBefore(time) => claims.combine(ClaimsRequest {
                    nbf: Some(*time),
                    ..ClaimsRequest::default()
                }),
                Ask::Location(time, address) => claims.combine(ClaimsRequest {
                    nbf: Some(*time),
                    rp_ip_address: Some(*address),
                    ..ClaimsRequest::default()
                }),
                Ask::Context(context) => {
                    claims.combine(ClaimsRequest {
                        acrs: Vec::from([context.clone()]),
                        ..ClaimsRequest::default()
                    });
                }
                Ask::NewToken => {}
                Ask::AcrValue(value) => {
                    if !acr_values.contains(value) {
                        acr_values.push(value.clone());
                    }
                }
                Ask::MaxAge(age) => max_age = Some(max_age.map_or(*age, |other| other.min(*age))),
            }
        }
        let description = self
            .challenges
            .first()
            .and_then(|(_, reason)| self.describe(reason.code));
        let challenge = if !claims.is_empty() {
            Challenge::InsufficientClaims {
                description,
                claims,
            }
        } else if acr_values.is_empty() && max_age.is_none() {
            Challenge::InvalidToken { description }
        } else {
            Challenge::InsufficientUserAuthentication {
                description,
                acr_values,
                max_age,
            }
        };
        www_authenticate(resource, &challenge)
    }

    /// What the client may know (`enforcement.md` §5): risk, devices and policy names stay in the decision log.
    const fn describe(&self, code: ReasonCode) -> Option<Description> {
        let dialect = self.voice.dialect();
        match code {
            ReasonCode::PolicyLocation => Some(Description::location(dialect)),
            ReasonCode::PolicyChanged => Description::outdated_policies(dialect),
            ReasonCode::PolicyControl
            | ReasonCode::PolicySignInFrequency
            | ReasonCode::AuthenticationContextMissing => Description::authentication(dialect),
            ReasonCode::SignalsStale => None,
            _ => Some(Description::revocation(dialect)),
        }
    }
}

fn denial_rank(resolution: &Resolution) -> u8 {
    match resolution {
        Resolution::Forbidden | Resolution::Challenge(_) => 0,
        Resolution::InsufficientScope => 1,
        Resolution::Unavailable => 2,
    }
}

const fn status_of(denial: &Resolution) -> u16 {
    match denial {
        Resolution::Challenge(_) => 401,
        Resolution::Forbidden | Resolution::InsufficientScope => 403,
        Resolution::Unavailable => 503,
    }
}

/// A refusal that check 1 gives alone (`enforcement.md` §5, first rows).
pub(crate) fn refuse(code: ReasonCode, detail: &str, resource: &Resource) -> Evaluation {
    let (status, challenge) = match code {
        ReasonCode::TokenMissing => (401, Some(Challenge::NoToken)),
        ReasonCode::RequestMalformed => (400, Some(Challenge::InvalidRequest)),
        ReasonCode::MissingSignature | ReasonCode::EngineFault => (503, None),
        _ => (401, Some(Challenge::InvalidToken { description: None })),
    };
    let check = CheckOutcome {
        check: "token",
        result: "deny",
        detail: format!("{}: {detail}", code.as_str()),
    };
    Evaluation {
        outcome: Outcome::Deny,
        status,
        www_authenticate: challenge.map(|challenge| www_authenticate(resource, &challenge)),
        reasons: Vec::from([Reason { code, policy: None }]),
        changes: Vec::new(),
        revisit_at: None,
        may_reuse_without_events: 0,
        report: Some(Box::new(Report {
            checks: Vec::from([check]),
            ..Report::default()
        })),
    }
}

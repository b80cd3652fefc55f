//! What the reader of a timeline has seen so far.

use cae_core::json::Value;
use cae_core::simulation::{Lane, LineKind, StepReport};

use crate::text::{member, word};

/// A token, numbered in the order in which the issuers gave them out.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    number: usize,
    /// The name that the scenario gave it.
    named: Option<String>,
    holder: Lane,
    pub(super) compact: String,
    pub(super) header: Value,
    pub(super) claims: Value,
}

impl Seen {
    /// `token 1`, with the scenario's name if it has one.
    pub(super) fn name(&self) -> String {
        match &self.named {
            Some(name) => format!("token {} ({name})", self.number),
            None => format!("token {}", self.number),
        }
    }
}

/// What was seen before a line, as far as it concerns that line.
pub(super) struct Known<'h> {
    /// The token of the line.
    pub(super) token: Option<Seen>,
    /// The token that the same client got before, for the same subject.
    pub(super) before: Option<&'h Seen>,
    /// The time that the last challenge asked for, if the token of the line answers it.
    pub(super) answers: Option<u64>,
}

/// Every token, and the challenge that waits for an answer.
#[derive(Debug, Default)]
pub(super) struct History {
    tokens: Vec<Seen>,
    challenge: Option<Challenge>,
}

#[derive(Debug)]
struct Challenge {
    to: Lane,
    not_before: u64,
}

impl History {
    /// What is known about `report`, before it is added.
    pub(super) fn about(&self, report: &StepReport) -> Known<'_> {
        let token = report.token.as_ref().map(|token| {
            let known = self
                .tokens
                .iter()
                .find(|seen| seen.compact == token.compact);
            known.cloned().unwrap_or_else(|| Seen {
                number: self.tokens.len().saturating_add(1),
                named: token.name.clone(),
                holder: report.from.clone(),
                compact: token.compact.clone(),
                header: token.header.clone(),
                claims: token.claims.clone(),
            })
        });
        let before = token.as_ref().and_then(|token| {
            let same = |seen: &&Seen| {
                seen.number < token.number
                    && seen.holder == token.holder
                    && seen.claims.get("iss") == token.claims.get("iss")
                    && seen.claims.get("sub") == token.claims.get("sub")
            };
            self.tokens.iter().rev().find(same)
        });
        let allowed = report.kind == LineKind::Request && report.www_authenticate.is_none();
        let answers = token.as_ref().filter(|_| allowed).and_then(|token| {
            let waits = self.challenge.as_ref();
            let waits = waits.filter(|challenge| challenge.to == report.from)?;
            let issued = member(&token.claims, "iat").as_u64()?;
            (issued >= waits.not_before).then_some(waits.not_before)
        });
        Known {
            token,
            before,
            answers,
        }
    }

    /// Adds a line.
    pub(super) fn add(&mut self, report: &StepReport) {
        let known = self.about(report);
        let (token, answered) = (known.token, known.answers.is_some());
        if let Some(token) = token.filter(|token| token.number > self.tokens.len()) {
            self.tokens.push(token);
        }
        let asked = report.claims_request.as_ref().and_then(|claims| {
            let not_before = member(member(claims, "access_token"), "nbf");
            word(not_before, "value")?.parse().ok()
        });
        if let Some(not_before) = asked.filter(|_| report.kind == LineKind::Request) {
            let to = report.from.clone();
            self.challenge = Some(Challenge { to, not_before });
        } else if answered {
            self.challenge = None;
        }
    }
}

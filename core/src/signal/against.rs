//! Whether an event hits one token, and why or why not.
//!
//! The answer is the real decision's: the token is decided once with nothing on record and once with what the event
//! puts there; what the second decision has against it and the first has not, is the event's doing. This module only
//! words it.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Serialize;

use super::interpret::{Interpretation, KeyEffect};
use super::words::Words;
use crate::configuration::{Configuration, Issuer, Transmitter};
use crate::decision::evaluation::CheckOutcome;
use crate::decision::{
    Answers, Check, Evaluation, Reason, ReasonCode, RecordAnswer, Request, counts_unseen, decide,
    facts, member_shown, name_of, reason_of, selects,
};
use crate::engine::Detail;
use crate::json::Value;
use crate::state::StateKey;
use crate::state::key::{NameSpace, SubjectKind};
use crate::state::names::Named as _;
use crate::state::record::{AccountStatus, CutOffScope};
use crate::time::UnixTime;
use crate::token::subject_keys::subject_key;
use crate::token::{self, AccessToken, Confirmation, SubjectKey};

/// What an event comes to for one token.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Against {
    #[serde(skip)]
    pub(super) hits: bool,
    /// Why the token is refused whatever happened; `null` if it is not.
    refused: Option<Refused>,
    /// The decision with the event on record and nothing else, about a request of which nothing is known; `null` if it
    /// rests on what is `missing`.
    decision: Option<&'static str>,
    status: Option<u16>,
    /// Facts of a request that the decision asks for, and that nobody gives here.
    missing: Vec<&'static str>,
    /// What the event adds to the reasons.
    reasons: Vec<ReasonLine>,
    /// Why, in sentences.
    why: Vec<String>,
    event_keys: Vec<KeyLine>,
    token_keys: Vec<KeyLine>,
    /// The checks that looked at the event.
    checks: Vec<CheckOutcome>,
}

#[derive(Serialize)]
struct Refused {
    code: &'static str,
    detail: String,
}

#[derive(Serialize)]
struct ReasonLine {
    code: &'static str,
    check: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyLine {
    kind: &'static str,
    name_space: &'static str,
    key: StateKey,
    /// Whether the other side has it too.
    shared: bool,
}

impl Against {
    /// The answer for a SET that was rejected: it hits nobody.
    pub(super) fn rejected(why: &str) -> Self {
        Self {
            why: Vec::from([format!("The event was rejected: {why}.")]),
            ..Self::nothing()
        }
    }

    const fn nothing() -> Self {
        Self {
            hits: false,
            refused: None,
            decision: None,
            status: None,
            missing: Vec::new(),
            reasons: Vec::new(),
            why: Vec::new(),
            event_keys: Vec::new(),
            token_keys: Vec::new(),
            checks: Vec::new(),
        }
    }
}

/// Holds an event against `token`, as it would be decided at `now`.
pub(super) fn against(
    token: &str,
    interpretation: &Interpretation<'_>,
    words: &Words<'_>,
    (configuration, transmitter): (&Configuration, &Transmitter),
    now: UnixTime,
) -> Against {
    let mut answer = Against::nothing();
    let (reading, now) = match token::read(token, configuration, now) {
        Ok(reading) => (reading, now),
        Err(refusal) => {
            let out_of_time = matches!(
                refusal.code,
                ReasonCode::TokenExpired | ReasonCode::TokenTooOld | ReasonCode::TokenNotYetValid
            );
            // A token that is merely out of time is judged as of its issue, so that old ones can be tried out too.
            let then = out_of_time.then(|| super::issued_at(token)).flatten();
            let reading =
                then.and_then(|then| Some((token::read(token, configuration, then).ok()?, then)));
            answer.why.push(format!(
                "The token is refused whatever happened: {}.",
                refusal.detail
            ));
            answer.refused = Some(Refused {
                code: refusal.code.as_str(),
                detail: refusal.detail,
            });
            match reading {
                Some(reading) => reading,
                None => return answer,
            }
        }
    };
    let token = reading.token;
    let Some(issuer) = configuration.issuers.get(token.issuer) else {
        return answer;
    };
    let effects = &interpretation.effects;
    let bytes: Vec<Option<Vec<u8>>> = (token.keys.iter())
        .map(|shown| {
            effects
                .get(&shown.key)
                .map(|effect| effect.record.to_bytes())
        })
        .collect();
    let found: Vec<RecordAnswer<'_>> = (bytes.iter())
        .map(|bytes| {
            bytes
                .as_deref()
                .map_or(RecordAnswer::None, RecordAnswer::Found)
        })
        .collect();
    let before = decided(
        configuration,
        issuer,
        &token,
        &alloc::vec![RecordAnswer::None; found.len()],
        now,
    );
    let after = decided(configuration, issuer, &token, &found, now);

    let added = after
        .reasons
        .iter()
        .filter(|reason| !before.reasons.contains(reason));
    let added: Vec<Reason> = added.cloned().collect();
    answer.hits =
        !added.is_empty() || after.outcome != before.outcome || after.status != before.status;
    let missing = after.reasons.iter().map(|reason| reason.code);
    answer.missing = missing
        .filter(|code| code.check() == Check::Host)
        .map(ReasonCode::as_str)
        .collect();
    if answer.missing.is_empty() {
        answer.decision = Some(after.outcome.as_str());
        answer.status = Some(after.status);
    }
    answer.event_keys = (effects.iter())
        .map(|(key, effect)| KeyLine {
            kind: effect.kind.name(),
            name_space: effect.name_space.name(),
            key: *key,
            shared: token.keys.iter().any(|shown| shown.key == *key),
        })
        .collect();
    answer.token_keys = (token.keys.iter())
        .map(|shown| KeyLine {
            kind: shown.kind.name(),
            name_space: shown.name_space.name(),
            key: shown.key,
            shared: effects.contains_key(&shown.key),
        })
        .collect();
    let checks = after.checks().iter();
    answer.checks = checks
        .filter(|check| !before.checks().contains(check))
        .cloned()
        .collect();
    let case = Case {
        interpretation,
        words,
        token: &token,
        issuer,
        added: &added,
        speaks: transmitter.speaks_for.contains(&token.issuer),
    };
    case.exemption(&after, &mut answer.why);
    case.why(answer.hits, &mut answer.why);
    if !answer.missing.is_empty() {
        answer.why.push(format!(
            "What becomes of a request rests besides on what nobody gives here: {}.",
            answer.missing.join(", ")
        ));
    }
    answer.reasons = (added.iter())
        .map(|reason| ReasonLine {
            code: reason.code.as_str(),
            check: reason.code.check().as_str(),
            policy: reason.policy.clone(),
        })
        .collect();
    answer
}

/// The decision about a request of which nothing is known, with possession of the token's key proved.
fn decided(
    configuration: &Configuration,
    issuer: &Issuer,
    token: &AccessToken,
    records: &[RecordAnswer<'_>],
    now: UnixTime,
) -> Evaluation {
    let candidates = issuer
        .policies
        .candidates(&facts::of_token(token, configuration));
    let confirmed = match &token.confirmation {
        Some(Confirmation::Jkt(thumbprint) | Confirmation::X5tS256(thumbprint)) => {
            Some(thumbprint.as_str())
        }
        Some(Confirmation::Unknown) | None => None,
    };
    let answers = Answers {
        signature: Some(true),
        confirmed,
        records,
    };
    let request = Request {
        now,
        ..Request::default()
    };
    decide(
        configuration,
        token,
        &candidates,
        &request,
        None,
        &answers,
        Detail::Explain,
    )
}

/// One event and one token.
struct Case<'a> {
    interpretation: &'a Interpretation<'a>,
    words: &'a Words<'a>,
    token: &'a AccessToken,
    issuer: &'a Issuer,
    added: &'a [Reason],
    /// Whether the transmitter may speak for the token's issuer.
    speaks: bool,
}

impl Case<'_> {
    /// A profile that leaves this token alone.
    fn exemption(&self, after: &Evaluation, why: &mut Vec<String>) {
        let checks = after.checks().iter();
        let exempt =
            checks.filter(|check| check.check == "event" && check.result == "notApplicable");
        why.extend(
            exempt.map(|check| format!("The profile leaves this token alone: {}.", check.detail)),
        );
    }

    fn why(&self, hits: bool, why: &mut Vec<String>) {
        if self.interpretation.effects.is_empty() {
            why.push("The event changes nothing that a token is decided by.".to_string());
            return;
        }
        if !self.speaks {
            why.push(format!(
                "The transmitter may not speak for {}, which issued the token.",
                self.token.issuer_url
            ));
        }
        let shared = || {
            let shown = self.token.keys.iter();
            shown.filter_map(|shown| Some((shown, self.interpretation.effects.get(&shown.key)?)))
        };
        if shared().next().is_none() {
            self.nothing_shared(why);
            return;
        }
        for (shown, effect) in shared() {
            self.judged(shown, effect, why);
        }
        if hits && self.added.iter().any(|reason| reason.policy.is_some()) {
            let policies = self
                .added
                .iter()
                .filter_map(|reason| reason.policy.as_deref());
            let policies: Vec<String> = policies.map(|policy| format!("`{policy}`")).collect();
            why.push(format!(
                "Policy {} asks for the state that the event set.",
                policies.join(", ")
            ));
        }
    }

    /// Kind by kind: what the event names, and what the token shows of it.
    fn nothing_shared(&self, why: &mut Vec<String>) {
        let mut kinds: Vec<SubjectKind> = Vec::new();
        let effects = self.interpretation.effects.values();
        for kind in effects.map(|effect| effect.kind) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        for kind in kinds {
            let (name, shown) = (name_of(kind), self.shown(kind));
            let named = self.interpretation.effects.iter();
            let named = named
                .filter(|(_, effect)| effect.kind == kind)
                .map(|(key, effect)| (*key, effect.kind));
            let named = self.words.any_of(named);
            why.push(match shown.as_slice() {
                [] => {
                    format!("No key in common: the event names {named}; the token shows no {name}.")
                }
                shown => format!(
                    "No key in common: the event names {named}; the token shows {name} {}.",
                    shown.join(", ")
                ),
            });
        }
    }

    /// What the token shows of one kind.
    fn shown(&self, kind: SubjectKind) -> Vec<String> {
        let shown = self.token.keys.iter().filter(|shown| shown.kind == kind);
        shown.map(|shown| self.text_of(shown)).collect()
    }

    /// The text of the token that a key was made of: the one that comes to the same key.
    fn text_of(&self, shown: &SubjectKey) -> String {
        let mut texts = Vec::new();
        collect_texts(&self.token.claims, &mut texts);
        texts.extend(self.issuer.aliases.values().flatten().map(String::as_str));
        texts.extend(self.token.tenant.as_deref());
        let same = |text: &&str| {
            subject_key(&self.token.scope, shown.kind, shown.name_space, text) == shown.key
        };
        let what = match shown.name_space {
            NameSpace::Native => String::new(),
            other => format!("{} ", other.name()),
        };
        match texts.iter().copied().find(same) {
            Some(text) => format!("{what}`{text}`"),
            None => format!("{what}{}", shown.key),
        }
    }

    /// What each part of the record under a shared key came to.
    fn judged(&self, shown: &SubjectKey, effect: &KeyEffect, why: &mut Vec<String>) {
        let whom = format!("{} {}", name_of(shown.kind), self.text_of(shown));
        let issued = self.words.time(self.token.issued_earliest);
        let record = &effect.record;
        let cut_off = record
            .cut_off
            .and_then(|entry| Some((reason_of(entry.value)?, entry)));
        if let Some((code, entry)) = cut_off {
            let fact = self.words.time(entry.at.next_second());
            why.push(match self.adds(code) {
                true => format!(
                    "Both show {whom}; the token was issued at {issued}, before {fact}: {}.",
                    code.as_str()
                ),
                false => format!(
                    "Both show {whom}, but the token was issued at {issued}, not before {fact}."
                ),
            });
        }
        for (scope, entry) in &record.scoped {
            let Some(code) = reason_of(entry.value) else {
                continue;
            };
            if !selects(scope, self.token, self.issuer) {
                self.mismatches(&whom, scope, why);
                continue;
            }
            let fact = self.words.time(entry.at.next_second());
            why.push(match self.adds(code) {
                true => format!(
                    "Both show {whom}, and the rest of the subject matches; the token was issued at {issued}, before {fact}: {}.",
                    code.as_str()
                ),
                false => format!(
                    "Both show {whom}, and the rest of the subject matches, but the token was issued at {issued}, not before {fact}."
                ),
            });
        }
        for (_, entry) in &record.status {
            let (code, what) = match entry.value {
                AccountStatus::Enabled => {
                    why.push(format!("Both show {whom}; being enabled refuses nothing."));
                    continue;
                }
                AccountStatus::Disabled => (ReasonCode::AccountDisabled, "disabled"),
                AccountStatus::Purged => (ReasonCode::AccountPurged, "deleted"),
            };
            why.push(match self.adds(code) {
                true => format!("Both show {whom}, which counts as {what}."),
                false => format!("Both show {whom}, but that it was {what} has lapsed, or does not count for this issuer."),
            });
        }
        for (name, entry) in &record.claims {
            let fact = self.words.time(entry.at.next_second());
            let name = name.as_str();
            why.push(match self.adds(ReasonCode::ClaimsChanged) {
                true => format!("Both show {whom}; the token was issued at {issued}, and what was issued before {fact} has to show the new value of `{name}`."),
                false => format!("Both show {whom}, but the token shows the new value of `{name}`, or was not issued before {fact}."),
            });
        }
        for (_, entry) in &record.assurance {
            let fact = self.words.time(entry.at.next_second());
            let level = entry.value.as_str();
            why.push(match self.adds(ReasonCode::AssuranceDecreased) {
                true => format!("Both show {whom}; the token was issued at {issued}, before {fact}, and its level is not known to be `{level}` or lower."),
                false => format!("Both show {whom}, but the level of the token is `{level}` or lower, or it was not issued before {fact}."),
            });
        }
        if !record.opt_out.is_empty() {
            why.push(format!(
                "Both show {whom}; whether events are sent about it refuses nothing."
            ));
        }
        if let Some(entry) = record.mfa_enabled {
            let fact = self.words.time(entry.at.next_second());
            why.push(match self.adds(ReasonCode::MfaEnabled) {
                true => format!("Both show {whom}; the token was issued at {issued}, before {fact}, and shows no multi-factor authentication."),
                false => format!("Both show {whom}, but the token shows multi-factor authentication, or was not issued before {fact}."),
            });
        }
        let asked = self.added.iter().any(|reason| reason.policy.is_some());
        for (_, entry) in &record.risk {
            if !asked {
                why.push(format!("Both show {whom}; no policy that applies asks for its risk level, which is {}.", entry.value.name()));
            }
        }
        if !record.compliance.is_empty() && !asked {
            why.push(format!(
                "Both show {whom}; no policy that applies asks whether it is compliant."
            ));
        }
    }

    /// Which members of a complex subject keep the token from being selected.
    fn mismatches(&self, whom: &str, scope: &CutOffScope, why: &mut Vec<String>) {
        for member in &scope.members {
            let name = name_of(member.kind);
            let named = self
                .words
                .any_of(member.keys.iter().map(|(_, key)| (*key, member.kind)));
            match member_shown(member, self.token) {
                Some(true) => {}
                Some(false) => why.push(format!(
                    "Both show {whom}, but the event is about {named}; the token shows {name} {}.",
                    self.shown(member.kind).join(", ")
                )),
                None if counts_unseen(member, scope.unseen) => {}
                None => why.push(format!(
                    "Both show {whom}, but the event is about {named} and the token shows no {name}, which does not count \
                     as matching ({}).",
                    scope.unseen.name()
                )),
            }
        }
    }

    fn adds(&self, code: ReasonCode) -> bool {
        self.added.iter().any(|reason| reason.code == code)
    }
}

/// Every text of the claims.
fn collect_texts<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| collect_texts(element, texts)),
        Value::Object(members) => members
            .values()
            .for_each(|member| collect_texts(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

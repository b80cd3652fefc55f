//! Readings as canonical JSON.

use alloc::string::String;
use alloc::vec::Vec;

use super::against::Against;
use super::interpret::Interpretation;
use super::rejection::Rejection;
use crate::json::{Value, to_text};
use crate::state::names::Named as _;
use crate::state::{RecordView, StateKey};

/// What was checked of who sent a SET, and to whom.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(super) struct Checks {
    pub(super) signature: &'static str,
    pub(super) issuer: &'static str,
    pub(super) audience: &'static str,
}

/// A check that was done and held.
pub(super) const VALID: &str = "valid";
/// A check for which something was missing: the key, or the configuration.
pub(super) const NOT_CHECKED: &str = "notChecked";

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Valid<'a> {
    status: &'static str,
    #[serde(flatten)]
    checks: Checks,
    transmitter: &'a str,
    jti: &'a str,
    event_types: &'a [&'a str],
    event_time: u64,
    event_time_micros: u64,
    subject: &'a Value,
    event: &'a Value,
    effects: Vec<EffectView<'a>>,
    notes: Vec<String>,
    #[serde(flatten)]
    words: Explanation,
}

/// What is only said when somebody asks for it.
#[derive(Default, serde::Serialize)]
pub(super) struct Explanation {
    /// What the event will do, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) explanation: Vec<String>,
    /// Whether it hits the token that it was held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hits: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) against: Option<Against>,
}

impl Explanation {
    pub(super) fn holding(mut self, against: Option<Against>) -> Self {
        self.hits = against.as_ref().map(|against| against.hits);
        self.against = against;
        self
    }
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct EffectView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<StateKey>,
    kind: &'static str,
    name_space: &'static str,
    effect: RecordView<'a>,
}

#[derive(serde::Serialize)]
struct Rejected<'a> {
    status: &'static str,
    err: &'static str,
    description: &'a str,
    #[serde(flatten)]
    words: Explanation,
}

/// The text for a SET that was accepted. Without configuration (`keys` false) keys are left out: the scope that
/// they depend on is not known.
pub(super) fn valid(
    interpretation: Interpretation<'_>,
    transmitter: &str,
    checks: Checks,
    keys: bool,
    words: Explanation,
) -> String {
    let Interpretation {
        set,
        event_time,
        effects,
        notes,
    } = interpretation;
    let effects = effects.iter().map(|(key, effect)| EffectView {
        key: keys.then_some(*key),
        kind: effect.kind.name(),
        name_space: effect.name_space.name(),
        effect: RecordView(&effect.record),
    });
    to_text(&Valid {
        status: VALID,
        checks,
        transmitter,
        jti: set.jti,
        event_types: &set.event_types,
        event_time: event_time.floor().as_secs(),
        event_time_micros: event_time.as_micros(),
        subject: &set.sub_id,
        event: set.payload,
        effects: effects.collect(),
        notes: notes.into_vec(),
        words,
    })
}

/// The text for a SET that was rejected; `err` and `description` are those of RFC 8935 §2.3.
pub(super) fn rejected(rejection: &Rejection, words: Explanation) -> String {
    to_text(&Rejected {
        status: "rejected",
        err: rejection.code.as_str(),
        description: &rejection.description,
        words,
    })
}

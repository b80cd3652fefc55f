//! Readings as canonical JSON.

use alloc::string::String;
use alloc::vec::Vec;

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
}

/// The text for a SET that was accepted. Without configuration (`keys` false) keys are left out: the scope that
/// they depend on is not known.
pub(super) fn valid(
    interpretation: Interpretation<'_>,
    transmitter: &str,
    checks: Checks,
    keys: bool,
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
    })
}

/// The text for a SET that was rejected; `err` and `description` are those of RFC 8935 §2.3.
pub(super) fn rejected(rejection: &Rejection) -> String {
    to_text(&Rejected {
        status: "rejected",
        err: rejection.code.as_str(),
        description: &rejection.description,
    })
}

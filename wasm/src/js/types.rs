//! What crosses to JavaScript: one declaration in TypeScript, one serde type in Rust for each.
//!
//! No integer above 2^53, no free-keyed map; what may be absent is left out; unions are told apart by `kind`.

use cae_core::decision::Outcome;
use cae_core::engine;
use cae_core::time::UnixTime;
use serde::{Deserialize, Serialize, Serializer};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

#[wasm_bindgen]
extern "C" {
    /// An `Error` that carries the faults of a configuration.
    #[wasm_bindgen(js_name = Error, extends = js_sys::Error)]
    pub(super) type ConfigurationError;

    #[wasm_bindgen(constructor, js_class = "Error")]
    pub(super) fn new(message: &str) -> ConfigurationError;

    #[wasm_bindgen(method, setter, structural)]
    pub(super) fn set_faults(this: &ConfigurationError, faults: JsValue);
}

/// A typed answer as a JavaScript object.
pub(super) fn to_js<T: Serialize>(answer: &T) -> Result<JsValue, JsValue> {
    serde_wasm_bindgen::to_value(answer).map_err(JsValue::from)
}

/// An argument that has the declared shape.
pub(super) fn read<T: for<'a> Deserialize<'a>>(argument: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(argument)
        .map_err(|error| js_sys::TypeError::new(&error.to_string()).into())
}

#[derive(Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Begun {
    Needs { handle: u64, needs: Needs },
    Refused { verdict: Verdict },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Needs {
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<SignatureNeed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyNeed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<ProofNeed>,
    records: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignatureNeed {
    key_id: String,
    key: String,
    algorithm: &'static str,
    signing_input: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyNeed {
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProofNeed {
    method: &'static str,
    thumbprint: String,
}

#[derive(Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Decided {
    Verdict { verdict: Verdict },
    Stale,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verdict {
    outcome: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    www_authenticate: Option<String>,
    reasons: Vec<String>,
    changes: Vec<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revisit_at: Option<u64>,
    may_reuse_without_events: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Presenter {
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    capable: bool,
}

#[derive(Serialize)]
pub(super) struct Change {
    key: String,
    #[serde(serialize_with = "bytes")]
    record: Vec<u8>,
}

/// As a `Uint8Array`; serde would make a list of numbers of it.
fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

#[derive(Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum EventReading {
    NeedsSignature {
        signature: SignatureNeed,
    },
    NeedsKey {
        key: KeyNeed,
    },
    Accepted {
        transmitter: String,
        jti: String,
        changes: Vec<Change>,
        json: String,
    },
    Rejected {
        code: &'static str,
        description: String,
        json: String,
    },
}

/// Members are options, because a member that is there and `undefined` is as absent as one that is not.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct MoreAboutRequest {
    pub(super) scheme: Option<String>,
    pub(super) confirmed: Option<String>,
    pub(super) facts: Option<Facts>,
    pub(super) signal_age: Option<Vec<SignalAge>>,
    pub(super) detail: Option<Detail>,
}

impl MoreAboutRequest {
    pub(super) fn read(argument: JsValue) -> Result<Self, JsValue> {
        if argument.is_undefined() {
            return Ok(Self::default());
        }
        read(argument)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Facts {
    pub(super) member_of: Option<Vec<String>>,
    pub(super) roles: Option<Vec<String>>,
    pub(super) user_type: Option<String>,
    pub(super) external_user_type: Option<String>,
    pub(super) external_tenant: Option<String>,
    pub(super) client_app_type: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) device_compliant: Option<bool>,
    pub(super) device: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SignalAge {
    pub(super) issuer: String,
    pub(super) seconds: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Detail {
    None,
    Decision,
    Explain,
}

impl From<engine::Begun> for Begun {
    fn from(begun: engine::Begun) -> Self {
        match begun {
            engine::Begun::Needs { handle, needs } => Self::Needs {
                handle: handle.0,
                needs: needs.into(),
            },
            engine::Begun::Refused(verdict) => Self::Refused {
                verdict: verdict.into(),
            },
        }
    }
}

impl From<engine::Needs> for Needs {
    fn from(needs: engine::Needs) -> Self {
        Self {
            signature: needs.signature.map(Into::into),
            key: needs.key.map(Into::into),
            proof: needs.proof.map(|proof| ProofNeed {
                method: proof.method,
                thumbprint: proof.thumbprint,
            }),
            records: needs.records.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<engine::SignatureNeed> for SignatureNeed {
    fn from(need: engine::SignatureNeed) -> Self {
        Self {
            key_id: need.key_id,
            key: need.key,
            algorithm: need.algorithm,
            signing_input: need.signing_input,
        }
    }
}

impl From<engine::KeyNeed> for KeyNeed {
    fn from(need: engine::KeyNeed) -> Self {
        Self {
            issuer: need.issuer,
            kid: need.kid,
        }
    }
}

impl From<engine::Decided> for Decided {
    fn from(decided: engine::Decided) -> Self {
        match decided {
            engine::Decided::Verdict(verdict) => Self::Verdict {
                verdict: verdict.into(),
            },
            engine::Decided::Stale => Self::Stale,
        }
    }
}

impl From<engine::Verdict> for Verdict {
    fn from(verdict: engine::Verdict) -> Self {
        Self {
            outcome: Outcome::as_str(verdict.outcome),
            status: verdict.status,
            www_authenticate: verdict.www_authenticate,
            reasons: verdict.reasons,
            changes: changes(verdict.changes),
            revisit_at: verdict.revisit_at.map(UnixTime::as_secs),
            may_reuse_without_events: verdict.may_reuse_without_events,
            json: verdict.json,
        }
    }
}

fn changes(changes: Vec<engine::Change>) -> Vec<Change> {
    changes
        .into_iter()
        .map(|change| Change {
            key: change.key.to_string(),
            record: change.record,
        })
        .collect()
}

impl From<engine::Presenter> for Presenter {
    fn from(presenter: engine::Presenter) -> Self {
        Self {
            issuer: presenter.issuer,
            subject: presenter.subject,
            tenant: presenter.tenant,
            client: presenter.client,
            capable: presenter.capable,
        }
    }
}

impl From<engine::EventReading> for EventReading {
    fn from(reading: engine::EventReading) -> Self {
        match reading {
            engine::EventReading::NeedsSignature(need) => Self::NeedsSignature {
                signature: need.into(),
            },
            engine::EventReading::NeedsKey(need) => Self::NeedsKey { key: need.into() },
            engine::EventReading::Accepted(event) => Self::Accepted {
                transmitter: event.transmitter,
                jti: event.jti,
                changes: changes(event.changes),
                json: event.json,
            },
            engine::EventReading::Rejected(event) => Self::Rejected {
                code: event.code,
                description: event.description,
                json: event.json,
            },
        }
    }
}

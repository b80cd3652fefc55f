//! An entry of the log of SETs: what came, what became of it, which records it changed. No names: keys are digests.

use cae_core::engine::{AcceptedEvent, RejectedEvent};
use cae_core::json::Value;
use cae_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use crate::text::elements;

/// An entry of the log.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) at: u64,
    pub(super) transmitter: Option<String>,
    pub(super) jti: Option<String>,
    /// `applied`, `held`, `rejected` or `released`.
    pub(super) verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) err: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) event_types: Vec<String>,
    /// Keys of the records that it changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) keys: Vec<String>,
}

impl Entry {
    pub(super) fn accepted(event: &AcceptedEvent, verdict: &str, received_at: UnixTime) -> Self {
        // The engine's own words.
        let reading: Value = serde_json::from_str(&event.json).unwrap_or_default();
        let event_types = elements(&reading, "eventTypes").filter_map(Value::as_str);
        let mut keys: Vec<String> = event.changes.iter().map(|it| it.key.to_string()).collect();
        keys.dedup();
        Self {
            at: received_at.as_secs(),
            transmitter: Some(event.transmitter.clone()),
            jti: Some(event.jti.clone()),
            verdict: verdict.to_owned(),
            err: None,
            event_types: event_types.map(str::to_owned).collect(),
            keys,
        }
    }

    pub(super) fn rejected(
        transmitter: Option<String>,
        event: &RejectedEvent,
        received_at: UnixTime,
    ) -> Self {
        Self {
            at: received_at.as_secs(),
            transmitter,
            jti: None,
            verdict: "rejected".to_owned(),
            err: Some(event.code.to_owned()),
            event_types: Vec::new(),
            keys: Vec::new(),
        }
    }
}

//! What the host keeps about each transmitter: how many subjects its events touch, which ones wait for an operator, and
//! which ones can never hit a token.

use std::collections::BTreeMap;

use cae_core::configuration::transmitter::Brake;
use cae_core::engine::{AcceptedEvent, Change};
use cae_core::json::{self, Limits, Value};
use cae_core::signal::brake::{BrakeWatch, Braking, is_about_account};
use cae_core::state::Record;
use cae_core::time::UnixTime;

use crate::text::{elements, member};

/// What is known about one transmitter.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    brake: Option<(Brake, BrakeWatch)>,
    held: Vec<HeldEvent>,
    /// How many events named a kind of key that no token can show.
    unmatchable: BTreeMap<String, u64>,
}

/// An event that waits for an operator: accepted and acknowledged, not applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldEvent {
    /// Issuer URL of the transmitter.
    pub transmitter: String,
    /// `jti` of the SET.
    pub jti: String,
    /// What it does once it is released, at its own times.
    pub changes: Vec<Change>,
}

/// A transmitter that touched more subjects within a minute than its brake allows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BrakeAlarm {
    /// Issuer URL of the transmitter.
    pub transmitter: String,
    /// How it is configured.
    pub brake: Brake,
    /// When the event came that was too much.
    pub at: UnixTime,
}

/// What becomes of an event.
pub(crate) struct Passage {
    pub(crate) alarm: Option<BrakeAlarm>,
    pub(crate) hold: bool,
}

impl Intake {
    pub(crate) fn set_brake(&mut self, brake: Brake) {
        let mut watch = BrakeWatch::new(brake);
        if !self.held.is_empty() {
            watch.hold();
        }
        self.brake = Some((brake, watch));
    }

    /// Counts an event that was accepted for the first time, and says what becomes of it.
    pub(crate) fn admit(
        &mut self,
        event: &AcceptedEvent,
        records: &[Record],
        received_at: UnixTime,
    ) -> Passage {
        let pass = Passage {
            alarm: None,
            hold: false,
        };
        // Most events are looked at no further.
        let is_braked = self.brake.is_some() && !records.is_empty();
        if !is_braked && !event.json.contains(UNMATCHABLE) {
            return pass;
        }
        // The engine's own words.
        let reading: Value = serde_json::from_str(&event.json).unwrap_or_default();
        for note in elements(&reading, "notes").filter_map(Value::as_str) {
            if let Some(kind) = note.strip_prefix(UNMATCHABLE) {
                let count = self.unmatchable.entry(kind.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
        }
        let Some((brake, watch)) = self.brake.as_mut().filter(|_| is_braked) else {
            return pass;
        };
        let subject = member(&reading, "subject").to_string();
        let is_account_event = records.iter().any(is_about_account);
        let Braking { alarm, hold } = watch.observe(&subject, is_account_event, received_at);
        let alarm = alarm.then(|| BrakeAlarm {
            transmitter: event.transmitter.clone(),
            brake: *brake,
            at: received_at,
        });
        Passage { alarm, hold }
    }

    /// Keeps an event until it is released.
    pub(crate) fn hold(&mut self, event: HeldEvent) {
        self.held.push(event);
        if let Some((_, watch)) = &mut self.brake {
            watch.hold();
        }
    }

    /// The events that wait, in the order in which they came.
    pub(crate) fn held(&self) -> &[HeldEvent] {
        &self.held
    }

    /// Hands over the events that wait; the next ones pass.
    pub(crate) fn release(&mut self) -> Vec<HeldEvent> {
        if let Some((_, watch)) = &mut self.brake {
            watch.release();
        }
        std::mem::take(&mut self.held)
    }

    /// How many events named a kind of key that no token can show.
    pub(crate) fn unmatchable(&self) -> impl Iterator<Item = (&str, u64)> {
        self.unmatchable
            .iter()
            .map(|(kind, count)| (kind.as_str(), *count))
    }
}

/// What the engine writes in front of such a kind.
const UNMATCHABLE: &str = "unmatchable:";

/// The brakes of a configuration that the engine took, by transmitter.
#[must_use]
pub fn brakes(configuration: &str) -> Vec<(String, Brake)> {
    let read = json::parse(configuration.as_bytes(), Limits::DOCUMENT).unwrap_or_default();
    let brake = |transmitter: &Value| {
        let brake = transmitter.get("brake")?;
        let brake = Brake {
            subjects_per_minute: brake.get("subjectsPerMinute")?.as_u64()?,
            hold: brake.get("hold").and_then(Value::as_bool).unwrap_or(false),
        };
        Some((transmitter.get("issuer")?.as_str()?.to_owned(), brake))
    };
    elements(&read, "transmitters").filter_map(brake).collect()
}

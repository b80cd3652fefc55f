//! What is known about a transmitter: its last sign of life, its stream, and which verifications it owes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cae_core::engine::{AcceptedEvent, RejectedEvent};
use cae_core::json::Value;
use cae_core::time::UnixTime;

use super::settings::Transmitter;
use crate::text::{elements, member, word};

/// Verification events that are still waited for.
const EXPECTED: usize = 8;

/// What is known about one transmitter, for decisions and for operators.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) settings: Transmitter,
    /// The last sign of life, in seconds since the epoch; 0 is none.
    alive: AtomicU64,
    state: Mutex<Condition>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    pub(crate) stream: Option<String>,
    /// As the transmitter says: `enabled`, `paused`, `disabled`.
    pub(crate) status: Option<String>,
    /// Why the last attempt failed.
    pub(crate) problem: Option<String>,
    expected: Vec<String>,
}

impl Watched {
    pub(crate) fn new(settings: Transmitter, alive: u64) -> Self {
        Self {
            settings,
            alive: AtomicU64::new(alive),
            state: Mutex::default(),
        }
    }

    /// How long ago the last sign of life was, in seconds. A stream that is paused or disabled is as old as can be.
    pub(crate) fn age(&self, now: UnixTime) -> u64 {
        if self.is_halted() {
            return NEVER;
        }
        match self.alive.load(Ordering::Relaxed) {
            0 => NEVER,
            alive => now.as_secs().saturating_sub(alive),
        }
    }

    /// Whether the transmitter said that it sends nothing.
    pub(crate) fn is_halted(&self) -> bool {
        matches!(self.lock().status.as_deref(), Some("paused" | "disabled"))
    }

    pub(crate) fn alive(&self) -> u64 {
        self.alive.load(Ordering::Relaxed)
    }

    pub(crate) fn condition(&self) -> Condition {
        self.lock().clone()
    }

    pub(crate) fn is_alive(&self, now: UnixTime) {
        self.alive.fetch_max(now.as_secs(), Ordering::Relaxed);
    }

    /// Looks at an accepted event: it is a sign of life, and may say something about the stream itself.
    ///
    /// # Errors
    /// It answers a verification that nobody asked for (SSF §8.1.4.1).
    pub(crate) fn observe(
        &self,
        event: &AcceptedEvent,
        now: UnixTime,
    ) -> Result<(), RejectedEvent> {
        // Most events say nothing about the stream.
        if event.json.contains("/event-type/verification") || event.json.contains("stream-updated")
        {
            let reading: Value = serde_json::from_str(&event.json).unwrap_or_default();
            let mut types = elements(&reading, "eventTypes").filter_map(Value::as_str);
            let body = member(&reading, "event");
            match types.next() {
                Some(uri) if uri.ends_with("/event-type/verification") => {
                    self.verified(word(body, "state"))?;
                }
                Some(uri) if uri.ends_with("/event-type/stream-updated") => {
                    self.lock().status = word(body, "status").map(str::to_owned);
                }
                _ => {}
            }
        }
        self.is_alive(now);
        Ok(())
    }

    fn verified(&self, state: Option<&str>) -> Result<(), RejectedEvent> {
        // Without one it is unsolicited, which the transmitter may do.
        let Some(state) = state else { return Ok(()) };
        let mut condition = self.lock();
        let Some(position) = condition.expected.iter().position(|it| it == state) else {
            return Err(RejectedEvent {
                code: "invalid_state",
                description: "nobody asked for a verification with this `state`".to_owned(),
                json: String::new(),
            });
        };
        condition.expected.drain(..=position);
        Ok(())
    }

    /// Waits for a verification event with this `state`.
    pub(crate) fn expect(&self, state: &str) {
        let mut condition = self.lock();
        if condition.expected.len() >= EXPECTED {
            condition.expected.remove(0);
        }
        condition.expected.push(state.to_owned());
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Condition> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Older than any bound.
const NEVER: u64 = u64::MAX >> 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_that_nobody_asked_for_is_rejected() {
        let settings = Transmitter::that_pushes("t".to_owned(), "https://t.example".to_owned());
        let watched = Watched::new(settings, 0);
        let now = UnixTime::from_secs(1_000);
        let event = |uri: &str, body: &str| AcceptedEvent {
            transmitter: "https://t.example".to_owned(),
            jti: "1".to_owned(),
            changes: Vec::new(),
            json: format!(
                r#"{{"eventTypes":["https://schemas.openid.net/secevent/ssf/event-type/{uri}"],"event":{body}}}"#
            ),
        };
        assert_eq!(watched.age(now), NEVER);
        assert!(
            watched
                .observe(&event("verification", r#"{"state":"a"}"#), now)
                .is_err()
        );
        assert_eq!(watched.age(now), NEVER, "no sign of life");
        watched.expect("a");
        watched
            .observe(&event("verification", r#"{"state":"a"}"#), now)
            .unwrap();
        assert!(
            watched
                .observe(&event("verification", r#"{"state":"a"}"#), now)
                .is_err(),
            "once"
        );
        watched.observe(&event("verification", "{}"), now).unwrap();
        assert_eq!(watched.age(UnixTime::from_secs(1_007)), 7);
        watched
            .observe(&event("stream-updated", r#"{"status":"paused"}"#), now)
            .unwrap();
        assert_eq!(watched.age(now), NEVER);
        watched
            .observe(&event("stream-updated", r#"{"status":"enabled"}"#), now)
            .unwrap();
        assert_eq!(watched.age(now), 0);
    }
}

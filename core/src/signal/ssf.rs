//! Events of the Shared Signals Framework 1.0 itself. They are about the stream, not about tokens: the host acts
//! on `state` and `status` of the payload.

use super::event::Event;
use super::rejection::Rejection;
use super::set::Payload;

/// Reads the event `name` of this vocabulary.
pub(super) fn read(name: &str, payload: &Payload<'_>) -> Result<Event, Rejection> {
    match name {
        "verification" => {
            payload.optional_text("state")?;
            Ok(Event::Verification)
        }
        "stream-updated" => {
            payload.choice(
                "status",
                &[("enabled", ()), ("paused", ()), ("disabled", ())],
            )?;
            Ok(Event::StreamUpdated)
        }
        _ => Ok(Event::NotYetUnderstood),
    }
}

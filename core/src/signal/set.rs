//! The claims of a security event token (RFC 8417 §2.2, as SSF 1.0 §4 profiles it).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::event::{Event, Initiator};
use super::legacy;
use super::rejection::{ErrorCode, Rejection};
use super::time::instant;
use crate::json::{Map, Value};
use crate::subject::Subject;
use crate::time::EventTime;

/// A SET whose claims were accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct SecurityEventToken<'a> {
    /// `jti`.
    pub jti: &'a str,
    /// `iat`, with its fraction.
    pub issued: EventTime,
    /// `toe`.
    pub time_of_event: Option<EventTime>,
    /// The subject: `sub_id`, or that of the event from a legacy transmitter.
    pub subject: Subject,
    /// The same as sent.
    pub sub_id: &'a Value,
    /// The URIs under which the event is reported; several only if they are names of one event.
    pub event_types: Vec<&'a str>,
    /// What happened.
    pub event: Event,
    /// `event_timestamp` of the event.
    pub event_timestamp: Option<EventTime>,
    /// Who caused it.
    pub initiator: Initiator,
    /// The payload of the event as sent.
    pub payload: &'a Value,
}

/// `iss` of a payload.
///
/// # Errors
/// `invalid_request` if it is absent or not a string.
pub(super) fn issuer(payload: &Value) -> Result<&str, Rejection> {
    text(payload, "iss")
}

/// Checks `aud` against the audience that is configured for the transmitter, if any.
///
/// # Errors
/// `invalid_request` for an `aud` that is neither a string nor a list of strings, `invalid_audience` if it does
/// not hold `accepted`.
pub(super) fn check_audience(payload: &Value, accepted: Option<&str>) -> Result<(), Rejection> {
    let malformed =
        || Rejection::invalid_request("`aud` is neither a string nor a list of strings");
    let audiences: Vec<&str> = match payload.get("aud") {
        None => Vec::new(),
        Some(Value::String(audience)) => alloc::vec![audience],
        Some(Value::Array(audiences)) if !audiences.is_empty() => {
            let texts = audiences.iter().map(Value::as_str).collect::<Option<_>>();
            texts.ok_or_else(malformed)?
        }
        Some(_) => return Err(malformed()),
    };
    match accepted {
        Some(accepted) if !audiences.contains(&accepted) => Err(Rejection::new(
            ErrorCode::InvalidAudience,
            "`aud` does not hold the audience that is configured for this transmitter",
        )),
        _ => Ok(()),
    }
}

impl<'a> SecurityEventToken<'a> {
    /// Reads the claims of a payload whose issuer and audience were checked. Unknown claims are ignored; `legacy`
    /// allows the subject to stand inside the event.
    ///
    /// # Errors
    /// `invalid_request`, with the claim at fault.
    pub(super) fn read(payload: &'a Value, legacy: bool) -> Result<Self, Rejection> {
        // SPEC: SSF 1.0 §4.1.2, §4.1.7: neither may be present, so that a SET is never taken for another JWT.
        for forbidden in ["sub", "exp"] {
            if payload.get(forbidden).is_some() {
                return Err(Rejection::invalid_request(format!(
                    "`{forbidden}` must not be present in a SET"
                )));
            }
        }
        let issued = payload.get("iat").and_then(instant);
        let issued = issued.ok_or_else(|| not("iat", "a NumericDate"))?;
        let time_of_event = match payload.get("toe") {
            None => None,
            Some(toe) => Some(instant(toe).ok_or_else(|| not("toe", "a NumericDate"))?),
        };
        let jti = text(payload, "jti")?;
        let events = match payload.get("events") {
            Some(Value::Object(events)) if !events.is_empty() => events,
            _ => return Err(not("events", "an object with one event")),
        };
        let in_event = || legacy::subject(events).filter(|_| legacy);
        let sub_id = payload
            .get("sub_id")
            .or_else(in_event)
            .ok_or_else(|| not("sub_id", "a subject identifier"))?;
        let with_format = match legacy {
            true => legacy::with_format(sub_id),
            false => Cow::Borrowed(sub_id),
        };
        let subject = Subject::read(&with_format)
            .map_err(|error| Rejection::invalid_request(format!("`sub_id`: {error}")))?;
        let Reported {
            event,
            payload,
            event_timestamp,
            initiator,
        } = only_event(events)?;
        Ok(Self {
            jti,
            issued,
            time_of_event,
            subject,
            sub_id,
            event_types: events.keys().map(String::as_str).collect(),
            event,
            event_timestamp,
            initiator,
            payload,
        })
    }
}

struct Reported<'a> {
    event: Event,
    payload: &'a Value,
    event_timestamp: Option<EventTime>,
    initiator: Initiator,
}

/// SPEC: SSF 1.0 §4.2.1: several members only as alternative URIs of one event type.
fn only_event(events: &Map<String, Value>) -> Result<Reported<'_>, Rejection> {
    let mut reported = events.iter().map(|(uri, value)| {
        let payload = Payload::of(value)?;
        let event = Event::read(uri, &payload)?;
        // The members of an event that is not understood mean nothing.
        let (event_timestamp, initiator) = match event {
            Event::NotYetUnderstood => (None, Initiator::NotTheUser),
            _ => (payload.event_timestamp()?, payload.initiator()?),
        };
        Ok::<_, Rejection>(Reported {
            event,
            payload: value,
            event_timestamp,
            initiator,
        })
    });
    let first = match reported.next() {
        Some(first) => first?,
        None => return Err(not("events", "an object with one event")),
    };
    for other in reported {
        let other = other?;
        let same = other.event == first.event
            && other.event_timestamp == first.event_timestamp
            && other.initiator == first.initiator;
        if first.event == Event::NotYetUnderstood || !same {
            return Err(not("events", "one event, or several names of one event"));
        }
    }
    Ok(first)
}

/// The payload of one event. Members that no effect reads are not judged.
pub(super) struct Payload<'a>(&'a Map<String, Value>);

impl<'a> Payload<'a> {
    fn of(value: &'a Value) -> Result<Self, Rejection> {
        let members = value.as_object().map(Self);
        members.ok_or_else(|| not("events", "an object whose members are objects"))
    }

    /// A member that has to be a string, any string.
    pub(super) fn text(&self, member: &str) -> Result<&'a str, Rejection> {
        let text = self.optional_text(member)?;
        text.ok_or_else(|| not(member, "present in this event"))
    }

    /// A member that is a string if it is there.
    pub(super) fn optional_text(&self, member: &str) -> Result<Option<&'a str>, Rejection> {
        match self.0.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(not(member, "a string")),
        }
    }

    /// A member that has to be one of some names, compared without case.
    pub(super) fn choice<T: Copy>(
        &self,
        member: &str,
        names: &[(&str, T)],
    ) -> Result<T, Rejection> {
        let text = self.text(member)?;
        let mut names = names.iter();
        match names.find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            Some((_, value)) => Ok(*value),
            None => Err(not(member, "a value of this event")),
        }
    }

    /// As [`Payload::choice`], for a member that may be absent.
    pub(super) fn optional_choice<T: Copy>(
        &self,
        member: &str,
        names: &[(&str, T)],
    ) -> Result<Option<T>, Rejection> {
        if self.0.contains_key(member) {
            self.choice(member, names).map(Some)
        } else {
            Ok(None)
        }
    }

    fn event_timestamp(&self) -> Result<Option<EventTime>, Rejection> {
        match self.0.get("event_timestamp") {
            None => Ok(None),
            Some(time) => match instant(time) {
                None => Err(not("event_timestamp", "a NumericDate")),
                found => Ok(found),
            },
        }
    }

    /// An entity that CAEP does not name is somebody else, not the user.
    fn initiator(&self) -> Result<Initiator, Rejection> {
        Ok(match self.optional_text("initiating_entity")? {
            Some(entity) if entity.eq_ignore_ascii_case("user") => Initiator::User,
            _ => Initiator::NotTheUser,
        })
    }
}

fn text<'a>(payload: &'a Value, claim: &str) -> Result<&'a str, Rejection> {
    match payload.get(claim) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(not(claim, "a non-empty string")),
    }
}

fn not(name: &str, expected: &str) -> Rejection {
    Rejection::invalid_request(format!("`{name}` is not {expected}"))
}

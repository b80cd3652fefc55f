//! The claims of a security event token (RFC 8417 §2.2, as SSF 1.0 §4 profiles it).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::event::{Event, Initiator};
use super::legacy;
use super::payload::{Payload, not};
use super::rejection::{ErrorCode, Rejection};
use super::time::instant;
use super::vocabulary::{EventType, Vocabulary};
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
    /// The subject: `sub_id`, or that of the event from a legacy transmitter, which may leave it out where it would
    /// mean nothing.
    pub subject: Option<Subject>,
    /// The same as sent.
    pub sub_id: Cow<'a, Value>,
    /// The URIs under which the event is reported; several only if they are names of one event, or of what one SCIM
    /// request did.
    pub event_types: Vec<&'a str>,
    /// What happened.
    pub events: Vec<Event>,
    /// `event_timestamp` of the event.
    pub event_timestamp: Option<EventTime>,
    /// Who caused it.
    pub initiator: Initiator,
    /// The payload of the event as sent.
    pub payload: &'a Value,
    /// Members that are not as they should be, and on which nothing depends.
    pub malformed: Vec<String>,
    /// Whether the event type takes effect only from transmitters that are configured as `legacy`, and this is none.
    pub not_legacy: bool,
}

/// `iss` of a payload.
///
/// # Errors
/// `invalid_request` if it is absent or not a string.
pub(super) fn issuer(payload: &Value) -> Result<&str, Rejection> {
    text(payload, "iss")
}

/// Checks `aud` against the audiences that are configured for the transmitter, if any.
///
/// # Errors
/// `invalid_request` for an `aud` that is neither a string nor a list of strings, `invalid_audience` if it holds none
/// of `accepted`.
pub(super) fn check_audience(payload: &Value, accepted: &[String]) -> Result<(), Rejection> {
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
    let is_accepted = |audience: &&str| accepted.iter().any(|accepted| accepted == audience);
    if accepted.is_empty() || audiences.iter().any(is_accepted) {
        return Ok(());
    }
    Err(Rejection::new(
        ErrorCode::InvalidAudience,
        "`aud` does not hold the audience that is configured for this transmitter",
    ))
}

impl<'a> SecurityEventToken<'a> {
    /// Reads the claims of a payload whose issuer and audience were checked. Unknown claims are ignored; `legacy`
    /// allows the shapes and the names of before SSF 1.0.
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
        let reported = one_cause(events, legacy)?;
        let sub_id = match payload.get("sub_id") {
            Some(sub_id) => Some(sub_id),
            None if legacy => legacy::subject(events),
            None => None,
        };
        let sub_id = match sub_id {
            Some(sub_id) if legacy => legacy::modern(sub_id),
            Some(sub_id) => Cow::Borrowed(sub_id),
            // Drafts had no subject where the stream itself was meant.
            None if legacy && reported.events.iter().all(is_about_no_account) => {
                Cow::Owned(Value::Null)
            }
            None => {
                let client = legacy && reported.events.iter().all(is_about_a_client);
                let client = client
                    .then(|| legacy::client_of_audience(payload))
                    .flatten();
                Cow::Owned(client.ok_or_else(|| not("sub_id", "a subject identifier"))?)
            }
        };
        let subject = match &*sub_id {
            Value::Null if legacy => None,
            sub_id => Some(
                Subject::read(sub_id)
                    .map_err(|error| Rejection::invalid_request(format!("`sub_id`: {error}")))?,
            ),
        };
        let Reported {
            events: happened,
            payload,
            event_timestamp,
            initiator,
            malformed,
            honoured,
            ..
        } = reported;
        Ok(Self {
            jti,
            issued,
            time_of_event,
            subject,
            sub_id,
            event_types: events.keys().map(String::as_str).collect(),
            events: if honoured {
                happened
            } else {
                alloc::vec![Event::Unknown]
            },
            event_timestamp,
            initiator,
            payload,
            malformed,
            not_legacy: !honoured,
        })
    }
}

const fn is_about_no_account(event: &Event) -> bool {
    matches!(
        event,
        Event::Verification | Event::StreamUpdated | Event::Unknown
    )
}

const fn is_about_a_client(event: &Event) -> bool {
    matches!(event, Event::Client(_) | Event::ClientCredentialChange)
}

/// One member of `events`.
struct Reported<'a> {
    vocabulary: Option<Vocabulary>,
    events: Vec<Event>,
    payload: &'a Value,
    event_timestamp: Option<EventTime>,
    initiator: Initiator,
    malformed: Vec<String>,
    /// Whether this transmitter may use the name.
    honoured: bool,
}

impl<'a> Reported<'a> {
    fn read(uri: &str, value: &'a Value, legacy: bool) -> Result<Self, Rejection> {
        let payload = Payload::of(value)?;
        let known = EventType::of(uri);
        // SPEC: OpenID Connect Back-Channel Logout 1.0 §4.1: kinds of JWT must not be confused.
        if known.is_some_and(|known| known.vocabulary == Vocabulary::BackChannelLogout) {
            return Err(not("events", "an event of a SET, but of a logout token"));
        }
        let mut reported = Self {
            vocabulary: known.map(|known| known.vocabulary),
            events: alloc::vec![Event::Unknown],
            payload: value,
            event_timestamp: None,
            initiator: Initiator::NotTheUser,
            malformed: Vec::new(),
            honoured: true,
        };
        // The members of an event that is not understood mean nothing.
        let Some(known) = known else {
            return Ok(reported);
        };
        reported.honoured = legacy || !known.legacy;
        match reported.understand(known, payload, legacy) {
            Err(rejection) if reported.honoured => return Err(rejection),
            Err(_) => reported.vocabulary = None,
            Ok(()) => {}
        }
        Ok(reported)
    }

    fn understand(
        &mut self,
        known: &EventType,
        payload: Payload<'_>,
        legacy: bool,
    ) -> Result<(), Rejection> {
        self.events = known.read(&payload, legacy, &mut self.malformed)?;
        self.event_timestamp = payload.event_timestamp()?;
        self.initiator = payload.initiator()?;
        Ok(())
    }

    fn is_the_same_as(&self, other: &Self) -> bool {
        self.vocabulary.is_some()
            && self.events == other.events
            && self.event_timestamp == other.event_timestamp
            && self.initiator == other.initiator
    }
}

/// What the members of `events` tell together.
///
/// SPEC: SSF 1.0 §4.2.1: several members only as alternative URIs of one event type; RFC 9967 §2.1: several SCIM events
/// tell what one request did.
fn one_cause(events: &Map<String, Value>, legacy: bool) -> Result<Reported<'_>, Rejection> {
    let mut reported = (events.iter()).map(|(uri, value)| Reported::read(uri, value, legacy));
    let mut all = match reported.next() {
        Some(first) => first?,
        None => return Err(not("events", "an object with one event")),
    };
    for other in reported {
        let other = other?;
        if other.is_the_same_as(&all) {
            all.honoured |= other.honoured;
        } else if other.vocabulary == Some(Vocabulary::Scim)
            && all.vocabulary == Some(Vocabulary::Scim)
            && other.honoured == all.honoured
        {
            all.events.extend(other.events);
        } else {
            return Err(not("events", "one event, or several names of one event"));
        }
        all.malformed.extend(other.malformed);
    }
    Ok(all)
}

/// A claim that has to be a string that says something.
pub(super) fn text<'a>(payload: &'a Value, claim: &str) -> Result<&'a str, Rejection> {
    match payload.get(claim) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(not(claim, "a non-empty string")),
    }
}

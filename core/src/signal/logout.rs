//! Logout tokens (OpenID Connect Back-Channel Logout 1.0): JWTs with one event, from an issuer that is configured as
//! transmitter, with the client id of the relying party as its `audience`.
//!
//! A logout token is never taken for a SET, nor the reverse, nor an ID token for either. The type says which it is
//! meant to be; that `JWT` stands for several kinds is made up for by the contents: a SET must not have `exp` and
//! `sub`, a logout token must have `exp` and its one event, and an ID token has no `events`.

use alloc::borrow::Cow;
use alloc::string::ToString as _;
use alloc::vec;

use super::event::{Event, Initiator};
use super::payload::not;
use super::rejection::Rejection;
use super::set::{SecurityEventToken, text};
use super::time::instant;
use super::vocabulary::BACK_CHANNEL_LOGOUT;
use crate::json::{Value, object};
use crate::subject::{ComplexSubject, Subject, SubjectIdentifier};
use crate::time::UnixTime;

/// Whether a payload calls itself a logout token.
pub(super) fn is_logout(payload: &Value) -> bool {
    let events = payload.get("events").and_then(Value::as_object);
    events.is_some_and(|events| events.contains_key(BACK_CHANNEL_LOGOUT))
}

/// Reads the claims of a logout token whose issuer and audience were checked. It must not have expired at `oldest`: the
/// time of reception less the skew.
///
/// # Errors
/// `invalid_request`, with the claim at fault.
pub(super) fn read(payload: &Value, oldest: UnixTime) -> Result<SecurityEventToken<'_>, Rejection> {
    // SPEC: §2.4: "Its use is prohibited to make a Logout Token syntactically invalid if used in a forged
    // Authentication Response in place of an ID Token."
    if payload.get("nonce").is_some() {
        return Err(Rejection::invalid_request(
            "`nonce` must not be present in a logout token",
        ));
    }
    let issuer = text(payload, "iss")?;
    if payload.get("aud").is_none() {
        return Err(not("aud", "present, as a logout token must have it"));
    }
    let issued = payload.get("iat").and_then(instant);
    let issued = issued.ok_or_else(|| not("iat", "a NumericDate"))?;
    let expires = payload.get("exp").and_then(instant);
    let expires = expires.ok_or_else(|| not("exp", "a NumericDate"))?;
    if expires.floor() <= oldest {
        return Err(not("exp", "in the future: the logout token has expired"));
    }
    let jti = text(payload, "jti")?;
    let event = only_event(payload)?;
    let optional = |claim| match payload.get(claim) {
        None => Ok(None),
        Some(_) => text(payload, claim).map(Some),
    };
    let (subject, sub_id) = subject(issuer, optional("sub")?, optional("sid")?)?;
    Ok(SecurityEventToken {
        jti,
        issued,
        time_of_event: None,
        subject: Some(subject),
        sub_id: Cow::Owned(sub_id),
        event_types: vec![BACK_CHANNEL_LOGOUT],
        events: vec![Event::SessionRevoked],
        event_timestamp: None,
        // Somebody signed out; nobody says that anything is wrong with the account.
        initiator: Initiator::User,
        payload: event,
        malformed: vec![],
        not_legacy: false,
    })
}

/// SPEC: §2.4: the member's value has to be an object, and should be the empty one. Further events would say something
/// that a logout token cannot.
fn only_event(payload: &Value) -> Result<&Value, Rejection> {
    let events = payload.get("events").and_then(Value::as_object);
    let mut events = events.into_iter().flatten();
    match (events.next(), events.next()) {
        (Some((uri, event)), None) if uri == BACK_CHANNEL_LOGOUT && event.is_object() => Ok(event),
        _ => Err(not(
            "events",
            "an object with the one event of a logout token",
        )),
    }
}

/// SPEC: §2.4: `sub`, `sid` or both; §2.7: without `sid` every session of the user is meant.
///
/// Both are the issuer's own, so they are written as what its name makes unmistakable.
fn subject(
    issuer: &str,
    sub: Option<&str>,
    sid: Option<&str>,
) -> Result<(Subject, Value), Rejection> {
    let identifier = |text: &str| SubjectIdentifier::IssSub {
        iss: issuer.to_string(),
        sub: text.to_string(),
    };
    let view = |text: &str| {
        object(vec![
            ("format", "iss_sub".into()),
            ("iss", issuer.into()),
            ("sub", text.into()),
        ])
    };
    let mut members = vec![];
    let mut shown = vec![("format", "complex".into())];
    for (name, text) in [("session", sid), ("user", sub)] {
        if let Some(text) = text {
            members.push((name.to_string(), identifier(text)));
            shown.push((name, view(text)));
        }
    }
    if members.is_empty() {
        return Err(not("sub", "present, nor is `sid`"));
    }
    let subject = Subject::Complex(ComplexSubject::new(members));
    Ok((subject, object(shown)))
}

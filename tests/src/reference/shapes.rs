//! What a delivery says before anyone asks what it means: type of event, payload, subject.
//!
//! SSF 1.0 §3 and §4, `ssf.md` §9 for the older shapes, RFC 9967 §2 for SCIM, OpenID Connect Back-Channel Logout 1.0
//! §2.4 for logout tokens.

use serde_json::{Map, Value, json};

use super::subjects::Subject;
use super::{Delivery, text};

/// One event, in the shape of SSF 1.0.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its type, as `caep/session-revoked`, `risc/…`, `ssf/…`, `oauth/…`, `scim/…` or `logout`.
    pub kind: String,
    /// Its own members.
    pub payload: Value,
    /// Whom it is about.
    pub subject: Subject,
}

/// `http://schemas.openid.net/event/backchannel-logout`, the only event of a logout token.
pub const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Reads a delivery; `None` if it is none that a transmitter with these settings may send.
#[must_use]
pub fn read(transmitter: &Value, delivery: &Delivery) -> Option<Event> {
    let payload = &delivery.payload;
    let (uri, event) = payload["events"].as_object()?.iter().next()?;
    if uri == LOGOUT {
        return logout(payload, event);
    }
    let legacy = transmitter["legacy"] == true;
    let subject = match (payload.get("sub_id"), event.get("subject")) {
        (Some(subject), _) => subject.clone(),
        (None, Some(subject)) if legacy => modern(subject),
        _ => return None,
    };
    let subject = if legacy { modern(&subject) } else { subject };
    Some(Event {
        kind: kind(uri, legacy)?,
        payload: event.clone(),
        subject: Subject::of(&scim_resource(&subject)),
    })
}

/// "`sub` and/or `sid`": the session of that user, the session, or the user.
fn logout(payload: &Value, event: &Value) -> Option<Event> {
    let iss = text(payload, "iss")?;
    let named = |id: &str| json!({"format": "iss_sub", "iss": iss, "sub": id});
    let subject = match (text(payload, "sub"), text(payload, "sid")) {
        (Some(user), Some(session)) => Subject::Complex(vec![
            ("session".into(), named(session)),
            ("user".into(), named(user)),
        ]),
        (None, Some(session)) => Subject::Complex(vec![("session".into(), named(session))]),
        (Some(user), None) => Subject::Simple(named(user)),
        (None, None) => return None,
    };
    Some(Event {
        kind: "logout".into(),
        payload: event.clone(),
        subject,
    })
}

/// The name of a type, without what all of one vocabulary share; names of before SSF 1.0 only from transmitters that
/// are configured for them.
fn kind(uri: &str, legacy: bool) -> Option<String> {
    if let Some(scim) = uri.strip_prefix("urn:ietf:params:scim:event:") {
        return Some(format!("scim/{scim}"));
    }
    let standard = uri
        .strip_prefix("https://schemas.openid.net/secevent/")
        .and_then(|rest| rest.split_once("/event-type/"))
        .map(|(vocabulary, name)| format!("{vocabulary}/{name}"));
    if !legacy {
        let of_today = |kind: &String| {
            ["caep/", "risc/", "ssf/"]
                .iter()
                .any(|of| kind.starts_with(of))
        };
        let of_drafts = [
            "caep/token-claims-changed",
            "caep/session-revoked/v1",
            "risc/tokens-revoked",
        ];
        return Some(match standard.filter(of_today) {
            Some(kind) if !of_drafts.contains(&kind.as_str()) => kind,
            _ => "unknown".into(),
        });
    }
    // `ssf.md` §9
    let vendors = [
        ("https://accounts.google.com/risc/event/", "risc"),
        ("https://schemas.okta.com/secevent/okta/event-type/", "okta"),
        // RFC 9967 in its drafts
        ("urn:ietf:params:SCIM:event:", "scim"),
    ];
    for (prefix, vocabulary) in vendors {
        if let Some(name) = uri.strip_prefix(prefix) {
            return Some(format!("{vocabulary}/{name}"));
        }
    }
    let standard = standard.unwrap_or_else(|| "unknown".into());
    Some(match standard.as_str() {
        "caep/token-claims-changed" => "caep/token-claims-change".into(),
        "caep/session-revoked/v1" => "caep/session-revoked".into(),
        "risc/tokens-revoked" => "oauth/tokens-revoked".into(),
        "sse/verification" | "risc/verification" => "ssf/verification".into(),
        "sse/stream-updated" | "caep/stream-updated" => "ssf/stream-updated".into(),
        _ => standard,
    })
}

/// A subject of an older shape in that of SSF 1.0.
fn modern(subject: &Value) -> Value {
    let Some(members) = subject.as_object() else {
        return subject.clone();
    };
    let format = members
        .get("format")
        .or_else(|| members.get("subject_type"));
    let format = format.and_then(Value::as_str).map(|format| match format {
        "iss-sub" => "iss_sub",
        "phone" => "phone_number",
        "jwt-id" => "jwt_id",
        "saml-assertion-id" => "saml_assertion_id",
        other => other,
    });
    let is_simple = |value: &&Value| !value.is_object();
    let complex = members.values().any(|value| !is_simple(&value));
    let mut modern: Map<String, Value> = members
        .iter()
        .filter(|(name, _)| *name != "format" && *name != "subject_type")
        .map(|(name, value)| match (complex, name.as_str()) {
            (true, _) => (name.clone(), self::modern(value)),
            (false, "phone") => ("phone_number".into(), value.clone()),
            (false, _) => (name.clone(), value.clone()),
        })
        .collect();
    let format = if complex { Some("complex") } else { format };
    if let Some(format) = format {
        modern.insert("format".into(), format.into());
    }
    Value::Object(modern)
}

/// RFC 9967 §2.1: a `scim` subject names a resource by its `uri`, whose last part is the id, and may give other unique
/// attributes beside it. What it is says the part before.
fn scim_resource(subject: &Value) -> Value {
    if text(subject, "format") != Some("scim") {
        return subject.clone();
    }
    let uri = text(subject, "uri").unwrap_or_default();
    let (path, id) = uri.rsplit_once('/').unwrap_or(("", uri));
    let opaque = |id: &str| json!({"format": "opaque", "id": id});
    let ids = [Some(id), text(subject, "externalId"), text(subject, "id")];
    let ids = ids.into_iter().flatten().map(opaque);
    let emails = subject["emails"].as_array().into_iter().flatten();
    let emails = emails.map(|email| json!({"format": "email", "email": email["value"]}));
    let aliases =
        json!({"format": "aliases", "identifiers": ids.chain(emails).collect::<Vec<_>>()});
    match path.rsplit('/').next() {
        Some("Groups") => json!({"format": "complex", "group": aliases}),
        Some("Devices") => json!({"format": "complex", "device": aliases}),
        _ => aliases,
    }
}

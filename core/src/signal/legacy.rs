//! Shapes of before SSF 1.0, read only from transmitters that are configured as `legacy` (`ssf.md` §9).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::json::{Map, Value, object};

/// The subject that stands inside the event, where `sub_id` is absent: Okta, Google, SSE Implementer's Draft 1.
pub(super) fn subject(events: &Map<String, Value>) -> Option<&Value> {
    let mut subjects = events.values().map(|event| event.get("subject"));
    let first = subjects.next().flatten();
    // Several names of one event repeat the subject.
    first.filter(|first| first.is_object() && subjects.all(|other| other == Some(first)))
}

/// The subject of events about an OAuth client that name none: the client is their audience.
///
/// SPEC: OAuth Event Types 1.0 (draft) §3.4–3.6.
pub(super) fn client_of_audience(payload: &Value) -> Option<Value> {
    match payload.get("aud")? {
        Value::String(id) => Some(client(id)),
        Value::Array(audiences) => match audiences.as_slice() {
            [Value::String(id)] => Some(client(id)),
            // Which of them is the client, nobody says.
            _ => None,
        },
        _ => None,
    }
}

fn client(id: &str) -> Value {
    let id = object(vec![("format", "opaque".into()), ("id", id.into())]);
    object(vec![("format", "complex".into()), ("application", id)])
}

/// A subject as SSF 1.0 would write it: `format` for `subject_type`, underscores for hyphens, `complex` where every
/// member is a subject itself.
pub(super) fn modern(subject: &Value) -> Cow<'_, Value> {
    let Some(members) = subject.as_object() else {
        return Cow::Borrowed(subject);
    };
    let known = members
        .get("format")
        .or_else(|| members.get("subject_type"));
    let others = || {
        members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "format" | "subject_type"))
    };
    let is_nested = || others().next().is_some() && others().all(|(_, value)| value.is_object());
    let name = known.and_then(Value::as_str);
    // SPEC: OAuth Event Types 1.0 (draft) §2.2.
    if name == Some("oauth_client")
        && let Some(id) = members.get("client_id").and_then(Value::as_str)
    {
        return Cow::Owned(client(id));
    }
    let format = match name {
        Some("complex") => Some("complex"),
        // Drafts left `format` out, or named the members in it (`user-device-session`).
        _ if is_nested() => Some("complex"),
        Some(format) => FORMATS
            .iter()
            .find(|(old, _)| *old == format)
            .map(|(_, new)| *new),
        None => None,
    };
    let mut renewed: Vec<(&str, Value)> = others()
        // An ID token's claims: of those two name the user.
        .filter(|(name, _)| format != Some("iss_sub") || matches!(name.as_str(), "iss" | "sub"))
        .map(|(name, value)| match format {
            Some("complex") => (name.as_str(), modern(value).into_owned()),
            _ => (name.as_str(), value.clone()),
        })
        .collect();
    if let Some(format) = format.map(Value::from).or_else(|| known.cloned()) {
        renewed.push(("format", format));
    }
    Cow::Owned(object(renewed))
}

/// Old names of formats.
const FORMATS: &[(&str, &str)] = &[
    ("iss-sub", "iss_sub"),
    ("iss_sub", "iss_sub"),
    ("id-token-claims", "iss_sub"),
    ("id_token_claims", "iss_sub"),
    ("jwt-id", "jwt_id"),
    ("saml-assertion-id", "saml_assertion_id"),
    ("phone-number", "phone_number"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn old_subjects_become_those_of_today() {
        for (old, new) in [
            (
                json!({"subject_type": "iss-sub", "iss": "i", "sub": "s"}),
                json!({"format": "iss_sub", "iss": "i", "sub": "s"}),
            ),
            (
                json!({"subject_type": "id_token_claims", "iss": "i", "sub": "s", "email": "e@x"}),
                json!({"format": "iss_sub", "iss": "i", "sub": "s"}),
            ),
            (
                json!({"format": "jwt-id", "iss": "i", "jti": "t"}),
                json!({"format": "jwt_id", "iss": "i", "jti": "t"}),
            ),
            (
                json!({"user": {"subject_type": "iss-sub", "iss": "i", "sub": "s"}}),
                json!({"format": "complex", "user": {"format": "iss_sub", "iss": "i", "sub": "s"}}),
            ),
            (
                json!({"subject_type": "user-device-session", "user": {"subject_type": "email", "email": "e@x"}}),
                json!({"format": "complex", "user": {"format": "email", "email": "e@x"}}),
            ),
            (
                json!({"subject_type": "oauth_token", "token_type": "refresh_token", "token": "t"}),
                json!({"format": "oauth_token", "token_type": "refresh_token", "token": "t"}),
            ),
            (
                json!({"subject_type": "oauth_client", "client_id": "c"}),
                json!({"format": "complex", "application": {"format": "opaque", "id": "c"}}),
            ),
            (
                json!({"format": "email", "email": "e@x"}),
                json!({"format": "email", "email": "e@x"}),
            ),
            (json!("alice"), json!("alice")),
        ] {
            assert_eq!(*modern(&old), new, "{old}");
        }
    }

    #[test]
    fn the_audience_is_the_client_only_if_it_is_one() {
        for (audience, is_named) in [
            (json!("c"), true),
            (json!(["c"]), true),
            (json!(["c", "d"]), false),
            (json!([]), false),
            (json!(1), false),
        ] {
            let found = client_of_audience(&json!({"aud": audience}));
            assert_eq!(found.is_some(), is_named, "{audience}");
        }
        assert_eq!(client_of_audience(&json!({})), None);
    }
}

//! Subjects as people type them.

use cae_core::json::{self, Limits, Map, Value};

/// One `--subject`: the member of a complex subject that it is, and its identifier.
type Part = (&'static str, Value);

/// The subject that these options make; `issuer` is whose users, devices and tokens are meant.
///
/// # Errors
/// What is wrong with the text, and what would be right.
pub(super) fn read(texts: &[String], issuer: &str) -> Result<Option<Value>, String> {
    if let [only] = texts
        && let Some(subject) = as_json(only)?
    {
        return Ok(Some(subject));
    }
    let parts = texts.iter().map(|text| part(text, issuer));
    let parts = parts.collect::<Result<Vec<Part>, String>>()?;
    match parts.as_slice() {
        [] => Ok(None),
        [("user", identifier)] => Ok(Some(identifier.clone())),
        several => {
            let mut subject = Map::from_iter([("format".to_owned(), "complex".into())]);
            for (member, identifier) in several {
                if subject
                    .insert((*member).to_owned(), identifier.clone())
                    .is_some()
                {
                    return Err(format!(
                        "two subjects are a {member}: a complex subject has one of each"
                    ));
                }
            }
            Ok(Some(subject.into()))
        }
    }
}

fn as_json(text: &str) -> Result<Option<Value>, String> {
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    json::parse(text.as_bytes(), Limits::EVENT)
        .map(Some)
        .map_err(|error| format!("the subject is not JSON: {error}"))
}

fn part(text: &str, issuer: &str) -> Result<Part, String> {
    if let Some(json) = as_json(text)? {
        return Ok(("user", json));
    }
    let (form, id) = text
        .split_once(':')
        .filter(|(_, id)| !id.is_empty())
        .ok_or_else(|| format!("`{text}` is no subject: write user:{text}, or see --help"))?;
    let one = |format: &str, member: &str, value: &str| {
        Value::from_iter([("format", format), (member, value)])
    };
    let owned = |format: &str, owner: &str, member: &str, value: &str| {
        Value::from_iter([("format", format), ("iss", owner), (member, value)])
    };
    Ok(match form {
        "user" => ("user", owned("iss_sub", issuer, "sub", id)),
        "device" => ("device", owned("iss_sub", issuer, "sub", id)),
        "application" | "client" => ("application", owned("iss_sub", issuer, "sub", id)),
        "session" => ("session", one("opaque", "id", id)),
        "tenant" => ("tenant", one("opaque", "id", id)),
        "group" => ("group", one("opaque", "id", id)),
        "org_unit" => ("org_unit", one("opaque", "id", id)),
        "token" => ("user", owned("jwt_id", issuer, "jti", id)),
        "iss_sub" => {
            let (iss, sub) = id
                .split_once(',')
                .ok_or("iss_sub takes the issuer and the subject: iss_sub:ISS,SUB")?;
            ("user", owned("iss_sub", iss, "sub", sub))
        }
        "opaque" => ("user", one("opaque", "id", id)),
        "email" => ("user", one("email", "email", id)),
        "phone" | "phone_number" => ("user", one("phone_number", "phone_number", id)),
        // The whole text is the URI that the format asks for.
        "acct" => ("user", one("account", "uri", text)),
        "account" => ("user", one("account", "uri", id)),
        "did" => (
            "user",
            one("did", "url", if id.starts_with("did:") { id } else { text }),
        ),
        "uri" => ("user", one("uri", "uri", id)),
        "scim" => ("user", one("scim", "uri", id)),
        other => {
            return Err(format!(
                "`{other}:` is no form of subject: user:, session:, device:, application:, tenant:, email:, \
                 phone:, opaque:, iss_sub: and others are; see --help"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://idp.example";

    fn of(texts: &[&str]) -> Result<Option<Value>, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        read(&texts, ISSUER)
    }

    #[test]
    fn short_forms_are_identifiers() {
        for (texts, subject) in [
            (
                vec!["user:adele"],
                json!({"format": "iss_sub", "iss": ISSUER, "sub": "adele"}),
            ),
            (
                vec!["iss_sub:https://a.example,b"],
                json!({"format": "iss_sub", "iss": "https://a.example", "sub": "b"}),
            ),
            (
                vec!["email:a@b.example"],
                json!({"format": "email", "email": "a@b.example"}),
            ),
            (
                vec!["phone:+12065550100"],
                json!({"format": "phone_number", "phone_number": "+12065550100"}),
            ),
            (vec!["opaque:x:y"], json!({"format": "opaque", "id": "x:y"})),
            (
                vec!["acct:a@b.example"],
                json!({"format": "account", "uri": "acct:a@b.example"}),
            ),
            (
                vec!["did:example:123"],
                json!({"format": "did", "url": "did:example:123"}),
            ),
            (
                vec!["token:t1"],
                json!({"format": "jwt_id", "iss": ISSUER, "jti": "t1"}),
            ),
            (
                vec!["session:s1"],
                json!({"format": "complex", "session": {"format": "opaque", "id": "s1"}}),
            ),
            (
                vec!["email:a@b.example", "session:s1"],
                json!({"format": "complex", "user": {"format": "email", "email": "a@b.example"},
                    "session": {"format": "opaque", "id": "s1"}}),
            ),
            (
                vec![r#"{"format": "uri", "uri": "urn:x"}"#],
                json!({"format": "uri", "uri": "urn:x"}),
            ),
        ] {
            assert_eq!(of(&texts).unwrap(), Some(subject), "{texts:?}");
        }
        assert_eq!(of(&[]).unwrap(), None);
    }

    #[test]
    fn what_is_no_subject_says_what_would_be() {
        for (texts, what) in [
            (vec!["adele"], "user:adele"),
            (vec!["user:"], "no subject"),
            (vec!["person:adele"], "no form"),
            (vec!["iss_sub:adele"], "ISS,SUB"),
            (vec!["{"], "not JSON"),
            (
                vec!["user:a", "email:b@c.example"],
                "two subjects are a user",
            ),
        ] {
            let error = of(&texts).unwrap_err();
            assert!(error.contains(what), "{texts:?}: {error}");
        }
    }
}

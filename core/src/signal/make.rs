//! Writes the claims of a SET of any known type, for trying things out. Signing is the host's.
//!
//! Reading tolerates what specifications tell receivers to tolerate; what is written here holds to the table of event
//! types, whose examples are the defaults.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::event::Event;
use super::explain::kind_of;
use super::filing::Directory;
use super::interpret::interpret;
use super::rejection::Rejection;
use super::rules::Rules;
use super::vocabulary::{
    COMMON_MEMBERS, EventType, Meaning, Member, Shape, Vocabulary, event_types,
};
use super::{issued_at, set};
use crate::configuration::read::nearest;
use crate::json::{self, Limits, Map, Value};
use crate::time::UnixTime;

/// What somebody wants to be written.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The event type: its URI, its short name, or `VOCABULARY:NAME`.
    pub event: &'a str,
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`; one is written as a string, several as a list.
    pub audiences: &'a [String],
    /// The subject as RFC 9493 and SSF 1.0 write it.
    pub subject: Option<&'a Value>,
    /// Members of the payload as `NAME=VALUE`; a dot in the name leads into an object.
    pub members: &'a [String],
    /// Claims beside the payload, likewise; `NAME=null` leaves one out.
    pub claims: &'a [String],
    /// When it happened, if not when the SET is issued.
    pub at: Option<UnixTime>,
    /// `iat`.
    pub issued: UnixTime,
    /// `jti`.
    pub jti: &'a str,
}

/// Claims to be signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The claims.
    pub claims: Value,
    /// `typ` of the JOSE header.
    pub typ: &'static str,
    /// Whether only a `legacy` transmitter may send this.
    pub legacy: bool,
}

/// Why nothing was written: what is wrong, and how to mend it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct MakeError(String);

/// How long a logout token is good for; two minutes are recommended.
/// SPEC: OpenID Connect Back-Channel Logout 1.0 §2.4.
const LOGOUT_TOKEN_LIFETIME: u64 = 120;

/// Whether a receiver with default settings could read what was made; of the older shapes, one that was told to.
///
/// # Errors
/// The description of the rejection.
pub fn check(made: &Made) -> Result<(), String> {
    let read = || {
        let issuer = set::issuer(&made.claims)?;
        set::check_audience(&made.claims, &[])?;
        let rules = Rules {
            legacy: made.legacy,
            ..Rules::unconfigured(issuer)
        };
        let received_at = issued_at(&made.claims.to_string()).unwrap_or_default();
        let kind = kind_of(&made.claims);
        let directory = Directory::Unconfigured(issuer);
        interpret(kind, &made.claims, directory, &rules, received_at).map(drop)
    };
    read().map_err(|rejection: Rejection| rejection.description)
}

/// The event type that `event` names: by URI, by name, or by vocabulary and name, as in `caep:session-revoked`.
///
/// # Errors
/// [`MakeError`] with the nearest names if there is none.
pub fn event_type(event: &str) -> Result<&'static EventType, MakeError> {
    // Names of today are meant before those of drafts, which are asked for by their URI.
    for legacy in [false, true] {
        let rows = || event_types().filter(|row| row.legacy == legacy);
        let by_uri = rows().find(|row| row.uri == event);
        let by_name = || rows().find(|row| is_called(row, event));
        if let Some(found) = by_uri.or_else(by_name) {
            return Ok(found);
        }
    }
    let near = suggestions(event);
    let near = match near.as_slice() {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    };
    Err(MakeError(format!(
        "no event type is called `{event}`{near} `cae event list` prints all of them"
    )))
}

/// Whether a short name is that of this row. `prov:` in names of SCIM may be left out.
fn is_called(row: &EventType, event: &str) -> bool {
    let name = match event.split_once(':') {
        Some((vocabulary, name)) if vocabulary.eq_ignore_ascii_case(row.vocabulary.name()) => name,
        _ => event,
    };
    row.name == name || row.name.strip_prefix("prov:") == Some(name)
}

/// The names that differ least.
fn suggestions(event: &str) -> Vec<String> {
    let name = event.rsplit('/').next().unwrap_or(event);
    let names: Vec<&str> = event_types().map(|row| row.name).collect();
    let contained = names
        .iter()
        .copied()
        .filter(|known| name.len() > 3 && (known.contains(name) || name.contains(*known)));
    let mut near: Vec<String> = Vec::new();
    for found in nearest(name, &names).into_iter().chain(contained) {
        let quoted = format!("`{found}`");
        if near.len() < 3 && !near.contains(&quoted) {
            near.push(quoted);
        }
    }
    near
}

/// Writes the claims.
///
/// # Errors
/// [`MakeError`] for an unknown type, a member that is missing or has a value that is not defined, or a subject that
/// the type cannot be about.
pub fn make(wish: &Wish<'_>) -> Result<Made, MakeError> {
    let row = event_type(wish.event)?;
    let logout = row.vocabulary == Vocabulary::BackChannelLogout;
    let mut payload = payload(row, wish)?;
    let mut claims = Map::new();
    claims.insert("iss".into(), wish.issuer.into());
    claims.insert("iat".into(), wish.issued.as_secs().into());
    claims.insert("jti".into(), wish.jti.into());
    match wish.audiences {
        [] => {}
        [one] => drop(claims.insert("aud".into(), one.as_str().into())),
        several => drop(claims.insert("aud".into(), several.into())),
    }
    match wish.at {
        Some(_) if logout => {
            return Err(MakeError(
                "a logout token has no time of its own: it happened when it was issued".to_owned(),
            ));
        }
        // SPEC: CAEP 1.0 §2 has a member for it, RFC 8417 §2.2 a claim for all others.
        Some(at) if !has_timestamp(row) => drop(claims.insert("toe".into(), at.as_secs().into())),
        at if has_timestamp(row) => {
            let time = payload.entry("event_timestamp");
            time.or_insert_with(|| at.unwrap_or(wish.issued).as_secs().into());
        }
        _ => {}
    }
    write_subject(row, wish, &mut claims, &mut payload)?;
    payload.retain(|_, value| !value.is_null());
    let events = Map::from_iter([(row.uri.to_string(), Value::Object(payload))]);
    claims.insert("events".into(), events.into());
    for text in wish.claims {
        let (name, value) = assignment(text)?;
        assign(&mut claims, name, any(value))?;
    }
    claims.retain(|_, value| !value.is_null());
    Ok(Made {
        claims: Value::Object(claims),
        typ: if logout { "logout+jwt" } else { "secevent+jwt" },
        legacy: row.legacy,
    })
}

/// Whether events of this type usually tell their time themselves.
fn has_timestamp(row: &EventType) -> bool {
    example(row).contains_key("event_timestamp")
}

/// The example of the row.
fn example(row: &EventType) -> Map<String, Value> {
    match json::parse(row.example.as_bytes(), Limits::EVENT) {
        Ok(Value::Object(members)) => members,
        // A test reads all of them.
        _ => Map::new(),
    }
}

/// Members as wished; then what is required and still missing, as in the example.
fn payload(row: &EventType, wish: &Wish<'_>) -> Result<Map<String, Value>, MakeError> {
    let mut payload = Map::new();
    for text in wish.members {
        let (name, value) = assignment(text)?;
        let (first, nested) = match name.split_once('.') {
            Some((first, _)) => (first, true),
            None => (name, false),
        };
        let mut members = row.members.iter().chain(COMMON_MEMBERS);
        let value = match members.find(|member| member.name == first) {
            Some(member) if nested => nested_value(member, value)?,
            Some(member) => value_of(member, value)?,
            None => any(value),
        };
        assign(&mut payload, name, value)?;
    }
    let mut example = example(row);
    if let Some(subject) = wish.subject
        && let Some(principal) = example.get_mut("principal")
    {
        // Whose risk it is follows from whom the event is about.
        *principal = principal_of(subject).into();
    }
    // A member that the example goes with: a level before it, a direction.
    let as_in_example = row
        .members
        .iter()
        .all(|member| !payload.contains_key(member.name));
    for member in row.members {
        if payload.contains_key(member.name) {
            continue;
        }
        let default = example.remove(member.name);
        // Claims have no value that would make sense for everybody.
        let default = default.filter(|_| member.name != "claims");
        match default {
            Some(default) if member.required || (as_in_example && member.decisive) => {
                payload.insert(member.name.to_string(), default);
            }
            None if member.required || member.name == "claims" => {
                let nested = match member.shape {
                    Shape::Members => ".NAME",
                    _ => "",
                };
                return Err(MakeError(format!(
                    "{} needs `{}`: add --set {}{nested}=VALUE",
                    row.name, member.name, member.name
                )));
            }
            _ => {}
        }
    }
    Ok(payload)
}

/// The principal of a risk level (CAEP 1.0 §3.8.1): the one member of the subject, else the user.
fn principal_of(subject: &Value) -> &'static str {
    let names = [
        ("user", "USER"),
        ("session", "SESSION"),
        ("device", "DEVICE"),
        ("application", "APPLICATION"),
        ("tenant", "TENANT"),
        ("group", "GROUP"),
        ("org_unit", "ORG_UNIT"),
    ];
    let mut names = names.iter();
    names
        .find(|(member, _)| subject.get(member).is_some())
        .map_or("USER", |(_, principal)| *principal)
}

fn value_of(member: &Member, text: &str) -> Result<Value, MakeError> {
    if text == "null" {
        return Ok(Value::Null);
    }
    let parsed = || json::parse(text.as_bytes(), Limits::EVENT).ok();
    let must = |what: &str| MakeError(format!("`{}` must be {what}, not `{text}`", member.name));
    match member.shape {
        Shape::OneOf(names) => {
            let known = as_written(names, text);
            let known = known.ok_or_else(|| must(&format!("one of {}", names.join(", "))))?;
            Ok(known.into())
        }
        Shape::Open(_) | Shape::Text if text.is_empty() => {
            Err(must("a string that says something"))
        }
        Shape::Open(names) => Ok(as_written(names, text).unwrap_or(text).into()),
        Shape::Text => Ok(text.into()),
        // A text without its language is in English.
        Shape::Languages => match parsed() {
            Some(texts @ Value::Object(_)) => Ok(texts),
            _ => Ok(Map::from_iter([("en".to_owned(), text.into())]).into()),
        },
        Shape::Members => match parsed() {
            Some(Value::Object(members)) if !members.is_empty() => Ok(members.into()),
            _ => Err(must("a JSON object with a member")),
        },
        Shape::Texts => match parsed() {
            Some(list @ Value::Array(_)) => Ok(list),
            _ => Ok(text.split(',').map(str::trim).collect::<Vec<_>>().into()),
        },
        Shape::Absent => Err(must("left out")),
        Shape::Time => parsed()
            .filter(Value::is_number)
            .ok_or_else(|| must("a number of seconds since 1970")),
    }
}

/// A name as the document writes it.
fn as_written(names: &[&'static str], text: &str) -> Option<&'static str> {
    let mut names = names.iter().copied();
    names.find(|name| name.eq_ignore_ascii_case(text))
}

fn nested_value(member: &Member, text: &str) -> Result<Value, MakeError> {
    match member.shape {
        Shape::Languages => Ok(text.into()),
        Shape::Members => Ok(any(text)),
        _ => Err(MakeError(format!(
            "`{}` has no members of its own",
            member.name
        ))),
    }
}

/// JSON where it is JSON, else the text itself.
fn any(text: &str) -> Value {
    json::parse(text.as_bytes(), Limits::EVENT).unwrap_or_else(|_| text.into())
}

fn assignment(text: &str) -> Result<(&str, &str), MakeError> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| MakeError(format!("`{text}` is not NAME=VALUE")))
}

/// Puts `value` where `path` leads, through objects that are made on the way.
fn assign(into: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), MakeError> {
    match path.split_once('.') {
        None => drop(into.insert(path.to_string(), value)),
        Some((first, rest)) => {
            let inner = into
                .entry(first.to_string())
                .or_insert_with(|| Value::Object(Map::new()));
            let inner = inner.as_object_mut().ok_or_else(|| {
                MakeError(format!("`{first}` is no object that could hold `{rest}`"))
            })?;
            assign(inner, rest, value)?;
        }
    }
    Ok(())
}

/// The subject, where this type has it.
fn write_subject(
    row: &EventType,
    wish: &Wish<'_>,
    claims: &mut Map<String, Value>,
    payload: &mut Map<String, Value>,
) -> Result<(), MakeError> {
    let Some(subject) = wish.subject else {
        if is_about_the_stream(row) {
            // SPEC: SSF 1.0 §8.1.4.1: the stream, by its id. Drafts left it out.
            if !row.legacy {
                claims.insert(
                    "sub_id".into(),
                    texts([("format", "opaque"), ("id", "stream")]),
                );
            }
            return Ok(());
        }
        return Err(MakeError(format!(
            "{} is about somebody: add --subject, for example --subject user:ID",
            row.name
        )));
    };
    match row.vocabulary {
        Vocabulary::BackChannelLogout => {
            let (sub, sid) = logout_claims(subject)?;
            let expires = wish.issued.as_secs().saturating_add(LOGOUT_TOKEN_LIFETIME);
            claims.insert("exp".into(), expires.into());
            claims.insert("sub".into(), sub.into());
            claims.insert("sid".into(), sid.into());
        }
        Vocabulary::Scim => drop(claims.insert("sub_id".into(), scim(subject)?)),
        Vocabulary::Okta => drop(payload.insert("subject".into(), bare(subject, row))),
        _ if row.legacy => drop(payload.insert("subject".into(), subject_type(subject))),
        _ => drop(claims.insert("sub_id".into(), subject.clone())),
    }
    Ok(())
}

fn is_about_the_stream(row: &EventType) -> bool {
    matches!(
        row.meaning,
        Meaning::Is(Event::Verification | Event::StreamUpdated)
    )
}

/// An object of texts.
fn texts<const N: usize>(members: [(&str, &str); N]) -> Value {
    let members = members.map(|(name, value)| (name.to_owned(), value.into()));
    Value::Object(members.into_iter().collect())
}

/// A resource of a SCIM service provider by its relative URI (RFC 9967 §2.1).
fn scim(subject: &Value) -> Result<Value, MakeError> {
    if subject.get("format").is_some_and(|format| format == "scim") {
        return Ok(subject.clone());
    }
    let id = identifier(subject.get("user").unwrap_or(subject)).ok_or_else(|| {
        MakeError("a SCIM event is about a resource: --subject scim:/Users/ID".to_owned())
    })?;
    Ok(texts([
        ("format", "scim"),
        ("uri", &format!("/Users/{id}")),
    ]))
}

/// The same subject in the words of before RFC 9493: `subject_type`, with hyphens.
fn subject_type(subject: &Value) -> Value {
    let Some(members) = subject.as_object() else {
        return subject.clone();
    };
    let renamed = members
        .iter()
        .map(|(name, value)| match (name.as_str(), value) {
            ("format", Value::String(format)) => {
                ("subject_type".to_owned(), format.replace('_', "-").into())
            }
            _ => (name.clone(), subject_type(value)),
        });
    renamed.collect()
}

/// A complex subject without its `format`, as Okta writes it; a simple one is the member that the event describes.
fn bare(subject: &Value, row: &EventType) -> Value {
    match subject.as_object() {
        Some(members)
            if members
                .get("format")
                .is_some_and(|format| format == "complex") =>
        {
            let mut members = members.clone();
            members.remove("format");
            members.into()
        }
        _ => {
            let member = match row.name.starts_with("device") {
                true => "device",
                false => "user",
            };
            Map::from_iter([(member.to_owned(), subject.clone())]).into()
        }
    }
}

/// `sub` and `sid` of a logout token, at least one of them.
fn logout_claims(subject: &Value) -> Result<(Option<&str>, Option<&str>), MakeError> {
    let member = |name| subject.get(name).and_then(identifier);
    let complex = subject
        .get("format")
        .is_some_and(|format| format == "complex");
    let named = match complex {
        false => (identifier(subject), None),
        true => (member("user"), member("session")),
    };
    Some(named)
        .filter(|(sub, sid)| sub.or(*sid).is_some())
        .ok_or_else(|| {
            MakeError(
                "a logout token is about a user, a session or both: --subject user:SUB --subject session:SID"
                    .to_owned(),
            )
        })
}

/// What a simple identifier says of a subject at its own issuer.
fn identifier(subject: &Value) -> Option<&str> {
    let mut members = ["sub", "id"].into_iter();
    members.find_map(|member| subject.get(member)?.as_str())
}

#[cfg(test)]
mod tests;

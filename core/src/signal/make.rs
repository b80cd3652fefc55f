//! Writes the claims of a SET of any known type, for trying things out. Signing is the host's.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::template::{EventTimeAt, Member, Rule, Shape, TEMPLATES, Template};
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

/// The template that `event` names.
///
/// # Errors
/// [`MakeError`] with the nearest names if there is none, or with the full names if there are several.
pub fn template_of(event: &str) -> Result<&'static Template, MakeError> {
    let qualified = event.split_once(':');
    let named = |template: &&Template| {
        template.uri.eq_ignore_ascii_case(event)
            || template.name == event
            || qualified == Some((template.vocabulary, template.name))
    };
    let mut found = TEMPLATES.iter().filter(named);
    // Current vocabularies stand before the older ones, whose names are meant only if somebody says so.
    found.next().ok_or_else(|| {
        let near = suggestions(event);
        let near = if near.is_empty() {
            String::new()
        } else {
            format!("; did you mean {}?", near.join(" or "))
        };
        MakeError(format!(
            "no event type is called `{event}`{near} `cae event list` prints all of them"
        ))
    })
}

/// The names that differ least.
fn suggestions(event: &str) -> Vec<String> {
    let name = event.rsplit(['/', ':']).next().unwrap_or(event);
    let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
    let mut near: Vec<String> = Vec::new();
    let whole = nearest(name, &names);
    let parts = TEMPLATES.iter().filter(|template| {
        name.len() > 3 && (template.name.contains(name) || name.contains(template.name))
    });
    for found in whole.into_iter().chain(parts.map(|template| template.name)) {
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
    let template = template_of(wish.event)?;
    let mut payload = payload(template, wish)?;
    let mut claims = Map::new();
    claims.insert("iss".into(), wish.issuer.into());
    claims.insert("iat".into(), wish.issued.as_secs().into());
    claims.insert("jti".into(), wish.jti.into());
    match wish.audiences {
        [] => {}
        [one] => drop(claims.insert("aud".into(), one.as_str().into())),
        several => drop(claims.insert("aud".into(), several.into())),
    }
    let at = wish.at.unwrap_or(wish.issued);
    match template.time {
        EventTimeAt::Member => {
            let time = payload.entry("event_timestamp");
            time.or_insert_with(|| at.as_secs().into());
        }
        EventTimeAt::Toe if wish.at.is_some() => drop(claims.insert("toe".into(), at.as_secs().into())),
        EventTimeAt::Issued if wish.at.is_some() => {
            return Err(MakeError(format!(
                "{} has no time of its own: it happened when it was issued",
                template.name
            )));
        }
        EventTimeAt::Toe | EventTimeAt::Issued => {}
    }
    write_subject(template, wish, &mut claims, &mut payload)?;
    payload.retain(|_, value| !value.is_null());
    claims.insert(
        "events".into(),
        Map::from_iter([(template.uri.to_string(), Value::Object(payload))]).into(),
    );
    for text in wish.claims {
        let (name, value) = assignment(text)?;
        assign(&mut claims, name, any(value))?;
    }
    claims.retain(|_, value| !value.is_null());
    Ok(Made {
        claims: Value::Object(claims),
        typ: template.shape.typ(),
        legacy: template.shape.is_legacy(),
    })
}

/// Members as wished, then the defaults of what is still missing.
fn payload(template: &Template, wish: &Wish<'_>) -> Result<Map<String, Value>, MakeError> {
    let mut payload = Map::new();
    for text in wish.members {
        let (name, value) = assignment(text)?;
        let (first, nested) = name.split_once('.').map_or((name, false), |(first, _)| (first, true));
        let member = template.members.iter().find(|member| member.name == first);
        let value = match member {
            Some(member) if nested => nested_value(member, value)?,
            Some(member) => value_of(member, value)?,
            None => any(value),
        };
        assign(&mut payload, name, value)?;
    }
    for member in template.members {
        if payload.contains_key(member.name) {
            continue;
        }
        let default = match (member.name, wish.subject) {
            // Whose risk it is follows from whom the event is about.
            ("principal", Some(subject)) => principal_of(subject),
            _ => member.default,
        };
        if !default.is_empty() && wanted(template, member, &payload) {
            payload.insert(member.name.to_string(), value_of(member, default)?);
        } else if member.required {
            let nested = match member.rule {
                Rule::Object => ".MEMBER",
                _ => "",
            };
            return Err(MakeError(format!(
                "{} needs `{}`: add --set {}{nested}=VALUE",
                template.name, member.name, member.name
            )));
        }
    }
    Ok(payload)
}

/// A default that follows from another one is written only with it: a level before, a direction.
fn wanted(template: &Template, member: &Member, payload: &Map<String, Value>) -> bool {
    let given = |name: &str, value: &str| payload.get(name).is_some_and(|found| found == value);
    let defaults = template.members.iter().filter(|other| other.required);
    let mut defaults = defaults.filter(|other| !other.default.is_empty());
    member.required || defaults.all(|other| given(other.name, other.default))
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
    match member.rule {
        Rule::OneOf(names) => {
            let mut known = names.iter();
            let known = known.find(|name| name.eq_ignore_ascii_case(text));
            let known = known.ok_or_else(|| must(&format!("one of {}", names.join(", "))))?;
            Ok((*known).into())
        }
        Rule::Agreed(_) | Rule::Text if text.is_empty() => Err(must("a string that says something")),
        Rule::Agreed(names) => {
            let mut known = names.iter();
            let known = known.find(|name| name.eq_ignore_ascii_case(text));
            Ok(known.copied().unwrap_or(text).into())
        }
        Rule::Text => Ok(text.into()),
        // A text without its language is in English.
        Rule::Texts => match parsed() {
            Some(texts @ Value::Object(_)) => Ok(texts),
            _ => Ok(Map::from_iter([("en".to_owned(), text.into())]).into()),
        },
        Rule::Object => match parsed() {
            Some(Value::Object(members)) if !members.is_empty() => Ok(members.into()),
            _ => Err(must("a JSON object with a member")),
        },
        Rule::List => match parsed() {
            Some(list @ Value::Array(_)) => Ok(list),
            _ => Ok(text.split(',').map(str::trim).collect::<Vec<_>>().into()),
        },
    }
}

fn nested_value(member: &Member, text: &str) -> Result<Value, MakeError> {
    match member.rule {
        Rule::Texts => Ok(text.into()),
        Rule::Object => Ok(any(text)),
        _ => Err(MakeError(format!("`{}` has no members of its own", member.name))),
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
            let inner = inner
                .as_object_mut()
                .ok_or_else(|| MakeError(format!("`{first}` is no object that could hold `{rest}`")))?;
            assign(inner, rest, value)?;
        }
    }
    Ok(())
}

/// The subject, where this shape has it.
fn write_subject(
    template: &Template,
    wish: &Wish<'_>,
    claims: &mut Map<String, Value>,
    payload: &mut Map<String, Value>,
) -> Result<(), MakeError> {
    let Some(subject) = wish.subject else {
        if template.shape == Shape::Stream {
            // SPEC: SSF 1.0 §8.1.4.1: the stream, by its id.
            claims.insert("sub_id".into(), opaque("stream"));
            return Ok(());
        }
        return Err(MakeError(format!(
            "{} is about somebody: add --subject, for example --subject user:ID",
            template.name
        )));
    };
    match template.shape {
        Shape::Set | Shape::Stream => drop(claims.insert("sub_id".into(), subject.clone())),
        Shape::Scim => drop(claims.insert("sub_id".into(), scim(subject)?)),
        Shape::SubjectType => drop(payload.insert("subject".into(), subject_type(subject))),
        Shape::BareComplex => drop(payload.insert("subject".into(), bare(subject, template))),
        Shape::Logout => {
            let (sub, sid) = logout_claims(subject)?;
            let expires = wish.issued.as_secs().saturating_add(LOGOUT_TOKEN_LIFETIME);
            claims.insert("exp".into(), expires.into());
            claims.insert("sub".into(), sub.into());
            claims.insert("sid".into(), sid.into());
        }
    }
    Ok(())
}

fn opaque(id: &str) -> Value {
    let members = [("format", "opaque"), ("id", id)];
    Value::Object(members.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect())
}

/// A resource of a SCIM service provider by its relative URI (RFC 9967 §2.1).
fn scim(subject: &Value) -> Result<Value, MakeError> {
    if subject.get("format").is_some_and(|format| format == "scim") {
        return Ok(subject.clone());
    }
    let id = identifier(subject.get("user").unwrap_or(subject))
        .ok_or_else(|| MakeError("a SCIM event is about a resource: --subject scim:/Users/ID".into()))?;
    let uri = format!("/Users/{id}");
    let members = [("format", "scim"), ("uri", uri.as_str())];
    Ok(Value::Object(members.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()))
}

/// The same subject in the words of before RFC 9493: `subject_type`, with hyphens.
fn subject_type(subject: &Value) -> Value {
    let Some(members) = subject.as_object() else {
        return subject.clone();
    };
    let renamed = members.iter().map(|(name, value)| match (name.as_str(), value) {
        ("format", Value::String(format)) => {
            let older = match format.as_str() {
                "phone_number" => "phone".to_owned(),
                format => format.replace('_', "-"),
            };
            ("subject_type".to_owned(), older.into())
        }
        _ => (name.clone(), subject_type(value)),
    });
    renamed.collect()
}

/// A complex subject without its `format`; a simple one is the member that the event describes.
fn bare(subject: &Value, template: &Template) -> Value {
    match subject.as_object() {
        Some(members) if members.get("format").is_some_and(|format| format == "complex") => {
            let mut members = members.clone();
            members.remove("format");
            members.into()
        }
        _ => {
            let member = match template.name.starts_with("device") {
                true => "device",
                false => "user",
            };
            Map::from_iter([(member.to_owned(), subject.clone())]).into()
        }
    }
}

/// `sub` and `sid` of a logout token, at least one of them.
fn logout_claims(subject: &Value) -> Result<(Option<&str>, Option<&str>), MakeError> {
    let complex = subject.get("format").is_some_and(|format| format == "complex");
    let member = |name| subject.get(name).and_then(identifier);
    match complex {
        false => identifier(subject).map(|sub| (Some(sub), None)),
        true => Some((member("user"), member("session"))).filter(|(sub, sid)| sub.or(*sid).is_some()),
    }
    .ok_or_else(|| {
        MakeError("a logout token is about a user, a session, or both: --subject user:SUB --subject session:SID".into())
    })
}

/// What a simple identifier says of a subject at its own issuer.
fn identifier(subject: &Value) -> Option<&str> {
    ["sub", "id"]
        .into_iter()
        .find_map(|member| subject.get(member)?.as_str())
}

#[cfg(test)]
mod tests;

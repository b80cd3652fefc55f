//! SCIM events (RFC 9967), as far as provisioning changes who may have access; and the names of its drafts.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::caep::NO_EFFECT;
use super::{EventType, Meaning, Member, Shape, Vocabulary, told};
use crate::json::Value;
use crate::signal::event::{Credential, CredentialChange, Event};
use crate::signal::payload::{Payload, not};
use crate::signal::rejection::Rejection;
use crate::state::SubjectKind::{Device, Group, User};
use crate::state::record::{AccountStatus, OptOut};

/// The rows of the RFC, and the same with the prefix of the drafts up to -07, which Keycloak's extension sends.
macro_rules! types {
    ($({ $name:literal, $section:literal, $members:expr, $effect:expr, $example:literal, $outcome:literal, $meaning:expr })+) => {
        pub(super) static TYPES: &[EventType] = &[
            $(types!("urn:ietf:params:scim:event:", false, $name, $section, $members, $effect, $example, $outcome, $meaning),)+
            $(types!("urn:ietf:params:SCIM:event:", true, $name, $section, $members, $effect, $example, $outcome, $meaning),)+
            types!("urn:ietf:params:SCIM:event:", true, "sig:pwdReset", "drafts", &[], PASSWORD, "{}", "cut-off: passwordChange",
                Meaning::Is(PASSWORD_CHANGE)),
            types!("urn:ietf:params:scim:event:", true, "passwordReset", "RFC 8417 §2.1.1", &[], PASSWORD,
                r#"{"id":"44f6142df96bd6ab61e7521d9"}"#, "cut-off: passwordChange", Meaning::Is(PASSWORD_CHANGE)),
        ];
    };
    ($prefix:literal, $legacy:literal, $name:literal, $section:literal, $members:expr, $effect:expr, $example:literal, $outcome:literal, $meaning:expr) => {
        EventType {
            uri: concat!($prefix, $name),
            vocabulary: Vocabulary::Scim,
            name: $name,
            section: $section,
            legacy: $legacy,
            about: &[User, Group, Device],
            members: $members,
            effect: told($effect),
            example: told($example),
            outcome: told($outcome),
            meaning: $meaning,
        }
    };
}

types! {
    { "feed:add", "2.3.1", &[], FEED, "{}", "opt-out: optedIn", Meaning::Is(Event::OptOut(OptOut::OptedIn)) }
    { "feed:remove", "2.3.2", &[], FEED, "{}", "opt-out: optedOut", Meaning::Is(Event::OptOut(OptOut::OptedOut)) }
    { "prov:create:notice", "2.4.1", NOTICE, CREATED, r#"{"attributes":["id","name","userName","password","emails"]}"#,
        "status: enabled", Meaning::Is(Event::Account(AccountStatus::Enabled)) }
    { "prov:create:full", "2.4.1", FULL, CREATED, r#"{"data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"jdoe","active":true}}"#,
        "status: enabled", Meaning::Several(created) }
    { "prov:patch:notice", "2.4.2", NOTICE, CHANGED, r#"{"attributes":["roles"],"version":"a330bc54f0671c9"}"#,
        "cut-off: claimsChange", Meaning::Several(noticed) }
    { "prov:patch:full", "2.4.2", FULL, CHANGED, r#"{"version":"a330bc54f0671c9","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}}"#,
        "cut-off: accountDisabled, status: disabled", Meaning::Several(patched) }
    { "prov:put:notice", "2.4.3", NOTICE, CHANGED, r#"{"version":"a330bc54f0671c9","attributes":["userName","password"]}"#,
        "cut-off: passwordChange", Meaning::Several(noticed) }
    { "prov:put:full", "2.4.3", FULL, CHANGED, r#"{"version":"a330bc54f0671c9","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"jdoe","active":false}}"#,
        "cut-off: accountDisabled, status: disabled", Meaning::Several(replaced) }
    { "prov:delete", "2.4.4", &[],
        "Tokens issued before it are refused, and later ones too until the resource is created or activated.", "{}",
        "cut-off: accountPurged, status: purged", Meaning::Is(Event::Account(AccountStatus::Purged)) }
    { "prov:activate", "2.4.5", &[],
        "Tokens issued after it are accepted again; those from before the deactivation are not.", "{}",
        "status: enabled", Meaning::Is(Event::Account(AccountStatus::Enabled)) }
    { "prov:deactivate", "2.4.6", &[],
        "Tokens issued before it are refused, and later ones too until the resource is activated.", "{}",
        "cut-off: accountDisabled, status: disabled", Meaning::Is(Event::Account(AccountStatus::Disabled)) }
    { "misc:asyncresp", "2.5.1.3", &[], NO_EFFECT, r#"{"method":"PUT","status":"200"}"#, "none",
        Meaning::Is(Event::Informational) }
}

const FEED: &str =
    "None on tokens. Explanations tell of accounts about which a transmitter sends no events.";
const CREATED: &str = "The account is enabled, unless `active` is false: then as prov:deactivate. An identifier may be used again after a \
     deletion.";
const CHANGED: &str = "`active`: as prov:activate or prov:deactivate; a notice, which does not tell the value, refuses tokens issued \
     before it. `password`: refuses tokens issued before it. `roles`, `entitlements`, `groups` changed, other than by \
     an addition: refuses tokens issued before it; `members` removed from a group: those of these members. Other attributes, and lists that `put:full` merely repeats: none.";
const PASSWORD: &str = "Tokens issued before it are refused.";

const PASSWORD_CHANGE: Event = Event::CredentialChange {
    credential: Credential::Secret,
    change: CredentialChange::Update,
};

/// SPEC: RFC 9967 §2.4: exactly one of `data` and `attributes`, by the end of the name.
const NOTICE: &[Member] = &[
    Member::required("attributes", Shape::Texts),
    Member::informational("data", Shape::Absent),
    Member::informational("version", Shape::Text),
];
const FULL: &[Member] = &[
    Member::required("data", Shape::Members),
    Member::informational("attributes", Shape::Absent),
    Member::informational("version", Shape::Text),
];

/// Attributes from which issuers make the claims that grant access (RFC 7643 §4.1.2, §4.2).
const ACCESS: [&str; 4] = ["roles", "entitlements", "groups", "members"];

fn created(payload: &Payload<'_>) -> Result<Vec<Event>, Rejection> {
    let status = payload.get("data").and_then(|data| data.get("active"));
    let status = status.and_then(status_of).unwrap_or(AccountStatus::Enabled);
    Ok(vec![Event::Account(status)])
}

/// A notice tells which attributes changed, not how.
fn noticed(payload: &Payload<'_>) -> Result<Vec<Event>, Rejection> {
    let mut changes = Changes::default();
    let attributes = payload.get("attributes").and_then(Value::as_array);
    for path in attributes.into_iter().flatten().filter_map(Value::as_str) {
        changes.touch(path, None, true);
    }
    Ok(changes.events())
}

/// SPEC: RFC 9967 §2.4.2: the equivalent of the PATCH request; §2.4 speaks of the final representation.
fn patched(payload: &Payload<'_>) -> Result<Vec<Event>, Rejection> {
    let Some(operations) = payload.get("data").and_then(|data| data.get("Operations")) else {
        return replaced(payload);
    };
    let operations = operations.as_array();
    let operations = operations.ok_or_else(|| not("data", "a PATCH request"))?;
    let mut changes = Changes::default();
    for operation in operations {
        let name = operation
            .get("op")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // What is only added takes nothing away.
        let removes = !name.eq_ignore_ascii_case("add");
        let value = operation.get("value");
        match operation.get("path").and_then(Value::as_str) {
            Some(path)
                if name.eq_ignore_ascii_case("remove") && attribute_of(path) == "members" =>
            {
                changes.remove_members(path, value);
            }
            Some(path) => changes.touch(path, value, removes),
            // SPEC: RFC 7644 §3.5.2.1: without a path the value is a set of attributes.
            None => {
                let members = value.and_then(Value::as_object);
                for (path, value) in members.into_iter().flatten() {
                    changes.touch(path, Some(value), removes);
                }
            }
        }
    }
    Ok(changes.events())
}

/// The whole resource: it tells what is, not what changed, so only what it cannot merely repeat counts.
fn replaced(payload: &Payload<'_>) -> Result<Vec<Event>, Rejection> {
    let mut changes = Changes::default();
    let members = payload.get("data").and_then(Value::as_object);
    for (path, value) in members.into_iter().flatten() {
        let attribute = attribute_of(path);
        if !ACCESS.contains(&attribute.as_str()) {
            changes.touch(path, Some(value), true);
        }
    }
    Ok(changes.events())
}

/// What a request changed, as far as it matters.
#[derive(Default)]
struct Changes {
    status: Option<AccountStatus>,
    password: bool,
    access: bool,
    left: Vec<String>,
}

impl Changes {
    fn touch(&mut self, path: &str, value: Option<&Value>, removes: bool) {
        match attribute_of(path).as_str() {
            "active" => match value.and_then(status_of) {
                // Two values in one request: the last one holds (RFC 7644 §3.5.2).
                Some(status) => self.status = Some(status),
                None => self.access = true,
            },
            "password" => self.password = true,
            attribute if ACCESS.contains(&attribute) => self.access |= removes,
            _ => {}
        }
    }

    /// A group lost the members that a filter or the value of the operation names, or all of them.
    fn remove_members(&mut self, path: &str, value: Option<&Value>) {
        let filter = path.split_once('[').map(|(_, filter)| filter);
        let before = self.left.len();
        match filter {
            Some(filter) => self.left.extend(member_of(filter)),
            None => {
                let members = match value {
                    Some(Value::Array(members)) => members.as_slice(),
                    Some(member) => core::slice::from_ref(member),
                    None => &[],
                };
                let id = |member: &Value| Some(member.get("value")?.as_str()?.to_string());
                self.left.extend(members.iter().filter_map(id));
            }
        }
        // Who it was is not told.
        self.access |= self.left.len() == before;
    }

    fn events(self) -> Vec<Event> {
        let mut events = Vec::new();
        events.extend(self.status.map(Event::Account));
        events.extend(self.password.then_some(PASSWORD_CHANGE));
        events.extend(self.access.then_some(Event::AccessChange));
        if !self.left.is_empty() {
            events.push(Event::MembershipEnd(self.left));
        }
        if events.is_empty() {
            events.push(Event::Informational);
        }
        events
    }
}

/// The attribute that a path (RFC 7644 §3.5.2) leads into, in lower case: names are compared without it.
fn attribute_of(path: &str) -> String {
    let (before_filter, _) = path.split_once('[').unwrap_or((path, ""));
    // An attribute of a schema extension: its URN, a colon, the name.
    let name = match before_filter.rsplit_once(':') {
        Some((_, name)) => name,
        None => before_filter,
    };
    let (name, _) = name.split_once('.').unwrap_or((name, ""));
    name.to_string().to_ascii_lowercase()
}

/// The id in the filter `value eq "ID"]` (RFC 7644 §3.5.2.2); any other filter names nobody.
fn member_of(filter: &str) -> Option<String> {
    let mut words = filter.strip_suffix(']')?.split_whitespace();
    let is =
        |word: Option<&str>, name: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(name));
    let (attribute, operator, id) = (words.next(), words.next(), words.next()?);
    let equals = is(attribute, "value") && is(operator, "eq") && words.next().is_none();
    let id = id.strip_prefix('"')?.strip_suffix('"')?;
    equals.then(|| id.to_string())
}

/// `active`, also as the text that some provisioning clients send.
fn status_of(value: &Value) -> Option<AccountStatus> {
    let active = match value {
        Value::Bool(active) => *active,
        Value::String(text) if text.eq_ignore_ascii_case("true") => true,
        Value::String(text) if text.eq_ignore_ascii_case("false") => false,
        _ => return None,
    };
    Some(if active {
        AccountStatus::Enabled
    } else {
        AccountStatus::Disabled
    })
}

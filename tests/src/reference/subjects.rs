//! `enforcement.md` §2: the names that an event uses, and which of them its transmitter may use.

use serde_json::Value;

use super::issuers::{self, Realm};
use super::text;
use super::tokens::{Kind, Name};

/// Which principal an identifier stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// A user.
    User,
    /// A session.
    Session,
    /// A device.
    Device,
    /// An application: a client or its service principal.
    Application,
    /// A tenant.
    Tenant,
    /// Anything that no token shows: a group, an organisational unit, what a profile adds.
    Other,
}

impl Role {
    /// The role of a member of a complex subject.
    #[must_use]
    pub fn of_member(name: &str) -> Self {
        match name {
            "user" => Self::User,
            "session" => Self::Session,
            "device" => Self::Device,
            "application" => Self::Application,
            "tenant" => Self::Tenant,
            _ => Self::Other,
        }
    }

    /// "at least one identifying member (user, session, device, application)".
    #[must_use]
    pub const fn is_identifying(self) -> bool {
        matches!(
            self,
            Self::User | Self::Session | Self::Device | Self::Application
        )
    }

    /// The kinds of names of such a principal.
    #[must_use]
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::User => &[Kind::User],
            Self::Session => &[Kind::Session],
            Self::Device => &[Kind::Device],
            Self::Application => &[Kind::Client, Kind::ServicePrincipal],
            Self::Tenant => &[Kind::Tenant],
            Self::Other => &[],
        }
    }
}

/// A subject as an event gives it.
#[derive(Clone, Debug)]
pub enum Subject {
    /// One principal by one identifier.
    Simple(Value),
    /// One principal by several members, each a simple identifier.
    Complex(Vec<(String, Value)>),
}

impl Subject {
    /// Reads `sub_id`; its syntax is taken for granted.
    #[must_use]
    pub fn of(subject: &Value) -> Self {
        match text(subject, "format") {
            Some("complex") => Self::Complex(
                subject
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| *name != "format")
                    .map(|(name, member)| (name.clone(), member.clone()))
                    .collect(),
            ),
            _ => Self::Simple(subject.clone()),
        }
    }

    /// All identifiers, those inside `aliases` one by one.
    pub fn identifiers(&self) -> impl Iterator<Item = &Value> {
        let members: Vec<&Value> = match self {
            Self::Simple(identifier) => vec![identifier],
            Self::Complex(members) => members.iter().map(|(_, member)| member).collect(),
        };
        members.into_iter().flat_map(one_by_one)
    }
}

/// The identifiers of an `aliases` subject, or the identifier itself.
pub fn one_by_one(identifier: &Value) -> Vec<&Value> {
    match identifier["identifiers"].as_array() {
        Some(identifiers) if text(identifier, "format") == Some("aliases") => {
            identifiers.iter().collect()
        }
        _ => vec![identifier],
    }
}

/// Whether an identifier names an issuer for which this transmitter may not speak.
#[must_use]
pub fn is_foreign(configuration: &Value, transmitter: &Value, identifier: &Value) -> bool {
    let names_issuer = matches!(text(identifier, "format"), Some("iss_sub" | "jwt_id"));
    let Some(iss) = text(identifier, "iss").filter(|_| names_issuer) else {
        return false;
    };
    let spoken_for = issuers::spoken_for(configuration, transmitter);
    !issuers::by_url(configuration, iss).is_some_and(|realm| spoken_for.contains(&realm))
}

/// The names that an identifier comes to in this role; none if no token can show it.
#[must_use]
pub fn names(
    configuration: &Value,
    transmitter: &Value,
    identifier: &Value,
    role: Role,
) -> Vec<Name> {
    one_by_one(identifier)
        .into_iter()
        .flat_map(|one| names_of_one(configuration, transmitter, one, role))
        .collect()
}

fn names_of_one(
    configuration: &Value,
    transmitter: &Value,
    identifier: &Value,
    role: Role,
) -> Vec<Name> {
    let in_scope = |scope: &str, id: &str| -> Vec<Name> {
        let kinds = role.kinds().iter();
        kinds.map(|kind| Name::new(scope, *kind, id)).collect()
    };
    let realm = text(identifier, "iss").and_then(|iss| issuers::by_url(configuration, iss));
    let everywhere = |kind, id: &str| -> Vec<Name> {
        issuers::spoken_for(configuration, transmitter)
            .iter()
            .map(|realm| Name::new(&realm.scope, kind, id))
            .collect()
    };
    let said = |member| text(identifier, member).unwrap_or_default();
    match (text(identifier, "format").unwrap_or_default(), realm) {
        ("iss_sub", Some(realm)) => in_scope(&realm.scope, said("sub")),
        ("opaque", _) if role == Role::Tenant => tenants(configuration, transmitter, said("id")),
        ("opaque", _) => match opaque_scope(configuration, transmitter) {
            Some(scope) => in_scope(&scope, said("id")),
            None => Vec::new(),
        },
        ("jwt_id", Some(realm)) => vec![Name::new(&realm.scope, Kind::Token, said("jti"))],
        ("email", _) if role == Role::User => {
            everywhere(Kind::Email, &said("email").to_lowercase())
        }
        ("phone_number" | "phone", _) if role == Role::User => {
            let number = identifier.get("phone_number").or(identifier.get("phone"));
            let number = number.and_then(Value::as_str).unwrap_or_default();
            everywhere(Kind::Phone, &number.replace([' ', '-'], ""))
        }
        // Nothing in a token is an account URI, a DID, a URI, an assertion of SAML or an address of a principal.
        _ => Vec::new(),
    }
}

/// "`opaque` needs one issuer in `speaksFor`, or an explicit `opaqueScope`".
fn opaque_scope(configuration: &Value, transmitter: &Value) -> Option<String> {
    if let Some(scope) = text(transmitter, "opaqueScope") {
        return Some(scope.into());
    }
    match issuers::spoken_for(configuration, transmitter).as_slice() {
        [only] => Some(only.scope.clone()),
        _ => None,
    }
}

/// A tenant id is its own scope (`tenant.opaque` → `tid`): the tenants that the transmitter speaks for.
fn tenants(configuration: &Value, transmitter: &Value, id: &str) -> Vec<Name> {
    issuers::spoken_for(configuration, transmitter)
        .iter()
        .filter(|realm: &&Realm| realm.tenant.as_deref() == Some(&id.to_ascii_lowercase()))
        .map(|realm| Name::new(&realm.scope, Kind::Tenant, &id.to_ascii_lowercase()))
        .collect()
}

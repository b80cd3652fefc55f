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
    /// A group.
    Group,
    /// An organisational unit.
    OrganizationalUnit,
    /// What SSF 1.0 §3.3 does not list.
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
            "group" => Self::Group,
            "org_unit" => Self::OrganizationalUnit,
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
            Self::Group => &[Kind::Group],
            Self::OrganizationalUnit => &[Kind::OrganizationalUnit],
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

/// A transmitter that speaks about one subject.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'c> {
    /// The configuration.
    pub configuration: &'c Value,
    /// Its part about the transmitter.
    pub transmitter: &'c Value,
    /// The tenant that the subject names, to tell those of a multi-tenant issuer apart.
    pub tenant: Option<&'c str>,
}

impl<'c> Speaker<'c> {
    /// The speaker about this subject.
    #[must_use]
    pub fn about(configuration: &'c Value, transmitter: &'c Value, subject: &'c Subject) -> Self {
        let tenant = match subject {
            Subject::Simple(_) => None,
            Subject::Complex(members) => members.iter().find(|(name, _)| name == "tenant"),
        };
        let tenant =
            tenant.and_then(|(_, tenant)| text(tenant, "id").or_else(|| text(tenant, "sub")));
        Self {
            configuration,
            transmitter,
            tenant,
        }
    }

    /// The names that an identifier comes to in this role; none if it cannot be understood here.
    #[must_use]
    pub fn names(&self, identifier: &Value, role: Role) -> Vec<Name> {
        one_by_one(identifier)
            .into_iter()
            .flat_map(|one| self.names_of_one(one, role))
            .collect()
    }

    fn names_of_one(&self, identifier: &Value, role: Role) -> Vec<Name> {
        let in_scope = |scope: &str, id: &str| -> Vec<Name> {
            let kinds = role.kinds().iter();
            kinds.map(|kind| Name::new(scope, *kind, id)).collect()
        };
        let iss = text(identifier, "iss");
        let realm = iss.and_then(|iss| issuers::by_url(self.configuration, iss));
        let everywhere = |kind, id: &str| -> Vec<Name> {
            let realms = self.realms();
            let scopes = realms.iter().map(|realm| &realm.scope);
            scopes.map(|scope| Name::new(scope, kind, id)).collect()
        };
        let said = |member| text(identifier, member).unwrap_or_default();
        match (text(identifier, "format").unwrap_or_default(), realm) {
            ("iss_sub", Some(realm)) => in_scope(&realm.scope, said("sub")),
            ("opaque", _) => match self.opaque_scope() {
                Some(scope) => in_scope(&scope, said("id")),
                None => Vec::new(),
            },
            ("jwt_id", Some(realm)) => {
                vec![Name::new(&realm.scope, Kind::Token, said("jti"))]
            }
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

    /// The realms that the subject may belong to.
    fn realms(&self) -> Vec<Realm> {
        let issuers = &self.configuration["issuers"];
        let is_multi_tenant = |realm: &Realm| issuers[realm.issuer].get("tenants").is_some();
        let mut realms = issuers::spoken_for(self.configuration, self.transmitter);
        if let Some(tenant) = self.tenant {
            realms
                .retain(|realm| !is_multi_tenant(realm) || realm.tenant.as_deref() == Some(tenant));
        }
        realms
    }

    /// "`opaque` needs one issuer in `speaksFor`, or an explicit `opaqueScope`".
    fn opaque_scope(&self) -> Option<String> {
        if let Some(scope) = text(self.transmitter, "opaqueScope") {
            return Some(scope.into());
        }
        match self.realms().as_slice() {
            [only] => Some(only.scope.clone()),
            _ => None,
        }
    }
}

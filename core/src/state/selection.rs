//! The records that an operator means by a subject.
//!
//! A transmitter is held to the issuers that it speaks for; an operator answers for all of them, and says which one
//! where an identifier alone does not.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::key::{NameSpace, StateKey, SubjectKind};
use super::record::{Cause, Entry, Member, Record};
use crate::configuration::Configuration;
use crate::json::{self, Limits};
use crate::subject::{ComplexSubject, Subject, SubjectIdentifier};
use crate::time::UnixTime;
use crate::token::issuer_match::{TENANT_PLACEHOLDER, resolve_issuer, scope_of};
use crate::token::subject_keys::subject_key;

/// One record that a subject stands for, or a part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selected {
    /// The issuer's scope.
    pub scope: String,
    /// What the key stands for.
    pub kind: SubjectKind,
    /// The name space of the identifier.
    pub name_space: NameSpace,
    /// The key.
    pub key: StateKey,
    /// The other members of a complex subject: then only the scoped cut-offs are meant that hold for them. Empty for
    /// the whole record.
    pub remaining: Vec<Member>,
}

impl Selected {
    /// The neutral values at `now` of what is meant of `record`: an operator's ordinary change, to be merged.
    #[must_use]
    pub fn cleared(&self, record: &Record, now: UnixTime, configuration: &Configuration) -> Record {
        if self.remaining.is_empty() {
            let transmitters = configuration.transmitters.iter();
            Record::cleared(now, transmitters.map(|transmitter| transmitter.id))
        } else {
            cleared_scopes(record, &self.remaining, now)
        }
    }
}

/// Why a subject stands for no record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{subject}: {kind}")]
pub struct SelectionError {
    /// What was given.
    pub subject: String,
    /// What is wrong with it.
    pub kind: SelectionErrorKind,
}

/// What is wrong with a subject.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionErrorKind {
    /// Neither of the forms.
    #[error("write {SHORT_FORMS}, or a subject identifier as JSON (RFC 9493)")]
    Form,
    /// JSON that is no subject identifier.
    #[error("no subject identifier: {0}")]
    Json(String),
    /// An identifier or member that no token can show, so that no record is ever kept for it.
    #[error("no record is kept for {0}")]
    NeverShown(String),
    /// No issuer is called so.
    #[error("no issuer or scope is called `{name}`; there are {}", .known.join(", "))]
    UnknownIssuer {
        /// What was named.
        name: String,
        /// The scopes that there are.
        known: Vec<String>,
    },
    /// It may be a subject of several issuers.
    #[error("it may be any issuer's: say whose with --issuer, one of {}", .known.join(", "))]
    Ambiguous {
        /// The scopes that there are.
        known: Vec<String>,
    },
    /// Without a configuration nobody knows the scopes.
    #[error("say whose it is: with the engine configuration, or with its scope as --issuer")]
    ScopeUnknown,
}

/// The short forms, for people.
pub const SHORT_FORMS: &str = "user:ID, email:ADDRESS, phone:NUMBER, device:ID, session:ID, token:ID, application:ID or tenant:ID";

/// Whose subjects there are.
#[derive(Clone, Copy, Debug)]
pub enum Scopes<'a> {
    /// Those of the configured issuers, or of the one that is called so: by its URL, an alias or its scope.
    Configured(&'a Configuration, Option<&'a str>),
    /// Without configuration: of this scope, else of the issuer that an identifier names.
    Given(Option<&'a str>),
}

/// The records that `subject` stands for, at least one: a short form, or a subject identifier as JSON.
///
/// # Errors
/// [`SelectionError`] that says how to mend it.
pub fn select(subject: &str, scopes: Scopes<'_>) -> Result<Vec<Selected>, SelectionError> {
    let selected = match subject.trim_start().starts_with('{') {
        true => from_json(subject, scopes),
        false => from_short_form(subject, scopes),
    };
    selected.map_err(|kind| SelectionError {
        subject: subject.to_string(),
        kind,
    })
}

/// The scoped cut-offs of `record` that hold for tokens that match all of `remaining` beside its key, each with its
/// neutral value at `now`.
fn cleared_scopes(record: &Record, remaining: &[Member], now: UnixTime) -> Record {
    let same =
        |a: &Member, b: &Member| a.kind == b.kind && a.keys.iter().any(|key| b.keys.contains(key));
    let cleared = Entry {
        at: now.into(),
        issued: now,
        value: Cause::Cleared,
    };
    let scoped = record.scoped.iter().filter(|(scope, _)| {
        scope.members.len() == remaining.len()
            && (scope.members.iter())
                .all(|member| remaining.iter().any(|other| same(member, other)))
    });
    Record {
        scoped: scoped.map(|(scope, _)| (scope.clone(), cleared)).collect(),
        ..Record::default()
    }
}

fn from_short_form(subject: &str, scopes: Scopes<'_>) -> Result<Vec<Selected>, SelectionErrorKind> {
    use SubjectKind::{ClientApplication, Device, Session, Tenant, Token, User};
    let (form, id) = subject.split_once(':').ok_or(SelectionErrorKind::Form)?;
    let (kind, name_space) = match form {
        "user" => (User, NameSpace::Native),
        "email" => (User, NameSpace::Email),
        "phone" => (User, NameSpace::PhoneNumber),
        "device" => (Device, NameSpace::Native),
        "session" => (Session, NameSpace::Native),
        "token" => (Token, NameSpace::Native),
        "application" => (ClientApplication, NameSpace::Native),
        "tenant" => (Tenant, NameSpace::Native),
        _ => return Err(SelectionErrorKind::Form),
    };
    if id.is_empty() {
        return Err(SelectionErrorKind::Form);
    }
    let scopes = scopes.of_text(name_space)?;
    Ok(in_scopes(scopes, kind, name_space, id).collect())
}

fn from_json(subject: &str, scopes: Scopes<'_>) -> Result<Vec<Selected>, SelectionErrorKind> {
    let json = |error: String| SelectionErrorKind::Json(error);
    let value =
        json::parse(subject.as_bytes(), Limits::EVENT).map_err(|error| json(error.to_string()))?;
    match Subject::read(&value).map_err(|error| json(error.to_string()))? {
        Subject::Simple(identifier) => {
            let mut selected = identified(SubjectKind::User, &identifier, scopes)?;
            // SPEC: enforcement §2: an opaque subject may be the session as well as the user.
            if has_opaque(&identifier) {
                let sessions = identified(SubjectKind::Session, &identifier, scopes)?;
                selected.extend(
                    sessions
                        .into_iter()
                        .filter(|one| one.kind == SubjectKind::Session),
                );
            }
            Ok(selected)
        }
        Subject::Complex(members) => from_members(&members, scopes),
    }
}

/// SPEC: SSF 1.0 §3.3: the members together name one principal.
fn from_members(
    members: &ComplexSubject,
    scopes: Scopes<'_>,
) -> Result<Vec<Selected>, SelectionErrorKind> {
    let scopes = scopes.narrowed(members.get("tenant"));
    let mut by_kind: BTreeMap<SubjectKind, Vec<Selected>> = BTreeMap::new();
    for (name, identifier) in members.iter() {
        let kind = kind_of_member(name)
            .ok_or_else(|| SelectionErrorKind::NeverShown(format!("the member `{name}`")))?;
        for one in identified(kind, identifier, scopes)? {
            let kind = match one.kind {
                // One member, whichever of the two its application turns out to be.
                SubjectKind::ServicePrincipal => SubjectKind::ClientApplication,
                kind => kind,
            };
            by_kind.entry(kind).or_default().push(one);
        }
    }
    // Beside a user an application is the client; the service principal is one that signs in itself.
    if by_kind.contains_key(&SubjectKind::User) {
        let all = by_kind.values_mut();
        all.for_each(|keys| keys.retain(|one| one.kind != SubjectKind::ServicePrincipal));
    }
    let identifies = |kind: &SubjectKind| {
        !matches!(
            kind,
            SubjectKind::Tenant | SubjectKind::Group | SubjectKind::OrganizationalUnit
        )
    };
    if by_kind.len() == 1 {
        return Ok(by_kind.into_values().flatten().collect());
    }
    let mut selected = Vec::new();
    for (kind, own) in by_kind.iter().filter(|(kind, _)| identifies(kind)) {
        let others = by_kind.iter().filter(|(other, _)| *other != kind);
        let remaining: Vec<Member> = others.map(|(kind, keys)| member(*kind, keys)).collect();
        selected.extend(own.iter().map(|one| Selected {
            remaining: remaining.clone(),
            ..one.clone()
        }));
    }
    if selected.is_empty() {
        return Err(SelectionErrorKind::NeverShown(
            "these members alone".to_string(),
        ));
    }
    Ok(selected)
}

fn member(kind: SubjectKind, keys: &[Selected]) -> Member {
    let keys: BTreeSet<_> = keys.iter().map(|one| (one.name_space, one.key)).collect();
    Member {
        kind,
        keys: keys.into_iter().collect(),
    }
}

/// The records of one text in each of these scopes.
fn in_scopes(
    scopes: Vec<String>,
    kind: SubjectKind,
    name_space: NameSpace,
    text: &str,
) -> impl Iterator<Item = Selected> + use<'_> {
    scopes.into_iter().flat_map(move |scope| {
        kinds_of(kind).iter().map(move |kind| Selected {
            key: subject_key(&scope, *kind, name_space, text),
            scope: scope.clone(),
            kind: *kind,
            name_space,
            remaining: Vec::new(),
        })
    })
}

/// What a subject of `kind` may be: tokens show an application as client and, without a user, as service principal.
fn kinds_of(kind: SubjectKind) -> &'static [SubjectKind] {
    use SubjectKind::{
        ClientApplication, Device, Group, OrganizationalUnit, ServicePrincipal, Session, Tenant,
        Token, User,
    };
    match kind {
        User => &[User],
        Session => &[Session],
        Device => &[Device],
        Token => &[Token],
        ClientApplication => &[ClientApplication, ServicePrincipal],
        ServicePrincipal => &[ServicePrincipal],
        Tenant => &[Tenant],
        Group => &[Group],
        OrganizationalUnit => &[OrganizationalUnit],
    }
}

/// The records of an identifier that stands for a subject of `kind`.
fn identified(
    kind: SubjectKind,
    identifier: &SubjectIdentifier,
    scopes: Scopes<'_>,
) -> Result<Vec<Selected>, SelectionErrorKind> {
    let (kind, identifiers) = match identifier {
        SubjectIdentifier::Aliases(identifiers) => (kind, identifiers.as_slice()),
        SubjectIdentifier::Scim(resource) => {
            (resource.kind().unwrap_or(kind), resource.identifiers())
        }
        one => (kind, core::slice::from_ref(one)),
    };
    let mut selected = Vec::new();
    for identifier in identifiers {
        let (kind, name_space, text, iss) = match identifier {
            SubjectIdentifier::IssSub { iss, sub } => (kind, NameSpace::Native, sub, Some(iss)),
            SubjectIdentifier::JwtId { iss, jti } => {
                (SubjectKind::Token, NameSpace::Native, jti, Some(iss))
            }
            SubjectIdentifier::Opaque(text) => (kind, NameSpace::Native, text, None),
            SubjectIdentifier::Email(text) => (kind, NameSpace::Email, text, None),
            SubjectIdentifier::PhoneNumber(text) => (kind, NameSpace::PhoneNumber, text, None),
            SubjectIdentifier::Account(text) => (kind, NameSpace::Account, text, None),
            SubjectIdentifier::Did(text) => (kind, NameSpace::Did, text, None),
            SubjectIdentifier::Uri(text) => (kind, NameSpace::Uri, text, None),
            SubjectIdentifier::Aliases(_)
            | SubjectIdentifier::Scim(_)
            | SubjectIdentifier::SamlAssertionId { .. }
            | SubjectIdentifier::IpAddresses(_)
            | SubjectIdentifier::Unknown { .. } => {
                let what = "identifiers of this format".to_string();
                return Err(SelectionErrorKind::NeverShown(what));
            }
        };
        let scopes = match iss {
            Some(iss) => vec![scopes.of_issuer(iss)?],
            None => scopes.of_text(name_space)?,
        };
        selected.extend(in_scopes(scopes, kind, name_space, text));
    }
    Ok(selected)
}

impl<'a> Scopes<'a> {
    /// The scope of the issuer that an identifier names.
    fn of_issuer(self, iss: &str) -> Result<String, SelectionErrorKind> {
        match self {
            Self::Configured(configuration, _) => named(configuration, iss),
            Self::Given(scope) => Ok(scope.unwrap_or(iss).to_string()),
        }
    }

    /// The scopes in which an identifier is looked up that names no issuer.
    fn of_text(self, name_space: NameSpace) -> Result<Vec<String>, SelectionErrorKind> {
        let (configuration, issuer) = match self {
            Self::Given(scope) => {
                let scope = scope.ok_or(SelectionErrorKind::ScopeUnknown)?;
                return Ok(vec![scope.to_string()]);
            }
            Self::Configured(configuration, issuer) => (configuration, issuer),
        };
        if let Some(issuer) = issuer {
            return Ok(vec![named(configuration, issuer)?]);
        }
        let known = all(configuration);
        // An address or a number means the same person everywhere; what an issuer made up is its own.
        if known.len() > 1 && name_space == NameSpace::Native {
            return Err(SelectionErrorKind::Ambiguous { known });
        }
        Ok(known)
    }

    /// As the `tenant` of a complex subject says, where nothing else does.
    fn narrowed(self, tenant: Option<&'a SubjectIdentifier>) -> Self {
        let text = match tenant {
            Some(SubjectIdentifier::Opaque(text) | SubjectIdentifier::IssSub { sub: text, .. }) => {
                text
            }
            _ => return self,
        };
        match self {
            Self::Configured(configuration, None) if named(configuration, text).is_ok() => {
                Self::Configured(configuration, Some(text))
            }
            other => other,
        }
    }
}

/// The scope of the issuer with this URL, alias or scope.
fn named(configuration: &Configuration, name: &str) -> Result<String, SelectionErrorKind> {
    let known = all(configuration);
    let lower_case = name.to_lowercase();
    if let Some(scope) = known
        .iter()
        .find(|known| **known == name || **known == lower_case)
    {
        return Ok(scope.clone());
    }
    let speaker = resolve_issuer(configuration, name);
    speaker
        .and_then(|(issuer, tenant)| {
            Some(scope_of(
                configuration.issuers.get(issuer)?,
                tenant.as_deref(),
            ))
        })
        .ok_or_else(|| SelectionErrorKind::UnknownIssuer {
            name: name.to_string(),
            known,
        })
}

/// Every scope, sorted.
fn all(configuration: &Configuration) -> Vec<String> {
    let mut scopes = BTreeSet::new();
    for issuer in &configuration.issuers {
        if issuer.issuer.contains(TENANT_PLACEHOLDER) {
            let tenants = issuer.tenants.iter();
            scopes.extend(tenants.map(|tenant| scope_of(issuer, Some(tenant))));
        } else {
            let tenant =
                resolve_issuer(configuration, &issuer.issuer).and_then(|(_, tenant)| tenant);
            scopes.insert(scope_of(issuer, tenant.as_deref()));
        }
    }
    scopes.into_iter().collect()
}

fn has_opaque(identifier: &SubjectIdentifier) -> bool {
    match identifier {
        SubjectIdentifier::Opaque(_) => true,
        SubjectIdentifier::Aliases(identifiers) => identifiers.iter().any(has_opaque),
        _ => false,
    }
}

/// SPEC: SSF 1.0 §3.3.
fn kind_of_member(name: &str) -> Option<SubjectKind> {
    Some(match name {
        "user" => SubjectKind::User,
        "device" => SubjectKind::Device,
        "session" => SubjectKind::Session,
        "application" => SubjectKind::ClientApplication,
        "tenant" => SubjectKind::Tenant,
        "org_unit" => SubjectKind::OrganizationalUnit,
        "group" => SubjectKind::Group,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

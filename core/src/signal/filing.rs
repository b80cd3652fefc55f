//! Under which keys an event is filed: those of the identifiers that it names (`enforcement.md` §2). No key is
//! ever resolved through state.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::effect::alone;
use super::notes::Notes;
use super::rejection::{ErrorCode, Rejection};
use crate::configuration::{Configuration, Issuer, Transmitter};
use crate::state::key::{NameSpace, StateKey, SubjectKind};
use crate::state::names::Named as _;
use crate::subject::{Subject, SubjectIdentifier};
use crate::token::issuer_match::{TENANT_PLACEHOLDER, resolve_issuer, scope_of};
use crate::token::subject_keys::{shows, subject_key};

/// Whose subjects a transmitter may name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Directory<'a> {
    /// Those of the issuers that it speaks for.
    Configured(&'a Configuration, &'a Transmitter),
    /// Without configuration: those of the `iss` in the identifier, else of the SET's own issuer.
    Unconfigured(&'a str),
}

/// One key under which an event may be filed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct FiledKey {
    pub(super) kind: SubjectKind,
    pub(super) name_space: NameSpace,
    pub(super) key: StateKey,
    /// Whether a token of the issuer can ever show it.
    pub(super) shown: bool,
}

/// Turns the identifiers of one subject into keys.
#[derive(Debug)]
pub(super) struct Filing<'a> {
    directory: Directory<'a>,
    /// What the `tenant` member of the subject says, to tell the tenants of a multi-tenant issuer apart.
    tenant: Option<String>,
}

/// A scope and the issuer whose it is.
struct Scope<'a> {
    name: String,
    issuer: Option<&'a Issuer>,
}

impl<'a> Filing<'a> {
    pub(super) fn new(directory: Directory<'a>, subject: Option<&Subject>) -> Self {
        let tenant = match subject {
            None | Some(Subject::Simple(_)) => None,
            Some(Subject::Complex(members)) => {
                members.get("tenant").and_then(|tenant| match tenant {
                    SubjectIdentifier::Opaque(id) => Some(id.to_lowercase()),
                    SubjectIdentifier::IssSub { sub, .. } => Some(sub.to_lowercase()),
                    _ => None,
                })
            }
        };
        Self { directory, tenant }
    }

    /// The keys of an identifier that stands for a subject of `kind`, sorted, each with its kind: `jwt_id` names a
    /// token, whatever it stands for. Several for `aliases`; none, with a note, for what tokens never show.
    ///
    /// # Errors
    /// `access_denied` if the identifier belongs to an issuer that the transmitter may not speak for.
    pub(super) fn keys(
        &self,
        kind: SubjectKind,
        identifier: &SubjectIdentifier,
        notes: &mut Notes,
    ) -> Result<Vec<FiledKey>, Rejection> {
        let mut keys = Vec::new();
        let (kind, identifiers) = match identifier {
            SubjectIdentifier::Aliases(identifiers) => (kind, identifiers.as_slice()),
            SubjectIdentifier::Scim(resource) => {
                (resource.kind().unwrap_or(kind), resource.identifiers())
            }
            one => (kind, core::slice::from_ref(one)),
        };
        for identifier in identifiers {
            let Some((kind, name_space, text)) = named(kind, identifier) else {
                notes.add("subjectNotUnderstood");
                continue;
            };
            for scope in self.scopes(identifier, notes)? {
                // The id of an application may be that of the client or of its service principal.
                for kind in alone(kind) {
                    keys.push(FiledKey {
                        kind: *kind,
                        name_space,
                        key: subject_key(&scope.name, *kind, name_space, text),
                        shown: scope
                            .issuer
                            .is_none_or(|issuer| shows(issuer, *kind, name_space)),
                    });
                }
            }
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Whether the transmitter may name everything in this subject, members that are not understood included.
    ///
    /// # Errors
    /// `access_denied` if an identifier belongs to an issuer that the transmitter may not speak for.
    pub(super) fn admit(&self, subject: &Subject) -> Result<(), Rejection> {
        let one_by_one = |identifier: &'_ SubjectIdentifier| match identifier {
            SubjectIdentifier::Aliases(identifiers) => identifiers
                .iter()
                .try_for_each(|one| self.scopes(one, &mut Notes::default()).map(|_| ())),
            one => self.scopes(one, &mut Notes::default()).map(|_| ()),
        };
        match subject {
            Subject::Simple(identifier) => one_by_one(identifier),
            Subject::Complex(members) => members
                .iter()
                .try_for_each(|(_, member)| one_by_one(member)),
        }
    }

    /// The scopes in which an identifier is filed.
    fn scopes(
        &self,
        identifier: &SubjectIdentifier,
        notes: &mut Notes,
    ) -> Result<Vec<Scope<'a>>, Rejection> {
        let stated = match identifier {
            SubjectIdentifier::IssSub { iss, .. } | SubjectIdentifier::JwtId { iss, .. } => {
                Some(iss)
            }
            _ => None,
        };
        let (configuration, transmitter) = match self.directory {
            Directory::Configured(configuration, transmitter) => (configuration, transmitter),
            Directory::Unconfigured(own) => {
                return Ok(vec![Scope {
                    name: stated.map_or(own, String::as_str).to_string(),
                    issuer: None,
                }]);
            }
        };
        if let Some(iss) = stated {
            let speaker = resolve_issuer(configuration, iss)
                .filter(|(issuer, _)| transmitter.speaks_for.contains(issuer));
            let found = speaker
                .and_then(|(issuer, tenant)| Some((configuration.issuers.get(issuer)?, tenant)));
            let (issuer, tenant) = found.ok_or_else(|| {
                Rejection::new(
                    ErrorCode::AccessDenied,
                    "the subject belongs to an issuer that this transmitter may not speak for",
                )
            })?;
            return Ok(vec![Scope {
                name: scope_of(issuer, tenant.as_deref()),
                issuer: Some(issuer),
            }]);
        }
        let issuers: Vec<&Issuer> = (transmitter.speaks_for.iter())
            .filter_map(|issuer| configuration.issuers.get(*issuer))
            .collect();
        if !matches!(identifier, SubjectIdentifier::Opaque(_)) {
            // An address or a number means the same person everywhere.
            let mut scopes: Vec<_> = (issuers.iter())
                .flat_map(|issuer| self.scopes_of(configuration, issuer))
                .collect();
            scopes.sort_by(|a, b| a.name.cmp(&b.name));
            scopes.dedup_by(|a, b| a.name == b.name);
            if scopes.is_empty() {
                notes.add("scopeUnknown");
            }
            return Ok(scopes);
        }
        if let Some(name) = &transmitter.opaque_scope {
            let is_its = |issuer: &&&Issuer| {
                let mut scopes = self.scopes_of(configuration, issuer).into_iter();
                scopes.any(|scope| scope.name == *name)
            };
            return Ok(vec![Scope {
                name: name.clone(),
                issuer: issuers.iter().find(is_its).copied(),
            }]);
        }
        let only = match issuers.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        let mut scopes = only.map_or_else(Vec::new, |only| self.scopes_of(configuration, only));
        scopes.dedup_by(|a, b| a.name == b.name);
        if scopes.len() != 1 {
            notes.add("opaqueScopeUnknown");
            scopes.clear();
        }
        Ok(scopes)
    }

    /// The scopes of an issuer that the subject may belong to: one for each tenant, or that of the tenant named.
    fn scopes_of(&self, configuration: &Configuration, issuer: &'a Issuer) -> Vec<Scope<'a>> {
        let scope = |tenant: Option<&str>| Scope {
            name: scope_of(issuer, tenant),
            issuer: Some(issuer),
        };
        if !issuer.issuer.contains(TENANT_PLACEHOLDER) {
            let tenant =
                resolve_issuer(configuration, &issuer.issuer).and_then(|(_, tenant)| tenant);
            return vec![scope(tenant.as_deref())];
        }
        let is_named = |tenant: &&String| self.tenant.as_ref().is_none_or(|named| named == *tenant);
        let tenants = issuer.tenants.iter().filter(is_named);
        tenants.map(|tenant| scope(Some(tenant))).collect()
    }
}

/// What an identifier says about a subject of `kind`; `None` if no token could ever show it.
fn named(
    kind: SubjectKind,
    identifier: &SubjectIdentifier,
) -> Option<(SubjectKind, NameSpace, &str)> {
    Some(match identifier {
        SubjectIdentifier::IssSub { sub: text, .. } | SubjectIdentifier::Opaque(text) => {
            (kind, NameSpace::Native, text)
        }
        SubjectIdentifier::JwtId { jti, .. } => (SubjectKind::Token, NameSpace::Native, jti),
        SubjectIdentifier::Email(text) => (kind, NameSpace::Email, text),
        SubjectIdentifier::PhoneNumber(text) => (kind, NameSpace::PhoneNumber, text),
        SubjectIdentifier::Account(text) => (kind, NameSpace::Account, text),
        SubjectIdentifier::Did(text) => (kind, NameSpace::Did, text),
        SubjectIdentifier::Uri(text) => (kind, NameSpace::Uri, text),
        // Neither aliases nor SCIM resources nest, so they never come here.
        SubjectIdentifier::Aliases(_)
        | SubjectIdentifier::Scim(_)
        | SubjectIdentifier::SamlAssertionId { .. }
        | SubjectIdentifier::IpAddresses(_)
        | SubjectIdentifier::Unknown { .. } => return None,
    })
}

impl FiledKey {
    /// The note for a key that no token will ever show.
    pub(super) fn unmatchable(&self) -> String {
        match self.name_space {
            NameSpace::Native => format!("unmatchable:{}", self.kind.name()),
            other => format!("unmatchable:{}/{}", self.kind.name(), other.name()),
        }
    }
}

//! The state keys that a token yields, and the form in which identifiers are compared.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::SubjectKey;
use super::claims::Part;
use super::issuer_match::is_guid;
use crate::configuration::Issuer;
use crate::state::key::{Identifier, NameSpace, StateKey, SubjectKind};

/// The key of an identifier as tokens and events write it.
///
/// Both sides have to come to the same key, so this is the only way from foreign text to a key: a native
/// identifier that is a GUID and an e-mail address are compared without case, a phone number without what E.164 leaves
/// to taste, everything else byte for byte.
#[must_use]
pub fn subject_key(scope: &str, kind: SubjectKind, name_space: NameSpace, text: &str) -> StateKey {
    StateKey::new(
        scope,
        kind,
        Identifier {
            name_space,
            text: &canonical_identifier(name_space, text),
        },
    )
}

/// The form in which an identifier is compared; see [`subject_key`].
#[must_use]
pub fn canonical_identifier(name_space: NameSpace, text: &str) -> String {
    match name_space {
        NameSpace::Native if is_guid(text) => text.to_ascii_lowercase(),
        NameSpace::Email => text.to_lowercase(),
        NameSpace::PhoneNumber => (text.chars())
            .filter(|character| !matches!(character, ' ' | '-' | '.' | '(' | ')'))
            .collect(),
        _ => text.to_string(),
    }
}

/// Whether tokens of `issuer` can yield keys of this kind and name space (`enforcement.md` §2).
pub(crate) fn shows(issuer: &Issuer, kind: SubjectKind, name_space: NameSpace) -> bool {
    let claim = |part| issuer.claims.name(part).is_some();
    let aliased = !issuer.aliases.is_empty();
    match (kind, name_space) {
        (SubjectKind::User, NameSpace::Native) => claim(Part::User),
        (SubjectKind::User, NameSpace::Email) => {
            aliased
                || (claim(Part::Email) && (issuer.email_is_stable || claim(Part::EmailVerified)))
        }
        (SubjectKind::User, NameSpace::PhoneNumber) => {
            aliased || (claim(Part::PhoneNumber) && claim(Part::PhoneNumberVerified))
        }
        (SubjectKind::Session, NameSpace::Native) => claim(Part::Session),
        (SubjectKind::Device, NameSpace::Native) => claim(Part::Device),
        (SubjectKind::Token, NameSpace::Native) => claim(Part::TokenId),
        (SubjectKind::ClientApplication | SubjectKind::ServicePrincipal, NameSpace::Native) => {
            claim(Part::Client)
        }
        // The scope of an Entra issuer's subjects is their tenant.
        (SubjectKind::Tenant, NameSpace::Native) => claim(Part::Tenant) || issuer.preset.is_entra(),
        _ => false,
    }
}

/// Keys of one scope in the order in which they were added, without repeats.
pub(super) struct KeyList<'a> {
    scope: &'a str,
    keys: Vec<SubjectKey>,
}

impl<'a> KeyList<'a> {
    pub(super) const fn new(scope: &'a str) -> Self {
        Self {
            scope,
            keys: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, kind: SubjectKind, name_space: NameSpace, text: Option<&str>) {
        let Some(text) = text else { return };
        let key = subject_key(self.scope, kind, name_space, text);
        if self.keys.iter().all(|known| known.key != key) {
            self.keys.push(SubjectKey {
                kind,
                name_space,
                key,
            });
        }
    }

    pub(super) fn native(&mut self, kind: SubjectKind, text: Option<&str>) {
        self.add(kind, NameSpace::Native, text);
    }

    pub(super) fn into_vec(self) -> Vec<SubjectKey> {
        self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_guids_and_addresses_are_compared_without_case() {
        let same = |name_space, a: &str, b: &str| {
            let key = |text: &str| subject_key("s", SubjectKind::User, name_space, text);
            key(a) == key(b)
        };
        let guid = "AAAAAAAA-1111-1111-1111-111111111111";
        assert!(same(NameSpace::Native, guid, &guid.to_lowercase()));
        assert!(!same(NameSpace::Native, "00uA", "00ua"));
        assert!(!same(NameSpace::Native, "AAAAAAAA-1111", "aaaaaaaa-1111"));
        assert!(same(NameSpace::Email, "Ann@Example.org", "ann@example.ORG"));
        assert!(!same(NameSpace::Uri, "urn:A", "urn:a"));
        let number = "+12065550123";
        assert!(same(NameSpace::PhoneNumber, number, "+1 (206) 555-0123"));
        assert!(!same(NameSpace::PhoneNumber, number, "12065550123"));
    }

    #[test]
    fn a_key_is_listed_once() {
        let mut list = KeyList::new("s");
        list.native(SubjectKind::User, Some("a"));
        list.native(SubjectKind::User, None);
        list.native(SubjectKind::User, Some("a"));
        list.native(SubjectKind::Session, Some("a"));
        list.add(SubjectKind::User, NameSpace::Email, Some("a"));
        assert_eq!(list.into_vec().len(), 3);
    }
}

//! Whom keys stand for, in words.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::signal::filing::{Directory, Filing};
use crate::signal::notes::Notes;
use crate::state::StateKey;
use crate::state::key::{NameSpace, SubjectKind};
use crate::state::names::Named as _;
use crate::subject::{Subject, SubjectIdentifier};

/// Longest identifier that is repeated in a sentence, in characters.
const LONGEST: usize = 80;

/// The identifiers of one subject by the keys that they come to.
pub(super) struct Subjects {
    names: BTreeMap<StateKey, String>,
    whole: String,
}

impl Subjects {
    /// Of the subject, and of those whom an event names beside it: who left the group that is its subject.
    pub(super) fn of(subject: Option<&Subject>, left: &[String], directory: Directory<'_>) -> Self {
        let filing = Filing::new(directory, subject);
        let named: Vec<(Option<&str>, &SubjectIdentifier)> = match subject {
            None => Vec::new(),
            Some(Subject::Simple(identifier)) => Vec::from([(None, identifier)]),
            Some(Subject::Complex(members)) => members
                .iter()
                .map(|(name, identifier)| (Some(name), identifier))
                .collect(),
        };
        let mut names = BTreeMap::new();
        for (_, identifier) in &named {
            for one in each(identifier) {
                // An identifier is filed as what its member says, or as what the event describes: whichever it is,
                // the key leads back to it.
                for (kind, ..) in SubjectKind::ALL {
                    // Its issuer was accepted before.
                    let keys = filing.keys(*kind, one, &mut Notes::default());
                    for key in keys.unwrap_or_default() {
                        names.insert(key.key, phrase(key.kind, key.name_space, text_of(one)));
                    }
                }
            }
        }
        for id in left {
            let member = SubjectIdentifier::Opaque(id.clone());
            let keys = filing.keys(SubjectKind::User, &member, &mut Notes::default());
            for key in keys.unwrap_or_default() {
                names.insert(key.key, phrase(key.kind, key.name_space, id));
            }
        }
        let whole = named.iter().map(|(member, identifier)| {
            let each: Vec<String> = each(identifier)
                .map(|one| described(*member, one))
                .collect();
            each.join(" or ")
        });
        let whole: Vec<String> = whole.collect();
        let whole = match whole.as_slice() {
            [] => "the stream".to_string(),
            several => several.join(" and "),
        };
        Self { names, whole }
    }

    /// The whole subject, whatever of it is understood.
    pub(super) fn whole(&self) -> String {
        self.whole.clone()
    }

    /// Whoever is one of these.
    pub(super) fn any_of(&self, keys: impl Iterator<Item = (StateKey, SubjectKind)>) -> String {
        let phrases: BTreeSet<(SubjectKind, String)> = keys
            .map(|(key, kind)| (kind, self.one(key, kind)))
            .collect();
        let phrases: Vec<String> = phrases.into_iter().map(|(_, phrase)| phrase).collect();
        phrases.join(" or ")
    }

    /// Whoever is one of each kind.
    pub(super) fn all_of(&self, keys: impl Iterator<Item = (StateKey, SubjectKind)>) -> String {
        let mut kinds: BTreeMap<SubjectKind, BTreeSet<String>> = BTreeMap::new();
        for (key, kind) in keys {
            kinds.entry(kind).or_default().insert(self.one(key, kind));
        }
        let kinds: Vec<String> = kinds
            .into_values()
            .map(|phrases| phrases.into_iter().collect::<Vec<_>>().join(" or "))
            .collect();
        kinds.join(" and ")
    }

    fn one(&self, key: StateKey, kind: SubjectKind) -> String {
        let name = self.names.get(&key).cloned();
        name.unwrap_or_else(|| format!("the {}", kind_name(kind)))
    }
}

fn each(identifier: &SubjectIdentifier) -> impl Iterator<Item = &SubjectIdentifier> {
    match identifier {
        SubjectIdentifier::Aliases(identifiers) => identifiers.as_slice(),
        SubjectIdentifier::Scim(resource) => resource.identifiers(),
        one => core::slice::from_ref(one),
    }
    .iter()
}

/// What an identifier says, whatever it identifies.
fn text_of(identifier: &SubjectIdentifier) -> &str {
    match identifier {
        SubjectIdentifier::Account(text)
        | SubjectIdentifier::Email(text)
        | SubjectIdentifier::Opaque(text)
        | SubjectIdentifier::PhoneNumber(text)
        | SubjectIdentifier::Did(text)
        | SubjectIdentifier::Uri(text)
        | SubjectIdentifier::IssSub { sub: text, .. }
        | SubjectIdentifier::JwtId { jti: text, .. }
        | SubjectIdentifier::SamlAssertionId {
            assertion_id: text, ..
        }
        | SubjectIdentifier::Unknown { format: text } => text,
        SubjectIdentifier::Scim(resource) => &resource.uri,
        SubjectIdentifier::Aliases(_) | SubjectIdentifier::IpAddresses(_) => "",
    }
}

/// An identifier before it is known what it is filed under.
fn described(member: Option<&str>, identifier: &SubjectIdentifier) -> String {
    let text = quoted(text_of(identifier));
    match (identifier, member) {
        (SubjectIdentifier::IpAddresses(addresses), _) => {
            format!("the addresses {}", addresses.join(", "))
        }
        (SubjectIdentifier::Unknown { format }, _) => {
            format!("a subject of the format {}", quoted(format))
        }
        (_, Some(member)) => format!("{} {text}", member.replace('_', " ")),
        (SubjectIdentifier::JwtId { .. }, None) => format!("token {text}"),
        (_, None) => text,
    }
}

fn phrase(kind: SubjectKind, name_space: NameSpace, text: &str) -> String {
    let (kind, text) = (kind_name(kind), quoted(text));
    match name_space {
        NameSpace::Native => format!("{kind} {text}"),
        NameSpace::Email => format!("the {kind} with the e-mail address {text}"),
        NameSpace::PhoneNumber => format!("the {kind} with the phone number {text}"),
        other => format!("the {kind} with the {} {text}", other.name()),
    }
}

fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{short}`")
}

fn kind_name(kind: SubjectKind) -> String {
    crate::decision::name_of(kind).to_string()
}

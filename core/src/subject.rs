//! Subject identifiers of RFC 9493 §3.2 and SSF 1.0 §3, simple and complex.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::json::{Map, Value};
use crate::state::SubjectKind;

/// One identifier of one principal.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum SubjectIdentifier {
    /// `account`: an `acct:` URI (RFC 9493 §3.2.1).
    Account(String),
    /// `email` (RFC 9493 §3.2.2).
    Email(String),
    /// `iss_sub` (RFC 9493 §3.2.3).
    IssSub {
        /// Issuer URL.
        iss: String,
        /// Subject at that issuer.
        sub: String,
    },
    /// `opaque` (RFC 9493 §3.2.4).
    Opaque(String),
    /// `phone_number` (RFC 9493 §3.2.5), without the spaces and hyphens that SSF 1.0 writes in it.
    PhoneNumber(String),
    /// `did` (RFC 9493 §3.2.6).
    Did(String),
    /// `uri` (RFC 9493 §3.2.7).
    Uri(String),
    /// `aliases` (RFC 9493 §3.2.8): the same principal under several names.
    Aliases(Vec<SubjectIdentifier>),
    /// `jwt_id` (SSF 1.0 §3.5.1).
    JwtId {
        /// Issuer of the token.
        iss: String,
        /// Its `jti`.
        jti: String,
    },
    /// `saml_assertion_id` (SSF 1.0 §3.5.2).
    SamlAssertionId {
        /// Issuer of the assertion.
        issuer: String,
        /// Its id.
        assertion_id: String,
    },
    /// `ip-addresses` (SSF 1.0 §3.5.3).
    IpAddresses(Vec<String>),
    /// `scim` (RFC 9967 §2.1).
    Scim(ScimResource),
    /// A format that no document defines; acknowledged, never matched.
    Unknown {
        /// The value of `format`.
        format: String,
    },
}

/// A resource of a SCIM service provider, by all names that the event gives.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ScimResource {
    /// The path relative to the service provider: resource type and id.
    pub uri: String,
    identifiers: Vec<SubjectIdentifier>,
}

impl ScimResource {
    /// What the resource is; `None` if the type is not one of RFC 7643 §6 that tokens could show.
    #[must_use]
    pub fn kind(&self) -> Option<SubjectKind> {
        let (rest, _) = self.uri.trim_end_matches('/').rsplit_once('/')?;
        Some(match rest.rsplit('/').next()? {
            "Users" => SubjectKind::User,
            "Groups" => SubjectKind::Group,
            "Devices" => SubjectKind::Device,
            _ => return None,
        })
    }

    /// The names: id, external id, e-mail addresses.
    #[must_use]
    pub fn identifiers(&self) -> &[SubjectIdentifier] {
        &self.identifiers
    }
}

/// A subject member of an event: one principal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// One identifier.
    Simple(SubjectIdentifier),
    /// `complex` (SSF 1.0 §3.3): member name → identifier; together they name one principal.
    Complex(ComplexSubject),
}

/// The members of a complex subject, few and sorted by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComplexSubject(Vec<(String, SubjectIdentifier)>);

/// A subject that is not what its format says.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("subject{at}: {kind}")]
pub struct SubjectError {
    /// JSON pointer within the subject; empty for the subject itself. Names members, never their values.
    pub at: String,
    /// What is wrong there.
    pub kind: SubjectErrorKind,
}

/// What is wrong with a subject.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectErrorKind {
    /// Something else stands in the place of an object.
    #[error("expected an object")]
    NotAnObject,
    /// A required member is absent, or not a string that says something.
    #[error("expected a non-empty string")]
    NotText,
    /// A required list is absent, empty or not a list.
    #[error("expected a non-empty list")]
    NotAList,
    /// More identifiers than [`Subject::MOST_ALIASES`], or members than [`Subject::MOST_MEMBERS`].
    #[error("too many identifiers")]
    TooMany,
    /// A member that the format does not have (RFC 9493 §3).
    #[error("no member of this format")]
    UnknownMember,
    /// A value that breaks the syntax of its format.
    #[error("not the syntax of this format")]
    Syntax,
    /// `complex` or `aliases` where only one identifier may stand.
    #[error("not allowed inside another subject")]
    Nested,
    /// A complex subject without members.
    #[error("a complex subject needs a member")]
    NoMembers,
}

impl Subject {
    /// Most identifiers of one `aliases` subject. Nobody has more names; each one is a key to write.
    pub const MOST_ALIASES: usize = 32;

    /// Most members of one complex subject. SSF 1.0 §3.3 names seven, profiles may add a few.
    pub const MOST_MEMBERS: usize = 32;

    /// Reads a subject, strictly: RFC 9493 §3 requires every member that the format lists and allows no other.
    ///
    /// # Errors
    /// [`SubjectError`] with the place of the fault. A format that is not known is no error.
    pub fn read(subject: &Value) -> Result<Self, SubjectError> {
        let members = Members::of(subject, String::new())?;
        if members.format()? != "complex" {
            return members.identifier(Nesting::Top).map(Self::Simple);
        }
        // `format` is one of them.
        if members.values.len() > Self::MOST_MEMBERS.saturating_add(1) {
            return Err(members.error(SubjectErrorKind::TooMany));
        }
        let mut complex = Vec::new();
        for (name, value) in members.values.iter().filter(|(name, _)| *name != "format") {
            let member = Members::of(value, alloc::format!("/{name}"))?;
            complex.push((name.clone(), member.identifier(Nesting::Member)?));
        }
        if complex.is_empty() {
            return Err(members.error(SubjectErrorKind::NoMembers));
        }
        Ok(Self::Complex(ComplexSubject::new(complex)))
    }

    /// Whether two subjects match.
    ///
    /// SPEC: SSF 1.0 §8.1.3.1: simple subjects match if identical; complex ones if every member that both have is
    /// identical. The rule is the transmitter's; a receiver that applied "absent matches anything" to tokens would
    /// revoke everything.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Simple(one), Self::Simple(other)) => one == other,
            (Self::Complex(one), Self::Complex(other)) => one
                .iter()
                .all(|(name, member)| other.get(name).is_none_or(|same| same == member)),
            (Self::Simple(_), Self::Complex(_)) | (Self::Complex(_), Self::Simple(_)) => false,
        }
    }
}

impl ComplexSubject {
    /// Of members in the order of their names, each name once.
    pub(crate) fn new(members: Vec<(String, SubjectIdentifier)>) -> Self {
        debug_assert!(members.is_sorted_by(|(one, _), (next, _)| one < next));
        Self(members)
    }

    /// The member with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SubjectIdentifier> {
        self.iter()
            .find_map(|(known, identifier)| (known == name).then_some(identifier))
    }

    /// Every member with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SubjectIdentifier)> {
        self.0
            .iter()
            .map(|(name, identifier)| (name.as_str(), identifier))
    }
}

/// Where an identifier stands, and so what it may hold.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Nesting {
    Top,
    Member,
    Alias,
}

/// The members of one identifier and its place.
struct Members<'a> {
    values: &'a Map<String, Value>,
    at: String,
}

impl<'a> Members<'a> {
    fn of(value: &'a Value, at: String) -> Result<Self, SubjectError> {
        match value {
            Value::Object(values) => Ok(Self { values, at }),
            _ => Err(SubjectError {
                at,
                kind: SubjectErrorKind::NotAnObject,
            }),
        }
    }

    fn format(&self) -> Result<&'a str, SubjectError> {
        self.text("format")
    }

    fn identifier(&self, nesting: Nesting) -> Result<SubjectIdentifier, SubjectError> {
        let format = self.format()?;
        Ok(match format {
            "account" => SubjectIdentifier::Account(self.only("uri", is_account)?),
            "email" => SubjectIdentifier::Email(self.only("email", is_email)?),
            "iss_sub" => {
                let (iss, sub) = self.pair("iss", "sub")?;
                SubjectIdentifier::IssSub { iss, sub }
            }
            "opaque" => SubjectIdentifier::Opaque(self.only("id", |_| true)?),
            "phone_number" => self.phone_number("phone_number")?,
            // Some prose of SSF and RISC drops half of the name.
            "phone" if self.values.contains_key("phone") => self.phone_number("phone")?,
            "phone" => self.phone_number("phone_number")?,
            "did" => SubjectIdentifier::Did(self.only("url", is_did)?),
            "uri" => SubjectIdentifier::Uri(self.only("uri", is_uri)?),
            "aliases" if nesting == Nesting::Alias => return Err(self.nested()),
            "aliases" => SubjectIdentifier::Aliases(self.aliases()?),
            "jwt_id" => {
                let (iss, jti) = self.pair("iss", "jti")?;
                SubjectIdentifier::JwtId { iss, jti }
            }
            "saml_assertion_id" => {
                let (issuer, assertion_id) = self.pair("issuer", "assertion_id")?;
                SubjectIdentifier::SamlAssertionId {
                    issuer,
                    assertion_id,
                }
            }
            "ip-addresses" => SubjectIdentifier::IpAddresses(self.ip_addresses()?),
            "scim" => SubjectIdentifier::Scim(self.scim()?),
            "complex" => return Err(self.nested()),
            other => SubjectIdentifier::Unknown {
                format: other.into(),
            },
        })
    }

    fn aliases(&self) -> Result<Vec<SubjectIdentifier>, SubjectError> {
        let identifiers = self.list("identifiers")?;
        if identifiers.len() > Subject::MOST_ALIASES {
            return Err(self.error_at("identifiers", SubjectErrorKind::TooMany));
        }
        let read = |(n, value)| {
            let at = alloc::format!("{}/identifiers/{n}", self.at);
            Members::of(value, at)?.identifier(Nesting::Alias)
        };
        identifiers.iter().enumerate().map(read).collect()
    }

    /// SPEC: RFC 9967 §2.1: `uri` is required, `externalId` and further attributes that are unique may stand beside it.
    /// `userName` is a name to sign in with, which can change hands, so it names nobody here.
    fn scim(&self) -> Result<ScimResource, SubjectError> {
        let uri = self.text("uri")?;
        let path = uri.trim_end_matches('/');
        let mut identifiers = Vec::new();
        let mut add = |identifier| {
            if !identifiers.contains(&identifier) {
                identifiers.push(identifier);
            }
        };
        let (_, id) = path.rsplit_once('/').unwrap_or(("", path));
        if id.is_empty() {
            return Err(self.error_at("uri", SubjectErrorKind::Syntax));
        }
        add(SubjectIdentifier::Opaque(id.into()));
        for member in ["externalId", "id"] {
            if self.values.contains_key(member) {
                add(SubjectIdentifier::Opaque(self.text(member)?.into()));
            }
        }
        let emails = match self.values.get("emails") {
            Some(Value::Array(emails)) => emails.as_slice(),
            Some(email) => core::slice::from_ref(email),
            None => &[],
        };
        if emails.len() > Subject::MOST_ALIASES {
            return Err(self.error_at("emails", SubjectErrorKind::TooMany));
        }
        for email in emails {
            let email = email.get("value").unwrap_or(email).as_str();
            let email = email.filter(|email| is_email(email));
            let email = email.ok_or_else(|| self.error_at("emails", SubjectErrorKind::Syntax))?;
            add(SubjectIdentifier::Email(email.into()));
        }
        Ok(ScimResource {
            uri: uri.into(),
            identifiers,
        })
    }

    fn phone_number(&self, member: &str) -> Result<SubjectIdentifier, SubjectError> {
        let text = self.only(member, |_| true)?;
        let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if is_e164(&number) {
            Ok(SubjectIdentifier::PhoneNumber(number))
        } else {
            Err(self.error_at(member, SubjectErrorKind::Syntax))
        }
    }

    fn ip_addresses(&self) -> Result<Vec<String>, SubjectError> {
        let read = |value: &Value| {
            let text = value.as_str().filter(|text| text.parse::<IpAddr>().is_ok());
            let text =
                text.ok_or_else(|| self.error_at("ip-addresses", SubjectErrorKind::Syntax))?;
            Ok(text.into())
        };
        self.list("ip-addresses")?.iter().map(read).collect()
    }

    /// The text of the only member besides `format`.
    fn only(&self, member: &str, syntax: impl Fn(&str) -> bool) -> Result<String, SubjectError> {
        self.no_others(&[member])?;
        let text = self.text(member)?;
        if syntax(text) {
            Ok(text.into())
        } else {
            Err(self.error_at(member, SubjectErrorKind::Syntax))
        }
    }

    fn pair(&self, first: &str, second: &str) -> Result<(String, String), SubjectError> {
        self.no_others(&[first, second])?;
        Ok((self.text(first)?.into(), self.text(second)?.into()))
    }

    fn list(&self, member: &str) -> Result<&'a [Value], SubjectError> {
        self.no_others(&[member])?;
        match self.values.get(member) {
            Some(Value::Array(list)) if !list.is_empty() => Ok(list),
            _ => Err(self.error_at(member, SubjectErrorKind::NotAList)),
        }
    }

    fn text(&self, member: &str) -> Result<&'a str, SubjectError> {
        match self.values.get(member) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            _ => Err(self.error_at(member, SubjectErrorKind::NotText)),
        }
    }

    fn no_others(&self, known: &[&str]) -> Result<(), SubjectError> {
        let is_other = |name: &&String| *name != "format" && !known.contains(&name.as_str());
        match self.values.keys().find(is_other) {
            Some(other) => Err(self.error_at(other, SubjectErrorKind::UnknownMember)),
            None => Ok(()),
        }
    }

    fn nested(&self) -> SubjectError {
        self.error_at("format", SubjectErrorKind::Nested)
    }

    fn error(&self, kind: SubjectErrorKind) -> SubjectError {
        SubjectError {
            at: self.at.clone(),
            kind,
        }
    }

    fn error_at(&self, member: &str, kind: SubjectErrorKind) -> SubjectError {
        SubjectError {
            at: alloc::format!("{}/{member}", self.at),
            kind,
        }
    }
}

/// SPEC: RFC 7565 §7: `acct:` userpart `@` host.
fn is_account(text: &str) -> bool {
    text.strip_prefix("acct:").is_some_and(is_email)
}

/// Something at something: whether the address exists is the transmitter's to know.
fn is_email(text: &str) -> bool {
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// SPEC: ITU-T E.164: at most 15 digits, the first of a country code is not 0.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (1..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// SPEC: W3C DID Core §3.1: `did:` method `:` identifier.
fn is_did(text: &str) -> bool {
    let method_and_id = text
        .strip_prefix("did:")
        .and_then(|rest| rest.split_once(':'));
    method_and_id.is_some_and(|(method, id)| !method.is_empty() && !id.is_empty())
}

/// SPEC: RFC 3986 §3.1: a scheme and a colon.
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

#[cfg(test)]
pub(crate) mod tests;

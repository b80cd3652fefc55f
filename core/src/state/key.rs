//! Under which key a record is kept.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest as _, Sha256};

/// What a key stands for. The numbers are part of the key and of record bytes: they never change.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum SubjectKind {
    /// A person, or whatever signs in as one.
    User = 1,
    /// One sign-in session (`sid`).
    Session = 2,
    /// A device.
    Device = 3,
    /// One token (`jti`, `uti`).
    Token = 4,
    /// The OAuth client that holds the token.
    ClientApplication = 5,
    /// The service principal of an app-only token.
    ServicePrincipal = 6,
    /// A whole tenant.
    Tenant = 7,
    /// A group; no token shows one as a subject, so it is only ever an unseen member.
    Group = 8,
    /// An organisational unit; as [`SubjectKind::Group`].
    OrganizationalUnit = 9,
}

/// The name space of an identifier. An e-mail address never equals an object id that happens to look the same.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum NameSpace {
    /// `iss_sub`, `opaque`, object ids: whatever the issuer itself uses.
    Native = 1,
    /// `email`, compared without case.
    Email = 2,
    /// `phone_number`, E.164.
    PhoneNumber = 3,
    /// `account` (`acct:` URI).
    Account = 4,
    /// `did`.
    Did = 5,
    /// `uri`.
    Uri = 6,
}

/// An identifier within a scope and a kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Identifier<'a> {
    /// Its name space.
    pub name_space: NameSpace,
    /// Its text, already in the form in which it is compared.
    pub text: &'a str,
}

/// 128 bits of SHA-256 over the length-prefixed parts (scope, kind, name space, identifier).
///
/// The scope is the issuer's (`enforcement.md` §2) and part of the key, so one issuer can never touch
/// another's subjects.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StateKey([u8; 16]);

impl StateKey {
    /// The key of `identifier` of `kind` within `scope`.
    #[must_use]
    pub fn new(scope: &str, kind: SubjectKind, identifier: Identifier<'_>) -> Self {
        let mut hash = Sha256::new();
        hash.update(length(scope));
        hash.update(scope);
        hash.update([kind.number(), identifier.name_space.number()]);
        hash.update(length(identifier.text));
        hash.update(identifier.text);
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(key)
    }

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

fn length(text: &str) -> [u8; 8] {
    u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes()
}

impl SubjectKind {
    /// The number that stands for this kind in keys and record bytes.
    #[must_use]
    #[expect(
        clippy::as_conversions,
        reason = "the discriminants of a `repr(u8)` enum"
    )]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl NameSpace {
    /// The number that stands for this name space in keys and record bytes.
    #[must_use]
    #[expect(
        clippy::as_conversions,
        reason = "the discriminants of a `repr(u8)` enum"
    )]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateKey({self})")
    }
}

/// Reads what [`StateKey`] displays.
impl FromStr for StateKey {
    type Err = InvalidStateKey;

    fn from_str(text: &str) -> Result<Self, InvalidStateKey> {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(lower_hex) {
            return Err(InvalidStateKey);
        }
        u128::from_str_radix(text, 16)
            .map(|bits| Self(bits.to_be_bytes()))
            .map_err(|_| InvalidStateKey)
    }
}

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a state key is 32 lower-case hexadecimal digits")]
pub struct InvalidStateKey;

impl serde::Serialize for StateKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

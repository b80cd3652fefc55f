//! Subject identifiers of RFC 9493 §3.2 and SSF 1.0 §3, simple and complex.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

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
    /// `phone_number` (RFC 9493 §3.2.5).
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
    /// A format that neither document defines; acknowledged, never matched.
    Unknown {
        /// The value of `format`.
        format: String,
    },
}

/// A subject member of an event: one principal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// One identifier.
    Simple(SubjectIdentifier),
    /// `complex` (SSF 1.0 §3.3): member name → identifier; together they name one principal.
    Complex(BTreeMap<String, SubjectIdentifier>),
}

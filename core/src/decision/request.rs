//! What a host says about one request.

use crate::time::UnixTime;

/// One request at the resource server. Strings are as received; the engine parses and normalises them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The time of the decision.
    pub now: UnixTime,
    /// Client address, after the host's trusted-proxy rule.
    pub client_ip: Option<&'a str>,
    /// ISO 3166-1 alpha-2 country of the address, if the host looks it up; empty if it maps to none.
    pub country: Option<&'a str>,
    /// Authorization scheme that carried the token; `None` is `Bearer`.
    pub scheme: Option<&'a str>,
    /// Path of the request, for required scopes and contexts.
    pub path: Option<&'a str>,
    /// Directory facts from the host, used where the token does not say.
    pub facts: DirectoryFacts<'a>,
    /// Seconds since the last sign of life, by transmitter issuer.
    pub signal_age: &'a [(&'a str, u64)],
}

/// Facts that the token may lack and the host may know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DirectoryFacts<'a> {
    /// Transitive group ids.
    pub member_of: Option<&'a [&'a str]>,
    /// Directory role template ids.
    pub roles: Option<&'a [&'a str]>,
    /// `member` or `guest`.
    pub user_type: Option<&'a str>,
    /// Graph's `externalUserType`; comes with `user_type`.
    pub external_user_type: Option<&'a str>,
    /// Home tenant of an external user.
    pub external_tenant: Option<&'a str>,
    /// Graph's name of the client app type.
    pub client_app_type: Option<&'a str>,
    /// Graph's name of the platform.
    pub platform: Option<&'a str>,
    /// Whether the device is compliant, as the host's device directory says.
    pub device_compliant: Option<bool>,
    /// What the host's device directory says about the device, as JSON text of Graph's `deviceInfo`.
    pub device: Option<&'a str>,
}

/// The host's answers to the needs of `begin`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers<'a> {
    /// Whether the signature verifies; not needed for a handle that was verified before.
    pub signature: Option<bool>,
    /// Thumbprint that the presenter proved possession of.
    pub confirmed: Option<&'a str>,
    /// One answer per needed record, in the order of the needs.
    pub records: &'a [RecordAnswer<'a>],
}

/// What a store said about one key. "No record" and "no answer" are different answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordAnswer<'a> {
    /// The record's canonical bytes.
    Found(&'a [u8]),
    /// There is no record.
    None,
    /// The store did not answer: the request is denied.
    Failed,
}

//! What the operator configured, read once and compiled, with every fault reported at once.

pub mod fault;
pub mod issuer;
pub mod settings;
pub mod transmitter;

use alloc::string::String;
use alloc::vec::Vec;

pub use fault::{Fault, Faults};
pub use issuer::{Dialect, Issuer};
pub use settings::Settings;
pub use transmitter::Transmitter;

/// The compiled form of an engine configuration (`ENGINE.json`, design §9).
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The API that is protected.
    pub resource: Resource,
    /// Whose access tokens are accepted.
    pub issuers: Vec<Issuer>,
    /// Whose security events are accepted.
    pub transmitters: Vec<Transmitter>,
    /// How strict to be.
    pub settings: Settings,
}

/// The API that is protected.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Resource {
    /// Accepted `aud` values; compared exactly.
    pub audiences: Vec<String>,
    /// The application id that policies name, in lower case.
    pub application_id: Option<String>,
    /// Authorization endpoint named in challenges.
    pub authorization_uri: Option<String>,
    /// Realm named in challenges; empty when the authorization endpoint is the common one.
    pub realm: Option<String>,
}

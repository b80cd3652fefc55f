//! Scenarios: issuer, transmitter, clients, users and resource server in one file, run in simulated time.
//!
//! A [`Scenario`] is read from JSON ([`Scenario::read`], JSON Schema: [`schema`]) and driven by [`run`] against any
//! [`Conversation`](crate::engine::Conversation), so that the same file tests the native engine, the WebAssembly
//! component and the JavaScript build. Tokens and security event tokens are really signed (Ed25519, seeds in the
//! file) and really verified; time is simulated; "random" numbers derive from the scenario's `seed`. The same
//! scenario and the same engine give the same bytes.
//!
//! # The file
//!
//! ```json
//! {
//!   "title": "…", "description": "…", "seed": 1, "start": 1800000000,
//!   "issuers":      { "contoso": { "issuer": "https://…", "preset": "entra-v2", "tenant": "GUID", "keys": { "k1": "64 hex digits" } } },
//!   "transmitters": { "signals": { "issuer": "https://…", "audience": "https://…", "keys": { "t1": "64 hex digits" } } },
//!   "devices":      { "laptop": { "id": "GUID", "platform": "windows", "isCompliant": true } },
//!   "users":        { "adele": { "issuer": "contoso", "objectId": "GUID", "network": { "issuerSees": "203.0.113.7", "resourceSees": "203.0.113.7" } } },
//!   "clients":      { "mail": { "applicationId": "GUID", "capabilities": ["cp1"] } },
//!   "engine":       { "resource": {}, "issuers": [], "transmitters": [], "policies": [], "namedLocations": [], "settings": {} },
//!   "timeline":     [ { "step": "signIn", "user": "adele", "client": "mail", "expect": { "issuer": "grant" } } ]
//! }
//! ```
//!
//! `engine` is an engine configuration; the run fills in the `jwks` of every issuer and transmitter that the file
//! has keys for, and `algorithms` where absent. Times are seconds since 1970; a step happens `after` so many seconds
//! after the step before it, or `at` so many seconds after `start`.
//!
//! # The report
//!
//! Every exchange of messages is one [`StepReport`], written by [`StepReport::to_json`] as one line of canonical
//! JSON. `step` is the position in the timeline; a step may give several lines (a client's retry is an exchange with
//! the issuer and one with the resource; every delivery of an event is a line of its own).

mod authority;
pub mod expect;
mod host;
mod keys;
pub mod model;
mod read;
pub mod report;
mod run;
mod summary;
mod timeline;
mod tokens;

pub use expect::{Expectation, ExpectationKey};
pub use model::{Action, Scenario, Step};
pub use report::{EventView, Lane, LineKind, RequestView, StepReport, Summary, TokenView};
pub use run::{RunError, run};

#[cfg(test)]
mod tests;

/// The JSON Schema (2020-12) of scenario files.
#[must_use]
pub const fn schema() -> &'static str {
    include_str!("simulation/schema.json")
}

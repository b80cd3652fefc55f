//! What the operator configured, read once and compiled, with every fault reported at once.
//!
//! ```
//! use cae_core::configuration::Configuration;
//!
//! let faults = Configuration::read(r#"{ "resource": {}, "issuer": [] }"#).unwrap_err();
//! for fault in &faults.0 {
//!     println!("{fault}"); // /issuer: unknown member `issuer`; did you mean `issuers`? …
//! }
//! assert_eq!(faults.0[0].at, "/issuer");
//! ```

pub mod fault;
pub mod issuer;
mod notes;
mod policies;
pub mod read;
pub mod settings;
pub mod transmitter;
mod values;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::json::{self, Limits, Value};
use crate::policy::strength::{self, Strengths};
use crate::token::keys::KeySet;
pub use fault::{Fault, Faults};
pub use issuer::{Dialect, Issuer};
use read::{BAD_VALUE, MALFORMED, MISSING_MEMBER, Node, ObjectReader};
pub use settings::Settings;
pub(crate) use settings::application_groups;
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
    /// What the operator should know although nothing is wrong: where this configuration does less than its
    /// words suggest.
    pub notes: Vec<Fault>,
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

/// The keys of the document. `$schema` is for editors.
const KEYS: &[&str] = &[
    "$schema",
    "resource",
    "issuers",
    "transmitters",
    "policies",
    "namedLocations",
    "authenticationStrengths",
    "settings",
];

/// The keys of `resource`.
const RESOURCE_KEYS: &[&str] = &["audiences", "applicationId", "authorizationUri", "realm"];

/// The JSON Schema (draft 2020-12) of `ENGINE.json`, for editors and for `cae config schema`.
#[must_use]
pub const fn schema() -> &'static str {
    include_str!("configuration/schema.json")
}

impl Configuration {
    /// Reads and compiles the text of an `ENGINE.json`.
    ///
    /// # Errors
    /// Every fault of the document, each with its JSON pointer.
    pub fn read(text: &str) -> Result<Self, Faults> {
        let document = json::parse(text.as_bytes(), Limits::DOCUMENT).map_err(|error| {
            Faults(alloc::vec![Fault {
                at: String::new(),
                code: MALFORMED,
                message: error.to_string(),
            }])
        })?;
        Self::compile(&document)
    }

    /// Compiles a configuration that was read as part of a larger document.
    ///
    /// # Errors
    /// As [`Configuration::read`]; pointers start at this value.
    pub fn compile(document: &Value) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut configuration = parts(document, &mut faults);
        share_audiences(&mut configuration, document, &mut faults);
        issuer::aliases::check_distinct(&configuration.issuers, document, &mut faults);
        issuer::aliases::imply(&mut configuration.issuers);
        configuration.transmitters = transmitters(document, &configuration.issuers, &mut faults);
        policies::compile(document, &mut configuration, &mut faults);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        configuration.notes = notes::of(&configuration, document);
        Ok(configuration)
    }

    /// The age in seconds above which no token of this issuer is accepted (`enforcement.md` §3): what is kept
    /// about a subject for that long and the clock skew has met every token that it could meet.
    #[must_use]
    pub fn longest_token_age(&self, issuer: &Issuer) -> u64 {
        let settings = &self.settings;
        settings
            .max_token_age_capable
            .max(settings.max_token_age_other)
            .saturating_add(issuer.issue_time_backdated)
    }

    /// Replaces the keys of the issuers and transmitters with this URL, as configured.
    ///
    /// A key that cannot be used is left out, as it is from a fetched set; a set that leaves none is refused, and the
    /// keys in force stay.
    ///
    /// # Errors
    /// Nobody has this URL, or the text is not a JWK Set with a usable key. An empty set is one on purpose.
    pub(crate) fn set_keys(&mut self, url: &str, jwks: &str) -> Result<(), Faults> {
        let fault = |code, message: String| {
            Faults(alloc::vec![Fault {
                at: String::new(),
                code,
                message
            }])
        };
        let document = json::parse(jwks.as_bytes(), Limits::EVENT)
            .map_err(|error| fault(MALFORMED, error.to_string()))?;
        let mut faults = Vec::new();
        let keys = KeySet::read(&document, "", &mut faults);
        if keys.keys.is_empty() && !faults.is_empty() {
            return Err(Faults(faults));
        }
        let issuers = self
            .issuers
            .iter_mut()
            .filter(|issuer| issuer.issuer == url)
            .map(|issuer| &mut issuer.keys);
        let transmitters = self
            .transmitters
            .iter_mut()
            .filter(|transmitter| transmitter.issuer == url)
            .map(|transmitter| &mut transmitter.keys);
        let mut found = false;
        for set in issuers.chain(transmitters) {
            *set = keys.clone();
            found = true;
        }
        if found {
            Ok(())
        } else {
            Err(fault(
                BAD_VALUE,
                format!("no issuer or transmitter `{url}` is configured"),
            ))
        }
    }
}

/// Everything that stands for itself; transmitters and policies refer to it.
fn parts(document: &Value, faults: &mut Vec<Fault>) -> Configuration {
    let mut object = Node::root(document, faults).object(KEYS);
    if let Some(mut node) = object.get("$schema") {
        node.string();
    }
    let resource = resource(object.object("resource", RESOURCE_KEYS));
    let settings = settings::reading::read(object.object("settings", settings::reading::KEYS));
    let mut configuration = Configuration {
        issuers: issuers(&mut object),
        transmitters: Vec::new(),
        notes: Vec::new(),
        resource,
        settings,
    };
    let strengths = authentication_strengths(&mut object);
    configuration
        .settings
        .authentication_strengths
        .extend(strengths);
    configuration
}

fn resource(mut object: ObjectReader<'_, '_>) -> Resource {
    Resource {
        audiences: issuer::reading::audiences(&mut object).unwrap_or_default(),
        application_id: object.parse("applicationId", values::GUID, values::guid),
        authorization_uri: object.parse("authorizationUri", values::HTTPS, values::https),
        realm: object.parse(
            "realm",
            "printable ASCII without quotes and backslashes",
            values::header_text,
        ),
    }
}

fn issuers(object: &mut ObjectReader<'_, '_>) -> Vec<Issuer> {
    let what = "the issuers whose tokens are accepted";
    let Some(mut node) = object.require("issuers", what) else {
        return Vec::new();
    };
    node.refuse_empty(&format!("list {what}"));
    node.elements(|node| Some(issuer::reading::read(node)))
}

fn transmitters(document: &Value, issuers: &[Issuer], faults: &mut Vec<Fault>) -> Vec<Transmitter> {
    const AT: &str = "/transmitters";
    let Some(value) = document.get("transmitters") else {
        return Vec::new();
    };
    let mut node = Node::at(value, AT.to_owned(), faults);
    let transmitters = node.elements(|node| Some(transmitter::reading::read(node, issuers)));
    transmitter::reading::check_distinct(&transmitters, AT, faults);
    transmitters
}

/// Graph's authentication strengths: what each one accepts, by id. What has no id is something else, and found out.
fn authentication_strengths(object: &mut ObjectReader<'_, '_>) -> Strengths {
    let Some(mut node) = object.get("authenticationStrengths") else {
        return Strengths::new();
    };
    let strengths = strength::read(node.value());
    if let Some(list) = node.value().get("value") {
        let at = read::child(node.pointer(), "value");
        check_strengths(&mut Node::at(list, at, node.faults()));
    } else {
        check_strengths(&mut node);
    }
    strengths
}

fn check_strengths(node: &mut Node<'_, '_>) {
    node.elements(|mut node| {
        if !node.value().get("id").is_some_and(Value::is_string) {
            node.fault(BAD_VALUE, "is no authentication strength: it has no `id`");
        }
        Some(())
    });
}

/// An issuer without audiences of its own takes those of the resource, and one of the two must have some.
fn share_audiences(configuration: &mut Configuration, document: &Value, faults: &mut Vec<Fault>) {
    const AT: &str = "/resource/audiences";
    let common = &configuration.resource.audiences;
    let without = |issuer: &&mut Issuer| issuer.audiences.is_empty();
    let mut lacking = configuration.issuers.iter_mut().filter(without).peekable();
    if lacking.peek().is_some() && document.pointer(AT).is_none() {
        faults.push(Fault {
            at: AT.to_owned(),
            code: MISSING_MEMBER,
            message: "list the `aud` values of this API, or give every issuer its own `audiences`"
                .to_owned(),
        });
    }
    for issuer in lacking {
        issuer.audiences.clone_from(common);
    }
}

#[cfg(test)]
mod tests;

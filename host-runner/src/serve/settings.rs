//! `cae.toml`: what the service needs besides the engine configuration that it holds or names.
//!
//! Keys are camelCase, as everywhere; an unknown one is a fault, and every fault is reported at once. Each setting can
//! also be given by an environment variable (`environment`); secrets stand in files of their own.

pub(crate) mod entra;
mod environment;
mod reading;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cae_core::configuration::Faults;
use cae_core::forwarded::ForwardingHeader;
use cae_core::json::Value;
use hyper::header::HeaderName;

pub(super) use reading::is_url;

/// Everything that `cae.toml` says. Paths are relative to its folder.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) engine: EngineSource,
    pub(crate) files: Files,
    pub(crate) listen: Listen,
    pub(crate) tls: Option<Tls>,
    pub(crate) store: Store,
    pub(crate) authorization: Authorization,
    pub(crate) signals: Signals,
    pub(crate) decision_log: Option<DecisionLog>,
    pub(crate) transmitters: Vec<Transmitter>,
    /// Folder with the page of the policy simulator, which the administration listener serves; without it nobody does.
    pub(crate) simulator: Option<PathBuf>,
    /// A tenant of Microsoft Entra that events and policies are read from.
    pub(crate) entra: Option<entra::Entra>,
    /// PEM file with further certificate authorities for what the service fetches.
    pub(crate) certificate_authorities: Option<PathBuf>,
    /// Instances of the engine that decide side by side.
    pub(crate) instances: usize,
}

/// Where the engine configuration stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EngineSource {
    /// In the table `engine`, key for key.
    Here(Value),
    /// In a JSON file.
    File(PathBuf),
}

/// Files beside the configuration, read again when they change.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Files {
    /// The issuer that evaluates these policies too when it issues tokens; without it they are the resource's own.
    pub(crate) issuer: Option<String>,
    /// Policies as Graph exports them, or folders of such files: added to those of the engine configuration.
    pub(crate) policies: Vec<PathBuf>,
    /// Named locations, likewise.
    pub(crate) named_locations: Option<PathBuf>,
    /// Authentication strengths, likewise.
    pub(crate) authentication_strengths: Option<PathBuf>,
    /// Groups, roles and kinds of users.
    pub(crate) directory: Option<PathBuf>,
}

/// Where the service listens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listen {
    /// Proxies that ask whether a request may pass.
    pub(crate) authorization: SocketAddr,
    /// Transmitters; none without push and back-channel logout.
    pub(crate) signals: Option<SocketAddr>,
    /// Operators.
    pub(crate) administration: SocketAddr,
}

/// A certificate for the listeners that are named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) authorization: bool,
    pub(crate) signals: bool,
    pub(crate) administration: bool,
}

/// The database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Store {
    pub(crate) file: PathBuf,
    /// For how long an entry of the log of events is kept.
    pub(crate) log_age: Duration,
    /// How many are kept.
    pub(crate) log_entries: u64,
    /// File with the bearer token of engines elsewhere, which read and merge records; without it nobody does.
    pub(crate) records_token: Option<PathBuf>,
}

/// How a proxy asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Authorization {
    /// How many proxies in front of the service append to the forwarding header.
    pub(crate) trusted_proxies: usize,
    pub(crate) forwarding_header: ForwardingHeader,
    /// Where the original request stands.
    pub(crate) method_header: Option<HeaderName>,
    pub(crate) uri_header: Option<HeaderName>,
    /// The original request is that of the question itself, behind the path of the endpoint (Envoy).
    pub(crate) request_is_original: bool,
    pub(crate) country_header: Option<HeaderName>,
    /// Holds the client certificate that the proxy verified, or its thumbprint.
    pub(crate) certificate_header: Option<HeaderName>,
    /// The URI that DPoP proofs name begins with this (RFC 9449 §4.2).
    pub(crate) public_origin: Option<String>,
    /// How long a token may wait for the keys of its issuer.
    pub(crate) key_wait: Duration,
    /// Most connections at a time.
    pub(crate) connections: usize,
}

/// How transmitters are received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signals {
    /// Most connections at a time.
    pub(crate) connections: usize,
    /// Whether `POST /backchannel-logout` takes logout tokens.
    pub(crate) backchannel_logout: bool,
}

/// What is written about decisions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DecisionLog {
    /// `None` is standard output.
    pub(crate) file: Option<PathBuf>,
    /// Of a thousand requests that pass, how many are written; refusals always are.
    pub(crate) allowed_per_thousand: u64,
    pub(crate) subject: bool,
    pub(crate) address: bool,
    pub(crate) path: bool,
}

/// The name of the transmitter that `[entra]` is.
pub(crate) const ENTRA: &str = "entra";

/// One transmitter, and how its events come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transmitter {
    /// Names it in paths, metrics and commands.
    pub(crate) name: String,
    /// Its issuer URL: one of `engine.transmitters`.
    pub(crate) issuer: String,
    pub(crate) delivery: Delivery,
    /// Its metadata, where it is not at the well-known place.
    pub(crate) metadata: Option<String>,
    /// How requests to it are authorised.
    pub(crate) credentials: Option<Credentials>,
    /// Whether the service creates the stream if there is none, and keeps it as configured.
    pub(crate) manage: bool,
    pub(crate) events_requested: Vec<String>,
    /// Subject identifiers (RFC 9493) about which events are asked for, where the transmitter sends none about others.
    pub(crate) subjects: Vec<Value>,
    /// How often a verification event is asked for.
    pub(crate) verify_every: Option<Duration>,
}

impl Transmitter {
    /// One that sends what it likes, and is asked for nothing.
    pub(crate) const fn that_pushes(name: String, issuer: String) -> Self {
        Self {
            name,
            issuer,
            delivery: Delivery::Push {
                token: None,
                uri: None,
            },
            metadata: None,
            credentials: None,
            manage: false,
            events_requested: Vec::new(),
            subjects: Vec::new(),
            verify_every: None,
        }
    }
}

/// How events come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Delivery {
    /// The transmitter sends them (RFC 8935).
    Push {
        /// File with the bearer token that it has to present.
        token: Option<PathBuf>,
        /// The public URL of the endpoint, for creating the stream.
        uri: Option<String>,
    },
    /// The service fetches them (RFC 8936).
    Poll {
        /// Where, if the stream is not managed.
        uri: Option<String>,
        /// Pause after an answer without events.
        interval: Duration,
        /// Most events of one answer.
        most: u64,
    },
}

/// How requests to a transmitter are authorised.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Credentials {
    /// A bearer token in a file.
    Token(PathBuf),
    /// OAuth client credentials.
    Client {
        token_endpoint: String,
        client_id: String,
        client_secret: PathBuf,
        scope: Option<String>,
    },
}

impl Settings {
    /// Reads the text of a `cae.toml` that stands in `folder`, and what `environment` says instead.
    ///
    /// # Errors
    /// Every fault, with its JSON pointer.
    pub(crate) fn read(
        text: &str,
        folder: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Faults> {
        let mut document = reading::parse(text)?;
        environment::apply(&mut document, environment)?;
        reading::read(&document, folder)
    }
}

/// JSON Schema of `cae.toml`.
pub(crate) const fn schema() -> &'static str {
    include_str!("settings/schema.json")
}

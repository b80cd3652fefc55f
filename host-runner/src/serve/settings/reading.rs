//! Reading `cae.toml`: TOML in the shape of JSON, then the typed reader of the engine configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cae_core::configuration::read::{
    BAD_VALUE, Choice, DUPLICATE, MALFORMED, MISSING_MEMBER, Node, ObjectReader,
};
use cae_core::configuration::{Fault, Faults};
use cae_core::forwarded::ForwardingHeader;
use cae_core::json::Value;
use hyper::header::HeaderName;

use super::{
    Authorization, Credentials, DecisionLog, Delivery, ENTRA, EngineSource, Files, Listen,
    Settings, Signals, Store, Tls, Transmitter, entra,
};

const KEYS: &[&str] = &[
    "$schema",
    "engine",
    "files",
    "listen",
    "tls",
    "store",
    "authorization",
    "signals",
    "decisionLog",
    "administration",
    "transmitter",
    "entra",
    "certificateAuthorities",
    "instances",
];
const FILES_KEYS: &[&str] = &[
    "issuer",
    "policies",
    "namedLocations",
    "authenticationStrengths",
    "directory",
];
const LISTEN_KEYS: &[&str] = &["authorization", "signals", "administration"];
const TLS_KEYS: &[&str] = &["certificateFile", "keyFile", "listeners"];
const STORE_KEYS: &[&str] = &["file", "logDays", "logEntries", "recordsTokenFile"];
const AUTHORIZATION_KEYS: &[&str] = &[
    "proxy",
    "trustedProxies",
    "forwardingHeader",
    "methodHeader",
    "uriHeader",
    "countryHeader",
    "certificateHeader",
    "publicOrigin",
    "keyWaitMilliseconds",
    "connections",
];
const SIGNALS_KEYS: &[&str] = &["connections", "backchannelLogout"];
const DECISION_LOG_KEYS: &[&str] = &["file", "allowedPerThousand", "include"];
const TRANSMITTER_KEYS: &[&str] = &[
    "name",
    "issuer",
    "delivery",
    "pushTokenFile",
    "pushUri",
    "pollUri",
    "pollIntervalSeconds",
    "pollMost",
    "metadataUri",
    "accessTokenFile",
    "oauth",
    "manage",
    "eventsRequested",
    "subjects",
    "verifyEverySeconds",
];
const OAUTH_KEYS: &[&str] = &["tokenEndpoint", "clientId", "clientSecretFile", "scope"];

const ADMINISTRATION_KEYS: &[&str] = &["simulator"];

const DAY: u64 = 86_400;

/// TOML as the JSON that it stands for.
pub(super) fn parse(text: &str) -> Result<Value, Faults> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        let before = text.get(..place).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        Faults(vec![Fault {
            at: String::new(),
            code: MALFORMED,
            message: format!("line {line}: {}", error.message()),
        }])
    })
}

/// Reads the whole document.
pub(super) fn read(document: &Value, folder: &Path) -> Result<Settings, Faults> {
    let mut faults = Vec::new();
    let mut root = Node::root(document, &mut faults).object(KEYS);
    let settings = Settings {
        engine: engine(&mut root, folder),
        files: files(root.object("files", FILES_KEYS), folder),
        listen: listen(root.object("listen", LISTEN_KEYS)),
        tls: root
            .has("tls")
            .then(|| tls(root.object("tls", TLS_KEYS), folder)),
        store: store(root.object("store", STORE_KEYS), folder),
        authorization: authorization(root.object("authorization", AUTHORIZATION_KEYS)),
        signals: signals(root.object("signals", SIGNALS_KEYS)),
        decision_log: root
            .has("decisionLog")
            .then(|| decision_log(root.object("decisionLog", DECISION_LOG_KEYS), folder)),
        transmitters: transmitters(&mut root, folder),
        simulator: file(
            &mut root.object("administration", ADMINISTRATION_KEYS),
            "simulator",
            folder,
        ),
        entra: root
            .has("entra")
            .then(|| entra::read(root.object("entra", entra::KEYS), folder))
            .flatten(),
        certificate_authorities: file(&mut root, "certificateAuthorities", folder),
        instances: count(root.integer("instances", 1..=256, processors())),
    };
    if faults.is_empty() {
        Ok(settings)
    } else {
        Err(Faults(faults))
    }
}

fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |number| {
        u64::try_from(number.get()).unwrap_or(1).min(256)
    })
}

pub(super) fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn engine(root: &mut ObjectReader<'_, '_>, folder: &Path) -> EngineSource {
    let what = "the engine configuration: a table, or the name of its JSON file";
    match root.require("engine", what) {
        Some(mut node) if !node.value().is_object() => {
            EngineSource::File(folder.join(node.string().unwrap_or_default()))
        }
        Some(node) => EngineSource::Here(node.value().clone()),
        None => EngineSource::Here(Value::Null),
    }
}

fn path(text: &str) -> Option<&Path> {
    (!text.is_empty()).then(|| Path::new(text))
}

pub(super) fn file(object: &mut ObjectReader<'_, '_>, key: &str, folder: &Path) -> Option<PathBuf> {
    object
        .parse(key, "the name of a file", path)
        .map(|file| folder.join(file))
}

fn files(mut object: ObjectReader<'_, '_>, folder: &Path) -> Files {
    let policies = object.get("policies").map(|mut node| {
        node.one_or_more(|mut node| node.parse("the name of a file or folder", path))
    });
    let issuer = object.get("issuer").and_then(|mut node| node.string());
    Files {
        issuer: issuer.map(str::to_owned),
        policies: policies
            .into_iter()
            .flatten()
            .map(|file| folder.join(file))
            .collect(),
        named_locations: file(&mut object, "namedLocations", folder),
        authentication_strengths: file(&mut object, "authenticationStrengths", folder),
        directory: file(&mut object, "directory", folder),
    }
}

const ADDRESS: &str = "an address and port such as `127.0.0.1:8180`";

fn listen(mut object: ObjectReader<'_, '_>) -> Listen {
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let mut address = |key: &str, port| {
        let given = object.parse(key, ADDRESS, |text| text.parse().ok());
        given.unwrap_or_else(|| local(port))
    };
    Listen {
        authorization: address("authorization", 8180),
        administration: address("administration", 8182),
        signals: match object.get("signals") {
            Some(mut node) if node.value().is_boolean() => {
                node.flag().filter(|listens| *listens).map(|_| local(8181))
            }
            Some(mut node) => node.parse(ADDRESS, |text| text.parse().ok()),
            None => Some(local(8181)),
        },
    }
}

fn tls(mut object: ObjectReader<'_, '_>, folder: &Path) -> Tls {
    let mut required = |key: &str, what: &str| {
        let name = object.require(key, what);
        let name = name.and_then(|mut node| node.parse("the name of a file", path));
        folder.join(name.unwrap_or(Path::new("")))
    };
    let certificate = required("certificateFile", "the PEM file of the certificate chain");
    let key = required("keyFile", "the PEM file of the private key");
    let listeners = object.list(
        "listeners",
        "one of authorization, signals and administration",
        |name| LISTEN_KEYS.contains(&name).then_some(name),
    );
    let covers = |name: &str| listeners.as_ref().is_none_or(|list| list.contains(&name));
    Tls {
        certificate,
        key,
        authorization: covers("authorization"),
        signals: covers("signals"),
        administration: covers("administration"),
    }
}

fn store(mut object: ObjectReader<'_, '_>, folder: &Path) -> Store {
    Store {
        file: file(&mut object, "file", folder).unwrap_or_else(|| folder.join("cae.redb")),
        log_age: Duration::from_secs(object.integer("logDays", 1..=3_650, 30).saturating_mul(DAY)),
        log_entries: object.integer("logEntries", 1..=100_000_000, 1_000_000),
        records_token: file(&mut object, "recordsTokenFile", folder),
    }
}

/// Proxies whose headers are known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Product {
    #[default]
    Nginx,
    Caddy,
    Traefik,
    Envoy,
    Haproxy,
}

impl Choice for Product {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("nginx", Self::Nginx),
        ("caddy", Self::Caddy),
        ("traefik", Self::Traefik),
        ("envoy", Self::Envoy),
        ("haproxy", Self::Haproxy),
    ];
}

#[derive(Clone, Copy)]
struct HeaderChoice(ForwardingHeader);

impl Choice for HeaderChoice {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("x-forwarded-for", Self(ForwardingHeader::XForwardedFor)),
        ("forwarded", Self(ForwardingHeader::Forwarded)),
    ];
}

fn authorization(mut object: ObjectReader<'_, '_>) -> Authorization {
    let proxy = object.choice("proxy", Product::default());
    let (method, uri) = match proxy {
        Product::Nginx | Product::Haproxy => (
            Some(HeaderName::from_static("x-original-method")),
            Some(HeaderName::from_static("x-original-uri")),
        ),
        Product::Caddy | Product::Traefik => (
            Some(HeaderName::from_static("x-forwarded-method")),
            Some(HeaderName::from_static("x-forwarded-uri")),
        ),
        Product::Envoy => (None, None),
    };
    let mut header = |key: &str, default: Option<HeaderName>| {
        let name = |text: &str| HeaderName::try_from(text).ok();
        let given = object
            .get(key)
            .map(|mut node| node.parse("the name of a header", name));
        given.unwrap_or(default)
    };
    Authorization {
        method_header: header("methodHeader", method),
        uri_header: header("uriHeader", uri),
        country_header: header("countryHeader", None),
        certificate_header: header("certificateHeader", None),
        request_is_original: proxy == Product::Envoy,
        trusted_proxies: count(object.integer("trustedProxies", 0..=16, 1)),
        forwarding_header: object
            .choice(
                "forwardingHeader",
                HeaderChoice(ForwardingHeader::XForwardedFor),
            )
            .0,
        public_origin: object.parse(
            "publicOrigin",
            "an origin such as `https://api.example`",
            origin,
        ),
        key_wait: Duration::from_millis(object.integer("keyWaitMilliseconds", 0..=30_000, 2_000)),
        connections: count(object.integer("connections", 1..=1_000_000, 10_000)),
    }
}

fn origin(text: &str) -> Option<String> {
    let (scheme, host) = text.split_once("://")?;
    let sound = ["http", "https"].contains(&scheme)
        && !host.is_empty()
        && !host.contains(['/', '?', '#', '@', ' ']);
    sound.then(|| text.to_ascii_lowercase())
}

fn signals(mut object: ObjectReader<'_, '_>) -> Signals {
    Signals {
        connections: count(object.integer("connections", 1..=100_000, 256)),
        backchannel_logout: object.flag("backchannelLogout", true),
    }
}

fn decision_log(mut object: ObjectReader<'_, '_>, folder: &Path) -> DecisionLog {
    const INCLUDED: [&str; 3] = ["subject", "address", "path"];
    let include = object.list("include", "one of subject, address and path", |name| {
        INCLUDED.contains(&name).then_some(name)
    });
    let include = include.unwrap_or_default();
    DecisionLog {
        file: file(&mut object, "file", folder),
        allowed_per_thousand: object.integer("allowedPerThousand", 0..=1_000, 1_000),
        subject: include.contains(&"subject"),
        address: include.contains(&"address"),
        path: include.contains(&"path"),
    }
}

fn transmitters(root: &mut ObjectReader<'_, '_>, folder: &Path) -> Vec<Transmitter> {
    let has_entra = root.has("entra");
    let Some(mut list) = root.get("transmitter") else {
        return Vec::new();
    };
    let mut names: Vec<String> = Vec::new();
    list.elements(|node| {
        let mut object = node.object(TRANSMITTER_KEYS);
        let transmitter = transmitter(&mut object, folder)?;
        if names.contains(&transmitter.name) {
            object.fault("name", DUPLICATE, "another transmitter has this name");
        }
        if transmitter.name == ENTRA && has_entra {
            let what = "is the name of the transmitter that [entra] is; take another one";
            object.fault("name", DUPLICATE, what);
        }
        names.push(transmitter.name.clone());
        Some(transmitter)
    })
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Way {
    #[default]
    Push,
    Poll,
}

impl Choice for Way {
    const NAMES: &'static [(&'static str, Self)] = &[("push", Self::Push), ("poll", Self::Poll)];
}

fn transmitter(object: &mut ObjectReader<'_, '_>, folder: &Path) -> Option<Transmitter> {
    let name = object
        .require("name", "a short name for paths and metrics")
        .and_then(|mut node| {
            node.parse(
                "lower-case letters, digits and hyphens, at most 32",
                short_name,
            )
        });
    let issuer = object
        .require("issuer", "its issuer URL, as under engine.transmitters")
        .and_then(|mut node| node.string());
    let metadata = url(object, "metadataUri");
    let token = file(object, "accessTokenFile", folder);
    let client = object
        .has("oauth")
        .then(|| oauth(object.object("oauth", OAUTH_KEYS), folder))
        .flatten();
    if token.is_some() && client.is_some() {
        object.fault(
            "oauth",
            BAD_VALUE,
            "stands beside `accessTokenFile`; remove one of the two",
        );
    }
    let credentials = client.or(token.map(Credentials::Token));
    let manage = object.flag("manage", credentials.is_some());
    let delivery = match object.choice("delivery", Way::default()) {
        Way::Push => Delivery::Push {
            token: file(object, "pushTokenFile", folder),
            uri: url(object, "pushUri"),
        },
        Way::Poll => Delivery::Poll {
            uri: url(object, "pollUri"),
            interval: Duration::from_secs(object.integer("pollIntervalSeconds", 1..=3_600, 5)),
            most: object.integer("pollMost", 1..=1_000, 100),
        },
    };
    if matches!(&delivery, Delivery::Poll { uri: None, .. }) && !manage {
        object.fault(
            "pollUri",
            MISSING_MEMBER,
            "is missing: without `manage` nobody says where to poll",
        );
    }
    if matches!(&delivery, Delivery::Push { uri: None, .. }) && manage {
        object.fault(
            "pushUri",
            MISSING_MEMBER,
            "is missing: the transmitter has to be told where to send events; or set `manage = false`",
        );
    }
    let events = object.list("eventsRequested", "the URI of an event type", |text| {
        text.contains("://").then(|| text.to_owned())
    });
    let subjects = object.get("subjects").map(|mut list| {
        list.elements(|mut node| {
            let names_its_format = node.value().get("format").is_some_and(Value::is_string);
            if !names_its_format {
                node.fault(BAD_VALUE, "is no subject identifier: it has no `format`");
            }
            names_its_format.then(|| node.value().clone())
        })
    });
    let verify = object.integer("verifyEverySeconds", 0..=DAY, if manage { 600 } else { 0 });
    Some(Transmitter {
        name: name?,
        issuer: issuer?.to_owned(),
        delivery,
        metadata,
        credentials,
        manage,
        events_requested: events.unwrap_or_default(),
        subjects: subjects.unwrap_or_default(),
        verify_every: (verify > 0).then(|| Duration::from_secs(verify)),
    })
}

fn oauth(mut object: ObjectReader<'_, '_>, folder: &Path) -> Option<Credentials> {
    let token_endpoint = object
        .require("tokenEndpoint", "where access tokens are issued")
        .and_then(|mut node| node.parse(URL, |text| is_url(text).then(|| text.to_owned())));
    let client_id = object
        .require("clientId", "the client id that the transmitter knows")
        .and_then(|mut node| node.string());
    let secret = object.require("clientSecretFile", "the file that holds the client secret");
    let secret = secret.and_then(|mut node| node.parse("the name of a file", path));
    let scope = object.get("scope").and_then(|mut node| node.string());
    Some(Credentials::Client {
        token_endpoint: token_endpoint?,
        client_id: client_id?.to_owned(),
        client_secret: folder.join(secret?),
        scope: scope.map(str::to_owned),
    })
}

pub(super) const URL: &str = "an https URL (http on this machine only)";

pub(super) fn url(object: &mut ObjectReader<'_, '_>, key: &str) -> Option<String> {
    object.parse(key, URL, |text| is_url(text).then(|| text.to_owned()))
}

/// https, or http to this machine, where nobody listens on the wire.
pub(in crate::serve) fn is_url(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    let authority = |rest: &str| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_owned()
    };
    if let Some(rest) = text.strip_prefix("https://") {
        return plain && !authority(rest).is_empty();
    }
    let Some(rest) = text.strip_prefix("http://") else {
        return false;
    };
    let authority = authority(rest);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority.as_str(),
    };
    plain && ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

fn short_name(text: &str) -> Option<String> {
    let sound = (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    sound.then(|| text.to_owned())
}

/// Where the schema has which keys.
#[cfg(test)]
pub(super) const ALL_KEYS: [(&str, &[&str]); 12] = [
    ("", KEYS),
    ("/properties/files", FILES_KEYS),
    ("/properties/listen", LISTEN_KEYS),
    ("/properties/tls", TLS_KEYS),
    ("/properties/store", STORE_KEYS),
    ("/properties/authorization", AUTHORIZATION_KEYS),
    ("/properties/signals", SIGNALS_KEYS),
    ("/properties/decisionLog", DECISION_LOG_KEYS),
    ("/properties/transmitter/items", TRANSMITTER_KEYS),
    ("/properties/transmitter/items/properties/oauth", OAUTH_KEYS),
    ("/properties/entra", entra::KEYS),
    (
        "/properties/entra/properties/notifications",
        entra::NOTIFICATION_KEYS,
    ),
];

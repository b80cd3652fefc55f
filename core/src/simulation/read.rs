//! From the text of a scenario file to a [`Scenario`], with every fault at once.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::model::{
    Client, Device, DirectoryUserType, EventTransmitter, Network, Scenario, SigningKeys, SignsIn,
    TokenIssuer, User,
};
use super::timeline::read_timeline;
use crate::configuration::issuer::Preset;
use crate::configuration::read::{
    BAD_VALUE, Choice, MALFORMED, MISSING_MEMBER, NOT_FOUND, Node, ObjectReader, child, quoted,
};
use crate::configuration::{Fault, Faults};
use crate::json::{self, Limits, Map, Value};
use crate::time::UnixTime;

const SCENARIO: &[&str] = &[
    "$schema",
    "title",
    "description",
    "seed",
    "start",
    "issuers",
    "transmitters",
    "devices",
    "users",
    "clients",
    "engine",
    "timeline",
];
const ISSUER: &[&str] = &[
    "issuer",
    "configuredAs",
    "preset",
    "tenant",
    "keys",
    "signingKey",
    "publish",
    "audience",
    "issueTimeBackdated",
    "claims",
];
const TRANSMITTER: &[&str] = &["issuer", "audience", "keys", "signingKey", "publish"];
const DEVICE: &[&str] = &["id", "platform", "isCompliant", "attributes"];
const NETWORK: &[&str] = &["issuerSees", "resourceSees"];
const USER: &[&str] = &[
    "issuer",
    "objectId",
    "subject",
    "email",
    "sessionId",
    "groups",
    "roles",
    "userType",
    "device",
    "satisfies",
    "riskLevel",
    "network",
    "claims",
];
const CLIENT: &[&str] = &[
    "applicationId",
    "capabilities",
    "handlesChallenges",
    "clientAppType",
    "scopes",
    "application",
    "claims",
];
pub(super) const APPLICATION: &[&str] = &["issuer", "servicePrincipalId", "network"];

/// The members that each object of the file may have, by its name in the schema (`""`: the file itself).
#[cfg(test)]
pub(super) const OBJECTS: &[(&str, &[&str])] = &[
    ("", SCENARIO),
    ("issuer", ISSUER),
    ("transmitter", TRANSMITTER),
    ("device", DEVICE),
    ("network", NETWORK),
    ("user", USER),
    ("client", CLIENT),
];

/// Latest accepted second: the end of the year 9999, so that no sum of times comes near an overflow.
pub(super) const LATEST: u64 = 253_402_300_799;

impl Choice for DirectoryUserType {
    const NAMES: &'static [(&'static str, Self)] =
        &[("member", Self::Member), ("guest", Self::Guest)];
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// What stands in `engine` is judged by the engine when the run begins.
    ///
    /// # Errors
    /// Every fault of the file with its JSON pointer: text that is no JSON, unknown or missing members, names that
    /// the file does not define, steps that go back in time.
    pub fn read(text: &str) -> Result<Self, Faults> {
        let value = json::parse(text.as_bytes(), Limits::DOCUMENT).map_err(|error| {
            Faults(vec![Fault {
                at: String::new(),
                code: MALFORMED,
                message: error.to_string(),
            }])
        })?;
        let mut faults = Vec::new();
        let scenario = read_scenario(Node::root(&value, &mut faults).object(SCENARIO));
        check_names(&scenario, &mut faults);
        if faults.is_empty() {
            Ok(scenario)
        } else {
            Err(Faults(faults))
        }
    }
}

fn read_scenario(mut object: ObjectReader<'_, '_>) -> Scenario {
    let title = required_text(&mut object, "title", "one line that names the scenario");
    let description = required_text(&mut object, "description", "what a newcomer should know");
    let engine = match object.require("engine", "an engine configuration") {
        Some(node) => free_members(node),
        None => Map::new(),
    };
    object.require("issuers", "the issuers of access tokens by name");
    object.require("start", "the first second, counted from 1970");
    let mut scenario = Scenario {
        title,
        description,
        seed: object.integer("seed", 0..=u64::MAX, 0),
        start: UnixTime::from_secs(object.integer("start", 0..=LATEST, 0)),
        issuers: named(&mut object, "issuers", ISSUER, |issuer| {
            read_issuer(issuer, &engine)
        }),
        transmitters: named(&mut object, "transmitters", TRANSMITTER, read_transmitter),
        devices: named(&mut object, "devices", DEVICE, read_device),
        users: named(&mut object, "users", USER, read_user),
        clients: named(&mut object, "clients", CLIENT, read_client),
        engine,
        timeline: Vec::new(),
    };
    if let Some(timeline) = object.require("timeline", "the steps") {
        scenario.timeline = read_timeline(timeline, &scenario);
    }
    scenario
}

fn named<T>(
    object: &mut ObjectReader<'_, '_>,
    key: &str,
    keys: &[&str],
    mut read: impl FnMut(ObjectReader<'_, '_>) -> T,
) -> BTreeMap<String, T> {
    let Some(mut entries) = object.get(key) else {
        return BTreeMap::new();
    };
    let entries = entries.members(|name, node| Some((name.to_owned(), read(node.object(keys)))));
    entries.into_iter().collect()
}

fn read_issuer(mut object: ObjectReader<'_, '_>, engine: &Map<String, Value>) -> TokenIssuer {
    let issuer = required_text(&mut object, "issuer", "the issuer URL");
    object.require("preset", "the shape of its tokens");
    let preset = object.choice("preset", Preset::Rfc9068);
    if preset.is_entra() && !object.has("tenant") {
        let message = "`tenant` is missing; Entra tokens name it as `tid`";
        object.fault("tenant", MISSING_MEMBER, message);
    }
    let first_audience = || engine.get("resource")?.get("audiences")?.get(0).cloned();
    let audience = object.get("audience").map(|node| node.value().clone());
    TokenIssuer {
        configured_as: text(&mut object, "configuredAs").unwrap_or_else(|| issuer.clone()),
        issuer,
        preset,
        tenant: text(&mut object, "tenant"),
        keys: read_keys(&mut object),
        audience: audience.or_else(first_audience).unwrap_or(Value::Null),
        issue_time_backdated: object.integer("issueTimeBackdated", 0..=LATEST, 0),
        claims: free_object(&mut object, "claims"),
    }
}

fn read_transmitter(mut object: ObjectReader<'_, '_>) -> EventTransmitter {
    EventTransmitter {
        issuer: required_text(&mut object, "issuer", "the issuer URL of its SETs"),
        audience: text(&mut object, "audience"),
        keys: read_keys(&mut object),
    }
}

fn read_keys(object: &mut ObjectReader<'_, '_>) -> SigningKeys {
    let seeds: BTreeMap<_, _> = match object.require("keys", "its signing keys") {
        Some(mut keys) => {
            let seeds = keys.members(|key_id, mut node| {
                let seed = node.string().and_then(read_seed);
                if seed.is_none() {
                    // A message never repeats a secret, not even that of a scenario.
                    let message = "is not an Ed25519 seed of 64 lower-case hexadecimal digits";
                    node.fault(BAD_VALUE, message);
                }
                Some((key_id.to_owned(), seed?))
            });
            seeds.into_iter().collect()
        }
        None => BTreeMap::new(),
    };
    let signing = text(object, "signingKey").or_else(|| seeds.keys().next().cloned());
    let published = texts(object, "publish").unwrap_or_else(|| seeds.keys().cloned().collect());
    if signing.is_none() {
        object.fault("keys", BAD_VALUE, "holds no key to sign with");
    }
    let keys = SigningKeys {
        signing: signing.unwrap_or_default(),
        published,
        seeds,
    };
    check_key_ids(object, &keys, Some(&keys.signing), &keys.published);
    keys
}

/// Notes key ids that have no seed.
pub(super) fn check_key_ids(
    object: &mut ObjectReader<'_, '_>,
    keys: &SigningKeys,
    signing: Option<&String>,
    published: &[String],
) {
    for (member, key_id) in signing
        .map(|key_id| ("signingKey", key_id))
        .into_iter()
        .chain(published.iter().map(|key_id| ("publish", key_id)))
    {
        if !keys.seeds.contains_key(key_id) && !keys.seeds.is_empty() {
            object.fault(member, NOT_FOUND, not_found(key_id, "a key"));
        }
    }
}

fn read_seed(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a')?.checked_add(10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?))
        .collect();
    rest.is_empty().then_some(bytes?)?.try_into().ok()
}

fn read_device(mut object: ObjectReader<'_, '_>) -> Device {
    Device {
        id: required_text(&mut object, "id", "its id in the directory"),
        platform: text(&mut object, "platform"),
        is_compliant: object.get("isCompliant").and_then(|mut node| node.flag()),
        attributes: free_object(&mut object, "attributes"),
    }
}

pub(super) fn read_network(object: &mut ObjectReader<'_, '_>) -> Network {
    let mut network = object.object("network", NETWORK);
    Network {
        issuer_sees: text(&mut network, "issuerSees"),
        resource_sees: text(&mut network, "resourceSees"),
    }
}

fn read_user(mut object: ObjectReader<'_, '_>) -> User {
    User {
        issuer: required_text(&mut object, "issuer", "the name of an issuer"),
        object_id: required_text(
            &mut object,
            "objectId",
            "the id that policies and events name",
        ),
        subject: text(&mut object, "subject"),
        email: text(&mut object, "email"),
        session_id: text(&mut object, "sessionId"),
        groups: texts(&mut object, "groups").unwrap_or_default(),
        roles: texts(&mut object, "roles").unwrap_or_default(),
        user_type: object.choice("userType", DirectoryUserType::Member),
        device: text(&mut object, "device"),
        satisfies: texts(&mut object, "satisfies").unwrap_or_default(),
        risk_level: text(&mut object, "riskLevel"),
        network: read_network(&mut object),
        claims: free_object(&mut object, "claims"),
    }
}

fn read_client(mut object: ObjectReader<'_, '_>) -> Client {
    let capabilities = texts(&mut object, "capabilities").unwrap_or_default();
    let handles_challenges = object.flag("handlesChallenges", declares_cp1(&capabilities));
    let signs_in = if object.has("application") {
        let mut application = object.object("application", APPLICATION);
        SignsIn::Itself {
            issuer: required_text(&mut application, "issuer", "the name of an issuer"),
            service_principal_id: required_text(
                &mut application,
                "servicePrincipalId",
                "the object id of its service principal",
            ),
            network: read_network(&mut application),
        }
    } else {
        SignsIn::Users
    };
    Client {
        application_id: required_text(&mut object, "applicationId", "its application id"),
        capabilities,
        handles_challenges,
        signs_in,
        client_app_type: text(&mut object, "clientAppType")
            .unwrap_or_else(|| "mobileAppsAndDesktopClients".to_string()),
        scopes: texts(&mut object, "scopes").unwrap_or_default(),
        claims: free_object(&mut object, "claims"),
    }
}

fn declares_cp1(capabilities: &[String]) -> bool {
    // SPEC: cae.md §4: values are case-insensitive.
    capabilities
        .iter()
        .any(|capability| capability.eq_ignore_ascii_case("cp1"))
}

pub(super) fn not_found(name: &str, what: &str) -> String {
    format!("{} is not the name of {what} in this file", quoted(name))
}

/// Notes names of issuers and devices that the file does not define.
fn check_names(scenario: &Scenario, faults: &mut Vec<Fault>) {
    let mut check = |known: bool, at: String, name: &str, what| {
        if !known && !name.is_empty() {
            faults.push(Fault {
                at,
                code: NOT_FOUND,
                message: not_found(name, what),
            });
        }
    };
    for (name, user) in &scenario.users {
        let at = child("/users", name);
        let known = scenario.issuers.contains_key(&user.issuer);
        check(known, child(&at, "issuer"), &user.issuer, "an issuer");
        if let Some(device) = &user.device {
            let known = scenario.devices.contains_key(device);
            check(known, child(&at, "device"), device, "a device");
        }
    }
    for (name, client) in &scenario.clients {
        if let SignsIn::Itself { issuer, .. } = &client.signs_in {
            let at = child(&child(&child("/clients", name), "application"), "issuer");
            let known = scenario.issuers.contains_key(issuer);
            check(known, at, issuer, "an issuer");
        }
    }
}

/// A string that is not empty, if the member is there.
pub(super) fn text(object: &mut ObjectReader<'_, '_>, key: &str) -> Option<String> {
    object.parse(key, "a string with something in it", |text| {
        (!text.is_empty()).then(|| text.to_owned())
    })
}

/// A string that must be there; empty after a fault, when the reading is thrown away anyway.
pub(super) fn required_text(object: &mut ObjectReader<'_, '_>, key: &str, what: &str) -> String {
    object.require(key, what);
    text(object, key).unwrap_or_default()
}

pub(super) fn texts(object: &mut ObjectReader<'_, '_>, key: &str) -> Option<Vec<String>> {
    object.list(key, "a string", |text| Some(text.to_owned()))
}

/// An object with any members; empty if absent.
pub(super) fn free_object(object: &mut ObjectReader<'_, '_>, key: &str) -> Map<String, Value> {
    object.get(key).map(free_members).unwrap_or_default()
}

fn free_members(mut node: Node<'_, '_>) -> Map<String, Value> {
    let members = node.members(|name, node| Some((name.to_owned(), node.value().clone())));
    members.into_iter().collect()
}

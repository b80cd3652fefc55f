//! Random SETs: every event type of `enforcement.md` §4, about everybody, by every transmitter.

mod subjects;

use serde_json::{Map, Value, json};

use self::subjects::{older, subject};
use super::cast::{self, SESSIONS, TENANTS, USERS};
use super::random::Random;
use super::{DAY, HOUR};
use crate::reference::shapes::LOGOUT;
use crate::reference::{Delivery, text};
use crate::world::{START, compact};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";
const OAUTH: &str = "https://schemas.openid.net/secevent/oauth/event-type/";
const OKTA: &str = "https://schemas.okta.com/secevent/okta/event-type/";
const SCIM: &str = "urn:ietf:params:scim:event:";

/// Types of events, as [`draw`] numbers them; empty for all.
pub type Mood = &'static [u64];

/// What one history may be about, so that events of one sort follow each other.
pub const MOODS: [Mood; 6] = [
    &[],
    &[],
    &[0, 1, 4, 5, 17, 18],
    &[14, 14, 16, 16, 21],
    &[7, 9, 10],
    &[11, 12, 4],
];

/// Draws a SET of one of the configured transmitters, mostly of one that may speak for the issuer at `focus`, about
/// something within `span` seconds from the start.
pub fn draw(
    random: &mut Random,
    configuration: &Value,
    focus: usize,
    mood: Mood,
    span: u64,
) -> Delivery {
    let transmitters = configuration["transmitters"].as_array();
    let all = transmitters.map_or(&[][..], Vec::as_slice);
    let url = cast::issuer(focus);
    let speaks = |transmitter: &&Value| {
        let named = transmitter["speaksFor"].as_array();
        named.is_some_and(|named| named.iter().any(|name| *name == *url))
    };
    let near: Vec<Value> = all.iter().filter(speaks).cloned().collect();
    let transmitter = match near.is_empty() || random.chance(15) {
        true => random.of(all),
        false => random.of(&near),
    };
    draw_from(random, &transmitter, Some(&url), mood, span, 93)
}

/// Draws a SET of this transmitter, mostly about subjects of the issuer with the URL `focus`; it keeps to the issuers
/// that it may speak for in `honest` of a hundred cases.
pub fn draw_from(
    random: &mut Random,
    transmitter: &Value,
    focus: Option<&str>,
    mood: Mood,
    span: u64,
    honest: u64,
) -> Delivery {
    let at = START.saturating_add(random.between(0, span));
    let mut stamps = Map::new();
    let iat = times(random, at, &mut stamps);
    let urls = urls(transmitter, None);
    let favoured = self::urls(transmitter, focus);
    let speaker = Speaker {
        favoured: if favoured.is_empty() {
            urls.clone()
        } else {
            favoured
        },
        urls,
        honest,
        legacy: transmitter["legacy"] == true,
    };
    let issuer = text(transmitter, "issuer").unwrap_or_default();
    let mut payload = json!({
        "iss": issuer, "aud": cast::RECEIVER, "iat": iat, "jti": format!("jti-{}", random.next()),
    });
    let mut typ = "secevent+jwt";
    if issuer == cast::KEYCLOAK && random.chance(20) {
        logout(random, &mut payload, iat);
        typ = random.of(&["logout+jwt", "JWT"]);
    } else {
        event(random, &speaker, mood, &mut payload, stamps);
    }
    Delivery {
        received_at: received(random, iat),
        typ,
        payload,
    }
}

/// The compact form of a delivery; the host answers the signature.
#[must_use]
pub fn set(delivery: &Delivery) -> String {
    compact(
        &json!({"alg": "EdDSA", "kid": "k", "typ": delivery.typ}),
        &delivery.payload,
    )
}

/// The second in which a delivery says that it happened, to issue tokens near it.
#[must_use]
pub fn time_of(delivery: &Delivery) -> u64 {
    let events = delivery.payload["events"].as_object();
    let stated = events.and_then(|events| events.values().next());
    let stated = stated.and_then(|event| event["event_timestamp"].as_f64());
    let seconds = match stated.map(|stated| format!("{stated:.0}")) {
        Some(seconds) => seconds.parse().unwrap_or(0),
        None => delivery.payload["iat"].as_u64().unwrap_or(0),
    };
    match seconds >= 100_000_000_000 {
        true => seconds / 1_000,
        false => seconds,
    }
}

/// Who may speak, for whom, how truthfully.
struct Speaker {
    favoured: Vec<String>,
    urls: Vec<String>,
    honest: u64,
    legacy: bool,
}

impl Speaker {
    fn iss(&self, random: &mut Random) -> String {
        match random.chance(self.honest) {
            true if random.chance(70) => random.of(&self.favoured),
            true => random.of(&self.urls),
            false => random.of(&cast::issuer_urls()),
        }
    }
}

/// The URLs of issuers that a transmitter may use; of the one that is configured as `only`, if that is given.
fn urls(transmitter: &Value, only: Option<&str>) -> Vec<String> {
    let named = transmitter["speaksFor"].as_array().into_iter().flatten();
    named
        .filter_map(Value::as_str)
        .filter(|url| only.is_none_or(|only| only == *url))
        .flat_map(|url| match url {
            cast::MULTI_TENANT => TENANTS.map(cast::entra_of).to_vec(),
            cast::OKTA => vec![url.into(), "https://org.okta.com".into()],
            cast::PLAIN => vec![url.into(), cast::PLAIN_ALIAS.into()],
            cast::GOOGLE => vec![url.into(), format!("{url}/")],
            _ if url == cast::entra() => vec![url.into(), cast::entra_v1()],
            _ => vec![url.into()],
        })
        .collect()
}

/// When it happened as the event says, and when the SET was issued.
fn times(random: &mut Random, at: u64, stamps: &mut Map<String, Value>) -> u64 {
    match random.between(0, 9) {
        0..=3 => {
            stamps.insert("event_timestamp".into(), at.into());
        }
        4 | 5 => {
            let fraction = random.between(1, 999);
            let number: Value = format!("{at}.{fraction:03}").parse().unwrap_or(at.into());
            stamps.insert("event_timestamp".into(), number);
        }
        6 => {
            let millis = at
                .saturating_mul(1_000)
                .saturating_add(random.between(0, 999));
            stamps.insert("event_timestamp".into(), millis.into());
        }
        7 => {
            stamps.insert("toe".into(), at.into());
        }
        // Neither: the time of the SET.
        _ => {}
    }
    let delay = random.of(&[0, 1, 5, 60, 600, 2 * HOUR, DAY]);
    match random.chance(5) {
        // A clock that runs ahead of the SET's own.
        true => at.saturating_sub(random.between(1, 30)),
        false => at.saturating_add(random.between(0, delay)),
    }
}

fn received(random: &mut Random, iat: u64) -> u64 {
    if random.chance(8) {
        return iat.saturating_sub(random.of(&[1, 30, 290, 310, 4_000]));
    }
    let delay = random.of(&[1, 5, 60, 600, 6 * HOUR, 3 * DAY, 29 * DAY, 40 * DAY]);
    let delay = match random.chance(80) {
        true => delay.min(60),
        false => delay,
    };
    iat.saturating_add(random.between(0, delay))
}

/// OpenID Connect Back-Channel Logout 1.0 §2.4.
fn logout(random: &mut Random, payload: &mut Value, iat: u64) {
    payload["exp"] = iat.saturating_add(120).into();
    payload["events"] = json!({LOGOUT: {}});
    let which = random.between(0, 2);
    if which != 0 {
        payload["sid"] = random.of(&SESSIONS).into();
    }
    if which != 1 {
        payload["sub"] = random.of(&USERS).into();
    }
}

fn event(
    random: &mut Random,
    speaker: &Speaker,
    mood: Mood,
    payload: &mut Value,
    mut stamps: Map<String, Value>,
) {
    let (uri, mut event, about) = content(random, mood, speaker.legacy);
    if let Some(toe) = stamps.remove("toe") {
        payload["toe"] = toe;
    }
    if let Some(members) = event.as_object_mut() {
        members.extend(stamps);
    }
    let subject = subject(random, speaker, about);
    if speaker.legacy && random.chance(60) {
        event["subject"] = older(random, subject);
    } else {
        payload["sub_id"] = subject;
    }
    payload["events"] = json!({uri: event});
}

/// Whom an event of a type is about, as a rule.
#[derive(Clone, Copy, Eq, PartialEq)]
enum About {
    Anybody,
    Device,
    Session,
    Tenant,
    Application,
    Address,
    Stream,
    Resource,
}

/// An event type with its payload.
fn content(random: &mut Random, mood: Mood, legacy: bool) -> (String, Value, About) {
    let caep = |name: &str| format!("{CAEP}{name}");
    let risc = |name: &str| format!("{RISC}{name}");
    let initiators = ["admin", "user", "policy", "system", "somebody"];
    let initiator = random.chance(70).then(|| random.of(&initiators));
    let with_initiator = |mut event: Value| {
        if let Some(initiator) = initiator {
            event["initiating_entity"] = initiator.into();
        }
        event
    };
    let most = if legacy || random.chance(10) { 27 } else { 22 };
    let number = match mood.is_empty() {
        true => random.between(0, most),
        false => random.of(mood),
    };
    match number {
        0..=3 => (
            caep("session-revoked"),
            with_initiator(json!({})),
            About::Anybody,
        ),
        4..=6 => {
            let credentials = [
                "password",
                "pin",
                "fido2-platform",
                "x509",
                "app",
                "smoke-signal",
            ];
            let changes = ["create", "revoke", "update", "delete"];
            let event = json!({"credential_type": random.of(&credentials), "change_type": random.of(&changes)});
            (
                caep("credential-change"),
                with_initiator(event),
                About::Anybody,
            )
        }
        7 | 8 => risk(random, &caep("risk-level-change"), &with_initiator),
        9 | 10 => {
            let statuses = ["compliant", "not-compliant"];
            let event = json!({
                "current_status": random.of(&statuses), "previous_status": random.of(&statuses),
            });
            (
                caep("device-compliance-change"),
                with_initiator(event),
                About::Device,
            )
        }
        11 => {
            let claims = match random.between(0, 2) {
                0 => json!({"role": random.of(&["admin", "reader"])}),
                1 => json!({"role": "reader", "department": random.of(&["a", "b"])}),
                _ => json!({"department": null}),
            };
            (
                caep("token-claims-change"),
                json!({"claims": claims}),
                About::Anybody,
            )
        }
        12 => {
            let levels = ["nist-aal1", "nist-aal2", "nist-aal3"];
            let event = json!({
                "namespace": "NIST-AAL", "current_level": random.of(&levels), "previous_level": random.of(&levels),
                "change_direction": random.of(&["increase", "decrease", "decrease"]),
            });
            (caep("assurance-level-change"), event, About::Anybody)
        }
        13 => {
            let name = random.of(&["session-established", "session-presented"]);
            (caep(name), json!({}), About::Anybody)
        }
        14 | 15 => {
            let names = ["account-disabled", "account-disabled", "account-purged"];
            let event = match random.chance(50) {
                true => json!({"reason": random.of(&["hijacking", "bulk-account", "boredom"])}),
                false => json!({}),
            };
            (risc(random.of(&names)), event, About::Anybody)
        }
        16 => (risc("account-enabled"), json!({}), About::Anybody),
        17 => {
            let names = [
                "account-credential-change-required",
                "sessions-revoked",
                "opt-in",
                "opt-out-initiated",
                "opt-out-cancelled",
                "opt-out-effective",
                "recovery-activated",
                "recovery-information-changed",
            ];
            (risc(random.of(&names)), json!({}), About::Anybody)
        }
        18 => {
            let event = json!({"credential_type": random.of(&["password", "x509"])});
            (risc("credential-compromise"), event, About::Anybody)
        }
        19 => {
            let name = random.of(&["identifier-changed", "identifier-recycled"]);
            (risc(name), json!({}), About::Address)
        }
        20 => {
            let (name, event) = random.of(&[
                ("verification", json!({"state": "s"})),
                ("stream-updated", json!({"status": "paused"})),
            ]);
            (format!("{SSF}{name}"), event, About::Stream)
        }
        21 => scim(random, legacy),
        22 => scim(random, legacy),
        26 => {
            let event =
                json!({"current_level": random.of(&["low", "high"]), "previous_level": "medium"});
            (format!("{OKTA}device-risk-change"), event, About::Device)
        }
        27 => {
            let uris = [
                "https://accounts.google.com/risc/event/sessions-revoked",
                "https://schemas.openid.net/secevent/risc/event-type/tokens-revoked",
                "https://schemas.openid.net/secevent/caep/event-type/session-revoked/v1",
                "https://schemas.openid.net/secevent/sse/event-type/verification",
                "https://example.org/secevent/unheard-of",
            ];
            (random.of(&uris).into(), json!({}), About::Anybody)
        }
        23 if random.chance(50) => {
            let event = json!({"current_level": random.of(&["low", "medium", "high"])});
            (format!("{OKTA}user-risk-change"), event, About::Anybody)
        }
        23 => (format!("{OAUTH}tokens-revoked"), json!({}), About::Anybody),
        24 => (
            format!("{CAEP}token-claims-changed"),
            json!({"claims": {"role": "admin"}}),
            About::Anybody,
        ),
        _ => {
            let names = [
                "client-disabled",
                "client-enabled",
                "client-credential-changed",
            ];
            (
                format!("{OAUTH}{}", random.of(&names)),
                json!({}),
                About::Application,
            )
        }
    }
}

fn risk(
    random: &mut Random,
    uri: &str,
    with_initiator: &dyn Fn(Value) -> Value,
) -> (String, Value, About) {
    let levels = ["LOW", "MEDIUM", "HIGH", "HIGH"];
    let (principal, about) = random.of(&[
        ("USER", About::Anybody),
        ("USER", About::Anybody),
        ("DEVICE", About::Device),
        ("SESSION", About::Session),
        ("TENANT", About::Tenant),
        ("GROUP", About::Anybody),
    ]);
    let mut event = json!({"current_level": random.of(&levels), "principal": principal});
    if random.chance(50) {
        event["previous_level"] = random.of(&levels).into();
    }
    (uri.into(), with_initiator(event), about)
}

/// RFC 9967 §2.3 and §2.4.
fn scim(random: &mut Random, legacy: bool) -> (String, Value, About) {
    let attributes = [
        "displayName",
        "password",
        "roles",
        "groups",
        "active",
        "userName",
    ];
    let some = json!([random.of(&attributes), random.of(&attributes)]);
    let active = random.chance(50);
    let operation = random.of(&[
        json!({"op": "replace", "path": "active", "value": active}),
        json!({"op": "replace", "path": "password", "value": "secret"}),
        json!({"op": "remove", "path": "roles"}),
        json!({"op": "add", "path": "groups", "value": ["g"]}),
        json!({"op": "replace", "path": "displayName", "value": "A"}),
    ]);
    let (name, event) = random.of(&[
        ("prov:delete", json!({})),
        ("prov:deactivate", json!({})),
        ("prov:activate", json!({})),
        ("prov:create:notice", json!({"attributes": some})),
        (
            "prov:create:full",
            json!({"data": {"userName": "a", "active": active}}),
        ),
        ("prov:patch:notice", json!({"attributes": some})),
        (
            "prov:patch:full",
            json!({"data": {"Operations": [operation]}}),
        ),
        ("prov:put:notice", json!({"attributes": some})),
        (
            "prov:put:full",
            json!({"data": {"userName": "a", "active": active, "roles": ["r"]}}),
        ),
        ("feed:add", json!({})),
        ("feed:remove", json!({})),
        ("misc:asyncresp", json!({"method": "PUT", "status": "200"})),
    ]);
    if legacy && random.chance(30) {
        let name = random.of(&["sig:pwdReset", "prov:deactivate"]);
        return (
            format!("urn:ietf:params:SCIM:event:{name}"),
            json!({}),
            About::Resource,
        );
    }
    (format!("{SCIM}{name}"), event, About::Resource)
}

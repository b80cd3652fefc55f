//! Whom the events of a history are about, in every shape that a transmitter may choose.

use serde_json::{Map, Value, json};

use super::{About, Speaker};
use crate::histories::cast::{
    self, CLIENTS, DEVICES, EMAILS, PAIRWISE, PHONES, PRINCIPALS, SESSIONS, TENANTS, TOKENS, USERS,
};
use crate::histories::random::Random;

/// The subject of an event about this.
pub(super) fn subject(random: &mut Random, speaker: &Speaker, about: About) -> Value {
    match about {
        About::Stream => json!({"format": "opaque", "id": "stream-1"}),
        About::Address => address(random),
        About::Resource => {
            let id = random.of(&[USERS[0], USERS[1], DEVICES[0]]);
            let resources = ["Users", "Users", "Users", "Devices", "Groups"];
            let uri = format!("/{}/{id}", random.of(&resources));
            let mut resource = json!({"format": "scim", "uri": uri});
            if random.chance(30) {
                resource["externalId"] = random.of(&USERS).into();
            }
            if random.chance(30) {
                resource["emails"] = json!([{"value": random.of(&EMAILS)}]);
            }
            resource
        }
        About::Application if random.chance(60) => named(random, speaker, &CLIENTS),
        About::Device if random.chance(60) => named(random, speaker, &DEVICES),
        About::Session if random.chance(60) => named(random, speaker, &SESSIONS),
        About::Tenant if random.chance(60) => {
            json!({"format": "complex", "tenant": {"format": "opaque", "id": random.of(&tenants())}})
        }
        _ if random.chance(35) => complex(random, speaker, about),
        _ => user(random, speaker),
    }
}

fn tenants() -> [&'static str; 3] {
    [cast::TENANT, TENANTS[0], "another"]
}

/// A user by any format of RFC 9493 and SSF 1.0.
fn user(random: &mut Random, speaker: &Speaker) -> Value {
    match random.between(0, 15) {
        0..=5 => iss_sub(random, speaker, &[USERS[0], USERS[1], PAIRWISE[0], PRINCIPALS[0]]),
        6 | 7 => opaque(random, &[USERS[0], USERS[1], SESSIONS[0], SESSIONS[1]]),
        8 | 9 => address(random),
        10 | 11 => {
            let mut identifiers = vec![address(random), iss_sub(random, speaker, &USERS)];
            if random.chance(50) {
                identifiers.push(opaque(random, &USERS));
            }
            json!({"format": "aliases", "identifiers": identifiers})
        }
        12 | 13 => json!({"format": "jwt_id", "iss": speaker.iss(random), "jti": random.of(&TOKENS)}),
        _ => random.of(&[
            json!({"format": "account", "uri": format!("acct:{}", EMAILS[0])}),
            json!({"format": "did", "url": "did:example:123456"}),
            json!({"format": "uri", "uri": "https://people.example/7"}),
            json!({"format": "saml_assertion_id", "issuer": "https://idp.example", "assertion_id": "_8e8dc5f6"}),
            json!({"format": "ip-addresses", "ip-addresses": ["10.29.37.75"]}),
            json!({"format": "shoe_size", "shoe_size": "44"}),
        ]),
    }
}

fn complex(random: &mut Random, speaker: &Speaker, about: About) -> Value {
    let mut members = Map::new();
    let mut member = |name: &str, percent: u64, value: Value, random: &mut Random| {
        if random.chance(percent) {
            members.insert(name.into(), value);
        }
    };
    let of_user = match random.chance(70) {
        true => named(random, speaker, &USERS),
        false => address(random),
    };
    let session = named(random, speaker, &SESSIONS);
    let device = named(random, speaker, &DEVICES);
    let application = named(random, speaker, &[CLIENTS[0], CLIENTS[1], PRINCIPALS[0]]);
    let percent = |wanted: bool| if wanted { 90 } else { 30 };
    member(
        "user",
        if about == About::Anybody { 75 } else { 40 },
        of_user,
        random,
    );
    member("session", percent(about == About::Session), session, random);
    member("device", percent(about == About::Device), device, random);
    member(
        "application",
        if about == About::Application { 90 } else { 20 },
        application,
        random,
    );
    let tenant = json!({"format": "opaque", "id": random.of(&tenants())});
    member("tenant", 25, tenant, random);
    member(
        "group",
        5,
        json!({"format": "opaque", "id": "group-1"}),
        random,
    );
    member(
        "org_unit",
        3,
        json!({"format": "opaque", "id": "unit-1"}),
        random,
    );
    if members.is_empty() {
        members.insert("user".into(), named(random, speaker, &USERS));
    }
    members.insert("format".into(), "complex".into());
    Value::Object(members)
}

fn named(random: &mut Random, speaker: &Speaker, ids: &[&str]) -> Value {
    match random.chance(50) {
        true => iss_sub(random, speaker, ids),
        false => opaque(random, ids),
    }
}

fn iss_sub(random: &mut Random, speaker: &Speaker, ids: &[&str]) -> Value {
    json!({"format": "iss_sub", "iss": speaker.iss(random), "sub": random.of(ids)})
}

fn opaque(random: &mut Random, ids: &[&str]) -> Value {
    json!({"format": "opaque", "id": random.of(ids)})
}

fn address(random: &mut Random) -> Value {
    match random.chance(65) {
        true => {
            let email = random.of(&EMAILS);
            json!({"format": "email", "email": random.of(&[email.to_string(), email.to_lowercase()])})
        }
        false => json!({"format": "phone_number", "phone_number": random.of(&PHONES)}),
    }
}

/// The same subject as older transmitters wrote it (`ssf.md` §9).
pub(super) fn older(random: &mut Random, mut subject: Value) -> Value {
    let Some(members) = subject.as_object_mut() else {
        return subject;
    };
    let is_complex = members
        .get("format")
        .is_some_and(|format| format == "complex");
    if is_complex {
        members.remove("format");
        for member in members.values_mut() {
            *member = older(random, member.take());
        }
        return subject;
    }
    if random.chance(50)
        && let Some(format) = members.remove("format")
    {
        let format = match format.as_str() {
            Some("iss_sub") => "iss-sub".into(),
            _ => format,
        };
        members.insert("subject_type".into(), format);
    }
    subject
}

//! Tables of whole SETs; what one file does alone is tested beside it.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers in tests")]

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use std::format;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::state::{Record, StateTable};

mod effects;
mod legacy;
mod logout;
mod presets;
mod scim;
mod subjects;
mod vectors;

pub(super) const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
pub(super) const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
pub(super) const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";

pub(super) const KEYCLOAK: &str = "https://kc.example/realms/a";
pub(super) const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
pub(super) const TENANT: &str = "aaaaaaaa-1111-1111-1111-111111111111";
pub(super) const OTHER_TENANT: &str = "bbbbbbbb-2222-2222-2222-222222222222";

/// Speaks for Keycloak alone, with an audience.
pub(super) const ONE: &str = "https://one.example";
/// Speaks for Keycloak and Entra.
pub(super) const MANY: &str = "https://many.example";
/// Speaks for Entra with two tenants.
pub(super) const ENTRA_ONLY: &str = "https://entra.example";

pub(super) const NOW: u64 = 1_700_000_000;
const AUDIENCE: &str = "https://api.example";

fn jwks() -> Value {
    let modulus = BASE64_URL_SAFE_NO_PAD.encode([0xC1_u8; 256]);
    json!({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB", "kid": "k", "use": "sig"}]})
}

/// A configuration with the settings and with the further members of the transmitter [`ONE`].
pub(super) fn configuration(settings: Value, one: Value) -> Configuration {
    let transmitter = |issuer: &str, speaks_for: &[&str]| json!({"issuer": issuer, "speaksFor": speaks_for, "jwks": jwks()});
    let mut first = transmitter(ONE, &[KEYCLOAK]);
    first["audience"] = AUDIENCE.into();
    for (name, value) in one.as_object().unwrap() {
        first[name] = value.clone();
    }
    let document = json!({
        "resource": {"audiences": ["api://orders"]},
        "issuers": [
            {"issuer": KEYCLOAK, "claims": "keycloak", "jwks": jwks()},
            {"issuer": ENTRA, "tenants": [TENANT, OTHER_TENANT], "claims": "entra-v2", "jwks": jwks()},
        ],
        "transmitters": [first, transmitter(MANY, &[KEYCLOAK, ENTRA]), transmitter(ENTRA_ONLY, &[ENTRA])],
        "settings": settings,
    });
    Configuration::read(&document.to_string()).unwrap()
}

pub(super) fn plain() -> Configuration {
    configuration(json!({}), json!({}))
}

pub(super) fn payload(issuer: &str, subject: &Value, uri: &str, event: &Value) -> Value {
    json!({
        "iss": issuer, "aud": AUDIENCE, "iat": NOW, "jti": "j", "sub_id": subject,
        "events": {uri: event},
    })
}

pub(super) fn user() -> Value {
    json!({"format": "iss_sub", "iss": KEYCLOAK, "sub": "u"})
}

/// The reading of a payload received a second after it was issued.
pub(super) fn reading(configuration: &Configuration, payload: &Value) -> Value {
    let received_at = UnixTime::from_secs(NOW + 1);
    let text = decode(&payload.to_string(), true, received_at, Some(configuration));
    json::parse(text.as_bytes(), Limits::DOCUMENT).unwrap()
}

/// What an effect list does, without keys and times: `kind: record`.
pub(super) fn summary(reading: &Value) -> Vec<String> {
    let effects = reading["effects"].as_array().expect("an accepted SET");
    let mut lines: Vec<_> = (effects.iter())
        .map(|effect| {
            let mut parts = Vec::new();
            let record = &effect["effect"];
            if let Some(cause) = record["cutOff"]["cause"].as_str() {
                parts.push(cause.to_owned());
            }
            if !record["mfaEnabled"].is_null() {
                parts.push("mfaEnabled".to_owned());
            }
            for field in ["status", "risk", "compliance", "assurance", "optOut"] {
                if let Some(value) = record[field][0]["value"].as_str() {
                    parts.push(format!("{field}={value}"));
                }
            }
            for claim in record["claims"].as_array().into_iter().flatten() {
                let (name, value) = (claim["name"].as_str(), claim["value"].as_str());
                parts.push(format!("{} is {}", name.unwrap(), value.unwrap()));
            }
            for scoped in record["scoped"].as_array().into_iter().flatten() {
                let members = scoped["members"].as_array().unwrap().iter();
                let kinds: Vec<_> = members
                    .map(|member| member["kind"].as_str().unwrap())
                    .collect();
                parts.push(format!(
                    "{} with {} ({})",
                    scoped["cause"].as_str().unwrap(),
                    kinds.join("+"),
                    scoped["unseenMember"].as_str().unwrap()
                ));
            }
            format!("{}: {}", effect["kind"].as_str().unwrap(), parts.join(", "))
        })
        .collect();
    lines.sort();
    lines
}

pub(super) fn notes(reading: &Value) -> Vec<&str> {
    let notes = reading["notes"].as_array().expect("an accepted SET");
    notes.iter().filter_map(Value::as_str).collect()
}

fn compact(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(header), part(payload))
}

fn header() -> Value {
    json!({"typ": "secevent+jwt", "alg": "RS256", "kid": "k"})
}

fn disabled() -> Value {
    payload(ONE, &user(), &format!("{RISC}account-disabled"), &json!({}))
}

fn with(mut value: Value, member: &str, new: Value) -> Value {
    value[member] = new;
    value
}

fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member);
    value
}

fn outcome(set: &str, answer: SignatureAnswer) -> Result<EventReading, (&'static str, String)> {
    match read(set, &plain(), UnixTime::from_secs(NOW), answer) {
        EventReading::Rejected(rejected) => Err((rejected.code, rejected.description)),
        other => Ok(other),
    }
}

#[test]
fn a_set_is_accepted_after_its_signature() {
    let set = compact(&header(), &disabled());
    let asked = outcome(&set, SignatureAnswer::NotChecked).unwrap();
    let EventReading::NeedsSignature(need) = asked else {
        panic!("the signature comes first: {asked:?}");
    };
    assert_eq!(need.algorithm, "RS256");
    assert_eq!(set.split_at(need.signing_input).1, ".c2ln");

    let EventReading::Accepted(accepted) = outcome(&set, SignatureAnswer::Valid).unwrap() else {
        panic!("accepted");
    };
    assert_eq!(
        (accepted.transmitter.as_str(), accepted.jti.as_str()),
        (ONE, "j")
    );
    assert_eq!(accepted.changes.len(), 1);
    let record = Record::from_bytes(&accepted.changes[0].record).unwrap();
    assert_eq!(record.status.len(), 1);

    let (code, _) = outcome(&set, SignatureAnswer::Invalid).unwrap_err();
    assert_eq!(code, "authentication_failed");
}

#[test]
fn an_unknown_key_is_asked_for_once() {
    let set = compact(&with(header(), "kid", "other".into()), &disabled());
    let asked = outcome(&set, SignatureAnswer::NotChecked).unwrap();
    assert_eq!(
        asked,
        EventReading::NeedsKey(KeyNeed {
            issuer: ONE.into(),
            kid: Some("other".into())
        })
    );
    let (code, _) = outcome(&set, SignatureAnswer::KeyUnknown).unwrap_err();
    assert_eq!(code, "invalid_key");
}

#[test]
fn faults_are_found_in_order_and_get_their_code() {
    let changed = |member, value| compact(&header(), &with(disabled(), member, value));
    let lacking = |member| compact(&header(), &without(disabled(), member));
    let headed = |member, value| compact(&with(header(), member, value), &disabled());
    let event = |value: Value| {
        changed(
            "events",
            json!({ format!("{CAEP}credential-change"): value }),
        )
    };
    for (set, code, what) in [
        (String::new(), "invalid_request", "three segments"),
        ("a.b.c".into(), "invalid_request", "base64url"),
        (headed("typ", "JWT".into()), "invalid_request", "`typ`"),
        (
            compact(&without(header(), "typ"), &disabled()),
            "invalid_request",
            "`typ`",
        ),
        (headed("crit", json!(["x"])), "invalid_request", "`crit`"),
        (headed("alg", "none".into()), "invalid_request", "`alg`"),
        (headed("alg", "HS256".into()), "invalid_request", "`alg`"),
        (lacking("iss"), "invalid_request", "`iss`"),
        (
            changed("iss", "https://two.example".into()),
            "invalid_issuer",
            "`iss`",
        ),
        (headed("alg", "ES256".into()), "invalid_key", "`alg`"),
        (lacking("aud"), "invalid_audience", "`aud`"),
        (changed("aud", "x".into()), "invalid_audience", "`aud`"),
        (changed("aud", json!([])), "invalid_request", "`aud`"),
        (
            changed("aud", json!([AUDIENCE, 1])),
            "invalid_request",
            "`aud`",
        ),
        (changed("sub", "u".into()), "invalid_request", "`sub`"),
        (changed("exp", json!(NOW)), "invalid_request", "`exp`"),
        (lacking("iat"), "invalid_request", "`iat`"),
        (changed("iat", "1".into()), "invalid_request", "`iat`"),
        (changed("iat", json!(NOW + 301)), "invalid_request", "`iat`"),
        (changed("toe", "1".into()), "invalid_request", "`toe`"),
        (lacking("jti"), "invalid_request", "`jti`"),
        (changed("jti", "".into()), "invalid_request", "`jti`"),
        (lacking("events"), "invalid_request", "`events`"),
        (changed("events", json!({})), "invalid_request", "`events`"),
        (
            changed("events", json!({"urn:x": 1})),
            "invalid_request",
            "`events`",
        ),
        (
            changed("events", json!({"urn:x": {}, "urn:y": {}})),
            "invalid_request",
            "`events`",
        ),
        (lacking("sub_id"), "invalid_request", "`sub_id`"),
        (
            changed("sub_id", json!({"format": "email"})),
            "invalid_request",
            "`sub_id`",
        ),
        (event(json!({})), "invalid_request", "`credential_type`"),
        (
            event(json!({"credential_type": "pin"})),
            "invalid_request",
            "`change_type`",
        ),
        (
            event(json!({"change_type": "create"})),
            "invalid_request",
            "`credential_type`",
        ),
        (
            event(json!({"change_type": "x", "credential_type": "pin"})),
            "invalid_request",
            "`change_type`",
        ),
        (
            event(
                json!({"change_type": "create", "credential_type": "pin", "event_timestamp": "1"}),
            ),
            "invalid_request",
            "`event_timestamp`",
        ),
        (
            changed(
                "sub_id",
                json!({"format": "iss_sub", "iss": "https://x.example", "sub": "u"}),
            ),
            "access_denied",
            "may not speak for",
        ),
        (
            changed(
                "sub_id",
                json!({"format": "iss_sub", "sub": "u",
                    "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0")}),
            ),
            "access_denied",
            "may not speak for",
        ),
    ] {
        let (found, description) = outcome(&set, SignatureAnswer::Valid).expect_err(what);
        assert_eq!(found, code, "{description}");
        assert!(
            description.contains(what),
            "{description} should name {what}"
        );
    }
}

#[test]
fn what_a_receiver_has_to_tolerate_is_tolerated() {
    let sse = "https://schemas.openid.net/secevent/sse/event-type/verification";
    for set in [
        compact(
            &with(header(), "typ", "application/SecEvent+JWT".into()),
            &disabled(),
        ),
        compact(&header(), &with(disabled(), "aud", json!(["x", AUDIENCE]))),
        compact(&header(), &with(disabled(), "nbf", json!(NOW + 99_999))),
        compact(&header(), &with(disabled(), "iat", json!(NOW + 300))),
        compact(&header(), &with(disabled(), "unheard_of", json!([{}]))),
        compact(
            &header(),
            &with(
                with(
                    disabled(),
                    "events",
                    json!({format!("{SSF}verification"): {}, sse: {}}),
                ),
                "sub_id",
                json!({"format": "opaque", "id": "stream"}),
            ),
        ),
    ] {
        assert!(matches!(
            outcome(&set, SignatureAnswer::Valid),
            Ok(EventReading::Accepted(_))
        ));
    }
}

#[test]
fn decoding_says_what_was_not_checked() {
    let set = compact(&header(), &disabled());
    let decoded = |text: &str, unsigned, configuration: Option<&Configuration>| {
        let text = decode(text, unsigned, UnixTime::from_secs(NOW), configuration);
        json::parse(text.as_bytes(), Limits::EVENT).unwrap()
    };
    let plain = plain();
    let alone = decoded(&format!("{set}\n"), false, None);
    assert_eq!(alone["status"], "valid");
    assert_eq!(alone["issuer"], "notChecked");
    assert_eq!(notes(&alone), ["noConfiguration"]);
    assert_eq!(alone["effects"][0]["key"], Value::Null);
    assert_eq!(
        alone["effects"][0]["effect"]["status"][0]["value"],
        "disabled"
    );
    let configured = decoded(&disabled().to_string(), true, Some(&plain));
    assert_eq!(configured["signature"], "notChecked");
    assert_eq!(
        (&configured["issuer"], &configured["audience"]),
        (&"valid".into(), &"valid".into())
    );
    assert_eq!(configured["effects"][0]["key"].as_str().unwrap().len(), 32);
    let rejected = decoded("[]", true, None);
    assert_eq!(
        (&rejected["status"], &rejected["err"]),
        (&"rejected".into(), &"invalid_request".into())
    );
}

#[test]
fn the_issue_time_is_read_from_either_form() {
    let set = with(disabled(), "iat", json!(NOW * 1_000 + 7));
    let issued = Some(UnixTime::from_secs(NOW));
    assert_eq!(issued_at(&set.to_string()), issued);
    assert_eq!(issued_at(&compact(&header(), &set)), issued);
    assert_eq!(issued_at("{}"), None);
    assert_eq!(issued_at("a.b.c"), None);
}

#[test]
fn the_host_finds_what_concerns_the_stream() {
    let stream = json!({"format": "opaque", "id": "stream"});
    let plain = plain();
    let read = |uri: &str, event| reading(&plain, &payload(ONE, &stream, uri, &event));
    let verified = read(&format!("{SSF}verification"), json!({"state": "s"}));
    assert_eq!(verified["event"]["state"], "s");
    assert_eq!(summary(&verified), [""; 0]);
    let updated = read(&format!("{SSF}stream-updated"), json!({"status": "paused"}));
    assert_eq!(updated["event"]["status"], "paused");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let plain = plain();
        let _ = decode(&text, true, UnixTime::from_secs(NOW), None);
        let _ = decode(&text, false, UnixTime::from_secs(NOW), Some(&plain));
        let part = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
        let set = format!("{}.{part}.{part}", BASE64_URL_SAFE_NO_PAD.encode(header().to_string()));
        let _ = read(&set, &plain, UnixTime::from_secs(NOW), SignatureAnswer::Valid);
    }

    #[test]
    fn no_payload_makes_it_panic(member in "[a-z_]{1,10}", n in any::<i64>(), text in ".{0,10}", at in 0..9_usize) {
        let places = ["/iat", "/toe", "/aud", "/jti", "/events", "/sub_id", "/sub_id/sub", "/iss", "/sub_id/format"];
        let (legacy, row) = (
            super::tests::configuration(json!({}), json!({"legacy": true})),
            vocabulary::event_types().nth(at * 7 % 60).unwrap(),
        );
        let mut event: Value = serde_json::from_str(row.example).unwrap();
        if let Some(member) = event.as_object().and_then(|members| members.keys().next().cloned()) {
            for value in [json!(n), json!(text), json!({ &member: n }), json!([{ &member: text }]), Value::Null] {
                event[&member] = value;
                let _ = reading(&legacy, &payload(ONE, &user(), row.uri, &event));
            }
        }
        for value in [json!(n), json!(text), json!({ &member: n }), json!([text]), Value::Null, json!(1e300)] {
            let mut payload = with(disabled(), "toe", json!(1));
            *payload.pointer_mut(places[at]).unwrap() = value;
            let _ = reading(&plain(), &payload);
        }
    }

    #[test]
    fn order_and_repetition_of_events_never_change_the_state(
        picks in proptest::collection::vec((0..12_usize, 0..4_usize, 0..3_u64, any::<bool>()), 1..10),
        order in any::<u64>(),
    ) {
        let configuration = plain();
        let subjects = [
            user(),
            json!({"format": "opaque", "id": "u"}),
            json!({"format": "email", "email": "u@kc.example"}),
            json!({"format": "complex", "user": user(), "device": {"format": "opaque", "id": "d"}}),
        ];
        let events = [
            (RISC, "account-disabled", json!({})),
            (RISC, "account-enabled", json!({})),
            (RISC, "sessions-revoked", json!({})),
            (CAEP, "session-revoked", json!({"initiating_entity": "admin"})),
            (CAEP, "risk-level-change", json!({"principal": "USER", "current_level": "HIGH"})),
            (CAEP, "device-compliance-change", json!({"previous_status": "compliant", "current_status": "not-compliant"})),
            (CAEP, "credential-change", json!({"credential_type": "app", "change_type": "create"})),
            (CAEP, "token-claims-change", json!({"claims": {"role": "a", "groups": ["x", "y"]}})),
            (CAEP, "token-claims-change", json!({"claims": {"role": "b"}})),
            (CAEP, "assurance-level-change", json!({"namespace": "NIST-AAL", "current_level": "nist-aal1", "change_direction": "decrease"})),
            (RISC, "opt-out-effective", json!({})),
            (RISC, "opt-in", json!({})),
        ];
        let sets: Vec<Value> = picks.iter().map(|(event, subject, ago, late)| {
            let (base, name, body) = &events[*event];
            let body = with(body.clone(), "event_timestamp", json!(NOW - ago));
            let set = payload(ONE, &subjects[*subject], &format!("{base}{name}"), &body);
            with(set, "iat", json!(if *late { NOW } else { NOW - ago }))
        }).collect();
        let state = |sets: &[&Value]| {
            let mut table = StateTable::default();
            for set in sets {
                let set = compact(&header(), set);
                let reading = read(&set, &configuration, UnixTime::from_secs(NOW), SignatureAnswer::Valid);
                let EventReading::Accepted(accepted) = reading else { panic!("{reading:?}") };
                for change in accepted.changes {
                    table.merge_bytes(&change.key, &change.record).unwrap();
                }
            }
            table.to_bytes()
        };
        let once: Vec<&Value> = sets.iter().collect();
        let mut again: Vec<&Value> = sets.iter().chain(&sets).collect();
        // Any permutation: rotate, then swap by the bits of one number.
        let length = again.len();
        again.rotate_left(usize::try_from(order % 16).unwrap() % length);
        for bit in 0..length - 1 {
            if order >> (bit % 64) & 1 == 1 {
                again.swap(bit, bit + 1);
            }
        }
        prop_assert_eq!(state(&again), state(&once));
    }
}

//! Every call of the conversation, odd ones too, through the native engine and the component: the same answers. They
//! are written down for the module for JavaScript. What the answers should be is tested beside the engine.
#![cfg(test)]

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cae_core::decision::{Answers, DirectoryFacts, Outcome, RecordAnswer, Request};
use cae_core::engine::{
    Begun, Conversation, Decided, Detail, EventQuestion, EventReading, Handle, SignatureAnswer,
};
use cae_core::state::Record;
use cae_core::state::record::{Cause, Entry};
use cae_core::time::EventTime;
use cae_core::{Engine, UnixTime};
use cae_tests::artefacts;
use cae_tests::transcript::{Recorder, Transcript};
use cae_tests::world::{self, START};
use serde_json::{Value, json};

/// SPEC: RFC 9449 section 6.1.
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn configuration(policies: &Value) -> String {
    let locations = json!([{
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": "d2136c9c-b049-47ae-b5cf-316e04ef7198",
        "displayName": "Office",
        "isTrusted": true,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}],
    }]);
    world::configuration(policies, &locations, &json!({})).to_string()
}

fn policies() -> Value {
    json!([{
        "id": "00000000-0000-4000-8000-000000000001",
        "state": "enabled",
        "conditions": {
            "users": {"includeGroups": ["50000000-0000-4000-8000-000000000001"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
            "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    }])
}

#[test]
fn every_call_is_answered_alike() {
    let configuration = configuration(&policies());
    let mut native = Transcript::default();
    let engine = Engine::new(&configuration, 0).unwrap();
    converse(&mut Recorder::new(engine, &configuration, &mut native));
    native.save("conversation").unwrap();

    if let Some(component) = artefacts::component() {
        let mut wasm = Transcript::default();
        let engine = component.engine(&configuration).unwrap();
        converse(&mut Recorder::new(engine, &configuration, &mut wasm));
        assert_eq!(native.lines().len(), wasm.lines().len());
        for (native, wasm) in native.lines().iter().zip(wasm.lines()) {
            assert_eq!(without_handles(native), without_handles(wasm));
        }
    }
}

/// The component has a shorter way for requests that say nothing rare (`decide-known`): the verdict is the same.
#[test]
fn requests_without_rarities_are_answered_alike() {
    let configuration = configuration(&policies());
    let native = decide_plainly(&mut Engine::new(&configuration, 0).unwrap());
    for outcome in [Outcome::Allow, Outcome::Challenge, Outcome::Deny] {
        let found = |decided: &Decided| matches!(decided, Decided::Verdict(verdict) if verdict.outcome == outcome);
        assert!(native.iter().any(found), "no {outcome:?}");
    }
    assert_eq!(native.last(), Some(&Decided::Stale));
    if let Some(component) = artefacts::component() {
        let wasm = decide_plainly(&mut component.engine(&configuration).unwrap());
        assert_eq!(native, wasm);
    }
}

fn decide_plainly<C: Conversation<Error: Debug>>(engine: &mut C) -> Vec<Decided> {
    let now = UnixTime::from_secs(START + 600);
    let revoked = |at| {
        let at = EventTime::from(UnixTime::from_secs(at));
        let cut_off = Entry {
            at,
            issued: at.floor(),
            value: Cause::SessionRevoked,
        };
        Record {
            cut_off: Some(cut_off),
            ..Record::default()
        }
        .to_bytes()
    };
    let (before, after) = (revoked(START - 60), revoked(START + 60));
    let claims = json!({
        "xms_cc": ["cp1"], "amr": ["pwd"], "auth_time": START, "groups": ["50000000-0000-4000-8000-000000000001"],
    });
    let token = world::token(START, &claims);
    let mut decided = Vec::new();
    let mut signature = Some(true);
    for client_ip in [
        Some("203.0.113.7"),
        Some("::ffff:203.0.113.7"),
        Some("198.51.100.9"),
        Some("2001:db8::1:2"),
        Some("10.0.0.1"),
        Some("203.0.113.7:443"),
        None,
    ] {
        for record in [
            RecordAnswer::None,
            RecordAnswer::Found(&before),
            RecordAnswer::Found(&after),
            RecordAnswer::Found(b"\xff"),
            RecordAnswer::Found(b""),
            RecordAnswer::Failed,
        ] {
            for (country, path) in [(None, None), (Some("DK"), Some("/orders"))] {
                let Begun::Needs { handle, needs } =
                    engine.begin(&token, now, Detail::None).unwrap()
                else {
                    panic!("refused")
                };
                let mut records = vec![RecordAnswer::None; needs.records.len()];
                records[0] = record;
                let request = Request {
                    now,
                    client_ip,
                    country,
                    path,
                    ..Request::default()
                };
                let answers = Answers {
                    signature: signature.take(),
                    confirmed: None,
                    records: &records,
                };
                decided.push(
                    engine
                        .decide(handle, &request, &answers, Detail::None)
                        .unwrap(),
                );
                // Answers too few, and too many for the shorter way.
                for count in [0, 17] {
                    let answers = Answers {
                        records: &vec![record; count],
                        ..Answers::default()
                    };
                    decided.push(
                        engine
                            .decide(handle, &request, &answers, Detail::None)
                            .unwrap(),
                    );
                }
            }
        }
    }
    let nobody = engine.decide(
        Handle(0),
        &Request::default(),
        &Answers::default(),
        Detail::None,
    );
    decided.push(nobody.unwrap());
    decided
}

/// Handles are numbers of one instance, and the host of the component adds which.
fn without_handles(line: &Value) -> Value {
    let mut line = line.clone();
    for place in ["", "/answer"] {
        if let Some(Value::Object(members)) = line.pointer_mut(place) {
            members.remove("handle");
        }
    }
    line
}

fn converse<C: Conversation<Error: Debug>>(engine: &mut C) {
    let now = UnixTime::from_secs(START + 600);
    let capable = json!({"xms_cc": ["cp1"], "amr": ["pwd"], "auth_time": START});
    let bound =
        json!({"xms_cc": ["cp1"], "amr": ["pwd"], "auth_time": START, "cnf": {"jkt": THUMBPRINT}});
    let no_such_key = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"new","typ":"JWT"}"#);
    let sound = world::token(START, &capable);
    let (_, claims) = sound.split_once('.').unwrap();
    let tokens = [
        sound.clone(),
        world::token(START, &bound),
        world::token(START + 86_400, &capable),
        format!("{no_such_key}.{claims}"),
        world::compact(&json!({"alg": "none"}), &json!({})),
        "no token \u{1f512}".to_owned(),
        String::new(),
    ];
    for token in &tokens {
        ask(engine, token, now);
        engine.inspect_token(token, now).unwrap();
    }
    for handle in [0, 1, 1 << 40] {
        let answers = Answers::default();
        engine
            .decide(Handle(handle), &Request::default(), &answers, Detail::None)
            .unwrap();
    }

    let mut records = vec![Vec::new(), b"\xff".to_vec()];
    for set in [
        world::event(
            "caep/event-type/session-revoked",
            START + 60,
            &json!({"initiating_entity": "admin"}),
        ),
        world::event("risc/event-type/account-disabled", START + 90, &json!({})),
        world::event("caep/event-type/unheard-of", START, &json!({})),
        "no SET".to_owned(),
    ] {
        for signature in [
            SignatureAnswer::NotChecked,
            SignatureAnswer::Valid,
            SignatureAnswer::Invalid,
            SignatureAnswer::KeyUnknown,
        ] {
            if let EventReading::Accepted(event) = engine.read_event(&set, now, signature).unwrap()
            {
                records.extend(event.changes.into_iter().map(|change| change.record));
            }
            for against in [None, Some(sound.as_str()), Some("no token")] {
                engine
                    .explain_event(&EventQuestion {
                        text: &set,
                        unsigned: false,
                        received_at: now,
                        signature,
                        against,
                    })
                    .unwrap();
            }
        }
    }
    for a in &records {
        for b in &records {
            engine.merge(a, b).unwrap();
        }
    }

    for request in [
        json!({
            "issuer": world::issuer(), "now": START, "user": world::USER, "clientApplication": world::CLIENT,
            "clientCapabilities": ["cp1"], "application": world::APPLICATION, "ipAddress": "198.51.100.9",
            "memberOf": ["50000000-0000-4000-8000-000000000001"], "authTime": START, "satisfied": [], "random": 7,
        })
        .to_string(),
        "{}".to_owned(),
        "no JSON".to_owned(),
    ] {
        engine.sign_in(&request).unwrap();
    }

    // Faulty ones change nothing; without its key the token that was known is not known any more.
    for (issuer, keys) in [
        (world::issuer(), "no JSON".to_owned()),
        (
            "https://stranger.example".to_owned(),
            world::jwks().to_string(),
        ),
        (world::issuer(), r#"{"keys":[]}"#.to_owned()),
        (world::issuer(), world::jwks().to_string()),
    ] {
        engine.set_keys(&issuer, &keys).unwrap();
        ask(engine, &sound, now);
    }
    for policies in [json!([{"state": 7}]), json!("none"), json!([])] {
        engine.reconfigure(&configuration(&policies)).unwrap();
        ask(engine, &sound, now);
    }
}

/// Asks about a token in every way that a host can ask.
fn ask<C: Conversation<Error: Debug>>(engine: &mut C, token: &str, now: UnixTime) {
    let group = ["50000000-0000-4000-8000-000000000001"];
    let nothing = Request {
        now,
        ..Request::default()
    };
    let outside = Request {
        client_ip: Some("198.51.100.9"),
        ..nothing
    };
    let member = Request {
        facts: DirectoryFacts {
            member_of: Some(&group),
            ..DirectoryFacts::default()
        },
        ..outside
    };
    let full = Request {
        now,
        client_ip: Some("203.0.113.7"),
        country: Some("DK"),
        path: Some("/orders"),
        scheme: Some("DPoP"),
        facts: DirectoryFacts {
            member_of: Some(&group),
            roles: Some(&[]),
            user_type: Some("guest"),
            external_user_type: Some("b2bCollaborationGuest"),
            external_tenant: Some("0f8fad5b-d9cb-469f-a165-70867728950e"),
            client_app_type: Some("browser"),
            platform: Some("linux"),
            device_compliant: Some(false),
            device: Some(r#"{"displayName": "SAW-1", "trustType": "ServerAD"}"#),
        },
        signal_age: &[(world::TRANSMITTER, 4_000)],
    };
    for request in [&nothing, &outside, &member, &full] {
        for (detail, signature, record) in [
            (Detail::None, Some(false), RecordAnswer::None),
            (Detail::Explain, None, RecordAnswer::None),
            (Detail::Explain, Some(true), RecordAnswer::Failed),
            (Detail::Decision, Some(true), RecordAnswer::Found(b"\xff")),
            (Detail::Explain, Some(true), RecordAnswer::None),
            // Known by now: nothing is asked about its signature.
            (Detail::None, None, RecordAnswer::None),
        ] {
            let Begun::Needs { handle, needs } = engine.begin(token, now, detail).unwrap() else {
                continue;
            };
            let records = vec![record; needs.records.len()];
            let answers = Answers {
                signature,
                confirmed: request.scheme.map(|_| THUMBPRINT),
                records: &records,
            };
            engine.decide(handle, request, &answers, detail).unwrap();
        }
    }
}

//! The runner against an engine small enough to be judged by eye, and the reader against faulty files.

#![expect(clippy::arithmetic_side_effects, reason = "tests may fail loudly")]

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::convert::Infallible;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::timeline::Kind;
use super::{RunError, Scenario, StepReport, Summary, read, run, schema};
use crate::Engine;
use crate::configuration::read::Choice as _;
use crate::decision::Outcome;
use crate::decision::request::{Answers, RecordAnswer, Request};
use crate::engine::{
    AcceptedEvent, Begun, Change, Conversation, Decided, Detail, EventReading, Handle, KeyNeed,
    Needs, RejectedEvent, SignatureAnswer, SignatureNeed, Verdict,
};
use crate::json::Value;
use crate::state::key::NameSpace;
use crate::state::{Identifier, StateKey, SubjectKind};
use crate::time::UnixTime;

/// Refuses every token whose subject was ever named by an event; knows nothing else.
struct Toy {
    keys: BTreeMap<String, Value>,
    handles: Vec<String>,
    verified: BTreeSet<String>,
}

impl Toy {
    fn new(configuration: &str) -> Self {
        let configuration: Value = serde_json::from_str(configuration).unwrap();
        let entries = ["issuers", "transmitters"].map(|list| configuration[list].as_array());
        let keys = entries.into_iter().flatten().flatten().map(|entry| {
            let owner = entry["issuer"].as_str().unwrap();
            (owner.to_string(), entry["jwks"].clone())
        });
        Self {
            keys: keys.collect(),
            handles: Vec::new(),
            verified: BTreeSet::new(),
        }
    }

    fn key(&self, compact: &str) -> Result<SignatureNeed, KeyNeed> {
        let [header, claims] = parts(compact);
        let (issuer, key_id) = (claims["iss"].as_str().unwrap(), &header["kid"]);
        let keys = self.keys[issuer]["keys"].as_array().unwrap();
        let found = keys.iter().find(|key| key["kid"] == *key_id);
        found
            .map(|key| SignatureNeed {
                key_id: key_id.to_string(),
                key: key.to_string(),
                algorithm: "EdDSA",
                signing_input: compact.rfind('.').unwrap(),
            })
            .ok_or_else(|| KeyNeed {
                issuer: issuer.to_string(),
                kid: key_id.as_str().map(Into::into),
            })
    }
}

fn parts(compact: &str) -> [Value; 2] {
    let mut parts = compact.split('.');
    [(); 2].map(|()| {
        let part = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice(&part).unwrap()
    })
}

fn key_of(subject: &Value) -> StateKey {
    let identifier = Identifier {
        name_space: NameSpace::Native,
        text: subject.as_str().unwrap(),
    };
    StateKey::new("toy", SubjectKind::User, identifier)
}

fn verdict(outcome: Outcome, status: u16, reason: Option<&str>) -> Verdict {
    let challenged = outcome == Outcome::Challenge;
    Verdict {
        outcome,
        status,
        www_authenticate: challenged.then(|| r#"Bearer error="invalid_token""#.to_string()),
        reasons: reason.into_iter().map(Into::into).collect(),
        changes: Vec::new(),
        revisit_at: None,
        may_reuse_without_events: 0,
        json: Some(r#"{"undetermined":[],"decision":"out of order on purpose"}"#.to_string()),
    }
}

impl Conversation for Toy {
    type Error = Infallible;

    fn begin(&mut self, token: &str, _: UnixTime) -> Result<Begun, Infallible> {
        if token.is_empty() {
            let refused = verdict(Outcome::Deny, 401, Some("token_missing"));
            return Ok(Begun::Refused(refused));
        }
        let mut needs = Needs {
            records: vec![key_of(&parts(token)[1]["sub"])],
            ..Needs::default()
        };
        match self.key(token) {
            Ok(signature) => needs.signature = Some(signature),
            Err(key) => needs.key = Some(key),
        }
        self.handles.push(token.to_string());
        let handle = Handle(u64::try_from(self.handles.len() - 1).unwrap());
        Ok(Begun::Needs { handle, needs })
    }

    fn decide(
        &mut self,
        handle: Handle,
        _: &Request<'_>,
        answers: &Answers<'_>,
        _: Detail,
    ) -> Result<Decided, Infallible> {
        let token = &self.handles[usize::try_from(handle.0).unwrap()];
        if self.key(token).is_err() {
            // A token that passed before is begun again, which tells that its key is gone.
            return Ok(if self.verified.remove(token) {
                Decided::Stale
            } else {
                Decided::Verdict(verdict(Outcome::Deny, 401, Some("token_key_unknown")))
            });
        }
        if answers.signature == Some(true) {
            self.verified.insert(token.clone());
        }
        Ok(Decided::Verdict(
            match (answers.signature, answers.records) {
                (Some(false), _) => verdict(Outcome::Deny, 401, Some("token_signature")),
                (_, [RecordAnswer::Found(_)]) => {
                    verdict(Outcome::Challenge, 401, Some("session_revoked"))
                }
                _ => verdict(Outcome::Allow, 200, None),
            },
        ))
    }

    fn read_event(
        &mut self,
        set: &str,
        _: UnixTime,
        signature: SignatureAnswer,
    ) -> Result<EventReading, Infallible> {
        let claims = &parts(set)[1];
        Ok(match (signature, self.key(set)) {
            (SignatureAnswer::NotChecked, Ok(need)) => EventReading::NeedsSignature(need),
            (SignatureAnswer::NotChecked, Err(need)) => EventReading::NeedsKey(need),
            (SignatureAnswer::Valid, _) => EventReading::Accepted(AcceptedEvent {
                transmitter: claims["iss"].to_string(),
                jti: claims["jti"].to_string(),
                changes: vec![Change {
                    key: key_of(&claims["sub_id"]["id"]),
                    record: b"x".to_vec(),
                }],
                json: "{}".to_string(),
            }),
            _ => EventReading::Rejected(RejectedEvent {
                code: "invalid_key",
                description: String::new(),
                json: "{}".to_string(),
            }),
        })
    }

    fn merge(&mut self, a: &[u8], _: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(Some(a.to_vec()))
    }

    fn set_keys(&mut self, issuer: &str, jwks: &str) -> Result<String, Infallible> {
        let jwks = serde_json::from_str(jwks).unwrap();
        self.keys.insert(issuer.to_string(), jwks);
        Ok("[]".to_string())
    }

    fn reconfigure(&mut self, configuration: &str) -> Result<String, Infallible> {
        *self = Self {
            handles: core::mem::take(&mut self.handles),
            ..Self::new(configuration)
        };
        Ok("[]".to_string())
    }

    fn sign_in(&mut self, request: &str) -> Result<String, Infallible> {
        let request: Value = serde_json::from_str(request).unwrap();
        if request["accountEnabled"] == json!(false) {
            return Ok(r#"{"result":"block","code":"AADSTS50057","unmet":[]}"#.to_string());
        }
        let lifetime = 3_600 + request["random"].as_u64().unwrap() % 60;
        Ok(json!({"result": "grant", "lifetimeSeconds": lifetime, "claims": {}}).to_string())
    }

    fn inspect_token(&mut self, _: &str, _: UnixTime) -> Result<String, Infallible> {
        Ok("{}".to_string())
    }
}

fn scenario(timeline: &Value) -> Value {
    json!({
        "title": "t",
        "description": "d",
        "seed": 7,
        "start": 1_800_000_000,
        "issuers": { "home": {
            "issuer": "https://id.example",
            "preset": "rfc9068",
            "keys": { "k1": "11".repeat(32), "k2": "12".repeat(32) },
            "publish": ["k1"]
        } },
        "transmitters": { "signals": {
            "issuer": "https://signals.example",
            "keys": { "t1": "21".repeat(32) }
        } },
        "users": { "kim": { "issuer": "home", "objectId": "kim-1" } },
        "clients": { "app": { "applicationId": "app-1", "handlesChallenges": true } },
        "engine": {
            "resource": { "audiences": ["api"] },
            "issuers": [ { "issuer": "https://id.example" } ],
            "transmitters": [ { "issuer": "https://signals.example" } ]
        },
        "timeline": timeline
    })
}

fn replay(scenario: &Value) -> (Summary, Vec<StepReport>) {
    let scenario = Scenario::read(&scenario.to_string()).unwrap();
    let mut lines = Vec::new();
    let summary = run(
        &scenario,
        |configuration| Ok::<_, Infallible>(Toy::new(configuration)),
        &mut |line: &StepReport| lines.push(line.clone()),
    );
    (summary.unwrap(), lines)
}

fn party(step: &str, more: Value) -> Value {
    let mut object = json!({ "step": step, "user": "kim", "client": "app" });
    let members = object.as_object_mut().unwrap();
    members.append(&mut more.as_object().unwrap().clone());
    object
}

fn revocation(more: Value) -> Value {
    let mut object = json!({
        "step": "event",
        "transmitter": "signals",
        "claims": { "sub_id": { "format": "opaque", "id": "kim-1" }, "events": { "a/b": {} } }
    });
    let members = object.as_object_mut().unwrap();
    members.append(&mut more.as_object().unwrap().clone());
    object
}

fn whole_story() -> Value {
    let (allow, challenge) = (
        json!({"decision": "allow"}),
        json!({"decision": "challenge"}),
    );
    scenario(&json!([
        party("signIn", json!({"as": "first", "expect": {
            "issuer": "grant", "lifetime": {"min": 3600, "max": 3660},
            "tokenClaims": {"sub": "kim-1", "client_id": "app-1", "aud": "api", "nbf": null},
        }})),
        party("request", json!({"after": 60, "expect": allow})),
        revocation(json!({"deliveries": [
            {"after": 100, "expect": {"accepted": true, "duplicate": false, "changes": 1}},
            {"after": 50, "expect": {"accepted": true, "duplicate": false, "changes": 1}},
            {"after": 200, "expect": {"accepted": true, "duplicate": true, "changes": 0}},
        ]})),
        party("request", json!({"after": 49, "expect": allow})),
        party("request", json!({"after": 1, "expect": challenge})),
        party("clientRetry", json!({"after": 5, "interactive": true, "expect": {
            "issuer": "grant", "decision": "challenge", "reasons": ["session_revoked"],
            "parameters": {"error": "invalid_token", "claims": null},
        }})),
        {"step": "accountChange", "at": 400, "user": "kim", "change": "disabled",
         "expect": {"refreshTokens": "revoked"}},
        party("clientRetry", json!({"expect": {"issuer": "block", "issuerCode": "AADSTS50057"}})),
        {"step": "policyChange", "settings": {"clockSkewSeconds": 5}, "expect": {"faults": 0}},
        {"step": "networkChange", "user": "kim", "network": {"issuerSees": "192.0.2.1"}},
        {"step": "advance", "after": 10},
    ]))
}

#[test]
fn a_run_tells_its_story_and_every_expectation_holds() {
    let mut story = whole_story();
    // The toy never forgets: the first delivery decides, the second of the same `jti` is a repetition.
    story["timeline"][2]["deliveries"][0]["expect"]["duplicate"] = json!(true);
    story["timeline"][2]["deliveries"][0]["expect"]["changes"] = json!(0);
    let (summary, lines) = replay(&story);
    let failed: Vec<_> = lines.iter().filter(|line| !line.holds()).collect();
    assert!(summary.holds(), "{failed:#?}");
    assert_eq!(summary.steps, 11);
    assert_eq!(summary.lines, lines.len());
    let deliveries: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((line.elapsed, line.event.as_ref()?.delivery?)))
        .collect();
    assert_eq!(
        deliveries,
        [(110, 2), (160, 1), (260, 3)],
        "by time of arrival"
    );
}

#[test]
fn what_does_not_hold_is_reported_and_the_run_goes_on() {
    let (summary, lines) = replay(&whole_story());
    assert_eq!(
        summary.failed, 2,
        "`duplicate` and `changes` of the later delivery"
    );
    let line = lines.iter().find(|line| !line.holds()).unwrap();
    assert_eq!(
        json!(line.expectations[1]),
        json!({"key": "duplicate", "expected": false, "found": true, "holds": false})
    );
    assert_eq!(summary.steps, 11);
}

#[test]
fn the_same_scenario_gives_the_same_bytes() {
    let bytes = || {
        let (_, lines) = replay(&whole_story());
        lines.iter().map(StepReport::to_json).collect::<Vec<_>>()
    };
    let first = bytes();
    assert_eq!(first, bytes());
    for line in &first {
        let parsed: Value = serde_json::from_str(line).unwrap();
        assert!(
            parsed["summary"].as_str().is_some_and(|it| !it.is_empty()),
            "{line}"
        );
    }
    assert!(
        first[1]
            .contains(r#""evaluation":{"undetermined":[],"decision":"out of order on purpose"}"#),
        "what the engine wrote is kept byte for byte: {}",
        first[1]
    );
    let mut other = whole_story();
    other["seed"] = json!(8);
    assert_ne!(replay(&other).1[0].to_json(), first[0], "the seed matters");
}

#[test]
fn keys_are_fetched_when_the_engine_misses_one() {
    let rotate = |more: Value| {
        let mut step = json!({"step": "keyRotation", "issuer": "home", "expect": {"faults": 0}});
        step.as_object_mut()
            .unwrap()
            .append(&mut more.as_object().unwrap().clone());
        step
    };
    let (allow, deny) = (
        json!({"decision": "allow"}),
        json!({"decision": "deny", "reasons": ["token_key_unknown"]}),
    );
    let story = scenario(&json!([
        party("signIn", json!({"as": "old"})),
        party("request", json!({"expect": allow})),
        rotate(json!({"signingKey": "k2", "publish": ["k1", "k2"], "fetched": false})),
        party("signIn", json!({"as": "new"})),
        party("request", json!({"token": "new", "expect": allow})),
        party("request", json!({"token": "old", "expect": allow})),
        rotate(json!({"publish": ["k2"]})),
        party("request", json!({"token": "old", "expect": deny})),
        party("request", json!({"token": "new", "expect": allow})),
        rotate(json!({"publish": []})),
        revocation(json!({"expect": {"accepted": true}})),
        party("request", json!({"token": "new", "expect": deny})),
    ]));
    let (summary, lines) = replay(&story);
    let failed: Vec<_> = lines.iter().filter(|line| !line.holds()).collect();
    assert!(summary.holds(), "{failed:#?}");
}

#[test]
fn a_client_without_a_token_asks_without_one() {
    let expect = json!({"decision": "deny", "reasons": ["token_missing"], "claims": null});
    let (summary, _) = replay(&scenario(&json!([
        party("request", json!({"expect": expect})),
        party("clientRetry", json!({"expect": {"issuer": "notAsked"}})),
    ])));
    assert!(summary.holds());
}

#[test]
fn every_fault_is_named_at_once() {
    let mut faulty = scenario(&json!([
        {"step": "signIn", "user": "nobody", "client": "app"},
        {"step": "signIn", "user": "kim", "client": "app", "as": "t", "at": 50, "after": 1},
        {"step": "request", "user": "kim", "client": "app", "token": "u", "at": 10},
        {"step": "walk"},
        {"user": "kim"},
        {"step": "event", "transmitter": "signals", "claims": {}, "expect": {"status": 1}},
        {"step": "event", "transmitter": "x", "deliveries": [{"after": -1}], "expect": {}},
        {"step": "accountChange", "user": "kim", "change": "riskLevel"},
        {"step": "networkChange", "client": "app", "network": {}},
        {"step": "keyRotation", "issuer": "home", "publish": ["k9"]},
        {"step": "policyChange", "policies": {}},
        7,
    ]));
    faulty["clients"]["app"]["capabilites"] = json!([]);
    faulty["issuers"]["home"]["keys"]["k2"] = json!("secret");
    faulty["issuers"]["home"]["preset"] = json!("entra");
    faulty["users"]["kim"]["device"] = json!("phone");
    faulty["title"] = json!("");
    let faults = Scenario::read(&faulty.to_string()).unwrap_err().0;
    let found: Vec<_> = faults.iter().map(|fault| fault.at.as_str()).collect();
    for at in [
        "/title",
        "/issuers/home/preset",
        "/issuers/home/keys/k2",
        "/clients/app/capabilites",
        "/users/kim/device",
        "/timeline/0/user",
        "/timeline/1/after",
        "/timeline/2/at",
        "/timeline/2/token",
        "/timeline/3/step",
        "/timeline/4",
        "/timeline/5/expect/status",
        "/timeline/6/transmitter",
        "/timeline/6/claims",
        "/timeline/6/expect",
        "/timeline/6/deliveries/0/after",
        "/timeline/7/level",
        "/timeline/8/client",
        "/timeline/9/publish",
        "/timeline/10/policies",
        "/timeline/11",
    ] {
        assert!(found.contains(&at), "{at} is missing in {faults:#?}");
    }
    assert!(
        faults.iter().all(|fault| !fault.message.contains("secret")),
        "a seed is never repeated"
    );
    let faults = Scenario::read("{").unwrap_err().0;
    assert_eq!(faults.len(), 1);
}

#[test]
fn reader_and_schema_know_the_same_members() {
    let schema: Value = serde_json::from_str(schema()).unwrap();
    let members = |object: &Value| -> Vec<String> {
        let mut names: Vec<_> = object["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        names.sort();
        names
    };
    let sorted = |names: &[&str]| -> Vec<String> {
        let mut names: Vec<_> = names.iter().map(ToString::to_string).collect();
        names.sort();
        names
    };
    for (name, keys) in read::OBJECTS {
        let object = if name.is_empty() {
            &schema
        } else {
            &schema["$defs"][*name]
        };
        assert_eq!(members(object), sorted(keys), "{name}");
    }
    let application = &schema["$defs"]["client"]["properties"]["application"];
    assert_eq!(members(application), sorted(read::APPLICATION));
    assert_eq!(
        members(&schema["$defs"]["delivery"]),
        sorted(super::timeline::DELIVERY)
    );
    assert_eq!(
        members(&schema["$defs"]["facts"]),
        sorted(super::timeline::FACTS)
    );
    let keys: Vec<_> = super::ExpectationKey::ALL
        .iter()
        .map(|key| key.as_str())
        .collect();
    assert_eq!(members(&schema["$defs"]["expect"]), sorted(&keys));
    for (name, kind) in Kind::NAMES {
        assert_eq!(
            members(&schema["$defs"][*name]),
            sorted(&kind.keys()),
            "{name}"
        );
    }
    let kinds = schema["properties"]["timeline"]["items"]["oneOf"]
        .as_array()
        .unwrap();
    assert_eq!(kinds.len(), Kind::NAMES.len());
}

/// The scenarios of the repository, by name.
fn scenarios() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn every_scenario_can_be_read_and_expects_something_of_every_step() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 23, "{}", scenarios.len());
    for (name, text) in scenarios {
        let value: Value = serde_json::from_str(&text).unwrap();
        if let Err(faults) = Scenario::read(&text) {
            let faults: Vec<_> = faults.0.iter().map(ToString::to_string).collect();
            panic!("{name}: {faults:#?}");
        }
        for (index, step) in value["timeline"].as_array().unwrap().iter().enumerate() {
            let silent = ["networkChange", "advance"].contains(&step["step"].as_str().unwrap());
            let expects = |it: &Value| it["expect"].as_object().is_some_and(|it| !it.is_empty());
            let deliveries = step["deliveries"].as_array();
            assert!(
                silent || expects(step) || deliveries.is_some_and(|all| all.iter().all(expects)),
                "{name}: step {index} expects nothing"
            );
        }
    }
}

#[test]
fn every_scenario_holds() {
    let mut failed = Vec::new();
    for (name, text) in scenarios() {
        let scenario = Scenario::read(&text).unwrap();
        let summary = run(
            &scenario,
            |configuration| Engine::new(configuration, 0),
            &mut |line: &StepReport| {
                for found in line.expectations.iter().filter(|it| !it.holds) {
                    let (step, key) = (line.step, found.key);
                    let (expected, found) = (&found.expected, &found.found);
                    failed.push(format!("{name} {step} {key}: {found}, not {expected}"));
                }
            },
        );
        match summary {
            Ok(_) => {}
            Err(RunError::Build(faults)) => {
                failed.extend(faults.0.iter().map(|it| format!("{name}: {it}")))
            }
            Err(error) => failed.push(format!("{name}: {error:?}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("step".to_string()),
        Just("user".to_string()),
        Just("client".to_string()),
        Just("timeline".to_string()),
        Just("expect".to_string()),
        Just("keys".to_string()),
        Just("deliveries".to_string()),
        "[a-z~/]{0,4}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        prop::sample::select(Kind::NAMES).prop_map(|(name, _)| Value::from(name)),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = Scenario::read(&text);
    }

    /// Any value in any one place of a good file: read or refused, and what is read can be run.
    #[test]
    fn no_json_panics(value in any_json(), place in any::<prop::sample::Index>()) {
        let mut file = whole_story();
        let pointers = pointers(&file);
        *file.pointer_mut(place.get(&pointers).as_str()).unwrap() = value;
        if let Ok(scenario) = Scenario::read(&file.to_string()) {
            let _ = run(
                &scenario,
                |configuration| Engine::new(configuration, 0),
                &mut |_: &StepReport| {},
            );
        }
    }
}

/// The pointers to every value of a document.
fn pointers(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (crate::configuration::read::child("", name), value))
            .collect(),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(index, value)| (format!("/{index}"), value))
            .collect(),
        _ => Vec::new(),
    };
    let below = children.into_iter().flat_map(|(at, child)| {
        pointers(child)
            .into_iter()
            .map(move |rest| format!("{at}{rest}"))
    });
    core::iter::once(String::new()).chain(below).collect()
}

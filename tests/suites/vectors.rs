//! Real-world inputs through every tool of the native engine and of the component: the same bytes. What was asked is
//! written down for the module for JavaScript. Whether an answer is right is tested beside the code that gives it; the
//! vectors of this project (`tests/vectors`) say it here too.
#![cfg(test)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cae_core::UnixTime;
use cae_core::policy::what_if::Export;
use cae_host_runner::component::EngineError;
use cae_host_runner::engine::{Runtime, Tools};
use cae_tests::places::vectors;
use cae_tests::transcript::Transcript;
use cae_tests::{artefacts, world};
use serde_json::{Value, json};

/// After every event of the vectors but one, which claims to be of the year 2451.
const RECEIVED_AT: u64 = 1_780_000_000;

/// The tools of every build, and what they were asked.
struct Bench {
    native: Box<dyn Tools>,
    component: Option<Box<dyn Tools>>,
    transcript: Transcript,
}

impl Bench {
    fn new() -> Self {
        Self {
            native: Runtime::Native.tools(),
            component: artefacts::component().map(Runtime::tools),
            transcript: Transcript::default(),
        }
    }

    /// Asks the tool with this name in JavaScript, and holds the answer against what is expected of it.
    fn ask(
        &mut self,
        name: &str,
        arguments: Value,
        expected: &Value,
        ask: impl Fn(&dyn Tools) -> Result<String, EngineError>,
    ) -> Value {
        let answer = ask(&*self.native).unwrap();
        if let Some(component) = &self.component {
            assert_eq!(
                ask(&**component).unwrap(),
                answer,
                "of the component, {name}({arguments}); is it of this source? `cargo xtask build`"
            );
        }
        let read: Value = serde_json::from_str(&answer).unwrap();
        assert!(
            expected.is_null() || fits(&read, expected),
            "{name}({arguments}) is {answer}, should hold {expected}"
        );
        self.transcript.tool(name, arguments, &answer);
        read
    }
}

/// Whether everything that is expected was found; of an object, the members given.
fn fits(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| found.get(name).is_some_and(|found| fits(found, value))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found
                    .iter()
                    .zip(expected)
                    .all(|(one, other)| fits(one, other))
        }
        _ => found == expected,
    }
}

#[test]
fn challenges() {
    let mut bench = Bench::new();
    for vector in vectors("claims-challenge-headers.jsonl").unwrap() {
        let header = vector["header"].as_str().unwrap();
        bench.ask(
            "parseChallenge",
            json!([header]),
            &vector["answer"],
            |tools| tools.parse_challenge(header),
        );
    }
    bench.transcript.save("tools-challenges").unwrap();
}

#[test]
fn policies() {
    let mut bench = Bench::new();
    let locations: Vec<Value> = vectors("graph-named-locations.jsonl")
        .unwrap()
        .into_iter()
        .map(|vector| vector["location"].clone())
        .collect();
    let locations = json!({ "value": locations }).to_string();
    let vectors = vectors("graph-policies.jsonl").unwrap();
    let mut files = Vec::new();
    for (index, vector) in vectors.iter().enumerate() {
        let (name, text) = (format!("{index}.json"), vector["policy"].to_string());
        bench.ask(
            "checkPolicies",
            json!([[{"name": name, "text": text}]]),
            &vector["answer"],
            |tools| {
                tools.check_policies(&Export {
                    policies: &[(&name, &text)],
                    ..Export::default()
                })
            },
        );
        files.push((name, text));
    }
    // All of them together, as a tenant exports them.
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let arguments: Vec<Value> = files
        .iter()
        .map(|(name, text)| json!({"name": name, "text": text}))
        .collect();
    let answer = bench.ask(
        "checkPolicies",
        json!([arguments, locations]),
        &json!({"ok": true, "faults": []}),
        |tools| {
            tools.check_policies(&Export {
                policies: &files,
                named_locations: Some(&locations),
                ..Export::default()
            })
        },
    );
    assert_eq!(answer["policies"].as_array().unwrap().len(), vectors.len());
    bench.transcript.save("tools-policies").unwrap();
}

#[test]
fn addresses() {
    let mut bench = Bench::new();
    for vector in vectors("ip-contains.jsonl").unwrap() {
        let (range, address) = (&vector["cidr"], vector["addr"].as_str().unwrap());
        let locations = one_location(range);
        let arguments = json!([locations, [address]]);
        let answer = bench.ask("matchLocations", arguments, &vector["answer"], |tools| {
            tools.match_locations(&locations, &[address])
        });
        let found = answer["addresses"][0]["locations"] != json!([]);
        assert_eq!(found, vector["contains"] == true, "{address} in {range}");
    }
    let inputs = vectors("ip-parse.jsonl").unwrap();
    let everywhere = one_location(&json!("::/0"));
    for vector in &inputs {
        let input = vector["input"].as_str().unwrap();
        for (locations, address) in [(&everywhere, input), (&one_location(&json!(input)), "::")] {
            let arguments = json!([locations, [address]]);
            bench.ask("matchLocations", arguments, &Value::Null, |tools| {
                tools.match_locations(locations, &[address])
            });
        }
    }
    bench.transcript.save("tools-addresses").unwrap();
}

fn one_location(range: &Value) -> String {
    let kind = if range.as_str().is_some_and(|range| range.contains(':')) {
        "iPv6CidrRange"
    } else {
        "iPv4CidrRange"
    };
    json!([{
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": "d2136c9c-b049-47ae-b5cf-316e04ef7198",
        "displayName": "Office",
        "isTrusted": true,
        "ipRanges": [{"@odata.type": format!("#microsoft.graph.{kind}"), "cidrAddress": range}],
    }])
    .to_string()
}

#[test]
fn events() {
    let mut bench = Bench::new();
    for file in ["caep", "risc", "ssf", "rfc", "legacy", "scim", "logout"] {
        for vector in vectors(&format!("sets-{file}.jsonl")).unwrap() {
            let payload = match vector["raw"].as_str() {
                Some(raw) => raw.to_owned(),
                None => vector["set"].to_string(),
            };
            let header = match &vector["header"] {
                Value::Null => json!({"alg": "ES256", "typ": "secevent+jwt"}),
                header => header.clone(),
            };
            let signed = format!(
                "{}.{}.c2lnbmF0dXJl",
                URL_SAFE_NO_PAD.encode(header.to_string()),
                URL_SAFE_NO_PAD.encode(&payload)
            );
            for (text, unsigned) in [(&payload, true), (&signed, false)] {
                bench.ask(
                    "decodeEvent",
                    json!([text, unsigned, RECEIVED_AT]),
                    &vector["answer"],
                    |tools| tools.decode_event(text, unsigned, UnixTime::from_secs(RECEIVED_AT)),
                );
            }
        }
    }
    bench.transcript.save("tools-events").unwrap();
}

#[test]
fn tokens() {
    let mut bench = Bench::new();
    for vector in vectors("entra-access-tokens.jsonl").unwrap() {
        let claims = &vector["claims"];
        let token = world::compact(&json!({"alg": "RS256", "typ": "JWT", "kid": "k"}), claims);
        let now = claims["iat"].as_u64().unwrap_or(RECEIVED_AT);
        bench.ask(
            "inspectToken",
            json!([token, now]),
            &vector["answer"],
            |tools| tools.inspect_token(&token, UnixTime::from_secs(now)),
        );
    }
    bench.transcript.save("tools-tokens").unwrap();
}

#[test]
fn schema() {
    let mut bench = Bench::new();
    bench.ask("configurationSchema", json!([]), &Value::Null, |tools| {
        tools.configuration_schema()
    });
    bench.transcript.save("tools-schema").unwrap();
}

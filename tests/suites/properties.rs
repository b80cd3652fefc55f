//! Properties of the whole system. Those of one module (merge laws, the policy index, parsers that never panic)
//! stand beside the module.
#![cfg(test)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "the times of a test are chosen by it"
)]

use cae_core::decision::{Answers, DirectoryFacts, Outcome, RecordAnswer, Request};
use cae_core::engine::{Begun, Conversation as _, Decided, Detail, EventQuestion, SignatureAnswer};
use cae_core::policy::what_if::Export;
use cae_core::{Engine, UnixTime};
use cae_tests::world::{self, Host, Person, START};
use proptest::prelude::*;
use serde_json::{Value, json};

const OFFICE: &str = "203.0.113.7";
const HOME: &str = "198.51.100.9";

fn named_locations() -> Value {
    json!([{
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": "d2136c9c-b049-47ae-b5cf-316e04ef7198",
        "displayName": "Office",
        "isTrusted": true,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]
    }])
}

fn conditions() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        Just(
            json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}})
        ),
        Just(json!({"locations": {"includeLocations": ["AllTrusted"]}})),
        Just(json!({"userRiskLevels": ["high"]})),
        Just(json!({"userRiskLevels": ["medium", "high"],
                    "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}})),
        Just(json!({"platforms": {"includePlatforms": ["android"]}})),
    ]
}

fn grant() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"operator": "OR", "builtInControls": ["block"]})),
        Just(json!({"operator": "OR", "builtInControls": ["mfa"]})),
        Just(json!({"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]})),
        Just(Value::Null),
    ]
}

fn session() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(Value::Null),
        1 => Just(json!({"continuousAccessEvaluation": {"mode": "strictLocation"}})),
        1 => Just(json!({"signInFrequency": {"isEnabled": true, "value": 1, "type": "hours"}})),
        1 => Just(json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime"}})),
    ]
}

fn policies() -> impl Strategy<Value = Value> {
    let policy = (conditions(), grant(), session(), prop::option::of(0_u64..3_000)).prop_map(
        |(conditions, grant, session, changed)| {
            let mut all = json!({
                "users": {"includeUsers": ["All"]},
                "applications": {"includeApplications": ["All"]},
                "clientAppTypes": ["all"],
            });
            for (name, condition) in conditions.as_object().unwrap() {
                all[name] = condition.clone();
            }
            (json!({"state": "enabled", "conditions": all, "grantControls": grant, "sessionControls": session}), changed)
        },
    );
    prop::collection::vec(policy, 0..4).prop_map(|policies| {
        let policies = policies
            .into_iter()
            .enumerate()
            .map(|(index, (mut policy, changed))| {
                policy["id"] = json!(format!("00000000-0000-4000-8000-{index:012}"));
                if let Some(changed) = changed {
                    // 2027-01-15T08:00:00Z is `START`.
                    policy["modifiedDateTime"] = json!(format!(
                        "2027-01-15T08:{:02}:{:02}Z",
                        changed / 60,
                        changed % 60
                    ));
                }
                policy
            });
        policies.collect()
    })
}

fn settings() -> impl Strategy<Value = Value> {
    (prop_oneof![Just("strict"), Just("standard")], prop_oneof![Just("full"), Just("entra")], 0_u64..600).prop_map(
        |(mode, profile, grace)| {
            json!({"profile": profile, "locationEnforcement": mode, "policyChangeGraceSeconds": grace})
        },
    )
}

fn place() -> impl Strategy<Value = String> {
    prop_oneof![Just(OFFICE.to_string()), Just(HOME.to_string())]
}

fn events() -> impl Strategy<Value = Vec<(u64, &'static str, Value)>> {
    let event = prop_oneof![
        Just((
            "caep/event-type/session-revoked",
            json!({"initiating_entity": "admin"})
        )),
        Just((
            "caep/event-type/credential-change",
            json!({"credential_type": "password", "change_type": "update"})
        )),
        Just((
            "caep/event-type/credential-change",
            json!({"credential_type": "app", "change_type": "create", "initiating_entity": "admin"})
        )),
        Just((
            "caep/event-type/risk-level-change",
            json!({"current_level": "HIGH", "principal": "USER"})
        )),
        Just((
            "caep/event-type/risk-level-change",
            json!({"current_level": "LOW", "principal": "USER"})
        )),
        Just(("risc/event-type/account-disabled", json!({}))),
        Just(("risc/event-type/account-enabled", json!({}))),
    ];
    prop::collection::vec(
        (1_u64..3_000, event).prop_map(|(at, (uri, payload))| (at, uri, payload)),
        0..4,
    )
}

/// What a request sees: the world before it, without the request itself.
#[derive(Clone, Debug)]
struct World {
    policies: Value,
    settings: Value,
    events: Vec<(u64, &'static str, Value)>,
    person: Person,
    asked_at: u64,
}

fn worlds() -> impl Strategy<Value = World> {
    (
        policies(),
        settings(),
        events(),
        place(),
        place(),
        any::<bool>(),
        3_001_u64..7_000,
    )
        .prop_map(
            |(
                policies,
                settings,
                events,
                issuer_sees,
                resource_sees,
                has_second_factor,
                asked_at,
            )| World {
                policies,
                settings,
                events,
                person: Person {
                    issuer_sees,
                    resource_sees,
                    has_second_factor,
                    satisfied: Vec::new(),
                    authenticated: START,
                },
                asked_at: START + asked_at,
            },
        )
}

impl World {
    fn host(&self) -> Host {
        let configuration =
            world::configuration(&self.policies, &named_locations(), &self.settings);
        let mut host = Host::new(&configuration).unwrap();
        for (at, uri, payload) in &self.events {
            assert!(host.deliver(&world::event(uri, START + at, payload), START + at));
        }
        host
    }

    /// The token that the client has had since the start, before any policy was looked at.
    fn old_token(&self) -> String {
        world::token(
            START,
            &json!({"xms_cc": ["cp1"], "amr": ["pwd"], "auth_time": START}),
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A client that forwards every challenge to an issuer that honours it sees at most two: challenges for several
    /// facts are one header, so no world needs more.
    #[test]
    fn forwarded_challenges_end(world in worlds()) {
        let mut host = world.host();
        let mut person = world.person.clone();
        let course = person.persist(&mut host, world.old_token(), world.asked_at).map_err(TestCaseError::fail)?;
        prop_assert!(course.challenges <= 2, "{course:?}");
    }

    /// A missing host fact never allows what the fact would have refused.
    #[test]
    fn a_missing_fact_never_allows(world in worlds()) {
        let token = world.old_token();
        let known = Request {
            now: UnixTime::from_secs(world.asked_at),
            client_ip: Some(&world.person.resource_sees),
            ..Request::default()
        };
        let with = world.host().request(&token, &known, Detail::None);
        let without = world.host().request(&token, &Request { client_ip: None, ..known }, Detail::None);
        if with.outcome != Outcome::Allow {
            prop_assert!(without.outcome != Outcome::Allow, "{with:?} {without:?}");
        }

        let mut host = world.host();
        let Ok(Begun::Needs { handle, needs }) = host.engine.begin(&token, known.now, Detail::None) else {
            return Err(TestCaseError::fail("refused"));
        };
        let failed = vec![RecordAnswer::Failed; needs.records.len()];
        let answers = Answers { signature: Some(true), confirmed: None, records: &failed };
        let Ok(Decided::Verdict(verdict)) = host.engine.decide(handle, &known, &answers, Detail::None) else {
            return Err(TestCaseError::fail("stale"));
        };
        prop_assert_eq!(verdict.outcome, Outcome::Deny);
    }

    /// The outcome stays what it is until `revisitAt`, as long as no event arrives.
    #[test]
    fn the_outcome_holds_until_revisit_at(world in worlds(), later in 0_u64..100_000) {
        let token = world.old_token();
        let mut host = world.host();
        let at = |now| Request {
            now: UnixTime::from_secs(now),
            client_ip: Some(&world.person.resource_sees),
            ..Request::default()
        };
        let first = host.request(&token, &at(world.asked_at), Detail::None);
        let then = world.asked_at + later;
        if first.revisit_at.is_none_or(|revisit| then < revisit.as_secs()) {
            let second = host.request(&token, &at(then), Detail::None);
            prop_assert_eq!((first.outcome, first.status), (second.outcome, second.status), "{:?}", first.revisit_at);
        }
    }

    /// Whatever the host says about a request, deciding does not panic, and detail changes nothing but the JSON.
    #[test]
    fn any_request_is_decided_the_same_in_every_detail(
        world in worlds(),
        now in any::<u64>(),
        texts in prop::collection::vec(prop::option::of(".{0,40}"), 8),
    ) {
        let text = |index: usize| texts[index].as_deref();
        let ids = [text(0).unwrap_or_default()];
        let request = Request {
            now: UnixTime::from_secs(now),
            client_ip: text(1),
            country: text(2),
            scheme: text(3),
            path: text(4),
            facts: DirectoryFacts {
                member_of: text(0).map(|_| &ids[..]),
                roles: None,
                user_type: text(5),
                client_app_type: text(6),
                platform: text(7),
                device: text(0),
                ..DirectoryFacts::default()
            },
            signal_age: &[(world::TRANSMITTER, now)],
        };
        let token = world.old_token();
        let plain = world.host().request(&token, &request, Detail::None);
        for detail in [Detail::Decision, Detail::Explain] {
            let detailed = world.host().request(&token, &request, detail);
            prop_assert_eq!(&plain.reasons, &detailed.reasons);
            prop_assert_eq!((plain.outcome, plain.status, &plain.www_authenticate),
                            (detailed.outcome, detailed.status, &detailed.www_authenticate));
        }
    }

    /// No input panics: tokens, SETs, configurations, sign-ins, and the tools.
    #[test]
    fn no_text_panics(text in ".{0,200}", json in json_text()) {
        let now = UnixTime::from_secs(START);
        let mut host = Host::new(&world::configuration(&json!([]), &json!([]), &json!({}))).unwrap();
        for text in [text.as_str(), json.as_str()] {
            let _ = host.engine.begin(text, now, Detail::Explain);
            let _ = host.engine.read_event(text, now, Default::default());
            let _ = host.engine.merge(text.as_bytes(), text.as_bytes());
            let _ = host.engine.set_keys(&world::issuer(), text);
            let _ = host.engine.sign_in(text);
            let _ = host.engine.inspect_token(text, now);
            for unsigned in [true, false] {
                let _ = host.engine.explain_event(&EventQuestion {
                    text,
                    unsigned,
                    received_at: now,
                    signature: SignatureAnswer::Valid,
                    against: Some(text),
                });
            }
            let _ = Engine::new(text, 0);
            let _ = cae_core::simulation::Scenario::read(text);
            let _ = cae_core::tools::parse_challenge(text);
            let _ = cae_core::tools::check_policies(&Export {
                policies: &[("p.json", text)],
                named_locations: Some(text),
                application_groups: Some(text),
            });
            let _ = cae_core::tools::match_locations(text, &[text]);
            let _ = cae_core::tools::decode_event(text, true, now);
            let _ = cae_core::tools::decode_event(text, false, now);
            let _ = cae_core::tools::inspect_token(text, now);
        }
    }
}

/// JSON whose member names are often ones that the engine knows.
fn json_text() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "conditions",
            "users",
            "includeUsers",
            "locations",
            "includeLocations",
            "grantControls",
            "ipRanges",
            "cidrAddress",
            "resource",
            "issuers",
            "settings",
            "iss",
            "sub_id",
            "format",
            "events",
            "keys",
            "kty",
            "timeline",
            "step",
            "state",
            "id",
            "value",
            "policies",
            "claims",
            "now",
            "issuer",
            "user",
        ])
        .prop_map(String::from),
        "[a-zA-Z]{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
    .prop_map(|value| value.to_string())
}

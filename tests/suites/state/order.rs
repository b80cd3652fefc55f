//! Events that arrive late, in any order and more than once, while the state is cleaned every day, come to the same
//! decisions as events that arrive at once: as long as none is later than tombstones are kept.

use cae_core::UnixTime;
use cae_core::decision::Request;
use cae_core::engine::{Detail, Verdict};
use cae_core::state::RetentionLimits;
use cae_tests::world::{self, Host, START};
use proptest::prelude::*;
use serde_json::{Value, json};

const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;

/// Events of so many days, each of them late by less than 30 days.
const DAYS: u64 = 20;
const LATEST: u64 = 30 * DAY - HOUR;

/// One event, and how much later than it happened it arrives, twice.
#[derive(Clone, Debug)]
struct Late {
    set: String,
    at: u64,
    delays: [u64; 2],
}

fn configuration() -> Value {
    let policy = |n: u32, conditions: Value, control: &str| {
        let mut all = json!({
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
        });
        for (name, condition) in conditions.as_object().unwrap() {
            all[name] = condition.clone();
        }
        json!({
            "id": format!("00000000-0000-4000-8000-{n:012}"), "state": "enabled", "conditions": all,
            "modifiedDateTime": "2026-01-01T00:00:00Z",
            "grantControls": {"operator": "OR", "builtInControls": [control]}
        })
    };
    let policies = json!([
        policy(1, json!({"userRiskLevels": ["high"]}), "block"),
        policy(2, json!({"userRiskLevels": ["medium"]}), "mfa"),
        policy(3, json!({}), "compliantDevice"),
    ]);
    let mut configuration = world::configuration(&policies, &json!([]), &json!({}));
    let mut other = configuration["transmitters"][0].clone();
    other["issuer"] = json!("https://other.example");
    configuration["transmitters"]
        .as_array_mut()
        .unwrap()
        .push(other);
    configuration["transmitters"][0]["actsForIssuer"] = json!(true);
    configuration
}

/// What is said about the user, who lends the device its name.
fn happening() -> impl Strategy<Value = (&'static str, Value)> {
    let risk = prop::sample::select(vec!["LOW", "MEDIUM", "HIGH"]);
    let status = prop::sample::select(vec!["compliant", "not-compliant"]);
    let change = prop::sample::select(vec!["create", "update", "revoke"]);
    let credential = prop::sample::select(vec!["password", "fido2-roaming"]);
    prop_oneof![
        Just(("caep/event-type/session-revoked", json!({}))),
        (credential, change).prop_map(|(credential, change)| {
            ("caep/event-type/credential-change",
             json!({"credential_type": credential, "change_type": change, "initiating_entity": "admin"}))
        }),
        risk.prop_map(|level| ("caep/event-type/risk-level-change",
                               json!({"current_level": level, "principal": "USER"}))),
        status.prop_map(|status| ("caep/event-type/device-compliance-change",
                                  json!({"current_status": status, "previous_status": "compliant"}))),
        Just(("risc/event-type/account-disabled", json!({}))),
        Just(("risc/event-type/account-enabled", json!({}))),
        Just(("risc/event-type/account-purged", json!({}))),
    ]
}

fn late_event() -> impl Strategy<Value = Late> {
    let delay = prop_oneof![0..HOUR, 0..LATEST];
    (
        happening(),
        0..DAYS * DAY,
        [delay.clone(), delay],
        any::<bool>(),
    )
        .prop_map(|((uri, payload), after, delays, by_other)| {
            let at = START + after;
            let set = if by_other {
                by_other_transmitter(uri, at, &payload)
            } else {
                world::event(uri, at, &payload)
            };
            Late { set, at, delays }
        })
}

fn by_other_transmitter(uri: &str, at: u64, payload: &Value) -> String {
    let mut event = payload.clone();
    event["event_timestamp"] = json!(at);
    world::compact(
        &json!({"alg": "EdDSA", "kid": "k", "typ": "secevent+jwt"}),
        &json!({
            "iss": "https://other.example", "aud": "https://api.example", "iat": at, "jti": format!("{uri}-{at}"),
            "sub_id": {"format": "iss_sub", "iss": world::issuer(), "sub": world::USER},
            "events": {format!("https://schemas.openid.net/secevent/{uri}"): event},
        }),
    )
}

/// Delivers each event when it arrives; cleans at every midnight in between.
fn deliver(host: &mut Host, mut arrivals: Vec<(u64, &Late)>, end: u64, clean: bool) {
    arrivals.sort_by_key(|(arrival, _)| *arrival);
    let limits = RetentionLimits::of(host.engine.configuration());
    let mut midnight = START;
    for (arrival, event) in arrivals {
        while clean && midnight <= arrival {
            host.table.clean(UnixTime::from_secs(midnight), &limits);
            midnight += DAY;
        }
        assert!(host.deliver(&event.set, arrival), "{event:?}");
    }
    while clean && midnight <= end {
        host.table.clean(UnixTime::from_secs(midnight), &limits);
        midnight += DAY;
    }
}

/// What becomes of tokens of every age, some of them with proof of a second factor, some from the device.
fn decisions(host: &mut Host, now: u64) -> Vec<Verdict> {
    let request = Request {
        now: UnixTime::from_secs(now),
        client_ip: Some("203.0.113.7"),
        ..Request::default()
    };
    let mut verdicts = Vec::new();
    for hours_ago in [0, 1, 5, 12, 20, 23] {
        for claims in [
            json!({}),
            json!({"amr": ["pwd", "mfa"], "deviceid": world::USER, "xms_cc": ["cp1"]}),
            json!({"amr": ["pwd"], "deviceid": world::USER}),
        ] {
            let token = world::token(now - hours_ago * HOUR, &claims);
            // An explanation tells what no longer matters as well, as long as it is there.
            verdicts.push(host.request(&token, &request, Detail::Decision));
        }
    }
    verdicts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn order_and_delay_do_not_matter_within_the_age_of_tombstones(
        events in prop::collection::vec(late_event(), 0..24),
        after in prop_oneof![0..HOUR, 0..40 * DAY],
    ) {
        let configuration = configuration();
        let new = || Host::new(&configuration).unwrap();
        let arrival = |event: &Late, n: usize| event.at + event.delays[n];
        let last = events.iter().map(|event| arrival(event, 0).max(arrival(event, 1))).max();
        let now = last.unwrap_or(START).max(START + DAYS * DAY) + after;

        let mut at_once = new();
        deliver(&mut at_once, events.iter().map(|event| (event.at, event)).collect(), now, false);
        let expected = decisions(&mut at_once, now);

        let mut late = new();
        let arrivals = events.iter().flat_map(|event| [0, 1].map(|n| (arrival(event, n), event)));
        deliver(&mut late, arrivals.collect(), now, true);
        for (expected, found) in expected.iter().zip(decisions(&mut late, now)) {
            prop_assert_eq!(&expected.json, &found.json);
        }
    }
}

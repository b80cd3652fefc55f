//! Each row of the tables is one rule of `cae.md` or `policy-semantics.md`.

mod conditions;
mod lifetimes;
mod locations;
mod policies;
mod requests;

use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0";
const USER: &str = "00aa00aa-bb11-cc22-dd33-44ee44ee44ee";
const GROUP: &str = "11bb11bb-cc22-dd33-ee44-55ff55ff55ff";
const OFFICE: &str = "22cc22cc-dd33-ee44-ff55-66aa66aa66aa";
const GERMANY: &str = "33dd33dd-ee44-ff55-aa66-77bb77bb77bb";
const MFA_TRUSTED: &str = "00000000-0000-0000-0000-000000000000";

/// An engine with one Entra issuer that evaluates `policies`.
fn engine(policies: &Value, named_locations: &Value, settings: &Value) -> Configuration {
    let document = json!({
        "resource": {
            "audiences": ["api://orders"],
            "applicationId": "44ee44ee-ff55-aa66-bb77-88cc88cc88cc",
        },
        "issuers": [
            {
                "issuer": ISSUER, "claims": "entra-v2", "algorithms": ["RS256"], "jwks": {"keys": []},
                "challenge": "entra", "policies": policies, "namedLocations": named_locations,
            },
            {
                "issuer": "https://keycloak.example/realms/orders", "claims": "keycloak",
                "algorithms": ["RS256"], "jwks": {"keys": []}, "challenge": "oauth",
                "acrValues": {"mfa": "gold"},
            },
        ],
        "settings": settings,
    });
    Configuration::read(&document.to_string()).unwrap()
}

fn policy(name: &str, grant: &Value, conditions: &Value) -> Value {
    let all = json!({
        "users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]},
    });
    json!({
        "displayName": name, "state": "enabled",
        "grantControls": grant, "conditions": patched(&all, conditions),
    })
}

fn controls(operator: &str, controls: &[&str]) -> Value {
    json!({"operator": operator, "builtInControls": controls})
}

/// Blocks every address outside the trusted locations.
fn office_only() -> Value {
    let locations = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
    policy(
        "office only",
        &controls("OR", &["block"]),
        &json!({"locations": locations}),
    )
}

fn with_session(mut policy: Value, session: Value) -> Value {
    policy["sessionControls"] = session;
    policy
}

fn ip_location(id: &str, ranges: &[&str]) -> Value {
    let ranges: Vec<Value> = ranges
        .iter()
        .map(|range| json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": range}))
        .collect();
    json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": "IP",
        "isTrusted": true, "ipRanges": ranges,
    })
}

fn germany() -> Value {
    json!({
        "@odata.type": "#microsoft.graph.countryNamedLocation", "id": GERMANY, "displayName": "DE",
        "countriesAndRegions": ["DE"],
    })
}

/// `base` with the members of `patch`; `null` removes.
fn patched(base: &Value, patch: &Value) -> Value {
    let mut value = base.clone();
    for (name, member) in patch.as_object().unwrap() {
        match member {
            Value::Null => value.as_object_mut().unwrap().remove(name),
            member => value
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), member.clone()),
        };
    }
    value
}

/// A capable client's user at 1.1.1.1 who signed in a minute ago, changed by `patch`.
fn ask(engine: &Configuration, patch: &Value) -> Value {
    let request = json!({
        "issuer": ISSUER, "now": NOW, "user": USER, "memberOf": [], "roles": [], "userType": "member",
        "clientCapabilities": ["CP1"], "clientAppType": "browser", "platform": "windows",
        "ipAddress": "1.1.1.1", "authTime": NOW - 60, "satisfied": [], "random": 0,
    });
    let answer = sign_in_json(engine, &patched(&request, patch).to_string());
    json::parse(answer.as_bytes(), Limits::DOCUMENT).unwrap()
}

/// Every member of `expected` is in `answer`; `null` is an absent one.
#[track_caller]
fn assert_holds(answer: &Value, expected: &Value, what: &str) {
    for (name, expected) in expected.as_object().unwrap() {
        let found = answer.get(name).unwrap_or(&Value::Null);
        assert_eq!(found, expected, "{what}: `{name}` of {answer}");
    }
}

fn nothing() -> Value {
    json!([])
}

#[test]
fn accounts_and_sessions() {
    let engine = engine(&nothing(), &nothing(), &json!({}));
    for (what, request, expected) in [
        (
            "plain",
            json!({}),
            json!({
                "result": "grant", "error": null, "unmet": [], "lifetimeSeconds": 72_000, "notBefore": null,
                "claims": {"xms_cc": ["cp1"], "xms_ssm": "1"},
                "continuousAccessEvaluation": {
                    "enabled": true, "strictLocation": true, "locationExempt": false, "lifetime": "longLived",
                },
            }),
        ),
        (
            "disabled",
            json!({"accountEnabled": false}),
            json!({"result": "block", "error": "invalid_grant", "code": "AADSTS50057", "lifetimeSeconds": null}),
        ),
        (
            "revoked after the sign-in",
            json!({"sessionsValidFrom": NOW - 59}),
            json!({
                "result": "interactionRequired", "error": "invalid_grant", "code": "AADSTS50173",
                "unmet": ["signIn"], "claims": {}, "continuousAccessEvaluation": null,
            }),
        ),
        (
            "signed in in the first valid second",
            json!({"sessionsValidFrom": NOW - 60}),
            json!({"result": "grant"}),
        ),
        (
            "a client that cannot be challenged",
            json!({"clientCapabilities": []}),
            json!({"lifetimeSeconds": 3_600, "claims": {}}),
        ),
        (
            "a client that says so in its claims request",
            json!({"clientCapabilities": null, "claims": {"access_token": {"xms_cc": {"values": ["cp1"]}}}}),
            json!({"lifetimeSeconds": 72_000, "claims": {"xms_cc": ["cp1"], "xms_ssm": "1"}}),
        ),
        (
            "a workload authenticates each time",
            json!({"user": null, "servicePrincipal": USER, "authTime": null, "userType": null}),
            json!({"result": "grant", "lifetimeSeconds": 72_000}),
        ),
    ] {
        assert_holds(&ask(&engine, &request), &expected, what);
    }
}

proptest! {
    #[test]
    fn more_controls_met_never_make_it_worse(
        held in proptest::sample::subsequence(alloc::vec!["mfa", "compliantDevice", "c1", "passwordChange"], 0..4),
        more in proptest::sample::select(alloc::vec!["mfa", "compliantDevice", "c1", "passwordChange"]),
        group in any::<bool>(),
    ) {
        let users = json!({"users": {"includeGroups": [GROUP]}});
        let engine = engine(
            &json!([
                policy("a", &controls("OR", &["mfa", "compliantDevice"]), &json!({})),
                policy("b", &controls("AND", &["mfa", "passwordChange"]), &users),
            ]),
            &nothing(),
            &json!({}),
        );
        let member_of = if group { json!([GROUP]) } else { json!([]) };
        let request = json!({
            "memberOf": member_of, "satisfied": held, "claims": {"access_token": {"acrs": {"value": "c1"}}},
        });
        let before = ask(&engine, &request);
        let mut satisfied = held;
        satisfied.push(more);
        let after = ask(&engine, &patched(&request, &json!({"satisfied": satisfied})));
        let missing = |answer: &Value| answer["unmet"].as_array().unwrap().len();
        prop_assert!(missing(&after) <= missing(&before));
    }

    #[test]
    fn any_member_is_read_without_panic(
        name in proptest::sample::select(alloc::vec!["now", "authTime", "claims", "ipAddress", "random", "maxAge", "satisfied", "acrValues"]),
        value in proptest::prop_oneof![
            any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from), any::<u64>().prop_map(Value::from), Just(json!([[]])), Just(json!({"access_token": 1})),
        ],
    ) {
        let engine = engine(&nothing(), &nothing(), &json!({}));
        let answer = ask(&engine, &json!({name: value}));
        prop_assert!(answer["result"].is_string());
    }
}

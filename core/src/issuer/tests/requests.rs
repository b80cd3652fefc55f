//! Claims requests and step-up (`cae.md` §5, RFC 9470), and requests that cannot be read.

use serde_json::json;

use super::*;

#[test]
fn claims_requests_are_answered() {
    let engine = engine(&nothing(), &nothing(), &json!({}));
    let keycloak = |request: Value| {
        let base = json!({"issuer": "https://keycloak.example/realms/orders"});
        patched(&base, &request)
    };
    for (what, request, expected) in [
        (
            "a time of the past",
            json!({"claims": {"access_token": {"nbf": {"essential": true, "value": "1600000000"}}}}),
            json!({"result": "grant", "notBefore": NOW, "claims": {"nbf": NOW, "xms_cc": ["cp1"], "xms_ssm": "1"}}),
        ),
        (
            "the resource's clock is ahead; as text",
            json!({"claims": r#"{"access_token":{"nbf":{"value":1700000060}}}"#}),
            json!({"result": "grant", "notBefore": NOW + 60}),
        ),
        (
            "too far ahead",
            json!({"claims": {"access_token": {"nbf": {"value": "1700000061"}}}}),
            json!({"result": "error", "faults": [{"at": "/claims", "code": "sign_in.not_yet", "message": "`nbf` lies in the future: no token can answer it yet"}]}),
        ),
        (
            "a context that is met",
            json!({"satisfied": ["c1", "mfa"], "claims": {"access_token": {"acrs": {"value": "c1"}}}}),
            json!({"result": "grant", "claims": {"acrs": ["c1"], "xms_cc": ["cp1"], "xms_ssm": "1"}}),
        ),
        (
            "a context that is not",
            json!({"satisfied": ["c1"], "claims": {"access_token": {"acrs": {"values": ["c1", "c2"]}}}}),
            json!({"result": "interactionRequired", "error": "interaction_required", "unmet": ["authenticationContext:c2"]}),
        ),
        (
            "an issuer that honours no time",
            keycloak(json!({"claims": {"access_token": {"nbf": {"value": "1600000000"}}}})),
            json!({"result": "grant", "notBefore": null, "claims": {}, "lifetimeSeconds": 3_600}),
        ),
        (
            "a class, shown by the control that stands for it",
            keycloak(json!({"acrValues": ["platinum", "gold"], "satisfied": ["mfa"]})),
            json!({"result": "grant", "claims": {"acr": "gold"}}),
        ),
        (
            "a class that is not met, a sign-in too old",
            keycloak(json!({"acrValues": ["gold"], "maxAge": 59})),
            json!({"result": "interactionRequired", "error": "unmet_authentication_requirements", "unmet": ["acr:gold", "maxAge"]}),
        ),
        (
            "just young enough",
            keycloak(json!({"maxAge": 60})),
            json!({"result": "grant"}),
        ),
    ] {
        assert_holds(&ask(&engine, &request), &expected, what);
    }
}

#[test]
fn every_fault_of_a_request_is_told() {
    let engine = engine(&nothing(), &nothing(), &json!({}));
    let answer = ask(
        &engine,
        &json!({
            "issuer": "https://other.example", "now": "soon", "servicePrincipal": USER, "authTime": 1e15,
            "userType": "robot", "ipAddress": "1.1.1", "satisfied": [1], "random": null, "lifetimePolicy": 599,
            "claims": "{", "a/b": 1,
        }),
    );
    let mut faults: Vec<&str> = answer["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["at"].as_str().unwrap())
        .collect();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            "/authTime",
            "/a~1b",
            "/claims",
            "/ipAddress",
            "/issuer",
            "/lifetimePolicy",
            "/now",
            "/random",
            "/satisfied",
            "/user",
            "/userType",
        ]
    );
    assert_eq!(answer["result"], "error");
    for text in ["", "[]", "{}", r#"{"now":1,"now":1}"#] {
        let answer = sign_in_json(&engine, text);
        assert!(
            answer.starts_with(r#"{"result":"error","faults":[{"at":"#),
            "{answer}"
        );
    }
}

//! Check 1, route and liveness.

use super::*;
use crate::time::UnixTime;

/// RFC 7638 §3.1.
const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

#[test]
fn a_plain_allow_rests_on_the_keys_of_the_token() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    let verdict = host.ask(&token, START + 10);
    assert_eq!(told(&verdict), "allow 200 []");
    let json: Value = serde_json::from_str(verdict.json.as_deref().unwrap()).unwrap();
    assert_eq!(json["keys"].as_array().unwrap().len(), 6, "{json}");
    let checks: Vec<&str> = json["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["check"].as_str().unwrap())
        .collect();
    for check in [
        "token.signature",
        "token.audience",
        "token.times",
        "token.proof",
        "event",
        "route",
        "signals",
    ] {
        assert!(
            checks.contains(&check),
            "an explanation lists {check}: {checks:?}"
        );
    }
    assert_eq!(
        verdict.revisit_at,
        Some(UnixTime::from_secs(START + 86_400 + 60))
    );
    assert!(verdict.changes.is_empty());
}

#[test]
fn what_is_not_a_token_for_us_gets_401_without_a_claims_challenge() {
    let host = Host::new(Dialect::Entra, json!([]), json!({}));
    let cases = [
        (String::new(), "deny 401 [token_missing]"),
        (
            "a.b".into(),
            "deny 401 [token_malformed] error=invalid_token",
        ),
        (
            host.token(START, json!({"aud": "another"})),
            "deny 401 [token_audience] error=invalid_token",
        ),
        (
            host.token(START, json!({"exp": START + 5})),
            "deny 401 [token_expired] error=invalid_token",
        ),
        (
            host.token(START + 90_000, json!({})),
            "deny 401 [token_not_yet_valid] error=invalid_token",
        ),
        (
            host.token(START, json!({"iss": "https://other.example"})),
            "deny 401 [token_issuer] error=invalid_token",
        ),
        (
            host.token(START, json!({"exp": null})),
            "deny 401 [token_claims] error=invalid_token",
        ),
        (
            host.token(START, json!({"cnf": {"jkt": THUMBPRINT}})),
            "deny 401 [token_unproven] error=invalid_token",
        ),
    ];
    let mut host = host;
    for (token, expected) in cases {
        assert_eq!(told(&host.ask(&token, START + 80)), expected);
    }
}

#[test]
fn a_token_of_the_future_says_when_to_come_back() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({"nbf": START + 200}));
    for now in [START, START + 139] {
        let verdict = host.ask(&token, now);
        assert_eq!(
            told(&verdict),
            "deny 401 [token_not_yet_valid] error=invalid_token"
        );
        assert_eq!(verdict.revisit_at, Some(UnixTime::from_secs(START + 140)));
    }
    assert_eq!(told(&host.ask(&token, START + 140)), "allow 200 []");
}

#[test]
fn age_is_capped_whatever_exp_says() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let capable = host.token(START, json!({"exp": START + 1_000_000}));
    let other = host.token(START, json!({"exp": START + 1_000_000, "xms_cc": null}));
    // Cap, backdating of the preset, skew: the first second that is too late.
    for (token, cap) in [(capable, 100_800 + 300 + 60), (other, 86_400 + 300 + 60)] {
        assert_eq!(told(&host.ask(&token, START + cap - 1)), "allow 200 []");
        assert_eq!(
            told(&host.ask(&token, START + cap)),
            "deny 401 [token_too_old] error=invalid_token"
        );
    }
}

#[test]
fn a_bound_token_needs_its_proof_and_dpop_needs_a_bound_token() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let bound = host.token(START, json!({"cnf": {"jkt": THUMBPRINT}}));
    let free = host.token(START, json!({}));
    let dpop = Request {
        scheme: Some("dpop"),
        ..at(START)
    };
    assert_eq!(
        told(&host.request_with(&bound, &dpop, Some(THUMBPRINT))),
        "allow 200 []"
    );
    assert_eq!(
        told(&host.request_with(&bound, &dpop, Some("other"))),
        "deny 401 [token_unproven] error=invalid_token"
    );
    assert_eq!(
        told(&host.request(&free, &dpop)),
        "deny 401 [token_unproven] error=invalid_token"
    );
    let basic = Request {
        scheme: Some("Basic"),
        ..at(START)
    };
    assert_eq!(
        told(&host.request(&free, &basic)),
        "deny 400 [request_malformed] error=invalid_request"
    );
}

#[test]
fn the_route_may_ask_for_scopes_and_contexts() {
    let settings = json!({
        "requiredScopes": {"/admin": "orders.admin"},
        "requiredAuthenticationContexts": {"/payments": "c1"},
    });
    let mut host = Host::new(Dialect::Entra, json!([]), settings);
    let token = host.token(START, json!({}));
    let incapable = host.token(START, json!({"xms_cc": null}));
    let stepped_up = host.token(START, json!({"acrs": ["c1"]}));
    let path = |path| Request {
        path: Some(path),
        ..at(START)
    };
    for (token, request, expected) in [
        (&token, path("/orders"), "allow 200 []"),
        (
            &token,
            path("/admin"),
            "deny 403 [scope_missing] error=insufficient_scope scope=orders.admin",
        ),
        (
            &token,
            path("/payments/1"),
            "challenge 401 [authentication_context_missing] error=insufficient_claims acrs=c1",
        ),
        (
            &incapable,
            path("/payments/1"),
            "deny 403 [authentication_context_missing]",
        ),
        (&stepped_up, path("/payments/1"), "allow 200 []"),
        (&token, at(START), "deny 503 [missing_fact:path]"),
    ] {
        assert_eq!(told(&host.request(token, &request)), expected);
    }
}

#[test]
fn stale_signals_are_reported_shorten_tokens_or_deny() {
    let fresh = [(TRANSMITTER, 30)];
    let stale = [(TRANSMITTER, 9_000)];
    for (setting, age, issued, expected) in [
        ("report", &stale[..], 0, "allow 200 [signals_stale]"),
        ("report", &fresh[..], 0, "allow 200 []"),
        (
            "shortTokens",
            &stale[..],
            0,
            "challenge 401 [signals_stale] error=insufficient_claims nbf=+1400",
        ),
        ("shortTokens", &stale[..], 1_400, "allow 200 []"),
        ("shortTokens", &fresh[..], 0, "allow 200 []"),
        (
            "shortTokens",
            &[][..],
            0,
            "deny 503 [missing_fact:signalAge]",
        ),
        ("deny", &stale[..], 0, "deny 503 [signals_stale]"),
        ("deny", &fresh[..], 0, "allow 200 []"),
    ] {
        let settings = json!({"onStaleSignals": setting, "maxSignalAgeSeconds": 600});
        let mut host = Host::new(Dialect::Entra, json!([]), settings);
        let token = host.token(START + issued, json!({}));
        let request = Request {
            signal_age: age,
            ..at(START + 5_000)
        };
        assert_eq!(
            told(&host.request(&token, &request)),
            expected,
            "{setting} {age:?}"
        );
    }
}

#[test]
fn no_instant_and_no_duration_is_too_large_to_answer() {
    let mut frequency = policy("frequency", json!({}), Value::Null);
    frequency["sessionControls"] = json!({"signInFrequency": {
        "isEnabled": true, "value": u64::MAX / 86_400, "type": "days", "frequencyInterval": "timeBased",
    }});
    frequency["modifiedDateTime"] = json!("9999-12-31T23:59:59Z");
    let risky = policy("risky", json!({"userRiskLevels": ["low"]}), block());
    let place = policy("place", outside_the_office(), block());
    let settings = json!({
        "maxSignalAgeSeconds": 86_400, "onStaleSignals": "shortTokens",
        "policyChangedAt": {"risky": 253_402_300_799_u64},
    });
    let mut host = Host::new(Dialect::Entra, json!([frequency, risky, place]), settings);
    let latest = 1_u64 << 53;
    for at in [0, 1, START, latest, u64::MAX - 1, u64::MAX] {
        for (issued, expires) in [(0, latest), (latest, latest), (START, START + 1)] {
            let claims = json!({"iat": issued, "nbf": issued, "exp": expires, "auth_time": latest});
            let token = host.token(START, claims);
            for age in [0, u64::MAX] {
                let request = Request {
                    signal_age: &[(TRANSMITTER, age)],
                    ..from(OUTSIDE, at)
                };
                let verdict = host.request(&token, &request);
                assert_ne!(verdict.outcome.as_str(), "allow", "{at} {issued} {age}");
            }
        }
        let event = json!({"current_level": "LOW", "principal": "USER"});
        host.event("caep/event-type/risk-level-change", at, event);
        host.event("risc/event-type/account-disabled", at, json!({}));
    }
}

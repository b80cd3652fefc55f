//! Location policies, remembered challenges, and who gets in again.

use super::*;

fn location_host(settings: Value) -> Host {
    let policies = json!([policy("office-only", outside_the_office(), block())]);
    Host::new(Dialect::Entra, policies, settings)
}

#[test]
fn a_refused_location_is_challenged_with_the_address_that_the_resource_saw() {
    let mut host = location_host(json!({}));
    let token = host.token(START, json!({}));
    assert_eq!(
        told(&host.request(&token, &from(INSIDE, START + 10))),
        "allow 200 []"
    );
    let challenge =
        "challenge 401 [policy_location] error=insufficient_claims nbf=+20 ip=198.51.100.9";
    let verdict = host.request(&token, &from(OUTSIDE, START + 20));
    assert_eq!(told(&verdict), challenge);
    assert_eq!(verdict.changes.len(), 1, "the challenge is remembered");
    // The same challenge again, and nothing more to remember.
    let verdict = host.request(&token, &from(OUTSIDE, START + 900));
    assert_eq!(told(&verdict), challenge);
    assert!(verdict.changes.is_empty());
}

#[test]
fn an_answering_token_is_exempt_in_standard_mode_and_forbidden_in_strict_mode() {
    for (mode, answer, later) in [
        (
            "standard",
            "allow 200 []",
            "challenge 401 [policy_location] error=insufficient_claims nbf=+3620 ip=198.51.100.9",
        ),
        (
            "strict",
            "deny 403 [policy_location]",
            "challenge 401 [policy_location] error=insufficient_claims nbf=+3620 ip=198.51.100.9",
        ),
    ] {
        let mut host = location_host(json!({"locationEnforcement": mode}));
        let old = host.token(START, json!({}));
        assert_eq!(host.request(&old, &from(OUTSIDE, START + 20)).status, 401);
        // The new token's `iat` is backdated by five minutes; its `nbf` answers.
        let new = host.token(START + 30 - 300, json!({"nbf": START + 30}));
        let verdict = host.request(&new, &from(OUTSIDE, START + 40));
        assert_eq!(told(&verdict), answer, "{mode}");
        assert_eq!(
            verdict.revisit_at,
            Some(UnixTime::from_secs(START + 3_620)),
            "{mode}"
        );
        // A thief with the old token stays out, from the same address.
        assert_eq!(
            host.request(&old, &from(OUTSIDE, START + 50)).status,
            401,
            "{mode}"
        );
        // From a third address the new token is challenged like any other.
        assert_eq!(
            host.request(&new, &from("192.0.2.77", START + 60)).status,
            401,
            "{mode}"
        );
        // The exemption ends with the hour.
        assert_eq!(
            told(&host.request(&new, &from(OUTSIDE, START + 3_620))),
            later,
            "{mode}"
        );
    }
}

#[test]
fn a_strict_policy_is_strict_whatever_the_setting() {
    // A mode that nobody here knows may be stricter still.
    for (mode, expected) in [
        ("strictLocation", "deny 403 [policy_location]"),
        ("strictEnforcement", "deny 403 [policy_location]"),
        ("strictestOfAll", "deny 403 [policy_location]"),
        ("disabled", "allow 200 []"),
    ] {
        let mut strict = policy("office-only", outside_the_office(), block());
        strict["sessionControls"] = json!({"continuousAccessEvaluation": {"mode": mode}});
        let mut host = Host::new(
            Dialect::Entra,
            json!([strict]),
            json!({"locationEnforcement": "standard"}),
        );
        let old = host.token(START, json!({}));
        assert_eq!(host.request(&old, &from(OUTSIDE, START + 20)).status, 401);
        let new = host.token(START + 30, json!({}));
        let verdict = host.request(&new, &from(OUTSIDE, START + 40));
        assert_eq!(told(&verdict), expected, "{mode}");
    }
}

#[test]
fn nobody_else_is_challenged_for_a_location() {
    let policies = json!([policy("office-only", outside_the_office(), block())]);
    // Not capable; and an issuer that knows nothing of the policy.
    let mut host = Host::new(Dialect::Entra, policies.clone(), json!({}));
    let incapable = host.token(START, json!({"xms_cc": null}));
    assert_eq!(
        told(&host.request(&incapable, &from(OUTSIDE, START + 10))),
        "deny 403 [policy_location]"
    );
    let mut host = Host::new(Dialect::Keycloak, policies, json!({}));
    let token = host.token(START, json!({}));
    assert_eq!(
        told(&host.request(&token, &from(OUTSIDE, START + 10))),
        "deny 403 [policy_location]"
    );
}

#[test]
fn a_missing_or_hidden_address_is_a_missing_fact() {
    for (settings, address, expected) in [
        (json!({}), None, "deny 503 [missing_fact:clientIp]"),
        (
            json!({}),
            Some("not an address"),
            "deny 503 [missing_fact:clientIp]",
        ),
        (
            json!({}),
            Some("10.1.2.3"),
            "deny 503 [missing_fact:clientIp]",
        ),
        (json!({}), Some("::1"), "deny 503 [missing_fact:clientIp]"),
        (json!({}), Some("::ffff:203.0.113.9"), "allow 200 []"),
        (
            json!({"privateAddresses": "ordinary"}),
            Some("10.1.2.3"),
            "challenge 401 [policy_location] error=insufficient_claims nbf=+10 ip=10.1.2.3",
        ),
    ] {
        let mut host = location_host(settings);
        let token = host.token(START, json!({}));
        let request = Request {
            now: UnixTime::from_secs(START + 10),
            client_ip: address,
            ..Request::default()
        };
        assert_eq!(
            told(&host.request(&token, &request)),
            expected,
            "{address:?}"
        );
    }
    // A policy that does not look at the address does not ask for it.
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    let request = Request {
        now: UnixTime::from_secs(START),
        ..Request::default()
    };
    assert_eq!(told(&host.request(&token, &request)), "allow 200 []");
}

#[test]
fn an_exemption_ends_with_the_token() {
    let mut host = location_host(json!({"locationEnforcement": "standard"}));
    let old = host.token(START, json!({}));
    assert_eq!(host.request(&old, &from(OUTSIDE, START + 20)).status, 401);
    let new = host.token(START + 30, json!({"exp": START + 100}));
    assert_eq!(
        told(&host.request(&new, &from(OUTSIDE, START + 99))),
        "allow 200 []"
    );
    // The skew of clocks keeps the token alive, not its exemption.
    assert_eq!(
        told(&host.request(&new, &from(OUTSIDE, START + 100))),
        "challenge 401 [policy_location] error=insufficient_claims nbf=+20 ip=198.51.100.9"
    );
}

#[test]
fn two_policies_of_one_place_are_one_thing_to_remember() {
    let policies = json!([
        policy("one", outside_the_office(), block()),
        policy("two", outside_the_office(), block())
    ]);
    let mut host = Host::new(Dialect::Entra, policies, json!({}));
    let token = host.token(START, json!({}));
    let verdict = host.request(&token, &from(OUTSIDE, START + 20));
    assert_eq!((verdict.status, verdict.changes.len()), (401, 1));
}

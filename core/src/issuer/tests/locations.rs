//! The address that the resource saw (`cae.md` §9).

use serde_json::json;

use super::*;

#[test]
fn the_three_topologies_in_both_modes() {
    // SPEC: cae.md §9, "Network topology table". The issuer sees 1.1.1.1, the resource 2.2.2.2.
    let dedicated = ip_location(OFFICE, &["1.1.1.1/32", "2.2.2.2/32"]);
    let issuer_only = ip_location(OFFICE, &["1.1.1.1/32"]);
    let strict_policy = || {
        with_session(
            office_only(),
            json!({"continuousAccessEvaluation": {"mode": "strictLocation"}}),
        )
    };
    let redirected = json!({"claims": {"access_token": {
        "nbf": {"essential": true, "value": "1700000000"}, "xms_rp_ipaddr": {"value": "2.2.2.2"},
    }}});
    let long = |strict: bool| {
        json!({
            "result": "grant", "lifetimeSeconds": 72_000,
            "continuousAccessEvaluation": {
                "enabled": true, "strictLocation": strict, "locationExempt": false, "lifetime": "longLived",
            },
        })
    };
    let one_hour = json!({
        "result": "grant", "lifetimeSeconds": 3_600, "notBefore": NOW,
        "continuousAccessEvaluation": {
            "enabled": true, "strictLocation": false, "locationExempt": true, "lifetime": "oneHour",
        },
    });
    let blocked = json!({"result": "block", "unmet": ["block"], "lifetimeSeconds": null});
    let (standard, strict) = (json!("standard"), json!("strict"));
    for (what, mode, policies, locations, request, expected) in [
        (
            "1, standard, first",
            &standard,
            json!([office_only()]),
            json!([dedicated]),
            json!({}),
            long(false),
        ),
        (
            "1, standard, redirected",
            &standard,
            json!([office_only()]),
            json!([dedicated]),
            redirected.clone(),
            long(false),
        ),
        (
            "1, strict, redirected",
            &strict,
            json!([office_only()]),
            json!([dedicated]),
            redirected.clone(),
            long(true),
        ),
        (
            "2, standard, first",
            &standard,
            json!([office_only()]),
            json!([issuer_only]),
            json!({}),
            long(false),
        ),
        (
            "2, standard, redirected",
            &standard,
            json!([office_only()]),
            json!([issuer_only]),
            redirected.clone(),
            one_hour,
        ),
        (
            "2, strict, first",
            &strict,
            json!([office_only()]),
            json!([issuer_only]),
            json!({}),
            long(true),
        ),
        (
            "2, strict, redirected",
            &strict,
            json!([office_only()]),
            json!([issuer_only]),
            redirected.clone(),
            blocked.clone(),
        ),
        (
            "2, strict by policy, redirected",
            &standard,
            json!([strict_policy()]),
            json!([issuer_only]),
            redirected.clone(),
            blocked.clone(),
        ),
        (
            "3, standard, redirected",
            &standard,
            json!([]),
            json!([]),
            redirected.clone(),
            long(false),
        ),
        (
            "3, strict, redirected",
            &strict,
            json!([]),
            json!([]),
            redirected.clone(),
            long(true),
        ),
        (
            "a refused address at the issuer is refused in every mode",
            &standard,
            json!([office_only()]),
            json!([dedicated]),
            json!({"ipAddress": "3.3.3.3"}),
            blocked.clone(),
        ),
        (
            "the same address seen twice, IPv4-mapped",
            &standard,
            json!([office_only()]),
            json!([issuer_only]),
            json!({"claims": {"access_token": {"xms_rp_ipaddr": {"value": "::ffff:1.1.1.1"}}}}),
            long(false),
        ),
    ] {
        let engine = engine(&policies, &locations, &json!({"locationEnforcement": mode}));
        assert_holds(&ask(&engine, &request), &expected, what);
    }
}

#[test]
fn a_missing_control_elsewhere_can_be_met_in_strict_mode() {
    let locations = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
    let mfa = policy(
        "mfa",
        &controls("OR", &["mfa"]),
        &json!({"locations": locations}),
    );
    let office = json!([ip_location(OFFICE, &["1.1.1.1/32"])]);
    let engine = engine(&json!([mfa]), &office, &json!({}));
    let redirected = json!({"claims": {"access_token": {"xms_rp_ipaddr": {"value": "2.2.2.2"}}}});
    let answer = ask(&engine, &redirected);
    assert_holds(
        &answer,
        &json!({"result": "interactionRequired", "unmet": ["mfa"]}),
        "strict",
    );
    let answer = ask(
        &engine,
        &patched(&redirected, &json!({"satisfied": ["mfa"]})),
    );
    assert_holds(
        &answer,
        &json!({"result": "grant", "lifetimeSeconds": 72_000}),
        "met",
    );
}

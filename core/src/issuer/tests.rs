//! Each row of the tables is one rule of `cae.md` or `policy-semantics.md`.

use alloc::string::String;
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

#[test]
fn policies_decide_together() {
    let mfa = policy("mfa", &controls("OR", &["mfa"]), &json!({}));
    let either = policy(
        "either",
        &controls("OR", &["mfa", "compliantDevice"]),
        &json!({}),
    );
    let both = policy(
        "both",
        &controls("AND", &["mfa", "compliantDevice"]),
        &json!({}),
    );
    let users = json!({"includeGroups": [GROUP]});
    let block = policy(
        "block",
        &controls("OR", &["block"]),
        &json!({"users": users}),
    );
    let risky = policy(
        "risk",
        &controls("AND", &["mfa"]),
        &json!({"userRiskLevels": ["high"]}),
    );
    let abroad = json!({"includeLocations": ["All"], "excludeLocations": [GERMANY]});
    let abroad = policy(
        "abroad",
        &controls("OR", &["block"]),
        &json!({"locations": abroad}),
    );
    let report_only = patched(&mfa, &json!({"state": "enabledForReportingButNotEnforced"}));
    let disabled = patched(&block, &json!({"state": "disabled"}));
    let tolerated = patched(&abroad, &json!({"id": "abroad"}));
    for (what, policies, request, expected) in [
        (
            "a control is missing",
            json!([mfa]),
            json!({}),
            json!({"result": "interactionRequired", "error": "interaction_required", "code": null, "unmet": ["mfa"]}),
        ),
        (
            "it is met",
            json!([mfa]),
            json!({"satisfied": ["MFA"]}),
            json!({"result": "grant"}),
        ),
        (
            "one of several, none met: all alternatives",
            json!([either]),
            json!({}),
            json!({"unmet": ["compliantDevice", "mfa"]}),
        ),
        (
            "one of several",
            json!([either]),
            json!({"deviceCompliant": true}),
            json!({"result": "grant"}),
        ),
        (
            "the union over policies",
            json!([mfa, both]),
            json!({"deviceCompliant": true}),
            json!({"unmet": ["mfa"]}),
        ),
        (
            "the directory contradicts the claim",
            json!([both]),
            json!({"deviceCompliant": false, "satisfied": ["mfa", "compliantDevice"]}),
            json!({"unmet": ["compliantDevice"]}),
        ),
        (
            "a block beats everything",
            json!([mfa, block]),
            json!({"memberOf": [GROUP.to_uppercase()], "sessionsValidFrom": NOW}),
            json!({"result": "block", "error": "invalid_grant", "code": null, "unmet": ["block"]}),
        ),
        (
            "not in the group",
            json!([block]),
            json!({}),
            json!({"result": "grant"}),
        ),
        (
            "a workload is no user",
            json!([mfa]),
            json!({"user": null, "servicePrincipal": USER, "userType": null}),
            json!({"result": "grant"}),
        ),
        (
            "report-only and disabled",
            json!([report_only, disabled]),
            json!({"memberOf": [GROUP]}),
            json!({"result": "grant"}),
        ),
        (
            "no risk on record is no risk",
            json!([risky]),
            json!({}),
            json!({"result": "grant"}),
        ),
        (
            "at risk",
            json!([risky]),
            json!({"userRisk": "high"}),
            json!({"unmet": ["mfa"]}),
        ),
        (
            "a level that nobody knows",
            json!([risky]),
            json!({"userRisk": "hidden"}),
            json!({"result": "interactionRequired", "unmet": ["mfa"]}),
        ),
        (
            "at home",
            json!([abroad]),
            json!({"country": "de"}),
            json!({"result": "grant"}),
        ),
        (
            "an unknown country widens nothing",
            json!([abroad]),
            json!({}),
            json!({"result": "block"}),
        ),
        (
            "unless the operator said so of this policy",
            json!([tolerated]),
            json!({}),
            json!({"result": "grant"}),
        ),
    ] {
        let settings = json!({"undetermined": {"default": "deny", "abroad": "report"}});
        let engine = engine(&policies, &json!([germany()]), &settings);
        assert_holds(&ask(&engine, &request), &expected, what);
    }
}

#[test]
fn every_policy_is_told_with_graphs_names() {
    let mfa = policy("mfa", &controls("OR", &["mfa"]), &json!({}));
    let guests = json!({"users": {"includeGroups": [GROUP]}});
    let not_applied = policy("group", &controls("OR", &["block"]), &guests);
    let abroad = json!({"includeLocations": ["All"], "excludeLocations": [GERMANY]});
    let abroad = policy(
        "abroad",
        &controls("OR", &["mfa"]),
        &json!({"locations": abroad}),
    );
    let report_only = patched(
        &mfa,
        &json!({"id": GROUP, "state": "enabledForReportingButNotEnforced"}),
    );
    let policies = json!([mfa, not_applied, abroad, report_only]);
    let answer = ask(
        &engine(&policies, &json!([germany()]), &json!({})),
        &json!({}),
    );
    assert_eq!(
        answer["policies"],
        json!([
            {"index": 0, "displayName": "mfa", "applies": "yes", "analysisReasons": [], "unknown": [], "result": "failure"},
            {"index": 1, "displayName": "group", "applies": "no", "analysisReasons": ["users"], "unknown": [], "result": "notApplied"},
            {"index": 2, "displayName": "abroad", "applies": "undetermined", "analysisReasons": ["notEnoughInformation"], "unknown": ["location"], "result": "undetermined"},
            {"id": GROUP, "displayName": "mfa", "applies": "yes", "analysisReasons": [], "unknown": [], "result": "reportOnlyInterrupted"},
        ])
    );
}

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

#[test]
fn lifetimes_follow_the_session() {
    let frequency = |value: Value| {
        with_session(
            policy("frequency", &json!(null), &json!({})),
            json!({"signInFrequency": value}),
        )
    };
    let hourly = frequency(
        json!({"isEnabled": true, "value": 1, "type": "hours", "frequencyInterval": "timeBased"}),
    );
    let daily = frequency(
        json!({"isEnabled": true, "value": 30, "type": "days", "frequencyInterval": "timeBased"}),
    );
    let always = frequency(json!({"isEnabled": true, "frequencyInterval": "everyTime"}));
    let off = with_session(
        policy("off", &json!(null), &json!({})),
        json!({"continuousAccessEvaluation": {"mode": "disabled"}}),
    );
    let at_home = json!({"includeLocations": ["All"], "excludeLocations": [GERMANY, MFA_TRUSTED]});
    let at_home = policy(
        "home",
        &controls("OR", &["block"]),
        &json!({"locations": at_home}),
    );
    let many: Vec<String> = (0..=5_000)
        .map(|n| alloc::format!("10.{}.{}.0/24", n / 250, n % 250))
        .collect();
    let many: Vec<&str> = many
        .iter()
        .map(String::as_str)
        .chain(["1.1.1.1/32"])
        .collect();
    let locations = json!([
        germany(),
        ip_location(MFA_TRUSTED, &["9.9.9.9/32"]),
        ip_location(OFFICE, &many)
    ]);
    let full = json!({});
    let entra = json!({"profile": "entra"});
    let entra_2020 = json!({"profile": "entra-2020"});
    let incapable = json!({"clientCapabilities": ["cp2"]});
    let prompt = json!({"result": "interactionRequired", "unmet": ["signInFrequency"]});
    let lives = |seconds: u64, rule: &str, enabled: bool| json!({"result": "grant", "lifetimeSeconds": seconds, "enabled": enabled, "lifetime": rule});
    for (what, policies, settings, request, expected) in [
        (
            "the most",
            json!([]),
            &full,
            json!({"random": 28_800}),
            lives(100_800, "longLived", true),
        ),
        (
            "without cp1",
            json!([]),
            &full,
            patched(&incapable, &json!({"random": 1_800})),
            lives(5_400, "default", false),
        ),
        (
            "configured",
            json!([]),
            &full,
            patched(&incapable, &json!({"lifetimePolicy": 600})),
            lives(600, "configured", false),
        ),
        (
            "configured, ignored",
            json!([]),
            &full,
            json!({"lifetimePolicy": 600}),
            lives(72_000, "longLived", true),
        ),
        (
            "turned off",
            json!([off]),
            &full,
            json!({}),
            lives(3_600, "default", false),
        ),
        (
            "hourly prompt",
            json!([hourly]),
            &full,
            json!({}),
            lives(3_600, "signInFrequency", true),
        ),
        (
            "hourly prompt, no cp1",
            json!([hourly]),
            &full,
            patched(&incapable, &json!({"lifetimePolicy": 600})),
            lives(3_600, "default", false),
        ),
        (
            "in time",
            json!([hourly]),
            &full,
            json!({"authTime": NOW - 3_600}),
            lives(3_600, "signInFrequency", true),
        ),
        (
            "too late",
            json!([hourly]),
            &full,
            json!({"authTime": NOW - 3_601}),
            prompt.clone(),
        ),
        (
            "the smallest wins",
            json!([daily, hourly]),
            &full,
            json!({"authTime": NOW - 3_601}),
            prompt.clone(),
        ),
        (
            "monthly prompt",
            json!([daily]),
            &full,
            json!({}),
            lives(72_000, "longLived", true),
        ),
        (
            "every time",
            json!([always]),
            &full,
            json!({"authTime": NOW - 300}),
            lives(3_600, "signInFrequency", true),
        ),
        (
            "every time, late",
            json!([always]),
            &full,
            json!({"authTime": NOW - 301}),
            prompt.clone(),
        ),
        (
            "a workload is never prompted",
            json!([always]),
            &full,
            json!({"user": null, "servicePrincipal": USER, "userType": null}),
            lives(72_000, "longLived", true),
        ),
        (
            "from a country",
            json!([at_home]),
            &full,
            json!({"country": "DE"}),
            lives(3_600, "oneHour", true),
        ),
        (
            "from MFA trusted IPs",
            json!([at_home]),
            &full,
            json!({"ipAddress": "9.9.9.9"}),
            lives(3_600, "oneHour", true),
        ),
        (
            "countries at the resource",
            json!([at_home]),
            &json!({"countryAtResource": true}),
            json!({"country": "DE"}),
            lives(72_000, "longLived", true),
        ),
        (
            "more than 5,000 ranges",
            json!([office_only()]),
            &entra,
            json!({}),
            lives(3_600, "oneHour", true),
        ),
        (
            "which full does not count",
            json!([office_only()]),
            &full,
            json!({}),
            lives(72_000, "longLived", true),
        ),
        (
            "a guest",
            json!([]),
            &entra,
            json!({"userType": "guest"}),
            lives(3_600, "default", false),
        ),
        (
            "a guest who is enforced",
            json!([]),
            &full,
            json!({"userType": "guest"}),
            lives(72_000, "longLived", true),
        ),
        (
            "2020",
            json!([]),
            &entra_2020,
            json!({"random": 7}),
            lives(86_400, "longLived", true),
        ),
        (
            "2020, without cp1",
            json!([]),
            &entra_2020,
            patched(&incapable, &json!({"random": 7})),
            lives(3_600, "default", false),
        ),
        (
            "2020, a tenant with policies",
            json!([daily]),
            &entra_2020,
            json!({"random": 7}),
            lives(3_600, "default", false),
        ),
    ] {
        let mut answer = ask(&engine(&policies, &locations, settings), &request);
        if let Some(Value::Object(session)) = answer.get("continuousAccessEvaluation").cloned() {
            answer.as_object_mut().unwrap().extend(session);
        }
        assert_holds(&answer, &expected, what);
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

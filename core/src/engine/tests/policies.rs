//! Check 3 without locations: controls, blocks, sign-in frequency, outdated and undetermined policies.

use super::*;

const CHANGED: u64 = START + 1_000;

fn controls(operator: &str, controls: &[&str]) -> Value {
    json!({"operator": operator, "builtInControls": controls})
}

fn changed(mut policy: Value) -> Value {
    // 2027-01-15T08:16:40Z is `CHANGED`.
    policy["modifiedDateTime"] = json!("2027-01-15T08:16:40Z");
    policy
}

fn no_grace() -> Value {
    json!({"policyChangeGraceSeconds": 0})
}

#[test]
fn a_control_that_a_new_token_can_show_is_asked_for_in_the_issuers_words() {
    let mfa = policy("mfa", json!({}), controls("OR", &["mfa"]));
    let password = json!({"amr": ["pwd"]});
    for (dialect, issuer, claims, expected) in [
        // The issuer evaluates the policy itself: earlier than the change → challenge, not earlier → forbidden.
        (
            Dialect::Entra,
            json!({"policies": [changed(mfa.clone())]}),
            json!({"amr": ["pwd"], "iat": START, "nbf": START}),
            "challenge 401 [policy_control_unmet policy_changed] error=insufficient_claims nbf=+1000",
        ),
        (
            Dialect::Entra,
            json!({"policies": [changed(mfa.clone())]}),
            json!({"amr": ["pwd"], "iat": CHANGED, "nbf": CHANGED}),
            "deny 403 [policy_control_unmet]",
        ),
        (
            Dialect::Entra,
            json!({"policies": [mfa.clone()]}),
            json!({"amr": ["pwd"], "xms_cc": null}),
            "deny 403 [policy_control_unmet]",
        ),
        (
            Dialect::Entra,
            json!({"policies": [mfa.clone()]}),
            json!({"amr": ["pwd", "mfa"]}),
            "allow 200 []",
        ),
        // Other issuers: `acr_values` from the map, each time; no mapping, no way to ask.
        (
            Dialect::Keycloak,
            json!({"policies": [mfa.clone()], "acrValues": {"mfa": "gold"}}),
            json!({"acr": "silver"}),
            "challenge 401 [policy_control_unmet] error=insufficient_user_authentication acr_values=gold",
        ),
        (
            Dialect::Keycloak,
            json!({"policies": [mfa.clone()], "acrValues": {"mfa": "gold"}}),
            json!({"acr": "gold"}),
            "allow 200 []",
        ),
        (
            Dialect::Keycloak,
            json!({"policies": [mfa.clone()]}),
            password,
            "deny 403 [policy_control_unmet]",
        ),
        // No evidence at all: for an issuer that does not know the policy it is unmet.
        (
            Dialect::Keycloak,
            json!({"policies": [mfa.clone()], "acrValues": {"mfa": "gold"}}),
            json!({}),
            "challenge 401 [policy_control_unmet] error=insufficient_user_authentication acr_values=gold",
        ),
        // For one that evaluated it, it is undetermined: reported.
        (
            Dialect::Entra,
            json!({"policies": [mfa]}),
            json!({}),
            "allow 200 []",
        ),
    ] {
        let mut host = Host::with(dialect, issuer, no_grace());
        let token = host.token(START, claims.clone());
        assert_eq!(
            told(&host.ask(&token, CHANGED + 10)),
            expected,
            "{dialect:?} {claims}"
        );
    }
}

#[test]
fn a_control_outside_the_office_is_asked_for_where_the_issuer_ignores_locations() {
    let policies = json!([policy(
        "mfa-outside",
        outside_the_office(),
        controls("OR", &["mfa"])
    )]);
    let issuer =
        json!({"policies": policies, "namedLocations": office(), "acrValues": {"mfa": "gold"}});
    for (address, claims, expected) in [
        (INSIDE, json!({"acr": "silver"}), "allow 200 []"),
        (OUTSIDE, json!({"acr": "gold"}), "allow 200 []"),
        (
            OUTSIDE,
            json!({"acr": "silver"}),
            "challenge 401 [policy_control_unmet] error=insufficient_user_authentication acr_values=gold",
        ),
    ] {
        let mut host = Host::with(Dialect::Keycloak, issuer.clone(), json!({}));
        let token = host.token(START, claims.clone());
        assert_eq!(
            told(&host.request(&token, &from(address, START + 10))),
            expected,
            "{address} {claims}"
        );
    }
}

#[test]
fn operators_combine_evidence_and_standing_state() {
    let with = |operator| {
        policy(
            "p",
            json!({}),
            controls(operator, &["mfa", "compliantDevice"]),
        )
    };
    let device = json!({"format": "opaque", "id": DEVICE});
    let compliance = "caep/event-type/device-compliance-change";
    for (operator, status, claims, outcome) in [
        ("AND", Some("compliant"), json!({"amr": ["mfa"]}), "allow"),
        (
            "AND",
            Some("not-compliant"),
            json!({"amr": ["mfa"]}),
            "deny",
        ),
        ("AND", Some("compliant"), json!({"amr": ["pwd"]}), "deny"),
        ("OR", Some("compliant"), json!({"amr": ["pwd"]}), "allow"),
        (
            "OR",
            Some("not-compliant"),
            json!({"amr": ["mfa"]}),
            "allow",
        ),
        ("OR", Some("not-compliant"), json!({"amr": ["pwd"]}), "deny"),
        (
            "OR",
            None,
            json!({"amr": ["pwd"], "signin_state": ["dvc_cmp"]}),
            "allow",
        ),
        (
            "AND",
            None,
            json!({"amr": ["mfa"], "signin_state": ["kmsi"]}),
            "deny",
        ),
    ] {
        let mut host = Host::new(Dialect::Entra, json!([with(operator)]), json!({}));
        let mut claims = claims;
        claims["deviceid"] = json!(DEVICE);
        if let Some(status) = status {
            let previous = if status == "compliant" {
                "not-compliant"
            } else {
                "compliant"
            };
            let change = json!({"current_status": status, "previous_status": previous});
            host.event_about(device.clone(), compliance, START, change);
        }
        let token = host.token(START + 10, claims.clone());
        assert_eq!(
            host.ask(&token, START + 20).outcome.as_str(),
            outcome,
            "{operator} {status:?} {claims}"
        );
    }
}

#[test]
fn a_block_by_risk_is_judged_by_the_time_of_the_risk() {
    let risky = policy("risky", json!({"userRiskLevels": ["high"]}), block());
    let mut host = Host::new(Dialect::Entra, json!([risky]), json!({}));
    let (before, after) = (
        host.token(START, json!({})),
        host.token(START + 200, json!({})),
    );
    let risk = |level| json!({"current_level": level, "principal": "USER"});
    host.event(
        "caep/event-type/risk-level-change",
        START + 100,
        risk("HIGH"),
    );
    assert_eq!(
        told(&host.ask(&before, START + 210)),
        "challenge 401 [risk_level_high policy_block] error=insufficient_claims nbf=+101"
    );
    assert_eq!(
        told(&host.ask(&after, START + 210)),
        "deny 403 [policy_block]"
    );
    host.event(
        "caep/event-type/risk-level-change",
        START + 300,
        risk("LOW"),
    );
    assert_eq!(told(&host.ask(&after, START + 310)), "allow 200 []");
}

#[test]
fn a_block_that_rests_on_nothing_that_changes_is_forbidden_at_once() {
    let policies = json!([changed(policy("closed", json!({}), block()))]);
    let mut host = Host::new(Dialect::Entra, policies, no_grace());
    let token = host.token(START, json!({}));
    assert_eq!(
        told(&host.ask(&token, CHANGED + 10)),
        "deny 403 [policy_block policy_changed]"
    );
}

#[test]
fn sign_in_frequency_is_honoured_by_the_age_of_the_authentication() {
    let with = |frequency: Value| {
        let mut policy = policy("frequency", json!({}), Value::Null);
        policy["sessionControls"] = json!({"signInFrequency": frequency});
        json!([policy])
    };
    let hourly = with(
        json!({"isEnabled": true, "value": 1, "type": "hours", "frequencyInterval": "timeBased"}),
    );
    let always = with(json!({"isEnabled": true, "frequencyInterval": "everyTime"}));
    for (dialect, policies, claims, now, expected) in [
        (
            Dialect::Entra,
            &hourly,
            json!({"auth_time": START}),
            START + 3_599,
            "allow 200 []",
        ),
        (
            Dialect::Entra,
            &hourly,
            json!({"auth_time": START}),
            START + 3_600,
            "challenge 401 [policy_sign_in_frequency] error=insufficient_claims nbf=+3600",
        ),
        (
            Dialect::Keycloak,
            &hourly,
            json!({"auth_time": START - 3_600}),
            START + 10,
            "challenge 401 [policy_sign_in_frequency] error=insufficient_user_authentication max_age=3600",
        ),
        (
            Dialect::Entra,
            &hourly,
            json!({}),
            START + 10,
            "allow 200 []",
        ),
        (
            Dialect::Entra,
            &always,
            json!({"auth_time": START - 300}),
            START + 3_000,
            "allow 200 []",
        ),
        (
            Dialect::Entra,
            &always,
            json!({"auth_time": START - 301}),
            START + 3_000,
            "deny 403 [policy_sign_in_frequency]",
        ),
    ] {
        let mut host = Host::new(dialect, policies.clone(), json!({}));
        let token = host.token(START, claims.clone());
        assert_eq!(
            told(&host.ask(&token, now)),
            expected,
            "{dialect:?} {claims}"
        );
    }
}

#[test]
fn a_changed_policy_sends_older_tokens_back_after_its_grace() {
    let policies = json!([changed(policy("mfa", json!({}), controls("OR", &["mfa"])))]);
    let mut host = Host::new(Dialect::Entra, policies.clone(), json!({}));
    let old = host.token(START, json!({"amr": ["mfa"]}));
    let new = host.token(CHANGED, json!({"amr": ["mfa"]}));
    let verdict = host.ask(&old, CHANGED);
    assert_eq!(told(&verdict), "allow 200 []");
    let due = verdict.revisit_at.unwrap().as_secs();
    assert!((CHANGED..=CHANGED + 7_200).contains(&due), "{due}");
    assert_eq!(
        told(&host.ask(&old, due)),
        "challenge 401 [policy_changed] error=insufficient_claims nbf=+1000"
    );
    assert_eq!(told(&host.ask(&new, due)), "allow 200 []");
}

#[test]
fn what_cannot_be_told_is_reported_ignored_or_denied() {
    let devices = json!({"devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -eq True"}}});
    let policies = json!([policy("filter", devices, block())]);
    for (setting, outcome, listed) in [
        ("report", "allow", 1),
        ("ignore", "allow", 0),
        ("deny", "deny", 1),
    ] {
        let mut host = Host::new(
            Dialect::Entra,
            policies.clone(),
            json!({"undetermined": setting}),
        );
        let token = host.token(START, json!({}));
        let verdict = host.ask(&token, START + 10);
        assert_eq!(verdict.outcome.as_str(), outcome, "{setting}");
        let json: Value = serde_json::from_str(verdict.json.as_deref().unwrap()).unwrap();
        assert_eq!(
            json["undetermined"].as_array().unwrap().len(),
            listed,
            "{setting}: {json}"
        );
        if listed == 1 {
            let named = json["undetermined"][0]["unknown"].to_string();
            assert!(named.contains("devices"), "the condition is named: {named}");
        }
    }
}

#[test]
fn report_only_policies_are_reported_and_never_enforced() {
    let mut trial = policy("trial", json!({}), block());
    trial["state"] = json!("enabledForReportingButNotEnforced");
    let mut host = Host::new(Dialect::Entra, json!([trial]), json!({}));
    let token = host.token(START, json!({}));
    let verdict = host.ask(&token, START + 10);
    assert_eq!(told(&verdict), "allow 200 []");
    let json: Value = serde_json::from_str(verdict.json.as_deref().unwrap()).unwrap();
    assert_eq!(json["policies"][0]["result"], "reportOnlyFailure", "{json}");
}

#[test]
fn any_deny_beats_every_challenge_and_challenges_are_one_header() {
    let policies = json!([policy("office-only", outside_the_office(), block())]);
    let mut host = Host::new(Dialect::Entra, policies, json!({}));
    let token = host.token(START, json!({}));
    host.event("caep/event-type/session-revoked", START + 100, json!({}));
    let verdict = host.request(&token, &from(OUTSIDE, START + 150));
    assert_eq!(
        told(&verdict),
        "challenge 401 [session_revoked policy_location] error=insufficient_claims nbf=+150 ip=198.51.100.9"
    );
    let no_address = Request {
        now: UnixTime::from_secs(START + 160),
        ..Request::default()
    };
    let verdict = host.request(&token, &no_address);
    assert_eq!(verdict.outcome.as_str(), "deny");
    assert!(verdict.changes.is_empty());
}

/// The member `undetermined` of an answer, and its decision.
fn undetermined(verdict: &Verdict) -> (&'static str, usize) {
    let json: Value = serde_json::from_str(verdict.json.as_deref().unwrap()).unwrap();
    let listed = json["undetermined"].as_array().unwrap().len();
    (verdict.outcome.as_str(), listed)
}

#[test]
fn an_issuer_has_told_only_what_cannot_change_after_issue() {
    let medium = json!({"userRiskLevels": ["medium"]});
    let mobile = json!({"clientAppTypes": ["mobileAppsAndDesktopClients"]});
    let mut mobile_outside = outside_the_office();
    mobile_outside["clientAppTypes"] = mobile["clientAppTypes"].clone();
    let frequency = |frequency: Value| {
        let mut policy = policy("p", json!({}), Value::Null);
        policy["sessionControls"] = json!({"signInFrequency": frequency});
        policy
    };
    let mfa = || controls("OR", &["mfa"]);
    for (name, policy, told_at_issue) in [
        (
            "no evidence of a lasting control",
            policy("p", json!({}), mfa()),
            true,
        ),
        (
            "an unknown client of any place",
            policy("p", mobile, block()),
            true,
        ),
        (
            "everyTime is judged at issue",
            frequency(json!({"isEnabled": true, "frequencyInterval": "everyTime"})),
            true,
        ),
        (
            "a device may have lost its compliance since",
            policy("p", json!({}), controls("OR", &["compliantDevice"])),
            false,
        ),
        ("risk rose after issue", policy("p", medium, mfa()), false),
        (
            "an unknown client that moved since",
            policy("p", mobile_outside, block()),
            false,
        ),
        (
            "a control asked for by place",
            policy("p", outside_the_office(), mfa()),
            false,
        ),
        (
            "a control that nobody here understands",
            policy("p", json!({}), controls("OR", &["compliantNetwork"])),
            false,
        ),
        (
            "an authentication of unknown age",
            frequency(
                json!({"isEnabled": true, "value": 1, "type": "hours", "frequencyInterval": "timeBased"}),
            ),
            false,
        ),
    ] {
        for (setting, otherwise) in [("report", ("allow", 1)), ("deny", ("deny", 1))] {
            let mut host = Host::new(
                Dialect::Entra,
                json!([changed(policy.clone())]),
                json!({"undetermined": setting}),
            );
            let token = host.token(CHANGED, json!({}));
            let rise = json!({"current_level": "MEDIUM", "principal": "USER"});
            host.event("caep/event-type/risk-level-change", CHANGED + 100, rise);
            let verdict = host.request(&token, &from(OUTSIDE, CHANGED + 200));
            let expected = if told_at_issue {
                ("allow", 0)
            } else {
                otherwise
            };
            assert_eq!(undetermined(&verdict), expected, "{name}: {setting}");
        }
    }
}

#[test]
fn directory_facts_of_the_host_may_be_newer_than_the_token() {
    let groups = json!({"users": {"includeGroups": [CLIENT]}});
    let policies = json!([changed(policy("p", groups, controls("OR", &["mfa"])))]);
    let mut host = Host::new(Dialect::Entra, policies, json!({"undetermined": "deny"}));
    let token = host.token(CHANGED, json!({"groups": [CLIENT]}));
    assert_eq!(told(&host.ask(&token, CHANGED + 10)), "allow 200 []");
    let token = host.token(CHANGED, json!({}));
    let request = Request {
        facts: crate::decision::DirectoryFacts {
            member_of: Some(&[CLIENT]),
            ..Default::default()
        },
        ..at(CHANGED + 10)
    };
    assert_eq!(
        told(&host.request(&token, &request)),
        "deny 403 [policy_undetermined]"
    );
}

#[test]
fn a_sign_in_frequency_that_is_newer_than_the_token_is_asked_for() {
    for frequency in [
        json!({"isEnabled": true, "value": 1, "type": "hours", "frequencyInterval": "timeBased"}),
        json!({"isEnabled": true, "frequencyInterval": "everyTime"}),
    ] {
        let mut policy = policy("frequency", json!({}), Value::Null);
        policy["sessionControls"] = json!({"signInFrequency": frequency});
        let mut host = Host::new(Dialect::Entra, json!([changed(policy)]), json!({}));
        let auth_time = json!({"auth_time": START - 10_000});
        let before = host.token(START, auth_time.clone());
        assert_eq!(
            told(&host.ask(&before, CHANGED + 10)),
            "challenge 401 [policy_sign_in_frequency] error=insufficient_claims nbf=+1000",
            "{frequency}"
        );
        let after = host.token(CHANGED, auth_time);
        assert_eq!(
            told(&host.ask(&after, CHANGED + 10)),
            "deny 403 [policy_sign_in_frequency]",
            "{frequency}"
        );
    }
}

#[test]
fn a_strength_is_shown_by_its_class() {
    let id = "00000000-0000-0000-0000-000000000004";
    let strength = json!({"operator": "AND", "authenticationStrength": {"id": id}});
    let policies = json!([policy("strength", json!({}), strength)]);
    let mapped = format!("authenticationStrength:{id}");
    let asked = "challenge 401 [policy_control_unmet] error=insufficient_user_authentication acr_values=phr";
    for (claims, map, expected) in [
        (
            json!({"acr": "phr"}),
            json!({mapped.clone(): "phr"}),
            "allow 200 []",
        ),
        (
            json!({"acr": "silver"}),
            json!({mapped.clone(): "phr"}),
            asked,
        ),
        (json!({}), json!({mapped: "phr"}), asked),
        (
            json!({"acr": "phr"}),
            json!({}),
            "deny 403 [policy_control_unmet]",
        ),
    ] {
        let issuer = json!({"policies": policies, "acrValues": map});
        let mut host = Host::with(Dialect::Keycloak, issuer, json!({}));
        let token = host.token(START, claims.clone());
        assert_eq!(told(&host.ask(&token, START + 10)), expected, "{claims}");
    }
}

#[test]
fn a_country_that_is_none_is_a_missing_fact() {
    let locations = json!([{
        "@odata.type": "#microsoft.graph.countryNamedLocation",
        "id": "11111111-2222-3333-4444-555555555555",
        "countriesAndRegions": ["FR"],
        "includeUnknownCountriesAndRegions": false
    }]);
    let conditions =
        json!({"locations": {"includeLocations": ["11111111-2222-3333-4444-555555555555"]}});
    let issuer = json!({
        "policies": [policy("not-from-there", conditions, block())],
        "namedLocations": locations,
    });
    let mut host = Host::with(
        Dialect::Keycloak,
        issuer,
        json!({"countryAtResource": true}),
    );
    let token = host.token(START, json!({}));
    for (country, expected) in [
        (Some("DE"), "allow 200 []"),
        (Some("fr"), "deny 403 [policy_location]"),
        (Some(""), "allow 200 []"),
        (Some("France"), "deny 503 [missing_fact:country]"),
        (Some("T1"), "deny 503 [missing_fact:country]"),
        (None, "deny 503 [missing_fact:country]"),
    ] {
        let request = Request {
            country,
            ..at(START)
        };
        assert_eq!(
            told(&host.request(&token, &request)),
            expected,
            "{country:?}"
        );
    }
}

#[test]
fn a_control_that_cannot_be_told_does_not_hide_a_sign_in_that_is_too_old() {
    for control in ["mfa", "compliantNetwork"] {
        let mut both = policy("both", json!({}), controls("OR", &[control]));
        both["sessionControls"] = json!({
            "signInFrequency": {"isEnabled": true, "value": 1, "type": "hours", "frequencyInterval": "timeBased"},
            "persistentBrowser": {"isEnabled": true, "mode": "never"},
        });
        let mut host = Host::new(Dialect::Entra, json!([both]), json!({}));
        let token = host.token(START, json!({"auth_time": START}));
        let verdict = host.ask(&token, START + 3_599);
        assert_eq!(undetermined(&verdict), ("allow", 1), "{control}");
        let json: Value = serde_json::from_str(verdict.json.as_deref().unwrap()).unwrap();
        assert_eq!(json["sessionControls"], json!(["persistentBrowser"]));
        assert_eq!(
            told(&host.ask(&token, START + 3_600)),
            "challenge 401 [policy_sign_in_frequency] error=insufficient_claims nbf=+3600",
            "{control}"
        );
    }
}

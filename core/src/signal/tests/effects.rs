//! Every row of the effect table (`enforcement.md` §4).

use super::*;

/// The reading of an event about the Keycloak user `u`, with further members of the transmitter.
fn about_user(transmitter: &Value, base: &str, name: &str, event: &Value) -> Value {
    let configuration = configuration(json!({}), transmitter.clone());
    reading(
        &configuration,
        &payload(ONE, &user(), &format!("{base}{name}"), event),
    )
}

#[test]
fn events_about_a_user() {
    let none = json!({});
    let change = |kind: &str, how: &str, who: &str| json!({"credential_type": kind, "change_type": how, "initiating_entity": who});
    let risk = |level: &str, before: Option<&str>| match before {
        None => json!({"principal": "USER", "current_level": level}),
        Some(before) => {
            json!({"principal": "USER", "current_level": level, "previous_level": before})
        }
    };
    let ignore = json!({"sessionRevokedByUser": "ignore"});
    let mfa = json!({"mfaEnabledByUser": true});
    let by_user = json!({"initiating_entity": "user"});
    for (transmitter, base, name, event, expected) in [
        (
            &none,
            RISC,
            "account-disabled",
            json!({"reason": "unheard of"}),
            "accountDisabled, status=disabled",
        ),
        (
            &none,
            RISC,
            "account-purged",
            json!({}),
            "accountPurged, status=purged",
        ),
        (&none, RISC, "account-enabled", json!({}), "status=enabled"),
        (&none, RISC, "sessions-revoked", json!({}), "sessionRevoked"),
        (
            &ignore,
            RISC,
            "sessions-revoked",
            json!({}),
            "sessionRevoked",
        ),
        (&ignore, RISC, "sessions-revoked", by_user.clone(), ""),
        (
            &none,
            RISC,
            "credential-compromise",
            json!({"credential_type": "x"}),
            "credentialCompromise",
        ),
        (&none, CAEP, "session-revoked", json!({}), "sessionRevoked"),
        (
            &none,
            CAEP,
            "session-revoked",
            by_user.clone(),
            "sessionRevoked",
        ),
        (&ignore, CAEP, "session-revoked", by_user.clone(), ""),
        (
            &ignore,
            CAEP,
            "session-revoked",
            json!({"initiating_entity": "unheard of"}),
            "sessionRevoked",
        ),
        (
            &ignore,
            CAEP,
            "session-revoked",
            json!({}),
            "sessionRevoked",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("password", "update", "user"),
            "passwordChange",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("pin", "revoke", "admin"),
            "passwordChange",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("PASSWORD", "delete", "admin"),
            "passwordChange",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("password", "create", "admin"),
            "",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("app", "revoke", "admin"),
            "credentialChange",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("unheard of", "delete", "system"),
            "credentialChange",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("app", "delete", "user"),
            "",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("fido-u2f", "create", "admin"),
            "mfaEnabled",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("fido-u2f", "create", "user"),
            "",
        ),
        (
            &mfa,
            CAEP,
            "credential-change",
            change("fido-u2f", "create", "user"),
            "mfaEnabled",
        ),
        (
            &mfa,
            CAEP,
            "credential-change",
            change("password", "create", "user"),
            "",
        ),
        (
            &none,
            CAEP,
            "credential-change",
            change("app", "update", "admin"),
            "",
        ),
        (
            &none,
            CAEP,
            "risk-level-change",
            risk("HIGH", None),
            "riskLevel, risk=high",
        ),
        (
            &none,
            CAEP,
            "risk-level-change",
            risk("HIGH", Some("MEDIUM")),
            "riskLevel, risk=high",
        ),
        (
            &none,
            CAEP,
            "risk-level-change",
            risk("HIGH", Some("HIGH")),
            "risk=high",
        ),
        (
            &none,
            CAEP,
            "risk-level-change",
            risk("medium", None),
            "risk=medium",
        ),
        (
            &none,
            CAEP,
            "risk-level-change",
            risk("LOW", Some("HIGH")),
            "risk=low",
        ),
        (
            &none,
            RISC,
            "account-credential-change-required",
            json!({}),
            "credentialChangeRequired",
        ),
        (
            &none,
            RISC,
            "identifier-changed",
            json!({}),
            "identifierChange",
        ),
        (
            &none,
            RISC,
            "identifier-recycled",
            json!({}),
            "identifierChange",
        ),
        (&none, RISC, "recovery-activated", json!({}), ""),
        (&none, RISC, "recovery-information-changed", json!({}), ""),
        (&none, CAEP, "session-presented", json!({}), ""),
        (&none, CAEP, "session-established", json!({}), ""),
        (&none, CAEP, "unheard-of", json!({}), ""),
        (&none, "urn:example:", "unheard-of", json!({}), ""),
    ] {
        let expected: Vec<_> = match expected {
            "" => Vec::new(),
            effect => std::vec![format!("user: {effect}")],
        };
        let reading = about_user(transmitter, base, name, &event);
        assert_eq!(summary(&reading), expected, "{name} {event}");
        if expected.is_empty() {
            assert_eq!(notes(&reading).len(), 1, "{name}: the reason is noted");
        }
    }
}

#[test]
fn claims_and_levels() {
    let none = json!({});
    let level = |current: &str, previous: Option<&str>, direction: Option<&str>| {
        let mut event = json!({"namespace": "NIST-AAL", "current_level": current});
        for (name, value) in [
            ("previous_level", previous),
            ("change_direction", direction),
        ] {
            if let Some(value) = value {
                event[name] = value.into();
            }
        }
        event
    };
    let many: json::Map<_, _> = (0..33).map(|n| (format!("claim-{n}"), json!(n))).collect();
    let long = "n".repeat(257);
    for (name, event, expected) in [
        (
            "token-claims-change",
            json!({"claims": {"role": "ro-admin", "groups": ["b", "a"]}}),
            r#"groups is ["a","b"], role is "ro-admin""#,
        ),
        (
            "token-claims-change",
            json!({"claims": many}),
            "claimsChange",
        ),
        (
            "token-claims-change",
            json!({"claims": {long: 1}}),
            "claimsChange",
        ),
        (
            "assurance-level-change",
            level("nist-aal1", Some("nist-aal2"), Some("decrease")),
            "assurance=nist-aal1",
        ),
        (
            "assurance-level-change",
            level("nist-aal1", None, Some("DECREASE")),
            "assurance=nist-aal1",
        ),
        // What the levels tell, where the direction is not told.
        (
            "assurance-level-change",
            level("nist-aal1", Some("nist-aal2"), None),
            "assurance=nist-aal1",
        ),
        (
            "assurance-level-change",
            level("nist-aal2", Some("nist-aal1"), None),
            "",
        ),
        (
            "assurance-level-change",
            level("nist-aal2", Some("nist-aal2"), None),
            "",
        ),
        (
            "assurance-level-change",
            level("silver", Some("gold"), None),
            "",
        ),
        ("assurance-level-change", level("nist-aal2", None, None), ""),
        (
            "assurance-level-change",
            level("nist-aal2", Some("nist-aal1"), Some("increase")),
            "",
        ),
    ] {
        let expected: Vec<_> = match expected {
            "" => Vec::new(),
            effect => std::vec![format!("user: {effect}")],
        };
        let reading = about_user(&none, CAEP, name, &event);
        assert_eq!(summary(&reading), expected, "{name} {event}");
    }
    for claims in [json!({}), json!([]), json!("role"), Value::Null] {
        let reading = about_user(
            &none,
            CAEP,
            "token-claims-change",
            &json!({"claims": claims}),
        );
        assert_eq!(reading["err"], "invalid_request", "{claims}");
    }
}

#[test]
fn what_holds_belongs_to_the_narrowest_that_is_named() {
    let plain = plain();
    let opaque = |id: &str| json!({"format": "opaque", "id": id});
    let all =
        json!({"format": "complex", "user": user(), "session": opaque("s"), "device": opaque("d")});
    let token = json!({"format": "jwt_id", "iss": KEYCLOAK, "jti": "t"});
    let decrease = json!({"namespace": "x", "current_level": "1", "change_direction": "decrease"});
    for (name, subject, event, expected) in [
        (
            "token-claims-change",
            &all,
            json!({"claims": {"a": 1}}),
            "session: a is 1",
        ),
        (
            "token-claims-change",
            &token,
            json!({"claims": {"a": 1}}),
            "token: a is 1",
        ),
        (
            "assurance-level-change",
            &all,
            decrease.clone(),
            "session: assurance=1",
        ),
        (
            "assurance-level-change",
            &user(),
            decrease,
            "user: assurance=1",
        ),
    ] {
        let set = payload(ONE, subject, &format!("{CAEP}{name}"), &event);
        assert_eq!(summary(&reading(&plain, &set)), [expected], "{subject}");
    }
}

#[test]
fn opting_out_is_a_state_of_the_account() {
    let none = json!({});
    for (name, expected) in [
        ("opt-in", "optedIn"),
        ("opt-out-initiated", "initiated"),
        ("opt-out-cancelled", "optedIn"),
        ("opt-out-effective", "optedOut"),
    ] {
        let reading = about_user(&none, RISC, name, &json!({}));
        assert_eq!(summary(&reading), [format!("user: optOut={expected}")]);
    }
}

#[test]
fn workloads_are_filed_under_the_application() {
    let plain = plain();
    let app = json!({"format": "complex", "application": {"format": "opaque", "id": "shop"}});
    let with_user = with(app.clone(), "user", user());
    let both = |effect: &str| {
        std::vec![
            format!("clientApplication: {effect}"),
            format!("servicePrincipal: {effect}")
        ]
    };
    let risk = |principal: &str| json!({"principal": principal, "current_level": "HIGH"});
    for (subject, base, name, event, expected) in [
        (
            &app,
            RISC,
            "account-disabled",
            json!({}),
            both("accountDisabled, status=disabled"),
        ),
        (
            &app,
            RISC,
            "account-purged",
            json!({}),
            both("accountPurged, status=purged"),
        ),
        (
            &app,
            RISC,
            "account-enabled",
            json!({}),
            both("status=enabled"),
        ),
        (
            &app,
            CAEP,
            "session-revoked",
            json!({}),
            both("sessionRevoked"),
        ),
        (
            &app,
            CAEP,
            "risk-level-change",
            risk("APPLICATION"),
            both("riskLevel, risk=high"),
        ),
        (
            &app,
            CAEP,
            "risk-level-change",
            risk("SERVICE_PRINCIPAL"),
            both("riskLevel, risk=high"),
        ),
        (
            &json!({"format": "iss_sub", "iss": KEYCLOAK, "sub": "shop"}),
            CAEP,
            "risk-level-change",
            risk("APPLICATION"),
            both("riskLevel, risk=high"),
        ),
        // Beside a user the application is where, not who.
        (
            &with_user,
            RISC,
            "account-disabled",
            json!({}),
            std::vec![
                "clientApplication: accountDisabled with user (precise)".to_owned(),
                "user: status=disabled, accountDisabled with clientApplication (precise)"
                    .to_owned(),
            ],
        ),
    ] {
        let set = payload(ONE, subject, &format!("{base}{name}"), &event);
        assert_eq!(
            summary(&reading(&plain, &set)),
            expected,
            "{name} {subject}"
        );
    }
}

#[test]
fn the_critical_level_is_a_setting() {
    let uri = format!("{CAEP}risk-level-change");
    let medium = json!({"principal": "USER", "current_level": "MEDIUM", "previous_level": "LOW"});
    for (level, expected) in [
        ("medium", "user: riskLevel, risk=medium"),
        ("high", "user: risk=medium"),
    ] {
        let configuration = configuration(json!({"criticalRiskLevel": level}), json!({}));
        let reading = reading(&configuration, &payload(ONE, &user(), &uri, &medium));
        assert_eq!(summary(&reading), [expected]);
    }
}

#[test]
fn risk_belongs_to_its_principal() {
    let plain = plain();
    let subject =
        json!({"format": "complex", "user": user(), "session": {"format": "opaque", "id": "s"}});
    for (principal, expected) in [
        ("USER", std::vec!["session: ", "user: risk=high"]),
        ("SESSION", std::vec!["session: risk=high", "user: "]),
        ("UNHEARD_OF", std::vec![]),
    ] {
        let event = json!({"principal": principal, "current_level": "HIGH"});
        let set = payload(ONE, &subject, &format!("{CAEP}risk-level-change"), &event);
        let reading = reading(&plain, &set);
        let lines = summary(&reading);
        assert_eq!(lines.len(), expected.len());
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}");
        }
    }
}

#[test]
fn compliance_belongs_to_the_device() {
    let plain = plain();
    let device = json!({"format": "opaque", "id": "d"});
    let complex = json!({"format": "complex", "device": device, "user": user()});
    let user_only = json!({"format": "complex", "user": user()});
    for (subject, status, expected) in [
        (
            &device,
            "not-compliant",
            "device: deviceCompliance, compliance=notCompliant",
        ),
        (
            &complex,
            "not-compliant",
            "device: deviceCompliance, compliance=notCompliant",
        ),
        (&complex, "compliant", "device: compliance=compliant"),
        (&user_only, "compliant", ""),
    ] {
        let event = json!({"previous_status": "compliant", "current_status": status});
        let set = payload(
            ONE,
            subject,
            &format!("{CAEP}device-compliance-change"),
            &event,
        );
        let expected: Vec<_> = Some(expected)
            .filter(|text| !text.is_empty())
            .into_iter()
            .collect();
        assert_eq!(summary(&reading(&plain, &set)), expected);
    }
}

#[test]
fn times_are_those_of_the_event() {
    let plain = plain();
    let uri = format!("{RISC}sessions-revoked");
    for (event, toe, expected) in [
        (json!({"event_timestamp": NOW - 7}), Some(NOW - 9), NOW - 7),
        (json!({"event_timestamp": (NOW - 7) * 1_000}), None, NOW - 7),
        (json!({}), Some(NOW - 9), NOW - 9),
        (json!({}), None, NOW),
        (json!({"event_timestamp": NOW + 50}), None, NOW),
    ] {
        let mut set = payload(ONE, &user(), &uri, &event);
        if let Some(toe) = toe {
            set["toe"] = json!(toe);
        }
        let reading = reading(&plain, &set);
        assert_eq!(reading["eventTime"], expected, "{event}");
        let cut_off = &reading["effects"][0]["effect"]["cutOff"];
        assert_eq!(cut_off["at"], expected);
        assert_eq!(cut_off["validFrom"], expected + 1);
        assert_eq!(cut_off["issued"], NOW);
    }
}

#[test]
fn an_old_set_sets_no_standing_value() {
    let plain = plain();
    const MONTH: u64 = 30 * 86_400;
    for (age, expected) in [
        (MONTH - 1, "user: accountDisabled, status=disabled"),
        (MONTH, "user: accountDisabled"),
    ] {
        // `reading` receives one second after `NOW`.
        let set = with(disabled(), "iat", json!(NOW - age));
        assert_eq!(summary(&reading(&plain, &set)), [expected]);
    }
}

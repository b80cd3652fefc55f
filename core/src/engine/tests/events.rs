//! Check 2: the five critical events, in each dialect.

use super::*;

const SESSION_REVOKED: &str = "caep/event-type/session-revoked";
const CREDENTIAL_CHANGE: &str = "caep/event-type/credential-change";
const RISK: &str = "caep/event-type/risk-level-change";
const DISABLED: &str = "risc/event-type/account-disabled";
const ENABLED: &str = "risc/event-type/account-enabled";

#[test]
fn every_critical_event_refuses_tokens_issued_before_it() {
    let change = |credential, change| json!({"credential_type": credential, "change_type": change, "initiating_entity": "admin"});
    for (uri, payload, code) in [
        (DISABLED, json!({}), "account_disabled"),
        (
            "risc/event-type/account-purged",
            json!({}),
            "account_purged",
        ),
        (
            CREDENTIAL_CHANGE,
            change("password", "update"),
            "password_changed",
        ),
        (
            CREDENTIAL_CHANGE,
            change("fido2-roaming", "create"),
            "mfa_enabled",
        ),
        (
            SESSION_REVOKED,
            json!({"initiating_entity": "admin"}),
            "session_revoked",
        ),
        (
            RISK,
            json!({"current_level": "HIGH", "principal": "USER"}),
            "risk_level_high",
        ),
        (
            CREDENTIAL_CHANGE,
            change("app", "revoke"),
            "credential_changed",
        ),
        (
            "risc/event-type/credential-compromise",
            json!({"credential_type": "password"}),
            "credential_compromised",
        ),
        (
            "risc/event-type/sessions-revoked",
            json!({}),
            "session_revoked",
        ),
    ] {
        for (dialect, claims, header) in [
            (
                Dialect::Entra,
                json!({}),
                "error=insufficient_claims nbf=+101",
            ),
            (
                Dialect::Entra,
                json!({"xms_cc": null}),
                "error=invalid_token",
            ),
            (Dialect::Keycloak, json!({}), "error=invalid_token"),
        ] {
            let mut host = Host::new(dialect, json!([]), json!({}));
            let before = host.token(START, claims.clone());
            assert_eq!(
                told(&host.ask(&before, START + 90)),
                "allow 200 []",
                "{uri}"
            );
            host.event(uri, START + 100, payload.clone());
            let verdict = host.ask(&before, START + 110);
            let text = told(&verdict);
            assert!(
                text.starts_with("challenge 401 [") && text.contains(code),
                "{uri}: {text}"
            );
            assert!(text.ends_with(header), "{uri}: {text}");

            // The second of the event is before it; the next one is after it.
            let same_second = host.token(START + 100, claims.clone());
            assert_eq!(
                host.ask(&same_second, START + 110).outcome.as_str(),
                "challenge",
                "{uri}"
            );
            let after = host.token(START + 101, claims);
            let expected = if code.starts_with("account") {
                "deny"
            } else {
                "allow"
            };
            assert_eq!(
                host.ask(&after, START + 110).outcome.as_str(),
                expected,
                "{uri}"
            );
        }
    }
}

#[test]
fn a_token_issued_after_the_account_was_disabled_is_forbidden_until_enabled() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let (before, after) = (
        host.token(START, json!({})),
        host.token(START + 200, json!({})),
    );
    host.event(DISABLED, START + 100, json!({}));
    assert_eq!(
        told(&host.ask(&after, START + 210)),
        "deny 403 [account_disabled]"
    );
    host.event(ENABLED, START + 300, json!({}));
    assert_eq!(told(&host.ask(&after, START + 310)), "allow 200 []");
    // Enabling never lifts the cut-off of older tokens.
    assert_eq!(host.ask(&before, START + 310).outcome.as_str(), "challenge");
}

#[test]
fn evidence_of_multi_factor_authentication_survives_mfa_enabled() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let without = host.token(START, json!({"amr": ["pwd"]}));
    let with = host.token(START, json!({"amr": ["pwd", "mfa"]}));
    let change =
        json!({"credential_type": "app", "change_type": "create", "initiating_entity": "admin"});
    host.event(CREDENTIAL_CHANGE, START + 100, change);
    assert_eq!(
        host.ask(&without, START + 110).outcome.as_str(),
        "challenge"
    );
    assert_eq!(told(&host.ask(&with, START + 110)), "allow 200 []");
}

#[test]
fn a_complex_subject_hits_only_what_matches_all_its_members() {
    let issuer = issuer_url(Dialect::Entra);
    let user = json!({"format": "iss_sub", "iss": issuer, "sub": USER});
    let session = |id: &str| json!({"format": "opaque", "id": id});
    for (subject, initiator, claims, outcome) in [
        (
            json!({"format": "complex", "user": user, "session": session("session-1")}),
            "admin",
            json!({}),
            "challenge",
        ),
        (
            json!({"format": "complex", "user": user, "session": session("session-2")}),
            "admin",
            json!({}),
            "allow",
        ),
        // The token shows no session: fail safe unless the user asked for it.
        (
            json!({"format": "complex", "user": user, "session": session("session-2")}),
            "admin",
            json!({"sid": null}),
            "challenge",
        ),
        (
            json!({"format": "complex", "user": user, "session": session("session-2")}),
            "user",
            json!({"sid": null}),
            "allow",
        ),
        (
            json!({"format": "complex", "user": user, "device": {"format": "opaque", "id": DEVICE}}),
            "admin",
            json!({}),
            "allow",
        ),
        (
            json!({"format": "complex", "user": user, "device": {"format": "opaque", "id": DEVICE}}),
            "admin",
            json!({"deviceid": DEVICE}),
            "challenge",
        ),
        // A tenant alone selects nobody unless the operator allows it.
        (
            json!({"format": "complex", "tenant": session(TENANT)}),
            "admin",
            json!({}),
            "allow",
        ),
    ] {
        let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
        let token = host.token(START, claims);
        host.event_about(
            subject.clone(),
            SESSION_REVOKED,
            START + 100,
            json!({"initiating_entity": initiator}),
        );
        assert_eq!(
            host.ask(&token, START + 110).outcome.as_str(),
            outcome,
            "{subject} by {initiator}"
        );
    }
}

#[test]
fn profile_entra_leaves_guests_and_incapable_clients_to_expiry() {
    for (claims, full, entra) in [
        (json!({}), "challenge", "challenge"),
        (json!({"acct": 1}), "challenge", "allow"),
        (json!({"xms_cc": null}), "challenge", "allow"),
    ] {
        for (profile, expected) in [("full", full), ("entra", entra)] {
            let mut host = Host::new(Dialect::Entra, json!([]), json!({"profile": profile}));
            let token = host.token(START, claims.clone());
            host.event(SESSION_REVOKED, START + 100, json!({}));
            assert_eq!(
                host.ask(&token, START + 110).outcome.as_str(),
                expected,
                "{profile} {claims}"
            );
        }
    }
}

#[test]
fn a_record_that_was_not_fetched_or_cannot_be_read_refuses() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    let Begun::Needs { handle, needs } = host
        .engine
        .begin(&token, UnixTime::from_secs(START), Detail::None)
        .unwrap()
    else {
        panic!("refused");
    };
    let none = std::vec![RecordAnswer::None; needs.records.len()];
    let mut failed = none.clone();
    failed[0] = RecordAnswer::Failed;
    let mut garbage = none.clone();
    garbage[0] = RecordAnswer::Found(b"\xff\xff");
    for (records, expected) in [
        (&none[..], "allow 200 []"),
        (&failed[..], "deny 503 [missing_fact:records]"),
        (&garbage[..], "deny 503 [missing_fact:records]"),
        (&none[1..], "deny 503 [missing_fact:records]"),
    ] {
        let answers = Answers {
            signature: Some(true),
            confirmed: None,
            records,
        };
        let Decided::Verdict(verdict) = host
            .engine
            .decide(handle, &at(START), &answers, Detail::None)
            .unwrap()
        else {
            panic!("stale");
        };
        assert_eq!(told(&verdict), expected);
    }
}

#[test]
fn an_issuer_without_challenges_of_entra_has_no_incapable_clients() {
    let mut host = Host::new(Dialect::Keycloak, json!([]), json!({"profile": "entra"}));
    let token = host.token(START, json!({}));
    host.event(SESSION_REVOKED, START + 100, json!({}));
    assert_eq!(
        told(&host.ask(&token, START + 110)),
        "challenge 401 [session_revoked] error=invalid_token"
    );
}

#[test]
fn the_scope_implies_the_tenant_where_tokens_name_none() {
    let user = json!({"format": "iss_sub", "iss": issuer_url(Dialect::Keycloak), "sub": USER});
    let subject = json!({
        "format": "complex", "user": user, "tenant": {"format": "opaque", "id": "shop"},
    });
    let mut host = Host::new(Dialect::Keycloak, json!([]), json!({}));
    let token = host.token(START, json!({}));
    let stranger = host.token(START, json!({"sub": "somebody-else"}));
    host.event_about(subject.clone(), SESSION_REVOKED, START + 100, json!({}));
    assert_eq!(host.ask(&token, START + 110).outcome.as_str(), "challenge");
    assert_eq!(told(&host.ask(&stranger, START + 110)), "allow 200 []");
    // An issuer whose tokens may name one has several.
    let claims = json!({"claims": {"preset": "keycloak", "tenant": "organization"}});
    let mut host = Host::with(Dialect::Keycloak, claims, json!({}));
    for (shown, outcome) in [(json!(null), "allow"), (json!("shop"), "challenge")] {
        let token = host.token(START, json!({"organization": shown}));
        host.event_about(
            subject.clone(),
            SESSION_REVOKED,
            START + 100,
            json!({"initiating_entity": "user"}),
        );
        assert_eq!(host.ask(&token, START + 110).outcome.as_str(), outcome);
    }
    // Entra's tokens name their tenant, which has to match.
    for (tenant, outcome) in [(TENANT, "challenge"), (USER, "allow")] {
        let user = json!({"format": "opaque", "id": USER});
        let subject = json!({
            "format": "complex", "user": user.clone(), "device": {"format": "opaque", "id": DEVICE},
            "tenant": {"format": "opaque", "id": tenant},
        });
        let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
        let token = host.token(START, json!({"deviceid": DEVICE}));
        host.event_about(subject, SESSION_REVOKED, START + 100, json!({}));
        assert_eq!(host.ask(&token, START + 110).outcome.as_str(), outcome);
    }
}

#[test]
fn whether_an_event_hits_a_token_does_not_rest_on_a_fact_that_nobody_gives() {
    let office_only = policy("office-only", outside_the_office(), block());
    for (policies, missing, status) in [
        (
            json!([office_only]),
            json!(["missing_fact:clientIp"]),
            json!(null),
        ),
        (json!([]), json!([]), json!(401)),
    ] {
        let mut host = Host::new(Dialect::Entra, policies, json!({}));
        let (before, after) = (
            host.token(START, json!({})),
            host.token(START + 60, json!({})),
        );
        let event = json!({
            "iss": TRANSMITTER, "aud": "https://api.example", "iat": START + 30, "jti": "1",
            "sub_id": {"format": "iss_sub", "iss": issuer_url(Dialect::Entra), "sub": USER},
            "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}},
        })
        .to_string();
        for (token, hits, reasons) in [
            (before, true, &["session_revoked"][..]),
            (after, false, &[]),
        ] {
            let question = EventQuestion {
                text: &event,
                unsigned: true,
                received_at: UnixTime::from_secs(START + 60),
                signature: SignatureAnswer::NotChecked,
                against: Some(&token),
            };
            let answer = host.engine.explain_event(&question).unwrap();
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let against = &answer["against"];
            assert_eq!(answer["hits"], hits, "{answer}");
            assert_eq!(against["missing"], missing);
            assert_eq!(
                against["status"],
                if hits || status.is_null() {
                    status.clone()
                } else {
                    json!(200)
                }
            );
            let found = against["reasons"].as_array().unwrap().iter();
            assert_eq!(
                found
                    .map(|reason| reason["code"].as_str().unwrap())
                    .collect::<Vec<_>>(),
                reasons
            );
        }
    }
}

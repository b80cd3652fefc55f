//! Effects of events beyond the critical ones, and that none of them lasts longer than it should.

use super::*;
use crate::signal::vocabulary::{EventType, Vocabulary, event_types};
use crate::state::record::TransmitterId;
use crate::state::{Record, SubjectKind};

const CLAIMS: &str = "caep/event-type/token-claims-change";
const ASSURANCE: &str = "caep/event-type/assurance-level-change";
const DISABLED: &str = "risc/event-type/account-disabled";
const ENABLED: &str = "risc/event-type/account-enabled";

#[test]
fn a_token_of_before_must_show_the_new_claims() {
    let event = json!({"claims": {"groups": ["a", "b"], "level": 2}});
    for (claims, expected) in [
        (json!({"groups": ["b", "a"], "level": 2}), "allow"),
        (json!({"groups": ["a"], "level": 2}), "challenge"),
        (json!({"groups": ["a", "b"], "level": 3}), "challenge"),
        (json!({"groups": ["a", "b"]}), "challenge"),
        (json!({}), "challenge"),
    ] {
        let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
        let before = host.token(START, claims.clone());
        let after = host.token(START + 101, json!({}));
        host.event(CLAIMS, START + 100, event.clone());
        let verdict = host.ask(&before, START + 110);
        assert_eq!(verdict.outcome.as_str(), expected, "{claims}");
        if expected == "challenge" {
            assert_eq!(
                told(&verdict),
                "challenge 401 [claims_changed] error=insufficient_claims nbf=+101"
            );
        }
        // What a later token says is newer than the event.
        assert_eq!(told(&host.ask(&after, START + 110)), "allow 200 []");
    }
}

#[test]
fn a_token_of_before_must_not_claim_a_higher_level() {
    let levels = json!({"acr-1": "nist-aal1", "acr-2": "nist-aal2", "other": "gold"});
    let event = json!({
        "namespace": "NIST-AAL", "current_level": "nist-aal1", "previous_level": "nist-aal2", "change_direction": "decrease",
    });
    for (claims, expected) in [
        (json!({"acr": "acr-1"}), "allow"),
        (json!({"acr": "acr-2"}), "challenge"),
        (json!({"acr": "other"}), "challenge"),
        (json!({"acr": "unmapped"}), "challenge"),
        (json!({}), "challenge"),
    ] {
        let mut host = Host::with(
            Dialect::Keycloak,
            json!({"assuranceLevels": levels}),
            json!({}),
        );
        let before = host.token(START, claims.clone());
        let after = host.token(START + 101, json!({"acr": "acr-2"}));
        host.event(ASSURANCE, START + 100, event.clone());
        let verdict = host.ask(&before, START + 110);
        assert_eq!(verdict.outcome.as_str(), expected, "{claims}");
        if expected == "challenge" {
            assert_eq!(
                told(&verdict),
                "challenge 401 [assurance_level_decreased] error=invalid_token"
            );
        }
        assert_eq!(told(&host.ask(&after, START + 110)), "allow 200 []");
    }
}

#[test]
fn an_identifier_that_changed_hits_the_tokens_that_show_it() {
    for name in ["identifier-changed", "identifier-recycled"] {
        let mut host = Host::new(Dialect::Keycloak, json!([]), json!({}));
        let shown = |email: &str, verified| json!({"email": email, "email_verified": verified});
        let old = host.token(START, shown("Old@shop.example", true));
        let unverified = host.token(START, shown("old@shop.example", false));
        let other = host.token(START, shown("new@shop.example", true));
        let subject = json!({"format": "email", "email": "old@shop.example"});
        host.event_about(
            subject,
            &format!("risc/event-type/{name}"),
            START + 100,
            json!({}),
        );
        assert_eq!(
            told(&host.ask(&old, START + 110)),
            "challenge 401 [identifier_changed] error=invalid_token"
        );
        for token in [unverified, other] {
            assert_eq!(told(&host.ask(&token, START + 110)), "allow 200 []");
        }
    }
}

#[test]
fn a_workload_is_hit_by_either_of_its_ids() {
    const PRINCIPAL: &str = "11111111-2222-3333-4444-555555555555";
    let risk = "caep/event-type/risk-level-change";
    for id in [CLIENT, PRINCIPAL] {
        for (uri, event, code, after) in [
            (
                DISABLED,
                json!({}),
                "account_disabled",
                "deny 403 [account_disabled]",
            ),
            (
                "risc/event-type/account-purged",
                json!({}),
                "account_purged",
                "deny 403 [account_purged]",
            ),
            (
                risk,
                json!({"principal": "SERVICE_PRINCIPAL", "current_level": "HIGH"}),
                "risk_level_high",
                "allow 200 []",
            ),
        ] {
            let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
            let app_only = json!({"idtyp": "app", "oid": PRINCIPAL, "sub": PRINCIPAL, "scp": null, "sid": null, "roles": ["r"]});
            let before = host.token(START, app_only.clone());
            let other_client = host.token(START, json!({"azp": APPLICATION}));
            let subject =
                json!({"format": "complex", "application": {"format": "opaque", "id": id}});
            host.event_about(subject.clone(), uri, START + 100, event);
            let refused = host.ask(&before, START + 110);
            assert_eq!(refused.outcome.as_str(), "challenge", "{uri} {id}");
            assert_eq!(refused.reasons, [code], "{uri} {id}");
            let later = host.token(START + 200, app_only);
            assert_eq!(told(&host.ask(&later, START + 210)), after, "{uri} {id}");
            assert_eq!(told(&host.ask(&other_client, START + 110)), "allow 200 []");
            host.event_about(subject, ENABLED, START + 300, json!({}));
            assert_eq!(
                told(&host.ask(&later, START + 310)),
                "allow 200 []",
                "{uri} {id}"
            );
        }
    }
}

#[test]
fn explanations_tell_where_silence_says_nothing() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    host.event("risc/event-type/opt-out-effective", START + 100, json!({}));
    let verdict = host.ask(&token, START + 110);
    assert_eq!(told(&verdict), "allow 200 []");
    let explained = verdict.json.unwrap();
    assert!(
        explained.contains("event.feed") && explained.contains(TRANSMITTER),
        "{explained}"
    );
    host.event("risc/event-type/opt-in", START + 120, json!({}));
    assert!(
        !host
            .ask(&token, START + 130)
            .json
            .unwrap()
            .contains("event.feed")
    );
}

/// Every event about the user: a token of after it passes, at once or when the account is enabled.
#[test]
fn nobody_is_locked_out_by_a_value_that_nothing_lifts() {
    let in_sets = |row: &&EventType| {
        row.vocabulary != Vocabulary::BackChannelLogout && !row.legacy && !row.about.is_empty()
    };
    for row in event_types().filter(in_sets) {
        let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
        let uri = row.uri.strip_prefix("https://schemas.openid.net/secevent/");
        let example: Value = serde_json::from_str(row.example).unwrap();
        let subject = match row.about.first() {
            Some(SubjectKind::Device) => {
                json!({"format": "complex", "device": {"format": "opaque", "id": DEVICE}})
            }
            _ => json!({"format": "iss_sub", "iss": issuer_url(Dialect::Entra), "sub": USER}),
        };
        match uri {
            Some(uri) => host.event_about(subject, uri, START + 100, example),
            None => host.event_as(row.uri, subject, START + 100, example),
        }
        let claims = json!({"deviceid": DEVICE});
        let after = host.token(START + 101, claims);
        let verdict = host.ask(&after, START + 110);
        if verdict.outcome.as_str() == "deny" {
            assert!(
                row.outcome.contains("status"),
                "{}: {}",
                row.uri,
                told(&verdict)
            );
            host.event(ENABLED, START + 120, json!({}));
        }
        assert_eq!(
            told(&host.ask(&after, START + 130)),
            "allow 200 []",
            "{}",
            row.uri
        );
    }
}

#[test]
fn what_an_operator_clears_is_lifted_and_comes_again() {
    let session = json!({"format": "opaque", "id": "session-1"});
    let user = json!({"format": "iss_sub", "iss": issuer_url(Dialect::Entra), "sub": USER});
    let scoped = json!({"format": "complex", "user": user, "session": session});
    let change =
        json!({"credential_type": "app", "change_type": "create", "initiating_entity": "admin"});
    let risk = json!({"principal": "USER", "current_level": "HIGH"});
    let decrease = json!({"namespace": "x", "current_level": "1", "change_direction": "decrease"});
    for (uri, subject, event) in [
        (DISABLED, &user, json!({})),
        (CLAIMS, &user, json!({"claims": {"role": "x"}})),
        (ASSURANCE, &user, decrease),
        ("caep/event-type/credential-change", &user, change),
        ("caep/event-type/risk-level-change", &user, risk),
        ("caep/event-type/session-revoked", &scoped, json!({})),
    ] {
        for late in [false, true] {
            let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
            let before = host.token(START, json!({}));
            let clearing = Record::cleared(
                UnixTime::from_secs(START + 200),
                [TransmitterId::of(TRANSMITTER)],
            );
            let keys = host.keys(&before);
            let clear = |host: &mut Host| {
                for key in &keys {
                    host.remember(*key, &clearing.to_bytes());
                }
            };
            // An event of before that arrives after it is lifted as well.
            if late {
                clear(&mut host);
            }
            host.event_about(subject.clone(), uri, START + 100, event.clone());
            if !late {
                assert_eq!(
                    host.ask(&before, START + 150).outcome.as_str(),
                    "challenge",
                    "{uri}"
                );
                clear(&mut host);
            }
            assert_eq!(
                told(&host.ask(&before, START + 210)),
                "allow 200 []",
                "{uri}"
            );
            host.event_about(subject.clone(), uri, START + 300, event.clone());
            assert_eq!(
                host.ask(&before, START + 310).outcome.as_str(),
                "challenge",
                "{uri}"
            );
        }
    }
}

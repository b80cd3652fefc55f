//! Handles: what a repeated token costs, and when it has to begin again.

use super::*;

fn begin(host: &mut Host, token: &str) -> (super::super::Handle, super::super::Needs) {
    match host
        .engine
        .begin(token, UnixTime::from_secs(START), Detail::None)
        .unwrap()
    {
        Begun::Needs { handle, needs } => (handle, needs),
        Begun::Refused(verdict) => panic!("{}", told(&verdict)),
    }
}

#[test]
fn a_verified_token_is_not_asked_about_again() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    let (pending, needs) = begin(&mut host, &token);
    assert!(needs.signature.is_some());
    // Not verified yet: asked again, under the same handle.
    let (again, needs) = begin(&mut host, &token);
    assert!(needs.signature.is_some());
    assert_eq!(pending, again);
    assert_eq!(host.engine.presenter(pending), None, "nobody, so far");
    host.ask(&token, START);
    let presenter = host.engine.presenter(pending).unwrap();
    assert!(presenter.subject.is_some() && presenter.tenant.is_some());
    let (kept, needs) = begin(&mut host, &token);
    assert_eq!(needs.signature, None);
    assert_eq!(pending, kept);
}

#[test]
fn an_unchecked_or_invalid_signature_never_passes_and_is_never_challenged() {
    for (answer, expected) in [
        (
            Some(false),
            "deny 401 [token_signature] error=invalid_token",
        ),
        (None, "deny 503 [missing_fact:signature]"),
    ] {
        let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
        let token = host.token(START, json!({}));
        host.event("caep/event-type/session-revoked", START + 100, json!({}));
        let (handle, needs) = begin(&mut host, &token);
        let records = std::vec![RecordAnswer::None; needs.records.len()];
        let answers = Answers {
            signature: answer,
            confirmed: None,
            records: &records,
        };
        let decided = host
            .engine
            .decide(handle, &at(START + 110), &answers, Detail::None)
            .unwrap();
        let Decided::Verdict(verdict) = decided else {
            panic!("stale")
        };
        assert_eq!(told(&verdict), expected);
        // The slot is gone; the token has to begin again.
        let answers = Answers {
            signature: Some(true),
            ..answers
        };
        let decided = host
            .engine
            .decide(handle, &at(START + 110), &answers, Detail::None)
            .unwrap();
        assert_eq!(decided, Decided::Stale);
    }
}

#[test]
fn a_key_removed_in_mid_run_refuses_the_next_request() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    assert_eq!(told(&host.ask(&token, START)), "allow 200 []");
    let (handle, needs) = begin(&mut host, &token);
    let records = std::vec![RecordAnswer::None; needs.records.len()];
    let answers = Answers {
        signature: None,
        confirmed: None,
        records: &records,
    };

    // The same keys again: the handle stays.
    assert_eq!(
        host.engine
            .set_keys(&issuer_url(Dialect::Entra), &jwks().to_string())
            .unwrap(),
        "[]"
    );
    let decided = host
        .engine
        .decide(handle, &at(START), &answers, Detail::None)
        .unwrap();
    assert!(matches!(decided, Decided::Verdict(verdict) if verdict.status == 200));

    assert_eq!(
        host.engine
            .set_keys(&issuer_url(Dialect::Entra), r#"{"keys":[]}"#)
            .unwrap(),
        "[]"
    );
    let decided = host
        .engine
        .decide(handle, &at(START), &answers, Detail::None)
        .unwrap();
    assert_eq!(decided, Decided::Stale);
    let (_, needs) = begin(&mut host, &token);
    let key = needs.key.expect("the key is asked for");
    assert_eq!(
        (key.issuer, key.kid.as_deref()),
        (issuer_url(Dialect::Entra), Some("k"))
    );
    assert_eq!(
        told(&host.ask(&token, START)),
        "deny 401 [token_key_unknown] error=invalid_token"
    );
}

#[test]
fn a_faulty_configuration_changes_nothing() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    let faults = host
        .engine
        .reconfigure(r#"{"resource":{},"issuers":7,"settings":{"clockSkewSeconds":"x"}}"#)
        .unwrap();
    let faults: Vec<Value> = serde_json::from_str(&faults).unwrap();
    assert!(faults.len() >= 2, "every fault: {faults:?}");
    assert_eq!(told(&host.ask(&token, START)), "allow 200 []");
    assert_ne!(
        host.engine
            .set_keys("https://nobody.example", r#"{"keys":[]}"#)
            .unwrap(),
        "[]"
    );
}

#[test]
fn a_flood_of_forged_tokens_does_not_evict_a_verified_one() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    host.ask(&token, START);
    let (kept, _) = begin(&mut host, &token);
    let forged: Vec<_> = (0..600)
        .map(|n| host.token(START, json!({"uti": format!("forged-{n}")})))
        .collect();
    let handles: Vec<_> = forged
        .iter()
        .map(|token| begin(&mut host, token).0)
        .collect();
    let (still, needs) = begin(&mut host, &token);
    assert_eq!((kept, needs.signature), (still, None));
    // The oldest pending ones are gone, the youngest are there.
    let answers = Answers::default();
    let decided = host
        .engine
        .decide(handles[0], &at(START), &answers, Detail::None)
        .unwrap();
    assert_eq!(decided, Decided::Stale);
    let decided = host
        .engine
        .decide(handles[599], &at(START), &answers, Detail::None)
        .unwrap();
    assert!(matches!(decided, Decided::Verdict(_)));
}

#[test]
fn an_invalid_signature_refuses_a_verified_token_too() {
    let mut host = Host::new(Dialect::Entra, json!([]), json!({}));
    let token = host.token(START, json!({}));
    host.ask(&token, START);
    let (handle, needs) = begin(&mut host, &token);
    let records = std::vec![RecordAnswer::None; needs.records.len()];
    let answers = Answers {
        signature: Some(false),
        confirmed: None,
        records: &records,
    };
    let decided = host
        .engine
        .decide(handle, &at(START), &answers, Detail::None)
        .unwrap();
    let Decided::Verdict(verdict) = decided else {
        panic!("stale")
    };
    assert_eq!(
        told(&verdict),
        "deny 401 [token_signature] error=invalid_token"
    );
    assert!(begin(&mut host, &token).1.signature.is_some());
}

#[test]
fn records_fetched_for_other_keys_are_not_taken() {
    let configuration = |scope: &str| {
        json!({
            "resource": {"audiences": [APPLICATION]},
            "issuers": [{
                "issuer": issuer_url(Dialect::Keycloak), "claims": "keycloak", "algorithms": ["EdDSA"],
                "jwks": jwks(), "scope": scope,
            }],
        })
        .to_string()
    };
    let mut host = Host::new(Dialect::Keycloak, json!([]), json!({}));
    host.engine.reconfigure(&configuration("one")).unwrap();
    let token = host.token(START, json!({}));
    host.ask(&token, START);
    let (handle, needs) = begin(&mut host, &token);
    let records = std::vec![RecordAnswer::None; needs.records.len()];
    let answers = Answers {
        records: &records,
        ..Answers::default()
    };
    assert_eq!(
        host.engine.reconfigure(&configuration("two")).unwrap(),
        "[]"
    );
    let decided = host
        .engine
        .decide(handle, &at(START), &answers, Detail::None)
        .unwrap();
    assert_eq!(decided, Decided::Stale);
    assert_eq!(told(&host.ask(&token, START)), "allow 200 []");
}

#[test]
fn a_handle_does_not_survive_the_loss_of_audience_or_issuer() {
    for (issuer, audience) in [
        (issuer_url(Dialect::Keycloak), "api://another"),
        ("https://keycloak.example/realms/other".into(), APPLICATION),
    ] {
        let mut host = Host::new(Dialect::Keycloak, json!([]), json!({}));
        let token = host.token(START, json!({}));
        host.ask(&token, START);
        let (handle, _) = begin(&mut host, &token);
        let configuration = json!({
            "resource": {"audiences": [audience]},
            "issuers": [{
                "issuer": issuer, "claims": "keycloak", "algorithms": ["EdDSA"], "jwks": jwks(),
            }],
        });
        assert_eq!(
            host.engine.reconfigure(&configuration.to_string()).unwrap(),
            "[]"
        );
        let decided = host
            .engine
            .decide(handle, &at(START), &Answers::default(), Detail::None)
            .unwrap();
        assert_eq!(decided, Decided::Stale);
        assert_eq!(host.ask(&token, START).status, 401);
    }
}

#[test]
fn tokens_are_bounded_by_their_size_too() {
    let mut host = Host::new(Dialect::Keycloak, json!([]), json!({}));
    let kept = host.token(START, json!({}));
    host.ask(&kept, START);
    let filler = "x".repeat(40_000);
    let handles: Vec<_> = (0..60)
        .map(|n| {
            let token = host.token(START, json!({"jti": format!("{n}"), "filler": filler}));
            begin(&mut host, &token).0
        })
        .collect();
    let known = |host: &mut Host, handle| {
        let decided = host
            .engine
            .decide(handle, &at(START), &Answers::default(), Detail::None)
            .unwrap();
        decided != Decided::Stale
    };
    assert!(!known(&mut host, handles[0]), "the oldest made room");
    assert!(known(&mut host, handles[59]));
    assert_eq!(begin(&mut host, &kept).1.signature, None);
}

use alloc::vec;

use serde_json::json;

use super::*;

const ISSUED: u64 = 1_800_000_000;

fn wish<'a>(event: &'a str, subject: Option<&'a Value>, members: &'a [String]) -> Wish<'a> {
    Wish {
        event,
        issuer: "https://ssf.example",
        audiences: &[],
        subject,
        members,
        claims: &[],
        at: None,
        issued: UnixTime::from_secs(ISSUED),
        jti: "set-1",
    }
}

fn user() -> Value {
    json!({"format": "iss_sub", "iss": "https://idp.example", "sub": "adele"})
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_string()).collect()
}

/// The payload of the only event.
fn payload(made: &Made) -> &Value {
    made.claims["events"]
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap()
}

#[test]
fn every_type_is_made_with_its_defaults_and_read_again() {
    let claims = owned(&["claims.role=buyer"]);
    let email = json!({"format": "email", "email": "adele@contoso.example"});
    for row in event_types() {
        let needs_claims = row.members.iter().any(|member| member.name == "claims");
        let subject = match row.name.starts_with("identifier") {
            true => email.clone(),
            false => user(),
        };
        let audience = owned(&["https://api.example"]);
        let made = make(&Wish {
            audiences: &audience,
            ..wish(
                row.uri,
                (!is_about_the_stream(row)).then_some(&subject),
                if needs_claims { &claims } else { &[] },
            )
        })
        .unwrap();
        assert_eq!(check(&made), Ok(()), "{}: {}", row.uri, made.claims);
        assert_eq!(made.claims["iss"], "https://ssf.example");
        assert_eq!(made.claims["iat"], ISSUED);
        assert_eq!(made.claims["jti"], "set-1");
        assert!(made.claims["events"].get(row.uri).is_some(), "{}", row.uri);
    }
}

#[test]
fn every_type_of_today_has_a_short_name() {
    for row in event_types().filter(|row| !row.legacy) {
        let qualified = format!("{}:{}", row.vocabulary.name().to_lowercase(), row.name);
        assert_eq!(event_type(&qualified).unwrap().uri, row.uri);
        assert_eq!(event_type(row.name).unwrap().uri, row.uri);
    }
}

#[test]
fn types_are_found_by_name_and_missed_with_a_hint() {
    for (event, uri) in [
        (
            "session-revoked",
            "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        ),
        (
            "verification",
            "https://schemas.openid.net/secevent/ssf/event-type/verification",
        ),
        (
            "https://schemas.openid.net/secevent/sse/event-type/verification",
            "https://schemas.openid.net/secevent/sse/event-type/verification",
        ),
        (
            "account-disabled",
            "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        ),
        ("scim:delete", "urn:ietf:params:scim:event:prov:delete"),
        (
            "oauth:tokens-revoked",
            "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked",
        ),
        (
            "user-risk-change",
            "https://schemas.okta.com/secevent/okta/event-type/user-risk-change",
        ),
    ] {
        assert_eq!(event_type(event).unwrap().uri, uri, "{event}");
    }
    for (event, hint) in [
        ("session-revoke", "`session-revoked`"),
        ("sesion-revoked", "`session-revoked`"),
        (
            "https://schemas.openid.net/secevent/caep/event-type/session-revokd",
            "`session-revoked`",
        ),
        ("disabled", "`account-disabled`"),
        ("zzz", "is called `zzz`"),
    ] {
        let error = event_type(event).unwrap_err().to_string();
        assert!(
            error.contains(hint) && error.contains("cae event list"),
            "{event}: {error}"
        );
    }
}

#[test]
fn members_are_checked_against_the_table() {
    let subject = user();
    for (event, members, expected) in [
        (
            "risk-level-change",
            vec![],
            json!({"principal": "USER", "current_level": "HIGH", "previous_level": "LOW"}),
        ),
        (
            "risk-level-change",
            vec!["current_level=medium", "previous_level=LOW"],
            json!({"principal": "USER", "current_level": "MEDIUM", "previous_level": "LOW"}),
        ),
        (
            "credential-change",
            vec![
                "credential_type=brain-wave",
                "reason_admin.de=Versuch",
                "reason_user=Try",
            ],
            json!({"credential_type": "brain-wave", "change_type": "update",
                "reason_admin": {"de": "Versuch"}, "reason_user": {"en": "Try"}}),
        ),
        (
            "token-claims-change",
            vec!["claims.role=buyer", "claims.level=3"],
            json!({"claims": {"role": "buyer", "level": 3}}),
        ),
        (
            "assurance-level-change",
            vec![],
            json!({"namespace": "NIST-AAL", "current_level": "nist-aal1", "previous_level": "nist-aal2",
                "change_direction": "decrease"}),
        ),
        (
            "assurance-level-change",
            vec!["current_level=nist-aal3"],
            json!({"namespace": "NIST-AAL", "current_level": "nist-aal3"}),
        ),
        (
            "session-established",
            vec!["amr=otp, pwd"],
            json!({"amr": ["otp", "pwd"]}),
        ),
        (
            "session-revoked",
            vec!["x_vendor={\"a\":1}"],
            json!({"x_vendor": {"a": 1}}),
        ),
    ] {
        let members = owned(&members);
        let made = make(&wish(event, Some(&subject), &members)).unwrap();
        let mut found = payload(&made).clone();
        assert_eq!(found["event_timestamp"], ISSUED, "{event}");
        found.as_object_mut().unwrap().remove("event_timestamp");
        assert_eq!(found, expected, "{event}");
    }
    for (event, members, what) in [
        (
            "risk-level-change",
            vec!["current_level=EXTREME"],
            "one of LOW, MEDIUM, HIGH",
        ),
        ("token-claims-change", vec![], "--set claims.NAME=VALUE"),
        (
            "token-claims-change",
            vec!["claims={}"],
            "a JSON object with a member",
        ),
        ("session-revoked", vec!["nonsense"], "NAME=VALUE"),
        (
            "session-revoked",
            vec!["initiating_entity.en=x"],
            "no members of its own",
        ),
        ("session-revoked", vec!["a=1", "a.b=2"], "no object"),
        (
            "device-compliance-change",
            vec!["current_status=null"],
            "current_status",
        ),
    ] {
        let members = owned(&members);
        let made = make(&wish(event, Some(&subject), &members));
        let error = match made {
            Ok(made) => check(&made).unwrap_err(),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(what), "{event} {members:?}: {error}");
    }
}

#[test]
fn the_principal_is_whom_the_event_is_about() {
    for (member, principal) in [
        ("device", "DEVICE"),
        ("session", "SESSION"),
        ("application", "APPLICATION"),
    ] {
        let subject = json!({"format": "complex", member: {"format": "opaque", "id": "x"}});
        let made = make(&wish("risk-level-change", Some(&subject), &[])).unwrap();
        assert_eq!(payload(&made)["principal"], principal);
    }
}

#[test]
fn times_and_claims_stand_where_the_type_has_them() {
    let subject = user();
    let earlier = Some(UnixTime::from_secs(ISSUED - 60));
    let at = |event| {
        make(&Wish {
            at: earlier,
            ..wish(event, Some(&subject), &[])
        })
    };
    let caep = at("session-revoked").unwrap();
    assert_eq!(payload(&caep)["event_timestamp"], ISSUED - 60);
    let risc = at("account-disabled").unwrap();
    assert_eq!(risc.claims["toe"], ISSUED - 60);
    assert!(at("backchannel-logout").is_err());
    let claims = owned(&["txn=8675309", "jti=null", "x.y=z"]);
    let made = make(&Wish {
        claims: &claims,
        ..wish("session-revoked", Some(&subject), &[])
    })
    .unwrap();
    assert_eq!(made.claims["txn"], 8_675_309);
    assert_eq!(made.claims["x"], json!({"y": "z"}));
    assert!(made.claims.get("jti").is_none());
}

#[test]
fn older_shapes_have_their_own_subjects() {
    let subject = user();
    let drafts = make(&wish("oauth:tokens-revoked", Some(&subject), &[])).unwrap();
    assert!(drafts.legacy && drafts.claims.get("sub_id").is_none());
    assert_eq!(
        payload(&drafts)["subject"],
        json!({"subject_type": "iss-sub", "iss": "https://idp.example", "sub": "adele"})
    );
    let okta = make(&wish("user-risk-change", Some(&subject), &[])).unwrap();
    assert_eq!(payload(&okta)["subject"], json!({"user": user()}));
    let scim = make(&wish("scim:deactivate", Some(&subject), &[])).unwrap();
    assert_eq!(
        scim.claims["sub_id"],
        json!({"format": "scim", "uri": "/Users/adele"})
    );
    let both =
        json!({"format": "complex", "user": user(), "session": {"format": "opaque", "id": "s1"}});
    let logout = make(&wish("backchannel-logout", Some(&both), &[])).unwrap();
    assert_eq!(logout.typ, "logout+jwt");
    assert_eq!(
        (&logout.claims["sub"], &logout.claims["sid"]),
        (&json!("adele"), &json!("s1"))
    );
    assert_eq!(logout.claims["exp"], ISSUED + 120);
    assert!(make(&wish("session-revoked", None, &[])).is_err());
    let device = json!({"format": "complex", "device": {"format": "opaque", "id": "x"}});
    assert!(make(&wish("backchannel-logout", Some(&device), &[])).is_err());
}

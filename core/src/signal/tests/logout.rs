//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4–2.6), and what must never be taken for one.

use super::*;

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Keycloak, which logs out as the client that its audience names.
fn keycloak(members: Value) -> Configuration {
    let mut one = json!({"issuer": KEYCLOAK, "audience": ["shop", AUDIENCE]});
    for (name, value) in members.as_object().unwrap() {
        one[name] = value.clone();
    }
    configuration(json!({}), one)
}

fn logout_token() -> Value {
    json!({
        "iss": KEYCLOAK, "aud": "shop", "iat": NOW, "exp": NOW + 120, "jti": "l", "sub": "u", "sid": "s",
        "events": {LOGOUT: {}},
    })
}

fn typed(typ: &str) -> Value {
    json!({"typ": typ, "alg": "RS256", "kid": "k"})
}

fn outcome_at(
    set: &str,
    configuration: &Configuration,
    at: u64,
) -> Result<Value, (&'static str, String)> {
    match read(
        set,
        configuration,
        UnixTime::from_secs(at),
        SignatureAnswer::Valid,
    ) {
        EventReading::Accepted(accepted) => {
            Ok(json::parse(accepted.json.as_bytes(), Limits::DOCUMENT).unwrap())
        }
        EventReading::Rejected(rejected) => Err((rejected.code, rejected.description)),
        other => panic!("{other:?}"),
    }
}

fn outcome(set: &str) -> Result<Value, (&'static str, String)> {
    outcome_at(set, &keycloak(json!({})), NOW)
}

#[test]
fn a_session_or_a_user_is_logged_out() {
    let (none, ignore) = (json!({}), json!({"sessionRevokedByUser": "ignore"}));
    for (members, lacking, expected) in [
        (
            &none,
            "",
            &[
                "session: sessionRevoked with user (precise)",
                "user: sessionRevoked with session (precise)",
            ][..],
        ),
        (&none, "sub", &["session: sessionRevoked"]),
        (&none, "sid", &["user: sessionRevoked"]),
        // An ordinary sign-out elsewhere, where the operator says that it is one.
        (&ignore, "sub", &["session: sessionRevoked"]),
        (&ignore, "sid", &[]),
    ] {
        let configuration = keycloak(members.clone());
        for typ in ["logout+jwt", "JWT", "application/logout+jwt"] {
            let token = compact(&typed(typ), &without(logout_token(), lacking));
            let reading = outcome_at(&token, &configuration, NOW).unwrap();
            assert_eq!(summary(&reading), expected, "without {lacking:?}");
            assert_eq!(reading["eventTypes"], json!([LOGOUT]));
        }
        // Without a header the contents tell.
        let unsigned = without(logout_token(), lacking);
        assert_eq!(summary(&reading(&configuration, &unsigned)), expected);
    }
}

#[test]
fn faults_of_a_logout_token() {
    let changed = |member: &str, value: Value| with(logout_token(), member, value);
    for (token, code, what) in [
        (without(logout_token(), "iss"), "invalid_request", "`iss`"),
        (changed("iss", ONE.into()), "invalid_issuer", "`iss`"),
        (without(logout_token(), "aud"), "invalid_audience", "`aud`"),
        (changed("aud", "other".into()), "invalid_audience", "`aud`"),
        (without(logout_token(), "iat"), "invalid_request", "`iat`"),
        (changed("iat", json!(NOW + 301)), "invalid_request", "`iat`"),
        (without(logout_token(), "exp"), "invalid_request", "`exp`"),
        (changed("exp", "1".into()), "invalid_request", "`exp`"),
        (changed("exp", json!(NOW - 300)), "invalid_request", "`exp`"),
        (without(logout_token(), "jti"), "invalid_request", "`jti`"),
        (changed("nonce", "n".into()), "invalid_request", "`nonce`"),
        (changed("nonce", Value::Null), "invalid_request", "`nonce`"),
        (
            without(without(logout_token(), "sub"), "sid"),
            "invalid_request",
            "`sub`",
        ),
        (changed("sub", "".into()), "invalid_request", "`sub`"),
        (changed("sid", json!(1)), "invalid_request", "`sid`"),
        (changed("events", json!({})), "invalid_request", "`events`"),
        (
            changed("events", json!({LOGOUT: []})),
            "invalid_request",
            "`events`",
        ),
        (
            changed(
                "events",
                json!({LOGOUT: {}, format!("{RISC}account-enabled"): {}}),
            ),
            "invalid_request",
            "`events`",
        ),
    ] {
        let (found, description) = outcome(&compact(&typed("logout+jwt"), &token)).expect_err(what);
        assert_eq!(found, code, "{description}");
        assert!(
            description.contains(what),
            "{description} should name {what}"
        );
    }
    let expired = changed("exp", json!(NOW - 299));
    assert!(
        outcome(&compact(&typed("logout+jwt"), &expired)).is_ok(),
        "within the skew"
    );
}

#[test]
fn an_audience_must_be_there_even_where_none_is_configured() {
    let any = keycloak(json!({"audience": [AUDIENCE]}));
    let token = compact(&typed("JWT"), &logout_token());
    assert_eq!(
        outcome_at(&token, &any, NOW).unwrap_err().0,
        "invalid_audience"
    );
    let without_audience = r#"{"resource": {"audiences": ["a"]},
        "issuers": [{"issuer": "KC", "claims": "keycloak", "jwks": {"keys": []}}],
        "transmitters": [{"issuer": "KC", "speaksFor": ["KC"], "jwks": JWKS}]}"#;
    let text = without_audience
        .replace("KC", KEYCLOAK)
        .replace("JWKS", &jwks().to_string());
    let any = Configuration::read(&text).unwrap();
    assert!(outcome_at(&token, &any, NOW).is_ok());
    let lacking = compact(&typed("JWT"), &without(logout_token(), "aud"));
    assert_eq!(
        outcome_at(&lacking, &any, NOW).unwrap_err().0,
        "invalid_request"
    );
}

#[test]
fn kinds_of_jwt_are_never_confused() {
    let set = json!({
        "iss": KEYCLOAK, "aud": AUDIENCE, "iat": NOW, "jti": "j", "sub_id": user(),
        "events": {format!("{RISC}account-disabled"): {}},
    });
    let id_token = json!({
        "iss": KEYCLOAK, "aud": "shop", "sub": "u", "iat": NOW, "exp": NOW + 300, "sid": "s", "nonce": "n",
    });
    assert!(outcome(&compact(&typed("secevent+jwt"), &set)).is_ok());
    let dressed_up = with(
        without(without(logout_token(), "sub"), "exp"),
        "sub_id",
        user(),
    );
    for (typ, payload) in [
        // A logout token as a SET, also without what a SET may not have.
        ("secevent+jwt", logout_token()),
        ("secevent+jwt", dressed_up),
        // A SET as a logout token.
        ("logout+jwt", set.clone()),
        ("JWT", set.clone()),
        ("at+jwt", set.clone()),
        // An ID token as either.
        ("JWT", id_token.clone()),
        ("logout+jwt", id_token.clone()),
        ("secevent+jwt", id_token.clone()),
        // An ID token that was asked for with the event of a logout token in it.
        ("JWT", with(id_token, "events", json!({LOGOUT: {}}))),
        ("at+jwt", logout_token()),
    ] {
        let (code, _) = outcome(&compact(&typed(typ), &payload)).expect_err(typ);
        assert_eq!(code, "invalid_request", "{typ}: {payload}");
    }
    let untyped = json!({"alg": "RS256", "kid": "k"});
    assert!(outcome(&compact(&untyped, &logout_token())).is_err());
}

#[test]
fn an_issuer_logs_out_only_whom_it_may_speak_for() {
    let stranger = configuration(json!({}), json!({"audience": "shop"}));
    let token = compact(&typed("JWT"), &with(logout_token(), "iss", ONE.into()));
    assert_eq!(
        outcome_at(&token, &stranger, NOW).unwrap_err().0,
        "access_denied"
    );
}

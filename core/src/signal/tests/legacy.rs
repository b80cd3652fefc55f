//! Shapes and names of before SSF 1.0 (`ssf.md` §9): read from transmitters that are configured as `legacy`, and from
//! no others.

use super::*;

const OAUTH: &str = "https://schemas.openid.net/secevent/oauth/event-type/";
const OKTA: &str = "https://schemas.okta.com/secevent/okta/event-type/";
const SSE: &str = "https://schemas.openid.net/secevent/sse/event-type/";

fn legacy() -> Configuration {
    configuration(json!({}), json!({"legacy": true}))
}

/// A SET whose subject stands inside its event.
fn inside(uri: &str, subject: &Value, event: Value) -> Value {
    let event = with(event, "subject", subject.clone());
    without(payload(ONE, &json!({}), uri, &event), "sub_id")
}

#[test]
fn old_shapes_have_the_effect_of_todays() {
    let google = json!({"subject_type": "iss-sub", "iss": KEYCLOAK, "sub": "u"});
    let okta = json!({"user": {"format": "iss_sub", "iss": KEYCLOAK, "sub": "u"}});
    let okta_device = json!({"device": {"format": "opaque", "id": "d"}});
    let drafts = json!({"subject_type": "user-device-session", "user": google});
    let client = json!({"subject_type": "iss-sub", "iss": KEYCLOAK, "sub": "shop"});
    let high = json!({"current_level": "high", "previous_level": "low", "reason_admin": "as text"});
    let of_client = |effect: &str| {
        std::vec![
            format!("clientApplication: {effect}"),
            format!("servicePrincipal: {effect}")
        ]
    };
    let of_user = |effect: &str| std::vec![format!("user: {effect}")];
    for (uri, subject, event, expected) in [
        (
            format!("{RISC}sessions-revoked"),
            &google,
            json!({}),
            of_user("sessionRevoked"),
        ),
        (
            "https://accounts.google.com/risc/event/sessions-revoked".to_owned(),
            &google,
            json!({}),
            of_user("sessionRevoked"),
        ),
        (
            format!("{RISC}tokens-revoked"),
            &google,
            json!({}),
            of_user("sessionRevoked"),
        ),
        (
            format!("{OAUTH}tokens-revoked"),
            &google,
            json!({"reason": "x"}),
            of_user("sessionRevoked"),
        ),
        (
            format!("{RISC}account-disabled"),
            &google,
            json!({"reason": "hijacking", "cause-time": 1}),
            of_user("accountDisabled, status=disabled"),
        ),
        (
            format!("{OAUTH}client-disabled"),
            &client,
            json!({}),
            of_client("accountDisabled, status=disabled"),
        ),
        (
            format!("{OAUTH}client-enabled"),
            &client,
            json!({}),
            of_client("status=enabled"),
        ),
        (
            format!("{OAUTH}client-credential-changed"),
            &client,
            json!({}),
            of_client("credentialChange"),
        ),
        (
            format!("{OAUTH}token-issued"),
            &google,
            json!({}),
            std::vec![],
        ),
        (
            format!("{OAUTH}token-revoked"),
            &json!({"subject_type": "oauth_token", "token_type": "refresh_token", "token_identifier_alg": "prefix", "token": "1/5eUnSJ"}),
            json!({}),
            std::vec![],
        ),
        (
            format!("{OKTA}user-risk-change"),
            &okta,
            high.clone(),
            of_user("riskLevel, risk=high"),
        ),
        (
            format!("{OKTA}device-risk-change"),
            &okta_device,
            high,
            std::vec!["device: riskLevel, risk=high".to_owned()],
        ),
        (
            format!("{CAEP}session-revoked"),
            &drafts,
            json!({"reason_admin": "text"}),
            of_user("sessionRevoked"),
        ),
        (
            format!("{CAEP}session-revoked/v1"),
            &google,
            json!({}),
            of_user("sessionRevoked"),
        ),
        (
            format!("{CAEP}token-claims-changed"),
            &google,
            json!({"claims": {"role": "a"}}),
            of_user("role is \"a\""),
        ),
        (
            format!("{CAEP}token-claims-changed"),
            &google,
            json!({}),
            of_user("claimsChange"),
        ),
        (
            format!("{CAEP}assurance-level-change"),
            &google,
            json!({"current_level": "nist-aal1", "previous_level": "nist-aal2", "change_direction": "decrease"}),
            of_user("assurance=nist-aal1"),
        ),
        (
            format!("{SSE}verification"),
            &google,
            json!({"state": "s"}),
            std::vec![],
        ),
        (
            format!("{RISC}verification"),
            &google,
            json!({"state": "s"}),
            std::vec![],
        ),
    ] {
        let set = inside(&uri, subject, event);
        let found = reading(&legacy(), &set);
        assert_eq!(found["status"], "valid", "{uri}: {found}");
        assert_eq!(summary(&found), expected, "{uri}");
        // From anybody else the subject is missing.
        assert_eq!(reading(&plain(), &set)["err"], "invalid_request", "{uri}");
    }
}

#[test]
fn the_stream_needs_no_subject() {
    for name in ["verification", "stream-updated"] {
        let uri = format!("{SSE}{name}");
        let event = json!({"state": "s", "status": "paused"});
        let set = without(payload(ONE, &json!({}), &uri, &event), "sub_id");
        assert_eq!(reading(&legacy(), &set)["status"], "valid");
        assert_eq!(reading(&plain(), &set)["err"], "invalid_request");
    }
    let unknown = without(payload(ONE, &json!({}), "urn:x", &json!({})), "sub_id");
    assert_eq!(notes(&reading(&legacy(), &unknown)), ["unknownEventType"]);
    let about = format!("{RISC}account-disabled");
    let somebody = without(payload(ONE, &json!({}), &about, &json!({})), "sub_id");
    assert_eq!(reading(&legacy(), &somebody)["err"], "invalid_request");
}

#[test]
fn events_about_clients_name_them_as_their_draft_has_it() {
    let uri = format!("{OAUTH}client-disabled");
    let expected = [
        "clientApplication: accountDisabled, status=disabled",
        "servicePrincipal: accountDisabled, status=disabled",
    ];
    let subject = json!({"subject_type": "oauth_client", "client_id": "shop"});
    assert_eq!(
        summary(&reading(&legacy(), &inside(&uri, &subject, json!({})))),
        expected
    );
    let by_audience = without(payload(ONE, &json!({}), &uri, &json!({})), "sub_id");
    assert_eq!(summary(&reading(&legacy(), &by_audience)), expected);
    assert_eq!(reading(&plain(), &by_audience)["err"], "invalid_request");
    let of_user = without(
        payload(
            ONE,
            &json!({}),
            &format!("{OAUTH}tokens-revoked"),
            &json!({}),
        ),
        "sub_id",
    );
    assert_eq!(reading(&legacy(), &of_user)["err"], "invalid_request");
}

#[test]
fn old_names_have_no_effect_from_other_transmitters() {
    let old = format!("{CAEP}token-claims-changed");
    let set = payload(ONE, &user(), &old, &json!({"claims": {"role": "a"}}));
    let ignored = reading(&plain(), &set);
    assert_eq!(summary(&ignored), [""; 0]);
    assert_eq!(notes(&ignored), ["legacyEventType", "unknownEventType"]);
    let broken = payload(
        ONE,
        &user(),
        &old,
        &json!({"claims": 1, "event_timestamp": "x"}),
    );
    assert_eq!(
        notes(&reading(&plain(), &broken)),
        ["legacyEventType", "unknownEventType"]
    );
    assert_eq!(reading(&legacy(), &broken)["err"], "invalid_request");
    // Beside today's name it is another name of one event (SSF 1.0 §4.2.1).
    let both = json!({&old: {"claims": {"role": "a"}}, format!("{CAEP}token-claims-change"): {"claims": {"role": "a"}}});
    let both = with(set, "events", both);
    assert_eq!(summary(&reading(&plain(), &both)), ["user: role is \"a\""]);
}

//! Under which keys events are filed (`enforcement.md` §2).

use super::*;
use crate::state::key::{NameSpace, StateKey, SubjectKind};
use crate::token::subject_keys::subject_key;

const GUID: &str = "AAAAAAAA-3333-3333-3333-333333333333";

fn revoked(configuration: &Configuration, transmitter: &str, subject: &Value) -> Value {
    let uri = format!("{CAEP}session-revoked");
    reading(
        configuration,
        &payload(transmitter, subject, &uri, &json!({})),
    )
}

fn keys(reading: &Value) -> Vec<StateKey> {
    let effects = reading["effects"]
        .as_array()
        .expect("an accepted SET")
        .iter();
    effects
        .map(|effect| effect["key"].as_str().unwrap().parse().unwrap())
        .collect()
}

fn opaque(id: &str) -> Value {
    json!({"format": "opaque", "id": id})
}

#[test]
fn simple_subjects() {
    use NameSpace::{Email, Native, PhoneNumber};
    use SubjectKind::{Session, Token, User};
    let plain = plain();
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let key = subject_key;
    let aliases = json!({"format": "aliases", "identifiers": [
        user(), {"format": "email", "email": "u@kc.example"}, user(),
    ]});
    for (transmitter, subject, expected, expected_notes) in [
        (
            ONE,
            user(),
            std::vec![key(KEYCLOAK, User, Native, "u")],
            &[][..],
        ),
        (
            ONE,
            opaque("x"),
            std::vec![
                key(KEYCLOAK, User, Native, "x"),
                key(KEYCLOAK, Session, Native, "x")
            ],
            &[],
        ),
        (
            ONE,
            json!({"format": "jwt_id", "iss": KEYCLOAK, "jti": "t"}),
            std::vec![key(KEYCLOAK, Token, Native, "t")],
            &[],
        ),
        (
            ONE,
            json!({"format": "email", "email": "U@KC.example"}),
            std::vec![key(KEYCLOAK, User, Email, "u@kc.example")],
            &[],
        ),
        (
            ONE,
            json!({"format": "phone_number", "phone_number": "+1 206 555 0123"}),
            std::vec![key(KEYCLOAK, User, PhoneNumber, "+12065550123")],
            &[],
        ),
        (
            ONE,
            aliases,
            std::vec![
                key(KEYCLOAK, User, Native, "u"),
                key(KEYCLOAK, User, Email, "u@kc.example")
            ],
            &[],
        ),
        (
            ONE,
            json!({"format": "did", "url": "did:example:1"}),
            std::vec![key(KEYCLOAK, User, NameSpace::Did, "did:example:1")],
            &["unmatchable:user/did"],
        ),
        (
            ONE,
            json!({"format": "catalog_item"}),
            std::vec![],
            &["subjectNotUnderstood"],
        ),
        (
            ONE,
            json!({"format": "ip-addresses", "ip-addresses": ["192.0.2.1"]}),
            std::vec![],
            &["subjectNotUnderstood"],
        ),
        (MANY, opaque("x"), std::vec![], &["opaqueScopeUnknown"]),
        (
            MANY,
            json!({"format": "email", "email": "u@kc.example"}),
            [KEYCLOAK, TENANT, OTHER_TENANT]
                .map(|scope| key(scope, User, Email, "u@kc.example"))
                .to_vec(),
            &[],
        ),
        (
            MANY,
            json!({"format": "iss_sub", "iss": v1, "sub": GUID}),
            std::vec![key(TENANT, User, Native, &GUID.to_lowercase())],
            &[],
        ),
        (
            ENTRA_ONLY,
            json!({"format": "iss_sub", "iss": v2, "sub": GUID.to_lowercase()}),
            std::vec![key(TENANT, User, Native, GUID)],
            &[],
        ),
        (
            ENTRA_ONLY,
            opaque("x"),
            std::vec![],
            &["opaqueScopeUnknown"],
        ),
    ] {
        let reading = revoked(&plain, transmitter, &subject);
        let mut expected = expected;
        expected.sort();
        assert_eq!(keys(&reading), expected, "{subject}");
        assert_eq!(notes(&reading), expected_notes, "{subject}");
    }
}

#[test]
fn an_opaque_scope_settles_whose_identifier_it_is() {
    let settled = configuration(
        json!({}),
        json!({"speaksFor": [KEYCLOAK, ENTRA], "opaqueScope": OTHER_TENANT}),
    );
    let reading = revoked(&settled, ONE, &opaque("x"));
    let user = subject_key(OTHER_TENANT, SubjectKind::User, NameSpace::Native, "x");
    assert!(keys(&reading).contains(&user));
    assert_eq!(notes(&reading), [""; 0]);
}

#[test]
fn a_tenant_member_tells_tenants_apart() {
    let plain = plain();
    let subject =
        |tenant: &str| json!({"format": "complex", "user": opaque(GUID), "tenant": opaque(tenant)});
    let known = revoked(&plain, ENTRA_ONLY, &subject(&OTHER_TENANT.to_uppercase()));
    let user = subject_key(OTHER_TENANT, SubjectKind::User, NameSpace::Native, GUID);
    assert_eq!(keys(&known), [user]);
    assert_eq!(
        summary(&known),
        ["user: sessionRevoked with tenant (failSafeSession)"]
    );
    let unknown = revoked(
        &plain,
        ENTRA_ONLY,
        &subject("cccccccc-3333-3333-3333-333333333333"),
    );
    assert_eq!(keys(&unknown), []);
    assert!(notes(&unknown).contains(&"opaqueScopeUnknown"));
}

#[test]
fn complex_subjects_are_scoped_under_every_identifying_member() {
    let plain = plain();
    let complex = |members: Value| with(members, "format", "complex".into());
    let all = complex(json!({
        "user": user(), "session": opaque("s"), "device": opaque("d"), "application": opaque("a"),
        "group": opaque("g"), "org_unit": opaque("o"),
    }));
    let rest = "group+organizationalUnit (failSafeSession)";
    for (subject, expected) in [
        (
            complex(json!({"user": user()})),
            std::vec!["user: sessionRevoked".to_owned()],
        ),
        (
            complex(json!({"user": user(), "device": opaque("d")})),
            std::vec![
                "device: sessionRevoked with user (failSafeSession)".to_owned(),
                "user: sessionRevoked with device (failSafeSession)".to_owned(),
            ],
        ),
        (
            all,
            std::vec![
                format!("clientApplication: sessionRevoked with user+session+device+{rest}"),
                format!("device: sessionRevoked with user+session+clientApplication+{rest}"),
                format!("session: sessionRevoked with user+device+clientApplication+{rest}"),
                format!("user: sessionRevoked with session+device+clientApplication+{rest}"),
            ],
        ),
        (complex(json!({"group": opaque("g")})), std::vec![]),
        (
            complex(json!({"tenant": opaque("t"), "group": opaque("g")})),
            std::vec![],
        ),
        (complex(json!({"unheard_of": opaque("x")})), std::vec![]),
        (
            complex(json!({"unheard_of": opaque("x"), "user": user()})),
            std::vec!["user: sessionRevoked".to_owned()],
        ),
    ] {
        assert_eq!(
            summary(&revoked(&plain, ONE, &subject)),
            expected,
            "{subject}"
        );
    }
}

#[test]
fn a_subject_of_very_many_names_is_bounded() {
    let plain = plain();
    let names: Vec<_> = (0..32).map(|n| opaque(&format!("d-{n}"))).collect();
    let devices = json!({"format": "aliases", "identifiers": names});
    let subject =
        json!({"format": "complex", "user": user(), "device": devices, "session": opaque("s")});
    let reading = revoked(&plain, ONE, &subject);
    assert!(notes(&reading).contains(&"scopeTooLarge"));
    let lines = summary(&reading);
    // The user and the session alone; each device with the two of them.
    assert!(
        lines.contains(&"user: sessionRevoked".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"session: sessionRevoked".to_owned()),
        "{lines:?}"
    );
    let devices = "device: sessionRevoked with user+session (failSafeSession)";
    assert_eq!(lines.iter().filter(|line| *line == devices).count(), 32);
}

#[test]
fn a_whole_tenant_needs_permission() {
    let subject = json!({"format": "complex", "tenant": opaque("t")});
    let refused = revoked(&plain(), ONE, &subject);
    assert_eq!(summary(&refused), [""; 0]);
    assert!(notes(&refused).contains(&"tenantWide"));
    let allowed = configuration(json!({"allowTenantWide": true}), json!({}));
    assert_eq!(
        summary(&revoked(&allowed, ONE, &subject)),
        ["tenant: sessionRevoked"]
    );
}

#[test]
fn a_member_that_cannot_be_filed_does_not_widen_the_subject() {
    let unseen = json!({"format": "saml_assertion_id", "issuer": "x", "assertion_id": "y"});
    let complex = |members: Value| with(members, "format", "complex".into());
    let token = |jti: &str| json!({"format": "jwt_id", "iss": KEYCLOAK, "jti": jti});
    for (subject, by_precise, by_default) in [
        // Precise: no token matches. An administrator's revocation of a session that tokens cannot show is fail-safe.
        (
            complex(json!({"user": user(), "session": unseen})),
            &["user: sessionRevoked with session (precise)"][..],
            &["user: sessionRevoked with session (failSafeSession)"][..],
        ),
        (
            complex(json!({"user": user(), "device": unseen})),
            &["user: sessionRevoked with device (precise)"],
            &["user: sessionRevoked with device (failSafeSession)"],
        ),
        // Of the user nothing can be told: that leaves the tenant, which is not what was meant.
        (
            complex(json!({"user": unseen, "tenant": opaque("t")})),
            &[],
            &[],
        ),
        (complex(json!({"session": unseen})), &[], &[]),
        // Two tokens at once: the second remains as the user that nobody shows.
        (
            complex(json!({"session": token("a"), "user": token("b")})),
            &["token: sessionRevoked with user (precise)"],
            &["token: sessionRevoked with user (failSafeSession)"],
        ),
        // A member that the vocabulary does not have is no restriction.
        (
            complex(json!({"user": user(), "mood": opaque("m")})),
            &["user: sessionRevoked"],
            &["user: sessionRevoked"],
        ),
    ] {
        let allowed = json!({"allowTenantWide": true});
        let precise = configuration(allowed.clone(), json!({"unseenMember": "precise"}));
        assert_eq!(
            summary(&revoked(&precise, ONE, &subject)),
            by_precise,
            "{subject}"
        );
        let default = configuration(allowed, json!({}));
        assert_eq!(
            summary(&revoked(&default, ONE, &subject)),
            by_default,
            "{subject}"
        );
    }
}

#[test]
fn unseen_members_count_as_configured() {
    let uri = format!("{CAEP}session-revoked");
    let subject = json!({"format": "complex", "user": user(), "session": opaque("s")});
    for (settings, transmitter, initiator, expected) in [
        (json!({}), json!({}), "admin", "failSafeSession"),
        (json!({}), json!({}), "user", "precise"),
        (
            json!({"unseenMember": "failSafe"}),
            json!({}),
            "user",
            "failSafe",
        ),
        (
            json!({"unseenMember": "failSafe"}),
            json!({"unseenMember": "precise"}),
            "admin",
            "precise",
        ),
    ] {
        let configuration = configuration(settings, transmitter);
        let event = json!({"initiating_entity": initiator});
        let reading = reading(&configuration, &payload(ONE, &subject, &uri, &event));
        let scoped = &reading["effects"][0]["effect"]["scoped"][0];
        assert_eq!(scoped["unseenMember"], expected);
    }
}

#[test]
fn a_sign_out_of_the_user_alone_can_be_ignored() {
    let ignoring = configuration(json!({}), json!({"sessionRevokedByUser": "ignore"}));
    let uri = format!("{CAEP}session-revoked");
    let by_user = json!({"initiating_entity": "user"});
    let complex = |members: Value| with(members, "format", "complex".into());
    for (subject, expected) in [
        (opaque("x"), &["session: sessionRevoked"][..]),
        (complex(json!({"user": user()})), &[]),
        (
            complex(json!({"user": user(), "session": opaque("s")})),
            &[
                "session: sessionRevoked with user (precise)",
                "user: sessionRevoked with session (precise)",
            ],
        ),
    ] {
        let reading = reading(&ignoring, &payload(ONE, &subject, &uri, &by_user));
        assert_eq!(summary(&reading), expected, "{subject}");
    }
}

#[test]
fn an_event_with_a_critical_member_that_is_not_understood_is_discarded() {
    let critical = configuration(
        json!({}),
        json!({"criticalSubjectMembers": ["badge", "device"]}),
    );
    let complex = |members: Value| with(members, "format", "complex".into());
    let discarded = revoked(
        &critical,
        ONE,
        &complex(json!({"user": user(), "badge": opaque("b")})),
    );
    assert_eq!(summary(&discarded), [""; 0]);
    assert_eq!(notes(&discarded), ["criticalMemberNotUnderstood:badge"]);
    let understood = revoked(
        &critical,
        ONE,
        &complex(json!({"user": user(), "device": opaque("d")})),
    );
    assert_eq!(summary(&understood).len(), 2);
}

#[test]
fn keys_that_no_token_shows_are_noted() {
    let plain = plain();
    let event = json!({"previous_status": "compliant", "current_status": "not-compliant"});
    let set = payload(
        ONE,
        &opaque("d"),
        &format!("{CAEP}device-compliance-change"),
        &event,
    );
    assert_eq!(notes(&reading(&plain, &set)), ["unmatchable:device"]);
}

#[test]
fn a_foreign_issuer_is_refused_whatever_the_event_would_do() {
    let plain = plain();
    let foreign = json!({"format": "iss_sub", "iss": "https://stranger.example", "sub": "u"});
    let aliases = json!({"format": "aliases", "identifiers": [user(), foreign]});
    let with_badge = json!({"format": "complex", "user": user(), "badge": foreign});
    let password = json!({"credential_type": "password", "change_type": "create"});
    for (uri, event) in [
        (format!("{CAEP}session-revoked"), json!({})),
        (format!("{CAEP}session-established"), json!({})),
        (format!("{CAEP}credential-change"), password),
        (format!("{RISC}recovery-activated"), json!({})),
    ] {
        for subject in [&foreign, &aliases, &with_badge] {
            let refused = reading(&plain, &payload(ONE, subject, &uri, &event));
            assert_eq!(refused["err"], "access_denied", "{uri}: {subject}");
        }
        let own = reading(&plain, &payload(ONE, &user(), &uri, &event));
        assert_eq!(own["status"], "valid", "{uri}");
    }
}

#[test]
fn a_device_that_is_not_named_cuts_nobody_off() {
    let plain = plain();
    let event = json!({"previous_status": "compliant", "current_status": "not-compliant"});
    let uri = format!("{CAEP}device-compliance-change");
    let subject = json!({"format": "complex", "user": user()});
    let reading = reading(&plain, &payload(ONE, &subject, &uri, &event));
    assert_eq!(summary(&reading), [""; 0]);
    assert_eq!(notes(&reading), ["noStandingMember"]);
}

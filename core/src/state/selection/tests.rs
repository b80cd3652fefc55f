use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::*;
use crate::state::record::{CutOffScope, UnseenMember};
use crate::state::samples::entry;

const TENANT: &str = "aaaaaaaa-1111-1111-1111-111111111111";

fn configuration(issuers: &str) -> Configuration {
    let text = r#"{"resource": {"audiences": ["api://orders"]}, "issuers": [ISSUERS]}"#;
    let text = text.replace("ISSUERS", issuers).replace("TENANT", TENANT);
    Configuration::read(&text).unwrap()
}

const KEYCLOAK: &str =
    r#"{"issuer": "https://kc.example/realms/a", "claims": "keycloak", "jwks": {"keys": []}}"#;
const ENTRA: &str = r#"{"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "tenants": ["TENANT"],
    "claims": "entra-v2", "jwks": {"keys": []}}"#;

/// Kind, name space and identifier of one key in a scope.
fn key(scope: &str, kind: SubjectKind, name_space: NameSpace, text: &str) -> StateKey {
    subject_key(scope, kind, name_space, text)
}

fn keys(subject: &str, scopes: Scopes<'_>) -> Vec<StateKey> {
    let selected = select(subject, scopes).unwrap();
    assert!(selected.iter().all(|one| one.remaining.is_empty()));
    selected.into_iter().map(|one| one.key).collect()
}

#[test]
fn short_forms_and_identifiers_stand_for_the_keys_of_tokens_and_events() {
    use NameSpace::{Email, Native, PhoneNumber};
    use SubjectKind::{ClientApplication, Device, ServicePrincipal, Session, Tenant, Token, User};
    let one = configuration(KEYCLOAK);
    let realm = "https://kc.example/realms/a";
    let iss_sub = r#"{"format":"iss_sub","iss":"https://kc.example/realms/a","sub":"u"}"#;
    let aliases = r#"{"format":"aliases","identifiers":[{"format":"email","email":"A@example.org"},
        {"format":"opaque","id":"u"}]}"#;
    let token = r#"{"format":"jwt_id","iss":"https://kc.example/realms/a","jti":"t"}"#;
    let scim = r#"{"format":"scim","uri":"/Users/u"}"#;
    let application = r#"{"format":"complex","application":{"format":"opaque","id":"a"}}"#;
    let device = r#"{"format":"complex","device":{"format":"opaque","id":"d"}}"#;
    for (subject, expected) in [
        ("user:u", &[(User, Native, "u")][..]),
        ("user:a:b", &[(User, Native, "a:b")]),
        ("email:a@EXAMPLE.org", &[(User, Email, "a@example.org")]),
        ("phone:+1 206 555", &[(User, PhoneNumber, "+1206555")]),
        ("device:d", &[(Device, Native, "d")]),
        ("session:s", &[(Session, Native, "s")]),
        ("token:t", &[(Token, Native, "t")]),
        (
            "application:a",
            &[
                (ClientApplication, Native, "a"),
                (ServicePrincipal, Native, "a"),
            ],
        ),
        ("tenant:t", &[(Tenant, Native, "t")]),
        (iss_sub, &[(User, Native, "u")]),
        (
            r#"{"format":"opaque","id":"u"}"#,
            &[(User, Native, "u"), (Session, Native, "u")],
        ),
        (token, &[(Token, Native, "t")]),
        (scim, &[(User, Native, "u")]),
        (device, &[(Device, Native, "d")]),
        (
            application,
            &[
                (ClientApplication, Native, "a"),
                (ServicePrincipal, Native, "a"),
            ],
        ),
    ] {
        let expected: Vec<_> = (expected.iter())
            .map(|(kind, name_space, text)| key(realm, *kind, *name_space, text))
            .collect();
        assert_eq!(
            keys(subject, Scopes::Configured(&one, None)),
            expected,
            "{subject}"
        );
        assert_eq!(
            keys(subject, Scopes::Given(Some(realm))),
            expected,
            "{subject}"
        );
    }
    let found = keys(aliases, Scopes::Configured(&one, None));
    for expected in [
        key(realm, User, Email, "a@example.org"),
        key(realm, User, Native, "u"),
        key(realm, Session, Native, "u"),
    ] {
        assert!(found.contains(&expected));
    }
}

#[test]
fn whose_subject_it_is_has_to_be_clear() {
    let both = configuration(&alloc::format!("{KEYCLOAK},{ENTRA}"));
    let realm = "https://kc.example/realms/a";
    let user = |scope| key(scope, SubjectKind::User, NameSpace::Native, "u");
    let known = || Vec::from([TENANT.to_string(), realm.to_string()]);
    let error = select("user:u", Scopes::Configured(&both, None)).unwrap_err();
    assert_eq!(error.kind, SelectionErrorKind::Ambiguous { known: known() });
    for (name, scope) in [
        (realm, realm),
        (TENANT, TENANT),
        (
            "https://login.microsoftonline.com/aaaaaaaa-1111-1111-1111-111111111111/v2.0",
            TENANT,
        ),
        ("AAAAAAAA-1111-1111-1111-111111111111", TENANT),
    ] {
        assert_eq!(
            keys("user:u", Scopes::Configured(&both, Some(name))),
            [user(scope)],
            "{name}"
        );
    }
    let name = "https://other.example".to_string();
    let unknown = SelectionErrorKind::UnknownIssuer {
        name: name.clone(),
        known: known(),
    };
    let error = select("user:u", Scopes::Configured(&both, Some(&name))).unwrap_err();
    assert_eq!(error.kind, unknown);
    let foreign = r#"{"format":"iss_sub","iss":"https://other.example","sub":"u"}"#;
    assert_eq!(
        select(foreign, Scopes::Configured(&both, None))
            .unwrap_err()
            .kind,
        unknown
    );
    assert_eq!(
        keys("email:a@example.org", Scopes::Configured(&both, None)).len(),
        2
    );
    assert_eq!(
        keys(foreign, Scopes::Given(None)),
        [user("https://other.example")]
    );
    let error = select("user:u", Scopes::Given(None)).unwrap_err();
    assert_eq!(error.kind, SelectionErrorKind::ScopeUnknown);
    let narrowed = alloc::format!(
        r#"{{"format":"complex","tenant":{{"format":"opaque","id":"{TENANT}"}},
            "user":{{"format":"opaque","id":"u"}}}}"#
    );
    let selected = select(&narrowed, Scopes::Configured(&both, None)).unwrap();
    assert_eq!(selected[0].key, user(TENANT));
}

#[test]
fn what_stands_for_no_record_is_refused() {
    let one = configuration(KEYCLOAK);
    for (subject, part) in [
        ("adele", "write user:ID"),
        ("person:adele", "write user:ID"),
        ("user:", "write user:ID"),
        ("{", "no subject identifier"),
        (
            r#"{"format":"email"}"#,
            "no subject identifier: subject/email: expected a non-empty string",
        ),
        (
            r#"{"format":"ip-addresses","ip-addresses":["192.0.2.1"]}"#,
            "identifiers of this format",
        ),
        (
            r#"{"format":"complex","printer":{"format":"opaque","id":"p"}}"#,
            "the member `printer`",
        ),
        (
            r#"{"format":"complex","group":{"format":"opaque","id":"g"},"tenant":{"format":"opaque","id":"t"}}"#,
            "these members alone",
        ),
    ] {
        let error = select(subject, Scopes::Configured(&one, None))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(subject) && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn a_complex_subject_stands_for_the_cut_offs_of_all_its_members_together() {
    let one = configuration(KEYCLOAK);
    let subject = r#"{"format":"complex","user":{"format":"opaque","id":"u"},"session":{"format":"opaque","id":"s"}}"#;
    let selected = select(subject, Scopes::Configured(&one, None)).unwrap();
    let kinds: Vec<_> = selected.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [SubjectKind::User, SubjectKind::Session]);
    let scope = |members: &[Member], unseen| CutOffScope {
        members: members.to_vec(),
        unseen,
    };
    let session = selected[0].remaining.clone();
    let other = Vec::from([Member {
        kind: SubjectKind::Session,
        keys: Vec::from([(NameSpace::Native, StateKey::from_bytes([1; 16]))]),
    }]);
    let at = |at, cause| entry(at, at, cause);
    let mut record = Record {
        cut_off: Some(at(1, Cause::PasswordChange)),
        scoped: Vec::from([
            (
                scope(&session, UnseenMember::Precise),
                at(1, Cause::SessionRevoked),
            ),
            (
                scope(&session, UnseenMember::FailSafeSession),
                at(2, Cause::SessionRevoked),
            ),
            (
                scope(&other, UnseenMember::Precise),
                at(3, Cause::SessionRevoked),
            ),
        ]),
        ..Record::default()
    };
    record.scoped.sort();
    let cleared = cleared_scopes(&record, &session, UnixTime::from_secs(9));
    let after = Record::merged(record.clone(), &cleared);
    assert_eq!(after.cut_off, record.cut_off);
    for (scope, entry) in &after.scoped {
        let expected = if scope.members == session {
            Cause::Cleared
        } else {
            Cause::SessionRevoked
        };
        assert_eq!(entry.value, expected);
    }
}

#[test]
fn beside_a_user_an_application_is_the_client() {
    let one = configuration(KEYCLOAK);
    let subject = r#"{"format":"complex","user":{"format":"opaque","id":"u"},
        "application":{"format":"opaque","id":"a"}}"#;
    let selected = select(subject, Scopes::Configured(&one, None)).unwrap();
    let kinds: Vec<_> = selected.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [SubjectKind::User, SubjectKind::ClientApplication]);
    assert_eq!(selected[0].remaining[0].keys.len(), 1);
}

use alloc::vec;

use serde_json::json;

use super::*;
use crate::token::SubjectKey;
use crate::token::subject_keys::subject_key;
use crate::token::testing::{ENTRA, TENANT, changed, issuer};

const OID: &str = "33676DD4-6379-4CE9-83A3-2A863797120B";
const AGES: Ages = Ages {
    skew: 60,
    capable: 100_800,
    other: 86_400,
};

fn entra() -> Issuer {
    issuer(Preset::EntraV2, ENTRA)
}

fn entra_claims() -> Value {
    json!({
        "iss": ENTRA, "tid": TENANT, "iat": 1000, "exp": 5000, "oid": OID, "sub": "pairwise", "azp": "client",
        "scp": "read",
    })
}

fn interpreted(issuer: &Issuer, claims: Value) -> Result<AccessToken, Refusal> {
    let tenant = issuer.preset.is_entra().then(|| TENANT.to_string());
    let origin = Origin {
        index: 0,
        issuer,
        tenant,
    };
    interpret(claims, &origin, AGES)
}

fn with(changes: Value) -> AccessToken {
    interpreted(&entra(), changed(entra_claims(), &changes)).unwrap()
}

/// The keys as kind, name space and identifier, where they are those of `identifiers`.
fn keys(scope: &str, identifiers: &[(SubjectKind, NameSpace, &str)]) -> Vec<SubjectKey> {
    let key = |(kind, name_space, text): &(SubjectKind, NameSpace, &str)| SubjectKey {
        kind: *kind,
        name_space: *name_space,
        key: subject_key(scope, *kind, *name_space, text),
    };
    identifiers.iter().map(key).collect()
}

#[test]
fn a_user_token_yields_its_keys_in_order() {
    use NameSpace::{Email, Native, PhoneNumber};
    use SubjectKind::{ClientApplication, Device, Session, Tenant, Token, User};
    let mut issuer = entra();
    let aliases = vec!["Ann@Alias.example".into(), "+15551".into()];
    issuer.aliases.insert(OID.to_lowercase(), aliases);
    let claims = json!({
        "sid": "session", "deviceid": "device", "uti": "token", "email": "ann@example.org", "xms_edov": true,
        "upn": "never@example.org", "preferred_username": "never@example.org",
        "phone_number": "+1555", "phone_number_verified": true,
    });
    let token = interpreted(&issuer, changed(entra_claims(), &claims)).unwrap();
    assert_eq!(
        token.keys,
        keys(
            TENANT,
            &[
                (User, Native, OID),
                (User, Native, "pairwise"),
                (User, Email, "ann@example.org"),
                (User, PhoneNumber, "+1555"),
                (User, Email, "ann@alias.example"),
                (User, PhoneNumber, "+15551"),
                (Session, Native, "session"),
                (Device, Native, "device"),
                (Token, Native, "token"),
                (ClientApplication, Native, "client"),
                (Tenant, Native, TENANT),
            ]
        )
    );
    assert_eq!(token.subject, Some(OID.to_lowercase()));
    assert_eq!(token.principal, Principal::User);
}

#[test]
fn an_address_counts_only_when_verified_or_stable() {
    let address = |claims: Value, stable: bool| {
        let mut issuer = entra();
        issuer.email_is_stable = stable;
        let token = interpreted(&issuer, changed(entra_claims(), &claims)).unwrap();
        token
            .keys
            .iter()
            .any(|key| key.name_space == NameSpace::Email)
    };
    let verified = |value: Value| json!({"email": "a@b", "xms_edov": value});
    assert!(!address(json!({"email": "a@b"}), false));
    assert!(address(json!({"email": "a@b"}), true));
    assert!(!address(json!({"xms_edov": true}), true));
    for (value, counts) in [
        (json!(true), true),
        (json!(1), true),
        (json!("1"), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!({}), false),
    ] {
        assert_eq!(address(verified(value.clone()), false), counts, "{value}");
    }
}

#[test]
fn app_only_tokens_are_told() {
    use Principal::{Application, User};
    for (changes, expected) in [
        (json!({"idtyp": "app"}), Application),
        (json!({"idtyp": "app", "scp": null}), Application),
        (json!({"idtyp": "user", "scp": null, "roles": ["R"]}), User),
        (json!({}), User),
        (json!({"roles": ["R"]}), User),
        // A user without delegated permissions, but with roles: no evidence of a service principal.
        (json!({"scp": null, "roles": ["R"]}), User),
        (json!({"scp": null, "roles": ["R"], "sub": null}), User),
        (
            json!({"scp": null, "roles": ["R"], "sub": OID}),
            Application,
        ),
        (json!({"scp": null, "sub": OID}), Application),
        (json!({"scp": null}), User),
        (json!({"sub": "client"}), Application),
    ] {
        assert_eq!(with(changes.clone()).principal, expected, "{changes}");
    }
}

#[test]
fn an_app_only_token_yields_application_keys() {
    use NameSpace::Native;
    use SubjectKind::{ClientApplication, ServicePrincipal, Tenant, User};
    let token = with(json!({"idtyp": "app", "sub": OID, "scp": null, "roles": ["Orders.Read"]}));
    let expected = [
        (User, Native, OID),
        (ClientApplication, Native, "client"),
        (ServicePrincipal, Native, OID),
        (Tenant, Native, TENANT),
    ];
    assert_eq!(token.keys, keys(TENANT, &expected));
    assert_eq!(token.scopes, ["Orders.Read"]);

    let issuer = issuer(Preset::Rfc9068, "https://as.example");
    let claims = json!({
        "iss": "https://as.example", "iat": 1, "exp": 2, "sub": "app", "client_id": "app", "jti": "t",
    });
    let token = interpreted(&issuer, claims).unwrap();
    let expected = [
        (SubjectKind::Token, Native, "t"),
        (ClientApplication, Native, "app"),
        (ServicePrincipal, Native, "app"),
    ];
    assert_eq!(token.keys, keys("https://as.example", &expected));
    assert_eq!(token.subject.as_deref(), Some("app"));
}

#[test]
fn presets_read_the_tokens_of_their_product() {
    let okta = json!({
        "iss": "https://org.okta.com/oauth2/default", "iat": 1, "exp": 2, "sub": "ann@example.org", "uid": "00uA",
        "cid": "0oaB", "jti": "AT.1", "scp": ["orders read", "openid"],
    });
    let url = "https://org.okta.com/oauth2/default";
    let token = interpreted(&issuer(Preset::Okta, url), okta).unwrap();
    assert_eq!(
        token.subject.as_deref(),
        Some("00ua"),
        "policies name ids without case"
    );
    assert_eq!(
        token.keys[0].key,
        subject_key(url, SubjectKind::User, NameSpace::Native, "00uA")
    );
    assert_eq!(token.client_application.as_deref(), Some("0oaB"));
    assert_eq!(token.scopes, ["orders read", "openid"]);
    assert_eq!(token.tenant, None);

    let keycloak = json!({
        "iss": "https://kc.example/realms/a", "iat": 1, "exp": 2, "sub": "u", "azp": "app", "sid": "s",
        "scope": "openid  profile", "acr": "1", "email": "ann@example.org", "email_verified": true,
        "realm_access": {"roles": ["admin"]},
    });
    let token = interpreted(
        &issuer(Preset::Keycloak, "https://kc.example/realms/a"),
        keycloak,
    )
    .unwrap();
    assert_eq!(
        token.scopes,
        ["openid", "profile"],
        "realm roles are the person's"
    );
    assert_eq!(token.acr, Fact::Known("1".into()));
    assert_eq!(token.keys.len(), 4);
}

#[test]
fn a_token_of_the_other_entra_version_names_its_client_too() {
    let token = with(json!({"azp": null, "appid": "v1-client"}));
    assert_eq!(token.client_application.as_deref(), Some("v1-client"));
}

#[test]
fn two_issue_times() {
    for (nbf, earliest) in [
        (json!(null), 1000),
        (json!(900), 1000),
        (json!(1001), 1001),
        (json!(1360), 1360),
        (json!(1361), 1000),
    ] {
        let token = with(json!({ "nbf": nbf }));
        assert_eq!(token.issued_earliest.as_secs(), earliest, "{nbf}");
        assert_eq!(token.issued_latest.as_secs(), 1300);
    }
    let mut issuer = entra();
    issuer.honours_nbf = false;
    let token = interpreted(&issuer, changed(entra_claims(), &json!({"nbf": 1100}))).unwrap();
    assert_eq!(token.issued_earliest.as_secs(), 1000);
}

#[test]
fn capability_in_any_case_and_the_age_cap() {
    for (changes, capable, cap) in [
        (json!({}), false, 86_400),
        (json!({"xms_cc": ["CP1"]}), true, 100_800),
        (json!({"xms_cc": ["foo", "cp1"]}), true, 100_800),
        (json!({"xms_cc": "cp1"}), true, 100_800),
        (json!({"xms_cc": ["cp10"]}), false, 86_400),
        (json!({"xms_cc": ["cp1", 1]}), false, 86_400),
        (json!({"xms_cc": {"cp1": true}}), false, 86_400),
        (json!({"xms_cae": "1"}), false, 100_800),
        (json!({"xms_cae": "0", "xms_ssm": "1"}), false, 100_800),
    ] {
        let token = with(changed(json!({"exp": 9_000_000}), &changes));
        assert_eq!(token.capable, capable, "{changes}");
        assert_eq!(token.good_until.as_secs(), 1300 + cap, "{changes}");
    }
    assert_eq!(
        with(json!({})).good_until.as_secs(),
        5000,
        "`exp` comes first"
    );
}

#[test]
fn groups_are_known_unknown_or_none() {
    let mut always = entra();
    always.always_present.insert("groups".into());
    let known = Fact::Known(vec!["a1".to_string()]);
    for (changes, expected, expected_always) in [
        (json!({"groups": ["A1"]}), known.clone(), known.clone()),
        (json!({}), Fact::Unknown, Fact::Known(vec![])),
        (
            json!({"_claim_names": {"groups": "src1"}}),
            Fact::Unknown,
            Fact::Unknown,
        ),
        (
            json!({"groups": ["A1"], "_claim_names": {"groups": "src1"}}),
            Fact::Unknown,
            Fact::Unknown,
        ),
        (
            json!({"groups": ["A1"], "_claim_names": {"other": "src1"}}),
            known.clone(),
            known,
        ),
        (json!({"_claim_names": "odd"}), Fact::Unknown, Fact::Unknown),
        (json!({"hasgroups": true}), Fact::Unknown, Fact::Unknown),
        (
            json!({"groups:src1": "https://graph.example"}),
            Fact::Unknown,
            Fact::Unknown,
        ),
        (json!({"groups": ["A1", 1]}), Fact::Unknown, Fact::Unknown),
        (json!({"groups": {}}), Fact::Unknown, Fact::Unknown),
    ] {
        assert_eq!(with(changes.clone()).groups, expected, "{changes}");
        let token = interpreted(&always, changed(entra_claims(), &changes)).unwrap();
        assert_eq!(token.groups, expected_always, "{changes}");
    }
}

#[test]
fn guests_are_told_by_acct_or_by_a_foreign_idp() {
    let (guest, member) = (Fact::Known(UserType::Guest), Fact::Known(UserType::Member));
    for (changes, expected) in [
        (json!({}), Fact::Unknown),
        (json!({"acct": 0}), member.clone()),
        (json!({"acct": 1}), guest.clone()),
        (json!({"acct": "1"}), guest.clone()),
        (json!({"acct": 2, "idp": "live.com"}), Fact::Unknown),
        (json!({"acct": 0, "idp": "live.com"}), member),
        (json!({"idp": "live.com"}), guest),
        (json!({"idp": ENTRA}), Fact::Unknown),
        (
            json!({"idp": format!("https://sts.windows.net/{TENANT}/")}),
            Fact::Unknown,
        ),
        // National clouds have other issuer URLs, and the same tenants.
        (
            json!({"idp": format!("https://sts.windows.us/{TENANT}/")}),
            Fact::Unknown,
        ),
        (json!({"idtyp": "app", "acct": 1}), Fact::Unknown),
    ] {
        assert_eq!(with(changes.clone()).user_type, expected, "{changes}");
    }
}

#[test]
fn a_confirmation_is_understood_or_refused_later() {
    let thumbprint = "0".repeat(43);
    for (cnf, expected) in [
        (
            json!({"jkt": thumbprint}),
            Confirmation::Jkt(thumbprint.clone()),
        ),
        (
            json!({"x5t#S256": thumbprint}),
            Confirmation::X5tS256(thumbprint.clone()),
        ),
        (
            json!({"jkt": thumbprint, "x5t#S256": thumbprint}),
            Confirmation::Unknown,
        ),
        (
            json!({"jkt": thumbprint, "kid": "k"}),
            Confirmation::Unknown,
        ),
        (json!({"jkt": "short"}), Confirmation::Unknown),
        (json!({"jkt": 1}), Confirmation::Unknown),
        (json!({"kid": "k"}), Confirmation::Unknown),
        (json!({}), Confirmation::Unknown),
        (json!("x"), Confirmation::Unknown),
    ] {
        let token = with(json!({ "cnf": cnf }));
        assert_eq!(token.confirmation, Some(expected), "{cnf}");
    }
    assert_eq!(with(json!({})).confirmation, None);
}

#[test]
fn facts_of_the_sign_in() {
    let token = with(json!({
        "amr": ["pwd", "mfa"], "acr": "1", "acrs": ["c1"], "signin_state": ["dvc_cmp"], "auth_time": 900.5,
        "wids": ["B79F"],
    }));
    assert_eq!(token.amr, Fact::Known(vec!["pwd".into(), "mfa".into()]));
    assert_eq!(token.acr, Fact::Known("1".into()));
    assert_eq!(token.acrs, Fact::Known(vec!["c1".into()]));
    assert_eq!(token.signin_state, Fact::Known(vec!["dvc_cmp".into()]));
    assert_eq!(token.auth_time, Fact::Known(UnixTime::from_secs(900)));
    assert_eq!(token.directory_roles, Fact::Known(vec!["b79f".into()]));
    let token = with(json!({"amr": 1, "acr": 1, "acrs": [1], "auth_time": "900"}));
    assert_eq!(
        (token.amr, token.acr, token.acrs, token.auth_time),
        (Fact::Unknown, Fact::Unknown, Fact::Unknown, Fact::Unknown)
    );
}

#[test]
fn the_claims_stay_with_the_token() {
    assert_eq!(with(json!({"custom": 7})).claims["custom"], 7);
}

#![expect(clippy::arithmetic_side_effects, reason = "small numbers in tests")]

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::token::testing::{
    AUDIENCE, ENTRA, TENANT, changed, compact, configuration, issuer, rsa_key as key,
};

const NOW: u64 = 1_735_690_000;
const IAT: u64 = NOW - 400;
const HEADER: &str = r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#;
const AS: &str = "https://as.example";

fn entra_claims() -> Value {
    json!({
        "iss": ENTRA, "aud": AUDIENCE, "tid": TENANT, "iat": IAT, "nbf": IAT, "exp": IAT + 3_900, "ver": "2.0",
        "oid": "33676dd4-6379-4ce9-83a3-2a863797120b", "sub": "pairwise", "azp": "client", "uti": "token",
        "scp": "read write", "xms_cc": ["cp1"],
    })
}

fn rfc_claims() -> Value {
    json!({
        "iss": AS, "aud": AUDIENCE, "sub": "ann", "client_id": "app", "jti": "1", "iat": IAT, "exp": IAT + 3_900,
    })
}

fn world() -> Configuration {
    configuration(vec![
        issuer(Preset::EntraV2, ENTRA),
        issuer(Preset::Rfc9068, AS),
        issuer(Preset::Keycloak, "https://kc.example/realms/a"),
        issuer(Preset::Okta, "https://org.okta.com/oauth2/default"),
        issuer(Preset::Google, "https://accounts.google.com"),
    ])
}

fn code_of(header: &str, payload: &str) -> Result<(), ReasonCode> {
    let token = compact(header, payload);
    read(&token, &world(), UnixTime::from_secs(NOW))
        .map(|_| ())
        .map_err(|refusal| refusal.code)
}

fn entra(changes: Value) -> Result<(), ReasonCode> {
    code_of(HEADER, &changed(entra_claims(), &changes).to_string())
}

fn rfc(typ: &str, changes: Value) -> Result<(), ReasonCode> {
    let header = json!({"alg": "RS256", "typ": typ, "kid": "k1"}).to_string();
    code_of(&header, &changed(rfc_claims(), &changes).to_string())
}

#[test]
fn a_good_token_asks_for_its_signature() {
    let world = world();
    let token = compact(HEADER, &entra_claims().to_string());
    let reading = read(&token, &world, UnixTime::from_secs(NOW)).unwrap();
    assert_eq!(reading.algorithm, Algorithm::Rs256);
    assert_eq!(
        token.get(reading.signing_input_len..),
        Some(".c2lnbmF0dXJl")
    );
    let KeyChoice::Found { key } = reading.key else {
        panic!("{:?}", reading.key);
    };
    assert_eq!(key.kid(), Some("k1"));
    assert!(reading.token.capable);
}

/// The rows of `access-token.md` §6 that concern the header.
#[test]
fn attacks_by_header() {
    use ReasonCode::{TokenAlgorithm, TokenCritical, TokenMalformed, TokenType};
    let payload = entra_claims().to_string();
    for (header, expected) in [
        (json!({"alg": "none", "typ": "JWT"}), Err(TokenAlgorithm)),
        (json!({"alg": "nOnE", "typ": "JWT"}), Err(TokenAlgorithm)),
        (json!({"typ": "JWT"}), Err(TokenAlgorithm)),
        (
            json!({"alg": "HS256", "typ": "JWT", "kid": "k1"}),
            Err(TokenAlgorithm),
        ),
        (
            json!({"alg": "RS1", "typ": "JWT", "kid": "k1"}),
            Err(TokenAlgorithm),
        ),
        (
            json!({"alg": "RS512", "typ": "JWT", "kid": "k1"}),
            Err(TokenAlgorithm),
        ),
        (
            json!({"alg": "rs256", "typ": "JWT", "kid": "k1"}),
            Err(TokenAlgorithm),
        ),
        (
            json!({"alg": "RS256", "typ": "JWT", "kid": "k1", "crit": ["exp"]}),
            Err(TokenCritical),
        ),
        (
            json!({"alg": "RS256", "typ": "JWT", "kid": "k1", "b64": false}),
            Err(TokenCritical),
        ),
        (
            json!({"alg": "RS256", "typ": "JWT", "kid": "k1", "zip": "DEF"}),
            Err(TokenMalformed),
        ),
        (
            json!({"alg": "RS256", "typ": "JWT", "kid": "k1", "cty": "JWT"}),
            Err(TokenMalformed),
        ),
        (
            json!({"alg": "RS256", "typ": "JWT", "kid": 1}),
            Err(TokenMalformed),
        ),
        (
            json!({"alg": "RS256", "typ": 1, "kid": "k1"}),
            Err(TokenType),
        ),
        (json!({"alg": "RS256", "kid": "k1"}), Err(TokenType)),
        (
            json!({"alg": "RS256", "typ": "secevent+jwt", "kid": "k1"}),
            Err(TokenType),
        ),
        (
            json!({"alg": "RS256", "typ": "application/secevent+jwt", "kid": "k1"}),
            Err(TokenType),
        ),
        (
            json!({"alg": "RS256", "typ": "dpop+jwt", "kid": "k1"}),
            Err(TokenType),
        ),
        (
            json!({"alg": "RS256", "typ": "LOGOUT+JWT", "kid": "k1"}),
            Err(TokenType),
        ),
        (
            json!({"alg": "RS256", "typ": "at+jwt", "kid": "k1"}),
            Err(TokenType),
        ),
        (
            json!({"alg": "RS256", "typ": "jwt", "kid": "k1", "jku": "https://evil.example", "jwk": {}}),
            Ok(()),
        ),
        (
            json!({"alg": "RS256", "typ": "JWT", "kid": "../../k1"}),
            Ok(()),
        ),
        (json!({"alg": "RS256", "typ": "JWT"}), Ok(())),
    ] {
        assert_eq!(code_of(&header.to_string(), &payload), expected, "{header}");
    }
}

#[test]
fn attacks_by_form() {
    let good = compact(HEADER, &entra_claims().to_string());
    let (signed, _) = good.rsplit_once('.').unwrap();
    for text in [
        String::new(),
        format!("{signed}."),
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{good}.x"),
        format!("{good}.x.y"),
        "{\"signatures\":[]}".into(),
        "a".repeat(70_000),
    ] {
        let refusal = read(&text, &world(), UnixTime::from_secs(NOW)).unwrap_err();
        assert_eq!(
            refusal.code,
            ReasonCode::TokenMalformed,
            "{}",
            refusal.detail
        );
    }
    let claims = entra_claims().to_string();
    let twice = claims.replacen('{', r#"{"oid":"other","#, 1);
    assert_eq!(code_of(HEADER, &twice), Err(ReasonCode::TokenMalformed));
}

#[test]
fn attacks_by_issuer_and_audience() {
    use ReasonCode::{TokenAudience, TokenClaims, TokenIssuer};
    const OTHER: &str = "11111111-1111-1111-1111-111111111111";
    let other = ENTRA.replace(TENANT, OTHER);
    for (changes, expected) in [
        (json!({"iss": null}), Err(TokenClaims)),
        (json!({"iss": 1}), Err(TokenClaims)),
        (json!({"iss": format!("{ENTRA}/")}), Err(TokenIssuer)),
        (json!({"iss": ENTRA.to_uppercase()}), Err(TokenIssuer)),
        (json!({"iss": other, "tid": OTHER}), Err(TokenIssuer)),
        (json!({"tid": OTHER}), Err(TokenIssuer)),
        (json!({"tid": "../x"}), Err(TokenIssuer)),
        (json!({"tid": null}), Err(TokenIssuer)),
        (
            json!({"iss": format!("https://sts.windows.net/{TENANT}")}),
            Err(TokenIssuer),
        ),
        (
            json!({"iss": format!("https://sts.windows.net/{TENANT}/")}),
            Ok(()),
        ),
        (json!({"aud": null}), Err(TokenClaims)),
        (json!({"aud": {}}), Err(TokenClaims)),
        (json!({"aud": 1}), Err(TokenClaims)),
        (json!({"aud": [AUDIENCE, 1]}), Err(TokenClaims)),
        (json!({"aud": []}), Err(TokenAudience)),
        (json!({"aud": "api://orders/"}), Err(TokenAudience)),
        (json!({"aud": "API://orders"}), Err(TokenAudience)),
        (json!({"aud": "api://orders2"}), Err(TokenAudience)),
        (json!({"aud": ["api://other"]}), Err(TokenAudience)),
        (json!({"aud": ["api://other", AUDIENCE]}), Ok(())),
    ] {
        assert_eq!(entra(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn attacks_by_time() {
    use ReasonCode::{TokenClaims, TokenExpired, TokenNotYetValid, TokenTooOld};
    for (changes, expected) in [
        (json!({"exp": null}), Err(TokenClaims)),
        (json!({"exp": (NOW + 60).to_string()}), Err(TokenClaims)),
        (json!({"exp": -1}), Err(TokenClaims)),
        (json!({"exp": 1e308}), Err(TokenClaims)),
        (json!({"exp": 9_007_199_254_740_993_u64}), Err(TokenClaims)),
        (json!({"iat": null}), Err(TokenClaims)),
        (json!({"iat": [IAT]}), Err(TokenClaims)),
        (json!({"nbf": "0"}), Err(TokenClaims)),
        (json!({"exp": NOW - 60}), Err(TokenExpired)),
        (json!({"exp": NOW - 59}), Ok(())),
        (json!({"exp": 1_735_689_940.5}), Err(TokenExpired)),
        (json!({"nbf": NOW + 60}), Ok(())),
        (json!({"nbf": 1_735_690_060.5}), Err(TokenNotYetValid)),
        (json!({"nbf": NOW + 61}), Err(TokenNotYetValid)),
        (json!({"iat": NOW + 60, "nbf": null}), Ok(())),
        (json!({"iat": NOW + 61, "nbf": null}), Err(TokenNotYetValid)),
        // Capable: 28 h, counted from the latest issue time, 300 s after `iat`; skew 60 s.
        (
            json!({"iat": NOW - 100_800 - 359, "exp": NOW + 9, "nbf": null}),
            Ok(()),
        ),
        (
            json!({"iat": NOW - 100_800 - 360, "exp": NOW + 9, "nbf": null}),
            Err(TokenTooOld),
        ),
        (
            json!({"xms_cc": null, "iat": NOW - 86_400 - 359, "exp": NOW + 9}),
            Ok(()),
        ),
        (
            json!({"xms_cc": null, "iat": NOW - 86_400 - 360, "exp": NOW + 9}),
            Err(TokenTooOld),
        ),
        (
            json!({"xms_cc": null, "xms_ssm": "1", "iat": NOW - 100_000, "exp": NOW + 9}),
            Ok(()),
        ),
        (
            json!({"xms_cc": null, "xms_ssm": "0", "iat": NOW - 100_000, "exp": NOW + 9}),
            Err(TokenTooOld),
        ),
    ] {
        assert_eq!(entra(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn other_kinds_of_tokens() {
    use ReasonCode::{TokenClaims, TokenType};
    for (changes, expected) in [
        (json!({"events": {}}), Err(TokenType)),
        (json!({"nonce": "n"}), Err(TokenType)),
        (json!({"at_hash": "h"}), Err(TokenType)),
        (json!({"htm": "GET"}), Err(TokenType)),
        (json!({"azp": null}), Err(TokenType)),
        (json!({"oid": null}), Err(TokenClaims)),
        (json!({"oid": 1}), Err(TokenClaims)),
        (json!({"sid": {}}), Err(TokenClaims)),
        (json!({"deviceid": ""}), Err(TokenClaims)),
    ] {
        assert_eq!(entra(changes.clone()), expected, "{changes}");
    }
    for (preset, typ, changes, expected) in [
        (
            "keycloak",
            Some("JWT"),
            json!({"typ": "Bearer", "nonce": "n"}),
            Ok(()),
        ),
        (
            "keycloak",
            Some("JWT"),
            json!({"typ": "ID"}),
            Err(TokenType),
        ),
        (
            "keycloak",
            Some("JWT"),
            json!({"typ": "Refresh"}),
            Err(TokenType),
        ),
        (
            "keycloak",
            Some("JWT"),
            json!({"nonce": "n"}),
            Err(TokenType),
        ),
        ("keycloak", None, json!({}), Err(TokenType)),
        ("okta", None, json!({}), Ok(())),
        ("okta", None, json!({"nonce": "n"}), Err(TokenType)),
        ("google", Some("JWT"), json!({"at_hash": "h"}), Ok(())),
        ("google", Some("JWT"), json!({"nonce": "n"}), Err(TokenType)),
    ] {
        let iss = match preset {
            "keycloak" => "https://kc.example/realms/a",
            "okta" => "https://org.okta.com/oauth2/default",
            _ => "https://accounts.google.com/",
        };
        let claims = json!({
            "iss": iss, "aud": AUDIENCE, "sub": "ann", "uid": "u", "azp": "app", "cid": "app",
            "iat": IAT, "exp": IAT + 3_900,
        });
        let header = changed(json!({"alg": "RS256", "kid": "k1"}), &json!({"typ": typ}));
        let found = code_of(&header.to_string(), &changed(claims, &changes).to_string());
        assert_eq!(found, expected, "{preset} {changes}");
    }
}

#[test]
fn rfc_9068_says_which_claims_there_are() {
    use ReasonCode::{TokenClaims, TokenType};
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert_eq!(rfc(typ, json!({})), Ok(()), "{typ}");
    }
    assert_eq!(rfc("JWT", json!({})), Err(TokenType));
    for claim in ["sub", "client_id", "jti", "iat", "exp", "aud", "iss"] {
        let mut changes = json!({});
        changes[claim] = Value::Null;
        assert_eq!(rfc("at+jwt", changes), Err(TokenClaims), "{claim}");
    }
}

#[test]
fn the_key_is_chosen_and_bound() {
    use ReasonCode::{TokenAlgorithm, TokenIssuer, TokenKeyUnknown};
    let owned = |owner: &str| changed(key("k1"), &json!({ "issuer": owner }));
    let p384 = json!({"kty": "EC", "crv": "P-384", "kid": "k1",
        "x": "A".repeat(64), "y": "A".repeat(64)});
    let v1 = "https://sts.windows.net/{tenantid}/";
    for (keys, header, expected) in [
        (json!([key("k1")]), HEADER, Ok(Some("k1"))),
        (json!([key("k2")]), HEADER, Ok(None)),
        (json!([]), HEADER, Ok(None)),
        (json!([p384]), HEADER, Err(TokenAlgorithm)),
        (json!([owned(ENTRA)]), HEADER, Ok(Some("k1"))),
        (json!([owned(v1)]), HEADER, Ok(Some("k1"))),
        (
            json!([owned(&ENTRA.replace(TENANT, "{tenantid}"))]),
            HEADER,
            Ok(Some("k1")),
        ),
        (
            json!([owned(
                &ENTRA.replace(TENANT, "9188040d-6c67-4c5b-b112-36a304b66dad")
            )]),
            HEADER,
            Err(TokenIssuer),
        ),
        (
            json!([key("a"), key("b")]),
            r#"{"alg":"RS256","typ":"JWT"}"#,
            Err(TokenKeyUnknown),
        ),
        (
            json!([key("a")]),
            r#"{"alg":"RS256","typ":"JWT"}"#,
            Ok(Some("a")),
        ),
    ] {
        let mut entra = issuer(Preset::EntraV2, ENTRA);
        let mut faults = Vec::new();
        entra.keys = crate::token::keys::KeySet::read(&json!({ "keys": keys }), "", &mut faults);
        assert_eq!(faults, vec![]);
        let configuration = configuration(vec![entra]);
        let token = compact(header, &entra_claims().to_string());
        let found = read(&token, &configuration, UnixTime::from_secs(NOW))
            .map(|reading| match reading.key {
                KeyChoice::Found { key } => key.kid().map(String::from),
                KeyChoice::Unknown { .. } => None,
            })
            .map_err(|refusal| refusal.code);
        assert_eq!(found, expected.map(|kid| kid.map(String::from)), "{keys}");
    }
}

#[test]
fn a_refusal_does_not_quote_the_token() {
    for changes in [
        json!({"iss": "hostile\"text"}),
        json!({"aud": "hostile\"text"}),
        json!({"tid": "hostile\"text"}),
        json!({"exp": "hostile\"text"}),
    ] {
        let token = compact(HEADER, &changed(entra_claims(), &changes).to_string());
        let refusal = read(&token, &world(), UnixTime::from_secs(NOW)).unwrap_err();
        assert!(!refusal.detail.contains("hostile"), "{refusal}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,300}", now in any::<u64>()) {
        let _ = read(&text, &world(), UnixTime::from_secs(now));
    }

    #[test]
    fn a_valid_token_with_any_claim_changed_is_answered(
        claim in prop::sample::select(vec![
            "iss", "aud", "tid", "iat", "nbf", "exp", "oid", "sub", "azp", "uti", "scp", "xms_cc", "groups", "wids",
            "_claim_names", "hasgroups", "acct", "idp", "idtyp", "cnf", "amr", "acr", "acrs", "auth_time", "email",
            "xms_edov", "signin_state", "roles", "sid", "deviceid", "nonce", "events",
        ]),
        value in any_json(),
        now in prop_oneof![Just(NOW), any::<u64>()],
    ) {
        let mut claims = entra_claims();
        claims[claim] = value;
        let token = compact(HEADER, &claims.to_string());
        if let Ok(reading) = read(&token, &world(), UnixTime::from_secs(now)) {
            prop_assert!(reading.token.issued_earliest >= reading.token.issued_at);
            prop_assert!(reading.token.good_until <= reading.token.expires);
            prop_assert!(reading.token.keys.len() <= 12);
        }
    }

    #[test]
    fn a_valid_token_with_any_byte_changed_is_answered(at in 0_usize..400, byte in any::<u8>()) {
        let mut bytes = compact(HEADER, &entra_claims().to_string()).into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = read(&text, &world(), UnixTime::from_secs(NOW));
            let _ = crate::token::inspect(&text, Some(&world()), UnixTime::from_secs(NOW));
            let _ = crate::token::inspect(&text, None, UnixTime::from_secs(NOW));
        }
    }
}

#![expect(clippy::arithmetic_side_effects, reason = "small numbers in tests")]

use alloc::string::String;
use alloc::vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const ISS: &str = "https://issuer.example";

fn modulus(bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(vec![0xC1_u8; bytes])
}

fn coordinate(bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(vec![7_u8; bytes])
}

fn read(keys: Value) -> (KeySet, Vec<Fault>) {
    let mut faults = Vec::new();
    let set = KeySet::read(&json!({ "keys": keys }), "/jwks", &mut faults);
    (set, faults)
}

fn with(mut key: Value, member: &str, value: Value) -> Value {
    key[member] = value;
    key
}

fn rsa() -> Value {
    json!({"kty":"RSA","n":modulus(256),"e":"AQAB","kid":"r","use":"sig"})
}

fn p256() -> Value {
    json!({"kty":"EC","crv":"P-256","x":coordinate(32),"y":coordinate(32),"kid":"e"})
}

#[test]
fn names_are_exact() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::from_name(algorithm.name()), Some(*algorithm));
    }
    for name in [
        "none", "None", "nOnE", "", "rs256", "RS1", "ES512", "RS256 ",
    ] {
        assert_eq!(Algorithm::from_name(name), None, "{name}");
    }
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    // SPEC: RFC 7638 §3.1, the example; the private operation members are not part of it.
    let key = json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
    });
    let (set, faults) = read(json!([key]));
    assert_eq!(faults, vec![]);
    assert_eq!(
        set.keys[0].id(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

#[test]
fn leading_zeros_do_not_make_another_key() {
    let mut padded = vec![0_u8];
    padded.extend([0xC1; 256]);
    let (set, faults) = read(json!([
        rsa(),
        with(
            with(rsa(), "n", URL_SAFE_NO_PAD.encode(padded).into()),
            "kid",
            "s".into()
        )
    ]));
    assert_eq!(faults, vec![]);
    assert_eq!(set.keys[0].id(), set.keys[1].id());
}

#[test]
fn bad_keys_are_left_out_and_reported() {
    let even = URL_SAFE_NO_PAD.encode([[0xC1_u8; 255].as_slice(), &[0xC0]].concat());
    for (key, at, code) in [
        (json!(1), "/jwks/keys/0", "configuration.key_malformed"),
        (json!({}), "/jwks/keys/0/kty", "configuration.key_malformed"),
        (
            with(rsa(), "n", modulus(255).into()),
            "/jwks/keys/0/n",
            "configuration.key_weak",
        ),
        (
            with(rsa(), "n", modulus(1_025).into()),
            "/jwks/keys/0/n",
            "configuration.key_malformed",
        ),
        (
            with(rsa(), "n", even.into()),
            "/jwks/keys/0/n",
            "configuration.key_malformed",
        ),
        (
            with(rsa(), "n", "a+b=".into()),
            "/jwks/keys/0/n",
            "configuration.key_malformed",
        ),
        (
            with(rsa(), "e", "AQ".into()),
            "/jwks/keys/0/e",
            "configuration.key_weak",
        ),
        (
            with(rsa(), "e", "AQAC".into()),
            "/jwks/keys/0/e",
            "configuration.key_weak",
        ),
        (
            with(rsa(), "e", "AA".into()),
            "/jwks/keys/0/e",
            "configuration.key_weak",
        ),
        (
            with(rsa(), "alg", "ES256".into()),
            "/jwks/keys/0/alg",
            "configuration.key_malformed",
        ),
        (
            with(rsa(), "kid", 1.into()),
            "/jwks/keys/0/kid",
            "configuration.key_malformed",
        ),
        (
            with(rsa(), "key_ops", "verify".into()),
            "/jwks/keys/0/key_ops",
            "configuration.key_malformed",
        ),
        (
            with(rsa(), "d", "AQAB".into()),
            "/jwks/keys/0",
            "configuration.key_private",
        ),
        (
            with(with(rsa(), "use", "enc".into()), "qi", 1.into()),
            "/jwks/keys/0",
            "configuration.key_private",
        ),
        (
            with(p256(), "k", "AQAB".into()),
            "/jwks/keys/0",
            "configuration.key_private",
        ),
        (
            with(p256(), "x", coordinate(31).into()),
            "/jwks/keys/0",
            "configuration.key_malformed",
        ),
        (
            with(p256(), "crv", "P-384".into()),
            "/jwks/keys/0",
            "configuration.key_malformed",
        ),
        (
            json!({"kty":"EC"}),
            "/jwks/keys/0/crv",
            "configuration.key_malformed",
        ),
        (
            json!({"kty":"OKP","crv":"Ed25519","x":coordinate(33)}),
            "/jwks/keys/0/x",
            "configuration.key_malformed",
        ),
        (
            json!({"kty":"oct","k":coordinate(31)}),
            "/jwks/keys/0/k",
            "configuration.key_weak",
        ),
        (
            json!({"kty":"oct","k":coordinate(32),"alg":"HS512"}),
            "/jwks/keys/0/alg",
            "configuration.key_malformed",
        ),
    ] {
        let (set, faults) = read(json!([key]));
        assert_eq!(set.keys, vec![], "{key}");
        assert_eq!(faults.len(), 1, "{key}: {faults:?}");
        assert_eq!((faults[0].at.as_str(), faults[0].code), (at, code), "{key}");
    }
    let (_, faults) = read(json!("no list"));
    assert_eq!(faults[0].code, "configuration.key_set_malformed");
}

#[test]
fn keys_for_other_purposes_are_skipped() {
    for key in [
        with(rsa(), "use", "enc".into()),
        with(rsa(), "key_ops", json!(["sign", "encrypt"])),
        with(rsa(), "alg", "RSA-OAEP".into()),
        json!({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}),
        json!({"kty":"OKP","crv":"X25519","x":"AA"}),
        json!({"kty":"AKP"}),
    ] {
        let (set, faults) = read(json!([key]));
        assert_eq!((set.keys.len(), faults.len()), (0, 0), "{key}");
    }
}

#[test]
fn one_kid_names_one_key_of_a_type() {
    let (set, faults) = read(json!([rsa(), rsa(), with(p256(), "kid", "r".into())]));
    assert_eq!(set.keys.len(), 2, "another type may share the kid");
    assert_eq!(faults[0].at, "/jwks/keys/1/kid");
    assert_eq!(faults[0].code, "configuration.key_repeated");
}

#[test]
fn a_private_key_is_not_quoted() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    let (_, faults) = read(json!([with(rsa(), "d", secret.into())]));
    assert!(!faults[0].message.contains(secret));
    let (set, _) = read(json!([{"kty":"oct","k":coordinate(32)}]));
    assert!(!format!("{set:?}").contains(&coordinate(32)));
}

#[test]
fn a_key_serves_only_its_type_and_algorithm() {
    let p384 = json!({"kty":"EC","crv":"P-384","x":coordinate(48),"y":coordinate(48),"kid":"e384"});
    let hmac = json!({"kty":"oct","k":coordinate(32),"kid":"h"});
    let okp = json!({"kty":"OKP","crv":"Ed25519","x":coordinate(32),"kid":"o"});
    let bound = with(with(rsa(), "alg", "RS256".into()), "kid", "b".into());
    let (set, faults) = read(json!([rsa(), p256(), p384, hmac, okp, bound]));
    assert_eq!(faults, vec![]);
    for (kid, fitting) in [
        (
            "r",
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
        ),
        ("e", &["ES256"]),
        ("e384", &["ES384"]),
        ("h", &["HS256"]),
        ("o", &["EdDSA"]),
        ("b", &["RS256"]),
    ] {
        for algorithm in Algorithm::ALL {
            let selection = set.select(Some(kid), *algorithm, ISS, None);
            if fitting.contains(&algorithm.name()) {
                assert!(matches!(selection, Selection::Key(key) if key.kid() == Some(kid)));
            } else {
                assert_eq!(selection, Selection::WrongAlgorithm, "{kid} {algorithm:?}");
            }
        }
    }
}

#[test]
fn kid_is_opaque_and_its_absence_needs_a_single_key() {
    let (one, _) = read(json!([rsa(), p256()]));
    for kid in ["R", "r ", "../r", "' OR 1=1 --", ""] {
        assert_eq!(
            one.select(Some(kid), Algorithm::Rs256, ISS, None),
            Selection::Unknown
        );
    }
    assert!(matches!(
        one.select(None, Algorithm::Rs256, ISS, None),
        Selection::Key(_)
    ));
    assert_eq!(
        one.select(None, Algorithm::EdDsa, ISS, None),
        Selection::Unknown
    );
    let (two, _) = read(json!([rsa(), with(rsa(), "kid", "s".into())]));
    assert_eq!(
        two.select(None, Algorithm::Rs256, ISS, None),
        Selection::Ambiguous
    );
}

#[test]
fn a_key_serves_only_its_own_issuer() {
    const A: &str = "11111111-1111-1111-1111-111111111111";
    const B: &str = "22222222-2222-2222-2222-222222222222";
    let v2 = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let v1 = |tenant: &str| format!("https://sts.windows.net/{tenant}/");
    let (set, _) = read(json!([
        with(with(rsa(), "kid", "fixed".into()), "issuer", v2(A).into()),
        with(
            with(rsa(), "kid", "any".into()),
            "issuer",
            v2("{tenantid}").into()
        ),
    ]));
    for (kid, iss, tenant, serves) in [
        ("fixed", v2(A), Some(A), true),
        ("fixed", v1(A), Some(A), true),
        ("fixed", v2(B), Some(B), false),
        ("fixed", v2(B), Some(A), false),
        ("any", v2(A), Some(A), true),
        ("any", v1(B), Some(B), true),
        ("any", v2(B), Some(A), false),
        ("any", v2(A), None, false),
        ("any", "https://other.example".into(), Some(A), false),
    ] {
        let selection = set.select(Some(kid), Algorithm::Rs256, &iss, tenant);
        assert_eq!(
            matches!(selection, Selection::Key(_)),
            serves,
            "{kid} {iss}"
        );
        if !serves {
            assert_eq!(selection, Selection::WrongIssuer);
        }
    }
}

proptest! {
    #[test]
    fn any_members_are_answered(
        kty in "RSA|EC|OKP|oct|x", crv in "P-256|P-384|Ed25519|x", n in "[A-Za-z0-9_=+-]{0,60}", size in 0_usize..600,
    ) {
        let long = URL_SAFE_NO_PAD.encode(vec![3_u8; size]);
        let (set, faults) = read(json!([{"kty":kty,"crv":crv,"n":long,"e":n,"x":long,"y":n,"k":n}]));
        prop_assert!(set.keys.len() + faults.len() <= 1);
    }
}

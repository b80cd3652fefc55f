use cae_core::engine::SignatureNeed;
use serde_json::json;

use super::*;
use crate::signature::Signatures;

/// SPEC: RFC 7515 appendix A.2, as PKCS #1, and A.3, as PKCS #8.
const RSA_PKCS1: &[u8] = include_bytes!("../../tests/cli/keys/rfc7515-a2.pkcs1.der");
const EC_PKCS8: &[u8] = include_bytes!("../../tests/cli/keys/rfc7515-a3.pkcs8.der");

/// SPEC: RFC 8037 appendix A.1.
const ED_JWK: &str = r#"{"kty": "OKP", "crv": "Ed25519", "kid": "ed",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// SPEC: RFC 7515 appendix A.3.1.
const EC_JWK: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}]}"#;

fn verifies(key: &SigningKey) {
    let set = key.sign("secevent+jwt", &json!({"jti": "1"})).unwrap();
    let jwks = key.jwks().unwrap();
    assert!(jwks.pointer("/keys/0/d").is_none(), "a private member");
    let algorithm = cae_core::token::keys::Algorithm::from_name(&format!("{:?}", key.algorithm));
    let need = SignatureNeed {
        key_id: "k".to_owned(),
        key: jwks["keys"][0].to_string(),
        algorithm: algorithm.unwrap().name(),
        signing_input: set.rfind('.').unwrap(),
    };
    let mut signatures = Signatures::default();
    assert!(signatures.check(&set, &need), "{algorithm:?}");
    let forged = set.replacen("eyJ", "eyK", 1);
    assert!(!signatures.check(&forged, &need), "{algorithm:?}");
}

#[test]
fn what_a_key_signs_its_published_half_verifies() {
    let sec1 = {
        let key = SigningKey::read(EC_PKCS8, None, None).unwrap();
        let Pair::P256(pair) = &key.pair else {
            panic!("not P-256")
        };
        let der: aws_lc_rs::encoding::EcPrivateKeyRfc5915Der<'_> =
            pair.private_key().as_der().unwrap();
        der.as_ref().to_vec()
    };
    for (bytes, algorithm) in [
        (RSA_PKCS1, Algorithm::RS256),
        (EC_PKCS8, Algorithm::ES256),
        (&sec1, Algorithm::ES256),
        (ED_JWK.as_bytes(), Algorithm::EdDSA),
        (EC_JWK.as_bytes(), Algorithm::ES256),
    ] {
        let key = SigningKey::read(bytes, None, None).unwrap();
        assert_eq!(key.algorithm, algorithm);
        verifies(&key);
        // As PEM it is the same key.
        let again = SigningKey::read(key.to_pem().unwrap().as_bytes(), None, None).unwrap();
        let members = |key: &SigningKey| key.jwk.algorithm.clone();
        assert_eq!(members(&key), members(&again));
    }
    let both = SigningKey::read(RSA_PKCS1, Some("PS256"), Some("mine")).unwrap();
    verifies(&both);
    assert_eq!(both.jwks().unwrap()["keys"][0]["kid"], "mine");
    for algorithm in [None, Some("ES256"), Some("ES384"), Some("RS256")] {
        verifies(&SigningKey::generate(algorithm, None).unwrap());
    }
}

#[test]
fn a_private_jwk_of_rsa_is_read() {
    // Made of the parts of a key in PKCS #1: the reader of DER has checked that they belong together.
    let key = SigningKey::read(RSA_PKCS1, None, None).unwrap();
    let integers: Vec<String> = integers(RSA_PKCS1)
        .iter()
        .map(|bytes| {
            let start = bytes.iter().take_while(|byte| **byte == 0).count();
            base64::Engine::encode(
                &base64::engine::general_purpose::URL_SAFE_NO_PAD,
                &bytes[start..],
            )
        })
        .collect();
    let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
    let mut jwk = json!({"kty": "RSA"});
    for (name, value) in names.iter().zip(&integers[1..]) {
        jwk[name] = value.clone().into();
    }
    let from_jwk = SigningKey::read(jwk.to_string().as_bytes(), None, None).unwrap();
    assert_eq!(from_jwk.jwk.algorithm, key.jwk.algorithm);
    verifies(&from_jwk);
}

fn integers(pkcs1: &[u8]) -> Vec<&[u8]> {
    let length = usize::from(u16::from_be_bytes([pkcs1[2], pkcs1[3]]));
    let (mut rest, mut found) = (pkcs1[4..].split_at(length).0, Vec::new());
    while !rest.is_empty() {
        let (start, length) = match rest[1] {
            0x82 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
            0x81 => (3, usize::from(rest[2])),
            short => (2, usize::from(short)),
        };
        let (integer, more) = rest[start..].split_at(length);
        found.push(integer);
        rest = more;
    }
    found
}

#[test]
fn the_key_id_is_the_thumbprint() {
    // SPEC: RFC 8037 appendix A.3.
    let bare = ED_JWK.replace(r#""kid": "ed","#, "");
    let key = SigningKey::read(bare.as_bytes(), None, None).unwrap();
    let jwks = key.jwks().unwrap();
    assert_eq!(
        jwks["keys"][0]["kid"],
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    assert_eq!(jwks["keys"][0]["alg"], "EdDSA");
    assert!(!format!("{key:?}").contains("nWGxne"));
}

#[test]
fn what_is_no_private_key_is_refused_with_what_to_do() {
    let public = EC_JWK.replace(r#""d""#, r#""dd""#);
    let foreign = EC_JWK.replace("jpsQ", "jpsR");
    for (text, algorithm, what) in [
        ("", None, "no private key"),
        ("nonsense", None, "no private key"),
        ("{", None, "not JSON"),
        (r#"{"kty": "oct", "k": "AAAA"}"#, None, "type oct"),
        (public.as_str(), None, "no private key"),
        (foreign.as_str(), None, "do not make a key"),
        (ED_JWK, Some("RS256"), "it signs with EdDSA"),
        (ED_JWK, Some("HS256"), "shared secret"),
        (ED_JWK, Some("XY1"), "not a known algorithm"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
            None,
            "encrypted",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            None,
            "but CERTIFICATE",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            None,
            "not one that",
        ),
    ] {
        let error = SigningKey::read(text.as_bytes(), algorithm, None).unwrap_err();
        assert!(error.to_string().contains(what), "{text}: {error}");
    }
    assert!(SigningKey::generate(Some("HS256"), None).is_err());
}

#[test]
fn identifiers_do_not_repeat() {
    assert_ne!(fresh_id().unwrap(), fresh_id().unwrap());
    assert_eq!(fresh_id().unwrap().len(), 32);
}

//! Private keys as files hold them.

use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cae_core::json::{self, Limits, Value};

use super::{KeyError, Pair};

/// A key, and what its file says of it.
pub(super) struct PrivateKey {
    pub(super) pair: Pair,
    pub(super) kid: Option<String>,
    pub(super) algorithm: Option<String>,
}

/// Reads a private key, whatever form it has.
pub(super) fn read(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
    let bare = |pair| PrivateKey {
        pair,
        kid: None,
        algorithm: None,
    };
    if let Ok(text) = str::from_utf8(bytes) {
        let text = text.trim_start_matches('\u{FEFF}').trim();
        if text.starts_with('{') {
            return of_json(text);
        }
        if text.contains("-----BEGIN ") {
            return of_pem(text).map(bare);
        }
    }
    of_der(bytes).map(bare).ok_or_else(|| {
        KeyError::new("no private key in PEM, DER or JWK that RS256, ES256, ES384 or EdDSA can use")
    })
}

/// The first private key of a PEM file (RFC 7468); certificates and parameters around it are skipped.
fn of_pem(text: &str) -> Result<Pair, KeyError> {
    let mut other = "nothing";
    for block in text.split("-----BEGIN ").skip(1) {
        let Some((label, rest)) = block.split_once("-----") else {
            continue;
        };
        match label {
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY" => {
                return Err(KeyError::new(
                    "the key is encrypted: decrypt it first, for example with `openssl pkcs8`",
                ));
            }
            _ => {
                other = label;
                continue;
            }
        }
        let body = rest.split("-----END ").next().unwrap_or_default();
        if body.contains("ENCRYPTED") {
            return Err(KeyError::new(
                "the key is encrypted: decrypt it first, for example with `openssl rsa`",
            ));
        }
        let digits: String = body.split_whitespace().collect();
        let der = STANDARD.decode(digits);
        let pair = der.ok().and_then(|der| of_der(&der));
        return pair.ok_or_else(|| {
            KeyError::new(format_args!(
                "the {label} is not one that RS256, ES256, ES384 or EdDSA can use"
            ))
        });
    }
    Err(KeyError::new(format_args!(
        "there is no private key in it, but {other}"
    )))
}

/// PKCS #8 of any kind, PKCS #1, or SEC 1. Each reader takes its own kind only.
fn of_der(der: &[u8]) -> Option<Pair> {
    let ec = |curve| EcdsaKeyPair::from_private_key_der(curve, der).ok();
    let ed = || Ed25519KeyPair::from_pkcs8(der).ok().map(Pair::Ed25519);
    let rsa = || {
        let key = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
        key.ok().map(Pair::Rsa)
    };
    ed().or_else(rsa)
        .or_else(|| ec(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::P256))
        .or_else(|| ec(&ECDSA_P384_SHA384_FIXED_SIGNING).map(Pair::P384))
}

/// A JWK, or a JWK Set with one private key (RFC 7517).
fn of_json(text: &str) -> Result<PrivateKey, KeyError> {
    let document = json::parse(text.as_bytes(), Limits::EVENT)
        .map_err(|error| KeyError::new(format_args!("the JWK is not JSON: {error}")))?;
    let jwk = match document.get("keys").and_then(Value::as_array) {
        None => &document,
        Some(keys) => {
            let mut private = keys.iter().filter(|key| key.get("d").is_some());
            match (private.next(), private.next()) {
                (Some(only), None) => only,
                (None, _) => return Err(KeyError::new("the JWK Set holds no private key")),
                (Some(_), Some(_)) => {
                    return Err(KeyError::new(
                        "the JWK Set holds several private keys: write one into a file of its own",
                    ));
                }
            }
        }
    };
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let member = |name: &str| {
        let decoded = text(name).and_then(|value| URL_SAFE_NO_PAD.decode(value).ok());
        decoded.ok_or_else(|| {
            KeyError::new(format_args!(
                "the JWK has no member `{name}` in base64url: a private key is needed"
            ))
        })
    };
    let broken = |_| KeyError::new("the members of the JWK do not make a key");
    let ec = |curve| {
        // SPEC: SEC 1 §2.3.3: 4, x, y is an uncompressed point.
        let point = [vec![4], member("x")?, member("y")?].concat();
        EcdsaKeyPair::from_private_key_and_public_key(curve, &member("d")?, &point).map_err(broken)
    };
    let pair = match (text("kty"), text("crv")) {
        (Some("OKP"), Some("Ed25519")) => Pair::Ed25519(
            Ed25519KeyPair::from_seed_and_public_key(&member("d")?, &member("x")?)
                .map_err(broken)?,
        ),
        (Some("EC"), Some("P-256")) => Pair::P256(ec(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
        (Some("EC"), Some("P-384")) => Pair::P384(ec(&ECDSA_P384_SHA384_FIXED_SIGNING)?),
        (Some("RSA"), _) => {
            let components = KeyPairComponents {
                public_key: PublicKeyComponents {
                    n: member("n")?,
                    e: member("e")?,
                },
                d: member("d")?,
                p: member("p")?,
                q: member("q")?,
                dP: member("dp")?,
                dQ: member("dq")?,
                qInv: member("qi")?,
            };
            Pair::Rsa(RsaKeyPair::from_components(&components).map_err(broken)?)
        }
        (kty, _) => {
            return Err(KeyError::new(format_args!(
                "a JWK of type {} cannot be used: RSA, EC (P-256, P-384) or OKP (Ed25519) can",
                kty.unwrap_or("nothing")
            )));
        }
    };
    Ok(PrivateKey {
        pair,
        kid: text("kid").map(str::to_owned),
        algorithm: text("alg").map(str::to_owned),
    })
}

/// The PKCS #1 key inside a PKCS #8 document (RFC 5208 §5): version, algorithm, then the key as an octet string.
pub(super) fn pkcs1_of(pkcs8: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const OCTETS: u8 = 0x04;
    let (document, _) = element(pkcs8, SEQUENCE)?;
    let (_, rest) = element(document, INTEGER)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    let (key, _) = element(rest, OCTETS)?;
    Some(key)
}

/// The contents of the DER element at the front of `der`, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first.checked_sub(0x80) {
        None => (usize::from(*first), rest),
        Some(count @ 1..=4) => {
            let (digits, rest) = rest.split_at_checked(usize::from(count))?;
            let length = digits.iter().try_fold(0_usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            })?;
            (length, rest)
        }
        Some(_) => return None,
    };
    if *found != tag {
        return None;
    }
    rest.split_at_checked(length)
}

/// A PKCS #8 document in PEM (RFC 7468 §10).
pub(super) fn pem(pkcs8: &[u8]) -> String {
    let digits = STANDARD.encode(pkcs8);
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}

//! Ed25519 in the place of an issuer (signing) and of a host (verifying).

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde_json::json;

use super::model::SigningKeys;
use crate::engine::SignatureNeed;
use crate::json::{self, Limits, Map, Value};

/// The only algorithm of scenarios (RFC 8037 §3.1): signatures need no randomness.
pub(super) const ALGORITHM: &str = "EdDSA";

/// Keys in use: what signs now, and what is published now.
#[derive(Clone, Debug)]
pub(super) struct KeyRing<'s> {
    seeds: &'s SigningKeys,
    pub(super) signing: String,
    pub(super) published: Vec<String>,
}

impl<'s> KeyRing<'s> {
    pub(super) fn new(keys: &'s SigningKeys) -> Self {
        Self {
            seeds: keys,
            signing: keys.signing.clone(),
            published: keys.published.clone(),
        }
    }

    /// The published JWK Set (RFC 7517 §5, RFC 8037 §2).
    pub(super) fn jwks(&self) -> Value {
        let keys: Vec<_> = self
            .published
            .iter()
            .filter_map(|key_id| {
                let public = self.key(key_id)?.verifying_key();
                Some(json!({
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": URL_SAFE_NO_PAD.encode(public.as_bytes()),
                    "kid": key_id,
                    "use": "sig",
                    "alg": ALGORITHM,
                }))
            })
            .collect();
        json!({ "keys": keys })
    }

    /// A compact JWS (RFC 7515 §3.1) over `claims`, with `alg` and `kid` added to the header.
    pub(super) fn sign(&self, mut header: Map<String, Value>, claims: &Value) -> SignedToken {
        header.insert("alg".into(), ALGORITHM.into());
        header.insert("kid".into(), self.signing.as_str().into());
        let header = Value::Object(header);
        let mut compact = URL_SAFE_NO_PAD.encode(json::canonical(&header));
        compact.push('.');
        URL_SAFE_NO_PAD.encode_string(json::canonical(claims), &mut compact);
        if let Some(key) = self.key(&self.signing) {
            let signature = key.sign(compact.as_bytes());
            compact.push('.');
            URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut compact);
        }
        SignedToken {
            compact,
            header,
            claims: claims.clone(),
        }
    }

    /// The reader has checked that every key id has a seed.
    fn key(&self, key_id: &str) -> Option<SigningKey> {
        self.seeds.seeds.get(key_id).map(SigningKey::from_bytes)
    }
}

/// A signed JWT with what went into it.
#[derive(Clone, Debug)]
pub(super) struct SignedToken {
    pub(super) compact: String,
    pub(super) header: Value,
    pub(super) claims: Value,
}

/// Checks the signature that the engine names, with the key that it names and no other.
pub(super) fn verify(compact: &str, need: &SignatureNeed) -> bool {
    let checked = || {
        let (input, rest) = compact.as_bytes().split_at_checked(need.signing_input)?;
        let signature = rest.strip_prefix(b".")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signature = Signature::from_slice(&signature).ok()?;
        let key = json::parse(need.key.as_bytes(), Limits::TOKEN).ok()?;
        let x = URL_SAFE_NO_PAD.decode(key.get("x")?.as_str()?).ok()?;
        let key = VerifyingKey::from_bytes(&x.try_into().ok()?).ok()?;
        key.verify_strict(input, &signature).ok()
    };
    need.algorithm == ALGORITHM && checked().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::string::ToString as _;
    use alloc::vec;

    /// RFC 8037 appendix A.
    const SEED: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
        0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae,
        0x7f, 0x60,
    ];

    #[test]
    fn what_is_signed_verifies_with_the_published_key_only() {
        let keys = SigningKeys {
            seeds: BTreeMap::from([("a".to_string(), SEED), ("b".to_string(), [7; 32])]),
            signing: "a".to_string(),
            published: vec!["a".to_string(), "b".to_string()],
        };
        let ring = KeyRing::new(&keys);
        let jwks = ring.jwks();
        assert_eq!(
            jwks["keys"][0]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "RFC 8037 appendix A.2"
        );
        let signed = ring.sign(Map::new(), &json!({"sub": "x"}));
        let need = |index: usize| SignatureNeed {
            key_id: String::new(),
            key: jwks["keys"][index].to_string(),
            algorithm: ALGORITHM,
            signing_input: signed.compact.rfind('.').unwrap(),
        };
        assert!(verify(&signed.compact, &need(0)));
        assert!(!verify(&signed.compact, &need(1)));
        let forged = signed.compact.replacen('e', "f", 1);
        assert!(!verify(&forged, &need(0)));
        let past_the_end = SignatureNeed {
            signing_input: usize::MAX,
            ..need(0)
        };
        assert!(!verify(&signed.compact, &past_the_end));
    }
}
